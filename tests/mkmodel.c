/* mkmodel - writes a model file with random weights, for tests of the commands.
 *
 * No parameter is at zero and the output projections are larger than a fresh network's, so that
 * a wrong gate, scale or transposition shows and greedy decoding does not merely repeat its
 * input (tied embeddings). The same arguments give the same bytes. */
#include "checkpoint/checkpoint.h"
#include "tokenizer/tokenizer.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const ndl_error *err)
{
	fprintf(stderr, "mkmodel: %s: %s\n", what, err->text);
	return 1;
}

/* Mean and standard deviation that parameter p is drawn from. */
static void spread(const ndl_param *p, double *mean, double *sd)
{
	*mean = 0;
	if (strstr(p->name, "gate"))
		*mean = -0.5, *sd = 0.3;
	else if (strcmp(p->name, "log_temp") == 0)
		*mean = 2, *sd = 0.1;
	else if (p->kind == NDL_PARAM_VECTOR)
		*sd = 0.2;
	else if (p->kind == NDL_PARAM_EMBEDDING)
		*sd = 1 / sqrt((double)p->in);
	else
		*sd = (strstr(p->name, "out_proj") ? 3 : 1) / sqrt((double)p->in);
}

/* All rows of the embedding share a direction, and those of pieces with a quote or a closing brace
 * have more of it: so these are likelier, and answers come to an end. */
static void lean(float *row, size_t width, const char *piece)
{
	float by = (strpbrk(piece, "\"}") ? 1.5f : 1.0f) / sqrtf((float)width);
	for (size_t i = 0; i < width; i++)
		row[i] += by;
}

static int add_param(ndl_ckpt_writer *w, const ndl_param *p, const ndl_tok *tok, uint64_t seed,
                     uint64_t stream, float **data, ndl_error *err)
{
	size_t shape[NDL_MAX_RANK], n = 1;
	int rank = ndl_param_shape(p, shape);
	ndl_rng rng;
	double mean, sd;
	for (int i = 0; i < rank; i++)
		n *= shape[i];
	*data = ndl_calloc(n, sizeof **data);
	if (!*data)
		return ndl_fail_nomem(err, p->name);
	spread(p, &mean, &sd);
	ndl_rng_seed(&rng, seed, stream);
	for (size_t i = 0; i < n; i++)
		(*data)[i] = (float)(mean + sd * ndl_rng_normal(&rng));
	for (size_t i = 0; p->kind == NDL_PARAM_EMBEDDING && i < p->out; i++)
		lean(*data + i * p->in, p->in, ndl_tok_piece(tok, (int32_t)i, &n));
	return ndl_ckpt_writer_add(w, p->name, NDL_F32, rank, shape, *data, err);
}

static int number(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);
	if (end == text || *end || v < 1 || v > 1 << 20) {
		fprintf(stderr, "mkmodel: bad number %s\n", text);
		exit(2);
	}
	return (int)v;
}

int main(int argc, char **argv)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_param params[NDL_MAX_PARAMS];
	float *data[NDL_MAX_PARAMS] = {0};
	if (argc != 6 && argc != 8 && argc != 9) {
		fprintf(stderr, "Usage: mkmodel OUT.safetensors VOCAB.model SEED D_MODEL LAYERS [MAX_ENC MAX_DEC [no-contrastive]]\n");
		return 2;
	}
	ndl_tok *tok = ndl_tok_load(argv[2], &err);
	if (!tok)
		return fail(argv[2], &err);
	ndl_config c = {
		.vocab_size = (int)ndl_tok_size(tok), .d_model = number(argv[4]), .num_heads = 4, .num_kv_heads = 2,
		.num_encoder_layers = number(argv[5]), .num_decoder_layers = number(argv[5]),
		.contrastive_dim = argc > 8 ? 0 : 16, .max_enc_len = argc > 6 ? number(argv[6]) : 1024,
		.max_dec_len = argc > 6 ? number(argv[7]) : 512, .rope_theta = 10000,
	};
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	if (!w || ndl_config_check(&c, &err) || ndl_config_to_writer(&c, w, &err))
		return fail("config", &err);
	size_t n = ndl_config_params(&c, params), len;
	for (size_t i = 0; i < n; i++)
		if (add_param(w, &params[i], tok, (uint64_t)number(argv[3]), i, &data[i], &err))
			return fail(params[i].name, &err);
	const void *bytes = ndl_tok_model_bytes(tok, &len);
	if (ndl_ckpt_writer_add(w, NDL_TOKENIZER_TENSOR, NDL_U8, 1, &len, bytes, &err) ||
	    ndl_ckpt_writer_finish(w, argv[1], &err))
		return fail(argv[1], &err);
	ndl_ckpt_writer_free(w);
	for (size_t i = 0; i < n; i++)
		free(data[i]);
	ndl_tok_free(tok);
	return 0;
}
