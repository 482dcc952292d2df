/* vocab_text.c - a vocabulary written as text, a line "piece TAB score" for each id: what spm_train
 * writes beside a model (.vocab) and needle-rs uses (vocab.txt). Made into a .model. */
#include "tokenizer/write.h"

#include "base/utf8.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

bool tok_is_text(const void *model, size_t len)
{
	return len > 0 && *(const char *)model == '<'; /* "<pad>"; a .model begins with 0x0a */
}

/* SentencePiece writes no types here: those of the ids that are fixed for every model of this network. */
static int type_of(size_t id, const char *piece, size_t len)
{
	char byte[8];
	if (id < TOK_META)
		return tok_meta[id].type;
	snprintf(byte, sizeof byte, "<0x%02X>", (unsigned)(id - TOK_META) & 0xFF);
	return id < TOK_FIXED && len == 6 && memcmp(piece, byte, 6) == 0 ? PIECE_BYTE : PIECE_NORMAL;
}

static ndl_status add_line(ndl_buf *out, size_t id, const char *line, size_t len, ndl_error *err)
{
	const char *tab = memchr(line, '\t', len);
	if (!tab)
		return ndl_fail(err, NDL_EFORMAT, "no tab and no score behind the piece: such a list does not say how to merge");
	size_t piece_len = (size_t)(tab - line);
	json_t *score = ndl_json_parse(tab + 1, len - piece_len - 1, NULL);
	bool ok = json_is_number(score);
	float value = ok ? (float)json_number_value(score) : 0;
	json_decref(score);
	if (!ok)
		return ndl_fail(err, NDL_EFORMAT, "the score is not a number");
	if (!piece_len || ndl_utf8_check(line, piece_len) != piece_len)
		return ndl_fail(err, NDL_EFORMAT, "the piece is %s", piece_len ? "not UTF-8" : "empty");
	const char *fixed = id < TOK_META ? tok_meta[id].text : NULL;
	if (fixed && (piece_len != strlen(fixed) || memcmp(line, fixed, piece_len) != 0))
		return ndl_fail(err, NDL_EUNSUPPORTED, "expected the piece %s here", fixed);
	tok_put_piece(out, line, piece_len, value, type_of(id, line, piece_len));
	return NDL_OK;
}

ndl_status tok_model_from_text(ndl_buf *out, const char *text, size_t len, ndl_error *err)
{
	const char *end = text + len;
	size_t n = 0;
	for (const char *nl; text < end; text = nl + 1, n++) {
		nl = memchr(text, '\n', (size_t)(end - text));
		nl = nl ? nl : end;
		size_t line = (size_t)(nl - text);
		line -= line && text[line - 1] == '\r';
		ndl_status s = n < TOK_PIECES_MAX ? add_line(out, n, text, line, err)
		                                  : ndl_fail(err, NDL_ELIMIT, "more than %d pieces", TOK_PIECES_MAX);
		if (s != NDL_OK) {
			ndl_error_at(err, NULL, n + 1);
			return s;
		}
	}
	const ndl_tok_train_options o = {.vocab_size = n, .coverage = 0.9995, .max_piece_chars = 16};
	tok_put_settings(out, &o);
	return ndl_buf_check(out, err);
}
