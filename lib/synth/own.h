/* own.h - tools of the user's made into objects that requests can be composed for: what a value
 * may be is guessed from names, descriptions and types, wordings come from names and
 * descriptions. Private to this room. */
#ifndef NDL_SYNTH_OWN_H
#define NDL_SYNTH_OWN_H

#include "synth/corpus.h"
#include "tools/tools.h"

/* Appends an object for each tool of t to the corpus, which must be loaded. */
ndl_status syn_own_add(syn_corpus *c, const ndl_tools *t, ndl_error *err);

/* guess.c: where values of this argument may come from, and how it is said behind a request
 * ("in {}"); *adverbs is NULL-terminated, borrowed. schema is of a string, integer or number. */
void syn_guess(syn_corpus *c, const char *name, const char *description, const json_t *schema,
	enum syn_type type, syn_source *out, const char *const **adverbs);

#endif
