/* index_file.c - a catalogue as a file: safetensors, see needle-encode(1). */
#include "retrieve/retrieve_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "needle-index"
#define VERSION "1"

/* Writing ------------------------------------------------------------------------------- */

static ndl_status add(ndl_ckpt_writer *w, const char *name, ndl_dtype type, size_t n, const void *data, ndl_error *err)
{
	return ndl_ckpt_writer_add(w, name, type, 1, &n, data, err);
}

static ndl_status add_texts(ndl_ckpt_writer *w, const char *what, const struct texts *t, size_t n, ndl_error *err)
{
	char name[32];
	snprintf(name, sizeof name, "%s/text", what);
	ndl_status rc = add(w, name, NDL_U8, t->at[n], t->bytes, err);
	snprintf(name, sizeof name, "%s/at", what);
	return rc == NDL_OK ? add(w, name, NDL_U32, n + 1, t->at, err) : rc;
}

static ndl_status add_all(const ndl_index *x, ndl_ckpt_writer *w, ndl_error *err)
{
	ndl_status rc = ndl_ckpt_writer_meta(w, "format", FORMAT, err);
	if (rc == NDL_OK)
		rc = ndl_ckpt_writer_meta(w, "format_version", VERSION, err);
	if (rc == NDL_OK)
		rc = ndl_ckpt_writer_meta(w, "lenient", x->flags & NDL_TOOLS_LENIENT ? "true" : "false", err);
	if (rc == NDL_OK)
		rc = add_texts(w, "name", &x->name, x->n, err);
	if (rc == NDL_OK)
		rc = add_texts(w, "tool", &x->tool, x->n, err);
	if (rc == NDL_OK)
		rc = add(w, "tool/hash", NDL_U64, x->n, x->hash, err);
	if (rc == NDL_OK)
		rc = add(w, "tool/length", NDL_U32, x->n, x->length, err);
	if (rc == NDL_OK)
		rc = add_texts(w, "word", &x->word, x->n_words, err);
	if (rc == NDL_OK)
		rc = add(w, "word/from", NDL_U32, x->n_words + 1, x->from, err);
	if (rc == NDL_OK)
		rc = add(w, "word/in", NDL_U32, x->n_postings, x->in, err);
	if (rc == NDL_OK)
		rc = add(w, "word/count", NDL_U32, x->n_postings, x->count, err);
	if (rc == NDL_OK && x->vectors)
		rc = ndl_ckpt_writer_meta(w, "vectors_by", x->by, err);
	if (rc == NDL_OK && x->vectors)
		rc = ndl_ckpt_writer_add(w, "vectors", NDL_F32, 2, (size_t[]){x->n, x->dim}, x->vectors, err);
	return rc;
}

ndl_status ndl_index_write(const ndl_index *x, const char *path, ndl_error *err)
{
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(err);
	ndl_status rc = w ? add_all(x, w, err) : NDL_ENOMEM;
	if (rc == NDL_OK && !x->n)
		rc = ndl_fail(err, NDL_EINVAL, "there are no tools to index");
	if (rc == NDL_OK)
		rc = ndl_ckpt_writer_finish(w, path, err);
	ndl_ckpt_writer_free(w);
	return rc;
}

/* Reading ------------------------------------------------------------------------------- */

/* A list of n; its data, or NULL with err. */
static const void *take(const ndl_index *x, const char *name, ndl_dtype type, size_t n, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(x->file, name);
	if (t && t->dtype == type && t->rank == 1 && t->shape[0] == n)
		return t->data;
	ndl_fail(err, NDL_EFORMAT, "%s: expected %s [%zu]", name, ndl_dtype_name(type), n);
	return NULL;
}

/* The length of a list; 0 if there is no such. */
static size_t length_of(const ndl_index *x, const char *name)
{
	const ndl_tensor *t = ndl_ckpt_find(x->file, name);
	return t && t->rank == 1 ? t->shape[0] : 0;
}

/* Whether at[n + 1] rises from 0 to end. */
static bool rises(const uint32_t *at, size_t n, size_t end)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] > at[i + 1])
			return false;
	return at[0] == 0 && at[n] == end;
}

static ndl_status take_texts(ndl_index *x, const char *what, struct texts *t, size_t n, ndl_error *err)
{
	char at[32], text[32];
	snprintf(at, sizeof at, "%s/at", what);
	snprintf(text, sizeof text, "%s/text", what);
	size_t bytes = length_of(x, text);
	if (!(t->at = take(x, at, NDL_U32, n + 1, err)) || !(t->bytes = take(x, text, NDL_U8, bytes, err)))
		return NDL_EFORMAT;
	return rises(t->at, n, bytes) ? NDL_OK : ndl_fail(err, NDL_EFORMAT, "%s does not rise from 0 to %zu", at, bytes);
}

static ndl_status check_names(const ndl_index *x, ndl_error *err)
{
	for (size_t i = 0; i < x->n; i++) {
		const char *name = ndl_index_name(x, i);
		size_t len = x->name.at[i + 1] - x->name.at[i];
		if (len < 2 || memchr(name, 0, len) != name + len - 1 || ndl_utf8_check(name, len - 1) != len - 1)
			return ndl_fail(err, NDL_EFORMAT, "name/text: number %zu is no text that ends in NUL", i);
	}
	return NDL_OK;
}

static ndl_status check_words(const ndl_index *x, ndl_error *err)
{
	for (size_t w = 1; w < x->n_words; w++) {
		const uint32_t *at = x->word.at + w;
		if (ndl_word_compare(x->word.bytes + at[-1], at[0] - at[-1], x->word.bytes + at[0], at[1] - at[0]) >= 0)
			return ndl_fail(err, NDL_EFORMAT, "word/text: number %zu is out of order", w);
	}
	for (size_t p = 0; p < x->n_postings; p++)
		if (x->in[p] >= x->n)
			return ndl_fail(err, NDL_EFORMAT, "word/in: there is no tool %u", (unsigned)x->in[p]);
	return NDL_OK;
}

static ndl_status take_vectors(ndl_index *x, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(x->file, "vectors");
	const char *by = ndl_ckpt_meta(x->file, "vectors_by");
	if (!t)
		return NDL_OK;
	if (t->dtype != NDL_F32 || t->rank != 2 || t->shape[0] != x->n || !t->shape[1] || !by || strlen(by) > NDL_INDEX_BY_MAX)
		return ndl_fail(err, NDL_EFORMAT, "vectors: expected F32 [%zu, n], and \"vectors_by\"", x->n);
	x->vectors = t->data;
	x->dim = t->shape[1];
	memcpy(x->by, by, strlen(by) + 1);
	for (size_t i = 0; i < x->n * x->dim; i++)
		if (!(fabsf(x->vectors[i]) <= 2)) /* they are of unit length; NaN is no number to sort by */
			return ndl_fail(err, NDL_EFORMAT, "vectors: not of unit length");
	return NDL_OK;
}

static ndl_status take_all(ndl_index *x, ndl_error *err)
{
	x->n = length_of(x, "tool/hash");
	x->n_words = length_of(x, "word/from");
	x->n_postings = length_of(x, "word/in");
	if (!x->n || x->n >= UINT32_MAX || !x->n_words || x->n_words-- >= UINT32_MAX || x->n_postings >= UINT32_MAX)
		return ndl_fail(err, NDL_EFORMAT, "tool/hash, word/from or word/in is no list");
	if (take_texts(x, "name", &x->name, x->n, err) != NDL_OK || take_texts(x, "tool", &x->tool, x->n, err) != NDL_OK ||
	    take_texts(x, "word", &x->word, x->n_words, err) != NDL_OK || !(x->hash = take(x, "tool/hash", NDL_U64, x->n, err)) ||
	    !(x->length = take(x, "tool/length", NDL_U32, x->n, err)) ||
	    !(x->from = take(x, "word/from", NDL_U32, x->n_words + 1, err)) ||
	    !(x->in = take(x, "word/in", NDL_U32, x->n_postings, err)) ||
	    !(x->count = take(x, "word/count", NDL_U32, x->n_postings, err)))
		return NDL_EFORMAT;
	if (!rises(x->from, x->n_words, x->n_postings))
		return ndl_fail(err, NDL_EFORMAT, "word/from does not rise from 0 to %zu", x->n_postings);
	ndl_status rc = check_names(x, err);
	if (rc == NDL_OK)
		rc = check_words(x, err);
	return rc == NDL_OK ? take_vectors(x, err) : rc;
}

static ndl_status check_format(ndl_index *x, ndl_error *err)
{
	const char *format = ndl_ckpt_meta(x->file, "format"), *version = ndl_ckpt_meta(x->file, "format_version");
	const char *lenient = ndl_ckpt_meta(x->file, "lenient");
	if (!format || strcmp(format, FORMAT) != 0)
		return ndl_fail(err, NDL_EFORMAT, "not an index of tools, as needle-encode --index writes it");
	if (!version || strcmp(version, VERSION) != 0)
		return ndl_fail(err, NDL_EUNSUPPORTED, "an index of version %s; this program reads version " VERSION,
		                version ? version : "(none)");
	x->flags = lenient && strcmp(lenient, "true") == 0 ? NDL_TOOLS_LENIENT : 0;
	return NDL_OK;
}

/* Moves the file, which is NULL after a failure. */
static ndl_index *take_file(ndl_ckpt *file, ndl_error *err)
{
	ndl_index *x = file ? ndl_calloc(1, sizeof *x) : NULL;
	if (!x) {
		if (file)
			ndl_fail_nomem(err, "an index");
		ndl_ckpt_close(file);
		return NULL;
	}
	x->file = file;
	if (check_format(x, err) == NDL_OK && take_all(x, err) == NDL_OK) {
		ndl_index_measure(x);
		return x;
	}
	ndl_index_free(x);
	return NULL;
}

ndl_index *ndl_index_open(const char *path, ndl_error *err)
{
	ndl_index *x = take_file(ndl_ckpt_open(path, err), err);
	if (!x)
		ndl_error_at(err, path, 0);
	return x;
}

ndl_index *ndl_index_open_memory(const void *data, size_t size, ndl_error *err)
{
	return take_file(ndl_ckpt_open_memory(data, size, "", err), err);
}
