/* embed.c - vectors of texts and of tools. */
#include "session/session_internal.h"

#include "data/prompt.h"

#include <string.h>

ndl_status ndl_session_embed(ndl_session *s, const char *text, size_t len, float *out, unsigned *cut, ndl_error *err)
{
	ndl_status rc = ndl_prompt_encode_text(s->engine->tok, ndl_model_config(s->engine->model), text, len, &s->prompt,
	                                       cut, err);
	if (rc == NDL_OK && s->prompt.len == 0)
		rc = ndl_fail(err, NDL_EINVAL, "an empty text has no embedding");
	return rc == NDL_OK ? ndl_encoder_embed(s->enc, s->prompt.id, s->prompt.len, out, err) : rc;
}

/* What one thread embeds with. */
typedef struct embedder {
	const ndl_toolset *t;
	ndl_exec *x; /* of one thread: tools are what is done side by side */
	ndl_encoder *enc;
	ndl_ids ids;
	ndl_buf text;
	ndl_error err;
} embedder;

static void begin(embedder *e, const ndl_toolset *t, const ndl_exec *x)
{
	e->t = t;
	e->x = ndl_exec_fork(x, 1, &e->err);
	e->enc = e->x ? ndl_encoder_new(t->engine->model, e->x, &e->err) : NULL;
}

static void end(embedder *e)
{
	ndl_encoder_free(e->enc);
	ndl_exec_free(e->x);
	ndl_ids_clear(&e->ids);
	ndl_buf_clear(&e->text);
}

static void embed(embedder *e, size_t tool, float *out)
{
	const ndl_config *c = ndl_model_config(e->t->engine->model);
	if (!e->enc || e->err.code != NDL_OK)
		return;
	ndl_buf_reset(&e->text);
	ndl_tools_render_one(e->t->tools, &e->text, tool, c->ascii_tools);
	ndl_status rc = ndl_buf_check(&e->text, &e->err);
	if (rc == NDL_OK)
		rc = ndl_prompt_encode_text(e->t->engine->tok, c, e->text.data, e->text.len, &e->ids, NULL, &e->err);
	if (rc == NDL_OK)
		ndl_encoder_embed(e->enc, e->ids.id, e->ids.len, out, &e->err);
}

ndl_status ndl_embed_tools(const ndl_toolset *t, const ndl_exec *x, const size_t *which, size_t n, float *vectors,
                           ndl_error *err)
{
	size_t dim = (size_t)ndl_model_config(t->engine->model)->contrastive_dim;
	ndl_error first = NDL_ERROR_INIT;
#pragma omp parallel num_threads(ndl_exec_threads(x))
	{
		embedder e = {.err = NDL_ERROR_INIT};
		begin(&e, t, x);
#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < n; i++)
			embed(&e, which[i], vectors + which[i] * dim);
		if (e.err.code != NDL_OK)
#pragma omp critical
			first = e.err;
		end(&e);
	}
	return first.code == NDL_OK ? NDL_OK : ndl_fail(err, first.code, "%s", first.text);
}
