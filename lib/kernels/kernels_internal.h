/* kernels_internal.h - what dispatch.c knows of each variant, and helpers they share. */
#ifndef NDL_KERNELS_INTERNAL_H
#define NDL_KERNELS_INTERNAL_H

#include "kernels/kernels.h"

#include <string.h>

/* Each overwrites the members for which it has a faster variant than the level below. */
void ndl_kernels_fill_ref(ndl_kernels *k);
void ndl_kernels_fill_avx2(ndl_kernels *k);
void ndl_kernels_fill_avx512(ndl_kernels *k);
void ndl_vectors_fill_ref(ndl_kernels *k);
void ndl_weights_fill_ref(ndl_kernels *k);
void ndl_kernels_fill_avx512bf16(ndl_kernels *k);
void ndl_kernels_fill_amx(ndl_kernels *k);

void ndl_vectors_fill_avx2(ndl_kernels *k);
void ndl_vectors_fill_avx512(ndl_kernels *k);
void ndl_weights_fill_avx2(ndl_kernels *k);
void ndl_weights_fill_avx512(ndl_kernels *k);

void ndl_kernels_fill_neon(ndl_kernels *k);
void ndl_vectors_fill_neon(ndl_kernels *k);
void ndl_weights_fill_neon(ndl_kernels *k);

void ndl_integer_fill_ref(ndl_kernels *k);
void ndl_integer_fill_avx2(ndl_kernels *k);
void ndl_integer_fill_avxvnni(ndl_kernels *k);
void ndl_integer_fill_avx512(ndl_kernels *k);
void ndl_integer_fill_neon(ndl_kernels *k);
void ndl_integer_fill_dotprod(ndl_kernels *k);

/* The definitions of row_dot and row_expand, where variants send what they do not handle. */
#define NDL_ROW_KERNELS(type) \
	float ndl_row_dot_##type##_ref(const float *x, const void *row, const uint16_t *scale, size_t group, \
	                               size_t n); \
	void ndl_row_expand_##type##_ref(float *out, const void *row, const uint16_t *scale, size_t group, \
	                                 size_t first, size_t n);
NDL_ROW_KERNELS(f32)
NDL_ROW_KERNELS(f16)
NDL_ROW_KERNELS(bf16)
NDL_ROW_KERNELS(i8)
NDL_ROW_KERNELS(i4)

/* Whether bfloat16 dot products have twice the rate of float32 multiply-adds here: AMD's do, on
 * Intel's cores they are slower. */
bool ndl_cpu_fast_bf16_dot(void);

/* Asks the kernel for the right to use tiles, once a process; false if refused. */
bool ndl_cpu_enable_tiles(void);

/* x as it would come back from bfloat16; see ndl_bf16_from_f32. */
static inline float bf16_round(float x)
{
	uint32_t u;
	memcpy(&u, &x, 4);
	if ((u & 0x7f800000) == 0)
		u &= 0x80000000;
	else if ((u & 0x7fffffff) > 0x7f800000)
		u = (u | 0x00400000) & 0xffff0000;
	else
		u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
	memcpy(&x, &u, 4);
	return x;
}

/* For what is compiled once for each constant that it is given. */
#define INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define NDL_UNROLL _Pragma("unroll")
#else
#define NDL_UNROLL _Pragma("GCC unroll 32")
#endif

#endif
