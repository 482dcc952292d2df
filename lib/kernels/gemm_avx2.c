/* gemm_avx2.c - float32 product on 6 x 16 tiles: 12 registers of sums, 2 of B, and broadcasts
 * of A from memory. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile with -mavx2 -mfma"
#endif
#include "kernels/registers_avx2.h"

enum { MR = 6, NR = 16 };
#define OWN_PACKING
#include "kernels/gemm_pack.inc"

/* A row of a panel: 8 floats, or what is left of r. */
INLINE void put(float *d, __m256 row, size_t left)
{
	if (left >= 8) {
		_mm256_storeu_ps(d, row);
	} else {
		_mm_storeu_ps(d, _mm256_castps256_ps128(row));
		_mm_storel_pi((__m64 *)(d + 4), _mm256_extractf128_ps(row, 1));
	}
}

/* dst[p][r] from whole rows, 4 steps of k (a multiple of 4) at a time: those of rows 0..3 in the lower halves of four registers, of
 * rows 4..7 in the upper ones, and both turned. */
INLINE void turn_panel(float *dst, const float *src, size_t ld, size_t k, size_t r)
{
	for (size_t p = 0; p < k; p += 4)
		for (size_t h = 0; h < r; h += 8) {
			__m256 v[4];
			NDL_UNROLL
			for (size_t i = 0; i < 4; i++) {
				const float *low = src + (h + i) * ld + p, *high = h + i + 4 < r ? low + 4 * ld : low;
				v[i] = _mm256_set_m128(_mm_loadu_ps(high), _mm_loadu_ps(low));
			}
			__m256 a = _mm256_unpacklo_ps(v[0], v[1]), b = _mm256_unpacklo_ps(v[2], v[3]);
			__m256 c = _mm256_unpackhi_ps(v[0], v[1]), e = _mm256_unpackhi_ps(v[2], v[3]);
			float *d = dst + p * r + h;
			put(d, _mm256_shuffle_ps(a, b, 0x44), r - h);
			put(d + r, _mm256_shuffle_ps(a, b, 0xee), r - h);
			put(d + 2 * r, _mm256_shuffle_ps(c, e, 0x44), r - h);
			put(d + 3 * r, _mm256_shuffle_ps(c, e, 0xee), r - h);
		}
}

INLINE void pack(float *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k, size_t r)
{
	if (kmajor) {
		pack_panels(dst, src, ld, true, count, k, r);
		return;
	}
	for (size_t i = 0; i < count; i += r, dst += r * k, src += r * ld) {
		size_t rows = count - i < r ? count - i : r, turned = rows == r ? k / 4 * 4 : 0;
		turn_panel(dst, src, ld, turned, r);
		pack_panels(dst + turned * r, src + turned, ld, false, rows, k - turned, r);
	}
}

static void pack_a(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	pack(dst, src, ld, kmajor, count, k, MR);
}

static void pack_b(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	pack(dst, src, ld, kmajor, count, k, NR);
}

#define UNIT float
#define DEPTH(k) (k)
#define B_TYPE __m256
#define B_LOAD(p) _mm256_loadu_ps(p)
#define A_SPLAT(p) _mm256_broadcast_ss(p)
#define MULTIPLY_ADD(s, a, b) FMA(a, b, s)
#include "kernels/gemm_body.inc"

void ndl_kernels_fill_avx2(ndl_kernels *t)
{
	const ndl_gemm_kernel g = t->gemm_f32; /* begin and end: nothing to do */
	fill_products(t, (ndl_gemm_kernel){"avx2", MR, NR, 1, 4, 144, 256, pack_a, pack_b, block, g.begin, g.end});
	t->isa = NDL_ISA_AVX2;
}
