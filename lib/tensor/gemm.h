/* gemm.h - dense products over an ndl_exec: partitioned by output, so that the number of
 * threads never changes a bit of the result. */
#ifndef NDL_TENSOR_GEMM_H
#define NDL_TENSOR_GEMM_H

#include "tensor/exec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* C[m,n] = beta C + alpha op(A) op(B), row-major, op(A) is [m,k], op(B) is [k,n].
 * ta: A is stored [k,m] (lda >= m), else [m,k] (lda >= k); tb: B is stored [n,k], else [k,n].
 * beta 0 ignores what C holds (NaNs too). Sizes may be 0. C must not overlap A or B.
 * The order of summation over k is fixed by k alone. */
void ndl_gemm(ndl_exec *x, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
              const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc);

/* The same in the calling thread alone, for use inside the caller's own parallel region: thread
 * (0 <= thread < ndl_exec_threads) says whose scratch memory to use, so no two threads may give
 * the same number at once. The result has the same bits as ndl_gemm's. */
void ndl_gemm_serial(ndl_exec *x, int thread, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                     const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                     size_t ldc);

/* A weight matrix as stored in a model file; borrowed data. Two layouts:
 *   in-major  [in][out]: float kernels as upstream stores them
 *   out-major [out][in]: the embedding used as output projection, and all INT8/INT4
 * INT8 codes are int8, one a byte. INT4: two a byte, low nibble = even input index, two's
 * complement. Both have scales F16 [out][in/group]; value = code * scale. Types: NDL_W_F32, _F16,
 * _BF16, _I8, _I4 (kernels/kernels.h). */
typedef struct ndl_weight {
	ndl_wtype type;
	bool out_major;
	size_t in, out;
	const void *data;
	const uint16_t *scale; /* F16 bits; NULL for float types */
	size_t group;          /* inputs sharing a scale; divides in; 0 for float types */
} ndl_weight;

/* Called before each product y = x W of ndl_linear with what goes in; to gather statistics. NULL: none. */
typedef void ndl_observe_fn(void *user, const ndl_weight *w, const float *x, size_t m);
void ndl_exec_observe(ndl_exec *ex, ndl_observe_fn *fn, void *user);

/* y[m,out] = x[m,in] W in float32 arithmetic (weights are expanded on the fly). */
void ndl_linear(ndl_exec *ex, float *y, const float *x, size_t m, const ndl_weight *w);

/* out[in] = row `o` of an out-major weight as float32 (embedding look-up). */
void ndl_weight_row(const ndl_exec *ex, float *out, const ndl_weight *w, size_t o);

#endif
