/* lexical_internal.h - what a query's words say for each text that a grammar's answers choose. */
#ifndef NDL_SESSION_LEXICAL_INTERNAL_H
#define NDL_SESSION_LEXICAL_INTERNAL_H

#include "session/session.h"

#include "grammar/grammar.h"

/* What a unit of BM25 weighs where none is asked for. */
#define NDL_LEXICAL_WEIGHT 1.0

typedef struct ndl_lexical {
	float *lean;   /* [n], in logits, by all of the query; then [n] by its rest; behind them room for work */
	size_t n, cap; /* n is 0 if they say nothing */
	const float *now; /* one of the two */
	size_t rest;   /* where the query's rest begins that they are by; 0: they are by none */
	const ndl_toolset *toolset;
	const char *query;
	size_t len;
	float weight;
	float empty;   /* what `[]` has, in logits, while calls have nothing */
	bool numbers;  /* the query may say one */
	unsigned switches;   /* NDL_SWITCH_ that the query says */
	uint32_t currencies; /* that the query says, by their places in ndl_currencies */
	ndl_said said;
} ndl_lexical;
/* Of a toolset and a query, which must live as long as it is used. weight: of a unit of BM25. numbers: the query may say one. */
ndl_status ndl_lexical_set(ndl_lexical *x, const ndl_toolset *t, const char *query, size_t len, double weight, bool numbers,
                           ndl_error *err);
/* For a call after others: what the query says from a byte on; 0: all of it. */
ndl_status ndl_lexical_rest(ndl_lexical *x, size_t from, ndl_error *err);
void ndl_lexical_clear(ndl_lexical *x);
/* Where tokens of the mask choose a tool, an argument or a value from a list: adds to their logits. */
void ndl_lexical_add(const ndl_lexical *x, const ndl_engine *e, const ndl_gstate *s, const uint64_t *mask, float *logits);

#endif
