#include "train/params.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENC "encoder/layers/EncoderBlock_0/"
#define DEC "decoder/layers/DecoderBlock_0/"

static const char *const names[NDL_P_COUNT] = {
	[NDL_P_EMBEDDING] = "embedding/embedding",
	[NDL_P_ENC_NORM] = ENC "ZCRMSNorm_0/scale",
	[NDL_P_ENC_GATE] = ENC "attn_gate",
	[NDL_P_ENC_Q] = ENC "self_attn/q_proj/kernel",
	[NDL_P_ENC_K] = ENC "self_attn/k_proj/kernel",
	[NDL_P_ENC_V] = ENC "self_attn/v_proj/kernel",
	[NDL_P_ENC_O] = ENC "self_attn/out_proj/kernel",
	[NDL_P_ENC_QNORM] = ENC "self_attn/q_norm/scale",
	[NDL_P_ENC_KNORM] = ENC "self_attn/k_norm/scale",
	[NDL_P_ENC_FINAL] = "encoder/final_norm/scale",
	[NDL_P_SELF_NORM] = DEC "ZCRMSNorm_0/scale",
	[NDL_P_SELF_GATE] = DEC "self_attn_gate",
	[NDL_P_SELF_Q] = DEC "self_attn/q_proj/kernel",
	[NDL_P_SELF_K] = DEC "self_attn/k_proj/kernel",
	[NDL_P_SELF_V] = DEC "self_attn/v_proj/kernel",
	[NDL_P_SELF_O] = DEC "self_attn/out_proj/kernel",
	[NDL_P_SELF_QNORM] = DEC "self_attn/q_norm/scale",
	[NDL_P_SELF_KNORM] = DEC "self_attn/k_norm/scale",
	[NDL_P_CROSS_NORM] = DEC "ZCRMSNorm_1/scale",
	[NDL_P_CROSS_GATE] = DEC "cross_attn_gate",
	[NDL_P_CROSS_Q] = DEC "cross_attn/q_proj/kernel",
	[NDL_P_CROSS_K] = DEC "cross_attn/k_proj/kernel",
	[NDL_P_CROSS_V] = DEC "cross_attn/v_proj/kernel",
	[NDL_P_CROSS_O] = DEC "cross_attn/out_proj/kernel",
	[NDL_P_CROSS_QNORM] = DEC "cross_attn/q_norm/scale",
	[NDL_P_CROSS_KNORM] = DEC "cross_attn/k_norm/scale",
	[NDL_P_DEC_FINAL] = "decoder/ZCRMSNorm_0/scale",
	[NDL_P_CL_HIDDEN] = "contrastive_hidden/kernel",
	[NDL_P_CL_BIAS] = "contrastive_hidden/bias",
	[NDL_P_CL_PROJ] = "contrastive_proj/kernel",
	[NDL_P_LOG_TEMP] = "log_temp",
};

unsigned ndl_param_part(ndl_param_id id)
{
	if (id == NDL_P_EMBEDDING)
		return NDL_PART_EMBEDDING;
	return id <= NDL_P_ENC_FINAL ? NDL_PART_ENCODER : id <= NDL_P_DEC_FINAL ? NDL_PART_DECODER : NDL_PART_CONTRASTIVE;
}

void ndl_params_layout(ndl_params *ps, const ndl_config *config)
{
	ndl_param list[NDL_MAX_PARAMS];
	size_t n = ndl_config_params(config, list);
	*ps = (ndl_params){.config = *config};
	for (int id = 0; id < NDL_P_COUNT; id++) {
		ndl_slot *s = &ps->p[id];
		s->name = names[id];
		s->offset = ps->total;
		for (size_t i = 0; i < n; i++) {
			const ndl_param *p = &list[i];
			if (strcmp(p->name, names[id]) != 0)
				continue;
			s->kind = p->kind;
			s->stacked = p->layers > 0;
			s->copies = p->layers ? p->layers : 1;
			s->rows = p->kind == NDL_PARAM_VECTOR ? 1 : p->kind == NDL_PARAM_EMBEDDING ? p->out : p->in;
			s->cols = p->kind == NDL_PARAM_EMBEDDING ? p->in : p->out;
			s->rank = ndl_param_shape(p, s->shape);
		}
		s->size = s->copies * s->rows * s->cols;
		ps->total += (s->size + 15) / 16 * 16; /* 64-byte boundaries */
	}
}

float *ndl_params_new(const ndl_params *ps)
{
	float *flat = ndl_alloc_huge(ps->total, sizeof *flat);
	if (flat)
		memset(flat, 0, ps->total * sizeof *flat);
	return flat;
}

static bool is_out_proj(ndl_param_id id)
{
	return id == NDL_P_ENC_O || id == NDL_P_SELF_O || id == NDL_P_CROSS_O;
}

static void init_one(const ndl_params *ps, float *flat, ndl_param_id id, uint64_t seed)
{
	const ndl_slot *p = &ps->p[id];
	const ndl_config *c = &ps->config;
	double std = p->kind == NDL_PARAM_VECTOR ? 0 : 0.02;
	if (is_out_proj(id))
		std /= sqrt(2.0 * (c->num_encoder_layers + c->num_decoder_layers));
	ndl_rng r;
	ndl_rng_seed(&r, seed, 1000 + (uint64_t)id);
	for (size_t i = 0; i < p->size; i++)
		flat[p->offset + i] = std > 0 ? (float)(std * ndl_rng_normal(&r)) : 0.0f;
}

void ndl_params_init(const ndl_params *ps, float *flat, uint64_t seed)
{
	memset(flat, 0, ps->total * sizeof *flat);
	for (int id = 0; id < NDL_P_COUNT; id++)
		init_one(ps, flat, (ndl_param_id)id, seed);
}

/* The stored layer that layer l becomes, of n made from old <= n. */
static size_t layer_source(size_t l, size_t n, size_t old)
{
	return l * old / n;
}

static ndl_status read_one(const ndl_params *ps, float *flat, const ndl_ckpt *ckpt, ndl_param_id id,
                           ndl_error *err)
{
	const ndl_slot *p = &ps->p[id];
	const ndl_tensor *stored = ndl_ckpt_find(ckpt, p->name);
	size_t old = p->stacked && stored && stored->rank > 0 && stored->shape[0] < p->copies ? stored->shape[0] : p->copies;
	ndl_status status = NDL_OK;
	for (size_t l = 0; l < p->copies && status == NDL_OK; l++) {
		float *to = ndl_params_at(ps, flat, id, (int)l);
		size_t from = layer_source(l, p->copies, old);
		int layer = p->stacked ? (int)from : -1;
		if (l > 0 && is_out_proj(id) && from == layer_source(l - 1, p->copies, old)) {
			memset(to, 0, p->rows * p->cols * sizeof *to);
			continue;
		}
		ndl_weight w;
		if (p->kind == NDL_PARAM_VECTOR) {
			status = ndl_ckpt_vector(ckpt, p->name, layer, p->cols, to, err);
			continue;
		}
		bool embedding = p->kind == NDL_PARAM_EMBEDDING;
		status = embedding ? ndl_ckpt_embedding(ckpt, p->rows, p->cols, &w, err)
		                   : ndl_ckpt_weight(ckpt, p->name, layer, p->rows, p->cols, &w, err);
		if (status == NDL_OK)
			ndl_weight_to_f32(&w, embedding, to);
	}
	return status;
}

ndl_status ndl_params_read(const ndl_params *ps, float *flat, const ndl_ckpt *ckpt, uint64_t seed, ndl_error *err)
{
	ndl_status status = NDL_OK;
	for (int id = 0; id < NDL_P_COUNT && status == NDL_OK; id++) {
		bool optional = id >= NDL_P_CL_HIDDEN; /* published v1 weights have no contrastive head */
		if (optional && !ndl_ckpt_find(ckpt, ps->p[id].name))
			init_one(ps, flat, (ndl_param_id)id, seed);
		else
			status = read_one(ps, flat, ckpt, (ndl_param_id)id, err);
	}
	return status;
}

ndl_status ndl_params_write(const ndl_params *ps, const float *flat, const char *prefix,
                            ndl_ckpt_writer *w, ndl_error *err)
{
	for (int id = 0; id < NDL_P_COUNT; id++) {
		const ndl_slot *p = &ps->p[id];
		char name[200];
		if (p->size == 0)
			continue;
		snprintf(name, sizeof name, "%s%s", prefix, p->name);
		ndl_status status = ndl_ckpt_writer_add(w, name, NDL_F32, p->rank, p->shape, flat + p->offset, err);
		if (status != NDL_OK)
			return status;
	}
	return NDL_OK;
}
