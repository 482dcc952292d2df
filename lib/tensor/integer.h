/* integer.h - several products of the same inputs at once; with rounded inputs where the exec's precision
 * is NDL_PRECISION_INT8 and the weights are INT8 or INT4 (else as ndl_linear does). */
#ifndef NDL_TENSOR_INTEGER_H
#define NDL_TENSOR_INTEGER_H

#include "tensor/gemm.h"

typedef struct ndl_product {
	float *y;             /* [m, w->out] */
	const ndl_weight *w;  /* all of one call have the same `in` */
} ndl_product;

/* Whether products with w take rounded inputs here. */
bool ndl_weight_integer(const ndl_exec *ex, const ndl_weight *w);

/* Memory of the caller for `m` rounded rows of `in` values: bytes needed (0 on overflow), and the rows in it. */
size_t ndl_int_rows_bytes(size_t m, size_t in);
ndl_int_rows ndl_int_rows_in(void *memory, size_t m, size_t in);

/* Inputs of products: m rows of floats and, if `rounded`, the same in integers. Borrowed memory. */
typedef struct ndl_inputs {
	const float *x;       /* [m, rows.in] */
	size_t m;
	bool rounded;         /* with a scale for NDL_INT_GROUP inputs if m <= 4, else one for a row */
	ndl_int_rows rows;    /* room for m rows, made by the caller */
} ndl_inputs;

/* Makes x[m, w->in] inputs of products with weights like w. norm[in] (or NULL): the rows of x normalised
 * (kernels.h, rmsnorm) into y[m, in] in the same pass are the inputs instead; y may be x. */
void ndl_inputs_set(ndl_exec *ex, ndl_inputs *in, const float *x, size_t m, const float *norm, float *y,
                    const ndl_weight *w);
/* The same after x += gate * y (two passes over memory are one). */
void ndl_inputs_add(ndl_exec *ex, ndl_inputs *in, float *x, float gate, size_t m, const float *norm, float *y,
                    const ndl_weight *w);

/* y = x W for each of n products. */
void ndl_linear_all(ndl_exec *ex, const ndl_product *p, size_t n, const ndl_inputs *in);
/* y[n]: outputs ids[n] only, of one row (m is 1) through an out-major weight. wide[w->in]: scratch. */
void ndl_linear_some(ndl_exec *ex, float *y, const ndl_weight *w, const int32_t *ids, size_t n, const ndl_inputs *in,
                     float *wide);

#endif
