/* registers_avx2.h - the register of 8 floats that gemm_body.inc, vector_body.inc and weight_body.inc work on. */
#ifndef NDL_KERNELS_REGISTERS_AVX2_H
#define NDL_KERNELS_REGISTERS_AVX2_H

#include "kernels/kernels_internal.h"

#include <immintrin.h>

/* The lowest n lanes. */
static inline __m256i lanes8(size_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline float hsum(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#define V __m256
#define W ((size_t)8)
#define SET1(x) _mm256_set1_ps(x)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define LOADN(p, n) _mm256_maskload_ps(p, lanes8(n))
#define STOREN(p, v, n) _mm256_maskstore_ps(p, lanes8(n), v)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define HSUM(v) hsum(v)

#endif
