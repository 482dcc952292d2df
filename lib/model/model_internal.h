/* model_internal.h - weights as the encoder and decoder see them, and the pieces they share. */
#ifndef NDL_MODEL_INTERNAL_H
#define NDL_MODEL_INTERNAL_H

#include "model/model.h"
#include "tensor/integer.h"

/* Heads: q row has heads * hd values, k and v rows kv_heads * hd. */
typedef struct ndl_heads {
	size_t heads, kv_heads, hd;
} ndl_heads;

typedef struct ndl_attn_weights {
	ndl_weight q, k, v, out;
	const float *q_norm, *k_norm; /* [hd], zero-centred */
} ndl_attn_weights;

typedef struct ndl_enc_layer {
	const float *norm; /* [d] */
	float gate;        /* sigmoid applied */
	ndl_attn_weights self;
} ndl_enc_layer;

typedef struct ndl_dec_layer {
	const float *self_norm, *cross_norm;
	float self_gate, cross_gate;
	ndl_attn_weights self, cross;
} ndl_dec_layer;

struct ndl_model {
	const ndl_ckpt *ckpt;
	ndl_ckpt *owned; /* ckpt, if it was opened here */
	ndl_config config;
	ndl_heads heads;
	ndl_weight embedding; /* out-major [V][d] */
	ndl_enc_layer *enc;
	ndl_dec_layer *dec;
	const float *enc_norm, *dec_norm;
	ndl_weight hidden, proj;  /* contrastive head; hidden.in is 0 if there is none */
	const float *hidden_bias;
	float *vectors;           /* arena of all norm scales and biases */
	float *rope;              /* [max length][hd]: cos of hd/2 frequencies, then sin */
};

/* x[n,d] = E[ids] * sqrt(d); the ids have been checked. */
void ndl_embed_tokens(const ndl_model *m, const ndl_exec *ex, float *x, const int32_t *ids, size_t n);
ndl_status ndl_check_ids(const ndl_model *m, const int32_t *ids, size_t n, ndl_error *err);

/* y[rows,n] = (1 + scale) * x / rms(x), row by row; y may be x. x rows are `n` apart. */
void ndl_zcnorm(const ndl_exec *ex, float *y, const float *x, size_t rows, size_t n, const float *scale);
/* What a head of queries or keys goes through: a norm, then (rope != NULL) rotation by the position. */
typedef struct ndl_head_norm {
	const float *scale; /* [hd] */
	const float *rope;  /* at the row of the first position */
} ndl_head_norm;

/* In place: of every head of x[rows][heads*hd]; of `heads` heads side by side of row t. */
void ndl_norm_heads(const ndl_exec *ex, float *x, size_t rows, size_t heads, size_t hd, ndl_head_norm norm);
void ndl_norm_heads_of(const ndl_kernels *k, float *x, size_t t, size_t heads, size_t hd, ndl_head_norm norm);
/* x += gate * y over [rows, n]. */
void ndl_residual(const ndl_exec *ex, float *x, const float *y, size_t rows, size_t n, float gate);

/* out[nq][heads*hd] = softmax(q k^T / sqrt(hd)) v head by head. k, v: [nk][kv_heads*hd]. causal:
 * query i sees keys 0 .. nk-nq+i. scratch: ndl_attention_scratch floats. */
void ndl_attention(ndl_exec *ex, float *out, const float *q, size_t nq, const float *k, const float *v, size_t nk,
                   ndl_heads h, bool causal, float *scratch);
/* Floats of scratch for at most nq queries and nk keys; 0 on overflow. */
size_t ndl_attention_scratch(const ndl_exec *ex, size_t nq, size_t nk);

/* The same with all operands rounded to INT8, not causal, of queries and keys that are normalised on the way, in
 * place. kv: keys and values packed once for any number of queries, in ndl_int_kv_bytes (of the largest nk)
 * bytes. Whether this is how a network with such weights runs: */
bool ndl_int_attention_fits(const ndl_exec *ex, const ndl_weight *w, ndl_heads h);
size_t ndl_int_kv_bytes(const ndl_exec *ex, ndl_heads h, size_t nk);
void ndl_int_kv_pack(ndl_exec *ex, void *kv, float *k, const float *v, size_t nk, ndl_heads h, ndl_head_norm norm);
void ndl_int_attention(ndl_exec *ex, float *out, float *q, size_t nq, const void *kv, size_t nk, ndl_heads h,
                       ndl_head_norm norm, void *scratch);
size_t ndl_int_attention_scratch(const ndl_exec *ex, ndl_heads h, size_t nq, size_t nk); /* bytes; 0 on overflow */

#endif
