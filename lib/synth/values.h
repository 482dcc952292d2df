/* values.h - values as people say them, with the JSON that they stand for. */
#ifndef NDL_SYNTH_VALUES_H
#define NDL_SYNTH_VALUES_H

#include "base/buf.h"
#include "base/rng.h"
#include "synth/corpus.h"

/* Which values may come: any, those for training, or the held-out tenth. */
enum syn_class { SYN_ANY, SYN_TRAIN, SYN_HELD };

/* Lists that set the tone; any may be NULL. */
typedef struct syn_style {
	const syn_list *opening;       /* "hey, " before anything */
	const syn_list *verb_opening;  /* "can you " before an imperative */
	const syn_list *ending;        /* ", thanks" after anything */
	const syn_list *verb_ending;   /* ", please" after an imperative */
	const syn_list *verbs;         /* words that begin an imperative */
	const syn_list *join;          /* " and " between two requests */
	const syn_list *join_sentence; /* ". Also, " */
	const syn_list *context;       /* "My cousin Ann passed her exam." before or after a request */
	const syn_list *context_after; /* "No rush." after it */
} syn_style;

/* The day that the query says is today, and whether it says which weekday that is. */
typedef struct syn_today {
	int64_t day; /* see dates.c; 0: it says nothing */
	bool weekday;
} syn_today;

typedef struct syn_gen {
	const syn_corpus *corpus;
	ndl_rng *rng;
	enum syn_class cls;
	const syn_list *made_up; /* "@made_up", or NULL */
	syn_style style;
	syn_today today;         /* of this example */
} syn_gen;

/* How a date was said. Of two that were said in one way the earlier one is known: their keys are days from
 * today, of a year, of a month, or of all time. Of vague ones ("next weekend") nothing is. */
enum syn_form { SYN_VAGUE, SYN_OFFSET, SYN_OF_YEAR, SYN_OF_MONTH, SYN_FULL };

/* What the place asks of the value. */
typedef struct syn_place {
	enum syn_type type; /* of the argument (or of one item) */
	bool words;         /* numbers may be spelled out */
	bool as_said;       /* dates and times: the argument is what was said, not ISO */
	bool plain;         /* an item of a list: no comma, no "and" */
	int tense;          /* dates: -1 past, 0 any, 1 future, SYN_LONG_AGO */
	enum syn_form near_form; /* dates: that of another in the same call, which this comes after */
	double near;        /* its key */
} syn_place;

/* A value: `surface` is what the query says. raw is its JSON, or empty: the argument is the
 * surface itself. key orders values of one kind (start before end), where has_key. */
typedef struct syn_made {
	ndl_buf surface, raw;
	double key;
	bool has_key;
	enum syn_form form;    /* of dates */
} syn_made;

void syn_made_clear(syn_made *m);
void syn_made_reset(syn_made *m); /* nothing made yet; keeps the memory */

/* Makes a value from src into m (reset first). Out of memory shows in m's buffers. */
void syn_generate(const syn_gen *g, const syn_source *src, const syn_place *place, syn_made *m);

/* One value of a list, its placeholders filled. */
void syn_say_value(const syn_gen *g, const syn_value *v, syn_made *m);

/* words.c: numbers and made-up words. */
void syn_number_words(ndl_buf *out, long n);  /* 0 <= n < 10^9: "twenty-five" */
void syn_ordinal(ndl_buf *out, int n);        /* "3rd" */
void syn_made_up_word(ndl_rng *r, ndl_buf *out, int syllables);
void syn_trim_number(ndl_buf *out, double x); /* "2.5", "3" */

/* when.c: times and durations, spoken and written, with what they stand for. */
void syn_time(const syn_gen *g, const syn_place *p, syn_made *m);      /* as said */
void syn_time24(const syn_gen *g, const syn_place *p, syn_made *m);    /* "HH:MM" */
/* unit 0: as said; 60 minutes, 1 seconds as a number. */
void syn_duration(const syn_gen *g, const syn_place *p, int unit, syn_made *m);

/* dates.c */
const char *syn_weekday(int n); /* 0: Monday */
void syn_say_day_month(ndl_rng *r, ndl_buf *b, int d, int m, bool short_names);
void syn_say_full_date(ndl_rng *r, ndl_buf *b, int64_t day);
void syn_date(const syn_gen *g, const syn_place *p, syn_made *m);      /* as said */
void syn_date_iso(const syn_gen *g, const syn_place *p, syn_made *m);  /* "YYYY-MM-DD" */
void syn_datetime(const syn_gen *g, const syn_place *p, syn_made *m);

/* today.c */
/* A day said by g->today, whose value is its ISO date. */
void syn_day_from_today(const syn_gen *g, const syn_place *p, syn_made *m);
void syn_pick_today(ndl_rng *r, syn_today *t);
/* "today is Tuesday 3 March 2026, " before a request, " (today is 2026-03-03)" after it. */
void syn_tell_today(ndl_rng *r, ndl_buf *b, const syn_today *t, bool before);

#endif
