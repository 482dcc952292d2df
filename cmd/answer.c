#include "cmd/answer.h"

#include "base/utf8.h"
#include "data/prompt.h"

#include <math.h>
#include <string.h>

double answer_digits(double x, int digits)
{
	double unit = pow(10, digits);
	return round(x * unit) / unit;
}

const char *answer_cut(const ndl_result *r)
{
	if (r->cut & NDL_CUT_TOOLS)
		return r->cut & NDL_CUT_QUERY ? "query and tools do not fit into the model's window and were cut"
		                              : "the tools do not fit into the model's window and were cut; -k offers only the best";
	return r->cut & NDL_CUT_QUERY ? "the query does not fit into the model's window and was cut" : NULL;
}

json_t *answer_timings(const ndl_result *r)
{
	json_t *t = json_object();
	json_object_set_new(t, "prefill_tokens", json_integer((json_int_t)r->prefill_tokens));
	json_object_set_new(t, "decode_tokens", json_integer((json_int_t)r->decode_tokens));
	json_object_set_new(t, "prefill_ms", json_real(answer_digits(r->prefill_ms, 3)));
	json_object_set_new(t, "decode_ms", json_real(answer_digits(r->decode_ms, 3)));
	return t;
}

void answer_drop(json_t *record)
{
	static const char *const keys[] = {"calls", "confidence", "truncated", "rejected", "invalid", "error", "timings", "trace",
		"sources"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		json_object_del(record, keys[i]);
}

void answer_add(json_t *record, const ndl_result *r, bool timings)
{
	json_object_set(record, "calls", r->calls);
	json_object_set_new(record, "confidence", json_real(answer_digits(r->confidence, 4)));
	if (r->truncated)
		json_object_set_new(record, "truncated", json_true());
	if (r->rejected)
		json_object_set_new(record, "rejected", json_true());
	if (r->invalid)
		json_object_set_new(record, "invalid", json_stringn(r->invalid, ndl_utf8_check(r->invalid, strlen(r->invalid))));
	if (timings)
		json_object_set_new(record, "timings", answer_timings(r));
}
