/* head_loss.h - the two losses on top of the towers: weighted cross-entropy over the vocabulary
 * and the symmetric contrastive (CLIP) loss (SPEC sections 2 and 8). */
#ifndef NDL_TRAIN_HEAD_LOSS_H
#define NDL_TRAIN_HEAD_LOSS_H

#include "tensor/exec.h"
#include "train/network.h"

/* Cross-entropy of hidden[rows, d] E^T against target, weighted by class, plus z-loss, and the
 * divergence from a teacher where the options have one. Logits are never held whole: a block of rows
 * at a time, each block's gradient taken at once. */
typedef struct ndl_token_loss {
	size_t rows, d, vocab;
	const float *hidden, *embedding; /* [rows, d], [vocab, d] */
	const int32_t *target;
	const uint8_t *cls;
	float *d_hidden;                 /* [rows, d], overwritten; NULL: loss alone */
	float *g_embedding;              /* [vocab, d], added to */
} ndl_token_loss;

size_t ndl_token_loss_scratch(size_t rows, size_t vocab, const ndl_loss_options *o);
/* Fills ce, kl, z, tokens and correct of *loss. */
void ndl_token_loss_run(ndl_exec *x, const ndl_token_loss *t, ndl_loss *loss, const ndl_loss_options *o,
                        float *scratch);

typedef struct ndl_clip_head {
	size_t d, hidden, out;
	const float *w_hidden, *bias, *w_proj; /* [d, hidden], [hidden], [hidden, out] */
	float log_temp;
	float *g_hidden, *g_bias, *g_proj, *g_log_temp; /* added to; all NULL: loss alone */
} ndl_clip_head;

size_t ndl_clip_loss_scratch(size_t pairs, size_t d, size_t out);
/* pooled[2 * pairs, d]: queries then tools. Writes hidden[2P, hidden], embed[2P, out] (unit
 * length) and *loss (unweighted); gradients are of weight * loss. Returns d_pooled[2P, d] inside
 * scratch, or NULL if no gradients were asked for. */
float *ndl_clip_loss(ndl_exec *x, const ndl_clip_head *h, double *loss, float *hidden, float *embed,
                     const float *pooled, size_t pairs, float weight, float *scratch);

#endif
