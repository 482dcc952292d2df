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
	ndl_status status = ndl_tok_fits(e->tok, ndl_model_config(e->model)->vocab_size, err);
	if (status != NDL_OK)
		return status;
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

static ndl_toolset *new_toolset(const ndl_engine *e, ndl_error *err)
{
	ndl_toolset *t = ndl_calloc(1, sizeof *t);
	if (t)
		t->engine = e;
	else
		ndl_fail_nomem(err, "a tool list");
	return t;
}

static ndl_status prepare(ndl_toolset *t, json_t *tools, int flags, ndl_error *err)
{
	const ndl_grammar_options o = {.lacks_nulls = true};
	t->tools = ndl_tools_new(tools, flags, err);
	if (!t->tools)
		return NDL_EINVAL;
	if (ndl_tools_count(t->tools)) {
		t->grammar = ndl_grammar_new(t->tools, &o, err);
		if (!t->grammar)
			return NDL_EINVAL;
		t->index = ndl_index_new(t->tools, ndl_model_config(t->engine->model)->ascii_tools, err);
		if (!t->index)
			return NDL_ENOMEM;
	}
	ndl_tools_render(t->tools, &t->text, NULL, 0, ndl_model_config(t->engine->model)->ascii_tools);
	return ndl_buf_check(&t->text, err);
}

ndl_toolset *ndl_toolset_new(const ndl_engine *e, json_t *tools, int flags, ndl_error *err)
{
	ndl_toolset *t = new_toolset(e, err);
	if (t && prepare(t, tools, flags, err) != NDL_OK) {
		ndl_toolset_free(t);
		t = NULL;
	}
	return t;
}

ndl_toolset *ndl_toolset_open(const ndl_engine *e, const char *index, ndl_error *err)
{
	ndl_toolset *t = new_toolset(e, err);
	if (t && !(t->index = ndl_index_open(index, err))) {
		ndl_toolset_free(t);
		t = NULL;
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
	ndl_index_free(t->index);
	free(t);
}

size_t ndl_toolset_count(const ndl_toolset *t)
{
	return t->tools ? ndl_tools_count(t->tools) : ndl_index_count(t->index);
}

const ndl_tools *ndl_toolset_tools(const ndl_toolset *t)
{
	return t->tools;
}

const ndl_index *ndl_toolset_get_index(const ndl_toolset *t)
{
	return t->index;
}
