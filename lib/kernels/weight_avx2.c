/* weight_avx2.c - weight_body.inc on 8 floats. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile with -mavx2 -mfma -mf16c"
#endif
#include <immintrin.h>
#include <string.h>

static inline __m256 load_bf16(const void *p)
{
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16));
}

static inline __m256 load_i8(const void *p)
{
	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p)));
}

/* 4 bytes: every lane shifts its nibble to the top and back down with its sign. */
static inline __m256 load_i4(const void *p)
{
	const __m256i shift = _mm256_setr_epi32(28, 24, 20, 16, 12, 8, 4, 0);
	int word;
	memcpy(&word, p, 4);
	__m256i v = _mm256_sllv_epi32(_mm256_set1_epi32(word), shift);
	return _mm256_cvtepi32_ps(_mm256_srai_epi32(v, 28));
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
#define ADD(a, b) _mm256_add_ps(a, b)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define HSUM(v) hsum(v)
#define F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const void *)(p)))
#define BF16(p) load_bf16(p)
#define I8(p) load_i8(p)
#define I4(p) load_i4(p)
#define HALF(h) _cvtsh_ss(h)
#include "kernels/weight_body.inc"

void ndl_weights_fill_avx2(ndl_kernels *k)
{
	fill_weights(k);
}
