/* regex_sets.c - sets of characters, as spans. */
#include "grammar/regex_parse_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void ndl_rx_span(struct parser *p, uint32_t lo, uint32_t hi)
{
	if (ndl_grow(&p->span, &p->cap_span, p->n_span + 1, sizeof *p->span) < 0)
		ndl_rx_nomem(p);
	else
		p->span[p->n_span++] = (struct span){lo, hi};
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sorts the spans from `first` on and joins those that touch. */
static void tidy(struct parser *p, size_t first)
{
	size_t kept = first;
	if (p->n_span > first)
		qsort(p->span + first, p->n_span - first, sizeof *p->span, compare_spans);
	for (size_t i = first; i < p->n_span; i++) {
		if (kept > first && p->span[i].lo <= p->span[kept - 1].hi + 1) {
			if (p->span[i].hi > p->span[kept - 1].hi)
				p->span[kept - 1].hi = p->span[i].hi;
		} else {
			p->span[kept++] = p->span[i];
		}
	}
	p->n_span = kept;
}

void ndl_rx_negate(struct parser *p, size_t first)
{
	tidy(p, first);
	size_t n = p->n_span;
	uint32_t at = 0;
	for (size_t i = first; i < n && !p->failed; i++) {
		if (p->span[i].lo > at)
			ndl_rx_span(p, at, p->span[i].lo - 1);
		at = p->span[i].hi + 1;
	}
	if (at <= CHAR_MAX_POINT)
		ndl_rx_span(p, at, CHAR_MAX_POINT);
	if (p->failed)
		return;
	memmove(p->span + first, p->span + n, (p->n_span - n) * sizeof *p->span);
	p->n_span -= n - first;
}

void ndl_rx_spans(struct parser *p, const struct span *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ndl_rx_span(p, s[i].lo, s[i].hi);
}

bool ndl_rx_class(struct parser *p, char c, bool outer)
{
	size_t first = p->n_span;
	bool opposite = c == 'D' || c == 'W' || c == 'S';
	switch (c) {
	case 'd': case 'D': ADD(p, {'0', '9'}); break;
	case 'w': case 'W': ADD(p, {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}); break;
	case 's': case 'S':
		ADD(p, {'\t', '\r'}, {' ', ' '});
		if (outer != opposite) /* what only some dialects take for blank */
			ADD(p, {0x1C, 0x1F}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200A},
				{0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF});
		break;
	default: return false;
	}
	if (opposite)
		ndl_rx_negate(p, first);
	return true;
}

uint32_t ndl_rx_store(struct parser *p)
{
	struct nfa *n = p->n;
	tidy(p, 0);
	if (p->failed || ndl_grow(&n->set, &n->cap_sets, n->n_sets + 1, sizeof *n->set) < 0 ||
	    ndl_grow(&n->span, &n->cap_spans, n->n_spans + p->n_span, sizeof *n->span) < 0)
		return ndl_rx_nomem(p);
	if (p->n_span)
		memcpy(n->span + n->n_spans, p->span, p->n_span * sizeof *n->span);
	n->set[n->n_sets] = (struct char_set){(uint32_t)n->n_spans, (uint32_t)p->n_span};
	n->n_spans += p->n_span;
	p->n_span = 0;
	return (uint32_t)n->n_sets++;
}
