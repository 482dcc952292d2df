/* search.c - answers under way, side by side.
 *
 * A round takes every path that is not at its end to its next choice, and of all their ways on keeps the best `beam`; one
 * path is greedy decoding. What the grammar leaves no choice about is read by the network together with the
 * next choice, in one step. */
#include "session/search_internal.h"

#include <math.h>
#include <string.h>

enum { FEW_CHOICES = 256 }; /* so many logits one by one, more in one product with the whole embedding */

/* Ids in the mask, in order, at most cap of them. */
static size_t list_mask(const uint64_t *mask, size_t words, int32_t *ids, size_t cap)
{
	size_t n = 0;
	for (size_t w = 0; w < words; w++)
		for (uint64_t bits = mask[w]; bits && n < cap; bits &= bits - 1)
			ids[n++] = (int32_t)(w * 64 + (size_t)__builtin_ctzll(bits));
	return n;
}

static size_t count_mask(const uint64_t *mask, size_t words)
{
	size_t n = 0;
	for (size_t w = 0; w < words; w++)
		n += (size_t)__builtin_popcountll(mask[w]);
	return n;
}

/* Reads what is new in the path and computes the logits after it, at least those in mask. */
static ndl_status compute_logits(ndl_search *x, ndl_path *p, size_t choices)
{
	const float *hidden;
	int32_t ids[FEW_CHOICES];
	float logits[FEW_CHOICES];
	ndl_status rc = ndl_path_feed(p, (size_t)ndl_model_config(x->s->engine->model)->d_model, &hidden, x->d->err);
	if (rc != NDL_OK)
		return rc;
	if (choices > FEW_CHOICES) {
		ndl_decoder_logits(p->dec, hidden, 1, x->s->logits);
		return NDL_OK;
	}
	size_t n = list_mask(x->s->mask, x->words, ids, FEW_CHOICES);
	ndl_decoder_logits_of(p->dec, hidden, ids, n, logits);
	for (size_t i = 0; i < n; i++)
		x->s->logits[ids[i]] = logits[i];
	return NDL_OK;
}

/* What a score is divided by: the length to a power. Over one for all lengths alike `[]` would win too
 * often, over the mean too seldom. */
static double length_of(size_t choices)
{
	return pow((5 + (double)choices) / 6, NDL_LENGTH_POWER);
}

/* log-probability, less what departures from the query cost. */
static double score_of(const ndl_path *p)
{
	return (p->odds.sum - p->cost) / length_of(p->odds.choices);
}

/* Better first; among equals the earlier path, then the smaller id. */
static bool is_better(const ndl_candidate *a, const ndl_candidate *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	return a->parent != b->parent ? a->parent < b->parent : a->id < b->id;
}

/* Insertion among found[from..], which are kept in order and at most beam. */
static void add_candidate(ndl_search *x, size_t from, ndl_candidate c)
{
	size_t at = x->n_found;
	while (at > from && is_better(&c, &x->found[at - 1]))
		at--;
	if (at - from == x->beam)
		return;
	if (x->n_found - from < x->beam)
		x->n_found++;
	memmove(x->found + at + 1, x->found + at, (x->n_found - at - 1) * sizeof c);
	x->found[at] = c;
}

/* log of the sum of exp(logit) over the mask; not finite where the logits are not. */
static double log_sum(const ndl_search *x)
{
	float *some = x->s->some;
	size_t n = 0;
	for (size_t w = 0; w < x->words; w++)
		for (uint64_t bits = x->s->mask[w]; bits; bits &= bits - 1)
			some[n++] = x->s->logits[w * 64 + (size_t)__builtin_ctzll(bits)];
	return (double)ndl_exec_kernels(x->s->ex)->logsumexp(some, n);
}

/* What a token is charged: for leaving the query, or for copying what another value of the call was copied from. */
static double cost_of(const ndl_search *x, enum ndl_copied kind, size_t id)
{
	const ndl_kept *k = &x->s->kept;
	if (kind == NDL_COPIED_NOT)
		return 0;
	if (!ndl_mask_has(k->bits, id))
		return x->d->strict && kind == NDL_COPIED_TEXT ? INFINITY : NDL_DEPARTURE_COST;
	return k->fresh && !ndl_mask_has(k->fresh_bits, id) ? NDL_REPEAT_COST : 0;
}

/* Leaves of s->mask what a day or a quantity that was worked out goes on with: the network cannot count, and its doubts about the
 * digits say nothing. The same for a time of the clock: it would rather copy how the query says it. */
static size_t keep_only(ndl_search *x, size_t choices, enum ndl_copied kind)
{
	const ndl_kept *k = &x->s->kept;
	bool any = false;
	for (size_t w = 0; w < x->words && k->only && kind != NDL_COPIED_NOT; w++)
		any = any || (x->s->mask[w] & k->fresh_bits[w]);
	for (size_t w = 0; w < x->words && any; w++)
		x->s->mask[w] &= k->fresh_bits[w];
	return any ? count_mask(x->s->mask, x->words) : choices;
}

/* The best ways on from path i by s->logits over s->mask, whose log_sum is all; s->kept tells of values of that kind. */
static void add_choices(ndl_search *x, size_t i, size_t choices, double all, enum ndl_copied kind)
{
	const ndl_path *p = x->path[i];
	const float *logits = x->s->logits;
	double length = length_of(p->odds.choices + 1);
	size_t from = x->n_found;
	double least = -INFINITY; /* logits that could still be among the best */
	for (size_t w = 0; w < x->words; w++)
		for (uint64_t bits = x->s->mask[w]; bits; bits &= bits - 1) {
			const size_t id = w * 64 + (size_t)__builtin_ctzll(bits);
			if ((double)logits[id] <= least)
				continue;
			const double cost = cost_of(x, kind, id), log_p = (double)logits[id] - all;
			const double score = (p->odds.sum - p->cost + log_p - cost) / length;
			if (cost == INFINITY || (x->n_found - from == x->beam && score <= x->found[x->n_found - 1].score))
				continue;
			add_candidate(x, from, (ndl_candidate){i, choices, (int32_t)id, exp(fmin(log_p, 0)), score, cost});
			if (x->n_found - from == x->beam)
				least = x->found[x->n_found - 1].score * length - (p->odds.sum - p->cost) + all - 1e-6;
		}
}

ndl_status ndl_search_take(ndl_search *x, ndl_path *p, int32_t id, double prob, size_t choices)
{
	if (!ndl_gstate_token(&p->state, x->s->engine->trie, id))
		return ndl_fail(x->d->err, NDL_EINVAL, "the grammar refuses a token that it allowed");
	size_t len;
	const char *bytes = ndl_tok_bytes(x->s->engine->tok, id, &len);
	const bool closes = bytes && memchr(bytes, '}', len), may_complete = closes && !ndl_search_has_call(x, p);
	ndl_status rc = ndl_path_add(p, x->s->engine->tok, id, prob, choices, x->d->err);
	if (rc == NDL_OK && may_complete && ndl_search_has_call(x, p))
		p->cost += ndl_cover_cost(x, p);
	if (rc == NDL_OK && closes)
		p->rest = ndl_query_rest(x->d->query, x->d->query_len, ndl_buf_cstr(&p->text), p->text.len);
	return rc;
}

/* A token without alternative. Without jumping it costs what others cost, and changes nothing. */
static ndl_status take_forced(ndl_search *x, ndl_path *p, int32_t id)
{
	if (x->d->q->no_jump) {
		ndl_gstate_mask(&p->state, x->s->engine->trie, x->s->mask);
		ndl_status rc = compute_logits(x, p, count_mask(x->s->mask, x->words));
		if (rc != NDL_OK)
			return rc;
	}
	return ndl_search_take(x, p, id, 1, 1);
}

bool ndl_search_has_call(const ndl_search *x, const ndl_path *p)
{
	const ndl_answer *a = &x->d->answer;
	return ndl_answer_completes(a, ndl_buf_cstr(&p->text) + a->text.len, p->text.len - a->text.len);
}

bool ndl_search_at_end(const ndl_search *x, const ndl_path *p)
{
	return ndl_gstate_done(&p->state) || p->n > x->d->limit || (x->again && ndl_search_has_call(x, p));
}

bool ndl_search_all_at_end(const ndl_search *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!ndl_search_at_end(x, x->path[i]))
			return false;
	return true;
}

/* Goes on to the next choice, which is then in s->mask, or to the end: *choices 0. */
static ndl_status advance(ndl_search *x, ndl_path *p, size_t *choices)
{
	ndl_ids *run = &x->s->run;
	ndl_status rc = NDL_OK;
	*choices = 0;
	while (rc == NDL_OK && !ndl_search_at_end(x, p)) {
		rc = ndl_jump(x->s->engine, &p->state, run, x->d->err);
		for (size_t i = 0; i < run->len && rc == NDL_OK && !ndl_search_at_end(x, p); i++)
			rc = take_forced(x, p, run->id[i]);
		if (rc != NDL_OK || ndl_search_at_end(x, p))
			break;
		ndl_gstate_mask(&p->state, x->s->engine->trie, x->s->mask);
		*choices = count_mask(x->s->mask, x->words);
		if (*choices == 0)
			return ndl_fail(x->d->err, NDL_EUNSUPPORTED, "the vocabulary cannot spell what the tools demand");
		if (*choices > 1)
			break;
		int32_t id = 0;
		list_mask(x->s->mask, x->words, &id, 1);
		*choices = 0;
		rc = take_forced(x, p, id);
	}
	return rc;
}

/* Asks which tokens after p keep to the query; NOT where that is no question, or asked too much. */
static enum ndl_copied keep(ndl_search *x, const ndl_path *p)
{
	ndl_session *s = x->s;
	if (!x->d->ground)
		return NDL_COPIED_NOT;
	enum ndl_copied kind = ndl_ground_keep(x->d->ground, s->engine, x->d->answer.t->tools, &p->text, s->mask, &s->kept, &s->scratch);
	for (size_t w = 0; w < x->words && kind != NDL_COPIED_NOT; w++)
		if (s->kept.none || s->mask[w] & s->kept.bits[w])
			return kind;
	return NDL_COPIED_NOT;
}

static ndl_status expand(ndl_search *x, size_t i)
{
	ndl_path *p = x->path[i];
	size_t choices;
	ndl_status rc = advance(x, p, &choices);
	if (rc != NDL_OK)
		return rc;
	if (choices == 0) {
		x->found[x->n_found++] = (ndl_candidate){i, 0, -1, 1, score_of(p), 0};
		return NDL_OK;
	}
	rc = compute_logits(x, p, choices);
	if (rc != NDL_OK)
		return rc;
	int32_t empty = ndl_empty_token(x, p);
	if (empty >= 0)
		x->s->logits[empty] += x->s->lexical.empty;
	if ((rc = ndl_lexical_rest(&x->s->lexical, p->rest, x->d->err)) != NDL_OK)
		return rc;
	ndl_lexical_add(&x->s->lexical, x->s->engine, &p->state, x->s->mask, x->s->logits);
	enum ndl_copied kind = keep(x, p);
	choices = keep_only(x, choices, kind);
	double all = log_sum(x);
	if (!isfinite(all))
		return ndl_fail_not_numbers(x->d->err);
	if (empty >= 0 && x->beam == 1 && x->d->q->refuse_bias > -INFINITY)
		ndl_empty_remember(x, p, empty, choices, all);
	add_choices(x, i, choices, all, kind);
	return NDL_OK;
}

/* Makes the paths what the best candidates say. The last child of a path goes on in it, the others
 * in paths that nothing goes on in. */
static ndl_status select_best(ndl_search *x)
{
	ndl_path *next[NDL_BEAM_MAX], *spare[NDL_BEAM_MAX];
	size_t children[NDL_BEAM_MAX] = {0}, n = 0, n_spare = 0;
	ndl_candidate best[NDL_BEAM_MAX];
	for (; n < x->beam && n < x->n_found; n++) {
		size_t top = n;
		for (size_t k = n + 1; k < x->n_found; k++)
			if (is_better(&x->found[k], &x->found[top]))
				top = k;
		best[n] = x->found[top];
		x->found[top] = x->found[n];
		children[best[n].parent]++;
	}
	for (size_t i = 0; i < x->beam; i++)
		if (children[i] == 0)
			spare[n_spare++] = x->path[i];
	ndl_status rc = NDL_OK;
	for (size_t k = 0; k < n && rc == NDL_OK; k++) {
		ndl_path *parent = x->path[best[k].parent];
		next[k] = --children[best[k].parent] ? spare[--n_spare] : parent;
		if (next[k] != parent)
			rc = ndl_path_branch(next[k], parent, x->d->err);
	}
	for (size_t k = 0; k < n && rc == NDL_OK; k++) {
		next[k]->cost += best[k].cost;
		if (best[k].id >= 0)
			rc = ndl_search_take(x, next[k], best[k].id, best[k].p, best[k].choices);
	}
	if (rc != NDL_OK)
		return rc;
	for (size_t k = 0; k < n; k++) /* in use first; the rest are all others, in any order */
		for (size_t i = k; i < x->beam; i++)
			if (x->path[i] == next[k]) {
				x->path[i] = x->path[k];
				x->path[k] = next[k];
			}
	x->n = n;
	return NDL_OK;
}

ndl_status ndl_search_round(ndl_search *x)
{
	ndl_status rc = NDL_OK;
	x->n_found = 0;
	for (size_t i = 0; i < x->n && rc == NDL_OK; i++)
		rc = expand(x, i);
	return rc == NDL_OK ? select_best(x) : rc;
}
