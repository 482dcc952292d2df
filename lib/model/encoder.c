#include "model/model_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

struct ndl_encoder {
	const ndl_model *m;
	ndl_exec *ex;
	size_t max, ready; /* tokens there is room for, and whose part of it is there in memory */
	/* one allocation, for n tokens at a time in its first part: x, y, q, att [n,d]; k, v [n,kv]; head [d + d/4];
	 * scratch of the attention; with integer products room for rounded rows [n,d], and for packed keys and values */
	float *arena, *x, *y, *q, *att, *k, *v, *head, *scratch;
	bool integer;
	ndl_inputs in;
	void *kv;
	ndl_layer_fn *watch;
	void *user;
};

/* In floats for n tokens: what only integer attention takes, what either takes of scratch. */
static bool measure(const ndl_encoder *e, size_t n, size_t *rounded, size_t *kv, size_t *scratch)
{
	ndl_heads h = e->m->heads;
	size_t bytes = ndl_int_rows_bytes(n, h.heads * h.hd);
	*kv = 0;
	*rounded = (bytes + 63) / 64 * 16;
	*scratch = ndl_attention_scratch(e->ex, n, n);
	if (e->integer) {
		*kv = (ndl_int_kv_bytes(e->ex, h, n) + 63) / 64 * 16;
		*scratch = ndl_int_attention_scratch(e->ex, h, n, n) / 4;
	}
	return bytes && *scratch;
}

/* Lays the parts out for n tokens (without an arena: only measures); returns the floats that takes, 0 on
 * overflow. */
static size_t lay_out(ndl_encoder *e, size_t n)
{
	ndl_heads h = e->m->heads;
	size_t d = h.heads * h.hd, kv = h.kv_heads * h.hd, row = 4 * d + 2 * kv, total, scratch, rounded, packed;
	if (!measure(e, n, &rounded, &packed, &scratch) || !ndl_mul_ok(row, n, &total) ||
	    !ndl_add_ok(total, scratch + rounded + packed + 2 * d, &total))
		return 0;
	if (!e->arena)
		return total;
	float *kv_at = e->arena + rounded;
	e->in.rows = ndl_int_rows_in(e->arena, n, d);
	e->kv = kv_at;
	e->scratch = kv_at + packed;
	e->x = e->scratch + scratch;
	e->y = e->x + n * d;
	e->q = e->y + n * d;
	e->att = e->q + n * d;
	e->k = e->att + n * d;
	e->v = e->k + n * kv;
	e->head = e->v + n * kv;
	return total;
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
	e->integer = m->config.num_encoder_layers && ndl_int_attention_fits(x, &m->enc[0].self.q, m->heads);
	size_t total = lay_out(e, e->max);
	if (!total || !(e->arena = ndl_alloc_partly(total, sizeof *e->arena))) {
		ndl_fail_nomem(err, "an encoder");
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

/* y = SelfAttn(ZCRMSNorm(x)); before (or NULL): the layer whose gate * y is to be added to x first. */
static void run_layer(ndl_encoder *e, const ndl_enc_layer *l, const ndl_enc_layer *before, size_t n)
{
	ndl_heads h = e->m->heads;
	const ndl_head_norm q_norm = {l->self.q_norm, e->m->rope}, k_norm = {l->self.k_norm, e->m->rope};
	const ndl_product qkv[] = {{e->q, &l->self.q}, {e->k, &l->self.k}, {e->v, &l->self.v}}, out = {e->y, &l->self.out};
	if (before)
		ndl_inputs_add(e->ex, &e->in, e->x, before->gate, n, l->norm, e->y, &l->self.q);
	else
		ndl_inputs_set(e->ex, &e->in, e->x, n, l->norm, e->y, &l->self.q);
	ndl_linear_all(e->ex, qkv, 3, &e->in);
	if (e->integer) {
		ndl_int_kv_pack(e->ex, e->kv, e->k, e->v, n, h, k_norm);
		ndl_int_attention(e->ex, e->att, e->q, n, e->kv, n, h, q_norm, e->scratch);
	} else {
		ndl_norm_heads(e->ex, e->q, n, h.heads, h.hd, q_norm);
		ndl_norm_heads(e->ex, e->k, n, h.kv_heads, h.hd, k_norm);
		ndl_attention(e->ex, e->att, e->q, n, e->k, e->v, n, h, false, e->scratch);
	}
	ndl_inputs_set(e->ex, &e->in, e->att, n, NULL, NULL, &l->self.out);
	ndl_linear_all(e->ex, &out, 1, &e->in);
}

/* x += gate * SelfAttn(ZCRMSNorm(x)) for every layer, which the next one does unless someone watches. */
static void run_layers(ndl_encoder *e, size_t n)
{
	const ndl_enc_layer *before = NULL;
	for (int i = 0; i < e->m->config.num_encoder_layers; i++) {
		const ndl_enc_layer *l = &e->m->enc[i];
		bool last = i + 1 == e->m->config.num_encoder_layers;
		run_layer(e, l, before, n);
		before = last || e->watch ? NULL : l;
		if (!before)
			ndl_residual(e->ex, e->x, e->y, n, (size_t)e->m->config.d_model, l->gate);
		if (e->watch)
			e->watch(e->user, i, e->x, n);
	}
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
	size_t used = lay_out(e, n);
	if (n > e->ready)
		ndl_expect_use(e->arena, used * sizeof *e->arena);
	e->ready = n > e->ready ? n : e->ready;
	ndl_embed_tokens(e->m, e->ex, e->x, ids, n);
	run_layers(e, n);
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
	if (!isfinite(sum))
		return ndl_fail_not_numbers(err);
	float r = 1 / sqrtf(sum + 1e-12f);
	for (size_t i = 0; i < c; i++)
		out[i] *= r;
	return NDL_OK;
}
