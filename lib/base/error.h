/* error.h - the one error shape of the library.
 *
 * A fallible function returns 0 (or a non-negative count) on success and a negative
 * ndl_status on failure, and fills the caller's ndl_error. The library never prints,
 * exits or keeps a "last error": commands turn an ndl_error into one line on stderr. */
#ifndef NDL_BASE_ERROR_H
#define NDL_BASE_ERROR_H

#include <stddef.h>

typedef enum ndl_status {
	NDL_OK = 0,
	NDL_ENOMEM = -1,       /* out of memory, or a size that would overflow */
	NDL_EIO = -2,          /* the operating system refused: open, read, write, rename */
	NDL_EFORMAT = -3,      /* the input is not what it claims to be (JSON, model file, ...) */
	NDL_EUNSUPPORTED = -4, /* well-formed, but a feature that we do not have */
	NDL_ELIMIT = -5,       /* a documented limit was passed: length, depth, count */
	NDL_EINVAL = -6,       /* the caller's argument or the record's content is wrong */
	NDL_ENOTFOUND = -7     /* no such tensor, tool, file ... */
} ndl_status;

/* Where and what. Zero-initialise; 0 in line/column/byte means "not known". */
typedef struct ndl_error {
	ndl_status code;
	char text[400];  /* one sentence fragment, no newline, no full stop */
	char file[200];  /* input file name, or "" */
	size_t line;     /* 1-based */
	size_t column;   /* 1-based */
	size_t byte;     /* offset in the file, for binary formats */
} ndl_error;

#define NDL_ERROR_INIT {NDL_OK, "", "", 0, 0, 0}

#if defined(__GNUC__)
#define NDL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define NDL_PRINTF(f, a)
#endif

/* Fills err (which may be NULL) with code and the formatted text and forgets all that was in
 * it; the arguments may point into it. Returns code, so that callers can
 * `return ndl_fail(err, NDL_EFORMAT, "…")`. Bytes of controls, or of no UTF-8, become '?'. */
ndl_status ndl_fail(ndl_error *err, ndl_status code, const char *fmt, ...) NDL_PRINTF(3, 4);

/* ndl_fail(NDL_EIO) with ": strerror(errno)" appended. */
ndl_status ndl_fail_errno(ndl_error *err, const char *fmt, ...) NDL_PRINTF(2, 3);

/* Out of memory while making `what`. */
ndl_status ndl_fail_nomem(ndl_error *err, const char *what);

/* Puts "context: " in front of the text already there, e.g. a JSON path or a tensor name. */
void ndl_error_prefix(ndl_error *err, const char *fmt, ...) NDL_PRINTF(2, 3);

/* Sets file and line if they are not known yet. file may be NULL. */
void ndl_error_at(ndl_error *err, const char *file, size_t line);

#endif
