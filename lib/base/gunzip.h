/* gunzip.h - gzip through zlib, which verifies the checksum and the length of every member: libarchive does not. */
#ifndef NDL_BASE_GUNZIP_H
#define NDL_BASE_GUNZIP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct ndl_gunzip ndl_gunzip; /* opaque, owned: free with ndl_gunzip_free */

/* Sets *data to the next compressed bytes, at most 1 GiB, which must live until the next call. Returns how many; 0 at
 * the end, -1 after an error, which is in err. */
typedef ssize_t ndl_gunzip_feed(void *user, const void **data, ndl_error *err);

/* Whether a file that begins with these n bytes is gzip. */
bool ndl_is_gzip(const void *head, size_t n);

/* NULL: no memory. */
ndl_gunzip *ndl_gunzip_new(ndl_gunzip_feed *feed, void *user, ndl_error *err);
void ndl_gunzip_free(ndl_gunzip *g);

/* Sets *data (borrowed until the next call) to what comes next of all members, one after another, as soon as there is
 * some. Returns how many bytes; 0 at the end; -1 when feed fails, with its error, and NDL_EFORMAT for damage, an end
 * inside a member, or bytes after the last that are not zero. Up to 64 KiB before damage may not have been given. */
ssize_t ndl_gunzip_next(ndl_gunzip *g, const void **data, ndl_error *err);
/* Reads on to the end, for the sake of the errors above, "cannot decompress: " before them: a tar ends before the gzip around it. */
ndl_status ndl_gunzip_finish(ndl_gunzip *g, ndl_error *err);

#endif
