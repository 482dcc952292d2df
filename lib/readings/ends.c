/* ends.c - which times and days of a query are the first and the last of two: "from 3 to 4 pm", "3 May until 7 May". English. */
#include "readings/readings_internal.h"

#include <stdlib.h>
#include <string.h>

/* Days, and durations between times, of a query that are looked at: more do not mean anything. */
enum { LOOK = 64, BETWEEN_MAX = 16 };

/* Whether what stands between x and y makes them two ends: "to", "until the", "-", "till Friday,". */
static bool are_joined(const char *s, size_t len, const ndl_reading *x, const ndl_reading *y)
{
	static const char *const words[] = {"to", "until", "till", "through", "thru", "\xe2\x80\x93"};
	ndl_view v = {.s = s, .len = len};
	size_t i = 0;
	ndl_look(&v, x->to);
	if (v.n && v.it[0].from == y->from)
		return memchr(s + x->to, '-', y->from - x->to) != NULL;
	bool word = NDL_IS_ANY(&v, 0, words) || (ndl_is_word(&v, 0, "and") && ndl_is_between(s, x->from));
	for (i = 1; word && i < v.n && v.it[i].from < y->from; i++) {
		const size_t n = strlen(v.it[i].word);
		word = ndl_is_word(&v, i, "the") || ndl_is_word(&v, i, ",") || (n > 5 && strcmp(v.it[i].word + n - 3, "day") == 0);
	}
	return word && i < v.n && v.it[i].from == y->from;
}

/* Of the first n days, all readings of one. */
static void set_end(ndl_readings *r, size_t n, const ndl_reading *like, char end)
{
	for (size_t i = r->days; i < r->days + n; i++)
		if (r->reading[i].from == like->from && r->reading[i].to == like->to)
			r->reading[i].end = end;
}

static int minutes_of(const ndl_reading *clock)
{
	const char *s = clock->text;
	return 60 * (10 * (s[0] - '0') + s[1] - '0') + 10 * (s[3] - '0') + s[4] - '0';
}

/* Whether a time of day begins what `between` says and lies so long before this one. */
static bool has_first(const ndl_readings *r, const ndl_reading *clock, const ndl_reading *between)
{
	const int day = 24 * 60, length = (int)strtol(between->text, NULL, 10);
	for (size_t i = 0; i < r->days; i++) {
		const ndl_reading *x = &r->reading[i];
		if ((x->kinds & NDL_READ_CLOCK) && !(x->kinds & NDL_READ_UNLIKELY) && x->from == between->from && x->to < between->to &&
		    (minutes_of(clock) - minutes_of(x) + day) % day == length)
			return true;
	}
	return false;
}

/* The times of day that a duration, in minutes, lies between; 'x': at the wrong half of the day. The hours of a time follow it. */
static void find_times(ndl_readings *r, const ndl_reading between)
{
	ndl_reading clock = {.kinds = 0};
	for (size_t i = 0; i < r->days; i++) {
		ndl_reading *x = &r->reading[i];
		const bool first = x->from == between.from && x->to < between.to, last = x->to == between.to && x->from > between.from;
		if (!first && !last)
			continue;
		x->end = first ? 'f' : 'l';
		if ((x->kinds & NDL_READ_CLOCK) && last && !has_first(r, x, &between))
			x->end = 'x';
		if (x->kinds & NDL_READ_CLOCK)
			clock = *x;
		if (x->unit == NDL_PART_HOUR || x->unit == NDL_PART_HOUR24)
			x->end = clock.end;
	}
}

/* Of the unlikely times those stay that the last of two has, after the first. */
static void drop_unlikely(ndl_readings *r)
{
	size_t kept = 0, times = 0;
	for (size_t i = 0; i < r->n; i++) {
		ndl_reading x = r->reading[i];
		if ((x.kinds & NDL_READ_UNLIKELY) && x.end != 'l')
			continue;
		x.kinds &= ~(unsigned)NDL_READ_UNLIKELY;
		r->reading[kept++] = x;
		times += i < r->days;
	}
	r->n = kept;
	r->days = times;
}

void ndl_find_ends(ndl_readings *r, const char *query, size_t len)
{
	const uint16_t minute = ndl_unit_id("minute", 6);
	size_t between = 0;
	for (size_t i = 0; i < r->days && between < BETWEEN_MAX; i++)
		if ((r->reading[i].kinds & NDL_READ_BETWEEN) && r->reading[i].unit == minute) {
			find_times(r, r->reading[i]);
			between++;
		}
	const size_t n = r->n - r->days < NDL_DAY_READINGS * LOOK ? r->n - r->days : NDL_DAY_READINGS * LOOK;
	for (size_t i = r->days; i < r->days + n; i += NDL_DAY_READINGS)
		for (size_t j = i + NDL_DAY_READINGS; j < r->days + n; j += NDL_DAY_READINGS) {
			const ndl_reading x = r->reading[i], y = r->reading[j];
			if (y.from < x.to || y.from - x.to > 40 || !are_joined(query, len, &x, &y))
				continue;
			set_end(r, n, &x, 'f');
			set_end(r, n, &y, 'l');
		}
	drop_unlikely(r);
}
