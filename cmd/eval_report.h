/* eval_report.h - what needle-eval has counted, as a table or as JSON. */
#ifndef NDL_CMD_EVAL_REPORT_H
#define NDL_CMD_EVAL_REPORT_H

#include "eval/eval.h"

#include <stdbool.h>
#include <stdio.h>

enum { EVAL_BY_CALLS = 4 }; /* records with 0, 1, 2, 3 or more calls in the reference */

typedef struct eval_group {
	char *key; /* owned */
	ndl_eval_counts counts;
} eval_group;

/* Zero-initialise; eval_totals_clear frees. */
typedef struct eval_totals {
	ndl_eval_counts all, by_calls[EVAL_BY_CALLS];
	const char *field; /* of --by, or NULL; borrowed */
	eval_group *group;
	size_t n_groups, cap_groups;
	json_t *index;     /* key -> place in group */
	ndl_reliability confidence;
	size_t bad;        /* records that could not be scored */
} eval_totals;

void eval_totals_clear(eval_totals *t);
/* Adds one scored record: to all, to its number of calls, to its group (if field is set; by the
 * dot path in record), and its "confidence" if it has one; NDL_EINVAL, nothing added, if that is none. */
ndl_status eval_totals_add(eval_totals *t, const ndl_eval_counts *c, const json_t *record, ndl_error *err);

/* Groups are sorted by key when they are written. */
ndl_status eval_write_table(FILE *to, eval_totals *t, ndl_error *err);
ndl_status eval_write_json(FILE *to, eval_totals *t, ndl_error *err);

/* Means over the records, of which there are some. */
void eval_write_recall(FILE *to, const ndl_recall *r);
void eval_write_recall_json(FILE *to, const ndl_recall *r);

#endif
