/* tools_internal.h - what the files of this room share. */
#ifndef NDL_TOOLS_TOOLS_INTERNAL_H
#define NDL_TOOLS_TOOLS_INTERNAL_H

#include "tools/tools.h"

/* Schemas nest at most this deep, so that code which walks them may recurse. */
enum { NDL_SCHEMA_DEPTH = 32 };
/* Schema nodes of one tool, after $ref expansion (a small schema can expand without end). */
enum { NDL_SCHEMA_NODES = 200000 };

struct tool {
	json_t *given;     /* the element as the user wrote it; owned */
	json_t *holder;    /* the object in it that has the name (given itself, or its "function") */
	const char *key;   /* under which key of holder the name stands */
	const char *name;  /* borrowed from given */
	char *norm;        /* owned */
	size_t next;       /* the number to try for the next tool whose name comes out as norm */
	const char *description; /* borrowed from given, or "" */
	json_t *schema;    /* normalised; owned */
};

struct ndl_tools {
	int flags;
	bool foreign; /* some entries of the list were left out */
	struct tool *tool;
	size_t n, cap;
	json_t *by_name, *by_norm; /* objects: name -> index */
};

/* A place in a JSON value, as a chain on the stack: turned into text only for an error. */
struct path {
	const struct path *up;
	const char *key; /* NULL: index */
	size_t index;
};

/* Fails with "/json/pointer: text" of the place at (no pointer when it is NULL). */
ndl_status ndl_tools_fail_at(ndl_error *err, ndl_status code, const struct path *at, const char *fmt, ...)
	NDL_PRINTF(4, 5);

/* The argument schema of a tool in normal form (new reference): an object with "type":"object",
 * "properties" and, if any are, "required" (in the order of the properties); every nested
 * schema holds only supported keywords, with lower-case JSON-Schema type names. params is what
 * the dialect keeps under its key (NULL: no arguments); at is its place. is_schema: certainly not the flat form.
 * needed: the names of required ones where they stand beside params, or NULL. */
json_t *ndl_tools_normalise(json_t *params, bool is_schema, json_t *needed, int flags, const struct path *at, ndl_error *err);

/* ---- pattern.c: regular expressions as PCRE2 reads them ---- */
/* Whether it is one; else why not. */
bool ndl_tools_check_pattern(const char *pattern, char *why, size_t size);
/* 1 if it matches somewhere in valid UTF-8, 0 if not, -1 if it cannot be told (not an expression,
 * or matching takes too long). */
int ndl_tools_matches(const char *pattern, const char *text, size_t len);

/* Walks a list in any dialect and appends to t. */
ndl_status ndl_tools_collect(ndl_tools *t, json_t *value, int flags, ndl_error *err);
/* Appends one tool; takes nothing over but references. */
ndl_status ndl_tools_add(ndl_tools *t, const struct tool *tool, ndl_error *err);

#endif
