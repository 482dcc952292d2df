/* kernels.h - the table of inner loops: the scalar reference first, then overwritten by the
 * faster variants that this machine has and the mask allows. Tables are plain values: several
 * can live side by side.
 *
 * Kernels allocate nothing, know no threads and keep no state (the processor's tile
 * configuration aside, see ndl_gemm_kernel.begin). Pointers need no alignment unless said;
 * inputs and outputs must not overlap unless said. Sizes may be 0. */
#ifndef NDL_KERNELS_KERNELS_H
#define NDL_KERNELS_KERNELS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rising order: a level includes those below it (on its architecture). */
typedef enum ndl_isa { NDL_ISA_SCALAR, NDL_ISA_NEON, NDL_ISA_AVX2, NDL_ISA_AVX512, NDL_ISA_AMX } ndl_isa;

/* Upper bounds over all GEMM kernels, so that callers can set scratch memory aside once. */
enum {
	NDL_GEMM_MAX_MC = 256,               /* rows of a block of A */
	NDL_GEMM_MAX_PANEL = 32,             /* mr, nr */
	NDL_GEMM_MAX_KC_BYTES = 512 * 4      /* packed bytes of one row (or column) of a k-block */
};

/* A matrix product on packed operands, C[m,n] (+)= alpha A[m,k] B[k,n], C row-major float32.
 *
 * A is packed in panels of mr rows, B in panels of nr columns, both k deep; how a panel looks
 * inside is the kernel's own business. `depth` below is k rounded up to a multiple of ku;
 * a panel takes mr (or nr) * depth * elem bytes, on a 64-byte boundary.
 *
 * bfloat16 kernels round both operands to bfloat16 while packing (to nearest, ties to even;
 * subnormals become zero) and add the exact products in float32. */
typedef struct ndl_gemm_kernel {
	const char *name;
	size_t mr, nr, ku;
	size_t elem;      /* bytes of a packed element */
	size_t mc;        /* recommended rows of a block of A; multiple of mr, <= NDL_GEMM_MAX_MC */
	size_t kc;        /* deepest k-block; multiple of ku; kc * elem <= NDL_GEMM_MAX_KC_BYTES */
	/* dst := ceil(count/mr) (for b: nr) panels of element (i, p), i < count, p < k, found at
	 * src[p * ld + i] if kmajor, else src[i * ld + p]; zero beyond count and k. */
	void (*pack_a)(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k);
	void (*pack_b)(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k);
	/* C = alpha A B, or C += alpha A B if add. Never reads C otherwise. */
	void (*block)(size_t m, size_t n, size_t k, const void *a, const void *b, float alpha,
	              bool add, float *c, size_t ldc);
	/* Around a run of `block` calls in one thread; both do nothing on most kernels. */
	void (*begin)(void);
	void (*end)(void);
} ndl_gemm_kernel;

typedef struct ndl_kernels {
	ndl_isa isa;               /* highest level in this table */
	ndl_gemm_kernel gemm_f32;
	ndl_gemm_kernel gemm_bf16;
	bool fast_bf16;            /* gemm_bf16 is faster than gemm_f32 here */
} ndl_kernels;

/* Fills *k for this machine. cpu: highest level allowed, "scalar", "neon", "avx2", "avx512" or
 * "amx"; NULL or "" allows all. NDL_EINVAL for another word. A level that this machine or this
 * build lacks is quietly replaced by the next lower one. */
ndl_status ndl_kernels_init(ndl_kernels *k, const char *cpu, ndl_error *err);

/* "scalar", "neon", ... */
const char *ndl_isa_name(ndl_isa isa);

/* The highest level that this processor and operating system support (whatever was built). */
ndl_isa ndl_cpu_detect(void);

/* x rounded to bfloat16: to nearest, ties to even, subnormals to zero, NaN stays NaN. */
uint16_t ndl_bf16_from_f32(float x);
float ndl_bf16_to_f32(uint16_t h);
/* IEEE binary16, to nearest, ties to even. */
uint16_t ndl_f16_from_f32(float x);
float ndl_f16_to_f32(uint16_t h);

#endif
