/* readings.c - the list of readings, and the way through a query that fills it. */
#include "readings/readings_internal.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ndl_readings_push(ndl_readings *r, const ndl_reading *x)
{
	if (r->n == NDL_READINGS_MAX)
		return;
	if (ndl_grow(&r->reading, &r->cap, r->n + 1, sizeof *x) < 0)
		r->failed = true;
	else
		r->reading[r->n++] = *x;
}

void ndl_readings_add(ndl_readings *r, const ndl_view *v, size_t items, unsigned kinds, uint16_t unit, const char *fmt, ...)
{
	va_list ap;
	ndl_reading x = {.kinds = kinds, .unit = unit, .minus = v->minus, .from = v->it[0].from, .to = v->it[items - 1].to};
	va_start(ap, fmt);
	vsnprintf(x.text, sizeof x.text, fmt, ap);
	va_end(ap);
	ndl_readings_push(r, &x);
}

/* Adds the number that v begins with as a text: "twenty-five" may be 25 where strings are asked for. */
static void give_number(ndl_readings *r, const ndl_view *v)
{
	long value;
	size_t items = ndl_read_number(v, 0, &value);
	if (items)
		ndl_readings_add(r, v, items, NDL_READ_TEXT, 0, "%ld", value);
}

/* Whether "a day", with which v begins, says how often: "an hour a day", "3 times a day", "5.50 an hour". */
static bool is_rate(const ndl_item *before, const ndl_view *v)
{
	const ndl_view b = {.it = {*before}, .n = 1};
	const ndl_unit *unit = v->n > 1 ? ndl_unit_find(v->it[1].word) : NULL;
	bool article = ndl_is_word(v, 0, "a") || ndl_is_word(v, 0, "an");
	bool counted = before->number >= 0 || ndl_unit_find(before->word) || ndl_is_word(&b, 0, "times") || ndl_is_word(&b, 0, "once") ||
	               ndl_is_word(&b, 0, "twice");
	return article && unit && unit->of == 't' && counted;
}

ndl_status ndl_readings_find(ndl_readings *r, const char *query, size_t len, int64_t today, ndl_error *err)
{
	ndl_view v = {.s = query, .len = len};
	ndl_item first, before = {.number = -1};
	size_t time_end = 0; /* a time is no part of another: it is not five at half past five */
	size_t duration_end = 0, number_end = 0;
	bool said_minus = false, operand = false; /* seven minus five is no negative number */
	r->n = 0;
	r->failed = false;
	for (size_t at = 0, next = 0; ndl_take_item(query, len, &next, &first); at = next, before = first) {
		if (first.from < number_end) /* its part is another number: 5 of "1.5 hours", half of "two and a half" */
			continue;
		ndl_look(&v, at);
		give_number(r, &v);
		ndl_give_currencies(r, &v);
		v.minus = ndl_mark_before(query, first.from, '-') || said_minus;
		said_minus = !operand && (ndl_is_word(&v, 0, "minus") || ndl_is_word(&v, 0, "negative"));
		operand = first.number >= 0;
		if (ndl_mark_before(query, first.from, '.'))
			continue; /* read with it */
		if (at >= time_end && !v.minus && !ndl_is_compound(&v)) {
			size_t items = ndl_give_time(r, &v);
			time_end = items ? v.it[items - 1].to : 0;
		}
		const size_t clocked = ndl_give_clocked(r, &before, &v);
		duration_end = clocked ? clocked : duration_end;
		size_t end = ndl_give_quantities(r, &v, at < duration_end || is_rate(&before, &v), &number_end);
		duration_end = end ? end : duration_end;
	}
	ndl_give_days(r, query, len, today);
	ndl_find_ends(r, query, len);
	ndl_give_moments(r, query, len);
	return r->failed ? ndl_fail_nomem(err, "what a query means") : NDL_OK;
}

void ndl_readings_clear(ndl_readings *r)
{
	free(r->reading);
	*r = (ndl_readings){0};
}
