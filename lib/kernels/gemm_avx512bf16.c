/* gemm_avx512bf16.c - bfloat16 product by pairs of steps: the 12 x 32 tiles of gemm_avx512.c, with
 * one VDPBF16PS where that has two multiply-adds.
 *
 * A packed panel holds, for every two steps of k, a 32-bit pair of each of its rows. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX512BF16__) || !defined(__AVX512BW__)
#error "compile with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16"
#endif
#include <immintrin.h>
#include "kernels/pack_avx512bf16.h"

enum { MR = 12, NR = 32, STEP = 32 };

static inline size_t pairs_of(size_t k)
{
	return (k + 1) / 2;
}

/* dst[pair][r] for up to 16 pairs of up to 16 rows. */
static inline void store_pairs(uint32_t *dst, size_t r, const __m512i v[16], size_t pairs, size_t keep)
{
	__mmask16 out = lanes16(keep);
	for (size_t q = 0; q < pairs; q++)
		_mm512_mask_storeu_epi32(dst + q * r, out, v[q]);
}

static inline void pack(uint32_t *dst, size_t r, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	size_t pairs = pairs_of(k);
	for (size_t i0 = 0; i0 < count; i0 += r, dst += r * pairs)
		for (size_t h = 0; h < r; h += 16) {
			size_t at = i0 + h, keep = r - h < 16 ? r - h : 16, left = count > at ? count - at : 0;
			if (left > keep)
				left = keep;
			for (size_t p = 0; p < k; p += STEP) {
				__m512i v[16];
				if (kmajor) {
					load_pairs(v, src + p * ld + (left ? at : 0), ld, left, k - p);
				} else {
					load_rows(v, src + (left ? at * ld : 0) + p, ld, left, k - p);
					transpose16(v);
				}
				store_pairs(dst + p / 2 * r + h, r, v, pairs - p / 2 < 16 ? pairs - p / 2 : 16, keep);
			}
		}
}

static void pack_a(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	if (kmajor)
		pack(dst, MR, src, ld, true, count, k);
	else
		pack(dst, MR, src, ld, false, count, k);
}

static void pack_b(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	if (kmajor)
		pack(dst, NR, src, ld, true, count, k);
	else
		pack(dst, NR, src, ld, false, count, k);
}

/* A full tile: c (+)= alpha a b. */
static inline void tile(size_t pairs, const uint32_t *a, const uint32_t *b, float alpha, bool add, float *c,
                        size_t ldc)
{
	__m512 acc[MR][2];
	NDL_UNROLL
	for (int i = 0; i < MR; i++)
		acc[i][0] = acc[i][1] = _mm512_setzero_ps();
	for (size_t p = 0; p < pairs; p++, a += MR, b += NR) {
		__m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 16);
		NDL_UNROLL
		for (int i = 0; i < MR; i++) {
			__m512bh x = (__m512bh)_mm512_set1_epi32((int)a[i]);
			acc[i][0] = _mm512_dpbf16_ps(acc[i][0], x, b0);
			acc[i][1] = _mm512_dpbf16_ps(acc[i][1], x, b1);
		}
	}
	__m512 s = _mm512_set1_ps(alpha);
	NDL_UNROLL
	for (int i = 0; i < MR; i++) {
		float *d = c + (size_t)i * ldc;
		__m512 r0 = _mm512_mul_ps(s, acc[i][0]), r1 = _mm512_mul_ps(s, acc[i][1]);
		_mm512_storeu_ps(d, add ? _mm512_add_ps(_mm512_loadu_ps(d), r0) : r0);
		_mm512_storeu_ps(d + 16, add ? _mm512_add_ps(_mm512_loadu_ps(d + 16), r1) : r1);
	}
}

/* A tile cut off by the edge of C goes through a buffer. */
static void edge(size_t m, size_t n, size_t pairs, const uint32_t *a, const uint32_t *b, float alpha, bool add,
                 float *c, size_t ldc)
{
	float t[MR * NR];
	tile(pairs, a, b, alpha, false, t, NR);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j += 16) {
			__mmask16 w = lanes16(n - j);
			__m512 r = _mm512_loadu_ps(t + i * NR + j);
			if (add)
				r = _mm512_add_ps(_mm512_maskz_loadu_ps(w, c + i * ldc + j), r);
			_mm512_mask_storeu_ps(c + i * ldc + j, w, r);
		}
}

static void block(size_t m, size_t n, size_t k, const void *a, const void *b, float alpha, bool add, float *c,
                  size_t ldc)
{
	size_t pairs = pairs_of(k);
	for (size_t j = 0; j < n; j += NR)
		for (size_t i = 0; i < m; i += MR) {
			const uint32_t *pa = (const uint32_t *)a + i * pairs, *pb = (const uint32_t *)b + j * pairs;
			float *d = c + i * ldc + j;
			if (m - i >= MR && n - j >= NR)
				tile(pairs, pa, pb, alpha, add, d, ldc);
			else
				edge(m - i < MR ? m - i : MR, n - j < NR ? n - j : NR, pairs, pa, pb, alpha, add, d, ldc);
		}
}

void ndl_kernels_fill_avx512bf16(ndl_kernels *t)
{
	ndl_gemm_kernel g = t->gemm_f32; /* begin and end: nothing to do */
	t->gemm_bf16 = (ndl_gemm_kernel){"avx512bf16", MR, NR, 2, 2, 240, 512, pack_a, pack_b, block, g.begin, g.end};
	t->fast_bf16 = ndl_cpu_fast_bf16_dot();
	t->isa = NDL_ISA_AVX512BF16;
}
