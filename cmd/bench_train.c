/* bench_train.c - a training step: loss, gradients and optimiser, on random tokens. */
#include "cmd/bench.h"

#include "base/mem.h"
#include "base/rng.h"
#include "train/lanes.h"
#include "train/optimiser.h"

#include <stdlib.h>
#include <string.h>

/* The shape of the published model, and the batch that is compared with others (SPEC section 10). */
static const ndl_config published = {.vocab_size = 8192, .d_model = 512, .num_heads = 8, .num_kv_heads = 4,
	.num_encoder_layers = 12, .num_decoder_layers = 8, .contrastive_dim = 128, .max_enc_len = 1024, .max_dec_len = 512,
	.rope_theta = 10000};
enum { EXAMPLES = 32, ENC_LEN = 190, DEC_LEN = 45 };

typedef struct step {
	ndl_params ps;
	ndl_exec *x;
	ndl_lanes *lanes;
	ndl_optimiser opt;
	float *w, *grad;
	ndl_batch batch;
	int32_t enc[EXAMPLES * ENC_LEN], dec[EXAMPLES * DEC_LEN];
	uint8_t cls[EXAMPLES * DEC_LEN];
	size_t enc_off[EXAMPLES + 1], dec_off[EXAMPLES + 1];
	ndl_status status;
	ndl_error err;
} step;

static void make_batch(step *s)
{
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	for (size_t i = 0; i < EXAMPLES * ENC_LEN; i++)
		s->enc[i] = (int32_t)ndl_rng_below(&r, (uint64_t)s->ps.config.vocab_size);
	for (size_t i = 0; i < EXAMPLES * DEC_LEN; i++)
		s->dec[i] = (int32_t)ndl_rng_below(&r, (uint64_t)s->ps.config.vocab_size);
	for (size_t e = 0; e <= EXAMPLES; e++) {
		s->enc_off[e] = e * ENC_LEN;
		s->dec_off[e] = e * DEC_LEN;
	}
	s->batch = (ndl_batch){.n = EXAMPLES, .enc = s->enc, .enc_off = s->enc_off, .dec_in = s->dec, .dec_out = s->dec,
	                       .cls = s->cls, .dec_off = s->dec_off};
}

static void run_step(void *arg)
{
	step *s = arg;
	ndl_loss loss;
	const ndl_loss_options o = NDL_LOSS_DEFAULTS;
	memset(s->grad, 0, s->ps.total * sizeof *s->grad);
	if (s->status == NDL_OK)
		s->status = ndl_lanes_loss(s->lanes, &loss, s->grad, s->w, &s->batch, &o, &s->err);
	if (s->status == NDL_OK && ndl_optimiser_step(&s->opt, s->x, s->w, s->grad, 1e-6, NULL) < 0)
		s->status = ndl_fail_nomem(&s->err, "optimiser");
}

/* Multiplications and additions of the network's products, three times the forward pass: what is
 * computed again and the optimiser are overhead, not work. */
static double work_of(const ndl_config *c)
{
	double d = c->d_model, kv = d / c->num_heads * c->num_kv_heads, te = EXAMPLES * ENC_LEN, td = EXAMPLES * DEC_LEN;
	double le = c->num_encoder_layers, ld = c->num_decoder_layers, block = 2 * d * d + 2 * d * kv;
	double enc = te * le * (block + 2.0 * ENC_LEN * d);
	double self = td * ld * (block + DEC_LEN * d), cross = ld * (td * 2 * d * d + te * 2 * d * kv + td * 2 * ENC_LEN * d);
	return 3 * 2 * (enc + self + cross + td * d * c->vocab_size);
}

static ndl_status open_step(step *s, const ndl_config *config, const char *level, int threads, ndl_error *err)
{
	const ndl_optimiser_options o = NDL_OPTIMISER_DEFAULTS;
	ndl_params_layout(&s->ps, config);
	s->x = ndl_exec_new(threads, level, err);
	if (!s->x)
		return err->code;
	if (ndl_exec_has_fast_bf16(s->x))
		ndl_exec_set_precision(s->x, NDL_PRECISION_BF16);
	s->w = ndl_params_new(&s->ps);
	s->grad = ndl_params_new(&s->ps);
	if (!s->w || !s->grad)
		return ndl_fail_nomem(err, "parameters");
	ndl_params_init(&s->ps, s->w, 1);
	make_batch(s);
	s->lanes = ndl_lanes_new(&s->ps, s->x, err);
	if (!s->lanes)
		return err->code;
	return ndl_optimiser_init(&s->opt, &s->ps, &o, err);
}

static void close_step(step *s)
{
	ndl_optimiser_clear(&s->opt);
	ndl_lanes_free(s->lanes);
	ndl_exec_free(s->x);
	free(s->w);
	free(s->grad);
	free(s);
}

static ndl_status add_rows(bench *b, const ndl_config *c, const ndl_exec *x, const char *level, double seconds,
                           ndl_error *err)
{
	int threads = ndl_exec_threads(x);
	double work = work_of(c) / seconds / 1e9, peak = bench_inner_loop(b, x, err);
	const struct { const char *name, *unit; double value; bool less; } rows[] = {
		{"training step", "ms", seconds * 1e3, true},
		{"training, examples", "examples/s", EXAMPLES / seconds, false},
		{"training, tokens", "tokens/s", EXAMPLES * (ENC_LEN + DEC_LEN) / seconds, false},
		{"training, products", "GFLOP/s", work, false},
		{"training, share of inner loop", "%", peak > 0 ? 100 * work / (peak * threads) : 0, false},
	};
	ndl_status status = peak < 0 ? err->code : NDL_OK;
	for (size_t i = 0; i < sizeof rows / sizeof *rows && status == NDL_OK; i++)
		status = bench_add(b, rows[i].name, level, threads, rows[i].value, rows[i].unit, rows[i].less, err);
	return status;
}

static ndl_status run_level(bench *b, const ndl_config *c, const char *level, int threads, ndl_error *err)
{
	step *s = ndl_calloc(1, sizeof *s);
	if (!s)
		return ndl_fail_nomem(err, "a training step");
	ndl_status status = open_step(s, c, level, threads, err);
	if (status == NDL_OK) {
		run_step(s); /* memory is taken in the first */
		double seconds = bench_time(b, run_step, s);
		status = s->status;
		if (status != NDL_OK)
			*err = s->err;
		else
			status = add_rows(b, c, s->x, level, seconds, err);
	}
	close_step(s);
	return status;
}

ndl_status bench_train(bench *b, ndl_error *err)
{
	ndl_config c = published;
	ndl_status status = NDL_OK;
	if (b->shape)
		status = ndl_config_load(&c, b->shape, err);
	/* The highest level alone: a step of this size takes the lower ones minutes. */
	const char *level = NULL;
	for (int l = 0; b->levels[l]; l++)
		level = b->levels[l];
	for (int t = 0; status == NDL_OK && t < 2 && b->threads[t]; t++)
		status = run_level(b, &c, level, b->threads[t], err);
	return status;
}
