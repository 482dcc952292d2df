/* gemm_ref.c - the matrix product as a specification: plain loops on 4 x 8 tiles. */
#include "kernels/kernels_internal.h"

enum { MR = 4, NR = 8 };
#include "kernels/gemm_pack.inc"

/* One tile: c[m,n] (+)= alpha * sum over p of a[p][0..m) outer b[p][0..n); m <= MR, n <= NR. */
static void tile(size_t m, size_t n, size_t k, const float *a, const float *b, float alpha,
                 bool add, float *c, size_t ldc)
{
	float acc[MR][NR] = {{0}};
	for (size_t p = 0; p < k; p++)
		for (size_t i = 0; i < MR; i++)
			for (size_t j = 0; j < NR; j++)
				acc[i][j] += a[p * MR + i] * b[p * NR + j];
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
			c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + alpha * acc[i][j];
}

static void block(size_t m, size_t n, size_t k, const void *a, const void *b, float alpha,
                  bool add, float *c, size_t ldc)
{
	for (size_t j = 0; j < n; j += NR)
		for (size_t i = 0; i < m; i += MR)
			tile(m - i < MR ? m - i : MR, n - j < NR ? n - j : NR, k, (const float *)a + i * k,
			     (const float *)b + j * k, alpha, add, c + i * ldc + j, ldc);
}

static void nothing(void)
{
}

void ndl_kernels_fill_ref(ndl_kernels *t)
{
	fill_products(t, (ndl_gemm_kernel){"scalar", MR, NR, 1, 4, 128, 256, pack_a, pack_b, block, nothing, nothing});
	t->fast_bf16 = false;
	t->isa = NDL_ISA_SCALAR;
}
