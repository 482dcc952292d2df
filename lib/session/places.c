/* places.c - where a value can be in the texts of a query, and what the values before it took of it. */
#include "session/places_internal.h"

#include "base/ascii.h"
#include "readings/readings.h"

#include <string.h>

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

bool ndl_may_end(const ndl_ground *g, size_t at, enum ndl_copied kind)
{
	return g->at[at].flags & (kind == NDL_COPIED_NUMBER ? NDL_AT_NUMBER_END : NDL_AT_MAY_END);
}

bool ndl_next_place(const ndl_ground *g, size_t *at, enum ndl_copied kind, const char *value, size_t n)
{
	const uint16_t start = kind == NDL_COPIED_NUMBER ? NDL_AT_NUMBER_START : NDL_AT_MAY_START | NDL_AT_CODE;
	const struct { enum ndl_copied kind; size_t from, to; } parts[] = {{NDL_COPIED_DATE, g->days, g->times},
		{NDL_COPIED_TIME, g->times, g->moments}, {NDL_COPIED_MOMENT, g->moments, g->links}, {NDL_COPIED_LINK, g->links, g->text.len}};
	size_t from = 0, to = g->times;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].kind == kind) {
			from = parts[i].from;
			to = parts[i].to;
		}
	for (*at = *at < from ? from : *at; *at < to; ++*at)
		if ((g->at[*at].flags & start) && stands_at(g, *at, value, n))
			return true;
	return false;
}

bool ndl_ground_has_number(const ndl_ground *g)
{
	for (size_t i = 0; i < g->text.len; i++)
		if (g->at[i].flags & NDL_AT_NUMBER_START)
			return true;
	return false;
}

bool ndl_ground_span(const ndl_ground *g, enum ndl_copied kind, const char *value, size_t len, size_t *from, size_t *to)
{
	const size_t sign = kind == NDL_COPIED_NUMBER && len && value[0] == '-';
	value += sign;
	len -= sign;
	for (size_t at = 0; len && ndl_next_place(g, &at, kind, value, len); at++) {
		if (!ndl_may_end(g, at + len, kind))
			continue;
		*from = g->at[at].from - (sign && at && g->text.data[at - 1] == '-');
		*to = g->at[at + len - 1].to;
		return true;
	}
	return false;
}

bool ndl_is_taken(const ndl_ground *g, const ndl_spans *taken, size_t at, size_t n)
{
	if (n && taken->inside.to && (g->at[at].from > taken->inside.from || g->at[at + n - 1].to < taken->inside.to))
		return true;
	for (size_t k = 0; n && k < taken->n; k++)
		if (g->at[at].from < taken->span[k].to && g->at[at + n - 1].to > taken->span[k].from)
			return true;
	return false;
}

size_t ndl_has_sign(const ndl_copy *c, const char *text)
{
	return c->kind == NDL_COPIED_NUMBER && c->from < c->to && text[c->from] == '-';
}

/* Whether the query says of a number what the argument counts, as far as that is known. */
static bool is_said(const ndl_ground_byte *at, const ndl_copy *c)
{
	bool hour = at->unit == NDL_PART_HOUR && (c->unit == NDL_PART_HOUR12 || c->unit == NDL_PART_HOUR24);
	return at->unit == c->unit || hour;
}

/* Takes one of the spans that a value can come from, if there is one: for numbers one that counts the same. */
static bool take_one(const ndl_ground *g, const ndl_copy *c, const char *text, bool said, ndl_spans *taken)
{
	const size_t sign = ndl_has_sign(c, text), n = c->to - c->from - sign;
	for (size_t at = 0; n && ndl_next_place(g, &at, c->kind, text + c->from + sign, n); at++)
		if (ndl_may_end(g, at + n, c->kind) && !ndl_is_taken(g, taken, at, n) && (!said || is_said(&g->at[at], c))) {
			taken->span[taken->n++] = (ndl_ground_byte){.from = g->at[at].from, .to = g->at[at + n - 1].to};
			return true;
		}
	return false;
}

void ndl_take(const ndl_ground *g, const ndl_copy *copy, size_t n_copies, const char *text, ndl_spans *taken)
{
	for (size_t i = 0; i < n_copies; i++)
		if (!copy[i].unit || !take_one(g, &copy[i], text, true, taken))
			take_one(g, &copy[i], text, false, taken);
}

void ndl_take_earlier(const ndl_ground *g, const ndl_copies *c, const char *text, ndl_spans *taken)
{
	*taken = (ndl_spans){.n = 0};
	if (g->told.to > 0)
		taken->span[taken->n++] = g->told;
	ndl_take(g, c->earlier, c->n, text, taken);
}

size_t ndl_ground_taken(const ndl_ground *g, const ndl_tools *t, const char *text, size_t n, ndl_ground_byte span[NDL_GROUND_SPANS])
{
	ndl_copies c;
	ndl_spans taken;
	ndl_copies_find(&c, t, text, n);
	ndl_take_earlier(g, &c, text, &taken);
	ndl_take(g, c.before, c.n_before, text, &taken);
	memcpy(span, taken.span, taken.n * sizeof *span);
	return taken.n;
}

bool ndl_ground_next_duration(const ndl_ground *g, size_t *at, ndl_ground_byte *span)
{
	for (; *at < g->days; ++*at)
		if ((g->at[*at].flags & NDL_AT_WHOLE) && !(g->at[*at].flags & NDL_AT_BETWEEN)) {
			*span = g->at[*at];
			while (*at < g->days && g->at[*at].from == span->from) /* in other units */
				++*at;
			return true;
		}
	return false;
}
