/* folder.h - the lines of all *.jsonl of a folder, in the order of the files' names. Private to this room. */
#ifndef NDL_SYNTH_FOLDER_H
#define NDL_SYNTH_FOLDER_H

#include "base/error.h"

#include <stddef.h>

/* All borrowed; text: NUL-terminated, not blank. */
typedef struct syn_line {
	const char *path, *file; /* where it is; the file's name without ".jsonl" */
	size_t number;           /* 1-based */
	const char *text;
	size_t len;
} syn_line;

/* Says of an error inside a line where that is, unless it says so already. */
void syn_error_at(ndl_error *err, const char *path, size_t number);

typedef ndl_status syn_line_fn(void *user, const syn_line *line, ndl_error *err);

/* Calls fn with every line until it fails; the error gets file and line. */
ndl_status syn_each_line(const char *dir, syn_line_fn *fn, void *user, ndl_error *err);

#endif
