/* schema_union.c - a schema for what satisfies one of several: anyOf and oneOf. */
#include "tools/schema_internal.h"

#include <stdint.h>
#include <string.h>

enum { ALTERNATIVES_GIVEN = 512, ALTERNATIVES_LEFT = 64, UNION_WORK = 1000000, APART_WORK = 100000000 };

static bool is_listing(const json_t *schema)
{
	return json_object_get(schema, "enum") || json_object_get(schema, "const");
}

static size_t count_values(const json_t *schema)
{
	return json_object_get(schema, "const") ? 1 : json_array_size(json_object_get(schema, "enum"));
}

/* The i-th of them. */
static json_t *value_at(const json_t *schema, size_t i)
{
	json_t *constant = json_object_get(schema, "const");
	return constant ? constant : json_array_get(json_object_get(schema, "enum"), i);
}

/* The schema (new reference) without what lists values. */
static json_t *without_list(const json_t *schema)
{
	json_t *rest = json_copy((json_t *)(uintptr_t)schema);
	json_object_del(rest, json_object_get(schema, "const") ? "const" : "enum");
	return rest;
}

static bool is_choice(const json_t *schema)
{
	return ndl_tools_alternatives(schema, NULL) != NULL;
}

/* Only these keys and a description. */
static bool has_only(const json_t *schema, const char *a, const char *b, const char *d)
{
	size_t n = 0;
	const char *const keys[] = {a, b, d, "description", "$again"};
	for (size_t i = 0; i < COUNT(keys); i++)
		n += keys[i] && json_object_get(schema, keys[i]);
	return n == json_object_size(schema);
}

static bool is_null(const json_t *schema)
{
	return has_only(schema, "type", NULL, NULL) && ndl_tools_declared_types(schema) == NDL_TYPE_NULL;
}

/* ---- two as one ---- */

/* Adds the types of a schema but null, each once. */
static void collect_types(json_t *all, const json_t *schema)
{
	static const char *const names[] = {"string", "integer", "number", "boolean", "array", "object"};
	const json_t *type = json_object_get(schema, "type");
	unsigned have = 0, types = ndl_tools_types(schema);
	for (size_t i = 0; i < json_array_size(all); i++)
		have |= ndl_tools_type_bit(json_string_value(json_array_get(all, i)));
	for (size_t i = 0; i < (json_is_array(type) ? json_array_size(type) : COUNT(names)); i++) {
		const char *name = json_is_array(type) ? json_string_value(json_array_get(type, i)) : names[i];
		unsigned bit = ndl_tools_type_bit(name);
		if ((types & bit) && !(have & bit) && bit != NDL_TYPE_NULL)
			json_array_append_new(all, json_string(name));
	}
}

/* The types of both, null last. */
static int add_types(json_t *out, const json_t *b)
{
	json_t *all = json_array();
	collect_types(all, out);
	collect_types(all, b);
	if ((ndl_tools_types(out) | ndl_tools_types(b)) & NDL_TYPE_NULL)
		json_array_append_new(all, json_string("null"));
	json_t *type = json_array_size(all) == 1 ? json_array_get(all, 0) : all;
	int failed = json_object_set(out, "type", type);
	json_decref(all);
	return failed;
}

/* The values of b after those of out. */
static int add_values(json_t *out, const json_t *b)
{
	json_t *constant = json_object_get(out, "const");
	json_t *all = constant ? json_pack("[O]", constant) : json_copy(json_object_get(out, "enum"));
	for (size_t i = 0; i < count_values(b); i++)
		if (!ndl_json_has(all, value_at(b, i)))
			json_array_append(all, value_at(b, i));
	json_object_del(out, "const");
	return json_object_set_new(out, "enum", all);
}

/* Leaves out keywords about types that the schema does not have, so that it may be given them. */
static void drop_idle(json_t *schema)
{
	unsigned types = ndl_tools_types(schema);
	const char *key;
	json_t *value;
	void *next;
	json_object_foreach_safe(schema, next, key, value) {
		unsigned about = ndl_tools_keyword_types(key);
		if (about == NDL_TYPE_NUMBER)
			about |= NDL_TYPE_INTEGER;
		if (about && !(about & types))
			json_object_del(schema, key);
	}
}

/* Every type that a schema may have, when it and another are told apart by their types alone. */
static unsigned wide_types(const json_t *schema)
{
	unsigned types = ndl_tools_types(schema);
	return types & (NDL_TYPE_INTEGER | NDL_TYPE_NUMBER) ? types | NDL_TYPE_INTEGER | NDL_TYPE_NUMBER : types;
}

static bool share_keys(const json_t *a, json_t *b)
{
	const char *key;
	json_t *value;
	json_object_foreach(b, key, value)
		if (strcmp(key, "type") != 0 && strcmp(key, "description") != 0 && json_object_get(a, key))
			return true;
	return false;
}

/* What describes one of two is no description of both. */
static void join_descriptions(json_t *out, const json_t *b, bool null)
{
	const json_t *mine = json_object_get(out, "description"), *theirs = json_object_get(b, "description");
	if (!null && !(mine && theirs && json_equal(mine, theirs)))
		json_object_del(out, "description");
}

/* Both list values, or b is null and a lists some. */
static json_t *join_values(const json_t *a, const json_t *b, bool null)
{
	json_t *out = json_copy((json_t *)(uintptr_t)a), *none = json_pack("{s:n}", "const");
	int failed = add_values(out, null ? none : b);
	if (ndl_tools_declared_types(a))
		failed |= add_types(out, b);
	join_descriptions(out, b, null);
	json_decref(none);
	return failed ? NULL : out;
}

/* Keywords of types that are apart do not touch one another. */
static json_t *join_types(const json_t *a, const json_t *b, bool null)
{
	json_t *out = json_copy((json_t *)(uintptr_t)a), *other = json_copy((json_t *)(uintptr_t)b);
	drop_idle(out);
	drop_idle(other);
	bool good = !share_keys(out, other) && add_types(out, other) == 0;
	join_descriptions(out, b, null);
	json_object_del(other, "description");
	good = good && json_object_update_missing(out, other) == 0;
	json_decref(other);
	if (good)
		return out;
	json_decref(out);
	return NULL;
}

/* Whether its type admits each value that a schema lists. */
static bool lists_its_own(const json_t *schema)
{
	json_t *rest = without_list(schema);
	bool own = rest != NULL;
	for (size_t i = 0; own && i < count_values(schema); i++)
		own = ndl_tools_check_value(rest, value_at(schema, i), NULL) == 0;
	json_decref(rest);
	return own;
}

/* a or b as one schema, or NULL where it takes two. */
static json_t *join(json_t *a, json_t *b)
{
	if (json_equal(a, b))
		return json_incref(a);
	if (is_choice(a) || is_choice(b))
		return NULL;
	if (is_null(a) && !is_null(b))
		return join(b, a);
	bool null = is_null(b);
	if (is_listing(a) && null)
		return join_values(a, b, true);
	if (is_listing(a) || is_listing(b)) {
		bool plain = has_only(a, "type", "enum", "const") && has_only(b, "type", "enum", "const") && is_listing(a) &&
		             is_listing(b) && !ndl_tools_declared_types(a) == !ndl_tools_declared_types(b) &&
		             lists_its_own(a) && lists_its_own(b);
		return plain && count_values(a) * count_values(b) < UNION_WORK ? join_values(a, b, false) : NULL;
	}
	bool bare = has_only(a, "type", NULL, NULL) && has_only(b, "type", NULL, NULL);
	if (!ndl_tools_declared_types(a) || !ndl_tools_declared_types(b) || (!bare && (wide_types(a) & wide_types(b))))
		return NULL;
	return join_types(a, b, null);
}

/* ---- are two apart? ---- */

static bool is_closed(const json_t *schema)
{
	const json_t *more = json_object_get(schema, "additionalProperties");
	return json_object_size(json_object_get(schema, "properties")) > 0 || json_is_false(more);
}

static bool excludes(const json_t *a, const json_t *b);

/* Whether an object as the grammar writes it for a, with declared properties only, fails b. */
static bool object_excludes(const json_t *a, const json_t *b)
{
	const json_t *mine = json_object_get(a, "properties"), *theirs = json_object_get(b, "properties");
	const json_t *required = json_object_get(b, "required"), *given = json_object_get(a, "required");
	for (size_t i = 0; is_closed(a) && i < json_array_size(required); i++)
		if (!json_object_get(mine, json_string_value(json_array_get(required, i))))
			return true;
	for (size_t i = 0; i < json_array_size(given); i++) {
		const char *key = json_string_value(json_array_get(given, i));
		const json_t *value = json_object_get(mine, key), *other = json_object_get(theirs, key);
		if (!value)
			continue;
		if (other ? excludes(value, other) : json_is_false(json_object_get(b, "additionalProperties")))
			return true;
	}
	return false;
}

/* A bound of a that lies beyond one of b. */
static bool beyond(const json_t *a, const json_t *b, const char *least, const char *most)
{
	const json_t *lo = json_object_get(a, least), *hi = json_object_get(b, most);
	return lo && hi && ndl_tools_compare(lo, hi) > 0;
}

static bool ranges_exclude(const json_t *a, const json_t *b)
{
	static const char *const keys[][2] = {{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"},
		{"exclusiveMinimum", "maximum"}, {"minimum", "exclusiveMaximum"}};
	unsigned about[] = {NDL_TYPE_NUMBER | NDL_TYPE_INTEGER, NDL_TYPE_STRING, NDL_TYPE_ARRAY, NDL_TYPE_NUMBER | NDL_TYPE_INTEGER,
		NDL_TYPE_NUMBER | NDL_TYPE_INTEGER};
	unsigned common = wide_types(a) & (ndl_tools_declared_types(b) ? wide_types(b) : ~0u); /* b may be of any type */
	for (size_t i = 0; i < COUNT(keys); i++) {
		bool all = common && !(common & ~about[i]), touch = false;
		if (i > 2) { /* x < exclusive bound = bound */
			const json_t *lo = json_object_get(a, keys[i][0]), *hi = json_object_get(b, keys[i][1]);
			touch = lo && hi && ndl_tools_compare(lo, hi) == 0;
			lo = json_object_get(b, keys[i][0]);
			hi = json_object_get(a, keys[i][1]);
			touch = touch || (lo && hi && ndl_tools_compare(lo, hi) == 0);
		}
		if (all && (touch || beyond(a, b, keys[i][0], keys[i][1]) || beyond(b, a, keys[i][0], keys[i][1])))
			return true;
	}
	return false;
}

/* Whether none of the values that `listing` lists fits the schema. */
static bool lists_none_of(const json_t *listing, const json_t *schema)
{
	for (size_t i = 0; i < count_values(listing); i++)
		if (ndl_tools_check_value(schema, value_at(listing, i), NULL) == 0)
			return false;
	return true;
}

/* Whether no value that the grammar writes for a is valid for b. May say no where it is so. */
static bool excludes(const json_t *a, const json_t *b)
{
	const json_t *of_a = ndl_tools_alternatives(a, NULL), *of_b = ndl_tools_alternatives(b, NULL);
	if (json_is_false(a) || json_is_false(b))
		return true;
	for (size_t i = 0; i < json_array_size(of_a); i++)
		if (!excludes(json_array_get(of_a, i), b))
			return false;
	for (size_t i = 0; !of_a && i < json_array_size(of_b); i++)
		if (!excludes(a, json_array_get(of_b, i)))
			return false;
	if (of_a || of_b)
		return true;
	if (is_listing(a) || is_listing(b))
		return is_listing(a) ? lists_none_of(a, b) : lists_none_of(b, a);
	unsigned mine = wide_types(a), theirs = ndl_tools_declared_types(b);
	if (theirs & NDL_TYPE_NUMBER)
		theirs |= NDL_TYPE_INTEGER;
	if (theirs & NDL_TYPE_INTEGER)
		theirs |= NDL_TYPE_NUMBER; /* 1.0 is an integer */
	if (mine && theirs && !(mine & theirs))
		return true;
	return (mine == NDL_TYPE_OBJECT && object_excludes(a, b)) || ranges_exclude(a, b);
}

bool ndl_tools_is_empty(const json_t *schema)
{
	if (!is_listing(schema))
		return ndl_tools_declared_types(schema) && excludes(schema, schema);
	json_t *rest = without_list(schema); /* each value is in the list */
	bool empty = rest && lists_none_of(schema, rest);
	json_decref(rest);
	return empty;
}

/* What a schema lists, also inside, and a bit: how long it takes to tell it from another. */
static size_t count_listed(const json_t *schema)
{
	const json_t *list = ndl_tools_alternatives(schema, NULL);
	json_t *properties = json_object_get(schema, "properties"), *value;
	const char *key;
	size_t n = 1 + count_values(schema);
	for (size_t i = 0; i < json_array_size(list); i++)
		n += count_listed(json_array_get(list, i));
	json_object_foreach(properties, key, value)
		n += count_listed(value);
	return n;
}

static ndl_status check_apart(struct schema_context *c, const json_t *list, const struct path *at)
{
	size_t work = 0, before = 0;
	for (size_t i = 0; i < json_array_size(list); before += count_listed(json_array_get(list, i++)))
		work += 2 * before * count_listed(json_array_get(list, i));
	if (work > APART_WORK)
		return ndl_tools_fail_at(c->err, NDL_ELIMIT, at, "too many values to tell apart");
	for (size_t i = 0; i < json_array_size(list); i++)
		for (size_t k = 0; k < json_array_size(list); k++)
			if (i != k && !excludes(json_array_get(list, i), json_array_get(list, k)))
				return c->flags & NDL_TOOLS_LENIENT ? NDL_ENOTFOUND
				                                    : ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, at,
					"alternatives %zu and %zu may hold for one value; anyOf admits that", i < k ? i : k, i < k ? k : i);
	return NDL_OK;
}

/* ---- the whole ---- */

/* Type, properties and required of all alternatives together, for those who only read. */
static int summarise(json_t *out, const json_t *list)
{
	json_t *properties = json_object(), *required = json_array(), *names = json_array(), *value;
	const char *key;
	int failed = 0;
	bool typed = true;
	for (size_t i = 0; i < json_array_size(list); i++)
		typed = typed && ndl_tools_types(json_array_get(list, i));
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i), *theirs = json_object_get(one, "properties");
		failed |= typed ? add_types(out, one) : 0;
		json_object_foreach(theirs, key, value)
			if (!json_is_false(value) && !json_object_get(properties, key))
				failed |= json_object_set(properties, key, value);
		failed |= json_array_append_new(names, ndl_tools_required_names(one));
	}
	json_object_foreach(properties, key, value) {
		bool all = true;
		for (size_t i = 0; i < json_array_size(list); i++)
			all = all && json_object_get(json_array_get(names, i), key);
		if (all)
			failed |= json_array_append_new(required, json_string(key));
	}
	if (json_object_size(properties))
		failed |= json_object_set(out, "properties", properties);
	if (json_array_size(required))
		failed |= json_object_set(out, "required", required);
	json_decref(properties);
	json_decref(required);
	json_decref(names);
	return failed;
}

/* The alternatives of alternatives among them (anyOf in anyOf). */
static json_t *flatten(const json_t *list, const char *key)
{
	json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i), *inner = json_object_get(one, key);
		if (inner)
			json_array_extend(out, inner);
		else
			json_array_append(out, one);
	}
	return out;
}

json_t *ndl_tools_union(struct schema_context *c, json_t *list, bool exactly, const struct path *at)
{
	json_t *all = NULL, *out = NULL;
	if (json_array_size(list) > ALTERNATIVES_GIVEN) {
		ndl_tools_fail_at(c->err, NDL_ELIMIT, at, "more than %d alternatives", ALTERNATIVES_GIVEN);
		return NULL;
	}
	ndl_status status = exactly ? check_apart(c, list, at) : NDL_OK;
	if (status < 0 && status != NDL_ENOTFOUND)
		return NULL;
	exactly = exactly && status == 0;
	all = exactly ? json_copy(list) : flatten(list, "anyOf");
	for (size_t i = 0; i < json_array_size(all); i++)
		for (size_t k = i + 1; k < json_array_size(all);) {
			json_t *both = join(json_array_get(all, i), json_array_get(all, k));
			if (!both) {
				k++;
				continue;
			}
			json_array_set_new(all, i, both);
			json_array_remove(all, k);
		}
	if (json_array_size(all) == 1)
		out = json_copy(json_array_get(all, 0)); /* may be given a description of its own */
	else if (json_array_size(all) > ALTERNATIVES_LEFT)
		ndl_tools_fail_at(c->err, NDL_ELIMIT, at, "more than %d alternatives that cannot be said as one", ALTERNATIVES_LEFT);
	else if ((out = json_object()) && (json_object_set(out, exactly ? "oneOf" : "anyOf", all) < 0 || summarise(out, all) < 0)) {
		json_decref(out);
		out = NULL;
		ndl_fail_nomem(c->err, "schema");
	}
	json_decref(all);
	return out;
}
