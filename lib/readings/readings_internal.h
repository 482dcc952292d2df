/* readings_internal.h - a query as words, numbers and marks, and who reads what in it. */
#ifndef NDL_READINGS_READINGS_INTERNAL_H
#define NDL_READINGS_READINGS_INTERNAL_H

#include "readings/readings.h"

enum {
	NDL_DAY_READINGS = 4, /* of a day: its date and the numbers of that */
	NDL_ITEM_WORD = 12,  /* bytes of a word that can mean something */
	NDL_ITEM_LOOK = 12,  /* items of an expression */
	NDL_ITEM_DIGITS = 9, /* of a number that is read whole: of a longer one these are */
	NDL_READ_UNLIKELY = 1 << 15, /* beside NDL_READ_: of the half of the day that is meant only if another time says so */
};

/* A word, a number or a mark. */
typedef struct ndl_item {
	size_t from, to;
	char word[NDL_ITEM_WORD + 1]; /* in lower case; "" for numbers and long words */
	long number;                  /* -1: none */
	size_t digits;                /* 0: written as a word */
	bool ordinal;
} ndl_item;

/* The items at a place of the query. */
typedef struct ndl_view {
	const char *s;
	size_t len;
	ndl_item it[NDL_ITEM_LOOK];
	size_t n;
	bool minus; /* there is one before the first: numbers are negative */
} ndl_view;

/* items.c: reads the item at *at, behind blanks; false at the end. */
bool ndl_take_item(const char *s, size_t len, size_t *at, ndl_item *x);
/* Whether the text before byte `at` ends in "between" or "between the". */
bool ndl_is_between(const char *s, size_t at);
/* v->it := the items from `at` on. */
void ndl_look(ndl_view *v, size_t at);
/* v->it := the items of the `words` words (between blanks) before `at`; of long ones maybe fewer. */
void ndl_look_back(ndl_view *v, size_t at, size_t words);
/* Whether the item before `at` is one of these words. */
bool ndl_is_behind(const char *s, size_t len, size_t at, const char *const *words, size_t n);
#define NDL_IS_BEHIND(s, len, at, words) ndl_is_behind((s), (len), (at), (words), sizeof (words) / sizeof *(words))
bool ndl_is_word(const ndl_view *v, size_t i, const char *word);
bool ndl_is_any(const ndl_view *v, size_t i, const char *const *words, size_t n);
#define NDL_IS_ANY(v, i, words) ndl_is_any((v), (i), (words), sizeof (words) / sizeof *(words))
/* -1: there is no number up to `most`. */
long ndl_number_at(const ndl_view *v, size_t i, long most);
/* Up to 999,999 in words ("hundred and ten", "twenty-first", too), or digits in groups, at item i: *value, and how many items; 0: none. */
size_t ndl_read_number(const ndl_view *v, size_t i, long *value);

/* units.c */
typedef struct ndl_unit {
	const char *word, *name; /* as it is written, and the unit's one name */
	double size;             /* in the smallest unit of its kind */
	char of;                 /* its kind */
} ndl_unit;
/* The unit that a word says, or NULL. */
const ndl_unit *ndl_unit_find(const char *word);
/* Of each unit of a kind one; *at: 0 to begin with. NULL: no more. */
const ndl_unit *ndl_unit_each(char of, size_t *at);

/* Whether item i is a currency's word, sign or code. */
bool ndl_is_currency(const ndl_view *v, size_t i);
/* Adds the code of the currency that v begins with. */
void ndl_give_currencies(ndl_readings *r, const ndl_view *v);

/* readings.c: adds a reading of the first `items` of v, its text as printf; unit: of a number, else 0. */
void ndl_readings_add(ndl_readings *r, const ndl_view *v, size_t items, unsigned kinds, uint16_t unit, const char *fmt, ...)
	NDL_PRINTF(6, 7);
void ndl_readings_push(ndl_readings *r, const ndl_reading *x);
/* times.c: adds the time of day that v begins with, and what lies between it and another: how many items say that it is a time, 0:
 * none, or a number that may be an hour or not. */
size_t ndl_give_time(ndl_readings *r, const ndl_view *v);
/* quantity.c: adds what the quantity at the beginning of v, if there is one, comes to. Where a duration of several parts ends, "1 hour
 * 35 minutes", or 0; tail: v begins inside of one, or says how often. *number := where the number ends, "two and a half million", or 0. */
size_t ndl_give_quantities(ndl_readings *r, const ndl_view *v, bool tail, size_t *number);
/* Adds what "2:30" comes to that is no time of day, as what stands before or behind it says, in minutes and seconds, or hours and
 * minutes: where it ends; 0: it is none. */
size_t ndl_give_clocked(ndl_readings *r, const ndl_item *before, const ndl_view *v);
/* Whether v begins with a number that its digits do not say one by one: "1,5 litres", "1 1/2", "12 000". */
bool ndl_is_compound(const ndl_view *v);
/* The same of a duration that two times of day have between them. */
void ndl_give_duration(ndl_readings *r, const ndl_view *v, size_t items, double seconds);
/* days.c: adds the dates of a query, and the days that it says by today's date, if it states that or `today` is not 0. */
void ndl_give_days(ndl_readings *r, const char *query, size_t len, int64_t today);
/* ends.c: sets `end` of the times and days that r has, and leaves none that is unlikely. */
void ndl_find_ends(ndl_readings *r, const char *query, size_t len);
/* moments.c: adds times of day, and these on days, of what r has. Where the query has a time that is sure, a mere number is none. */
void ndl_give_moments(ndl_readings *r, const char *query, size_t len);

#endif
