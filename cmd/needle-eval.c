/* needle-eval - scores the calls of records against their right answers.
 *
 * Reads JSON Lines with "answers" (right) and "calls" (made, as needle-infer writes them, or by
 * the model that -m names), writes a table or JSON with the metrics that lib/eval defines. The manual is needle-eval(1). */
#include "cmd/cli.h"
#include "cmd/engine.h"
#include "cmd/calibrate.h"
#include "cmd/eval_infer.h"
#include "cmd/eval_report.h"
#include "cmd/records.h"

#include "base/outfile.h"
#include "base/reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_JSON = 256, KEY_BY, KEY_UNDER, KEY_OVER, KEY_FAILURES, KEY_STRICT, KEY_GROUND, KEY_BEAM,
	KEY_REFUSE, KEY_LEXICAL, KEY_CALIBRATE, KEY_PRECISION, KEY_RANK, KEY_RECALL, KEY_TODAY, KEY_LENIENT };
enum { MAX_LIMITS = 32, CHUNK = 64 };

static const cli_option options[] = {
	{'m', "model", "FILE", "make the calls with this model first"},
	{'t', "tools", "FILE", "tool list of all records [each record's own]"},
	{KEY_BY, "by", "FIELD", "also a row for each value of this field (dots go inside: meta.kind)"},
	{KEY_JSON, "json", NULL, "one JSON object instead of tables"},
	{KEY_UNDER, "fail-under", "METRIC=X", "exit with 1 if the metric is under X; may be repeated"},
	{KEY_OVER, "fail-over", "METRIC=X", "exit with 1 if the metric is over X; may be repeated"},
	{KEY_FAILURES, "failures", "FILE", "write the records without exact match to FILE"},
	CLI_PRECISION(KEY_PRECISION),
	{KEY_GROUND, "ground", "strict|prefer|off", "with -m: as needle-infer [prefer]"},
	{KEY_REFUSE, "refuse-bias", "X", "with -m: as needle-infer [0]"},
	{KEY_LEXICAL, "lexical-weight", "X", "with -m: as needle-infer [1]"},
	{KEY_BEAM, "beam", "N", "with -m: as needle-infer [1; 4 in doubt]"},
	{KEY_TODAY, "today", "DATE", "with -m: as needle-infer"},
	{KEY_LENIENT, "lenient", NULL, "with -m: as needle-infer"},
	{'k', "top-tools", "K", "with -m: as needle-infer [all]"},
	CLI_RANK(KEY_RANK),
	{KEY_RECALL, "recall", NULL, "with -m: score retrieval alone, how high the called tools are ranked"},
	{KEY_CALIBRATE, "calibrate", "FILE", "with -m: write the model with its confidence fitted to these records"},
	{KEY_STRICT, "strict", NULL, "stop at the first bad record"},
	{0, NULL, NULL, NULL},
};

typedef struct limit {
	char name[64];
	size_t metric; /* of --recall, or of scores */
	double bound;
	bool over;
} limit;

typedef struct job {
	cli c;
	const char *model, *tools_path, *failures_path, *calibrate_path;
	int tool_flags;
	ndl_request request;
	calibration fit;
	bool json, strict, recall;
	ndl_precision precision;
	limit limits[MAX_LIMITS];
	size_t n_limits;
	ndl_tools *tools;
	eval_caller *caller;
	ndl_outfile failures;
	ndl_buf line;
	eval_totals totals;
	size_t uncalled;   /* records that lack only "calls", before the first that could be scored */
	ndl_recall ranked; /* --recall */
} job;

/* Records ------------------------------------------------------------------------------ */

static ndl_status write_failure(job *j, const json_t *record, ndl_error *err)
{
	if (!j->failures.f)
		return NDL_OK;
	ndl_buf_reset(&j->line);
	ndl_json_write(&j->line, record, 0);
	ndl_buf_byte(&j->line, '\n');
	ndl_status rc = ndl_buf_check(&j->line, err);
	if (rc == NDL_OK) /* whether it could be written is asked when the file is finished: what is computed is not lost */
		fwrite(j->line.data, 1, j->line.len, j->failures.f);
	return rc;
}

/* Negative: the record is bad; *fatal: not the record, but memory or the disk. */
static ndl_status score_record(job *j, const json_t *record, const ndl_odds *odds, bool *fatal, ndl_error *err)
{
	ndl_eval_counts counts;
	ndl_status rc = ndl_eval_record(&counts, j->tools, record, err);
	if (rc == NDL_OK)
		rc = eval_totals_add(&j->totals, &counts, record, err);
	*fatal = rc == NDL_ENOMEM;
	if (rc != NDL_OK)
		return rc;
	if (j->calibrate_path && odds)
		rc = calibrate_add(&j->fit, odds, counts.exact, err);
	if (rc == NDL_OK && !counts.exact)
		rc = write_failure(j, record, err);
	*fatal = rc != NDL_OK;
	return rc;
}

/* Records that are read, called and scored together. */
typedef struct chunk {
	json_t *record[CHUNK]; /* NULL: err says why */
	ndl_error err[CHUNK];
	ndl_odds odds[CHUNK];  /* of calls that this program made */
	ndl_recall ranked[CHUNK];
	size_t line[CHUNK];
	size_t n;
} chunk;

static void report_bad(const job *j, const ndl_reader *in, const chunk *k, size_t i)
{
	ndl_error err = k->err[i];
	ndl_error_at(&err, ndl_reader_name(in), k->line[i]);
	err.line = k->line[i]; /* not the line inside the record */
	cli_report(&j->c, &err);
}

/* Of record i, which was not scored. That it has no calls is not said again as long as none before it has any. */
static void report_unscored(job *j, const ndl_reader *in, const chunk *k, size_t i, ndl_status why)
{
	bool uncalled = why == NDL_ENOTFOUND && j->totals.all.records == 0;
	j->uncalled += uncalled;
	if (!uncalled || j->uncalled == 1)
		report_bad(j, in, k, i);
}

/* CLI_OK, CLI_NEGATIVE if some were bad, CLI_UNUSABLE to stop. */
static int score_chunk(job *j, const ndl_reader *in, chunk *k)
{
	int status = CLI_OK;
	if (j->caller)
		eval_caller_run(j->caller, k->record, k->err, k->odds, k->n);
	for (size_t i = 0; i < k->n && status != CLI_UNUSABLE; i++) {
		bool fatal = false, called = k->err[i].code == NDL_OK;
		if (k->record[i] && !called) /* a failed call is scored, as a wrong one */
			report_bad(j, in, k, i);
		ndl_status rc = k->record[i] ? score_record(j, k->record[i], called ? &k->odds[i] : NULL, &fatal, &k->err[i]) : k->err[i].code;
		if (rc == NDL_OK && called)
			continue;
		if (rc != NDL_OK) {
			report_unscored(j, in, k, i, rc);
			j->totals.bad += !fatal;
		}
		status = fatal ? CLI_UNUSABLE : CLI_NEGATIVE;
		if (j->strict)
			break;
	}
	return status;
}

/* The same of --recall. */
static int rank_chunk(job *j, const ndl_reader *in, chunk *k)
{
	int status = CLI_OK;
	eval_caller_rank(j->caller, k->record, k->err, k->ranked, k->n);
	for (size_t i = 0; i < k->n && !(j->strict && status); i++) {
		ndl_recall_add(&j->ranked, &k->ranked[i]);
		if (k->err[i].code == NDL_OK)
			continue;
		report_bad(j, in, k, i);
		status = CLI_NEGATIVE;
	}
	return status;
}

/* The next CHUNK records; fewer at the end, and where --strict stops: calls are made side by side, the rest needs no
 * company. Negative when the input itself is broken. */
static int read_chunk(const job *j, ndl_reader *in, chunk *k, ndl_error *err)
{
	const size_t most = j->strict && !j->caller ? 1 : CHUNK;
	bool stop = false;
	const char *text;
	size_t len;
	for (size_t i = 0; i < k->n; i++)
		json_decref(k->record[i]);
	for (k->n = 0; k->n < most && !stop;) {
		ndl_error *e = &k->err[k->n];
		*e = (ndl_error)NDL_ERROR_INIT;
		int got = ndl_reader_line(in, &text, &len, e);
		if (got == 0)
			return 0;
		if (got < 0 && e->code != NDL_ELIMIT) {
			*err = *e;
			return got;
		}
		if (got > 0 && records_blank(&text, &len, ndl_reader_lineno(in)))
			continue;
		k->record[k->n] = got > 0 ? ndl_json_parse(text, len, e) : NULL;
		stop = j->strict && !k->record[k->n];
		k->line[k->n++] = ndl_reader_lineno(in);
	}
	return 0;
}

static int score_all(job *j, ndl_reader *in, chunk *k)
{
	int status = CLI_OK;
	do {
		ndl_error err = NDL_ERROR_INIT;
		int got = read_chunk(j, in, k, &err), scored = j->recall ? rank_chunk(j, in, k) : score_chunk(j, in, k);
		if (scored > status)
			status = scored;
		if (got < 0) {
			cli_report(&j->c, &err);
			status = CLI_UNUSABLE;
		}
		cli_progress(&j->c, j->recall ? j->ranked.records : j->totals.all.records, 0, "records");
	} while (k->n > 0 && status != CLI_UNUSABLE && !(j->strict && status != CLI_OK));
	cli_progress_end(&j->c);
	return status;
}

static int score_input(job *j, const char *path)
{
	ndl_error err = NDL_ERROR_INIT;
	cli_stdin_hint(&j->c, path);
	ndl_reader *in = ndl_reader_open(path, &err);
	chunk *k = calloc(1, sizeof *k);
	int status = CLI_UNUSABLE;
	if (in && !k)
		ndl_fail_nomem(&err, "records");
	if (in && k)
		status = score_all(j, in, k);
	else
		cli_report(&j->c, &err);
	for (size_t i = 0; k && i < k->n; i++)
		json_decref(k->record[i]);
	free(k);
	ndl_reader_close(in);
	return status;
}

/* Options ------------------------------------------------------------------------------ */

static const char *limit_option(bool over)
{
	return over ? "--fail-over" : "--fail-under";
}

static void add_limit(job *j, const char *text, bool over)
{
	const char *equals = strchr(text, '='), *option = limit_option(over);
	limit l = {.over = over};
	size_t len = equals ? (size_t)(equals - text) : sizeof l.name;
	if (len >= sizeof l.name)
		cli_usage_error(&j->c, "%s: expected METRIC=X, not '%s'", option, text);
	memcpy(l.name, text, len);
	l.bound = cli_double(&j->c, option, equals + 1, 0, 1);
	if (j->n_limits == MAX_LIMITS)
		cli_usage_error(&j->c, "%s: given more than %d times", option, MAX_LIMITS);
	j->limits[j->n_limits++] = l;
}

/* Once all options are known. */
static void find_metrics(job *j)
{
	for (size_t i = 0; i < j->n_limits; i++) {
		limit *l = &j->limits[i];
		int metric = j->recall ? ndl_recall_metric_find(l->name) : ndl_eval_metric_find(l->name);
		if (metric < 0)
			cli_usage_error(&j->c, "%s: there is no metric '%s'%s", limit_option(l->over), l->name, j->recall ? " of --recall" : "");
		l->metric = (size_t)metric;
	}
}

static const char *parse_options(job *j, int argc, char **argv)
{
	const char *arg;
	int key, first;
	while ((key = cli_next(&j->c, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case 'm': j->model = arg; break;
		case 't': j->tools_path = arg; break;
		case KEY_JSON: j->json = true; break;
		case KEY_BY: j->totals.field = arg; break;
		case KEY_UNDER: add_limit(j, arg, false); break;
		case KEY_OVER: add_limit(j, arg, true); break;
		case KEY_FAILURES: j->failures_path = arg; break;
		case KEY_PRECISION: j->precision = cli_precision(&j->c, arg); break;
		case KEY_GROUND: j->request.ground = cli_grounding(&j->c, arg); break;
		case KEY_REFUSE: j->request.refuse_bias = cli_refuse_bias(&j->c, arg); break;
		case KEY_LEXICAL: j->request.lexical_weight = cli_lexical_weight(&j->c, arg); break;
		case KEY_BEAM: j->request.beam = (size_t)cli_long(&j->c, "--beam", arg, 1, NDL_BEAM_MAX); break;
		case KEY_TODAY: j->request.today = cli_today(&j->c, arg); break;
		case KEY_LENIENT: j->tool_flags |= NDL_TOOLS_LENIENT; break;
		case 'k': j->request.top_tools = (size_t)cli_long(&j->c, "--top-tools", arg, 1, 100000); break;
		case KEY_RANK: j->request.rank = cli_ranking(&j->c, arg); break;
		case KEY_RECALL: j->recall = true; break;
		case KEY_CALIBRATE: j->calibrate_path = arg; break;
		case KEY_STRICT: j->strict = true; break;
		}
	}
	if (!j->model && (j->calibrate_path || j->request.ground || j->request.beam || j->request.refuse_bias != 0 ||
	                  j->request.lexical_weight != 0 || j->request.today || j->tool_flags || j->request.top_tools || j->recall))
		cli_usage_error(&j->c, "--calibrate, --ground, --refuse-bias, --lexical-weight, --beam, --today, --lenient, --top-tools and "
		                       "--recall need --model");
	cli_check_today(&j->c, &j->request);
	if (j->request.rank && !j->request.top_tools && !j->recall)
		cli_usage_error(&j->c, "--rank goes with --top-tools or --recall");
	if (j->recall && (j->request.top_tools || j->calibrate_path || j->failures_path || j->totals.field || j->request.ground ||
	                  j->request.beam || j->request.refuse_bias != 0 || j->request.lexical_weight != 0 ||
	                  j->request.today))
		cli_usage_error(&j->c, "--recall makes no calls: it goes with --model, --tools, --lenient, --rank, --precision, --json, --strict, "
		                       "--fail-under and --fail-over only");
	find_metrics(j);
	if (j->model)
		cli_check_cpu(&j->c);
	if (argc - first > 1)
		cli_usage_error(&j->c, "more than one input file");
	const char *input = first < argc ? argv[first] : NULL;
	cli_refuse_same(&j->c, j->failures_path, j->tools_path);
	cli_refuse_same(&j->c, j->failures_path, input);
	cli_refuse_same(&j->c, j->failures_path, j->model);
	cli_refuse_same(&j->c, j->calibrate_path, j->tools_path);
	cli_refuse_same(&j->c, j->calibrate_path, input);
	cli_refuse_clash(&j->c, "--failures", j->failures_path, "--calibrate", j->calibrate_path);
	return input;
}

static ndl_status open_all(job *j, ndl_error *err)
{
	json_t *list = j->tools_path ? ndl_json_load(j->tools_path, err) : NULL;
	if (j->tools_path && !list)
		return NDL_EIO;
	if (list && !(j->tools = ndl_tools_new(list, NDL_TOOLS_LENIENT, err)))
		ndl_error_at(err, j->tools_path, 0);
	else if (j->model)
		j->caller = eval_caller_open(j->model, j->c.common.threads, j->precision, list, j->tool_flags, &j->request, j->recall, err);
	json_decref(list);
	if ((j->tools_path && !j->tools) || (j->model && !j->caller))
		return NDL_EINVAL;
	cli_note(&j->c, err, j->tools_path);
	if (j->calibrate_path && ndl_outfile_check(j->calibrate_path, err) != NDL_OK)
		return NDL_EIO;
	return j->failures_path ? ndl_outfile_open(&j->failures, j->failures_path, err) : NDL_OK;
}

/* Result ------------------------------------------------------------------------------- */

static int check_limits(const job *j)
{
	int status = CLI_OK;
	for (size_t i = 0; i < j->n_limits; i++) {
		const limit *l = &j->limits[i];
		double x = j->recall ? ndl_recall_value(&j->ranked, l->metric) : ndl_eval_value(&j->totals.all, l->metric);
		if (isnan(x)) /* what is not known does not pass */
			cli_warn(&j->c, "%s is not defined for these records", l->name);
		else if (l->over ? x > l->bound : x < l->bound)
			cli_warn(&j->c, "%s is %.4f, %s %g", l->name, x, l->over ? "over" : "under", l->bound);
		else
			continue;
		status = CLI_NEGATIVE;
	}
	return status;
}

static int finish_recall(const job *j, int status)
{
	if (j->ranked.records == 0) {
		cli_warn(&j->c, "no records with a call to score");
		return CLI_NEGATIVE > status ? CLI_NEGATIVE : status;
	}
	if (j->json)
		eval_write_recall_json(stdout, &j->ranked);
	else
		eval_write_recall(stdout, &j->ranked);
	int checked = check_limits(j);
	return checked > status ? checked : status;
}

static int finish(job *j, int status)
{
	ndl_error err = NDL_ERROR_INIT;
	if (j->recall)
		return finish_recall(j, status);
	if (j->failures.f && ndl_outfile_commit(&j->failures, &err) != NDL_OK) {
		cli_report(&j->c, &err);
		status = CLI_UNUSABLE;
	}
	if (j->totals.all.records == 0) {
		if (j->uncalled)
			cli_warn(&j->c, "no records to score: %zu without calls, which -m MODEL makes", j->uncalled);
		else
			cli_warn(&j->c, "no records to score");
		return CLI_NEGATIVE > status ? CLI_NEGATIVE : status;
	}
	if (j->uncalled > 1)
		cli_warn(&j->c, "%zu more records at the beginning have no calls", j->uncalled - 1);
	ndl_status rc = j->json ? eval_write_json(stdout, &j->totals, &err) : eval_write_table(stdout, &j->totals, &err);
	if (rc != NDL_OK) {
		cli_report(&j->c, &err);
		return CLI_UNUSABLE;
	}
	int checked = check_limits(j);
	if (j->calibrate_path && calibrate_write(&j->fit, j->model, j->calibrate_path, &err) != NDL_OK) {
		cli_report(&j->c, &err);
		return err.code == NDL_EINVAL ? CLI_NEGATIVE : CLI_UNUSABLE;
	}
	if (j->calibrate_path && !j->c.common.quiet)
		fprintf(stderr, "%s: log-odds of confidence: %.4f + %.4f * product's + %.4f * least choice's\n", j->c.name,
		        j->fit.fitted.bias, j->fit.fitted.sum, j->fit.fitted.least);
	return checked > status ? checked : status;
}

int main(int argc, char **argv)
{
	job j = {
		.c = {
			.name = "needle-eval",
			.usage = "needle-eval [OPTION]... [FILE]\n",
			.summary = "Score the calls of records against their answers: JSON Lines with both in, metrics out.",
			.examples = "  needle-infer test.jsonl | needle-eval\n"
			            "  needle-eval -m tuned.safetensors test.jsonl\n"
			            "  needle-eval --by meta.kind --failures misses.jsonl calls.jsonl\n"
			            "  needle-eval --json --fail-under call_f1=0.8 calls.jsonl | jq .exact_match\n",
			.options = options,
		},
		.precision = NDL_PRECISION_INT8,
	};
	ndl_error err = NDL_ERROR_INIT;
	cli_init(&j.c);
	const char *path = parse_options(&j, argc, argv);
	int status = CLI_UNUSABLE;
	if (open_all(&j, &err) != NDL_OK)
		cli_report(&j.c, &err);
	else
		status = score_input(&j, path);
	if (status != CLI_UNUSABLE)
		status = finish(&j, status);
	ndl_outfile_abort(&j.failures);
	eval_totals_clear(&j.totals);
	eval_caller_free(j.caller);
	calibrate_clear(&j.fit);
	ndl_tools_free(j.tools);
	ndl_buf_clear(&j.line);
	return cli_finish(&j.c, status);
}
