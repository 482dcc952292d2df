/* A record as token sequences. */
#include "base/mem.h"
#include "data/augment.h"
#include "data/batch.h"
#include "data/prompt.h"
#include "data/record.h"

#include <stdlib.h>
#include <string.h>

void ndl_example_clear(ndl_example *x)
{
	ndl_ids_clear(&x->enc);
	ndl_ids_clear(&x->dec);
	ndl_ids_clear(&x->query);
	ndl_ids_clear(&x->tool);
	free(x->cls);
	ndl_answer_clear(&x->answer);
	ndl_buf_clear(&x->text);
	*x = (ndl_example){0};
}

/* Decoder side. NDL_MADE, NDL_TOO_LONG_DEC or negative. */
static int make_answer(ndl_example *x, const ndl_example_options *o, const ndl_record *r, ndl_error *err)
{
	ndl_error why = NDL_ERROR_INIT;
	ndl_status rc = ndl_answer_render(&x->answer, r, err);
	if (rc != NDL_OK)
		return rc;
	rc = ndl_prompt_answer(o->tok, &o->config, x->answer.text.data, x->answer.text.len, &x->dec, &why);
	if (rc == NDL_ELIMIT)
		return NDL_TOO_LONG_DEC;
	if (rc != NDL_OK) {
		if (err)
			*err = why;
		return rc;
	}
	if (ndl_grow(&x->cls, &x->cls_cap, x->dec.len, 1) < 0)
		return ndl_fail_nomem(err, "token classes");
	/* targets: <tool_call>, the answer's tokens, eos */
	x->cls[0] = x->cls[x->dec.len - 2] = NDL_CLASS_STRUCTURE;
	ndl_answer_token_classes(&x->answer, o->tok, x->dec.id + 2, x->dec.len - 3, x->cls + 1);
	return NDL_MADE;
}

static bool is_called(const ndl_record *r, size_t tool)
{
	for (size_t i = 0; i < json_array_size(r->answers); i++)
		if (ndl_record_called(r, i) == tool)
			return true;
	return false;
}

/* Text bytes that the tools' ids at the end of enc stand for. */
static size_t bytes_kept(const ndl_example *x, const ndl_tok *tok)
{
	size_t total = 0, len, i = x->enc.len;
	while (i > 0 && x->enc.id[i - 1] != NDL_TOOLS) {
		ndl_tok_bytes(tok, x->enc.id[--i], &len);
		total += len;
	}
	return total;
}

/* Takes tools that are not called off the end of subset until about `excess` bytes are gone, at
 * least one. Returns the new count: the old one if nothing may go. */
static size_t leave_out(ndl_example *x, const ndl_record *r, int ascii, size_t *subset, size_t n, size_t excess)
{
	size_t gone = 0;
	for (size_t i = n; i-- > 0 && n > 1 && gone < excess;) {
		if (is_called(r, subset[i]))
			continue;
		ndl_buf_reset(&x->text);
		ndl_tools_render_one(r->tools, &x->text, subset[i], ascii);
		gone += x->text.len + 1;
		memmove(subset + i, subset + i + 1, (n - i - 1) * sizeof *subset);
		n--;
	}
	return n;
}

static ndl_status encode_subset(ndl_example *x, const ndl_example_options *o, const ndl_record *r,
                                const size_t *subset, size_t n, unsigned *cut, ndl_error *err)
{
	ndl_buf_reset(&x->text);
	ndl_tools_render(r->tools, &x->text, subset, n, o->config.ascii_tools);
	ndl_status rc = ndl_buf_check(&x->text, err);
	if (rc != NDL_OK)
		return rc;
	return ndl_prompt_encode(o->tok, &o->config, r->query, r->query_len, ndl_buf_cstr(&x->text), x->text.len,
	                         &x->enc, cut, err);
}

/* Encoder side for a list that is too long for the window. */
static int make_shorter_prompt(ndl_example *x, const ndl_example_options *o, const ndl_record *r, unsigned *cut,
                               ndl_error *err)
{
	size_t n = ndl_tools_count(r->tools);
	size_t *subset = ndl_calloc(n, sizeof *subset);
	if (!subset)
		return ndl_fail_nomem(err, "tools");
	for (size_t i = 0; i < n; i++)
		subset[i] = i;
	int rc = NDL_MADE;
	while (rc == NDL_MADE && (*cut & NDL_CUT_TOOLS)) {
		size_t kept = bytes_kept(x, o->tok), before = n;
		size_t excess = x->text.len > kept ? x->text.len - kept : 1;
		n = leave_out(x, r, o->config.ascii_tools, subset, n, excess);
		rc = n == before ? NDL_TOO_LONG_ENC : (int)encode_subset(x, o, r, subset, n, cut, err);
	}
	x->tools_left_out = ndl_tools_count(r->tools) - n;
	free(subset);
	return rc;
}

static int make_prompt(ndl_example *x, const ndl_example_options *o, const ndl_record *r, ndl_error *err)
{
	unsigned cut = 0;
	x->tools_left_out = 0;
	int rc = encode_subset(x, o, r, NULL, 0, &cut, err);
	if (rc == NDL_OK && (cut & NDL_CUT_TOOLS))
		rc = make_shorter_prompt(x, o, r, &cut, err);
	x->query_cut = (cut & NDL_CUT_QUERY) != 0;
	return rc;
}

static ndl_status make_pair(ndl_example *x, const ndl_example_options *o, const ndl_record *r, ndl_error *err)
{
	x->query.len = x->tool.len = 0;
	if (!o->pairs || x->calls == 0)
		return NDL_OK;
	ndl_status rc = ndl_prompt_encode_text(o->tok, &o->config, r->query, r->query_len, &x->query, NULL, err);
	if (rc != NDL_OK)
		return rc;
	ndl_buf_reset(&x->text);
	ndl_tools_render_one(r->tools, &x->text, ndl_record_called(r, 0), o->config.ascii_tools);
	rc = ndl_buf_check(&x->text, err);
	if (rc == NDL_OK)
		rc = ndl_prompt_encode_text(o->tok, &o->config, ndl_buf_cstr(&x->text), x->text.len, &x->tool, NULL, err);
	if (x->query.len == 0) /* an empty text has no embedding */
		x->tool.len = 0;
	return rc;
}

static void note_tool(ndl_example *x, const ndl_record *r)
{
	x->calls = json_array_size(r->answers);
	x->tool_key = 0;
	if (x->calls == 0)
		return;
	const char *norm = ndl_tools_norm_name(r->tools, ndl_record_called(r, 0));
	x->tool_key = ndl_hash64(norm, strlen(norm), 0);
}

int ndl_example_make(ndl_example *x, const ndl_example_options *o, const char *line, size_t len, ndl_rng *rng,
                     ndl_error *err)
{
	ndl_record r;
	ndl_status bad = ndl_record_parse(&r, line, len, rng, err);
	if (bad != NDL_OK)
		return bad;
	int rc = ndl_heldout_contains(o->heldout, r.query, r.query_len) ? NDL_HELD_OUT : NDL_MADE;
	if (rng && o->loosen > 0 && ndl_rng_chance(rng, o->loosen))
		ndl_loosen_tools(r.tools, rng);
	note_tool(x, &r);
	if (rc == NDL_MADE)
		rc = make_answer(x, o, &r, err);
	if (rc == NDL_MADE)
		rc = make_prompt(x, o, &r, err);
	if (rc == NDL_MADE)
		rc = make_pair(x, o, &r, err);
	ndl_record_clear(&r);
	return rc;
}
