#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/archive.h"

#include "base/buf.h"
#include "base/gunzip.h"
#include "base/libarchive.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16, HEAD = 512, MEMBERS_MAX = 10000 };

enum ndl_container ndl_container_of(const char *p, size_t n)
{
	static const struct { const char *magic; size_t len, at; } known[] = {
		{"\x1f\x8b", 2, 0}, {"\x28\xb5\x2f\xfd", 4, 0}, {"P*M\x18", 4, 0} /* pzstd's first frame */, {"\xfd" "7zXZ", 5, 0},
		{"PK\x03\x04", 4, 0}, {"PK\x05\x06", 4, 0}, {"ustar", 5, 257},
		/* bzip2: "BZh1" to "BZh9" and pi, or its root if it is empty; a line of text may begin with BZh */
		{"1AY&SY", 6, 4}, {"\x17rE8P\x90", 6, 4},
	};
	if (n == 0)
		return NDL_MAYBE_CONTAINER;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		size_t at = known[i].at, have = n > at ? n - at : 0;
		if (at == 4 && (memcmp(p, "BZh", n < 3 ? n : 3) != 0 || (n > 3 && (p[3] < '1' || p[3] > '9'))))
			continue;
		if (have >= known[i].len) {
			if (memcmp(p + at, known[i].magic, known[i].len) == 0)
				return NDL_CONTAINER;
		} else if (at < 5 && memcmp(p + at, known[i].magic, have) == 0) {
			return NDL_MAYBE_CONTAINER; /* not for tar, which is written in blocks of 512 bytes */
		}
	}
	return NDL_NO_CONTAINER;
}

struct archive *ndl_libarchive_new(ndl_error *err)
{
	if (ndl_libarchive_load(err) != NDL_OK)
		return NULL;
	struct archive *a = archive_read_new();
	if (!a) {
		ndl_fail_nomem(err, "decompressor");
		return NULL;
	}
	/* By name: "all" would also undo uuencoded text and start external programs. Not gzip, see gunzip.h. */
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_zip(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	return a;
}

la_ssize_t ndl_libarchive_gunzip(struct archive *a, void *gunzip, const void **out)
{
	ndl_error e = NDL_ERROR_INIT;
	ssize_t got = ndl_gunzip_next(gunzip, out, &e);
	if (got < 0)
		archive_set_error(a, EIO, "%s", e.text);
	return got;
}

void ndl_members_clear(ndl_members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->member[i].name);
		free(m->member[i].data);
	}
	free(m->member);
	*m = (ndl_members){0};
}

typedef struct job {
	struct archive *a;
	const char *data; /* what was not yet fed to gunzip */
	size_t size;
	ndl_gunzip *gunzip; /* NULL: not gzip */
	ndl_members *m;
	size_t left; /* bytes that may still be decompressed */
	ndl_member_fn *wanted;
	void *user;
	ndl_error *err;
} job;

static ndl_status damaged(const job *j)
{
	const char *why = archive_error_string(j->a);
	return ndl_fail(j->err, NDL_EFORMAT, "cannot decompress: %s", why ? why : "damaged data");
}

/* Up to CHUNK bytes more into b; *n = how many, 0 at the member's end. */
static ndl_status read_more(job *j, ndl_buf *b, size_t *n)
{
	char *to = ndl_buf_reserve(b, CHUNK);
	if (!to)
		return ndl_fail_nomem(j->err, "archive");
	la_ssize_t got = archive_read_data(j->a, to, CHUNK);
	if (got < 0)
		return damaged(j);
	*n = (size_t)got;
	if (*n > j->left)
		return ndl_fail(j->err, NDL_ELIMIT, "too much data for an archive of this size, once decompressed");
	j->left -= *n;
	b->len += *n;
	to[*n] = '\0';
	return NDL_OK;
}

static ndl_status keep(job *j, const char *name, ndl_buf *b)
{
	ndl_member member = {strdup(name), b->data, b->len};
	if (!member.name || ndl_grow(&j->m->member, &j->m->cap, j->m->n + 1, sizeof member) != 0) {
		free(member.name);
		return ndl_fail_nomem(j->err, "archive");
	}
	*b = (ndl_buf)NDL_BUF_INIT; /* moved */
	j->m->member[j->m->n++] = member;
	return NDL_OK;
}

static ndl_status read_member(job *j, const char *name)
{
	ndl_buf b = NDL_BUF_INIT;
	size_t n = 1;
	bool known = false, wanted = false;
	ndl_status s = NDL_OK;
	while (s == NDL_OK && n) {
		s = read_more(j, &b, &n);
		if (s == NDL_OK && !known && (b.len >= HEAD || !n)) {
			known = true;
			wanted = j->wanted(j->user, name, b.data, b.len < HEAD ? b.len : HEAD);
		}
		if (known && !wanted)
			ndl_buf_reset(&b);
	}
	if (s == NDL_OK && wanted)
		s = keep(j, name, &b);
	ndl_buf_clear(&b);
	return s;
}

static ndl_status read_all(job *j)
{
	struct archive_entry *entry;
	for (size_t i = 0;; i++) {
		int rc = archive_read_next_header(j->a, &entry);
		if (rc == ARCHIVE_EOF)
			return j->gunzip ? ndl_gunzip_finish(j->gunzip, j->err) : NDL_OK;
		if (rc < ARCHIVE_WARN)
			return damaged(j);
		if (i >= MEMBERS_MAX)
			return ndl_fail(j->err, NDL_ELIMIT, "more than %d members", MEMBERS_MAX);
		bool raw = archive_format(j->a) == ARCHIVE_FORMAT_RAW;
		const char *name = raw ? "" : archive_entry_pathname(entry);
		if (raw && !j->gunzip && archive_filter_code(j->a, 0) == ARCHIVE_FILTER_NONE)
			return ndl_fail(j->err, NDL_EFORMAT, "cannot decompress: damaged data");
		ndl_status s = read_member(j, name ? name : "?");
		if (s != NDL_OK)
			return s;
	}
}

static ssize_t feed_memory(void *user, const void **out, ndl_error *err)
{
	(void)err;
	job *j = user;
	size_t n = j->size < CHUNK ? j->size : CHUNK;
	*out = j->data;
	j->data += n;
	j->size -= n;
	return (ssize_t)n;
}

static ndl_status open_archive(job *j)
{
	int rc;
	if (!ndl_is_gzip(j->data, j->size))
		rc = archive_read_open_memory(j->a, j->data, j->size);
	else if ((j->gunzip = ndl_gunzip_new(feed_memory, j, j->err)))
		rc = archive_read_open(j->a, j->gunzip, NULL, ndl_libarchive_gunzip, NULL);
	else
		return NDL_ENOMEM;
	return rc == ARCHIVE_OK ? NDL_OK : damaged(j);
}

ndl_status ndl_members_read(ndl_members *m, const void *data, size_t size, size_t max_bytes, ndl_member_fn *wanted,
                            void *user, ndl_error *err)
{
	*m = (ndl_members){0};
	job j = {ndl_libarchive_new(err), data, size, NULL, m, max_bytes, wanted, user, err};
	if (!j.a)
		return err ? err->code : NDL_EIO;
	ndl_status s = open_archive(&j);
	if (s == NDL_OK)
		s = read_all(&j);
	archive_read_free(j.a);
	ndl_gunzip_free(j.gunzip);
	if (s != NDL_OK)
		ndl_members_clear(m);
	return s;
}
