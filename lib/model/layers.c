/* layers.c - what encoder and decoder share: embedding, norms, rotation, attention. Work is
 * split by rows or by (head, block of queries), each computed by one thread in a fixed order. */
#include "model/model_internal.h"

#include "base/mem.h"

#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum {
	QUERY_BLOCK = 64,        /* queries of one head handled together */
	PARALLEL_FLOATS = 16384, /* below this, starting threads costs more than it saves */
};

/* (1 + scale) * x / sqrt(mean(x^2) + eps), SPEC 2. Eight partial sums: a fixed order that
 * compilers can vectorise. */
static void norm_row(float *y, const float *x, size_t n, const float *scale)
{
	float part[8] = {0}, sum = 0;
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (size_t j = 0; j < 8; j++)
			part[j] += x[i + j] * x[i + j];
	for (; i < n; i++)
		sum += x[i] * x[i];
	for (size_t j = 0; j < 8; j++)
		sum += part[j];
	float r = 1 / sqrtf(sum / (float)n + 1e-6f);
	for (i = 0; i < n; i++)
		y[i] = (1 + scale[i]) * (x[i] * r);
}

/* Split-half rotation by angles rope = {cos[half], sin[half]}. */
static void rotate(float *x, size_t half, const float *rope)
{
	for (size_t i = 0; i < half; i++) {
		float a = x[i], b = x[half + i], c = rope[i], s = rope[half + i];
		x[i] = a * c - b * s;
		x[half + i] = b * c + a * s;
	}
}

static int threads_for(const ndl_exec *ex, size_t floats)
{
	return floats < PARALLEL_FLOATS ? 1 : ndl_exec_threads(ex);
}

ndl_status ndl_check_ids(const ndl_model *m, const int32_t *ids, size_t n, ndl_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] < 0 || ids[i] >= m->config.vocab_size)
			return ndl_fail(err, NDL_EINVAL, "token %ld is not in the model's vocabulary of %d", (long)ids[i],
			                m->config.vocab_size);
	return NDL_OK;
}

void ndl_embed_tokens(const ndl_model *m, const ndl_exec *ex, float *x, const int32_t *ids, size_t n)
{
	size_t d = (size_t)m->config.d_model;
	float scale = sqrtf((float)d);
	for (size_t t = 0; t < n; t++, x += d) {
		ndl_weight_row(ex, x, &m->embedding, (size_t)ids[t]);
		for (size_t i = 0; i < d; i++)
			x[i] *= scale;
	}
}

void ndl_zcnorm(const ndl_exec *ex, float *y, const float *x, size_t rows, size_t n, const float *scale)
{
	int threads = threads_for(ex, rows * n);
	(void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1)
	for (size_t t = 0; t < rows; t++)
		norm_row(y + t * n, x + t * n, n, scale);
}

void ndl_heads_norm_rope(const ndl_exec *ex, float *x, size_t rows, size_t heads, size_t hd, const float *scale,
                         const float *rope)
{
	int threads = threads_for(ex, rows * heads * hd);
	(void)threads;
#pragma omp parallel for num_threads(threads) if (threads > 1)
	for (size_t t = 0; t < rows; t++)
		for (size_t h = 0; h < heads; h++) {
			float *head = x + (t * heads + h) * hd;
			norm_row(head, head, hd, scale);
			if (rope)
				rotate(head, hd / 2, rope + t * hd);
		}
}

void ndl_residual(const ndl_exec *ex, float *x, const float *y, size_t n, float gate)
{
	(void)ex;
	for (size_t i = 0; i < n; i++)
		x[i] += gate * y[i];
}

/* Attention ---------------------------------------------------------------------------- */

/* Score rows are kept apart by a whole number of cache lines. */
static size_t padded(size_t n)
{
	return (n + 15) / 16 * 16;
}

static size_t block_of(size_t nq)
{
	return nq < QUERY_BLOCK ? nq : QUERY_BLOCK;
}

size_t ndl_attention_scratch(const ndl_exec *ex, size_t nq, size_t nk)
{
	size_t n;
	if (!ndl_mul_ok(block_of(nq), padded(nk), &n) || !ndl_mul_ok(n, (size_t)ndl_exec_threads(ex), &n))
		return 0;
	return n;
}

/* x[n] := softmax(scale * x), then zeros up to `all`. */
static void softmax_row(float *x, size_t n, size_t all, float scale)
{
	float max = x[0], sum = 0;
	for (size_t i = 1; i < n; i++)
		if (x[i] > max)
			max = x[i];
	for (size_t i = 0; i < n; i++)
		sum += x[i] = expf((x[i] - max) * scale);
	float r = 1 / sum;
	for (size_t i = 0; i < n; i++)
		x[i] *= r;
	for (size_t i = n; i < all; i++)
		x[i] = 0;
}

typedef struct attention {
	ndl_exec *ex;
	float *out;
	const float *q, *k, *v;
	size_t nq, nk;
	ndl_heads h;
	bool causal;
} attention;

/* One head, queries from .. from+rows-1: S = Q K^T, softmax, O = S V. */
static void attend_block(const attention *a, int thread, size_t head, size_t from, size_t rows, float *s)
{
	size_t hd = a->h.hd, d = a->h.heads * hd, kv = a->h.kv_heads * hd;
	size_t at = head / (a->h.heads / a->h.kv_heads) * hd;
	size_t past = a->nk - a->nq; /* causal only: keys before the first query's own */
	size_t seen = a->causal ? past + from + rows : a->nk, lds = padded(seen);
	const float *q = a->q + from * d + head * hd;
	ndl_gemm_serial(a->ex, thread, false, true, rows, seen, hd, 1, q, d, a->k + at, kv, 0, s, lds);
	for (size_t i = 0; i < rows; i++)
		softmax_row(s + i * lds, a->causal ? past + from + i + 1 : seen, seen, 1 / sqrtf((float)hd));
	ndl_gemm_serial(a->ex, thread, false, false, rows, hd, seen, 1, s, lds, a->v + at, kv, 0,
	                a->out + from * d + head * hd, d);
}

void ndl_attention(ndl_exec *ex, float *out, const float *q, size_t nq, const float *k, const float *v, size_t nk,
                   ndl_heads h, bool causal, float *scratch)
{
	attention a = {ex, out, q, k, v, nq, nk, h, causal};
	size_t block = block_of(nq), blocks = (nq + block - 1) / block, each = block * padded(nk);
	int threads = threads_for(ex, h.heads * h.hd * nk);
	(void)threads;
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
	for (size_t job = 0; job < h.heads * blocks; job++) {
		size_t from = job % blocks * block, rows = nq - from < block ? nq - from : block;
#ifdef _OPENMP
		int thread = omp_get_thread_num();
#else
		int thread = 0;
#endif
		attend_block(&a, thread, job / blocks, from, rows, scratch + (size_t)thread * each);
	}
}
