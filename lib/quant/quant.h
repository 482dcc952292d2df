/* quant.h - symmetric quantisation in groups along the input axis: INT4 codes in [-8, 7] with
 * scale max|w| / 7, INT8 codes in [-127, 127] with scale max|w| / 127; value = code * scale. */
#ifndef NDL_QUANT_QUANT_H
#define NDL_QUANT_QUANT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* How a group's scale is found: RTN from its largest magnitude (as the reference trains); MSE the
 * scale with the least squared error among candidates that clip up to half of the range. GPTQ, of whole
 * kernels only (gptq.h, convert.h), rounds each weight so as to make up for the errors before it. */
typedef enum ndl_quant_method { NDL_QUANT_RTN, NDL_QUANT_MSE, NDL_QUANT_GPTQ } ndl_quant_method;

enum { NDL_QUANT_GROUP_MAX = 128 };

/* w: in-major kernel [in, out]. out: the same values rounded to INT4 and back, groups of `group`
 * inputs (the last may be shorter), float32 scales, round half to even: training's fake
 * quantisation (SPEC 8). out may be w. Sizes may be 0; group > 0. */
void ndl_fake_quant(float *out, const float *w, size_t in, size_t n_out, size_t group);

/* The group of a file in which `in` inputs of an output are kept where `group` (32, 64 or 128) is asked for: halved
 * until it divides them; 0 if 32 does not, and they stay floats. */
size_t ndl_quant_group(size_t in, size_t group);

/* One row of inputs w[in] to codes[in] and scales[ceil(in/group)] (float32, unrounded). bits 4 or 8. w must be
 * finite. */
void ndl_quant_row(int8_t *codes, float *scales, const float *w, size_t in, size_t group, int bits,
                   ndl_quant_method method);
/* The same with scales rounded to F16, codes computed against the rounded scale: what files hold. */
void ndl_quant_row_f16(int8_t *codes, uint16_t *scales, const float *w, size_t in, size_t group,
                       int bits, ndl_quant_method method);
/* The F16 scale of one group of n <= NDL_QUANT_GROUP_MAX weights with the least sum of importance[i] * error^2, found
 * as by MSE; and the code of a weight for a scale (0 if the scale is 0). */
uint16_t ndl_quant_scale_f16(const float *w, const float *importance, size_t n, int bits);
int8_t ndl_quant_code(float w, float scale, int bits);
/* packed[in/2]: two codes a byte, even input in the low nibble. in must be even. */
void ndl_quant_pack4(uint8_t *packed, const int8_t *codes, size_t in);

#endif
