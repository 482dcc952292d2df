/* engine.c - a model file and a tool list made ready. */
#include "session/session_internal.h"

#include "base/mem.h"

#include <stdlib.h>

static ndl_status load_tokenizer(ndl_engine *e, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(ndl_model_ckpt(e->model), NDL_TOKENIZER_TENSOR);
	if (!t || t->dtype != NDL_U8 || t->rank != 1)
		return ndl_fail(err, NDL_EFORMAT, "the file holds no tokenizer (tensor %s)", NDL_TOKENIZER_TENSOR);
	e->tok = ndl_tok_new(t->data, t->bytes, err);
	if (!e->tok)
		return err ? err->code : NDL_EFORMAT;
	int vocab = ndl_model_config(e->model)->vocab_size;
	if (ndl_tok_size(e->tok) != (size_t)vocab)
		return ndl_fail(err, NDL_EFORMAT, "the tokenizer has %zu pieces, the network %d", ndl_tok_size(e->tok), vocab);
	e->trie = ndl_vocab_trie_from_tok(e->tok, err);
	return e->trie ? ndl_pieces_init(&e->pieces, e->tok, err) : NDL_ENOMEM;
}

/* Takes the model, which may be NULL after a failure. */
static ndl_engine *make_engine(ndl_model *model, ndl_error *err)
{
	ndl_engine *e = ndl_calloc(1, sizeof *e);
	if (!e) {
		ndl_fail_nomem(err, "an engine");
		ndl_model_free(model);
		return NULL;
	}
	e->model = model;
	if (!e->model || load_tokenizer(e, err) != NDL_OK ||
	    ndl_confidence_from_ckpt(&e->confidence, ndl_model_ckpt(e->model), err) != NDL_OK) {
		ndl_engine_free(e);
		return NULL;
	}
	return e;
}

ndl_engine *ndl_engine_open(const char *path, ndl_error *err)
{
	ndl_engine *e = make_engine(ndl_model_open(path, err), err);
	if (!e)
		ndl_error_at(err, path, 0);
	return e;
}

ndl_engine *ndl_engine_new(const ndl_ckpt *ckpt, ndl_error *err)
{
	return make_engine(ndl_model_new(ckpt, err), err);
}

void ndl_engine_free(ndl_engine *e)
{
	if (!e)
		return;
	ndl_pieces_clear(&e->pieces);
	ndl_vocab_trie_free(e->trie);
	ndl_tok_free(e->tok);
	ndl_model_free(e->model);
	free(e);
}

const ndl_model *ndl_engine_model(const ndl_engine *e)
{
	return e->model;
}

const ndl_tok *ndl_engine_tok(const ndl_engine *e)
{
	return e->tok;
}

/* Tool lists ---------------------------------------------------------------------------- */

static ndl_status prepare(ndl_toolset *t, json_t *tools, int flags, ndl_error *err)
{
	json_t *value = ndl_json_unwrap(tools, err);
	if (!value) {
		ndl_error_prefix(err, "tools: ");
		return NDL_EFORMAT;
	}
	t->tools = ndl_tools_new(value, flags, err);
	json_decref(value);
	if (!t->tools)
		return NDL_EINVAL;
	if (ndl_tools_count(t->tools)) {
		t->grammar = ndl_grammar_new(t->tools, NULL, err);
		if (!t->grammar)
			return NDL_EINVAL;
	}
	ndl_tools_render(t->tools, &t->text, NULL, 0, ndl_model_config(t->engine->model)->ascii_tools);
	return ndl_buf_check(&t->text, err);
}

ndl_toolset *ndl_toolset_new(const ndl_engine *e, json_t *tools, int flags, ndl_error *err)
{
	ndl_toolset *t = ndl_calloc(1, sizeof *t);
	if (!t) {
		ndl_fail_nomem(err, "a tool list");
		return NULL;
	}
	t->engine = e;
	if (prepare(t, tools, flags, err) != NDL_OK) {
		ndl_toolset_free(t);
		return NULL;
	}
	return t;
}

void ndl_toolset_free(ndl_toolset *t)
{
	if (!t)
		return;
	ndl_grammar_free(t->grammar);
	ndl_tools_free(t->tools);
	ndl_buf_clear(&t->text);
	free(t->embeddings);
	free(t);
}

const ndl_tools *ndl_toolset_tools(const ndl_toolset *t)
{
	return t->tools;
}

ndl_status ndl_toolset_embed(ndl_toolset *t, ndl_session *s, ndl_error *err)
{
	const ndl_config *c = ndl_model_config(t->engine->model);
	size_t count = ndl_tools_count(t->tools), dim = (size_t)c->contrastive_dim, n;
	ndl_buf text = NDL_BUF_INIT;
	ndl_status rc = NDL_OK;
	if (t->embeddings || count == 0)
		return NDL_OK;
	if (!dim)
		return ndl_fail(err, NDL_EUNSUPPORTED, "this model cannot rank tools: it has no contrastive head");
	if (!ndl_mul_ok(count, dim, &n) || !(t->embeddings = ndl_calloc(n, sizeof *t->embeddings)))
		return ndl_fail_nomem(err, "the tools' embeddings");
	for (size_t i = 0; i < count && rc == NDL_OK; i++) {
		ndl_buf_reset(&text);
		ndl_tools_render_one(t->tools, &text, i, c->ascii_tools);
		rc = ndl_buf_check(&text, err);
		if (rc == NDL_OK)
			rc = ndl_session_embed(s, text.data, text.len, t->embeddings + i * dim, NULL, err);
	}
	ndl_buf_clear(&text);
	if (rc != NDL_OK) {
		free(t->embeddings);
		t->embeddings = NULL;
	}
	return rc;
}
