/* times.c - times of day as arguments spell them: "half past six" is 06:30 or 18:30, also 6:30 am, 6 and 30. English. Where
 * the query leaves it open every reading is given. */
#include "readings/readings_internal.h"

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

static void give_time(ndl_readings *r, const ndl_view *v, size_t items, long hour, long minute)
{
	long h12 = hour % 12 ? hour % 12 : 12;
	const char *half = hour < 12 ? "am" : "pm";
	ndl_readings_add(r, v, items, NDL_READ_TEXT | NDL_READ_CLOCK, 0, "%02ld:%02ld", hour, minute);
	ndl_readings_add(r, v, items, NDL_READ_TEXT, 0, "%ld:%02ld", hour, minute);
	ndl_readings_add(r, v, items, NDL_READ_TEXT, 0, "%ld:%02ld %s", h12, minute, half);
	if (minute == 0)
		ndl_readings_add(r, v, items, NDL_READ_TEXT, 0, "%ld %s", h12, half);
	ndl_readings_add(r, v, items, NDL_READ_NUMBER, 0, "%ld", hour);
	ndl_readings_add(r, v, items, NDL_READ_NUMBER, 0, "%ld", minute);
}

static void give_hours(ndl_readings *r, const ndl_view *v, size_t items, long hour, long minute, enum half half)
{
	if (hour > 12 || hour == 0) {
		give_time(r, v, items, hour, minute);
		return;
	}
	if (half != PM)
		give_time(r, v, items, hour % 12, minute);
	if (half != AM)
		give_time(r, v, items, hour % 12 + 12, minute);
}

/* "half (past) six", "quarter to 8", "twenty-five (minutes) past one pm": how many items; 0: none. */
static size_t relative_time(ndl_readings *r, const ndl_view *v)
{
	long minutes;
	size_t i = ndl_is_word(v, 0, "a"), items = ndl_read_number(v, i, &minutes);
	if (items == 0)
		minutes = ndl_is_word(v, i, "half") ? 30 : ndl_is_word(v, i, "quarter") ? 15 : 0;
	i += items ? items : 1;
	i += ndl_is_word(v, i, "minutes");
	bool to = ndl_is_word(v, i, "to") || ndl_is_word(v, i, "before"), past = ndl_is_word(v, i, "past") || ndl_is_word(v, i, "after");
	bool half_seven = i == 1 && ndl_is_word(v, 0, "half") && ndl_number_at(v, 1, 12) > 0; /* half past seven */
	if (minutes < 1 || minutes > 59 || !(to || past || half_seven))
		return 0;
	i += to || past;
	long hour = ndl_number_at(v, i++, 23);
	if (hour < 0)
		return 0;
	enum half half = half_at(v, &i);
	if (to)
		hour = (hour ? hour : 24) - 1;
	if (to && hour == 0)
		hour = 12; /* ten to one: 12:50, in either half of the day */
	give_hours(r, v, i, hour, to ? 60 - minutes : minutes, half);
	return i;
}

/* "1600 hours", "730 pm", "0730": as clock_time. */
static size_t joined_time(ndl_readings *r, const ndl_view *v)
{
	long n = ndl_number_at(v, 0, 2359), hour = n / 100, minute = n % 100;
	size_t i = 1;
	if (n < 0 || minute > 59 || v->it[0].ordinal)
		return 0;
	bool hours = ndl_is_word(v, 1, "hours") || ndl_is_word(v, 1, "hrs"), nought = v->it[0].digits == 4 && n < 1000;
	enum half half = half_at(v, &i);
	if (v->it[0].digits == 4 && (hours || (nought && i == 1)))
		give_time(r, v, i, hour, minute);
	else if (i > 1 && hour > 0)
		give_hours(r, v, i, hour, minute, half);
	else
		return 0;
	return i;
}

/* "7:30 pm", "7.30", "six thirty", "six oh five", "5 am", "six in the evening", "8 o'clock", "at nine": how many items, where more than a
 * number says that it is a time; else 0. */
static size_t clock_time(ndl_readings *r, const ndl_view *v)
{
	long hour = ndl_number_at(v, 0, 23), minute = 0;
	size_t i = 1;
	bool sure = false;
	if (v->it[0].digits == 3 || v->it[0].digits == 4)
		return joined_time(r, v);
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
	} else if (!v->it[0].digits && ndl_is_word(v, 1, "oh") && ndl_number_at(v, 2, 9) > 0) {
		minute = v->it[2].number;
		i = 3;
	}
	size_t before = i;
	enum half half = half_at(v, &i);
	sure = sure || i > before;
	bool counts = i < v->n && (ndl_unit_find(v->it[i].word) || ndl_is_word(v, i, "%")); /* in 20 minutes */
	if (sure || (hour > 0 && !counts))
		give_hours(r, v, i, hour, minute, half);
	return sure ? i : 0;
}

void ndl_give_noon(ndl_readings *r, const ndl_view *v)
{
	if (ndl_is_word(v, 0, "noon") || ndl_is_word(v, 0, "midnight"))
		give_time(r, v, 1, v->it[0].word[0] == 'n' ? 12 : 0, 0);
}

size_t ndl_give_time(ndl_readings *r, const ndl_view *v)
{
	size_t items = relative_time(r, v);
	return items ? items : clock_time(r, v);
}
