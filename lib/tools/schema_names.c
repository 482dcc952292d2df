/* schema_names.c - which keywords and names of types there are. */
#include "tools/schema_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Sorted for bsearch. */
static const struct keyword_name {
	const char *name;
	enum keyword keyword;
} keywords[] = {
	{"$anchor", K_IGNORED}, {"$comment", K_IGNORED}, {"$defs", K_IGNORED}, {"$dynamicAnchor", K_IGNORED},
	{"$dynamicRef", K_REFUSED}, {"$id", K_IGNORED}, {"$ref", K_LATER}, {"$schema", K_IGNORED},
	{"$vocabulary", K_IGNORED}, {"additionalItems", K_REFUSED}, {"additionalProperties", K_ADDITIONAL},
	{"allOf", K_LATER}, {"anyOf", K_LATER}, {"const", K_CONST}, {"contains", K_REFUSED},
	{"contentEncoding", K_IGNORED}, {"contentMediaType", K_IGNORED}, {"contentSchema", K_IGNORED},
	{"default", K_IGNORED}, {"definitions", K_IGNORED}, {"dependencies", K_REFUSED},
	{"dependentRequired", K_REFUSED}, {"dependentSchemas", K_REFUSED}, {"deprecated", K_IGNORED},
	{"description", K_STRING}, {"discriminator", K_IGNORED}, {"else", K_REFUSED}, {"enum", K_ENUM},
	{"example", K_IGNORED}, {"examples", K_IGNORED}, {"exclusiveMaximum", K_EXCLUSIVE},
	{"exclusiveMinimum", K_EXCLUSIVE}, {"externalDocs", K_IGNORED}, {"format", K_STRING}, {"if", K_REFUSED},
	{"items", K_ITEMS}, {"maxContains", K_REFUSED}, {"maxItems", K_SIZE}, {"maxLength", K_SIZE},
	{"maxProperties", K_REFUSED}, {"maximum", K_NUMBER}, {"minContains", K_REFUSED}, {"minItems", K_SIZE},
	{"minLength", K_SIZE}, {"minProperties", K_REFUSED}, {"minimum", K_NUMBER}, {"multipleOf", K_NUMBER},
	{"not", K_REFUSED}, {"nullable", K_NULLABLE}, {"oneOf", K_LATER}, {"optional", K_IGNORED},
	{"pattern", K_PATTERN}, {"patternProperties", K_REFUSED}, {"prefixItems", K_REFUSED},
	{"properties", K_PROPERTIES}, {"propertyNames", K_REFUSED}, {"propertyOrdering", K_IGNORED},
	{"readOnly", K_IGNORED}, {"required", K_REQUIRED}, {"strict", K_IGNORED}, {"then", K_REFUSED},
	{"title", K_IGNORED}, {"type", K_TYPE}, {"unevaluatedItems", K_REFUSED},
	{"unevaluatedProperties", K_UNEVALUATED}, {"uniqueItems", K_UNIQUE}, {"writeOnly", K_IGNORED},
	{"xml", K_IGNORED},
};

/* Spellings of types in lower case; sorted. "" is any type. */
static const struct type_name {
	const char *name, *type;
} type_names[] = {
	{"any", ""}, {"array", "array"}, {"arraylist", "array"}, {"bigint", "integer"}, {"bool", "boolean"}, {"boolean", "boolean"},
	{"byte", "integer"}, {"char", "string"}, {"decimal", "number"}, {"dict", "object"}, {"double", "number"},
	{"float", "number"}, {"hashmap", "object"}, {"hashtable", "object"}, {"int", "integer"},
	{"integer", "integer"}, {"list", "array"}, {"long", "integer"}, {"map", "object"}, {"none", "null"},
	{"null", "null"}, {"number", "number"}, {"object", "object"}, {"queue", "array"}, {"set", "array"}, {"short", "integer"},
	{"stack", "array"}, {"str", "string"}, {"string", "string"}, {"tuple", "array"}, {"type_unspecified", ""},
	{"union", ""},
};

/* Both tables begin their rows with the name. */
static int compare_name(const void *key, const void *row)
{
	const char *name;
	memcpy(&name, row, sizeof name);
	return strcmp(key, name);
}

enum keyword ndl_tools_keyword(const char *name)
{
	const struct keyword_name *k = bsearch(name, keywords, COUNT(keywords), sizeof *keywords, compare_name);
	if (k)
		return k->keyword;
	return strncmp(name, "x-", 2) == 0 ? K_IGNORED : K_UNKNOWN;
}

/* Python's hints, too: List[int], "int, optional", Optional[float]; and string[]. What stands in brackets is not read. */
const char *ndl_tools_type(const char *name)
{
	static const char optional[] = "Optional[";
	char lower[24];
	if (strncmp(name, optional, sizeof optional - 1) == 0)
		name += sizeof optional - 1;
	size_t n = strcspn(name, "[], ");
	const char *rest = name + n, *last = strrchr(rest, ']');
	if (n >= sizeof lower)
		return NULL;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	lower[n] = '\0';
	const struct type_name *t = bsearch(lower, type_names, COUNT(type_names), sizeof *type_names, compare_name);
	if (last) {
		if (t && strncmp(rest, "[]", 2) == 0)
			return "array";
		rest = last + 1;
	}
	return t && (!*rest || strcmp(rest, ", optional") == 0) ? t->type : NULL;
}

unsigned ndl_tools_type_bit(const char *name)
{
	static const char *const names[] = {"string", "integer", "number", "boolean", "null", "array", "object"};
	for (unsigned i = 0; name && i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	return 0;
}

unsigned ndl_tools_keyword_types(const char *key)
{
	static const struct { const char *key; unsigned bits; } keys[] = {
		{"properties", NDL_TYPE_OBJECT}, {"required", NDL_TYPE_OBJECT}, {"additionalProperties", NDL_TYPE_OBJECT},
		{"items", NDL_TYPE_ARRAY}, {"minItems", NDL_TYPE_ARRAY}, {"maxItems", NDL_TYPE_ARRAY},
		{"uniqueItems", NDL_TYPE_ARRAY}, {"minLength", NDL_TYPE_STRING}, {"maxLength", NDL_TYPE_STRING},
		{"pattern", NDL_TYPE_STRING}, {"format", NDL_TYPE_STRING}, {"minimum", NDL_TYPE_NUMBER},
		{"maximum", NDL_TYPE_NUMBER}, {"exclusiveMinimum", NDL_TYPE_NUMBER}, {"exclusiveMaximum", NDL_TYPE_NUMBER},
		{"multipleOf", NDL_TYPE_NUMBER},
	};
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i].key, key) == 0)
			return keys[i].bits;
	return 0;
}

unsigned ndl_tools_declared_types(const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type");
	unsigned bits = ndl_tools_type_bit(json_string_value(type));
	for (size_t i = 0; i < json_array_size(type); i++)
		bits |= ndl_tools_type_bit(json_string_value(json_array_get(type, i)));
	return bits;
}

json_t *ndl_tools_alternatives(const json_t *schema, const char **key)
{
	json_t *any = json_object_get(schema, "anyOf");
	if (key)
		*key = any ? "anyOf" : "oneOf";
	return any ? any : json_object_get(schema, "oneOf");
}

unsigned ndl_tools_types(const json_t *schema)
{
	unsigned bits = ndl_tools_declared_types(schema);
	const char *key;
	json_t *value, *object = (json_t *)(uintptr_t)schema;
	if (bits)
		return bits;
	json_object_foreach(object, key, value)
		bits |= ndl_tools_keyword_types(key);
	return bits;
}
