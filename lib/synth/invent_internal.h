/* invent_internal.h - shared by the files that invent tools. Private to them. */
#ifndef NDL_SYNTH_INVENT_INTERNAL_H
#define NDL_SYNTH_INVENT_INTERNAL_H

#include "synth/invent.h"

/* Writes a text into the tool's memory. */
typedef struct syn_pen {
	syn_invented *t;
	size_t start;
} syn_pen;

syn_pen syn_pen_begin(syn_invented *t);
void syn_pen_add_n(syn_pen *p, const char *s, size_t n);
void syn_pen_add(syn_pen *p, const char *s);
/* The text, kept as long as the tool. */
char *syn_pen_finish(syn_pen *p);

const char *syn_pick_string(ndl_rng *r, const syn_strings *s);

/* invent_phrases.c: makes phrase `at` of the tool, whose parameters are there; lacking: see syn_invent. */
void syn_invent_phrase(const syn_corpus *c, ndl_rng *r, syn_invented *t, size_t at, bool lacking);

#endif
