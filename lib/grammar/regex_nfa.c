/* regex_nfa.c - the tree of an expression as an automaton with free moves (Thompson's construction, from
 * the end backwards). */
#include "grammar/regex_parse_internal.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
	NFA_STATES = 10000,
	NFA_WORK = 200000, /* tree nodes visited while repetitions are unrolled */
};

static uint32_t add_state(struct parser *p, enum nfa_kind kind, uint32_t out, uint32_t arg)
{
	struct nfa *n = p->n;
	if (n->n_states >= NFA_STATES)
		return ndl_rx_fail(p, NDL_ELIMIT, "pattern is too large");
	if (p->failed || ndl_grow(&n->state, &n->cap_states, n->n_states + 1, sizeof *n->state) < 0)
		return ndl_rx_nomem(p);
	n->state[n->n_states] = (struct nfa_state){kind, out, arg};
	return (uint32_t)n->n_states++;
}

static uint32_t emit(struct parser *p, uint32_t tree, uint32_t after);

static uint32_t emit_repeat(struct parser *p, const struct tree *t, uint32_t after)
{
	uint32_t at = after;
	if (t->max == ENDLESS) {
		at = add_state(p, NFA_SPLIT, after, after);
		uint32_t body = p->failed ? NONE : emit(p, t->child, at);
		if (!p->failed)
			p->n->state[at].out = body;
	}
	for (int i = t->min; i < t->max && !p->failed; i++) {
		uint32_t body = emit(p, t->child, at);
		at = p->failed ? NONE : add_state(p, NFA_SPLIT, body, after);
	}
	for (int i = 0; i < t->min && !p->failed; i++)
		at = emit(p, t->child, at);
	return at;
}

/* States that match the tree and go on to `after`; recursion as deep as groups nest. */
static uint32_t emit(struct parser *p, uint32_t tree, uint32_t after)
{
	if (p->failed || ++p->work > NFA_WORK)
		return ndl_rx_fail(p, NDL_ELIMIT, "pattern is too large");
	const struct tree t = p->tree[tree];
	uint32_t at = after;
	switch (t.kind) {
	case SET: return add_state(p, NFA_SET, after, t.arg);
	case ASSERT: return add_state(p, NFA_ASSERT, after, t.arg);
	case REPEAT: return emit_repeat(p, &t, after);
	case CAT:
		for (uint32_t c = t.child; c != NONE && !p->failed; c = p->tree[c].sibling)
			at = emit(p, c, at);
		return at;
	case ALT:
		at = emit(p, t.child, after);
		for (uint32_t c = p->tree[t.child].sibling; c != NONE && !p->failed; c = p->tree[c].sibling) {
			uint32_t other = emit(p, c, after);
			at = p->failed ? NONE : add_state(p, NFA_SPLIT, other, at);
		}
		return at;
	}
	return at;
}

void ndl_rx_emit(struct parser *p, uint32_t tree, uint32_t any)
{
	uint32_t match = add_state(p, NFA_MATCH, 0, 0), found = p->failed ? NONE : emit(p, tree, match);
	uint32_t start = add_state(p, NFA_SPLIT, found, 0), skip = p->failed ? NONE : add_state(p, NFA_SET, start, any);
	if (p->failed)
		return;
	p->n->state[start].arg = skip;
	p->n->start = start;
}
