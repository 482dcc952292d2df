/* gptq.h - rounding that makes up for itself (Frantar et al., "GPTQ", 2022): the inputs of an output are
 * rounded one after another, and the error of each is taken off those that come after it, as far as
 * calibration says that they vary together. The result is codes and scales as of any other method. */
#ifndef NDL_QUANT_GPTQ_H
#define NDL_QUANT_GPTQ_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ndl_gptq ndl_gptq; /* opaque, owned; read-only: shared between threads */

/* moments[in][in] = H, the sum of x x^T over inputs x. damping is added to the diagonal, in parts of its mean:
 * with more of it weights stay nearer to what they were. */
ndl_gptq *ndl_gptq_new(const float *moments, size_t in, double damping, ndl_error *err);
void ndl_gptq_free(ndl_gptq *g);
/* One row of inputs w[in], which is changed on the way, to codes[in] and F16 scales[in / group]; bits 4 or 8.
 * Minimises, step by step, (w - w')^T H (w - w'). Scales are chosen as NDL_QUANT_MSE does, weighted by what an
 * error costs. */
void ndl_gptq_row(const ndl_gptq *g, int8_t *codes, uint16_t *scales, float *w, size_t group, int bits);

#endif
