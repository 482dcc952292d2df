/* train_log.h - the TSV log of a training run: one line every few steps, continued on resume. */
#ifndef NDL_CMD_TRAIN_LOG_H
#define NDL_CMD_TRAIN_LOG_H

#include "base/error.h"
#include "eval/eval.h"
#include "train/run.h"

#include <stdio.h>

typedef struct train_log {
	FILE *f; /* NULL: no log wanted */
} train_log;

/* Means since the last line. */
typedef struct train_window {
	ndl_loss sum;
	uint64_t steps, contrastive_steps, examples, enc_tokens, dec_tokens;
	double norm, seconds;
} train_window;

void train_window_add(train_window *w, const ndl_step_report *r, double seconds);

/* Opens path (NULL: nothing happens here and below) for a run that has done `step` steps: lines
 * of later steps, left by a process that was killed, are dropped. */
ndl_status train_log_open(train_log *l, const char *path, uint64_t step, ndl_error *err);
/* val, calls NULL: their columns of validation stay empty. */
ndl_status train_log_line(train_log *l, uint64_t step, const train_window *w, double lr_factor, const ndl_loss *val,
                          const ndl_eval_counts *calls, ndl_error *err);
ndl_status train_log_close(train_log *l, ndl_error *err);

#endif
