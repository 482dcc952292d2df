/* finetune_score.h - what training was worth: calls made by the model before and after, scored on
 * examples that neither was trained on. */
#ifndef NDL_CMD_FINETUNE_SCORE_H
#define NDL_CMD_FINETUNE_SCORE_H

#include "data/lines.h"

/* Makes the calls of rows[n] of `lines` with each model and writes a table of metrics to stdout.
 * base NULL: the tuned model alone. Both are files. */
ndl_status finetune_score(const ndl_lines *lines, const size_t *rows, size_t n, const char *base, const char *tuned,
                          int threads, ndl_error *err);

#endif
