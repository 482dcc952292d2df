/* finetune_options.h - what a user can ask of needle-finetune. */
#ifndef NDL_CMD_FINETUNE_OPTIONS_H
#define NDL_CMD_FINETUNE_OPTIONS_H

#include "cmd/cli.h"
#include "data/batch.h"

typedef struct finetune_options {
	const char *out, *tools, *init, *vocab, *val, *log, *heldout, *dump, *teacher;
	const char **inputs; /* owned by the parser; without the "=WEIGHT" that a name may end in */
	double *share;       /* n_inputs */
	int n_inputs;
	long epochs, max_steps, batch, accumulate, qat, contrastive_every, max_enc, max_dec, eval_every, checkpoint_every,
	     buffer, score, val_calls, enc_layers, dec_layers, d_model, curriculum, lora_rank;
	unsigned freeze; /* NDL_PART_ flags */
	double lr, muon_lr, warmup, decay, contrastive_weight, z_weight, weight_decay, clip_norm, average, loosen, teacher_weight,
	       teacher_temperature;
	float weight[NDL_CLASS_COUNT];
	uint64_t seed;
	bool resume, strict, constant, qat_embedding, keep_order;
	size_t qat_group, qat_embedding_group;
	int precision; /* 0 auto, 1 f32, 2 bf16 */
} finetune_options;

extern const cli_option finetune_table[];

/* Fills *o, with defaults where nothing is said; a usage error exits. */
void finetune_parse(cli *app, finetune_options *o, int argc, char **argv);

#endif
