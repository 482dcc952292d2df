/* today.c - days told by a reference date in the query: "today is Tuesday 3 March 2026, a table for next Friday".
 * Weeks begin on Monday. */
#include "synth/values.h"

#include "base/day.h"

#include <string.h>

/* Words ------------------------------------------------------------------------------- */

static void say_ahead(ndl_rng *r, ndl_buf *b, int n)
{
	static const char *const units[] = {"day", "week"};
	static const char *const ends[] = {" from today", " from now", ""};
	int unit = n % 7 == 0 && ndl_rng_chance(r, 0.8), size = unit ? n / 7 : n;
	bool words = ndl_rng_chance(r, 0.5);
	size_t end = ndl_rng_below(r, 6);
	end = end < 2 ? end : 2;
	ndl_buf_str(b, end == 2 ? "in " : "");
	words ? syn_number_words(b, size) : ndl_buf_printf(b, "%d", size);
	ndl_buf_printf(b, " %s%s%s", units[unit], size == 1 ? "" : "s", ends[end]);
}

static void say_offset(ndl_rng *r, ndl_buf *b, int n)
{
	static const char *const near[] = {"the day before yesterday", "yesterday", "today", "tomorrow",
		"the day after tomorrow"};
	if (n >= -2 && n <= 2)
		ndl_buf_str(b, near[n + 2]);
	else if (n > 0)
		n == 7 && ndl_rng_chance(r, 0.3) ? ndl_buf_str(b, "a week today") : say_ahead(r, b, n);
	else
		ndl_buf_printf(b, n % 7 == 0 ? "%d week%s ago" : "%d day%s ago", n % 7 == 0 ? -n / 7 : -n, n == -7 ? "" : "s");
}

static void say_way(ndl_rng *r, ndl_buf *b, enum ndl_day_way way, int n, int64_t today)
{
	switch (way) {
	case NDL_DAY_OFFSET:
		say_offset(r, b, n);
		break;
	case NDL_DAY_COMING:
		if (n > ndl_day_weekday(today))
			ndl_buf_printf(b, "%s%s", ndl_rng_chance(r, 0.5) ? "this " : "", syn_weekday(n));
		else
			ndl_buf_printf(b, "%s%s", ndl_rng_chance(r, 0.3) ? "this coming " : "", syn_weekday(n));
		break;
	case NDL_DAY_NEXT_WEEK:
		ndl_buf_printf(b, ndl_rng_chance(r, 0.8) ? "next %s" : "%s next week", syn_weekday(n));
		break;
	case NDL_DAY_LAST_WEEK:
		ndl_buf_printf(b, ndl_rng_chance(r, 0.8) ? "last %s" : "%s last week", syn_weekday(n));
		break;
	case NDL_DAY_WEEK_ON:
		ndl_buf_printf(b, ndl_rng_chance(r, 0.5) ? "a week on %s" : "a week from %s", syn_weekday(n));
		break;
	case NDL_DAY_OF_NEXT_MONTH:
		n == 1 && ndl_rng_chance(r, 0.5) ? ndl_buf_str(b, "the first") : (ndl_buf_str(b, "the "), syn_ordinal(b, n));
		ndl_buf_str(b, " of next month");
		break;
	case NDL_DAY_LAST_OF_MONTH:
		ndl_buf_printf(b, "the last day of %s month", n ? "next" : ndl_rng_chance(r, 0.5) ? "this" : "the");
		break;
	case NDL_DAY_YEARLY: case NDL_DAY_YEARLY_PAST:
		syn_say_day_month(r, b, n % 100, n / 100, ndl_rng_chance(r, 0.1));
		break;
	case NDL_DAY_OF_MONTH:
		ndl_buf_str(b, "the ");
		syn_ordinal(b, n);
	}
}

/* Choosing ---------------------------------------------------------------------------- */

static int pick_offset(ndl_rng *r)
{
	static const int often[] = {1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 12, 14, 14, 20, 21, 28, 30};
	return often[ndl_rng_below(r, 21)];
}

/* Of a common year, 100 * month + day. */
static int pick_month_day(ndl_rng *r)
{
	int y, m, d;
	ndl_day_parts(ndl_day_number(2025, 1, 1) + ndl_rng_range(r, 0, 364), &y, &m, &d);
	return 100 * m + d;
}

/* A way to say a day, with its number. Ways by weekdays only where that of today was told. */
static enum ndl_day_way pick_way(ndl_rng *r, const syn_today *t, bool past, int *n)
{
	static const enum ndl_day_way ahead[] = {NDL_DAY_OFFSET, NDL_DAY_OFFSET, NDL_DAY_OFFSET, NDL_DAY_OF_MONTH,
		NDL_DAY_OF_NEXT_MONTH, NDL_DAY_LAST_OF_MONTH, NDL_DAY_YEARLY, NDL_DAY_COMING, NDL_DAY_COMING,
		NDL_DAY_COMING, NDL_DAY_NEXT_WEEK, NDL_DAY_NEXT_WEEK, NDL_DAY_NEXT_WEEK, NDL_DAY_WEEK_ON};
	static const enum ndl_day_way back[] = {NDL_DAY_OFFSET, NDL_DAY_OFFSET, NDL_DAY_OFFSET, NDL_DAY_YEARLY_PAST,
		NDL_DAY_LAST_WEEK, NDL_DAY_LAST_WEEK, NDL_DAY_LAST_WEEK};
	enum ndl_day_way way = past ? back[ndl_rng_below(r, t->weekday ? 7 : 4)] : ahead[ndl_rng_below(r, t->weekday ? 14 : 7)];
	int w = ndl_day_weekday(t->day);
	switch (way) {
	case NDL_DAY_OFFSET: *n = past ? -pick_offset(r) : ndl_rng_chance(r, 0.06) ? 0 : pick_offset(r); break;
	case NDL_DAY_OF_MONTH: *n = (int)ndl_rng_range(r, 1, 28); break;
	case NDL_DAY_OF_NEXT_MONTH: *n = ndl_rng_chance(r, 0.3) ? 1 : (int)ndl_rng_range(r, 1, 28); break;
	case NDL_DAY_LAST_OF_MONTH: *n = ndl_rng_chance(r, 0.3); break;
	case NDL_DAY_YEARLY: case NDL_DAY_YEARLY_PAST: *n = pick_month_day(r); break;
	case NDL_DAY_COMING: case NDL_DAY_WEEK_ON: *n = (w + 1 + (int)ndl_rng_below(r, 6)) % 7; break;
	case NDL_DAY_NEXT_WEEK: *n = (int)ndl_rng_below(r, 7); break;
	case NDL_DAY_LAST_WEEK: *n = w + (int)ndl_rng_below(r, (uint64_t)(7 - w)); break; /* not since Monday */
	}
	return way;
}

void syn_day_from_today(const syn_gen *g, const syn_place *p, syn_made *made)
{
	const syn_today *t = &g->today;
	int n = 0, y, m, d;
	int64_t day = -1;
	enum ndl_day_way way = NDL_DAY_OFFSET;
	for (int tries = 0; tries < 40; tries++) {
		bool past = p->tense < 0 || (p->tense == 0 && ndl_rng_chance(g->rng, 0.4));
		way = pick_way(g->rng, t, past, &n);
		day = ndl_day_resolve(way, n, t->day);
		if (day > 0 && (p->near_form != SYN_FULL || (day > (int64_t)p->near && day < (int64_t)p->near + 40)))
			break;
	}
	say_way(g->rng, &made->surface, way, n, t->day);
	ndl_day_parts(day, &y, &m, &d);
	ndl_buf_printf(&made->raw, "\"%04d-%02d-%02d\"", y, m, d);
	made->key = (double)day;
	made->form = SYN_FULL;
	made->has_key = true;
}

/* Telling which day today is ----------------------------------------------------------- */

void syn_pick_today(ndl_rng *r, syn_today *t)
{
	t->day = ndl_rng_range(r, ndl_day_number(2023, 1, 1), ndl_day_number(2030, 12, 31));
	t->weekday = ndl_rng_chance(r, 0.8);
}

void syn_tell_today(ndl_rng *r, ndl_buf *b, const syn_today *t, bool before)
{
	static const char *const first[] = {"today is %s, ", "it's %s, ", "today's %s, ", "it is %s today, ", "(today: %s) ",
		"[%s] ", "given that today is %s, ", "today is %s and ", "Today is %s. ", "It's %s. ", "Today's date: %s. ",
		"Date: %s. ", "Today is %s; "}, *const after[] = {" (today is %s)", " - today is %s", ", today being %s",
		" (it's %s today)", " [today: %s]", ", and today is %s"};
	const char *frame = before ? first[ndl_rng_below(r, 13)] : after[ndl_rng_below(r, 6)];
	const char *at = strstr(frame, "%s"), *name = syn_weekday(ndl_day_weekday(t->day));
	ndl_buf date = NDL_BUF_INIT;
	syn_say_full_date(r, &date, t->day);
	ndl_buf_add(b, frame, (size_t)(at - frame));
	if (t->weekday && ndl_rng_chance(r, 0.85)) {
		ndl_buf_printf(b, "%s%s%s", name, ndl_rng_chance(r, 0.5) ? " " : ", ", ndl_buf_cstr(&date));
	} else {
		ndl_buf_str(b, ndl_buf_cstr(&date));
		if (t->weekday)
			ndl_buf_printf(b, " (%s)", name);
	}
	ndl_buf_str(b, at + 2);
	ndl_buf_clear(&date);
}
