/* session.c - the working memory of a thread, and one request through it. */
#include "session/decode_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "data/prompt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

ndl_status ndl_session_paths(ndl_session *s, size_t beam, ndl_error *err)
{
	for (; s->n_paths < beam; s->n_paths++)
		if (!(s->path[s->n_paths] = ndl_path_new(s->engine, s->ex, s->n_paths ? NULL : s->dec, err)))
			return NDL_ENOMEM;
	return NDL_OK;
}

ndl_session *ndl_session_new(const ndl_engine *e, ndl_exec *x, ndl_error *err)
{
	const ndl_config *c = ndl_model_config(e->model);
	ndl_session *s = ndl_calloc(1, sizeof *s);
	if (!s) {
		ndl_fail_nomem(err, "a session");
		return NULL;
	}
	s->engine = e;
	s->ex = x;
	s->enc = ndl_encoder_new(e->model, x, err);
	s->dec = s->enc ? ndl_decoder_new(e->model, x, err) : NULL;
	if (!s->dec) {
		ndl_session_free(s);
		return NULL;
	}
	s->logits = ndl_alloc64((size_t)c->vocab_size, sizeof *s->logits);
	s->some = ndl_alloc64((size_t)c->vocab_size, sizeof *s->some);
	s->mask = ndl_calloc(ndl_vocab_trie_words(e->trie), sizeof *s->mask);
	s->kept.bits = ndl_calloc(ndl_vocab_trie_words(e->trie), sizeof *s->kept.bits);
	s->kept.fresh_bits = ndl_calloc(ndl_vocab_trie_words(e->trie), sizeof *s->kept.fresh_bits);
	s->embedding = ndl_calloc((size_t)c->contrastive_dim + 1, sizeof *s->embedding);
	if (!s->logits || !s->some || !s->mask || !s->kept.bits || !s->kept.fresh_bits || !s->embedding ||
	    ndl_session_paths(s, 1, err) != NDL_OK) {
		ndl_fail_nomem(err, "a session");
		ndl_session_free(s);
		return NULL;
	}
	return s;
}

void ndl_session_free(ndl_session *s)
{
	if (!s)
		return;
	ndl_encoder_free(s->enc);
	for (size_t i = 0; i < s->n_paths; i++)
		ndl_path_free(s->path[i]);
	ndl_decoder_free(s->dec);
	ndl_ids_clear(&s->prompt);
	ndl_ids_clear(&s->run);
	free(s->logits);
	free(s->some);
	free(s->mask);
	free(s->kept.bits);
	free(s->kept.fresh_bits);
	ndl_ground_clear(&s->ground);
	ndl_lexical_clear(&s->lexical);
	ndl_buf_clear(&s->scratch);
	free(s->embedding);
	free(s);
}

ndl_encoder *ndl_session_encoder(ndl_session *s)
{
	return s->enc;
}

ndl_decoder *ndl_session_decoder(ndl_session *s)
{
	return s->dec;
}

void ndl_result_clear(ndl_result *r)
{
	json_decref(r->sources);
	json_decref(r->calls);
	free(r->invalid);
	memset(r, 0, sizeof *r);
}

/* What is offered ----------------------------------------------------------------------- */

static int by_index(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

/* *own := the best k tools for the query, in the list's order, if there are more; else it stays NULL. */
static ndl_status select_tools(ndl_session *s, const ndl_toolset *t, const char *query, size_t len,
                               const ndl_request *request, ndl_toolset **own, ndl_error *err)
{
	size_t k = request->top_tools;
	if (t->tools && (k == 0 || k >= ndl_toolset_count(t)))
		return NDL_OK;
	if (k == 0)
		return ndl_fail(err, NDL_EINVAL, "an index offers only its best tools: say how many");
	size_t *best = ndl_calloc(k, sizeof *best);
	if (!best)
		return ndl_fail_nomem(err, "a ranking");
	size_t blank = 0;
	while (blank < len && query[blank] == ' ')
		blank++;
	enum ndl_ranking how = blank < len ? request->rank : NDL_RANK_BM25; /* nothing to embed: all score 0 */
	long n = ndl_session_rank(s, t, how, query, len, k, best, NULL, err);
	ndl_status rc = n < 0 ? (ndl_status)n : NDL_OK;
	if (rc == NDL_OK) {
		qsort(best, (size_t)n, sizeof *best, by_index);
		json_t *list = ndl_index_tools(t->index, best, (size_t)n, err);
		if (list)
			*own = ndl_toolset_new(t->engine, list, ndl_index_flags(t->index), err);
		json_decref(list);
		rc = *own ? NDL_OK : NDL_EINVAL;
	}
	free(best);
	return rc;
}

/* The request --------------------------------------------------------------------------- */

ndl_status ndl_session_prefill(ndl_session *s, ndl_decoder *dec, const ndl_toolset *t, const char *query, size_t len, unsigned *cut,
                               ndl_error *err)
{
	const float *states;
	ndl_status rc = ndl_prompt_encode(s->engine->tok, ndl_model_config(s->engine->model), query, len,
	                                  ndl_buf_cstr(&t->text), t->text.len, &s->prompt, cut, err);
	if (rc == NDL_OK)
		rc = ndl_encoder_run(s->enc, s->prompt.id, s->prompt.len, &states, err);
	return rc == NDL_OK ? ndl_decoder_start(dec, states, s->prompt.len, err) : rc;
}

static ndl_status prefill(ndl_session *s, const ndl_toolset *t, const char *query, size_t len, ndl_result *r, ndl_error *err)
{
	double start = ndl_seconds();
	ndl_status rc = ndl_session_prefill(s, s->path[0]->dec, t, query, len, &r->cut, err);
	r->prefill_tokens = s->prompt.len;
	r->prefill_ms = 1e3 * (ndl_seconds() - start);
	return rc;
}

/* By the tools' grammar, or one that leaves `[]` out. */
static ndl_status decode_calls(ndl_decoding *d)
{
	const ndl_grammar_options some = {.min_calls = 1, .lacks_nulls = true};
	const ndl_toolset *t = d->answer.t;
	if (!d->q->required)
		return ndl_decode(d, t->grammar);
	ndl_grammar *g = ndl_grammar_new(t->tools, &some, d->err);
	ndl_status rc = g ? ndl_decode(d, g) : d->err->code;
	ndl_grammar_free(g);
	return rc;
}

static ndl_status decode(ndl_decoding *d)
{
	size_t window = (size_t)ndl_model_config(d->s->engine->model)->max_dec_len - 1;
	double start = ndl_seconds();
	d->limit = d->q->max_tokens && d->q->max_tokens < window ? d->q->max_tokens : window;
	ndl_status rc = d->q->no_grammar ? ndl_decode_free(d) : decode_calls(d);
	d->r->decode_ms = 1e3 * (ndl_seconds() - start);
	return rc;
}

static void finish(ndl_decoding *d)
{
	ndl_result *r = d->r;
	const ndl_path *p = d->best;
	r->decode_tokens = p ? p->n - 1 : 0;
	for (size_t i = 1; p && d->q->trace && i < p->n; i++)
		d->q->trace(d->q->user, p->id[i], p->choice[i].p, p->choice[i].choices);
	if (p)
		r->odds = p->odds;
	r->confidence = p ? ndl_confidence_apply(&d->s->engine->confidence, r->odds.sum, r->odds.least) : 1;
	r->truncated = r->cut || r->unfinished;
	if (!d->q->required && r->confidence < d->q->min_confidence) {
		r->rejected = true;
		json_array_clear(d->answer.calls);
	}
	r->calls = json_incref(d->answer.calls);
	if (d->q->sources)
		r->sources = ndl_ground_sources(&d->s->ground, r->calls);
}

/* With the tools that are offered, t. */
static ndl_status answer(ndl_decoding *d, const ndl_toolset *t, const char *query, size_t len)
{
	ndl_session *s = d->s;
	/* without tools there is one answer, and no need to ask */
	bool ask = ndl_toolset_count(t) > 0 || d->q->no_grammar;
	if (!ask && d->q->required)
		return ndl_fail(d->err, NDL_EINVAL, "a call is required, and there are no tools");
	ndl_status rc = ndl_answer_begin(&d->answer, t, d->err);
	if (rc == NDL_OK && ask)
		rc = prefill(s, t, query, len, d->r, d->err);
	if (rc == NDL_OK && (d->ground || d->q->sources))
		rc = ndl_ground_set(&s->ground, query, len, d->q->today, d->err);
	if (rc == NDL_OK && ask && !d->q->no_grammar)
		rc = ndl_lexical_set(&s->lexical, t, query, len, d->q->lexical_weight ? d->q->lexical_weight : NDL_LEXICAL_WEIGHT,
		                     !d->ground || ndl_ground_has_number(&s->ground), d->err);
	if (rc == NDL_OK && ask)
		rc = decode(d);
	if (rc == NDL_OK)
		finish(d);
	ndl_answer_end(&d->answer);
	return rc;
}

ndl_status ndl_session_run(ndl_session *s, const ndl_toolset *t, const char *query, size_t len,
                           const ndl_request *request, ndl_result *out, ndl_error *err)
{
	ndl_toolset *own = NULL;
	ndl_decoding d = {.s = s, .q = request, .r = out, .err = err, .query = query, .query_len = len};
	if (request->ground != NDL_GROUND_OFF)
		d.ground = &s->ground;
	d.strict = request->ground == NDL_GROUND_STRICT;
	memset(out, 0, sizeof *out);
	if (request->beam > NDL_BEAM_MAX)
		return ndl_fail(err, NDL_EINVAL, "a beam of %zu: at most %d", request->beam, NDL_BEAM_MAX);
	ndl_status rc = ndl_session_paths(s, request->beam, err);
	if (rc == NDL_OK)
		rc = select_tools(s, t, query, len, request, &own, err);
	if (rc == NDL_OK)
		rc = answer(&d, own ? own : t, query, len);
	if (rc != NDL_OK)
		ndl_result_clear(out);
	ndl_toolset_free(own);
	return rc;
}
