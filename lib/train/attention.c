#include "train/attention.h"

#include "tensor/gemm.h"

#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#else
#define omp_get_thread_num() 0
#endif

size_t ndl_batch_attention_scratch(size_t max_q, size_t max_k)
{
	return 2 * ((max_q * max_k + 15) / 16 * 16);
}

size_t ndl_longest_sequence(const size_t *off, size_t n)
{
	size_t best = 0;
	for (size_t s = 0; s < n; s++)
		if (off[s + 1] - off[s] > best)
			best = off[s + 1] - off[s];
	return best;
}

static size_t scratch_of(const ndl_batch_attention *a)
{
	return ndl_batch_attention_scratch(ndl_longest_sequence(a->q_off, a->n),
	                                   ndl_longest_sequence(a->k_off, a->n));
}

/* One (sequence, kv head): where its slices begin. */
typedef struct slice {
	size_t nq, nk;   /* queries, keys */
	size_t q0, k0;   /* first token */
	size_t group;    /* q heads that share the kv head */
	size_t first;    /* first of them */
	size_t q_stride, k_stride;
	size_t kv_at;    /* offset of the kv head in k and v */
} slice;

static slice slice_of(const ndl_batch_attention *a, size_t item)
{
	size_t s = item / a->kv_heads, g = item % a->kv_heads;
	slice c;
	c.q0 = a->q_off[s];
	c.k0 = a->k_off[s];
	c.nq = a->q_off[s + 1] - c.q0;
	c.nk = a->k_off[s + 1] - c.k0;
	c.group = a->heads / a->kv_heads;
	c.first = g * c.group;
	c.q_stride = a->heads * a->hd;
	c.k_stride = a->kv_heads * a->hd;
	c.kv_at = c.k0 * c.k_stride + g * a->hd;
	return c;
}

/* Keys that query i may see. */
static size_t visible(const ndl_batch_attention *a, const slice *c, size_t i)
{
	return a->causal ? i + 1 : c->nk;
}

/* p = softmax(q k^T) of one head, zero where a query may not look. */
static void probabilities(ndl_exec *x, const ndl_batch_attention *a, const slice *c, float *p, const float *q,
                          const float *k)
{
	ndl_gemm_serial(x, omp_get_thread_num(), false, true, c->nq, c->nk, a->hd, 1, q, c->q_stride, k, c->k_stride,
	                0, p, c->nk);
	for (size_t i = 0; i < c->nq; i++) {
		size_t n = visible(a, c, i);
		ndl_exec_kernels(x)->softmax(p + i * c->nk, n);
		memset(p + i * c->nk + n, 0, (c->nk - n) * sizeof *p);
	}
}

static void forward_item(ndl_exec *x, const ndl_batch_attention *a, size_t item, float *p, float *o, const float *q,
                         const float *k, const float *v)
{
	slice c = slice_of(a, item);
	for (size_t h = c.first; h < c.first + c.group; h++) {
		size_t at = c.q0 * c.q_stride + h * a->hd;
		probabilities(x, a, &c, p, q + at, k + c.kv_at);
		ndl_gemm_serial(x, omp_get_thread_num(), false, false, c.nq, a->hd, c.nk, 1, p, c.nk, v + c.kv_at,
		                c.k_stride, 0, o + at, c.q_stride);
	}
}

void ndl_batch_attention_forward(ndl_exec *x, const ndl_batch_attention *a, float *o, const float *q,
                                 const float *k, const float *v)
{
	size_t items = a->n * a->kv_heads, per_thread = scratch_of(a);
#pragma omp parallel for schedule(dynamic) num_threads(ndl_exec_threads(x))
	for (size_t item = 0; item < items; item++)
		forward_item(x, a, item, a->scratch + (size_t)omp_get_thread_num() * per_thread, o, q, k, v);
}

/* With p the probabilities and dp = d_o v^T: ds = softmax_back(dp), dv = p^T d_o, dk = ds^T q,
 * dq = ds k. */
static void backward_item(ndl_exec *x, const ndl_batch_attention *a, size_t item, float *p, float *dp,
                          float *dq, float *dk, float *dv, const float *d_o, const float *q, const float *k,
                          const float *v)
{
	slice c = slice_of(a, item);
	int thread = omp_get_thread_num();
	for (size_t h = c.first; h < c.first + c.group; h++) {
		size_t at = c.q0 * c.q_stride + h * a->hd;
		float beta = h == c.first ? 0.0f : 1.0f; /* the group's heads add up in order */
		probabilities(x, a, &c, p, q + at, k + c.kv_at);
		ndl_gemm_serial(x, thread, false, true, c.nq, c.nk, a->hd, 1, d_o + at, c.q_stride, v + c.kv_at, c.k_stride,
		                0, dp, c.nk);
		for (size_t i = 0; i < c.nq; i++) {
			float *row = dp + i * c.nk;
			size_t n = visible(a, &c, i);
			ndl_exec_kernels(x)->softmax_back(row, p + i * c.nk, row, n);
			memset(row + n, 0, (c.nk - n) * sizeof *row);
		}
		ndl_gemm_serial(x, thread, true, false, c.nk, a->hd, c.nq, 1, p, c.nk, d_o + at, c.q_stride, beta,
		                dv + c.kv_at, c.k_stride);
		ndl_gemm_serial(x, thread, true, false, c.nk, a->hd, c.nq, 1, dp, c.nk, q + at, c.q_stride, beta,
		                dk + c.kv_at, c.k_stride);
		ndl_gemm_serial(x, thread, false, false, c.nq, a->hd, c.nk, 1, dp, c.nk, k + c.kv_at, c.k_stride, 0,
		                dq + at, c.q_stride);
	}
}

void ndl_batch_attention_backward(ndl_exec *x, const ndl_batch_attention *a, float *dq, float *dk, float *dv,
                                  const float *d_o, const float *q, const float *k, const float *v)
{
	size_t items = a->n * a->kv_heads, per_thread = scratch_of(a);
#pragma omp parallel for schedule(dynamic) num_threads(ndl_exec_threads(x))
	for (size_t item = 0; item < items; item++) {
		float *p = a->scratch + (size_t)omp_get_thread_num() * per_thread;
		backward_item(x, a, item, p, p + per_thread / 2, dq, dk, dv, d_o, q, k, v);
	}
}
