/* run.h - a training run: model, data, optimiser and schedule, one step at a time, with a state
 * file from which a killed run goes on bit for bit. */
#ifndef NDL_TRAIN_RUN_H
#define NDL_TRAIN_RUN_H

#include "data/dataset.h"
#include "tensor/exec.h"
#include "tokenizer/tokenizer.h"
#include "train/distil.h"
#include "train/network.h"
#include "train/optimiser.h"

#include <signal.h>

typedef struct ndl_run_options {
	ndl_loss_options loss;
	ndl_optimiser_options optimiser;
	ndl_schedule schedule;      /* schedule.total is where the run ends */
	uint64_t seed;
	uint64_t qat_every;         /* each such step trains through INT4 fake quantisation; 0: never */
	bool qat_embedding;         /* the embedding through INT4, too, for files that hold it in four bits */
	size_t qat_group, qat_embedding_group; /* inputs that share a scale then, as the file is to have them; 32, 64 or 128 */
	uint64_t contrastive_every; /* each such step has the contrastive loss; 0: never */
	uint64_t accumulate;        /* batches whose gradients are averaged into a step; 1 */
	double average;             /* decay of the running average of the parameters that is written
	                               out in place of the last ones; 0: none */
	unsigned freeze;            /* NDL_PART_ flags: parts that stay as they are; 0 */
	size_t lora_rank;           /* train low-rank additions to the kernels alone (lora.h); 0: all */
	const ndl_distil *teacher;  /* NULL, or a model to learn from, to the extent of loss.teacher_weight; borrowed
	                               for the run's life */
	const volatile sig_atomic_t *stop; /* NULL, or what is not 0 when no further step is to be made; borrowed likewise */
} ndl_run_options;

#define NDL_RUN_DEFAULTS {NDL_LOSS_DEFAULTS, NDL_OPTIMISER_DEFAULTS, {0, 0, 0, 0.05}, 1, 100, false, 32, 128, 10, 1, 0, 0, 0, NULL, NULL}

typedef struct ndl_run ndl_run; /* opaque, owned */

/* Where the parameters come from: an open model file, or (base NULL) a config initialised from
 * the seed. tok, data, x and base are borrowed, base only during the call. data may be NULL for a
 * run that is only loaded and written. */
ndl_run *ndl_run_new(const ndl_run_options *o, const ndl_config *config, const ndl_ckpt *base, const ndl_tok *tok,
                     ndl_dataset *data, ndl_exec *x, ndl_error *err);
void ndl_run_free(ndl_run *r);

typedef struct ndl_step_report {
	uint64_t step;        /* steps done, this one included */
	ndl_loss loss;        /* mean over the step's batches; tokens and correct are sums */
	double lr_factor, grad_norm;
	uint64_t examples, enc_tokens, dec_tokens; /* of this step */
	bool qat;
} ndl_step_report;

/* One optimiser step: 1 done, 0 if the run is at its end, the data is, or it is to stop (then report is not
 * filled), negative on error. A loss or gradient that is not finite is NDL_ELIMIT and changes
 * no parameter. */
int ndl_run_step(ndl_run *r, ndl_step_report *report, ndl_error *err);
uint64_t ndl_run_steps(const ndl_run *r); /* done so far */

/* Loss over the whole of another dataset (fake quantisation, pairs and teacher off). */
ndl_status ndl_run_evaluate(ndl_run *r, ndl_dataset *data, ndl_loss *mean, ndl_error *err);

/* Everything a later process needs to go on: parameters, moments, step, place in the data and the
 * options, atomically. `extra` (may be NULL): key, value, key, value, NULL of the caller's own
 * options, compared on loading too. */
ndl_status ndl_run_save(const ndl_run *r, const char *path, const char *const *extra, ndl_error *err);
/* Goes on from a state file. Options, config or vocabulary other than those it was saved with are
 * an error that names the first difference, since the result would be that of neither run. */
ndl_status ndl_run_load(ndl_run *r, const char *path, const char *const *extra, ndl_error *err);

/* Writes the model (F32, the average if there is one). meta (may be NULL): key, value, key, value,
 * NULL for the file's metadata. */
ndl_status ndl_run_write_model(const ndl_run *r, const char *path, const char *const *meta, ndl_error *err);

size_t ndl_run_parameters(const ndl_run *r); /* their number */

#endif
