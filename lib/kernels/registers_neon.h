/* registers_neon.h - the register of 4 floats that gemm_body.inc, vector_body.inc and weight_body.inc work on. */
#ifndef NDL_KERNELS_REGISTERS_NEON_H
#define NDL_KERNELS_REGISTERS_NEON_H

#include "kernels/kernels_internal.h"

#include <arm_neon.h>

/* n may be more than 4. */
static inline float32x4_t load_some(const float *p, size_t n)
{
	float part[4] = {0};
	memcpy(part, p, (n < 4 ? n : 4) * sizeof *p);
	return vld1q_f32(part);
}

static inline void store_some(float *p, float32x4_t v, size_t n)
{
	float part[4];
	vst1q_f32(part, v);
	memcpy(p, part, (n < 4 ? n : 4) * sizeof *p);
}

#define V float32x4_t
#define W ((size_t)4)
#define SET1(x) vdupq_n_f32(x)
#define LOAD(p) vld1q_f32(p)
#define STORE(p, v) vst1q_f32(p, v)
#define LOADN(p, n) load_some(p, n)
#define STOREN(p, v, n) store_some(p, v, n)
#define ADD(a, b) vaddq_f32(a, b)
#define MUL(a, b) vmulq_f32(a, b)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define HSUM(v) vaddvq_f32(v)

#endif
