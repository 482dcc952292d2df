#include "data/prompt.h"

#include "base/utf8.h"

/* Appends at most `room` ids of text; true in *cut if there were more. */
static ndl_status append_text(const ndl_tok *tok, ndl_ids *out, const char *text, size_t len, size_t room,
                              unsigned flag, unsigned *cut, ndl_error *err)
{
	size_t before = out->len;
	ndl_status rc = ndl_utf8_require(text, len, err);
	if (rc == NDL_OK)
		rc = ndl_tok_encode_some(tok, out, text, len, NDL_TOK_PLAIN, room, err);
	if (rc == NDL_OK && out->len - before > room) {
		out->len = before + room;
		if (cut)
			*cut |= flag;
	}
	return rc;
}

/* The query with " and ' for quotes of other kinds, which no example has: behind one of them the network loses its way. */
static void add_with_plain_quotes(ndl_buf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		const char quote = ndl_utf8_plain_quote(text + i, len - i, &n);
		ndl_buf_add(out, quote ? &quote : text + i, quote ? 1 : n);
	}
}

ndl_status ndl_prompt_encode(const ndl_tok *tok, const ndl_config *config, const char *query, size_t query_len,
                             const char *tools, size_t tools_len, ndl_ids *out, unsigned *cut, ndl_error *err)
{
	size_t window = (size_t)config->max_enc_len;
	out->len = 0;
	if (cut)
		*cut = 0;
	if (window < 3)
		return ndl_fail(err, NDL_EINVAL, "an encoder window of %zu tokens holds no prompt", window);
	ndl_buf plain = NDL_BUF_INIT;
	if (config->ascii_tools) /* upstream's */
		ndl_buf_add(&plain, query, query_len);
	else
		add_with_plain_quotes(&plain, query, query_len);
	ndl_status rc = ndl_buf_check(&plain, err);
	if (rc == NDL_OK)
		rc = append_text(tok, out, ndl_buf_cstr(&plain), plain.len, window - 2, NDL_CUT_QUERY, cut, err);
	ndl_buf_clear(&plain);
	if (rc == NDL_OK)
		rc = ndl_ids_push(out, NDL_TOOLS, err);
	if (rc == NDL_OK)
		rc = append_text(tok, out, tools, tools_len, window - out->len, NDL_CUT_TOOLS, cut, err);
	return rc;
}

ndl_status ndl_prompt_encode_text(const ndl_tok *tok, const ndl_config *config, const char *text, size_t len,
                                  ndl_ids *out, unsigned *cut, ndl_error *err)
{
	out->len = 0;
	if (cut)
		*cut = 0;
	return append_text(tok, out, text, len, (size_t)config->max_enc_len, NDL_CUT_QUERY, cut, err);
}

ndl_status ndl_prompt_answer(const ndl_tok *tok, const ndl_config *config, const char *answer, size_t len,
                             ndl_ids *out, ndl_error *err)
{
	out->len = 0;
	ndl_status rc = ndl_ids_push(out, NDL_EOS, err);
	if (rc == NDL_OK)
		rc = ndl_ids_push(out, NDL_TOOL_CALL, err);
	if (rc == NDL_OK)
		rc = ndl_tok_encode(tok, out, answer, len, NDL_TOK_PLAIN, err);
	if (rc == NDL_OK && out->len > (size_t)config->max_dec_len)
		rc = ndl_fail(err, NDL_ELIMIT, "the answer needs %zu tokens, the decoder's window is %d", out->len,
		              config->max_dec_len);
	if (rc == NDL_OK)
		rc = ndl_ids_push(out, NDL_EOS, err);
	return rc;
}
