/* finetune_job.h - what a run of needle-finetune is made of: opened, planned, saved, resumed, closed. */
#ifndef NDL_CMD_FINETUNE_JOB_H
#define NDL_CMD_FINETUNE_JOB_H

#include "cmd/cli.h"
#include "cmd/finetune_best.h"
#include "cmd/finetune_data.h"
#include "cmd/finetune_options.h"
#include "cmd/train_log.h"
#include "eval/eval.h"
#include "train/run.h"

#include <signal.h>

typedef struct finetune_job {
	cli *app;
	const volatile sig_atomic_t *stop; /* set by a signal */
	finetune_options o;
	ndl_config config;
	ndl_ckpt *base;      /* NULL with --init */
	ndl_tok *tok;
	ndl_exec *x;
	finetune_data data;
	ndl_distil teacher;
	ndl_run *run;
	train_log log;
	finetune_best best;
	char *state_path;    /* NULL: the output has no neighbours, and the run no state */
	uint64_t total;      /* steps */
	uint64_t validated;  /* step of the last validation */
} finetune_job;

/* Model and vocabulary, threads, data, as j->o says. Close in either case. */
ndl_status finetune_open(finetune_job *j, ndl_error *err);
/* j->total, by the data and the options. */
void finetune_plan_steps(finetune_job *j);
/* That, the teacher and the run itself. */
ndl_status finetune_open_run(finetune_job *j, ndl_error *err);
/* Loads or saves the state of the run, if it has one, with those options, beyond the run's own, that a resumed run must
 * share. */
ndl_status finetune_state(finetune_job *j, bool load, ndl_error *err);
/* Finds j->state_path and, with --resume, goes on from the state there. */
ndl_status finetune_resume(finetune_job *j, ndl_error *err);
void finetune_close(finetune_job *j);

#endif
