/* weight_avx512.c - weight_body.inc on 16 floats. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX512F__) || !defined(__AVX512DQ__)
#error "compile with -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c"
#endif
#include <immintrin.h>
#include <string.h>
#include "kernels/registers_avx512.h"

static inline __m512 load_bf16(const void *p)
{
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16));
}

static inline __m512 load_i8(const void *p)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p)));
}

/* 8 bytes: every lane gets its 4 bytes, shifts its nibble to the bottom and looks it up (the look-up
 * reads no more than 4 bits). */
static inline __m512 load_i4(const void *p)
{
	const __m512i shift = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
	const __m512 value = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
	int low, high;
	memcpy(&low, p, 4);
	memcpy(&high, (const char *)p + 4, 4);
	__m512i v = _mm512_mask_set1_epi32(_mm512_set1_epi32(low), 0xff00, high);
	return _mm512_permutexvar_ps(_mm512_srlv_epi32(v, shift), value);
}

#define F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(p)))
#define BF16(p) load_bf16(p)
#define I8(p) load_i8(p)
#define I4(p) load_i4(p)
#define HALF(h) _cvtsh_ss(h)
#include "kernels/weight_body.inc"

void ndl_weights_fill_avx512(ndl_kernels *k)
{
	fill_weights(k);
}
