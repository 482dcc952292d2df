/* ground.c - string values as spans of the query.
 *
 * The query is kept as it would stand inside a JSON string, in lower case, blanks made one space;
 * behind it, each after a NUL, what it says in other words (readings.h). A value keeps to the query while it
 * is the beginning of some span: it begins where a word, a number or a mark begins and ends where
 * one ends (before a plural's s, too); a reading counts only as a whole. Which
 * tokens keep to it is asked of the sorted vocabulary, from every place where the value can be.
 *
 * What a value must be copied from is for the schema to say: with enum, const, format or pattern the
 * value is of another making, and is left alone. */
#include "session/session_internal.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "readings/readings.h"

#include <stdlib.h>
#include <string.h>

enum {
	QUERY_MAX = 32 << 10, /* bytes of a query that matter: no window holds more */
	TEXT_MAX = 64 << 10,  /* with their readings: all of it is searched for every token */
};
/* At a byte: a text, a number may begin with it; end before it; a time HH:MM begins with it; a minus stands before the
 * number; it is a part of a duration, "35 minutes" of "an hour 35 minutes"; it is such a duration; it lies between two times. */
enum {
	MAY_START = 1,
	MAY_END = 2,
	NUMBER_START = 4,
	NUMBER_END = 8,
	CLOCK_START = 16,
	NEGATIVE = 32,
	PART = 64,
	WHOLE = 128,
	BETWEEN = 256,
};

static void put(ndl_ground *g, char c, size_t from, size_t to)
{
	if (ndl_grow(&g->at, &g->cap, g->text.len + 2, sizeof *g->at) < 0) {
		g->text.failed = true;
		return;
	}
	g->at[g->text.len] = (ndl_ground_byte){.from = (uint32_t)from, .to = (uint32_t)to};
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
		bool edge = !escaped && !inside && (before != here || before == 0);
		bool plural = i && i + 1 <= n && s[i] == 's' && before == 'a' && (i + 1 == n || kind_at(s, i + 1) != 'a');
		if (edge && here != ' ')
			g->at[i].flags |= MAY_START;
		if ((edge || plural) && before != ' ')
			g->at[i].flags |= MAY_END;
	}
}

static bool digit_at(const char *s, size_t i)
{
	return s[i] >= '0' && s[i] <= '9';
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
		if (!digit_at(s, i))
			continue;
		size_t first = i;
		if (!ndl_mark_before(s, i, '.')) /* .5 is not 5 */
			g->at[i].flags |= NUMBER_START | (ndl_mark_before(s, i, '-') ? NEGATIVE : 0);
		while (digit_at(s, i))
			i++;
		if (s[i] == '.' && digit_at(s, i + 1))
			for (i++; digit_at(s, i);)
				i++;
		g->at[i].flags |= NUMBER_END;
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
	bool is_text = x->kinds & NDL_READ_TEXT, is_number = x->kinds & NDL_READ_NUMBER, is_clock = x->kinds & NDL_READ_CLOCK;
	g->at[first].flags = (uint16_t)((is_text ? MAY_START : 0) | (is_number ? NUMBER_START : 0) | (is_clock ? CLOCK_START : 0) |
	                               (x->minus ? NEGATIVE : 0) | (x->kinds & NDL_READ_WHOLE ? WHOLE : 0) |
	                                (x->kinds & NDL_READ_BETWEEN ? BETWEEN : 0));
	g->at[first].unit = x->unit;
	g->at[first].of = ndl_unit_kind(x->unit);
	g->at[g->text.len - 1].flags = (uint8_t)((is_text ? MAY_END : 0) | (is_number ? NUMBER_END : 0));
	return true;
}

/* Marks the number of the query that a negative one, "minus 5", begins with. */
static void mark_negative(ndl_ground *g, const ndl_reading *x)
{
	for (size_t i = 0; i < g->text.len && g->text.data[i]; i++)
		if (g->at[i].from == x->from && g->at[i].flags & NUMBER_START)
			g->at[i].flags |= NEGATIVE;
}

/* Marks the numbers of the query that are parts of a duration, all but its first. */
static void mark_parts(ndl_ground *g, const ndl_reading *whole)
{
	for (size_t i = 0; i < g->text.len && g->text.data[i]; i++)
		if (g->at[i].from > whole->from && g->at[i].from < whole->to)
			g->at[i].flags |= PART;
}

/* A time, alone or on a day: it may end before the seconds and the zone, too. */
static void add_timed(ndl_ground *g, const ndl_reading *x)
{
	const size_t first = g->text.len, minutes = strlen(x->text) >= 16 ? 16 : 5;
	if (!add_reading(g, x))
		return;
	for (size_t i = minutes; i < g->text.len - first - 1; i += i == minutes ? 3 : 1)
		g->at[first + i].flags |= MAY_END;
}

static void add_readings(ndl_ground *g, const ndl_readings *r)
{
	for (size_t i = 0; i < r->days; i++) {
		add_reading(g, &r->reading[i]);
		if (r->reading[i].kinds & NDL_READ_WHOLE)
			mark_parts(g, &r->reading[i]);
		if (r->reading[i].minus)
			mark_negative(g, &r->reading[i]);
	}
	g->days = g->text.len;
	for (size_t i = r->days; i < r->times; i++) {
		const ndl_reading *x = &r->reading[i];
		bool told = x->from >= r->told_from && x->from < r->told_to;
		g->has_days = (add_reading(g, x) && !told) || g->has_days;
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

ndl_status ndl_ground_set(ndl_ground *g, const char *query, size_t len, int64_t today, ndl_error *err)
{
	ndl_readings r = {0};
	ndl_buf_reset(&g->text);
	g->told = (ndl_ground_byte){0};
	g->has_days = false;
	len = len < QUERY_MAX ? len : QUERY_MAX;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)query[i];
		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			if (g->text.len && g->text.data[g->text.len - 1] != ' ')
				put(g, ' ', i, i + 1);
			continue;
		}
		if (c == '"' || c == '\\')
			put(g, '\\', i, i + 1);
		put(g, (char)(c < 0x20 || c == 0x7F ? '\0' : c), i, i + 1);
	}
	put(g, '\0', len, len);
	if (g->text.failed)
		return ndl_fail_nomem(err, "the query's spans");
	mark(g, g->text.len - 1);
	mark_numbers(g, g->text.len - 1);
	ndl_status rc = ndl_readings_find(&r, query, len, today, err);
	if (rc == NDL_OK)
		add_readings(g, &r);
	ndl_readings_clear(&r);
	return rc == NDL_OK && g->text.failed ? ndl_fail_nomem(err, "the query's spans") : rc;
}

void ndl_ground_clear(ndl_ground *g)
{
	ndl_buf_clear(&g->text);
	free(g->at);
	*g = (ndl_ground){0};
}

/* Whether the n bytes of value stand at text[at..]. */
static bool stands_at(const ndl_ground *g, size_t at, const char *value, size_t n)
{
	if (n > g->text.len - at)
		return false;
	for (size_t i = 0; i < n; i++)
		if (ndl_fold((unsigned char)value[i]) != (unsigned char)g->text.data[at + i])
			return false;
	return true;
}

static bool may_end(const ndl_ground *g, size_t at, enum ndl_copied kind)
{
	return g->at[at].flags & (kind == NDL_COPIED_NUMBER ? NUMBER_END : MAY_END);
}

/* The next place from *at on where value can be under way; false: no more. */
static bool next_place(const ndl_ground *g, size_t *at, enum ndl_copied kind, const char *value, size_t n)
{
	const uint16_t start = kind == NDL_COPIED_NUMBER ? NUMBER_START : MAY_START;
	const size_t from = kind == NDL_COPIED_DATE ? g->days : kind == NDL_COPIED_TIME ? g->times : kind == NDL_COPIED_MOMENT ? g->moments : 0;
	const size_t to = kind == NDL_COPIED_MOMENT ? g->text.len : kind == NDL_COPIED_TIME ? g->moments : g->times;
	for (*at = *at < from ? from : *at; *at < to; ++*at)
		if ((g->at[*at].flags & start) && stands_at(g, *at, value, n))
			return true;
	return false;
}

bool ndl_ground_has_number(const ndl_ground *g)
{
	for (size_t i = 0; i < g->text.len; i++)
		if (g->at[i].flags & NUMBER_START)
			return true;
	return false;
}

bool ndl_ground_span(const ndl_ground *g, enum ndl_copied kind, const char *value, size_t len, size_t *from, size_t *to)
{
	const size_t sign = kind == NDL_COPIED_NUMBER && len && value[0] == '-';
	value += sign;
	len -= sign;
	for (size_t at = 0; len && next_place(g, &at, kind, value, len); at++) {
		if (!may_end(g, at + len, kind))
			continue;
		*from = g->at[at].from - (sign && at && g->text.data[at - 1] == '-');
		*to = g->at[at + len - 1].to;
		return true;
	}
	return false;
}

/* ---- what earlier values took --------------------------------------------------------- */

/* Spans of the query. */
typedef struct spans {
	ndl_ground_byte span[NDL_GROUND_SPANS];
	size_t n;
	ndl_ground_byte inside; /* what does not lie around this is as if it were taken; to == 0: of no effect */
} spans;

static bool is_taken(const ndl_ground *g, const spans *taken, size_t at, size_t n)
{
	if (n && taken->inside.to && (g->at[at].from > taken->inside.from || g->at[at + n - 1].to < taken->inside.to))
		return true;
	for (size_t k = 0; n && k < taken->n; k++)
		if (g->at[at].from < taken->span[k].to && g->at[at + n - 1].to > taken->span[k].from)
			return true;
	return false;
}

/* A number's minus does not count: the query may say it in words. */
static size_t has_sign(const ndl_copy *c, const char *text)
{
	return c->kind == NDL_COPIED_NUMBER && c->from < c->to && text[c->from] == '-';
}

/* Every value takes the first span that it can come from and that none before it took. */
static void take(const ndl_ground *g, const ndl_copy *copy, size_t n_copies, const char *text, spans *taken)
{
	for (size_t i = 0; i < n_copies; i++) {
		const ndl_copy *c = &copy[i];
		size_t sign = has_sign(c, text), n = c->to - c->from - sign;
		for (size_t at = 0; n && next_place(g, &at, c->kind, text + c->from + sign, n); at++)
			if (may_end(g, at + n, c->kind) && !is_taken(g, taken, at, n)) {
				taken->span[taken->n++] = (ndl_ground_byte){.from = g->at[at].from, .to = g->at[at + n - 1].to};
				break;
			}
	}
}

/* What the values of the same call took, and today's date, where it is told for the sake of others. */
static void take_earlier(const ndl_ground *g, const ndl_copies *c, const char *text, spans *taken)
{
	*taken = (spans){.n = 0};
	if (g->told.to > 0)
		taken->span[taken->n++] = g->told;
	take(g, c->earlier, c->n, text, taken);
}

size_t ndl_ground_taken(const ndl_ground *g, const ndl_tools *t, const char *text, size_t n, ndl_ground_byte span[NDL_GROUND_SPANS])
{
	ndl_copies c;
	spans taken;
	ndl_copies_find(&c, t, text, n);
	take_earlier(g, &c, text, &taken);
	take(g, c.before, c.n_before, text, &taken);
	memcpy(span, taken.span, taken.n * sizeof *span);
	return taken.n;
}

bool ndl_ground_next_duration(const ndl_ground *g, size_t *at, ndl_ground_byte *span)
{
	for (; *at < g->days; ++*at)
		if ((g->at[*at].flags & WHOLE) && !(g->at[*at].flags & BETWEEN)) {
			*span = g->at[*at];
			while (*at < g->days && g->at[*at].from == span->from) /* in other units */
				++*at;
			return true;
		}
	return false;
}

/* ---- tokens --------------------------------------------------------------------------- */

static void set(uint64_t *bits, int32_t id)
{
	bits[id / 64] |= UINT64_C(1) << (id % 64);
}

/* Pieces that agree on d bytes and go on with one of these. */
static void set_ends(const ndl_pieces *p, size_t lo, size_t hi, size_t d, const char *marks, uint64_t *bits)
{
	for (; *marks; marks++) {
		size_t first = lo, last = hi;
		if (ndl_pieces_narrow(p, &first, &last, d, (unsigned char)*marks))
			for (size_t i = first; i < last; i++)
				set(bits, p->piece[i].id);
	}
}

/* Pieces that go on at text[at]: as a part of a span, or to its end and then anything. */
static void keep_from(const ndl_ground *g, const spans *taken, const ndl_pieces *p, enum ndl_copied kind, size_t at, bool begun,
                      uint64_t *bits)
{
	size_t lo = 0, hi = p->n;
	for (size_t d = 0;; d++) {
		if ((begun || d) && may_end(g, at + d, kind))
			set_ends(p, lo, hi, d, kind == NDL_COPIED_NUMBER ? ",}]" : "\"", bits);
		unsigned char next = (unsigned char)g->text.data[at + d];
		if (next == '\0' || is_taken(g, taken, at + d, 1) || !ndl_pieces_narrow(p, &lo, &hi, d, next))
			return;
		for (size_t i = lo; i < hi && p->piece[i].len == d + 1; i++)
			set(bits, p->piece[i].id);
	}
}

/* Whether a number can begin here that has begun so far: what has a minus in the query has one. */
static bool keeps_sign(const ndl_ground_byte *at, const ndl_copy *c, const char *text)
{
	return !(at->flags & NEGATIVE) || has_sign(c, text);
}

/* Whether a number counts what the argument's name says. Of a duration, whole or in parts as the tool asks for it. */
static bool counts(const ndl_ground_byte *at, const ndl_copies *c)
{
	if (at->unit == NDL_PART_HOUR)
		return c->part == NDL_PART_HOUR12 || c->part == NDL_PART_HOUR24;
	if (c->part)
		return at->unit == c->part;
	if (at->flags & (c->parts ? WHOLE : PART))
		return false;
	for (size_t i = 0; i < c->n_units; i++)
		if (at->unit == c->unit[i])
			return true;
	return false;
}

/* Whether the number that begins at a byte has decimals. */
static bool has_decimals(const ndl_ground *g, size_t at)
{
	const char *s = ndl_buf_cstr(&g->text);
	while (digit_at(s, at))
		at++;
	return s[at] == '.' && digit_at(s, at + 1);
}

enum among { ALL, COUNTED, SHARED, CLOCK, DAYS };

/* ISO dates are only for those who ask for them: else a day is told as the query does. Kilometres are not for those who ask for
 * minutes. */
static bool is_among(const ndl_ground *g, size_t at, const ndl_copies *c, enum among among)
{
	switch (among) {
	case ALL:
		switch (c->now.kind) {
		case NDL_COPIED_TEXT: return at < g->days || c->iso;
		case NDL_COPIED_NUMBER: return !c->of || !g->at[at].of || c->of == g->at[at].of;
		case NDL_COPIED_MOMENT: return !c->separator || g->text.data[at + 10] == ndl_fold((unsigned char)c->separator);
		default: return true;
		}
	case COUNTED: return counts(&g->at[at], c);
	case SHARED: return (c->part || g->at[at].flags & BETWEEN) && counts(&g->at[at], c);
	case CLOCK: return g->at[at].flags & CLOCK_START;
	case DAYS: return at >= g->days;
	}
	return false;
}

/* bits := the tokens that keep the value under way to the query, outside what is taken: to numbers that count what it does, times of
 * the clock, or ISO dates. False if there are none. */
static bool keep_places(const ndl_ground *g, const spans *taken, const ndl_pieces *p, const ndl_copies *c, enum among among,
                        const char *text, size_t words, uint64_t *bits)
{
	const ndl_copy *now = &c->now;
	size_t from = now->from + has_sign(now, text), n = now->to - from, places = 0;
	memset(bits, 0, words * sizeof *bits);
	for (size_t at = 0; next_place(g, &at, now->kind, text + from, n); at++) {
		if (is_taken(g, taken, at, n ? n : 1) || !is_among(g, at, c, among) || (c->integer && has_decimals(g, at)))
			continue;
		bool signs = now->kind != NDL_COPIED_NUMBER || keeps_sign(&g->at[at], now, text);
		if (signs)
			keep_from(g, taken, p, now->kind, at + n, n > 0, bits);
		places += signs || n == 0;
	}
	if (places && now->kind == NDL_COPIED_NUMBER && now->from == now->to)
		set_ends(p, 0, p->n, 0, "-", bits);
	return places > 0;
}

/* Has a value begun that can only be a day said by today's date? */
static bool is_day(const ndl_ground *g, const spans *taken, const ndl_copy *now, const char *text)
{
	size_t n = now->to - now->from, first = 0;
	if (!g->has_days || (n == 0 && now->kind != NDL_COPIED_DATE))
		return false;
	while (next_place(g, &first, now->kind, text + now->from, n) && is_taken(g, taken, first, n))
		first++;
	return first >= g->days;
}

/* A piece that opens a string and goes on in it: whether what it begins keeps to the query. */
static bool keeps_opened(const ndl_ground *g, const ndl_tools *t, const ndl_buf *text, const ndl_piece *piece,
                         ndl_buf *scratch)
{
	ndl_copies c;
	size_t at = 0;
	ndl_buf_reset(scratch);
	ndl_buf_add(scratch, ndl_buf_cstr(text), text->len);
	ndl_buf_add(scratch, piece->bytes, piece->len);
	if (scratch->failed)
		return true;
	ndl_copies_find(&c, t, scratch->data, scratch->len);
	return c.now.kind != NDL_COPIED_TEXT || c.now.from == c.now.to ||
	       next_place(g, &at, NDL_COPIED_TEXT, scratch->data + c.now.from, c.now.to - c.now.from);
}

/* Of the pieces that open a string takes out of bits those that begin in it what leaves the query. */
static void drop_opened(const ndl_ground *g, const ndl_pieces *p, const ndl_tools *t, const ndl_buf *text, const uint64_t *mask,
                        uint64_t *bits, ndl_buf *scratch)
{
	for (size_t i = 0; i < p->n_opening; i++) {
		const ndl_piece *x = &p->piece[p->opening[i]];
		uint64_t bit = UINT64_C(1) << (x->id % 64);
		if ((mask[x->id / 64] & bits[x->id / 64] & bit) && !keeps_opened(g, t, text, x, scratch))
			bits[x->id / 64] &= ~bit;
	}
}

/* fresh_bits := what counts what the argument does, and was not taken by another value: taken, by one of this call. The parts of a
 * time of day or a date may all be of it (hours and days mostly begin another), and what lies between two times be told beside one.
 * False if there is nothing. */
static bool keep_counted(const ndl_ground *g, const spans *taken, const ndl_pieces *p, const ndl_copies *c, const char *text,
                         size_t words, ndl_kept *kept)
{
	spans other = *taken, same = {.n = 0};
	take(g, c->before, c->n_before, text, &other);
	take(g, c->before, c->n_before, text, &same);
	if (taken->n > (g->told.to > 0))
		same.inside = taken->span[taken->n - 1];
	bool first = c->part == NDL_PART_HOUR12 || c->part == NDL_PART_HOUR24 || c->part == NDL_PART_DAY;
	if (c->part && !first && keep_places(g, &same, p, c, SHARED, text, words, kept->fresh_bits))
		return true;
	return keep_places(g, &other, p, c, COUNTED, text, words, kept->fresh_bits) ||
	       (same.inside.to && keep_places(g, &same, p, c, SHARED, text, words, kept->fresh_bits));
}

/* kept := what keeps to the query of the value under way in text; false if that has left it, or is a number and there is none. */
static bool keep_value(const ndl_ground *g, const ndl_pieces *p, ndl_copies *c, const char *text, size_t words, ndl_kept *kept)
{
	const spans none = {.n = 0};
	ndl_copy *now = &c->now;
	spans taken; /* by this call */
	bool found = keep_places(g, &none, p, c, ALL, text, words, kept->bits);
	if (!found && now->kind == NDL_COPIED_MOMENT && c->described) {
		now->kind = NDL_COPIED_TEXT;
		found = keep_places(g, &none, p, c, ALL, text, words, kept->bits);
	}
	if (!found && now->kind == NDL_COPIED_NUMBER && c->of && now->from == now->to) {
		c->of = 0;
		kept->none = keep_places(g, &none, p, c, ALL, text, words, kept->bits);
		memset(kept->bits, 0, words * sizeof *kept->bits);
		return kept->none;
	}
	if (!found) {
		if (now->kind != NDL_COPIED_TEXT || now->to > now->from)
			return false;
		set_ends(p, 0, p->n, 0, "\"", kept->bits); /* nothing to copy: the empty string */
		return true;
	}
	take_earlier(g, c, text, &taken);
	if (now->kind == NDL_COPIED_TIME || now->kind == NDL_COPIED_MOMENT)
		kept->fresh = kept->only = keep_places(g, &taken, p, c, ALL, text, words, kept->fresh_bits);
	else if (c->clock || c->iso)
		kept->fresh = kept->only = keep_places(g, &taken, p, c, c->clock ? CLOCK : DAYS, text, words, kept->fresh_bits);
	if (now->kind == NDL_COPIED_NUMBER && (c->n_units || c->part))
		kept->fresh = kept->only = keep_counted(g, &taken, p, c, text, words, kept);
	if (!kept->fresh && (taken.n || g->has_days))
		kept->fresh = keep_places(g, &taken, p, c, ALL, text, words, kept->fresh_bits);
	kept->only = kept->only || (kept->fresh && is_day(g, &taken, now, text));
	return true;
}

enum ndl_copied ndl_ground_keep(const ndl_ground *g, const ndl_engine *e, const ndl_tools *t, const ndl_buf *text,
                                const uint64_t *mask, ndl_kept *kept, ndl_buf *scratch)
{
	const ndl_pieces *p = &e->pieces;
	size_t words = ndl_vocab_trie_words(e->trie);
	ndl_copies c;
	ndl_copies_find(&c, t, ndl_buf_cstr(text), text->len);
	bool inside = c.now.kind != NDL_COPIED_NOT;
	kept->none = kept->fresh = kept->only = false;
	if (inside ? !keep_value(g, p, &c, ndl_buf_cstr(text), words, kept) : p->n_opening == 0)
		return NDL_COPIED_NOT;
	if (!inside)
		memset(kept->bits, 0xFF, words * sizeof *kept->bits);
	drop_opened(g, p, t, text, mask, kept->bits, scratch);
	return inside ? c.now.kind : NDL_COPIED_TEXT;
}

/* ---- sources -------------------------------------------------------------------------- */

static void add_source(json_t *to, const ndl_ground *g, const ndl_buf *path, const json_t *value)
{
	ndl_buf text = NDL_BUF_INIT;
	size_t from, end;
	ndl_json_write(&text, value, 0);
	bool quoted = json_is_string(value) && text.len >= 2;
	json_t *span = json_null();
	const char *inside = ndl_buf_cstr(&text) + quoted;
	size_t len = text.failed ? 0 : text.len - 2 * (size_t)quoted;
	static const enum ndl_copied kinds[] = {NDL_COPIED_TEXT, NDL_COPIED_TIME, NDL_COPIED_MOMENT, NDL_COPIED_NUMBER};
	const size_t n = json_is_number(value) ? 4 : 3;
	for (size_t i = 0; i < n && json_is_null(span); i++)
		if (ndl_ground_span(g, kinds[i], inside, len, &from, &end))
			span = json_pack("[II]", (json_int_t)from, (json_int_t)end);
	json_object_set_new(to, ndl_buf_cstr(path), span);
	ndl_buf_clear(&text);
}

static void add_sources(json_t *to, const ndl_ground *g, ndl_buf *path, json_t *value)
{
	const char *key;
	json_t *child;
	size_t i, old = path->len;
	if (json_is_object(value)) {
		json_object_foreach(value, key, child) {
			ndl_json_pointer_add(path, key);
			add_sources(to, g, path, child);
			ndl_buf_cut(path, old);
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, child) {
			ndl_buf_printf(path, "/%zu", i);
			add_sources(to, g, path, child);
			ndl_buf_cut(path, old);
		}
	} else {
		add_source(to, g, path, value);
	}
}

json_t *ndl_ground_sources(const ndl_ground *g, const json_t *calls)
{
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(calls); i++) {
		json_t *one = json_object();
		ndl_buf path = NDL_BUF_INIT;
		add_sources(one, g, &path, json_object_get(json_array_get(calls, i), "arguments"));
		ndl_buf_clear(&path);
		json_array_append_new(list, one);
	}
	return list;
}
