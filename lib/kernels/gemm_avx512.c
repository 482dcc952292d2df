/* gemm_avx512.c - float32 product on 12 x 32 tiles: 24 registers of sums, 2 of B, and
 * broadcasts of A folded into the multiply-adds. */
#include "kernels/kernels_internal.h"
#include "kernels/gemm_pack.h"

#if !defined(__AVX512F__) || !defined(__AVX512DQ__)
#error "compile with -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c"
#endif
#include <immintrin.h>
#include "kernels/transpose_avx512.h"

enum { MR = 12, NR = 32 };

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

static void pack_a_bf16(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	pack_panels(dst, src, ld, kmajor, count, k, MR, true);
}

static void pack_b_bf16(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	pack_panels(dst, src, ld, kmajor, count, k, NR, true);
}

/* A full tile: c (+)= alpha a b. */
static inline void tile(size_t k, const float *a, const float *b, float alpha, bool add, float *c,
                        size_t ldc)
{
	__m512 acc[MR][2];
	NDL_UNROLL
	for (int i = 0; i < MR; i++)
		acc[i][0] = acc[i][1] = _mm512_setzero_ps();
	for (size_t p = 0; p < k; p++, a += MR, b += NR) {
		__m512 b0 = _mm512_loadu_ps(b), b1 = _mm512_loadu_ps(b + 16);
		NDL_UNROLL
		for (int i = 0; i < MR; i++) {
			__m512 x = _mm512_set1_ps(a[i]);
			acc[i][0] = _mm512_fmadd_ps(x, b0, acc[i][0]);
			acc[i][1] = _mm512_fmadd_ps(x, b1, acc[i][1]);
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
static void edge(size_t m, size_t n, size_t k, const float *a, const float *b, float alpha,
                 bool add, float *c, size_t ldc)
{
	float t[MR * NR];
	tile(k, a, b, alpha, false, t, NR);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j += 16) {
			__mmask16 w = lanes16(n - j);
			__m512 r = _mm512_loadu_ps(t + i * NR + j);
			if (add)
				r = _mm512_add_ps(_mm512_maskz_loadu_ps(w, c + i * ldc + j), r);
			_mm512_mask_storeu_ps(c + i * ldc + j, w, r);
		}
}

static void block(size_t m, size_t n, size_t k, const void *a, const void *b, float alpha,
                  bool add, float *c, size_t ldc)
{
	for (size_t j = 0; j < n; j += NR)
		for (size_t i = 0; i < m; i += MR) {
			const float *pa = (const float *)a + i * k, *pb = (const float *)b + j * k;
			float *d = c + i * ldc + j;
			if (m - i >= MR && n - j >= NR)
				tile(k, pa, pb, alpha, add, d, ldc);
			else
				edge(m - i < MR ? m - i : MR, n - j < NR ? n - j : NR, k, pa, pb, alpha, add, d, ldc);
		}
}

void ndl_kernels_fill_avx512(ndl_kernels *t)
{
	ndl_gemm_kernel g = t->gemm_f32;
	g.name = "avx512";
	g.mr = MR;
	g.nr = NR;
	g.mc = 240;
	g.kc = 256;
	g.pack_a = pack_a;
	g.pack_b = pack_b;
	g.block = block;
	t->gemm_f32 = g;
	g.pack_a = pack_a_bf16;
	g.pack_b = pack_b_bf16;
	t->gemm_bf16 = g;
	t->isa = NDL_ISA_AVX512;
}
