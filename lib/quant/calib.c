#include "quant/calib.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct slot {
	const char *name;  /* of the parameter; static */
	size_t layer;
	const void *data;  /* its weights: by them a product is recognised */
	size_t in;
	const struct slot *same; /* the slot that gathers the same inputs, or NULL: this one does */
	float *moments;    /* [in][in], owned */
	size_t seen;
} slot;

struct ndl_calib {
	ndl_exec *x;
	slot *slots;
	size_t n;
};

void ndl_calib_free(ndl_calib *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		free(k->slots[i].moments);
	free(k->slots);
	free(k);
}

static slot *find(const ndl_calib *k, const char *name, size_t layer)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->slots[i].layer == layer && strcmp(k->slots[i].name, name) == 0)
			return &k->slots[i];
	return NULL;
}

/* q, k and v of self-attention see the same inputs; k and v of cross-attention see the encoder's states, in
 * every layer. */
static const slot *shares_with(const ndl_calib *k, const ndl_param *p, size_t layer)
{
	const char *at = strstr(p->name, "/k_proj/");
	char name[128];
	if (!at)
		at = strstr(p->name, "/v_proj/");
	if (!at)
		return NULL;
	bool cross = strstr(p->name, "cross_attn") != NULL;
	snprintf(name, sizeof name, "%.*s/%c_proj/kernel", (int)(at - p->name), p->name, cross ? 'k' : 'q');
	const slot *s = find(k, name, cross ? 0 : layer);
	return s; /* NULL for the first of cross-attention: it is not there yet */
}

static ndl_status add(ndl_calib *k, const ndl_ckpt *ckpt, const ndl_param *p, size_t layer, ndl_error *err)
{
	ndl_weight w;
	size_t floats;
	ndl_status s = p->kind == NDL_PARAM_EMBEDDING
		? ndl_ckpt_embedding(ckpt, p->out, p->in, &w, err)
		: ndl_ckpt_weight(ckpt, p->name, p->layers ? (int)layer : -1, p->in, p->out, &w, err);
	if (s != NDL_OK)
		return s;
	slot *t = &k->slots[k->n];
	*t = (slot){p->name, layer, w.data, p->in, shares_with(k, p, layer), NULL, 0};
	k->n++;
	if (t->same)
		return NDL_OK;
	if (!ndl_mul_ok(p->in, p->in, &floats) || !(t->moments = ndl_calloc(floats, sizeof(float))))
		return ndl_fail_nomem(err, "calibration");
	return NDL_OK;
}

ndl_calib *ndl_calib_new(const ndl_ckpt *ckpt, const ndl_config *c, ndl_exec *x, ndl_error *err)
{
	ndl_param params[NDL_MAX_PARAMS];
	ndl_calib *k = ndl_calloc(1, sizeof *k);
	size_t n = ndl_config_params(c, params), slots = 0;
	for (size_t i = 0; i < n; i++)
		slots += params[i].kind == NDL_PARAM_VECTOR ? 0 : params[i].layers ? params[i].layers : 1;
	if (!k || !(k->slots = ndl_calloc(slots, sizeof *k->slots))) {
		ndl_calib_free(k);
		ndl_fail_nomem(err, "calibration");
		return NULL;
	}
	k->x = x;
	for (size_t i = 0; i < n; i++)
		for (size_t l = 0; params[i].kind != NDL_PARAM_VECTOR && l < (params[i].layers ? params[i].layers : 1); l++)
			if (add(k, ckpt, &params[i], l, err) != NDL_OK) {
				ndl_calib_free(k);
				return NULL;
			}
	return k;
}

void ndl_calib_see(void *user, const ndl_weight *w, const float *x, size_t m)
{
	ndl_calib *k = user;
	for (size_t i = 0; i < k->n; i++) {
		slot *s = &k->slots[i];
		if (s->data != w->data || s->in != w->in || !s->moments)
			continue;
		ndl_gemm(k->x, true, false, s->in, s->in, m, 1, x, s->in, x, s->in, 1, s->moments, s->in);
		s->seen += m;
		return;
	}
}

const float *ndl_calib_moments(const ndl_calib *k, const char *name, size_t layer)
{
	const slot *s = find(k, name, layer);
	s = s && s->same ? s->same : s;
	return s && s->seen ? s->moments : NULL;
}
