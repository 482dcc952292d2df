/* synth_internal.h - the generator's state. Private to this room and its tests. */
#ifndef NDL_SYNTH_SYNTH_INTERNAL_H
#define NDL_SYNTH_SYNTH_INTERNAL_H

#include "data/heldout.h"
#include "synth/compose.h"
#include "synth/hashset.h"
#include "synth/invent.h"
#include "synth/own.h"
#include "synth/synth.h"

enum { SYN_POOL = 24 };

struct ndl_synth {
	syn_corpus corpus;
	uint64_t seed, next_stream;
	enum ndl_synth_split split;
	size_t max_tools;
	ndl_rng rng;
	syn_gen gen;
	const syn_tool **target;   /* what may be the right tool */
	size_t n_targets;
	const syn_tool **dated;    /* of these, those with dates that may be ISO */
	size_t n_dated;
	const syn_domain **about;  /* whose refusals may come */
	size_t n_about;
	ndl_heldout *heldout;      /* NULL: none */
	bool invents;              /* tools that no card describes may come */
	ndl_tools *own;            /* the user's: only they come; NULL: none */
	size_t first_object;       /* of those to invent from */
	syn_set said;              /* queries for them, so that few come twice */
	syn_domain invented;       /* their domain, of which only the name is set */
	syn_voice voice;           /* of this example's invented tools */
	syn_invented pool[SYN_POOL];
	size_t n_pool;
	syn_example e;
};

/* The next example into s->e. */
ndl_status syn_make(ndl_synth *s, ndl_error *err);

#endif
