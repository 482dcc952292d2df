/* weight_avx2.c - weight_body.inc on 8 floats. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile with -mavx2 -mfma -mf16c"
#endif
#include <string.h>
#include "kernels/registers_avx2.h"

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
