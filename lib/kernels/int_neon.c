/* int_neon.c - integer products on any armv8-a: 8-bit products widened and added in pairs. */
#include "kernels/kernels_internal.h"

#include <arm_neon.h>

/* A pair of products is at most 2 * 128 * 127, so that 16 bits hold it. */
static inline int32x4_t dot(int32x4_t acc, int8x16_t w, int8x16_t x)
{
	int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x)), high = vmull_high_s8(w, x);
	return vpadalq_s16(acc, vpaddq_s16(low, high));
}

#define DOT(acc, w, x) ((vi)dot((int32x4_t)(acc), (int8x16_t)(w), (int8x16_t)(x)))
#include "kernels/int_neon.inc"

void ndl_integer_fill_neon(ndl_kernels *k)
{
	fill_integer(k, "neon");
}
