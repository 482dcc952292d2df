/* calib.h - what goes into each kernel while a model works: the second moments of its inputs, which say how
 * much an error of a weight costs.
 *
 * Observe a model that was made from the same checkpoint:
 *
 *   ndl_calib *k = ndl_calib_new(ckpt, config, exec, err);
 *   ndl_exec_observe(exec, ndl_calib_see, k);
 *   ... run encoder, decoder, logits over examples ...
 *   ndl_exec_observe(exec, NULL, NULL); */
#ifndef NDL_QUANT_CALIB_H
#define NDL_QUANT_CALIB_H

#include "checkpoint/checkpoint.h"

typedef struct ndl_calib ndl_calib; /* opaque, owned */

/* Borrows ckpt and x. Takes inputs^2 floats for each different input of a kernel: 60 MB at d_model 512. */
ndl_calib *ndl_calib_new(const ndl_ckpt *ckpt, const ndl_config *c, ndl_exec *x, ndl_error *err);
void ndl_calib_free(ndl_calib *k);
/* An ndl_observe_fn; user is the ndl_calib. Weights that are not of its checkpoint are passed over. */
void ndl_calib_see(void *user, const ndl_weight *w, const float *x, size_t m);

/* Sum of x x^T [in][in] over the inputs x of that layer of a kernel, or of the embedding as output
 * projection; NULL if it has seen none. Borrowed. layer 0 for what is not stacked. */
const float *ndl_calib_moments(const ndl_calib *k, const char *name, size_t layer);

#endif
