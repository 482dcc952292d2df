/* parity.c - raw numbers for comparison with other implementations. */
#include "session/session_internal.h"

#include "base/mem.h"

#include <stdlib.h>

static ndl_status greedy(ndl_session *s, size_t limit, size_t vocab, float **rows, size_t *n, ndl_error *err)
{
	size_t cap = 0;
	int32_t id = NDL_EOS;
	do {
		const float *hidden;
		ndl_status rc = ndl_decoder_step(s->dec, &id, 1, &hidden, err);
		if (rc != NDL_OK)
			return rc;
		if (ndl_grow(rows, &cap, *n + 1, vocab * sizeof **rows) < 0)
			return ndl_fail_nomem(err, "the logits");
		float *row = *rows + *n * vocab;
		ndl_decoder_logits(s->dec, hidden, 1, row);
		id = (int32_t)ndl_argmax(row, vocab);
		(*n)++;
	} while (id != NDL_EOS && *n < limit);
	return NDL_OK;
}

ndl_status ndl_session_greedy_logits(ndl_session *s, const ndl_toolset *t, const char *query, size_t len,
                                     size_t max_tokens, float **logits, size_t *steps, ndl_error *err)
{
	const ndl_config *c = ndl_model_config(s->engine->model);
	size_t window = (size_t)c->max_dec_len - 1;
	*logits = NULL;
	*steps = 0;
	ndl_status rc = ndl_session_prefill(s, s->dec, t, query, len, NULL, err);
	if (rc == NDL_OK)
		rc = greedy(s, max_tokens && max_tokens < window ? max_tokens : window, (size_t)c->vocab_size, logits, steps, err);
	if (rc != NDL_OK) {
		free(*logits);
		*logits = NULL;
	}
	return rc;
}
