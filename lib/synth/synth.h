/* synth.h - training examples composed from a corpus of tool cards (needle-corpus(5)).
 *
 * Endless and seeded: example i of a seed is the same bytes everywhere. Each is one query, 1 to
 * 16 offered tools in the canonical form of tools.h, and the right calls, [] where no offered
 * tool fits. String arguments that are not enum words or mapped values are spans of the query. */
#ifndef NDL_SYNTH_SYNTH_H
#define NDL_SYNTH_SYNTH_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

typedef struct ndl_synth ndl_synth; /* opaque, owned */

/* What is held out is decided by hashes of names, phrasings and values, never by chance.
 *   ALL       no restriction
 *   TRAIN     no held-out tool, domain, phrasing or value
 *   PHRASING  training tools with held-out phrasings and held-out values
 *   VALUE     training tools and phrasings with held-out values
 *   TOOL      right tools are held-out tools of training domains
 *   DOMAIN    right tools are those of the held-out domains */
enum ndl_synth_split { NDL_SYNTH_ALL, NDL_SYNTH_TRAIN, NDL_SYNTH_PHRASING, NDL_SYNTH_VALUE,
	NDL_SYNTH_TOOL, NDL_SYNTH_DOMAIN };

enum { NDL_SYNTH_TOOLS = 8 }; /* offered at most, unless more or fewer are asked for */

typedef struct ndl_synth_options {
	const char *corpus;    /* folder */
	const char *heldout;   /* file of query hashes that must not come out, or NULL */
	const char *domains;   /* "a,b,c": right tools from these only; NULL: all */
	uint64_t seed;
	enum ndl_synth_split split;
	int max_tools;         /* 1..16; 0: NDL_SYNTH_TOOLS, or as many as there are in tools */
	const char *tools;     /* file with a list of tools of the user's, in any dialect: only these are
	                        * offered, and words and values come from their schemas; or NULL */
} ndl_synth_options;

ndl_synth *ndl_synth_open(const ndl_synth_options *o, ndl_error *err);
void ndl_synth_close(ndl_synth *s);

enum ndl_synth_form {
	NDL_SYNTH_JSONL, /* {"query":…,"tools":[…],"answers":[…],"meta":{…}} */
	NDL_SYNTH_TEXT,  /* query, tools and answers, a line each: to train a vocabulary on */
};

/* Appends the next example, one or three lines with their newlines. */
ndl_status ndl_synth_next(ndl_synth *s, ndl_buf *out, enum ndl_synth_form form, ndl_error *err);

/* The i-th of the user's tools that no request can be made for (it is only offered), NULL past
 * the end. Borrowed. */
const char *ndl_synth_mute(const ndl_synth *s, size_t i);

/* The i-th domain's name, how many tools it has and whether it is held out; NULL past the end. */
const char *ndl_synth_domain(const ndl_synth *s, size_t i, size_t *tools, int *held);

/* Makes n examples and prints what they contain to f, a line "name<TAB>value" each. */
ndl_status ndl_synth_stats(ndl_synth *s, uint64_t n, FILE *f, ndl_error *err);

#endif
