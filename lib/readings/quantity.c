/* quantity.c - quantities of a query as arguments count them: "an hour and a half" is 90 where minutes are asked for
 * and 5400 where seconds are, half a litre 500 ml, "half" 50 of a hundred, "1.2 million" 1200000. English. What is asked for is not
 * known here: every reading is given, with what it counts. */
#include "readings/readings_internal.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* How many items an expression takes and what it comes to. */
typedef struct amount {
	size_t items;
	double value;
} amount;

/* A word and what it is worth. */
typedef struct worth {
	const char *word;
	double value;
} worth;

/* What item i is worth among n words; 0: it is none of them. */
static double worth_of(const ndl_view *v, size_t i, const worth *words, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (ndl_is_word(v, i, words[k].word))
			return words[k].value;
	return 0;
}

/* unit: what it counts, or NULL. kinds: NDL_READ_. */
static void give_as(ndl_readings *r, const ndl_view *v, size_t items, double value, const char *unit, unsigned kinds)
{
	const double cents = round(100 * value);
	if (!(fabs(value) < 1e13) || fabs(100 * value - cents) > 1e-9 * fabs(cents))
		return;
	value = cents / 100;
	int decimals = value == floor(value) ? 0 : 10 * value == floor(10 * value) ? 1 : 2;
	ndl_readings_add(r, v, items, kinds, unit ? ndl_unit_id(unit, strlen(unit)) : 0, "%.*f", decimals, value);
}

static void give(ndl_readings *r, const ndl_view *v, size_t items, double value, const char *unit)
{
	give_as(r, v, items, value, unit, NDL_READ_NUMBER);
}

static size_t skip(const ndl_view *v, size_t i, const char *word)
{
	return i + ndl_is_word(v, i, word);
}

static bool is_article(const ndl_view *v, size_t i)
{
	return ndl_is_word(v, i, "a") || ndl_is_word(v, i, "an");
}

/* "half (of) (an)", "(a) quarter (of) (an)", "three quarters (of) (an)" */
static amount read_part(const ndl_view *v, size_t i)
{
	bool three = ndl_number_at(v, i, 3) == 3 && ndl_is_word(v, i + 1, "quarters");
	size_t k = three ? i + 1 : i + is_article(v, i);
	double value = three ? 0.75 : ndl_is_word(v, k, "half") ? 0.5 : ndl_is_word(v, k, "quarter") ? 0.25 : 0;
	if (value == 0)
		return (amount){0, 0};
	k = skip(v, k + 1, "of");
	return (amount){k + is_article(v, k) - i, value};
}

/* "and a half", "and a quarter" */
static amount read_and_part(const ndl_view *v, size_t i)
{
	amount part = {0, 0};
	if (ndl_is_word(v, i, "and") && is_article(v, i + 1))
		part = read_part(v, i + 1);
	return part.items ? (amount){1 + part.items, part.value} : part;
}

static const ndl_unit *unit_at(const ndl_view *v, size_t i)
{
	return i < v->n ? ndl_unit_find(v->it[i].word) : NULL;
}

/* Seconds of a unit of time; 0: it is none. */
static double seconds_at(const ndl_view *v, size_t i)
{
	const ndl_unit *u = unit_at(v, i);
	return u && u->of == 't' ? u->size : 0;
}

/* "a full hour", "another hour": how many items stand before the unit; 0: it is not said so. */
static size_t read_whole(const ndl_view *v, size_t i)
{
	static const char *const words[] = {"full", "whole", "good", "solid", "extra", "further", "single", "entire"};
	if (ndl_is_word(v, i, "another"))
		return seconds_at(v, i + 1) > 0;
	for (size_t k = 0; is_article(v, i) && k < sizeof words / sizeof *words; k++)
		if (ndl_is_word(v, i + 1, words[k]) && seconds_at(v, i + 2) > 0)
			return 2;
	return 0;
}

/* The digits behind a point at item i: ".25", "point two five"; items 0: there is none. */
static amount read_decimals(const ndl_view *v, size_t i)
{
	const ndl_item *point = &v->it[i];
	amount a = {0, 0};
	if (ndl_is_word(v, i, ".") && i + 1 < v->n && point[1].digits && point[1].digits <= NDL_ITEM_DIGITS && point[1].from == point->to)
		return (amount){2, (double)point[1].number / pow(10, (double)point[1].digits)};
	for (size_t k = 1; ndl_is_word(v, i, "point") && ndl_number_at(v, i + k, 9) >= 0 && !point[k].ordinal; k++)
		a = (amount){1 + k, a.value + (double)point[k].number / pow(10, (double)k)};
	return a;
}

/* "1,200", "2.5", "twenty-two point five", "a hundred" */
static amount read_decimal(const ndl_view *v, size_t i)
{
	long whole;
	amount part = {0, 0};
	size_t a = is_article(v, i) && (ndl_is_word(v, i + 1, "hundred") || ndl_is_word(v, i + 1, "thousand"));
	size_t n = ndl_read_number(v, i + a, &whole), k = i + a + n;
	if (n && k < v->n && (v->it[k].from == v->it[k - 1].to || ndl_is_word(v, k, "point")))
		part = read_decimals(v, k);
	return n ? (amount){a + n + part.items, (double)whole + part.value} : part;
}

static bool is_joined(const ndl_view *v, size_t i)
{
	return i < v->n && v->it[i].from == v->it[i - 1].to;
}

static bool is_joined_number(const ndl_view *v, size_t i, size_t most_digits)
{
	return is_joined(v, i) && v->it[i].digits && v->it[i].digits <= most_digits && !v->it[i].ordinal;
}

/* "3/4", a half, a quarter or three as one character */
static amount read_ratio(const ndl_view *v, size_t i)
{
	static const worth signs[] = {{"\xc2\xbd", 0.5}, {"\xc2\xbc", 0.25}, {"\xc2\xbe", 0.75}};
	const double sign = worth_of(v, i, signs, sizeof signs / sizeof *signs);
	if (sign > 0)
		return (amount){1, sign};
	const long a = ndl_number_at(v, i, 3), of = ndl_number_at(v, i + 2, 4);
	bool slash = ndl_is_word(v, i + 1, "/") && is_joined(v, i + 1) && is_joined_number(v, i + 2, 1);
	bool more = is_joined(v, i + 3) && (ndl_is_word(v, i + 3, "/") || v->it[i + 3].digits);
	return slash && !more && a > 0 && a < of && of % 2 == 0 && v->it[i].digits == 1 ? (amount){3, (double)a / (double)of} : (amount){0, 0};
}

/* "1,5": no list, and no thousands. */
static amount read_comma(const ndl_view *v)
{
	static const char *const marks[] = {",", ".", "/"}, *const words[] = {"and", "or", ","};
	const ndl_item *x = v->it;
	bool comma = ndl_is_word(v, 1, ",") && is_joined(v, 1) && is_joined_number(v, 2, 2);
	bool before = x->from && (v->s[x->from - 1] == ',' || v->s[x->from - 1] == '.');
	bool more = is_joined(v, 3) && NDL_IS_ANY(v, 3, marks) && is_joined_number(v, 4, SIZE_MAX);
	bool list = NDL_IS_ANY(v, 3, words) && ndl_number_at(v, 4, LONG_MAX) >= 0;
	if (!comma || before || more || list)
		return (amount){0, 0};
	return (amount){3, (double)x->number + (double)x[2].number / (x[2].digits == 1 ? 10 : 100)};
}

/* "12 500", "1 250 000"; *sure: these are no numbers side by side. */
static amount read_groups(const ndl_view *v, bool *sure)
{
	double value = (double)v->it[0].number;
	size_t i = 1;
	for (*sure = false; i < v->n && v->it[i].digits == 3 && v->it[i].from == v->it[i - 1].to + 1 && v->s[v->it[i - 1].to] == ' '; i++) {
		*sure = *sure || i > 1 || v->it[i].number < 100;
		value = 1000 * value + (double)v->it[i].number;
	}
	return i > 1 && i < 5 && !v->it[i - 1].ordinal ? (amount){i, value} : (amount){0, 0};
}

/* Whether what stands behind i items, or the sign before them, says that they are a number. */
static bool is_counted(const ndl_view *v, size_t i)
{
	static const char *const words[] = {"%", "cup", "cups", "tsp", "teaspoon", "teaspoons", "tbsp", "tablespoon", "tablespoons", "oz",
		"ounce", "ounces", "lb", "lbs", "pint", "pints"};
	const char before = v->it[0].from ? v->s[v->it[0].from - 1] : ' ';
	return before == '$' || (unsigned char)before >= 0x80 || unit_at(v, i) || ndl_is_currency(v, i) || NDL_IS_ANY(v, i, words);
}

/* A number of digits and something else; *sure: its digits are none by themselves. */
static amount read_compound(const ndl_view *v, bool *sure)
{
	const ndl_item *first = &v->it[0];
	*sure = false;
	if (first->ordinal || first->digits > NDL_ITEM_DIGITS)
		return (amount){0, 0};
	amount a = read_ratio(v, 0), part = {0, 0};
	if (a.items == 0 && first->digits && v->n > 1 && v->it[1].from - first->to <= 1)
		part = read_ratio(v, 1);
	if (part.items)
		a = (amount){1 + part.items, (double)first->number + part.value};
	if (a.items == 0 && first->digits)
		a = read_comma(v);
	*sure = part.items || (a.items && is_counted(v, a.items));
	return a.items || !first->digits || first->digits > 3 || first->number == 0 ? a : read_groups(v, sure);
}

bool ndl_is_compound(const ndl_view *v)
{
	bool sure;
	return read_compound(v, &sure).items && sure;
}

static amount read_amount(const ndl_view *v, size_t i)
{
	amount part = read_part(v, i);
	if (part.items == 0 && i < v->n && ndl_mark_before(v->s, v->it[i].to, '.'))
		part = read_decimals(v, i);
	if (part.items)
		return part;
	size_t n = read_whole(v, i);
	if (n)
		return (amount){n, 1};
	if (i < v->n && v->it[i].ordinal)
		return part;
	amount a = read_decimal(v, i);
	if (a.items == 0 && is_article(v, i))
		return ndl_is_word(v, i + 1, "couple") ? (amount){skip(v, i + 2, "of") - i, 2} : (amount){1, 1};
	if (a.items)
		part = read_and_part(v, i + a.items);
	return (amount){a.items + part.items, a.value + part.value};
}

/* Whether a clause ends before item i. */
static bool is_last(const ndl_view *v, size_t i)
{
	static const char *const marks[] = {",", ".", "?", "!", ";"};
	return i >= v->n || NDL_IS_ANY(v, i, marks);
}

/* "ten minutes", "half an hour", "1 hour (and) 55 minutes", "an hour and a half", "3h15", "2 hours 30": in
 * seconds. a: the amount that it begins with. */
static amount read_time(const ndl_view *v, amount a)
{
	amount sum = {0, 0};
	double unit = a.items ? seconds_at(v, a.items) : 0, before = INFINITY;
	size_t i = 0;
	while (unit > 0 && unit < before) {
		i += a.items + 1;
		sum = (amount){i, sum.value + a.value * unit};
		a = read_and_part(v, i);
		if (a.items) {
			sum = (amount){i + a.items, sum.value + a.value * unit};
			break;
		}
		before = unit;
		i = skip(v, skip(v, i, ","), "and");
		a = read_amount(v, i);
		if (a.items == 0)
			break;
		unit = seconds_at(v, i + a.items);
		bool joined = v->it[i].digits == 2 && is_joined(v, i), last = i == sum.items && a.value >= 10 && is_last(v, i + a.items);
		if (unit == 0 && before == 3600 && a.value < 60 && (joined || last))
			sum = (amount){i + a.items, sum.value + 60 * a.value};
	}
	return sum;
}

/* Dozens to billions; 0: none. */
static double scale_at(const ndl_view *v, size_t i)
{
	static const worth scales[] = {{"dozen", 12}, {"hundred", 1e2}, {"k", 1e3}, {"thousand", 1e3}, {"grand", 1e3}, {"m", 1e6},
		{"million", 1e6}, {"billion", 1e9}};
	return worth_of(v, i, scales, sizeof scales / sizeof *scales);
}

/* A word that stands for a number by itself; 0: none. */
static double word_at(const ndl_view *v, size_t i)
{
	static const worth words[] = {
		{"once", 1}, {"single", 1}, {"twice", 2}, {"double", 2}, {"couple", 2}, {"pair", 2}, {"both", 2}, {"triple", 3},
		{"dozen", 12}, {"fortnight", 14}, {"hundred", 100}, {"full", 100}, {"max", 100}, {"maximum", 100}, {"fully", 100},
		{"highest", 100}, {"brightest", 100}, {"loudest", 100}, {"all", 100}, {"noon", 12},
	};
	return worth_of(v, i, words, sizeof words / sizeof *words);
}

/* In every unit of its kind, to two decimals if these say enough. */
static void give_counted(ndl_readings *r, const ndl_view *v, size_t items, double value, char of, unsigned kinds)
{
	const ndl_unit *u;
	for (size_t at = 0; (u = ndl_unit_each(of, &at));)
		give_as(r, v, items, value >= u->size / 10 ? round(100 * value / u->size) / 100 : value / u->size, u->name,
		        NDL_READ_NUMBER | kinds);
}

void ndl_give_duration(ndl_readings *r, const ndl_view *v, size_t items, double seconds)
{
	give_counted(r, v, items, seconds, 't', NDL_READ_WHOLE | NDL_READ_BETWEEN);
}

/* "hourly", "daily": seconds; 0: neither. */
static double read_rate(const ndl_view *v)
{
	static const worth rates[] = {{"hourly", 3600}, {"daily", 86400}};
	return worth_of(v, 0, rates, sizeof rates / sizeof *rates);
}

/* A duration for tools that have an argument for each unit, from this one down: "90 minutes", from hours, is 1, 30 and 0 seconds. zeros:
 * these alone, the query says the others. */
static void give_parts(ndl_readings *r, const ndl_view *v, size_t items, double seconds, double from, bool zeros)
{
	static const char *const names[] = {"day", "hour", "minute", "second"};
	seconds = round(100 * seconds) / 100;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const double size = ndl_unit_find(names[i])->size, n = size > 1 ? floor(seconds / size) : seconds;
		if (size > from)
			continue;
		if (n == 0 || !zeros)
			give_as(r, v, items, n, names[i], NDL_READ_NUMBER | NDL_READ_PART);
		seconds -= n * size;
	}
}

/* Seconds of "1:20:30", or of "2:30" as minutes and seconds; *items: as many. */
static double read_clocked(const ndl_view *v, size_t *items)
{
	double sum = 0;
	size_t i = 0;
	for (; i <= 4 && v->it[0].digits && v->it[0].digits <= 3; i += 2) {
		if (i >= v->n || (i && !(is_joined_number(v, i, 2) && v->it[i].digits == 2 && v->it[i].number < 60)))
			break;
		sum = 60 * sum + (double)v->it[i].number;
		*items = i + 1;
		if (!ndl_is_word(v, i + 1, ":") || !is_joined(v, i + 1))
			break;
	}
	return sum;
}

size_t ndl_give_clocked(ndl_readings *r, const ndl_item *before, const ndl_view *v)
{
	static const char *const leads[] = {"for", "in", "of", "under", "took", "lasted", "timer", "countdown"},
		*const tails[] = {"timer", "countdown"},
		*const times[] = {"am", "pm", "in", "on", "to", "until", "till", "tomorrow", "today", "tonight"};
	const ndl_view b = {.it = {*before}, .n = 1};
	size_t items = 0;
	const double seconds = read_clocked(v, &items), unit = items > 1 ? seconds_at(v, items) : 0;
	bool said = (NDL_IS_ANY(&b, 0, leads) && !NDL_IS_ANY(v, items, times)) || NDL_IS_ANY(v, items, tails);
	if (items < 3 || !(said || unit == 60 || unit == 3600))
		return 0;
	items += unit > 0;
	if (items >= 5)
		give_parts(r, v, items, seconds, 3600, false);
	if (items >= 5 || unit != 3600) {
		give_as(r, v, items, seconds, "second", NDL_READ_NUMBER | NDL_READ_WHOLE);
		give_as(r, v, items, round(100 * seconds / 60) / 100, "minute", NDL_READ_NUMBER | NDL_READ_WHOLE);
	}
	if (items < 5 && unit != 60 && seconds < 24 * 60) { /* hours and minutes */
		give_as(r, v, items, seconds, "minute", NDL_READ_NUMBER | NDL_READ_WHOLE);
		give_as(r, v, items, round(100 * seconds / 60) / 100, "hour", NDL_READ_NUMBER | NDL_READ_WHOLE);
	}
	return v->it[items - 1].to;
}

/* Gives what a duration comes to that begins with this amount of units; several: and goes on with others. */
static void give_time(ndl_readings *r, const ndl_view *v, amount time, amount a, double unit, bool several)
{
	const size_t last = time.items - 1;
	bool fraction = a.value != floor(a.value) || ndl_is_word(v, last, "half") || ndl_is_word(v, last, "quarter");
	bool below = unit > 1 && unit <= 86400;
	const double from = several || fraction ? unit : unit == 1 ? 60 : unit == 60 ? 3600 : unit;
	if (unit <= 86400)
		give_parts(r, v, time.items, time.value, from, several && !fraction);
	several = several || (fraction && below && time.value > unit);
	give_counted(r, v, time.items, time.value, 't', several ? NDL_READ_WHOLE : 0);
}

size_t ndl_give_quantities(ndl_readings *r, const ndl_view *v, bool tail, size_t *number)
{
	bool sure;
	const amount compound = read_compound(v, &sure);
	amount a = sure ? compound : read_amount(v, 0), time = read_time(v, a);
	const ndl_unit *unit = a.items ? unit_at(v, a.items) : NULL;
	double word = word_at(v, 0), scale = a.items ? scale_at(v, a.items) : 0;
	bool percent = ndl_is_word(v, a.items, "%") || ndl_is_word(v, a.items, "percent");
	bool article = is_article(v, 0) && a.items == 1 && !unit; /* it counts nothing: "a base of 58" */
	bool nth = a.items && v->it[a.items - 1].ordinal;         /* "the twenty-first day" is no 21 days */
	bool part = (tail || nth) && time.items;                  /* of what has been given: 35 minutes of an hour and 35 minutes */
	const char *behind = percent ? "percent" : article || part || a.items >= v->n ? NULL : v->it[a.items].word;
	size_t end = !part && time.items > a.items + 1 ? v->it[time.items - 1].to : 0;
	*number = a.items ? v->it[a.items - (scale == 0)].to : 0;
	if (time.items && !part)
		give_time(r, v, time, a, unit->size, end > 0);
	if (unit && unit->of != 't')
		give_counted(r, v, a.items + 1, a.value * unit->size, unit->of, 0);
	if (read_rate(v) > 0)
		give_counted(r, v, 1, read_rate(v), 't', 0);
	if (word > 0)
		give(r, v, 1, word, NULL);
	if (v->it[0].ordinal && v->it[0].number > 0)
		give(r, v, 1, (double)v->it[0].number, NULL);
	if (!sure && compound.items)
		give(r, v, compound.items, compound.value, compound.items < v->n ? v->it[compound.items].word : NULL);
	if (a.items == 0)
		return end;
	give_as(r, v, a.items, a.value, behind, NDL_READ_NUMBER | (sure ? NDL_READ_COMPOUND : 0));
	if (percent)
		give(r, v, a.items, a.value / 100, NULL);
	else if (a.value < 1 && scale <= 0 && !is_counted(v, a.items))
		give(r, v, a.items, 100 * a.value, "percent");
	if (scale > 0)
		give(r, v, a.items + 1, a.value * scale, a.items + 1 < v->n ? v->it[a.items + 1].word : NULL);
	return end;
}
