/* records.h - the JSON Lines loop of every record-wise command: read, hand over, write in input
 * order; a bad record becomes itself plus "error", in its place. */
#ifndef NDL_CMD_RECORDS_H
#define NDL_CMD_RECORDS_H

#include "cmd/cli.h"
#include "json/json.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct records_stats {
	size_t read, failed;
} records_stats;

/* Called with one record (a JSON object, owned by the caller; change it in place: what it is
 * afterwards is written). Returns 0, or negative with err for this record. A text in err in spite
 * of 0 is a warning about it. */
typedef int records_fn(void *user, json_t *record, ndl_error *err);

enum {
	RECORDS_STRICT = 1, /* stop at the first bad record */
	RECORDS_LINES = 2,  /* each line is text, and becomes the record {"query":line} */
	RECORDS_OR_LINES = 4, /* the command has an option for that, which is named where a line is text */
};

/* Whether line `lineno` is one to pass over: empty, or of blanks. Takes a byte order mark off the first. */
bool records_blank(const char **line, size_t *len, size_t lineno);

/* Runs `handle` over each line of path (NULL or "-": stdin), writing to stdout and flushing
 * after each record. Blank lines are skipped. strict: stop at the first bad record. Returns an
 * exit status (CLI_OK, CLI_NEGATIVE if records failed, CLI_UNUSABLE). */
int records_run(const cli *c, const char *path, bool strict, records_fn *handle, void *user, records_stats *stats);

/* The same in n threads, of which number i calls handle with users[i]. Each record is still
 * written in its place as soon as it and those before it are known; no more than n are under way. */
int records_run_many(const cli *c, const char *path, int flags, records_fn *handle, void *const *users, size_t n,
                     records_stats *stats);

#endif
