/* What is said and what it stands for: surfaces are read back by a reader of their own. */
#include "base/day.h"
#include "synth/card.h"
#include "synth/values.h"
#include "tests/tap.h"

#include <ctype.h>
#include <strings.h>

enum { ROUNDS = 4000 };

/* A small reader of number words: "three hundred and twelve thousand five" -> 312005. */
static int word_value(const char *w, size_t n)
{
	static const char *const words[] = {"zero", "one", "two", "three", "four", "five", "six",
		"seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
		"fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
	static const char *const tens[] = {"twenty", "thirty", "forty", "fifty", "sixty",
		"seventy", "eighty", "ninety"};
	for (int i = 0; i < 20; i++)
		if (strlen(words[i]) == n && memcmp(words[i], w, n) == 0)
			return i;
	for (int i = 0; i < 8; i++)
		if (strlen(tens[i]) == n && memcmp(tens[i], w, n) == 0)
			return 20 + 10 * i;
	return -1;
}

static long read_words(const char *s)
{
	long total = 0, part = 0;
	while (*s) {
		size_t n = strcspn(s, " -");
		int v = word_value(s, n);
		if (v >= 0)
			part += v;
		else if (n == 7 && memcmp(s, "hundred", 7) == 0)
			part *= 100;
		else if (n == 8 && memcmp(s, "thousand", 8) == 0)
			total += part * 1000, part = 0;
		else if (n == 7 && memcmp(s, "million", 7) == 0)
			total += part * 1000000, part = 0;
		else if (!(n == 3 && memcmp(s, "and", 3) == 0))
			return -1;
		s += n + (s[n] != '\0');
	}
	return total + part;
}

static void test_number_words(void)
{
	ndl_buf b = NDL_BUF_INIT;
	static const struct {
		long n;
		const char *words;
	} known[] = {{0, "zero"}, {13, "thirteen"}, {40, "forty"}, {25, "twenty-five"}, {100, "one hundred"},
		{105, "one hundred and five"}, {1000, "one thousand"}, {1001, "one thousand and one"},
		{1234, "one thousand two hundred and thirty-four"}, {2000000, "two million"}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		ndl_buf_reset(&b);
		syn_number_words(&b, known[i].n);
		CHECK_STR(ndl_buf_cstr(&b), known[i].words);
	}
	int wrong = 0;
	for (long n = 0; n < 1000000; n += n < 3000 ? 1 : 997) {
		ndl_buf_reset(&b);
		syn_number_words(&b, n);
		wrong += read_words(ndl_buf_cstr(&b)) != n;
	}
	CHECK_INT(wrong, 0);
	ndl_buf_clear(&b);
}

static void test_ordinals(void)
{
	static const char *const want[] = {"1st", "2nd", "3rd", "4th", "11th", "12th", "13th",
		"21st", "22nd", "23rd", "101st", "111th"};
	static const int n[] = {1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 101, 111};
	ndl_buf b = NDL_BUF_INIT;
	for (size_t i = 0; i < 12; i++) {
		ndl_buf_reset(&b);
		syn_ordinal(&b, n[i]);
		CHECK_STR(ndl_buf_cstr(&b), want[i]);
	}
	ndl_buf_clear(&b);
}

/* Times: minutes of the day, or -1. */
static int hour_of(const char *s)
{
	char w[16];
	size_t n = strcspn(s, " ");
	snprintf(w, sizeof w, "%.*s", (int)(n < 15 ? n : 15), s);
	return isdigit((unsigned char)w[0]) ? atoi(w) : word_value(w, strlen(w));
}

static int read_spoken(const char *s)
{
	int sign = strstr(s, " to ") ? -1 : 1, minutes = 0, hour;
	const char *at = strstr(s, sign < 0 ? " to " : " past ");
	if (at) {
		const char *m = strncmp(s, "a ", 2) == 0 ? s + 2 : s;
		char words[32];
		snprintf(words, sizeof words, "%.*s", (int)(at - m), m);
		minutes = strcmp(words, "quarter") == 0 ? 15 : strcmp(words,
			"half") == 0 ? 30 : (int)read_words(words);
		hour = hour_of(at + (sign < 0 ? 4 : 6));
	} else {
		hour = hour_of(s);
	}
	if (hour < 1 || hour > 12 || minutes < 0)
		return -1;
	return sign > 0 ? hour % 12 * 60 + minutes : (hour - 1) * 60 + 60 - minutes; /* ten to twelve is before noon */
}

static int read_time(const char *s)
{
	int h, m = 0, used = 0;
	char sep;
	if (strcmp(s, "noon") == 0 || strcmp(s, "midday") == 0)
		return 720;
	if (strcmp(s, "midnight") == 0)
		return 0;
	const char *part = strstr(s, " in the ") ? strstr(s, " in the ") : strstr(s, " at night");
	if (part) {
		int t = read_spoken(s);
		bool night = strcmp(part, " at night") == 0;
		bool pm = strstr(part, "afternoon") || strstr(part, "evening") || (night && t >= 6 * 60 - 30);
		return t < 0 ? -1 : (t + (pm ? 720 : 0)) % 1440;
	}
	if (sscanf(s, "%d%c%2d%n", &h, &sep, &m, &used) == 3 && (sep == ':' || sep == '.'))
		s += used;
	else if (sscanf(s, "%d%n", &h, &used) == 1)
		s += used, m = 0;
	else
		return -1;
	while (*s == ' ')
		s++;
	if (!*s)
		return h * 60 + m;
	bool pm = tolower((unsigned char)*s) == 'p';
	return (h % 12 + (pm ? 12 : 0)) * 60 + m;
}

/* Makes ROUNDS values and counts those whose JSON is not what `read` finds in the surface. */
static void test_times(syn_gen *g)
{
	syn_place place = {.type = SYN_STRING};
	syn_made m = {0};
	int wrong = 0;
	for (int i = 0; i < ROUNDS; i++) {
		char want[16];
		ndl_buf_reset(&m.surface);
		ndl_buf_reset(&m.raw);
		syn_time24(g, &place, &m);
		int t = read_time(ndl_buf_cstr(&m.surface));
		snprintf(want, sizeof want, "\"%02d:%02d\"", (t / 60) % 24, (t + 1440) % 60);
		if (t < 0 || strcmp(want, ndl_buf_cstr(&m.raw)) != 0) {
			if (wrong++ < 5)
				tap_note("%s is %s, read as %s", ndl_buf_cstr(&m.surface),
					ndl_buf_cstr(&m.raw), want);
		}
	}
	CHECK_INT(wrong, 0);
	syn_made_clear(&m);
}

static int month_in(const char *s)
{
	static const char *const names = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int i = 0; i < 12; i++) {
		char name[4];
		snprintf(name, sizeof name, "%.3s", names + 3 * i);
		if (strstr(s, name))
			return i + 1;
	}
	return 0;
}

static bool read_date(const char *s, char *iso, size_t size)
{
	int y = 0, m = month_in(s), d = 0, a, b;
	if (sscanf(s, "%4d-%2d-%2d", &y, &a, &b) == 3) {
		m = a, d = b;
	} else if (!m && sscanf(s, "%d/%d/%d", &a, &b, &y) == 3) {
		m = a > 12 ? b : a;
		d = a > 12 ? a : b;
	} else {
		for (const char *p = s; *p; p++) {
			if (!isdigit((unsigned char)*p) || (p > s && isdigit((unsigned char)p[-1])))
				continue;
			int n = atoi(p);
			*(n > 31 ? &y : &d) = n;
		}
	}
	snprintf(iso, size, "\"%04d-%02d-%02d\"", y, m, d);
	return y && m && d;
}

static void test_dates(syn_gen *g)
{
	syn_place place = {.type = SYN_STRING};
	syn_made m = {0};
	int wrong = 0, iso_said = 0;
	for (int i = 0; i < ROUNDS; i++) {
		char want[48];
		ndl_buf_reset(&m.surface);
		ndl_buf_reset(&m.raw);
		syn_date_iso(g, &place, &m);
		if (!read_date(ndl_buf_cstr(&m.surface), want, sizeof want) || strcmp(want,
			ndl_buf_cstr(&m.raw)) != 0) {
			if (wrong++ < 5)
				tap_note("%s is %s, read as %s", ndl_buf_cstr(&m.surface),
					ndl_buf_cstr(&m.raw), want);
		}
		place.as_said = true;
		ndl_buf_reset(&m.surface);
		ndl_buf_reset(&m.raw);
		syn_date_iso(g, &place, &m);
		iso_said += m.raw.len > 0 || m.surface.len == 0;
		place.as_said = false;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(iso_said, 0);
	syn_made_clear(&m);
}

/* Days by today --------------------------------------------------------------------------- */

static void test_resolve(void)
{
	enum { MON, TUE, WED, THU, FRI, SAT, SUN };
	static const struct {
		enum ndl_day_way way;
		int n;
		int today[3], day[3];
	} known[] = {
		{NDL_DAY_OFFSET, 1, {2026, 3, 3}, {2026, 3, 4}},
		{NDL_DAY_OFFSET, 1, {2028, 2, 28}, {2028, 2, 29}},
		{NDL_DAY_OFFSET, 1, {2027, 2, 28}, {2027, 3, 1}},
		{NDL_DAY_OFFSET, 14, {2026, 12, 25}, {2027, 1, 8}},
		{NDL_DAY_OFFSET, -3, {2026, 1, 2}, {2025, 12, 30}},
		{NDL_DAY_COMING, FRI, {2026, 3, 3}, {2026, 3, 6}},
		{NDL_DAY_COMING, MON, {2026, 3, 3}, {2026, 3, 9}},
		{NDL_DAY_COMING, TUE, {2026, 3, 3}, {2026, 3, 10}},
		{NDL_DAY_NEXT_WEEK, FRI, {2026, 3, 3}, {2026, 3, 13}},
		{NDL_DAY_NEXT_WEEK, MON, {2026, 3, 8}, {2026, 3, 9}},
		{NDL_DAY_NEXT_WEEK, SUN, {2026, 12, 28}, {2027, 1, 10}},
		{NDL_DAY_LAST_WEEK, FRI, {2026, 3, 3}, {2026, 2, 27}},
		{NDL_DAY_LAST_WEEK, TUE, {2026, 3, 3}, {2026, 2, 24}},
		{NDL_DAY_WEEK_ON, FRI, {2026, 3, 3}, {2026, 3, 13}},
		{NDL_DAY_WEEK_ON, MON, {2026, 3, 3}, {2026, 3, 16}},
		{NDL_DAY_OF_MONTH, 15, {2026, 3, 3}, {2026, 3, 15}},
		{NDL_DAY_OF_MONTH, 3, {2026, 3, 3}, {2026, 4, 3}},
		{NDL_DAY_OF_MONTH, 1, {2026, 12, 31}, {2027, 1, 1}},
		{NDL_DAY_OF_MONTH, 31, {2026, 4, 2}, {2026, 5, 31}},
		{NDL_DAY_OF_NEXT_MONTH, 1, {2026, 12, 3}, {2027, 1, 1}},
		{NDL_DAY_OF_NEXT_MONTH, 28, {2026, 1, 31}, {2026, 2, 28}},
		{NDL_DAY_LAST_OF_MONTH, 0, {2028, 2, 3}, {2028, 2, 29}},
		{NDL_DAY_LAST_OF_MONTH, 1, {2026, 11, 30}, {2026, 12, 31}},
		{NDL_DAY_YEARLY, 503, {2026, 3, 3}, {2026, 5, 3}},
		{NDL_DAY_YEARLY, 503, {2028, 5, 3}, {2029, 5, 3}},
		{NDL_DAY_YEARLY, 101, {2026, 12, 31}, {2027, 1, 1}},
		{NDL_DAY_YEARLY_PAST, 1231, {2026, 3, 3}, {2025, 12, 31}},
		{NDL_DAY_YEARLY_PAST, 228, {2026, 3, 3}, {2026, 2, 28}},
		{NDL_DAY_YEARLY, 229, {2026, 3, 3}, {2028, 2, 29}},
		{NDL_DAY_YEARLY_PAST, 229, {2028, 2, 29}, {2024, 2, 29}},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		int y, m, d;
		int64_t day = ndl_day_resolve(known[i].way, known[i].n,
			ndl_day_number(known[i].today[0], known[i].today[1], known[i].today[2]));
		ndl_day_parts(day, &y, &m, &d);
		if (y != known[i].day[0] || m != known[i].day[1] || d != known[i].day[2])
			tap_note("case %zu: %d-%d-%d", i, y, m, d);
		CHECK(y == known[i].day[0] && m == known[i].day[1] && d == known[i].day[2]);
	}
	CHECK_INT(ndl_day_resolve(NDL_DAY_OF_NEXT_MONTH, 30, ndl_day_number(2026, 1, 5)), -1);
	CHECK_INT(ndl_day_number(1970, 1, 1) % 7, THU);
	CHECK_INT(ndl_day_number(2026, 3, 3) - ndl_day_number(2024, 3, 3), 730);
}

static int named(const char *s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncasecmp(s, names[i], strlen(names[i])) == 0)
			return (int)i;
	return -1;
}

/* A reader of its own: walks day by day from today until the words fit. */
static int64_t read_day(const char *s, int64_t today, bool past)
{
	static const char *const week[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	static const char *const month[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
	static const char *const fixed[] = {"the day before yesterday", "yesterday", "today", "tomorrow",
		"the day after tomorrow", "a week today"};
	static const int offset[] = {-2, -1, 0, 1, 2, 7};
	int y, m, d, ym, yy, unused;
	for (int i = 0; i < 6; i++)
		if (strcmp(s, fixed[i]) == 0)
			return today + offset[i];
	bool ago = strstr(s, " ago") != NULL;
	if (ago || strncmp(s, "in ", 3) == 0 || strstr(s, " from now") || strstr(s, " from today")) {
		s += strncmp(s, "in ", 3) == 0 ? 3 : 0;
		char count[64];
		snprintf(count, sizeof count, "%.*s", (int)strcspn(s, " "), s);
		long n = isdigit((unsigned char)*count) ? atol(count) : read_words(count);
		n *= strstr(s, " week") ? 7 : 1;
		return today + (ago ? -n : n);
	}
	bool week_on = strncmp(s, "a week ", 7) == 0, next = strstr(s, "next") != NULL, last = strstr(s, "last") != NULL;
	const char *w = week_on ? s + 10 + (s[8] == 'r' ? 2 : 0) : s;
	const char *const leads[] = {"this coming ", "this ", "next ", "last "};
	for (int i = 0; i < 4; i++)
		w += strncmp(w, leads[i], strlen(leads[i])) == 0 ? strlen(leads[i]) : 0;
	int weekday = named(w, week, 7);
	if (weekday >= 0 && named(w, month, 12) < 0) {
		int64_t day = today, monday = today - today % 7;
		if (next || last)
			return monday + (next ? 7 : -7) + weekday;
		do
			day++;
		while (day % 7 != weekday);
		return day + (week_on ? 7 : 0);
	}
	ndl_day_parts(today, &ym, &m, &unused);
	if (strstr(s, "last day of")) {
		int64_t day = today;
		for (int64_t k = today; k < today + 70; k++) {
			ndl_day_parts(k, &yy, &y, &unused);
			day = (y - m + 12) % 12 == (next ? 1 : 0) ? k : day;
		}
		return day;
	}
	d = 0;
	int want = -1;
	for (const char *p = s; *p; p++) {
		if (isdigit((unsigned char)*p) && !d)
			d = atoi(p);
		if ((p == s || p[-1] == ' ') && named(p, month, 12) >= 0)
			want = named(p, month, 12) + 1;
	}
	d = d ? d : 1; /* "the first" */
	for (int64_t k = today + (past ? -1 : 1);; k += past ? -1 : 1) {
		int month_of, day_of;
		ndl_day_parts(k, &yy, &month_of, &day_of);
		if (day_of == d && (want < 0 ? !next || month_of != m : month_of == want))
			return k;
		if (k < today - 800 || k > today + 800)
			return -1;
	}
}

static void test_days_by_today(syn_gen *g)
{
	syn_made m = {0};
	ndl_buf told = NDL_BUF_INIT;
	int wrong = 0, names = 0;
	for (int i = 0; i < ROUNDS; i++) {
		int y, mo, d;
		char want[32];
		syn_place place = {.type = SYN_STRING, .tense = i % 2 ? 1 : -1};
		syn_pick_today(g->rng, &g->today);
		ndl_buf_reset(&m.surface);
		ndl_buf_reset(&m.raw);
		syn_date_iso(g, &place, &m);
		int64_t day = read_day(ndl_buf_cstr(&m.surface), g->today.day, place.tense < 0);
		ndl_day_parts(day > 0 ? day : 0, &y, &mo, &d);
		snprintf(want, sizeof want, "\"%04d-%02d-%02d\"", y, mo, d);
		if (strcmp(want, ndl_buf_cstr(&m.raw)) != 0 && wrong++ < 5) {
			ndl_day_parts(g->today.day, &y, &mo, &d);
			tap_note("%d-%d-%d (%s): %s is %s, read as %s", y, mo, d, syn_weekday((int)(g->today.day % 7)),
				ndl_buf_cstr(&m.surface), ndl_buf_cstr(&m.raw), want);
		}
		ndl_buf_reset(&told);
		syn_tell_today(g->rng, &told, &g->today, i % 3);
		names += g->today.weekday != (strstr(ndl_buf_cstr(&told), syn_weekday((int)(g->today.day % 7))) != NULL);
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(names, 0);
	g->today.day = 0;
	syn_made_clear(&m);
	ndl_buf_clear(&told);
}

/* Durations: seconds. "1h05", "two and a half hours", "an hour and ten minutes", ... */
static double read_duration(const char *s)
{
	static const struct {
		const char *said;
		int seconds;
	} fixed[] = {{"half an hour", 1800}, {"a quarter of an hour", 900}, {"three quarters of an hour", 2700},
		{"an hour and a half", 5400}, {"one and a half hours", 5400}, {"half a minute", 30},
			{"two and a half hours", 9000},
		{"a minute and a half", 90}, {"two and a half minutes", 150}, {"an hour and a quarter", 4500},
		{"half a day", 43200}, {"a full hour", 3600}, {"a couple of hours", 7200},
			{"a couple of minutes", 120}};
	int h, m, used = 0;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (strcmp(s, fixed[i].said) == 0)
			return fixed[i].seconds;
	if (sscanf(s, "%dh%2d%n", &h, &m, &used) == 2 && !s[used])
		return h * 3600 + m * 60;
	double total = 0, n = 0;
	bool have = false;
	while (*s) {
		size_t k = strcspn(s, " ");
		char w[32], *end;
		snprintf(w, sizeof w, "%.*s", (int)(k < 31 ? k : 31), s);
		s += k + (s[k] != '\0');
		if (strcmp(w, "and") == 0)
			continue;
		double x = strtod(w, &end);
		long spelled = read_words(w);
		if (end == w && (spelled >= 0 || strcmp(w, "an") == 0 || strcmp(w, "a") == 0)) {
			n = spelled >= 0 ? (double)spelled : 1;
			have = true;
			continue;
		}
		if (end != w)
			n = x, have = true;
		const char *unit = end == w ? w : end;
		if (*unit && have)
			total += n * (*unit == 'h' ? 3600 : *unit == 'm' ? 60 : *unit == 's' ? 1 : -1e9);
	}
	return total;
}

static void test_durations(syn_gen *g, int unit, enum syn_type type)
{
	syn_place place = {.type = type, .as_said = true};
	syn_made m = {0};
	int wrong = 0;
	for (int i = 0; i < ROUNDS; i++) {
		ndl_buf_reset(&m.raw);
		syn_duration(g, &place, unit, &m);
		double want = read_duration(ndl_buf_cstr(&m.surface)) / unit,
			got = strtod(ndl_buf_cstr(&m.raw), NULL);
		if (want != got) {
			if (wrong++ < 5)
				tap_note("%s is %g, read as %g", ndl_buf_cstr(&m.surface), got, want);
		}
		wrong += type == SYN_INTEGER && strchr(ndl_buf_cstr(&m.raw), '.') != NULL;
	}
	CHECK_INT(wrong, 0);
	syn_made_clear(&m);
}

static void test_numbers(syn_gen *g, const char *spec, enum syn_type type, double lo, double hi)
{
	syn_corpus c = {0};
	syn_source s;
	ndl_error err = NDL_ERROR_INIT;
	syn_made m = {0};
	int wrong = 0, spelled = 0;
	CHECK(syn_source_parse(&c, &s, spec, strlen(spec), &err) == NDL_OK);
	syn_place place = {.type = type, .words = true, .as_said = true};
	for (int i = 0; i < ROUNDS; i++) {
		syn_generate(g, &s, &place, &m);
		char text[64], *end;
		size_t n = 0;
		for (const char *p = ndl_buf_cstr(&m.surface); *p && n < 63; p++)
			if (*p != ',')
				text[n++] = *p;
		text[n] = '\0';
		double said = strtod(text, &end), got = strtod(ndl_buf_cstr(&m.raw), NULL);
		if (end == text) {
			text[strcspn(text, "%")] = '\0';
			char *unit = strstr(text, " per");
			if (unit)
				*unit = '\0';
			said = (double)read_words(text);
			spelled++;
		}
		if (said != got || got < lo || got > hi) {
			if (wrong++ < 5)
				tap_note("%s: %s is %s", spec, ndl_buf_cstr(&m.surface), ndl_buf_cstr(&m.raw));
		}
	}
	CHECK_INT(wrong, 0);
	CHECK(hi > 100 || spelled > 0);
	syn_made_clear(&m);
	syn_corpus_clear(&c);
}

static void test_sources(void)
{
	static const char *const bad[] = {"@int:5-1", "@int:x", "@digits:0", "@digits:900",
		"@number:1-2-3", "@int:1-"};
	syn_corpus c = {0};
	syn_source s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ndl_error err = NDL_ERROR_INIT;
		CHECK(syn_source_parse(&c, &s, bad[i], strlen(bad[i]), &err) == NDL_EFORMAT);
	}
	CHECK(syn_source_parse(&c, &s, "@int:-20-20", 11, NULL) == NDL_OK && s.lo == -20 && s.hi == 20);
	CHECK(syn_source_parse(&c, &s, "@city", 5, NULL) == NDL_OK && s.kind == SYN_NONE);
	syn_corpus_clear(&c);
}

int main(void)
{
	ndl_rng r;
	syn_gen g = {.rng = &r};
	ndl_rng_seed(&r, 42, 0);
	test_number_words();
	test_ordinals();
	test_times(&g);
	test_dates(&g);
	test_resolve();
	test_days_by_today(&g);
	test_durations(&g, 60, SYN_NUMBER);
	test_durations(&g, 60, SYN_INTEGER);
	test_durations(&g, 1, SYN_INTEGER);
	test_numbers(&g, "@int:1-12", SYN_INTEGER, 1, 12);
	test_numbers(&g, "@int:-20-20", SYN_NUMBER, -20, 20);
	test_numbers(&g, "@int:500-90000", SYN_INTEGER, 500, 90000);
	test_numbers(&g, "@number:1-95", SYN_NUMBER, 1, 95);
	test_numbers(&g, "@percent", SYN_INTEGER, 0, 100);
	test_sources();
	return tap_done();
}
