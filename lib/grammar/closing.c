/* closing.c - where the grammar decides alone: the only way on, and the shortest way out. */
#include "grammar/grammar_internal.h"

/* ---- the only way on ---- */

/* The next byte of a list of texts: all that are left must agree on it. -1: no, -2: not a list. */
static int only_in_list(const ndl_gstate *s)
{
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	const struct node *n = &s->g->node[f->node];
	uint32_t lo = f->lo, hi = f->hi;
	if (f->phase == P_KEY) {
		while (lo < hi && ndl_gkey_used(s, f, n, lo))
			lo++;
		while (lo < hi && ndl_gkey_used(s, f, n, hi - 1))
			hi--;
	} else if (f->phase != P_CALL && f->phase != P_CHOICE) {
		return -2;
	}
	const struct choice *first = &s->g->choice[lo], *last = &s->g->choice[hi - 1];
	if (lo >= hi || f->pos >= first->len)
		return -2; /* one of them ends here: what follows has a say */
	unsigned char a = (unsigned char)s->g->pool.data[first->text + f->pos];
	unsigned char b = (unsigned char)s->g->pool.data[last->text + f->pos];
	return a == b ? a : -1;
}

static int only_byte(const ndl_gstate *s)
{
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	int only = only_in_list(s);
	if (only != -2)
		return only;
	if (f->sub == S_BODY && (f->phase == P_MAP_KEY ||
	                         (f->phase == P_STRING && f->count < s->g->node[f->node].max_len)))
		return -1; /* any character: the usual case, not worth trying all bytes */
	only = -1;
	for (int b = 0; b < 256; b++) {
		ndl_gstate next;
		ndl_gstate_copy(&next, s);
		if (!ndl_gstep(&next, (unsigned char)b))
			continue;
		if (only >= 0)
			return -1;
		only = b;
	}
	return only;
}

size_t ndl_gstate_forced(const ndl_gstate *s, char *out, size_t cap)
{
	size_t n = 0;
	ndl_gstate at;
	ndl_gstate_copy(&at, s);
	while (n < cap) {
		int b = only_byte(&at);
		if (b < 0 || !ndl_gstep(&at, (unsigned char)b))
			break;
		out[n++] = (char)b;
	}
	return n;
}

/* ---- the shortest way out ---- */

static uint32_t plus(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* Next byte of the cheapest text in a list, counting what must follow it. */
static unsigned char close_list(const ndl_gstate *s, const ndl_gframe *f, const struct node *n)
{
	uint32_t best = f->lo, least = UINT32_MAX;
	for (uint32_t i = f->lo; i < f->hi; i++) {
		const struct choice *c = &s->g->choice[i];
		uint32_t cost = c->len - f->pos;
		if (f->phase == P_CALL) {
			cost = plus(cost, s->g->node[c->value].cost);
		} else if (f->phase == P_KEY) {
			uint32_t bit = i - n->keys;
			if (ndl_gkey_used(s, f, n, i))
				continue;
			/* a required key costs nothing extra: it must come anyway */
			if (s->g->words[n->required + bit / 64] >> (bit % 64) & 1)
				cost = 0;
			else
				cost = plus(cost, plus(1, s->g->node[c->value].cost));
		}
		if (cost < least) {
			least = cost;
			best = i;
		}
	}
	return (unsigned char)s->g->pool.data[s->g->choice[best].text + f->pos];
}

/* The next byte of a shortest completion; -1: the value on top is complete, look below it. */
static int close_byte(const ndl_gstate *s)
{
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	const struct node *n = &s->g->node[f->node];
	switch (f->phase) {
	case P_SPACE: return ' ';
	case P_OPEN: return '[';
	case P_FIRST_CALL: return s->g->min_calls == 0 ? ']' : '{';
	case P_NEXT_CALL: return f->count >= s->g->min_calls ? ']' : ',';
	case P_CALL_END: return '}';
	case P_START: return n->close;
	case P_CHOICE: return f->pos == s->g->choice[f->lo].len ? -1 : close_list(s, f, n);
	case P_CALL: case P_KEY: return close_list(s, f, n);
	case P_STRING:
		if (f->sub != S_BODY)
			return ndl_gstring_close(f->sub, f->lo);
		return f->count < n->min_len ? '.' : '"';
	case P_NUMBER: return ndl_gnumber_rest(n, f) == 0 ? -1 : ndl_gnumber_close(n, f);
	case P_ITEM_FIRST: return f->count < n->min_items ? s->g->node[n->items].close : ']';
	case P_ITEM_AFTER: return f->count < n->min_items ? ',' : ']';
	case P_KEY_FIRST: return ndl_gobject_complete(s, f, n) ? '}' : '"';
	case P_KEY_AFTER: return ndl_gobject_complete(s, f, n) ? '}' : ',';
	case P_KEY_NEXT: return '"';
	case P_MAP_COLON: return ':';
	case P_MAP_KEY:
		if (f->sub != S_BODY)
			return ndl_gstring_close(f->sub, 0);
		return ndl_gmap_repeats(s, f) ? 'a' : '"';
	default: return -1;
	}
}

size_t ndl_gstate_closing(const ndl_gstate *s, ndl_buf *out)
{
	size_t n = 0;
	ndl_gstate at;
	ndl_gstate_copy(&at, s);
	while (!ndl_gstate_done(&at)) {
		int b = close_byte(&at);
		if (b < 0) {
			ndl_gpop(&at);
			continue;
		}
		if (!ndl_gstep(&at, (unsigned char)b))
			break; /* cannot be: every state has a way out */
		if (out)
			ndl_buf_byte(out, b);
		n++;
	}
	return n;
}
