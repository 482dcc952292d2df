/* readings.h - dates, times, quantities and numbers that a query says in words, as arguments spell them: "half past six" is
 * 18:30, "May 3rd, 2027" 2027-05-03, "an hour and a half" 90 (minutes), "twenty-five" 25. English.
 *
 * Where what is asked for is not known here (minutes or seconds?) every reading is given: they are what a value may be, not what
 * it is. Six is in the evening, unless the query has a word for the morning: times.c. */
#ifndef NDL_READINGS_READINGS_H
#define NDL_READINGS_READINGS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a reading may be passed as, and what it is. */
enum {
	NDL_READ_TEXT = 1,
	NDL_READ_NUMBER = 2,
	NDL_READ_CLOCK = 4,    /* a text HH:MM */
	NDL_READ_SURE = 8,     /* more than a number says that it is one */
	NDL_READ_WHOLE = 16,   /* a duration of several parts, "an hour 35 minutes" */
	NDL_READ_PART = 32,    /* one of them that is no number of the query, the 30 of an hour and a half */
	NDL_READ_BETWEEN = 64, /* what lies between two times, "from 2 to 3 pm" */
	NDL_READ_CODE = 128,   /* of a currency */
	NDL_READ_COMPOUND = 256, /* numbers of the query that are inside of it are none by themselves, the 1 and the 5 of "1,5 litres" */
};
/* Units of the numbers of a time of day and of a date, beside those of ndl_unit_id. An hour from 1 to 12 that is the same of 24 is
 * HOUR. */
enum {
	NDL_PART_HOUR = 2,
	NDL_PART_HOUR12 = 4,
	NDL_PART_HOUR24 = 6,
	NDL_PART_MINUTE = 8,
	NDL_PART_DAY = 10,
	NDL_PART_MONTH = 12,
	NDL_PART_YEAR = 14,
};
enum {
	NDL_READING_TEXT = 24,
	NDL_READINGS_MAX = 32 << 10, /* a query that means more is read no further */
};

/* A currency's ISO 4217 code, and a word (singular, lower case) or sign that says it; the list ends with a NULL. */
typedef struct ndl_currency {
	const char *code, *said;
} ndl_currency;
extern const ndl_currency ndl_currencies[];

typedef struct ndl_reading {
	char text[NDL_READING_TEXT]; /* as an argument spells it, without a minus */
	unsigned kinds;              /* what it may be passed as: NDL_READ_ */
	uint16_t unit;               /* ndl_unit_id of what a number counts; 0: the query does not say */
	bool minus;                  /* there is one before it: the number is negative */
	char end;                    /* of a time or a day: 'f' the first, 'l' the last of two, "from 3 to 4 pm", 'x' what
	                              * neither can be; else 0 */
	size_t from, to;             /* the bytes of the query that say it */
} ndl_reading;

/* Zero-initialise. Owned: release with ndl_readings_clear. */
typedef struct ndl_readings {
	ndl_reading *reading;
	size_t n, cap;
	size_t days;               /* from here on the texts are ISO dates, each followed by the numbers of its day, month and year */
	size_t times;              /* from here on times of day as RFC 3339 writes them, 06:30:00Z */
	size_t moments;            /* from here on times on days, 2026-12-01T06:30:00Z and 2026-12-01 06:30:00; midnight, where none is sure */
	int64_t today;             /* as the query states it, or as it is given; 0: unknown */
	size_t told_from, told_to; /* where the query states today's date; to == 0: nowhere */
	bool failed;               /* there was no memory */
} ndl_readings;

/* Whether byte `at` is of what states today's date. */
static inline bool ndl_readings_told(const ndl_readings *r, size_t at)
{
	return at >= r->told_from && at < r->told_to;
}
/* Replaces what r holds. today: ndl_day_number (base/day.h) of the day by which the query says others, where it does not state
 * that itself; 0: unknown, such days are left out. */
ndl_status ndl_readings_find(ndl_readings *r, const char *query, size_t len, int64_t today, ndl_error *err);
void ndl_readings_clear(ndl_readings *r);

/* Whether a mark stands before s[i] that belongs to it alone: "-5", ".5", not "3-5", "0.5". */
bool ndl_mark_before(const char *s, size_t i, char mark);
/* The first number from *at on that wants to be a value: digits with their decimals, or words from two on, no ordinal. It is
 * query[*from, *to), and *at goes behind it; false: there is none. */
bool ndl_next_number(const char *query, size_t len, size_t *at, size_t *from, size_t *to);
/* An odd number for what the word counts: the same for the words of one unit, and for singular and plural. */
uint16_t ndl_unit_id(const char *word, size_t len);
/* What it is a unit of: 't' time, 'v' volume, 'w' weight, 'l' length, 'e' energy, 'a' degrees, '%', '#' thousands and
 * more; 0: none of them. */
char ndl_unit_kind(uint16_t id);
/* *id := what the words of an argument's name count, at most cap; returns how many. */
size_t ndl_units_of_name(const char *name, size_t len, uint16_t *id, size_t cap);
/* 'f' for the name of an argument that is the first of two times or days, "start", "check_in", 'l' for the last; else 0. */
char ndl_end_of_name(const char *name, size_t len);
/* Whether the name of a boolean says no more than that its tool's thing is on: "on", "is_active", "powerState", not "lights_on". */
bool ndl_is_switch_name(const char *name, size_t len);
/* NDL_PART_HOUR for a name such as "hour", "startHour", "hour_of_day", NDL_PART_DAY for "birth_day", and so on; else 0. */
uint16_t ndl_part_of_name(const char *name, size_t len);

enum { NDL_SWITCH_ON = 1, NDL_SWITCH_OFF = 2 };
/* Whether something is to be on, "turn it on", "fan on", "enable", or off: a bit each. */
unsigned ndl_switches_said(const char *query, size_t len);

#endif
