/* rank.c - which tools fit a query. */
#include "session/session_internal.h"

#include "base/mem.h"
#include "data/prompt.h"

#include <stdlib.h>
#include <string.h>

ndl_status ndl_session_embed(ndl_session *s, const char *text, size_t len, float *out, unsigned *cut, ndl_error *err)
{
	ndl_status rc = ndl_prompt_encode_text(s->engine->tok, ndl_model_config(s->engine->model), text, len, &s->prompt,
	                                       cut, err);
	if (rc == NDL_OK && s->prompt.len == 0)
		rc = ndl_fail(err, NDL_EINVAL, "an empty text has no embedding");
	return rc == NDL_OK ? ndl_encoder_embed(s->enc, s->prompt.id, s->prompt.len, out, err) : rc;
}

/* Insertion into a list of at most k, best first; at equal scores the earlier tool stays first. */
static void insert(size_t *order, float *scores, size_t *n, size_t k, size_t tool, float score)
{
	size_t at = *n;
	while (at && scores[at - 1] < score)
		at--;
	if (at == k)
		return;
	size_t last = *n < k ? (*n)++ : k - 1;
	memmove(order + at + 1, order + at, (last - at) * sizeof *order);
	memmove(scores + at + 1, scores + at, (last - at) * sizeof *scores);
	order[at] = tool;
	scores[at] = score;
}

long ndl_session_rank(ndl_session *s, const ndl_toolset *t, const char *query, size_t len, size_t k, size_t *order,
                      float *scores, ndl_error *err)
{
	size_t count = ndl_tools_count(t->tools), n = 0;
	size_t dim = (size_t)ndl_model_config(s->engine->model)->contrastive_dim;
	if (k > count)
		k = count;
	if (k == 0)
		return 0;
	if (!t->embeddings)
		return ndl_fail(err, NDL_EINVAL, "the tools have not been embedded");
	ndl_status rc = ndl_session_embed(s, query, len, s->embedding, NULL, err);
	float *own = NULL;
	if (rc != NDL_OK)
		return rc;
	if (!scores && !(scores = own = ndl_calloc(k, sizeof *own)))
		return ndl_fail_nomem(err, "a ranking");
	for (size_t i = 0; i < count; i++) {
		float dot = 0;
		for (size_t j = 0; j < dim; j++)
			dot += s->embedding[j] * t->embeddings[i * dim + j];
		insert(order, scores, &n, k, i, dot);
	}
	free(own);
	return (long)n;
}
