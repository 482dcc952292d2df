/* bench_kernels.c - memory, dense products and products with stored weights. */
#include "cmd/bench.h"

#include "base/mem.h"
#include "base/rng.h"
#include "tensor/gemm.h"

#include <stdlib.h>
#include <string.h>

/* Memory ---------------------------------------------------------------------------------- */

enum { MEMORY_BYTES = 128 << 20, MEMORY_PIECES = 64 };

typedef struct memory_job {
	const ndl_kernels *k;
	const float *x;
	size_t piece; /* floats of half a piece */
	int threads;
	float sum[MEMORY_PIECES];
} memory_job;

static void run_memory(void *arg)
{
	memory_job *j = arg;
#ifdef _OPENMP
	#pragma omp parallel for num_threads(j->threads) schedule(static)
#endif
	for (int i = 0; i < MEMORY_PIECES; i++) {
		const float *x = j->x + (size_t)i * 2 * j->piece;
		j->sum[i] = j->k->dot(x, x + j->piece, j->piece);
	}
}

double bench_read_rate(const bench *b, size_t bytes, int threads, ndl_error *err)
{
	ndl_kernels k;
	memory_job j = {.k = &k, .piece = 1 + bytes / sizeof(float) / MEMORY_PIECES / 2, .threads = threads};
	size_t n = 2 * j.piece * MEMORY_PIECES;
	if (ndl_kernels_init(&k, NULL, err) != NDL_OK)
		return -1;
	float *x = ndl_alloc_huge(n, sizeof *x);
	if (!x)
		return ndl_fail_nomem(err, "the memory test");
	for (size_t i = 0; i < n; i++)
		x[i] = 1;
	j.x = x;
	double rate = (double)(n * sizeof *x) / bench_time(b, run_memory, &j) / 1e9;
	free(x);
	return rate;
}

static ndl_status memory_rows(bench *b, ndl_error *err)
{
	ndl_status status = NDL_OK;
	for (int t = 0; bench_wants(b, "memory read") && status == NDL_OK && t < 2 && b->threads[t]; t++) {
		double rate = bench_read_rate(b, MEMORY_BYTES, b->threads[t], err);
		status = rate < 0 ? err->code : bench_add(b, "memory read", "-", b->threads[t], rate, "GB/s", false, err);
	}
	return status;
}

bool bench_trains_only(const char *level)
{
	return strncmp(level, "avx512bf16", 10) == 0 || strncmp(level, "amx", 3) == 0; /* ",nodot" may follow */
}

/* Dense products -------------------------------------------------------------------------- */

typedef struct shape {
	const char *name;
	bool ta, tb;
	size_t m, n, k;
	float beta;
} shape;

/* As training meets them: tokens x width forward, the gradient of the input, the gradient of
 * the weights (a sum over tokens, added), the logits. */
static const shape shapes[] = {
	{"forward 4096x256x256", false, false, 4096, 256, 256, 0},
	{"forward 4096x512x512", false, false, 4096, 512, 512, 0},
	{"input gradient 4096x512x512", false, true, 4096, 512, 512, 0},
	{"weight gradient 512x512x4096", true, false, 512, 512, 4096, 1},
	{"logits 1024x8192x512", false, true, 1024, 8192, 512, 0},
};

typedef struct product_job {
	ndl_exec *x;
	const shape *s;
	const float *a, *b;
	float *c;
} product_job; /* a in the first third of the memory, b in the second, c in the third */

static void run_product(void *arg)
{
	const product_job *j = arg;
	const shape *s = j->s;
	ndl_gemm(j->x, s->ta, s->tb, s->m, s->n, s->k, 1, j->a, s->ta ? s->m : s->k, j->b, s->tb ? s->k : s->n, s->beta,
	         j->c, s->n);
}

/* The innermost loop on operands in the nearest cache: what the blocking around it could reach. */
typedef struct inner_job {
	const ndl_gemm_kernel *g;
	const void *a, *b;
	float *c;
} inner_job;

enum { INNER_DEPTH = 128, INNER_TIMES = 200 };

static void run_inner(void *arg)
{
	const inner_job *j = arg;
	j->g->begin();
	for (int i = 0; i < INNER_TIMES; i++)
		j->g->block(j->g->mr, j->g->nr, INNER_DEPTH, j->a, j->b, 1, false, j->c, j->g->nr);
	j->g->end();
}

double bench_inner_loop(const bench *b, const ndl_exec *x, ndl_error *err)
{
	const size_t panel = (size_t)INNER_DEPTH * NDL_GEMM_MAX_PANEL, tile = NDL_GEMM_MAX_PANEL * NDL_GEMM_MAX_PANEL;
	const ndl_kernels *k = ndl_exec_kernels(x);
	const ndl_gemm_kernel *g = ndl_exec_precision(x) == NDL_PRECISION_BF16 ? &k->gemm_bf16 : &k->gemm_f32;
	float *memory = ndl_alloc64(2 * panel + tile, sizeof *memory);
	if (!memory)
		return ndl_fail_nomem(err, "the operands");
	memset(memory, 0, (2 * panel + tile) * sizeof *memory);
	inner_job j = {g, memory, memory + panel, memory + 2 * panel};
	double flops = 2.0 * (double)(g->mr * g->nr) * INNER_DEPTH * INNER_TIMES;
	double rate = flops / bench_time(b, run_inner, &j) / 1e9;
	free(memory);
	return rate;
}

static ndl_status inner_row(bench *b, ndl_exec *x, const char *level, ndl_error *err)
{
	if (!bench_wants(b, "inner loop") || ndl_exec_threads(x) != 1)
		return NDL_OK;
	double rate = bench_inner_loop(b, x, err);
	return rate < 0 ? err->code : bench_add(b, "inner loop", level, 1, rate, "GFLOP/s", false, err);
}

static ndl_status product_rows(bench *b, ndl_exec *x, const char *level, float *memory, ndl_error *err)
{
	const size_t third = (size_t)8192 * 1024;
	ndl_status status = inner_row(b, x, level, err);
	for (size_t i = 0; status == NDL_OK && i < sizeof shapes / sizeof *shapes; i++) {
		const shape *s = &shapes[i];
		if (!bench_wants(b, s->name))
			continue;
		product_job j = {x, s, memory, memory + third, memory + 2 * third};
		memset(j.c, 0, s->m * s->n * sizeof *j.c);
		double flops = 2.0 * (double)s->m * (double)s->n * (double)s->k;
		status = bench_add(b, s->name, level, ndl_exec_threads(x), flops / bench_time(b, run_product, &j) / 1e9,
		                   "GFLOP/s", false, err);
	}
	return status;
}

/* Stored weights -------------------------------------------------------------------------- */

typedef struct linear_job {
	ndl_exec *x;
	ndl_weight w;
	const float *in;
	float *out;
} linear_job;

static void run_linear(void *arg)
{
	const linear_job *j = arg;
	ndl_linear(j->x, j->out, j->in, 1, &j->w);
}

/* Ordinary numbers of the type in the first part of `third` floats: arithmetic on what random bits
 * would mean as floats (subnormals, NaN) is slower. */
static void fill_weight(const ndl_kernels *k, ndl_weight *w, float *data, size_t third, const float *values)
{
	uint16_t *scale = (uint16_t *)(data + third / 2);
	if (w->type == NDL_W_F32)
		memcpy(data, values, w->in * w->out * sizeof *data);
	else if (w->type == NDL_W_F16)
		k->narrow_f16((uint16_t *)data, values, w->in * w->out);
	else if (w->type == NDL_W_BF16)
		k->narrow_bf16((uint16_t *)data, values, w->in * w->out);
	k->narrow_f16(scale, values, w->in * w->out / 32);
	w->data = data;
	if (w->type >= NDL_W_I8) {
		w->scale = scale;
		w->group = 32;
	}
}

static ndl_status linear_rows(bench *b, ndl_exec *x, const char *level, float *memory, ndl_error *err)
{
	static const char *const names[NDL_W_COUNT] = {"one row F32 512x8192", "one row F16 512x8192",
		"one row BF16 512x8192", "one row INT8 512x8192", "one row INT4 512x8192"};
	const size_t third = (size_t)8192 * 1024;
	ndl_status status = NDL_OK;
	for (int t = 0; status == NDL_OK && t < NDL_W_COUNT; t++) {
		if (!bench_wants(b, names[t]))
			continue;
		linear_job j = {x, {(ndl_wtype)t, true, 512, 8192, NULL, NULL, 0}, memory + third, memory + third / 4 * 11};
		fill_weight(ndl_exec_kernels(x), &j.w, memory + 2 * third, third, memory);
		double s = bench_time(b, run_linear, &j);
		status = bench_add(b, names[t], level, ndl_exec_threads(x), s * 1e6, "us", true, err);
	}
	return status;
}

static ndl_status level_rows(bench *b, const char *level, int threads, float *memory, ndl_error *err)
{
	ndl_exec *x = ndl_exec_new(threads, level, err);
	if (!x)
		return err->code;
	bool fast = ndl_exec_has_fast_bf16(x);
	if (fast)
		ndl_exec_set_precision(x, NDL_PRECISION_BF16);
	ndl_status status = product_rows(b, x, level, memory, err);
	if (status == NDL_OK && !fast) /* these are float32 arithmetic on every level */
		status = linear_rows(b, x, level, memory, err);
	ndl_exec_free(x);
	return status;
}

ndl_status bench_kernels(bench *b, ndl_error *err)
{
	const size_t floats = (size_t)3 * 8192 * 1024;
	ndl_status status = memory_rows(b, err);
	float *memory = status == NDL_OK ? ndl_alloc64(floats, sizeof *memory) : NULL;
	if (status == NDL_OK && !memory)
		status = ndl_fail_nomem(err, "the operands");
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	for (size_t i = 0; memory && i < floats; i++)
		memory[i] = (float)(ndl_rng_unit(&r) - 0.5);
	for (int l = 0; status == NDL_OK && b->levels[l]; l++)
		for (int t = 0; status == NDL_OK && t < 2 && b->threads[t]; t++)
			status = level_rows(b, b->levels[l], b->threads[t], memory, err);
	free(memory);
	return status;
}
