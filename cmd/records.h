/* records.h - the JSON Lines loop of every record-wise command: read, hand over, write in input
 * order; a bad record becomes itself plus "error", in its place. */
#ifndef NDL_CMD_RECORDS_H
#define NDL_CMD_RECORDS_H

#include "cmd/cli.h"
#include "json/json.h"

#include <stddef.h>

typedef struct records_stats {
	size_t read, failed;
} records_stats;

/* Called with one record (a JSON object, owned by the caller; change it in place: what it is
 * afterwards is written). Returns 0, or negative with err for this record. */
typedef int records_fn(void *user, json_t *record, ndl_error *err);

/* Runs `handle` over each line of path (NULL or "-": stdin), writing to stdout and flushing
 * after each record. Blank lines are skipped. strict: stop at the first bad record. Returns an
 * exit status (CLI_OK, CLI_NEGATIVE if records failed, CLI_UNUSABLE). */
int records_run(const cli *c, const char *path, bool strict, records_fn *handle, void *user, records_stats *stats);

#endif
