/* tools.h - tool lists: every dialect in, one canonical form out (SPEC sections 4 and 7).
 *
 * Canonical form, the one models are trained on (Needle flat, compact, UTF-8):
 *   [{"name":"get_weather","description":"…","parameters":{"location":{"type":"string",
 *     "description":"…","required":true},"unit":{"type":"string","enum":["c","f"]}}},…]
 * Keys stand in this order: name, description, parameters; and per argument type, description,
 * required, then where the schema has them enum, items, properties, format, minimum, maximum.
 * Every token of a prompt costs time, so nothing is said twice or said to be absent:
 * `"required":true` stands only where it is true (an optional argument has no "required"), an
 * empty description and an unknown type are left out, `const` is rendered as an enum of one,
 * `"parameters"` is always there, as {} if there are none. The arguments of nested objects
 * ("properties") and the "items" of arrays have the same form. Arguments keep their order.
 *
 * Dialects read: Needle flat ({"arg":{"type":…,"required":true}} or {"arg":"string"}), JSON
 * Schema "parameters", OpenAI chat and Responses, Anthropic, MCP (also a whole tools/list
 * response), Gemini functionDeclarations, LangChain's "title" form, Bedrock toolSpec, and
 * Python-ish type names (dict, float, tuple, …) as some benchmarks use.
 *
 * Schemas: keywords that only annotate are dropped. A keyword that would constrain values and is
 * not supported (or not known) is an error that names it by JSON Pointer: better no answer than
 * an invalid one. NDL_TOOLS_LENIENT drops these too, and takes an unknown type for any type.
 * Supported: type (also a list), nullable, properties, required, additionalProperties, enum,
 * const, items, minItems, maxItems, uniqueItems (of scalars), minLength, maxLength, pattern,
 * format (date, time, date-time, email, uri, uuid, ipv4; others are shown to the model only),
 * minimum, maximum, exclusive…, multipleOf, anyOf, oneOf (of alternatives that can be told apart),
 * allOf, unevaluatedProperties, and local $ref, also recursive: three times inside itself. */
#ifndef NDL_TOOLS_TOOLS_H
#define NDL_TOOLS_TOOLS_H

#include "base/buf.h"
#include "base/error.h"
#include "json/json.h"

#include <stdbool.h>

typedef struct ndl_tools ndl_tools; /* opaque, owned, immutable */

enum {
	NDL_TOOLS_LENIENT = 1, /* ignore types and validation keywords that are not supported */
};

/* From a parsed JSON value: an array of tools, or a wrapper that holds one. Messages carry a
 * path such as "tools[2].parameters: expected an object". NULL on failure. What a provider runs itself, {"type":"web_search"}, is
 * left out: then err has a text that says so, with the code NDL_OK. */
ndl_tools *ndl_tools_new(json_t *value, int flags, ndl_error *err);
void ndl_tools_free(ndl_tools *t);

size_t ndl_tools_count(const ndl_tools *t);
const char *ndl_tools_name(const ndl_tools *t, size_t i);      /* as the user wrote it */
const char *ndl_tools_norm_name(const ndl_tools *t, size_t i); /* snake_case, unique in the list */
const char *ndl_tools_description(const ndl_tools *t, size_t i); /* "" if none */
json_t *ndl_tools_given(const ndl_tools *t, size_t i); /* the element of the list as the user wrote it; borrowed */
/* Index of the tool with this original (or, failing that, normalised) name, or -1. */
long ndl_tools_find(const ndl_tools *t, const char *name);
/* Of the one with this normalised name, of len bytes, or -1. */
long ndl_tools_find_norm(const ndl_tools *t, const char *name, size_t len);
/* JSON-Schema object of the tool's arguments ({"type":"object","properties":…,"required":[…]}),
 * whatever the dialect it came in. Borrowed. */
json_t *ndl_tools_schema(const ndl_tools *t, size_t i);

/* Flags as given to ndl_tools_new. */
int ndl_tools_flags(const ndl_tools *t);

/* Types of JSON Schema as bits. */
enum {
	NDL_TYPE_STRING = 1, NDL_TYPE_INTEGER = 2, NDL_TYPE_NUMBER = 4, NDL_TYPE_BOOLEAN = 8, NDL_TYPE_NULL = 16,
	NDL_TYPE_ARRAY = 32, NDL_TYPE_OBJECT = 64,
};
/* The types that a (normalised) schema names, or, without any, those that its keywords are about;
 * 0: any type. */
unsigned ndl_tools_types(const json_t *schema);
/* The alternatives of a (normalised) schema, borrowed, and in *key, which may be NULL, whether they are its "anyOf" or its "oneOf";
 * NULL if it has none. */
json_t *ndl_tools_alternatives(const json_t *schema, const char **key);
/* The regular expression of what a format admits; NULL (also for NULL) if it is not enforced. */
const char *ndl_tools_format_pattern(const char *format);

/* What holds a call's name and arguments (borrowed): its "function", as in OpenAI's tool_calls, or the call itself. */
json_t *ndl_tools_call(json_t *call);
/* The arguments of a call (new reference): an object, or a string that holds one as JSON, as OpenAI's calls do; {} where
 * there are none. NULL with err. */
json_t *ndl_tools_arguments(const json_t *call, ndl_error *err);
/* Whether call, {"name":…,"arguments":{…}} with an original or normalised name, is one that the
 * schemas allow. 0, or NDL_ENOTFOUND for an unknown tool, NDL_EINVAL with a path for the rest. */
ndl_status ndl_tools_check_call(const ndl_tools *t, const json_t *call, ndl_error *err);
/* Whether value satisfies a (normalised) schema as given by ndl_tools_schema. */
ndl_status ndl_tools_check_value(const json_t *schema, const json_t *value, ndl_error *err);

/* Whether a (normalised) schema lists null beside other types: what is required and may be null need not be said. */
bool ndl_tools_is_nullable(const json_t *schema);
/* Gives a call null for each such argument of its tool that it does not have. */
ndl_status ndl_tools_fill_nulls(const ndl_tools *t, json_t *call, ndl_error *err);

/* Appends the prompt text of the whole list, or of the `n` tools in `subset` in that order
 * (subset NULL: all). ascii_tools as in ndl_config: 0 = canonical flat, UTF-8;
 * 1 = the given JSON with names normalised, ASCII-escaped. */
void ndl_tools_render(const ndl_tools *t, ndl_buf *out, const size_t *subset, size_t n, int ascii_tools);
/* One tool's compact JSON alone (the text that the contrastive head embeds). */
void ndl_tools_render_one(const ndl_tools *t, ndl_buf *out, size_t i, int ascii_tools);

/* snake_case of SPEC section 4: "getUserName" -> "get_user_name", "ABCDef" -> "abc_def". */
void ndl_tools_snake_case(ndl_buf *out, const char *name, size_t len);

#endif
