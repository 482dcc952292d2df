/* network_towers.c - forward and backward through blocks of attention, and through the towers made of them. */
#include "train/network_internal.h"

#include "tensor/gemm.h"

#include <math.h>
#include <string.h>

/* The parameters of one attention block, by role. */
typedef struct block_ids {
	ndl_param_id norm, gate, q, k, v, o, q_norm, k_norm;
} block_ids;

static const block_ids enc_ids = {NDL_P_ENC_NORM, NDL_P_ENC_GATE, NDL_P_ENC_Q, NDL_P_ENC_K, NDL_P_ENC_V,
                                  NDL_P_ENC_O, NDL_P_ENC_QNORM, NDL_P_ENC_KNORM};
static const block_ids self_ids = {NDL_P_SELF_NORM, NDL_P_SELF_GATE, NDL_P_SELF_Q, NDL_P_SELF_K, NDL_P_SELF_V,
                                   NDL_P_SELF_O, NDL_P_SELF_QNORM, NDL_P_SELF_KNORM};
static const block_ids cross_ids = {NDL_P_CROSS_NORM, NDL_P_CROSS_GATE, NDL_P_CROSS_Q, NDL_P_CROSS_K,
                                    NDL_P_CROSS_V, NDL_P_CROSS_O, NDL_P_CROSS_QNORM, NDL_P_CROSS_KNORM};

/* Blocks ------------------------------------------------------------------------------ */

static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

static ndl_batch_attention attention_of(const ndl_network *n, const side *q, const side *k, bool causal)
{
	size_t n_seq = q == &n->enc ? n->n_enc_seq : n->n_seq;
	return (ndl_batch_attention){n_seq, q->off, k->off, dim_heads(n), dim_kv_heads(n), dim_hd(n), causal, n->attn_scratch};
}

/* y[rows, p.cols] = x[rows, p.rows] W. */
static void project(ndl_network *n, float *y, const float *x, size_t rows, const float *w, ndl_param_id id,
                    int layer)
{
	const ndl_slot *p = &n->ps->p[id];
	ndl_gemm(n->ex, false, false, rows, p->cols, p->rows, 1, x, p->rows,
	         ndl_params_get(n->ps, w, id, layer), p->cols, 0, y, p->cols);
}

/* dx[rows, p.rows] = beta dx + dy W^T, and dW += x^T dy. */
static void project_backward(ndl_network *n, float *dx, const float *dy, const float *x, size_t rows,
                             const float *w, float *grad, ndl_param_id id, int layer, float beta)
{
	const ndl_slot *p = &n->ps->p[id];
	ndl_gemm(n->ex, true, false, p->rows, p->cols, rows, 1, x, p->rows, dy, p->cols, 1,
	         ndl_params_at(n->ps, grad, id, layer), p->cols);
	ndl_gemm(n->ex, false, true, rows, p->rows, p->cols, 1, dy, p->cols,
	         ndl_params_get(n->ps, w, id, layer), p->cols, beta, dx, p->rows);
}

/* The 1/sqrt(hd) of the scores goes into q: scaling n rows is less work than n x n scores. */
static float q_gain(const ndl_network *n) { return 1.0f / sqrtf((float)dim_hd(n)); }

/* Normed and rotated q and k of a block, from what was saved (or has just been projected). */
static void normed_qk(ndl_network *n, const saved *s, const float *w, const block_ids *id, int layer,
                      const side *q, const side *k, bool cross)
{
	ndl_rows_head_norm(n->ex, n->qn, s->q_inv, s->q, ndl_params_get(n->ps, w, id->q_norm, layer), q->n,
	                   dim_heads(n), dim_hd(n), cross ? NULL : &q->rope, q_gain(n));
	ndl_rows_head_norm(n->ex, n->kn, s->k_inv, s->k, ndl_params_get(n->ps, w, id->k_norm, layer), k->n,
	                   dim_kv_heads(n), dim_hd(n), cross ? NULL : &k->rope, 1);
}

/* out = x + sigmoid(gate) * Attention(norm(x), memory or norm(x)); s->x holds x. memory NULL: self. */
static void block_forward(ndl_network *n, float *out, saved *s, const float *w, const block_ids *id, int layer,
                          const side *q, const side *k, const float *memory, bool causal)
{
	size_t d = dim_d(n);
	ndl_rows_norm(n->ex, n->h, s->inv, s->x, ndl_params_get(n->ps, w, id->norm, layer), q->n, d);
	const float *keys_from = memory ? memory : n->h;
	project(n, s->q, n->h, q->n, w, id->q, layer);
	project(n, s->k, keys_from, k->n, w, id->k, layer);
	project(n, s->v, keys_from, k->n, w, id->v, layer);
	normed_qk(n, s, w, id, layer, q, k, memory != NULL);
	ndl_batch_attention a = attention_of(n, q, k, causal);
	ndl_batch_attention_forward(n->ex, &a, s->o, n->qn, n->kn, s->v);
	project(n, n->h, s->o, q->n, w, id->o, layer);
	ndl_rows_scale_add(n->ex, out, 1, s->x, sigmoid(*ndl_params_get(n->ps, w, id->gate, layer)), n->h, q->n * d);
}

/* dx: on entry d loss / d out, on return d loss / d x. d_memory (cross only) is added to. */
static void block_backward(ndl_network *n, float *dx, const saved *s, const float *w, float *grad,
                           const block_ids *id, int layer, const side *q, const side *k, const float *memory,
                           float *d_memory, bool causal)
{
	const ndl_params *ps = n->ps;
	size_t d = dim_d(n), heads = dim_heads(n), hd = dim_hd(n);
	float gate = sigmoid(*ndl_params_get(ps, w, id->gate, layer));
	bool cross = memory != NULL;
	ndl_rows_scale_add(n->ex, n->dh, gate, dx, 0, dx, q->n * d);
	project_backward(n, n->d_o, n->dh, s->o, q->n, w, grad, id->o, layer, 0);

	normed_qk(n, s, w, id, layer, q, k, cross);
	ndl_batch_attention a = attention_of(n, q, k, causal);
	ndl_batch_attention_backward(n->ex, &a, n->dqn, n->dkn, n->dv, n->d_o, n->qn, n->kn, s->v);
	/* The gate: d/dg = sum(dout * y) g (1 - g), and sum(d_o * o) = g sum(dout * y). */
	*ndl_params_at(ps, grad, id->gate, layer) +=
		(float)(ndl_rows_dot(n->ex, n->d_o, s->o, q->n * d) * (1.0 - (double)gate));

	ndl_rows_head_norm_backward(n->ex, n->dq, ndl_params_at(ps, grad, id->q_norm, layer), n->dqn, s->q,
	                            ndl_params_get(ps, w, id->q_norm, layer), s->q_inv, q->n, heads, hd,
	                            cross ? NULL : &q->rope, q_gain(n), n->partial);
	ndl_rows_head_norm_backward(n->ex, n->dk, ndl_params_at(ps, grad, id->k_norm, layer), n->dkn, s->k,
	                            ndl_params_get(ps, w, id->k_norm, layer), s->k_inv, k->n, dim_kv_heads(n), hd,
	                            cross ? NULL : &k->rope, 1, n->partial);

	const float *scale = ndl_params_get(ps, w, id->norm, layer);
	ndl_rows_norm(n->ex, n->h, s->inv, s->x, scale, q->n, d);
	project_backward(n, n->dh, n->dq, n->h, q->n, w, grad, id->q, layer, 0);
	float *d_keys = cross ? d_memory : n->dh;
	project_backward(n, d_keys, n->dk, cross ? memory : n->h, k->n, w, grad, id->k, layer, 1);
	project_backward(n, d_keys, n->dv, cross ? memory : n->h, k->n, w, grad, id->v, layer, 1);
	ndl_rows_norm_backward(n->ex, dx, ndl_params_at(ps, grad, id->norm, layer), n->dh, s->x, scale, s->inv, q->n,
	                       d, n->partial);
}

/* Towers ------------------------------------------------------------------------------ */

static void embed(const ndl_network *n, float *x, const int32_t *ids, size_t count, const float *w)
{
	size_t d = dim_d(n);
	const float *e = ndl_params_get(n->ps, w, NDL_P_EMBEDDING, 0);
	float root = sqrtf((float)d);
#pragma omp parallel for num_threads(ndl_exec_threads(n->ex))
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < d; j++)
			x[i * d + j] = e[(size_t)ids[i] * d + j] * root;
}

/* Columns are shared out, so that repeated tokens add up in their order whatever the threads. */
static void embed_backward(const ndl_network *n, const float *dx, const int32_t *ids, size_t count, float *grad)
{
	enum { COLUMNS = 32 };
	size_t d = dim_d(n), blocks = (d + COLUMNS - 1) / COLUMNS;
	float *de = ndl_params_at(n->ps, grad, NDL_P_EMBEDDING, 0);
	float root = sqrtf((float)d);
#pragma omp parallel for num_threads(ndl_exec_threads(n->ex))
	for (size_t b = 0; b < blocks; b++) {
		size_t end = (b + 1) * COLUMNS < d ? (b + 1) * COLUMNS : d;
		for (size_t i = 0; i < count; i++)
			for (size_t j = b * COLUMNS; j < end; j++)
				de[(size_t)ids[i] * d + j] += dx[i * d + j] * root;
	}
}

void ndl_network_encode(ndl_network *n, const float *w)
{
	int layers = n->ps->config.num_encoder_layers;
	embed(n, layers ? n->enc_saved[0].x : n->enc_x, n->tokens, n->ne, w);
	for (int l = 0; l < layers; l++)
		block_forward(n, l + 1 < layers ? n->enc_saved[l + 1].x : n->enc_x, &n->enc_saved[l], w, &enc_ids, l,
		              &n->enc, &n->enc, NULL, false);
	ndl_rows_norm(n->ex, n->enc_out, n->enc_inv, n->enc_x, ndl_params_get(n->ps, w, NDL_P_ENC_FINAL, 0), n->ne,
	              dim_d(n));
}

/* d_enc holds d loss / d enc_out. */
void ndl_network_encode_backward(ndl_network *n, const float *w, float *grad)
{
	size_t d = dim_d(n);
	float *dx = n->enc_out; /* no longer needed: its gradient takes its place */
	memset(dx, 0, n->ne * d * sizeof *dx);
	ndl_rows_norm_backward(n->ex, dx, ndl_params_at(n->ps, grad, NDL_P_ENC_FINAL, 0), n->d_enc, n->enc_x,
	                       ndl_params_get(n->ps, w, NDL_P_ENC_FINAL, 0), n->enc_inv, n->ne, d, n->partial);
	for (int l = n->ps->config.num_encoder_layers - 1; l >= 0; l--)
		block_backward(n, dx, &n->enc_saved[l], w, grad, &enc_ids, l, &n->enc, &n->enc, NULL, NULL, false);
	embed_backward(n, dx, n->tokens, n->ne, grad);
}

/* Keys and values of cross-attention: the prompts' part of the encoder output. */
static side memory_side(const ndl_network *n)
{
	return (side){n->ne_main, n->enc.off, n->enc.rope};
}

void ndl_network_decode(ndl_network *n, const float *w, const int32_t *ids)
{
	int layers = n->ps->config.num_decoder_layers;
	side memory = memory_side(n);
	embed(n, layers ? n->self_saved[0].x : n->dec_x, ids, n->nd, w);
	for (int l = 0; l < layers; l++) {
		block_forward(n, n->cross_saved[l].x, &n->self_saved[l], w, &self_ids, l, &n->dec, &n->dec, NULL, true);
		block_forward(n, l + 1 < layers ? n->self_saved[l + 1].x : n->dec_x, &n->cross_saved[l], w, &cross_ids,
		              l, &n->dec, &memory, n->enc_out, false);
	}
	ndl_rows_norm(n->ex, n->dec_out, n->dec_inv, n->dec_x, ndl_params_get(n->ps, w, NDL_P_DEC_FINAL, 0), n->nd,
	              dim_d(n));
}

/* d_dec holds d loss / d dec_out; adds to d_enc. */
void ndl_network_decode_backward(ndl_network *n, const float *w, float *grad, const int32_t *ids)
{
	size_t d = dim_d(n);
	side memory = memory_side(n);
	float *dx = n->dec_out;
	memset(dx, 0, n->nd * d * sizeof *dx);
	ndl_rows_norm_backward(n->ex, dx, ndl_params_at(n->ps, grad, NDL_P_DEC_FINAL, 0), n->d_dec, n->dec_x,
	                       ndl_params_get(n->ps, w, NDL_P_DEC_FINAL, 0), n->dec_inv, n->nd, d, n->partial);
	for (int l = n->ps->config.num_decoder_layers - 1; l >= 0; l--) {
		block_backward(n, dx, &n->cross_saved[l], w, grad, &cross_ids, l, &n->dec, &memory, n->enc_out, n->d_enc,
		               false);
		block_backward(n, dx, &n->self_saved[l], w, grad, &self_ids, l, &n->dec, &n->dec, NULL, NULL, true);
	}
	embed_backward(n, dx, ids, n->nd, grad);
}
