/* finetune_data.h - the examples of a training run: loading, checking, splitting, and telling the
 * user what they are before the first step. */
#ifndef NDL_CMD_FINETUNE_DATA_H
#define NDL_CMD_FINETUNE_DATA_H

#include "base/buf.h"
#include "cmd/finetune_options.h"
#include "data/dataset.h"

/* Zero-initialise. */
typedef struct finetune_data {
	const finetune_options *o;
	const cli *app;
	const ndl_tok *tok;
	ndl_config config;            /* with the windows of the options */
	int threads;
	ndl_heldout *heldout;
	ndl_buf tools;                /* compact JSON of --tools */
	ndl_lines *lines, *val_lines; /* NULL: a stream; no --val */
	ndl_split split;
	size_t *rows;                 /* to train on, as often as their files' weights say */
	size_t n_rows;
	ndl_dataset *train;
	bool stream;
} finetune_data;

/* Opens what o names; all pointers are borrowed for d's life. Files, and stdin up to its end, are
 * held and split; pipes with --max-steps (and no --epochs) are streams that may be endless. */
ndl_status finetune_data_open(finetune_data *d, const cli *app, const finetune_options *o, const ndl_tok *tok,
                              const ndl_config *config, int threads, ndl_error *err);
void finetune_data_close(finetune_data *d);

/* Rows that neither base nor tuned model trains on: NDL_VAL while training, NDL_TEST at the end (with
 * --val the same file serves as both). Returns how many; *rows (NULL: 0, 1, 2, …) of *lines, borrowed. */
size_t finetune_data_part(const finetune_data *d, int part, const ndl_lines **lines, const size_t **rows);
/* That part as batches, as they stand, once. NULL on failure. */
ndl_dataset *finetune_data_part_batches(const finetune_data *d, int part, ndl_error *err);

/* On stderr, unless -q: examples a tool, share of refusals, rows that do not fit, steps; and
 * warnings of what is known to end in disappointment. */
ndl_status finetune_data_tell(const finetune_data *d, uint64_t steps, ndl_error *err);
/* Of a stream, after training: what was dropped of it. */
void finetune_data_tell_stream(const finetune_data *d);

#endif
