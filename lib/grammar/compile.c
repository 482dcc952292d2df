/* compile.c - from argument schemas to nodes. Recursion is bounded by SCHEMA_DEPTH. */
#include "grammar/grammar_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct compiler {
	ndl_grammar *g;
	ndl_buf path; /* JSON Pointer of the schema at hand */
	ndl_error *err;
};

/* One text of a list before the list is sorted and stored. */
struct entry {
	const char *text; /* set for sorting only: the pool moves */
	uint32_t at, len, value;
	bool required;
};

static ndl_status nomem(struct compiler *c)
{
	return ndl_fail_nomem(c->err, "grammar");
}

static ndl_status fail(struct compiler *c, ndl_status code, const char *text)
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

/* ---- lists of texts ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	uint32_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->text, y->text, n);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void sort_entries(struct compiler *c, struct entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		e[i].text = c->g->pool.data + e[i].at;
	qsort(e, n, sizeof *e, compare_entries);
}

/* Sorts the entries and stores them; equal texts once. *first and *count tell where. */
static ndl_status store_entries(struct compiler *c, struct entry *e, size_t n, uint32_t *first,
                                uint32_t *count)
{
	ndl_grammar *g = c->g;
	if (g->pool.failed || g->pool.len > UINT32_MAX || g->n_choices + n > UINT32_MAX ||
	    ndl_grow(&g->choice, &g->cap_choices, g->n_choices + n, sizeof *g->choice) < 0)
		return nomem(c);
	sort_entries(c, e, n);
	*first = (uint32_t)g->n_choices;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_entries(&e[i - 1], &e[i]) != 0)
			g->choice[g->n_choices++] = (struct choice){e[i].at, e[i].len, e[i].value};
	*count = (uint32_t)g->n_choices - *first;
	return NDL_OK;
}

static ndl_status add_literal(struct compiler *c, const char *text)
{
	struct entry e = {NULL, (uint32_t)c->g->pool.len, (uint32_t)strlen(text), 0, false};
	uint32_t first, count;
	ndl_buf_str(&c->g->pool, text);
	return store_entries(c, &e, 1, &first, &count);
}

/* ---- nodes ---- */

static ndl_status add_node(struct compiler *c, uint32_t *index)
{
	ndl_grammar *g = c->g;
	if (g->n_nodes >= UINT32_MAX || ndl_grow(&g->node, &g->cap_nodes, g->n_nodes + 1, sizeof *g->node) < 0)
		return nomem(c);
	*index = (uint32_t)g->n_nodes++;
	g->node[*index] = (struct node){
		.max_len = UINT32_MAX, .max_items = UINT32_MAX, .items = NODE_ANY, .extra = NODE_ANY,
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
	return ndl_gnumber_compile(n, NULL, c->err);
}

static unsigned type_bit(const char *name)
{
	static const struct { const char *name; unsigned bit; } types[] = {
		{"string", T_STRING}, {"integer", T_INTEGER}, {"number", T_NUMBER}, {"boolean", T_BOOLEAN},
		{"null", T_NULL}, {"array", T_ARRAY}, {"object", T_OBJECT},
	};
	for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].bit;
	return 0;
}

/* A schema without a type is taken to mean the type that its keywords are about. */
static unsigned implied_types(const json_t *schema)
{
	static const struct { const char *key; unsigned bit; } keys[] = {
		{"properties", T_OBJECT}, {"additionalProperties", T_OBJECT}, {"items", T_ARRAY}, {"minItems", T_ARRAY},
		{"maxItems", T_ARRAY}, {"minLength", T_STRING}, {"maxLength", T_STRING}, {"format", T_STRING},
		{"minimum", T_NUMBER}, {"maximum", T_NUMBER}, {"exclusiveMinimum", T_NUMBER},
		{"exclusiveMaximum", T_NUMBER}, {"multipleOf", T_NUMBER},
	};
	unsigned bits = 0;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_object_get(schema, keys[i].key))
			bits |= keys[i].bit;
	return bits;
}

static unsigned schema_types(const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type");
	unsigned bits = type_bit(json_string_value(type));
	for (size_t i = 0; i < json_array_size(type); i++)
		bits |= type_bit(json_string_value(json_array_get(type, i)));
	return bits ? bits : implied_types(schema);
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

/* enum and const: the values that the rest of the schema admits, as texts. */
static ndl_status build_enum(struct compiler *c, const json_t *schema, uint32_t index)
{
	const json_t *list = json_object_get(schema, "enum"), *constant = json_object_get(schema, "const");
	size_t n = constant ? 1 : json_array_size(list), kept = 0;
	struct entry *e = ndl_calloc(n, sizeof *e);
	if (!e)
		return nomem(c);
	for (size_t i = 0; i < n; i++) {
		const json_t *value = constant ? constant : json_array_get(list, i);
		if (ndl_tools_check_value(schema, value, NULL) < 0)
			continue;
		e[kept].at = (uint32_t)c->g->pool.len;
		ndl_json_write(&c->g->pool, value, 0);
		e[kept].len = (uint32_t)(c->g->pool.len - e[kept].at);
		kept++;
	}
	uint32_t first = 0, count = 0;
	ndl_status status = kept ? store_entries(c, e, kept, &first, &count)
	                         : fail(c, NDL_EINVAL, "no value of the enum fits the rest of the schema");
	free(e);
	if (status < 0)
		return status;
	struct node *node = &c->g->node[index];
	node->choice = first;
	node->n_choices = count;
	node->cost = UINT32_MAX;
	for (uint32_t i = first; i < first + count; i++) {
		const struct choice *choice = &c->g->choice[i];
		if (choice->len < node->cost) {
			node->cost = choice->len;
			node->close = (uint8_t)c->g->pool.data[choice->text];
		}
	}
	return NDL_OK;
}

/* Stores the keys with their nodes, and which of them are required. Sets the cost of the object. */
static ndl_status store_keys(struct compiler *c, struct entry *e, size_t n, uint32_t index)
{
	ndl_grammar *g = c->g;
	size_t words = (n + 63) / 64;
	uint32_t first, count, need = 0, cost = 2;
	if (store_entries(c, e, n, &first, &count) < 0 ||
	    ndl_grow(&g->words, &g->cap_words, g->n_words + words, sizeof *g->words) < 0)
		return nomem(c);
	uint64_t *required = words ? memset(g->words + g->n_words, 0, words * sizeof *g->words) : NULL;
	for (size_t i = 0; i < n; i++) { /* e is in the order stored: keys are unique */
		const struct node *child = &g->node[e[i].value];
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
		return fail(c, NDL_ELIMIT, "too many properties");
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
		return nomem(c);
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
	if (!json_is_object(more))
		return NDL_OK;
	uint32_t extra;
	size_t old = enter(c, "additionalProperties", NULL);
	ndl_status status = build(c, more, depth + 1, &extra);
	leave(c, old);
	if (status == 0)
		c->g->node[index].extra = extra;
	return status;
}

static ndl_status build_array(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index)
{
	const json_t *items = json_object_get(schema, "items");
	uint32_t item = NODE_ANY;
	if (json_object_size(items)) {
		size_t old = enter(c, "items", NULL);
		ndl_status status = build(c, items, depth + 1, &item);
		leave(c, old);
		if (status < 0)
			return status;
	}
	struct node *n = &c->g->node[index];
	n->items = item;
	n->min_items = count_of(schema, "minItems", 0);
	n->max_items = count_of(schema, "maxItems", UINT32_MAX);
	if (n->min_items > n->max_items)
		return fail(c, NDL_EINVAL, "minItems is more than maxItems");
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
			return fail(c, NDL_EINVAL, "minLength is more than maxLength");
	}
	if (n->types & (T_INTEGER | T_NUMBER)) {
		ndl_status status = ndl_gnumber_compile(n, schema, c->err);
		if (status < 0) {
			ndl_error_prefix(c->err, "%s", ndl_buf_cstr(&c->path));
			return status;
		}
	}
	return NDL_OK;
}

/* A cheapest value of the types in n, given what its containers cost. */
static void choose_close(struct node *n, uint32_t object, uint32_t array)
{
	uint32_t number = UINT32_MAX;
	ndl_gframe f;
	memset(&f, 0, sizeof f);
	ndl_gnumber_start(&f);
	if (n->types & (T_INTEGER | T_NUMBER))
		number = ndl_gnumber_rest(n, &f);
	n->cost = UINT32_MAX;
	const struct { unsigned bits; uint32_t cost; uint8_t byte; } ways[] = {
		{T_STRING, plus(n->min_len, 2), '"'}, {T_NULL, 4, 'n'}, {T_BOOLEAN, 5, 'f'},
		{T_INTEGER | T_NUMBER, number, 0}, {T_OBJECT, object, '{'}, {T_ARRAY, array, '['},
	};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (!(n->types & ways[i].bits) || ways[i].cost >= n->cost)
			continue;
		n->cost = ways[i].cost;
		n->close = ways[i].byte ? ways[i].byte : ndl_gnumber_close(n, &f);
	}
}

static ndl_status build(struct compiler *c, const json_t *schema, unsigned depth, uint32_t *index)
{
	unsigned types = schema_types(schema);
	bool listed = json_object_get(schema, "enum") || json_object_get(schema, "const");
	ndl_status status;
	*index = NODE_ANY;
	if (depth >= SCHEMA_DEPTH)
		return fail(c, NDL_ELIMIT, "schema nests too deeply");
	if (!types && !listed)
		return NDL_OK;
	if (add_node(c, index) < 0)
		return NDL_ENOMEM;
	if (listed)
		return build_enum(c, schema, *index);
	c->g->node[*index].types = (uint8_t)types;
	status = build_scalars(c, schema, *index);
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
	choose_close(&c->g->node[*index], object, array);
	if (c->g->node[*index].cost > VALUE_BYTES)
		return fail(c, NDL_ELIMIT, "even the shortest value is too long");
	return NDL_OK;
}

/* ---- the whole ---- */

static ndl_status build_tool(struct compiler *c, const ndl_tools *t, size_t i, struct entry *e)
{
	ndl_status status = build(c, ndl_tools_schema(t, i), 0, &e->value);
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
	if (add_literal(c, "false") < 0 || add_literal(c, "null") < 0 || add_literal(c, "true") < 0 || add_any(c) < 0)
		return NDL_ENOMEM;
	struct entry *e = ndl_calloc(n, sizeof *e);
	if (!e)
		return nomem(c);
	ndl_status status = NDL_OK;
	for (size_t k = 0; status == 0 && k < n; k++) {
		size_t i = o->subset ? o->subset[k] : k;
		status = i < ndl_tools_count(t) ? build_tool(c, t, i, &e[k])
		                                : ndl_fail(c->err, NDL_EINVAL, "no tool number %zu", i);
	}
	if (status == 0)
		status = store_entries(c, e, n, &c->g->calls, &c->g->n_calls);
	free(e);
	return status;
}

ndl_grammar *ndl_grammar_new(const ndl_tools *t, const ndl_grammar_options *options, ndl_error *err)
{
	static const ndl_grammar_options defaults;
	const ndl_grammar_options *o = options ? options : &defaults;
	struct compiler c = {ndl_calloc(1, sizeof(ndl_grammar)), NDL_BUF_INIT, err};
	if (!c.g) {
		ndl_fail_nomem(err, "grammar");
		return NULL;
	}
	size_t max_calls = o->max_calls ? o->max_calls : 8, free_depth = o->free_depth ? o->free_depth : 3;
	c.g->max_calls = max_calls < UINT32_MAX ? (uint32_t)max_calls : UINT32_MAX;
	c.g->min_calls = o->min_calls < UINT32_MAX ? (uint32_t)o->min_calls : UINT32_MAX;
	c.g->free_depth = (uint32_t)(free_depth < MAX_FREE_DEPTH ? free_depth : MAX_FREE_DEPTH);
	c.g->bare = o->bare;
	ndl_status status = build_all(&c, t, o);
	if (status == 0 && c.g->min_calls > (c.g->n_calls ? c.g->max_calls : 0))
		status = ndl_fail(err, NDL_EINVAL, "%u calls are demanded, %u are possible", c.g->min_calls,
			c.g->n_calls ? c.g->max_calls : 0);
	ndl_buf_clear(&c.path);
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
	ndl_buf_clear(&g->pool);
	free(g);
}
