#include "train/optimiser.h"

#include "base/mem.h"
#include "tensor/gemm.h"
#include "train/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#else
#define omp_get_thread_num() 0
#endif

double ndl_schedule_factor(const ndl_schedule *s, uint64_t step)
{
	const double pi = 3.14159265358979323846;
	if (step < s->warmup)
		return (double)step / (double)s->warmup;
	if (s->decay == 0 || step + s->decay < s->total)
		return 1.0;
	double t = (double)(step + s->decay - s->total) / (double)s->decay;
	if (t > 1)
		t = 1;
	return s->floor + (1 - s->floor) * 0.5 * (1 + cos(pi * t));
}

ndl_status ndl_optimiser_init(ndl_optimiser *opt, const ndl_params *ps, const ndl_optimiser_options *o, ndl_error *err)
{
	*opt = (ndl_optimiser){.ps = ps, .o = *o};
	opt->m = ndl_params_new(ps);
	opt->v = ndl_params_new(ps);
	if (!opt->m || !opt->v) {
		ndl_optimiser_clear(opt);
		return ndl_fail_nomem(err, "optimiser state");
	}
	return NDL_OK;
}

void ndl_optimiser_clear(ndl_optimiser *opt)
{
	free(opt->m);
	free(opt->v);
	free(opt->scratch);
	*opt = (ndl_optimiser){0};
}

size_t ndl_newton_schulz_scratch(size_t rows, size_t cols)
{
	size_t small = rows < cols ? rows : cols;
	return rows * cols + 2 * small * small;
}

/* Floats of scratch that one thread needs for any kernel of ps: the update and what makes it. */
static size_t muon_scratch(const ndl_params *ps)
{
	size_t most = 0;
	for (int id = 0; id < NDL_P_COUNT; id++) {
		const ndl_slot *p = &ps->p[id];
		if (p->kind == NDL_PARAM_KERNEL && p->size) {
			size_t need = ndl_newton_schulz_scratch(p->rows, p->cols) + p->rows * p->cols;
			most = need > most ? need : most;
		}
	}
	return most;
}

static void transpose(float *out, size_t ldo, const float *in, size_t ldi, size_t rows, size_t cols)
{
	enum { TILE = 16 };
	for (size_t i0 = 0; i0 < rows; i0 += TILE)
		for (size_t j0 = 0; j0 < cols; j0 += TILE)
			for (size_t i = i0; i < i0 + TILE && i < rows; i++)
				for (size_t j = j0; j < j0 + TILE && j < cols; j++)
					out[j * ldo + i] = in[i * ldi + j];
}

/* s[n, n] = beta s + alpha y y^T, s symmetric before and after. What lies below the blocks on the diagonal is copied from
 * above: sums of the same products in the same order. */
static void symmetric_product(ndl_exec *x, int thread, float *s, float beta, const float *y, size_t n, size_t m, float alpha)
{
	enum { ROWS = 96 };
	for (size_t i = 0; i < n; i += ROWS) {
		size_t rows = n - i < ROWS ? n - i : ROWS, after = i + rows;
		ndl_gemm_serial(x, thread, false, true, rows, n - i, m, alpha, y + i * m, m, y + i * m, m, beta, s + i * n + i, n);
		transpose(s + after * n + i, n, s + i * n + after, n, rows, n - after);
	}
}

void ndl_newton_schulz(ndl_exec *x, int thread, float *out, const float *g, size_t rows, size_t cols, float *scratch)
{
	const float a = 3.4445f, b = -4.7750f, c = 2.0315f;
	bool tall = rows > cols;
	size_t n = tall ? cols : rows, m = tall ? rows : cols; /* work on [n, m], n <= m */
	float *cur = out, *next = scratch, *gram = scratch + rows * cols, *poly = gram + n * n;
	float inv = 1.0f / ((float)sqrt(ndl_rows_dot(x, g, g, rows * cols)) + 1e-7f);
	if (tall)
		transpose(next, rows, g, cols, rows, cols);
	const float *from = tall ? next : g;
	for (size_t i = 0; i < rows * cols; i++)
		cur[i] = from[i] * inv;
	for (int step = 0; step < 5; step++) {
		symmetric_product(x, thread, gram, 0, cur, n, m, 1);
		memcpy(poly, gram, n * n * sizeof *poly);
		symmetric_product(x, thread, poly, b, gram, n, n, c);
		memcpy(next, cur, rows * cols * sizeof *next);
		ndl_gemm_serial(x, thread, false, false, n, m, n, 1, poly, n, cur, m, a, next, m);
		float *t = cur;
		cur = next;
		next = t;
	}
	/* five swaps: the result lies in the scratch half */
	if (tall)
		transpose(out, cols, cur, rows, cols, rows);
	else
		memcpy(out, cur, rows * cols * sizeof *out);
}

/* One kernel. Orthogonalise first, then momentum (Nesterov), then decoupled decay: upstream's order (SPEC 10). */
static void muon(ndl_optimiser *opt, ndl_exec *x, int thread, const ndl_slot *p, size_t layer, float *w, const float *grad,
                 double factor)
{
	size_t n = p->rows * p->cols, at = p->offset + layer * n;
	float lr = (float)(opt->o.muon_lr * factor), mu = (float)opt->o.muon_momentum, decay = (float)opt->o.weight_decay;
	float *u = opt->scratch + (size_t)thread * muon_scratch(opt->ps), *m = opt->m + at, *wl = w + at;
	ndl_newton_schulz(x, thread, u, grad + at, p->rows, p->cols, u + n);
	for (size_t i = 0; i < n; i++) {
		m[i] = mu * m[i] + u[i];
		wl[i] -= lr * (u[i] + mu * m[i] + decay * wl[i]);
	}
}

/* All kernels, whole ones shared out: they are too small for several threads each. */
static void muon_all(ndl_optimiser *opt, ndl_exec *x, float *w, const float *grad, double factor,
                     const unsigned char *frozen)
{
	for (int id = 0; id < NDL_P_COUNT; id++) {
		const ndl_slot *p = &opt->ps->p[id];
		if (p->kind != NDL_PARAM_KERNEL || p->size == 0 || (frozen && frozen[id]))
			continue;
#pragma omp parallel for schedule(dynamic, 1) num_threads(ndl_exec_threads(x))
		for (size_t l = 0; l < p->copies; l++)
			muon(opt, x, omp_get_thread_num(), p, l, w, grad, factor);
	}
}

void ndl_adam(ndl_exec *x, float *w, float *m, float *v, const float *grad, size_t n, const ndl_optimiser_options *o,
              uint64_t step, double lr_factor)
{
	enum { BLOCK = 4096 };
	double t = (double)step + 1;
	float rate = (float)(o->adam_lr * lr_factor / (1 - pow(o->adam_b1, t)));
	float root = (float)(1 / sqrt(1 - pow(o->adam_b2, t)));
#pragma omp parallel for num_threads(ndl_exec_threads(x))
	for (size_t at = 0; at < n; at += BLOCK)
		ndl_exec_kernels(x)->adam(w + at, m + at, v + at, grad + at, (float)o->adam_b1, (float)o->adam_b2, rate, root,
		                          (float)o->adam_eps, n - at < BLOCK ? n - at : BLOCK);
}

double ndl_clip_gradient(ndl_exec *x, float *grad, size_t n, const ndl_optimiser_options *o)
{
	double norm = sqrt(ndl_rows_dot(x, grad, grad, n));
	if (isfinite(norm) && o->clip_norm > 0 && norm > o->clip_norm)
		ndl_rows_scale_add(x, grad, (float)(o->clip_norm / norm), grad, 0, grad, n);
	return norm;
}

double ndl_optimiser_step(ndl_optimiser *opt, ndl_exec *x, float *params, float *grad, double lr_factor,
                          const unsigned char *frozen)
{
	const ndl_params *ps = opt->ps;
	size_t scratch = (size_t)ndl_exec_threads(x) * muon_scratch(ps);
	if (ndl_grow(&opt->scratch, &opt->scratch_cap, scratch, sizeof(float)) < 0)
		return -1;
	double norm = ndl_clip_gradient(x, grad, ps->total, &opt->o);
	if (!isfinite(norm))
		return norm;
	muon_all(opt, x, params, grad, lr_factor, frozen);
	for (int id = 0; id < NDL_P_COUNT; id++) {
		const ndl_slot *p = &ps->p[id];
		if (p->kind != NDL_PARAM_KERNEL && p->size && !(frozen && frozen[id]))
			ndl_adam(x, params + p->offset, opt->m + p->offset, opt->v + p->offset, grad + p->offset, p->size, &opt->o,
			         opt->step, lr_factor);
	}
	opt->step++;
	return norm;
}
