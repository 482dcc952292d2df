#include "cmd/finetune_dump.h"

#include "base/buf.h"
#include "base/outfile.h"

#include <string.h>

static void put_number(ndl_buf *b, uint64_t v, size_t bytes)
{
	unsigned char le[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16), (unsigned char)(v >> 24)};
	ndl_buf_add(b, le, bytes);
}

static void put_lengths(ndl_buf *b, const size_t *off, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_number(b, off[i + 1] - off[i], 4);
}

static void put_ids(ndl_buf *b, const int32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_number(b, (uint64_t)ids[i], 2);
}

static void put_batch(ndl_buf *b, const ndl_batch *t)
{
	size_t enc = t->enc_off[t->n], dec = t->dec_off[t->n], pairs = t->n_pairs;
	size_t query = pairs ? t->query_off[pairs] : 0, tool = pairs ? t->tool_off[pairs] : 0;
	const size_t sizes[] = {t->n, pairs, enc, dec, query, tool};
	ndl_buf_add(b, "NDLBATCH", 8);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		put_number(b, sizes[i], 4);
	put_lengths(b, t->enc_off, t->n);
	put_lengths(b, t->dec_off, t->n);
	put_lengths(b, t->query_off, pairs);
	put_lengths(b, t->tool_off, pairs);
	put_ids(b, t->enc, enc);
	put_ids(b, t->dec_in, dec);
	put_ids(b, t->dec_out, dec);
	ndl_buf_add(b, t->cls, dec);
	put_ids(b, t->query, query);
	put_ids(b, t->tool, tool);
}

/* Into f, which is the caller's. */
static long write_batches(FILE *f, ndl_dataset *data, uint64_t most, const volatile sig_atomic_t *stop, ndl_error *err)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_batch t;
	long n = 0;
	int rc = 1;
	while (rc > 0 && !*stop && (uint64_t)n < most && (rc = ndl_dataset_next(data, &t, err)) > 0) {
		ndl_buf_reset(&b);
		put_batch(&b, &t);
		rc = ndl_buf_check(&b, err) == NDL_OK ? 1 : NDL_ENOMEM;
		if (rc > 0 && fwrite(b.data, 1, b.len, f) != b.len)
			break; /* the caller sees it on closing */
		n++;
	}
	ndl_buf_clear(&b);
	return rc < 0 && !*stop ? rc : n; /* a signal ends a wait for rows */
}

long finetune_dump(const char *path, ndl_dataset *data, uint64_t most, const volatile sig_atomic_t *stop, ndl_error *err)
{
	ndl_outfile out;
	if (strcmp(path, "-") == 0)
		return write_batches(stdout, data, most, stop, err);
	ndl_status status = ndl_outfile_open(&out, path, err);
	if (status != NDL_OK)
		return status;
	long n = write_batches(out.f, data, most, stop, err);
	if (n < 0)
		ndl_outfile_abort(&out);
	else if ((status = ndl_outfile_commit(&out, err)) != NDL_OK)
		n = status;
	return n;
}
