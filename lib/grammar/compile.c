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

static size_t enter(struct compiler *c, const char *a, const char *b)
{
	size_t old = c->path.len;
	ndl_buf_printf(&c->path, "/%s", a);
	if (b)
		ndl_buf_byte(&c->path, '/');
	for (; b && *b; b++) {
		if (*b == '~' || *b == '/')
			ndl_buf_str(&c->path, *b == '~' ? "~0" : "~1");
		else
			ndl_buf_byte(&c->path, *b);
	}
	return old;
}

static void leave(struct compiler *c, size_t old)
{
	c->path.len = old < c->path.len ? old : c->path.len;
	if (c->path.data)
		c->path.data[c->path.len] = '\0';
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

static uint32_t count_of(const json_t *schema, const char *key, uint32_t absent)
{
	const json_t *value = json_object_get(schema, key);
	return value ? (uint32_t)json_integer_value(value) : absent;
}

static uint32_t plus(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static ndl_status build(struct compiler *c, const json_t *schema, unsigned depth, uint32_t *index);

/* The value of `n` may hold one of `child`. */
static void encloses(struct node *n, const struct node *child)
{
	n->width = child->width > n->width ? child->width : n->width;
	n->height = child->height + 1 > n->height ? child->height + 1 : n->height;
}

/* Stores the keys with their nodes, and which of them are required. Sets the cost of the object. */
static ndl_status store_keys(struct compiler *c, struct entry *e, size_t n, uint32_t index)
{
	ndl_grammar *g = c->g;
	size_t words = (n + 63) / 64;
	uint32_t first, count, need = 0, cost = 2;
	if (ndl_gc_store(c, e, n, &first, &count) < 0 ||
	    ndl_grow(&g->words, &g->cap_words, g->n_words + words, sizeof *g->words) < 0)
		return ndl_gc_nomem(c);
	uint64_t *required = words ? memset(g->words + g->n_words, 0, words * sizeof *g->words) : NULL;
	for (size_t i = 0; i < n; i++) { /* e is in the order stored: keys are unique */
		const struct node *child = &g->node[e[i].value];
		encloses(&g->node[index], child);
		need = child->need_words > need ? child->need_words : need;
		if (!e[i].required)
			continue;
		required[i / 64] |= UINT64_C(1) << (i % 64);
		cost = plus(cost, plus(child->cost, plus(e[i].len, cost > 2)));
	}
	struct node *node = &g->node[index];
	node->keys = first;
	node->n_keys = count;
	node->required = (uint32_t)g->n_words;
	node->n_words = (uint32_t)words;
	node->need_words = (uint32_t)words + need;
	node->cost = cost;
	g->n_words += words;
	if (node->need_words > PROPERTY_WORDS)
		return ndl_gc_fail(c, NDL_ELIMIT, "too many properties");
	return NDL_OK;
}

static ndl_status build_properties(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index)
{
	json_t *properties = json_object_get(schema, "properties"), *child;
	const json_t *required = json_object_get(schema, "required");
	size_t n = 0, n_required = 0; /* "required" is in the order of the properties */
	const char *key;
	ndl_status status = NDL_OK;
	struct entry *e = ndl_calloc(json_object_size(properties), sizeof *e);
	if (!e)
		return ndl_gc_nomem(c);
	json_object_foreach(properties, key, child) {
		size_t old = enter(c, "properties", key);
		status = build(c, child, depth + 1, &e[n].value);
		leave(c, old);
		if (status < 0)
			break;
		e[n].at = (uint32_t)c->g->pool.len;
		ndl_json_write_string(&c->g->pool, key, strlen(key), 0);
		ndl_buf_byte(&c->g->pool, ':');
		e[n].len = (uint32_t)(c->g->pool.len - e[n].at);
		const char *next = json_string_value(json_array_get(required, n_required));
		e[n].required = next && strcmp(next, key) == 0;
		n_required += e[n++].required;
	}
	if (status == 0)
		status = store_keys(c, e, n, index);
	free(e);
	return status;
}

/* Properties that are declared are all there are; else a map, unless it is closed. */
static ndl_status build_object(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index)
{
	json_t *properties = json_object_get(schema, "properties");
	json_t *more = json_object_get(schema, "additionalProperties");
	bool open = json_is_true(more) || json_is_object(more);
	if (json_object_size(properties) || (properties && !open) || json_is_false(more))
		return build_properties(c, schema, depth, index);
	c->g->node[index].map = true;
	c->g->node[index].cost = 2;
	uint32_t extra = NODE_ANY;
	if (json_is_object(more)) {
		size_t old = enter(c, "additionalProperties", NULL);
		ndl_status status = build(c, more, depth + 1, &extra);
		leave(c, old);
		if (status < 0)
			return status;
	}
	c->g->node[index].extra = extra;
	encloses(&c->g->node[index], &c->g->node[extra]);
	return NDL_OK;
}

/* How many different values an item may have, at most UNIQUE_ITEMS. */
static uint32_t count_values(const ndl_grammar *g, const struct node *n)
{
	uint32_t all = 0;
	if (n->n_choices)
		return n->n_choices < UNIQUE_ITEMS ? n->n_choices : UNIQUE_ITEMS;
	if (n->types & T_STRING)
		all += ndl_gtext_count(&g->text[n->text - 1], UNIQUE_ITEMS);
	if (n->types & (T_INTEGER | T_NUMBER))
		all += ndl_gnumber_count(n, UNIQUE_ITEMS);
	all += n->types & T_BOOLEAN ? 2 : 0;
	all += n->types & T_NULL ? 1 : 0;
	return all < UNIQUE_ITEMS ? all : UNIQUE_ITEMS;
}

static ndl_status limit_unique(struct compiler *c, struct node *n)
{
	char text[100];
	const struct node *item = &c->g->node[n->items];
	if (item->n_alts || (item->types & (T_ARRAY | T_OBJECT)))
		return ndl_gc_fail(c, NDL_EUNSUPPORTED, "uniqueItems is supported for strings, numbers, booleans and null");
	uint32_t all = count_values(c->g, item);
	n->unique = true;
	n->max_items = n->max_items < all ? n->max_items : all;
	n->need_words = n->min_items > n->need_words ? n->min_items : n->need_words;
	if (n->min_items <= n->max_items)
		return NDL_OK;
	snprintf(text, sizeof text, "minItems is %u, and at most %u different items are possible", n->min_items, n->max_items);
	return ndl_gc_fail(c, NDL_EINVAL, text);
}

static ndl_status build_array(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index)
{
	const json_t *items = json_object_get(schema, "items");
	bool unique = json_is_true(json_object_get(schema, "uniqueItems"));
	uint32_t item = NODE_ANY;
	if (json_object_size(items) || unique) {
		size_t old = enter(c, "items", NULL);
		c->unique = unique;
		ndl_status status = build(c, items, depth + 1, &item);
		c->unique = false;
		leave(c, old);
		if (status < 0)
			return status;
	}
	struct node *n = &c->g->node[index];
	n->items = item;
	n->min_items = count_of(schema, "minItems", 0);
	n->max_items = count_of(schema, "maxItems", UINT32_MAX);
	if (n->min_items > n->max_items)
		return ndl_gc_fail(c, NDL_EINVAL, "minItems is more than maxItems");
	encloses(n, &c->g->node[item]);
	if (unique && limit_unique(c, n) < 0)
		return c->err->code;
	uint64_t all = 2 + (uint64_t)n->min_items * (c->g->node[item].cost + UINT64_C(1));
	n->cost = all > UINT32_MAX ? UINT32_MAX : (uint32_t)all;
	if (c->g->node[item].need_words > n->need_words)
		n->need_words = c->g->node[item].need_words;
	return NDL_OK;
}

static ndl_status build_scalars(struct compiler *c, const json_t *schema, uint32_t index)
{
	struct node *n = &c->g->node[index];
	if (n->types & T_STRING) {
		n->min_len = count_of(schema, "minLength", 0);
		n->max_len = count_of(schema, "maxLength", UINT32_MAX);
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
		{T_STRING, plus(string, 2), '"'}, {T_NULL, 4, 'n'}, {T_BOOLEAN, 5, 'f'},
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
	const char *key = json_object_get(schema, "anyOf") ? "anyOf" : "oneOf";
	const json_t *list = json_object_get(schema, key);
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
		size_t old = enter(c, key, at);
		ndl_status status = build(c, json_array_get(list, i), depth, &one);
		leave(c, old);
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

static ndl_status build(struct compiler *c, const json_t *schema, unsigned depth, uint32_t *index)
{
	unsigned types = ndl_tools_types(schema);
	bool listed = json_object_get(schema, "enum") || json_object_get(schema, "const");
	ndl_status status;
	*index = NODE_ANY;
	if (depth >= SCHEMA_DEPTH)
		return ndl_gc_fail(c, NDL_ELIMIT, "schema nests too deeply");
	if (json_object_get(schema, "anyOf") || json_object_get(schema, "oneOf"))
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
		status = build_object(c, schema, depth, *index);
		object = c->g->node[*index].cost;
	}
	if (status == 0 && (types & T_ARRAY)) {
		status = build_array(c, schema, depth, *index);
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
	ndl_status status = build(c, ndl_tools_schema(t, i), 0, &e->value);
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
