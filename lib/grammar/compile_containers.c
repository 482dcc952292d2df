/* compile_containers.c - objects and arrays: which keys there are and are required, how many items. */
#include "grammar/compile_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		cost = ndl_gc_plus(cost, ndl_gc_plus(child->cost, ndl_gc_plus(e[i].len, cost > 2)));
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
		size_t old = ndl_gc_enter(c, "properties", key);
		status = ndl_gc_build(c, child, depth + 1, &e[n].value);
		ndl_gc_leave(c, old);
		if (status < 0)
			break;
		e[n].at = (uint32_t)c->g->pool.len;
		ndl_json_write_string(&c->g->pool, key, strlen(key), 0);
		ndl_buf_byte(&c->g->pool, ':');
		e[n].len = (uint32_t)(c->g->pool.len - e[n].at);
		const char *next = json_string_value(json_array_get(required, n_required));
		const bool listed = next && strcmp(next, key) == 0;
		n_required += listed;
		e[n++].required = listed && !(schema == c->lacks_nulls && ndl_tools_is_nullable(child));
	}
	if (status == 0)
		status = store_keys(c, e, n, index);
	free(e);
	return status;
}

/* Properties that are declared are all there are; else a map, unless it is closed. */
ndl_status ndl_gc_object(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index)
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
		size_t old = ndl_gc_enter(c, "additionalProperties", NULL);
		ndl_status status = ndl_gc_build(c, more, depth + 1, &extra);
		ndl_gc_leave(c, old);
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

ndl_status ndl_gc_array(struct compiler *c, const json_t *schema, unsigned depth, uint32_t index)
{
	const json_t *items = json_object_get(schema, "items");
	bool unique = json_is_true(json_object_get(schema, "uniqueItems"));
	uint32_t item = NODE_ANY;
	if (json_object_size(items) || unique) {
		size_t old = ndl_gc_enter(c, "items", NULL);
		c->unique = unique;
		ndl_status status = ndl_gc_build(c, items, depth + 1, &item);
		c->unique = false;
		ndl_gc_leave(c, old);
		if (status < 0)
			return status;
	}
	struct node *n = &c->g->node[index];
	n->items = item;
	n->min_items = ndl_gc_count_of(schema, "minItems", 0);
	n->max_items = ndl_gc_count_of(schema, "maxItems", UINT32_MAX);
	if (n->min_items > n->max_items)
		return ndl_gc_fail(c, NDL_EINVAL, "minItems is more than maxItems");
	encloses(n, &c->g->node[item]);
	/* of a list's values none is meant twice, but a network that knows no end goes on with them */
	unique = unique || (c->g->node[item].n_choices && n->min_items <= count_values(c->g, &c->g->node[item]));
	if (unique && limit_unique(c, n) < 0)
		return c->err->code;
	uint64_t all = 2 + (uint64_t)n->min_items * (c->g->node[item].cost + UINT64_C(1));
	n->cost = all > UINT32_MAX ? UINT32_MAX : (uint32_t)all;
	if (c->g->node[item].need_words > n->need_words)
		n->need_words = c->g->node[item].need_words;
	return NDL_OK;
}
