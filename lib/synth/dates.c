/* dates.c - dates, spoken and written, with what they stand for. */
#include "synth/values.h"

#include "base/day.h"

#include <stdio.h>
#include <string.h>

static const char *const months[] = {"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December"};
static const char *const days[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday", "Sunday"};

static const char *pick(ndl_rng *r, const char *const *a, size_t n)
{
	return a[ndl_rng_below(r, n)];
}
#define PICK(r, a) pick((r), (a), sizeof (a) / sizeof *(a))

const char *syn_weekday(int n)
{
	return days[n];
}

/* Writing ----------------------------------------------------------------------------- */

/* Day and month: "3 May", "May 3rd", "the 3rd of May". */
void syn_say_day_month(ndl_rng *r, ndl_buf *b, int d, int m, bool short_names)
{
	char name[16];
	snprintf(name, sizeof name, short_names ? "%.3s" : "%s", months[m - 1]);
	switch (ndl_rng_below(r, 6)) {
	case 0: case 1: ndl_buf_printf(b, "%d %s", d, name); break;
	case 2: ndl_buf_printf(b, "%s %d", name, d); break;
	case 3: ndl_buf_printf(b, "%s ", name); syn_ordinal(b, d); break;
	case 4: ndl_buf_str(b, "the "); syn_ordinal(b, d); ndl_buf_printf(b, " of %s", name); break;
	default: syn_ordinal(b, d); ndl_buf_printf(b, " %s", name);
	}
}

void syn_say_full_date(ndl_rng *r, ndl_buf *b, int64_t day)
{
	int y, m, d;
	double u = ndl_rng_unit(r);
	ndl_day_parts(day, &y, &m, &d);
	if (u < 0.2) {
		ndl_buf_printf(b, "%04d-%02d-%02d", y, m, d);
	} else if (u < 0.3 && d > 12) { /* the day tells itself from the month */
		bool day_first = ndl_rng_chance(r, 0.5);
		ndl_buf_printf(b, "%d/%d/%d", day_first ? d : m, day_first ? m : d, y);
	} else {
		syn_say_day_month(r, b, d, m, ndl_rng_chance(r, 0.2));
		size_t n = b->len;
		bool american = n && (b->data[n - 1] < 'A'); /* "May 3, 2025" */
		ndl_buf_printf(b, american && ndl_rng_chance(r, 0.6) ? ", %d" : " %d", y);
	}
}

static void count_of(ndl_rng *r, ndl_buf *b, int n, const char *unit)
{
	ndl_rng_chance(r, 0.6) ? syn_number_words(b, n) : ndl_buf_printf(b, "%d", n);
	ndl_buf_printf(b, " %s%s", unit, n == 1 ? "" : "s");
}

/* The day n days from today. */
static void say_offset(ndl_rng *r, ndl_buf *b, int n)
{
	static const char *const near[] = {"the day before yesterday", "yesterday", "today", "tomorrow",
		"the day after tomorrow"};
	int size = n < 0 ? -n : n;
	if (size < 2 || (size == 2 && ndl_rng_chance(r, 0.6))) {
		ndl_buf_str(b, near[n + 2]);
		return;
	}
	bool weeks = n % 7 == 0 && ndl_rng_chance(r, 0.8);
	ndl_buf_str(b, n > 0 ? "in " : "");
	count_of(r, b, weeks ? size / 7 : size, weeks ? "week" : "day");
	ndl_buf_str(b, n > 0 ? "" : " ago");
}

/* Dates as said ----------------------------------------------------------------------- */

/* Words for a day near today that say nothing of how near. */
static void vague_day(ndl_rng *r, ndl_buf *b, int tense)
{
	static const char *const ahead[] = {"tonight", "next weekend", "this weekend", "Christmas Eve",
		"New Year's Day", "Boxing Day", "Halloween"};
	static const char *const behind[] = {"last night", "last weekend", "this morning"};
	static const char *const coming[] = {"next ", "next ", "this ", ""};
	if (ndl_rng_chance(r, 0.25))
		ndl_buf_str(b, tense > 0 ? PICK(r, ahead) : PICK(r, behind));
	else
		ndl_buf_printf(b, "%s%s", tense > 0 ? PICK(r, coming) : "last ", PICK(r, days));
}

static int pick_offset(ndl_rng *r, int tense)
{
	static const int near[] = {0, 1, 1, 1, 2};
	int n = ndl_rng_chance(r, 0.6) ? near[ndl_rng_below(r, 5)] : (int)ndl_rng_range(r, 2, 9)
		* (ndl_rng_chance(r, 0.6) ? 1 : 7);
	return tense < 0 ? -n : n;
}

/* The form that a date takes: that of the date it goes with, if there is one. */
static enum syn_form pick_form(ndl_rng *r, const syn_place *p)
{
	double u = ndl_rng_unit(r);
	if (p->near_form != SYN_VAGUE)
		return p->near_form;
	if (p->tense == SYN_LONG_AGO)
		return u < 0.2 ? SYN_OF_YEAR : SYN_FULL;
	return u < 0.22 ? SYN_VAGUE : u < 0.45 ? SYN_OFFSET : u < 0.7 ? SYN_OF_YEAR : u < 0.75 ? SYN_OF_MONTH : SYN_FULL;
}

/* How many days lie between two dates of one call. */
static int64_t gap(ndl_rng *r)
{
	return ndl_rng_chance(r, 0.85) ? ndl_rng_range(r, 1, 21) : ndl_rng_range(r, 22, 500);
}

static int64_t pick_full(ndl_rng *r, const syn_place *p)
{
	static const int first[] = {1938, 2018, 2016, 2024}, last[] = {2014, 2026, 2029, 2029};
	int at = p->tense - SYN_LONG_AGO;
	if (p->near_form == SYN_FULL)
		return (int64_t)p->near + gap(r);
	return ndl_rng_range(r, ndl_day_number(first[at], 1, 1), ndl_day_number(last[at], 12, 31));
}

/* Of a year without a 29 February: its day 0 to 364. */
static int pick_of_year(ndl_rng *r, const syn_place *p)
{
	int64_t day = p->near_form == SYN_OF_YEAR ? (int64_t)p->near + ndl_rng_range(r, 1, 14) : ndl_rng_range(r, 0, 364);
	return day > 364 ? 364 : (int)day;
}

static int pick_of_month(ndl_rng *r, const syn_place *p)
{
	int64_t day = p->near_form == SYN_OF_MONTH ? (int64_t)p->near + ndl_rng_range(r, 1, 9) : ndl_rng_range(r, 1, 31);
	return day > 31 ? 31 : (int)day;
}

void syn_date(const syn_gen *g, const syn_place *p, syn_made *made)
{
	ndl_rng *r = g->rng;
	ndl_buf *b = &made->surface;
	int tense = p->tense ? p->tense : ndl_rng_chance(r, 0.5) ? 1 : -1, y, m, d;
	made->form = pick_form(r, p);
	made->has_key = made->form != SYN_VAGUE;
	switch (made->form) {
	case SYN_VAGUE:
		vague_day(r, b, tense);
		break;
	case SYN_OFFSET:
		made->key = p->near_form == SYN_OFFSET ? p->near + (double)ndl_rng_range(r, 1, 9) : pick_offset(r, tense);
		if (tense < 0 && made->key > 0)
			made->key = 0;
		say_offset(r, b, (int)made->key);
		break;
	case SYN_OF_YEAR:
		made->key = pick_of_year(r, p);
		ndl_day_parts(ndl_day_number(2025, 1, 1) + (int64_t)made->key, &y, &m, &d);
		syn_say_day_month(r, b, d, m, ndl_rng_chance(r, 0.1));
		break;
	case SYN_OF_MONTH:
		made->key = pick_of_month(r, p);
		ndl_buf_str(b, "the ");
		syn_ordinal(b, (int)made->key);
		break;
	case SYN_FULL:
		made->key = (double)pick_full(r, p);
		syn_say_full_date(r, b, (int64_t)made->key);
	}
}

void syn_date_iso(const syn_gen *g, const syn_place *p, syn_made *made)
{
	int y, m, d;
	if (p->as_said) {
		syn_date(g, p, made);
		return;
	}
	if (g->today.day && p->tense != SYN_LONG_AGO) {
		syn_day_from_today(g, p, made);
		return;
	}
	made->key = (double)pick_full(g->rng, p);
	made->form = SYN_FULL;
	made->has_key = true;
	syn_say_full_date(g->rng, &made->surface, (int64_t)made->key);
	ndl_day_parts((int64_t)made->key, &y, &m, &d);
	ndl_buf_printf(&made->raw, "\"%04d-%02d-%02d\"", y, m, d);
}

/* Dates with times -------------------------------------------------------------------- */

/* A day that goes with any time: not "tonight", which "at 6 am" would contradict. */
static void day_of_datetime(const syn_gen *g, const syn_place *p, syn_made *made)
{
	for (int tries = 0; tries < 20; tries++) {
		ndl_buf_reset(&made->surface);
		syn_date(g, p, made);
		const char *s = ndl_buf_cstr(&made->surface);
		if (!strstr(s, "night") && !strstr(s, "morning") && !strstr(s, "weekend"))
			break;
	}
}

/* "3 pm on Friday", but "3 pm tomorrow", "3 pm next Friday". */
static bool takes_on(const char *day)
{
	return strchr("JFMASONDTWBHC0123456789", day[0]) || (strncmp(day, "the ", 4) == 0 && day[4] >= '0' && day[4] <= '9');
}

void syn_datetime(const syn_gen *g, const syn_place *p, syn_made *made)
{
	ndl_rng *r = g->rng;
	ndl_buf *b = &made->surface;
	syn_made time = {0};
	double u = ndl_rng_unit(r);
	if (u < 0.06 && p->tense >= 0) {
		int n = (int)ndl_rng_range(r, 2, 12);
		ndl_buf_printf(b, "in %d hours", n);
		return;
	}
	if (u < 0.12 && p->tense >= 0) {
		static const char *const vague[] = {"tonight", "tomorrow morning",
			"tomorrow evening", "this afternoon", "tomorrow at noon",
			"Friday afternoon", "first thing tomorrow", "Sunday evening",
			"Monday morning"};
		ndl_buf_str(b, PICK(r, vague));
		return;
	}
	syn_time(g, p, &time);
	const char *clock = ndl_buf_cstr(&time.surface);
	if (u < 0.2 && p->tense >= 0) {
		bool late = time.key >= 17 * 60 && ndl_rng_chance(r, 0.5);
		ndl_buf_printf(b, "%s at %s", late ? "tonight" : "tomorrow", clock);
	} else if (u < 0.3) {
		day_of_datetime(g, p, made);
		ndl_buf b2 = NDL_BUF_INIT; /* time first: "3 pm on Friday" */
		ndl_buf_printf(&b2, "%s%s %s", clock, takes_on(ndl_buf_cstr(b)) ? " on" : "", ndl_buf_cstr(b));
		ndl_buf_reset(b);
		ndl_buf_str(b, ndl_buf_cstr(&b2));
		ndl_buf_clear(&b2);
	} else {
		static const char *const between[] = {" at ", " at ", " at ", " at ", " at ", ", ", " "};
		day_of_datetime(g, p, made);
		ndl_buf_printf(b, "%s%s", PICK(r, between), clock);
	}
	made->has_key = false;
	syn_made_clear(&time);
}
