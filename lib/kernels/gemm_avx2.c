/* gemm_avx2.c - float32 product on 6 x 16 tiles: 12 registers of sums, 2 of B, and broadcasts
 * of A from memory. */
#include "kernels/kernels_internal.h"
#include "kernels/gemm_pack.h"

#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile with -mavx2 -mfma"
#endif
#include <immintrin.h>

enum { MR = 6, NR = 16 };

static void pack_a(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	pack_panels(dst, src, ld, kmajor, count, k, MR, false);
}

static void pack_b(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	pack_panels(dst, src, ld, kmajor, count, k, NR, false);
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
	__m256 acc[MR][2];
	NDL_UNROLL
	for (int i = 0; i < MR; i++)
		acc[i][0] = acc[i][1] = _mm256_setzero_ps();
	for (size_t p = 0; p < k; p++, a += MR, b += NR) {
		__m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
		NDL_UNROLL
		for (int i = 0; i < MR; i++) {
			__m256 x = _mm256_broadcast_ss(a + i);
			acc[i][0] = _mm256_fmadd_ps(x, b0, acc[i][0]);
			acc[i][1] = _mm256_fmadd_ps(x, b1, acc[i][1]);
		}
	}
	__m256 s = _mm256_set1_ps(alpha);
	NDL_UNROLL
	for (int i = 0; i < MR; i++)
		for (int j = 0; j < 2; j++) {
			float *d = c + (size_t)i * ldc + 8 * j;
			__m256 r = _mm256_mul_ps(s, acc[i][j]);
			_mm256_storeu_ps(d, add ? _mm256_add_ps(_mm256_loadu_ps(d), r) : r);
		}
}

/* A tile cut off by the edge of C goes through a buffer. */
static void edge(size_t m, size_t n, size_t k, const float *a, const float *b, float alpha,
                 bool add, float *c, size_t ldc)
{
	float t[MR * NR];
	tile(k, a, b, alpha, false, t, NR);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
			c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + t[i * NR + j];
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

void ndl_kernels_fill_avx2(ndl_kernels *t)
{
	ndl_gemm_kernel g = t->gemm_f32;
	g.name = "avx2";
	g.mr = MR;
	g.nr = NR;
	g.mc = 144;
	g.kc = 256;
	g.pack_a = pack_a;
	g.pack_b = pack_b;
	g.block = block;
	t->gemm_f32 = g;
	g.pack_a = pack_a_bf16;
	g.pack_b = pack_b_bf16;
	t->gemm_bf16 = g;
	t->isa = NDL_ISA_AVX2;
}
