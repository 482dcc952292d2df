/* int_avxvnni.c - integer products with vpdpbusd on 256 bits (AVX-VNNI). */
#include "kernels/kernels_internal.h"

#if !defined(__AVXVNNI__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile with -mavx2 -mfma -mf16c -mavxvnni"
#endif

#define MR 4
#define ZERO 128
#define DOT(acc, w, x) ((vi)_mm256_dpbusd_avx_epi32((__m256i)(acc), (__m256i)(w), (__m256i)(x)))
#define DOT4(acc, u, x, v, y) DOT(DOT(acc, u, x), v, y)
#include "kernels/int_avx2.inc"

void ndl_integer_fill_avxvnni(ndl_kernels *k)
{
	fill_integer(k, "avx-vnni");
}
