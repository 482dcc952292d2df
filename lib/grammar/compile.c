/* compile.c - from argument schemas to nodes. Recursion is bounded by SCHEMA_DEPTH. */
#include "grammar/compile_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ndl_status ndl_gc_nomem(struct compiler *c)
{
	return ndl_fail_nomem(c->err, "grammar");
}

ndl_status ndl_gc_fail(struct compiler *c, ndl_status code, const char *text)
{
	return ndl_fail(c->err, code, "%s: %s", ndl_buf_cstr(&c->path), text);
}

size_t ndl_gc_enter(struct compiler *c, const char *a, const char *b)
{
	size_t old = c->path.len;
	ndl_json_pointer_add(&c->path, a);
	if (b)
		ndl_json_pointer_add(&c->path, b);
	return old;
}

void ndl_gc_leave(struct compiler *c, size_t old)
{
	ndl_buf_cut(&c->path, old);
}

/* ---- nodes ---- */

static ndl_status add_node(struct compiler *c, uint32_t *index)
{
	ndl_grammar *g = c->g;
	if (g->n_nodes >= UINT32_MAX || ndl_grow(&g->node, &g->cap_nodes, g->n_nodes + 1, sizeof *g->node) < 0)
		return ndl_gc_nomem(c);
	*index = (uint32_t)g->n_nodes++;
	g->node[*index] = (struct node){
		.max_len = UINT32_MAX, .max_items = UINT32_MAX, .items = NODE_ANY, .extra = NODE_ANY, .width = 1, .height = 1,
	};
	return NDL_OK;
}

static ndl_status add_any(struct compiler *c)
{
	uint32_t index;
	if (add_node(c, &index) < 0)
		return NDL_ENOMEM;
	struct node *n = &c->g->node[index];
	n->types = T_ALL;
	n->free = n->map = true;
	n->close = '0';
	n->cost = 1;
	n->height = c->g->free_depth + 1;
	return ndl_gnumber_compile(n, NULL, c->err);
}

uint32_t ndl_gc_count_of(const json_t *schema, const char *key, uint32_t absent)
{
	const json_t *value = json_object_get(schema, key);
	return value ? (uint32_t)json_integer_value(value) : absent;
}

static ndl_status build_scalars(struct compiler *c, const json_t *schema, uint32_t index)
{
	struct node *n = &c->g->node[index];
	if (n->types & T_STRING) {
		n->min_len = ndl_gc_count_of(schema, "minLength", 0);
		n->max_len = ndl_gc_count_of(schema, "maxLength", UINT32_MAX);
		if (n->min_len > n->max_len)
			return ndl_gc_fail(c, NDL_EINVAL, "minLength is more than maxLength");
		ndl_status status = ndl_gc_text(c, schema, n);
		if (status < 0)
			return status;
	}
	if (n->types & (T_INTEGER | T_NUMBER)) {
		n->bounded = c->unique;
		ndl_status status = ndl_gnumber_compile(n, schema, c->err);
		if (status < 0) {
			ndl_error_prefix(c->err, "%s", ndl_buf_cstr(&c->path));
			return status;
		}
	}
	return NDL_OK;
}

/* A cheapest value of the types in n, given what its containers cost. */
static void choose_close(const ndl_grammar *g, struct node *n, uint32_t object, uint32_t array)
{
	const struct used none = {NULL, 0};
	uint32_t number = UINT32_MAX, string = n->min_len;
	ndl_gframe f;
	memset(&f, 0, sizeof f);
	ndl_gtext_start(&f);
	if (n->text)
		string = ndl_gtext_rest(&g->text[n->text - 1], &f);
	ndl_gnumber_start(&f);
	if (n->types & (T_INTEGER | T_NUMBER))
		number = ndl_gnumber_rest(n, &f, none);
	n->cost = UINT32_MAX;
	const struct { unsigned bits; uint32_t cost; uint8_t byte; } ways[] = {
		{T_STRING, ndl_gc_plus(string, 2), '"'}, {T_NULL, 4, 'n'}, {T_BOOLEAN, 5, 'f'},
		{T_INTEGER | T_NUMBER, number, 0}, {T_OBJECT, object, '{'}, {T_ARRAY, array, '['},
	};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (!(n->types & ways[i].bits) || ways[i].cost >= n->cost)
			continue;
		n->cost = ways[i].cost;
		n->close = ways[i].byte ? ways[i].byte : ndl_gnumber_close(n, &f, none);
	}
}

/* anyOf, oneOf: the normal form has made sure that no value of one alternative of a oneOf is valid
 * for another. */
static ndl_status build_alternatives(struct compiler *c, const json_t *schema, unsigned depth, uint32_t *index)
{
	const char *key;
	const json_t *list = ndl_tools_alternatives(schema, &key);
	ndl_grammar *g = c->g;
	struct node all = {.cost = UINT32_MAX, .n_alts = (uint32_t)json_array_size(list), .alt = (uint32_t)g->n_alts};
	if (all.n_alts > MAX_ALTERNATIVES)
		return ndl_gc_fail(c, NDL_ELIMIT, "too many alternatives");
	if (add_node(c, index) < 0 || ndl_grow(&g->alt, &g->cap_alts, g->n_alts + all.n_alts, sizeof *g->alt) < 0)
		return ndl_gc_nomem(c);
	g->n_alts += all.n_alts;
	for (uint32_t i = 0; i < all.n_alts; i++) {
		char at[16];
		uint32_t one;
		snprintf(at, sizeof at, "%u", i);
		size_t old = ndl_gc_enter(c, key, at);
		ndl_status status = ndl_gc_build(c, json_array_get(list, i), depth, &one);
		ndl_gc_leave(c, old);
		if (status < 0)
			return status;
		const struct node *n = &g->node[one];
		g->alt[all.alt + i] = one;
		all.width += n->width;
		all.height = n->height > all.height ? n->height : all.height;
		all.need_words = n->need_words > all.need_words ? n->need_words : all.need_words;
		if (n->cost < all.cost) {
			all.cost = n->cost;
			all.close = n->close;
		}
	}
	g->node[*index] = all;
	return NDL_OK;
}

ndl_status ndl_gc_build(struct compiler *c, const json_t *schema, unsigned depth, uint32_t *index)
{
	unsigned types = ndl_tools_types(schema);
	bool listed = json_object_get(schema, "enum") || json_object_get(schema, "const");
	ndl_status status;
	*index = NODE_ANY;
	if (depth >= SCHEMA_DEPTH)
		return ndl_gc_fail(c, NDL_ELIMIT, "schema nests too deeply");
	if (ndl_tools_alternatives(schema, NULL))
		return build_alternatives(c, schema, depth, index);
	if (!types && !listed && c->unique)
		types = T_ALL & ~(T_ARRAY | T_OBJECT); /* any item that can be told from another */
	if (!types && !listed)
		return NDL_OK;
	if (add_node(c, index) < 0)
		return NDL_ENOMEM;
	if (listed)
		return ndl_gc_enum(c, schema, *index);
	c->g->node[*index].types = (uint8_t)types;
	status = build_scalars(c, schema, *index);
	c->unique = false; /* of what nests in this */
	uint32_t object = UINT32_MAX, array = UINT32_MAX;
	if (status == 0 && (types & T_OBJECT)) {
		status = ndl_gc_object(c, schema, depth, *index);
		object = c->g->node[*index].cost;
	}
	if (status == 0 && (types & T_ARRAY)) {
		status = ndl_gc_array(c, schema, depth, *index);
		array = c->g->node[*index].cost;
	}
	if (status < 0)
		return status;
	choose_close(c->g, &c->g->node[*index], object, array);
	if (c->g->node[*index].cost > VALUE_BYTES)
		return ndl_gc_fail(c, NDL_ELIMIT, "even the shortest value is too long");
	return NDL_OK;
}

/* ---- the whole ---- */

/* Makes sure that all threads a tool's arguments may need find room in a state. */
static ndl_status find_room(struct compiler *c, const struct node *root)
{
	uint32_t threads = root->width > 1 ? root->width + 1 : 1; /* one more while one is taken apart */
	uint32_t words = NDL_GSTATE_WORDS / threads;
	if (threads > NDL_GSTATE_THREADS || (uint64_t)threads * (root->height + 1) > NDL_GSTATE_FRAMES || words < root->need_words)
		return ndl_fail(c->err, NDL_ELIMIT, "too many alternatives (anyOf, oneOf) are open at once");
	if (words < c->g->thread_words)
		c->g->thread_words = words;
	return NDL_OK;
}

static ndl_status build_tool(struct compiler *c, const ndl_tools *t, size_t i, struct entry *e)
{
	ndl_status status = ndl_gc_build(c, ndl_tools_schema(t, i), 0, &e->value);
	if (status == 0)
		status = find_room(c, &c->g->node[e->value]);
	if (status < 0) {
		ndl_error_prefix(c->err, "tool \"%.80s\"", ndl_tools_name(t, i));
		return status;
	}
	e->at = (uint32_t)c->g->pool.len;
	ndl_buf_str(&c->g->pool, "{\"name\":\"");
	ndl_buf_str(&c->g->pool, ndl_tools_norm_name(t, i));
	ndl_buf_str(&c->g->pool, "\",\"arguments\":");
	e->len = (uint32_t)(c->g->pool.len - e->at);
	return NDL_OK;
}

static ndl_status build_all(struct compiler *c, const ndl_tools *t, const ndl_grammar_options *o)
{
	size_t n = o->subset ? o->n_subset : ndl_tools_count(t);
	if (ndl_gc_literal(c, "false") < 0 || ndl_gc_literal(c, "null") < 0 || ndl_gc_literal(c, "true") < 0 || add_any(c) < 0)
		return NDL_ENOMEM;
	struct entry *e = ndl_calloc(n, sizeof *e);
	if (!e)
		return ndl_gc_nomem(c);
	ndl_status status = NDL_OK;
	for (size_t k = 0; status == 0 && k < n; k++) {
		size_t i = o->subset ? o->subset[k] : k;
		c->lacks_nulls = o->lacks_nulls && i < ndl_tools_count(t) ? ndl_tools_schema(t, i) : NULL;
		status = i < ndl_tools_count(t) ? build_tool(c, t, i, &e[k])
		                                : ndl_fail(c->err, NDL_EINVAL, "no tool number %zu", i);
	}
	if (status == 0)
		status = ndl_gc_store(c, e, n, &c->g->calls, &c->g->n_calls);
	free(e);
	return status;
}

ndl_grammar *ndl_grammar_new(const ndl_tools *t, const ndl_grammar_options *options, ndl_error *err)
{
	static const ndl_grammar_options defaults;
	const ndl_grammar_options *o = options ? options : &defaults;
	ndl_error local = NDL_ERROR_INIT;
	struct compiler c = {.g = ndl_calloc(1, sizeof(ndl_grammar)), .made = json_object(), .err = err ? err : &local};
	if (!c.g || !c.made) {
		ndl_fail_nomem(err, "grammar");
		json_decref(c.made);
		free(c.g);
		return NULL;
	}
	c.g->thread_words = NDL_GSTATE_WORDS;
	size_t max_calls = o->max_calls ? o->max_calls : 8, free_depth = o->free_depth ? o->free_depth : 3;
	c.g->max_calls = max_calls < UINT32_MAX ? (uint32_t)max_calls : UINT32_MAX;
	c.g->min_calls = o->min_calls < UINT32_MAX ? (uint32_t)o->min_calls : UINT32_MAX;
	c.g->free_depth = (uint32_t)(free_depth < MAX_FREE_DEPTH ? free_depth : MAX_FREE_DEPTH);
	c.g->bare = o->bare;
	c.lenient = ndl_tools_flags(t) & NDL_TOOLS_LENIENT;
	ndl_status status = build_all(&c, t, o);
	if (status == 0 && c.g->min_calls > (c.g->n_calls ? c.g->max_calls : 0))
		status = ndl_fail(c.err, NDL_EINVAL, "%u calls are demanded, %u are possible", c.g->min_calls,
			c.g->n_calls ? c.g->max_calls : 0);
	ndl_buf_clear(&c.path);
	json_decref(c.made);
	if (status < 0) {
		ndl_grammar_free(c.g);
		return NULL;
	}
	return c.g;
}

void ndl_grammar_free(ndl_grammar *g)
{
	if (!g)
		return;
	free(g->node);
	free(g->choice);
	free(g->words);
	free(g->alt);
	for (size_t i = 0; i < g->n_texts; i++)
		free(g->text[i].rest);
	free(g->text);
	for (size_t i = 0; i < g->n_regexes; i++)
		ndl_regex_free(g->regex[i]);
	free(g->regex);
	ndl_buf_clear(&g->pool);
	free(g);
}
