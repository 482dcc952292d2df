/* places.c - where a value can be in the texts of a query, and what the values before it took of it. */
#include "session/places_internal.h"

#include "base/ascii.h"

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

void ndl_take(const ndl_ground *g, const ndl_copy *copy, size_t n_copies, const char *text, ndl_spans *taken)
{
	for (size_t i = 0; i < n_copies; i++) {
		const ndl_copy *c = &copy[i];
		size_t sign = ndl_has_sign(c, text), n = c->to - c->from - sign;
		for (size_t at = 0; n && ndl_next_place(g, &at, c->kind, text + c->from + sign, n); at++)
			if (ndl_may_end(g, at + n, c->kind) && !ndl_is_taken(g, taken, at, n)) {
				taken->span[taken->n++] = (ndl_ground_byte){.from = g->at[at].from, .to = g->at[at + n - 1].to};
				break;
			}
	}
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
