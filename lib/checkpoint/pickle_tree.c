/* pickle_tree.c - upstream's checkpoint: {"params": tree of arrays, "config": dictionary}. The tree's
 * leaves become tensors, named by their path; the configuration becomes metadata. */
#include "checkpoint/import_internal.h"
#include "checkpoint/pickle.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAVES_MAX = 4096 };

typedef struct tree {
	pk_pickle *p;
	ndl_ckpt *c;
	ndl_buf path;
	const char *prefix; /* of the leaves that are taken; not part of their names */
	size_t leaves, visited;
	ndl_error *err;
} tree;

/* Where in the file it is, for an error about a value. */
static void point_at(tree *t, const pk_value *v)
{
	t->p->op = v->at;
}

static const pk_value *find(const pk_pickle *p, const pk_value *dict, const char *key)
{
	for (uint32_t at = dict->u.items.first; at; at = p->link[p->link[at].next].next) {
		const pk_value *k = &p->value[p->link[at].value];
		if (k->kind == PK_STR && k->u.text.len == strlen(key) && memcmp(k->u.text.data, key, k->u.text.len) == 0)
			return &p->value[p->link[p->link[at].next].value];
	}
	return NULL;
}

/* Tensors --------------------------------------------------------------------------------- */

static ndl_status add_leaf(tree *t, const pk_value *v)
{
	pk_array *a = v->u.array;
	const char *path = ndl_buf_cstr(&t->path);
	size_t outer = strlen(t->prefix);
	point_at(t, v);
	if (strncmp(path, t->prefix, outer) != 0 || !path[outer])
		return NDL_OK;
	if (!a)
		return pk_fail(t->p, NDL_EFORMAT, "'%s' is an array without data", path);
	if (++t->leaves > LEAVES_MAX)
		return pk_fail(t->p, NDL_ELIMIT, "more than %d arrays", LEAVES_MAX);
	const void *data = pk_array_plain(t->p, a);
	if (!data)
		return NDL_ELIMIT;
	return ndl_ckpt_put(t->c, path + outer, a->type, a->rank, a->shape, data, t->err);
}

static ndl_status add_node(tree *t, const pk_value *v, int depth);

static ndl_status add_member(tree *t, const pk_value *key, const pk_value *value, int depth)
{
	size_t before = t->path.len;
	point_at(t, key);
	if (key->kind != PK_STR || !key->u.text.len || memchr(key->u.text.data, '\0', key->u.text.len))
		return pk_fail(t->p, NDL_EFORMAT, "'%s' has a key that is not a name", ndl_buf_cstr(&t->path));
	if (before)
		ndl_buf_byte(&t->path, '/');
	ndl_buf_add(&t->path, key->u.text.data, key->u.text.len);
	if (t->path.len > 1000)
		return pk_fail(t->p, NDL_ELIMIT, "a name longer than 1000 bytes");
	ndl_status s = ndl_buf_check(&t->path, t->err);
	if (s == NDL_OK)
		s = add_node(t, value, depth);
	t->path.len = before;
	if (t->path.data)
		t->path.data[before] = '\0';
	return s;
}

static ndl_status add_node(tree *t, const pk_value *v, int depth)
{
	const pk_pickle *p = t->p;
	if (v->kind == PK_ARRAY)
		return add_leaf(t, v);
	point_at(t, v);
	if (v->kind != PK_DICT)
		return pk_fail(t->p, NDL_EUNSUPPORTED, "'%s' is %s, neither an array nor a dictionary of them",
		               ndl_buf_cstr(&t->path), pk_kind_name(v->kind));
	/* memoised dictionaries may contain themselves, or each other many times over */
	if (depth > PK_DEPTH_MAX || ++t->visited > LEAVES_MAX)
		return pk_fail(t->p, NDL_ELIMIT, "dictionaries nested more than %d deep, or more than %d of them", PK_DEPTH_MAX,
		               LEAVES_MAX);
	ndl_status s = NDL_OK;
	for (uint32_t at = v->u.items.first; s == NDL_OK && at; at = p->link[p->link[at].next].next)
		s = add_member(t, &p->value[p->link[at].value], &p->value[p->link[p->link[at].next].value], depth + 1);
	return s;
}

/* Metadata -------------------------------------------------------------------------------- */

/* A number of a NumPy scalar; false for anything else. */
static bool scalar_number(tree *t, const pk_value *v, double *out)
{
	float x;
	if (v->kind != PK_ARRAY || !v->u.array || v->u.array->elements != 1)
		return false;
	const void *data = pk_array_plain(t->p, v->u.array);
	ndl_tensor one = {.name = "config", .dtype = v->u.array->type, .data = data, .bytes = ndl_dtype_size(v->u.array->type)};
	if (!data || ndl_tensor_to_f32(&one, &x, NULL) != NDL_OK)
		return false;
	*out = (double)x;
	return true;
}

/* The value as text in metadata: true, 8192, 10000.0, gelu. False: it is left out. */
static bool config_text(tree *t, const pk_value *v, ndl_buf *out)
{
	double x;
	switch (v->kind) {
	case PK_BOOL: ndl_buf_str(out, v->u.integer ? "true" : "false"); return true;
	case PK_INT: ndl_buf_printf(out, "%lld", (long long)v->u.integer); return true;
	case PK_STR: ndl_buf_add(out, v->u.text.data, v->u.text.len); return !memchr(v->u.text.data, '\0', v->u.text.len);
	case PK_FLOAT: x = v->u.real; break;
	default:
		if (!scalar_number(t, v, &x))
			return false;
	}
	if (!(x > -1e300 && x < 1e300))
		return false;
	if (v->kind != PK_FLOAT && x > -1e15 && x < 1e15 && x == (double)(long long)x)
		ndl_buf_printf(out, "%lld", (long long)x);
	else
		ndl_json_write_double(out, x);
	return true;
}

static ndl_status add_config(tree *t, const pk_value *config)
{
	const pk_pickle *p = t->p;
	ndl_status s = NDL_OK;
	ndl_buf text = NDL_BUF_INIT;
	for (uint32_t at = config->u.items.first; s == NDL_OK && at; at = p->link[p->link[at].next].next) {
		const pk_value *key = &p->value[p->link[at].value], *value = &p->value[p->link[p->link[at].next].value];
		char name[64];
		if (key->kind != PK_STR || key->u.text.len >= sizeof name || memchr(key->u.text.data, '\0', key->u.text.len))
			continue;
		memcpy(name, key->u.text.data, key->u.text.len);
		name[key->u.text.len] = '\0';
		ndl_buf_reset(&text);
		if (config_text(t, value, &text) && (s = ndl_buf_check(&text, t->err)) == NDL_OK)
			s = ndl_ckpt_put_meta(t->c, name, ndl_buf_cstr(&text), t->err);
	}
	ndl_buf_clear(&text);
	return s;
}

/* ----------------------------------------------------------------------------------------- */

static ndl_status read_checkpoint(tree *t, const pk_value *root)
{
	if (root->kind != PK_DICT)
		return pk_fail(t->p, NDL_EUNSUPPORTED, "the pickle holds %s, not a checkpoint {\"params\": ..., \"config\": ...}",
		               pk_kind_name(root->kind));
	const pk_value *params = find(t->p, root, "params"), *config = find(t->p, root, "config");
	ndl_status s = add_node(t, params ? params : root, 0); /* a tree alone will do */
	if (s == NDL_OK && params && config && config->kind == PK_DICT)
		s = add_config(t, config);
	return s;
}

/* What was converted goes over to the checkpoint; the rest lies in the file's bytes. */
static ndl_status hand_over(tree *t)
{
	for (; t->p->n_made; t->p->n_made--)
		if (!ndl_ckpt_own(t->c, t->p->made[t->p->n_made - 1], "pickle", t->err)) {
			t->p->n_made--;
			return NDL_ENOMEM;
		}
	return ndl_ckpt_index(t->c, t->err);
}

ndl_ckpt *ndl_import_pickle(const void *data, size_t size, const char *prefix, ndl_error *err)
{
	pk_pickle p;
	pk_ref root;
	tree t = {.p = &p, .c = ndl_ckpt_new(err), .prefix = prefix, .err = err};
	ndl_status s = pk_load(&p, data, size, &root, err);
	if (!t.c)
		s = NDL_ENOMEM;
	if (s == NDL_OK)
		s = read_checkpoint(&t, &p.value[root]);
	if (s == NDL_OK)
		s = hand_over(&t);
	ndl_buf_clear(&t.path);
	pk_clear(&p);
	if (s == NDL_OK)
		return t.c;
	ndl_ckpt_close(t.c);
	return NULL;
}
