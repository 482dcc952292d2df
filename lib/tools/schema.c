/* schema.c - brings the argument schema of any dialect into one form, and refuses what the
 * grammar could not honour. */
#include "tools/tools_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct context {
	const json_t *root; /* what "#/…" refers to */
	int flags;
	size_t nodes;
	ndl_error *err;
};

enum keyword {
	K_UNKNOWN, K_IGNORED, K_REFUSED,
	K_TYPE, K_PROPERTIES, K_REQUIRED, K_ENUM, K_CONST, K_ITEMS, K_ADDITIONAL, K_NULLABLE, K_REF, K_ANY_OF,
	K_STRING, K_SIZE, K_NUMBER, K_EXCLUSIVE, K_UNIQUE,
};

/* Sorted for bsearch. */
static const struct keyword_name {
	const char *name;
	enum keyword keyword;
} keywords[] = {
	{"$anchor", K_IGNORED}, {"$comment", K_IGNORED}, {"$defs", K_IGNORED}, {"$dynamicAnchor", K_IGNORED},
	{"$dynamicRef", K_REFUSED}, {"$id", K_IGNORED}, {"$ref", K_REF}, {"$schema", K_IGNORED},
	{"$vocabulary", K_IGNORED}, {"additionalItems", K_REFUSED}, {"additionalProperties", K_ADDITIONAL},
	{"allOf", K_REFUSED}, {"anyOf", K_ANY_OF}, {"const", K_CONST}, {"contains", K_REFUSED},
	{"contentEncoding", K_IGNORED}, {"contentMediaType", K_IGNORED}, {"contentSchema", K_IGNORED},
	{"default", K_IGNORED}, {"definitions", K_IGNORED}, {"dependencies", K_REFUSED},
	{"dependentRequired", K_REFUSED}, {"dependentSchemas", K_REFUSED}, {"deprecated", K_IGNORED},
	{"description", K_STRING}, {"discriminator", K_IGNORED}, {"else", K_REFUSED}, {"enum", K_ENUM},
	{"example", K_IGNORED}, {"examples", K_IGNORED}, {"exclusiveMaximum", K_EXCLUSIVE},
	{"exclusiveMinimum", K_EXCLUSIVE}, {"externalDocs", K_IGNORED}, {"format", K_STRING}, {"if", K_REFUSED},
	{"items", K_ITEMS}, {"maxContains", K_REFUSED}, {"maxItems", K_SIZE}, {"maxLength", K_SIZE},
	{"maxProperties", K_REFUSED}, {"maximum", K_NUMBER}, {"minContains", K_REFUSED}, {"minItems", K_SIZE},
	{"minLength", K_SIZE}, {"minProperties", K_REFUSED}, {"minimum", K_NUMBER}, {"multipleOf", K_NUMBER},
	{"not", K_REFUSED}, {"nullable", K_NULLABLE}, {"oneOf", K_ANY_OF}, {"optional", K_IGNORED},
	{"pattern", K_REFUSED}, {"patternProperties", K_REFUSED}, {"prefixItems", K_REFUSED},
	{"properties", K_PROPERTIES}, {"propertyNames", K_REFUSED}, {"propertyOrdering", K_IGNORED},
	{"readOnly", K_IGNORED}, {"required", K_REQUIRED}, {"strict", K_IGNORED}, {"then", K_REFUSED},
	{"title", K_IGNORED}, {"type", K_TYPE}, {"unevaluatedItems", K_REFUSED},
	{"unevaluatedProperties", K_REFUSED}, {"uniqueItems", K_UNIQUE}, {"writeOnly", K_IGNORED},
	{"xml", K_IGNORED},
};

/* Spellings of types in lower case; sorted. "" is any type. */
static const struct type_name {
	const char *name, *type;
} type_names[] = {
	{"any", ""}, {"array", "array"}, {"arraylist", "array"}, {"bool", "boolean"}, {"boolean", "boolean"},
	{"byte", "integer"}, {"char", "string"}, {"decimal", "number"}, {"dict", "object"}, {"double", "number"},
	{"float", "number"}, {"hashmap", "object"}, {"hashtable", "object"}, {"int", "integer"},
	{"integer", "integer"}, {"list", "array"}, {"long", "integer"}, {"map", "object"}, {"none", "null"},
	{"null", "null"}, {"number", "number"}, {"object", "object"}, {"set", "array"}, {"short", "integer"},
	{"str", "string"}, {"string", "string"}, {"tuple", "array"}, {"type_unspecified", ""},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Both tables begin their rows with the name. */
static int compare_name(const void *key, const void *row)
{
	const char *name;
	memcpy(&name, row, sizeof name);
	return strcmp(key, name);
}

static enum keyword find_keyword(const char *name)
{
	const struct keyword_name *k = bsearch(name, keywords, COUNT(keywords), sizeof *keywords, compare_name);
	if (k)
		return k->keyword;
	return strncmp(name, "x-", 2) == 0 ? K_IGNORED : K_UNKNOWN;
}

/* The JSON-Schema name of a type, "" for any, NULL if there is no such type. */
static const char *find_type(const char *name)
{
	char lower[24];
	size_t n = strlen(name);
	if (n >= sizeof lower)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	const struct type_name *t = bsearch(lower, type_names, COUNT(type_names), sizeof *type_names, compare_name);
	return t ? t->type : NULL;
}

static json_t *normalise(struct context *c, json_t *in, int depth, bool *required, const struct path *at);

static ndl_status wrong(struct context *c, const struct path *at, const char *want, const json_t *got)
{
	return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "expected %s, got %s", want, ndl_json_type_name(got));
}

static ndl_status set(struct context *c, json_t *out, const char *key, json_t *value)
{
	return json_object_set_new(out, key, value) < 0 ? ndl_fail_nomem(c->err, "schema") : NDL_OK;
}

static bool has_string(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		if (s && strcmp(s, text) == 0)
			return true;
	}
	return false;
}

/* Adds a type name to the list of types under out.type: one name stays a plain string. */
static ndl_status add_type(struct context *c, json_t *out, const char *type)
{
	json_t *have = json_object_get(out, "type");
	if (!have)
		return set(c, out, "type", json_string(type));
	if (json_is_string(have)) {
		if (strcmp(json_string_value(have), type) == 0)
			return NDL_OK;
		return set(c, out, "type", json_pack("[O,s]", have, type));
	}
	if (has_string(have, type))
		return NDL_OK;
	return json_array_append_new(have, json_string(type)) < 0 ? ndl_fail_nomem(c->err, "schema") : NDL_OK;
}

static ndl_status one_type(struct context *c, json_t *out, const json_t *value, bool *any, const struct path *at)
{
	if (!json_is_string(value))
		return wrong(c, at, "the name of a type", value);
	const char *type = find_type(json_string_value(value));
	if (!type && (c->flags & NDL_TOOLS_LENIENT))
		type = "";
	if (!type)
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "unknown type \"%.60s\"", json_string_value(value));
	if (!*type) {
		*any = true;
		return NDL_OK;
	}
	return add_type(c, out, type);
}

static ndl_status take_type(struct context *c, json_t *out, json_t *value, const struct path *at)
{
	bool any = false;
	ndl_status status = NDL_OK;
	if (!json_is_array(value)) {
		status = one_type(c, out, value, &any, at);
	} else if (json_array_size(value) == 0) {
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "empty list of types");
	} else {
		for (size_t i = 0; status == 0 && i < json_array_size(value); i++)
			status = one_type(c, out, json_array_get(value, i), &any, at);
	}
	if (any)
		json_object_del(out, "type");
	return status;
}

/* The properties of an object in either form: a JSON-Schema map, or the flat map whose arguments
 * say "required" themselves. Appends the latter to required. */
static ndl_status take_properties(struct context *c, json_t *out, json_t *required, json_t *map, int depth,
                                  const struct path *at)
{
	const char *key;
	json_t *value, *properties = json_object();
	if (!properties || set(c, out, "properties", properties) < 0)
		return ndl_fail_nomem(c->err, "schema");
	json_object_foreach(map, key, value) {
		struct path here = {at, key, 0};
		bool needed = false;
		json_t *schema = normalise(c, value, depth + 1, &needed, &here);
		if (!schema)
			return c->err ? c->err->code : NDL_EINVAL;
		if (json_object_set_new(properties, key, schema) < 0 ||
		    (needed && json_object_set_new(required, key, json_true()) < 0))
			return ndl_fail_nomem(c->err, "schema");
	}
	return NDL_OK;
}

static ndl_status take_required(struct context *c, json_t *required, bool *self, const json_t *value,
                                const struct path *at)
{
	if (json_is_boolean(value)) { /* flat: this argument itself is required */
		*self = json_is_true(value);
		return NDL_OK;
	}
	if (!json_is_array(value))
		return wrong(c, at, "an array of names", value);
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *name = json_array_get(value, i);
		if (!json_is_string(name))
			return wrong(c, at, "an array of names", value);
		if (json_object_set_new(required, json_string_value(name), json_true()) < 0)
			return ndl_fail_nomem(c->err, "schema");
	}
	return NDL_OK;
}

/* Turns the set of required names into the list "required", in the order of the properties. A
 * name that is not declared becomes an argument of any type. */
static ndl_status finish_required(struct context *c, json_t *out, json_t *required)
{
	if (json_object_size(required) == 0)
		return NDL_OK;
	const char *name;
	json_t *value, *list = json_array(), *properties = json_object_get(out, "properties");
	if (!list || set(c, out, "required", list) < 0)
		return ndl_fail_nomem(c->err, "schema");
	if (!properties) {
		properties = json_object();
		if (!properties || set(c, out, "properties", properties) < 0)
			return ndl_fail_nomem(c->err, "schema");
	}
	json_object_foreach(required, name, value)
		if (!json_object_get(properties, name) && json_object_set_new(properties, name, json_object()) < 0)
			return ndl_fail_nomem(c->err, "schema");
	json_object_foreach(properties, name, value)
		if (json_object_get(required, name) && json_array_append_new(list, json_string(name)) < 0)
			return ndl_fail_nomem(c->err, "schema");
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
			else
				ndl_buf_byte(&key, *ref);
		}
		if (json_is_array(at))
			at = json_array_get(at, strtoul(ndl_buf_cstr(&key), NULL, 10));
		else
			at = json_object_get(at, ndl_buf_cstr(&key));
		ndl_buf_clear(&key);
	}
	return (json_t *)(uintptr_t)at;
}

/* Copies what the schema `from` says into out, except what out says itself. */
static ndl_status take_schema(struct context *c, json_t *out, json_t *from, int depth, const struct path *at)
{
	json_t *schema = normalise(c, from, depth + 1, NULL, at);
	if (!schema)
		return c->err ? c->err->code : NDL_EINVAL;
	int failed = json_object_update_missing(out, schema);
	json_decref(schema);
	return failed ? ndl_fail_nomem(c->err, "schema") : NDL_OK;
}

static ndl_status take_ref(struct context *c, json_t *out, const json_t *value, int depth, const struct path *at)
{
	if (!json_is_string(value))
		return wrong(c, at, "a string", value);
	json_t *target = resolve(c->root, json_string_value(value));
	if (!target)
		return ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, at, "no such local reference: \"%.100s\"",
			json_string_value(value));
	return take_schema(c, out, target, depth, at);
}

/* Alternatives as optional arguments have them: null beside one other schema, or bare types. */
static ndl_status take_any_of(struct context *c, json_t *out, json_t *value, int depth, const struct path *at)
{
	json_t *other = NULL, *simple = json_object(); /* simple: the union of bare types */
	size_t others = 0;
	bool null = false;
	ndl_status status = simple ? NDL_OK : ndl_fail_nomem(c->err, "schema");
	if (!json_is_array(value) || json_array_size(value) == 0)
		status = wrong(c, at, "an array of schemas", value);
	for (size_t i = 0; status == 0 && i < json_array_size(value); i++) {
		json_t *alternative = json_array_get(value, i), *type = json_object_get(alternative, "type");
		const char *name = json_is_string(type) ? find_type(json_string_value(type)) : NULL;
		if (name && *name && json_object_size(alternative) == 1) {
			null = null || strcmp(name, "null") == 0;
			others += strcmp(name, "null") != 0;
			other = strcmp(name, "null") == 0 ? other : alternative;
			status = add_type(c, simple, name);
		} else {
			others += 2; /* not a bare type: may stand beside null only */
			other = alternative;
		}
	}
	size_t n = json_array_size(value);
	if (status == 0 && others <= 2 && n <= 2 && other && (null || n == 1)) {
		status = take_schema(c, out, other, depth, at);
		json_t *list = json_object_get(out, "enum");
		if (status == 0 && null && list && !(list = json_copy(list)))
			status = ndl_fail_nomem(c->err, "schema");
		if (status == 0 && null && list)
			status = json_array_append_new(list, json_null()) < 0 ? NDL_ENOMEM : set(c, out, "enum", list);
		if (status == 0 && null && json_object_get(out, "type"))
			status = add_type(c, out, "null");
	} else if (status == 0 && json_is_array(json_object_get(simple, "type")) &&
	           json_array_size(json_object_get(simple, "type")) == json_array_size(value)) {
		status = set(c, out, "type", json_incref(json_object_get(simple, "type")));
	} else if (status == 0 && !(c->flags & NDL_TOOLS_LENIENT)) {
		status = ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, at,
			"schema keyword not supported but for null and bare types");
	}
	json_decref(simple);
	return status;
}

/* Draft 4 has exclusiveMinimum true beside minimum; later drafts a number. */
static ndl_status take_exclusive(struct context *c, json_t *out, json_t *in, const char *key, json_t *value,
                                 const struct path *at)
{
	if (json_is_boolean(value)) {
		json_t *bound = json_object_get(in, strcmp(key, "exclusiveMinimum") == 0 ? "minimum" : "maximum");
		if (json_is_false(value) || !json_is_number(bound))
			return NDL_OK;
		value = bound;
	} else if (!json_is_number(value)) {
		return wrong(c, at, "a number", value);
	}
	return set(c, out, key, json_incref(value));
}

static ndl_status take_items(struct context *c, json_t *out, json_t *value, int depth, const struct path *at)
{
	if (json_is_array(value)) {
		if (c->flags & NDL_TOOLS_LENIENT)
			return NDL_OK;
		return ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, at, "a list of item schemas is not supported");
	}
	json_t *schema = normalise(c, value, depth + 1, NULL, at);
	if (!schema)
		return c->err ? c->err->code : NDL_EINVAL;
	return set(c, out, "items", schema);
}

static ndl_status take_additional(struct context *c, json_t *out, json_t *value, int depth, const struct path *at)
{
	if (json_is_boolean(value))
		return set(c, out, "additionalProperties", json_incref(value));
	json_t *schema = normalise(c, value, depth + 1, NULL, at);
	if (!schema)
		return c->err ? c->err->code : NDL_EINVAL;
	return set(c, out, "additionalProperties", schema);
}

/* Keywords whose value is kept as it is. */
static ndl_status take_plain(struct context *c, json_t *out, const char *key, enum keyword k, json_t *value,
                             const struct path *at)
{
	if (k == K_STRING && !json_is_string(value))
		return wrong(c, at, "a string", value);
	if (k == K_NUMBER && !json_is_number(value))
		return wrong(c, at, "a number", value);
	if (k == K_NUMBER && strcmp(key, "multipleOf") == 0 && !(json_number_value(value) > 0))
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "not positive");
	if (k == K_SIZE && !(json_is_number(value) && json_number_value(value) >= 0 && json_number_value(value) < 4e9 &&
	                     (double)(json_int_t)json_number_value(value) == json_number_value(value)))
		return wrong(c, at, "a count", value);
	if (k == K_SIZE)
		return set(c, out, key, json_integer((json_int_t)json_number_value(value)));
	if (k == K_ENUM && !json_is_array(value))
		return wrong(c, at, "an array", value);
	if (k == K_ENUM && json_array_size(value) == 0)
		return ndl_tools_fail_at(c->err, NDL_EINVAL, at, "no value is allowed");
	if (k == K_STRING && *json_string_value(value) == '\0')
		return NDL_OK;
	return set(c, out, key, json_incref(value));
}

static ndl_status refuse(struct context *c, const struct path *at, const char *why)
{
	return c->flags & NDL_TOOLS_LENIENT ? NDL_OK
	                                    : ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, at, "%s", why);
}

/* One keyword of a schema. required: names found so far; self: set for a flat "required": true. */
static ndl_status take(struct context *c, json_t *out, json_t *in, const char *key, json_t *value, int depth,
                       json_t *required, bool *self, const struct path *up)
{
	struct path at = {up, key, 0};
	enum keyword k = find_keyword(key);
	if (json_is_null(value) && k != K_CONST)
		return NDL_OK;
	switch (k) {
	case K_UNKNOWN: return refuse(c, &at, "unknown schema keyword");
	case K_REFUSED: return refuse(c, &at, "schema keyword not supported");
	case K_IGNORED: return NDL_OK;
	case K_TYPE: return take_type(c, out, value, &at);
	case K_PROPERTIES:
		if (!json_is_object(value))
			return wrong(c, &at, "an object", value);
		return take_properties(c, out, required, value, depth, &at);
	case K_REQUIRED: return take_required(c, required, self, value, &at);
	case K_ITEMS: return take_items(c, out, value, depth, &at);
	case K_ADDITIONAL: return take_additional(c, out, value, depth, &at);
	case K_EXCLUSIVE: return take_exclusive(c, out, in, key, value, &at);
	case K_UNIQUE: return json_is_true(value) ? refuse(c, &at, "schema keyword not supported") : NDL_OK;
	case K_NULLABLE: return NDL_OK; /* once the type is known */
	case K_REF: return take_ref(c, out, value, depth, &at);
	case K_ANY_OF: return take_any_of(c, out, value, depth, &at);
	case K_ENUM: case K_CONST: case K_STRING: case K_SIZE: case K_NUMBER:
		return take_plain(c, out, key, k, value, &at);
	}
	return NDL_OK;
}

/* Structure beside a reference would have to be merged with what is referred to. */
static ndl_status refuse_mixture(struct context *c, const json_t *in, const struct path *up)
{
	static const char *const others[] = {"$ref", "anyOf", "oneOf"};
	static const char *const structure[] = {"properties", "required", "items", "additionalProperties"};
	for (size_t i = 0; i < COUNT(others); i++) {
		struct path at = {up, others[i], 0};
		for (size_t k = 0; json_object_get(in, others[i]) && k < COUNT(structure); k++)
			if (json_object_get(in, structure[k]) && !json_is_boolean(json_object_get(in, structure[k])))
				return ndl_tools_fail_at(c->err, NDL_EUNSUPPORTED, &at, "not supported beside \"%s\"", structure[k]);
	}
	return NDL_OK;
}

static ndl_status take_all(struct context *c, json_t *out, json_t *in, int depth, bool *self, const struct path *at)
{
	const char *key;
	json_t *value, *required = json_object(); /* a set of names */
	ndl_status status = required ? NDL_OK : ndl_fail_nomem(c->err, "schema");
	if (status == 0)
		status = refuse_mixture(c, in, at);
	json_object_foreach(in, key, value) {
		if (status < 0)
			break;
		/* the root's own name and text belong to the tool */
		if (depth > 0 || (strcmp(key, "name") != 0 && strcmp(key, "description") != 0))
			status = take(c, out, in, key, value, depth, required, self, at);
	}
	if (status == 0)
		status = finish_required(c, out, required);
	if (status == 0 && json_is_true(json_object_get(in, "nullable")) && json_object_get(out, "type"))
		status = add_type(c, out, "null");
	json_decref(required);
	return status;
}

/* self may be NULL where a flat "required": true has no meaning. */
static json_t *normalise(struct context *c, json_t *in, int depth, bool *self, const struct path *at)
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
	json_t *out = json_object();
	ndl_status status = out ? NDL_OK : ndl_fail_nomem(c->err, "schema");
	if (status == 0 && json_is_string(in)) { /* {"location":"string"} */
		bool any;
		status = one_type(c, out, in, &any, at);
	} else if (status == 0 && json_is_object(in)) {
		status = take_all(c, out, in, depth, self ? self : &dummy, at);
	} else if (status == 0 && !json_is_true(in)) {
		status = wrong(c, at, "a schema", in);
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
	const char *name = json_is_string(type) ? find_type(json_string_value(type)) : NULL;
	if (name && strcmp(name, "object") == 0)
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

json_t *ndl_tools_normalise(json_t *params, bool is_schema, int flags, const struct path *at, ndl_error *err)
{
	ndl_error local = NDL_ERROR_INIT;
	struct context c = {params, flags, 0, err ? err : &local};
	json_t *out = NULL, *required = NULL;
	if (params && (is_schema || !is_flat(params))) {
		out = normalise(&c, params, 0, NULL, at);
		json_t *type = json_object_get(out, "type");
		if (out && type && !(json_is_string(type) && strcmp(json_string_value(type), "object") == 0)) {
			ndl_tools_fail_at(err, NDL_EINVAL, at, "the type of a tool's parameters must be object");
			json_decref(out);
			return NULL;
		}
	} else {
		out = json_object();
		required = json_object();
		if (!out || !required)
			ndl_fail_nomem(err, "schema");
		if (!out || !required ||
		    (params && take_properties(&c, out, required, params, 0, at) < 0) ||
		    finish_required(&c, out, required) < 0) {
			json_decref(out);
			out = NULL;
		}
	}
	json_decref(required);
	if (out && (json_object_set_new(out, "type", json_string("object")) < 0 ||
	            (!json_object_get(out, "properties") &&
	             json_object_set_new(out, "properties", json_object()) < 0))) {
		ndl_fail_nomem(err, "schema");
		json_decref(out);
		return NULL;
	}
	return out;
}
