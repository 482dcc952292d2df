/* layers.c - what encoder and decoder share: embedding, attention. Work is
 * split by rows or by (head, block of queries), each computed by one thread in a fixed order. */
#include "model/model_internal.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
	FEW_QUERIES = 4,
	QUERY_BLOCK = 64,        /* queries of one head handled together */
	PARALLEL_WORK = 500000,  /* multiplications; below this, waking threads costs more than it saves */
};

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

typedef struct rows_job {
	const ndl_kernels *k;
	float *y;
	const float *x;
	size_t heads, n; /* of n values each */
	ndl_head_norm norm;
	float gate;
} rows_job;

static void share_rows(const ndl_exec *ex, rows_job *j, size_t rows, ndl_share_fn *fn)
{
	j->k = ndl_exec_kernels(ex);
	ndl_exec_share(ex, 4 * rows * j->heads * j->n >= PARALLEL_WORK, rows, fn, j);
}

static void zcnorm_row(void *arg, size_t t, int thread)
{
	const rows_job *j = arg;
	(void)thread;
	j->k->rmsnorm(j->y + t * j->n, NULL, j->x + t * j->n, j->norm.scale, 1, j->n);
}

void ndl_zcnorm(const ndl_exec *ex, float *y, const float *x, size_t rows, size_t n, const float *scale)
{
	share_rows(ex, &(rows_job){.y = y, .x = x, .heads = 1, .n = n, .norm = {scale, NULL}}, rows, zcnorm_row);
}

void ndl_norm_heads_of(const ndl_kernels *k, float *x, size_t t, size_t heads, size_t hd, ndl_head_norm norm)
{
	const float *rope = norm.rope ? norm.rope + t * hd : NULL;
	k->rmsnorm(x, NULL, x, norm.scale, heads, hd);
	for (size_t h = 0; rope && h < heads; h++)
		k->rope(x + h * hd, rope, rope + hd / 2, hd / 2);
}

static void heads_row(void *arg, size_t t, int thread)
{
	const rows_job *j = arg;
	(void)thread;
	ndl_norm_heads_of(j->k, j->y + t * j->heads * j->n, t, j->heads, j->n, j->norm);
}

void ndl_norm_heads(const ndl_exec *ex, float *x, size_t rows, size_t heads, size_t hd, ndl_head_norm norm)
{
	share_rows(ex, &(rows_job){.y = x, .heads = heads, .n = hd, .norm = norm}, rows, heads_row);
}

static void residual_row(void *arg, size_t t, int thread)
{
	const rows_job *j = arg;
	(void)thread;
	j->k->axpy(j->y + t * j->n, j->gate, j->x + t * j->n, j->n);
}

void ndl_residual(const ndl_exec *ex, float *x, const float *y, size_t rows, size_t n, float gate)
{
	share_rows(ex, &(rows_job){.y = x, .x = y, .heads = 1, .n = n, .gate = gate}, rows, residual_row);
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

typedef struct attention {
	ndl_exec *ex;
	float *out;
	const float *q, *k, *v;
	size_t nq, nk;
	ndl_heads h;
	bool causal;
	float *scratch;
	size_t step, blocks, each; /* queries of a block; blocks of a head; floats of a thread's scratch */
} attention;

/* What one head's block of queries works on. */
typedef struct block {
	const float *q, *k, *v;
	float *out, *s;
	size_t rows, seen, lds; /* keys that the last query sees; floats between rows of s */
	size_t d, kv;           /* floats between rows of q and out, of k and v */
	float scale;
} block;

/* Few queries: packing the keys would cost more than using them. */
static void attend_few(const attention *a, const block *b)
{
	const ndl_kernels *kernels = ndl_exec_kernels(a->ex);
	size_t hd = a->h.hd;
	for (size_t i = 0; i < b->rows; i++) {
		float *s = b->s + i * b->lds, *out = b->out + i * b->d;
		size_t seen = a->causal ? b->seen - b->rows + i + 1 : b->seen;
		for (size_t j = 0; j < seen; j++)
			s[j] = b->scale * kernels->dot(b->q + i * b->d, b->k + j * b->kv, hd);
		kernels->softmax(s, seen);
		kernels->col_sum[NDL_W_F32](out, s, b->v, b->kv, seen, hd);
	}
}

/* S = Q K^T / sqrt(hd), softmax, O = S V; keys that a query must not see get weight 0. */
static void attend_many(const attention *a, const block *b, int thread)
{
	const ndl_kernels *kernels = ndl_exec_kernels(a->ex);
	size_t hd = a->h.hd;
	ndl_gemm_serial(a->ex, thread, false, true, b->rows, b->seen, hd, b->scale, b->q, b->d, b->k, b->kv, 0, b->s, b->lds);
	for (size_t i = 0; i < b->rows; i++) {
		float *s = b->s + i * b->lds;
		size_t seen = a->causal ? b->seen - b->rows + i + 1 : b->seen;
		kernels->softmax(s, seen);
		memset(s + seen, 0, (b->seen - seen) * sizeof *s);
	}
	ndl_gemm_serial(a->ex, thread, false, false, b->rows, hd, b->seen, 1, b->s, b->lds, b->v, b->kv, 0, b->out, b->d);
}

/* One head's block of queries. */
static void attend_block(void *arg, size_t job, int thread)
{
	const attention *a = arg;
	size_t head = job / a->blocks, from = job % a->blocks * a->step, rows = a->nq - from < a->step ? a->nq - from : a->step;
	size_t hd = a->h.hd, d = a->h.heads * hd, kv = a->h.kv_heads * hd;
	size_t at = head / (a->h.heads / a->h.kv_heads) * hd;
	size_t seen = a->causal ? a->nk - a->nq + from + rows : a->nk;
	block b = {a->q + from * d + head * hd, a->k + at, a->v + at, a->out + from * d + head * hd,
		a->scratch + (size_t)thread * a->each, rows, seen, padded(seen), d, kv, 1 / sqrtf((float)hd)};
	if (rows < FEW_QUERIES)
		attend_few(a, &b);
	else
		attend_many(a, &b, thread);
}

void ndl_attention(ndl_exec *ex, float *out, const float *q, size_t nq, const float *k, const float *v, size_t nk,
                   ndl_heads h, bool causal, float *scratch)
{
	size_t step = block_of(nq), blocks = (nq + step - 1) / step;
	attention a = {ex, out, q, k, v, nq, nk, h, causal, scratch, step, blocks, step * padded(nk)};
	ndl_exec_share(ex, 2 * h.heads * h.hd * nq * nk >= PARALLEL_WORK, h.heads * blocks, attend_block, &a);
}
