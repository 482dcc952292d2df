/* read_ckpt.h - what the fuzz targets of checkpoints do with one that was not refused: read it to the last value. */
#ifndef NDL_TESTS_READ_CKPT_H
#define NDL_TESTS_READ_CKPT_H

#include "checkpoint/checkpoint.h"
#include "quant/convert.h"

#include <stdlib.h>

static void read_tensors(const ndl_ckpt *c)
{
	for (size_t i = 0; i < ndl_ckpt_count(c); i++) {
		const ndl_tensor *t = ndl_ckpt_at(c, i);
		float *values = malloc(ndl_tensor_elements(t) * sizeof *values + 1); /* no more than the data */
		if (values && t->dtype != NDL_I4 && (ndl_tensor_to_f32(t, values, NULL) != NDL_OK || !ndl_ckpt_find(c, t->name)))
			abort();
		free(values);
	}
}

static void read_meta(const ndl_ckpt *c)
{
	const char *key, *value;
	for (size_t i = 0; i < ndl_ckpt_meta_count(c); i++) {
		ndl_ckpt_meta_at(c, i, &key, &value);
		if (!key || !value || !ndl_ckpt_meta(c, key))
			abort();
	}
}

/* The parameters, if it is one of ours. */
static void read_params(const ndl_ckpt *c)
{
	ndl_config config;
	ndl_param params[NDL_MAX_PARAMS];
	if (ndl_config_from_ckpt(&config, c, NULL) != NDL_OK || ndl_ckpt_check(c, &config, NULL) != NDL_OK)
		return;
	for (size_t i = 0, n = ndl_config_params(&config, params); i < n; i++) {
		float *values = malloc(ndl_param_elements(&params[i]) * sizeof *values + 1);
		if (values)
			ndl_param_to_f32(c, &params[i], values, NULL);
		free(values);
	}
}

/* Closes it too. NULL: it was refused, which needs a reason. */
static void read_ckpt(ndl_ckpt *c, const ndl_error *err)
{
	if (!c) {
		if (err->code == NDL_OK || !err->text[0])
			abort();
		return;
	}
	read_tensors(c);
	read_meta(c);
	read_params(c);
	ndl_ckpt_close(c);
}

#endif
