#include "checkpoint/checkpoint.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/utf8.h"
#include "checkpoint/names.h"
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair {
	char *key, *value;
} pair;

struct ndl_ckpt_writer {
	ndl_tensor *tensors; /* names owned, data borrowed */
	size_t n, cap;
	pair *meta;
	size_t n_meta, cap_meta;
	bool packed;
};

ndl_ckpt_writer *ndl_ckpt_writer_new(ndl_error *err)
{
	ndl_ckpt_writer *w = ndl_calloc(1, sizeof *w);
	if (!w)
		ndl_fail_nomem(err, "model file writer");
	return w;
}

void ndl_ckpt_writer_free(ndl_ckpt_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++)
		free((void *)(uintptr_t)w->tensors[i].name);
	for (size_t i = 0; i < w->n_meta; i++) {
		free(w->meta[i].key);
		free(w->meta[i].value);
	}
	free(w->tensors);
	free(w->meta);
	free(w);
}

void ndl_ckpt_writer_set_packed(ndl_ckpt_writer *w, bool packed)
{
	w->packed = packed;
}

static bool is_text(const char *s)
{
	return ndl_utf8_check(s, strlen(s)) == strlen(s);
}

ndl_status ndl_ckpt_writer_meta(ndl_ckpt_writer *w, const char *key, const char *value, ndl_error *err)
{
	if (!is_text(key) || !is_text(value))
		return ndl_fail(err, NDL_EINVAL, "metadata '%s' is not UTF-8", key);
	for (size_t i = 0; i < w->n_meta; i++)
		if (strcmp(w->meta[i].key, key) == 0)
			return ndl_fail(err, NDL_EINVAL, "metadata '%s' is given twice", key);
	if (ndl_grow(&w->meta, &w->cap_meta, w->n_meta + 1, sizeof *w->meta) != 0)
		return ndl_fail_nomem(err, "metadata");
	pair p = {strdup(key), strdup(value)};
	if (!p.key || !p.value) {
		free(p.key);
		free(p.value);
		return ndl_fail_nomem(err, "metadata");
	}
	w->meta[w->n_meta++] = p;
	return NDL_OK;
}

static ndl_status check_name(const ndl_ckpt_writer *w, const char *name, ndl_error *err)
{
	if (!*name || !is_text(name) || strcmp(name, "__metadata__") == 0 || ndl_ckpt_is_padding(name))
		return ndl_fail(err, NDL_EINVAL, "'%s' cannot be a tensor's name", name);
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->tensors[i].name, name) == 0)
			return ndl_fail(err, NDL_EINVAL, "tensor '%s' is given twice", name);
	return NDL_OK;
}

ndl_status ndl_ckpt_writer_add(ndl_ckpt_writer *w, const char *name, ndl_dtype dtype, int rank,
                               const size_t *shape, const void *data, ndl_error *err)
{
	ndl_tensor t = {.dtype = dtype, .rank = rank, .data = data};
	ndl_status s = check_name(w, name, err);
	if (s != NDL_OK)
		return s;
	if (rank < 0 || rank > NDL_MAX_RANK || (unsigned)dtype >= NDL_DTYPE_COUNT)
		return ndl_fail(err, NDL_EINVAL, "tensor '%s': bad rank or data type", name);
	for (int i = 0; i < rank; i++)
		t.shape[i] = shape[i];
	size_t elements = ndl_tensor_elements(&t);
	if (!ndl_mul_ok(elements, ndl_dtype_size(dtype), &t.bytes) || t.bytes > SIZE_MAX / 4)
		return ndl_fail(err, NDL_ELIMIT, "tensor '%s': its size overflows", name);
	if (ndl_grow(&w->tensors, &w->cap, w->n + 1, sizeof *w->tensors) != 0)
		return ndl_fail_nomem(err, name);
	t.name = strdup(name);
	if (!t.name)
		return ndl_fail_nomem(err, name);
	w->tensors[w->n++] = t;
	return NDL_OK;
}

static void write_entry(ndl_buf *b, const char *name, const ndl_tensor *t, size_t begin)
{
	ndl_json_write_string(b, name, strlen(name), 0);
	ndl_buf_printf(b, ":{\"dtype\":\"%s\",\"shape\":[", ndl_dtype_name(t->dtype));
	for (int i = 0; i < t->rank; i++)
		ndl_buf_printf(b, "%s%zu", i ? "," : "", t->shape[i]);
	ndl_buf_printf(b, "],\"data_offsets\":[%zu,%zu]}", begin, begin + t->bytes);
}

static size_t gap_after(const ndl_ckpt_writer *w, size_t end)
{
	return w->packed ? 0 : (NDL_ST_ALIGN - end % NDL_ST_ALIGN) % NDL_ST_ALIGN;
}

/* The JSON, padded with spaces so that the data begins at a multiple of NDL_ST_ALIGN. */
static ndl_status make_header(const ndl_ckpt_writer *w, ndl_buf *b, ndl_error *err)
{
	size_t at = 0, n_padding = 0;
	ndl_buf_str(b, "{\"__metadata__\":{");
	for (size_t i = 0; i < w->n_meta; i++) {
		if (i)
			ndl_buf_byte(b, ',');
		ndl_json_write_string(b, w->meta[i].key, strlen(w->meta[i].key), 0);
		ndl_buf_byte(b, ':');
		ndl_json_write_string(b, w->meta[i].value, strlen(w->meta[i].value), 0);
	}
	ndl_buf_byte(b, '}');
	for (size_t i = 0; i < w->n; i++) {
		if (at > SIZE_MAX / 2)
			return ndl_fail(err, NDL_ELIMIT, "the model file's size overflows");
		ndl_buf_byte(b, ',');
		write_entry(b, w->tensors[i].name, &w->tensors[i], at);
		at += w->tensors[i].bytes;
		size_t gap = gap_after(w, at);
		if (gap && i + 1 < w->n) {
			char name[40];
			ndl_tensor filler = {.dtype = NDL_U8, .rank = 1, .shape = {gap}, .bytes = gap};
			snprintf(name, sizeof name, NDL_ST_PADDING "%zu", n_padding++);
			ndl_buf_byte(b, ',');
			write_entry(b, name, &filler, at);
			at += gap;
		}
	}
	ndl_buf_byte(b, '}');
	while ((b->len + NDL_ST_PREFIX) % NDL_ST_ALIGN != 0 && !b->failed)
		ndl_buf_byte(b, ' ');
	if (b->len > NDL_ST_HEADER_MAX)
		return ndl_fail(err, NDL_ELIMIT, "the model file's header is over the limit of the format");
	return ndl_buf_check(b, err);
}

/* stdio remembers failure until ndl_outfile_commit asks. */
static void write_body(const ndl_ckpt_writer *w, const ndl_buf *header, FILE *f)
{
	static const unsigned char zeros[NDL_ST_ALIGN];
	unsigned char prefix[NDL_ST_PREFIX];
	for (int i = 0; i < NDL_ST_PREFIX; i++)
		prefix[i] = (unsigned char)((uint64_t)header->len >> (8 * i));
	fwrite(prefix, 1, sizeof prefix, f);
	fwrite(header->data, 1, header->len, f);
	for (size_t i = 0; i < w->n && !ferror(f); i++) {
		const ndl_tensor *t = &w->tensors[i];
		if (t->bytes)
			fwrite(t->data, 1, t->bytes, f);
		if (i + 1 < w->n)
			fwrite(zeros, 1, gap_after(w, t->bytes), f);
	}
}

/* Larger types first, then names: what the format's own library does, so that every tensor is
 * aligned for its type without fillers. */
static int packed_order(const void *pa, const void *pb)
{
	const ndl_tensor *a = pa, *b = pb;
	size_t sa = ndl_dtype_size(a->dtype), sb = ndl_dtype_size(b->dtype);
	return sa != sb ? (sa > sb ? -1 : 1) : strcmp(a->name, b->name);
}

ndl_status ndl_ckpt_writer_finish(ndl_ckpt_writer *w, const char *path, ndl_error *err)
{
	ndl_outfile out;
	ndl_buf header = NDL_BUF_INIT;
	if (w->packed)
		qsort(w->tensors, w->n, sizeof *w->tensors, packed_order);
	ndl_status s = make_header(w, &header, err);
	if (s == NDL_OK)
		s = ndl_outfile_open(&out, path, err);
	if (s == NDL_OK) {
		write_body(w, &header, out.f);
		s = ndl_outfile_commit(&out, err);
	}
	ndl_buf_clear(&header);
	return s;
}
