/* outfile.h - output files that are either complete or not there: written to a temporary
 * beside the target, synced and renamed. Where the system allows it (Linux), the temporary has no name until then,
 * and a program that is killed leaves nothing behind. */
#ifndef NDL_BASE_OUTFILE_H
#define NDL_BASE_OUTFILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

typedef struct ndl_outfile {
	FILE *f;     /* write here with stdio; NULL when not open */
	char *path;  /* final name */
	char *temp;  /* temporary name, or NULL when path is not a regular file (/dev/stdout, a pipe) */
	bool unnamed; /* the file has not got it yet */
} ndl_outfile;

/* Whether path has no neighbour to be renamed from: - and other names of stdout, a device, a pipe. */
bool ndl_outfile_is_special(const char *path);
/* The mode of what is to take the place of path: the old file's, or what the user's umask leaves. */
mode_t ndl_outfile_mode(const char *path);
/* Starts writing path; a special one directly, a link's target in its place. On failure *o is closed. */
ndl_status ndl_outfile_open(ndl_outfile *o, const char *path, ndl_error *err);
/* Whether path can be written, as far as that shows without doing so: hours of work must not end at a name that can't. */
ndl_status ndl_outfile_check(const char *path, ndl_error *err);
/* Whether fd is a pipe or socket that nobody reads any more: who stops reading has enough, which is no error. Asked of the
 * system: errno of the write that failed may be long gone. */
bool ndl_outfile_reader_gone(int fd);
/* Flushes, syncs, renames; quiet where the reader is gone. On any error the temporary is removed and the old file stands. */
ndl_status ndl_outfile_commit(ndl_outfile *o, ndl_error *err);
/* Gives up: removes the temporary. Harmless after commit and on a zeroed struct. */
void ndl_outfile_abort(ndl_outfile *o);

#endif
