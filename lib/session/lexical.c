/* lexical.c - what the words of a query say about which tool is meant, beside what the network says.
 *
 * A small network has seen few of the words that tools are described with; BM25 needs to have seen none. The logarithms of
 * both are added up where a call's name is chosen (shallow fusion: Gulcehre et al., "On Using Monolingual
 * Corpora in Neural Machine Translation", 2015). A name is chosen by several tokens: each gets what the best tool that
 * it leaves possible has more than the best that was possible before, so that the sum is the chosen tool's. The answer
 * `[]` counts as a tool that has one word of the query, which no other has. */
#include "session/session_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static float best_of(const ndl_lexical *x, const ndl_gcalls *c)
{
	float best = x->bias[c->lo];
	for (size_t i = c->lo + 1; i < c->hi; i++)
		if (x->bias[i] > best)
			best = x->bias[i];
	return best;
}

ndl_status ndl_lexical_set(ndl_lexical *x, const ndl_toolset *t, const char *query, size_t len, double weight, ndl_error *err)
{
	size_t n = t->grammar ? ndl_grammar_calls(t->grammar) : 0, count = ndl_toolset_count(t);
	x->n = 0;
	x->empty = 0;
	if (n == 0 || weight <= 0)
		return NDL_OK;
	if (ndl_grow(&x->bias, &x->cap, n + count, sizeof *x->bias) < 0)
		return ndl_fail_nomem(err, "the words of a query");
	float *score = x->bias + n; /* by tools, while bias is by calls */
	ndl_status rc = ndl_index_bm25(t->index, query, len, score, err);
	if (rc != NDL_OK)
		return rc;
	memset(x->bias, 0, n * sizeof *x->bias);
	x->empty = (float)(weight * ndl_index_rare_word(t->index));
	for (size_t i = 0; i < count; i++) {
		const char *name = ndl_tools_norm_name(t->tools, i);
		size_t call = ndl_grammar_find_call(t->grammar, name, strlen(name));
		if (call < n)
			x->bias[call] = (float)weight * score[i];
	}
	x->n = n;
	x->empty -= best_of(x, &(ndl_gcalls){0, n});
	return NDL_OK;
}

void ndl_lexical_clear(ndl_lexical *x)
{
	free(x->bias);
}

void ndl_lexical_add(const ndl_lexical *x, const ndl_gstate *s, const ndl_tok *tok, const uint64_t *mask, size_t words,
                     float *logits)
{
	ndl_gcalls now, then;
	if (x->n == 0 || !ndl_gstate_calls(s, "", 0, &now) || now.hi - now.lo < 2)
		return;
	float before = best_of(x, &now);
	for (size_t w = 0; w < words; w++)
		for (size_t i = 0; i < 64 && mask[w] >> i; i++) {
			size_t id = w * 64 + i, len;
			const char *bytes = mask[w] >> i & 1 ? ndl_tok_bytes(tok, (int32_t)id, &len) : NULL;
			if (bytes && ndl_gstate_calls(s, bytes, len, &then))
				logits[id] += best_of(x, &then) - before;
		}
}
