/* The parameters of a network, and views of them in a checkpoint. */
#include "checkpoint/checkpoint.h"

#include "checkpoint/half.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ENC "encoder/layers/EncoderBlock_0/"
#define DEC "decoder/layers/DecoderBlock_0/"

enum { NAME_MAX_BYTES = 128 };

/* Dimensions of a parameter in terms of the configuration. */
typedef enum dim { D_NONE, D_ONE, D_MODEL, D_KV, D_HEAD, D_VOCAB, D_HIDDEN, D_CONTRASTIVE } dim;
typedef enum stack { S_NONE, S_ENC, S_DEC, S_HEAD } stack; /* S_HEAD: of the contrastive head, not stacked */

static const struct template {
	const char *name;
	ndl_param_kind kind;
	stack stack;
	dim in, out;
} templates[NDL_MAX_PARAMS] = {
#define KERNEL NDL_PARAM_KERNEL
#define VECTOR NDL_PARAM_VECTOR
#define ATTENTION(at, stack) \
	{at "q_proj/kernel", KERNEL, stack, D_MODEL, D_MODEL}, {at "k_proj/kernel", KERNEL, stack, D_MODEL, D_KV}, \
	{at "v_proj/kernel", KERNEL, stack, D_MODEL, D_KV}, {at "out_proj/kernel", KERNEL, stack, D_MODEL, D_MODEL}, \
	{at "q_norm/scale", VECTOR, stack, D_NONE, D_HEAD}, {at "k_norm/scale", VECTOR, stack, D_NONE, D_HEAD}
	{"embedding/embedding", NDL_PARAM_EMBEDDING, S_NONE, D_MODEL, D_VOCAB},
	{ENC "ZCRMSNorm_0/scale", VECTOR, S_ENC, D_NONE, D_MODEL},
	{ENC "attn_gate", VECTOR, S_ENC, D_NONE, D_ONE},
	ATTENTION(ENC "self_attn/", S_ENC),
	{"encoder/final_norm/scale", VECTOR, S_NONE, D_NONE, D_MODEL},
	{DEC "ZCRMSNorm_0/scale", VECTOR, S_DEC, D_NONE, D_MODEL},
	{DEC "self_attn_gate", VECTOR, S_DEC, D_NONE, D_ONE},
	ATTENTION(DEC "self_attn/", S_DEC),
	{DEC "ZCRMSNorm_1/scale", VECTOR, S_DEC, D_NONE, D_MODEL},
	{DEC "cross_attn_gate", VECTOR, S_DEC, D_NONE, D_ONE},
	ATTENTION(DEC "cross_attn/", S_DEC),
	{"decoder/ZCRMSNorm_0/scale", VECTOR, S_NONE, D_NONE, D_MODEL},
	{"contrastive_hidden/kernel", KERNEL, S_HEAD, D_MODEL, D_HIDDEN},
	{"contrastive_hidden/bias", VECTOR, S_HEAD, D_NONE, D_HIDDEN},
	{"contrastive_proj/kernel", KERNEL, S_HEAD, D_HIDDEN, D_CONTRASTIVE},
	{"log_temp", VECTOR, S_HEAD, D_NONE, D_ONE},
#undef ATTENTION
#undef VECTOR
#undef KERNEL
};

static size_t dim_size(const ndl_config *c, dim d)
{
	int head = c->d_model / c->num_heads;
	switch (d) {
	case D_ONE: return 1;
	case D_MODEL: return (size_t)c->d_model;
	case D_KV: return (size_t)head * (size_t)c->num_kv_heads;
	case D_HEAD: return (size_t)head;
	case D_VOCAB: return (size_t)c->vocab_size;
	case D_HIDDEN: return (size_t)c->d_model / 4;
	case D_CONTRASTIVE: return (size_t)c->contrastive_dim;
	default: return 0;
	}
}

size_t ndl_config_params(const ndl_config *c, ndl_param *out)
{
	size_t n = 0;
	for (size_t i = 0; i < NDL_MAX_PARAMS; i++) {
		const struct template *t = &templates[i];
		size_t layers = t->stack == S_ENC ? (size_t)c->num_encoder_layers
		              : t->stack == S_DEC ? (size_t)c->num_decoder_layers : 0;
		if (t->stack == S_HEAD && !c->contrastive_dim)
			continue;
		out[n++] = (ndl_param){t->name, t->kind, layers, dim_size(c, t->in), dim_size(c, t->out)};
	}
	return n;
}

int ndl_param_shape(const ndl_param *p, size_t shape[NDL_MAX_RANK])
{
	int rank = 0;
	if (p->layers)
		shape[rank++] = p->layers;
	if (p->kind == NDL_PARAM_KERNEL)
		shape[rank++] = p->in;
	if (p->kind != NDL_PARAM_VECTOR || p->out > 1)
		shape[rank++] = p->out;
	if (p->kind == NDL_PARAM_EMBEDDING)
		shape[rank++] = p->in;
	return rank;
}

/* Views --------------------------------------------------------------------------------- */

static ndl_status missing(const char *name, ndl_error *err)
{
	return ndl_fail(err, NDL_ENOTFOUND, "tensor '%s' is missing", name);
}

/* Whether t is [a, b], or [more than layer, a, b] if layer >= 0. */
static ndl_status check_shape(const ndl_tensor *t, int layer, size_t a, size_t b, ndl_error *err)
{
	int first = layer >= 0;
	if (t->rank != first + 2 || t->shape[first] != a || t->shape[first + 1] != b) {
		char have[200] = "";
		for (int i = 0, at = 0; i < t->rank && at < 180; i++)
			at += snprintf(have + at, sizeof have - (size_t)at, "%s%zu", i ? ", " : "", t->shape[i]);
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' (%s) has shape [%s], expected [%s%zu, %zu]", t->name,
		                ndl_dtype_name(t->dtype), have, first ? "layers, " : "", a, b);
	}
	if (first && (size_t)layer >= t->shape[0])
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' has %zu layers, layer %d is missing", t->name, t->shape[0],
		                layer);
	return NDL_OK;
}

/* First byte of a layer; the shape has been checked, so shape[0] > 0 there. */
static const void *layer_data(const ndl_tensor *t, int layer)
{
	return layer < 0 ? t->data : (const char *)t->data + (size_t)layer * (t->bytes / t->shape[0]);
}

static const ndl_tensor *find_scale(const ndl_ckpt *ckpt, const char *name)
{
	char scale[NAME_MAX_BYTES + 8];
	int n = snprintf(scale, sizeof scale, "%s.scale", name);
	return n > 0 && (size_t)n < sizeof scale ? ndl_ckpt_find(ckpt, scale) : NULL;
}

static ndl_status view_codes(const ndl_ckpt *ckpt, const ndl_tensor *t, const char *name, int layer, size_t in,
                             size_t out, ndl_weight *w, ndl_error *err)
{
	const ndl_tensor *scale = find_scale(ckpt, name);
	bool packed = t->dtype == NDL_U8;
	if (!scale)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' holds codes, but '%s.scale' is missing", name, name);
	if (packed && in % 2 != 0)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': %zu inputs cannot be packed in pairs", name, in);
	ndl_status s = check_shape(t, layer, out, packed ? in / 2 : in, err);
	if (s != NDL_OK)
		return s;
	size_t groups = scale->rank > 0 ? scale->shape[scale->rank - 1] : 0;
	if (scale->dtype != NDL_F16 || groups == 0 || in % groups != 0 || in / groups % 32 != 0)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': expected F16 scales of groups of a multiple of 32 inputs",
		                scale->name);
	s = check_shape(scale, layer, out, groups, err);
	if (s == NDL_OK && layer >= 0 && scale->shape[0] != t->shape[0])
		s = ndl_fail(err, NDL_EFORMAT, "tensors '%s' and '%s' have different numbers of layers", name, scale->name);
	if (s != NDL_OK)
		return s;
	*w = (ndl_weight){packed ? NDL_W_I4 : NDL_W_I8, true, in, out, layer_data(t, layer),
	                  layer_data(scale, layer), in / groups};
	return NDL_OK;
}

static ndl_status view(const ndl_ckpt *ckpt, const char *name, bool embedding, int layer, size_t in, size_t out,
                       ndl_weight *w, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(ckpt, name);
	ndl_wtype type = NDL_W_F32;
	*w = (ndl_weight){0};
	if (!t)
		return missing(name, err);
	switch (t->dtype) {
	case NDL_F32: break;
	case NDL_F16: type = NDL_W_F16; break;
	case NDL_BF16: type = NDL_W_BF16; break;
	case NDL_I8:
	case NDL_U8: return view_codes(ckpt, t, name, layer, in, out, w, err);
	default:
		return ndl_fail(err, NDL_EUNSUPPORTED, "tensor '%s': weights of type %s are not supported", name,
		                ndl_dtype_name(t->dtype));
	}
	ndl_status s = check_shape(t, layer, embedding ? out : in, embedding ? in : out, err);
	if (s == NDL_OK)
		*w = (ndl_weight){type, embedding, in, out, layer_data(t, layer), NULL, 0};
	return s;
}

ndl_status ndl_ckpt_weight(const ndl_ckpt *ckpt, const char *name, int layer, size_t in, size_t out, ndl_weight *w,
                           ndl_error *err)
{
	return view(ckpt, name, false, layer, in, out, w, err);
}

ndl_status ndl_ckpt_embedding(const ndl_ckpt *ckpt, size_t vocab_size, size_t d_model, ndl_weight *w, ndl_error *err)
{
	return view(ckpt, "embedding/embedding", true, -1, d_model, vocab_size, w, err);
}

/* *part = the n values of that layer. */
static ndl_status view_vector(const ndl_ckpt *ckpt, const char *name, int layer, size_t n, ndl_tensor *part,
                              ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(ckpt, name);
	int first = layer >= 0;
	if (!t)
		return missing(name, err);
	if (t->dtype != NDL_F32 && t->dtype != NDL_F16 && t->dtype != NDL_BF16 && t->dtype != NDL_F64)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' has type %s, expected floats", name, ndl_dtype_name(t->dtype));
	bool scalar = t->rank == first && n == 1;
	if (!scalar && (t->rank != first + 1 || t->shape[first] != n))
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' has the wrong shape: expected %s%zu value%s", name,
		                first ? "in each layer " : "", n, n == 1 ? "" : "s");
	if (first && (size_t)layer >= t->shape[0])
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s' has %zu layers, layer %d is missing", name, t->shape[0], layer);
	*part = (ndl_tensor){.name = t->name, .dtype = t->dtype, .rank = 1, .shape = {n}, .data = layer_data(t, layer),
	                     .bytes = n * ndl_dtype_size(t->dtype)};
	return NDL_OK;
}

ndl_status ndl_ckpt_vector(const ndl_ckpt *ckpt, const char *name, int layer, size_t n, float *out, ndl_error *err)
{
	ndl_tensor part;
	ndl_status s = view_vector(ckpt, name, layer, n, &part, err);
	if (s == NDL_OK)
		s = ndl_tensor_to_f32(&part, out, err);
	for (size_t i = 0; s == NDL_OK && i < n; i++)
		if (!isfinite(out[i]))
			s = ndl_fail(err, NDL_EFORMAT, "tensor '%s' holds %s", name, isnan(out[i]) ? "NaN" : "an infinity");
	return s;
}

/* The whole ------------------------------------------------------------------------------- */

static ndl_status check_param(const ndl_ckpt *ckpt, const ndl_param *p, ndl_error *err)
{
	int last = (int)p->layers - 1;
	ndl_weight w;
	ndl_tensor part;
	ndl_status s = p->kind == NDL_PARAM_VECTOR
		? view_vector(ckpt, p->name, last, p->out, &part, err)
		: view(ckpt, p->name, p->kind == NDL_PARAM_EMBEDDING, last, p->in, p->out, &w, err);
	const ndl_tensor *t = ndl_ckpt_find(ckpt, p->name);
	if (s == NDL_OK && p->layers && t->shape[0] != p->layers)
		s = ndl_fail(err, NDL_EFORMAT, "tensor '%s' has %zu layers, expected %zu", p->name, t->shape[0], p->layers);
	return s;
}

static bool starts_with(const char *s, const char *stem)
{
	return strncmp(s, stem, strlen(stem)) == 0;
}

static bool is_one_of(const ndl_tensor *t, const ndl_tensor *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (known[i] == t)
			return true;
	return false;
}

ndl_status ndl_ckpt_check(const ndl_ckpt *ckpt, const ndl_config *c, ndl_error *err)
{
	ndl_param params[NDL_MAX_PARAMS];
	const ndl_tensor *known[2 * NDL_MAX_PARAMS]; /* the parameters, and the scales of those that have some */
	size_t n = ndl_config_params(c, params);
	for (size_t i = 0; i < n; i++) {
		ndl_status s = check_param(ckpt, &params[i], err);
		if (s != NDL_OK)
			return s;
		known[2 * i] = ndl_ckpt_find(ckpt, params[i].name);
		known[2 * i + 1] = params[i].kind != NDL_PARAM_VECTOR ? find_scale(ckpt, params[i].name) : NULL;
	}
	/* A block that we do not know would be left out silently: feed-forward layers, for one. */
	for (size_t i = 0; i < ndl_ckpt_count(ckpt); i++) {
		const ndl_tensor *t = ndl_ckpt_at(ckpt, i);
		if ((starts_with(t->name, "encoder") || starts_with(t->name, "decoder") ||
		     starts_with(t->name, "contrastive") || starts_with(t->name, "embedding")) &&
		    !is_one_of(t, known, 2 * n))
			return ndl_fail(err, NDL_EUNSUPPORTED, "tensor '%s' is not a part of this network", t->name);
	}
	return NDL_OK;
}

/* Expansion ------------------------------------------------------------------------------- */

static float code_value(const ndl_weight *w, size_t o, size_t i)
{
	float scale = ndl_f16_to_f32(w->scale[o * (w->in / w->group) + i / w->group]);
	if (w->type == NDL_W_I8)
		return (float)((const int8_t *)w->data)[o * w->in + i] * scale;
	unsigned byte = ((const uint8_t *)w->data)[o * (w->in / 2) + i / 2];
	int nibble = (int)(i % 2 ? byte >> 4 : byte & 15);
	return (float)((nibble ^ 8) - 8) * scale;
}

void ndl_weight_to_f32(const ndl_weight *w, bool embedding, float *out)
{
	size_t n = w->in * w->out;
	switch (w->type) {
	case NDL_W_F32:
		if (n)
			memcpy(out, w->data, n * sizeof *out);
		return;
	case NDL_W_F16: ndl_f16_to_f32_n(out, w->data, n); return;
	case NDL_W_BF16: ndl_bf16_to_f32_n(out, w->data, n); return;
	default: break;
	}
	for (size_t o = 0; o < w->out; o++)
		for (size_t i = 0; i < w->in; i++)
			out[embedding ? o * w->in + i : i * w->out + o] = code_value(w, o, i);
}
