/* lora.h - low-rank fine-tuning (Hu et al., "LoRA", 2021): every kernel of the encoder and the decoder is
 * W + s A B with W fixed, A [in, rank], B [rank, out]; only A and B are trained, by AdamW. What is
 * saved as a model is merged: its shape does not change. */
#ifndef NDL_TRAIN_LORA_H
#define NDL_TRAIN_LORA_H

#include "tensor/exec.h"
#include "train/optimiser.h"
#include "train/params.h"

typedef struct ndl_lora {
	const ndl_params *ps;
	size_t rank;
	size_t total;              /* floats in each of the arrays below */
	float *ab, *m, *v, *grad;  /* owned: factors, Adam's moments, gradient */
	float *base;               /* owned: ps->total, the parameters that stay */
} ndl_lora;

/* base[ps->total] is copied. A is random, B zero: the model is unchanged at first. */
ndl_status ndl_lora_init(ndl_lora *l, const ndl_params *ps, const float *base, size_t rank, uint64_t seed, ndl_error *err);
void ndl_lora_clear(ndl_lora *l);

/* w := base with A B added. */
void ndl_lora_merge(const ndl_lora *l, ndl_exec *x, float *w);
/* From grad[ps->total], the gradient of the merged parameters: one AdamW step of the factors (step: updates
 * done before), clipped by the norm of their gradient, which is returned. A norm that is not finite changes
 * nothing. */
double ndl_lora_step(ndl_lora *l, ndl_exec *x, const float *grad, const ndl_optimiser_options *o, uint64_t step,
                     double lr_factor);

#endif
