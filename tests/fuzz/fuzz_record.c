/* Records of training data: whatever the line is, it is refused with a reason, or becomes an
 * example that keeps to its windows and whose answer reads back; and it can be scored. */
#include "tests/fuzz/fuzz.h"

#include "data/record.h"
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

/* The vocabulary, read once: the one thing that outlives a call. */
static const ndl_tok *vocabulary(void)
{
	static ndl_tok *tok;
	if (!tok)
		tok = ndl_tok_load(NDL_SRCDIR "/testdata/vocab-512.model", NULL);
	if (!tok)
		abort();
	return tok;
}

static void check_example(const ndl_example *x, const ndl_example_options *o)
{
	size_t max_enc = (size_t)o->config.max_enc_len, max_dec = (size_t)o->config.max_dec_len;
	json_t *answer = ndl_json_parse(x->answer.text.data, x->answer.text.len, NULL);
	if (!json_is_array(answer) || json_array_size(answer) != x->calls)
		abort();
	if (x->enc.len > max_enc || x->dec.len - 1 > max_dec || x->query.len > max_enc || x->tool.len > max_enc)
		abort();
	if (x->answer.byte_class.len != x->answer.text.len || (x->query.len == 0) != (x->tool.len == 0))
		abort();
	json_decref(answer);
}

static void make(const char *line, size_t size, int max_enc, int max_dec, uint64_t seed)
{
	ndl_example_options o = {vocabulary(), {.max_enc_len = max_enc, .max_dec_len = max_dec}, true, NULL, 0};
	ndl_example x = {0};
	ndl_error err = NDL_ERROR_INIT;
	ndl_rng rng;
	ndl_rng_seed(&rng, seed, 0);
	int rc = ndl_example_make(&x, &o, line, size, seed ? &rng : NULL, &err);
	if (rc < 0 && (err.code == NDL_OK || !err.text[0]))
		abort(); /* a refusal without a reason */
	if (rc == NDL_MADE)
		check_example(&x, &o);
	ndl_example_clear(&x);
}

/* Scored as it is; and an answer against itself is right. */
static void evaluate(const char *line, size_t size)
{
	ndl_eval_counts c;
	ndl_error err = NDL_ERROR_INIT;
	json_t *record = ndl_json_parse(line, size, NULL);
	if (!record)
		return;
	if (ndl_eval_record(&c, NULL, record, &err) != NDL_OK && !err.text[0])
		abort();
	json_t *answers = json_is_object(record) ? json_object_get(record, "answers") : NULL;
	if (answers && ndl_eval_calls(&c, "", NULL, answers, answers, &err) == NDL_OK &&
	    (!c.exact || !c.relaxed || c.same_names != c.ref_calls))
		abort();
	json_decref(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	make(line, size, 1024, 512, 0);
	make(line, size, 40, 24, 7);
	evaluate(line, size);
	return 0;
}

size_t fuzz_seed(size_t i, uint8_t *out)
{
	static const char *const seeds[] = {
		"{\"query\":\"wake me at 7 \xe2\x98\x83\",\"tools\":[{\"name\":\"setAlarm\",\"description\":\"d\",\"parameters\":{"
		"\"time\":{\"type\":\"string\",\"required\":true},\"days\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
		"\"o\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"},\"y\":{\"type\":\"boolean\"}}}}},"
		"{\"name\":\"stop\",\"parameters\":{}}],\"answers\":[{\"name\":\"set_alarm\",\"arguments\":{\"days\":[1,2],"
		"\"o\":{\"y\":true,\"x\":1.5e3},\"time\":\"7 \\u2603\"}},{\"name\":\"stop\"}],\"calls\":[{\"name\":\"stop\"}]}",
		"{\"query\":\"q\",\"tools\":\"[{\\\"type\\\":\\\"function\\\",\\\"function\\\":{\\\"name\\\":\\\"f\\\",\\\"parameters\\\":"
		"{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{\\\"a\\\":{\\\"type\\\":\\\"string\\\",\\\"enum\\\":[\\\"x\\\"]}}}}}]\","
		"\"answers\":\"[{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":\\\"{\\\\\\\"a\\\\\\\":\\\\\\\"x\\\\\\\"}\\\"}]\",\"calls\":\"[{\"}",
		"{\"query\":\"\",\"tools\":[],\"answers\":[],\"calls\":[],\"confidence\":0.5}",
	};
	if (i >= sizeof seeds / sizeof seeds[0])
		return 0;
	size_t n = strlen(seeds[i]);
	memcpy(out, seeds[i], n);
	return n;
}
