/* linear.c - products with stored weights: row by row for a few inputs, packed for many. */
#include "tensor/weight_internal.h"

/* Up to this many rows of x each weight is used where it lies; beyond, packing pays. */
enum { FEW_ROWS = 4, COLS_AT_ONCE = 64 };

/* Bytes of n consecutive elements; NDL_W_I4 rows start on a byte. */
static size_t row_bytes(ndl_wtype type, size_t n)
{
	switch (type) {
	case NDL_W_F32:
		return 4 * n;
	case NDL_W_F16:
	case NDL_W_BF16:
		return 2 * n;
	case NDL_W_I8:
		return n;
	default:
		return n / 2 + n % 2;
	}
}

static const void *row_data(const ndl_weight *w, size_t r)
{
	return (const char *)w->data + r * row_bytes(w->type, w->out_major ? w->in : w->out);
}

static const uint16_t *row_scale(const ndl_weight *w, size_t r)
{
	return w->scale ? w->scale + r * (w->in / w->group) : NULL;
}

void ndl_weight_expand(const ndl_kernels *k, float *out, const ndl_weight *w, size_t r, size_t first, size_t n)
{
	k->row_expand[w->type](out, row_data(w, r), row_scale(w, r), w->group, first, n);
}

void ndl_weight_row(const ndl_exec *ex, float *out, const ndl_weight *w, size_t o)
{
	ndl_weight_expand(&ex->kernels, out, w, o, 0, w->in);
}

/* Outputs [o, end) for every row of x. */
static void few_out_major(const ndl_kernels *k, float *y, const float *x, size_t m, const ndl_weight *w,
                          size_t o, size_t end)
{
	for (; o < end; o++)
		for (size_t i = 0; i < m; i++)
			y[i * w->out + o] = k->row_dot[w->type](x + i * w->in, row_data(w, o), row_scale(w, o), w->group, w->in);
}

static void few_in_major(const ndl_kernels *k, float *y, const float *x, size_t m, const ndl_weight *w,
                         size_t o, size_t end)
{
	const char *column = (const char *)w->data + row_bytes(w->type, o);
	for (size_t i = 0; i < m; i++)
		k->col_sum[w->type](y + i * w->out + o, x + i * w->in, column, w->out, w->in, end - o);
}

typedef struct few_job {
	const ndl_kernels *k;
	float *y;
	const float *x;
	size_t m;
	const ndl_weight *w;
} few_job;

/* Pieces of a fixed size, so that a sum's shape never depends on the threads. */
static void few_piece(void *arg, size_t q, int thread)
{
	const few_job *j = arg;
	const ndl_weight *w = j->w;
	size_t o = q * COLS_AT_ONCE, end = w->out - o < COLS_AT_ONCE ? w->out : o + COLS_AT_ONCE;
	(void)thread;
	if (w->out_major)
		few_out_major(j->k, j->y, j->x, j->m, w, o, end);
	else
		few_in_major(j->k, j->y, j->x, j->m, w, o, end);
}

static void few_rows(ndl_exec *ex, float *y, const float *x, size_t m, const ndl_weight *w)
{
	few_job j = {&ex->kernels, y, x, m, w};
	size_t pieces = (w->out + COLS_AT_ONCE - 1) / COLS_AT_ONCE;
	ndl_exec_share(ex, (double)m * (double)w->in * (double)w->out > 5e5, pieces, few_piece, &j);
}

void ndl_exec_observe(ndl_exec *ex, ndl_observe_fn *fn, void *user)
{
	ex->observe = fn;
	ex->observe_user = user;
}

void ndl_linear(ndl_exec *ex, float *y, const float *x, size_t m, const ndl_weight *w)
{
	if (ex->observe)
		ex->observe(ex->observe_user, w, x, m);
	if (m <= FEW_ROWS)
		few_rows(ex, y, x, m, w);
	else
		ndl_gemm_weight(ex, y, x, m, w);
}
