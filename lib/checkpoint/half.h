/* half.h - rows of 16-bit floats to and from float32; the scalars are in kernels/kernels.h. */
#ifndef NDL_CHECKPOINT_HALF_H
#define NDL_CHECKPOINT_HALF_H

#include "kernels/kernels.h"

#include <stddef.h>
#include <stdint.h>

/* out[i] = in[i], n values; rounding to nearest, ties to even. The arrays must not overlap. */
void ndl_f16_to_f32_n(float *out, const uint16_t *in, size_t n);
void ndl_f16_from_f32_n(uint16_t *out, const float *in, size_t n);
void ndl_bf16_to_f32_n(float *out, const uint16_t *in, size_t n);
void ndl_bf16_from_f32_n(uint16_t *out, const float *in, size_t n);

#endif
