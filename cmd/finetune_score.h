/* finetune_score.h - what training was worth: calls made by a model, scored on examples that it was
 * not trained on. */
#ifndef NDL_CMD_FINETUNE_SCORE_H
#define NDL_CMD_FINETUNE_SCORE_H

#include "cmd/cli.h"
#include "data/lines.h"
#include "eval/eval.h"

/* Makes the calls of `most` rows, spread evenly over the n of `lines` (rows[n], or NULL: 0 … n-1),
 * with a model file, and adds up their scores in *sum (replaced). Warns of those that cannot be answered. */
ndl_status finetune_score(ndl_eval_counts *sum, const char *model, const ndl_lines *lines, const size_t *rows, size_t n,
                          size_t most, const cli *app, ndl_error *err);

/* Right argument values among the reference's keys, and among the predicted ones, over calls whose
 * name is right. NaN without any. */
double finetune_arg_recall(const ndl_eval_counts *c);
double finetune_arg_precision(const ndl_eval_counts *c);

/* A table on stdout, a column for each of n scores. */
void finetune_score_table(const char *const *title, const ndl_eval_counts *score, size_t n);

/* Writes the model in INT4, as needle-quantize does with these groups. */
ndl_status finetune_write_int4(const char *from, const char *to, size_t group, size_t embedding_group, int threads,
                               ndl_error *err);

/* Fits the confidence of `model` to its answers to n rows, spread evenly over `all` that there are, and writes it
 * into the file. NDL_EINVAL, and the file as it was, if the answers are too few for that, or all right or all wrong. */
ndl_status finetune_calibrate(const ndl_lines *lines, const size_t *rows, size_t all, size_t n, const char *model, int threads,
                              ndl_error *err);

#endif
