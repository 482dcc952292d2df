/* ground.c - string values as spans of the query.
 *
 * The query is kept as it would stand inside a JSON string, in lower case, blanks made one space, its quotes plain, as the
 * network is shown it; behind it, each after a NUL, what it says in other words (readings.h). A value keeps to the query while it
 * is the beginning of some span: it begins where a word, a number or a mark begins and ends where
 * one ends (before a plural's s, too), but not inside what is of one piece (runs.c); a reading counts only as a whole. Which
 * tokens keep to it is asked of the sorted vocabulary, from every place where the value can be.
 *
 * What a value must be copied from is for the schema to say: with enum, const, format or pattern the
 * value is of another making, and is left alone. */
#include "session/places_internal.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "readings/readings.h"

#include <stdlib.h>
#include <string.h>

enum {
	QUERY_MAX = 32 << 10, /* bytes of a query that matter: no window holds more */
	TEXT_MAX = 64 << 10,  /* with their readings: all of it is searched for every token */
};
static void put(ndl_ground *g, char c, size_t from, size_t to)
{
	if (ndl_grow(&g->at, &g->cap, g->text.len + 2, sizeof *g->at) < 0) {
		g->text.failed = true;
		return;
	}
	g->at[g->text.len] = (ndl_ground_byte){.from = (uint32_t)from, .to = (uint32_t)to, .flags = c >= 'A' && c <= 'Z' ? NDL_AT_UPPER : 0};
	ndl_buf_byte(&g->text, ndl_fold((unsigned char)c));
}

static int kind_of(unsigned char b)
{
	if (b >= '0' && b <= '9')
		return 'd';
	if ((b >= 'a' && b <= 'z') || b >= 0x80)
		return 'a';
	return b == ' ' || b == 0 ? ' ' : 0; /* every mark for itself */
}

/* The kind of the character at i; quotes and dashes beyond ASCII (U+20xx) are marks, too. */
static int kind_at(const unsigned char *s, size_t i)
{
	size_t lead = i;
	while (lead && (s[lead] & 0xC0) == 0x80)
		lead--;
	return s[lead] == 0xE2 && s[lead + 1] == 0x80 ? 0 : kind_of(s[i]);
}

/* Marks where spans may begin and end in the query, text[0..n). */
static void mark(ndl_ground *g, size_t n)
{
	const unsigned char *s = (const unsigned char *)ndl_buf_cstr(&g->text);
	for (size_t i = 0; i <= n; i++) {
		int before = i ? kind_at(s, i - 1) : ' ', here = i < n ? kind_at(s, i) : ' ';
		bool escaped = i && g->at[i - 1].from == g->at[i].from && i < n; /* inside \" or \\ */
		bool inside = (before == 'd' && here == 'a') || (before == 'a' && here == 'd'); /* 7pm, 4K */
		if (g->at[i].flags & NDL_AT_INSIDE)
			continue;
		bool edge = !escaped && !inside && (before != here || before == 0);
		bool plural = i && i + 1 <= n && s[i] == 's' && before == 'a' && (i + 1 == n || kind_at(s, i + 1) != 'a');
		if (edge && here != ' ')
			g->at[i].flags |= NDL_AT_MAY_START;
		if ((edge || plural) && before != ' ')
			g->at[i].flags |= NDL_AT_MAY_END;
	}
}

/* What the word behind a number counts, the number's end being s[i]. */
static uint16_t unit_behind(const char *s, size_t i)
{
	i += s[i] == ' ' || s[i] == '-';
	size_t n = 0;
	while (kind_of((unsigned char)s[i + n]) == 'a')
		n++;
	return s[i] == '%' ? ndl_unit_id("percent", 7) : ndl_unit_id(s + i, n);
}

/* 5 m may be minutes or metres. */
static bool is_bare_m(const char *s, size_t i)
{
	i += s[i] == ' ';
	return s[i] == 'm' && kind_of((unsigned char)s[i + 1]) != 'a';
}

/* Marks where numbers begin and end as they are written. */
static void mark_numbers(ndl_ground *g, size_t n)
{
	const char *s = ndl_buf_cstr(&g->text);
	for (size_t i = 0; i < n; i++) {
		if (!ndl_digit_at(s, i))
			continue;
		size_t first = i;
		if (!ndl_mark_before(s, i, '.')) /* .5 is not 5 */
			g->at[i].flags |= NDL_AT_NUMBER_START | (ndl_mark_before(s, i, '-') ? NDL_AT_NEGATIVE : 0);
		while (ndl_digit_at(s, i))
			i++;
		if (s[i] == '.' && ndl_digit_at(s, i + 1))
			for (i++; ndl_digit_at(s, i);)
				i++;
		g->at[i].flags |= NDL_AT_NUMBER_END;
		g->at[first].unit = unit_behind(s, i);
		g->at[first].of = is_bare_m(s, i) ? 0 : ndl_unit_kind(g->at[first].unit);
	}
}

/* False if there is no room for more. */
static bool add_reading(ndl_ground *g, const ndl_reading *x)
{
	size_t first = g->text.len;
	if (first >= TEXT_MAX)
		return false;
	for (const char *c = x->text; *c; c++)
		put(g, *c, x->from, x->to);
	put(g, '\0', x->from, x->to);
	if (g->text.failed)
		return false;
	bool is_text = x->kinds & NDL_READ_TEXT, is_number = x->kinds & NDL_READ_NUMBER, is_code = x->kinds & NDL_READ_CODE;
	g->at[first].flags = (uint16_t)((is_text ? NDL_AT_MAY_START : 0) | (is_number ? NDL_AT_NUMBER_START : 0) |
	                                (x->kinds & NDL_READ_CLOCK ? NDL_AT_CLOCK_START : 0) | (x->minus ? NDL_AT_NEGATIVE : 0) |
	                                (x->kinds & NDL_READ_WHOLE ? NDL_AT_WHOLE : 0) | (x->kinds & NDL_READ_PART ? NDL_AT_PART : 0) |
	                                (x->kinds & NDL_READ_BETWEEN ? NDL_AT_BETWEEN : 0) | (is_code ? NDL_AT_CODE : 0) |
	                                (x->kinds & NDL_READ_COMPOUND ? NDL_AT_COMPOUND : 0));
	g->at[first].unit = x->unit;
	g->at[first].of = ndl_unit_kind(x->unit);
	g->at[first].end = x->end;
	g->at[g->text.len - 1].flags = (uint8_t)((is_text || is_code ? NDL_AT_MAY_END : 0) | (is_number ? NDL_AT_NUMBER_END : 0));
	return true;
}

/* Marks in the query what a reading of it says of its bytes: the minus before a number, the digits that are none, the parts of a
 * duration but its first, the end of two times. */
static void mark_said(ndl_ground *g, const ndl_reading *x)
{
	const bool whole = x->kinds & NDL_READ_WHOLE, compound = x->kinds & NDL_READ_COMPOUND;
	if (!x->minus && !whole && !x->end && !compound)
		return;
	for (size_t i = 0; i < g->text.len && g->text.data[i]; i++) {
		ndl_ground_byte *at = &g->at[i];
		if (x->minus && at->from == x->from && at->flags & NDL_AT_NUMBER_START)
			at->flags |= NDL_AT_NEGATIVE;
		if (compound && at->from >= x->from && at->to <= x->to)
			at->flags &= (uint16_t)~NDL_AT_NUMBER_START;
		if (whole && at->from > x->from && at->from < x->to)
			at->flags |= NDL_AT_PART;
		if (x->end && x->end != 'x' && at->from >= x->from && at->to <= x->to)
			at->end = x->end;
	}
}

/* A time, alone or on a day: it may end before the seconds and the zone, too. */
static void add_timed(ndl_ground *g, const ndl_reading *x)
{
	const size_t first = g->text.len, minutes = strlen(x->text) >= 16 ? 16 : 5;
	if (!add_reading(g, x))
		return;
	for (size_t i = minutes; i < g->text.len - first - 1; i += i == minutes ? 3 : 1)
		g->at[first + i].flags |= NDL_AT_MAY_END;
}

static void add_readings(ndl_ground *g, const ndl_readings *r)
{
	for (size_t i = 0; i < r->days; i++) {
		add_reading(g, &r->reading[i]);
		mark_said(g, &r->reading[i]);
	}
	g->days = g->text.len;
	for (size_t i = r->days; i < r->times; i++) {
		const ndl_reading *x = &r->reading[i];
		g->has_days = (add_reading(g, x) && !ndl_readings_told(r, x->from)) || g->has_days;
		mark_said(g, x);
	}
	g->times = g->text.len;
	for (size_t i = r->times; i < r->moments; i++)
		add_timed(g, &r->reading[i]);
	g->moments = g->text.len;
	for (size_t i = r->moments; i < r->n; i++)
		add_timed(g, &r->reading[i]);
	if (g->has_days)
		g->told = (ndl_ground_byte){.from = (uint32_t)r->told_from, .to = (uint32_t)r->told_to};
}

/* Whether s[0..n) begins with the name of a host, "example.org", "www.example.org/x"; no "2.5", no "a.b@c". */
static bool is_host(const char *s, size_t n)
{
	size_t i = 0, label = 0;
	bool letters = true; /* in the last label */
	for (; i < n && !strchr("/:?#", s[i]); i++) {
		const int kind = kind_of(ndl_fold((unsigned char)s[i]));
		if (s[i] == '.' ? i == label : kind != 'a' && kind != 'd' && s[i] != '-')
			return false;
		letters = s[i] == '.' || (letters && kind == 'a');
		label = s[i] == '.' ? i + 1 : label;
	}
	return label && letters && i - label >= 2;
}

static void add_link(ndl_ground *g, const char *scheme, const char *s, size_t n, size_t from, size_t to)
{
	const size_t first = g->text.len;
	for (; *scheme; scheme++)
		put(g, *scheme, from, to);
	for (size_t i = 0; i < n; i++)
		put(g, s[i], from, to);
	put(g, '\0', from, to);
	if (g->text.failed)
		return;
	g->at[first].flags |= NDL_AT_MAY_START;
	g->at[g->text.len - 1].flags = NDL_AT_MAY_END;
}

/* The addresses of the query, its n first bytes, as URIs. */
static void add_links(ndl_ground *g, const char *query, size_t len)
{
	g->links = g->text.len;
	for (size_t i = 0, end; i < len && g->text.len < TEXT_MAX; i = end + 1) {
		for (end = i; end < len && (unsigned char)query[end] > ' ';)
			end++;
		size_t to = end;
		while (i < to && strchr("(<\"'[", query[i]))
			i++;
		while (to > i && strchr(").,;:!?>\"']", query[to - 1]))
			to--;
		const char *scheme = memchr(query + i, ':', to - i);
		if (scheme && query + to - scheme > 3 && strncmp(scheme, "://", 3) == 0)
			add_link(g, "", query + i, to - i, i, to);
		else if (is_host(query + i, to - i))
			add_link(g, "https://", query + i, to - i, i, to);
	}
}

ndl_status ndl_ground_set(ndl_ground *g, const char *query, size_t len, int64_t today, ndl_error *err)
{
	ndl_readings r = {0};
	ndl_buf_reset(&g->text);
	g->told = (ndl_ground_byte){0};
	g->has_days = false;
	len = len < QUERY_MAX ? len : QUERY_MAX;
	for (size_t i = 0, n; i < len; i += n) {
		const char quote = ndl_utf8_plain_quote(query + i, len - i, &n);
		unsigned char c = (unsigned char)(quote ? quote : query[i]);
		n = quote ? n : 1;
		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			if (g->text.len && g->text.data[g->text.len - 1] != ' ')
				put(g, ' ', i, i + 1);
			continue;
		}
		if (c == '"' || c == '\\')
			put(g, '\\', i, i + n);
		put(g, (char)(c < 0x20 || c == 0x7F ? '\0' : c), i, i + n);
	}
	put(g, '\0', len, len);
	if (g->text.failed)
		return ndl_fail_nomem(err, "the query's spans");
	ndl_mark_runs(g, g->text.len - 1);
	mark(g, g->text.len - 1);
	mark_numbers(g, g->text.len - 1);
	ndl_status rc = ndl_readings_find(&r, query, len, today, err);
	if (rc == NDL_OK)
		add_readings(g, &r);
	add_links(g, query, len);
	ndl_readings_clear(&r);
	return rc == NDL_OK && g->text.failed ? ndl_fail_nomem(err, "the query's spans") : rc;
}

void ndl_ground_clear(ndl_ground *g)
{
	ndl_buf_clear(&g->text);
	free(g->at);
	*g = (ndl_ground){0};
}
