/* keep.c - which tokens keep a value that is under way to the query. */
#include "session/places_internal.h"

#include "base/ascii.h"
#include "readings/readings.h"

#include <string.h>

enum {
	BEGUN = 3,     /* bytes of a value that has begun with a run, and not just as one does */
	MARK_MAX = 80, /* bytes before what tells that a run is an address */
};

static void set(uint64_t *bits, int32_t id)
{
	bits[id / 64] |= UINT64_C(1) << (id % 64);
}

/* Whether a piece has capitals where the n bytes from at[0] on have them; at NULL: it need not. */
static bool has_case(const ndl_piece *x, const ndl_ground_byte *at, size_t n)
{
	for (size_t i = 0; at && i < n; i++)
		if ((x->bytes[i] >= 'A' && x->bytes[i] <= 'Z') != ((at[i].flags & NDL_AT_UPPER) != 0))
			return false;
	return true;
}

/* Pieces that agree on d bytes, in the case of at, and go on with one of these. */
static void set_ends(const ndl_pieces *p, size_t lo, size_t hi, size_t d, const char *marks, const ndl_ground_byte *at, uint64_t *bits)
{
	for (; *marks; marks++) {
		size_t first = lo, last = hi;
		if (ndl_pieces_narrow(p, &first, &last, d, (unsigned char)*marks))
			for (size_t i = first; i < last; i++)
				if (has_case(&p->piece[i], at, d))
					set(bits, p->piece[i].id);
	}
}

/* Pieces that go on at text[at], maybe only in its case: as a part of a span, or to its end and then anything. */
static void keep_from(const ndl_ground *g, const ndl_spans *taken, const ndl_pieces *p, enum ndl_copied kind, size_t at, bool begun,
                      bool in_case, uint64_t *bits)
{
	const ndl_ground_byte *as = in_case ? g->at + at : NULL;
	size_t lo = 0, hi = p->n;
	for (size_t d = 0;; d++) {
		if ((begun || d) && ndl_may_end(g, at + d, kind))
			set_ends(p, lo, hi, d, kind == NDL_COPIED_NUMBER ? ",}]" : "\"", as, bits);
		unsigned char next = (unsigned char)g->text.data[at + d];
		if (next == '\0' || ndl_is_taken(g, taken, at + d, 1) || !ndl_pieces_narrow(p, &lo, &hi, d, next))
			return;
		for (size_t i = lo; i < hi && p->piece[i].len == d + 1; i++)
			if (has_case(&p->piece[i], as, d + 1))
				set(bits, p->piece[i].id);
	}
}

/* Whether a number can begin here that has begun so far: what has a minus in the query has one. */
static bool keeps_sign(const ndl_ground_byte *at, const ndl_copy *c, const char *text)
{
	return !(at->flags & NDL_AT_NEGATIVE) || ndl_has_sign(c, text);
}

/* Whether a number counts what the argument's name says. Of a duration, whole or in parts as the tool asks for it. */
static bool counts(const ndl_ground_byte *at, const ndl_copies *c)
{
	if (at->unit == NDL_PART_HOUR)
		return c->part == NDL_PART_HOUR12 || c->part == NDL_PART_HOUR24;
	if (c->part)
		return at->unit == c->part;
	if (at->flags & (c->parts ? NDL_AT_WHOLE : NDL_AT_PART))
		return false;
	for (size_t i = 0; i < c->n_units; i++)
		if (at->unit == c->unit[i])
			return true;
	return false;
}

/* Whether a number can be what the argument counts: no kilometres for minutes, no minutes for hours, which they are worked out in,
 * not the 2.5 of 2.5 million, and a part of a duration only where the tool asks for it in parts. */
static bool is_of_kind(const ndl_ground_byte *at, const ndl_copies *c)
{
	bool said = false;
	if ((at->flags & NDL_AT_PART) && !c->parts)
		return false;
	for (size_t i = 0; i < c->n_units; i++)
		said = said || at->unit == c->unit[i];
	return said || !at->of || (!c->of && at->of != '#');
}

/* Whether the schema allows the number that begins at a byte: its decimals, and how large it is. */
static bool is_allowed(const ndl_ground *g, size_t at, const ndl_copies *c)
{
	const char *s = ndl_buf_cstr(&g->text);
	const double sign = g->at[at].flags & NDL_AT_NEGATIVE ? -1 : 1;
	double value = 0, place = 1;
	while (ndl_digit_at(s, at))
		value = 10 * value + (s[at++] - '0');
	const bool decimals = s[at] == '.' && ndl_digit_at(s, at + 1);
	while (decimals && ndl_digit_at(s, ++at))
		value += (s[at] - '0') * (place /= 10);
	const double slack = 1e-9 * (1 + value); /* as added up here */
	return !(c->integer && decimals) && sign * value >= c->least - slack && sign * value <= c->most + slack;
}

/* Whether the run of the query that begins at a byte, without blanks, has the mark in it. */
static bool run_has(const ndl_ground *g, size_t at, char mark)
{
	const char *s = ndl_buf_cstr(&g->text) + at;
	for (size_t i = 0; i < MARK_MAX && s[i] && !strchr(" ,;", s[i]); i++)
		if (s[i] == mark)
			return true;
	return false;
}

enum among { ALL, EXACT, COUNTED, SHARED, CLOCK, DAYS, CODES, COMPOUND };

/* ISO dates are only for those who ask for them: else a day is told as the query does. Kilometres are not for those who ask for
 * minutes, nor the last of two for who asks for the first. */
static bool is_among(const ndl_ground *g, size_t at, const ndl_copies *c, enum among among)
{
	if (c->end && (g->at[at].end || c->only_end) && g->at[at].end != c->end)
		return false;
	switch (among) {
	case ALL: case EXACT:
		switch (c->now.kind) {
		case NDL_COPIED_EMAIL: return run_has(g, at, '@');
		case NDL_COPIED_TEXT: return g->at[at].flags & NDL_AT_CODE ? c->code : at < g->days || c->iso;
		case NDL_COPIED_NUMBER: return is_of_kind(&g->at[at], c) && (at < g->days || c->part || g->at[at].unit == NDL_PART_MONTH);
		case NDL_COPIED_MOMENT: return !c->separator || g->text.data[at + 10] == ndl_fold((unsigned char)c->separator);
		default: return true;
		}
	case COUNTED: return counts(&g->at[at], c);
	case SHARED: return (c->part || g->at[at].flags & (NDL_AT_BETWEEN | NDL_AT_PART)) && counts(&g->at[at], c);
	case CLOCK: return g->at[at].flags & NDL_AT_CLOCK_START;
	case DAYS: return at >= g->days;
	case CODES: return g->at[at].flags & NDL_AT_CODE;
	case COMPOUND: return g->at[at].flags & NDL_AT_COMPOUND || !g->at[at].of;
	}
	return false;
}

/* Codes are in capitals, and so are the letters of a time as RFC 3339 has them. */
static void drop_lower_case(const ndl_pieces *p, uint64_t *bits)
{
	for (size_t i = 0; i < p->n; i++) {
		const ndl_piece *x = &p->piece[i];
		for (size_t k = 0; k < x->len; k++)
			if (x->bytes[k] >= 'a' && x->bytes[k] <= 'z')
				bits[x->id / 64] &= ~(UINT64_C(1) << (x->id % 64));
	}
}

/* bits := the tokens that keep the value under way to the query, outside what is taken: in its case, to numbers that count what it does,
 * times of the clock, or ISO dates. False if there are none. */
static bool keep_places(const ndl_ground *g, const ndl_spans *taken, const ndl_pieces *p, const ndl_copies *c, enum among among,
                        const char *text, size_t words, uint64_t *bits)
{
	const ndl_copy *now = &c->now;
	size_t from = now->from + ndl_has_sign(now, text), n = now->to - from, places = 0;
	memset(bits, 0, words * sizeof *bits);
	for (size_t at = 0; ndl_next_place(g, &at, now->kind, text + from, n); at++) {
		if (ndl_is_taken(g, taken, at, n ? n : 1) || !is_among(g, at, c, among))
			continue;
		if (now->kind == NDL_COPIED_NUMBER && !is_allowed(g, at, c))
			continue;
		bool signs = now->kind != NDL_COPIED_NUMBER || keeps_sign(&g->at[at], now, text);
		if (signs)
			keep_from(g, taken, p, now->kind, at + n, n > 0, among == EXACT, bits);
		places += signs || n == 0;
	}
	if (places && now->kind == NDL_COPIED_NUMBER && now->from == now->to)
		set_ends(p, 0, p->n, 0, "-", NULL, bits);
	if (places && (among == CODES || now->kind == NDL_COPIED_TIME || now->kind == NDL_COPIED_MOMENT))
		drop_lower_case(p, bits);
	return places > 0;
}

/* Has a value begun that can only be a day said by today's date? */
static bool is_day(const ndl_ground *g, const ndl_spans *taken, const ndl_copy *now, const char *text)
{
	size_t n = now->to - now->from, first = 0;
	if (!g->has_days || (n == 0 && now->kind != NDL_COPIED_DATE))
		return false;
	while (ndl_next_place(g, &first, now->kind, text + now->from, n) && ndl_is_taken(g, taken, first, n))
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
	       ndl_next_place(g, &at, NDL_COPIED_TEXT, scratch->data + c.now.from, c.now.to - c.now.from);
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
 * time of day or a date may all be of it (hours and days begin another, but for those behind their minutes and months), and so may
 * those of a duration; what lies between two times is told beside one. False if there is nothing. */
static bool keep_counted(const ndl_ground *g, const ndl_spans *taken, const ndl_pieces *p, const ndl_copies *c, const char *text,
                         size_t words, ndl_kept *kept)
{
	ndl_spans other = *taken, same = {.n = 0};
	ndl_take(g, c->before, c->n_before, text, &other);
	ndl_take(g, c->before, c->n_before, text, &same);
	if (taken->n > (g->told.to > 0))
		same.inside = taken->span[taken->n - 1];
	bool hour = c->part == NDL_PART_HOUR12 || c->part == NDL_PART_HOUR24;
	bool first = (hour && c->minutes <= 0) || (c->part == NDL_PART_DAY && c->months <= 0);
	if (c->part && !first && keep_places(g, &same, p, c, SHARED, text, words, kept->fresh_bits))
		return true;
	return keep_places(g, &other, p, c, COUNTED, text, words, kept->fresh_bits) ||
	       (same.inside.to && keep_places(g, &same, p, c, SHARED, text, words, kept->fresh_bits));
}

static bool has_compound(const ndl_ground *g, const ndl_spans *taken)
{
	for (size_t at = 0; at < g->days; at++)
		if ((g->at[at].flags & NDL_AT_COMPOUND) && !ndl_is_taken(g, taken, at, 1))
			return true;
	return false;
}

/* fresh_bits := what the argument asks for by its name or schema, outside what is taken: an end of two if there is one. False if that is
 * nothing, or it asks for nothing. */
static bool keep_asked(const ndl_ground *g, const ndl_spans *taken, const ndl_pieces *p, ndl_copies *c, const char *text, size_t words,
                       ndl_kept *kept)
{
	const enum ndl_copied kind = c->now.kind;
	bool form = kind == NDL_COPIED_TIME || kind == NDL_COPIED_MOMENT || kind == NDL_COPIED_LINK;
	bool counted = kind == NDL_COPIED_NUMBER && (c->n_units || c->part);
	bool any = false;
	for (int ends = c->end != 0; ends >= 0 && !any; ends--) {
		c->only_end = ends;
		if (form || (ends && kind == NDL_COPIED_DATE))
			any = keep_places(g, taken, p, c, kind == NDL_COPIED_LINK ? EXACT : ALL, text, words, kept->fresh_bits);
		else if (c->clock || c->iso || c->code)
			any = keep_places(g, taken, p, c, c->clock ? CLOCK : c->iso ? DAYS : CODES, text, words, kept->fresh_bits);
		else if (counted)
			any = keep_counted(g, taken, p, c, text, words, kept);
	}
	c->only_end = false;
	if (!any && kind == NDL_COPIED_NUMBER && !c->integer && has_compound(g, taken)) /* the network would say the 3 of 3/4 */
		any = keep_places(g, taken, p, c, COMPOUND, text, words, kept->fresh_bits);
	return any;
}

/* Whether the value under way, wherever it can be, is inside what is of one piece (runs.c). One letter more or less of a path is no
 * variant of it, and the network takes the second of two equal names in it for the first. Of what is quoted a list may have parts. */
static bool is_bound(const ndl_ground *g, const ndl_copies *c, const char *text)
{
	const size_t from = c->now.from, n = c->now.to - from;
	const bool copied = c->now.kind == NDL_COPIED_TEXT || c->now.kind == NDL_COPIED_EMAIL;
	size_t places = 0;
	for (size_t at = 0; n && copied && ndl_next_place(g, &at, c->now.kind, text + from, n); at++) {
		const bool middle = ((unsigned char)g->text.data[at + n] & 0xC0) == 0x80;
		if (!is_among(g, at, c, ALL))
			continue;
		if (!(g->at[at + n].flags & NDL_AT_BOUND) || (!middle && (n < BEGUN || c->item)))
			return false;
		places++;
	}
	return places > 0;
}

/* kept := what keeps to the query of the value under way in text; false if that has left it, or is a number and there is none. */
static bool keep_value(const ndl_ground *g, const ndl_pieces *p, ndl_copies *c, const char *text, size_t words, ndl_kept *kept)
{
	const ndl_spans none = {.n = 0};
	ndl_copy *now = &c->now;
	ndl_spans taken; /* by this call */
	bool found = keep_places(g, &none, p, c, ALL, text, words, kept->bits);
	if (!found && now->kind == NDL_COPIED_MOMENT && c->separator) {
		now->kind = NDL_COPIED_TEXT;
		found = keep_places(g, &none, p, c, ALL, text, words, kept->bits);
	}
	if (!found && now->kind == NDL_COPIED_NUMBER && now->from == now->to && ndl_ground_has_number(g)) {
		kept->none = true;
		memset(kept->bits, 0, words * sizeof *kept->bits);
		return true;
	}
	if (!found) {
		if (now->kind != NDL_COPIED_TEXT || now->to > now->from)
			return false;
		set_ends(p, 0, p->n, 0, "\"", NULL, kept->bits); /* nothing to copy: the empty string */
		return true;
	}
	ndl_take_earlier(g, c, text, &taken);
	if (is_bound(g, c, text))
		return kept->fresh = kept->only = keep_places(g, &taken, p, c, EXACT, text, words, kept->fresh_bits) ||
		                                  keep_places(g, &none, p, c, EXACT, text, words, kept->fresh_bits);
	kept->fresh = kept->only = keep_asked(g, &taken, p, c, text, words, kept);
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
