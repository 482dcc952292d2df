/* lanes.h - loss and gradients of a batch cut into pieces that run side by side.
 *
 * A piece is some consecutive examples, run by one thread from the embedding to the gradients:
 * threads meet once a batch, not in every product, and a piece's activations stay in the cache.
 * How a batch is cut and in which order gradients are added depends on the batch alone, never on
 * the number of threads. */
#ifndef NDL_TRAIN_LANES_H
#define NDL_TRAIN_LANES_H

#include "train/network.h"

typedef struct ndl_lanes ndl_lanes; /* opaque, owned: NDL_LANES networks (and teachers), gradients of all but the first */

/* Sums of gradients that run side by side; more threads than that share the work inside a lane. */
enum { NDL_LANES = 4 };

/* ps and x are borrowed for its life. */
ndl_lanes *ndl_lanes_new(const ndl_params *ps, ndl_exec *x, ndl_error *err);
void ndl_lanes_free(ndl_lanes *l);

/* From now on, where the options have a teacher_weight, a batch is shown to a teacher too: params of the
 * layout ps, which may be of another shape but has the vocabulary of the learner. Both are borrowed. */
ndl_status ndl_lanes_teach(ndl_lanes *l, const ndl_params *ps, const float *params, ndl_error *err);

/* As ndl_network_loss. */
ndl_status ndl_lanes_loss(ndl_lanes *l, ndl_loss *loss, float *grad, const float *params, const ndl_batch *batch,
                          const ndl_loss_options *o, ndl_error *err);

#endif
