#include "cmd/calibrate.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void calibrate_clear(calibration *c)
{
	free(c->sample);
	*c = (calibration){0};
}

ndl_status calibrate_add(calibration *c, const ndl_odds *odds, bool right, ndl_error *err)
{
	if (ndl_grow(&c->sample, &c->cap, c->n + 1, sizeof *c->sample) < 0)
		return ndl_fail_nomem(err, "answers");
	c->sample[c->n++] = (ndl_fit_sample){odds->sum, odds->least, right};
	return NDL_OK;
}

static ndl_status copy(const ndl_ckpt *from, ndl_ckpt_writer *w, const char *confidence, ndl_error *err)
{
	ndl_status rc = NDL_OK;
	for (size_t i = 0; i < ndl_ckpt_meta_count(from) && rc == NDL_OK; i++) {
		const char *key, *value;
		ndl_ckpt_meta_at(from, i, &key, &value);
		if (strcmp(key, NDL_CONFIDENCE_KEY) != 0)
			rc = ndl_ckpt_writer_meta(w, key, value, err);
	}
	if (rc == NDL_OK)
		rc = ndl_ckpt_writer_meta(w, NDL_CONFIDENCE_KEY, confidence, err);
	for (size_t i = 0; i < ndl_ckpt_count(from) && rc == NDL_OK; i++) {
		const ndl_tensor *t = ndl_ckpt_at(from, i);
		rc = ndl_ckpt_writer_add(w, t->name, t->dtype, t->rank, t->shape, t->data, err);
	}
	return rc;
}

ndl_status calibrate_write(calibration *c, const char *from, const char *to, ndl_error *err)
{
	ndl_buf text = NDL_BUF_INIT;
	ndl_ckpt *ckpt = NULL;
	ndl_ckpt_writer *w = NULL;
	ndl_status rc = ndl_fit(c->sample, c->n, &c->fitted, err);
	if (rc == NDL_OK)
		rc = ndl_confidence_text(&c->fitted, &text, err);
	if (rc == NDL_OK && (!(ckpt = ndl_ckpt_open(from, err)) || !(w = ndl_ckpt_writer_new(err))))
		rc = err->code;
	if (rc == NDL_OK)
		rc = copy(ckpt, w, ndl_buf_cstr(&text), err);
	if (rc == NDL_OK)
		rc = ndl_ckpt_writer_finish(w, to, err);
	ndl_ckpt_writer_free(w);
	ndl_ckpt_close(ckpt);
	ndl_buf_clear(&text);
	return rc;
}
