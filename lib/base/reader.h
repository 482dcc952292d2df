/* reader.h - lines (or the whole) of an input that may be compressed: plain, gzip, zstd, xz,
 * bzip2, or members of a tar or zip one after another (libarchive). */
#ifndef NDL_BASE_READER_H
#define NDL_BASE_READER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ndl_reader ndl_reader; /* opaque, owned: close with ndl_reader_close */

/* Longest line accepted; a longer one is read past and reported. */
#define NDL_LINE_MAX ((size_t)64 << 20)

/* path NULL or "-" is stdin. Plain input streams: a line is given as soon as it is complete.
 * A damaged container may be noticed here already: libarchive reads a first block ahead. */
ndl_reader *ndl_reader_open(const char *path, ndl_error *err);
void ndl_reader_close(ndl_reader *r);

/* From now on a "\r" before the "\n" is part of the line, as spm_encode sees it. */
void ndl_reader_keep_cr(ndl_reader *r);
/* From now on a signal that is caught ends a wait for input, which is then an NDL_EIO, final. */
void ndl_reader_interruptible(ndl_reader *r);

/* From now on the input ends where a byte could be read from this descriptor, for which a wait for input wakes: a thread
 * that reads from a pipe on which nothing comes can be called back. */
void ndl_reader_end_when(ndl_reader *r, int fd);

/* Next line without its "\n" (a last line needs none; "\r\n" is stripped too).
 * Returns 1 and *line (borrowed until the next call, NUL-terminated) and *len; 0 at the end;
 * negative on error: NDL_ELIMIT for a line over NDL_LINE_MAX (reading may go on with the next),
 * NDL_EIO/NDL_EFORMAT for a damaged input (final). err has file and line. */
int ndl_reader_line(ndl_reader *r, const char **line, size_t *len, ndl_error *err);

/* Number of the line given last, 1-based over all members; 0 before the first. */
size_t ndl_reader_lineno(const ndl_reader *r);
/* Name for messages: the path, or "<stdin>". Borrowed. */
const char *ndl_reader_name(const ndl_reader *r);

/* Whole (decompressed) content of path, NUL-terminated; *len without the NUL. Free with free().
 * NULL on error or when it is larger than max_bytes. */
char *ndl_read_all(const char *path, size_t *len, size_t max_bytes, ndl_error *err);

#endif
