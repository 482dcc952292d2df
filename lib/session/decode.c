/* decode.c - answers under the grammar (SPEC 7): greedy, or the best of several kept side by side.
 *
 * By itself decoding is greedy as long as it goes well. A call that had to be charged, for leaving the query or for copying twice
 * what is there once, or in which some choice was less likely than all others together, is decoded again with a
 * beam: mostly a value before took what belongs to the one that was charged. */
#include "session/search_internal.h"

#include <math.h>
#include <string.h>

#define DOUBT 0.5         /* of a choice that is less likely */
enum { AGAIN_BEAM = 4 };  /* for a call in doubt */

static void remember_place(ndl_place *to, const ndl_path *p)
{
	ndl_gstate_copy(&to->state, &p->state);
	to->n = p->n;
	to->text_len = p->text.len;
	to->odds = p->odds;
	to->cost = p->cost;
	to->rest = p->rest;
}

static void go_back(ndl_path *p, const ndl_place *to)
{
	ndl_gstate_copy(&p->state, &to->state);
	p->n = to->n;
	ndl_buf_cut(&p->text, to->text_len);
	p->odds = to->odds;
	p->cost = to->cost;
	p->rest = to->rest;
	if (p->fed > p->n - 1) { /* the next step reads one token at least */
		p->fed = p->n - 1;
		ndl_decoder_rewind(p->dec, p->fed);
	}
}

/* Answering nothing ------------------------------------------------------------------- */

/* At the beginning a call of some kind may be likelier than `[]`, and the call that comes of it less likely by
 * far. A beam keeps both; here `[]`, which is a token away, is remembered, and weighed against the first call
 * when that is complete and before anybody hears of it. */
int32_t ndl_empty_token(const ndl_search *x, const ndl_path *p)
{
	int32_t best = -1; /* a piece, or a byte by itself: the likelier */
	if (memchr(ndl_buf_cstr(&p->text), '{', p->text.len))
		return -1;
	for (size_t id = NDL_TOOLS + 1; id < x->vocab; id++) {
		size_t len;
		const char *bytes = ndl_mask_has(x->s->mask, id) ? ndl_tok_bytes(x->s->engine->tok, (int32_t)id, &len) : NULL;
		ndl_gstate next;
		if (!bytes || len == 0 || bytes[len - 1] != ']')
			continue;
		ndl_gstate_copy(&next, &p->state);
		if (ndl_gstate_token(&next, x->s->engine->trie, (int32_t)id) && ndl_gstate_done(&next) &&
		    (best < 0 || x->s->logits[id] > x->s->logits[best]))
			best = (int32_t)id;
	}
	return best;
}

void ndl_empty_remember(ndl_search *x, const ndl_path *p, int32_t id, size_t choices, double all)
{
	ndl_empty_answer *e = &x->empty;
	double prob = exp(fmin((double)x->s->logits[id] - all, 0));
	if (e->known && log(prob) + p->odds.sum <= log(e->p) + e->at.odds.sum)
		return;
	e->known = true;
	e->p = prob;
	e->id = id;
	e->choices = choices;
	remember_place(&e->at, p);
}

/* Mean log-probability, with five certain choices among them: [] consists of one or two choices, which would
 * count for little beside the many easy ones of a long call. */
static double mean_of(double sum, size_t choices)
{
	return sum / (5 + (double)choices);
}

/* Makes the path the answer `[]` if it has just completed its first call and that is the less likely. */
static ndl_status weigh_empty(ndl_search *x, ndl_path *p)
{
	const ndl_empty_answer *e = &x->empty;
	if (!e->known || json_array_size(x->d->answer.calls) > 0 || !ndl_search_has_call(x, p))
		return NDL_OK;
	double call = mean_of(p->odds.sum - p->cost + ndl_cover_cost(x, p), p->odds.choices); /* [] covers no number either */
	if (mean_of(e->at.odds.sum + log(e->p), e->at.odds.choices + 1) + x->d->q->refuse_bias <= call)
		return NDL_OK;
	go_back(p, &e->at);
	return ndl_search_take(x, p, e->id, e->p, e->choices);
}

/* Decoding again ---------------------------------------------------------------------- */

/* Of the call that the path has just completed, or the end that it has come to: may there be a better one? */
static bool is_doubtful(const ndl_search *x, const ndl_path *p)
{
	bool doubt = p->cost > x->call_from.cost;
	for (size_t i = x->call_from.n; i < p->n; i++)
		doubt = doubt || p->choice[i].p < DOUBT;
	return doubt;
}

/* Of the paths, which are in order, the first that the limit did not cut; 0 if it cut them all. */
static size_t best_complete(const ndl_search *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (ndl_gstate_done(&x->path[i]->state) || (x->again && ndl_search_has_call(x, x->path[i])))
			return i;
	return 0;
}

/* From where the call begins: the only path becomes the best that a beam finds. */
static ndl_status look_again(ndl_search *x)
{
	ndl_status rc = ndl_session_paths(x->s, AGAIN_BEAM, x->d->err);
	if (rc != NDL_OK)
		return rc;
	go_back(x->path[0], &x->call_from);
	x->beam = AGAIN_BEAM;
	x->again = true;
	while (rc == NDL_OK && !ndl_search_all_at_end(x))
		rc = ndl_search_round(x);
	size_t best = best_complete(x);
	ndl_path *p = x->path[best];
	x->path[best] = x->path[0];
	x->path[0] = p;
	x->again = false;
	x->beam = x->n = 1;
	return rc;
}

/* Where there is one path only calls become known at once, when they are complete. */
static ndl_status publish(ndl_search *x, const ndl_path *p)
{
	ndl_answer *a = &x->d->answer;
	ndl_buf_add(&a->text, ndl_buf_cstr(&p->text) + a->text.len, p->text.len - a->text.len);
	ndl_status rc = ndl_buf_check(&a->text, x->d->err);
	return rc == NDL_OK ? ndl_answer_scan(a, x->d->q->on_call, x->d->q->user, x->d->err) : rc;
}

/* One choice further where there is one path; at the end of a call, or of all, is it right? */
static ndl_status greedy_round(ndl_search *x)
{
	ndl_status rc = ndl_search_round(x);
	if (rc != NDL_OK || !(ndl_search_at_end(x, x->path[0]) || ndl_search_has_call(x, x->path[0])))
		return rc;
	if (x->d->q->beam == 0 && is_doubtful(x, x->path[0]))
		rc = look_again(x);
	if (rc == NDL_OK)
		rc = weigh_empty(x, x->path[0]);
	if (rc == NDL_OK && ndl_search_has_call(x, x->path[0])) {
		remember_place(&x->call_from, x->path[0]);
		rc = publish(x, x->path[0]);
	}
	return rc;
}

ndl_status ndl_decode(ndl_decoding *d, const ndl_grammar *g)
{
	ndl_session *s = d->s;
	ndl_search x = {.d = d, .s = s, .path = s->path, .n = 1, .beam = d->q->beam ? d->q->beam : 1,
	                .vocab = ndl_tok_size(s->engine->tok), .words = ndl_vocab_trie_words(s->engine->trie)};
	ndl_path_start(s->path[0], g);
	ndl_status rc = ndl_path_add(s->path[0], s->engine->tok, NDL_TOOL_CALL, 1, 1, d->err);
	remember_place(&x.call_from, s->path[0]);
	while (rc == NDL_OK && !ndl_search_all_at_end(&x))
		rc = d->q->beam < 2 ? greedy_round(&x) : ndl_search_round(&x);
	size_t best = best_complete(&x);
	d->best = s->path[best];
	d->r->unfinished = best > 0 || !ndl_gstate_done(&d->best->state); /* what stands before it was cut */
	return rc == NDL_OK ? publish(&x, d->best) : rc;
}
