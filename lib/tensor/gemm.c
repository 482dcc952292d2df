/* gemm.c - blocking and threads of the dense product; the arithmetic is in lib/kernels.
 *
 * k is cut into blocks by its own length alone, and blocks are added to C in order, so neither
 * threads nor the shape of C change a sum. For each block the threads pack B together, wait for
 * each other, then take blocks of C: each packs its rows of A and multiplies. Two buffers for
 * B, used in turn, make that one wait a block. */
#include "tensor/exec_internal.h"
#include "tensor/weight_internal.h"

#include <string.h>

typedef struct product {
	const ndl_gemm_kernel *g;
	bool ta, tb, add;
	size_t m, n, k;
	float alpha;
	const float *a, *b;
	size_t lda, ldb;
	float *c;
	size_t ldc;
	const ndl_kernels *kernels;
	const ndl_weight *w; /* when B is a stored weight; b, ldb and tb are then unused */
} product;

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t div_up(size_t a, size_t b)
{
	return (a + b - 1) / b;
}

/* Depth of the k-blocks: as equal as the kernel's unit allows. */
static size_t block_depth(const ndl_gemm_kernel *g, size_t k)
{
	size_t blocks = div_up(k, g->kc);
	return blocks > 1 ? div_up(div_up(k, blocks), g->ku) * g->ku : k;
}

/* C = beta C, for what the kernels do not do. */
static void scale(float *c, size_t ldc, size_t m, size_t n, float beta)
{
	for (size_t i = 0; i < m; i++) {
		if (beta == 0)
			memset(c + i * ldc, 0, n * sizeof *c);
		else
			for (size_t j = 0; j < n; j++)
				c[i * ldc + j] *= beta;
	}
}

/* False if nothing is left to do. */
static bool prepare(product *p, float beta)
{
	if (p->m == 0 || p->n == 0)
		return false;
	bool empty = p->k == 0 || p->alpha == 0;
	if (beta != 1 && (beta != 0 || empty))
		scale(p->c, p->ldc, p->m, p->n, beta);
	p->add = beta != 0;
	return !empty;
}

static size_t panel_bytes(const ndl_gemm_kernel *g, size_t k)
{
	return div_up(k, g->ku) * g->ku * g->nr * g->elem;
}

/* Packs columns [j, j + n) of steps [k0, k0 + k) of a weight, one panel at a time: it is made
 * float32 in `wide`, in the order it is stored, and packed from there. */
static void pack_weight(const product *p, char *dst, float *wide, size_t j, size_t n, size_t k0, size_t k)
{
	const ndl_gemm_kernel *g = p->g;
	for (size_t q = 0; q < n; q += g->nr, dst += panel_bytes(g, k)) {
		size_t cols = min(n - q, g->nr);
		if (p->w->out_major)
			for (size_t i = 0; i < cols; i++)
				ndl_weight_expand(p->kernels, wide + i * k, p->w, j + q + i, k0, k);
		else
			for (size_t i = 0; i < k; i++)
				ndl_weight_expand(p->kernels, wide + i * cols, p->w, k0 + i, j + q, cols);
		g->pack_b(dst, wide, p->w->out_major ? k : cols, !p->w->out_major, cols, k);
	}
}

/* Packs columns [j, j + n) of steps [k0, k0 + k) of B. */
static void pack_b(const product *p, const ndl_scratch *s, void *dst, size_t j, size_t n, size_t k0, size_t k)
{
	if (p->w) {
		pack_weight(p, dst, s->wide, j, n, k0, k);
		return;
	}
	const float *src = p->tb ? p->b + j * p->ldb + k0 : p->b + k0 * p->ldb + j;
	p->g->pack_b(dst, src, p->ldb, !p->tb, n, k);
}

/* Rows [i, i + m) and columns [j, j + n) of C for one k-block; b: those columns, packed. */
static void multiply(const product *p, void *a, size_t i, size_t m, const void *b, size_t j, size_t n,
                     size_t k0, size_t k)
{
	const float *src = p->ta ? p->a + k0 * p->lda + i : p->a + i * p->lda + k0;
	p->g->pack_a(a, src, p->lda, p->ta, m, k);
	p->g->block(m, n, k, a, b, p->alpha, p->add || k0 > 0, p->c + i * p->ldc + j, p->ldc);
}

static void run_serial(const product *p, const ndl_scratch *s)
{
	const ndl_gemm_kernel *g = p->g;
	size_t depth = block_depth(g, p->k);
	g->begin();
	for (size_t j = 0; j < p->n; j += NDL_EXEC_NC_SERIAL)
		for (size_t k0 = 0; k0 < p->k; k0 += depth) {
			size_t n = min(p->n - j, NDL_EXEC_NC_SERIAL), k = min(p->k - k0, depth);
			pack_b(p, s, s->b, j, n, k0, k);
			for (size_t i = 0; i < p->m; i += g->mc)
				multiply(p, s->a, i, min(p->m - i, g->mc), s->b, j, n, k0, k);
		}
	g->end();
}

/* How one k-block of up to NDL_EXEC_NC columns of C is cut: into rows x cols pieces of
 * mb x nb, enough for the threads there are. */
typedef struct cut {
	size_t mb, nb, rows, cols;
} cut;

static cut cut_for(const product *p, size_t n, size_t threads)
{
	const ndl_gemm_kernel *g = p->g;
	size_t rows = div_up(div_up(p->m, g->mc), threads) * threads;
	cut c;
	c.mb = div_up(div_up(p->m, rows), g->mr) * g->mr;
	c.rows = div_up(p->m, c.mb);
	size_t cols = div_up(threads, c.rows);
	c.nb = div_up(div_up(n, cols), g->nr) * g->nr;
	c.cols = div_up(n, c.nb);
	return c;
}

/* One k-block of up to NDL_EXEC_NC columns. */
typedef struct block {
	ndl_exec *x;
	const product *p;
	char *b; /* its columns of B, packed */
	size_t j, n, k0, k;
	cut c;
} block;

enum { PANELS_AT_ONCE = 4 };

static size_t pack_pieces(const block *b)
{
	return div_up(b->n, PANELS_AT_ONCE * b->p->g->nr);
}

static void pack_piece(void *arg, size_t i, int thread)
{
	const block *b = arg;
	size_t q = i * PANELS_AT_ONCE * b->p->g->nr;
	pack_b(b->p, &b->x->scratch[thread], b->b + q / b->p->g->nr * panel_bytes(b->p->g, b->k), b->j + q,
	       min(b->n - q, PANELS_AT_ONCE * b->p->g->nr), b->k0, b->k);
}

static void compute_piece(void *arg, size_t w, int thread)
{
	const block *b = arg;
	size_t i = w / b->c.cols * b->c.mb, q = w % b->c.cols * b->c.nb;
	multiply(b->p, b->x->scratch[thread].a, i, min(b->p->m - i, b->c.mb), b->b + q / b->p->g->nr * panel_bytes(b->p->g, b->k),
	         b->j + q, min(b->n - q, b->c.nb), b->k0, b->k);
}

/* A weight, by the threads that networks run on (exec.h). */
static void run_shared(ndl_exec *x, const product *p)
{
	const size_t depth = block_depth(p->g, p->k);
	for (size_t j = 0; j < p->n; j += NDL_EXEC_NC)
		for (size_t k0 = 0; k0 < p->k; k0 += depth) {
			block b = {x, p, x->b[0], j, min(p->n - j, NDL_EXEC_NC), k0, min(p->k - k0, depth), {0}};
			b.c = cut_for(p, b.n, (size_t)x->threads);
			ndl_exec_share(x, true, pack_pieces(&b), pack_piece, &b);
			ndl_exec_share(x, true, b.c.rows * b.c.cols, compute_piece, &b);
		}
}

/* Below this many multiplications waking threads costs more than it saves. */
static bool worth_threads(const ndl_exec *x, const product *p)
{
	return x->threads > 1 && (double)p->m * (double)p->n * (double)p->k > 2e6;
}

#ifdef _OPENMP
#include <omp.h>

static void run_parallel(ndl_exec *x, const product *p)
{
	const ndl_gemm_kernel *g = p->g;
	const size_t depth = block_depth(g, p->k);
	#pragma omp parallel num_threads(x->threads)
	{
		int turn = 0;
		g->begin();
		for (size_t j = 0; j < p->n; j += NDL_EXEC_NC)
			for (size_t k0 = 0; k0 < p->k; k0 += depth, turn ^= 1) {
				block b = {x, p, x->b[turn], j, min(p->n - j, NDL_EXEC_NC), k0, min(p->k - k0, depth), {0}};
				b.c = cut_for(p, b.n, (size_t)omp_get_num_threads());
				#pragma omp for schedule(static)
				for (size_t i = 0; i < pack_pieces(&b); i++)
					pack_piece(&b, i, omp_get_thread_num());
				#pragma omp for schedule(static) nowait
				for (size_t i = 0; i < b.c.rows * b.c.cols; i++)
					compute_piece(&b, i, omp_get_thread_num());
			}
		g->end();
	}
}
#endif

static void run(ndl_exec *x, const product *p)
{
	if (worth_threads(x, p) && p->w) {
		run_shared(x, p);
		return;
	}
#ifdef _OPENMP
	if (worth_threads(x, p) && omp_get_active_level() < omp_get_max_active_levels()) {
		run_parallel(x, p);
		return;
	}
#endif
	run_serial(p, &x->scratch[0]);
}

void ndl_gemm(ndl_exec *x, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
              const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
	product p = {ndl_exec_gemm(x), ta, tb, false, m, n, k, alpha, a, b, lda, ldb, c, ldc, &x->kernels, NULL};
	if (prepare(&p, beta))
		run(x, &p);
}

void ndl_gemm_serial(ndl_exec *x, int thread, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                     const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                     size_t ldc)
{
	product p = {ndl_exec_gemm(x), ta, tb, false, m, n, k, alpha, a, b, lda, ldb, c, ldc, &x->kernels, NULL};
	if (prepare(&p, beta))
		run_serial(&p, &x->scratch[thread]);
}

void ndl_gemm_weight(ndl_exec *x, float *y, const float *a, size_t m, const ndl_weight *w)
{
	product p = {&x->kernels.gemm_f32, false, false, false, m, w->out, w->in, 1, a, NULL, w->in, 0, y, w->out,
		&x->kernels, w};
	if (prepare(&p, 0))
		run(x, &p);
}
