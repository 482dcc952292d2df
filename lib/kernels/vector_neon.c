/* vector_neon.c - vector_body.inc on 4 floats; every armv8-a has them. */
#include <math.h>
#include "kernels/registers_neon.h"

/* v 2^n by adding n to the exponents of v, which lie near 0; a NaN's n is 0. */
static inline float32x4_t exp2i(float32x4_t v, float32x4_t n)
{
	return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(v), vshlq_n_s32(vcvtnq_s32_f32(n), 23)));
}

static inline float32x4_t keep_some(float32x4_t v, size_t n, float32x4_t f)
{
	static const uint32_t lane[4] = {0, 1, 2, 3};
	return vbslq_f32(vcltq_u32(vld1q_u32(lane), vdupq_n_u32((uint32_t)n)), v, f);
}

static inline float32x4_t zero_below(float32x4_t v, float32x4_t x, float32x4_t least)
{
	return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v), vcltq_f32(x, least)));
}

#define KEEPN(v, n, f) keep_some(v, n, f)
#define SUB(a, b) vsubq_f32(a, b)
#define DIV(a, b) vdivq_f32(a, b)
#define SQRT(a) vsqrtq_f32(a)
#define MAX(a, b) vmaxnmq_f32(a, b)
#define FNMA(a, b, c) vfmsq_f32(c, a, b)
#define ROUND(v) vrndnq_f32(v)
#define EXP2I(v, n) exp2i(v, n)
#define ZERO_BELOW(v, x, lim) zero_below(v, x, lim)
#define HMAX(v) vmaxnmvq_f32(v)
#include "kernels/vector_body.inc"

static void narrow_f16(uint16_t *out, const float *x, size_t n)
{
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(x + i))));
	for (; i < n; i++)
		out[i] = ndl_f16_from_f32(x[i]);
}

void ndl_vectors_fill_neon(ndl_kernels *k)
{
	fill_vectors(k);
	k->narrow_f16 = narrow_f16;
}
