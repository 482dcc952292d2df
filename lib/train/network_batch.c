/* network_batch.c - memory of the network for training, and the batch that it is laid out for. */
#include "train/network_internal.h"

#include "base/mem.h"
#include "train/head_loss.h"

#include <stdlib.h>
#include <string.h>

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

ndl_status ndl_network_take_batch(ndl_network *n, const ndl_batch *batch, const ndl_loss_options *o, bool keep, ndl_error *err)
{
	ndl_status status = check_batch(n, batch, err);
	if (status == NDL_OK)
		status = take_batch(n, batch, err);
	if (status == NDL_OK)
		status = grow_arena(n, o, keep, err);
	return status;
}
