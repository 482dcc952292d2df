/* int_dotprod.c - integer products with sdot (armv8.2-a, optional there). */
#include "kernels/kernels_internal.h"

#if !defined(__ARM_FEATURE_DOTPROD)
#error "compile with -march=armv8.2-a+dotprod"
#endif
#include <arm_neon.h>

#define DOT(acc, w, x) ((vi)vdotq_s32((int32x4_t)(acc), (int8x16_t)(w), (int8x16_t)(x)))
#include "kernels/int_neon.inc"

void ndl_integer_fill_dotprod(ndl_kernels *k)
{
	fill_integer(k, "neon-dotprod");
}
