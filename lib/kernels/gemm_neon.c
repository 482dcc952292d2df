/* gemm_neon.c - float32 product on 12 x 8 tiles: 24 registers of sums, 2 of B, and broadcasts of A from memory. */
#include "kernels/registers_neon.h"

enum { MR = 12, NR = 8 };
#include "kernels/gemm_pack.inc"

#define UNIT float
#define DEPTH(k) (k)
#define B_TYPE float32x4_t
#define B_LOAD(p) vld1q_f32(p)
#define A_SPLAT(p) vld1q_dup_f32(p)
#define MULTIPLY_ADD(s, a, b) FMA(a, b, s)
#include "kernels/gemm_body.inc"

void ndl_kernels_fill_neon(ndl_kernels *t)
{
	const ndl_gemm_kernel g = t->gemm_f32; /* begin and end: nothing to do */
	fill_products(t, (ndl_gemm_kernel){"neon", MR, NR, 1, 4, 144, 256, pack_a, pack_b, block, g.begin, g.end});
	t->isa = NDL_ISA_NEON;
}
