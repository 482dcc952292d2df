/* needle-quantize --check: how far the file that was written does what its source does. */
#include "cmd/quantize.h"

#include "base/mem.h"
#include "data/record.h"
#include "eval/eval.h"
#include "session/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE, RESULT, SIDES };
#define EVEN 0.1f

/* One of the two models at work. */
typedef struct side {
	ndl_engine *engine;
	ndl_session *session;
	float *logits; /* [max_dec_len][V]: of the example at hand */
	ndl_eval_counts counts;
} side;

typedef struct check {
	side s[SIDES];
	size_t records, same_calls;
	size_t tokens, same_tokens; /* of the answers */
	size_t even_tokens;         /* not the same, where the source's first two choices are less than EVEN nats apart */
	double kl;                  /* sum over them */
} check;

static void close_sides(check *k)
{
	for (int i = 0; i < SIDES; i++) {
		ndl_session_free(k->s[i].session);
		ndl_engine_free(k->s[i].engine);
		free(k->s[i].logits);
	}
}

static ndl_status open_sides(check *k, const quantize_model *m, const char *written, ndl_exec *x, ndl_error *err)
{
	size_t room = (size_t)m->config.max_dec_len * (size_t)m->config.vocab_size;
	k->s[SOURCE].engine = ndl_engine_new(m->ckpt, err);
	k->s[RESULT].engine = k->s[SOURCE].engine ? ndl_engine_open(written, err) : NULL;
	if (!k->s[RESULT].engine)
		return err->code;
	for (int i = 0; i < SIDES; i++) {
		k->s[i].session = ndl_session_new(k->s[i].engine, x, err);
		if (!k->s[i].session)
			return NDL_ENOMEM;
		k->s[i].logits = ndl_alloc64(room, sizeof *k->s[i].logits);
		if (!k->s[i].logits)
			return ndl_fail_nomem(err, "logits");
	}
	return NDL_OK;
}

/* Logits ---------------------------------------------------------------------------------- */

static double log_sum_exp(const float *x, size_t n)
{
	double sum = 0, max = (double)x[ndl_argmax(x, n)];
	for (size_t i = 0; i < n; i++)
		sum += exp((double)x[i] - max);
	return max + log(sum);
}

/* How far the best value is above the second. */
static float lead(const float *x, size_t n)
{
	size_t best = ndl_argmax(x, n);
	float second = -INFINITY;
	for (size_t i = 0; i < n; i++)
		second = i != best && x[i] > second ? x[i] : second;
	return x[best] - second;
}

/* sum p (log p - log q), p of a, q of b, in nats. */
static double divergence(const float *a, const float *b, size_t n)
{
	double la = log_sum_exp(a, n), lb = log_sum_exp(b, n), sum = 0;
	for (size_t i = 0; i < n; i++) {
		double log_p = (double)a[i] - la;
		sum += exp(log_p) * (log_p - (double)b[i] + lb);
	}
	return sum > 0 ? sum : 0;
}

/* Logits after every token of the right answer, whatever the model would have said. */
static ndl_status forced_logits(side *s, const ndl_example *e, ndl_error *err)
{
	ndl_encoder *enc = ndl_session_encoder(s->session);
	ndl_decoder *dec = ndl_session_decoder(s->session);
	const float *states, *hidden;
	ndl_status rc = ndl_encoder_run(enc, e->enc.id, e->enc.len, &states, err);
	if (rc == NDL_OK)
		rc = ndl_decoder_start(dec, states, e->enc.len, err);
	if (rc == NDL_OK)
		rc = ndl_decoder_step(dec, e->dec.id, e->dec.len - 1, &hidden, err);
	if (rc == NDL_OK)
		ndl_decoder_logits(dec, hidden, e->dec.len - 1, s->logits);
	return rc;
}

static ndl_status compare_logits(check *k, const ndl_example *e, size_t vocab, ndl_error *err)
{
	ndl_status rc = NDL_OK;
	for (int i = 0; rc == NDL_OK && i < SIDES; i++)
		rc = forced_logits(&k->s[i], e, err);
	for (size_t t = 0; rc == NDL_OK && t + 1 < e->dec.len; t++) {
		const float *a = k->s[SOURCE].logits + t * vocab, *b = k->s[RESULT].logits + t * vocab;
		k->kl += divergence(a, b, vocab);
		bool same = ndl_argmax(a, vocab) == ndl_argmax(b, vocab);
		k->same_tokens += same;
		k->even_tokens += !same && lead(a, vocab) < EVEN;
		k->tokens++;
	}
	return rc;
}

/* Calls ----------------------------------------------------------------------------------- */

/* The calls of one model, scored; *calls is a new reference. */
static ndl_status call(side *s, const ndl_record *r, json_t **calls, ndl_error *err)
{
	const ndl_request request = {0};
	ndl_result result = {0};
	ndl_eval_counts counts;
	*calls = NULL;
	ndl_toolset *tools = ndl_toolset_new(s->engine, json_object_get(r->root, "tools"), 0, err);
	ndl_status rc = tools ? ndl_session_run(s->session, tools, r->query, r->query_len, &request, &result, err) : NDL_EINVAL;
	if (rc == NDL_OK)
		rc = ndl_eval_calls(&counts, r->query, ndl_toolset_tools(tools), r->answers, result.calls, err);
	if (rc == NDL_OK) {
		ndl_eval_add(&s->counts, &counts);
		*calls = json_incref(result.calls);
	}
	ndl_result_clear(&result);
	ndl_toolset_free(tools);
	return rc;
}

static ndl_status compare_calls(check *k, const ndl_record *r, ndl_error *err)
{
	json_t *calls[SIDES] = {NULL, NULL};
	ndl_status rc = NDL_OK;
	for (int i = 0; rc == NDL_OK && i < SIDES; i++)
		rc = call(&k->s[i], r, &calls[i], err);
	if (rc == NDL_OK) {
		k->same_calls += ndl_json_equal(calls[SOURCE], calls[RESULT]) != 0;
		k->records++;
	}
	json_decref(calls[SOURCE]);
	json_decref(calls[RESULT]);
	return rc;
}

static ndl_status check_line(check *k, ndl_example *e, const ndl_example_options *o, const char *line, size_t len,
                             ndl_error *err)
{
	ndl_record r;
	ndl_status rc = ndl_record_parse(&r, line, len, NULL, err);
	if (rc == NDL_OK)
		rc = compare_calls(k, &r, err);
	ndl_record_clear(&r);
	int made = rc == NDL_OK ? ndl_example_make(e, o, line, len, NULL, err) : rc;
	if (made == NDL_MADE) /* not where the answer or its tools are too long for the windows */
		return compare_logits(k, e, (size_t)o->config.vocab_size, err);
	return made < 0 ? (ndl_status)made : NDL_OK;
}

static ndl_status check_lines(const cli *c, check *k, const ndl_lines *lines, ndl_error *err)
{
	ndl_engine *source = k->s[SOURCE].engine;
	ndl_example_options o = {.tok = ndl_engine_tok(source), .config = *ndl_model_config(ndl_engine_model(source))};
	ndl_example e = {0};
	size_t n = ndl_lines_count(lines), len, line_no;
	ndl_status s = NDL_OK;
	for (size_t i = 0; s == NDL_OK && i < n; i++) {
		const char *file, *line = ndl_lines_at(lines, i, &len);
		s = check_line(k, &e, &o, line, len, err);
		if (s != NDL_OK) {
			ndl_lines_source(lines, i, &file, &line_no);
			ndl_error_at(err, file, line_no);
		}
		cli_progress(c, i + 1, n, "check");
	}
	cli_progress_end(c);
	ndl_example_clear(&e);
	return s == NDL_OK && !k->records ? ndl_fail(err, NDL_EINVAL, "no record to check with") : s;
}

/* Report ---------------------------------------------------------------------------------- */

static double share(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

void quantize_check_print(json_t *report)
{
	const char *name;
	json_t *value;
	printf("\nchecked with %lld records: %.2f %% give the same calls as the source\n",
	       (long long)json_integer_value(json_object_get(report, "records")),
	       100 * json_number_value(json_object_get(report, "same_calls")));
	printf("%lld tokens of right answers: logits differ by a KL divergence of %.5f nats on average, %.2f %% have the same "
	       "first choice\n", (long long)json_integer_value(json_object_get(report, "tokens")),
	       json_number_value(json_object_get(report, "mean_kl")),
	       100 * json_number_value(json_object_get(report, "same_tokens")));
	printf("%.2f %% have another, where the source's first two are less than %g nats apart\n",
	       100 * json_number_value(json_object_get(report, "even_tokens")), (double)EVEN);
	printf("%-18s %8s %8s\n", "", "source", "written");
	json_object_foreach(json_object_get(report, "metrics"), name, value) {
		printf("%-18s", name);
		for (size_t i = 0; i < SIDES; i++) {
			const json_t *x = json_array_get(value, i);
			if (json_is_number(x))
				printf(" %8.4f", json_number_value(x));
			else
				printf(" %8s", "-");
		}
		putchar('\n');
	}
}

static json_t *metric(double x)
{
	return isnan(x) ? json_null() : json_real(x);
}

static json_t *report_of(const check *k, ndl_error *err)
{
	json_t *metrics = json_object();
	for (size_t i = 0; ndl_eval_metric(i); i++)
		json_object_set_new(metrics, ndl_eval_metric(i),
		                    json_pack("[o,o]", metric(ndl_eval_value(&k->s[SOURCE].counts, i)),
		                              metric(ndl_eval_value(&k->s[RESULT].counts, i))));
	json_t *report = json_pack("{s:I,s:f,s:I,s:f,s:f,s:f,s:o}", "records", (json_int_t)k->records, "same_calls",
	                           share(k->same_calls, k->records), "tokens", (json_int_t)k->tokens, "mean_kl",
	                           k->tokens ? k->kl / (double)k->tokens : 0.0, "same_tokens",
	                           share(k->same_tokens, k->tokens), "even_tokens", share(k->even_tokens, k->tokens),
	                           "metrics", metrics);
	if (!report)
		ndl_fail_nomem(err, "report");
	return report;
}

json_t *quantize_check(const cli *c, const quantize_model *m, const char *written, const ndl_lines *lines, const char *path,
                       ndl_exec *x, ndl_error *err)
{
	check k = {0};
	json_t *report = NULL;
	ndl_status s = open_sides(&k, m, written, x, err);
	if (s == NDL_OK && (s = check_lines(c, &k, lines, err)) != NDL_OK)
		ndl_error_at(err, path, 0);
	if (s == NDL_OK)
		report = report_of(&k, err);
	close_sides(&k);
	return report;
}
