/* gemm_avx512.c - float32 product on 12 x 32 tiles: 24 registers of sums, 2 of B, and
 * broadcasts of A folded into the multiply-adds. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX512F__) || !defined(__AVX512DQ__)
#error "compile with -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c"
#endif
#include <immintrin.h>
#include "kernels/registers_avx512.h"

enum { MR = 12, NR = 32 };
#define OWN_PACKING
#include "kernels/gemm_pack.inc"

/* dst[p][r] for 16 steps of k from up to 16 rows: rows are read along k and turned. */
static inline void pack_turn(float *dst, size_t r, const float *src, size_t ld, size_t rows,
                             size_t keep, size_t k)
{
	__mmask16 out = lanes16(keep);
	for (size_t p = 0; p < k; p += 16) {
		__mmask16 in = lanes16(k - p);
		__m512i v[16];
		NDL_UNROLL
		for (size_t i = 0; i < 16; i++)
			v[i] = i < rows ? _mm512_maskz_loadu_epi32(in, src + i * ld + p) : _mm512_setzero_si512();
		transpose16(v);
		size_t steps = k - p < 16 ? k - p : 16;
		for (size_t q = 0; q < steps; q++)
			_mm512_mask_storeu_epi32(dst + (p + q) * r, out, v[q]);
	}
}

/* dst[p][r] from data stored along the rows of the panel. */
static inline void pack_copy(float *dst, size_t r, const float *src, size_t ld, size_t count, size_t k)
{
	for (size_t p = 0; p < k; p++)
		for (size_t i0 = 0; i0 < count; i0 += r)
			for (size_t i = 0; i < r; i += 16) {
				size_t left = count - i0 > i ? count - i0 - i : 0;
				__m512 v = _mm512_maskz_loadu_ps(lanes16(left < r - i ? left : r - i), src + p * ld + i0 + i);
				_mm512_mask_storeu_ps(dst + i0 * k + p * r + i, lanes16(r - i), v);
			}
}

static void pack_a(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	if (kmajor) {
		pack_copy(dst, MR, src, ld, count, k);
		return;
	}
	for (size_t i = 0; i < count; i += MR)
		pack_turn((float *)dst + i * k, MR, src + i * ld, ld, count - i < MR ? count - i : MR, MR, k);
}

static void pack_b(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	if (kmajor) {
		pack_copy(dst, NR, src, ld, count, k);
		return;
	}
	for (size_t i = 0; i < count; i += NR)
		for (size_t h = 0; h < NR; h += 16) {
			size_t left = count - i > h ? count - i - h : 0;
			pack_turn((float *)dst + i * k + h, NR, left ? src + (i + h) * ld : src, ld, left < 16 ? left : 16, 16, k);
		}
}

#define UNIT float
#define DEPTH(k) (k)
#define B_TYPE __m512
#define B_LOAD(p) _mm512_loadu_ps(p)
#define A_SPLAT(p) _mm512_set1_ps(*(p))
#define MULTIPLY_ADD(s, a, b) FMA(a, b, s)
#include "kernels/gemm_body.inc"

void ndl_kernels_fill_avx512(ndl_kernels *t)
{
	const ndl_gemm_kernel g = t->gemm_f32; /* begin and end: nothing to do */
	fill_products(t, (ndl_gemm_kernel){"avx512", MR, NR, 1, 4, 240, 256, pack_a, pack_b, block, g.begin, g.end});
	t->isa = NDL_ISA_AVX512;
}
