/* rank.c - which tools fit a query. */
#include "session/session_internal.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = 16 }; /* digits of a model in ndl_index_by */

/* Whose vectors, "0123456789abcdef int8": a hash of all that they depend on, and the arithmetic. */
static void name_model(const ndl_engine *e, ndl_precision precision, char by[NDL_INDEX_BY_MAX + 1])
{
	static const char *const names[] = {"f32", "bf16", "int8"}; /* as ndl_precision */
	const ndl_config *c = ndl_model_config(e->model);
	const ndl_ckpt *ckpt = ndl_model_ckpt(e->model);
	uint64_t h = 0;
	for (size_t i = 0; i < ndl_ckpt_count(ckpt); i++) {
		const ndl_tensor *t = ndl_ckpt_at(ckpt, i);
		if (strncmp(t->name, "decoder", 7) == 0)
			continue;
		h = ndl_xxh64(t->name, strlen(t->name), h);
		h = ndl_xxh64(t->data, t->bytes, h);
	}
	snprintf(by, NDL_INDEX_BY_MAX + 1, "%d %d %d %d %.9g %d", c->num_heads, c->num_kv_heads, c->contrastive_dim, c->max_enc_len,
	         (double)c->rope_theta, c->ascii_tools);
	h = ndl_xxh64(by, strlen(by), h);
	snprintf(by, NDL_INDEX_BY_MAX + 1, "%016llx %s", (unsigned long long)h, names[precision]);
}

/* Indexing ------------------------------------------------------------------------------ */

/* A hash of a tool's text and where it stands in an earlier index. */
struct known {
	uint64_t hash;
	size_t at;
};

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct known *)a)->hash, y = ((const struct known *)b)->hash;
	return (x > y) - (x < y);
}

/* Copies the vectors that `earlier` has; which[] := the tools left without one. Returns their number. */
static long reuse(const ndl_index *index, const ndl_index *earlier, const char *by, size_t dim, float *vectors,
                  size_t *which, ndl_error *err)
{
	size_t n = ndl_index_count(index), m = earlier ? ndl_index_count(earlier) : 0, left = 0, earlier_dim = 0;
	const float *from = m ? ndl_index_vectors(earlier, &earlier_dim) : NULL;
	if (!from || earlier_dim != dim || strcmp(ndl_index_by(earlier), by) != 0)
		m = 0;
	struct known *k = ndl_calloc(m + 1, sizeof *k);
	if (!k)
		return ndl_fail_nomem(err, "the tools' vectors");
	for (size_t i = 0; i < m; i++)
		k[i] = (struct known){ndl_index_hash(earlier, i), i};
	qsort(k, m, sizeof *k, by_hash);
	for (size_t i = 0; i < n; i++) {
		struct known key = {ndl_index_hash(index, i), 0};
		const struct known *found = m ? bsearch(&key, k, m, sizeof *k, by_hash) : NULL;
		if (found)
			memcpy(vectors + i * dim, from + found->at * dim, dim * sizeof *vectors);
		else
			which[left++] = i;
	}
	free(k);
	return (long)left;
}

static ndl_status make_vectors(ndl_toolset *t, const ndl_index *earlier, const ndl_exec *x, ndl_error *err)
{
	char by[NDL_INDEX_BY_MAX + 1];
	size_t n = ndl_index_count(t->index), dim = (size_t)ndl_model_config(t->engine->model)->contrastive_dim;
	float *vectors = ndl_calloc(n + 1, dim * sizeof *vectors);
	size_t *which = ndl_calloc(n + 1, sizeof *which);
	ndl_status rc = vectors && which ? NDL_OK : ndl_fail_nomem(err, "the tools' vectors");
	name_model(t->engine, ndl_exec_precision(x), by);
	if (rc == NDL_OK) {
		long left = reuse(t->index, earlier, by, dim, vectors, which, err);
		rc = left < 0 ? (ndl_status)left : ndl_embed_tools(t, x, which, (size_t)left, vectors, err);
	}
	if (rc == NDL_OK) {
		rc = ndl_index_set_vectors(t->index, vectors, dim, by, err);
		vectors = NULL;
	}
	free(vectors);
	free(which);
	return rc;
}

static ndl_status check_vectors(const ndl_toolset *t, const ndl_exec *x, ndl_error *err)
{
	char by[NDL_INDEX_BY_MAX + 1];
	size_t dim;
	ndl_index_vectors(t->index, &dim);
	name_model(t->engine, ndl_exec_precision(x), by);
	if (dim != (size_t)ndl_model_config(t->engine->model)->contrastive_dim || strncmp(by, ndl_index_by(t->index), MARK) != 0)
		return ndl_fail(err, NDL_EINVAL, "the index was made with another model: make it again, or rank with bm25");
	return NDL_OK;
}

ndl_status ndl_toolset_index(ndl_toolset *t, enum ndl_ranking how, const ndl_index *earlier, const ndl_exec *x, ndl_error *err)
{
	const ndl_config *c = ndl_model_config(t->engine->model);
	size_t dim;
	if (!t->index && !(t->index = ndl_index_new(t->tools, c->ascii_tools, err)))
		return NDL_ENOMEM;
	if (how == NDL_RANK_BM25 || t->has_vectors)
		return NDL_OK;
	bool there = ndl_index_vectors(t->index, &dim), can = t->tools && ndl_model_has_contrastive(t->engine->model);
	if (!there && !can) {
		if (how == NDL_RANK_AUTO)
			return NDL_OK;
		return ndl_fail(err, NDL_EUNSUPPORTED, t->tools ? "this model makes no embeddings: it has no contrastive head"
		                                                : "this index has no vectors: rank with bm25");
	}
	ndl_status rc = there ? check_vectors(t, x, err) : make_vectors(t, earlier, x, err);
	t->has_vectors = rc == NDL_OK;
	return rc;
}

/* Ranking ------------------------------------------------------------------------------- */

/* scores[count], by `how`, which is not AUTO. words[count] is for work. */
static ndl_status score(ndl_session *s, const ndl_toolset *t, enum ndl_ranking how, const char *query, size_t len,
                        float *scores, float *words, ndl_error *err)
{
	ndl_status rc = NDL_OK;
	if (how != NDL_RANK_HEAD)
		rc = ndl_index_bm25(t->index, query, len, true, how == NDL_RANK_BM25 ? scores : words, err);
	if (rc != NDL_OK || how == NDL_RANK_BM25)
		return rc;
	rc = ndl_session_embed(s, query, len, s->embedding, NULL, err);
	if (rc != NDL_OK)
		return rc;
	ndl_index_dot(t->index, s->embedding, scores);
	if (how == NDL_RANK_FUSED)
		ndl_rank_fuse(scores, words, ndl_index_count(t->index), scores);
	return NDL_OK;
}

long ndl_session_rank(ndl_session *s, const ndl_toolset *t, enum ndl_ranking how, const char *query, size_t len, size_t k,
                      size_t *order, float *scores, ndl_error *err)
{
	size_t n = ndl_toolset_count(t);
	if (k > n)
		k = n;
	if (k == 0)
		return 0;
	if (how == NDL_RANK_AUTO)
		how = t->has_vectors ? NDL_RANK_FUSED : NDL_RANK_BM25;
	if (!t->index || (how != NDL_RANK_BM25 && !t->has_vectors))
		return ndl_fail(err, NDL_EINVAL, "the tools have not been indexed");
	float *all = ndl_calloc(n, sizeof *all), *words = ndl_calloc(n, sizeof *words);
	ndl_status rc = all && words ? NDL_OK : ndl_fail_nomem(err, "a ranking");
	if (rc == NDL_OK)
		rc = ndl_utf8_require(query, len, err);
	if (rc == NDL_OK)
		rc = score(s, t, how, query, len, all, words, err);
	if (rc == NDL_OK)
		rc = ndl_rank_best(all, n, order, k, err);
	for (size_t i = 0; rc == NDL_OK && scores && i < k; i++)
		scores[i] = all[order[i]];
	free(all);
	free(words);
	return rc == NDL_OK ? (long)k : rc;
}
