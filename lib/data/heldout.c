#include "data/heldout.h"

#include "base/mem.h"
#include "base/reader.h"

#include <sha1.h>
#include <stdlib.h>
#include <string.h>

struct ndl_heldout {
	char (*hex)[NDL_QUERY_HASH_LEN]; /* sorted */
	size_t n, cap;
};

static bool keeps(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool ndl_query_hash(const char *query, size_t len, char hex[NDL_QUERY_HASH_LEN + 1])
{
	SHA1_CTX sha;
	uint8_t digest[SHA1_DIGEST_LENGTH], block[256];
	size_t n = 0;
	bool any = false, gap = false;
	SHA1Init(&sha);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)query[i];
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c - 'A' + 'a');
		if (!keeps(c)) {
			gap = any; /* a space only between words */
			continue;
		}
		if (n + 2 > sizeof block) {
			SHA1Update(&sha, block, n);
			n = 0;
		}
		if (gap)
			block[n++] = ' ';
		block[n++] = c;
		any = true;
		gap = false;
	}
	SHA1Update(&sha, block, n);
	SHA1Final(digest, &sha);
	for (size_t i = 0; i < NDL_QUERY_HASH_LEN; i++)
		hex[i] = "0123456789abcdef"[(digest[i / 2] >> (i % 2 ? 0 : 4)) & 15];
	hex[NDL_QUERY_HASH_LEN] = '\0';
	return any;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, NDL_QUERY_HASH_LEN);
}

static ndl_status add_line(ndl_heldout *h, const char *line, size_t len, ndl_error *err)
{
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	if (len == 0 || line[0] == '#')
		return NDL_OK;
	if (len != NDL_QUERY_HASH_LEN)
		return ndl_fail(err, NDL_EFORMAT, "expected a hash of %d hex digits", NDL_QUERY_HASH_LEN);
	if (ndl_grow(&h->hex, &h->cap, h->n + 1, sizeof *h->hex) < 0)
		return ndl_fail_nomem(err, "held-out hashes");
	for (size_t i = 0; i < len; i++) {
		char c = line[i];
		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (!strchr("0123456789abcdef", c) || c == '\0')
			return ndl_fail(err, NDL_EFORMAT, "'%.16s' is not a hash of hex digits", line);
		h->hex[h->n][i] = c;
	}
	h->n++;
	return NDL_OK;
}

static ndl_status load_lines(ndl_heldout *h, ndl_reader *in, ndl_error *err)
{
	const char *line;
	size_t len;
	int got;
	while ((got = ndl_reader_line(in, &line, &len, err)) > 0) {
		ndl_status rc = add_line(h, line, len, err);
		if (rc != NDL_OK) {
			ndl_error_at(err, ndl_reader_name(in), ndl_reader_lineno(in));
			return rc;
		}
	}
	return (ndl_status)got;
}

ndl_heldout *ndl_heldout_load(const char *path, ndl_error *err)
{
	ndl_reader *in = ndl_reader_open(path, err);
	if (!in)
		return NULL;
	ndl_heldout *h = calloc(1, sizeof *h);
	ndl_status rc = h ? load_lines(h, in, err) : ndl_fail_nomem(err, "held-out hashes");
	ndl_reader_close(in);
	if (rc != NDL_OK) {
		ndl_heldout_free(h);
		return NULL;
	}
	if (h->n)
		qsort(h->hex, h->n, sizeof *h->hex, compare);
	return h;
}

void ndl_heldout_free(ndl_heldout *h)
{
	if (!h)
		return;
	free(h->hex);
	free(h);
}

size_t ndl_heldout_count(const ndl_heldout *h)
{
	return h ? h->n : 0;
}

bool ndl_heldout_contains(const ndl_heldout *h, const char *query, size_t len)
{
	char hex[NDL_QUERY_HASH_LEN + 1];
	if (!h || h->n == 0)
		return false;
	return ndl_query_hash(query, len, hex) && bsearch(hex, h->hex, h->n, sizeof *h->hex, compare) != NULL;
}
