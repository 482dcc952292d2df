/* times.c - times of day as arguments spell them: "half past six" is 18:30, also 6:30 pm, 18, 6 and 30. English. */
#include "readings/readings_internal.h"

#include <string.h>

enum half { OPEN, AM, PM };

/* Of a query around a time, where words are looked for that say which half of the day it is of. */
enum { BYTES_BEFORE = 48, BYTES_BEHIND = 32 };

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

/* A time of day as it is said. */
typedef struct clock_time {
	size_t items; /* 0: none */
	long hour, minute;
	enum half half;
	bool sure; /* more than a number says that it is one */
} clock_time;

/* mark: joins what all readings of it are. */
static void give_time(ndl_readings *r, const ndl_view *v, const clock_time *t, long hour, unsigned mark)
{
	long h12 = hour % 12 ? hour % 12 : 12, minute = t->minute;
	const char *half = hour < 12 ? "am" : "pm";
	static const char *const at[] = {"at"};
	const bool sure = t->sure || NDL_IS_BEHIND(v->s, v->len, v->it[0].from, at);
	const unsigned text = mark | NDL_READ_TEXT, number = mark | NDL_READ_NUMBER;
	ndl_readings_add(r, v, t->items, text | NDL_READ_CLOCK | (sure ? NDL_READ_SURE : 0), 0, "%02ld:%02ld", hour, minute);
	ndl_readings_add(r, v, t->items, text, 0, "%ld:%02ld", hour, minute);
	ndl_readings_add(r, v, t->items, text, 0, "%ld:%02ld %s", h12, minute, half);
	if (minute == 0)
		ndl_readings_add(r, v, t->items, text, 0, "%ld %s", h12, half);
	ndl_readings_add(r, v, t->items, number, h12 == hour ? NDL_PART_HOUR : NDL_PART_HOUR24, "%ld", hour);
	if (h12 != hour)
		ndl_readings_add(r, v, t->items, number, NDL_PART_HOUR12, "%ld", h12);
	ndl_readings_add(r, v, t->items, number, NDL_PART_MINUTE, "%ld", minute);
}

/* Whether one of these words stands near the time. */
static bool is_near(const ndl_view *v, const clock_time *t, const char *const *words, size_t n)
{
	ndl_view one = {.s = v->s, .len = v->len, .n = 1};
	const size_t first = v->it[0].from, end = v->it[t->items - 1].to + BYTES_BEHIND;
	size_t at = first > BYTES_BEFORE ? first - BYTES_BEFORE : 0;
	while (ndl_take_item(v->s, v->len, &at, &one.it[0]) && one.it[0].from < end)
		if (ndl_is_any(&one, 0, words, n))
			return true;
	return false;
}

/* The half of the day that people mean who do not say it: an alarm is for the morning, dinner is not, and what else there is begins
 * between seven in the morning and seven in the evening. */
static enum half likely_half(const ndl_view *v, const clock_time *t)
{
	static const char *const mornings[] = {"alarm", "alarms", "wake", "morning", "breakfast", "sunrise", "dawn"};
	static const char *const evenings[] = {"tonight", "evening", "night", "afternoon", "dinner", "supper", "bed", "bedtime", "party",
		"drinks", "sunset"};
	const bool morning = is_near(v, t, mornings, sizeof mornings / sizeof *mornings);
	const bool evening = is_near(v, t, evenings, sizeof evenings / sizeof *evenings);
	if (t->hour == 12)
		return PM;
	if (morning != evening)
		return morning ? AM : PM;
	return t->hour >= 7 ? AM : PM;
}

/* The other half of the day, where that is open, is only for the last of two times: ends.c. */
static void give(ndl_readings *r, const ndl_view *v, const clock_time *t)
{
	const bool open = t->half == OPEN && t->hour > 0 && t->hour <= 12;
	const enum half half = open ? likely_half(v, t) : t->half;
	if (t->hour > 12 || t->hour == 0) {
		give_time(r, v, t, t->hour, 0);
		return;
	}
	give_time(r, v, t, t->hour % 12 + (half == PM ? 12 : 0), 0);
	if (open)
		give_time(r, v, t, t->hour % 12 + (half == PM ? 0 : 12), NDL_READ_UNLIKELY);
}

/* "half (past) six", "quarter to 8", "twenty-five (minutes) past one pm" */
static clock_time read_relative(const ndl_view *v, size_t at)
{
	const clock_time none = {0};
	long minutes;
	size_t i = at + ndl_is_word(v, at, "a"), items = ndl_read_number(v, i, &minutes);
	if (items == 0)
		minutes = ndl_is_word(v, i, "half") ? 30 : ndl_is_word(v, i, "quarter") ? 15 : 0;
	i += items ? items : 1;
	i += ndl_is_word(v, i, "minutes");
	bool to = ndl_is_word(v, i, "to") || ndl_is_word(v, i, "before"), past = ndl_is_word(v, i, "past") || ndl_is_word(v, i, "after");
	bool half_seven = i == at + 1 && ndl_is_word(v, at, "half") && ndl_number_at(v, i, 12) > 0; /* half past seven */
	if (minutes < 1 || minutes > 59 || !(to || past || half_seven))
		return none;
	i += to || past;
	long hour = ndl_number_at(v, i++, 23);
	if (hour < 0 || ndl_is_word(v, i, ":")) /* 10 to 11:30 */
		return none;
	enum half half = half_at(v, &i);
	if (to)
		hour = (hour ? hour : 24) - 1;
	if (to && hour == 0)
		hour = 12; /* ten to one: 12:50, in either half of the day */
	return (clock_time){i - at, hour, to ? 60 - minutes : minutes, half, true};
}

/* Whether items i and i + 1 may be an hour and a minute by themselves: "six thirty", "6 30". */
static bool are_said_together(const ndl_view *v, size_t i)
{
	const ndl_item *a = &v->it[i], *b = a + 1;
	if (ndl_number_at(v, i + 1, 59) < 10 || b->ordinal || !a->digits != !b->digits)
		return false;
	return !a->digits || (b->from == a->to + 1 && v->s[a->to] == ' ');
}

/* "1600 hours", "730 pm", "0730": as read_clock. */
static clock_time read_joined(const ndl_view *v, size_t at)
{
	const long n = ndl_number_at(v, at, 2359);
	clock_time t = {.hour = n / 100, .minute = n % 100, .sure = true};
	size_t i = at + 1;
	if (n < 0 || t.minute > 59 || v->it[at].ordinal)
		return t;
	if (v->it[at].from && !strchr(" \t\n\r(\"'", v->s[v->it[at].from - 1])) /* invoice_0423 */
		return t;
	bool four = v->it[at].digits == 4, hours = four && (ndl_is_word(v, i, "hours") || ndl_is_word(v, i, "hrs"));
	t.half = half_at(v, &i);
	bool half = i > at + 1, nought = four && n < 1000 && !half;
	if (hours || nought || (half && t.hour > 0))
		t.items = i - at;
	if (hours || nought)
		t.half = t.hour < 12 ? AM : PM; /* of 24 */
	return t;
}

/* "7:30 pm", "7.30", "7 30", "six thirty", "six oh five", "5 am", "six in the evening", "8 o'clock", "noon"; a number that may be an
 * hour or not */
static clock_time read_clock(const ndl_view *v, size_t at)
{
	static const char *const marks[] = {".", ",", "/"};
	clock_time t = {.hour = ndl_number_at(v, at, 23)};
	size_t i = at + 1;
	if (ndl_is_word(v, at, "noon"))
		return (clock_time){1, 12, 0, PM, true};
	if (ndl_is_word(v, at, "midnight"))
		return (clock_time){1, 0, 0, AM, true};
	if (at < v->n && (v->it[at].digits == 3 || v->it[at].digits == 4))
		return read_joined(v, at);
	if (t.hour < 0 || v->it[at].ordinal)
		return t;
	bool mark = ndl_is_word(v, i, ":") || ndl_is_word(v, i, ".") || ndl_is_word(v, i, "h");
	if (mark && ndl_number_at(v, i + 1, 59) >= 0 && v->it[i + 1].digits == 2 && v->it[i + 1].from == v->it[at].to + 1) {
		t.minute = v->it[i + 1].number;
		t.sure = true;
		i += 2;
	} else if (are_said_together(v, at)) {
		t.minute = v->it[i++].number;
		if (t.minute % 10 == 0 && !v->it[at].digits && ndl_number_at(v, i, 9) > 0)
			t.minute += v->it[i++].number;
	} else if (!v->it[at].digits && ndl_is_word(v, i, "oh") && ndl_number_at(v, i + 1, 9) > 0) {
		t.minute = v->it[i + 1].number;
		i += 2;
	}
	size_t before = i;
	t.half = half_at(v, &i);
	t.sure = t.sure || i > before;
	bool counts = i < v->n && (ndl_unit_find(v->it[i].word) || ndl_is_word(v, i, "%")); /* in 20 minutes */
	bool decimals = i + 1 < v->n && NDL_IS_ANY(v, i, marks) && v->it[i + 1].digits && v->it[i + 1].from == v->it[at].to + 1;
	if (t.sure || (t.hour > 0 && !counts && !decimals))
		t.items = i - at;
	return t;
}

static clock_time read_time(const ndl_view *v, size_t at)
{
	clock_time t = read_relative(v, at);
	return t.items ? t : read_clock(v, at);
}

static long minutes_of(const clock_time *t)
{
	return t->minute + 60 * (t->hour > 12 ? t->hour : t->hour % 12 + (t->half == PM ? 12 : 0));
}

/* What lies between this time and another behind it, "from 2 pm to half past three", "9-10 am", if one is sure; false: nothing. The
 * first is of the half of the day that the last is, or that before it. */
static bool give_between(ndl_readings *r, const ndl_view *v, clock_time *from)
{
	static const char *const words[] = {"to", "until", "till"};
	const long noon = 12 * 60;
	size_t i = from->items;
	bool dash = i && i < v->n && v->s[v->it[i].from - 1] == '-';
	bool and = ndl_is_word(v, i, "and") && ndl_is_between(v->s, v->it[0].from);
	if (!from->items || !(dash || and || NDL_IS_ANY(v, i, words)))
		return false;
	i += !dash;
	const clock_time to = read_time(v, i);
	bool halves = (from->hour > 12 || from->half != OPEN) && (to.hour > 12 || to.half != OPEN);
	if (!to.items || !(from->sure || to.sure))
		return false;
	const long day = halves ? 2 * noon : noon, minutes = ((minutes_of(&to) - minutes_of(from)) % day + day) % day;
	if (from->half == OPEN && to.half != OPEN && from->hour <= 12 && minutes)
		from->half = 60 * (from->hour % 12) + from->minute < 60 * (to.hour % 12) + to.minute ? to.half : to.half == AM ? PM : AM;
	if (minutes)
		ndl_give_duration(r, v, i + to.items, 60 * (double)minutes);
	return true;
}

size_t ndl_give_time(ndl_readings *r, const ndl_view *v)
{
	clock_time relative = read_relative(v, 0), clock = read_clock(v, 0), *t = relative.items ? &relative : &clock;
	const bool two = give_between(r, v, &clock) && relative.items; /* 10 to 12 pm: two times, or ten to twelve? */
	if (two && relative.minute % 5) { /* six to nine pm are three hours */
		relative.items = 0;
		t = &clock;
	}
	if (relative.items)
		give_between(r, v, &relative);
	if (t->items)
		give(r, v, t);
	if (two && relative.items)
		give(r, v, &clock);
	return t->sure && !two ? t->items : 0;
}
