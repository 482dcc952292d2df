/* schema_take.c - the keywords of a schema that hold no schema, one by one, and lists of names. */
#include "tools/schema_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ndl_status ndl_tools_wrong(struct schema_context *c, const struct path *at, const char *want, const json_t *got)
{
	return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "expected %s, got %s", want, ndl_json_type_name(got));
}

ndl_status ndl_tools_set(struct schema_context *c, json_t *out, const char *key, json_t *value)
{
	return json_object_set_new(out, key, value) < 0 ? ndl_fail_nomem(c->err, "schema") : NDL_OK;
}

bool ndl_tools_has_string(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		if (s && strcmp(s, text) == 0)
			return true;
	}
	return false;
}

ndl_status ndl_tools_add_type(struct schema_context *c, json_t *out, const char *type)
{
	json_t *have = json_object_get(out, "type");
	if (!have)
		return ndl_tools_set(c, out, "type", json_string(type));
	if (json_is_string(have)) {
		if (strcmp(json_string_value(have), type) == 0)
			return NDL_OK;
		return ndl_tools_set(c, out, "type", json_pack("[O,s]", have, type));
	}
	if (ndl_tools_has_string(have, type))
		return NDL_OK;
	return json_array_append_new(have, json_string(type)) < 0 ? ndl_fail_nomem(c->err, "schema") : NDL_OK;
}

ndl_status ndl_tools_take_type_name(struct schema_context *c, json_t *out, const json_t *value, bool *any, const struct path *at)
{
	if (!json_is_string(value))
		return ndl_tools_wrong(c, at, "the name of a type", value);
	const char *type = ndl_tools_type(json_string_value(value));
	if (!type && (c->flags & NDL_TOOLS_LENIENT))
		type = "";
	if (!type)
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "unknown type \"%.60s\"", json_string_value(value));
	if (!*type) {
		*any = true;
		return NDL_OK;
	}
	return ndl_tools_add_type(c, out, type);
}

ndl_status ndl_tools_take_type(struct schema_context *c, json_t *out, json_t *value, const struct path *at)
{
	bool any = false;
	ndl_status status = NDL_OK;
	if (!json_is_array(value)) {
		status = ndl_tools_take_type_name(c, out, value, &any, at);
	} else if (json_array_size(value) == 0) {
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "empty list of types");
	} else {
		for (size_t i = 0; status == 0 && i < json_array_size(value); i++)
			status = ndl_tools_take_type_name(c, out, json_array_get(value, i), &any, at);
	}
	if (any)
		json_object_del(out, "type");
	return status;
}

ndl_status ndl_tools_take_required(struct schema_context *c, json_t *required, bool *self, const json_t *value,
                                const struct path *at)
{
	if (json_is_boolean(value)) { /* flat: this argument itself is required */
		*self = json_is_true(value);
		return NDL_OK;
	}
	if (!json_is_array(value))
		return ndl_tools_wrong(c, at, "an array of names", value);
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *name = json_array_get(value, i);
		if (!json_is_string(name))
			return ndl_tools_wrong(c, at, "names in the array", name);
		if (json_object_set_new(required, json_string_value(name), json_true()) < 0)
			return ndl_fail_nomem(c->err, "schema");
	}
	return NDL_OK;
}

/* What an undeclared property is: false where there can be none. */
static json_t *undeclared(struct schema_context *c, const json_t *out, const char *name, const struct path *up)
{
	json_t *more = json_object_get(out, "additionalProperties");
	struct path at = {up, "required", 0};
	if (json_is_false(more) && !(c->flags & NDL_TOOLS_LENIENT)) {
		char why[160];
		snprintf(why, sizeof why, "\"%.80s\" is not declared, and additionalProperties is false", name);
		return ndl_tools_nothing(c, &at, why);
	}
	return json_is_object(more) ? json_incref(more) : json_object();
}

ndl_status ndl_tools_finish_required(struct schema_context *c, json_t *out, json_t *required, const struct path *at)
{
	if (json_object_size(required) == 0)
		return NDL_OK;
	const char *name;
	json_t *value, *list = json_array(), *properties = json_object_get(out, "properties");
	if (!list || ndl_tools_set(c, out, "required", list) < 0)
		return ndl_fail_nomem(c->err, "schema");
	if (!properties) {
		properties = json_object();
		if (!properties || ndl_tools_set(c, out, "properties", properties) < 0)
			return ndl_fail_nomem(c->err, "schema");
	}
	json_object_foreach(required, name, value) {
		if (json_object_get(properties, name))
			continue;
		json_t *schema = undeclared(c, out, name, at);
		if (!schema || json_object_set_new(properties, name, schema) < 0)
			return c->err->code ? c->err->code : ndl_fail_nomem(c->err, "schema");
	}
	json_object_foreach(properties, name, value)
		if (json_object_get(required, name) && json_array_append_new(list, json_string(name)) < 0)
			return ndl_fail_nomem(c->err, "schema");
	return NDL_OK;
}

ndl_status ndl_tools_take_exclusive(struct schema_context *c, json_t *out, json_t *in, const char *key, json_t *value,
                                 const struct path *at)
{
	if (json_is_boolean(value)) {
		json_t *bound = json_object_get(in, strcmp(key, "exclusiveMinimum") == 0 ? "minimum" : "maximum");
		if (json_is_false(value) || !json_is_number(bound))
			return NDL_OK;
		value = bound;
	} else if (!json_is_number(value)) {
		return ndl_tools_wrong(c, at, "a number", value);
	}
	return ndl_tools_set(c, out, key, json_incref(value));
}

/* 64-bit counts are strings in Gemini's JSON; -1: no count. */
static double count_of(const json_t *value)
{
	const char *digits = json_string_value(value);
	bool number = digits ? *digits && !digits[strspn(digits, "0123456789")] : json_is_number(value);
	double x = !number ? -1 : digits ? strtod(digits, NULL) : json_number_value(value);
	return x >= 0 && x < 4e9 && (double)(json_int_t)x == x ? x : -1;
}

ndl_status ndl_tools_take_plain(struct schema_context *c, json_t *out, const char *key, enum keyword k, json_t *value,
                             const struct path *at)
{
	if (k == K_STRING && !json_is_string(value))
		return ndl_tools_wrong(c, at, "a string", value);
	if (k == K_NUMBER && !json_is_number(value))
		return ndl_tools_wrong(c, at, "a number", value);
	if (k == K_NUMBER && strcmp(key, "multipleOf") == 0 && !(json_number_value(value) > 0))
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "not positive");
	if (k == K_SIZE && count_of(value) < 0)
		return ndl_tools_wrong(c, at, "a count, 0 or more", value);
	if (k == K_SIZE)
		return ndl_tools_set(c, out, key, json_integer((json_int_t)count_of(value)));
	if (k == K_ENUM && !json_is_array(value))
		return ndl_tools_wrong(c, at, "an array", value);
	if (k == K_ENUM && json_array_size(value) == 0)
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "no value is allowed");
	if (k == K_STRING && *json_string_value(value) == '\0')
		return NDL_OK;
	return ndl_tools_set(c, out, key, json_incref(value));
}

ndl_status ndl_tools_refuse(struct schema_context *c, const struct path *at, const char *why)
{
	return c->flags & NDL_TOOLS_LENIENT ? NDL_OK
	                                    : ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, at, "%s", why);
}

ndl_status ndl_tools_take_pattern(struct schema_context *c, json_t *out, json_t *value, const struct path *at)
{
	char why[160];
	if (!json_is_string(value))
		return ndl_tools_wrong(c, at, "a string", value);
	if (!ndl_tools_check_pattern(json_string_value(value), why, sizeof why))
		return c->flags & NDL_TOOLS_LENIENT ? NDL_OK
		                                    : ndl_tools_fail_at(c->err, NDL_EINVAL, at, "not a regular expression: %s", why);
	return ndl_tools_set(c, out, "pattern", json_incref(value));
}
