/* exec.h - where computation runs: a kernel table, a number of threads and their scratch
 * memory. Passed explicitly; there are no globals, so several can live side by side. */
#ifndef NDL_TENSOR_EXEC_H
#define NDL_TENSOR_EXEC_H

#include "base/error.h"
#include "kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ndl_exec ndl_exec; /* opaque, owned: free with ndl_exec_free */

/* Arithmetic of the dense products (everything else is float32):
 *   F32   float32 inputs and sums
 *   BF16  inputs rounded to bfloat16, products summed in float32 (AMX or AVX-512's dot products
 *         where the CPU has them, else the float32 kernels on rounded inputs). As the reference trains.
 *   INT8  as F32, but what meets INT8 or INT4 weights in a network's run is rounded to INT8 row by row,
 *         and products are summed in integers (kernels.h). Set it before making encoders and
 *         decoders, which keep to what they were made with. */
typedef enum ndl_precision { NDL_PRECISION_F32, NDL_PRECISION_BF16, NDL_PRECISION_INT8 } ndl_precision;

/* threads 0: all available cores (by OpenMP, where it is there). cpu: a mask string as in $NEEDLE_CPU
 * ("scalar", "avx2", "avx512", "avx512bf16", "amx", "neon"; NULL: best of this machine): the highest level
 * allowed. Its precision is F32 until ndl_exec_set_precision; needle-infer's is INT8, several times faster. NULL on
 * failure. */
ndl_exec *ndl_exec_new(int threads, const char *cpu, ndl_error *err);
/* Another with the same kernels and precision and `threads` (> 0) threads: for work inside a thread of x. */
ndl_exec *ndl_exec_fork(const ndl_exec *x, int threads, ndl_error *err);
void ndl_exec_free(ndl_exec *x);

int ndl_exec_threads(const ndl_exec *x);
/* fn(arg, i, thread) for every i < n; what it does must not depend on thread, which says whose scratch to use. Among
 * the threads if `many`: else here, one after the other. Within fn there is no sharing. */
typedef void ndl_share_fn(void *arg, size_t i, int thread);
void ndl_exec_share(const ndl_exec *x, bool many, size_t n, ndl_share_fn *fn, void *arg);
const ndl_kernels *ndl_exec_kernels(const ndl_exec *x);
void ndl_exec_set_precision(ndl_exec *x, ndl_precision p);
ndl_precision ndl_exec_precision(const ndl_exec *x);
/* Whether BF16 products are faster than F32 here. */
int ndl_exec_has_fast_bf16(const ndl_exec *x);

#endif
