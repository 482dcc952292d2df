/* archive.h - the members of a compressed file, tar or zip, in memory (libarchive). Nothing is ever
 * written where an archive says. */
#ifndef NDL_BASE_ARCHIVE_H
#define NDL_BASE_ARCHIVE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ndl_member {
	char *name;  /* owned; "" for the content of a compressed file that is no archive */
	void *data;  /* owned, from malloc */
	size_t size;
} ndl_member;

typedef struct ndl_members {
	ndl_member *member;
	size_t n, cap;
} ndl_members;

/* What a file that begins with these n bytes (300 are enough) is; MAYBE: they begin a magic number, more decide. */
enum ndl_container { NDL_NO_CONTAINER, NDL_MAYBE_CONTAINER, NDL_CONTAINER };
enum ndl_container ndl_container_of(const char *head, size_t n);

/* Whether a member, of which the first n bytes (up to 512) are shown, is to be kept. */
typedef bool ndl_member_fn(void *user, const char *name, const void *head, size_t n);

/* Reads the archive of size bytes and keeps the members that `wanted` accepts, in their order. max_bytes bounds
 * all that is decompressed, members not kept included: more is NDL_ELIMIT. Only what has really been
 * decompressed is allocated. m is empty after a failure. */
ndl_status ndl_members_read(ndl_members *m, const void *data, size_t size, size_t max_bytes, ndl_member_fn *wanted,
                            void *user, ndl_error *err);
void ndl_members_clear(ndl_members *m);

#endif
