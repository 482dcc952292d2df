/* distil.h - a model file as the teacher of a smaller one (Hinton et al., "Distilling the Knowledge in a
 * Neural Network", 2015). */
#ifndef NDL_TRAIN_DISTIL_H
#define NDL_TRAIN_DISTIL_H

#include "checkpoint/checkpoint.h"
#include "tokenizer/tokenizer.h"
#include "train/params.h"

typedef struct ndl_distil {
	ndl_params ps;
	float *w;      /* owned: ps.total, quantised weights expanded; NULL: no teacher */
	uint64_t hash; /* of shape and values, to tell one teacher from another */
} ndl_distil;

/* Reads all of the model, of which nothing is borrowed. NDL_EINVAL if its vocabulary is not tok piece for piece,
 * so that its logits would be of other tokens. */
ndl_status ndl_distil_init(ndl_distil *t, const ndl_ckpt *model, const ndl_tok *tok, ndl_error *err);
void ndl_distil_clear(ndl_distil *t);

#endif
