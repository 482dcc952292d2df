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
#include "kernels/registers_avx512.h"

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

#define UNIT uint32_t
#define DEPTH(k) pairs_of(k)
#define B_TYPE __m512bh
#define B_LOAD(p) ((__m512bh)_mm512_loadu_si512(p))
#define A_SPLAT(p) ((__m512bh)_mm512_set1_epi32((int)*(p)))
#define MULTIPLY_ADD(s, a, b) _mm512_dpbf16_ps(s, a, b)
#include "kernels/gemm_body.inc"

void ndl_kernels_fill_avx512bf16(ndl_kernels *t)
{
	ndl_gemm_kernel g = t->gemm_f32; /* begin and end: nothing to do */
	t->gemm_bf16 = (ndl_gemm_kernel){"avx512bf16", MR, NR, 2, 2, 240, 512, pack_a, pack_b, block, g.begin, g.end};
	t->fast_bf16 = ndl_cpu_fast_bf16_dot();
	t->isa = NDL_ISA_AVX512BF16;
}
