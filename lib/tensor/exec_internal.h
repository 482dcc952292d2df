/* exec_internal.h - the inside of ndl_exec, for this room only. */
#ifndef NDL_TENSOR_EXEC_INTERNAL_H
#define NDL_TENSOR_EXEC_INTERNAL_H

#include "tensor/exec.h"
#include "tensor/gemm.h"
#include "tensor/pool_internal.h"

/* Columns of B packed at once: by all threads together, and by one thread on its own. */
enum { NDL_EXEC_NC = 1024, NDL_EXEC_NC_SERIAL = 512 };

/* One thread's memory, 64-byte aligned; pages are touched only when used. */
typedef struct ndl_scratch {
	void *a;      /* block of A: NDL_GEMM_MAX_MC rows of NDL_GEMM_MAX_KC_BYTES */
	void *b;      /* panels of B: NDL_EXEC_NC_SERIAL columns */
	float *wide;  /* NDL_GEMM_MAX_PANEL expanded rows (columns) of a weight, k-block deep */
} ndl_scratch;

struct ndl_exec {
	ndl_kernels kernels;
	ndl_precision precision;
	int threads;
	ndl_pool *pool;       /* of ndl_exec_share; NULL for one thread */
	void *b[2];           /* panels of B shared by all threads: NDL_EXEC_NC columns each */
	ndl_scratch *scratch; /* [threads] */
	ndl_observe_fn *observe;
	void *observe_user;
};

static inline const ndl_gemm_kernel *ndl_exec_gemm(const ndl_exec *x)
{
	return x->precision == NDL_PRECISION_BF16 ? &x->kernels.gemm_bf16 : &x->kernels.gemm_f32;
}

#endif
