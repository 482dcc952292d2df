/* table.c - the tensors of a checkpoint, wherever they came from: kept, indexed, found. */
#include "checkpoint/checkpoint_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

ndl_ckpt *ndl_ckpt_new(ndl_error *err)
{
	ndl_ckpt *c = ndl_calloc(1, sizeof *c);
	if (c) {
		c->header = json_object();
		c->meta = json_object();
		if (c->header && c->meta && json_object_set_new(c->header, "__metadata__", c->meta) == 0)
			return c;
		json_decref(c->header);
		free(c);
	}
	ndl_fail_nomem(err, "model file");
	return NULL;
}

void ndl_ckpt_close(ndl_ckpt *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_owned; i++)
		free(c->owned[i]);
	free(c->owned);
	free(c->by_name);
	free(c->tensors);
	json_decref(c->header);
	ndl_ckpt_close(c->source);
	if (!c->borrowed)
		ndl_map_close(&c->map);
	free(c);
}

void *ndl_ckpt_own(ndl_ckpt *c, void *block, const char *what, ndl_error *err)
{
	if (block && ndl_grow(&c->owned, &c->cap_owned, c->n_owned + 1, sizeof *c->owned) == 0)
		return c->owned[c->n_owned++] = block;
	free(block);
	ndl_fail_nomem(err, what);
	return NULL;
}

ndl_status ndl_ckpt_put(ndl_ckpt *c, const char *name, ndl_dtype dtype, int rank, const size_t *shape,
                        const void *data, ndl_error *err)
{
	ndl_tensor t = {.dtype = dtype, .rank = rank, .data = data};
	for (int i = 0; i < rank; i++)
		t.shape[i] = shape[i];
	if (!ndl_mul_ok(ndl_tensor_elements(&t), ndl_dtype_size(dtype), &t.bytes))
		return ndl_fail(err, NDL_ELIMIT, "tensor '%s': its size overflows", name);
	t.name = ndl_ckpt_own(c, strdup(name), name, err);
	if (!t.name)
		return NDL_ENOMEM;
	if (ndl_grow(&c->tensors, &c->cap, c->n + 1, sizeof *c->tensors) != 0)
		return ndl_fail_nomem(err, name);
	c->tensors[c->n++] = t;
	return NDL_OK;
}

ndl_status ndl_ckpt_put_meta(ndl_ckpt *c, const char *key, const char *value, ndl_error *err)
{
	json_t *text = json_string(value);
	if (!text)
		return ndl_fail(err, NDL_EFORMAT, "metadata '%s' is not UTF-8", key);
	return json_object_set_new(c->meta, key, text) == 0 ? NDL_OK : ndl_fail_nomem(err, "metadata");
}

/* Foreign writers align nothing: copy what could not be read as an array of its type. */
static ndl_status align_tensors(ndl_ckpt *c, ndl_error *err)
{
	for (size_t i = 0; i < c->n; i++) {
		ndl_tensor *t = &c->tensors[i];
		if ((uintptr_t)t->data % ndl_dtype_size(t->dtype) == 0)
			continue;
		void *copy = ndl_ckpt_own(c, ndl_alloc64(t->bytes, 1), t->name, err);
		if (!copy)
			return NDL_ENOMEM;
		if (t->bytes)
			memcpy(copy, t->data, t->bytes);
		t->data = copy;
	}
	return NDL_OK;
}

/* Names compare with '.' and '/' as one separator, so that both ways of joining a tree work. */
static int compare_names(const char *a, const char *b)
{
	for (;; a++, b++) {
		int x = *a == '.' ? '/' : (unsigned char)*a, y = *b == '.' ? '/' : (unsigned char)*b;
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

static int by_name(const void *pa, const void *pb)
{
	const ndl_tensor *const *a = pa, *const *b = pb;
	return compare_names((*a)->name, (*b)->name);
}

static ndl_status index_names(ndl_ckpt *c, ndl_error *err)
{
	const ndl_tensor **t = ndl_calloc(c->n, sizeof *t);
	if (!t)
		return ndl_fail_nomem(err, "tensor table");
	free(c->by_name);
	c->by_name = t;
	for (size_t i = 0; i < c->n; i++)
		t[i] = &c->tensors[i];
	if (c->n)
		qsort(t, c->n, sizeof *t, by_name);
	for (size_t i = 1; i < c->n; i++)
		if (by_name(&t[i - 1], &t[i]) == 0)
			return ndl_fail(err, NDL_EFORMAT, "tensors '%s' and '%s' have the same name", t[i - 1]->name, t[i]->name);
	return NDL_OK;
}

ndl_status ndl_ckpt_index(ndl_ckpt *c, ndl_error *err)
{
	ndl_status s = align_tensors(c, err);
	return s == NDL_OK ? index_names(c, err) : s;
}

ndl_status ndl_ckpt_set_tokenizer(ndl_ckpt *c, const void *model, size_t len, ndl_error *err)
{
	void *copy = ndl_ckpt_own(c, ndl_alloc64(len, 1), "tokenizer", err);
	if (!copy)
		return NDL_ENOMEM;
	memcpy(copy, model, len);
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->tensors[i].name, NDL_TOKENIZER_TENSOR) == 0) {
			const char *name = c->tensors[i].name;
			c->tensors[i] = (ndl_tensor){.name = name, .dtype = NDL_U8, .rank = 1, .shape = {len}, .data = copy,
			                             .bytes = len};
			return NDL_OK;
		}
	ndl_status s = ndl_ckpt_put(c, NDL_TOKENIZER_TENSOR, NDL_U8, 1, &len, copy, err);
	return s == NDL_OK ? ndl_ckpt_index(c, err) : s;
}

size_t ndl_ckpt_count(const ndl_ckpt *c)
{
	return c->n;
}

const ndl_tensor *ndl_ckpt_at(const ndl_ckpt *c, size_t i)
{
	return i < c->n ? &c->tensors[i] : NULL;
}

const ndl_tensor *ndl_ckpt_find(const ndl_ckpt *c, const char *name)
{
	size_t lo = 0, hi = c->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = compare_names(name, c->by_name[mid]->name);
		if (order == 0)
			return c->by_name[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *ndl_ckpt_meta(const ndl_ckpt *c, const char *key)
{
	return json_string_value(json_object_get(c->meta, key));
}

size_t ndl_ckpt_meta_count(const ndl_ckpt *c)
{
	return json_object_size(c->meta);
}

void ndl_ckpt_meta_at(const ndl_ckpt *c, size_t i, const char **key, const char **value)
{
	void *at = json_object_iter(c->meta);
	while (at && i-- > 0)
		at = json_object_iter_next(c->meta, at);
	*key = at ? json_object_iter_key(at) : NULL;
	*value = at ? json_string_value(json_object_iter_value(at)) : NULL;
}
