/* attention.h - attention over sequences laid end to end, forward and backward (SPEC section 2).
 *
 * Heads lie side by side in a row: q and o are [tokens, heads * hd], k and v [tokens, kv_heads * hd];
 * kv head g serves q heads g*heads/kv_heads .. (g+1)*heads/kv_heads - 1. Sequence s has queries
 * q_off[s]..q_off[s+1] and keys k_off[s]..k_off[s+1]; nothing crosses sequences. */
#ifndef NDL_TRAIN_ATTENTION_H
#define NDL_TRAIN_ATTENTION_H

#include "tensor/exec.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ndl_batch_attention {
	size_t n;                      /* sequences */
	const size_t *q_off, *k_off;   /* n + 1 each */
	size_t heads, kv_heads, hd;
	bool causal;                   /* query i sees keys 0..i of its sequence */
	float *scratch;                /* ndl_batch_attention_scratch() floats for each thread of the exec */
} ndl_batch_attention;

/* The longest of n sequences that begin at off[0..n]. */
size_t ndl_longest_sequence(const size_t *off, size_t n);
/* Scratch floats a thread needs for sequences of at most max_q queries and max_k keys. */
size_t ndl_batch_attention_scratch(size_t max_q, size_t max_k);

/* o = softmax(q k^T) v; the 1/sqrt(hd) of the scores is already in q. The scores are not kept: they take less time to make again than
 * to store and load (Dao et al., "FlashAttention", 2022, section 3.1). */
void ndl_batch_attention_forward(ndl_exec *x, const ndl_batch_attention *a, float *o, const float *q,
                                 const float *k, const float *v);

/* Gradients of the inputs (overwritten) from d_o. */
void ndl_batch_attention_backward(ndl_exec *x, const ndl_batch_attention *a, float *dq, float *dk, float *dv,
                                  const float *d_o, const float *q, const float *k, const float *v);

#endif
