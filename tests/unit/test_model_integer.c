/* The network with integer products: near the float path, and the same for any number of threads and
 * rows at a time. */
#include "model/model.h"

#include "tests/tap.h"

#include "base/mem.h"
#include "base/rng.h"
#include "quant/convert.h"

#include <math.h>
#include <unistd.h>

enum { TOKENS = 45, STEPS = 7, VOCAB = 96 };

static char path[64];

static void temporary(char *name)
{
	strcpy(name, "/tmp/ndl-test-integer-XXXXXX");
	int fd = mkstemp(name);
	if (fd >= 0)
		close(fd);
}

/* A model of random weights, rounded to `bits`; heads of 32 or 64. */
static ndl_model *make_model(size_t hd, int bits)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_config c = {.vocab_size = VOCAB, .d_model = (int)(4 * hd), .num_heads = 4, .num_kv_heads = 2, .num_encoder_layers = 2,
		.num_decoder_layers = 2, .max_enc_len = TOKENS, .max_dec_len = 16, .rope_theta = 10000};
	ndl_param params[NDL_MAX_PARAMS];
	float *data[NDL_MAX_PARAMS] = {0};
	char plain[64];
	ndl_rng r;
	temporary(plain);
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	ndl_config_to_writer(&c, w, &err);
	ndl_rng_seed(&r, 7, hd);
	size_t n = ndl_config_params(&c, params);
	for (size_t i = 0; i < n; i++) {
		size_t shape[NDL_MAX_RANK], count = ndl_param_elements(&params[i]);
		int rank = ndl_param_shape(&params[i], shape);
		data[i] = ndl_calloc(count, sizeof **data);
		for (size_t j = 0; j < count; j++)
			data[i][j] = (float)ndl_rng_normal(&r) * (params[i].kind == NDL_PARAM_VECTOR ? 0.2f : 1 / sqrtf((float)c.d_model));
		ndl_ckpt_writer_add(w, params[i].name, NDL_F32, rank, shape, data[i], &err);
	}
	ndl_ckpt_writer_finish(w, plain, &err);
	ndl_ckpt_writer_free(w);
	for (size_t i = 0; i < n; i++)
		free(data[i]);

	ndl_ckpt *ckpt = ndl_ckpt_open(plain, &err);
	ndl_convert_options o = {.bits = bits, .embedding_bits = 4, .group = bits == 8 ? 64 : 32, .threads = 1};
	ndl_conversion *v = ckpt ? ndl_convert(ckpt, &c, &o, &err) : NULL;
	w = ndl_ckpt_writer_new(&err);
	temporary(path);
	if (!v || ndl_config_to_writer(&c, w, &err) != NDL_OK || ndl_conversion_write(v, w, &err) != NDL_OK ||
	    ndl_ckpt_writer_finish(w, path, &err) != NDL_OK)
		tap_note("making a model: %s", err.text);
	ndl_ckpt_writer_free(w);
	ndl_conversion_free(v);
	ndl_ckpt_close(ckpt);
	remove(plain);
	ndl_model *m = ndl_model_open(path, &err);
	if (!m)
		tap_note("%s", err.text);
	return m;
}

/* What a run leaves: encoder states, hidden rows, logits. */
typedef struct outcome {
	size_t width;
	float *states, *hidden, *logits;
} outcome;

static void outcome_free(outcome *o)
{
	free(o->states);
	free(o->hidden);
	free(o->logits);
}

static outcome run(const ndl_model *m, const char *cpu, int threads, ndl_precision precision, size_t at_once)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t width = (size_t)ndl_model_config(m)->d_model;
	outcome o = {width, ndl_calloc(TOKENS * width, 4), ndl_calloc(STEPS * width, 4), ndl_calloc(STEPS * VOCAB, 4)};
	int32_t ids[TOKENS], some[3] = {95, 0, 41};
	float few[3] = {0};
	const float *states = o.states, *hidden = o.hidden;
	for (int i = 0; i < TOKENS; i++)
		ids[i] = i * 7 % (VOCAB - 1) + 1;
	ndl_exec *x = ndl_exec_new(threads, cpu, &err);
	ndl_exec_set_precision(x, precision);
	ndl_encoder *e = ndl_encoder_new(m, x, &err);
	ndl_decoder *d = ndl_decoder_new(m, x, &err);
	CHECK_INT(ndl_encoder_run(e, ids, TOKENS, &states, &err), NDL_OK);
	memcpy(o.states, states, TOKENS * width * 4);
	CHECK_INT(ndl_decoder_start(d, states, TOKENS, &err), NDL_OK);
	for (size_t i = 0; i < STEPS; i += at_once) {
		size_t n = STEPS - i < at_once ? STEPS - i : at_once;
		ndl_decoder_step(d, ids + i, n, &hidden, &err);
		memcpy(o.hidden + i * width, hidden, n * width * 4);
	}
	ndl_decoder_logits(d, o.hidden, STEPS, o.logits);
	float *last = o.logits + (STEPS - 1) * VOCAB;
	ndl_decoder_logits(d, o.hidden + (STEPS - 1) * width, 1, last); /* one row goes another way */
	ndl_decoder_logits_of(d, o.hidden + (STEPS - 1) * width, some, 3, few);
	if (precision == NDL_PRECISION_INT8)
		CHECK(few[0] == last[some[0]] && few[1] == last[some[1]] && few[2] == last[some[2]]);
	ndl_decoder_free(d);
	ndl_encoder_free(e);
	ndl_exec_free(x);
	return o;
}

/* Root mean square of the difference over that of the values. */
static double distance(const float *a, const float *b, size_t n)
{
	double diff = 0, size = 0;
	for (size_t i = 0; i < n; i++) {
		diff += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
		size += (double)b[i] * (double)b[i];
	}
	return isfinite(diff) ? sqrt(diff / size) : 1;
}

static void compare(const outcome *a, const outcome *b, double bound, const char *what)
{
	double states = distance(a->states, b->states, TOKENS * a->width);
	double hidden = distance(a->hidden, b->hidden, STEPS * a->width), logits = distance(a->logits, b->logits, STEPS * VOCAB);
	tap_ok(states <= bound && hidden <= bound && logits <= bound, "%s: states %.2g, hidden %.2g, logits %.2g, bound %.2g", what,
	       states, hidden, logits, bound);
}

static void test_model(size_t hd, int bits)
{
	static const char *const levels[] = {"scalar", "avx2,nodot", "avx2", "avx512,nodot", "neon,nodot"};
	ndl_model *m = make_model(hd, bits);
	CHECK(m != NULL);
	if (!m)
		return;
	outcome f32 = run(m, NULL, 1, NDL_PRECISION_F32, 1), one = run(m, NULL, 1, NDL_PRECISION_INT8, 1);
	tap_note("heads of %zu, INT%d", hd, bits);
	compare(&one, &f32, 0.03, "integers against floats");
	CHECK(distance(one.states, f32.states, TOKENS * one.width) > 0); /* integers were used */
	outcome three = run(m, NULL, 3, NDL_PRECISION_INT8, 1), many = run(m, NULL, 1, NDL_PRECISION_INT8, 3);
	compare(&three, &one, 0, "three threads");
	compare(&many, &one, 0.02, "three tokens a step");
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		outcome other = run(m, levels[i], 1, NDL_PRECISION_INT8, 1);
		compare(&other, &one, 0.02, levels[i]);
		outcome_free(&other);
	}
	outcome_free(&f32);
	outcome_free(&one);
	outcome_free(&three);
	outcome_free(&many);
	ndl_model_free(m);
	remove(path);
}

int main(void)
{
	test_model(64, 4);
	test_model(32, 8);
	return tap_done();
}
