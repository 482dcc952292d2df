/* bench_model.c - the network inside this process: encoder and decoder speed. */
#include "cmd/bench.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A network made ready on one level, precision and number of threads. */
typedef struct run {
	bench *b;
	ndl_exec *x;
	ndl_encoder *enc;
	ndl_decoder *dec;
	int32_t *ids;      /* [the larger window], all within the vocabulary */
	float *logits;     /* [vocab] */
	const float *states;
	char kernel[24];   /* "avx512 int8" */
	int threads;
	size_t n;          /* tokens that the job under way encodes, or decodes at a time */
	ndl_error *err;
	ndl_status status; /* of the first job that failed */
} run;

static void add(run *r, const char *name, double value, const char *unit, bool less)
{
	if (r->status == NDL_OK)
		r->status = bench_add(r->b, name, r->kernel, r->threads, value, unit, less, r->err);
}

/* Jobs ------------------------------------------------------------------------------------ */

static void encode(void *user)
{
	run *r = user;
	if (r->status == NDL_OK)
		r->status = ndl_encoder_run(r->enc, r->ids, r->n, &r->states, r->err);
	if (r->status == NDL_OK)
		r->status = ndl_decoder_start(r->dec, r->states, r->n, r->err);
}

/* An answer of --answer tokens, n at a time, with the logits of each last one. */
static void decode(void *user)
{
	run *r = user;
	const float *hidden;
	size_t answer = (size_t)r->b->answer, width = (size_t)ndl_model_config(r->b->model)->d_model;
	ndl_decoder_rewind(r->dec, 0);
	for (size_t i = 0; r->status == NDL_OK && i < answer; i += r->n) {
		size_t n = answer - i < r->n ? answer - i : r->n;
		r->status = ndl_decoder_step(r->dec, r->ids + i, n, &hidden, r->err);
		if (r->status == NDL_OK)
			ndl_decoder_logits(r->dec, hidden + (n - 1) * width, 1, r->logits);
	}
}

/* Rows ------------------------------------------------------------------------------------ */

static void prefill_rows(run *r)
{
	char name[64];
	for (size_t i = 0; i < BENCH_PROMPTS && r->b->prompts[i]; i++) {
		r->n = (size_t)r->b->prompts[i];
		snprintf(name, sizeof name, "prefill, %zu tokens", r->n);
		if (bench_wants(r->b, name))
			add(r, name, (double)r->n / bench_time(r->b, encode, r), "tokens/s", false);
	}
}

/* Bytes of weights that a step reads: the decoder's and, for the logits, the embedding; but not what makes keys
 * and values of the prompt, once. */
static size_t step_bytes(const ndl_ckpt *file)
{
	size_t sum = 0;
	for (size_t i = 0; i < ndl_ckpt_count(file); i++) {
		const ndl_tensor *t = ndl_ckpt_at(file, i);
		bool once = strstr(t->name, "cross_attn/k_") || strstr(t->name, "cross_attn/v_");
		if (!once && (!strncmp(t->name, "decoder", 7) || !strncmp(t->name, "embedding", 9)))
			sum += t->bytes;
	}
	return sum;
}

static const char *const reading[] = {"decode, weights read", "decode, share of reading", NULL};

/* How fast decoding reads its weights, and how fast this machine reads as many bytes. */
static void reading_rows(run *r, double steps)
{
	const size_t bytes = step_bytes(ndl_model_ckpt(r->b->model));
	double rate = (double)bytes * steps / 1e9;
	if (r->status != NDL_OK || !bench_wants_any(r->b, reading))
		return;
	double most = bench_read_rate(r->b, bytes, r->threads, r->err);
	if (most < 0)
		r->status = r->err->code;
	add(r, reading[0], rate, "GB/s", false);
	add(r, reading[1], 100 * rate / most, "%", false);
}

/* After a prompt of as many tokens as the first, --prompt or 50; see decode. */
static void decode_rows(run *r)
{
	static const size_t at_once[] = {1, 4, 16};
	char name[64];
	r->n = (size_t)r->b->prompts[r->b->prompts[1] ? 1 : 0];
	size_t prompt = r->n;
	encode(r);
	for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++) {
		r->n = at_once[i];
		snprintf(name, sizeof name, "decode after %zu, %zu a step", prompt, r->n);
		if (!bench_wants(r->b, name) && (r->n > 1 || !bench_wants_any(r->b, reading)))
			continue;
		double rate = r->b->answer / bench_time(r->b, decode, r);
		add(r, name, rate, "tokens/s", false);
		if (r->n == 1)
			reading_rows(r, rate);
	}
}

static ndl_status run_level(bench *b, const char *level, ndl_precision precision, int threads, ndl_error *err)
{
	const ndl_config *c = ndl_model_config(b->model);
	size_t n = (size_t)(c->max_enc_len > c->max_dec_len ? c->max_enc_len : c->max_dec_len);
	run r = {.b = b, .threads = threads, .err = err};
	snprintf(r.kernel, sizeof r.kernel, "%s %s", level, precision == NDL_PRECISION_INT8 ? "int8" : "f32");
	r.ids = ndl_calloc(n, sizeof *r.ids);
	r.logits = ndl_calloc((size_t)c->vocab_size, sizeof *r.logits);
	if (!r.ids || !r.logits) {
		r.status = ndl_fail_nomem(err, "the model's input");
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		r.ids[i] = (int32_t)(3 + i * 37 % (size_t)(c->vocab_size - 3));
	r.x = ndl_exec_new(threads, level, err);
	if (r.x)
		ndl_exec_set_precision(r.x, precision);
	r.enc = r.x ? ndl_encoder_new(b->model, r.x, err) : NULL;
	r.dec = r.enc ? ndl_decoder_new(b->model, r.x, err) : NULL;
	r.status = r.dec ? NDL_OK : err->code;
	if (r.status == NDL_OK)
		prefill_rows(&r);
	if (r.status == NDL_OK)
		decode_rows(&r);
out:
	ndl_decoder_free(r.dec);
	ndl_encoder_free(r.enc);
	ndl_exec_free(r.x);
	free(r.ids);
	free(r.logits);
	return r.status;
}

ndl_status bench_lengths(bench *b, const ndl_config *c, ndl_error *err)
{
	static const int usual[] = {50, 200, 600, 1024};
	size_t n = 0;
	if (!b->answer)
		b->answer = c->max_dec_len < 32 ? c->max_dec_len : 32;
	if (b->prompt > c->max_enc_len || b->answer > c->max_dec_len)
		return ndl_fail(err, NDL_EINVAL, "this model takes %d tokens in and %d out: see --prompt and --answer",
		                c->max_enc_len, c->max_dec_len);
	if (c->vocab_size < 4)
		return ndl_fail(err, NDL_EUNSUPPORTED, "a vocabulary of %d", c->vocab_size);
	for (size_t i = 0; !b->prompt && i < BENCH_PROMPTS; i++)
		if (usual[i] <= c->max_enc_len)
			b->prompts[n++] = usual[i];
	if (!n)
		b->prompts[0] = b->prompt ? b->prompt : c->max_enc_len;
	return NDL_OK;
}

ndl_status bench_model(bench *b, ndl_error *err)
{
	b->model = ndl_model_open(b->path, err);
	if (!b->model)
		return err->code;
	ndl_status status = NDL_OK;
	const char *level = b->levels[0];
	for (int l = 1; b->levels[l]; l++)
		if (!bench_trains_only(b->levels[l]))
			level = b->levels[l];
	for (int t = 0; status == NDL_OK && t < 2 && b->threads[t]; t++) {
		status = run_level(b, level, NDL_PRECISION_F32, b->threads[t], err);
		if (status == NDL_OK)
			status = run_level(b, level, NDL_PRECISION_INT8, b->threads[t], err);
	}
	ndl_model_free(b->model);
	b->model = NULL;
	return status;
}
