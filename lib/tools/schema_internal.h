/* schema_internal.h - what the files that bring schemas into normal form share.
 *
 * The normal form of a schema is an object with supported keywords only, or `false` where no value
 * is valid. $ref and allOf are gone (merged); what stands beside anyOf or oneOf has been moved into
 * the alternatives, and alternatives that can be said as one schema are one. Beside an anyOf or
 * oneOf that is left stand description and, for those who only read, type, properties and required
 * of all alternatives taken together. "$again" marks a schema inside itself. */
#ifndef NDL_TOOLS_SCHEMA_INTERNAL_H
#define NDL_TOOLS_SCHEMA_INTERNAL_H

#include "tools/tools_internal.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* A schema that refers to itself is followed so many times inside itself; deeper values of it are
 * not admitted. */
enum { NDL_REF_DEPTH = 3, NDL_REF_ACTIVE = 64 };

struct schema_context {
	const json_t *root; /* what "#/…" refers to */
	int flags;
	size_t nodes, work; /* schemas made; enum values compared */
	int level;          /* properties and items entered */
	int trying;         /* inside an alternative: a contradiction only rules it out */
	struct {
		const json_t *target;
		int level;
	} active[NDL_REF_ACTIVE]; /* references being followed */
	size_t n_active;
	ndl_error *err;
	ndl_error why;      /* why the first `false` came about */
};

/* ---- schema_names.c ---- */
enum keyword {
	K_UNKNOWN, K_IGNORED, K_REFUSED,
	K_TYPE, K_PROPERTIES, K_REQUIRED, K_ENUM, K_CONST, K_ITEMS, K_ADDITIONAL, K_NULLABLE, K_LATER, K_PATTERN, K_UNEVALUATED,
	K_STRING, K_SIZE, K_NUMBER, K_EXCLUSIVE, K_UNIQUE,
};
enum keyword ndl_tools_keyword(const char *name);
/* The JSON-Schema name of a type, "" for any, NULL if there is no such type. */
const char *ndl_tools_type(const char *name);
unsigned ndl_tools_type_bit(const char *name);
/* Types that a keyword is about; 0: all. */
unsigned ndl_tools_keyword_types(const char *key);
/* Types that a schema names; 0: none named. */
unsigned ndl_tools_declared_types(const json_t *schema);

/* ---- schema_take.c: one keyword into the normal form `out`; at is its place ---- */
/* "expected WANT, got …". */
ndl_status ndl_tools_wrong(struct schema_context *c, const struct path *at, const char *want, const json_t *got);
/* An error, unless the schema is read leniently. */
ndl_status ndl_tools_refuse(struct schema_context *c, const struct path *at, const char *why);
/* out[key] := value (moved). */
ndl_status ndl_tools_set(struct schema_context *c, json_t *out, const char *key, json_t *value);
bool ndl_tools_has_string(const json_t *list, const char *text);
/* Adds a type name to the list of types under out.type: one name stays a plain string. */
ndl_status ndl_tools_add_type(struct schema_context *c, json_t *out, const char *type);
/* A type as the user names it; *any: it is the one that admits all. */
ndl_status ndl_tools_take_type_name(struct schema_context *c, json_t *out, const json_t *value, bool *any, const struct path *at);
/* One or a list of them. */
ndl_status ndl_tools_take_type(struct schema_context *c, json_t *out, json_t *value, const struct path *at);
/* Adds the names to the set `required`; a boolean (flat form) goes to *self. */
ndl_status ndl_tools_take_required(struct schema_context *c, json_t *required, bool *self, const json_t *value,
                                   const struct path *at);
/* Turns the set of required names into the list "required", in the order of the properties. A
 * name that is not declared becomes an argument of what additionalProperties says; where that is
 * false it is an error. at: the place of the schema. */
ndl_status ndl_tools_finish_required(struct schema_context *c, json_t *out, json_t *required, const struct path *at);
/* Draft 4 has exclusiveMinimum true beside minimum of `in`; later drafts a number. */
ndl_status ndl_tools_take_exclusive(struct schema_context *c, json_t *out, json_t *in, const char *key, json_t *value,
                                    const struct path *at);
/* Keywords whose value is kept as it is. */
ndl_status ndl_tools_take_plain(struct schema_context *c, json_t *out, const char *key, enum keyword k, json_t *value,
                                const struct path *at);
ndl_status ndl_tools_take_pattern(struct schema_context *c, json_t *out, json_t *value, const struct path *at);

/* ---- schema_merge.c ---- */
/* What satisfies both (new reference, perhaps false). a's description goes before b's. */
json_t *ndl_tools_merge(struct schema_context *c, json_t *a, json_t *b, const struct path *at);
/* false, for a contradiction; an error (NULL) unless an alternative is being tried. */
json_t *ndl_tools_nothing(struct schema_context *c, const struct path *at, const char *why);
/* The names that a schema requires, as the keys of an object (new reference). */
json_t *ndl_tools_required_names(const json_t *schema);
/* Takes out items that no value fits; *nothing: no value fits the whole. */
ndl_status ndl_tools_drop_false(struct schema_context *c, json_t *schema, bool *nothing);
/* Takes out properties that no value fits, once all is merged: until then they say so. */
int ndl_tools_prune(json_t *schema);
/* Sign of a - b, exact for integers. */
int ndl_tools_compare(const json_t *a, const json_t *b);
/* Whether value / step is whole, allowing for decimals that are not exact in binary. */
bool ndl_tools_is_multiple(const json_t *value, const json_t *step);

/* ---- schema_union.c ---- */
/* A schema that admits what one of the normal schemas in the array admits (new reference). exactly:
 * oneOf, an error if a value of one may also be one of another. */
json_t *ndl_tools_union(struct schema_context *c, json_t *list, bool exactly, const struct path *at);
/* Whether no value fits a normal schema: bounds that cross, an enum that the rest forbids. May say no where it is so. */
bool ndl_tools_is_empty(const json_t *schema);

#endif
