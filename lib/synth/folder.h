/* folder.h - the lines of all *.jsonl of a folder, in the order of the files' names. Private to this room. */
#ifndef NDL_SYNTH_FOLDER_H
#define NDL_SYNTH_FOLDER_H

#include "base/error.h"

#include <stddef.h>

/* file: its name without ".jsonl"; line: borrowed, NUL-terminated, not blank. */
typedef ndl_status syn_line_fn(void *user, const char *file, const char *line, size_t len, ndl_error *err);

/* Calls fn with every line until it fails; the error gets file and line. */
ndl_status syn_each_line(const char *dir, syn_line_fn *fn, void *user, ndl_error *err);

#endif
