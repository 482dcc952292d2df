/* cover.c - numbers of a query that no call takes, or the hour of "an hour and 15 minutes": who says a number wants it to go
 * somewhere. The idea is the coverage penalty of Wu et al., "Google's Neural Machine Translation System", 2016, section 7, for
 * numbers alone. English. */
#include "session/search_internal.h"

#include "readings/readings.h"

#include <string.h>

#define UNCOVERED_COST 4.0 /* log-probability a number */
enum {
	COUNTED_MAX = 2, /* more do not say more */
	LOOK = 4096,     /* bytes of a query that are looked at: for each number its sentence is */
};

static bool overlaps(const ndl_ground_byte *span, size_t n, size_t from, size_t to)
{
	for (size_t i = 0; i < n; i++)
		if (span[i].from < to && span[i].to > from)
			return true;
	return false;
}

/* Whether something was taken from the sentence around the byte: in others numbers may be beside the point. */
static bool is_in_use(const char *s, size_t len, const ndl_ground_byte *span, size_t n, size_t byte)
{
	size_t from = byte, to = byte;
	while (from && !ndl_ends_sentence(s, len, from - 1))
		from--;
	while (to < len && !ndl_ends_sentence(s, len, to))
		to++;
	return (from == 0 && to + 1 >= len) || overlaps(span, n, from, to);
}

static bool contains(const char *s, const char *part, size_t len)
{
	for (; *s; s++)
		if (strncmp(s, part, len) == 0)
			return true;
	return false;
}

/* Durations of which a call took a part, but not the first, where that is no number: "an hour and 15 minutes". */
static size_t count_cut(const ndl_ground *g, const char *s, size_t len, const ndl_ground_byte *span, size_t n)
{
	ndl_ground_byte whole;
	size_t cut = 0;
	for (size_t at = 0; ndl_ground_next_duration(g, &at, &whole);) {
		size_t next = whole.from, from = len, to;
		bool number = ndl_next_number(s, len, &next, &from, &to) && from == whole.from;
		cut += !number && overlaps(span, n, whole.from, whole.to) && !overlaps(span, n, whole.from, whole.from + 1);
	}
	return cut;
}

double ndl_cover_cost(const ndl_search *x, const ndl_path *p)
{
	const ndl_decoding *d = x->d;
	ndl_ground_byte span[NDL_GROUND_SPANS];
	const char *s = d->query, *answer = ndl_buf_cstr(&p->text);
	size_t len = d->query_len < LOOK ? d->query_len : LOOK, end = 0, left = 0;
	size_t n = d->ground ? ndl_ground_taken(d->ground, d->answer.t->tools, answer, p->text.len, span) : 0;
	for (size_t i = 0; i < n; i++)
		end = span[i].to > end ? span[i].to : end;
	end = ndl_clause_end(s, len, end); /* what comes behind may be for another call */
	for (size_t at = 0, from, to; left < COUNTED_MAX && ndl_next_number(s, d->ground ? len : 0, &at, &from, &to) && from < end;) {
		bool covered = overlaps(span, n, from, to) || contains(answer, s + from, to - from);
		left += !covered && is_in_use(s, len, span, n, from);
	}
	left += d->ground ? count_cut(d->ground, s, len, span, n) : 0;
	return UNCOVERED_COST * (double)(left < COUNTED_MAX ? left : COUNTED_MAX);
}
