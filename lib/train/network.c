#include "train/network_internal.h"

#include "base/mem.h"
#include "train/head_loss.h"

#include <stdlib.h>
#include <string.h>

ndl_network *ndl_network_new(const ndl_params *ps, ndl_exec *x, ndl_error *err)
{
	ndl_network *n = calloc(1, sizeof *n);
	if (!n) {
		ndl_fail_nomem(err, "network");
		return NULL;
	}
	n->ps = ps;
	n->ex = x;
	n->enc_saved = ndl_calloc((size_t)ps->config.num_encoder_layers, sizeof *n->enc_saved);
	n->self_saved = ndl_calloc((size_t)ps->config.num_decoder_layers, sizeof *n->self_saved);
	n->cross_saved = ndl_calloc((size_t)ps->config.num_decoder_layers, sizeof *n->cross_saved);
	if (!n->enc_saved || !n->self_saved || !n->cross_saved) {
		ndl_network_free(n);
		ndl_fail_nomem(err, "network");
		return NULL;
	}
	return n;
}

void ndl_network_free(ndl_network *n)
{
	if (!n)
		return;
	free(n->enc_saved);
	free(n->self_saved);
	free(n->cross_saved);
	free(n->arena);
	free(n->position);
	free(n->off);
	free(n->tokens);
	free(n->rope_table);
	free(n);
}

const float *ndl_network_encoder_out(const ndl_network *n) { return n->enc_out; }

/* The contrastive head ----------------------------------------------------------------- */

/* pooled[p] = mean of the encoder output over sequence n_seq + p. */
static void pool(ndl_network *n)
{
	size_t d = dim_d(n);
	for (size_t p = 0; p < 2 * n->n_pairs; p++) {
		size_t begin = n->off[n->n_seq + p], end = n->off[n->n_seq + p + 1];
		float *to = n->pooled + p * d;
		memset(to, 0, d * sizeof *to);
		for (size_t i = begin; i < end; i++)
			for (size_t j = 0; j < d; j++)
				to[j] += n->enc_out[i * d + j];
		for (size_t j = 0; end > begin && j < d; j++)
			to[j] /= (float)(end - begin);
	}
}

static void pool_backward(ndl_network *n, const float *d_pooled)
{
	size_t d = dim_d(n);
	for (size_t p = 0; p < 2 * n->n_pairs; p++) {
		size_t begin = n->off[n->n_seq + p], end = n->off[n->n_seq + p + 1];
		float share = end > begin ? 1.0f / (float)(end - begin) : 0.0f;
		for (size_t i = begin; i < end; i++)
			for (size_t j = 0; j < d; j++)
				n->d_enc[i * d + j] += d_pooled[p * d + j] * share;
	}
}

static void contrastive(ndl_network *n, ndl_loss *loss, const float *w, float *grad, const ndl_loss_options *o)
{
	ndl_clip_head head = {
		.d = dim_d(n), .hidden = dim_d(n) / 4, .out = (size_t)n->ps->config.contrastive_dim,
		.w_hidden = ndl_params_get(n->ps, w, NDL_P_CL_HIDDEN, 0),
		.bias = ndl_params_get(n->ps, w, NDL_P_CL_BIAS, 0),
		.w_proj = ndl_params_get(n->ps, w, NDL_P_CL_PROJ, 0),
		.log_temp = *ndl_params_get(n->ps, w, NDL_P_LOG_TEMP, 0),
	};
	if (grad) {
		head.g_hidden = ndl_params_at(n->ps, grad, NDL_P_CL_HIDDEN, 0);
		head.g_bias = ndl_params_at(n->ps, grad, NDL_P_CL_BIAS, 0);
		head.g_proj = ndl_params_at(n->ps, grad, NDL_P_CL_PROJ, 0);
		head.g_log_temp = ndl_params_at(n->ps, grad, NDL_P_LOG_TEMP, 0);
	}
	pool(n);
	float *d_pooled = ndl_clip_loss(n->ex, &head, &loss->contrastive, n->hidden, n->embed, n->pooled, n->n_pairs,
	                                o->contrastive_weight, n->head_scratch);
	if (grad)
		pool_backward(n, d_pooled);
}

void ndl_loss_add(ndl_loss *sum, const ndl_loss *part, double share)
{
	sum->total += part->total * share;
	sum->ce += part->ce * share;
	sum->kl += part->kl * share;
	sum->z += part->z * share;
	sum->contrastive += part->contrastive * share;
	sum->tokens += part->tokens;
	sum->correct += part->correct;
}

/* All together -------------------------------------------------------------------------- */

/* Both towers over a batch. keep: for a backward pass. */
static ndl_status forward(ndl_network *n, const float *params, const ndl_batch *batch, const ndl_loss_options *o, bool keep,
                          ndl_error *err)
{
	ndl_status status = ndl_network_take_batch(n, batch, o, keep, err);
	if (status != NDL_OK)
		return status;
	ndl_network_encode(n, params);
	ndl_network_decode(n, params, batch->dec_in);
	return NDL_OK;
}

const float *ndl_network_states(ndl_network *n, const float *params, const ndl_batch *batch, ndl_error *err)
{
	ndl_batch alone = *batch;
	alone.n_pairs = 0;
	return forward(n, params, &alone, NULL, false, err) == NDL_OK ? n->dec_out : NULL;
}

/* The loss of SPEC section 8, or a teacher's in place of a part of it. */
static double total_of(const ndl_loss *l, const ndl_loss_options *o)
{
	double w = o->taught ? (double)o->teacher_weight : 0, t = (double)o->teacher_temperature;
	return (1 - w) * l->ce + w * t * t * l->kl + (double)o->z_weight * l->z +
	       (double)o->contrastive_weight * l->contrastive;
}

ndl_status ndl_network_loss(ndl_network *n, ndl_loss *loss, float *grad, const float *params,
                            const ndl_batch *batch, const ndl_loss_options *o, ndl_error *err)
{
	*loss = (ndl_loss){0};
	ndl_status status = forward(n, params, batch, o, grad != NULL, err);
	if (status != NDL_OK)
		return status;
	memset(n->d_enc, 0, n->ne * dim_d(n) * sizeof *n->d_enc);

	ndl_token_loss tl = {
		.rows = n->nd, .d = dim_d(n), .vocab = (size_t)n->ps->config.vocab_size,
		.hidden = n->dec_out, .embedding = ndl_params_get(n->ps, params, NDL_P_EMBEDDING, 0),
		.target = batch->dec_out, .cls = batch->cls,
		.d_hidden = grad ? n->d_dec : NULL,
		.g_embedding = grad ? ndl_params_at(n->ps, grad, NDL_P_EMBEDDING, 0) : NULL,
	};
	ndl_token_loss_run(n->ex, &tl, loss, o, n->loss_scratch);
	if (n->n_pairs)
		contrastive(n, loss, params, grad, o);
	loss->total = total_of(loss, o);
	if (grad) {
		ndl_network_decode_backward(n, params, grad, batch->dec_in);
		ndl_network_encode_backward(n, params, grad);
	}
	return NDL_OK;
}
