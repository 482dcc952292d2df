/* tools.h - tool lists: every dialect in, one canonical form out (SPEC sections 4 and 7).
 *
 * Canonical form, the one models are trained on (Needle flat):
 *   [{"name":"get_weather","description":"…","parameters":{"location":{"type":"string",
 *     "description":"…","required":true},…}},…] */
#ifndef NDL_TOOLS_TOOLS_H
#define NDL_TOOLS_TOOLS_H

#include "base/buf.h"
#include "base/error.h"
#include "json/json.h"

#include <stdbool.h>

typedef struct ndl_tools ndl_tools; /* opaque, owned, immutable */

enum {
	NDL_TOOLS_LENIENT = 1, /* ignore validation keywords that are not supported, do not refuse */
};

/* From a parsed JSON value: an array of tools, or a wrapper that holds one. Messages carry a
 * path such as "tools[2].parameters: expected an object". NULL on failure. */
ndl_tools *ndl_tools_new(json_t *value, int flags, ndl_error *err);
void ndl_tools_free(ndl_tools *t);

size_t ndl_tools_count(const ndl_tools *t);
const char *ndl_tools_name(const ndl_tools *t, size_t i);      /* as the user wrote it */
const char *ndl_tools_norm_name(const ndl_tools *t, size_t i); /* snake_case, unique in the list */
const char *ndl_tools_description(const ndl_tools *t, size_t i); /* "" if none */
/* Index of the tool with this original (or, failing that, normalised) name, or -1. */
long ndl_tools_find(const ndl_tools *t, const char *name);
/* JSON-Schema object of the tool's arguments ({"type":"object","properties":…,"required":[…]}),
 * whatever the dialect it came in. Borrowed. */
json_t *ndl_tools_schema(const ndl_tools *t, size_t i);

/* Appends the prompt text of the whole list, or of the `n` tools in `subset` in that order
 * (subset NULL: all). ascii_tools as in ndl_config: 0 = canonical flat, UTF-8;
 * 1 = the given JSON with names normalised, ASCII-escaped. */
void ndl_tools_render(const ndl_tools *t, ndl_buf *out, const size_t *subset, size_t n, int ascii_tools);
/* One tool's compact JSON alone (the text that the contrastive head embeds). */
void ndl_tools_render_one(const ndl_tools *t, ndl_buf *out, size_t i, int ascii_tools);

/* snake_case of SPEC section 4: "getUserName" -> "get_user_name", "ABCDef" -> "abc_def". */
void ndl_tools_snake_case(ndl_buf *out, const char *name, size_t len);

#endif
