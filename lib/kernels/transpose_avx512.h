/* transpose_avx512.h - 16 x 16 transposition of 32-bit elements in registers. */
#ifndef NDL_KERNELS_TRANSPOSE_AVX512_H
#define NDL_KERNELS_TRANSPOSE_AVX512_H

#include "kernels/kernels_internal.h"

#include <immintrin.h>

/* Element (i, j) of r[i] becomes element (j, i). Three rounds of swapping ever larger pieces:
 * 1, 2, then 4 and 8 elements at once. */
static inline void transpose16(__m512i r[16])
{
	__m512i t[16];
	NDL_UNROLL
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
	}
	NDL_UNROLL
	for (int i = 0; i < 16; i += 4) {
		r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	/* r[4q + c] now holds column c + 4l of rows 4q..4q+3 in lane l. */
	NDL_UNROLL
	for (int c = 0; c < 4; c++) {
		t[c] = _mm512_shuffle_i32x4(r[c], r[c + 4], 0x88);
		t[c + 4] = _mm512_shuffle_i32x4(r[c + 8], r[c + 12], 0x88);
		t[c + 8] = _mm512_shuffle_i32x4(r[c], r[c + 4], 0xdd);
		t[c + 12] = _mm512_shuffle_i32x4(r[c + 8], r[c + 12], 0xdd);
	}
	NDL_UNROLL
	for (int c = 0; c < 4; c++) {
		r[c] = _mm512_shuffle_i32x4(t[c], t[c + 4], 0x88);
		r[c + 8] = _mm512_shuffle_i32x4(t[c], t[c + 4], 0xdd);
		r[c + 4] = _mm512_shuffle_i32x4(t[c + 8], t[c + 12], 0x88);
		r[c + 12] = _mm512_shuffle_i32x4(t[c + 8], t[c + 12], 0xdd);
	}
}

/* The lowest n lanes (all of them for n >= 16). */
static inline __mmask16 lanes16(size_t n)
{
	return (__mmask16)(n >= 16 ? 0xffff : (1u << n) - 1);
}

#endif
