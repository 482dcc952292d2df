/* registers_avx512.h - the register of 16 floats that gemm_body.inc, vector_body.inc and weight_body.inc work on. */
#ifndef NDL_KERNELS_REGISTERS_AVX512_H
#define NDL_KERNELS_REGISTERS_AVX512_H

#include "kernels/transpose_avx512.h"

#define V __m512
#define W ((size_t)16)
#define SET1(x) _mm512_set1_ps(x)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define LOADN(p, n) _mm512_maskz_loadu_ps(lanes16(n), p)
#define STOREN(p, v, n) _mm512_mask_storeu_ps(p, lanes16(n), v)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MUL(a, b) _mm512_mul_ps(a, b)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define HSUM(v) _mm512_reduce_add_ps(v)

#endif
