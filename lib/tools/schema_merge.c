/* schema_merge.c - a schema for what satisfies two: allOf, $ref and anyOf with neighbours. */
#include "tools/schema_internal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MERGE_WORK = 20000000 /* comparisons of enum values, of all schemas of a tool */ };

json_t *ndl_tools_nothing(struct schema_context *c, const struct path *at, const char *why)
{
	if (c->trying)
		return json_false();
	ndl_tools_fail_at(c->err, NDL_EINVAL, at, "%s", why);
	return NULL;
}

ndl_status ndl_tools_drop_false(struct schema_context *c, json_t *schema, bool *nothing)
{
	const json_t *properties = json_object_get(schema, "properties"), *items = json_object_get(schema, "items");
	const json_t *required = json_object_get(schema, "required");
	for (size_t i = 0; i < json_array_size(required); i++)
		*nothing = *nothing || json_is_false(json_object_get(properties, json_string_value(json_array_get(required, i))));
	if (!json_is_false(items))
		return NDL_OK;
	*nothing = *nothing || json_integer_value(json_object_get(schema, "minItems")) > 0;
	json_object_del(schema, "items");
	return ndl_tools_set(c, schema, "maxItems", json_integer(0));
}

int ndl_tools_prune(json_t *schema)
{
	static const char *const nested[] = {"items", "additionalProperties"}, *const lists[] = {"anyOf", "oneOf"};
	json_t *properties = json_object_get(schema, "properties"), *value;
	const char *key;
	void *next;
	size_t i, before = json_object_size(properties);
	int failed = 0;
	if (!json_is_object(schema))
		return 0;
	json_object_foreach_safe(properties, next, key, value)
		failed |= json_is_false(value) ? json_object_del(properties, key) : ndl_tools_prune(value);
	if (json_object_size(properties) < before && json_object_get(schema, "additionalProperties"))
		failed |= json_object_set_new(schema, "additionalProperties", json_false()); /* a map would admit them again */
	for (size_t k = 0; k < COUNT(nested); k++)
		failed |= ndl_tools_prune(json_object_get(schema, nested[k]));
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach(json_object_get(schema, lists[k]), i, value)
			failed |= ndl_tools_prune(value);
	return failed;
}

int ndl_tools_compare(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a), y = json_integer_value(b);
		return (x > y) - (x < y);
	}
	double x = json_number_value(a), y = json_number_value(b);
	return (x > y) - (x < y);
}

bool ndl_tools_is_multiple(const json_t *value, const json_t *step)
{
	if (json_is_integer(value) && json_is_integer(step))
		return json_integer_value(value) % json_integer_value(step) == 0;
	/* decimals are not exact in binary: 0.3 is a multiple of 0.1 */
	double q = json_number_value(value) / json_number_value(step);
	return fabs(q - nearbyint(q)) <= 2 * DBL_EPSILON * fabs(q);
}

/* ---- keyword by keyword: what out[key] and value say together. NOTHING: no value at all ---- */

enum outcome { DONE, NOTHING, FAILED };

static enum outcome outcome(ndl_status status)
{
	return status < 0 ? FAILED : DONE;
}

static enum outcome unsupported(struct schema_context *c, const struct path *at, const char *key)
{
	struct path here = {at, key, 0};
	ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, &here, "cannot be combined with another \"%s\"", key);
	return FAILED;
}

/* Whether the type is one of those in bits; an integer is also a number. */
static bool among(const char *type, unsigned bits)
{
	unsigned bit = ndl_tools_type_bit(type);
	return bits & (bit == NDL_TYPE_INTEGER ? NDL_TYPE_INTEGER | NDL_TYPE_NUMBER : bit);
}

static enum outcome merge_type(struct schema_context *c, json_t *out, const json_t *b)
{
	unsigned theirs = ndl_tools_declared_types(b);
	json_t *mine = json_object_get(out, "type"), *kept = json_array();
	size_t n = json_is_array(mine) ? json_array_size(mine) : 1;
	for (size_t i = 0; i < n; i++) {
		json_t *type = json_is_array(mine) ? json_array_get(mine, i) : mine;
		if (among(json_string_value(type), theirs))
			json_array_append(kept, type);
		else if (strcmp(json_string_value(type), "number") == 0 && (theirs & NDL_TYPE_INTEGER) &&
		         !ndl_tools_has_string(kept, "integer"))
			json_array_append_new(kept, json_string("integer"));
	}
	n = json_array_size(kept);
	json_t *type = n == 1 ? json_array_get(kept, 0) : kept;
	ndl_status status = n ? ndl_tools_set(c, out, "type", json_incref(type)) : NDL_OK;
	json_decref(kept);
	return n ? outcome(status) : NOTHING;
}

static enum outcome merge_enum(struct schema_context *c, json_t *out, const json_t *value, const struct path *at)
{
	const json_t *mine = json_object_get(out, "enum");
	struct path here = {at, "enum", 0};
	c->work += json_array_size(mine) * json_array_size(value);
	if (c->work > MERGE_WORK)
		return outcome(ndl_tools_fail_at(c->err, NDL_ELIMIT, &here, "too many values to combine"));
	json_t *kept = json_array();
	for (size_t i = 0; kept && i < json_array_size(mine); i++)
		if (ndl_json_has(value, json_array_get(mine, i)))
			json_array_append(kept, json_array_get(mine, i));
	if (json_array_size(kept))
		return outcome(ndl_tools_set(c, out, "enum", kept));
	json_decref(kept);
	return NOTHING;
}

static enum outcome merge_bound(struct schema_context *c, json_t *out, const char *key, json_t *value, bool least)
{
	int order = ndl_tools_compare(value, json_object_get(out, key));
	return (least ? order > 0 : order < 0) ? outcome(ndl_tools_set(c, out, key, json_incref(value))) : DONE;
}

static enum outcome merge_multiple(struct schema_context *c, json_t *out, json_t *value, const struct path *at)
{
	json_t *mine = json_object_get(out, "multipleOf");
	if (ndl_tools_is_multiple(mine, value))
		return DONE;
	if (ndl_tools_is_multiple(value, mine))
		return outcome(ndl_tools_set(c, out, "multipleOf", json_incref(value)));
	if (!json_is_integer(mine) || !json_is_integer(value))
		return unsupported(c, at, "multipleOf");
	json_int_t a = json_integer_value(mine), b = json_integer_value(value), product = a;
	while (b) {
		json_int_t r = a % b;
		a = b;
		b = r;
	}
	product /= a;
	if (product > INT64_MAX / json_integer_value(value))
		return unsupported(c, at, "multipleOf");
	return outcome(ndl_tools_set(c, out, "multipleOf", json_integer(product * json_integer_value(value))));
}

/* One pattern is a string, several are an array. */
static enum outcome merge_pattern(struct schema_context *c, json_t *out, json_t *value)
{
	json_t *mine = json_object_get(out, "pattern");
	json_t *all = json_is_array(mine) ? json_copy(mine) : json_pack("[O]", mine);
	for (size_t i = 0; all && i < (json_is_array(value) ? json_array_size(value) : 1); i++) {
		json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		if (!ndl_tools_has_string(all, json_string_value(one)))
			json_array_append(all, one);
	}
	if (json_array_size(all) > 1)
		return outcome(ndl_tools_set(c, out, "pattern", all));
	json_decref(all);
	return all ? DONE : outcome(ndl_fail_nomem(c->err, "schema"));
}

/* out[key] := what satisfies it and value. */
static enum outcome merge_nested(struct schema_context *c, json_t *out, const char *key, json_t *value, const struct path *at)
{
	struct path here = {at, key, 0};
	json_t *mine = json_object_get(out, key), *both;
	if (json_is_true(mine) || json_is_true(value)) /* additionalProperties */
		both = json_incref(json_is_true(mine) ? value : mine);
	else
		both = ndl_tools_merge(c, mine, value, &here);
	return both ? outcome(ndl_tools_set(c, out, key, both)) : FAILED;
}

static enum outcome merge_keyword(struct schema_context *c, json_t *out, const char *key, json_t *value, const json_t *b,
                                  const struct path *at)
{
	static const char *const least[] = {"minimum", "exclusiveMinimum", "minLength", "minItems"};
	static const char *const most[] = {"maximum", "exclusiveMaximum", "maxLength", "maxItems"};
	for (size_t i = 0; i < COUNT(least); i++)
		if (strcmp(key, least[i]) == 0 || strcmp(key, most[i]) == 0)
			return merge_bound(c, out, key, value, strcmp(key, least[i]) == 0);
	if (strcmp(key, "type") == 0)
		return merge_type(c, out, b);
	if (strcmp(key, "enum") == 0)
		return merge_enum(c, out, value, at);
	if (strcmp(key, "const") == 0)
		return ndl_json_equal(json_object_get(out, key), value) ? DONE : NOTHING;
	if (strcmp(key, "multipleOf") == 0)
		return merge_multiple(c, out, value, at);
	if (strcmp(key, "pattern") == 0)
		return merge_pattern(c, out, value);
	if (strcmp(key, "items") == 0 || strcmp(key, "additionalProperties") == 0)
		return merge_nested(c, out, key, value, at);
	if (strcmp(key, "format") == 0 && !json_equal(json_object_get(out, key), value))
		return unsupported(c, at, key);
	return DONE; /* description, uniqueItems, and properties with required, which come later */
}

/* ---- objects ---- */

json_t *ndl_tools_required_names(const json_t *schema)
{
	const json_t *list = json_object_get(schema, "required");
	json_t *names = json_object();
	for (size_t i = 0; names && i < json_array_size(list); i++)
		json_object_set_new(names, json_string_value(json_array_get(list, i)), json_true());
	return names;
}

/* What schema says of a property: its own, that of all others, or true; false if it admits none. */
static json_t *property_of(const json_t *schema, const char *key)
{
	json_t *own = json_object_get(json_object_get(schema, "properties"), key);
	json_t *others = json_object_get(schema, "additionalProperties");
	return own ? own : others ? others : json_true();
}

static json_t *merge_property(struct schema_context *c, const json_t *a, const json_t *b, const char *key, const struct path *at)
{
	struct path properties = {at, "properties", 0}, here = {&properties, key, 0};
	json_t *x = property_of(a, key), *y = property_of(b, key);
	if (json_is_true(x) || json_is_true(y))
		return json_incref(json_is_true(x) ? y : x);
	return ndl_tools_merge(c, x, y, &here);
}

/* Properties and required of both; those of a first. */
static enum outcome merge_objects(struct schema_context *c, json_t *out, const json_t *a, const json_t *b, const struct path *at)
{
	const json_t *from[] = {a, b};
	json_t *all = json_object(), *needed = json_array(), *value;
	json_t *names = ndl_tools_required_names(a), *theirs = ndl_tools_required_names(b);
	const char *key;
	enum outcome o = all && needed && names && theirs && json_object_update(names, theirs) == 0 ? DONE : FAILED;
	for (size_t k = 0; k < 2; k++) {
		json_t *properties = json_object_get(from[k], "properties");
		json_object_foreach(properties, key, value) {
			if (o == FAILED || json_object_get(all, key))
				continue;
			json_t *both = merge_property(c, a, b, key, at);
			if (!both || json_object_set_new(all, key, json_is_true(both) ? json_object() : both) < 0)
				o = FAILED;
			if (json_object_get(names, key))
				json_array_append_new(needed, json_string(key));
		}
	}
	if (o == DONE && (ndl_tools_set(c, out, "properties", json_incref(all)) < 0 ||
	                  (json_array_size(needed) && ndl_tools_set(c, out, "required", json_incref(needed)) < 0)))
		o = FAILED;
	json_decref(all);
	json_decref(needed);
	json_decref(names);
	json_decref(theirs);
	return o;
}

/* ---- the whole ---- */

/* Each alternative of a (or, swapped, of b) with the other. */
static json_t *distribute(struct schema_context *c, json_t *a, json_t *b, bool swapped, const struct path *at)
{
	json_t *many = swapped ? b : a, *one = swapped ? a : b, *kept = json_array(), *all = NULL, *alternative;
	const char *key;
	json_t *list = ndl_tools_alternatives(many, &key);
	json_t *mine = json_object_get(a, "description"), *description = mine ? mine : json_object_get(b, "description");
	size_t i;
	c->trying++;
	json_array_foreach(list, i, alternative) {
		json_t *both = ndl_tools_merge(c, swapped ? one : alternative, swapped ? alternative : one, at);
		if (!both || (!json_is_false(both) && json_array_append(kept, both) < 0)) {
			json_decref(both);
			break;
		}
		json_decref(both);
	}
	c->trying--;
	if (i == json_array_size(list))
		all = json_array_size(kept) ? ndl_tools_union(c, kept, strcmp(key, "oneOf") == 0, at)
		                            : ndl_tools_nothing(c, at, "no alternative is possible");
	json_decref(kept);
	if (json_is_object(all) && description)
		json_object_set(all, "description", description);
	return all;
}

static json_t *merge_plain(struct schema_context *c, json_t *a, json_t *b, const struct path *at)
{
	json_t *out = json_copy(a), *value;
	const char *key;
	enum outcome o = out ? DONE : FAILED;
	bool objects = json_object_get(a, "properties") || json_object_get(b, "properties"), nothing = false;
	json_object_foreach(b, key, value) {
		if (o != DONE)
			break;
		if (json_object_get(out, key))
			o = merge_keyword(c, out, key, value, b, at);
		else if (strcmp(key, "properties") != 0 && strcmp(key, "required") != 0)
			o = outcome(ndl_tools_set(c, out, key, json_incref(value)));
	}
	if (o == DONE && objects)
		o = merge_objects(c, out, a, b, at);
	if (o == DONE && ndl_tools_drop_false(c, out, &nothing) < 0)
		o = FAILED;
	if (o == DONE && !nothing && !ndl_tools_is_empty(out))
		return out;
	json_decref(out);
	if (o == FAILED) {
		if (!c->err->code)
			ndl_fail_nomem(c->err, "schema");
		return NULL;
	}
	return ndl_tools_nothing(c, at, "contradicts what else is said of this value");
}

json_t *ndl_tools_merge(struct schema_context *c, json_t *a, json_t *b, const struct path *at)
{
	if (json_is_false(a) || json_is_false(b))
		return json_false();
	if (++c->nodes > NDL_SCHEMA_NODES) {
		ndl_tools_fail_at(c->err, NDL_ELIMIT, at, "schema has more than %d parts", NDL_SCHEMA_NODES);
		return NULL;
	}
	if (ndl_tools_alternatives(a, NULL))
		return distribute(c, a, b, false, at);
	if (ndl_tools_alternatives(b, NULL))
		return distribute(c, a, b, true, at);
	if (json_object_size(b) == 0)
		return json_incref(a);
	return merge_plain(c, a, b, at);
}
