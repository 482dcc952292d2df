/* path.c - an answer under way: its tokens, its text, the decoder that has read them. */
#include "session/session_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

ndl_path *ndl_path_new(const ndl_engine *e, ndl_exec *x, ndl_decoder *dec, ndl_error *err)
{
	size_t window = (size_t)ndl_model_config(e->model)->max_dec_len + 1;
	ndl_path *p = ndl_calloc(1, sizeof *p);
	if (p) {
		p->id = ndl_calloc(window, sizeof *p->id);
		p->choice = ndl_calloc(window, sizeof *p->choice);
		p->own = dec ? NULL : ndl_decoder_new(e->model, x, err);
		p->dec = dec ? dec : p->own;
	}
	if (!p || !p->id || !p->choice || !p->dec) {
		ndl_fail_nomem(err, "an answer");
		ndl_path_free(p);
		return NULL;
	}
	return p;
}

void ndl_path_free(ndl_path *p)
{
	if (!p)
		return;
	ndl_decoder_free(p->own);
	ndl_buf_clear(&p->text);
	free(p->id);
	free(p->choice);
	free(p);
}

void ndl_path_start(ndl_path *p, const ndl_grammar *g)
{
	if (g)
		ndl_gstate_init(&p->state, g);
	ndl_buf_reset(&p->text);
	p->id[0] = NDL_EOS;
	p->n = 1;
	p->fed = 0;
	p->cost = 0;
	p->rest = 0;
	p->odds = (ndl_odds){0, 0, 0};
}

ndl_status ndl_path_branch(ndl_path *to, const ndl_path *from, ndl_error *err)
{
	ndl_gstate_copy(&to->state, &from->state);
	ndl_buf_reset(&to->text);
	ndl_buf_add(&to->text, ndl_buf_cstr(&from->text), from->text.len);
	memcpy(to->id, from->id, from->n * sizeof *to->id);
	memcpy(to->choice, from->choice, from->n * sizeof *to->choice);
	to->n = from->n;
	to->fed = from->fed;
	to->cost = from->cost;
	to->rest = from->rest;
	to->odds = from->odds;
	ndl_decoder_branch(to->dec, from->dec);
	return ndl_buf_check(&to->text, err);
}

ndl_status ndl_path_add(ndl_path *p, const ndl_tok *tok, int32_t id, double prob, size_t choices, ndl_error *err)
{
	size_t len = 0;
	const char *bytes = id > NDL_TOOLS ? ndl_tok_bytes(tok, id, &len) : "";
	p->choice[p->n] = (ndl_choice){prob, choices};
	p->id[p->n++] = id;
	if (choices > 1) {
		double log_p = log(prob);
		p->odds.sum += log_p;
		p->odds.least = fmin(p->odds.least, log_p);
		p->odds.choices++;
	}
	ndl_buf_add(&p->text, bytes, len);
	return ndl_buf_check(&p->text, err);
}

ndl_status ndl_path_feed(ndl_path *p, size_t width, const float **hidden, ndl_error *err)
{
	size_t n = p->n - p->fed;
	ndl_status rc = ndl_decoder_step(p->dec, p->id + p->fed, n, hidden, err);
	if (rc != NDL_OK)
		return rc;
	*hidden += (n - 1) * width;
	p->fed = p->n;
	return NDL_OK;
}
