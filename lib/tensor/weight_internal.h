/* weight_internal.h - what gemm.c and linear.c need of each other. */
#ifndef NDL_TENSOR_WEIGHT_INTERNAL_H
#define NDL_TENSOR_WEIGHT_INTERNAL_H

#include "tensor/exec_internal.h"
#include "tensor/gemm.h"

/* out[n] = elements [first, first + n) of stored row r: of output r if out-major, else of input r. */
void ndl_weight_expand(const ndl_kernels *k, float *out, const ndl_weight *w, size_t r, size_t first, size_t n);

/* y[m,out] = a[m,in] W by packing: for m large enough to pay for that. */
void ndl_gemm_weight(ndl_exec *x, float *y, const float *a, size_t m, const ndl_weight *w);

#endif
