/* units.c - what a number counts: the word behind it says so in a query, "two putts", "half a litre", and the name of an
 * argument says so, too: putts, volume_ml. English. */
#include "readings/readings_internal.h"

#include "base/ascii.h"
#include "base/rng.h"

#include <string.h>
#include <strings.h>

/* By the word in the singular and in American spelling; of the same name: different words for one unit. */
static const ndl_unit units[] = {
	{"s", "second", 1, 't'}, {"sec", "second", 1, 't'}, {"second", "second", 1, 't'}, {"m", "minute", 60, 't'},
	{"min", "minute", 60, 't'}, {"minute", "minute", 60, 't'}, {"h", "hour", 3600, 't'}, {"hr", "hour", 3600, 't'},
	{"hour", "hour", 3600, 't'}, {"d", "day", 86400, 't'}, {"day", "day", 86400, 't'}, {"week", "week", 604800, 't'},
	{"fortnight", "fortnight", 1209600, 't'},
	{"ml", "ml", 1, 'v'}, {"milliliter", "ml", 1, 'v'}, {"cl", "cl", 10, 'v'}, {"centiliter", "cl", 10, 'v'},
	{"dl", "dl", 100, 'v'}, {"deciliter", "dl", 100, 'v'}, {"l", "l", 1000, 'v'}, {"liter", "l", 1000, 'v'},
	{"mg", "mg", 0.001, 'w'}, {"milligram", "mg", 0.001, 'w'}, {"g", "g", 1, 'w'}, {"gram", "g", 1, 'w'},
	{"kg", "kg", 1000, 'w'}, {"kilo", "kg", 1000, 'w'}, {"kilogram", "kg", 1000, 'w'},
	{"mm", "mm", 1, 'l'}, {"millimeter", "mm", 1, 'l'}, {"cm", "cm", 10, 'l'}, {"centimeter", "cm", 10, 'l'},
	{"meter", "meter", 1000, 'l'}, {"km", "km", 1e6, 'l'}, {"kilometer", "km", 1e6, 'l'},
	{"inch", "inch", 25.4, 'l'}, {"inche", "inch", 25.4, 'l'}, {"foot", "foot", 304.8, 'l'}, {"feet", "foot", 304.8, 'l'},
	{"yard", "yard", 914.4, 'l'}, {"mile", "mile", 1609344, 'l'}, {"degree", "degree", 1, 'a'},
	{"kcal", "kcal", 1, 'e'}, {"calorie", "kcal", 1, 'e'},
	{"thousand", "thousand", 1e3, '#'}, {"million", "million", 1e6, '#'}, {"billion", "billion", 1e9, '#'},
	{"percent", "percent", 1, '%'}, {"percentage", "percent", 1, '%'}, {"pct", "percent", 1, '%'},
};

const ndl_currency ndl_currencies[] = {
	{"USD", "dollar"}, {"USD", "buck"}, {"USD", "$"}, {"EUR", "euro"}, {"EUR", "\xe2\x82\xac"}, {"GBP", "pound"}, {"GBP", "quid"},
	{"GBP", "\xc2\xa3"}, {"JPY", "yen"}, {"JPY", "\xc2\xa5"}, {"INR", "rupee"}, {"CHF", "franc"}, {"CNY", "yuan"}, {"CAD", "canadian"},
	{"AUD", "australian"}, {"MXN", "peso"}, {"SEK", "krona"}, {"SEK", "kronor"}, {"NOK", "krone"},
	{"NOK", "kroner"}, {"PLN", "zloty"}, {"TRY", "lira"}, {"ZAR", "rand"}, {NULL, NULL}};

enum { WORD = 24 };

/* to := the word in the singular and in American spelling, and its length. */
static size_t plain(char to[WORD + 1], const char *word, size_t len)
{
	size_t n = len < WORD ? len : WORD;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)ndl_fold((unsigned char)word[i]);
	n -= n > 2 && to[n - 1] == 's' && to[n - 2] != 's';
	to[n] = '\0';
	if (n > 4 && (strcmp(to + n - 5, "litre") == 0 || strcmp(to + n - 5, "metre") == 0))
		memcpy(to + n - 2, "er", 2);
	return n;
}

static const ndl_unit *find(const char *word)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i].word, word) == 0)
			return &units[i];
	return NULL;
}

const ndl_unit *ndl_unit_find(const char *word)
{
	char text[WORD + 1];
	plain(text, word, strlen(word));
	return find(text);
}

const ndl_unit *ndl_unit_each(char of, size_t *at)
{
	for (; *at < sizeof units / sizeof *units; ++*at) {
		const ndl_unit *u = &units[*at];
		if (u->of == of && (*at == 0 || strcmp(u->name, u[-1].name) != 0)) {
			++*at;
			return u;
		}
	}
	return NULL;
}

uint16_t ndl_unit_id(const char *word, size_t len)
{
	char text[WORD + 1];
	size_t n = plain(text, word, len);
	const ndl_unit *u = find(text);
	const char *name = u ? u->name : text;
	return n ? (uint16_t)(ndl_xxh64(name, u ? strlen(name) : n, 0) | 1) : 0;
}

char ndl_unit_kind(uint16_t id)
{
	for (size_t i = 0; id % 2 && i < sizeof units / sizeof *units; i++)
		if (ndl_unit_id(units[i].name, strlen(units[i].name)) == id)
			return units[i].of;
	return 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next word of a name from *at on, "alarm", "Hour" of alarmHour: name[*from, *at); false: no more. */
static bool next_word(const char *name, size_t len, size_t *at, size_t *from)
{
	size_t end = *at;
	while (end < len && !is_letter(name[end]))
		end++;
	*from = end;
	while (end < len && is_letter(name[end]) && !(end > *from && name[end] <= 'Z' && name[end - 1] >= 'a'))
		end++;
	*at = end;
	return end > *from;
}

/* Whether a part of a name may say what is counted. A minute is one of the clock, minutes are counted; min may be the least. */
static bool may_count(const char *part, size_t len, bool first, bool last)
{
	char text[WORD + 1];
	size_t n = plain(text, part, len);
	const ndl_unit *u = find(text);
	if (!u)
		return n > 2;
	if (n <= 3)
		return u->of != 't' ? n > 1 || (last && !first) : last && !first;
	return u->of != 't' || n < len;
}

size_t ndl_units_of_name(const char *name, size_t len, uint16_t *id, size_t cap)
{
	size_t n = 0;
	for (size_t end = 0, i; n < cap && next_word(name, len, &end, &i);) {
		bool metres = end - i == 1 && ndl_fold((unsigned char)name[i]) == 'm'; /* width_m; behind a number it may be minutes */
		if (may_count(name + i, end - i, i == 0, end == len))
			id[n++] = metres ? ndl_unit_id("meter", 5) : ndl_unit_id(name + i, end - i);
	}
	return n;
}

static bool is_name_word(const char *word, size_t len, const char *other)
{
	return strlen(other) == len && strncasecmp(word, other, len) == 0;
}

uint16_t ndl_part_of_name(const char *name, size_t len)
{
	static const struct { const char *word; uint16_t part; } words[] = {{"hour", NDL_PART_HOUR}, {"minute", NDL_PART_MINUTE},
		{"day", NDL_PART_DAY}, {"month", NDL_PART_MONTH}, {"year", NDL_PART_YEAR}};
	uint16_t part = 0;
	bool of = false; /* "of_day", "of_month" stand behind what counts */
	for (size_t end = 0, i; next_word(name, len, &end, &i);) {
		if (is_name_word(name + i, end - i, "per"))
			return 0;
		of = of || is_name_word(name + i, end - i, "of");
		if (of)
			continue;
		part = 0;
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			if (is_name_word(name + i, end - i, words[w].word))
				part = words[w].part;
	}
	return part;
}

bool ndl_is_switch_name(const char *name, size_t len)
{
	static const char *const words[] = {"on", "off", "state", "status", "power", "powered", "enable", "enabled", "active", "activate",
		"activated", "turn", "turned", "switch", "switched", "toggle", "is"};
	bool all = true, any = false;
	for (size_t end = 0, i; all && next_word(name, len, &end, &i);) {
		all = false;
		for (size_t w = 0; !all && w < sizeof words / sizeof *words; w++)
			all = is_name_word(name + i, end - i, words[w]);
		any = any || !is_name_word(name + i, end - i, "is");
	}
	return all && any;
}

char ndl_end_of_name(const char *name, size_t len)
{
	static const struct { const char *word; char end; } words[] = {{"start", 'f'}, {"from", 'f'}, {"begin", 'f'}, {"since", 'f'},
		{"depart", 'f'}, {"departure", 'f'}, {"checkin", 'f'}, {"end", 'l'}, {"to", 'l'}, {"until", 'l'}, {"till", 'l'}, {"finish", 'l'},
		{"return", 'l'}, {"checkout", 'l'}};
	bool check = false;
	for (size_t end = 0, i; next_word(name, len, &end, &i);) {
		if (check && is_name_word(name + i, end - i, "in"))
			return 'f';
		if (check && is_name_word(name + i, end - i, "out"))
			return 'l';
		check = is_name_word(name + i, end - i, "check");
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			if (is_name_word(name + i, end - i, words[w].word))
				return words[w].end;
	}
	return 0;
}

/* The first from *c on that item i says; false: there is none. */
static bool next_currency(const ndl_view *v, size_t i, const ndl_currency **c)
{
	char word[WORD + 1];
	plain(word, v->it[i].word, strlen(v->it[i].word));
	while ((*c)->code && strcmp(word, (*c)->said) != 0 && strcasecmp(v->it[i].word, (*c)->code) != 0)
		++*c;
	return (*c)->code;
}

bool ndl_is_currency(const ndl_view *v, size_t i)
{
	const ndl_currency *c = ndl_currencies;
	return i < v->n && next_currency(v, i, &c);
}

void ndl_give_currencies(ndl_readings *r, const ndl_view *v)
{
	for (const ndl_currency *c = ndl_currencies; next_currency(v, 0, &c); c++)
		ndl_readings_add(r, v, 1, NDL_READ_CODE, 0, "%s", c->code);
}
