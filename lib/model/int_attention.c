/* int_attention.c - attention with everything rounded to INT8: scores are products of rounded queries
 * with keys packed as a weight, outputs products of rounded probabilities with packed values. Scores
 * exist for a block of queries of one key-value head at a time. */
#include "model/model_internal.h"

#include "base/mem.h"

#include <math.h>

enum {
	QUERY_BLOCK = 12,
	PARALLEL_WORK = 1000000, /* products; below this, waking threads costs more than it saves */
};

static size_t padded(size_t n)
{
	return (n + 31) / 32 * 32;
}

static const ndl_int_kernel *kernel(const ndl_exec *ex)
{
	return &ndl_exec_kernels(ex)->integer;
}

bool ndl_int_attention_fits(const ndl_exec *ex, const ndl_weight *w, ndl_heads h)
{
	return ndl_weight_integer(ex, w) && h.hd % NDL_INT_GROUP == 0 && h.hd % kernel(ex)->nr == 0;
}

/* A head's keys, [nk / nr] panels over hd inputs; its values, [hd / nr] panels over nk inputs. */
static size_t key_bytes(const ndl_exec *ex, ndl_heads h, size_t nk)
{
	return (nk + kernel(ex)->nr - 1) / kernel(ex)->nr * ndl_int_panel_bytes(kernel(ex), h.hd);
}

static size_t value_bytes(const ndl_exec *ex, ndl_heads h, size_t nk)
{
	return h.hd / kernel(ex)->nr * ndl_int_panel_bytes(kernel(ex), nk);
}

size_t ndl_int_kv_bytes(const ndl_exec *ex, ndl_heads h, size_t nk)
{
	return h.kv_heads * (key_bytes(ex, h, nk) + value_bytes(ex, h, nk));
}

typedef struct pack_job {
	const ndl_exec *ex;
	char *kv;
	float *k;
	const float *v;
	size_t nk, each; /* bytes of a head */
	ndl_heads h;
	ndl_head_norm norm;
} pack_job;

static void pack_head(void *arg, size_t head, int thread)
{
	const pack_job *a = arg;
	const ndl_int_kernel *kern = kernel(a->ex);
	const size_t ld = a->h.kv_heads * a->h.hd, hd = a->h.hd, nk = a->nk;
	float *k = a->k + head * hd;
	const float *v = a->v + head * hd;
	char *kv = a->kv + head * a->each;
	(void)thread;
	for (size_t j = 0; j < nk; j++)
		ndl_norm_heads_of(ndl_exec_kernels(a->ex), k + j * ld, j, 1, hd, a->norm);
	for (size_t j = 0; j < nk; j += kern->nr, kv += ndl_int_panel_bytes(kern, hd))
		kern->pack_rows(kv, k + j * ld, ld, hd, nk - j < kern->nr ? nk - j : kern->nr);
	for (size_t j = 0; j < hd; j += kern->nr, kv += ndl_int_panel_bytes(kern, nk))
		kern->pack_columns(kv, v + j, ld, nk);
}

void ndl_int_kv_pack(ndl_exec *ex, void *kv, float *k, const float *v, size_t nk, ndl_heads h, ndl_head_norm norm)
{
	pack_job a = {ex, kv, k, v, nk, ndl_int_kv_bytes(ex, h, nk) / h.kv_heads, h, norm};
	ndl_exec_share(ex, nk * h.kv_heads * h.hd > 20000, h.kv_heads, pack_head, &a);
}

/* What one thread needs for a block of queries. */
typedef struct scratch {
	ndl_int_rows q, p;
	float *s;
} scratch;

static size_t align64(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* Lays it out from `memory` on (NULL: only measures) and returns its bytes. */
static size_t lay_out(scratch *s, char *memory, ndl_heads h, size_t nq, size_t nk)
{
	size_t rows = h.heads / h.kv_heads * (nq < QUERY_BLOCK ? nq : QUERY_BLOCK), ld = padded(nk), used[3];
	used[0] = align64(ndl_int_rows_bytes(rows, h.hd));
	used[1] = align64(ndl_int_rows_bytes(rows, ld));
	used[2] = rows * ld * sizeof(float);
	if (memory) {
		s->q = ndl_int_rows_in(memory, rows, h.hd);
		s->p = ndl_int_rows_in(memory + used[0], rows, ld);
		s->p.grouped = true;
		s->s = (float *)(memory + used[0] + used[1]);
	}
	return align64(used[0] + used[1] + used[2]);
}

size_t ndl_int_attention_scratch(const ndl_exec *ex, ndl_heads h, size_t nq, size_t nk)
{
	size_t n;
	return ndl_mul_ok(lay_out(NULL, NULL, h, nq, nk), (size_t)ndl_exec_threads(ex), &n) ? n : 0;
}

typedef struct attention {
	const ndl_kernels *k;
	float *out, *q;
	size_t nk;
	ndl_heads h;
	ndl_head_norm norm;
	size_t keys, values; /* bytes of a head's panels */
	const char *kv;
	char *memory;
	size_t nq, blocks, each; /* blocks of a head; bytes of a thread's scratch */
} attention;

/* Queries [from, from + n) of the q heads that share a kv head, normalised: row r * n + t is head r of query t. Scores
 * are to be divided by sqrt(hd); the queries' scales are. */
static void round_queries(const attention *a, scratch *s, size_t head, size_t from, size_t n)
{
	const size_t rep = a->h.heads / a->h.kv_heads, hd = a->h.hd;
	const float down = 1 / sqrtf((float)hd);
	for (size_t t = from; t < from + n; t++)
		ndl_norm_heads_of(a->k, a->q + (t * a->h.heads + head * rep) * hd, t, rep, hd, a->norm);
	for (size_t i = 0; i < rep * n; i++) {
		const float *q = a->q + (from + i % n) * a->h.heads * hd + (head * rep + i / n) * hd;
		a->k->integer.quantize(s->q.code + i * hd, &s->q.scale[i], &s->q.sum[i], q, hd);
		s->q.scale[i] *= down;
	}
}

static void probabilities(const attention *a, scratch *s, size_t rows)
{
	const size_t ld = padded(a->nk), groups = ld / NDL_INT_GROUP;
	for (size_t i = 0; i < rows; i++)
		a->k->integer.softmax(s->p.code + i * ld, s->p.scale + i * groups, s->p.sum + i * groups, s->s + i * ld, a->nk);
}

static void attend_block(const attention *a, scratch *s, const char *kv, size_t head, size_t from, size_t n)
{
	const ndl_int_kernel *k = &a->k->integer;
	const size_t rep = a->h.heads / a->h.kv_heads, hd = a->h.hd, d = a->h.heads * hd, ld = padded(a->nk);
	const char *values = kv + a->keys;
	round_queries(a, s, head, from, n);
	for (size_t j = 0; j < a->nk; j += k->nr, kv += ndl_int_panel_bytes(k, hd))
		k->block(s->s + j, ld, &s->q, 0, rep * n, kv, ld - j < k->nr ? ld - j : k->nr);
	probabilities(a, s, rep * n);
	for (size_t j = 0; j < hd; j += k->nr, values += ndl_int_panel_bytes(k, a->nk))
		for (size_t r = 0; r < rep; r++)
			k->block(a->out + from * d + (head * rep + r) * hd + j, d, &s->p, r * n, n, values, k->nr);
}

static void attend_job(void *arg, size_t job, int thread)
{
	const attention *a = arg;
	size_t head = job / a->blocks, from = job % a->blocks * QUERY_BLOCK, left = a->nq - from;
	scratch s;
	lay_out(&s, a->memory + (size_t)thread * a->each, a->h, a->nq, a->nk);
	attend_block(a, &s, a->kv + head * (a->keys + a->values), head, from, left < QUERY_BLOCK ? left : QUERY_BLOCK);
}

void ndl_int_attention(ndl_exec *ex, float *out, float *q, size_t nq, const void *kv, size_t nk, ndl_heads h,
                       ndl_head_norm norm, void *memory)
{
	const size_t blocks = (nq + QUERY_BLOCK - 1) / QUERY_BLOCK;
	attention a = {ndl_exec_kernels(ex), out, q, nk, h, norm, key_bytes(ex, h, nk), value_bytes(ex, h, nk), kv, memory, nq, blocks,
		lay_out(NULL, NULL, h, nq, nk)};
	ndl_exec_share(ex, 2 * nq * nk * h.heads * h.hd > PARALLEL_WORK, h.kv_heads * blocks, attend_job, &a);
}
