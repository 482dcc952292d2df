/* model.c - reads a SentencePiece .model (a protobuf message, described by SentencePiece's
 * sentencepiece_model.proto) and answers questions about its pieces. */
#include "tokenizer/proto.h"
#include "tokenizer/tok_internal.h"
#include "tokenizer/write.h"

#include "base/mem.h"
#include "base/reader.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What loading knows before the tables are built. */
typedef struct loader {
	ndl_tok *t;
	size_t cap;
	ndl_buf text;
	bool has_trainer, has_normalizer, has_charsmap;
	char normalizer[40];
} loader;

static ndl_status add_piece(loader *l, pb_cursor c, ndl_error *err)
{
	ndl_tok *t = l->t;
	tok_piece p = {.type = PIECE_NORMAL};
	const unsigned char *text = NULL;
	pb_field f;
	int rc;
	while ((rc = pb_next(&c, &f, err)) > 0) {
		if (f.number == 1 && f.wire == PB_BYTES) {
			text = f.data;
			p.len = f.len > TOK_PIECE_LEN_MAX ? TOK_PIECE_LEN_MAX + 1 : (uint32_t)f.len;
		} else if (f.number == 2 && f.wire == PB_FIXED32) {
			p.score = pb_float(&f);
		} else if (f.number == 3 && f.wire == PB_VARINT && f.value >= PIECE_NORMAL && f.value <= PIECE_BYTE) {
			p.type = (uint8_t)f.value;
		}
	}
	if (rc < 0)
		return NDL_EFORMAT;
	if (t->n >= TOK_PIECES_MAX)
		return ndl_fail(err, NDL_ELIMIT, "more than %d pieces", TOK_PIECES_MAX);
	if (p.len == 0)
		return ndl_fail(err, NDL_EFORMAT, "piece %zu is empty", t->n);
	if (p.len > TOK_PIECE_LEN_MAX)
		return ndl_fail(err, NDL_ELIMIT, "piece %zu is longer than %d bytes", t->n, TOK_PIECE_LEN_MAX);
	if (ndl_utf8_check((const char *)text, p.len) != p.len)
		return ndl_fail(err, NDL_EFORMAT, "piece %zu is not valid UTF-8", t->n);
	if (isnan(p.score))
		return ndl_fail(err, NDL_EFORMAT, "the score of piece %zu is not a number", t->n);
	if (ndl_grow(&t->piece, &l->cap, t->n + 1, sizeof *t->piece) < 0)
		return ndl_fail_nomem(err, "vocabulary");
	p.text = (uint32_t)l->text.len;
	ndl_buf_add(&l->text, text, p.len);
	ndl_buf_byte(&l->text, 0);
	t->piece[t->n++] = p;
	return NDL_OK;
}

static ndl_status set_unk_surface(ndl_tok *t, const void *data, size_t len, ndl_error *err)
{
	/* as in C++, where the surface passes through a C string */
	const char *nul = len ? memchr(data, 0, len) : NULL;
	if (nul)
		len = (size_t)(nul - (const char *)data);
	free(t->unk_surface);
	t->unk_surface = ndl_strndup(len ? data : "", len);
	t->unk_surface_len = len;
	return t->unk_surface ? NDL_OK : ndl_fail_nomem(err, "vocabulary");
}

static ndl_status read_trainer(loader *l, pb_cursor c, ndl_error *err)
{
	ndl_tok *t = l->t;
	pb_field f;
	int rc;
	l->has_trainer = true;
	while ((rc = pb_next(&c, &f, err)) > 0) {
		if (f.wire == PB_VARINT && f.number == 3 && f.value >= 1 && f.value <= 4)
			t->model_type = (int)f.value;
		else if (f.wire == PB_VARINT && f.number == 24)
			t->whitespace_suffix = f.value != 0;
		else if (f.wire == PB_VARINT && f.number == 35)
			t->byte_fallback = f.value != 0;
		else if (f.wire == PB_BYTES && f.number == 44 && set_unk_surface(t, f.data, f.len, err) != NDL_OK)
			return NDL_ENOMEM;
	}
	return rc < 0 ? NDL_EFORMAT : NDL_OK;
}

static ndl_status read_normalizer(loader *l, pb_cursor c, ndl_error *err)
{
	pb_field f;
	int rc;
	l->has_normalizer = true;
	while ((rc = pb_next(&c, &f, err)) > 0) {
		if (f.wire == PB_BYTES && f.number == 1)
			snprintf(l->normalizer, sizeof l->normalizer, "%.*s", (int)(f.len < 30 ? f.len : 30),
			         (const char *)f.data);
		else if (f.wire == PB_BYTES && f.number == 2)
			l->has_charsmap = f.len > 0;
		else if (f.wire == PB_VARINT && f.number == 3)
			l->t->dummy_prefix = f.value != 0;
		else if (f.wire == PB_VARINT && f.number == 4)
			l->t->remove_spaces = f.value != 0;
		else if (f.wire == PB_VARINT && f.number == 5)
			l->t->escape_spaces = f.value != 0;
	}
	return rc < 0 ? NDL_EFORMAT : NDL_OK;
}

static ndl_status check_denormalizer(pb_cursor c, ndl_error *err)
{
	pb_field f;
	int rc;
	while ((rc = pb_next(&c, &f, err)) > 0)
		if (f.wire == PB_BYTES && f.number == 2 && f.len > 0)
			return ndl_fail(err, NDL_EUNSUPPORTED, "denormalisation is not supported");
	return rc < 0 ? NDL_EFORMAT : NDL_OK;
}

static ndl_status read_message(loader *l, ndl_error *err)
{
	const unsigned char *start = l->t->model;
	pb_cursor c = {start, start, start + l->t->model_len};
	pb_field f;
	int rc;
	/* a piece takes eight bytes or more: room for all at once costs no copies, and what stays unused no memory */
	size_t most = l->t->model_len / 8 < TOK_PIECES_MAX ? l->t->model_len / 8 : TOK_PIECES_MAX;
	if (ndl_grow(&l->t->piece, &l->cap, most, sizeof *l->t->piece) < 0)
		return ndl_fail_nomem(err, "vocabulary");
	while ((rc = pb_next(&c, &f, err)) > 0) {
		ndl_status status = NDL_OK;
		if (f.wire != PB_BYTES)
			continue;
		if (f.number == 1)
			status = add_piece(l, pb_enter(&c, &f), err);
		else if (f.number == 2)
			status = read_trainer(l, pb_enter(&c, &f), err);
		else if (f.number == 3)
			status = read_normalizer(l, pb_enter(&c, &f), err);
		else if (f.number == 5)
			status = check_denormalizer(pb_enter(&c, &f), err);
		if (status != NDL_OK)
			return status;
	}
	return rc < 0 ? NDL_EFORMAT : NDL_OK;
}

static ndl_status check_supported(const loader *l, ndl_error *err)
{
	static const char *const type_name[] = {"?", "unigram", "BPE", "word", "char"};
	if (l->t->n == 0)
		return ndl_fail(err, NDL_EFORMAT, "no pieces: not a SentencePiece .model");
	if (!l->has_trainer || !l->has_normalizer)
		return ndl_fail(err, NDL_EFORMAT, "no %s settings: not a SentencePiece .model, or truncated",
		                l->has_trainer ? "normaliser" : "trainer");
	if (l->t->model_type != 2)
		return ndl_fail(err, NDL_EUNSUPPORTED, "this is a %s model; only BPE is supported",
		                type_name[l->t->model_type]);
	if (l->has_charsmap)
		return ndl_fail(err, NDL_EUNSUPPORTED, "normaliser '%s' is not supported, only 'identity'",
		                l->normalizer);
	return NDL_OK;
}

/* The digit's value, or -1; only upper-case letters are written. */
static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "<0x41>" -> 0x41, or -1. */
static int byte_of_piece(const char *text, size_t len)
{
	if (len != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>')
		return -1;
	int high = hex_digit(text[3]), low = hex_digit(text[4]);
	return high < 0 || low < 0 ? -1 : 16 * high + low;
}

static ndl_status note_byte(ndl_tok *t, int32_t id, ndl_error *err)
{
	int b = byte_of_piece(tok_text(t, id), t->piece[id].len);
	if (!t->byte_fallback)
		return ndl_fail(err, NDL_EFORMAT, "byte piece %s without byte fallback", tok_text(t, id));
	if (b < 0)
		return ndl_fail(err, NDL_EFORMAT, "'%s' is not the name of a byte", tok_text(t, id));
	t->byte_id[b] = id;
	return NDL_OK;
}

static ndl_status check_types(ndl_tok *t, ndl_error *err)
{
	t->unk = -1;
	memset(t->byte_id, -1, sizeof t->byte_id);
	for (size_t i = 0; i < t->n; i++) {
		int32_t id = (int32_t)i;
		if (t->piece[i].type == PIECE_UNUSED)
			t->has_unused = true;
		if (t->piece[i].type == PIECE_UNKNOWN) {
			if (t->unk >= 0)
				return ndl_fail(err, NDL_EFORMAT, "two unknown pieces, %d and %d", (int)t->unk, (int)id);
			t->unk = id;
		}
		if (t->piece[i].type == PIECE_BYTE && note_byte(t, id, err) != NDL_OK)
			return NDL_EFORMAT;
	}
	if (t->unk < 0)
		return ndl_fail(err, NDL_EFORMAT, "no unknown piece");
	for (int b = 0; b < 256 && t->byte_fallback; b++)
		if (t->byte_id[b] < 0)
			return ndl_fail(err, NDL_EFORMAT, "byte fallback without a piece <0x%02X>", (unsigned)b);
	return NDL_OK;
}

/* Writes piece p's bytes in decoded text (see ndl_tok_bytes) to `to`; returns their number, at
 * most its length, or that of the unknown surface. */
static size_t decoded_bytes(const ndl_tok *t, const tok_piece *p, char *to)
{
	const char *s = t->text + p->text;
	size_t n = 0;
	if (p->type == PIECE_UNKNOWN) {
		memcpy(to, t->unk_surface, t->unk_surface_len);
		return t->unk_surface_len;
	}
	if (p->type == PIECE_BYTE) {
		*to = (char)byte_of_piece(s, p->len);
		return 1;
	}
	if (p->type == PIECE_CONTROL)
		return 0;
	for (size_t k = 0; k < p->len; k++) {
		bool space = p->len - k >= SPACE_LEN && memcmp(s + k, SPACE_SYMBOL, SPACE_LEN) == 0;
		to[n++] = space ? ' ' : s[k];
		k += space ? SPACE_LEN - 1 : 0;
	}
	return n;
}

static ndl_status build_bytes(ndl_tok *t, size_t text_len, ndl_error *err)
{
	size_t at = 0; /* one unknown piece, one NUL after each piece, as in the text */
	t->bytes = ndl_calloc(text_len + t->unk_surface_len + 1, 1);
	if (!t->bytes)
		return ndl_fail_nomem(err, "vocabulary");
	for (size_t i = 0; i < t->n; i++) {
		tok_piece *p = &t->piece[i];
		p->bytes = (uint32_t)at;
		p->bytes_len = (uint32_t)decoded_bytes(t, p, t->bytes + at);
		at += p->bytes_len + 1;
	}
	return NDL_OK;
}

static ndl_status load(loader *l, const void *model, size_t len, ndl_error *err)
{
	ndl_tok *t = l->t;
	t->model = malloc(len + 1);
	if (!t->model)
		return ndl_fail_nomem(err, "vocabulary");
	if (len)
		memcpy(t->model, model, len);
	t->model_len = len;
	t->model_type = 1; /* the format's default */
	t->dummy_prefix = t->remove_spaces = t->escape_spaces = true;
	static const char surface[] = " \xE2\x81\x87 ";
	ndl_status status = set_unk_surface(t, surface, sizeof surface - 1, err);
	if (status == NDL_OK)
		status = read_message(l, err);
	if (status == NDL_EFORMAT && t->n == 0)
		ndl_error_prefix(err, "not a SentencePiece .model");
	if (status == NDL_OK)
		status = ndl_buf_check(&l->text, err);
	t->text = l->text.data;
	if (status == NDL_OK)
		status = check_supported(l, err);
	if (status == NDL_OK)
		status = check_types(t, err);
	if (status == NDL_OK)
		status = build_bytes(t, l->text.len, err);
	return status == NDL_OK ? tok_build_tables(t, err) : status;
}

static ndl_tok *new_from_text(const char *text, size_t len, ndl_error *err)
{
	ndl_buf model = NDL_BUF_INIT;
	ndl_tok *t = NULL;
	if (tok_model_from_text(&model, text, len, err) == NDL_OK)
		t = ndl_tok_new(model.data, model.len, err);
	ndl_buf_clear(&model);
	return t;
}

ndl_tok *ndl_tok_new(const void *model, size_t len, ndl_error *err)
{
	if (len <= TOK_MODEL_MAX && tok_is_text(model, len))
		return new_from_text(model, len, err);
	if (len > TOK_MODEL_MAX) {
		ndl_fail(err, NDL_ELIMIT, "vocabulary larger than %d bytes", TOK_MODEL_MAX);
		return NULL;
	}
	loader l = {.t = ndl_calloc(1, sizeof(ndl_tok)), .text = NDL_BUF_INIT};
	if (!l.t) {
		ndl_fail_nomem(err, "vocabulary");
		return NULL;
	}
	if (load(&l, model, len, err) != NDL_OK) {
		l.t->text = l.text.data;
		ndl_tok_free(l.t);
		return NULL;
	}
	return l.t;
}

ndl_tok *ndl_tok_load(const char *path, ndl_error *err)
{
	size_t len;
	char *data = ndl_read_all(path, &len, TOK_MODEL_MAX, err);
	if (!data)
		return NULL;
	ndl_tok *t = ndl_tok_new(data, len, err);
	if (!t)
		ndl_error_at(err, path, 0);
	free(data);
	return t;
}

void ndl_tok_free(ndl_tok *t)
{
	if (!t)
		return;
	free(t->model);
	free(t->piece);
	free(t->rank);
	free(t->final);
	free(t->symbol_cp);
	free(t->text);
	free(t->bytes);
	free(t->unk_surface);
	free(t->name);
	if (t->lazy)
		free(atomic_load(&t->lazy->pairs));
	free(t->lazy);
	free(t->page);
	free(t->user);
	free(t);
}

const void *ndl_tok_model_bytes(const ndl_tok *t, size_t *len)
{
	*len = t->model_len;
	return t->model;
}

size_t ndl_tok_size(const ndl_tok *t) { return t->n; }

ndl_status ndl_tok_fits(const ndl_tok *t, int vocab_size, ndl_error *err)
{
	if (t->n == (size_t)vocab_size)
		return NDL_OK;
	return ndl_fail(err, NDL_EFORMAT, "the tokenizer has %zu pieces, the network %d", t->n, vocab_size);
}

const char *ndl_tok_piece(const ndl_tok *t, int32_t id, size_t *len)
{
	bool known = id >= 0 && (size_t)id < t->n;
	if (len)
		*len = known ? t->piece[id].len : 0;
	return known ? tok_text(t, id) : "";
}

const char *ndl_tok_bytes(const ndl_tok *t, int32_t id, size_t *len)
{
	bool known = id >= 0 && (size_t)id < t->n;
	if (len)
		*len = known ? t->piece[id].bytes_len : 0;
	return known ? t->bytes + t->piece[id].bytes : "";
}

int32_t ndl_tok_id(const ndl_tok *t, const char *piece, size_t len)
{
	const tok_name *name = tok_find_name(t, piece, len, "", 0);
	return !name ? -1 : name->reserved >= 0 ? name->reserved : name->normal;
}
