/* rows.h - row-wise pieces of the network over many tokens, forward and backward, parallel over
 * fixed blocks of rows so that the number of threads never changes a sum. */
#ifndef NDL_TRAIN_ROWS_H
#define NDL_TRAIN_ROWS_H

#include "tensor/exec.h"

#include <stddef.h>

/* y = (1 + scale) * x * inv, inv[row] = 1/sqrt(mean(x^2) + 1e-6); x, y [n, d] (SPEC section 2, ZCRMSNorm). */
void ndl_rows_norm(ndl_exec *ex, float *y, float *inv, const float *x, const float *scale, size_t n, size_t d);
/* dx += its gradient, dscale += its gradient, from dy (overwritten) and the inv of the forward
 * pass. partial: ndl_rows_partials(n) * d floats of scratch. */
void ndl_rows_norm_backward(ndl_exec *ex, float *dx, float *dscale, float *dy, const float *x,
                            const float *scale, const float *inv, size_t n, size_t d, float *partial);
size_t ndl_rows_partials(size_t n);

/* Per head of a row: ZCRMSNorm with scale[hd], then RoPE by the row's position (rope NULL: none),
 * then times gain. x, y [n, heads * hd]; inv [n, heads]. */
typedef struct ndl_rope {
	const float *cos, *sin, *minus_sin; /* [positions, hd/2], of p * theta^(-2i/hd) */
	const int *position;                /* of each row, within its sequence */
} ndl_rope;
void ndl_rows_head_norm(ndl_exec *ex, float *y, float *inv, const float *x, const float *scale, size_t n,
                        size_t heads, size_t hd, const ndl_rope *rope, float gain);
/* dx := gradient; dy is overwritten (un-rotated). partial as above, with hd for d. */
void ndl_rows_head_norm_backward(ndl_exec *ex, float *dx, float *dscale, float *dy, const float *x,
                                 const float *scale, const float *inv, size_t n, size_t heads, size_t hd,
                                 const ndl_rope *rope, float gain, float *partial);
/* table[3][positions, hd/2]: cos, sin and -sin. */
void ndl_rows_rope_table(float *table, size_t positions, size_t hd, float theta);

/* z = a x + b y, n elements; z may be x or y. */
void ndl_rows_scale_add(ndl_exec *ex, float *z, float a, const float *x, float b, const float *y, size_t n);
/* Sum of a[i] * b[i] over n elements, in an order that threads do not change. */
double ndl_rows_dot(ndl_exec *ex, const float *a, const float *b, size_t n);

#endif
