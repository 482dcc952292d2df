#include "model/model_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct ndl_decoder {
	const ndl_model *m;
	ndl_exec *ex;
	size_t max, max_enc; /* tokens of cache, rows of encoder states */
	size_t len;          /* tokens in the cache */
	size_t rows;         /* encoder states seen by this sequence */
	size_t ready;        /* encoder states for which memory was asked for */
	bool integer;        /* cross-attention in integers */
	ndl_inputs in;       /* room for most_rows rounded rows */
	/* one allocation: what depends on the states, per layer the cross-attention's k, v [rows,kv], or in integers
	 * packed, and then one such k, v on their way there; rounded rows; scratch of attention; x, y, q, att [max,d];
	 * a weight row [d]; per layer the caches k, v [max,kv] */
	float *arena, *scratch, *x, *y, *q, *att, *row, *cache;
	const ndl_decoder *source; /* whose cross-attention caches are read: its own, or that it branched from */
	ndl_layer_fn *watch;
	void *user;
};

typedef struct layer_cache {
	float *k, *v, *cross_k, *cross_v;
	void *cross; /* packed; NULL if not integer */
} layer_cache;

static size_t kv_size(const ndl_decoder *d)
{
	return d->m->heads.kv_heads * d->m->heads.hd;
}

/* Room that starts on a 64-byte boundary, in floats. */
static size_t whole_lines(size_t bytes)
{
	return (bytes + 63) / 64 * 16;
}

/* Of a layer, for so many states. */
static size_t cross_floats(const ndl_decoder *d, size_t rows)
{
	if (d->integer)
		return whole_lines(ndl_int_kv_bytes(d->ex, d->m->heads, rows));
	return whole_lines(2 * rows * kv_size(d) * sizeof(float));
}

static size_t own_floats(const ndl_decoder *d)
{
	return whole_lines(2 * d->max * kv_size(d) * sizeof(float));
}

/* Of all layers, and of keys and values that are not packed yet; false on overflow. */
static bool all_cross_floats(const ndl_decoder *d, size_t rows, size_t *out)
{
	return ndl_mul_ok(cross_floats(d, rows), (size_t)d->m->config.num_decoder_layers, out) &&
	       ndl_add_ok(*out, d->integer ? 2 * rows * kv_size(d) : 0, out);
}

static layer_cache cache_of(const ndl_decoder *d, int layer)
{
	float *p = d->cache + (size_t)layer * own_floats(d), *cross = d->source->arena + (size_t)layer * cross_floats(d, d->rows);
	layer_cache c = {p, p + d->max * kv_size(d), cross, cross + d->rows * kv_size(d), NULL};
	if (d->integer) {
		c.cross = cross;
		c.cross_k = d->arena + (size_t)d->m->config.num_decoder_layers * cross_floats(d, d->rows);
		c.cross_v = c.cross_k + d->rows * kv_size(d);
	}
	return c;
}

static size_t most_rows(const ndl_decoder *d)
{
	return d->max > d->max_enc ? d->max : d->max_enc;
}

static size_t scratch_floats(const ndl_decoder *d)
{
	size_t n = ndl_attention_scratch(d->ex, d->max, most_rows(d)), bytes = 0;
	if (d->integer && !(bytes = ndl_int_attention_scratch(d->ex, d->m->heads, d->max, d->max_enc)))
		return 0;
	return whole_lines(n * sizeof(float) > bytes ? n * sizeof(float) : bytes);
}

static ndl_status lay_out(ndl_decoder *d, ndl_error *err)
{
	size_t width = (size_t)d->m->config.d_model, layers = (size_t)d->m->config.num_decoder_layers;
	d->integer = layers && ndl_int_attention_fits(d->ex, &d->m->dec[0].cross.q, d->m->heads);
	size_t rows = d->max * width, total, caches, rounded = ndl_int_rows_bytes(most_rows(d), width), scratch = scratch_floats(d);
	size_t cross;
	if (!scratch || !rounded || !ndl_mul_ok(own_floats(d), layers, &caches) || !all_cross_floats(d, d->max_enc, &cross) ||
	    !ndl_mul_ok(rows, 4, &total) || !ndl_add_ok(total, whole_lines(rounded) + width + 16 + scratch + cross, &total) ||
	    !ndl_add_ok(total, caches, &total) || !(d->arena = ndl_alloc_partly(total, sizeof *d->arena)))
		return ndl_fail_nomem(err, "a decoder");
	float *after = d->arena + whole_lines(cross * sizeof(float));
	d->in.rows = ndl_int_rows_in(after, most_rows(d), width);
	d->scratch = after + whole_lines(rounded);
	d->cache = d->scratch + scratch;
	d->x = d->cache + caches;
	d->y = d->x + rows;
	d->q = d->y + rows;
	d->att = d->q + rows;
	d->row = d->att + rows;
	return NDL_OK;
}

ndl_decoder *ndl_decoder_new(const ndl_model *m, ndl_exec *x, ndl_error *err)
{
	ndl_decoder *d = ndl_calloc(1, sizeof *d);
	if (!d) {
		ndl_fail_nomem(err, "a decoder");
		return NULL;
	}
	d->m = m;
	d->ex = x;
	d->max = (size_t)m->config.max_dec_len;
	d->max_enc = (size_t)m->config.max_enc_len;
	d->source = d;
	if (lay_out(d, err) != NDL_OK) {
		ndl_decoder_free(d);
		return NULL;
	}
	return d;
}

void ndl_decoder_free(ndl_decoder *d)
{
	if (!d)
		return;
	free(d->arena);
	free(d);
}

void ndl_decoder_watch(ndl_decoder *d, ndl_layer_fn *fn, void *user)
{
	d->watch = fn;
	d->user = user;
}

/* The memory of the cross-attention, as far as it is not there. */
static void expect_states(ndl_decoder *d)
{
	size_t floats;
	if (d->rows > d->ready && all_cross_floats(d, d->rows, &floats)) {
		ndl_expect_use(d->arena, floats * sizeof *d->arena);
		d->ready = d->rows;
	}
}

ndl_status ndl_decoder_start(ndl_decoder *d, const float *states, size_t rows, ndl_error *err)
{
	ndl_heads h = d->m->heads;
	d->len = d->rows = 0;
	d->source = d;
	if (rows == 0 || rows > d->max_enc)
		return ndl_fail(err, NDL_EINVAL, "%zu encoder states, expected 1 to %zu", rows, d->max_enc);
	d->rows = rows;
	expect_states(d);
	if (d->m->config.num_decoder_layers)
		ndl_inputs_set(d->ex, &d->in, states, rows, NULL, NULL, &d->m->dec[0].cross.k);
	for (int i = 0; i < d->m->config.num_decoder_layers; i++) {
		const ndl_attn_weights *w = &d->m->dec[i].cross;
		layer_cache c = cache_of(d, i);
		const ndl_product kv[] = {{c.cross_k, &w->k}, {c.cross_v, &w->v}};
		ndl_linear_all(d->ex, kv, 2, &d->in);
		const ndl_head_norm norm = {w->k_norm, NULL};
		if (d->integer)
			ndl_int_kv_pack(d->ex, c.cross, c.cross_k, c.cross_v, rows, h, norm);
		else
			ndl_norm_heads(d->ex, c.cross_k, rows, h.kv_heads, h.hd, norm);
	}
	return NDL_OK;
}

/* x += gate * out(att) for n tokens. */
static void project(ndl_decoder *d, const ndl_weight *out, size_t n, float gate)
{
	const ndl_product p = {d->y, out};
	ndl_inputs_set(d->ex, &d->in, d->att, n, NULL, NULL, out);
	ndl_linear_all(d->ex, &p, 1, &d->in);
	ndl_residual(d->ex, d->x, d->y, n, out->out, gate);
}

/* x += gate * CausalSelfAttn(ZCRMSNorm(x)) for n tokens after the len in the cache. */
static void self_attention(ndl_decoder *d, const ndl_dec_layer *l, layer_cache c, size_t n)
{
	ndl_heads h = d->m->heads;
	const float *rope = d->m->rope + d->len * h.hd;
	float *k = c.k + d->len * kv_size(d), *v = c.v + d->len * kv_size(d);
	const ndl_product qkv[] = {{d->q, &l->self.q}, {k, &l->self.k}, {v, &l->self.v}};
	ndl_inputs_set(d->ex, &d->in, d->x, n, l->self_norm, d->y, &l->self.q);
	ndl_linear_all(d->ex, qkv, 3, &d->in);
	ndl_norm_heads(d->ex, d->q, n, h.heads, h.hd, (ndl_head_norm){l->self.q_norm, rope});
	ndl_norm_heads(d->ex, k, n, h.kv_heads, h.hd, (ndl_head_norm){l->self.k_norm, rope});
	ndl_attention(d->ex, d->att, d->q, n, c.k, c.v, d->len + n, h, true, d->scratch);
	project(d, &l->self.out, n, l->self_gate);
}

/* x += gate * CrossAttn(ZCRMSNorm(x), encoder states) */
static void cross_attention(ndl_decoder *d, const ndl_dec_layer *l, layer_cache c, size_t n)
{
	ndl_heads h = d->m->heads;
	const ndl_product q = {d->q, &l->cross.q};
	ndl_inputs_set(d->ex, &d->in, d->x, n, l->cross_norm, d->y, &l->cross.q);
	ndl_linear_all(d->ex, &q, 1, &d->in);
	const ndl_head_norm norm = {l->cross.q_norm, NULL};
	if (d->integer) {
		ndl_int_attention(d->ex, d->att, d->q, n, c.cross, d->rows, h, norm, d->scratch);
	} else {
		ndl_norm_heads(d->ex, d->q, n, h.heads, h.hd, norm);
		ndl_attention(d->ex, d->att, d->q, n, c.cross_k, c.cross_v, d->rows, h, false, d->scratch);
	}
	project(d, &l->cross.out, n, l->cross_gate);
}

ndl_status ndl_decoder_step(ndl_decoder *d, const int32_t *ids, size_t n, const float **hidden, ndl_error *err)
{
	if (n == 0 || d->rows == 0)
		return ndl_fail(err, NDL_EINVAL, n ? "a decoder step before its start" : "no token to decode");
	if (n > d->max - d->len)
		return ndl_fail(err, NDL_ELIMIT, "the answer passes the decoder's window of %zu tokens", d->max);
	ndl_status rc = ndl_check_ids(d->m, ids, n, err);
	if (rc != NDL_OK)
		return rc;
	ndl_embed_tokens(d->m, d->ex, d->x, ids, n);
	for (int i = 0; i < d->m->config.num_decoder_layers; i++) {
		const ndl_dec_layer *l = &d->m->dec[i];
		self_attention(d, l, cache_of(d, i), n);
		cross_attention(d, l, cache_of(d, i), n);
		if (d->watch)
			d->watch(d->user, i, d->x, n);
	}
	ndl_zcnorm(d->ex, d->y, d->x, n, (size_t)d->m->config.d_model, d->m->dec_norm);
	d->len += n;
	*hidden = d->y;
	return NDL_OK;
}

void ndl_decoder_logits(ndl_decoder *d, const float *hidden, size_t n, float *logits)
{
	const ndl_weight *w = &d->m->embedding;
	const size_t most = most_rows(d);
	for (size_t t = 0; t < n; t += most) { /* as many as there is room to round */
		const ndl_product p = {logits + t * w->out, w};
		ndl_inputs_set(d->ex, &d->in, hidden + t * w->in, n - t < most ? n - t : most, NULL, NULL, w);
		ndl_linear_all(d->ex, &p, 1, &d->in);
	}
}

void ndl_decoder_logits_of(ndl_decoder *d, const float *hidden, const int32_t *ids, size_t n_ids, float *logits)
{
	const ndl_weight *w = &d->m->embedding;
	ndl_inputs_set(d->ex, &d->in, hidden, 1, NULL, NULL, w);
	ndl_linear_some(d->ex, logits, w, ids, n_ids, &d->in, d->row);
}

size_t ndl_decoder_len(const ndl_decoder *d)
{
	return d->len;
}

void ndl_decoder_rewind(ndl_decoder *d, size_t len)
{
	if (len < d->len)
		d->len = len;
}

void ndl_decoder_branch(ndl_decoder *to, const ndl_decoder *from)
{
	size_t bytes = from->len * kv_size(from) * sizeof(float);
	to->source = from->source;
	to->len = from->len;
	to->rows = from->rows;
	for (int i = 0; i < from->m->config.num_decoder_layers; i++) {
		layer_cache a = cache_of(to, i), b = cache_of(from, i);
		memcpy(a.k, b.k, bytes);
		memcpy(a.v, b.v, bytes);
	}
}

size_t ndl_argmax(const float *logits, size_t n)
{
	size_t best = 0;
	for (size_t i = 1; i < n; i++)
		if (logits[i] > logits[best])
			best = i;
	return best;
}
