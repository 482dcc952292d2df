/* gemm_avx2.c - float32 product on 6 x 16 tiles: 12 registers of sums, 2 of B, and broadcasts
 * of A from memory. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile with -mavx2 -mfma"
#endif
#include "kernels/registers_avx2.h"

enum { MR = 6, NR = 16 };
#include "kernels/gemm_pack.inc"

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
	fill_products(t, (ndl_gemm_kernel){"avx2", MR, NR, 1, 4, 144, 256, pack_panels_a, pack_panels_b, block, g.begin, g.end});
	t->isa = NDL_ISA_AVX2;
}
