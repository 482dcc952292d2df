/* needle-quantize --calibrate: runs the model over examples and lets ndl_calib watch. */
#include "cmd/quantize.h"

#include "base/mem.h"
#include "data/record.h"
#include "model/model.h"

#include <stdlib.h>

enum { EXAMPLES_MAX = 256 };

typedef struct runner {
	const ndl_config *config;
	ndl_encoder *enc;
	ndl_decoder *dec;
	float *logits;    /* [max_dec_len][V] */
	float *embedding; /* [contrastive_dim] */
} runner;

static void close_runner(runner *r)
{
	ndl_decoder_free(r->dec);
	ndl_encoder_free(r->enc);
	free(r->logits);
	free(r->embedding);
}

static ndl_status open_runner(runner *r, const ndl_model *model, ndl_exec *x, ndl_error *err)
{
	*r = (runner){.config = ndl_model_config(model)};
	r->enc = ndl_encoder_new(model, x, err);
	r->dec = r->enc ? ndl_decoder_new(model, x, err) : NULL;
	if (!r->dec)
		return NDL_ENOMEM;
	r->logits = ndl_alloc64((size_t)r->config->max_dec_len * (size_t)r->config->vocab_size, sizeof *r->logits);
	r->embedding = ndl_calloc((size_t)r->config->contrastive_dim + 1, sizeof *r->embedding);
	return r->logits && r->embedding ? NDL_OK : ndl_fail_nomem(err, "calibration");
}

/* Everything that the network can do with an example: encode, decode its answer, embed both texts. */
static ndl_status run_example(runner *r, const ndl_example *e, ndl_error *err)
{
	const float *states, *hidden;
	size_t n = e->dec.len - 1;
	ndl_status s = ndl_encoder_run(r->enc, e->enc.id, e->enc.len, &states, err);
	if (s == NDL_OK)
		s = ndl_decoder_start(r->dec, states, e->enc.len, err);
	if (s == NDL_OK)
		s = ndl_decoder_step(r->dec, e->dec.id, n, &hidden, err);
	if (s == NDL_OK)
		ndl_decoder_logits(r->dec, hidden, n, r->logits);
	if (s == NDL_OK && e->query.len)
		s = ndl_encoder_embed(r->enc, e->query.id, e->query.len, r->embedding, err);
	if (s == NDL_OK && e->tool.len)
		s = ndl_encoder_embed(r->enc, e->tool.id, e->tool.len, r->embedding, err);
	return s;
}

static ndl_status run_lines(const cli *c, runner *r, const ndl_lines *lines, const ndl_tok *tok, ndl_error *err)
{
	ndl_example_options o = {.tok = tok, .config = *r->config, .pairs = r->config->contrastive_dim > 0};
	ndl_example e = {0};
	size_t n = ndl_lines_count(lines), len, used = 0;
	ndl_status s = NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < n && used < EXAMPLES_MAX; i++) {
		const char *line = ndl_lines_at(lines, i, &len);
		int rc = ndl_example_make(&e, &o, line, len, NULL, err);
		s = rc < 0 ? (ndl_status)rc : NDL_OK;
		if (rc == NDL_MADE && (s = run_example(r, &e, err)) == NDL_OK)
			cli_progress(c, ++used, n < EXAMPLES_MAX ? n : EXAMPLES_MAX, "calibration");
	}
	cli_progress_end(c);
	ndl_example_clear(&e);
	return s == NDL_OK && !used ? ndl_fail(err, NDL_EINVAL, "no example to calibrate with") : s;
}

ndl_lines *quantize_lines(const cli *c, const char *path, const char *tools, ndl_error *err)
{
	ndl_lines *lines = ndl_lines_new(err);
	const ndl_lines_options o = {.strict = true, .tools = tools, .threads = c->common.threads};
	if (lines && ndl_lines_load(lines, path, &o, err) == NDL_OK)
		return lines;
	ndl_lines_free(lines);
	return NULL;
}

ndl_calib *quantize_calibrate(const cli *c, const quantize_model *m, const ndl_tok *tok, const ndl_lines *lines, const char *path,
                              ndl_exec *x, ndl_error *err)
{
	runner r = {0};
	ndl_model *model = ndl_model_new(m->ckpt, err);
	ndl_calib *k = model ? ndl_calib_new(m->ckpt, &m->config, x, err) : NULL;
	ndl_status s = k ? open_runner(&r, model, x, err) : NDL_ENOMEM;
	if (s == NDL_OK) {
		ndl_exec_observe(x, ndl_calib_see, k);
		s = run_lines(c, &r, lines, tok, err);
		ndl_exec_observe(x, NULL, NULL);
		if (s != NDL_OK)
			ndl_error_at(err, path, 0);
	}
	close_runner(&r);
	ndl_model_free(model);
	if (s == NDL_OK)
		return k;
	ndl_calib_free(k);
	return NULL;
}
