/* days.c - dates of a query as arguments spell them: "May 3rd, 2027" is 2027-05-03, and where the query tells which day
 * today is, "next Friday" is one, too (base/day.h has the conventions). English. Where the query leaves it open (3/5/2027) every
 * reading is given. */
#include "readings/readings_internal.h"

#include "base/day.h"

#include <string.h>

typedef struct date {
	int year, month, day; /* year 0: not told */
} date;

/* Which name, or its first letters, at least three; n if it is none. */
static size_t name_at(const ndl_view *v, size_t i, const char *const *names, size_t n)
{
	size_t len = i < v->n ? strlen(v->it[i].word) : 0, k = 0;
	if (len < 3)
		return n;
	while (k < n && strncmp(v->it[i].word, names[k], len) != 0)
		k++;
	return k;
}

static int month_at(const ndl_view *v, size_t i)
{
	static const char *const months[] = {"january", "february", "march", "april", "may", "june", "july", "august",
		"september", "october", "november", "december"};
	size_t m = name_at(v, i, months, 12);
	return m < 12 ? (int)m + 1 : 0;
}

/* 0: Monday; -1: none. */
static int weekday_at(const ndl_view *v, size_t i)
{
	static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
	size_t d = name_at(v, i, days, 7);
	return d < 7 ? (int)d : -1;
}

static bool is_year(const ndl_view *v, size_t i)
{
	return ndl_number_at(v, i, 9999) >= 1000 && v->it[i].digits == 4;
}

static bool is_whole(const date *d)
{
	return d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= 31;
}

/* Another reading, if it can be one. */
static void add_reading(date out[2], size_t *n, int year, int month, int day)
{
	const date d = {year, month, day};
	if (is_whole(&d) && !(*n && out[0].month == month))
		out[(*n)++] = d;
}

/* "3/5/2027", "3.5.2027" and "2027-05-03", without blanks. */
static size_t read_numbers(const ndl_view *v, size_t i, date out[2], size_t *n)
{
	bool slashes = ndl_is_word(v, i + 1, "/") && ndl_is_word(v, i + 3, "/");
	bool dots = ndl_is_word(v, i + 1, ".") && ndl_is_word(v, i + 3, ".");
	size_t step = slashes || dots ? 2 : 1, b = i + step, c = b + step;
	*n = 0;
	if (c >= v->n || v->it[c].from - v->it[i].to != v->it[b].to - v->it[b].from + 2)
		return 0;
	int first = (int)ndl_number_at(v, i, 9999), second = (int)ndl_number_at(v, b, 31), third = (int)ndl_number_at(v, c, 9999);
	if (is_year(v, i)) {
		add_reading(out, n, first, second, third);
	} else if (step == 2 && is_year(v, c)) {
		add_reading(out, n, third, second, first);
		if (slashes || *n == 0)
			add_reading(out, n, third, first, second);
	}
	return *n ? c - i + 1 : 0;
}

/* "3rd", "third", "twenty-first": a day of a month at item *i, which then is the item behind it; -1: none. */
static int day_at(const ndl_view *v, size_t *i)
{
	int n = (int)ndl_number_at(v, *i, 31), more = (int)ndl_number_at(v, *i + 1, 9);
	bool tens = n >= 20 && n % 10 == 0 && !v->it[*i].digits && !v->it[*i].ordinal;
	bool both = tens && more > 0 && !v->it[*i + 1].digits && n + more <= 31;
	*i += 1 + both;
	return both ? n + more : n;
}

/* "3 May 2027", "the 3rd of May", "May 3rd, 2027" from item i on: its readings, and how many items; 0: none. */
static size_t read_date(const ndl_view *v, size_t i, date out[2], size_t *n)
{
	size_t first = i, items = read_numbers(v, i, out, n);
	if (items)
		return items;
	date d = {0, month_at(v, i), 0};
	if (d.month) {
		i += 1 + ndl_is_word(v, i + 1, "the");
		d.day = day_at(v, &i);
	} else {
		d.day = day_at(v, &i);
		i += ndl_is_word(v, i, "of");
		d.month = month_at(v, i++);
	}
	if (!is_whole(&d))
		return 0;
	size_t year = i + ndl_is_word(v, i, ",");
	year += ndl_is_word(v, year, "of");
	if (is_year(v, year)) {
		d.year = (int)v->it[year].number;
		i = year + 1;
	}
	out[0] = d;
	*n = 1;
	return i - first;
}

static void give(ndl_readings *r, const ndl_view *v, size_t items, const date *d)
{
	ndl_readings_add(r, v, items, NDL_READ_TEXT, 0, "%04d-%02d-%02d", d->year, d->month, d->day);
	ndl_readings_add(r, v, items, NDL_READ_NUMBER, NDL_PART_DAY, "%d", d->day);
	ndl_readings_add(r, v, items, NDL_READ_NUMBER, NDL_PART_MONTH, "%d", d->month);
	ndl_readings_add(r, v, items, NDL_READ_NUMBER, NDL_PART_YEAR, "%d", d->year);
}

/* Today ------------------------------------------------------------------------------- */

/* "today is", "(it's", "today being", "Date:", "[": how many items lead to the date; 0: it is not told here. */
static size_t read_lead(const ndl_view *v)
{
	static const char *const subjects[] = {"today", "it", "date"}, *const verbs[] = {":", "is", "being"},
		*const leads[] = {"its", "todays", "["};
	size_t i = ndl_is_word(v, 0, "todays") && ndl_is_word(v, 1, "date");
	if (NDL_IS_ANY(v, i, subjects) && NDL_IS_ANY(v, i + 1, verbs))
		return i + 2;
	bool bare = ndl_is_word(v, i, "date") && v->it[0].from == 0;
	return bare || NDL_IS_ANY(v, i, leads) ? i + 1 : 0;
}

/* Does v tell which day today is? Then *today, and how many items tell it; else 0, and *today is left alone. */
static size_t read_today(const ndl_view *v, int64_t *today)
{
	date d[2];
	size_t n, i = read_lead(v);
	if (i == 0)
		return 0;
	int weekday = weekday_at(v, i);
	i += weekday >= 0;
	i += ndl_is_word(v, i, ",");
	i += ndl_is_word(v, i, "the");
	size_t items = read_date(v, i, d, &n);
	if (items == 0 || d[0].year == 0)
		return 0;
	i += items;
	if (weekday < 0 && (ndl_is_word(v, i, "(") || ndl_is_word(v, i, ",")))
		weekday = weekday_at(v, i + 1);
	for (size_t k = 0; k < n; k++) {
		int64_t day = ndl_day_number(d[k].year, d[k].month, d[k].day);
		if (n > 1 && ndl_day_weekday(day) != weekday)
			continue; /* the third of May or the fifth of March? */
		*today = day;
		size_t behind = i + (ndl_is_word(v, i, "(") || ndl_is_word(v, i, ","));
		if (behind > i && weekday_at(v, behind) >= 0) /* today's, no day to come */
			i = behind + 1;
		return i + ndl_is_word(v, i, "today");
	}
	return 0;
}

/* Days by today ----------------------------------------------------------------------- */

/* "a", "three", "21": *n, and how many items; 0: none. */
static size_t read_count(const ndl_view *v, size_t i, long *n)
{
	size_t items = ndl_read_number(v, i, n);
	if (items == 0 && ndl_is_word(v, i, "a"))
		*n = items = 1;
	return *n < 10000 ? items : 0;
}

static int days_of_unit(const ndl_view *v, size_t i)
{
	static const char *const days[] = {"day", "days"}, *const weeks[] = {"week", "weeks"}, *const two[] = {"fortnight", "fortnights"};
	return NDL_IS_ANY(v, i, days) ? 1 : NDL_IS_ANY(v, i, weeks) ? 7 : NDL_IS_ANY(v, i, two) ? 14 : 0;
}

/* What a reader of days by today has found. */
typedef struct found {
	enum ndl_day_way way;
	int n;
	size_t items; /* 0: nothing */
} found;

/* "tomorrow", "the day before yesterday", "in two weeks", "3 days ago", "a week from now" */
static found read_offset(const ndl_view *v)
{
	static const struct { const char *word; int n; } near[] = {{"yesterday", -1}, {"today", 0}, {"tonight", 0}, {"tomorrow", 1}};
	long n = 0;
	for (size_t k = 0; k < sizeof near / sizeof *near; k++)
		if (ndl_is_word(v, 0, near[k].word))
			return (found){NDL_DAY_OFFSET, near[k].n, 1};
	if (ndl_is_word(v, 0, "day") && ndl_is_word(v, 1, "after") && ndl_is_word(v, 2, "tomorrow"))
		return (found){NDL_DAY_OFFSET, 2, 3};
	if (ndl_is_word(v, 0, "day") && ndl_is_word(v, 1, "before") && ndl_is_word(v, 2, "yesterday"))
		return (found){NDL_DAY_OFFSET, -2, 3};
	size_t in = ndl_is_word(v, 0, "in"), i = in + read_count(v, in, &n);
	int days = days_of_unit(v, i) * (int)n;
	if (i == in || days == 0)
		return (found){0};
	if (in)
		return (found){NDL_DAY_OFFSET, days, i + 1};
	if (ndl_is_word(v, i + 1, "ago"))
		return (found){NDL_DAY_OFFSET, -days, i + 2};
	bool from = ndl_is_word(v, i + 1, "from");
	size_t base = i + 1 + from;
	if (ndl_is_word(v, base, "today") || (from && ndl_is_word(v, base, "now")))
		return (found){NDL_DAY_OFFSET, days, base + 1};
	return ndl_is_word(v, base, "tomorrow") ? (found){NDL_DAY_OFFSET, days + 1, base + 1} : (found){0};
}

/* "Friday", "this coming Friday", "next Friday", "Friday last week", "a week on Friday" */
static found read_weekday(const ndl_view *v)
{
	if (ndl_is_word(v, 0, "week") && (ndl_is_word(v, 1, "on") || ndl_is_word(v, 1, "from")) && weekday_at(v, 2) >= 0)
		return (found){NDL_DAY_WEEK_ON, weekday_at(v, 2), 3};
	size_t i = ndl_is_word(v, 0, "this") || ndl_is_word(v, 0, "next") || ndl_is_word(v, 0, "last");
	i += i && ndl_is_word(v, 1, "coming");
	int weekday = weekday_at(v, i);
	size_t side = i ? 0 : 1; /* where "next" may be */
	if (weekday < 0)
		return (found){0};
	bool week = i == 0 && ndl_is_word(v, 2, "week");
	if (ndl_is_word(v, side, "next") && (i || week))
		return (found){NDL_DAY_NEXT_WEEK, weekday, i + 1 + 2 * week};
	if (ndl_is_word(v, side, "last") && (i || week))
		return (found){NDL_DAY_LAST_WEEK, weekday, i + 1 + 2 * week};
	return (found){NDL_DAY_COMING, weekday, i + 1};
}

/* "the 15th", "the first of next month", "the last day of the month" */
static found read_of_month(const ndl_view *v)
{
	if (!ndl_is_word(v, 0, "the"))
		return (found){0};
	bool last = ndl_is_word(v, 1, "last") && ndl_is_word(v, 2, "day");
	size_t i = last ? 3 : 1;
	int n = last ? 0 : day_at(v, &i);
	bool month = ndl_is_word(v, i, "of") && ndl_is_word(v, i + 2, "month"), next = month && ndl_is_word(v, i + 1, "next");
	if (last)
		return month ? (found){NDL_DAY_LAST_OF_MONTH, next, i + 3} : (found){0};
	if (n < 1 || month_at(v, i + ndl_is_word(v, i, "of")) || !v->it[i - 1].ordinal || (!month && !v->it[1].digits))
		return (found){0};
	return (found){next ? NDL_DAY_OF_NEXT_MONTH : NDL_DAY_OF_MONTH, n, month ? i + 3 : i};
}

/* How many items from the first on say another day than the weekday among them, one that is not worked out: "days after
 * next Friday", "the first Monday in May", "last Friday of the month", "the Friday after next". */
static size_t other_day(const ndl_view *v)
{
	static const char *const sides[] = {"after", "before"}, *const near[] = {"this", "next", "last"};
	size_t the = ndl_is_word(v, 0, "the"), day = 2 + NDL_IS_ANY(v, 2, near);
	bool side = NDL_IS_ANY(v, 1, sides) || (ndl_is_word(v, 1, "from") && !ndl_is_word(v, 0, "week"));
	if (days_of_unit(v, 0) && side && weekday_at(v, day) >= 0)
		return day + 1;
	if (weekday_at(v, 0) >= 0 && ndl_is_word(v, 1, "after") && ndl_is_word(v, 2, "next"))
		return 3;
	bool month = ndl_is_word(v, the + 2, "of") || (ndl_is_word(v, the + 2, "in") && month_at(v, the + 3));
	bool nth = v->it[the].ordinal || (month && ndl_is_word(v, the, "last"));
	return nth && weekday_at(v, the + 1) >= 0 ? the + 2 : 0;
}

/* Does the query speak of what has been? */
static bool is_past(const char *query, size_t len)
{
	static const char *const words[] = {"was", "were", "did", "had", "been", "since", "ago"};
	ndl_view v = {.n = 1};
	bool past = false;
	for (size_t at = 0; !past && ndl_take_item(query, len, &at, &v.it[0]);)
		past = NDL_IS_ANY(&v, 0, words) && v.it[0].to - v.it[0].from == strlen(v.it[0].word); /* not "we're" */
	return past;
}

/* What days are said by. */
typedef struct base {
	int64_t today; /* 0: unknown */
	bool past;
	date before; /* the last date that the query has told so far, if it is not past; month 0: none */
} base;

/* Gives the day, if it is one. */
static bool give_number(ndl_readings *r, const ndl_view *v, size_t items, int64_t day)
{
	date d;
	if (day < 0)
		return false;
	ndl_day_parts(day, &d.year, &d.month, &d.day);
	if (d.year > 9999)
		return false;
	give(r, v, items, &d);
	return true;
}

/* A date without a year, which it gets here, is the next, and where the query speaks of what has been the last. */
static void give_yearly(ndl_readings *r, const ndl_view *v, size_t items, date *d, const base *by)
{
	int n = 100 * d->month + d->day;
	const int64_t day = ndl_day_resolve(by->past ? NDL_DAY_YEARLY_PAST : NDL_DAY_YEARLY, n, by->today);
	if (give_number(r, v, items, day))
		ndl_day_parts(day, &d->year, &d->month, &d->day);
}

/* Gives the day that v begins with; how many items say it, 0: none. The 18th is that of the month of a date before it. */
static size_t give_by_today(ndl_readings *r, const ndl_view *v, const base *by)
{
	found f = read_offset(v);
	f = f.items ? f : read_weekday(v);
	f = f.items ? f : read_of_month(v);
	if (f.items && f.way == NDL_DAY_OF_MONTH && by->before.month && f.n > by->before.day) {
		const date d = {by->before.year, by->before.month, f.n};
		give(r, v, f.items, &d);
		return f.items;
	}
	return f.items && by->today > 0 && give_number(r, v, f.items, ndl_day_resolve(f.way, f.n, by->today)) ? f.items : 0;
}

/* What stands between two days, from item i on: how many items, where the second may begin; else *none. */
static size_t read_between(const ndl_view *v, size_t i, bool *none)
{
	static const char *const words[] = {"to", "until", "till", "through", "and"};
	bool word = NDL_IS_ANY(v, i, words), dash = i && i < v->n && v->s[v->it[i].from - 1] == '-';
	*none = !word && !dash;
	return word + (word && ndl_is_word(v, i + 1, "the"));
}

/* A date of one reading, or a day that leaves the month to another: month 0. How many items; 0: neither. */
static size_t read_end(const ndl_view *v, size_t i, date *d)
{
	date both[2];
	size_t n, first = i, items = read_date(v, i, both, &n);
	*d = items ? both[0] : (date){0, 0, day_at(v, &i)};
	return items ? items * (n == 1) : d->day > 0 ? i - first : 0;
}

/* Gives the days of "3 May to 7 May 2027", "12-15 June", "June 12 until 15, 2027", which v begins with, where one leaves the month or
 * the year to the other: how many items say the first; 0: there are none. */
static size_t give_two(ndl_readings *r, const ndl_view *v, const base *by)
{
	date a, b;
	bool none;
	size_t items = read_end(v, 0, &a), at = items + read_between(v, items, &none), more = items && !none ? read_end(v, at, &b) : 0;
	if (!more || !(a.month || b.month) || (a.month && a.year))
		return 0;
	const bool bare = b.month == 0;
	size_t year = at + more + ndl_is_word(v, at + more, ",");
	a.month = a.month ? a.month : b.month;
	b.month = bare ? a.month : b.month;
	if (bare && is_year(v, year))
		b.year = (int)v->it[year].number;
	const bool turn = 100 * a.month + a.day > 100 * b.month + b.day; /* of the year between them */
	ndl_view rest = {.s = v->s, .len = v->len};
	ndl_look(&rest, v->it[at].from);
	if (b.year) {
		a.year = b.year - turn;
		give(r, v, items, &a);
		if (bare)
			give(r, &rest, more, &b);
	} else if (by->today > 0) {
		give_yearly(r, v, items, &a, by);
		if (bare)
			give_yearly(r, &rest, more, &b, by);
	}
	return items;
}

/* Gives the date, or the day by today, that v begins with; how many items say it. */
static size_t give_day(ndl_readings *r, const ndl_view *v, base *by)
{
	date d[2];
	size_t n, items = give_two(r, v, by);
	if (items)
		return items;
	items = read_date(v, 0, d, &n);
	for (size_t k = 0; k < n && items; k++)
		if (d[k].year)
			give(r, v, items, &d[k]);
		else if (by->today > 0)
			give_yearly(r, v, items, &d[k], by);
	if (items && n == 1 && d[0].year && ndl_day_number(d[0].year, d[0].month, d[0].day) >= by->today)
		by->before = d[0];
	return items ? items : give_by_today(r, v, by);
}

/* Where the query states today's date: told_from and told_to, and *today; else nothing. */
static void find_today(ndl_readings *r, const char *query, size_t len, int64_t *today)
{
	ndl_view v = {.s = query, .len = len};
	ndl_item first;
	size_t items = 0;
	for (size_t at = 0, next = 0; items == 0 && ndl_take_item(query, len, &next, &first); at = next) {
		ndl_look(&v, at);
		items = read_today(&v, today);
	}
	r->told_from = items ? first.from : 0;
	r->told_to = items ? v.it[items - 1].to : 0;
}

/* "May 2027": 2 items; else 0. */
static size_t read_month(const ndl_view *v, date out[2], size_t *n)
{
	out[0] = (date){is_year(v, 1) ? (int)v->it[1].number : 0, month_at(v, 0), 0};
	*n = 1;
	return out[0].month && out[0].year ? 2 : 0;
}

/* Adds the numbers of the dates that the query tells, but today's. */
static void give_parts(ndl_readings *r, const char *query, size_t len)
{
	ndl_view v = {.s = query, .len = len};
	ndl_item first;
	for (size_t at = 0, next = 0; ndl_take_item(query, len, &next, &first); at = next) {
		date d[2];
		size_t n;
		ndl_look(&v, at);
		size_t items = read_date(&v, 0, d, &n);
		items = items ? items : read_month(&v, d, &n);
		if (items == 0)
			continue;
		next = v.it[items - 1].to;
		for (size_t k = 0; k < n && !ndl_readings_told(r, first.from); k++) {
			const struct { int number; uint16_t unit; } parts[] = {
				{d[k].day, NDL_PART_DAY}, {d[k].month, NDL_PART_MONTH}, {d[k].year, NDL_PART_YEAR}};
			for (size_t i = 0; i < 3; i++)
				if (parts[i].number)
					ndl_readings_add(r, &v, items, NDL_READ_NUMBER, parts[i].unit, "%d", parts[i].number);
		}
	}
}

void ndl_give_days(ndl_readings *r, const char *query, size_t len, int64_t today)
{
	ndl_view v = {.s = query, .len = len};
	ndl_item first;
	find_today(r, query, len, &today);
	r->today = today;
	give_parts(r, query, len);
	r->days = r->n;
	base by = {.today = today, .past = today > 0 && is_past(query, len)}, unknown = {0};
	for (size_t at = 0, next = 0; ndl_take_item(query, len, &next, &first); at = next) {
		bool told = ndl_readings_told(r, first.from);
		ndl_look(&v, at);
		size_t other = other_day(&v), items = other ? 0 : give_day(r, &v, told ? &unknown : &by);
		if (other)
			next = v.it[other - 1].to;
		if (items && !told)
			next = v.it[items - 1].to;
	}
}
