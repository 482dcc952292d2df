#include "train/lora.h"

#include "base/mem.h"
#include "tensor/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* s: the factors may stay small. */
static const float gain = 2.0f;

static bool has_factors(const ndl_slot *p, int id)
{
	return p->kind == NDL_PARAM_KERNEL && p->size > 0 && id < NDL_P_CL_HIDDEN;
}

/* Calls visit(…, A, B, …) for every layer of every kernel, in order. */
typedef void visit_fn(const ndl_lora *l, ndl_exec *x, const ndl_slot *p, size_t at, size_t a, size_t b, void *user);

static size_t for_each(const ndl_lora *l, ndl_exec *x, visit_fn *visit, void *user)
{
	size_t next = 0;
	for (int id = 0; id < NDL_P_COUNT; id++) {
		const ndl_slot *p = &l->ps->p[id];
		if (!has_factors(p, id))
			continue;
		for (size_t i = 0; i < p->copies; i++) {
			size_t a = next, b = a + p->rows * l->rank;
			next = b + l->rank * p->cols;
			if (visit)
				visit(l, x, p, p->offset + i * p->rows * p->cols, a, b, user);
		}
	}
	return next;
}

static void init_one(const ndl_lora *l, ndl_exec *x, const ndl_slot *p, size_t at, size_t a, size_t b, void *user)
{
	ndl_rng *r = user;
	double std = 1 / sqrt((double)p->rows);
	(void)x;
	(void)at;
	for (size_t i = a; i < b; i++)
		l->ab[i] = (float)(std * ndl_rng_normal(r));
}

ndl_status ndl_lora_init(ndl_lora *l, const ndl_params *ps, const float *base, size_t rank, uint64_t seed, ndl_error *err)
{
	ndl_rng r;
	*l = (ndl_lora){.ps = ps, .rank = rank};
	l->total = for_each(l, NULL, NULL, NULL);
	l->ab = ndl_calloc(l->total, sizeof(float));
	l->m = ndl_calloc(l->total, sizeof(float));
	l->v = ndl_calloc(l->total, sizeof(float));
	l->grad = ndl_calloc(l->total, sizeof(float));
	l->base = ndl_params_new(ps);
	if (!l->ab || !l->m || !l->v || !l->grad || !l->base) {
		ndl_lora_clear(l);
		return ndl_fail_nomem(err, "low-rank factors");
	}
	memcpy(l->base, base, ps->total * sizeof *base);
	ndl_rng_seed(&r, seed, 2000);
	for_each(l, NULL, init_one, &r);
	return NDL_OK;
}

void ndl_lora_clear(ndl_lora *l)
{
	free(l->ab);
	free(l->m);
	free(l->v);
	free(l->grad);
	free(l->base);
	*l = (ndl_lora){0};
}

static void merge_one(const ndl_lora *l, ndl_exec *x, const ndl_slot *p, size_t at, size_t a, size_t b, void *user)
{
	float *w = user;
	ndl_gemm(x, false, false, p->rows, p->cols, l->rank, gain, l->ab + a, l->rank, l->ab + b, p->cols, 1, w + at, p->cols);
}

void ndl_lora_merge(const ndl_lora *l, ndl_exec *x, float *w)
{
	memcpy(w, l->base, l->ps->total * sizeof *w);
	for_each(l, x, merge_one, w);
}

/* dA = s dW B^T, dB = s A^T dW. */
static void gradient_one(const ndl_lora *l, ndl_exec *x, const ndl_slot *p, size_t at, size_t a, size_t b, void *user)
{
	const float *g = (const float *)user + at;
	ndl_gemm(x, false, true, p->rows, l->rank, p->cols, gain, g, p->cols, l->ab + b, p->cols, 0, l->grad + a, l->rank);
	ndl_gemm(x, true, false, l->rank, p->cols, p->rows, gain, l->ab + a, l->rank, g, p->cols, 0, l->grad + b, p->cols);
}

double ndl_lora_step(ndl_lora *l, ndl_exec *x, const float *grad, const ndl_optimiser_options *o, uint64_t step,
                     double lr_factor)
{
	for_each(l, x, gradient_one, (void *)(uintptr_t)grad);
	double norm = ndl_clip_gradient(x, l->grad, l->total, o);
	if (isfinite(norm))
		ndl_adam(x, l->ab, l->m, l->v, l->grad, l->total, o, step, lr_factor);
	return norm;
}
