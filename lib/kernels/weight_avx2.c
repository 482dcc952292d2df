/* weight_avx2.c - weight_body.h on 8 floats. */
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

/* 4 bytes: the nibbles are put in order as bytes, then their sign is extended by (x ^ 8) - 8. */
static inline __m256 load_i4(const void *p)
{
	int word;
	memcpy(&word, p, 4);
	__m128i b = _mm_cvtsi32_si128(word), low = _mm_set1_epi8(15), eight = _mm_set1_epi8(8);
	__m128i v = _mm_unpacklo_epi8(_mm_and_si128(b, low), _mm_and_si128(_mm_srli_epi16(b, 4), low));
	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_sub_epi8(_mm_xor_si128(v, eight), eight)));
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
#include "kernels/weight_body.h"

void ndl_weights_fill_avx2(ndl_kernels *k)
{
	fill_weights(k);
}
