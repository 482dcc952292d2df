#include "session/session_internal.h"

#include "base/mem.h"
#include "data/prompt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
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
	s->mask = ndl_calloc(ndl_vocab_trie_words(e->trie), sizeof *s->mask);
	s->pending = ndl_calloc((size_t)c->max_dec_len + 1, sizeof *s->pending);
	s->embedding = ndl_calloc((size_t)c->contrastive_dim + 1, sizeof *s->embedding);
	if (!s->logits || !s->mask || !s->pending || !s->embedding) {
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
	ndl_decoder_free(s->dec);
	ndl_ids_clear(&s->prompt);
	ndl_buf_clear(&s->tools_text);
	free(s->logits);
	free(s->mask);
	free(s->pending);
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
	json_decref(r->calls);
	free(r->invalid);
	memset(r, 0, sizeof *r);
}

/* Retrieval ----------------------------------------------------------------------------- */

ndl_status ndl_session_embed(ndl_session *s, const char *text, size_t len, float *out, unsigned *cut, ndl_error *err)
{
	ndl_status rc = ndl_prompt_encode_text(s->engine->tok, ndl_model_config(s->engine->model), text, len, &s->prompt,
	                                       cut, err);
	if (rc == NDL_OK && s->prompt.len == 0)
		rc = ndl_fail(err, NDL_EINVAL, "an empty text has no embedding");
	return rc == NDL_OK ? ndl_encoder_embed(s->enc, s->prompt.id, s->prompt.len, out, err) : rc;
}

/* Insertion into a list of at most k, best first; at equal scores the earlier tool stays first. */
static void insert(size_t *order, float *scores, size_t *n, size_t k, size_t tool, float score)
{
	size_t at = *n;
	while (at && scores[at - 1] < score)
		at--;
	if (at == k)
		return;
	size_t last = *n < k ? (*n)++ : k - 1;
	memmove(order + at + 1, order + at, (last - at) * sizeof *order);
	memmove(scores + at + 1, scores + at, (last - at) * sizeof *scores);
	order[at] = tool;
	scores[at] = score;
}

long ndl_session_rank(ndl_session *s, const ndl_toolset *t, const char *query, size_t len, size_t k, size_t *order,
                      float *scores, ndl_error *err)
{
	size_t count = ndl_tools_count(t->tools), n = 0;
	size_t dim = (size_t)ndl_model_config(s->engine->model)->contrastive_dim;
	if (k > count)
		k = count;
	if (k == 0)
		return 0;
	if (!t->embeddings)
		return ndl_fail(err, NDL_EINVAL, "the tools have not been embedded");
	ndl_status rc = ndl_session_embed(s, query, len, s->embedding, NULL, err);
	float *own = NULL;
	if (rc != NDL_OK)
		return rc;
	if (!scores && !(scores = own = ndl_calloc(k, sizeof *own)))
		return ndl_fail_nomem(err, "a ranking");
	for (size_t i = 0; i < count; i++) {
		float dot = 0;
		for (size_t j = 0; j < dim; j++)
			dot += s->embedding[j] * t->embeddings[i * dim + j];
		insert(order, scores, &n, k, i, dot);
	}
	free(own);
	return (long)n;
}

static int by_index(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

/* What is offered to the model: the whole set, or the best of it in the list's order. */
typedef struct offer {
	const ndl_grammar *grammar;
	const char *text;
	size_t len;
	ndl_grammar *own; /* grammar made for this request */
} offer;

static ndl_status select_tools(ndl_session *s, const ndl_toolset *t, const char *query, size_t len, size_t k, offer *o,
                               ndl_error *err)
{
	o->grammar = t->grammar;
	o->text = ndl_buf_cstr(&t->text);
	o->len = t->text.len;
	if (k == 0 || k >= ndl_tools_count(t->tools) || len == 0)
		return NDL_OK;
	size_t *best = ndl_calloc(k, sizeof *best);
	if (!best)
		return ndl_fail_nomem(err, "a ranking");
	long n = ndl_session_rank(s, t, query, len, k, best, NULL, err);
	ndl_status rc = n < 0 ? (ndl_status)n : NDL_OK;
	if (rc == NDL_OK) {
		qsort(best, (size_t)n, sizeof *best, by_index);
		ndl_grammar_options g = {.subset = best, .n_subset = (size_t)n};
		o->own = ndl_grammar_new(t->tools, &g, err);
		o->grammar = o->own;
		ndl_buf_reset(&s->tools_text);
		ndl_tools_render(t->tools, &s->tools_text, best, (size_t)n, ndl_model_config(s->engine->model)->ascii_tools);
		o->text = ndl_buf_cstr(&s->tools_text);
		o->len = s->tools_text.len;
		rc = o->own ? ndl_buf_check(&s->tools_text, err) : NDL_EINVAL;
	}
	free(best);
	return rc;
}

/* Decoding ------------------------------------------------------------------------------ */

typedef struct decoding {
	ndl_session *s;
	const ndl_request *q;
	ndl_result *r;
	ndl_error *err;
	size_t limit;      /* tokens that may be generated */
	size_t n_pending;  /* tokens chosen but not fed */
	double log_p;      /* sum over choices */
	size_t n_choices;
	ndl_answer answer;
	ndl_gstate state;
} decoding;

enum { FEW_CHOICES = 256 }; /* so many logits one by one, more in one product with the whole embedding */

/* Ids in the mask, in order, at most cap of them. */
static size_t list_mask(const uint64_t *mask, size_t words, int32_t *ids, size_t cap)
{
	size_t n = 0;
	for (size_t w = 0; w < words; w++)
		for (size_t i = 0; i < 64 && mask[w] >> i && n < cap; i++)
			if (mask[w] >> i & 1)
				ids[n++] = (int32_t)(w * 64 + i);
	return n;
}

/* The logits of the few ids in mask only, each in its place. */
static void few_logits(ndl_session *s, const float *hidden, const uint64_t *mask)
{
	int32_t ids[FEW_CHOICES];
	float logits[FEW_CHOICES];
	size_t n = list_mask(mask, ndl_vocab_trie_words(s->engine->trie), ids, FEW_CHOICES);
	ndl_decoder_logits_of(s->dec, hidden, ids, n, logits);
	for (size_t i = 0; i < n; i++)
		s->logits[ids[i]] = logits[i];
}

/* Feeds what is pending and computes the logits after it, at least those in mask (NULL: all). */
static ndl_status compute_logits(decoding *d, const uint64_t *mask, size_t choices)
{
	const float *hidden;
	ndl_status rc = ndl_decoder_step(d->s->dec, d->s->pending, d->n_pending, &hidden, d->err);
	if (rc != NDL_OK)
		return rc;
	hidden += (d->n_pending - 1) * (size_t)ndl_model_config(d->s->engine->model)->d_model;
	if (mask && choices <= FEW_CHOICES)
		few_logits(d->s, hidden, mask);
	else
		ndl_decoder_logits(d->s->dec, hidden, 1, d->s->logits);
	d->n_pending = 0;
	return NDL_OK;
}

static bool allowed(const uint64_t *mask, size_t id)
{
	return !mask || (mask[id / 64] >> (id % 64) & 1);
}

/* The first best of the allowed ids and its probability among them. */
static int32_t best_of(const float *logits, size_t n, const uint64_t *mask, double *p)
{
	size_t best = n;
	for (size_t i = 0; i < n; i++)
		if (allowed(mask, i) && (best == n || logits[i] > logits[best]))
			best = i;
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		if (allowed(mask, i))
			sum += exp((double)logits[i] - (double)logits[best]);
	*p = 1 / sum;
	return (int32_t)best;
}

static size_t count_mask(const uint64_t *mask, size_t words)
{
	size_t n = 0;
	for (size_t w = 0; w < words; w++)
		for (uint64_t bits = mask[w]; bits; bits &= bits - 1)
			n++;
	return n;
}

static void note(decoding *d, int32_t id, double p, size_t choices)
{
	d->r->decode_tokens++;
	d->s->pending[d->n_pending++] = id;
	if (choices > 1) {
		d->log_p += log(p);
		d->n_choices++;
	}
	if (d->q->trace)
		d->q->trace(d->q->user, id, p, choices);
}

/* Chooses the next token among those in mask (NULL: all of them). */
static ndl_status choose(decoding *d, const uint64_t *mask, int32_t *id)
{
	const ndl_engine *e = d->s->engine;
	size_t vocab = ndl_tok_size(e->tok), words = ndl_vocab_trie_words(e->trie);
	size_t choices = mask ? count_mask(mask, words) : vocab;
	double p = 1;
	if (choices == 0)
		return ndl_fail(d->err, NDL_EUNSUPPORTED, "the vocabulary cannot spell what the tools demand");
	if (choices == 1) {
		list_mask(mask, words, id, 1);
	} else {
		ndl_status rc = compute_logits(d, mask, choices);
		if (rc != NDL_OK)
			return rc;
		*id = best_of(d->s->logits, vocab, mask, &p);
		if (isnan(p) || (size_t)*id >= vocab)
			return ndl_fail(d->err, NDL_EFORMAT, "the model computes values that are not numbers");
	}
	note(d, *id, p, choices);
	return NDL_OK;
}

static ndl_status append_token(decoding *d, int32_t id)
{
	size_t len;
	const char *bytes = ndl_tok_bytes(d->s->engine->tok, id, &len);
	ndl_buf_add(&d->answer.text, bytes, len);
	return ndl_buf_check(&d->answer.text, d->err);
}

/* Text tokens under the grammar until it is complete; SPEC 7. */
static ndl_status decode_constrained(decoding *d, const ndl_grammar *g)
{
	ndl_status rc = NDL_OK;
	ndl_gstate_init(&d->state, g);
	note(d, NDL_TOOL_CALL, 1, 1);
	while (rc == NDL_OK && !ndl_gstate_done(&d->state)) {
		int32_t id;
		if (d->r->decode_tokens >= d->limit) {
			d->r->unfinished = true;
			return NDL_OK;
		}
		ndl_gstate_mask(&d->state, d->s->engine->trie, d->s->mask);
		rc = choose(d, d->s->mask, &id);
		if (rc == NDL_OK && !ndl_gstate_token(&d->state, d->s->engine->trie, id))
			rc = ndl_fail(d->err, NDL_EINVAL, "the grammar refuses a token that it allowed");
		if (rc == NDL_OK)
			rc = append_token(d, id);
		if (rc == NDL_OK)
			rc = ndl_answer_scan(&d->answer, d->q->on_call, d->q->user, d->err);
	}
	return rc;
}

/* Greedy without constraint until </s>. */
static ndl_status decode_free(decoding *d)
{
	for (;;) {
		int32_t id;
		if (d->r->decode_tokens >= d->limit) {
			d->r->unfinished = true;
			return NDL_OK;
		}
		ndl_status rc = choose(d, NULL, &id);
		if (rc != NDL_OK || id == NDL_EOS)
			return rc;
		if (id != NDL_TOOL_CALL)
			rc = append_token(d, id);
		if (rc != NDL_OK)
			return rc;
	}
}

static bool is_call(const json_t *v)
{
	return json_is_string(json_object_get(v, "name")) && json_is_object(json_object_get(v, "arguments"));
}

/* Reads free text as a list of calls; what is none is handed back as it is. */
static ndl_status read_free(decoding *d)
{
	ndl_buf *text = &d->answer.text;
	ndl_error why = NDL_ERROR_INIT;
	json_t *value = ndl_json_parse(ndl_buf_cstr(text), text->len, &why), *call;
	size_t i;
	bool good = json_is_array(value);
	json_array_foreach(value, i, call)
		good = good && is_call(call);
	if (good) {
		json_array_foreach(value, i, call) {
			ndl_restore_name(d->answer.t->tools, call);
			json_array_append(d->answer.calls, call);
		}
	} else if (!(d->r->invalid = ndl_strndup(ndl_buf_cstr(text), text->len))) {
		json_decref(value);
		return ndl_fail_nomem(d->err, "the answer");
	}
	json_decref(value);
	return NDL_OK;
}

static ndl_status prefill(ndl_session *s, const offer *o, const char *query, size_t len, ndl_result *r, ndl_error *err)
{
	const float *states;
	double start = now_ms();
	ndl_status rc = ndl_prompt_encode(s->engine->tok, ndl_model_config(s->engine->model), query, len, o->text, o->len,
	                                  &s->prompt, &r->cut, err);
	if (rc == NDL_OK)
		rc = ndl_encoder_run(s->enc, s->prompt.id, s->prompt.len, &states, err);
	if (rc == NDL_OK)
		rc = ndl_decoder_start(s->dec, states, s->prompt.len, err);
	r->prefill_tokens = s->prompt.len;
	r->prefill_ms = now_ms() - start;
	return rc;
}

static ndl_status decode(decoding *d, const offer *o)
{
	size_t window = (size_t)ndl_model_config(d->s->engine->model)->max_dec_len - 1;
	double start = now_ms();
	d->limit = d->q->max_tokens && d->q->max_tokens < window ? d->q->max_tokens : window;
	d->s->pending[d->n_pending++] = NDL_EOS;
	ndl_status rc;
	if (d->q->no_grammar) {
		rc = decode_free(d);
		if (rc == NDL_OK)
			rc = read_free(d);
	} else {
		rc = decode_constrained(d, o->grammar);
	}
	d->r->decode_ms = now_ms() - start;
	return rc;
}

static void finish(decoding *d)
{
	ndl_result *r = d->r;
	r->confidence = d->n_choices ? exp(d->log_p / (double)d->n_choices) : 1;
	r->truncated = r->cut || r->unfinished;
	if (r->confidence < d->q->min_confidence) {
		r->rejected = true;
		json_array_clear(d->answer.calls);
	}
	r->calls = json_incref(d->answer.calls);
}

ndl_status ndl_session_run(ndl_session *s, const ndl_toolset *t, const char *query, size_t len,
                           const ndl_request *request, ndl_result *out, ndl_error *err)
{
	offer o = {0};
	decoding d = {.s = s, .q = request, .r = out, .err = err};
	memset(out, 0, sizeof *out);
	ndl_status rc = ndl_answer_begin(&d.answer, t, err);
	/* without tools there is one answer, and no need to ask */
	bool ask = ndl_tools_count(t->tools) > 0 || request->no_grammar;
	if (rc == NDL_OK && ask)
		rc = select_tools(s, t, query, len, request->top_tools, &o, err);
	if (rc == NDL_OK && ask)
		rc = prefill(s, &o, query, len, out, err);
	if (rc == NDL_OK && ask)
		rc = decode(&d, &o);
	if (rc == NDL_OK)
		finish(&d);
	else
		ndl_result_clear(out);
	ndl_answer_end(&d.answer);
	ndl_grammar_free(o.own);
	return rc;
}
