/* derive.c - numbers, times and dates of a query as arguments spell them: "half past six" is 06:30 or
 * 18:30, "twenty-five" 25, "May 3rd, 2027" 2027-05-03. English. Where the query leaves it open (six in
 * the morning or the evening?) every reading is given: they are what a value may be, not what it is. */
#include "session/session_internal.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 12, LOOK = 12 }; /* bytes of a word that can mean something; words in an expression */

/* A word, a number or a mark of the query. */
typedef struct item {
	size_t from, to;
	char word[WORD_MAX + 1]; /* in lower case; "" for numbers and long words */
	long number;             /* -1: none */
	size_t digits;           /* 0: written as a word */
	bool ordinal;
} item;

/* The items at a place of the query. */
typedef struct view {
	const char *s;
	size_t len;
	item it[LOOK];
	size_t n;
} view;

static long word_number(const char *w, bool *ordinal)
{
	static const char *const small[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
		"ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
	static const char *const tens[] = {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
	static const char *const nth[] = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
		"ninth", "tenth", "eleventh", "twelfth"};
	for (size_t i = 0; i < sizeof nth / sizeof *nth; i++)
		if ((*ordinal = strcmp(w, nth[i]) == 0))
			return (long)i + 1;
	for (size_t i = 0; i < sizeof small / sizeof *small; i++)
		if (strcmp(w, small[i]) == 0)
			return (long)i;
	for (size_t i = 0; i < sizeof tens / sizeof *tens; i++)
		if (strcmp(w, tens[i]) == 0)
			return 20 + 10 * (long)i;
	return -1;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	unsigned char b = ndl_fold((unsigned char)c);
	return (b >= 'a' && b <= 'z') || b >= 0x80;
}

/* Reads the item at *at, behind blanks; false at the end. */
static bool read_item(const char *s, size_t len, size_t *at, item *x)
{
	size_t i = *at, n = 0;
	while (i < len && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r' || s[i] == '-'))
		i++;
	*x = (item){.from = i, .number = -1};
	if (i == len)
		return false;
	if (is_digit(s[i])) {
		x->number = 0;
		for (; i < len && is_digit(s[i]); i++, x->digits++)
			x->number = x->digits < 9 ? 10 * x->number + (s[i] - '0') : x->number;
		char a = i + 1 < len ? (char)ndl_fold((unsigned char)s[i]) : ' ';
		char b = i + 1 < len ? (char)ndl_fold((unsigned char)s[i + 1]) : ' ';
		x->ordinal = (a == 's' && b == 't') || (a == 'n' && b == 'd') || (a == 'r' && b == 'd') || (a == 't' && b == 'h');
		i += x->ordinal ? 2 : 0;
	} else if (is_letter(s[i])) {
		/* with the dots and quotes inside: a.m., o'clock */
		for (; i < len && (is_letter(s[i]) || ((s[i] == '.' || s[i] == '\'') && i + 1 < len && is_letter(s[i + 1]))); i++) {
			if (n < WORD_MAX && is_letter(s[i]))
				x->word[n] = (char)ndl_fold((unsigned char)s[i]);
			n += is_letter(s[i]);
		}
		x->word[n <= WORD_MAX ? n : 0] = '\0';
		x->number = word_number(x->word, &x->ordinal);
	} else {
		x->word[0] = s[i++];
	}
	x->to = *at = i;
	return true;
}

static void look(view *v, size_t at)
{
	for (v->n = 0; v->n < LOOK && read_item(v->s, v->len, &at, &v->it[v->n]);)
		v->n++;
}

static bool is_word(const view *v, size_t i, const char *word)
{
	return i < v->n && strcmp(v->it[i].word, word) == 0;
}

static long number_at(const view *v, size_t i, long most)
{
	return i < v->n && v->it[i].number >= 0 && v->it[i].number <= most ? v->it[i].number : -1;
}

/* ---- numbers ---- */

/* Up to 999,999 in words, or digits in groups: *value, and how many items. */
static size_t read_number(const view *v, long *value)
{
	long sum = 0, part = 0;
	size_t i = 0;
	if (v->n && v->it[0].digits) {
		sum = v->it[0].number;
		for (i = 1; i + 1 < v->n && is_word(v, i, ",") && v->it[i + 1].digits == 3 && v->it[i].from == v->it[i - 1].to &&
		     v->it[i + 1].from == v->it[i].to && sum < 1000000; i += 2)
			sum = 1000 * sum + v->it[i + 1].number;
		*value = sum;
		return i > 1 ? i : 0;
	}
	for (; i < v->n && !v->it[i].digits; i++) {
		long n = v->it[i].number;
		if (n >= 0 && !v->it[i].ordinal && (part % 100 == 0 || (part % 10 == 0 && part % 100 >= 20 && n > 0 && n < 10)))
			part += n;
		else if (is_word(v, i, "hundred") && part > 0 && part < 10)
			part *= 100;
		else if (is_word(v, i, "thousand") && part > 0 && sum == 0)
			sum = 1000 * part, part = 0;
		else if (!(is_word(v, i, "and") && (part > 0 || sum > 0) && part % 100 == 0 && number_at(v, i + 1, 99) >= 0))
			break;
	}
	*value = sum + part;
	return i;
}

/* ---- times ---- */

enum half { OPEN, AM, PM };

static enum half half_at(const view *v, size_t *i)
{
	static const struct { const char *word; enum half half; } words[] = {
		{"am", AM}, {"pm", PM}, {"morning", AM}, {"afternoon", PM}, {"evening", PM}, {"night", PM}, {"tonight", PM},
	};
	size_t k = *i;
	if (is_word(v, k, "oclock"))
		k = ++*i;
	while (is_word(v, k, "in") || is_word(v, k, "the") || is_word(v, k, "at") || is_word(v, k, "this"))
		k++;
	for (size_t w = 0; w < sizeof words / sizeof *words; w++)
		if (is_word(v, k, words[w].word)) {
			*i = k + 1;
			return words[w].half;
		}
	return OPEN;
}

static void give(ndl_ground *g, const view *v, size_t items, const char *text)
{
	ndl_ground_add(g, text, v->it[0].from, v->it[items - 1].to);
}

static void give_time(ndl_ground *g, const view *v, size_t items, long hour, long minute)
{
	char text[40];
	long h12 = hour % 12 ? hour % 12 : 12;
	const char *half = hour < 12 ? "am" : "pm";
	snprintf(text, sizeof text, "%02ld:%02ld", hour, minute);
	give(g, v, items, text);
	snprintf(text, sizeof text, "%ld:%02ld", hour, minute);
	give(g, v, items, text);
	snprintf(text, sizeof text, "%ld:%02ld %s", h12, minute, half);
	give(g, v, items, text);
	snprintf(text, sizeof text, "%ld %s", h12, half);
	if (minute == 0)
		give(g, v, items, text);
}

static void give_hours(ndl_ground *g, const view *v, size_t items, long hour, long minute, enum half half)
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

/* "half past six", "quarter to 8", "ten (minutes) past one pm" */
static bool relative_time(ndl_ground *g, const view *v)
{
	size_t i = is_word(v, 0, "a");
	long minutes = is_word(v, i, "half") ? 30 : is_word(v, i, "quarter") ? 15 : number_at(v, i, 59);
	i++;
	i += is_word(v, i, "minutes");
	bool to = is_word(v, i, "to") || is_word(v, i, "before");
	if (minutes < 1 || !(to || is_word(v, i, "past") || is_word(v, i, "after")))
		return false;
	long hour = number_at(v, ++i, 23);
	if (hour < 0)
		return false;
	i++;
	enum half half = half_at(v, &i);
	if (to)
		hour = (hour ? hour : 24) - 1;
	if (to && hour == 0)
		hour = 12; /* ten to one: 12:50, in either half of the day */
	give_hours(g, v, i, hour, to ? 60 - minutes : minutes, half);
	return true;
}

/* "7:30 pm", "7.30", "six thirty", "5 am", "six in the evening", "8 o'clock", "at nine" */
static void clock_time(ndl_ground *g, const view *v)
{
	long hour = number_at(v, 0, 23), minute = 0;
	size_t i = 1;
	bool sure = false;
	if (hour < 0 || v->it[0].ordinal)
		return;
	if ((is_word(v, 1, ":") || is_word(v, 1, ".")) && number_at(v, 2, 59) >= 0 && v->it[2].digits == 2 &&
	    v->it[2].from == v->it[0].to + 1) {
		minute = v->it[2].number;
		i = 3;
		sure = true;
	} else if (!v->it[0].digits && number_at(v, 1, 59) >= 10 && !v->it[1].digits) {
		minute = v->it[1].number;
		i = 2;
		if (minute % 10 == 0 && number_at(v, 2, 9) > 0)
			minute += v->it[i++].number;
	}
	size_t before = i;
	enum half half = half_at(v, &i);
	if (sure || i > before || hour > 0)
		give_hours(g, v, i, hour, minute, half);
}

/* ---- dates ---- */

static long month_at(const view *v, size_t i)
{
	static const char *const months[] = {"january", "february", "march", "april", "may", "june", "july", "august",
		"september", "october", "november", "december"};
	size_t len = i < v->n ? strlen(v->it[i].word) : 0;
	for (long m = 0; len >= 3 && m < 12; m++)
		if (strcmp(v->it[i].word, months[m]) == 0 || ((len == 3 || (m == 8 && len == 4)) && strncmp(v->it[i].word, months[m], len) == 0))
			return m + 1;
	return 0;
}

static void give_date(ndl_ground *g, const view *v, size_t items, long year, long month, long day)
{
	char text[40];
	if (year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return;
	snprintf(text, sizeof text, "%04ld-%02ld-%02ld", year, month, day);
	give(g, v, items, text);
}

/* "3 May 2027", "the 3rd of May, 2027", "May 3rd 2027", "3/5/2027" (which is it?) */
static void date(ndl_ground *g, const view *v)
{
	size_t i = 0;
	long day = -1, month = month_at(v, 0);
	if (month) {
		i += 1 + is_word(v, 1, "the");
		day = number_at(v, i++, 31);
	} else if ((day = number_at(v, 0, 31)) > 0) {
		i = 1;
		if (is_word(v, 1, "/") && is_word(v, 3, "/") && number_at(v, 2, 31) > 0 && number_at(v, 4, 9999) >= 1000) {
			give_date(g, v, 5, v->it[4].number, v->it[2].number, day);
			give_date(g, v, 5, v->it[4].number, day, v->it[2].number);
			return;
		}
		i += is_word(v, i, "of");
		month = month_at(v, i++);
	}
	if (!month || day < 1)
		return;
	i += is_word(v, i, ",");
	i += is_word(v, i, "of");
	long year = number_at(v, i, 9999);
	if (year >= 1000)
		give_date(g, v, i + 1, year, month, day);
}

void ndl_derive(ndl_ground *g, const char *query, size_t len)
{
	view v = {.s = query, .len = len};
	item first;
	for (size_t at = 0, next = 0; read_item(query, len, &next, &first); at = next) {
		char text[24];
		long value;
		look(&v, at);
		size_t items = read_number(&v, &value);
		if (items) {
			snprintf(text, sizeof text, "%ld", value);
			give(g, &v, items, text);
		}
		if (is_word(&v, 0, "noon") || is_word(&v, 0, "midnight"))
			give_time(g, &v, 1, v.it[0].word[0] == 'n' ? 12 : 0, 0);
		if (!relative_time(g, &v))
			clock_time(g, &v);
		date(g, &v);
	}
}
