/* derive.c - numbers and times of a query as arguments spell them: "half past six" is 06:30 or
 * 18:30, "twenty-five" 25. English. Where the query leaves it open (six in
 * the morning or the evening?) every reading is given: they are what a value may be, not what it is. */
#include "session/items_internal.h"

#include <stdio.h>
#include <string.h>

enum half { OPEN, AM, PM };

static enum half half_at(const ndl_view *v, size_t *i)
{
	static const struct { const char *word; enum half half; } words[] = {
		{"am", AM}, {"pm", PM}, {"morning", AM}, {"afternoon", PM}, {"evening", PM}, {"night", PM}, {"tonight", PM},
	};
	size_t k = *i;
	if (ndl_is_word(v, k, "oclock"))
		k = ++*i;
	while (ndl_is_word(v, k, "in") || ndl_is_word(v, k, "the") || ndl_is_word(v, k, "at") || ndl_is_word(v, k, "this"))
		k++;
	for (size_t w = 0; w < sizeof words / sizeof *words; w++)
		if (ndl_is_word(v, k, words[w].word)) {
			*i = k + 1;
			return words[w].half;
		}
	return OPEN;
}

static void give(ndl_ground *g, const ndl_view *v, size_t items, const char *text)
{
	ndl_ground_add(g, NDL_SPAN_TEXT, 0, text, v->it[0].from, v->it[items - 1].to);
}

static void give_number(ndl_ground *g, const ndl_view *v, size_t items, long value)
{
	char text[24];
	snprintf(text, sizeof text, "%ld", value);
	ndl_ground_add(g, NDL_SPAN_NUMBER, 0, text, v->it[0].from, v->it[items - 1].to);
}

static void give_time(ndl_ground *g, const ndl_view *v, size_t items, long hour, long minute)
{
	char text[40];
	long h12 = hour % 12 ? hour % 12 : 12;
	const char *half = hour < 12 ? "am" : "pm";
	snprintf(text, sizeof text, "%02ld:%02ld", hour, minute);
	ndl_ground_add(g, NDL_SPAN_TEXT | NDL_SPAN_CLOCK, 0, text, v->it[0].from, v->it[items - 1].to);
	snprintf(text, sizeof text, "%ld:%02ld", hour, minute);
	give(g, v, items, text);
	snprintf(text, sizeof text, "%ld:%02ld %s", h12, minute, half);
	give(g, v, items, text);
	snprintf(text, sizeof text, "%ld %s", h12, half);
	if (minute == 0)
		give(g, v, items, text);
	give_number(g, v, items, hour);
	give_number(g, v, items, minute);
}

static void give_hours(ndl_ground *g, const ndl_view *v, size_t items, long hour, long minute, enum half half)
{
	if (hour > 12 || hour == 0) {
		give_time(g, v, items, hour, minute);
		return;
	}
	if (half != PM)
		give_time(g, v, items, hour % 12, minute);
	if (half != AM)
		give_time(g, v, items, hour % 12 + 12, minute);
}

/* "half past six", "quarter to 8", "ten (minutes) past one pm": how many items; 0: none. */
static size_t relative_time(ndl_ground *g, const ndl_view *v)
{
	size_t i = ndl_is_word(v, 0, "a");
	long minutes = ndl_is_word(v, i, "half") ? 30 : ndl_is_word(v, i, "quarter") ? 15 : ndl_number_at(v, i, 59);
	i++;
	i += ndl_is_word(v, i, "minutes");
	bool to = ndl_is_word(v, i, "to") || ndl_is_word(v, i, "before");
	if (minutes < 1 || !(to || ndl_is_word(v, i, "past") || ndl_is_word(v, i, "after")))
		return 0;
	long hour = ndl_number_at(v, ++i, 23);
	if (hour < 0)
		return 0;
	i++;
	enum half half = half_at(v, &i);
	if (to)
		hour = (hour ? hour : 24) - 1;
	if (to && hour == 0)
		hour = 12; /* ten to one: 12:50, in either half of the day */
	give_hours(g, v, i, hour, to ? 60 - minutes : minutes, half);
	return i;
}

/* "7:30 pm", "7.30", "six thirty", "5 am", "six in the evening", "8 o'clock", "at nine": how many items, where more than a
 * number says that it is a time; else 0. */
static size_t clock_time(ndl_ground *g, const ndl_view *v)
{
	long hour = ndl_number_at(v, 0, 23), minute = 0;
	size_t i = 1;
	bool sure = false;
	if (hour < 0 || v->it[0].ordinal)
		return 0;
	bool mark = ndl_is_word(v, 1, ":") || ndl_is_word(v, 1, ".") || ndl_is_word(v, 1, "h");
	if (mark && ndl_number_at(v, 2, 59) >= 0 && v->it[2].digits == 2 && v->it[2].from == v->it[0].to + 1) {
		minute = v->it[2].number;
		i = 3;
		sure = true;
	} else if (!v->it[0].digits && ndl_number_at(v, 1, 59) >= 10 && !v->it[1].digits) {
		minute = v->it[1].number;
		i = 2;
		if (minute % 10 == 0 && ndl_number_at(v, 2, 9) > 0)
			minute += v->it[i++].number;
	}
	size_t before = i;
	enum half half = half_at(v, &i);
	sure = sure || i > before;
	bool counts = i < v->n && (ndl_unit_find(v->it[i].word) || ndl_is_word(v, i, "%")); /* in 20 minutes */
	if (sure || (hour > 0 && !counts))
		give_hours(g, v, i, hour, minute, half);
	return sure ? i : 0;
}

void ndl_derive(ndl_ground *g, const char *query, size_t len, int64_t today)
{
	ndl_view v = {.s = query, .len = len};
	ndl_item first;
	size_t time_end = 0; /* a time is no part of another: it is not five at half past five */
	size_t duration_end = 0;
	for (size_t at = 0, next = 0; ndl_take_item(query, len, &next, &first); at = next) {
		char text[24];
		long value;
		ndl_look(&v, at);
		size_t items = ndl_read_number(&v, 0, &value);
		if (items) {
			snprintf(text, sizeof text, "%ld", value);
			give(g, &v, items, text);
		}
		if (ndl_is_word(&v, 0, "noon") || ndl_is_word(&v, 0, "midnight"))
			give_time(g, &v, 1, v.it[0].word[0] == 'n' ? 12 : 0, 0);
		g->minus = ndl_mark_before(query, first.from, '-');
		if (ndl_mark_before(query, first.from, '.'))
			continue; /* read with it */
		if (at >= time_end && !g->minus) {
			items = relative_time(g, &v);
			items = items ? items : clock_time(g, &v);
			time_end = items ? v.it[items - 1].to : 0;
		}
		size_t end = ndl_derive_quantities(g, &v, at < duration_end);
		duration_end = end ? end : duration_end;
	}
	g->minus = false;
	ndl_derive_days(g, query, len, today);
}
