#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/reader.h"

#include "base/archive.h"
#include "base/buf.h"
#include "base/gunzip.h"
#include "base/libarchive.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

/* libarchive detects a container by reading ahead, which would hold back the first lines of a
 * slow pipe. So the first bytes are looked at here: only an input that begins with a known
 * magic goes through libarchive, all else is read plainly and streams. */
struct ndl_reader {
	int fd, end_fd;          /* end_fd: negative, or readable when there is to be an end */
	struct archive *archive; /* NULL: plain */
	ndl_gunzip *gunzip;      /* before the archive; NULL: it is not gzip */
	char *name;
	ndl_buf pending;         /* bytes read and not yet given out, from `start` */
	size_t start;
	size_t lineno;
	bool eof, too_long, keep_cr, interruptible;
	bool in_line;            /* the last byte read was not a newline */
	char first[CHUNK];       /* what was read to look at the magic, then the read buffer */
	size_t first_len;
	bool first_given;
};

/* Waits until there is input, which may be its end or an error, or one is not to wait any longer: then false. */
static bool wait_for_input(const ndl_reader *r)
{
	struct pollfd p[2] = {{.fd = r->fd, .events = POLLIN}, {.fd = r->end_fd, .events = POLLIN}};
	int ready;
	do
		ready = poll(p, 2, -1);
	while (ready < 0 && errno == EINTR && !r->interruptible);
	return ready < 0 || !p[1].revents;
}

static ssize_t read_retry(const ndl_reader *r, void *to, size_t n)
{
	ssize_t got;
	if (r->end_fd >= 0 && !wait_for_input(r))
		return 0;
	do
		got = read(r->fd, to, n);
	while (got < 0 && errno == EINTR && !r->interruptible);
	return got;
}

static ssize_t feed_raw(void *user, const void **out, ndl_error *err)
{
	ndl_reader *r = user;
	*out = r->first;
	if (!r->first_given) {
		r->first_given = true;
		return (ssize_t)r->first_len;
	}
	ssize_t got = read_retry(r, r->first, sizeof r->first);
	if (got < 0)
		ndl_fail_errno(err, "cannot read");
	return got;
}

static la_ssize_t feed_archive(struct archive *a, void *client, const void **out)
{
	ndl_error e = NDL_ERROR_INIT;
	ssize_t got = feed_raw(client, out, &e);
	if (got < 0)
		archive_set_error(a, EIO, "%s", e.text);
	return got;
}

static ndl_status archive_fail(ndl_reader *r, ndl_error *err)
{
	const char *why = archive_error_string(r->archive);
	ndl_status status = ndl_fail(err, NDL_EFORMAT, "cannot decompress: %s", why ? why : "damaged data");
	ndl_error_at(err, r->name, 0);
	return status;
}

static ndl_status finish_gzip(ndl_reader *r, ndl_error *err)
{
	ndl_status s = ndl_gunzip_finish(r->gunzip, err);
	if (s != NDL_OK)
		ndl_error_at(err, r->name, 0);
	return s;
}

static ndl_status next_member(ndl_reader *r, ndl_error *err)
{
	struct archive_entry *entry;
	int rc = archive_read_next_header(r->archive, &entry);
	if (rc == ARCHIVE_EOF) {
		r->eof = true;
		return r->gunzip ? finish_gzip(r, err) : NDL_OK;
	}
	if (rc < ARCHIVE_WARN)
		return archive_fail(r, err);
	if (r->in_line) { /* a member's last line needs no newline, and does not run into the next */
		r->in_line = false;
		ndl_buf_byte(&r->pending, '\n');
	}
	return ndl_buf_check(&r->pending, err);
}

static ndl_status open_archive(ndl_reader *r, ndl_error *err)
{
	r->archive = ndl_libarchive_new(err);
	if (!r->archive)
		return err ? err->code : NDL_EIO;
	if (ndl_is_gzip(r->first, r->first_len) && !(r->gunzip = ndl_gunzip_new(feed_raw, r, err)))
		return NDL_ENOMEM;
	bool tar = r->first_len >= 262 && memcmp(r->first + 257, "ustar", 5) == 0;
	int rc = r->gunzip ? archive_read_open(r->archive, r->gunzip, NULL, ndl_libarchive_gunzip, NULL)
	                   : archive_read_open(r->archive, r, NULL, feed_archive, NULL);
	if (rc != ARCHIVE_OK)
		return archive_fail(r, err);
	ndl_status status = next_member(r, err);
	/* A magic with nothing sound behind it is passed on as it is ("raw"): damage too, save for
	 * a text that happens to say "ustar" in the place where tar does. */
	if (status == NDL_OK && !tar && !r->eof && !r->gunzip && archive_format(r->archive) == ARCHIVE_FORMAT_RAW &&
	    archive_filter_code(r->archive, 0) == ARCHIVE_FILTER_NONE)
		return archive_fail(r, err);
	return status;
}

ndl_reader *ndl_reader_open(const char *path, ndl_error *err)
{
	bool is_stdin = !path || strcmp(path, "-") == 0;
	ndl_reader *r = calloc(1, sizeof *r);
	if (!r || !(r->name = strdup(is_stdin ? "<stdin>" : path))) {
		free(r);
		ndl_fail_nomem(err, "reader");
		return NULL;
	}
	r->end_fd = -1;
	r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0) {
		ndl_fail_errno(err, "%s: cannot open", path);
		goto fail;
	}
	/* A pipe may give less than a magic number at once; only an incomplete magic waits. */
	do {
		ssize_t got = read_retry(r, r->first + r->first_len, sizeof r->first - r->first_len);
		if (got < 0) {
			ndl_fail_errno(err, "%s: cannot read", r->name);
			goto fail;
		}
		if (got == 0)
			break;
		r->first_len += (size_t)got;
	} while (ndl_container_of(r->first, r->first_len) == NDL_MAYBE_CONTAINER);
	if (ndl_container_of(r->first, r->first_len) == NDL_CONTAINER) {
		if (open_archive(r, err) != NDL_OK)
			goto fail;
	} else {
		ndl_buf_add(&r->pending, r->first, r->first_len);
		if (ndl_buf_check(&r->pending, err) != NDL_OK)
			goto fail;
	}
	return r;
fail:
	ndl_reader_close(r);
	return NULL;
}

void ndl_reader_close(ndl_reader *r)
{
	if (!r)
		return;
	if (r->archive)
		archive_read_free(r->archive);
	ndl_gunzip_free(r->gunzip);
	if (r->fd > STDERR_FILENO)
		close(r->fd);
	ndl_buf_clear(&r->pending);
	free(r->name);
	free(r);
}

/* Appends the next bytes to pending; sets eof at the end. */
static ndl_status fill(ndl_reader *r, ndl_error *err)
{
	char *to = ndl_buf_reserve(&r->pending, CHUNK);
	if (!to)
		return ndl_buf_check(&r->pending, err);
	ssize_t got;
	if (!r->archive) {
		got = read_retry(r, to, CHUNK);
		if (got < 0) {
			ndl_fail_errno(err, "cannot read");
			ndl_error_at(err, r->name, r->lineno + 1);
			return NDL_EIO;
		}
		r->eof = got == 0;
	} else {
		got = archive_read_data(r->archive, to, CHUNK);
		if (got < 0)
			return archive_fail(r, err);
		if (got == 0)
			return next_member(r, err);
	}
	r->pending.len += (size_t)got;
	to[got] = '\0';
	if (got > 0)
		r->in_line = to[got - 1] != '\n';
	return NDL_OK;
}

static int give_line(ndl_reader *r, size_t len, size_t consumed, const char **line, size_t *out_len,
                     ndl_error *err)
{
	char *begin = r->pending.data + r->start;
	r->start += consumed;
	r->lineno++;
	if (r->too_long || len > NDL_LINE_MAX) {
		r->too_long = false;
		ndl_fail(err, NDL_ELIMIT, "line longer than %zu bytes", NDL_LINE_MAX);
		ndl_error_at(err, r->name, r->lineno);
		return NDL_ELIMIT;
	}
	if (len && begin[len - 1] == '\r' && !r->keep_cr)
		len--;
	begin[len] = '\0';
	*line = begin;
	*out_len = len;
	return 1;
}

/* Moves what is left to the front of the buffer; only when more must be read, so that the
 * lines of one chunk cost one move, not one each. */
static void compact(ndl_reader *r)
{
	if (r->start == 0)
		return;
	r->pending.len -= r->start;
	memmove(r->pending.data, r->pending.data + r->start, r->pending.len);
	r->start = 0;
}

int ndl_reader_line(ndl_reader *r, const char **line, size_t *len, ndl_error *err)
{
	size_t scanned = 0; /* bytes after start known to hold no newline */
	for (;;) {
		size_t left = r->pending.len - r->start;
		char *begin = left ? r->pending.data + r->start : NULL;
		char *nl = left > scanned ? memchr(begin + scanned, '\n', left - scanned) : NULL;
		if (nl)
			return give_line(r, (size_t)(nl - begin), (size_t)(nl - begin) + 1, line, len, err);
		if (r->eof)
			return left || r->too_long ? give_line(r, left, left, line, len, err) : 0;
		if (left > NDL_LINE_MAX) {
			r->too_long = true; /* keep reading, keep nothing */
			r->start = r->pending.len = left = 0;
		}
		scanned = left;
		compact(r);
		ndl_status status = fill(r, err);
		if (status != NDL_OK)
			return status;
	}
}

void ndl_reader_interruptible(ndl_reader *r) { r->interruptible = true; }
void ndl_reader_end_when(ndl_reader *r, int fd) { r->end_fd = fd; }
void ndl_reader_keep_cr(ndl_reader *r) { r->keep_cr = true; }
size_t ndl_reader_lineno(const ndl_reader *r) { return r->lineno; }
const char *ndl_reader_name(const ndl_reader *r) { return r->name; }

char *ndl_read_all(const char *path, size_t *len, size_t max_bytes, ndl_error *err)
{
	ndl_reader *r = ndl_reader_open(path, err);
	if (!r)
		return NULL;
	while (!r->eof && r->pending.len <= max_bytes)
		if (fill(r, err) != NDL_OK)
			goto fail;
	if (r->pending.len > max_bytes) {
		ndl_fail(err, NDL_ELIMIT, "%s: larger than %zu bytes", r->name, max_bytes);
		goto fail;
	}
	if (!r->pending.data)
		ndl_buf_str(&r->pending, "");
	char *data = r->pending.data;
	*len = r->pending.len;
	r->pending = (ndl_buf)NDL_BUF_INIT;
	ndl_reader_close(r);
	if (!data)
		ndl_fail_nomem(err, "reading a file");
	return data;
fail:
	ndl_reader_close(r);
	return NULL;
}
