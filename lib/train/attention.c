#include "train/attention.h"

#include "tensor/gemm.h"

#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#else
#define omp_get_thread_num() 0
#endif

/* Queries at a time: their scores, and the gradients of these, stay in the cache. */
enum { BLOCK = 96 };

static size_t scores_size(size_t max_q, size_t max_k)
{
	size_t rows = max_q < BLOCK ? max_q : BLOCK;
	return (rows * max_k + 15) / 16 * 16;
}

size_t ndl_batch_attention_scratch(size_t max_q, size_t max_k)
{
	return 2 * scores_size(max_q, max_k);
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

/* Some queries of a slice, and the keys that any of them may see. */
typedef struct block {
	size_t first, n;
	size_t nk;
} block;

static block block_of(const ndl_batch_attention *a, const slice *c, size_t first)
{
	block b = {first, c->nq - first < BLOCK ? c->nq - first : BLOCK, c->nk};
	if (a->causal)
		b.nk = first + b.n;
	return b;
}

/* Keys that query i of a block may see. */
static size_t visible(const ndl_batch_attention *a, const block *b, size_t i)
{
	return a->causal ? b->first + i + 1 : b->nk;
}

/* p[b.n, b.nk] = softmax(q k^T) of one head, zero where a query may not look. */
static void probabilities(ndl_exec *x, const ndl_batch_attention *a, const slice *c, const block *b, float *p,
                          const float *q, const float *k)
{
	ndl_gemm_serial(x, omp_get_thread_num(), false, true, b->n, b->nk, a->hd, 1, q, c->q_stride, k, c->k_stride, 0, p,
	                b->nk);
	for (size_t i = 0; i < b->n; i++) {
		size_t n = visible(a, b, i);
		ndl_exec_kernels(x)->softmax(p + i * b->nk, n);
		memset(p + i * b->nk + n, 0, (b->nk - n) * sizeof *p);
	}
}

static void forward_item(ndl_exec *x, const ndl_batch_attention *a, size_t item, float *p, float *o, const float *q,
                         const float *k, const float *v)
{
	slice c = slice_of(a, item);
	for (size_t h = c.first; h < c.first + c.group; h++)
		for (size_t first = 0; first < c.nq; first += BLOCK) {
			block b = block_of(a, &c, first);
			size_t at = (c.q0 + first) * c.q_stride + h * a->hd;
			probabilities(x, a, &c, &b, p, q + at, k + c.kv_at);
			ndl_gemm_serial(x, omp_get_thread_num(), false, false, b.n, a->hd, b.nk, 1, p, b.nk, v + c.kv_at, c.k_stride,
			                0, o + at, c.q_stride);
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

/* One block: with p the probabilities and dp = d_o v^T: ds = softmax_back(dp), dv += p^T d_o,
 * dk += ds^T q, dq = ds k. Pointers are to the block's queries and the slice's keys. */
static void backward_block(ndl_exec *x, const ndl_batch_attention *a, const slice *c, const block *b, float *p,
                           float *dp, float *dq, float *dk, float *dv, const float *d_o, const float *q, const float *k,
                           const float *v)
{
	int thread = omp_get_thread_num();
	size_t qs = c->q_stride, ks = c->k_stride, nk = b->nk;
	probabilities(x, a, c, b, p, q, k);
	ndl_gemm_serial(x, thread, false, true, b->n, nk, a->hd, 1, d_o, qs, v, ks, 0, dp, nk);
	for (size_t i = 0; i < b->n; i++) {
		float *row = dp + i * nk;
		size_t n = visible(a, b, i);
		ndl_exec_kernels(x)->softmax_back(row, p + i * nk, row, n);
		memset(row + n, 0, (nk - n) * sizeof *row);
	}
	ndl_gemm_serial(x, thread, true, false, nk, a->hd, b->n, 1, p, nk, d_o, qs, 1, dv, ks);
	ndl_gemm_serial(x, thread, true, false, nk, a->hd, b->n, 1, dp, nk, q, qs, 1, dk, ks);
	ndl_gemm_serial(x, thread, false, false, b->n, a->hd, nk, 1, dp, nk, k, ks, 0, dq, qs);
}

/* The heads that share a kv head, and their blocks, add up in order. */
static void backward_item(ndl_exec *x, const ndl_batch_attention *a, size_t item, float *p, float *dp,
                          float *dq, float *dk, float *dv, const float *d_o, const float *q, const float *k,
                          const float *v)
{
	slice c = slice_of(a, item);
	for (size_t j = 0; j < c.nk; j++) {
		memset(dk + c.kv_at + j * c.k_stride, 0, a->hd * sizeof *dk);
		memset(dv + c.kv_at + j * c.k_stride, 0, a->hd * sizeof *dv);
	}
	for (size_t h = c.first; h < c.first + c.group; h++)
		for (size_t first = 0; first < c.nq; first += BLOCK) {
			block b = block_of(a, &c, first);
			size_t at = (c.q0 + first) * c.q_stride + h * a->hd;
			backward_block(x, a, &c, &b, p, dp, dq + at, dk + c.kv_at, dv + c.kv_at, d_o + at, q + at, k + c.kv_at,
			               v + c.kv_at);
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
