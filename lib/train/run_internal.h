/* run_internal.h - a training run, as run.c makes it go and run_state.c keeps it. */
#ifndef NDL_TRAIN_RUN_INTERNAL_H
#define NDL_TRAIN_RUN_INTERNAL_H

#include "train/lanes.h"
#include "train/lora.h"
#include "train/run.h"

struct ndl_run {
	ndl_run_options o;
	ndl_params ps;
	const ndl_tok *tok;
	ndl_dataset *data;
	ndl_exec *x;
	ndl_lanes *lanes;
	ndl_optimiser opt;
	ndl_lora lora;  /* rank 0: none */
	unsigned char frozen[NDL_P_COUNT];
	float *w, *grad;
	float *fake;    /* parameters with quantised kernels; made when first needed */
	float *mean;    /* running average, or NULL */
	uint64_t step;
	ndl_dataset_state place; /* where the data of the next step begin */
};

#endif
