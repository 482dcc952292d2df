#include "train/network.h"

#include "base/mem.h"
#include "tensor/gemm.h"
#include "train/attention.h"
#include "train/head_loss.h"
#include "train/rows.h"

#include <math.h>
#include <stdlib.h>
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

/* What the forward pass of one block keeps for the backward pass. The normed input, the normed
 * and rotated q and k are cheap to make again and are not kept. */
typedef struct saved {
	float *x;             /* [n, d] input of the block */
	float *inv;           /* [n] of its norm */
	float *q, *k, *v;     /* projections: [n, d], [nk, kv], [nk, kv] */
	float *q_inv, *k_inv; /* [n, heads], [nk, kv_heads] */
	float *o;             /* [n, d] what attention gave */
} saved;

/* Sequences that a block runs over: self-attention has the same queries and keys. */
typedef struct side {
	size_t n;             /* tokens */
	const size_t *off;    /* of sequences */
	ndl_rope rope;
} side;

struct ndl_network {
	const ndl_params *ps;
	ndl_exec *ex;
	float *arena;
	size_t arena_cap, arena_used; /* floats */
	int *position;                /* of every encoder token, then of every decoder token */
	size_t *off;                  /* encoder offsets over main, query and tool sequences */
	int32_t *tokens;              /* encoder tokens of all of them */
	size_t tokens_cap, off_cap, position_cap;
	/* of the current batch */
	size_t ne, ne_main, nd, n_seq, n_enc_seq, n_pairs;
	side enc, dec;
	saved *enc_saved, *self_saved, *cross_saved; /* one a layer */
	float *enc_x, *enc_inv, *enc_out;            /* input, inv and output of the final norms */
	float *dec_x, *dec_inv, *dec_out;
	float *pooled, *hidden, *embed;              /* contrastive: [2P, d], [2P, d/4], [2P, c] */
	/* scratch shared by all blocks */
	float *h, *qn, *kn, *dq, *dk, *dv, *dqn, *dkn, *d_o, *dh, *partial, *attn_scratch;
	float *d_enc, *d_dec, *loss_scratch, *head_scratch;
	float *rope_table;
	size_t rope_len;
};

/* Sizes in floats, per config. */
static size_t dim_d(const ndl_network *n) { return (size_t)n->ps->config.d_model; }
static size_t dim_heads(const ndl_network *n) { return (size_t)n->ps->config.num_heads; }
static size_t dim_kv_heads(const ndl_network *n) { return (size_t)n->ps->config.num_kv_heads; }
static size_t dim_hd(const ndl_network *n) { return dim_d(n) / dim_heads(n); }
static size_t dim_kv(const ndl_network *n) { return dim_hd(n) * dim_kv_heads(n); }

ndl_network *ndl_network_new(const ndl_params *ps, ndl_exec *x, ndl_error *err)
{
	ndl_network *n = calloc(1, sizeof *n);
	if (!n) {
		ndl_fail_nomem(err, "network");
		return NULL;
	}
	n->ps = ps;
	n->ex = x;
	n->enc_saved = ndl_calloc((size_t)ps->config.num_encoder_layers, sizeof *n->enc_saved);
	n->self_saved = ndl_calloc((size_t)ps->config.num_decoder_layers, sizeof *n->self_saved);
	n->cross_saved = ndl_calloc((size_t)ps->config.num_decoder_layers, sizeof *n->cross_saved);
	if (!n->enc_saved || !n->self_saved || !n->cross_saved) {
		ndl_network_free(n);
		ndl_fail_nomem(err, "network");
		return NULL;
	}
	return n;
}

void ndl_network_free(ndl_network *n)
{
	if (!n)
		return;
	free(n->enc_saved);
	free(n->self_saved);
	free(n->cross_saved);
	free(n->arena);
	free(n->position);
	free(n->off);
	free(n->tokens);
	free(n->rope_table);
	free(n);
}

const float *ndl_network_encoder_out(const ndl_network *n) { return n->enc_out; }
const float *ndl_network_decoder_hidden(const ndl_network *n) { return n->dec_out; }
const float *ndl_network_embeddings(const ndl_network *n) { return n->embed; }

/* Memory ------------------------------------------------------------------------------ */

/* The next `count` floats of the arena, or NULL while only the size is being computed. */
static float *take(ndl_network *n, size_t count)
{
	float *p = n->arena ? n->arena + n->arena_used : NULL;
	n->arena_used += (count + 15) / 16 * 16;
	return p;
}

static void take_saved(ndl_network *n, saved *s, size_t nq, size_t nk)
{
	s->x = take(n, nq * dim_d(n));
	s->inv = take(n, nq);
	s->q = take(n, nq * dim_d(n));
	s->k = take(n, nk * dim_kv(n));
	s->v = take(n, nk * dim_kv(n));
	s->q_inv = take(n, nq * dim_heads(n));
	s->k_inv = take(n, nk * dim_kv_heads(n));
	s->o = take(n, nq * dim_d(n));
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* What layer l keeps; without a backward pass to come all layers take the place of the first. */
static void take_layer(ndl_network *n, saved *layers, int l, bool keep, size_t nq, size_t nk)
{
	if (keep || l == 0)
		take_saved(n, &layers[l], nq, nk);
	else
		layers[l] = layers[0];
}

/* Hands out the arena; called once to learn the size, once to take it. o NULL: no loss follows. */
static void lay_out(ndl_network *n, const ndl_loss_options *o, bool keep)
{
	const ndl_config *c = &n->ps->config;
	size_t d = dim_d(n), most = larger(n->ne, n->nd);
	size_t max_len = larger(ndl_longest_sequence(n->enc.off, n->n_enc_seq), ndl_longest_sequence(n->dec.off, n->n_seq));
	n->arena_used = 0;
	for (int l = 0; l < c->num_encoder_layers; l++)
		take_layer(n, n->enc_saved, l, keep, n->ne, n->ne);
	for (int l = 0; l < c->num_decoder_layers; l++) {
		take_layer(n, n->self_saved, l, keep, n->nd, n->nd);
		take_layer(n, n->cross_saved, l, keep, n->nd, n->ne_main);
	}
	n->enc_x = take(n, n->ne * d);
	n->enc_inv = take(n, n->ne);
	n->enc_out = take(n, n->ne * d);
	n->dec_x = take(n, n->nd * d);
	n->dec_inv = take(n, n->nd);
	n->dec_out = take(n, n->nd * d);
	n->pooled = take(n, 2 * n->n_pairs * d);
	n->hidden = take(n, 2 * n->n_pairs * (d / 4));
	n->embed = take(n, 2 * n->n_pairs * (size_t)c->contrastive_dim);
	n->h = take(n, most * d);
	n->qn = take(n, most * d);
	n->kn = take(n, most * dim_kv(n));
	n->dq = take(n, most * d);
	n->dk = take(n, most * dim_kv(n));
	n->dv = take(n, most * dim_kv(n));
	n->dqn = take(n, most * d);
	n->dkn = take(n, most * dim_kv(n));
	n->d_o = take(n, most * d);
	n->dh = take(n, most * d);
	n->partial = take(n, ndl_rows_partials(most) * d);
	n->attn_scratch = take(n, (size_t)ndl_exec_threads(n->ex) * ndl_batch_attention_scratch(max_len, max_len));
	n->d_enc = take(n, n->ne * d);
	n->d_dec = take(n, n->nd * d);
	n->loss_scratch = take(n, o ? ndl_token_loss_scratch(n->nd, (size_t)c->vocab_size, o) : 0);
	n->head_scratch = take(n, ndl_clip_loss_scratch(n->n_pairs, d, (size_t)c->contrastive_dim));
}

static ndl_status grow_arena(ndl_network *n, const ndl_loss_options *o, bool keep, ndl_error *err)
{
	float *old = n->arena;
	n->arena = NULL; /* take() then only counts */
	lay_out(n, o, keep);
	n->arena = old;
	if (n->arena_used > n->arena_cap) {
		size_t want = n->arena_used + n->arena_used / 8;
		free(n->arena);
		n->arena_cap = 0;
		n->arena = ndl_alloc_huge(want, sizeof *n->arena);
		if (!n->arena)
			return ndl_fail(err, NDL_ENOMEM, "out of memory: activations of %zu encoder and %zu decoder tokens need %zu MB",
			                n->ne, n->nd, want / 262144);
		n->arena_cap = want;
	}
	lay_out(n, o, keep);
	return NDL_OK;
}

/* The batch --------------------------------------------------------------------------- */

static ndl_status check_ids(const int32_t *ids, size_t n, int vocab, ndl_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] < 0 || ids[i] >= vocab)
			return ndl_fail(err, NDL_EINVAL, "token id %d is not in the vocabulary of %d", (int)ids[i], vocab);
	return NDL_OK;
}

static ndl_status check_batch(const ndl_network *n, const ndl_batch *b, ndl_error *err)
{
	int vocab = n->ps->config.vocab_size;
	for (size_t s = 0; s < b->n; s++)
		if (b->enc_off[s + 1] <= b->enc_off[s] || b->dec_off[s + 1] <= b->dec_off[s])
			return ndl_fail(err, NDL_EINVAL, "empty sequence in a training batch");
	ndl_status status = check_ids(b->enc, b->enc_off[b->n], vocab, err);
	if (status == NDL_OK)
		status = check_ids(b->dec_in, b->dec_off[b->n], vocab, err);
	if (status == NDL_OK)
		status = check_ids(b->dec_out, b->dec_off[b->n], vocab, err);
	if (status == NDL_OK && b->n_pairs)
		status = check_ids(b->query, b->query_off[b->n_pairs], vocab, err);
	if (status == NDL_OK && b->n_pairs)
		status = check_ids(b->tool, b->tool_off[b->n_pairs], vocab, err);
	return status;
}

/* Appends sequences to the joint encoder input. */
static void append(ndl_network *n, const int32_t *ids, const size_t *off, size_t count)
{
	for (size_t s = 0; s < count; s++) {
		size_t len = off[s + 1] - off[s];
		memcpy(n->tokens + n->ne, ids + off[s], len * sizeof *ids);
		n->ne += len;
		n->off[++n->n_enc_seq] = n->ne;
	}
}

static void number_positions(int *position, const size_t *off, size_t n)
{
	for (size_t s = 0; s < n; s++)
		for (size_t i = off[s]; i < off[s + 1]; i++)
			position[i] = (int)(i - off[s]);
}

static ndl_status grow_rope(ndl_network *n, size_t len, ndl_error *err)
{
	size_t half = dim_hd(n) / 2;
	if (len <= n->rope_len)
		return NDL_OK;
	free(n->rope_table);
	n->rope_len = 0;
	n->rope_table = ndl_alloc64(3 * len * half, sizeof(float));
	if (!n->rope_table)
		return ndl_fail_nomem(err, "RoPE table");
	ndl_rows_rope_table(n->rope_table, len, dim_hd(n), n->ps->config.rope_theta);
	n->rope_len = len;
	return NDL_OK;
}

/* Queries and tools of the contrastive pairs run through the encoder with the prompts, as
 * sequences of their own: one pass, and their gradients simply add up. */
static ndl_status take_batch(ndl_network *n, const ndl_batch *b, ndl_error *err)
{
	n->n_pairs = n->ps->config.contrastive_dim ? b->n_pairs : 0;
	size_t total = b->enc_off[b->n], sequences = b->n + 2 * n->n_pairs, nd = b->dec_off[b->n];
	if (n->n_pairs)
		total += b->query_off[n->n_pairs] + b->tool_off[n->n_pairs];
	if (ndl_grow(&n->tokens, &n->tokens_cap, total, sizeof *n->tokens) < 0 ||
	    ndl_grow(&n->off, &n->off_cap, sequences + 1, sizeof *n->off) < 0 ||
	    ndl_grow(&n->position, &n->position_cap, total + nd, sizeof *n->position) < 0)
		return ndl_fail_nomem(err, "batch");
	n->ne = n->n_enc_seq = 0;
	n->off[0] = 0;
	append(n, b->enc, b->enc_off, b->n);
	n->ne_main = n->ne;
	if (n->n_pairs) {
		append(n, b->query, b->query_off, n->n_pairs);
		append(n, b->tool, b->tool_off, n->n_pairs);
	}
	n->n_seq = b->n;
	n->nd = nd;
	number_positions(n->position, n->off, n->n_enc_seq);
	number_positions(n->position + n->ne, b->dec_off, b->n);
	size_t max_len = larger(ndl_longest_sequence(n->off, n->n_enc_seq), ndl_longest_sequence(b->dec_off, b->n));
	ndl_status status = grow_rope(n, max_len, err);
	const float *cosine = n->rope_table, *sine = cosine + n->rope_len * (dim_hd(n) / 2);
	const float *minus = sine + n->rope_len * (dim_hd(n) / 2);
	n->enc = (side){n->ne, n->off, {cosine, sine, minus, n->position}};
	n->dec = (side){n->nd, b->dec_off, {cosine, sine, minus, n->position + n->ne}};
	return status;
}

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

static void encoder_forward(ndl_network *n, const float *w)
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
static void encoder_backward(ndl_network *n, const float *w, float *grad)
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

static void decoder_forward(ndl_network *n, const float *w, const int32_t *ids)
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
static void decoder_backward(ndl_network *n, const float *w, float *grad, const int32_t *ids)
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

/* The contrastive head ----------------------------------------------------------------- */

/* pooled[p] = mean of the encoder output over sequence n_seq + p. */
static void pool(ndl_network *n)
{
	size_t d = dim_d(n);
	for (size_t p = 0; p < 2 * n->n_pairs; p++) {
		size_t begin = n->off[n->n_seq + p], end = n->off[n->n_seq + p + 1];
		float *to = n->pooled + p * d;
		memset(to, 0, d * sizeof *to);
		for (size_t i = begin; i < end; i++)
			for (size_t j = 0; j < d; j++)
				to[j] += n->enc_out[i * d + j];
		for (size_t j = 0; end > begin && j < d; j++)
			to[j] /= (float)(end - begin);
	}
}

static void pool_backward(ndl_network *n, const float *d_pooled)
{
	size_t d = dim_d(n);
	for (size_t p = 0; p < 2 * n->n_pairs; p++) {
		size_t begin = n->off[n->n_seq + p], end = n->off[n->n_seq + p + 1];
		float share = end > begin ? 1.0f / (float)(end - begin) : 0.0f;
		for (size_t i = begin; i < end; i++)
			for (size_t j = 0; j < d; j++)
				n->d_enc[i * d + j] += d_pooled[p * d + j] * share;
	}
}

static void contrastive(ndl_network *n, ndl_loss *loss, const float *w, float *grad, const ndl_loss_options *o)
{
	ndl_clip_head head = {
		.d = dim_d(n), .hidden = dim_d(n) / 4, .out = (size_t)n->ps->config.contrastive_dim,
		.w_hidden = ndl_params_get(n->ps, w, NDL_P_CL_HIDDEN, 0),
		.bias = ndl_params_get(n->ps, w, NDL_P_CL_BIAS, 0),
		.w_proj = ndl_params_get(n->ps, w, NDL_P_CL_PROJ, 0),
		.log_temp = *ndl_params_get(n->ps, w, NDL_P_LOG_TEMP, 0),
	};
	if (grad) {
		head.g_hidden = ndl_params_at(n->ps, grad, NDL_P_CL_HIDDEN, 0);
		head.g_bias = ndl_params_at(n->ps, grad, NDL_P_CL_BIAS, 0);
		head.g_proj = ndl_params_at(n->ps, grad, NDL_P_CL_PROJ, 0);
		head.g_log_temp = ndl_params_at(n->ps, grad, NDL_P_LOG_TEMP, 0);
	}
	pool(n);
	float *d_pooled = ndl_clip_loss(n->ex, &head, &loss->contrastive, n->hidden, n->embed, n->pooled, n->n_pairs,
	                                o->contrastive_weight, n->head_scratch);
	if (grad)
		pool_backward(n, d_pooled);
}

void ndl_loss_add(ndl_loss *sum, const ndl_loss *part, double share)
{
	sum->total += part->total * share;
	sum->ce += part->ce * share;
	sum->kl += part->kl * share;
	sum->z += part->z * share;
	sum->contrastive += part->contrastive * share;
	sum->tokens += part->tokens;
	sum->correct += part->correct;
}

/* All together -------------------------------------------------------------------------- */

/* Both towers over a batch. keep: for a backward pass. */
static ndl_status forward(ndl_network *n, const float *params, const ndl_batch *batch, const ndl_loss_options *o, bool keep,
                          ndl_error *err)
{
	ndl_status status = check_batch(n, batch, err);
	if (status == NDL_OK)
		status = take_batch(n, batch, err);
	if (status == NDL_OK)
		status = grow_arena(n, o, keep, err);
	if (status != NDL_OK)
		return status;
	encoder_forward(n, params);
	decoder_forward(n, params, batch->dec_in);
	return NDL_OK;
}

const float *ndl_network_states(ndl_network *n, const float *params, const ndl_batch *batch, ndl_error *err)
{
	ndl_batch alone = *batch;
	alone.n_pairs = 0;
	return forward(n, params, &alone, NULL, false, err) == NDL_OK ? n->dec_out : NULL;
}

/* The loss of SPEC section 8, or a teacher's in place of a part of it. */
static double total_of(const ndl_loss *l, const ndl_loss_options *o)
{
	double w = o->taught ? (double)o->teacher_weight : 0, t = (double)o->teacher_temperature;
	return (1 - w) * l->ce + w * t * t * l->kl + (double)o->z_weight * l->z +
	       (double)o->contrastive_weight * l->contrastive;
}

ndl_status ndl_network_loss(ndl_network *n, ndl_loss *loss, float *grad, const float *params,
                            const ndl_batch *batch, const ndl_loss_options *o, ndl_error *err)
{
	*loss = (ndl_loss){0};
	ndl_status status = forward(n, params, batch, o, grad != NULL, err);
	if (status != NDL_OK)
		return status;
	memset(n->d_enc, 0, n->ne * dim_d(n) * sizeof *n->d_enc);

	ndl_token_loss tl = {
		.rows = n->nd, .d = dim_d(n), .vocab = (size_t)n->ps->config.vocab_size,
		.hidden = n->dec_out, .embedding = ndl_params_get(n->ps, params, NDL_P_EMBEDDING, 0),
		.target = batch->dec_out, .cls = batch->cls,
		.d_hidden = grad ? n->d_dec : NULL,
		.g_embedding = grad ? ndl_params_at(n->ps, grad, NDL_P_EMBEDDING, 0) : NULL,
	};
	ndl_token_loss_run(n->ex, &tl, loss, o, n->loss_scratch);
	if (n->n_pairs)
		contrastive(n, loss, params, grad, o);
	loss->total = total_of(loss, o);
	if (grad) {
		decoder_backward(n, params, grad, batch->dec_in);
		encoder_backward(n, params, grad);
	}
	return NDL_OK;
}
