/* widen.h - a trained network grown in width, so that it computes at first what it did. */
#ifndef NDL_TRAIN_WIDEN_H
#define NDL_TRAIN_WIDEN_H

#include "train/params.h"

/* As ndl_params_read, but ps may be wider than the file, by a whole factor f (f times d_model, the same heads,
 * each f times as wide); NDL_EINVAL if it is anything else.
 *
 * What is new reads but does not write: the new features of the embedding, of all that an out_proj adds to the
 * residual stream, and of the contrastive head's output are zero, what would read them is random, so that the first
 * step changes the one by gradients through the other. Elements of a head move to every f-th place, where
 * RoPE has their frequencies; those between are random, but small beside them in queries and keys (a norm
 * ties them together). So the logits change by a few thousandths at first. */
ndl_status ndl_params_read_wide(const ndl_params *ps, float *flat, const ndl_ckpt *ckpt, uint64_t seed, ndl_error *err);

#endif
