#include "model/model_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

struct ndl_encoder {
	const ndl_model *m;
	ndl_exec *ex;
	size_t max;
	/* one allocation: x, y, q, att [max,d]; k, v [max,kv]; score rows; head [d + d/4] */
	float *arena, *x, *y, *q, *att, *k, *v, *scores, *head;
	ndl_layer_fn *watch;
	void *user;
};

static ndl_status lay_out(ndl_encoder *e, ndl_error *err)
{
	ndl_heads h = e->m->heads;
	size_t d = h.heads * h.hd, kv = h.kv_heads * h.hd;
	size_t row = 4 * d + 2 * kv, scores = ndl_attention_scratch(e->ex, e->max, e->max), total;
	if (!ndl_mul_ok(row, e->max, &total) || !ndl_add_ok(total, scores, &total) || !ndl_add_ok(total, 2 * d, &total) ||
	    !scores || !(e->arena = ndl_alloc64(total, sizeof *e->arena)))
		return ndl_fail_nomem(err, "an encoder");
	e->x = e->arena;
	e->y = e->x + e->max * d;
	e->q = e->y + e->max * d;
	e->att = e->q + e->max * d;
	e->k = e->att + e->max * d;
	e->v = e->k + e->max * kv;
	e->scores = e->v + e->max * kv;
	e->head = e->scores + scores;
	return NDL_OK;
}

ndl_encoder *ndl_encoder_new(const ndl_model *m, ndl_exec *x, ndl_error *err)
{
	ndl_encoder *e = ndl_calloc(1, sizeof *e);
	if (!e) {
		ndl_fail_nomem(err, "an encoder");
		return NULL;
	}
	e->m = m;
	e->ex = x;
	e->max = (size_t)m->config.max_enc_len;
	if (lay_out(e, err) != NDL_OK) {
		ndl_encoder_free(e);
		return NULL;
	}
	return e;
}

void ndl_encoder_free(ndl_encoder *e)
{
	if (!e)
		return;
	free(e->arena);
	free(e);
}

void ndl_encoder_watch(ndl_encoder *e, ndl_layer_fn *fn, void *user)
{
	e->watch = fn;
	e->user = user;
}

/* x += gate * SelfAttn(ZCRMSNorm(x)) */
static void run_layer(ndl_encoder *e, const ndl_enc_layer *l, size_t n)
{
	ndl_heads h = e->m->heads;
	size_t d = h.heads * h.hd;
	ndl_zcnorm(e->ex, e->y, e->x, n, d, l->norm);
	ndl_linear(e->ex, e->q, e->y, n, &l->self.q);
	ndl_linear(e->ex, e->k, e->y, n, &l->self.k);
	ndl_linear(e->ex, e->v, e->y, n, &l->self.v);
	ndl_heads_norm_rope(e->ex, e->q, n, h.heads, h.hd, l->self.q_norm, e->m->rope);
	ndl_heads_norm_rope(e->ex, e->k, n, h.kv_heads, h.hd, l->self.k_norm, e->m->rope);
	ndl_attention(e->ex, e->att, e->q, n, e->k, e->v, n, h, false, e->scores);
	ndl_linear(e->ex, e->y, e->att, n, &l->self.out);
	ndl_residual(e->ex, e->x, e->y, n * d, l->gate);
}

ndl_status ndl_encoder_run(ndl_encoder *e, const int32_t *ids, size_t n, const float **states, ndl_error *err)
{
	if (n == 0)
		return ndl_fail(err, NDL_EINVAL, "nothing to encode");
	if (n > e->max)
		return ndl_fail(err, NDL_ELIMIT, "%zu tokens do not fit into the encoder's window of %zu", n, e->max);
	ndl_status rc = ndl_check_ids(e->m, ids, n, err);
	if (rc != NDL_OK)
		return rc;
	ndl_embed_tokens(e->m, e->ex, e->x, ids, n);
	for (int i = 0; i < e->m->config.num_encoder_layers; i++) {
		run_layer(e, &e->m->enc[i], n);
		if (e->watch)
			e->watch(e->user, i, e->x, n);
	}
	ndl_zcnorm(e->ex, e->y, e->x, n, (size_t)e->m->config.d_model, e->m->enc_norm);
	*states = e->y;
	return NDL_OK;
}

static void mean_rows(float *out, const float *x, size_t n, size_t d)
{
	for (size_t i = 0; i < d; i++)
		out[i] = 0;
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < d; i++)
			out[i] += x[t * d + i];
	for (size_t i = 0; i < d; i++)
		out[i] /= (float)n;
}

ndl_status ndl_encoder_embed(ndl_encoder *e, const int32_t *ids, size_t n, float *out, ndl_error *err)
{
	const ndl_model *m = e->m;
	size_t d = (size_t)m->config.d_model, c = (size_t)m->config.contrastive_dim;
	const float *states;
	if (!c)
		return ndl_fail(err, NDL_EUNSUPPORTED, "this model has no contrastive head (no contrastive_dim)");
	ndl_status rc = ndl_encoder_run(e, ids, n, &states, err);
	if (rc != NDL_OK)
		return rc;
	float *mean = e->head, *hidden = e->head + d;
	mean_rows(mean, states, n, d);
	ndl_linear(e->ex, hidden, mean, 1, &m->hidden);
	for (size_t i = 0; i < d / 4; i++) {
		hidden[i] += m->hidden_bias[i];
		if (hidden[i] < 0)
			hidden[i] = 0;
	}
	ndl_linear(e->ex, out, hidden, 1, &m->proj);
	float sum = 0;
	for (size_t i = 0; i < c; i++)
		sum += out[i] * out[i];
	float r = 1 / sqrtf(sum + 1e-12f);
	for (size_t i = 0; i < c; i++)
		out[i] *= r;
	return NDL_OK;
}
