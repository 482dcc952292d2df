/* buf.h - a growable byte buffer that remembers failure, so that a run of appends needs
 * one check at the end. */
#ifndef NDL_BASE_BUF_H
#define NDL_BASE_BUF_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise (or NDL_BUF_INIT). data is always NUL-terminated once non-NULL; the NUL
 * is not counted in len. Owned by whoever declared it: release with ndl_buf_clear. */
typedef struct ndl_buf {
	char *data;
	size_t len, cap;
	bool failed; /* an append ran out of memory; later appends do nothing */
} ndl_buf;

#define NDL_BUF_INIT {NULL, 0, 0, false}

void ndl_buf_clear(ndl_buf *b); /* frees; the buffer is empty and usable again */
void ndl_buf_reset(ndl_buf *b); /* len = 0, keeps the memory, forgets a failure */
void ndl_buf_cut(ndl_buf *b, size_t len); /* leaves the first len bytes, if there are more */
void ndl_buf_add(ndl_buf *b, const void *data, size_t len);
void ndl_buf_byte(ndl_buf *b, int byte);
void ndl_buf_str(ndl_buf *b, const char *s);
void ndl_buf_printf(ndl_buf *b, const char *fmt, ...) NDL_PRINTF(2, 3);
/* Room for `more` bytes; returns the place to write them (then add to len), or NULL. */
char *ndl_buf_reserve(ndl_buf *b, size_t more);
/* The text as a C string ("" when empty), borrowed until the next change. */
const char *ndl_buf_cstr(const ndl_buf *b);
/* 0, or NDL_ENOMEM if any append since the last reset failed. */
ndl_status ndl_buf_check(const ndl_buf *b, ndl_error *err);

#endif
