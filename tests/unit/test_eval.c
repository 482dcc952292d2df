/* eval: metrics against values worked out by hand. */
#include "eval/eval.h"
#include "tests/tap.h"

#include "base/rng.h"

#define TOOLS "\"tools\":[{\"name\":\"getWeather\",\"parameters\":{\"type\":\"object\",\"properties\":{" \
	"\"city\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]},\"days\":{\"type\":\"integer\"}}," \
	"\"required\":[\"city\"]}},{\"name\":\"stop\",\"parameters\":{}}]"
#define HEAD "{\"query\":\"Weather in PARIS and Rome, 3 days\"," TOOLS ",\"answers\":"
#define PARIS "{\"name\":\"getWeather\",\"arguments\":{\"city\":\"Paris\",\"unit\":\"c\"}}"
#define ROME "{\"name\":\"getWeather\",\"arguments\":{\"city\":\"Rome\",\"days\":3}}"
#define STOP "{\"name\":\"stop\",\"arguments\":{}}"

static ndl_status score(ndl_eval_counts *c, const char *text, ndl_error *e)
{
	*e = (ndl_error)NDL_ERROR_INIT;
	json_t *record = ndl_json_parse(text, strlen(text), e);
	ndl_status rc = record ? ndl_eval_record(c, NULL, record, e) : NDL_EFORMAT;
	json_decref(record);
	return rc;
}

static void check_value(const ndl_eval_counts *c, const char *metric, double want)
{
	int i = ndl_eval_metric_find(metric);
	double got = i < 0 ? -1 : ndl_eval_value(c, (size_t)i);
	int ok = isnan(want) ? isnan(got) : fabs(got - want) < 1e-12;
	if (!ok)
		tap_note("got %.12g, want %.12g", got, want);
	tap_ok(ok, "%s is %g", metric, want);
}

static void test_perfect(void)
{
	ndl_error e;
	ndl_eval_counts c;
	/* another order of calls and keys, another spelling of the name, 3.0 for 3 */
	CHECK_INT(score(&c, HEAD "[" PARIS "," ROME "],\"calls\":[{\"name\":\"get_weather\",\"arguments\":"
	                "{\"days\":3.0,\"city\":\"Rome\"}}," PARIS "]}", &e), NDL_OK);
	static const char *const ones[] = {"exact_match", "relaxed_match", "call_f1", "name_f1", "args_acc", "value_acc",
	                                   "schema_valid", "value_grounded", "parse_rate"};
	for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++)
		check_value(&c, ones[i], 1);
	check_value(&c, "param_miss", 0);
	check_value(&c, "param_haluc", 0);
	check_value(&c, "refusal_recall", NAN);
	CHECK_INT(c.strings, 2); /* the enum's value is a choice */
}

/* Calls as OpenAI's interface hands them out; what jq writes for a field that is absent. */
static void test_forms(void)
{
	static const char *const same[] = {
		"[{\"name\":\"getWeather\",\"arguments\":\"{\\\"city\\\":\\\"Rome\\\",\\\"days\\\":3}\"}]",
		"[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"getWeather\",\"arguments\":"
		"\"{\\\"city\\\":\\\"Rome\\\",\\\"days\\\":3}\"}}]",
	};
	char text[1200];
	ndl_error e;
	ndl_eval_counts c;
	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof text, HEAD "[" ROME "],\"calls\":%s,\"error\":null,\"invalid\":null}", same[i]);
		CHECK_INT(score(&c, text, &e), NDL_OK);
		check_value(&c, "exact_match", 1);
		check_value(&c, "schema_valid", 1);
		snprintf(text, sizeof text, HEAD "%s,\"calls\":[" ROME "]}", same[i]);
		CHECK_INT(score(&c, text, &e), NDL_OK);
		check_value(&c, "exact_match", 1);
	}
	CHECK_INT(score(&c, HEAD "[],\"calls\":[],\"error\":null}", &e), NDL_OK);
	check_value(&c, "parse_rate", 1);
	CHECK_INT(score(&c, HEAD "[{\"name\":\"stop\"}],\"calls\":[{\"name\":\"stop\",\"arguments\":null}]}", &e), NDL_OK);
	check_value(&c, "exact_match", 1);
	check_value(&c, "schema_valid", 1);
	CHECK_INT(score(&c, HEAD "[{\"name\":\"stop\",\"args\":{\"city\":\"Rome\"}}],\"calls\":[]}", &e), NDL_EINVAL);
	CHECK_STR(e.text, "answers[0].arguments: missing, and \"args\" is not read");
	/* a choice of one alternative, and text of another */
	CHECK_INT(score(&c, "{\"query\":\"say hello\",\"tools\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":"
	                "{\"oneOf\":[{\"type\":\"string\",\"enum\":[\"x\"]},{\"type\":\"number\"}]},\"b\":{\"type\":\"string\"}}}}],\"answers\":[],"
	                "\"calls\":[{\"name\":\"f\",\"arguments\":{\"a\":\"x\",\"b\":\"hello\"}}]}", &e), NDL_OK);
	check_value(&c, "value_grounded", 1);
	CHECK_INT(c.strings, 1);
}

/* Two references, three predictions: Rome right; Paris with a wrong city, a wrong unit and an
 * invented key; a call of an unknown tool. */
static void test_mixed(void)
{
	ndl_error e;
	ndl_eval_counts c;
	CHECK_INT(score(&c, HEAD "\"[" "{\\\"name\\\":\\\"getWeather\\\",\\\"arguments\\\":{\\\"city\\\":\\\"Paris\\\","
	                "\\\"unit\\\":\\\"c\\\",\\\"days\\\":1}}," "{\\\"name\\\":\\\"getWeather\\\",\\\"arguments\\\":"
	                "{\\\"city\\\":\\\"Rome\\\",\\\"days\\\":3}}]\",\"calls\":["
	                "{\"name\":\"getWeather\",\"arguments\":{\"city\":\"Oslo\",\"unit\":\"k\",\"mood\":\"rome\"}}," ROME
	                ",{\"name\":\"sing\",\"arguments\":{\"song\":\"x\"}}]}", &e), NDL_OK);
	check_value(&c, "exact_match", 0);
	check_value(&c, "call_f1", 2.0 * 1 / 5);
	check_value(&c, "name_f1", 2.0 * 2 / 5);
	check_value(&c, "args_acc", 1.0 / 2);
	check_value(&c, "param_miss", 1.0 / 5);  /* days of Paris; keys city unit days city days */
	check_value(&c, "value_acc", 2.0 / 4);   /* Rome's two of city unit city days */
	check_value(&c, "param_haluc", 2.0 / 6); /* mood, song; keys city unit mood city days song */
	check_value(&c, "schema_valid", 1.0 / 3);
	check_value(&c, "value_grounded", 2.0 / 4); /* Oslo no, mood=rome yes, Rome yes, x no */
}

static void test_multisets(void)
{
	ndl_error e;
	ndl_eval_counts c;
	score(&c, HEAD "[" STOP "," STOP "],\"calls\":[" STOP "]}", &e);
	check_value(&c, "exact_match", 0);
	check_value(&c, "call_f1", 2.0 / 3);
	score(&c, HEAD "[" STOP "],\"calls\":[" STOP "," STOP "," STOP "]}", &e);
	check_value(&c, "exact_match", 0);
	check_value(&c, "name_f1", 2.0 / 4);
	/* pairs: the equal one first though it comes last */
	score(&c, HEAD "[" PARIS "],\"calls\":[" ROME "," PARIS "]}", &e);
	check_value(&c, "args_acc", 1);
	check_value(&c, "call_f1", 2.0 / 3);
	/* arguments may be missing */
	score(&c, HEAD "[" STOP "],\"calls\":[{\"name\":\"stop\"}]}", &e);
	check_value(&c, "exact_match", 1);
	/* case and blanks */
	score(&c, HEAD "[" PARIS "],\"calls\":[{\"name\":\"getWeather\",\"arguments\":{\"unit\":\"C\",\"city\":\" pARIS\"}}]}", &e);
	check_value(&c, "exact_match", 0);
	check_value(&c, "relaxed_match", 1);
	score(&c, HEAD "[" PARIS "],\"calls\":[{\"name\":\"getWeather\",\"arguments\":{\"unit\":\"c\",\"city\":\"Pa ris\"}}]}", &e);
	check_value(&c, "relaxed_match", 0);
}

static void test_refusals(void)
{
	static const char *const records[] = {
		HEAD "[],\"calls\":[]}",            /* right */
		HEAD "[],\"calls\":\"[]\"}",        /* right */
		HEAD "[],\"calls\":[" STOP "]}",    /* missed */
		HEAD "[" STOP "],\"calls\":[]}",    /* wrong */
		HEAD "[],\"calls\":\"[{\\\"na\"}",  /* not parsed: no refusal */
		HEAD "[" STOP "],\"calls\":[],\"invalid\":\"[{\"}",
		HEAD "[" STOP "],\"error\":{\"message\":\"x\"}}",
	};
	ndl_eval_counts sum = {0}, c;
	ndl_error e;
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
		CHECK_INT(score(&c, records[i], &e), NDL_OK);
		ndl_eval_add(&sum, &c);
	}
	check_value(&sum, "refusal_precision", 2.0 / 3);
	check_value(&sum, "refusal_recall", 2.0 / 4);
	check_value(&sum, "parse_rate", 4.0 / 7);
	check_value(&sum, "exact_match", 2.0 / 7);
	check_value(&sum, "call_f1", 0);
}

static void test_errors(void)
{
	static const struct { const char *record, *want; } bad[] = {
		{"[]", "expected an object"},
		{"{\"calls\":[]}", "answers: missing"},
		{"{\"answers\":[]}", "calls: missing, and no model was given to make them"},
		{"{\"answers\":7,\"calls\":[]}", "answers: expected an array"},
		{"{\"answers\":\"[\",\"calls\":[]}", "answers: invalid JSON"},
		{"{\"answers\":[{\"arguments\":{}}],\"calls\":[]}", "answers[0]: expected an object with a name"},
		{"{\"answers\":[{\"name\":\"a\",\"arguments\":1}],\"calls\":[]}", "answers[0].arguments: expected an object"},
		{"{\"answers\":[],\"calls\":[],\"tools\":3}", "tools"},
	};
	ndl_error e;
	ndl_eval_counts c;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(score(&c, bad[i].record, &e) < 0);
		if (!tap_ok(strstr(e.text, bad[i].want) != NULL, "says '%s'", bad[i].want))
			tap_note("got '%s'", e.text);
	}
	/* nothing to divide by, and no query or tools needed */
	CHECK_INT(score(&c, "{\"answers\":[],\"calls\":[]}", &e), NDL_OK);
	check_value(&c, "exact_match", 1);
	check_value(&c, "call_f1", NAN);
	check_value(&c, "schema_valid", NAN);
	CHECK(ndl_eval_metric_find("accuracy") == -1 && ndl_eval_metric(99) == NULL);
}

/* Many calls: no quadratic time, the same result. */
static void test_many(void)
{
	enum { N = 20000 };
	ndl_error e = NDL_ERROR_INIT;
	ndl_eval_counts c;
	json_t *a = json_array(), *b = json_array();
	for (int i = 0; i < N; i++) {
		json_array_append_new(a, json_pack("{s:s,s:{s:i}}", "name", "f", "arguments", "i", i));
		json_array_append_new(b, json_pack("{s:s,s:{s:i}}", "name", "f", "arguments", "i", N - i));
	}
	CHECK_INT(ndl_eval_calls(&c, NULL, NULL, a, b, &e), NDL_OK);
	CHECK(c.same_calls == N - 1 && c.same_names == N && c.same_values == N - 1);
	json_decref(a);
	json_decref(b);
}

static void test_reliability(void)
{
	ndl_reliability r = {0};
	ndl_calibration cal;
	ndl_error e = NDL_ERROR_INIT;
	CHECK(ndl_reliability_result(&r, &cal, &e) == NDL_OK && isnan(cal.ece) && isnan(cal.auroc));
	static const struct { double confidence; int right; } seen[] = {
		{0.95, 1}, {0.95, 1}, {0.95, 0}, {0.45, 1}, {0.45, 0}, {1.0, 1}, {0.0, 0}, {1.0, 1},
	};
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		CHECK_INT(ndl_reliability_add(&r, seen[i].confidence, seen[i].right, &e), NDL_OK);
	static const double none[] = {NAN, INFINITY, -0.01, 1.01};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		CHECK_INT(ndl_reliability_add(&r, none[i], 1, &e), NDL_EINVAL);
	CHECK_INT(ndl_reliability_result(&r, &cal, &e), NDL_OK);
	CHECK(cal.n == 8 && cal.right == 5);
	/* bin 9: .95 x3, 1, 1: 4 right, sum 4.85; bin 4: 1 right, sum .9; bin 0: 0, sum 0 */
	CHECK(cal.bin[9].n == 5 && cal.bin[9].right == 4 && fabs(cal.bin[9].confidence - 0.97) < 1e-12);
	CHECK(cal.bin[4].n == 2 && cal.bin[0].n == 1);
	CHECK(fabs(cal.ece - (0.85 + 0.1) / 8) < 1e-12);
	/* right .95 .95 .45 1 1 against wrong .95 .45 0: won .95: .5+1+1 twice, .45: .5+1, 1: 3 twice */
	CHECK(fabs(cal.auroc - (2 * 2.5 + 1.5 + 2 * 3) / 15) < 1e-12);
	ndl_reliability_clear(&r);
}

/* Samples whose chance to be right is known: the fit must find it. */
static void test_fit(void)
{
	enum { N = 4000 };
	static ndl_fit_sample s[N];
	const ndl_confidence truth = {0.5, 0.6, 0.3};
	ndl_confidence p;
	ndl_error err = NDL_ERROR_INIT;
	ndl_rng rng;
	ndl_rng_seed(&rng, 7, 0);
	for (int i = 0; i < N; i++) {
		s[i].least = -4 * ndl_rng_unit(&rng);
		s[i].sum = s[i].least - 3 * ndl_rng_unit(&rng);
		s[i].right = ndl_rng_unit(&rng) < ndl_confidence_apply(&truth, s[i].sum, s[i].least);
	}
	CHECK(ndl_fit(s, N, &p, &err) == NDL_OK);
	tap_note("%.3f %.3f %.3f", p.bias, p.sum, p.least);
	CHECK(fabs(p.bias - truth.bias) < 0.2 && fabs(p.sum - truth.sum) < 0.1 && fabs(p.least - truth.least) < 0.1);
	for (int i = 0; i < N; i++) /* what is likelier is wrong: no weight may say so */
		s[i].right = s[i].sum < -4;
	CHECK(ndl_fit(s, N, &p, &err) == NDL_OK);
	CHECK(p.sum == 0 && p.least == 0);
	for (int i = 0; i < N; i++) /* separable, and features that say nothing */
		s[i] = (ndl_fit_sample){i % 2 ? -1 : -100, 0, i % 2};
	CHECK(ndl_fit(s, N, &p, &err) == NDL_OK);
	CHECK(isfinite(p.bias) && isfinite(p.sum) && ndl_confidence_apply(&p, -1, 0) > 0.9 &&
	      ndl_confidence_apply(&p, -100, 0) < 0.1);
	CHECK(ndl_fit(s, NDL_FIT_LEAST - 1, &p, &err) == NDL_EINVAL);
	for (int i = 0; i < N; i++)
		s[i].right = 1;
	CHECK(fabs(ndl_confidence_apply(&NDL_CONFIDENCE_PLAIN, log(0.3), -1) - 0.3) < 1e-9);
	CHECK(ndl_fit(s, N, &p, &err) == NDL_EINVAL);
}

int main(void)
{
	test_fit();
	test_perfect();
	test_forms();
	test_mixed();
	test_multisets();
	test_refusals();
	test_errors();
	test_many();
	test_reliability();
	return tap_done();
}
