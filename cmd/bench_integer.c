/* bench_integer.c - what this processor's arithmetic can do at most, and products of rounded inputs beside it. */
#include "cmd/bench.h"

#include "base/mem.h"
#include "base/rng.h"
#include "tensor/integer.h"

#include <stdlib.h>

/* Peaks ----------------------------------------------------------------------------------- */

enum { PEAK_TIMES = 20000 };

typedef struct peak_job {
	const ndl_kernels *k;
	int threads;
	bool integer;
	double sum; /* so that it is needed */
} peak_job;

static void run_peak(void *arg)
{
	peak_job *j = arg;
	double sum = 0;
#ifdef _OPENMP
	#pragma omp parallel for num_threads(j->threads) schedule(static) reduction(+:sum)
#endif
	for (int i = 0; i < j->threads; i++)
		sum += j->integer ? (double)j->k->integer.peak(PEAK_TIMES) : (double)j->k->peak(PEAK_TIMES);
	j->sum = sum;
}

static double peak_rate(const bench *b, const ndl_exec *x, bool integer)
{
	peak_job j = {ndl_exec_kernels(x), ndl_exec_threads(x), integer, 0};
	double products = (double)(integer ? j.k->integer.peak_products : j.k->peak_products) * PEAK_TIMES * j.threads;
	return 2 * products / bench_time(b, run_peak, &j) / 1e9;
}

static ndl_status peak_rows(bench *b, const ndl_exec *x, const char *level, ndl_error *err)
{
	static const char *const names[] = {"peak, float32", "peak, integers"}, *const units[] = {"GFLOP/s", "GOP/s"};
	ndl_status status = NDL_OK;
	for (int i = 0; i < 2 && status == NDL_OK; i++)
		if (bench_wants(b, names[i]))
			status = bench_add(b, names[i], level, ndl_exec_threads(x), peak_rate(b, x, i == 1), units[i], false, err);
	return status;
}

/* Products -------------------------------------------------------------------------------- */

/* rows x in x out: prompts through a layer of a small model and of the published one; the logits of one token. */
static const struct shape { size_t m, in, out; } shapes[] = {
	{200, 256, 256}, {1024, 512, 512}, {1, 512, 8192},
};
enum { MOST_ROWS = 1024, MOST_IN = 512, MOST_OUT = 8192, MOST_Y = MOST_ROWS * 512 };

typedef struct product_job {
	ndl_exec *x;
	ndl_weight w;
	ndl_inputs in;
	float *values, *y;
	void *codes, *rows;
	uint16_t *scales;
} product_job;

static void run_product(void *arg)
{
	product_job *j = arg;
	const ndl_product p = {j->y, &j->w};
	ndl_linear_all(j->x, &p, 1, &j->in);
}

/* The rate, and its share of what the machine can do at most: multiplications for many rows, reading for one. */
static ndl_status product_row(bench *b, product_job *j, const struct shape *s, const char *level, ndl_error *err)
{
	char name[56], share[64];
	int threads = ndl_exec_threads(j->x);
	snprintf(name, sizeof name, "integers %zux%zux%zu %s", s->m, s->in, s->out, j->w.type == NDL_W_I4 ? "INT4" : "INT8");
	snprintf(share, sizeof share, "%s, share", name);
	if (!bench_wants_any(b, (const char *const[]){name, share, NULL}))
		return NDL_OK;
	ndl_inputs_set(j->x, &j->in, j->values, s->m, NULL, NULL, &j->w);
	double seconds = bench_time(b, run_product, j);
	double bytes = (double)(s->in * s->out) * (j->w.type == NDL_W_I4 ? 0.5 : 1) + (double)(s->in * s->out / 32 * 2);
	bool one = s->m == 1;
	double rate = (one ? bytes : 2.0 * (double)(s->m * s->in * s->out)) / seconds / 1e9;
	double most = one ? bench_read_rate(b, (size_t)bytes, threads, err) : peak_rate(b, j->x, true);
	if (most < 0)
		return err->code;
	ndl_status status = bench_add(b, name, level, threads, rate, one ? "GB/s" : "GOP/s", false, err);
	return status == NDL_OK ? bench_add(b, share, level, threads, 100 * rate / most, "%", false, err) : status;
}

static ndl_status product_rows(bench *b, product_job *j, const char *level, ndl_error *err)
{
	static const ndl_wtype types[] = {NDL_W_I4, NDL_W_I8};
	ndl_status status = NDL_OK;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (int t = 0; t < 2 && status == NDL_OK; t++) {
			const struct shape *s = &shapes[i];
			j->w = (ndl_weight){types[t], true, s->in, s->out, j->codes, j->scales, 32};
			j->in = (ndl_inputs){.rows = ndl_int_rows_in(j->rows, s->m, s->in)};
			status = product_row(b, j, s, level, err);
		}
	return status;
}

static ndl_status open_job(product_job *j, ndl_error *err)
{
	const size_t scales = (size_t)MOST_IN / 32 * MOST_OUT, codes = (size_t)MOST_IN * MOST_OUT;
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	j->values = ndl_alloc64((size_t)MOST_ROWS * MOST_IN, sizeof *j->values);
	j->y = ndl_alloc64(MOST_Y, sizeof *j->y);
	j->codes = ndl_alloc64(codes, 1);
	j->rows = ndl_alloc64(ndl_int_rows_bytes(MOST_ROWS, MOST_IN), 1);
	j->scales = ndl_alloc64(scales, sizeof *j->scales);
	if (!j->values || !j->y || !j->codes || !j->rows || !j->scales)
		return ndl_fail_nomem(err, "the operands");
	for (size_t i = 0; i < (size_t)MOST_ROWS * MOST_IN; i++)
		j->values[i] = (float)(ndl_rng_unit(&r) - 0.5);
	for (size_t i = 0; i < codes; i++)
		((unsigned char *)j->codes)[i] = (unsigned char)ndl_rng_u64(&r);
	for (size_t i = 0; i < scales; i++)
		j->scales[i] = ndl_f16_from_f32(0.01f);
	return NDL_OK;
}

static void close_job(product_job *j)
{
	free(j->values);
	free(j->y);
	free(j->codes);
	free(j->rows);
	free(j->scales);
}

/* A level: those that differ only in what training uses have the same integer products. */
static ndl_status level_rows(bench *b, product_job *j, const char *level, int threads, ndl_error *err)
{
	j->x = ndl_exec_new(threads, level, err);
	if (!j->x)
		return err->code;
	ndl_exec_set_precision(j->x, NDL_PRECISION_INT8);
	ndl_status status = peak_rows(b, j->x, level, err);
	if (status == NDL_OK)
		status = product_rows(b, j, level, err);
	ndl_exec_free(j->x);
	return status;
}

ndl_status bench_integers(bench *b, ndl_error *err)
{
	product_job j = {0};
	ndl_status status = open_job(&j, err);
	for (int l = 0; b->levels[l]; l++)
		for (int t = 0; status == NDL_OK && t < 2 && b->threads[t] && !bench_trains_only(b->levels[l]); t++)
			status = level_rows(b, &j, b->levels[l], b->threads[t], err);
	close_job(&j);
	return status;
}
