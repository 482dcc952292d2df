/* Confidence: what the choices of an answer say, to the probability that it is right. */
#include "checkpoint/checkpoint.h"

#include "json/json.h"

#include <math.h>
#include <string.h>

double ndl_log_odds(double log_p)
{
	log_p = fmin(fmax(log_p, -30), -1e-6);
	return log_p - log(-expm1(log_p));
}

double ndl_confidence_apply(const ndl_confidence *c, double sum, double least)
{
	return 1 / (1 + exp(-(c->bias + c->sum * ndl_log_odds(sum) + c->least * ndl_log_odds(least))));
}

ndl_status ndl_confidence_from_ckpt(ndl_confidence *c, const ndl_ckpt *ckpt, ndl_error *err)
{
	const char *text = ndl_ckpt_meta(ckpt, NDL_CONFIDENCE_KEY);
	*c = NDL_CONFIDENCE_PLAIN;
	if (!text)
		return NDL_OK;
	json_t *list = ndl_json_parse(text, strlen(text), NULL); /* strtod would heed the locale */
	double v[3] = {NAN, -1, -1};
	for (size_t i = 0; i < 3 && json_array_size(list) == 3; i++)
		if (json_is_number(json_array_get(list, i)))
			v[i] = json_number_value(json_array_get(list, i));
	json_decref(list);
	if (isnan(v[0]) || v[1] < 0 || v[2] < 0)
		return ndl_fail(err, NDL_EFORMAT, "metadata " NDL_CONFIDENCE_KEY
			": '%.40s' is not three numbers, the last two not negative", text);
	*c = (ndl_confidence){v[0], v[1], v[2]};
	return NDL_OK;
}

ndl_status ndl_confidence_text(const ndl_confidence *c, ndl_buf *out, ndl_error *err)
{
	json_t *list = json_pack("[fff]", round(c->bias * 1e4) / 1e4, round(c->sum * 1e4) / 1e4, round(c->least * 1e4) / 1e4);
	ndl_json_write(out, list, 0);
	json_decref(list);
	return ndl_buf_check(out, err);
}
