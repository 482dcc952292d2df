/* network.h - the network for training: loss and gradients of a batch (SPEC sections 2 and 8). */
#ifndef NDL_TRAIN_NETWORK_H
#define NDL_TRAIN_NETWORK_H

#include "data/batch.h"
#include "tensor/exec.h"
#include "train/params.h"

typedef struct ndl_loss_options {
	float class_weight[NDL_CLASS_COUNT]; /* SPEC section 8: 1, 2, 4, 1.5 (structure, name, value, key) */
	float z_weight;                      /* 1e-4 */
	float contrastive_weight;            /* 0.1; applies where the batch has pairs */
	size_t loss_rows; /* rows of logits held at once; 0: a default that fits the cache */
	/* Where the batch is part of a larger one, that one's decoder tokens and target tokens: losses and
	 * gradients of the parts then add up to those of the whole. 0: the batch is the whole. */
	size_t of_rows, of_tokens;
} ndl_loss_options;

#define NDL_LOSS_DEFAULTS {{1.0f, 2.0f, 4.0f, 1.5f}, 1e-4f, 0.1f, 0, 0, 0}

/* What a batch gave. Target tokens of class NDL_CLASS_IGNORED count in z alone. */
typedef struct ndl_loss {
	double total;       /* ce + z_weight * z + contrastive_weight * contrastive */
	double ce;          /* weighted cross-entropy, sum divided by the number of target tokens */
	double z;           /* mean of logsumexp^2 */
	double contrastive; /* symmetric CLIP loss, 0 without pairs */
	size_t tokens;      /* target tokens */
	size_t correct;     /* of these, predicted right by argmax */
} ndl_loss;

/* sum += share * part; tokens and correct are counted, whatever the share. */
void ndl_loss_add(ndl_loss *sum, const ndl_loss *part, double share);

typedef struct ndl_network ndl_network; /* opaque, owned: activations of one batch at a time */

/* ps and x are borrowed for its life. */
ndl_network *ndl_network_new(const ndl_params *ps, ndl_exec *x, ndl_error *err);
void ndl_network_free(ndl_network *n);

/* Forward, loss and backward: grad[ps->total] += d loss / d params. grad NULL: loss alone.
 * Token ids must be in [0, vocab); every decoder sequence non-empty with a non-empty encoder
 * sequence; n may be 0 where there are pairs. Deterministic for any number of threads. */
ndl_status ndl_network_loss(ndl_network *n, ndl_loss *loss, float *grad, const float *params,
                            const ndl_batch *batch, const ndl_loss_options *o, ndl_error *err);

/* For tests: the activations of the last ndl_network_loss, borrowed until the next. */
const float *ndl_network_encoder_out(const ndl_network *n);     /* [encoder tokens, d] */
const float *ndl_network_decoder_hidden(const ndl_network *n);  /* [decoder tokens, d] */
const float *ndl_network_embeddings(const ndl_network *n);      /* [2 * pairs, contrastive_dim]: queries, tools */

#endif
