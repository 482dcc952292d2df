/* items.c - a query as words, numbers and marks, for those who read times and quantities in it. English. */
#include "readings/readings_internal.h"

#include "base/ascii.h"

#include <limits.h>
#include <string.h>

static long word_number(const char *w, bool *ordinal)
{
	static const char *const small[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
		"ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
	static const char *const tens[] = {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
	static const char *const nth[] = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
		"ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
		"eighteenth", "nineteenth", "twentieth"};
	for (size_t i = 0; i < sizeof nth / sizeof *nth; i++)
		if ((*ordinal = strcmp(w, nth[i]) == 0))
			return (long)i + 1;
	if ((*ordinal = strcmp(w, "thirtieth") == 0))
		return 30;
	for (size_t i = 0; i < sizeof small / sizeof *small; i++)
		if (strcmp(w, small[i]) == 0)
			return (long)i;
	for (size_t i = 0; i < sizeof tens / sizeof *tens; i++)
		if (strcmp(w, tens[i]) == 0)
			return 20 + 10 * (long)i;
	return -1;
}

enum { LOOK_BACK = 40 }; /* bytes of a query before a place in it */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
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

bool ndl_take_item(const char *s, size_t len, size_t *at, ndl_item *x)
{
	size_t i = *at, n = 0;
	while (i < len && (is_blank(s[i]) || s[i] == '-'))
		i++;
	*x = (ndl_item){.from = i, .number = -1};
	if (i == len)
		return false;
	if (is_digit(s[i])) {
		x->number = 0;
		for (; i < len && is_digit(s[i]); i++, x->digits++)
			x->number = x->digits < NDL_ITEM_DIGITS ? 10 * x->number + (s[i] - '0') : x->number;
		char a = i + 1 < len ? (char)ndl_fold((unsigned char)s[i]) : ' ';
		char b = i + 1 < len ? (char)ndl_fold((unsigned char)s[i + 1]) : ' ';
		x->ordinal = (a == 's' && b == 't') || (a == 'n' && b == 'd') || (a == 'r' && b == 'd') || (a == 't' && b == 'h');
		i += x->ordinal ? 2 : 0;
	} else if (is_letter(s[i])) {
		/* with the dots and quotes inside: a.m., o'clock */
		for (; i < len && (is_letter(s[i]) || ((s[i] == '.' || s[i] == '\'') && i + 1 < len && is_letter(s[i + 1]))); i++) {
			if (n < NDL_ITEM_WORD && is_letter(s[i]))
				x->word[n] = (char)ndl_fold((unsigned char)s[i]);
			n += is_letter(s[i]);
		}
		x->word[n <= NDL_ITEM_WORD ? n : 0] = '\0';
		x->number = word_number(x->word, &x->ordinal);
	} else {
		x->word[0] = s[i++];
	}
	x->to = *at = i;
	return true;
}

bool ndl_mark_before(const char *s, size_t i, char mark)
{
	return i && s[i - 1] == mark && (i == 1 || (unsigned char)s[i - 2] <= ' ' || s[i - 2] == '(');
}

bool ndl_is_between(const char *s, size_t at)
{
	static const char *const ends[] = {"between ", "between the "};
	for (size_t e = 0; e < 2; e++) {
		const size_t n = strlen(ends[e]);
		size_t i = 0;
		while (at >= n && i < n && ndl_fold((unsigned char)s[at - n + i]) == (unsigned char)ends[e][i])
			i++;
		if (i == n)
			return true;
	}
	return false;
}

void ndl_look(ndl_view *v, size_t at)
{
	v->minus = false;
	for (v->n = 0; v->n < NDL_ITEM_LOOK && ndl_take_item(v->s, v->len, &at, &v->it[v->n]);)
		v->n++;
}

void ndl_look_back(ndl_view *v, size_t at, size_t words)
{
	size_t i = at, last = at > LOOK_BACK ? at - LOOK_BACK : 0;
	for (; words; words--) {
		while (i > last && is_blank(v->s[i - 1]))
			i--;
		while (i > last && !is_blank(v->s[i - 1]))
			i--;
	}
	ndl_look(v, i);
	while (v->n && v->it[v->n - 1].to > at)
		v->n--;
}

bool ndl_is_behind(const char *s, size_t len, size_t at, const char *const *words, size_t n)
{
	ndl_view v = {.s = s, .len = len};
	ndl_look_back(&v, at, 1);
	return v.n && ndl_is_any(&v, v.n - 1, words, n);
}

bool ndl_is_word(const ndl_view *v, size_t i, const char *word)
{
	return i < v->n && strcmp(v->it[i].word, word) == 0;
}

bool ndl_is_any(const ndl_view *v, size_t i, const char *const *words, size_t n)
{
	for (size_t w = 0; w < n; w++)
		if (ndl_is_word(v, i, words[w]))
			return true;
	return false;
}

long ndl_number_at(const ndl_view *v, size_t i, long most)
{
	return i < v->n && v->it[i].number >= 0 && v->it[i].number <= most ? v->it[i].number : -1;
}

size_t ndl_read_number(const ndl_view *v, size_t first, long *value)
{
	long sum = 0, part = 0;
	size_t i = first;
	*value = 0;
	if (i < v->n && v->it[i].digits > NDL_ITEM_DIGITS) /* the first digits of a number are another number */
		return 0;
	if (i < v->n && v->it[i].digits) {
		sum = v->it[i].number;
		for (i++; i + 1 < v->n && ndl_is_word(v, i, ",") && v->it[i + 1].digits == 3 && v->it[i].from == v->it[i - 1].to &&
		     v->it[i + 1].from == v->it[i].to; i += 2) {
			if (sum > (LONG_MAX - 999) / 1000)
				return 0;
			sum = 1000 * sum + v->it[i + 1].number;
		}
	}
	for (; i < v->n && !v->it[first].digits && !v->it[i].digits && !(i > first && v->it[i - 1].ordinal); i++) {
		long n = v->it[i].number;
		bool ones = part % 10 == 0 && part % 100 >= 20 && n > 0 && n < 10;
		bool nth = v->it[i].ordinal; /* joined: "thirty first class tickets" are thirty */
		if (nth ? ones && v->s[v->it[i].from - 1] == '-' : ones || (n >= 0 && part % 100 == 0))
			part += n;
		else if (ndl_is_word(v, i, "hundred") && part < 10 && (part > 0 || i == first)) /* "(a) hundred and ten" */
			part = part ? 100 * part : 100;
		else if (ndl_is_word(v, i, "thousand") && (part > 0 || i == first) && sum == 0)
			sum = part ? 1000 * part : 1000, part = 0;
		else if (!(ndl_is_word(v, i, "and") && (part > 0 || sum > 0) && part % 100 == 0 && ndl_number_at(v, i + 1, 99) >= 0))
			break;
	}
	*value = sum + part;
	return i - first;
}

/* The number that v begins with: where it ends; 0: none, or one that need not be a value: "one", an ordinal, "4" of "v4". */
static size_t number_end(const ndl_view *v)
{
	long value;
	const ndl_item *first = &v->it[0];
	size_t items = ndl_read_number(v, 0, &value), to;
	bool inside = first->from && (is_letter(v->s[first->from - 1]) || is_digit(v->s[first->from - 1]));
	if (items == 0 || inside || first->ordinal || (!first->digits && value < 2))
		return 0;
	to = v->it[items - 1].to;
	if (to + 1 < v->len && v->s[to] == '.' && is_digit(v->s[to + 1]))
		for (to++; to < v->len && is_digit(v->s[to]);)
			to++;
	return to;
}

bool ndl_next_number(const char *query, size_t len, size_t *at, size_t *from, size_t *to)
{
	ndl_view v = {.s = query, .len = len};
	ndl_item first;
	for (size_t next = *at; ndl_take_item(query, len, &next, &first); *at = next) {
		ndl_look(&v, *at);
		*from = first.from;
		*to = number_end(&v);
		if (*to) {
			*at = *to;
			return true;
		}
	}
	return false;
}
