/* schema.c - brings the argument schema of any dialect into one form, and refuses what the
 * grammar could not honour. */
#include "tools/schema_internal.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static json_t *normalise(struct schema_context *c, json_t *in, int depth, bool *required, const struct path *at);

/* A schema one level further in. */
static json_t *nested(struct schema_context *c, json_t *in, int depth, bool *required, const struct path *at)
{
	c->level++;
	json_t *out = normalise(c, in, depth + 1, required, at);
	c->level--;
	return out;
}

/* The properties of an object in either form: a JSON-Schema map, or the flat map whose arguments
 * say "required" themselves. Appends the latter to required. */
static ndl_status take_properties(struct schema_context *c, json_t *out, json_t *required, json_t *map, int depth,
                                  const struct path *at)
{
	const char *key;
	json_t *value, *properties = json_object();
	if (!properties || ndl_tools_set(c, out, "properties", properties) < 0)
		return ndl_fail_nomem(c->err, "schema");
	json_object_foreach(map, key, value) {
		struct path here = {at, key, 0};
		bool needed = false;
		json_t *schema = nested(c, value, depth, &needed, &here);
		if (!schema)
			return c->err->code;
		if (json_object_set_new(properties, key, schema) < 0 ||
		    (needed && json_object_set_new(required, key, json_true()) < 0))
			return ndl_fail_nomem(c->err, "schema");
	}
	return NDL_OK;
}

/* The value that a local reference points to, or NULL. */
static json_t *resolve(const json_t *root, const char *ref)
{
	const json_t *at = root;
	if (ref[0] != '#' || (ref[1] && ref[1] != '/'))
		return NULL;
	for (ref++; at && *ref == '/';) {
		ndl_buf key = NDL_BUF_INIT;
		for (ref++; *ref && *ref != '/'; ref++) {
			if (ref[0] == '~' && (ref[1] == '0' || ref[1] == '1'))
				ndl_buf_byte(&key, *++ref == '0' ? '~' : '/');
			else if (ref[0] == '%' && isxdigit((unsigned char)ref[1]) && isxdigit((unsigned char)ref[2])) {
				ndl_buf_byte(&key, (int)strtol((const char[]){ref[1], ref[2], '\0'}, NULL, 16));
				ref += 2; /* it is a URI */
			} else
				ndl_buf_byte(&key, *ref);
		}
		const char *text = ndl_buf_cstr(&key);
		if (!json_is_array(at))
			at = json_object_get(at, text);
		else
			at = *text && !text[strspn(text, "0123456789")] ? json_array_get(at, strtoul(text, NULL, 10)) : NULL;
		ndl_buf_clear(&key);
	}
	return (json_t *)(uintptr_t)at;
}

static ndl_status take_nested(struct schema_context *c, json_t *out, const char *key, json_t *value, int depth, const struct path *at)
{
	json_t *schema = nested(c, value, depth, NULL, at);
	return schema ? ndl_tools_set(c, out, key, schema) : c->err->code;
}

/* {"type":"string"}, which zod writes for every record: names are strings anyway. */
static bool is_any_string(const json_t *schema)
{
	const char *type = json_string_value(json_object_get(schema, "type"));
	return json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == (type != NULL) &&
	                                (!type || strcmp(type, "string") == 0));
}

/* One keyword of a schema. required: names found so far; self: set for a flat "required": true. */
static ndl_status take(struct schema_context *c, json_t *out, json_t *in, const char *key, json_t *value, int depth,
                       json_t *required, bool *self, const struct path *up)
{
	struct path at = {up, key, 0};
	enum keyword k = ndl_tools_keyword(key);
	if (json_is_null(value) && k != K_CONST)
		return NDL_OK;
	switch (k) {
	case K_UNKNOWN: return ndl_tools_refuse(c, &at, "unknown schema keyword");
	case K_REFUSED:
		if (strcmp(key, "propertyNames") == 0 && is_any_string(value))
			return NDL_OK;
		return ndl_tools_refuse(c, &at, "schema keyword not supported");
	case K_IGNORED: return NDL_OK;
	case K_TYPE: return ndl_tools_take_type(c, out, value, &at);
	case K_PROPERTIES:
		if (!json_is_object(value))
			return ndl_tools_wrong(c, &at, "an object", value);
		return take_properties(c, out, required, value, depth, &at);
	case K_REQUIRED: return ndl_tools_take_required(c, required, self, value, &at);
	case K_ITEMS:
		if (json_is_array(value))
			return ndl_tools_refuse(c, &at, "a list of item schemas is not supported");
		return take_nested(c, out, key, value, depth, &at);
	case K_ADDITIONAL:
		if (json_is_boolean(value))
			return ndl_tools_set(c, out, key, json_incref(value));
		return take_nested(c, out, key, value, depth, &at);
	case K_EXCLUSIVE: return ndl_tools_take_exclusive(c, out, in, key, value, &at);
	case K_UNIQUE: return json_is_true(value) ? ndl_tools_set(c, out, key, json_true()) : NDL_OK;
	case K_NULLABLE: return NDL_OK; /* once the type is known */
	case K_LATER: return NDL_OK; /* once all else is known */
	case K_PATTERN: return ndl_tools_take_pattern(c, out, value, &at);
	case K_UNEVALUATED: return json_is_boolean(value) ? NDL_OK : ndl_tools_refuse(c, &at, "schema keyword not supported");
	case K_ENUM: case K_CONST: case K_STRING: case K_SIZE: case K_NUMBER:
		return ndl_tools_take_plain(c, out, key, k, value, &at);
	}
	return NDL_OK;
}

/* Uniqueness is for values that can be compared by what they say. */
static ndl_status check_unique(struct schema_context *c, json_t *out, const struct path *up)
{
	struct path at = {up, "uniqueItems", 0};
	const json_t *items = json_object_get(out, "items"), *max = json_object_get(out, "maxItems");
	const json_t *constant = json_object_get(items, "const"), *list = json_object_get(items, "enum");
	bool scalar = !ndl_tools_alternatives(items, NULL) &&
	              (list || constant || !(ndl_tools_types(items) & (NDL_TYPE_ARRAY | NDL_TYPE_OBJECT))) &&
	              !json_is_array(constant) && !json_is_object(constant);
	for (size_t i = 0; i < json_array_size(list); i++)
		scalar = scalar && !json_is_array(json_array_get(list, i)) && !json_is_object(json_array_get(list, i));
	if (!json_object_get(out, "uniqueItems") || (scalar && !(max && json_integer_value(max) < 2)))
		return NDL_OK;
	json_object_del(out, "uniqueItems");
	return scalar || (max && json_integer_value(max) < 2)
	               ? NDL_OK : ndl_tools_refuse(c, &at, "supported only for items that are strings, numbers, booleans or null");
}

static ndl_status take_keywords(struct schema_context *c, json_t *out, json_t *in, int depth, bool *self, const struct path *at)
{
	const char *key;
	json_t *value, *required = json_object(); /* a set of names */
	ndl_status status = required ? NDL_OK : ndl_fail_nomem(c->err, "schema");
	json_object_foreach(in, key, value) {
		if (status < 0)
			break;
		/* the root's own name and text belong to the tool */
		if (depth > 0 || (strcmp(key, "name") != 0 && strcmp(key, "description") != 0))
			status = take(c, out, in, key, value, depth, required, self, at);
	}
	if (status == 0)
		status = ndl_tools_finish_required(c, out, required, at);
	json_decref(required);
	return status;
}

/* The schema that a reference stands for. */
static json_t *follow(struct schema_context *c, json_t *ref, int depth, const struct path *up)
{
	struct path at = {up, "$ref", 0};
	json_t *target = json_is_string(ref) ? resolve(c->root, json_string_value(ref)) : NULL;
	int times = 0;
	if (!json_is_string(ref)) {
		ndl_tools_wrong(c, &at, "a string", ref);
		return NULL;
	}
	if (!target) {
		ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, &at, "no such local reference: \"%.100s\"", json_string_value(ref));
		return NULL;
	}
	for (size_t i = 0; i < c->n_active; i++) {
		times += c->active[i].target == target;
		if (c->active[i].target == target && c->active[i].level == c->level) {
			ndl_tools_fail_at(c->err, NDL_EINVAL, &at, "\"%.100s\" refers to itself", json_string_value(ref));
			return NULL;
		}
	}
	if (times >= NDL_REF_DEPTH || c->n_active >= NDL_REF_ACTIVE) {
		if (!c->why.code)
			ndl_tools_fail_at(&c->why, NDL_EINVAL, &at, "\"%.100s\" contains itself without end", json_string_value(ref));
		return json_false();
	}
	c->active[c->n_active].target = target;
	c->active[c->n_active++].level = c->level;
	json_t *out = normalise(c, target, depth + 1, NULL, &at);
	c->n_active--;
	if (times > 0 && json_is_object(out)) /* the model is shown it once */
		json_object_set_new(out, "$again", json_true());
	return out;
}

/* *out := what satisfies it and `more` (moved; NULL: an error has been set). */
static ndl_status narrow(struct schema_context *c, json_t **out, json_t *more, const struct path *at)
{
	json_t *both = more ? ndl_tools_merge(c, *out, more, at) : NULL;
	json_decref(more);
	if (!both)
		return c->err->code;
	json_decref(*out);
	*out = both;
	return NDL_OK;
}

/* anyOf and oneOf, each alternative with all that stands beside them. */
static json_t *take_alternatives(struct schema_context *c, json_t *out, json_t *list, const char *key, int depth,
                                 const struct path *up)
{
	struct path at = {up, key, 0};
	json_t *kept = json_array(), *all = NULL;
	size_t i;
	json_t *alternative;
	if (!json_is_array(list)) {
		ndl_tools_wrong(c, &at, "an array of schemas", list);
		goto out;
	}
	if (json_array_size(list) == 0) {
		ndl_tools_fail_at(c->err, NDL_EINVAL, &at, "no alternative is given");
		goto out;
	}
	c->trying++;
	json_array_foreach(list, i, alternative) {
		struct path here = {&at, NULL, i};
		json_t *one = normalise(c, alternative, depth + 1, NULL, &here);
		json_t *both = one ? ndl_tools_merge(c, out, one, &here) : NULL;
		json_decref(one);
		if (both && !json_is_false(both) && json_array_append(kept, both) < 0)
			ndl_fail_nomem(c->err, "schema");
		json_decref(both);
		if (!both)
			break;
	}
	c->trying--;
	if (i == json_array_size(list))
		all = json_array_size(kept) ? ndl_tools_union(c, kept, strcmp(key, "oneOf") == 0, &at)
		                            : ndl_tools_nothing(c, &at, "no alternative is possible");
out:
	json_decref(kept);
	return all;
}

/* $ref, allOf, anyOf and oneOf, which say more about what out says already. */
static ndl_status take_later(struct schema_context *c, json_t **out, json_t *in, int depth, const struct path *up)
{
	static const char *const choices[] = {"anyOf", "oneOf"};
	json_t *ref = ndl_json_get(in, "$ref"), *all = json_object_get(in, "allOf"), *one;
	size_t i;
	ndl_status status = ref ? narrow(c, out, follow(c, ref, depth, up), up) : NDL_OK;
	struct path at = {up, "allOf", 0};
	if (status == 0 && all && !json_is_array(all))
		status = ndl_tools_wrong(c, &at, "an array of schemas", all);
	json_array_foreach(all, i, one) {
		struct path here = {&at, NULL, i};
		if (status == 0)
			status = narrow(c, out, normalise(c, one, depth + 1, NULL, &here), &here);
	}
	for (size_t k = 0; k < COUNT(choices) && status == 0 && json_is_object(*out); k++) {
		json_t *list = ndl_json_get(in, choices[k]), *description = json_object_get(*out, "description");
		if (!list)
			continue;
		json_incref(description);
		json_object_del(*out, "description"); /* it is about all alternatives together */
		json_t *chosen = take_alternatives(c, *out, list, choices[k], depth, up);
		if (chosen) {
			json_decref(*out);
			*out = chosen;
		}
		if (!chosen || (description && json_is_object(chosen) && json_object_set(chosen, "description", description) < 0))
			status = c->err->code ? c->err->code : ndl_fail_nomem(c->err, "schema");
		json_decref(description);
	}
	return status;
}

static ndl_status admit_null(struct schema_context *c, json_t *out)
{
	json_t *list = ndl_tools_alternatives(out, NULL);
	if (list && ndl_tools_check_value(out, json_null(), NULL) < 0 && json_array_append_new(list, json_pack("{s:s}", "type", "null")) < 0)
		return ndl_fail_nomem(c->err, "schema");
	return json_object_get(out, "type") ? ndl_tools_add_type(c, out, "null") : NDL_OK;
}

/* Objects have no properties but those declared, in each alternative. */
static ndl_status close_objects(struct schema_context *c, json_t *out)
{
	json_t *list = ndl_tools_alternatives(out, NULL), *one;
	ndl_status status = NDL_OK;
	size_t i;
	json_array_foreach(list, i, one) {
		json_t *closed = status == 0 ? json_deep_copy(one) : NULL; /* it may stand elsewhere, too */
		status = closed ? close_objects(c, closed) : status < 0 ? status : ndl_fail_nomem(c->err, "schema");
		json_array_set_new(list, i, closed ? closed : json_null());
	}
	if (status < 0 || list || json_object_get(out, "additionalProperties") || !(ndl_tools_types(out) & NDL_TYPE_OBJECT))
		return status;
	return ndl_tools_set(c, out, "additionalProperties", json_false());
}

/* *out: an object that becomes the normal form of in, or false. */
static ndl_status take_all(struct schema_context *c, json_t **out, json_t *in, int depth, bool *self, const struct path *at)
{
	bool nothing = false;
	ndl_status status = take_keywords(c, *out, in, depth, self, at);
	if (status == 0)
		status = take_later(c, out, in, depth, at);
	if (status < 0 || json_is_false(*out))
		return status;
	if (json_is_false(json_object_get(in, "unevaluatedProperties")))
		status = close_objects(c, *out);
	if (status == 0 && json_is_true(json_object_get(in, "nullable")))
		status = admit_null(c, *out);
	if (status == 0)
		status = ndl_tools_drop_false(c, *out, &nothing);
	if (status == 0)
		status = check_unique(c, *out, at);
	if (status == 0 && nothing) {
		if (!c->why.code)
			ndl_tools_fail_at(&c->why, NDL_EINVAL, at, "what is required can have no value");
		json_decref(*out);
		*out = json_false();
	}
	return status;
}

/* self may be NULL where a flat "required": true has no meaning. */
static json_t *normalise(struct schema_context *c, json_t *in, int depth, bool *self, const struct path *at)
{
	bool dummy;
	if (depth > NDL_SCHEMA_DEPTH) {
		ndl_tools_fail_at(c->err, NDL_ELIMIT, at, "schema nests deeper than %d levels", NDL_SCHEMA_DEPTH);
		return NULL;
	}
	if (++c->nodes > NDL_SCHEMA_NODES) {
		ndl_tools_fail_at(c->err, NDL_ELIMIT, at, "schema has more than %d parts", NDL_SCHEMA_NODES);
		return NULL;
	}
	if (json_is_false(in))
		return json_false();
	json_t *out = json_object();
	ndl_status status = out ? NDL_OK : ndl_fail_nomem(c->err, "schema");
	if (status == 0 && json_is_string(in)) { /* {"location":"string"} */
		bool any;
		status = ndl_tools_take_type_name(c, out, in, &any, at);
	} else if (status == 0 && json_is_object(in)) {
		status = take_all(c, &out, in, depth, self ? self : &dummy, at);
	} else if (status == 0 && !json_is_true(in)) {
		status = ndl_tools_wrong(c, at, "a schema", in);
	}
	if (status < 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

/* Flat {"arg":{…}} and JSON Schema {"type":"object","properties":{…}} look alike, and an
 * argument may be called "type" or "properties". */
static bool is_flat(const json_t *params)
{
	const json_t *type = json_object_get(params, "type");
	const char *name = json_is_string(type) ? ndl_tools_type(json_string_value(type)) : NULL;
	if (json_is_array(type) || (name && strcmp(name, "object") == 0))
		return false;
	const char *key;
	json_t *value;
	json_t *properties = json_object_get(params, "properties");
	bool schema = json_is_object(properties) && !type;
	if (schema) {
		json_object_foreach(properties, key, value)
			schema = schema && (json_is_object(value) || json_is_boolean(value));
	}
	if (schema)
		return false;
	static const char *const marks[] = {"$ref", "$schema", "$defs", "anyOf", "oneOf", "allOf"};
	for (size_t i = 0; i < COUNT(marks); i++) {
		json_t *mark = json_object_get(params, marks[i]);
		if (mark && (json_is_array(mark) || marks[i][0] == '$'))
			return false;
	}
	return true;
}

/* A tool's arguments are an object, whatever else their schema leaves open. */
static json_t *complete(struct schema_context *c, json_t *out, json_t *needed, const struct path *at)
{
	unsigned types = ndl_tools_declared_types(out);
	json_t *object = json_pack("{s:s}", "type", "object"), *names = json_object(), *both = NULL;
	struct path beside = {NULL, "required", 0};
	bool one; /* a boolean there says nothing of an argument */
	if (object && names && needed && (ndl_tools_take_required(c, names, &one, needed, &beside) < 0 ||
	                                  ndl_tools_finish_required(c, object, names, NULL) < 0)) {
		json_decref(object);
		object = NULL;
	}
	json_decref(names);
	if (json_is_false(out)) {
		if (c->why.code)
			*c->err = c->why;
		else
			ndl_tools_fail_at(c->err, NDL_EINVAL, at, "no arguments are possible");
	} else if (types && !(types & NDL_TYPE_OBJECT)) {
		ndl_tools_fail_at(c->err, NDL_EINVAL, at, "the type of a tool's parameters must be object");
	} else if (object) {
		both = ndl_tools_merge(c, out, object, at);
	}
	json_decref(object);
	json_decref(out);
	if (!both || ndl_tools_alternatives(both, NULL) || json_object_get(both, "properties"))
		return both;
	if (json_object_set_new(both, "properties", json_object()) == 0)
		return both;
	ndl_fail_nomem(c->err, "schema");
	json_decref(both);
	return NULL;
}

json_t *ndl_tools_normalise(json_t *params, bool is_schema, json_t *needed, int flags, const struct path *at, ndl_error *err)
{
	ndl_error local = NDL_ERROR_INIT;
	struct schema_context c = {.root = params, .flags = flags, .err = err ? err : &local, .why = NDL_ERROR_INIT};
	json_t *out = NULL, *required = NULL;
	if (params && (is_schema || !is_flat(params))) {
		c.active[c.n_active++].target = params;
		out = normalise(&c, params, 0, NULL, at);
	} else {
		bool nothing = false;
		out = json_object();
		required = json_object();
		if (!out || !required || (params && take_properties(&c, out, required, params, 0, at) < 0) ||
		    ndl_tools_finish_required(&c, out, required, at) < 0 || ndl_tools_drop_false(&c, out, &nothing) < 0 || nothing) {
			json_decref(out);
			out = nothing ? json_false() : NULL;
		}
	}
	json_decref(required);
	out = out ? complete(&c, out, needed, at) : NULL;
	if (out && ndl_tools_prune(out) < 0) {
		ndl_fail_nomem(c.err, "schema");
		json_decref(out);
		out = NULL;
	}
	return out;
}
