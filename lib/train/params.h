/* params.h - the trainable parameters: one flat float array, and a table that names its parts as
 * upstream's tree does (SPEC section 5), layers stacked on axis 0, kernels [in, out].
 * Gradients and optimiser moments are arrays of the same layout. */
#ifndef NDL_TRAIN_PARAMS_H
#define NDL_TRAIN_PARAMS_H

#include "base/error.h"
#include "base/rng.h"
#include "checkpoint/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>

/* Every parameter of the network, in file order. SELF and CROSS are the decoder's. */
typedef enum ndl_param_id {
	NDL_P_EMBEDDING,
	NDL_P_ENC_NORM, NDL_P_ENC_GATE,
	NDL_P_ENC_Q, NDL_P_ENC_K, NDL_P_ENC_V, NDL_P_ENC_O, NDL_P_ENC_QNORM, NDL_P_ENC_KNORM,
	NDL_P_ENC_FINAL,
	NDL_P_SELF_NORM, NDL_P_SELF_GATE,
	NDL_P_SELF_Q, NDL_P_SELF_K, NDL_P_SELF_V, NDL_P_SELF_O, NDL_P_SELF_QNORM, NDL_P_SELF_KNORM,
	NDL_P_CROSS_NORM, NDL_P_CROSS_GATE,
	NDL_P_CROSS_Q, NDL_P_CROSS_K, NDL_P_CROSS_V, NDL_P_CROSS_O, NDL_P_CROSS_QNORM, NDL_P_CROSS_KNORM,
	NDL_P_DEC_FINAL,
	NDL_P_CL_HIDDEN, NDL_P_CL_BIAS, NDL_P_CL_PROJ, NDL_P_LOG_TEMP,
	NDL_P_COUNT
} ndl_param_id;

/* Parts of the network, to be named together: cross-attention is the decoder's, each part has its norms. */
enum { NDL_PART_EMBEDDING = 1, NDL_PART_ENCODER = 2, NDL_PART_DECODER = 4, NDL_PART_CONTRASTIVE = 8, NDL_PART_ALL = 15 };
/* Which of them a parameter belongs to. */
unsigned ndl_param_part(ndl_param_id id);

/* One of them in the flat array. A vector has rows 1; gates and log_temp are 1 x 1. */
typedef struct ndl_slot {
	const char *name;      /* upstream's, static */
	ndl_param_kind kind;   /* KERNEL: Muon, weight decay, INT4 fake quantisation; others: AdamW */
	size_t copies;         /* layers, 1 where not stacked, 0 where the model has no such part */
	bool stacked;
	size_t rows, cols;     /* of one layer; a kernel is [in, out], the embedding [vocab, d] */
	size_t offset, size;   /* floats in the flat array, over all layers */
	int rank;              /* as stored */
	size_t shape[NDL_MAX_RANK];
} ndl_slot;

typedef struct ndl_params {
	ndl_config config;
	ndl_slot p[NDL_P_COUNT];
	size_t total;             /* floats in all */
} ndl_params;

/* Lays out the parameters of a checked config. No memory is owned. */
void ndl_params_layout(ndl_params *ps, const ndl_config *config);

/* Address of layer `layer` of a parameter within a flat array of this layout. */
static inline float *ndl_params_at(const ndl_params *ps, float *flat, ndl_param_id id, int layer)
{
	const ndl_slot *p = &ps->p[id];
	return flat + p->offset + (size_t)layer * p->rows * p->cols;
}

static inline const float *ndl_params_get(const ndl_params *ps, const float *flat, ndl_param_id id, int layer)
{
	const ndl_slot *p = &ps->p[id];
	return flat + p->offset + (size_t)layer * p->rows * p->cols;
}

/* A flat array of ps->total zeroed floats on a 64-byte boundary, or NULL. Free with free(). */
float *ndl_params_new(const ndl_params *ps);

/* SPEC section 8: normal(0.02) for embedding and projections, 0.02/sqrt(2 * layers) for out_proj,
 * scales, gates, bias and log_temp 0. The same for a seed on every machine. */
void ndl_params_init(const ndl_params *ps, float *flat, uint64_t seed);

/* Reads all parameters of an open model file of any stored type (quantised ones expanded).
 * A missing contrastive head is initialised from the seed; any other missing or misshapen tensor
 * is an error that names it. Where ps has more layers than the file, the new ones are spread evenly
 * among the old: copies of the layer before them, but with out_proj 0, so that they do nothing at first
 * and the grown network computes what the old one did. */
ndl_status ndl_params_read(const ndl_params *ps, float *flat, const ndl_ckpt *ckpt, uint64_t seed, ndl_error *err);

/* Adds all parameters to a writer as F32 under prefix + name; flat is borrowed until it finishes. */
ndl_status ndl_params_write(const ndl_params *ps, const float *flat, const char *prefix,
                            ndl_ckpt_writer *w, ndl_error *err);

#endif
