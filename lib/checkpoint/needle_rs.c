/* needle_rs.c - safetensors of needle-rs: tensors named per layer, attention kernels in INT4.
 *
 * A kernel [in, out] is stored in pairs of rows: byte [pair][out] holds input 2 pair in its low half and
 * 2 pair + 1 in its high half, two's complement; scales F32 [group][out], groups of 32 inputs. */
#include "checkpoint/import_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 32, NAME_BYTES = 160 };

typedef struct job {
	ndl_ckpt *in, *out;
	size_t d, layers[2]; /* width; encoder and decoder layers */
	size_t used;         /* tensors of `in` that have found their place */
	ndl_error *err;
} job;

bool ndl_is_needle_rs(const ndl_ckpt *source)
{
	return ndl_ckpt_find(source, "encoder_final_norm") && ndl_ckpt_find(source, "decoder_final_norm");
}

static const ndl_tensor *need(job *j, const char *name)
{
	const ndl_tensor *t = ndl_ckpt_find(j->in, name);
	if (!t)
		ndl_fail(j->err, NDL_ENOTFOUND, "needle-rs: tensor '%s' is missing", name);
	else
		j->used++;
	return t;
}

/* A tensor under upstream's name, as it is. */
static ndl_status rename_one(job *j, const char *from, const char *to)
{
	const ndl_tensor *t = need(j, from);
	return t ? ndl_ckpt_put(j->out, to, t->dtype, t->rank, t->shape, t->data, j->err) : NDL_ENOTFOUND;
}

/* Vectors of n values, one a layer, stacked; n = 1 for gates. */
static ndl_status stack_vectors(job *j, const char *side, const char *name, size_t layers, const char *to)
{
	char from[NAME_BYTES];
	size_t n = 0;
	float *out = NULL;
	for (size_t l = 0; l < layers; l++) {
		snprintf(from, sizeof from, "%s.%zu.%s", side, l, name);
		const ndl_tensor *t = need(j, from);
		if (!t)
			return NDL_ENOTFOUND;
		n = l == 0 ? ndl_tensor_elements(t) : n;
		if (t->rank > 1 || n == 0 || n > j->d || ndl_tensor_elements(t) != n)
			return ndl_fail(j->err, NDL_EFORMAT, "needle-rs: tensor '%s' has the wrong shape", from);
		if (!out && !(out = ndl_ckpt_own(j->out, ndl_alloc64(layers * n, sizeof *out), to, j->err)))
			return NDL_ENOMEM;
		ndl_status s = ndl_tensor_to_f32(t, out + l * n, j->err);
		if (s != NDL_OK)
			return s;
	}
	size_t shape[2] = {layers, n};
	bool gate = strstr(name, "gate") != NULL;
	return ndl_ckpt_put(j->out, to, NDL_F32, gate && n == 1 ? 1 : 2, shape, out, j->err);
}

/* out[in][n_out] = codes * scale; rows beyond `in` are padding of the last group. */
static void unpack(float *out, const uint8_t *codes, const float *scale, size_t in, size_t n_out, size_t group)
{
	for (size_t i = 0; i < in; i++)
		for (size_t o = 0; o < n_out; o++) {
			unsigned byte = codes[i / 2 * n_out + o];
			int nibble = (int)(i % 2 ? byte >> 4 : byte & 15);
			out[i * n_out + o] = (float)((nibble ^ 8) - 8) * scale[i / group * n_out + o];
		}
}

/* Kernel of one layer; *n_out is found at the first. */
static ndl_status unpack_kernel(job *j, const char *from, size_t l, size_t layers, size_t *n_out, float **out, const char *to)
{
	char scale_name[NAME_BYTES + 8];
	snprintf(scale_name, sizeof scale_name, "%s.scale", from);
	const ndl_tensor *t = need(j, from), *scale = t ? need(j, scale_name) : NULL;
	if (!scale)
		return NDL_ENOTFOUND;
	size_t group = j->d < GROUP ? j->d : GROUP, groups = (j->d + group - 1) / group;
	if (l == 0 && t->rank == 2)
		*n_out = t->shape[1];
	if (t->dtype != NDL_I4 || t->rank != 2 || t->shape[0] != groups * group / 2 || t->shape[1] != *n_out || !*n_out)
		return ndl_fail(j->err, NDL_EFORMAT, "needle-rs: tensor '%s' is not I4 [%zu, outputs]", from, groups * group / 2);
	if (scale->dtype != NDL_F32 || scale->rank != 2 || scale->shape[0] != groups || scale->shape[1] != *n_out)
		return ndl_fail(j->err, NDL_EFORMAT, "needle-rs: tensor '%s' is not F32 [%zu, %zu]", scale_name, groups, *n_out);
	if (t->bytes > j->in->map.size / layers) /* so that what is allocated stands in proportion to the file */
		return ndl_fail(j->err, NDL_EFORMAT, "needle-rs: tensor '%s' is too large for a file of %zu layers", from, layers);
	if (!*out && !(*out = ndl_ckpt_own(j->out, ndl_alloc64(layers * j->d * *n_out, sizeof **out), to, j->err)))
		return NDL_ENOMEM;
	unpack(*out + l * j->d * *n_out, t->data, scale->data, j->d, *n_out, group);
	return NDL_OK;
}

static ndl_status stack_kernels(job *j, const char *side, const char *name, size_t layers, const char *to)
{
	char from[NAME_BYTES];
	float *out = NULL;
	size_t n_out = 0;
	for (size_t l = 0; l < layers; l++) {
		snprintf(from, sizeof from, "%s.%zu.%s", side, l, name);
		ndl_status s = unpack_kernel(j, from, l, layers, &n_out, &out, to);
		if (s != NDL_OK)
			return s;
	}
	size_t shape[3] = {layers, j->d, n_out};
	return ndl_ckpt_put(j->out, to, NDL_F32, 3, shape, out, j->err);
}

/* where: "self_attn", "cross_attn" */
static ndl_status stack_attention(job *j, const char *side, const char *where, size_t layers, const char *to)
{
	static const char *const kernels[4][2] = {{"wq", "q_proj"}, {"wk", "k_proj"}, {"wv", "v_proj"}, {"wo", "out_proj"}};
	char from[NAME_BYTES / 2], name[NAME_BYTES];
	ndl_status s = NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < 4; i++) {
		snprintf(from, sizeof from, "%s.%s", where, kernels[i][0]);
		snprintf(name, sizeof name, "%s%s/%s/kernel", to, where, kernels[i][1]);
		s = stack_kernels(j, side, from, layers, name);
	}
	for (int i = 0; s == NDL_OK && i < 2; i++) {
		snprintf(from, sizeof from, "%s.%c_norm", where, "qk"[i]);
		snprintf(name, sizeof name, "%s%s/%c_norm/scale", to, where, "qk"[i]);
		s = stack_vectors(j, side, from, layers, name);
	}
	return s;
}

#define ENC "encoder/layers/EncoderBlock_0/"
#define DEC "decoder/layers/DecoderBlock_0/"

static ndl_status convert_layers(job *j)
{
	static const struct { int side; const char *from, *to; } vectors[] = {
		{0, "norm", ENC "ZCRMSNorm_0/scale"}, {0, "self_attn_gate", ENC "attn_gate"},
		{1, "self_attn_norm", DEC "ZCRMSNorm_0/scale"}, {1, "self_attn_gate", DEC "self_attn_gate"},
		{1, "cross_attn_norm", DEC "ZCRMSNorm_1/scale"}, {1, "cross_attn_gate", DEC "cross_attn_gate"},
	};
	static const char *const sides[2] = {"encoder", "decoder"};
	ndl_status s = NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < sizeof vectors / sizeof vectors[0]; i++)
		s = stack_vectors(j, sides[vectors[i].side], vectors[i].from, j->layers[vectors[i].side], vectors[i].to);
	if (s == NDL_OK)
		s = stack_attention(j, "encoder", "self_attn", j->layers[0], ENC);
	if (s == NDL_OK)
		s = stack_attention(j, "decoder", "self_attn", j->layers[1], DEC);
	return s == NDL_OK ? stack_attention(j, "decoder", "cross_attn", j->layers[1], DEC) : s;
}

static ndl_status convert_rest(job *j)
{
	static const char *const plain[][2] = {
		{"embedding", "embedding/embedding"}, {"encoder_final_norm", "encoder/final_norm/scale"},
		{"decoder_final_norm", "decoder/ZCRMSNorm_0/scale"},
		{"contrastive_hidden_kernel", "contrastive_hidden/kernel"},
		{"contrastive_hidden_bias", "contrastive_hidden/bias"},
		{"contrastive_proj_kernel", "contrastive_proj/kernel"},
	};
	size_t n = ndl_ckpt_find(j->in, "contrastive_proj_kernel") ? 6 : 3;
	ndl_status s = NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < n; i++)
		s = rename_one(j, plain[i][0], plain[i][1]);
	return s;
}

static size_t count_layers(const ndl_ckpt *c, const char *side, const char *name)
{
	char full[NAME_BYTES];
	size_t n = 0;
	do
		snprintf(full, sizeof full, "%s.%zu.%s", side, n, name);
	while (ndl_ckpt_find(c, full) && ++n <= 256);
	return n;
}

static ndl_status copy_metadata(job *j)
{
	const char *key, *value;
	ndl_status s = NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < ndl_ckpt_meta_count(j->in); i++) {
		ndl_ckpt_meta_at(j->in, i, &key, &value);
		s = ndl_ckpt_put_meta(j->out, key, value, j->err);
	}
	return s;
}

/* What was not used would be left out silently: feed-forward layers, for one. */
static ndl_status check_all_used(job *j)
{
	if (j->used == ndl_ckpt_count(j->in))
		return NDL_OK;
	for (size_t i = 0; i < ndl_ckpt_count(j->in); i++) {
		const char *name = ndl_ckpt_at(j->in, i)->name;
		if (strstr(name, "ffn"))
			return ndl_fail(j->err, NDL_EUNSUPPORTED, "needle-rs: tensor '%s': feed-forward layers are not supported", name);
	}
	return ndl_fail(j->err, NDL_EUNSUPPORTED, "needle-rs: %zu tensors are not a part of this network",
	                ndl_ckpt_count(j->in) - j->used);
}

ndl_ckpt *ndl_import_needle_rs(ndl_ckpt *source, ndl_error *err)
{
	job j = {.in = source, .out = ndl_ckpt_new(err), .err = err};
	if (!j.out) {
		ndl_ckpt_close(source);
		return NULL;
	}
	j.out->source = source;
	j.d = ndl_tensor_elements(ndl_ckpt_find(source, "encoder_final_norm"));
	j.layers[0] = count_layers(source, "encoder", "norm");
	j.layers[1] = count_layers(source, "decoder", "self_attn_norm");
	ndl_status s = NDL_OK;
	if (j.d % 2 != 0)
		s = ndl_fail(err, NDL_EFORMAT, "needle-rs: a width of %zu, whose kernels have no pairs of rows", j.d);
	else if (!j.d || !j.layers[0] || !j.layers[1] || j.layers[0] > 256 || j.layers[1] > 256)
		s = ndl_fail(err, NDL_EFORMAT, "needle-rs: no layers, or too many");
	if (s == NDL_OK)
		s = convert_rest(&j);
	if (s == NDL_OK)
		s = convert_layers(&j);
	if (s == NDL_OK)
		s = check_all_used(&j);
	if (s == NDL_OK)
		s = copy_metadata(&j);
	if (s == NDL_OK)
		s = ndl_ckpt_index(j.out, err);
	if (s == NDL_OK)
		return j.out;
	ndl_ckpt_close(j.out);
	return NULL;
}
