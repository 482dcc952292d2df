/* finetune_best.h - the best model of a run so far, by the calls that it makes: kept in a file
 * beside the output, MODEL.best, whose metadata say how good it is, so that a resumed run knows. */
#ifndef NDL_CMD_FINETUNE_BEST_H
#define NDL_CMD_FINETUNE_BEST_H

#include "train/run.h"

typedef struct finetune_best {
	char *path, *trial; /* owned */
	uint64_t step;      /* of the best model; 0: there is none yet */
	double f1, loss;
} finetune_best;

/* Names the files after out. resume: a best model of the same run is kept, else it is removed. */
ndl_status finetune_best_open(finetune_best *b, const char *out, bool resume, ndl_error *err);
void finetune_best_close(finetune_best *b);

/* Writes the run's model to b->trial, to be scored. */
ndl_status finetune_best_try(const finetune_best *b, const ndl_run *run, ndl_error *err);
/* After scoring: keeps it if its call_f1 is higher than the best one's, or as high at a lower loss. */
ndl_status finetune_best_judge(finetune_best *b, const ndl_run *run, double f1, double loss, ndl_error *err);
/* Gives the best model the name `out`; b->path stays until finetune_best_done, so that a process killed
 * in between finds it. */
ndl_status finetune_best_take(const finetune_best *b, const char *out, ndl_error *err);
void finetune_best_done(const finetune_best *b);

#endif
