/* lines.h - the raw lines of training files in memory, and how they are split. */
#ifndef NDL_DATA_LINES_H
#define NDL_DATA_LINES_H

#include "base/error.h"
#include "data/heldout.h"
#include "data/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ndl_lines ndl_lines; /* opaque, owned; read-only once loaded */

typedef void ndl_report_fn(void *user, const ndl_error *err);
/* Another check of a parsed record; called from several threads at once. */
typedef ndl_status ndl_record_check_fn(const ndl_record *r, ndl_error *err);

typedef struct ndl_lines_options {
	const ndl_heldout *heldout; /* rows to leave out, or NULL */
	const char *tools;          /* JSON list for rows without "tools", or NULL */
	ndl_record_check_fn *check; /* what else a good row must pass, or NULL */
	bool strict;                /* a bad row is an error; else it is reported, counted, skipped */
	ndl_report_fn *report;      /* may be NULL; called in file order from the calling thread */
	void *report_user;
	int threads;                /* 0: OpenMP's default */
} ndl_lines_options;

ndl_lines *ndl_lines_new(ndl_error *err);
void ndl_lines_free(ndl_lines *l);
/* Appends the rows of a file (compressed or not; NULL or "-": stdin), each parsed and checked as
 * ndl_record_parse does. Blank lines do not count. o may be NULL. */
ndl_status ndl_lines_load(ndl_lines *l, const char *path, const ndl_lines_options *o, ndl_error *err);

/* Gives a row that is an object without "tools", or with null, the list `tools`: *text (owned, may be replaced) and
 * *len. Any other row stays as it is: judging it is ndl_record_parse's work. */
ndl_status ndl_line_add_tools(char **text, size_t *len, const char *tools, ndl_error *err);

size_t ndl_lines_count(const ndl_lines *l);  /* good rows */
size_t ndl_lines_bad(const ndl_lines *l);      /* rows skipped because they were bad */
size_t ndl_lines_heldout(const ndl_lines *l);  /* rows dropped by the held-out set */
const char *ndl_lines_at(const ndl_lines *l, size_t i, size_t *len); /* borrowed, NUL-terminated */
size_t ndl_lines_file(const ndl_lines *l, size_t i); /* which of the loaded files row i came from, from 0 */
/* Where row i came from; *file borrowed. */
void ndl_lines_source(const ndl_lines *l, size_t i, const char **file, size_t *line);
/* Name of the tool that row i calls first, as written; "" for a row without calls. Borrowed. */
const char *ndl_lines_tool(const ndl_lines *l, size_t i);

enum { NDL_TRAIN, NDL_VAL, NDL_TEST, NDL_PARTS };

/* Split by tool and phrasing (SPEC 8). Rows are grouped by the tool they call first (those
 * without a call are a group too); of each group the `per_tool` phrasings (10 if 0) whose hash with
 * seed is least go to validation, the next ones to test, the rest to training. A group of fewer
 * than 12 * per_tool phrasings gives a twelfth of them to each (rounded up; nothing if it has
 * under 3). Rows with the same phrasing, but for the case of a-z, spaces and signs, stand in the same part
 * whatever their tool. */
typedef struct ndl_split {
	size_t *part[NDL_PARTS]; /* row numbers, ascending */
	size_t n[NDL_PARTS];
	struct ndl_split_tool {
		const char *name; /* borrowed from the lines; "" for no call */
		size_t rows, n[NDL_PARTS];
	} *tools;                /* sorted by name */
	size_t n_tools;
} ndl_split;
ndl_status ndl_lines_split(ndl_split *s, const ndl_lines *l, size_t per_tool, uint64_t seed, ndl_error *err);
void ndl_split_clear(ndl_split *s);
/* Under this many rows a tool, fine-tuning is worth a warning. */
enum { NDL_FEW_ROWS = 120 };

#endif
