#include "train/rows.h"

#include <math.h>
#include <string.h>

/* Rows of one block: the unit of work, and of partial sums. */
enum { BLOCK = 64 };

static size_t blocks_of(size_t n) { return (n + BLOCK - 1) / BLOCK; }
static size_t rows_in(size_t b, size_t n) { return n - b * BLOCK < BLOCK ? n - b * BLOCK : BLOCK; }

size_t ndl_rows_partials(size_t n) { return blocks_of(n); }

/* total[d] += the partial sums of all blocks, in order. */
static void add_partials(float *total, const float *partial, size_t blocks, size_t d)
{
	for (size_t b = 0; b < blocks; b++)
		for (size_t j = 0; j < d; j++)
			total[j] += partial[b * d + j];
}

void ndl_rows_norm(ndl_exec *ex, float *y, float *inv, const float *x, const float *scale, size_t n, size_t d)
{
	const ndl_kernels *k = ndl_exec_kernels(ex);
	size_t blocks = blocks_of(n);
#pragma omp parallel for num_threads(ndl_exec_threads(ex))
	for (size_t b = 0; b < blocks; b++) {
		size_t at = b * BLOCK;
		k->rmsnorm(y + at * d, inv + at, x + at * d, scale, rows_in(b, n), d);
	}
}

void ndl_rows_norm_backward(ndl_exec *ex, float *dx, float *dscale, float *dy, const float *x,
                            const float *scale, const float *inv, size_t n, size_t d, float *partial)
{
	const ndl_kernels *k = ndl_exec_kernels(ex);
	size_t blocks = blocks_of(n);
#pragma omp parallel for num_threads(ndl_exec_threads(ex))
	for (size_t b = 0; b < blocks; b++) {
		size_t at = b * BLOCK, rows = rows_in(b, n);
		memset(partial + b * d, 0, d * sizeof *partial);
		k->rmsnorm_back(dy + at * d, partial + b * d, dy + at * d, x + at * d, scale, inv + at, rows, d);
		k->axpy(dx + at * d, 1, dy + at * d, rows * d);
	}
	add_partials(dscale, partial, blocks, d);
}

void ndl_rows_rope_table(float *table, size_t positions, size_t hd, float theta)
{
	size_t half = hd / 2, n = positions * half;
	for (size_t i = 0; i < half; i++) {
		double freq = pow((double)theta, -2.0 * (double)i / (double)hd);
		for (size_t p = 0; p < positions; p++) {
			table[p * half + i] = (float)cos((double)p * freq);
			table[n + p * half + i] = (float)sin((double)p * freq);
			table[2 * n + p * half + i] = -table[n + p * half + i];
		}
	}
}

/* All heads of `rows` rows; sin or -sin says which way. */
static void rotate(const ndl_kernels *k, float *x, const ndl_rope *rope, const float *sine, size_t first, size_t rows,
                   size_t heads, size_t hd)
{
	for (size_t i = 0; i < rows; i++) {
		size_t at = (size_t)rope->position[first + i] * (hd / 2);
		for (size_t h = 0; h < heads; h++)
			k->rope(x + (i * heads + h) * hd, rope->cos + at, sine + at, hd / 2);
	}
}

void ndl_rows_head_norm(ndl_exec *ex, float *y, float *inv, const float *x, const float *scale, size_t n,
                        size_t heads, size_t hd, const ndl_rope *rope, float gain)
{
	const ndl_kernels *k = ndl_exec_kernels(ex);
	size_t blocks = blocks_of(n);
#pragma omp parallel for num_threads(ndl_exec_threads(ex))
	for (size_t b = 0; b < blocks; b++) {
		size_t at = b * BLOCK, rows = rows_in(b, n), o = at * heads * hd;
		k->rmsnorm(y + o, inv + at * heads, x + o, scale, rows * heads, hd);
		if (rope)
			rotate(k, y + o, rope, rope->sin, at, rows, heads, hd);
		if (gain != 1)
			k->scale_add(y + o, gain, y + o, 0, y + o, rows * heads * hd);
	}
}

void ndl_rows_head_norm_backward(ndl_exec *ex, float *dx, float *dscale, float *dy, const float *x,
                                 const float *scale, const float *inv, size_t n, size_t heads, size_t hd,
                                 const ndl_rope *rope, float gain, float *partial)
{
	const ndl_kernels *k = ndl_exec_kernels(ex);
	size_t blocks = blocks_of(n);
#pragma omp parallel for num_threads(ndl_exec_threads(ex))
	for (size_t b = 0; b < blocks; b++) {
		size_t at = b * BLOCK, rows = rows_in(b, n), o = at * heads * hd;
		if (gain != 1)
			k->scale_add(dy + o, gain, dy + o, 0, dy + o, rows * heads * hd);
		if (rope)
			rotate(k, dy + o, rope, rope->minus_sin, at, rows, heads, hd);
		memset(partial + b * hd, 0, hd * sizeof *partial);
		k->rmsnorm_back(dx + o, partial + b * hd, dy + o, x + o, scale, inv + at * heads, rows * heads, hd);
	}
	add_partials(dscale, partial, blocks, hd);
}

void ndl_rows_scale_add(ndl_exec *ex, float *z, float a, const float *x, float b, const float *y, size_t n)
{
	enum { CHUNK = 1 << 14 };
	size_t chunks = (n + CHUNK - 1) / CHUNK;
#pragma omp parallel for num_threads(ndl_exec_threads(ex))
	for (size_t c = 0; c < chunks; c++) {
		size_t at = c * CHUNK;
		ndl_exec_kernels(ex)->scale_add(z + at, a, x + at, b, y + at, n - at < CHUNK ? n - at : CHUNK);
	}
}

double ndl_rows_dot(ndl_exec *ex, const float *a, const float *b, size_t n)
{
	enum { CHUNK = 4096, MOST = 4096 };
	const ndl_kernels *k = ndl_exec_kernels(ex);
	double total = 0;
	for (size_t first = 0; first < n; first += (size_t)CHUNK * MOST) {
		float part[MOST];
		size_t left = n - first, count = (left + CHUNK - 1) / CHUNK;
		if (count > MOST)
			count = MOST;
#pragma omp parallel for num_threads(ndl_exec_threads(ex))
		for (size_t c = 0; c < count; c++) {
			size_t at = first + c * CHUNK;
			part[c] = k->dot(a + at, b + at, n - at < CHUNK ? n - at : CHUNK);
		}
		for (size_t c = 0; c < count; c++)
			total += (double)part[c];
	}
	return total;
}
