/* card.h - one line of a corpus file into the corpus: a tool card, a lexicon or refusals. */
#ifndef NDL_SYNTH_CARD_H
#define NDL_SYNTH_CARD_H

#include "json/json.h"
#include "synth/corpus.h"

/* domain: the file's name without ".jsonl". 0, or negative with the reason in err. */
ndl_status syn_card_parse(syn_corpus *c, const char *domain, const char *line, size_t len, ndl_error *err);

/* "@int:1-5", "@city" or a lexicon's name into *s: a built-in at once, a list when all files
 * are read. */
ndl_status syn_source_parse(syn_corpus *c, syn_source *s, const char *spec, size_t len, ndl_error *err);

/* The card's "phrases" into t, whose parameters are known already. */
ndl_status syn_phrases_parse(syn_corpus *c, syn_tool *t, json_t *phrases, ndl_error *err);

/* tense.c: which way dates of this parameter ("" for any) of this tool look: bookings ahead (1), logs back (-1),
 * birthdays far back (SYN_LONG_AGO), a query either way (0). */
int syn_tense_of(const char *tool, const char *param);

/* vary.c: sets ph->series and ph->cut. */
void syn_phrase_vary(const syn_tool *t, syn_phrase *ph);

/* j as compact JSON, owned by the corpus; NULL when out of memory. */
const char *syn_json_text(syn_corpus *c, const json_t *j);

/* first (or NULL) and then the strings of the array j (or NULL) into out. */
ndl_status syn_strings_parse(syn_corpus *c, syn_strings *out, const char *first, json_t *j,
	const char *what, ndl_error *err);
/* Are all values of a list of the parameter's type? NDL_EFORMAT names the first that is not. */
ndl_status syn_fits_type(const syn_param *p, const syn_list *l, ndl_error *err);
/* A parameter from its JSON object; nested: a property. */
ndl_status syn_param_parse(syn_corpus *c, syn_param *p, const char *name, json_t *o, bool nested,
	ndl_error *err);
/* Fails with the first key of o that is not in allowed (NULL ends it). */
ndl_status syn_only_keys(json_t *o, const char *const *allowed, const char *what, ndl_error *err);

/* parts.c: lines with "field", "verb" or "object". */
ndl_status syn_part_parse(syn_corpus *c, json_t *o, ndl_error *err);

/* A list from a JSON array of strings, numbers and ["surface", value] pairs. split: hold out
 * a tenth of the copied values. */
ndl_status syn_list_parse(syn_corpus *c, syn_list *l, const char *name, json_t *values, bool split,
	ndl_error *err);

#endif
