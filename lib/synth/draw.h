/* draw.h - what the kinds of example are made of, drawn by chance. Private to this room. */
#ifndef NDL_SYNTH_DRAW_H
#define NDL_SYNTH_DRAW_H

#include "synth/synth_internal.h"

/* Share of right tools that are invented. */
#define SYN_INVENTED_SHARE 0.085

/* May t be the right tool in this split? May it be offered at all? */
bool syn_is_target(const ndl_synth *s, const syn_tool *t);
bool syn_may_offer(const ndl_synth *s, const syn_tool *t);
const syn_domain *syn_domain_of(const ndl_synth *s, const syn_tool *t);

/* Of those that the split allows. */
const syn_phrase *syn_pick_phrase(ndl_synth *s, const syn_tool *t);
const char *syn_pick_refusal(ndl_synth *s, const syn_domain *d);

/* A new tool of this object into the pool; NULL if it did not work out. */
syn_invented *syn_invent_new(ndl_synth *s, const syn_object *object, bool lacking);
/* A right tool, an invented one with this chance; lacking: its phrases lack an argument. NULL: not
 * this time. */
const syn_tool *syn_draw_target(ndl_synth *s, double invented, bool lacking);

bool syn_offered(const syn_example *e, const syn_tool *t);
/* Offers t in some wording; ph: its phrase, if it is right. */
void syn_offer_tool(ndl_synth *s, syn_example *e, const syn_tool *t, const syn_phrase *ph);
/* How many tools to offer, `least` or more. */
size_t syn_pick_total(ndl_synth *s, size_t least);
/* Adds tools that are not the answer until there are total: siblings of `near` with chance p, else
 * any; missing: the tool that is asked for and not there. */
void syn_add_distractors(ndl_synth *s, syn_example *e, size_t total, const syn_domain *near, double p,
	const syn_tool *missing);
void syn_shuffle_offers(ndl_synth *s, syn_example *e);

/* context.c: a sentence before a request. */
void syn_context_before(ndl_synth *s, syn_example *e);
/* Sentences before and after it, 40 to some 75 words in all; request adds the request. */
void syn_paragraph(ndl_synth *s, syn_example *e, void (*request)(ndl_synth *s, syn_example *e));

/* dated.c: has the tool a date that its description can ask to be ISO? */
bool syn_may_be_dated(const syn_tool *t);
/* A request with a day said by today's date, which the query tells. */
void syn_make_dated(ndl_synth *s, syn_example *e);

/* kinds.c: adds one call with its tool offered and its words at the end of the query. */
void syn_add_call(ndl_synth *s, syn_example *e, const syn_tool *t, const syn_phrase *ph, enum syn_how how);
/* After "text. " the words of a segment usually begin with a capital. */
void syn_capitalise(ndl_synth *s, syn_example *e, size_t seg);

/* several.c: n requests; one with several values in a slot, a call each. */
void syn_make_several(ndl_synth *s, syn_example *e, size_t n);
void syn_make_series(ndl_synth *s, syn_example *e);

/* kinds.c: does a request for one of the user's tools come out valid, in a few tries? */
bool syn_can_ask(ndl_synth *s, const syn_object *o);

#endif
