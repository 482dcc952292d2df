/* search_internal.h - paths that go on side by side from choice to choice. */
#ifndef NDL_SESSION_SEARCH_INTERNAL_H
#define NDL_SESSION_SEARCH_INTERNAL_H

#include "session/decode_internal.h"

/* A way on: a token after path `parent`, or the path as it is, at its end (id -1). */
typedef struct ndl_candidate {
	size_t parent, choices;
	int32_t id;
	double p, score;
	double cost; /* for leaving the query */
} ndl_candidate;

/* Where a path stood. */
typedef struct ndl_place {
	ndl_gstate state;
	size_t n, text_len;
	ndl_odds odds;
	double cost;
	size_t rest;
} ndl_place;

/* The answer `[]`, passed by: where it was a token away, and that token. */
typedef struct ndl_empty_answer {
	bool known;
	double p;
	int32_t id;
	size_t choices;
	ndl_place at;
} ndl_empty_answer;

typedef struct ndl_search {
	ndl_decoding *d;
	ndl_session *s;
	ndl_path **path; /* [beam]; the first n are in use */
	size_t n, beam, vocab, words;
	ndl_candidate found[NDL_BEAM_MAX * (NDL_BEAM_MAX + 1)];
	size_t n_found;
	ndl_empty_answer empty;
	ndl_place call_from; /* where the call under way begins: the answer's beginning, or the end of the call before */
	bool again;          /* it is being decoded again: paths end with it */
} ndl_search;

static inline bool ndl_mask_has(const uint64_t *mask, size_t id)
{
	return mask[id / 64] >> (id % 64) & 1;
}

/* search.c */
bool ndl_search_at_end(const ndl_search *x, const ndl_path *p);
bool ndl_search_all_at_end(const ndl_search *x);
/* Has the path completed a call that nobody has heard of? */
bool ndl_search_has_call(const ndl_search *x, const ndl_path *p);
/* Appends a token to the path and its state. */
ndl_status ndl_search_take(ndl_search *x, ndl_path *p, int32_t id, double prob, size_t choices);
/* One choice further. */
ndl_status ndl_search_round(ndl_search *x);

/* rest.c: whether a sentence of the query ends with s[i]. */
bool ndl_ends_sentence(const char *s, size_t len, size_t i);
/* From s[i] on the first byte that may end a clause, so that behind it may be something for another call; len: none. */
size_t ndl_clause_end(const char *s, size_t len, size_t i);
/* Where in the query begins what is behind all values that the complete calls in answer[0..n) have of it, and behind their clause;
 * 0 if there are none. */
size_t ndl_query_rest(const char *query, size_t len, const char *answer, size_t n);

/* cover.c: what an answer that has just completed a call is charged for numbers of the query that no call took. */
double ndl_cover_cost(const ndl_search *x, const ndl_path *p);

/* decode.c: of s->mask, the likeliest token that makes the path the answer `[]`; -1: none. */
int32_t ndl_empty_token(const ndl_search *x, const ndl_path *p);
/* Remembers that token of a choice with these logits (in the session; log_sum `all`). */
void ndl_empty_remember(ndl_search *x, const ndl_path *p, int32_t id, size_t choices, double all);

#endif
