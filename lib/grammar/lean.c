/* lean.c - what speaks for one text of a list and against the others, told byte by byte. */
#include "grammar/grammar_internal.h"

#include <math.h>
#include <string.h>

size_t ndl_grammar_texts(const ndl_grammar *g)
{
	return g->n_choices;
}

/* Of a key whose value is that node: which types it has, and its list. */
static void describe_value(const ndl_grammar *g, const struct node *n, ndl_gtext *t)
{
	for (uint32_t i = 0; i < n->n_alts; i++)
		describe_value(g, &g->node[g->alt[n->alt + i]], t);
	if (n->n_alts)
		return;
	t->types |= n->types;
	if (n->n_choices && t->lo == t->hi) {
		t->lo = n->choice;
		t->hi = n->choice + n->n_choices;
	}
}

void ndl_grammar_text(const ndl_grammar *g, size_t i, ndl_gtext *t)
{
	const struct choice *c = &g->choice[i];
	*t = (ndl_gtext){.bytes = g->pool.data + c->text, .len = c->len, .kind = NDL_GTEXT_VALUE};
	if (i >= g->calls && i - g->calls < g->n_calls) {
		t->kind = NDL_GTEXT_CALL;
	} else if (t->bytes[t->len - 1] == ':') { /* no value ends so */
		t->kind = NDL_GTEXT_KEY;
		describe_value(g, &g->node[c->value], t);
	}
}

static float best_of(const float *lean, uint32_t lo, uint32_t hi)
{
	float best = -INFINITY;
	for (uint32_t i = lo; i < hi; i++)
		best = fmaxf(best, lean[i]);
	return best;
}

/* Among keys that were not given; -INFINITY if all were. */
static float best_key(const ndl_gstate *s, const ndl_gframe *f, const float *lean, uint32_t lo, uint32_t hi)
{
	float best = -INFINITY;
	for (uint32_t i = lo; i < hi; i++)
		if (!ndl_gkey_used(s, f, &s->g->node[f->node], i))
			best = fmaxf(best, lean[i]);
	return best;
}

/* Another key, or the object's end, which has nothing for it. */
static float lean_object(const ndl_gstate *s, const ndl_gframe *f, const struct node *n, const float *lean, unsigned char b)
{
	if (n->map)
		return 0;
	float keys = best_key(s, f, lean, n->keys, n->keys + n->n_keys);
	float most = ndl_gobject_complete(s, f, n) ? fmaxf(keys, 0) : keys;
	return (b == '}' ? 0 : keys) - most;
}

/* What the best way on after b has less than the best that there was. */
static float lean_byte(const ndl_gstate *s, const float *lean, unsigned char b)
{
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	const struct node *n = &s->g->node[f->node];
	uint32_t lo = f->lo, hi = f->hi, pos = f->pos;
	switch (f->phase) {
	case P_KEY_FIRST: case P_KEY_AFTER:
		return lean_object(s, f, n, lean, b);
	case P_KEY:
		return ndl_gnarrow(s->g, &lo, &hi, pos, b) ? best_key(s, f, lean, lo, hi) - best_key(s, f, lean, f->lo, f->hi) : 0;
	case P_START:
		if (n->n_alts || n->n_choices == 0)
			return 0;
		lo = n->choice;
		hi = lo + n->n_choices;
		pos = 0;
		break;
	case P_CHOICE: case P_CALL:
		break;
	default:
		return 0;
	}
	float before = best_of(lean, lo, hi);
	uint32_t ended = lo; /* where it does not go on: 1 of the enum [1, 12] */
	return (ndl_gnarrow(s->g, &lo, &hi, pos, b) ? best_of(lean, lo, hi) : lean[ended]) - before;
}

float ndl_gstate_lean(const ndl_gstate *s, const float *lean, const char *bytes, size_t n)
{
	ndl_gstate w;
	float sum = 0;
	if (s->frame[s->n_frames - 1].phase == P_STRING && !memchr(bytes, '"', n))
		return 0; /* nothing is chosen inside a string */
	ndl_gstate_copy(&w, s);
	for (size_t i = 0; i < n && w.n_threads == 1; i++) {
		float step = lean_byte(&w, lean, (unsigned char)bytes[i]);
		if (!ndl_gstep(&w, (unsigned char)bytes[i]))
			return 0;
		sum += step;
	}
	return sum;
}

static bool any_leans(const float *lean, uint32_t lo, uint32_t hi)
{
	for (uint32_t i = lo; i < hi; i++)
		if (lean[i] != 0)
			return true;
	return false;
}

bool ndl_gstate_leans(const ndl_gstate *s, const float *lean)
{
	if (s->n_threads != 1)
		return false;
	for (uint32_t i = 0; i < s->n_frames; i++) {
		const ndl_gframe *f = &s->frame[i];
		const struct node *n = &s->g->node[f->node];
		bool open = f->phase == P_CHOICE || f->phase == P_CALL;
		if (open && f->hi - f->lo > 1 && any_leans(lean, f->lo, f->hi))
			return true;
		if (f->phase >= P_KEY_FIRST && !n->map && best_key(s, f, lean, n->keys, n->keys + n->n_keys) > 0)
			return true;
		if (f->phase == P_START && (any_leans(lean, n->choice, n->choice + n->n_choices) ||
		                            any_leans(lean, n->keys, n->keys + n->n_keys)))
			return true;
	}
	return false;
}
