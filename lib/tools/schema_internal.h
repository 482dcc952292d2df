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
	size_t nodes;
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

/* ---- schema_merge.c ---- */
/* What satisfies both (new reference, perhaps false). a's description goes before b's. */
json_t *ndl_tools_merge(struct schema_context *c, json_t *a, json_t *b, const struct path *at);
/* false, for a contradiction; an error (NULL) unless an alternative is being tried. */
json_t *ndl_tools_nothing(struct schema_context *c, const struct path *at, const char *why);
/* Takes out properties and items that no value fits; *nothing: no value fits the whole. */
ndl_status ndl_tools_drop_false(struct schema_context *c, json_t *schema, bool *nothing);
/* Sign of a - b, exact for integers. */
int ndl_tools_compare(const json_t *a, const json_t *b);
/* Whether value / step is whole, allowing for decimals that are not exact in binary. */
bool ndl_tools_is_multiple(const json_t *value, const json_t *step);
bool ndl_tools_is_listed(const json_t *list, const json_t *value);

/* ---- schema_union.c ---- */
/* A schema that admits what one of the normal schemas in the array admits (new reference). exactly:
 * oneOf, an error if a value of one may also be one of another. */
json_t *ndl_tools_union(struct schema_context *c, json_t *list, bool exactly, const struct path *at);

#endif
