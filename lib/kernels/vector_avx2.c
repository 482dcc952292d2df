/* vector_avx2.c - vector_body.inc on 8 floats; tails by vmaskmov. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile with -mavx2 -mfma -mf16c"
#endif
#include <math.h>
#include "kernels/registers_avx2.h"

static inline float hmax(__m256 v)
{
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

/* v 2^n by adding n to the exponents of v, which lie near 0. */
static inline __m256 exp2i(__m256 v, __m256 n)
{
	__m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
	__m256 nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
	return _mm256_or_ps(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), shift)), nan);
}

#define KEEPN(v, n, f) _mm256_blendv_ps(f, v, _mm256_castsi256_ps(lanes8(n)))
#define SUB(a, b) _mm256_sub_ps(a, b)
#define DIV(a, b) _mm256_div_ps(a, b)
#define SQRT(a) _mm256_sqrt_ps(a)
#define MAX(a, b) _mm256_max_ps(a, b)
#define FNMA(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define ROUND(v) _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define EXP2I(v, n) exp2i(v, n)
#define ZERO_BELOW(v, x, lim) _mm256_and_ps(v, _mm256_cmp_ps(x, lim, _CMP_NLT_UQ))
#define HMAX(v) hmax(v)
#include "kernels/vector_body.inc"

static void narrow_f16(uint16_t *out, const float *x, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
	for (; i < n; i++)
		out[i] = _cvtss_sh(x[i], _MM_FROUND_TO_NEAREST_INT);
}

void ndl_vectors_fill_avx2(ndl_kernels *k)
{
	fill_vectors(k);
	k->narrow_f16 = narrow_f16;
}
