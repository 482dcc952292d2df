/* lean.c - what speaks for one text of a list and against the others, told byte by byte. */
#include "grammar/grammar_internal.h"

#include <math.h>

enum { ORDERED_KEYS = 64 }; /* of an object with more each is by itself */

size_t ndl_grammar_texts(const ndl_grammar *g)
{
	return g->n_choices;
}

/* By its first byte. */
static unsigned type_of(char c)
{
	switch (c) {
	case '"': return T_STRING;
	case 't': case 'f': return T_BOOLEAN;
	case 'n': return T_NULL;
	case '[': return T_ARRAY;
	case '{': return T_OBJECT;
	default: return T_NUMBER;
	}
}

/* Of a key whose value is that node: which types it has, and its list. */
static void describe_value(const ndl_grammar *g, const struct node *n, ndl_gtext *t)
{
	for (uint32_t i = 0; i < n->n_alts; i++)
		describe_value(g, &g->node[g->alt[n->alt + i]], t);
	if (n->n_alts)
		return;
	t->types |= n->types;
	for (uint32_t i = n->choice; i < n->choice + n->n_choices; i++)
		t->types |= type_of(g->pool.data[g->choice[i].text]);
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

/* Among texts that are no item yet of an array of unique ones. */
static float best_of(const float *lean, uint32_t lo, uint32_t hi, struct used used)
{
	float best = -INFINITY;
	for (uint32_t i = lo; i < hi; i++)
		if (lean[i] > best && (used.n == 0 || !ndl_gused_has(used, ndl_gchoice_key(i))))
			best = lean[i];
	return best;
}

/* What a key has by itself: one that is required has to come in any case. */
static float lean_key(const ndl_gstate *s, const struct node *n, const float *lean, uint32_t key)
{
	return ndl_gkey_required(s->g, n, key) ? 0 : lean[key];
}

/* What a key has with those that can come behind it, since keys come in the order of their declaration, in which their texts lie: who
 * begins with one of these leaves it out. A key that something is against has that alone: if much is for others, it is not meant. */
static float worth_of_key(const ndl_gstate *s, const ndl_gframe *f, const struct node *n, const float *lean, uint32_t key)
{
	float sum = lean_key(s, n, lean, key);
	const uint32_t end = n->n_keys <= ORDERED_KEYS && sum >= 0 ? n->keys + n->n_keys : n->keys;
	for (uint32_t i = n->keys; i < end; i++)
		if (s->g->choice[i].text > s->g->choice[key].text && !ndl_gkey_used(s, f, n, i))
			sum += fmaxf(lean_key(s, n, lean, i), 0);
	return sum;
}

/* Among keys that were not given; -INFINITY if all were. */
static float best_key(const ndl_gstate *s, const ndl_gframe *f, const float *lean, uint32_t lo, uint32_t hi)
{
	const struct node *n = &s->g->node[f->node];
	float best = -INFINITY;
	for (uint32_t i = lo; i < hi; i++)
		if (!ndl_gkey_used(s, f, n, i))
			best = fmaxf(best, worth_of_key(s, f, n, lean, i));
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

/* What the best way on after b has less than the best that there was; f: what b is offered to. */
static float lean_byte(const ndl_gstate *s, const ndl_gframe *f, const float *lean, unsigned char b)
{
	const struct node *n = &s->g->node[f->node];
	uint32_t lo = f->lo, hi = f->hi, pos = f->pos;
	switch (f->phase) {
	case P_KEY_FIRST: case P_KEY_AFTER:
		return lean_object(s, f, n, lean, b);
	case P_KEY:
		return ndl_gnarrow(s->g, &lo, &hi, pos, b) ? best_key(s, f, lean, lo, hi) - best_key(s, f, lean, f->lo, f->hi) : 0;
	case P_NUMBER: /* it is b that tells that it has ended */
		return b == ',' || b == '}' ? lean_byte(s, f - 1, lean, b) : 0;
	case P_ITEM_FIRST: /* as in its first item */
		if (b == ']')
			return 0;
		n = &s->g->node[n->items];
		/* fall through */
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
	const struct used used = ndl_gused(s);
	const uint32_t first = lo, end = hi;
	const bool narrowed = ndl_gnarrow(s->g, &lo, &hi, pos, b);
	if (narrowed && lo == first && hi == end)
		return 0; /* all of what may be thousands of names: the byte chooses nothing */
	const float before = best_of(lean, first, end, used);
	if (narrowed)
		return best_of(lean, lo, hi, used) - before;
	/* 1 of the enum [1, 12] ends where it does not go on */
	return lean[first] - before + (f->phase == P_CHOICE ? lean_byte(s, f - 1, lean, b) : 0);
}

float ndl_gstate_lean(const ndl_gstate *s, const float *lean, const char *bytes, size_t n)
{
	ndl_gstate w;
	float sum = 0;
	ndl_gstate_copy(&w, s);
	for (size_t i = 0; i < n; i++) { /* alternatives side by side choose nothing until they end */
		float step = w.n_threads == 1 ? lean_byte(&w, &w.frame[w.n_frames - 1], lean, (unsigned char)bytes[i]) : 0;
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

bool ndl_gstate_in_string(const ndl_gstate *s)
{
	for (uint32_t t = 0; t < s->n_threads; t++)
		if (s->frame[(t + 1 < s->n_threads ? s->at[t + 1].frame : s->n_frames) - 1].phase == P_STRING)
			return true;
	return false;
}

bool ndl_gstate_leans(const ndl_gstate *s, const float *lean)
{
	for (uint32_t i = s->at[s->n_threads - 1].frame; i < s->n_frames; i++) {
		const ndl_gframe *f = &s->frame[i];
		const struct node *n = &s->g->node[f->node];
		if (f->phase == P_START || f->phase == P_CALL || f->phase == P_KEY || f->phase == P_ITEM_FIRST)
			return true; /* few tokens follow, and one may hold what comes then, as `":{}}]` does */
		if (f->phase == P_CHOICE && f->hi - f->lo > 1 && any_leans(lean, f->lo, f->hi))
			return true;
		if (f->phase >= P_KEY_FIRST && !n->map && any_leans(lean, n->keys, n->keys + n->n_keys))
			return true;
	}
	return false;
}
