/* network_internal.h - the inside of ndl_network, for network.c, network_batch.c (its memory and its batch) and
 * network_towers.c (forward and backward through the layers). */
#ifndef NDL_TRAIN_NETWORK_INTERNAL_H
#define NDL_TRAIN_NETWORK_INTERNAL_H

#include "train/attention.h"
#include "train/network.h"
#include "train/rows.h"

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
static inline size_t dim_d(const ndl_network *n) { return (size_t)n->ps->config.d_model; }
static inline size_t dim_heads(const ndl_network *n) { return (size_t)n->ps->config.num_heads; }
static inline size_t dim_kv_heads(const ndl_network *n) { return (size_t)n->ps->config.num_kv_heads; }
static inline size_t dim_hd(const ndl_network *n) { return dim_d(n) / dim_heads(n); }
static inline size_t dim_kv(const ndl_network *n) { return dim_hd(n) * dim_kv_heads(n); }

/* Checks a batch and makes room for it: its tokens and their places, and the arena for what the passes keep. keep: for a
 * backward pass; o NULL: no loss follows. */
ndl_status ndl_network_take_batch(ndl_network *n, const ndl_batch *batch, const ndl_loss_options *o, bool keep, ndl_error *err);

/* Fill enc_out, then dec_out; ids: the decoder's tokens. */
void ndl_network_encode(ndl_network *n, const float *w);
void ndl_network_decode(ndl_network *n, const float *w, const int32_t *ids);
/* The way back, in the other order. d_dec holds d loss / d dec_out; the decoder adds to d_enc, which then holds
 * d loss / d enc_out. Both add to grad. */
void ndl_network_decode_backward(ndl_network *n, const float *w, float *grad, const int32_t *ids);
void ndl_network_encode_backward(ndl_network *n, const float *w, float *grad);

#endif
