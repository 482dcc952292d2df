#include "model/model_internal.h"

#include "base/mem.h"

#include <stdlib.h>

struct ndl_decoder {
	const ndl_model *m;
	ndl_exec *ex;
	size_t max, max_enc; /* tokens of cache, rows of encoder states */
	size_t len;          /* tokens in the cache */
	size_t rows;         /* encoder states seen by this sequence */
	/* one allocation: x, y, q, att [max,d]; a weight row [d]; score rows; per layer the caches
	 * k, v [max,kv] and the cross-attention's k, v [max_enc,kv] */
	float *arena, *x, *y, *q, *att, *row, *scores, *cache;
	ndl_layer_fn *watch;
	void *user;
};

typedef struct layer_cache {
	float *k, *v, *cross_k, *cross_v;
} layer_cache;

static size_t kv_size(const ndl_decoder *d)
{
	return d->m->heads.kv_heads * d->m->heads.hd;
}

static size_t cache_floats(const ndl_decoder *d)
{
	return 2 * (d->max + d->max_enc) * kv_size(d);
}

static layer_cache cache_of(const ndl_decoder *d, int layer)
{
	size_t own = d->max * kv_size(d), cross = d->max_enc * kv_size(d);
	float *p = d->cache + (size_t)layer * cache_floats(d);
	return (layer_cache){p, p + own, p + 2 * own, p + 2 * own + cross};
}

static ndl_status lay_out(ndl_decoder *d, ndl_error *err)
{
	size_t width = (size_t)d->m->config.d_model, layers = (size_t)d->m->config.num_decoder_layers;
	size_t rows = d->max * width, total, caches;
	size_t scores = ndl_attention_scratch(d->ex, d->max, d->max > d->max_enc ? d->max : d->max_enc);
	if (!scores || !ndl_mul_ok(cache_floats(d), layers, &caches) || !ndl_mul_ok(rows, 4, &total) ||
	    !ndl_add_ok(total, width + scores, &total) || !ndl_add_ok(total, caches, &total) ||
	    !(d->arena = ndl_alloc64(total, sizeof *d->arena)))
		return ndl_fail_nomem(err, "a decoder");
	d->x = d->arena;
	d->y = d->x + rows;
	d->q = d->y + rows;
	d->att = d->q + rows;
	d->row = d->att + rows;
	d->scores = d->row + width;
	d->cache = d->scores + scores;
	return NDL_OK;
}

ndl_decoder *ndl_decoder_new(const ndl_model *m, ndl_exec *x, ndl_error *err)
{
	ndl_decoder *d = ndl_calloc(1, sizeof *d);
	if (!d) {
		ndl_fail_nomem(err, "a decoder");
		return NULL;
	}
	d->m = m;
	d->ex = x;
	d->max = (size_t)m->config.max_dec_len;
	d->max_enc = (size_t)m->config.max_enc_len;
	if (lay_out(d, err) != NDL_OK) {
		ndl_decoder_free(d);
		return NULL;
	}
	return d;
}

void ndl_decoder_free(ndl_decoder *d)
{
	if (!d)
		return;
	free(d->arena);
	free(d);
}

void ndl_decoder_watch(ndl_decoder *d, ndl_layer_fn *fn, void *user)
{
	d->watch = fn;
	d->user = user;
}

ndl_status ndl_decoder_start(ndl_decoder *d, const float *states, size_t rows, ndl_error *err)
{
	ndl_heads h = d->m->heads;
	d->len = d->rows = 0;
	if (rows == 0 || rows > d->max_enc)
		return ndl_fail(err, NDL_EINVAL, "%zu encoder states, expected 1 to %zu", rows, d->max_enc);
	for (int i = 0; i < d->m->config.num_decoder_layers; i++) {
		const ndl_attn_weights *w = &d->m->dec[i].cross;
		layer_cache c = cache_of(d, i);
		ndl_linear(d->ex, c.cross_k, states, rows, &w->k);
		ndl_linear(d->ex, c.cross_v, states, rows, &w->v);
		ndl_heads_norm_rope(d->ex, c.cross_k, rows, h.kv_heads, h.hd, w->k_norm, NULL);
	}
	d->rows = rows;
	return NDL_OK;
}

/* x += gate * CausalSelfAttn(ZCRMSNorm(x)) for n tokens after the len in the cache. */
static void self_attention(ndl_decoder *d, const ndl_dec_layer *l, layer_cache c, size_t n)
{
	ndl_heads h = d->m->heads;
	size_t width = h.heads * h.hd;
	const float *rope = d->m->rope + d->len * h.hd;
	float *k = c.k + d->len * kv_size(d), *v = c.v + d->len * kv_size(d);
	ndl_zcnorm(d->ex, d->y, d->x, n, width, l->self_norm);
	ndl_linear(d->ex, d->q, d->y, n, &l->self.q);
	ndl_linear(d->ex, k, d->y, n, &l->self.k);
	ndl_linear(d->ex, v, d->y, n, &l->self.v);
	ndl_heads_norm_rope(d->ex, d->q, n, h.heads, h.hd, l->self.q_norm, rope);
	ndl_heads_norm_rope(d->ex, k, n, h.kv_heads, h.hd, l->self.k_norm, rope);
	ndl_attention(d->ex, d->att, d->q, n, c.k, c.v, d->len + n, h, true, d->scores);
	ndl_linear(d->ex, d->y, d->att, n, &l->self.out);
	ndl_residual(d->ex, d->x, d->y, n * width, l->self_gate);
}

/* x += gate * CrossAttn(ZCRMSNorm(x), encoder states) */
static void cross_attention(ndl_decoder *d, const ndl_dec_layer *l, layer_cache c, size_t n)
{
	ndl_heads h = d->m->heads;
	size_t width = h.heads * h.hd;
	ndl_zcnorm(d->ex, d->y, d->x, n, width, l->cross_norm);
	ndl_linear(d->ex, d->q, d->y, n, &l->cross.q);
	ndl_heads_norm_rope(d->ex, d->q, n, h.heads, h.hd, l->cross.q_norm, NULL);
	ndl_attention(d->ex, d->att, d->q, n, c.cross_k, c.cross_v, d->rows, h, false, d->scores);
	ndl_linear(d->ex, d->y, d->att, n, &l->cross.out);
	ndl_residual(d->ex, d->x, d->y, n * width, l->cross_gate);
}

ndl_status ndl_decoder_step(ndl_decoder *d, const int32_t *ids, size_t n, const float **hidden, ndl_error *err)
{
	if (n == 0 || d->rows == 0)
		return ndl_fail(err, NDL_EINVAL, n ? "a decoder step before its start" : "no token to decode");
	if (n > d->max - d->len)
		return ndl_fail(err, NDL_ELIMIT, "the answer passes the decoder's window of %zu tokens", d->max);
	ndl_status rc = ndl_check_ids(d->m, ids, n, err);
	if (rc != NDL_OK)
		return rc;
	ndl_embed_tokens(d->m, d->ex, d->x, ids, n);
	for (int i = 0; i < d->m->config.num_decoder_layers; i++) {
		const ndl_dec_layer *l = &d->m->dec[i];
		self_attention(d, l, cache_of(d, i), n);
		cross_attention(d, l, cache_of(d, i), n);
		if (d->watch)
			d->watch(d->user, i, d->x, n);
	}
	ndl_zcnorm(d->ex, d->y, d->x, n, (size_t)d->m->config.d_model, d->m->dec_norm);
	d->len += n;
	*hidden = d->y;
	return NDL_OK;
}

void ndl_decoder_logits(ndl_decoder *d, const float *hidden, size_t n, float *logits)
{
	ndl_linear(d->ex, logits, hidden, n, &d->m->embedding);
}

void ndl_decoder_logits_of(ndl_decoder *d, const float *hidden, const int32_t *ids, size_t n_ids, float *logits)
{
	size_t width = (size_t)d->m->config.d_model;
	for (size_t j = 0; j < n_ids; j++) {
		ndl_weight_row(d->ex, d->row, &d->m->embedding, (size_t)ids[j]);
		logits[j] = ndl_exec_kernels(d->ex)->dot(hidden, d->row, width);
	}
}

size_t ndl_decoder_len(const ndl_decoder *d)
{
	return d->len;
}

void ndl_decoder_rewind(ndl_decoder *d, size_t len)
{
	if (len < d->len)
		d->len = len;
}
