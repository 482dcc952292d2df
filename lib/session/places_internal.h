/* places_internal.h - the texts of an ndl_ground, byte by byte: where a value can be in them, and what others took. */
#ifndef NDL_SESSION_PLACES_INTERNAL_H
#define NDL_SESSION_PLACES_INTERNAL_H

#include "session/session_internal.h"

/* Flags of an ndl_ground_byte. */
enum {
	NDL_AT_MAY_START = 1, /* a text may begin with it */
	NDL_AT_MAY_END = 2,   /* one may end before it */
	NDL_AT_NUMBER_START = 4,
	NDL_AT_NUMBER_END = 8,
	NDL_AT_CLOCK_START = 16, /* a time HH:MM begins with it */
	NDL_AT_NEGATIVE = 32,    /* the number that begins with it has a minus before it */
	NDL_AT_PART = 64,        /* it is of a part of a duration, "35 minutes" of "an hour 35 minutes" */
	NDL_AT_WHOLE = 128,      /* it is such a duration */
	NDL_AT_BETWEEN = 256,    /* it lies between two times */
	NDL_AT_CODE = 512,       /* a currency's code begins with it */
	NDL_AT_INSIDE = 1024,    /* no text begins with it or ends before it: it is inside a path or what is quoted */
	NDL_AT_BOUND = 2048,     /* a text that has come as far as here goes on with it */
	NDL_AT_UPPER = 4096,     /* the query has a capital there */
	NDL_AT_COMPOUND = 8192,  /* a number that its digits do not say one by one, "1 1/2" */
};

static inline bool ndl_digit_at(const char *s, size_t i)
{
	return s[i] >= '0' && s[i] <= '9';
}

/* runs.c: flags INSIDE and BOUND in the query, text[0..n). */
void ndl_mark_runs(ndl_ground *g, size_t n);
/* The next place from *at on where value can be under way; false: no more. */
bool ndl_next_place(const ndl_ground *g, size_t *at, enum ndl_copied kind, const char *value, size_t n);
/* Whether a value can end before the byte. */
bool ndl_may_end(const ndl_ground *g, size_t at, enum ndl_copied kind);
/* 1 for a number with a minus, which does not count where it is looked for: the query may say it in words. */
size_t ndl_has_sign(const ndl_copy *c, const char *text);

/* Spans of the query. */
typedef struct ndl_spans {
	ndl_ground_byte span[NDL_GROUND_SPANS];
	size_t n;
	ndl_ground_byte inside; /* what does not lie around this is as if it were taken; to == 0: of no effect */
} ndl_spans;
/* Whether text[at, at + n) has something of the query that is taken. */
bool ndl_is_taken(const ndl_ground *g, const ndl_spans *taken, size_t at, size_t n);
/* Every value takes the first span that it can come from and that none before it took, a number the first that counts what it does. */
void ndl_take(const ndl_ground *g, const ndl_copy *copy, size_t n_copies, const char *text, ndl_spans *taken);
/* taken := what the values of the same call took, and today's date, where it is told for the sake of others. */
void ndl_take_earlier(const ndl_ground *g, const ndl_copies *c, const char *text, ndl_spans *taken);

#endif
