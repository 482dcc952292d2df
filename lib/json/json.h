/* json.h - JSON read by jansson, written by us.
 *
 * Writing is ours because prompts must repeat the training text byte for byte: Python's
 * json.dumps(x, separators=(",", ":")), whose floats jansson prints differently. Values are
 * jansson's json_t with jansson's reference counting; key order is insertion order. */
#ifndef NDL_JSON_JSON_H
#define NDL_JSON_JSON_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Parses len bytes as one JSON value (any type, UTF-8, no NUL, no duplicate keys, nesting at
 * most 2048). New reference, or NULL with line and column of the fault in err. */
json_t *ndl_json_parse(const char *text, size_t len, ndl_error *err);

/* A JSON file, possibly compressed. New reference. */
json_t *ndl_json_load(const char *path, ndl_error *err);

enum {
	NDL_JSON_ASCII = 1, /* non-ASCII as \uXXXX (Python's ensure_ascii); default is UTF-8 as is */
};

/* Appends value compactly: no spaces, insertion order, floats as Python's repr. NULL, what could not be made for want of memory,
 * makes the buffer fail. */
void ndl_json_write(ndl_buf *out, const json_t *value, int flags);

/* Appends text as a JSON string with its quotes. text must be valid UTF-8. */
void ndl_json_write_string(ndl_buf *out, const char *text, size_t len, int flags);

/* Appends "/key" as a JSON Pointer has it (RFC 6901): ~ as ~0, / as ~1. */
void ndl_json_pointer_add(ndl_buf *out, const char *key);

/* Appends a finite double as Python's repr prints it ("0.1", "1e+16", "1.5e-07", "3.0"). */
void ndl_json_write_double(ndl_buf *out, double x);

/* What the object says under the key (borrowed), NULL for null, too: jq writes it for what is absent. */
json_t *ndl_json_get(const json_t *object, const char *key);

/* `value` itself if it is not a string, else the JSON that the string holds (both forms of
 * tools and answers occur in data). New reference, or NULL with err. */
json_t *ndl_json_unwrap(json_t *value, ndl_error *err);

/* Deep equality in which 1 equals 1.0. */
int ndl_json_equal(const json_t *a, const json_t *b);
/* Whether an item of the list (NULL: an empty one) is equal to value in that way. */
bool ndl_json_has(const json_t *list, const json_t *value);

/* "an array", "a string", ... for messages. */
const char *ndl_json_type_name(const json_t *value);

#endif
