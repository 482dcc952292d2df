/* regex_parse_internal.h - what turns the text of an expression into an automaton shares: the tree, and
 * the sets of characters in it. Functions that fail set p->failed and p->err; what they return is
 * then nothing. */
#ifndef NDL_GRAMMAR_REGEX_PARSE_INTERNAL_H
#define NDL_GRAMMAR_REGEX_PARSE_INTERNAL_H

#include "grammar/regex_internal.h"

enum kind { SET, CAT, ALT, REPEAT, ASSERT };

/* Children are linked, of CAT the last one first: that is how they are emitted. */
struct tree {
	enum kind kind;
	uint32_t child, sibling; /* NONE at the end */
	uint32_t arg;            /* SET: its number, ASSERT: which */
	int min, max;
};

#define NONE UINT32_MAX
enum { ENDLESS = -1 }; /* max */

struct parser {
	struct nfa *n;
	const char *text, *at, *end;
	struct tree *tree;
	size_t n_tree, cap_tree;
	struct span *span; /* of the class under way */
	size_t n_span, cap_span;
	int depth;
	size_t work;
	ndl_error *err;
	bool failed;
};

/* "why at character n"; returns NONE. The first failure is kept. */
uint32_t ndl_rx_fail(struct parser *p, ndl_status code, const char *why);
uint32_t ndl_rx_nomem(struct parser *p);

/* ---- regex_sets.c: the spans of the class under way ---- */
void ndl_rx_span(struct parser *p, uint32_t lo, uint32_t hi);
void ndl_rx_spans(struct parser *p, const struct span *s, size_t n);
/* Replaces the spans from `first` on by all that they leave out. */
void ndl_rx_negate(struct parser *p, size_t first);
/* \d \w \s and their opposites; false if c is none of them. outer: stands in a negated class, so more
 * is less. */
bool ndl_rx_class(struct parser *p, char c, bool outer);
/* The spans as a set of the automaton; none are left. */
uint32_t ndl_rx_store(struct parser *p);

#define ADD(p, ...) do { \
	static const struct span spans_[] = {__VA_ARGS__}; \
	ndl_rx_spans(p, spans_, sizeof spans_ / sizeof *spans_); \
} while (0)

/* ---- regex_nfa.c ---- */
/* A search for the tree: characters of set `any` may stand before it. */
void ndl_rx_emit(struct parser *p, uint32_t tree, uint32_t any);

#endif
