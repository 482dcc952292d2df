/* check.c - is a call one that the schemas allow? Written as the definition of what the grammar
 * must produce, independently of it. */
#include "tools/schema_internal.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static ndl_status check(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err);

static bool has_type(const char *type, const json_t *value)
{
	if (strcmp(type, "string") == 0)
		return json_is_string(value);
	if (strcmp(type, "integer") == 0)
		return json_is_integer(value) ||
		       (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value));
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "null") == 0)
		return json_is_null(value);
	if (strcmp(type, "array") == 0)
		return json_is_array(value);
	return strcmp(type, "object") == 0 && json_is_object(value);
}

static ndl_status check_type(const json_t *type, const json_t *value, const struct path *at, ndl_error *err)
{
	if (json_is_string(type)) {
		if (has_type(json_string_value(type), value))
			return NDL_OK;
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "expected type %s, got %s", json_string_value(type),
			ndl_json_type_name(value));
	}
	for (size_t i = 0; i < json_array_size(type); i++)
		if (has_type(json_string_value(json_array_get(type, i)), value))
			return NDL_OK;
	return type ? ndl_tools_fail_at(err, NDL_EINVAL, at, "%s is of none of the types allowed", ndl_json_type_name(value))
	            : NDL_OK;
}

static ndl_status check_enum(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err)
{
	const json_t *constant = json_object_get(schema, "const"), *list = json_object_get(schema, "enum");
	if (constant && !ndl_json_equal(constant, value))
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "not the constant that is allowed");
	return list && !ndl_json_has(list, value) ? ndl_tools_fail_at(err, NDL_EINVAL, at, "not among the values allowed") : NDL_OK;
}

/* key, a count, against n: 0 absent or kept. */
static bool breaks_min(const json_t *schema, const char *key, size_t n)
{
	const json_t *bound = json_object_get(schema, key);
	return bound && (json_int_t)n < json_integer_value(bound);
}

static bool breaks_max(const json_t *schema, const char *key, size_t n)
{
	const json_t *bound = json_object_get(schema, key);
	return bound && (json_int_t)n > json_integer_value(bound);
}

static ndl_status check_number(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err)
{
	const json_t *b;
	if ((b = json_object_get(schema, "minimum")) && ndl_tools_compare(value, b) < 0)
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "below the minimum");
	if ((b = json_object_get(schema, "maximum")) && ndl_tools_compare(value, b) > 0)
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "above the maximum");
	if ((b = json_object_get(schema, "exclusiveMinimum")) && ndl_tools_compare(value, b) <= 0)
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "not above the minimum");
	if ((b = json_object_get(schema, "exclusiveMaximum")) && ndl_tools_compare(value, b) >= 0)
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "not below the maximum");
	if ((b = json_object_get(schema, "multipleOf")) && !ndl_tools_is_multiple(value, b))
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "not a multiple of what is asked");
	return NDL_OK;
}

static ndl_status check_string(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err)
{
	const json_t *pattern = json_object_get(schema, "pattern"), *format = json_object_get(schema, "format");
	const char *text = json_string_value(value), *shape = ndl_tools_format_pattern(json_string_value(format));
	size_t len = json_string_length(value), n = ndl_utf8_count(text, len);
	if (breaks_min(schema, "minLength", n) || breaks_max(schema, "maxLength", n))
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "%zu characters, which is too %s", n,
			breaks_min(schema, "minLength", n) ? "short" : "long");
	for (size_t i = 0; i < (json_is_array(pattern) ? json_array_size(pattern) : pattern != NULL); i++) {
		const json_t *one = json_is_array(pattern) ? json_array_get(pattern, i) : pattern;
		int matches = ndl_tools_matches(json_string_value(one), text, len);
		if (matches < 0)
			return ndl_tools_fail_at(err, NDL_ELIMIT, at, "takes too long to match \"%.80s\"", json_string_value(one));
		if (!matches)
			return ndl_tools_fail_at(err, NDL_EINVAL, at, "does not match \"%.80s\"", json_string_value(one));
	}
	if (shape && ndl_tools_matches(shape, text, len) != 1)
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "no %s", json_string_value(format));
	return NDL_OK;
}

/* Equal values, as ndl_json_equal has it, have the same. */
static uint64_t hash_of(const json_t *value)
{
	const double x = json_number_value(value) + 0.0; /* -0 becomes 0 */
	uint64_t h = json_typeof(value);
	const char *key;
	json_t *child, *object = (json_t *)(uintptr_t)value;
	if (json_is_number(value))
		return ndl_xxh64(&x, sizeof x, 0);
	if (json_is_string(value))
		return ndl_xxh64(json_string_value(value), json_string_length(value), h);
	for (size_t i = 0; i < json_array_size(value); i++) {
		const uint64_t item = hash_of(json_array_get(value, i));
		h = ndl_xxh64(&item, sizeof item, h);
	}
	json_object_foreach(object, key, child) /* in any order */
		h += ndl_xxh64(key, strlen(key), hash_of(child));
	return h;
}

struct item {
	uint64_t hash;
	const json_t *value;
};

static int by_hash(const void *a, const void *b)
{
	const uint64_t x = ((const struct item *)a)->hash, y = ((const struct item *)b)->hash;
	return (x > y) - (x < y);
}

/* 1 if two items are equal, 0 if not; negative without memory. */
static int has_twins(const json_t *array)
{
	const size_t n = json_array_size(array);
	struct item *item = ndl_calloc(n + 1, sizeof *item);
	if (!item)
		return NDL_ENOMEM;
	for (size_t i = 0; i < n; i++)
		item[i] = (struct item){hash_of(json_array_get(array, i)), json_array_get(array, i)};
	qsort(item, n, sizeof *item, by_hash);
	int twins = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && !twins && item[k].hash == item[i].hash; k++)
			twins = ndl_json_equal(item[i].value, item[k].value);
	free(item);
	return twins;
}

static ndl_status check_array(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err)
{
	size_t n = json_array_size(value);
	const json_t *items = json_object_get(schema, "items");
	if (breaks_min(schema, "minItems", n) || breaks_max(schema, "maxItems", n))
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "%zu items, which is too %s", n,
			breaks_min(schema, "minItems", n) ? "few" : "many");
	const int twins = json_is_true(json_object_get(schema, "uniqueItems")) ? has_twins(value) : 0;
	if (twins)
		return twins < 0 ? ndl_fail_nomem(err, "items") : ndl_tools_fail_at(err, NDL_EINVAL, at, "two items are equal");
	for (size_t i = 0; items && i < n; i++) {
		struct path here = {at, NULL, i};
		ndl_status status = check(items, json_array_get(value, i), &here, err);
		if (status < 0)
			return status;
	}
	return NDL_OK;
}

/* Undeclared keys are refused where the schema declares any, unless it admits more in so many
 * words: a call with an argument that the tool does not list is wrong. */
static ndl_status check_object(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *required = json_object_get(schema, "required");
	const json_t *more = json_object_get(schema, "additionalProperties");
	for (size_t i = 0; i < json_array_size(required); i++) {
		const char *name = json_string_value(json_array_get(required, i));
		if (!json_object_get(value, name))
			return ndl_tools_fail_at(err, NDL_EINVAL, at, "required argument \"%.80s\" is missing", name);
	}
	const char *key;
	json_t *child, *object = (json_t *)(uintptr_t)value;
	json_object_foreach(object, key, child) {
		struct path here = {at, key, 0};
		const json_t *sub = json_object_get(properties, key);
		if (!sub && (json_is_false(more) || (properties && !more)))
			return ndl_tools_fail_at(err, NDL_EINVAL, &here, "no such argument");
		if (!sub)
			sub = json_is_object(more) ? more : NULL;
		ndl_status status = sub ? check(sub, child, &here, err) : NDL_OK;
		if (status < 0)
			return status;
	}
	return NDL_OK;
}

/* anyOf: at least one; oneOf: exactly one. */
static ndl_status check_choice(const json_t *list, bool exactly, const json_t *value, const struct path *at, ndl_error *err)
{
	size_t fit = 0;
	for (size_t i = 0; i < json_array_size(list); i++)
		fit += check(json_array_get(list, i), value, at, NULL) == 0;
	if (fit == 0 && json_array_size(list) == 1)
		return check(json_array_get(list, 0), value, at, err);
	if (fit == 0 || (exactly && fit > 1))
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "%zu of the %zu alternatives fit", fit, json_array_size(list));
	return NDL_OK;
}

static ndl_status check(const json_t *schema, const json_t *value, const struct path *at, ndl_error *err)
{
	const json_t *any = json_object_get(schema, "anyOf"), *one = json_object_get(schema, "oneOf");
	if (json_is_false(schema))
		return ndl_tools_fail_at(err, NDL_EINVAL, at, "no such argument");
	if (any || one) /* all else is in the alternatives */
		return check_choice(any ? any : one, !any, value, at, err);
	ndl_status status = check_type(json_object_get(schema, "type"), value, at, err);
	if (status == 0)
		status = check_enum(schema, value, at, err);
	if (status < 0)
		return status;
	if (json_is_string(value)) {
		return check_string(schema, value, at, err);
	} else if (json_is_number(value)) {
		return check_number(schema, value, at, err);
	} else if (json_is_array(value)) {
		return check_array(schema, value, at, err);
	} else if (json_is_object(value)) {
		return check_object(schema, value, at, err);
	}
	return NDL_OK;
}

ndl_status ndl_tools_check_value(const json_t *schema, const json_t *value, ndl_error *err)
{
	return check(schema, value, NULL, err);
}

json_t *ndl_tools_call(json_t *call)
{
	json_t *function = json_object_get(call, "function");
	return json_is_object(function) ? function : call;
}

json_t *ndl_tools_arguments(const json_t *call, ndl_error *err)
{
	static const char *const others[] = {"parameters", "args", "input"};
	json_t *given = ndl_json_get(call, "arguments"), *object;
	if (!given) {
		for (size_t i = 0; i < COUNT(others); i++) {
			if (!json_object_get(call, others[i]))
				continue;
			ndl_fail(err, NDL_EINVAL, "missing, and \"%s\" is not read", others[i]);
			return NULL;
		}
		return json_object();
	}
	object = ndl_json_unwrap(given, err);
	if (!object || json_is_object(object))
		return object;
	ndl_fail(err, NDL_EINVAL, "expected an object, found %s", ndl_json_type_name(object));
	json_decref(object);
	return NULL;
}

ndl_status ndl_tools_check_call(const ndl_tools *t, const json_t *call, ndl_error *err)
{
	const json_t *name = json_object_get(call, "name"), *arguments = json_object_get(call, "arguments");
	if (!json_is_object(call))
		return ndl_fail(err, NDL_EINVAL, "call: expected an object, got %s", ndl_json_type_name(call));
	if (!json_is_string(name))
		return ndl_fail(err, NDL_EINVAL, "name: expected a string, got %s", ndl_json_type_name(name));
	if (!json_is_object(arguments))
		return ndl_fail(err, NDL_EINVAL, "arguments: expected an object, got %s", ndl_json_type_name(arguments));
	long i = ndl_tools_find(t, json_string_value(name));
	if (i < 0)
		return ndl_fail(err, NDL_ENOTFOUND, "no tool \"%.100s\"", json_string_value(name));
	struct path at = {NULL, "arguments", 0};
	ndl_status status = check(ndl_tools_schema(t, (size_t)i), arguments, &at, err);
	if (status < 0)
		ndl_error_prefix(err, "%s", json_string_value(name));
	return status;
}
