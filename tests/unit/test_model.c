/* The network against golden values of a tiny model (testdata/golden). */
#include "model/model.h"

#include "tests/tap.h"

#include "base/mem.h"
#include "quant/quant.h"

#include <stdbool.h>
#include <unistd.h>

static ndl_ckpt *golden;
static char model_path[64], quant_path[64];

static const ndl_tensor *tensor(const char *name)
{
	const ndl_tensor *t = ndl_ckpt_find(golden, name);
	if (!t) {
		printf("Bail out! no golden tensor %s\n", name);
		exit(1);
	}
	return t;
}

static float *floats(const char *name, size_t *n)
{
	ndl_error err = NDL_ERROR_INIT;
	const ndl_tensor *t = tensor(name);
	float *f = ndl_calloc(ndl_tensor_elements(t), sizeof *f);
	if (!f || ndl_tensor_to_f32(t, f, &err) != NDL_OK) {
		printf("Bail out! %s: %s\n", name, err.text);
		exit(1);
	}
	if (n)
		*n = ndl_tensor_elements(t);
	return f;
}

static int32_t *ints(const char *name, size_t *n)
{
	float *f = floats(name, n);
	int32_t *v = ndl_calloc(*n, sizeof *v);
	for (size_t i = 0; i < *n; i++)
		v[i] = (int32_t)f[i];
	free(f);
	return v;
}

/* The golden parameters "p/…" as a model file; with `quant` the layers' kernels fake-quantised. */
static void write_model(char *path, bool quant)
{
	ndl_error err = NDL_ERROR_INIT;
	float *copies[64];
	size_t n_copies = 0;
	strcpy(path, "/tmp/ndl-test-model-XXXXXX");
	int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	for (size_t i = 0; i < ndl_ckpt_meta_count(golden); i++) {
		const char *k, *v;
		ndl_ckpt_meta_at(golden, i, &k, &v);
		ndl_ckpt_writer_meta(w, k, v, &err);
	}
	for (size_t i = 0; i < ndl_ckpt_count(golden); i++) {
		const ndl_tensor *t = ndl_ckpt_at(golden, i);
		if (strncmp(t->name, "p/", 2) != 0)
			continue;
		const void *data = t->data;
		if (quant && t->rank >= 2 && strstr(t->name, "/kernel")) {
			float *f = copies[n_copies++] = floats(t->name, NULL);
			size_t in = t->shape[t->rank - 2], out = t->shape[t->rank - 1];
			for (size_t l = 0; l < (t->rank == 3 ? t->shape[0] : 1); l++)
				ndl_fake_quant(f + l * in * out, f + l * in * out, in, out, 32);
			data = f;
		}
		ndl_ckpt_writer_add(w, t->name + 2, t->dtype, t->rank, t->shape, data, &err);
	}
	if (ndl_ckpt_writer_finish(w, path, &err) != NDL_OK)
		tap_note("writing the model: %s", err.text);
	ndl_ckpt_writer_free(w);
	while (n_copies)
		free(copies[--n_copies]);
}

typedef struct layers {
	const float *want;
	size_t size;
	float *got;
} layers;

static void keep_layer(void *user, int layer, const float *x, size_t rows)
{
	layers *l = user;
	(void)rows;
	memcpy(l->got + (size_t)layer * l->size, x, l->size * sizeof *x);
}

static void test_encoder(ndl_model *m, ndl_exec *x)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t n, n_out, n_layers;
	int32_t *src = ints("infer/src", &n);
	float *want = floats("infer/enc_out", &n_out), *want_layers = floats("infer/enc_layers", &n_layers);
	layers l = {want_layers, n_out, ndl_calloc(n_layers, sizeof(float))};
	ndl_encoder *e = ndl_encoder_new(m, x, &err);
	const float *states = NULL;
	ndl_encoder_watch(e, keep_layer, &l);
	CHECK_INT(ndl_encoder_run(e, src, n, &states, &err), NDL_OK);
	tap_close(l.got, want_layers, n_layers, 2e-5, "encoder layers");
	tap_close(states, want, n_out, 2e-5, "encoder states");
	/* the same again, after something else: nothing is left behind */
	ndl_encoder_run(e, src, 3, &states, &err);
	ndl_encoder_run(e, src, n, &states, &err);
	tap_close(states, want, n_out, 2e-5, "encoder states, third run");

	int32_t bad[2] = {5, 64};
	CHECK_INT(ndl_encoder_run(e, src, 0, &states, &err), NDL_EINVAL);
	CHECK_INT(ndl_encoder_run(e, bad, 2, &states, &err), NDL_EINVAL);
	size_t over = (size_t)ndl_model_config(m)->max_enc_len + 1;
	int32_t *many = ndl_calloc(over, sizeof *many);
	CHECK_INT(ndl_encoder_run(e, many, over, &states, &err), NDL_ELIMIT);
	CHECK_INT(ndl_encoder_run(e, many, over - 1, &states, &err), NDL_OK);
	free(many);
	ndl_encoder_free(e);
	free(src);
	free(want);
	free(want_layers);
	free(l.got);
}

/* Runs of one, two and three tokens, and a rewind, against the whole at once. */
static void test_cache(ndl_decoder *d, const int32_t *tgt, size_t n, const float *want, size_t width)
{
	ndl_error err = NDL_ERROR_INIT;
	const float *hidden;
	float *got = ndl_calloc(n * width, sizeof *got);
	ndl_decoder_rewind(d, 0);
	CHECK_INT(ndl_decoder_len(d), 0);
	for (size_t at = 0, run = 1; at < n; at += run, run = run % 3 + 1) {
		run = run < n - at ? run : n - at;
		ndl_decoder_step(d, tgt + at, run, &hidden, &err);
		memcpy(got + at * width, hidden, run * width * sizeof *got);
	}
	tap_close(got, want, n * width, 2e-5, "decoder token by token");
	ndl_decoder_rewind(d, 4);
	int32_t other[2] = {7, 8};
	ndl_decoder_step(d, other, 2, &hidden, &err);
	ndl_decoder_rewind(d, 4);
	ndl_decoder_step(d, tgt + 4, n - 4, &hidden, &err);
	tap_close(hidden, want + 4 * width, (n - 4) * width, 2e-5, "decoder after a rewind");
	CHECK_INT(ndl_decoder_len(d), n);
	free(got);
}

static void test_limits(ndl_decoder *d, const ndl_config *c)
{
	ndl_error err = NDL_ERROR_INIT;
	const float *hidden;
	int32_t id = 9;
	int steps = 0;
	ndl_decoder_rewind(d, 0);
	while (steps < 10000 && ndl_decoder_step(d, &id, 1, &hidden, &err) == NDL_OK)
		steps++;
	CHECK_INT(steps, c->max_dec_len);
	CHECK_INT(err.code, NDL_ELIMIT);
}

static void test_greedy(ndl_decoder *d, size_t vocab)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t n;
	int32_t *want = ints("infer/greedy16", &n), id = 1;
	float *logits = ndl_calloc(vocab, sizeof *logits);
	const float *hidden;
	bool same = true;
	ndl_decoder_rewind(d, 0);
	for (size_t i = 0; i < n; i++) {
		ndl_decoder_step(d, &id, 1, &hidden, &err);
		ndl_decoder_logits(d, hidden, 1, logits);
		id = (int32_t)ndl_argmax(logits, vocab);
		same = same && id == want[i];
	}
	tap_ok(same, "sixteen greedy tokens");
	free(logits);
	free(want);
}

static void test_decoder(ndl_model *m, ndl_exec *x, const char *logits_name, double bound, bool more)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t n, n_src, n_hidden, n_logits, n_layers, vocab = (size_t)ndl_model_config(m)->vocab_size;
	int32_t *src = ints("infer/src", &n_src), *tgt = ints("infer/tgt", &n);
	float *want_hidden = floats("infer/dec_hidden", &n_hidden), *want = floats(logits_name, &n_logits);
	float *want_layers = floats("infer/dec_layers", &n_layers);
	float *got = ndl_calloc(n_logits, sizeof *got);
	layers l = {want_layers, n_hidden, ndl_calloc(n_layers, sizeof(float))};
	ndl_encoder *e = ndl_encoder_new(m, x, &err);
	ndl_decoder *d = ndl_decoder_new(m, x, &err);
	const float *states, *hidden = NULL;
	CHECK_INT(ndl_decoder_step(d, tgt, 1, &hidden, &err), NDL_EINVAL); /* before start */
	ndl_encoder_run(e, src, n_src, &states, &err);
	CHECK_INT(ndl_decoder_start(d, states, n_src, &err), NDL_OK);
	ndl_decoder_watch(d, keep_layer, &l);
	CHECK_INT(ndl_decoder_step(d, tgt, n, &hidden, &err), NDL_OK);
	ndl_decoder_watch(d, NULL, NULL);
	ndl_decoder_logits(d, hidden, n, got);
	tap_close(got, want, n_logits, bound, logits_name);
	if (more) {
		tap_close(l.got, want_layers, n_layers, 2e-5, "decoder layers");
		tap_close(hidden, want_hidden, n_hidden, 2e-5, "decoder states");
		int32_t some[3] = {63, 0, 17};
		float few[3], expected[3] = {want[63], want[0], want[17]};
		ndl_decoder_logits_of(d, hidden, some, 3, few);
		tap_close(few, expected, 3, bound, "logits of some tokens");
		test_cache(d, tgt, n, want_hidden, n_hidden / n);
		test_greedy(d, vocab);
		test_limits(d, ndl_model_config(m));
	}
	ndl_encoder_free(e);
	ndl_decoder_free(d);
	free(src);
	free(tgt);
	free(want_hidden);
	free(want);
	free(want_layers);
	free(got);
	free(l.got);
}

static void test_embedding(ndl_model *m, ndl_exec *x, const char *ids_name, const char *want_name)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t n_ids, n, dim = (size_t)ndl_model_config(m)->contrastive_dim;
	int32_t *ids = ints(ids_name, &n_ids);
	float *want = floats(want_name, &n), *got = ndl_calloc(n, sizeof *got);
	size_t rows = n / dim, width = n_ids / rows;
	ndl_encoder *e = ndl_encoder_new(m, x, &err);
	for (size_t r = 0; r < rows; r++) {
		size_t len = width;
		while (len && ids[r * width + len - 1] == 0) /* padding */
			len--;
		ndl_encoder_embed(e, ids + r * width, len, got + r * dim, &err);
	}
	tap_close(got, want, n, 2e-5, want_name);
	ndl_encoder_free(e);
	free(ids);
	free(want);
	free(got);
}

/* The same bits at one and at several threads. */
static void test_threads(ndl_model *m)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t max = (size_t)ndl_model_config(m)->max_enc_len, d = (size_t)ndl_model_config(m)->d_model;
	int32_t *ids = ndl_calloc(max, sizeof *ids);
	float *first = ndl_calloc(max * d, sizeof *first);
	for (size_t i = 0; i < max; i++)
		ids[i] = (int32_t)(i * 7 % 61 + 1);
	for (int threads = 1; threads <= 4; threads += 3) {
		ndl_exec *x = ndl_exec_new(threads, NULL, &err);
		ndl_encoder *e = ndl_encoder_new(m, x, &err);
		const float *states;
		ndl_encoder_run(e, ids, max, &states, &err);
		if (threads == 1)
			memcpy(first, states, max * d * sizeof *first);
		else
			CHECK(memcmp(first, states, max * d * sizeof *first) == 0);
		ndl_encoder_free(e);
		ndl_exec_free(x);
	}
	free(ids);
	free(first);
}

int main(void)
{
	ndl_error err = NDL_ERROR_INIT;
	char path[4096];
	const char *top = getenv("top_srcdir");
	snprintf(path, sizeof path, "%s/testdata/golden/tiny.safetensors", top ? top : ".");
	golden = ndl_ckpt_open(path, &err);
	if (!golden) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	write_model(model_path, false);
	write_model(quant_path, true);
	ndl_model *m = ndl_model_open(model_path, &err), *q = ndl_model_open(quant_path, &err);
	ndl_exec *x = ndl_exec_new(2, getenv("NEEDLE_CPU"), &err);
	if (m && q && x) {
		CHECK_INT(ndl_model_config(m)->d_model, 32);
		CHECK(ndl_model_has_contrastive(m));
		test_encoder(m, x);
		test_decoder(m, x, "infer/logits", 2e-5, true);
		test_decoder(q, x, "infer/logits_int4", 2e-5, false);
		test_embedding(m, x, "clip/query", "clip/query_emb");
		test_embedding(m, x, "clip/tool", "clip/tool_emb");
		test_threads(m);
	} else {
		tap_ok(0, "opening: %s", err.text);
	}
	CHECK(!ndl_model_open("/nonexistent", &err) && err.code == NDL_EIO);
	CHECK(!ndl_model_open(path, &err)); /* safetensors, but no model: names differ */
	ndl_exec_free(x);
	ndl_model_free(m);
	ndl_model_free(q);
	ndl_ckpt_close(golden);
	remove(model_path);
	remove(quant_path);
	return tap_done();
}
