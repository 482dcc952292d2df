/* vector_avx512.c - vector_body.inc on 16 floats; tails by mask registers. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX512F__) || !defined(__AVX512DQ__)
#error "compile with -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c"
#endif
#include <immintrin.h>
#include <math.h>
#include "kernels/registers_avx512.h"

#define KEEPN(v, n, f) _mm512_mask_mov_ps(f, lanes16(n), v)
#define SUB(a, b) _mm512_sub_ps(a, b)
#define DIV(a, b) _mm512_div_ps(a, b)
#define SQRT(a) _mm512_sqrt_ps(a)
#define MAX(a, b) _mm512_max_ps(a, b)
#define FNMA(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define ROUND(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define EXP2I(v, n) _mm512_scalef_ps(v, n)
#define ZERO_BELOW(v, x, lim) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, lim, _CMP_NLT_UQ), v)
#define HMAX(v) _mm512_reduce_max_ps(v)
#include "kernels/vector_body.inc"

static void narrow_bf16(uint16_t *out, const float *x, size_t n)
{
	__m512i sign = _mm512_set1_epi32((int)0x80000000), inf = _mm512_set1_epi32(0x7f800000);
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 lanes = lanes16(n - i);
		__m512i u = _mm512_maskz_loadu_epi32(lanes, x + i);
		__m512i size = _mm512_andnot_si512(sign, u);
		__m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
		__m512i r = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), odd);
		r = _mm512_mask_or_epi32(r, _mm512_cmpgt_epi32_mask(size, inf), u, _mm512_set1_epi32(0x400000));
		r = _mm512_mask_and_epi32(r, _mm512_cmplt_epi32_mask(size, _mm512_set1_epi32(0x800000)), u, sign);
		_mm256_mask_storeu_epi16(out + i, lanes, _mm512_cvtepi32_epi16(_mm512_srli_epi32(r, 16)));
	}
}

static void narrow_f16(uint16_t *out, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 lanes = lanes16(n - i);
		_mm256_mask_storeu_epi16(out + i, lanes, _mm512_cvtps_ph(_mm512_maskz_loadu_ps(lanes, x + i),
		                                                         _MM_FROUND_TO_NEAREST_INT));
	}
}

void ndl_vectors_fill_avx512(ndl_kernels *k)
{
	fill_vectors(k);
	k->narrow_bf16 = narrow_bf16;
	k->narrow_f16 = narrow_f16;
}
