#include "quant/convert.h"

#include "base/mem.h"
#include "checkpoint/half.h"
#include "quant/gptq.h"

#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One parameter in its new form. */
typedef struct item {
	ndl_param param;
	ndl_convert_report report;
	ndl_dtype dtype;
	void *data;          /* owned */
	uint16_t *scale;     /* owned; NULL for floats */
	int bits;            /* 4, 8, or 0 for floats */
	size_t group;
} item;

struct ndl_conversion {
	ndl_convert_options options;
	item items[NDL_MAX_PARAMS];
	size_t n;
};

void ndl_conversion_free(ndl_conversion *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < NDL_MAX_PARAMS; i++) {
		free(v->items[i].data);
		free(v->items[i].scale);
	}
	free(v);
}

size_t ndl_conversion_count(const ndl_conversion *v)
{
	return v->n;
}

const ndl_convert_report *ndl_conversion_at(const ndl_conversion *v, size_t i)
{
	return i < v->n ? &v->items[i].report : NULL;
}

/* Reading --------------------------------------------------------------------------------- */

static size_t layers_of(const ndl_param *p)
{
	return p->layers ? p->layers : 1;
}

static size_t layer_elements(const ndl_param *p)
{
	return p->kind == NDL_PARAM_VECTOR ? p->out : p->in * p->out;
}

size_t ndl_param_elements(const ndl_param *p)
{
	return layers_of(p) * layer_elements(p);
}

const char *ndl_storage_name(const ndl_ckpt *ckpt, const ndl_param *p)
{
	const ndl_tensor *t = ndl_ckpt_find(ckpt, p->name);
	if (!t)
		return "?";
	if (p->kind != NDL_PARAM_VECTOR && t->dtype == NDL_I8)
		return "INT8";
	if (p->kind != NDL_PARAM_VECTOR && t->dtype == NDL_U8)
		return "INT4";
	return ndl_dtype_name(t->dtype);
}

static ndl_status check_finite(const ndl_param *p, size_t layer, const float *w, ndl_error *err)
{
	for (size_t i = 0, n = layer_elements(p); i < n; i++)
		if (!isfinite(w[i])) {
			const char *what = isnan(w[i]) ? "NaN" : "an infinity";
			if (p->layers)
				return ndl_fail(err, NDL_EFORMAT, "tensor '%s', layer %zu: value %zu is %s", p->name, layer, i, what);
			return ndl_fail(err, NDL_EFORMAT, "tensor '%s': value %zu is %s", p->name, i, what);
		}
	return NDL_OK;
}

static ndl_status read_layer(const ndl_ckpt *ckpt, const ndl_param *p, size_t layer, float *out, ndl_error *err)
{
	int index = p->layers ? (int)layer : -1;
	ndl_weight w;
	ndl_status s;
	switch (p->kind) {
	case NDL_PARAM_VECTOR: return ndl_ckpt_vector(ckpt, p->name, index, p->out, out, err);
	case NDL_PARAM_EMBEDDING: s = ndl_ckpt_embedding(ckpt, p->out, p->in, &w, err); break;
	default: s = ndl_ckpt_weight(ckpt, p->name, index, p->in, p->out, &w, err); break;
	}
	if (s != NDL_OK)
		return s;
	ndl_weight_to_f32(&w, p->kind == NDL_PARAM_EMBEDDING, out);
	return check_finite(p, layer, out, err);
}

ndl_status ndl_param_to_f32(const ndl_ckpt *ckpt, const ndl_param *p, float *out, ndl_error *err)
{
	for (size_t l = 0; l < layers_of(p); l++) {
		ndl_status s = read_layer(ckpt, p, l, out + l * layer_elements(p), err);
		if (s != NDL_OK)
			return s;
	}
	return NDL_OK;
}

/* Writing --------------------------------------------------------------------------------- */

/* Row o (of all layers' rows) as inputs in a line, whichever way w lies. */
static void gather_row(const item *t, const float *w, size_t row, float *line)
{
	size_t in = t->param.in, out = t->param.out, layer = row / out, o = row % out;
	if (t->param.kind == NDL_PARAM_EMBEDDING) {
		memcpy(line, w + o * in, in * sizeof *line);
		return;
	}
	for (size_t i = 0; i < in; i++)
		line[i] = w[(layer * in + i) * out + o];
}

static void encode_row(item *t, float *line, size_t row, ndl_quant_method method, const ndl_gptq *g, int8_t *codes)
{
	size_t in = t->param.in, groups = in / t->group;
	int8_t *to = t->bits == 8 ? (int8_t *)t->data + row * in : codes;
	if (g)
		ndl_gptq_row(g, to, t->scale + row * groups, line, t->group, t->bits);
	else
		ndl_quant_row_f16(to, t->scale + row * groups, line, in, t->group, t->bits, method);
	if (t->bits == 4)
		ndl_quant_pack4((uint8_t *)t->data + row * (in / 2), codes, in);
}

/* Rows [from, from + n). They are independent, so threads share them without changing a bit. */
static ndl_status encode_rows(item *t, const float *w, size_t from, size_t n, const ndl_gptq *g,
                              const ndl_convert_options *o, ndl_error *err)
{
	size_t in = t->param.in;
	int failed = 0;
#ifdef _OPENMP
	int threads = o->threads;
#pragma omp parallel num_threads(threads ? threads : omp_get_max_threads()) reduction(| : failed)
#endif
	{
		float *line = ndl_alloc64(in, sizeof *line);
		int8_t *codes = ndl_alloc64(in, 1);
		failed |= !line || !codes;
#ifdef _OPENMP
#pragma omp for schedule(static)
#endif
		for (size_t row = from; row < from + n; row++)
			if (line && codes) {
				gather_row(t, w, row, line);
				encode_row(t, line, row, o->method, g, codes);
			}
		free(line);
		free(codes);
	}
	return failed ? ndl_fail_nomem(err, t->param.name) : NDL_OK;
}

/* Errors of the embedding also count where it is looked up, every value alike: so much of the identity
 * is in its moments. For kernels a trace keeps the inverse sound. */
static double damping_of(const ndl_param *p)
{
	return p->kind == NDL_PARAM_EMBEDDING ? 1 : 0.01;
}

/* Layer by layer, since each has its own inputs. */
static ndl_status encode_gptq(item *t, const float *w, const ndl_convert_options *o, ndl_error *err)
{
	const ndl_param *p = &t->param;
	ndl_status s = NDL_OK;
	for (size_t l = 0; s == NDL_OK && l < layers_of(p); l++) {
		const float *moments = o->calib ? ndl_calib_moments(o->calib, p->name, l) : NULL;
		if (!moments)
			return ndl_fail(err, NDL_EINVAL, "tensor '%s': calibration never used layer %zu", p->name, l);
		ndl_gptq *g = ndl_gptq_new(moments, p->in, damping_of(p), err);
		s = g ? encode_rows(t, w, l * p->out, p->out, g, o, err) : NDL_EINVAL;
		ndl_gptq_free(g);
	}
	return s;
}

static ndl_status encode_codes(item *t, const float *w, const ndl_convert_options *o, ndl_error *err)
{
	size_t in = t->param.in, rows = layers_of(&t->param) * t->param.out;
	t->dtype = t->bits == 4 ? NDL_U8 : NDL_I8;
	t->data = ndl_alloc64(rows, t->bits == 4 ? in / 2 : in);
	t->scale = ndl_alloc64(rows * (in / t->group), sizeof *t->scale);
	if (!t->data || !t->scale)
		return ndl_fail_nomem(err, t->param.name);
	if (o->method == NDL_QUANT_GPTQ)
		return encode_gptq(t, w, o, err);
	return encode_rows(t, w, 0, rows, NULL, o, err);
}

static ndl_status encode_floats(item *t, const float *w, int bits, bool bf16, ndl_error *err)
{
	size_t n = ndl_param_elements(&t->param);
	t->dtype = bits == 32 ? NDL_F32 : bf16 ? NDL_BF16 : NDL_F16;
	t->data = ndl_alloc64(n, ndl_dtype_size(t->dtype));
	if (!t->data)
		return ndl_fail_nomem(err, t->param.name);
	if (bits == 32)
		memcpy(t->data, w, n * sizeof *w);
	else if (bf16)
		ndl_bf16_from_f32_n(t->data, w, n);
	else
		ndl_f16_from_f32_n(t->data, w, n);
	return NDL_OK;
}

/* Layer l of the new form, read back. */
static void decode_layer(const item *t, size_t l, float *out)
{
	const ndl_param *p = &t->param;
	size_t n = layer_elements(p);
	if (!t->bits) {
		size_t shift = l * n * ndl_dtype_size(t->dtype);
		ndl_weight w = {t->dtype == NDL_F32 ? NDL_W_F32 : t->dtype == NDL_F16 ? NDL_W_F16 : NDL_W_BF16, false, n, 1,
		                (const char *)t->data + shift, NULL, 0};
		ndl_weight_to_f32(&w, false, out);
		return;
	}
	ndl_weight w = {t->bits == 4 ? NDL_W_I4 : NDL_W_I8, true, p->in, p->out,
	                (const char *)t->data + l * (t->bits == 4 ? n / 2 : n), t->scale + l * (n / t->group), t->group};
	ndl_weight_to_f32(&w, p->kind == NDL_PARAM_EMBEDDING, out);
}

static ndl_status measure(item *t, const float *w, ndl_error *err)
{
	const ndl_param *p = &t->param;
	size_t n = layer_elements(p);
	double wrong = 0, norm = 0, worst = 0;
	float *back = ndl_alloc64(n, sizeof *back);
	if (!back)
		return ndl_fail_nomem(err, p->name);
	ndl_status s = NDL_OK;
	for (size_t l = 0; s == NDL_OK && l < layers_of(p); l++) {
		decode_layer(t, l, back);
		s = check_finite(p, l, back, err);
		if (s != NDL_OK)
			ndl_error_prefix(err, "too large for %s", t->report.to);
		for (size_t i = 0; s == NDL_OK && i < n; i++) {
			double a = (double)w[l * n + i], e = fabs((double)back[i] - a);
			wrong += e * e;
			norm += a * a;
			worst = e > worst ? e : worst;
		}
	}
	free(back);
	t->report.rms = norm > 0 ? sqrt(wrong / norm) : 0;
	t->report.worst = worst;
	return s;
}

static const char *new_name(const item *t)
{
	return t->bits == 4 ? "INT4" : t->bits == 8 ? "INT8" : ndl_dtype_name(t->dtype);
}

/* Bits of a parameter's values; *group is 0 for floats. */
static int choose_bits(const ndl_param *p, const ndl_convert_options *o, size_t *group)
{
	bool embedding = p->kind == NDL_PARAM_EMBEDDING;
	int bits = embedding ? o->embedding_bits : o->bits;
	*group = 0;
	if (p->kind == NDL_PARAM_VECTOR)
		return o->vector_bits ? o->vector_bits : 32;
	if (bits >= 16)
		return bits;
	*group = ndl_quant_group(p->in, embedding && o->embedding_group ? o->embedding_group : o->group);
	return *group ? bits : 32;
}

static ndl_status convert_item(item *t, const ndl_ckpt *ckpt, const ndl_convert_options *o, ndl_error *err)
{
	const ndl_param *p = &t->param;
	size_t n = ndl_param_elements(p);
	int bits = choose_bits(p, o, &t->group);
	float *w = ndl_alloc64(n, sizeof *w);
	if (!w)
		return ndl_fail_nomem(err, p->name);
	t->bits = t->group ? bits : 0;
	ndl_status s = ndl_param_to_f32(ckpt, p, w, err);
	if (s == NDL_OK)
		s = t->bits ? encode_codes(t, w, o, err) : encode_floats(t, w, bits, o->bf16, err);
	if (s == NDL_OK) {
		size_t bytes = t->bits ? n * (size_t)t->bits / 8 + n / t->group * 2 : n * ndl_dtype_size(t->dtype);
		t->report = (ndl_convert_report){p->name, ndl_storage_name(ckpt, p), new_name(t), n, bytes, 0, 0};
		s = measure(t, w, err);
	}
	free(w);
	return s;
}

ndl_conversion *ndl_convert(const ndl_ckpt *ckpt, const ndl_config *c, const ndl_convert_options *o, ndl_error *err)
{
	ndl_param params[NDL_MAX_PARAMS];
	ndl_conversion *v = ndl_calloc(1, sizeof *v);
	if (!v) {
		ndl_fail_nomem(err, "conversion");
		return NULL;
	}
	v->options = *o;
	v->n = ndl_config_params(c, params);
	for (size_t i = 0; i < v->n; i++) {
		v->items[i].param = params[i];
		if (convert_item(&v->items[i], ckpt, o, err) != NDL_OK) {
			ndl_conversion_free(v);
			return NULL;
		}
	}
	return v;
}

static ndl_status write_item(const item *t, ndl_ckpt_writer *w, ndl_error *err)
{
	const ndl_param *p = &t->param;
	size_t shape[NDL_MAX_RANK], stacked = p->layers != 0;
	char scale_name[160];
	if (!t->bits) {
		int rank = ndl_param_shape(p, shape);
		return ndl_ckpt_writer_add(w, p->name, t->dtype, rank, shape, t->data, err);
	}
	shape[0] = p->layers;
	shape[stacked] = p->out;
	shape[stacked + 1] = t->bits == 4 ? p->in / 2 : p->in;
	ndl_status s = ndl_ckpt_writer_add(w, p->name, t->dtype, (int)stacked + 2, shape, t->data, err);
	shape[stacked + 1] = p->in / t->group;
	snprintf(scale_name, sizeof scale_name, "%s.scale", p->name);
	return s == NDL_OK ? ndl_ckpt_writer_add(w, scale_name, NDL_F16, (int)stacked + 2, shape, t->scale, err) : s;
}

ndl_status ndl_conversion_write(const ndl_conversion *v, ndl_ckpt_writer *w, ndl_error *err)
{
	char group[24];
	ndl_status s = NDL_OK;
	if (v->options.bits < 16) {
		snprintf(group, sizeof group, "%zu", v->options.group);
		s = ndl_ckpt_writer_meta(w, "quantization", v->options.bits == 4 ? "int4" : "int8", err);
		if (s == NDL_OK)
			s = ndl_ckpt_writer_meta(w, "group", group, err);
	}
	for (size_t i = 0; s == NDL_OK && i < v->n; i++)
		s = write_item(&v->items[i], w, err);
	return s;
}
