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
	/* Share of the cross-entropy that gives way to the divergence from a teacher, 0..1, and the
	 * temperature of that, > 0. They apply where there is a teacher: `taught` here, or that of ndl_lanes. */
	float teacher_weight, teacher_temperature;
	const struct ndl_taught *taught; /* NULL: none */
} ndl_loss_options;

#define NDL_LOSS_DEFAULTS {{1.0f, 2.0f, 4.0f, 1.5f}, 1e-4f, 0.1f, 0, 0, 0, 0, 1, NULL}

/* What a teacher makes of a batch: its logits are states E^T. */
typedef struct ndl_taught {
	const float *states;    /* [decoder tokens, d] after the final norm */
	const float *embedding; /* [vocab, d]; the vocabulary is the learner's, d need not be */
	size_t d;
} ndl_taught;

/* What a batch gave. Target tokens of class NDL_CLASS_IGNORED count in z alone. */
typedef struct ndl_loss {
	double total;       /* (1 - w) ce + w T^2 kl + z_weight * z + contrastive_weight * contrastive, with w and T
	                       of the teacher, w = 0 without (Hinton et al., "Distilling the Knowledge in a
	                       Neural Network", 2015) */
	double ce;          /* weighted cross-entropy, sum divided by the number of target tokens */
	double kl;          /* of softmax(logits / T) from the teacher's, weighted and divided alike; 0 without */
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

/* Forward alone, without the pairs: the decoder's states [decoder tokens, d] after the final norm,
 * borrowed until the next call. NULL with err. */
const float *ndl_network_states(ndl_network *n, const float *params, const ndl_batch *batch, ndl_error *err);

/* For tests: the encoder's output [encoder tokens, d] in the last ndl_network_loss, borrowed until the next. */
const float *ndl_network_encoder_out(const ndl_network *n);

#endif
