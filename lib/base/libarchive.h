/* libarchive.h - libarchive, loaded when the first compressed file is met: with the dozen libraries that it
 * needs it would take longer to load than a short answer takes to compute. To be included instead of <archive.h>;
 * begin with ndl_libarchive_new. */
#ifndef NDL_BASE_LIBARCHIVE_H
#define NDL_BASE_LIBARCHIVE_H

#include "base/error.h"

#include <archive.h>
#include <archive_entry.h>

/* Makes the functions below callable, once for the process; safe in several threads. NDL_EIO if the library is
 * not there, with the reason in err. */
ndl_status ndl_libarchive_load(ndl_error *err);
/* archive.c: that, and a reader of all containers that we take, to be opened; NULL on failure. Release with
 * archive_read_free. */
struct archive *ndl_libarchive_new(ndl_error *err);
/* For archive_read_open: what comes out of an ndl_gunzip. */
la_ssize_t ndl_libarchive_gunzip(struct archive *a, void *gunzip, const void **out);

#ifdef NDL_LIBARCHIVE_SO /* config.h: its name for the dynamic loader; without it the library is linked */
#define NDL_LIBARCHIVE(X) X(archive_read_new) X(archive_read_free) X(archive_read_support_filter_bzip2) \
	X(archive_read_support_filter_xz) X(archive_read_support_filter_zstd) \
	X(archive_read_support_format_tar) X(archive_read_support_format_zip) X(archive_read_support_format_raw) \
	X(archive_read_support_format_empty) X(archive_read_open) X(archive_read_open_memory) \
	X(archive_read_next_header) X(archive_read_data) \
	X(archive_format) X(archive_filter_code) X(archive_error_string) X(archive_set_error) \
	X(archive_entry_pathname)
#define NDL_DECLARE(f) extern __typeof__(&f) ndl_la_##f;
NDL_LIBARCHIVE(NDL_DECLARE)
#undef NDL_DECLARE
#ifndef NDL_LIBARCHIVE_C
#define archive_read_new (*ndl_la_archive_read_new)
#define archive_read_free (*ndl_la_archive_read_free)
#define archive_read_support_filter_bzip2 (*ndl_la_archive_read_support_filter_bzip2)
#define archive_read_support_filter_xz (*ndl_la_archive_read_support_filter_xz)
#define archive_read_support_filter_zstd (*ndl_la_archive_read_support_filter_zstd)
#define archive_read_support_format_tar (*ndl_la_archive_read_support_format_tar)
#define archive_read_support_format_zip (*ndl_la_archive_read_support_format_zip)
#define archive_read_support_format_raw (*ndl_la_archive_read_support_format_raw)
#define archive_read_support_format_empty (*ndl_la_archive_read_support_format_empty)
#define archive_read_open (*ndl_la_archive_read_open)
#define archive_read_open_memory (*ndl_la_archive_read_open_memory)
#define archive_read_next_header (*ndl_la_archive_read_next_header)
#define archive_read_data (*ndl_la_archive_read_data)
#define archive_format (*ndl_la_archive_format)
#define archive_filter_code (*ndl_la_archive_filter_code)
#define archive_error_string (*ndl_la_archive_error_string)
#define archive_set_error (*ndl_la_archive_set_error)
#define archive_entry_pathname (*ndl_la_archive_entry_pathname)
#endif
#endif

#endif
