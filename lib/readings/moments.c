/* moments.c - times and days as RFC 3339 writes them, alone and joined: "tomorrow at half past six" is 2026-12-01T18:30:00Z, where
 * tomorrow is known. In UTC: queries do not say where they are meant. */
#include "readings/readings_internal.h"

#include "base/day.h"

#include <stdio.h>
#include <string.h>

enum { LOOK = 64 }; /* times and days of a query that are joined: more do not mean anything */

static size_t distance(const ndl_reading *a, const ndl_reading *b)
{
	return a->from >= b->to ? a->from - b->to : b->from >= a->to ? b->from - a->to : 0;
}

/* The day, of those that r has, that is told nearest to a time; NULL: there is none. */
static const ndl_reading *nearest_day(const ndl_readings *r, const ndl_reading *time)
{
	const ndl_reading *best = NULL;
	for (size_t i = r->days; i < r->times && i < r->days + NDL_DAY_READINGS * LOOK; i += NDL_DAY_READINGS) {
		const ndl_reading *x = &r->reading[i];
		if (!ndl_readings_told(r, x->from) && (!best || distance(x, time) < distance(best, time)))
			best = x;
	}
	return best;
}

/* With a T and with a blank. */
static void give_moment(ndl_readings *r, const ndl_reading *said, const char *day, const char *time)
{
	ndl_reading x = {.kinds = NDL_READ_TEXT, .from = said->from, .to = said->to, .end = said->end};
	snprintf(x.text, sizeof x.text, "%.10sT%.5s:00Z", day, time);
	ndl_readings_push(r, &x);
	snprintf(x.text, sizeof x.text, "%.10s %.5s:00", day, time);
	ndl_readings_push(r, &x);
}

/* The time on the day nearest to it, in all its readings, or today; not the 3 of 3 May. What is given may move the list. */
static void give_on_day(ndl_readings *r, ndl_reading time)
{
	const ndl_reading *nearest = nearest_day(r, &time);
	if (!nearest && r->today > 0) {
		char today[NDL_READING_TEXT];
		int y, m, d;
		ndl_day_parts(r->today, &y, &m, &d);
		snprintf(today, sizeof today, "%04d-%02d-%02d", y, m, d);
		give_moment(r, &time, today, time.text);
	}
	if (!nearest)
		return;
	const ndl_reading day = *nearest;
	time.end = time.end ? time.end : day.end; /* "on 3 May at ten until 7 May" */
	for (size_t i = r->days; distance(&day, &time) && i < r->times; i += NDL_DAY_READINGS) {
		const ndl_reading x = r->reading[i];
		if (x.from == day.from)
			give_moment(r, &time, x.text, time.text);
	}
}

/* Whether a time that is sure is told on this day. */
static bool has_time(const ndl_readings *r, const ndl_reading *day)
{
	for (size_t i = r->times; i < r->moments; i++)
		if ((r->reading[i].kinds & NDL_READ_SURE) && nearest_day(r, &r->reading[i])->from == day->from)
			return true;
	return false;
}

/* Whether what stands around a number makes it a time where there are others: "until 5", "between 5 and 6". */
static bool is_led(const char *query, size_t len, const ndl_reading *x)
{
	static const char *const before[] = {"to", "until", "till", "by", "from", "before", "after", "around", "about", "between", "and"},
		*const behind[] = {"to", "until", "till", "and"};
	ndl_view v = {.s = query, .len = len};
	ndl_look(&v, x->to);
	bool dash = (x->from && query[x->from - 1] == '-') || (x->to < len && query[x->to] == '-');
	return dash || NDL_IS_ANY(&v, 0, behind) || NDL_IS_BEHIND(query, len, x->from, before);
}

/* A number by itself is no time of day beside one that is sure: the channel of "channel 4 at 8 pm". */
static void drop_unsure(ndl_readings *r, const char *query, size_t len)
{
	bool sure = false;
	for (size_t i = 0; i < r->days && !sure; i++)
		sure = (r->reading[i].kinds & NDL_READ_CLOCK) && (r->reading[i].kinds & NDL_READ_SURE);
	for (size_t i = 0; i < r->days && sure; i++) {
		ndl_reading *x = &r->reading[i];
		if ((x->kinds & NDL_READ_CLOCK) && !(x->kinds & NDL_READ_SURE) && !x->end && !is_led(query, len, x))
			x->kinds &= ~(unsigned)NDL_READ_CLOCK;
	}
}

void ndl_give_moments(ndl_readings *r, const char *query, size_t len)
{
	size_t n = 0;
	drop_unsure(r, query, len);
	r->times = r->n;
	for (size_t i = 0; i < r->days && n < LOOK; i++) {
		ndl_reading x = r->reading[i];
		if (!(x.kinds & NDL_READ_CLOCK))
			continue;
		snprintf(x.text, sizeof x.text, "%.5s:00Z", r->reading[i].text);
		x.kinds = NDL_READ_TEXT | (x.kinds & NDL_READ_SURE);
		ndl_readings_push(r, &x);
		n++;
	}
	r->moments = r->n;
	for (size_t i = r->times; i < r->moments; i++)
		give_on_day(r, r->reading[i]);
	for (size_t i = r->days; i < r->times && i < r->days + NDL_DAY_READINGS * LOOK; i += NDL_DAY_READINGS) {
		const ndl_reading day = r->reading[i];
		if (!ndl_readings_told(r, day.from) && !has_time(r, &day))
			give_moment(r, &day, day.text, "00:00");
	}
}
