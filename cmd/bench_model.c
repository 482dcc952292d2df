/* bench_model.c - the network: encoder and decoder speed, time of a whole answer. */
#include "cmd/bench.h"

#include "base/mem.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS = 200 };

typedef struct run {
	bench *b;
	ndl_exec *x;
	ndl_encoder *enc;
	ndl_decoder *dec;
	int32_t *ids;      /* [max(prompt, answer)], all within the vocabulary */
	float *logits;     /* [vocab] */
	const char *level;
	int threads;
	double encode_s, start_s, decode_s; /* of the run made last */
} run;

/* One answer of fixed length to one prompt of fixed length; times into r. */
static ndl_status answer_once(run *r, ndl_error *err)
{
	const float *states, *hidden;
	double t0 = bench_now();
	ndl_status status = ndl_encoder_run(r->enc, r->ids, (size_t)r->b->prompt, &states, err);
	double t1 = bench_now();
	if (status == NDL_OK)
		status = ndl_decoder_start(r->dec, states, (size_t)r->b->prompt, err);
	double t2 = bench_now();
	for (int i = 0; status == NDL_OK && i < r->b->answer; i++) {
		status = ndl_decoder_step(r->dec, r->ids + i, 1, &hidden, err);
		if (status == NDL_OK)
			ndl_decoder_logits(r->dec, hidden, 1, r->logits);
	}
	r->encode_s = t1 - t0;
	r->start_s = t2 - t1;
	r->decode_s = bench_now() - t2;
	return status;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static ndl_status add_model_rows(run *r, double *whole, size_t n, double encode_s, double decode_s, ndl_error *err)
{
	bench *b = r->b;
	char name[64];
	qsort(whole, n, sizeof *whole, by_size);
	snprintf(name, sizeof name, "prefill, %d tokens", b->prompt);
	ndl_status status = bench_add(b, name, r->level, r->threads, b->prompt / encode_s, "tokens/s", false, err);
	snprintf(name, sizeof name, "decode, %d tokens", b->answer);
	if (status == NDL_OK)
		status = bench_add(b, name, r->level, r->threads, b->answer / decode_s, "tokens/s", false, err);
	static const int percents[] = {50, 90, 99};
	for (int i = 0; status == NDL_OK && i < 3; i++) {
		snprintf(name, sizeof name, "one shot, p%d of %zu", percents[i], n);
		size_t at = ((size_t)percents[i] * n + 99) / 100;
		status = bench_add(b, name, r->level, r->threads, whole[at ? at - 1 : 0] * 1e3, "ms", true, err);
	}
	return status;
}

static ndl_status measure(run *r, ndl_error *err)
{
	double whole[MAX_RUNS], encode_s = 1e9, decode_s = 1e9, end = 0;
	size_t n = 0;
	ndl_status status = answer_once(r, err); /* maps the file's pages in */
	for (end = bench_now() + 2 * r->b->min_s; status == NDL_OK && n < MAX_RUNS && (n < 3 || bench_now() < end); n++) {
		status = answer_once(r, err);
		whole[n] = r->encode_s + r->start_s + r->decode_s;
		encode_s = r->encode_s < encode_s ? r->encode_s : encode_s;
		decode_s = r->decode_s < decode_s ? r->decode_s : decode_s;
	}
	return status == NDL_OK ? add_model_rows(r, whole, n, encode_s, decode_s, err) : status;
}

static ndl_status run_level(bench *b, const ndl_model *m, const char *level, int threads, ndl_error *err)
{
	const ndl_config *c = ndl_model_config(m);
	size_t n = (size_t)(b->prompt > b->answer ? b->prompt : b->answer);
	run r = {.b = b, .level = level, .threads = threads};
	ndl_status status = NDL_ENOMEM;
	r.ids = ndl_calloc(n, sizeof *r.ids);
	r.logits = ndl_calloc((size_t)c->vocab_size, sizeof *r.logits);
	if (!r.ids || !r.logits) {
		ndl_fail_nomem(err, "the model's input");
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		r.ids[i] = (int32_t)(3 + i * 37 % (size_t)(c->vocab_size - 3));
	r.x = ndl_exec_new(threads, level, err);
	r.enc = r.x ? ndl_encoder_new(m, r.x, err) : NULL;
	r.dec = r.enc ? ndl_decoder_new(m, r.x, err) : NULL;
	status = r.dec ? measure(&r, err) : err->code;
out:
	ndl_decoder_free(r.dec);
	ndl_encoder_free(r.enc);
	ndl_exec_free(r.x);
	free(r.ids);
	free(r.logits);
	return status;
}

ndl_status bench_model(bench *b, const char *path, ndl_error *err)
{
	ndl_model *m = ndl_model_open(path, err);
	if (!m)
		return err->code;
	const ndl_config *c = ndl_model_config(m);
	ndl_status status = NDL_OK;
	if (b->prompt > c->max_enc_len || b->answer > c->max_dec_len)
		status = ndl_fail(err, NDL_ELIMIT, "this model takes %d tokens in and %d out: see --prompt and --answer",
		                  c->max_enc_len, c->max_dec_len);
	else if (c->vocab_size < 4)
		status = ndl_fail(err, NDL_EUNSUPPORTED, "a vocabulary of %d", c->vocab_size);
	for (int l = 0; status == NDL_OK && b->levels[l]; l++) {
		if (strcmp(b->levels[l], "avx512bf16") == 0 || strcmp(b->levels[l], "amx") == 0)
			continue; /* inference is float32: the same as one level below */
		for (int t = 0; status == NDL_OK && t < 2 && b->threads[t]; t++)
			status = run_level(b, m, b->levels[l], b->threads[t], err);
	}
	ndl_model_free(m);
	return status;
}
