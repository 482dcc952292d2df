/* pack_avx512bf16.h - float32 rows to registers of bfloat16 pairs, for the kernels that multiply
 * pairs: a register is 16 32-bit pairs of neighbouring steps of k. */
#ifndef NDL_KERNELS_PACK_AVX512BF16_H
#define NDL_KERNELS_PACK_AVX512BF16_H

#include "kernels/transpose_avx512.h"

/* v[i] = 32 steps of row i as bfloat16; zero beyond rows and k. */
static inline void load_rows(__m512i v[16], const float *src, size_t ld, size_t rows, size_t k)
{
	__mmask16 m0 = lanes16(k), m1 = k > 16 ? lanes16(k - 16) : 0;
	NDL_UNROLL
	for (size_t i = 0; i < 16; i++) {
		if (i < rows) {
			const float *s = src + i * ld;
			__m512 hi = m1 ? _mm512_maskz_loadu_ps(m1, s + 16) : _mm512_setzero_ps();
			v[i] = (__m512i)_mm512_cvtne2ps_pbh(hi, _mm512_maskz_loadu_ps(m0, s));
		} else {
			v[i] = _mm512_setzero_si512();
		}
	}
}

/* v[p] = steps 2p and 2p + 1 of 16 neighbours, interleaved. */
static inline void load_pairs(__m512i v[16], const float *src, size_t ld, size_t count, size_t k)
{
	static const uint16_t order[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
		8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
	__m512i mix = _mm512_loadu_si512(order);
	__mmask16 m = lanes16(count);
	NDL_UNROLL
	for (size_t p = 0; p < 16; p++) {
		__m512 lo = _mm512_setzero_ps(), hi = lo;
		if (2 * p < k)
			lo = _mm512_maskz_loadu_ps(m, src + 2 * p * ld);
		if (2 * p + 1 < k)
			hi = _mm512_maskz_loadu_ps(m, src + (2 * p + 1) * ld);
		v[p] = _mm512_permutexvar_epi16(mix, (__m512i)_mm512_cvtne2ps_pbh(hi, lo));
	}
}

#endif
