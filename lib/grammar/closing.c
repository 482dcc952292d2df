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
	} else if ((f->phase != P_CALL && f->phase != P_CHOICE) || (f->flags & F_UNIQUE)) {
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
	const struct node *n = &s->g->node[f->node];
	int only = s->n_threads == 1 ? only_in_list(s) : -2;
	if (only != -2)
		return only;
	if (f->sub == S_BODY && s->n_threads == 1 &&
	    (f->phase == P_MAP_KEY || (f->phase == P_STRING && !n->text && f->count < n->max_len)))
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

/* Next byte of the cheapest text in a list, counting what must follow it. */
static unsigned char close_list(const ndl_gstate *s, const ndl_gframe *f, const struct node *n)
{
	uint32_t best = f->lo, least = UINT32_MAX;
	for (uint32_t i = f->lo; i < f->hi; i++) {
		const struct choice *c = &s->g->choice[i];
		uint32_t cost = c->len - f->pos;
		if (f->phase == P_CHOICE && ndl_gused_has(ndl_gused(s), ndl_gchoice_key(i)))
			continue;
		if (f->phase == P_CALL) {
			cost = ndl_gc_plus(cost, s->g->node[c->value].cost);
		} else if (f->phase == P_KEY) {
			if (ndl_gkey_used(s, f, n, i))
				continue;
			/* a required key costs nothing extra: it must come anyway */
			if (ndl_gkey_required(s->g, n, i))
				cost = 0;
			else
				cost = ndl_gc_plus(cost, ndl_gc_plus(1, s->g->node[c->value].cost));
		}
		if (cost < least) {
			least = cost;
			best = i;
		}
	}
	return (unsigned char)s->g->pool.data[s->g->choice[best].text + f->pos];
}

/* The first byte of an item: that of a shortest one, or another if that was used. */
static int close_item(const ndl_gstate *s, const struct node *n)
{
	ndl_gstate next;
	for (int k = -1; k < 256; k++) {
		int b = k < 0 ? n->close : k;
		ndl_gstate_copy(&next, s);
		if (ndl_gadvance(&next, (unsigned char)b) != G_REFUSED)
			return b;
	}
	return -1;
}

/* The next byte of a shortest text, of plain letters if these will do. */
static int close_text(const struct text *t, const ndl_gframe *f, struct used used)
{
	static const char first[] = ".abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	enum { FIRST = sizeof first - 1 };
	uint32_t least = UINT32_MAX;
	int best = -1;
	if (f->sub == S_BODY && ndl_gtext_may_end(t, f, used))
		return '"';
	for (int k = 0; k < FIRST + 256; k++) {
		ndl_gframe next = *f;
		unsigned char b = (unsigned char)(k < FIRST ? first[k] : k - FIRST);
		enum string_result r = ndl_gstring_step(&next.sub, &next.lo, b);
		if (r == STR_BAD || r == STR_END || (r == STR_CHAR && next.count++ >= t->max_len) || !ndl_gtext_step(t, &next, used))
			continue;
		uint32_t rest = ndl_gtext_rest(t, &next);
		if (rest < least) {
			least = rest;
			best = b;
		}
	}
	return best;
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
	case P_START: return f->flags & F_UNIQUE ? close_item(s, n) : n->close;
	case P_CHOICE:
		if (f->pos == s->g->choice[f->lo].len && !ndl_gused_has(ndl_gused(s), ndl_gchoice_key(f->lo)))
			return -1;
		return close_list(s, f, n);
	case P_CALL: case P_KEY: return close_list(s, f, n);
	case P_STRING:
		if (n->text)
			return close_text(&s->g->text[n->text - 1], f, ndl_gused(s));
		if (f->sub != S_BODY)
			return ndl_gstring_close(f->sub, f->lo);
		return f->count < n->min_len ? '.' : '"';
	case P_NUMBER:
		return ndl_gnumber_may_end(n, f, ndl_gused(s)) ? -1 : ndl_gnumber_close(n, f, ndl_gused(s));
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

/* A value that has alternatives becomes the cheapest of them. */
static void choose_alternative(ndl_gstate *s)
{
	const ndl_grammar *g = s->g;
	ndl_gframe *f = &s->frame[s->n_frames - 1];
	const struct node *n = &g->node[f->node];
	f->node = g->alt[n->alt];
	for (uint32_t i = 1; i < n->n_alts; i++)
		if (g->node[g->alt[n->alt + i]].cost < g->node[f->node].cost)
			f->node = g->alt[n->alt + i];
}

/* The only thread of s to its end; out may be NULL. */
static size_t close_thread(ndl_gstate *s, ndl_buf *out)
{
	size_t n = 0;
	while (!ndl_gstate_done(s)) {
		int b = close_byte(s);
		if (b < 0) {
			ndl_gpop(s);
			continue;
		}
		enum advance how;
		while ((how = ndl_gadvance(s, (unsigned char)b)) == G_FORK)
			choose_alternative(s);
		if (how != G_TAKEN)
			break; /* cannot be: every state has a way out */
		if (out)
			ndl_buf_byte(out, b);
		n++;
	}
	return n;
}

size_t ndl_gstate_closing(const ndl_gstate *s, ndl_buf *out)
{
	ndl_gstate at;
	uint32_t best = 0;
	size_t least = SIZE_MAX;
	for (uint32_t t = 0; t < s->n_threads && s->n_threads > 1; t++) {
		ndl_gstate_pick(&at, s, t);
		size_t n = close_thread(&at, NULL);
		best = n < least ? t : best;
		least = n < least ? n : least;
	}
	ndl_gstate_pick(&at, s, best);
	return close_thread(&at, out);
}
