#include "train/widen.h"

#include <math.h>
#include <stdlib.h>

/* Queries and keys: the new elements against the old. At 0 both of a product would be zero, and stay so. */
static const double head_noise = 0.1;

/* How an axis of a parameter grows: at its end, or within each head. */
typedef enum axis { FIXED, AT_END, IN_HEADS } axis;

/* How a parameter grows. */
typedef struct growth {
	axis rows, cols;
	bool reads_norm;      /* its input is normed over the width: sqrt(f) larger in the old features */
	double old_to_new;    /* random weights from old inputs to new outputs, against the old ones' size */
	double new_to_any;    /* from new inputs */
} growth;

static growth growth_of(ndl_param_id id)
{
	switch (id) {
	case NDL_P_EMBEDDING: return (growth){FIXED, AT_END, true, 0, 0};
	case NDL_P_ENC_Q: case NDL_P_ENC_K: case NDL_P_SELF_Q: case NDL_P_SELF_K: case NDL_P_CROSS_Q: case NDL_P_CROSS_K:
		return (growth){AT_END, IN_HEADS, true, head_noise, 1};
	case NDL_P_ENC_V: case NDL_P_SELF_V: case NDL_P_CROSS_V: return (growth){AT_END, IN_HEADS, true, 1, 1};
	case NDL_P_ENC_O: case NDL_P_SELF_O: case NDL_P_CROSS_O: return (growth){IN_HEADS, AT_END, false, 0, 0};
	case NDL_P_ENC_QNORM: case NDL_P_ENC_KNORM: case NDL_P_SELF_QNORM: case NDL_P_SELF_KNORM: case NDL_P_CROSS_QNORM:
	case NDL_P_CROSS_KNORM: return (growth){FIXED, IN_HEADS, false, 0, 0};
	case NDL_P_ENC_GATE: case NDL_P_SELF_GATE: case NDL_P_CROSS_GATE: case NDL_P_LOG_TEMP:
		return (growth){FIXED, FIXED, false, 0, 0};
	case NDL_P_CL_HIDDEN: return (growth){AT_END, AT_END, true, 1, 1};
	case NDL_P_CL_PROJ: return (growth){AT_END, FIXED, false, 0, 0};
	default: return (growth){FIXED, AT_END, false, 0, 0};
	}
}

/* Where element i of an axis of n came from, or -1 if it is new. */
static long source(axis a, size_t i, size_t n, size_t f, size_t head_dim)
{
	if (a == FIXED)
		return (long)i;
	if (a == AT_END)
		return i < n / f ? (long)i : -1;
	size_t wide = head_dim * f, head = i / wide, at = i % wide;
	return at % f == 0 ? (long)(head * head_dim + at / f) : -1;
}

static double rms(const float *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return n ? sqrt(sum / (double)n) : 0;
}

/* One layer of a parameter: to[rows, cols] of from[old_rows, old_cols]. */
static void widen_layer(float *to, const ndl_slot *p, const float *from, const ndl_slot *old, ndl_param_id id, size_t f,
                        size_t head_dim, ndl_rng *r)
{
	growth g = growth_of(id);
	double gain = g.reads_norm ? 1 / sqrt((double)f) : 1, size = gain * rms(from, old->rows * old->cols);
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->cols; j++) {
			long row = source(g.rows, i, p->rows, f, head_dim), col = source(g.cols, j, p->cols, f, head_dim);
			float *x = &to[i * p->cols + j];
			double noise = row < 0 ? g.new_to_any : g.old_to_new;
			if (row >= 0 && col >= 0)
				*x = (float)(gain * (double)from[(size_t)row * old->cols + (size_t)col]);
			else
				*x = noise > 0 ? (float)(noise * size * ndl_rng_normal(r)) : 0;
		}
}

/* Queries and keys are sqrt(f) larger by their norm and f^-1/4 smaller by this scale, which is
 * stored less 1; their product then is sqrt(f) larger, as 1/sqrt(head_dim) makes up for. */
static void widen_head_scale(float *scale, size_t n, size_t f)
{
	float shrink = (float)pow((double)f, -0.25);
	for (size_t i = 0; i < n; i++)
		scale[i] = (1 + scale[i]) * shrink - 1;
}

static void widen(const ndl_params *ps, float *flat, const ndl_params *old, const float *narrow, uint64_t seed)
{
	size_t f = (size_t)(ps->config.d_model / old->config.d_model);
	size_t head_dim = (size_t)(old->config.d_model / old->config.num_heads);
	for (int i = 0; i < NDL_P_COUNT; i++) {
		ndl_param_id id = (ndl_param_id)i;
		const ndl_slot *p = &ps->p[id];
		bool head_scale = growth_of(id).cols == IN_HEADS && p->kind == NDL_PARAM_VECTOR;
		ndl_rng r;
		ndl_rng_seed(&r, seed, 3000 + (uint64_t)id);
		for (size_t l = 0; l < p->copies && p->size; l++) {
			float *to = ndl_params_at(ps, flat, id, (int)l);
			widen_layer(to, p, ndl_params_get(old, narrow, id, (int)l), &old->p[id], id, f, head_dim, &r);
			if (head_scale)
				widen_head_scale(to, p->cols, f);
		}
	}
}

ndl_status ndl_params_read_wide(const ndl_params *ps, float *flat, const ndl_ckpt *ckpt, uint64_t seed, ndl_error *err)
{
	ndl_config stored, c = ps->config;
	ndl_params old;
	ndl_status status = ndl_config_from_ckpt(&stored, ckpt, err);
	if (status != NDL_OK)
		return status;
	if (stored.d_model == c.d_model)
		return ndl_params_read(ps, flat, ckpt, seed, err);
	if (c.d_model < stored.d_model || c.d_model % stored.d_model != 0)
		return ndl_fail(err, NDL_EINVAL, "a model of d_model %d cannot grow to %d: expected a multiple", stored.d_model, c.d_model);
	c.d_model = stored.d_model;
	ndl_params_layout(&old, &c);
	float *narrow = ndl_params_new(&old);
	if (!narrow)
		return ndl_fail_nomem(err, "parameters");
	status = ndl_params_read(&old, narrow, ckpt, seed, err);
	if (status == NDL_OK)
		widen(ps, flat, &old, narrow, seed);
	free(narrow);
	return status;
}
