#include "model/model_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENC "encoder/layers/EncoderBlock_0/"
#define DEC "decoder/layers/DecoderBlock_0/"

/* Opening: a cursor into the arena of vectors and the first error. */
typedef struct loader {
	ndl_model *m;
	size_t used, cap; /* floats of m->vectors */
	ndl_status rc;
	ndl_error *err;
} loader;

static const float *load_vector(loader *l, const char *name, int layer, size_t n)
{
	if (l->rc != NDL_OK)
		return NULL;
	if (l->cap - l->used < n) { /* the arena is sized from the same config: cannot happen */
		l->rc = ndl_fail(l->err, NDL_EINVAL, "%s: no room", name);
		return NULL;
	}
	float *v = l->m->vectors + l->used;
	l->rc = ndl_ckpt_vector(l->m->ckpt, name, layer, n, v, l->err);
	l->used += n;
	return v;
}

static float load_gate(loader *l, const char *name, int layer)
{
	float g = 0;
	if (l->rc == NDL_OK)
		l->rc = ndl_ckpt_vector(l->m->ckpt, name, layer, 1, &g, l->err);
	return 1 / (1 + expf(-g));
}

static ndl_weight load_kernel(loader *l, const char *name, int layer, size_t in, size_t out)
{
	ndl_weight w = {0};
	if (l->rc == NDL_OK)
		l->rc = ndl_ckpt_weight(l->m->ckpt, name, layer, in, out, &w, l->err);
	return w;
}

static void load_attention(loader *l, ndl_attn_weights *a, const char *where, int layer)
{
	char name[100];
	ndl_heads h = l->m->heads;
	size_t d = h.heads * h.hd, kv = h.kv_heads * h.hd;
	snprintf(name, sizeof name, "%s/q_proj/kernel", where);
	a->q = load_kernel(l, name, layer, d, d);
	snprintf(name, sizeof name, "%s/k_proj/kernel", where);
	a->k = load_kernel(l, name, layer, d, kv);
	snprintf(name, sizeof name, "%s/v_proj/kernel", where);
	a->v = load_kernel(l, name, layer, d, kv);
	snprintf(name, sizeof name, "%s/out_proj/kernel", where);
	a->out = load_kernel(l, name, layer, d, d);
	snprintf(name, sizeof name, "%s/q_norm/scale", where);
	a->q_norm = load_vector(l, name, layer, h.hd);
	snprintf(name, sizeof name, "%s/k_norm/scale", where);
	a->k_norm = load_vector(l, name, layer, h.hd);
}

static void load_layers(loader *l)
{
	ndl_model *m = l->m;
	size_t d = (size_t)m->config.d_model;
	for (int i = 0; i < m->config.num_encoder_layers; i++) {
		ndl_enc_layer *e = &m->enc[i];
		e->norm = load_vector(l, ENC "ZCRMSNorm_0/scale", i, d);
		e->gate = load_gate(l, ENC "attn_gate", i);
		load_attention(l, &e->self, ENC "self_attn", i);
	}
	for (int i = 0; i < m->config.num_decoder_layers; i++) {
		ndl_dec_layer *e = &m->dec[i];
		e->self_norm = load_vector(l, DEC "ZCRMSNorm_0/scale", i, d);
		e->cross_norm = load_vector(l, DEC "ZCRMSNorm_1/scale", i, d);
		e->self_gate = load_gate(l, DEC "self_attn_gate", i);
		e->cross_gate = load_gate(l, DEC "cross_attn_gate", i);
		load_attention(l, &e->self, DEC "self_attn", i);
		load_attention(l, &e->cross, DEC "cross_attn", i);
	}
}

static void load_rest(loader *l)
{
	ndl_model *m = l->m;
	size_t d = (size_t)m->config.d_model, c = (size_t)m->config.contrastive_dim;
	if (l->rc == NDL_OK)
		l->rc = ndl_ckpt_embedding(m->ckpt, (size_t)m->config.vocab_size, d, &m->embedding, l->err);
	m->enc_norm = load_vector(l, "encoder/final_norm/scale", -1, d);
	m->dec_norm = load_vector(l, "decoder/ZCRMSNorm_0/scale", -1, d);
	if (c) {
		m->hidden = load_kernel(l, "contrastive_hidden/kernel", -1, d, d / 4);
		m->hidden_bias = load_vector(l, "contrastive_hidden/bias", -1, d / 4);
		m->proj = load_kernel(l, "contrastive_proj/kernel", -1, d / 4, c);
	}
}

/* Angles p * theta^(-2i/hd) in double: at position 1000 a float32 angle is off by 3e-5. Each position is the
 * one before turned once more, which is far quicker than sines and leaves errors below 1e-12. */
static ndl_status make_rope(ndl_model *m, ndl_error *err)
{
	size_t half = m->heads.hd / 2;
	size_t len = (size_t)(m->config.max_enc_len > m->config.max_dec_len ? m->config.max_enc_len : m->config.max_dec_len);
	m->rope = ndl_alloc64(len * m->heads.hd, sizeof *m->rope);
	if (!m->rope)
		return ndl_fail_nomem(err, "the position table");
	for (size_t i = 0; i < half; i++) {
		double f = pow((double)m->config.rope_theta, -2.0 * (double)i / (double)m->heads.hd);
		double c = 1, s = 0, turn_c = cos(f), turn_s = sin(f);
		for (size_t p = 0; p < len; p++) {
			m->rope[p * 2 * half + i] = (float)c;
			m->rope[p * 2 * half + half + i] = (float)s;
			double next = c * turn_c - s * turn_s;
			s = s * turn_c + c * turn_s;
			c = next;
		}
	}
	return NDL_OK;
}

/* Floats of all vectors together: norms and head norms per layer, final norms, bias. */
static size_t vector_floats(const ndl_config *c, size_t hd)
{
	size_t d = (size_t)c->d_model;
	return (size_t)c->num_encoder_layers * (d + 2 * hd) + (size_t)c->num_decoder_layers * (2 * d + 4 * hd) + 2 * d +
	       d / 4;
}

static ndl_status load(ndl_model *m, ndl_error *err)
{
	ndl_status rc = ndl_config_from_ckpt(&m->config, m->ckpt, err);
	if (rc == NDL_OK)
		rc = ndl_ckpt_check(m->ckpt, &m->config, err);
	if (rc != NDL_OK)
		return rc;
	const ndl_config *c = &m->config;
	m->heads = (ndl_heads){(size_t)c->num_heads, (size_t)c->num_kv_heads, (size_t)(c->d_model / c->num_heads)};
	loader l = {m, 0, vector_floats(c, m->heads.hd), NDL_OK, err};
	m->vectors = ndl_alloc64(l.cap, sizeof *m->vectors);
	m->enc = ndl_calloc((size_t)c->num_encoder_layers, sizeof *m->enc);
	m->dec = ndl_calloc((size_t)c->num_decoder_layers, sizeof *m->dec);
	if (!m->vectors || (!m->enc && c->num_encoder_layers) || (!m->dec && c->num_decoder_layers))
		return ndl_fail_nomem(err, "the model's layers");
	load_layers(&l);
	load_rest(&l);
	return l.rc == NDL_OK ? make_rope(m, err) : l.rc;
}

ndl_model *ndl_model_new(const ndl_ckpt *ckpt, ndl_error *err)
{
	ndl_model *m = ndl_calloc(1, sizeof *m);
	if (!m) {
		ndl_fail_nomem(err, "a model");
		return NULL;
	}
	m->ckpt = ckpt;
	if (load(m, err) != NDL_OK) {
		ndl_model_free(m);
		return NULL;
	}
	return m;
}

ndl_model *ndl_model_open(const char *path, ndl_error *err)
{
	ndl_ckpt *ckpt = ndl_ckpt_open(path, err);
	ndl_model *m = ckpt ? ndl_model_new(ckpt, err) : NULL;
	if (!m) {
		ndl_error_at(err, path, 0);
		ndl_ckpt_close(ckpt);
		return NULL;
	}
	m->owned = ckpt;
	return m;
}

void ndl_model_free(ndl_model *m)
{
	if (!m)
		return;
	free(m->rope);
	free(m->vectors);
	free(m->enc);
	free(m->dec);
	ndl_ckpt_close(m->owned);
	free(m);
}

const ndl_config *ndl_model_config(const ndl_model *m)
{
	return &m->config;
}

const ndl_ckpt *ndl_model_ckpt(const ndl_model *m)
{
	return m->ckpt;
}

ndl_status ndl_fail_not_numbers(ndl_error *err)
{
	return ndl_fail(err, NDL_EFORMAT, "the model computes values that are not numbers");
}

bool ndl_model_has_contrastive(const ndl_model *m)
{
	return m->config.contrastive_dim > 0;
}
