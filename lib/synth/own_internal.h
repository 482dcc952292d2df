/* own_internal.h - shared by the files that read the user's tools. Private to them. */
#ifndef NDL_SYNTH_OWN_INTERNAL_H
#define NDL_SYNTH_OWN_INTERNAL_H

#include "json/json.h"
#include "synth/corpus.h"

enum { SYN_BAG_SIZE = 12, SYN_BAG_TEXT = 200 };

/* A list of strings in the making. */
typedef struct syn_bag {
	syn_corpus *c;
	const char *s[SYN_BAG_SIZE];
	size_t n;
	bool failed;
} syn_bag;

/* Adds one more, if there is room for it. */
void syn_bag_put(syn_bag *b, const char *fmt, ...) NDL_PRINTF(2, 3);
/* False when out of memory. */
bool syn_bag_keep(syn_bag *b, syn_strings *out);
/* "dueDate" or "due_date" as "due date". */
void syn_bag_words(const char *name, char out[SYN_BAG_TEXT]);

/* own_fields.c: the arguments of a tool's schema into o, required ones first. */
ndl_status syn_own_fields(syn_corpus *c, syn_object *o, json_t *schema, ndl_error *err);

#endif
