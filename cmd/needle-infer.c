/* needle-infer - a query and a list of tools to the calls that answer it.
 *
 * With a QUERY: one answer on stdout. Without: JSON Lines in, each record out with its calls.
 * The manual is needle-infer(1). */
#include "cmd/answer.h"
#include "cmd/cli.h"
#include "cmd/engine.h"
#include "cmd/npy.h"
#include "cmd/records.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_MIN = 256, KEY_MAX_TOKENS, KEY_STREAM, KEY_TIMINGS, KEY_PRECISION, KEY_TRACE, KEY_LOGITS, KEY_NO_GRAMMAR,
	KEY_LENIENT, KEY_STRICT, KEY_LINES, KEY_BEAM, KEY_REFUSE, KEY_LEXICAL, KEY_GROUND, KEY_TODAY, KEY_NO_JUMP, KEY_RANK, KEY_INDEX };

static const cli_option options[] = {
	{'t', "tools", "FILE", "tool list (JSON); - is stdin. Records with \"tools\" use their own"},
	{'i', "input", "FILE", "read records from FILE, whatever its name"},
	{KEY_LINES, "lines", NULL, "each input line is a query as it stands, not JSON"},
	{'k', "top-tools", "K", "offer only the K best tools, found by retrieval [all]"},
	CLI_RANK(KEY_RANK),
	{KEY_INDEX, "index", "FILE", "for --tools: an index as needle-encode makes it; -k is 5 unless given"},
	{KEY_MIN, "min-confidence", "X", "less confident answers become no call and \"rejected\":true [0]"},
	{KEY_GROUND, "ground", "strict|prefer|off", "copy string values from the query [prefer]"},
	{KEY_TODAY, "today", "DATE", "the day that \"tomorrow\" is said by, for arguments that are dates [with QUERY: now]"},
	{KEY_REFUSE, "refuse-bias", "X", "weigh [] against the first call with this advantage [0]"},
	{KEY_LEXICAL, "lexical-weight", "X", "how much the query's words speak for tools and arguments [1]"},
	{KEY_BEAM, "beam", "N", "keep the N best answers side by side while decoding [1; 4 in doubt]"},
	{KEY_MAX_TOKENS, "max-tokens", "N", "generate at most N tokens [the model's window]"},
	{KEY_STREAM, "stream", NULL, "with QUERY: print each call, a line each, as soon as it is decoded"},
	{KEY_TIMINGS, "timings", NULL, "add token counts and milliseconds"},
	{KEY_TRACE, "trace", NULL, "add every token with its probability"},
	{KEY_NO_JUMP, "no-jump-ahead", NULL, "a step of the network for every token, to measure what it costs"},
	{KEY_NO_GRAMMAR, "no-grammar", NULL, "plain greedy decoding, nothing guaranteed"},
	{KEY_LENIENT, "lenient", NULL, "ignore schema keywords that are not supported"},
	CLI_PRECISION(KEY_PRECISION),
	{KEY_LOGITS, "logits", "FILE", "with QUERY: write raw logits of unconstrained greedy steps (.npy)"},
	{KEY_STRICT, "strict", NULL, "stop at the first bad record"},
	{0, NULL, NULL, NULL},
};

typedef struct job {
	cli c;
	cli_engine e;
	const char *tools_path, *index, *input, *logits;
	bool lines, timings, trace, stream, strict;
	int tool_flags;
	ndl_precision precision;
	ndl_request request;
	ndl_toolset *tools; /* -t, or NULL */
} job;

/* What one thread works with. */
typedef struct worker {
	const job *j;
	cli_worker with; /* of one thread: records are what is done side by side */
	json_t *tokens;  /* --trace of the request under way */
} worker;

/* One request --------------------------------------------------------------------------- */

static void on_token(void *user, int32_t id, double p, size_t choices)
{
	worker *w = user;
	size_t len;
	const char *piece = ndl_tok_piece(ndl_engine_tok(w->j->e.engine), id, &len);
	json_t *t = json_object();
	json_object_set_new(t, "piece", json_stringn(piece, len));
	json_object_set_new(t, "p", json_real(answer_digits(p, 6)));
	json_object_set_new(t, "choices", json_integer((json_int_t)choices));
	json_array_append_new(w->tokens, t);
}

static void print_json(const json_t *value, FILE *f)
{
	ndl_buf out = NDL_BUF_INIT;
	ndl_json_write(&out, value, 0);
	ndl_buf_byte(&out, '\n');
	fwrite(ndl_buf_cstr(&out), 1, out.len, f);
	ndl_buf_clear(&out);
}

static void on_call(void *user, json_t *call)
{
	(void)user;
	print_json(call, stdout);
	fflush(stdout);
}

static cli_tools_use use_of(const job *j)
{
	return (cli_tools_use){.engine = j->e.engine, .flags = j->tool_flags, .request = &j->request};
}

/* Of a list, or with NULL of --index. */
static ndl_toolset *make_toolset(const job *j, const ndl_exec *x, json_t *tools, ndl_error *err)
{
	const cli_tools_use use = use_of(j);
	if (tools)
		return cli_toolset_new(&use, tools, x, err);
	ndl_toolset *t = ndl_toolset_open(j->e.engine, j->index, err);
	if (t && ndl_toolset_index(t, j->request.rank, NULL, x, err) != NDL_OK) {
		ndl_toolset_free(t);
		t = NULL;
	}
	return t;
}

static ndl_status ask(worker *w, const ndl_toolset *tools, const char *query, size_t len, ndl_result *r, ndl_error *err)
{
	ndl_request request = w->j->request;
	request.user = w;
	if (w->j->trace) {
		json_decref(w->tokens);
		w->tokens = json_array();
		request.trace = on_token;
		request.sources = true;
	}
	if (w->j->stream)
		request.on_call = on_call;
	return ndl_session_run(w->with.session, tools, query, len, &request, r, err);
}

/* Records ------------------------------------------------------------------------------- */

/* The record's own tools, else those of -t. */
static const ndl_toolset *tools_of(worker *w, json_t *record, ndl_error *err)
{
	json_t *given = ndl_json_get(record, "tools");
	if (!given) {
		if (!w->j->tools)
			ndl_fail(err, NDL_EINVAL, "no \"tools\" in the record, and no --tools");
		return w->j->tools;
	}
	const cli_tools_use use = use_of(w->j);
	return cli_own_toolset(&w->with.own, &use, given, w->with.exec, err);
}

static void add_result(const worker *w, json_t *record, const ndl_result *r)
{
	answer_add(record, r, w->j->timings);
	if (w->j->trace)
		json_object_set(record, "trace", w->tokens);
	if (r->sources)
		json_object_set(record, "sources", r->sources);
}

static int do_record(void *user, json_t *record, ndl_error *err)
{
	worker *w = user;
	ndl_result r = {0};
	json_t *query = json_object_get(record, "query");
	answer_drop(record);
	if (!json_is_string(query))
		return ndl_fail(err, NDL_EINVAL, "query: expected a string, found %s",
		                query ? ndl_json_type_name(query) : "nothing");
	const ndl_toolset *tools = tools_of(w, record, err);
	if (!tools)
		return NDL_EINVAL;
	ndl_status rc = ask(w, tools, json_string_value(query), json_string_length(query), &r, err);
	if (rc != NDL_OK)
		return rc;
	if (answer_cut(&r)) /* a text without a failure is a warning */
		ndl_fail(err, NDL_OK, "%s", answer_cut(&r));
	add_result(w, record, &r);
	ndl_result_clear(&r);
	return 0;
}

static int records(job *j)
{
	enum { MAX_WORKERS = 64 };
	ndl_error err = NDL_ERROR_INIT;
	records_stats stats = {0};
	worker workers[MAX_WORKERS] = {{0}};
	void *users[MAX_WORKERS];
	size_t want = (size_t)ndl_exec_threads(j->e.exec), n = 0;
	int status = CLI_UNUSABLE;
	for (; n < want && n < MAX_WORKERS; n++) {
		users[n] = &workers[n];
		workers[n].j = j;
		if (cli_worker_open(&workers[n].with, j->e.engine, 1, j->precision, &err) != NDL_OK) {
			cli_report(&j->c, &err);
			n++;
			goto out;
		}
	}
	status = records_run_many(&j->c, j->input, (j->strict ? RECORDS_STRICT : 0) | (j->lines ? RECORDS_LINES : RECORDS_OR_LINES),
	                          do_record, users, n, &stats);
out:
	while (n) {
		cli_worker_close(&workers[--n].with);
		json_decref(workers[n].tokens);
	}
	return status;
}

/* One query ------------------------------------------------------------------------------ */

static void explain_token(const json_t *t)
{
	fprintf(stderr, "%.6f\t%lld\t", json_real_value(json_object_get(t, "p")),
	        (long long)json_integer_value(json_object_get(t, "choices")));
	cli_put_clean(stderr, json_string_value(json_object_get(t, "piece")));
	fputc('\n', stderr);
}

static void explain(const worker *w, const ndl_result *r)
{
	const job *j = w->j;
	size_t i;
	json_t *t;
	fflush(stdout);
	if (j->trace)
		json_array_foreach(w->tokens, i, t)
			explain_token(t);
	if (j->trace)
		print_json(r->sources, stderr);
	if (j->timings) {
		json_t *timings = answer_timings(r);
		print_json(timings, stderr);
		json_decref(timings);
	}
	cli_verbose(&j->c, "confidence %.4f", r->confidence);
	if (answer_cut(r))
		cli_warn(&j->c, "%s", answer_cut(r));
	if (r->unfinished)
		cli_warn(&j->c, "the token limit came before the end of the answer; an unfinished call was left out");
	if (r->rejected)
		cli_warn(&j->c, "rejected: confidence %.4f is below %g", r->confidence, j->request.min_confidence);
	if (r->invalid)
		cli_warn(&j->c, "the answer is not a list of calls: %s", r->invalid);
}

static int one_query(job *j, const char *query)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_result r = {0};
	worker w = {.j = j, .with.session = j->e.session}; /* borrowed */
	if (ask(&w, j->tools, query, strlen(query), &r, &err) != NDL_OK) {
		cli_report(&j->c, &err);
		json_decref(w.tokens);
		return err.code == NDL_ENOMEM || err.code == NDL_EFORMAT ? CLI_UNUSABLE : CLI_NEGATIVE;
	}
	if (!j->stream)
		print_json(r.calls, stdout);
	explain(&w, &r);
	int status = json_array_size(r.calls) ? CLI_OK : CLI_NEGATIVE;
	json_decref(w.tokens);
	ndl_result_clear(&r);
	return status;
}

static int write_logits(job *j, const char *query)
{
	ndl_error err = NDL_ERROR_INIT;
	float *logits;
	size_t steps, vocab = (size_t)ndl_model_config(ndl_engine_model(j->e.engine))->vocab_size;
	ndl_status rc = ndl_session_greedy_logits(j->e.session, j->tools, query, strlen(query), j->request.max_tokens, &logits,
	                                          &steps, &err);
	if (rc == NDL_OK)
		rc = npy_write(j->logits, logits, steps, vocab, &err);
	free(logits);
	if (rc == NDL_OK)
		return CLI_OK;
	cli_report(&j->c, &err);
	return CLI_UNUSABLE;
}

/* main ---------------------------------------------------------------------------------- */

static int parse_options(job *j, int argc, char **argv)
{
	const char *arg;
	int key, first;
	while ((key = cli_next(&j->c, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case 't': j->tools_path = arg; break;
		case 'i': j->input = arg; break;
		case 'k': j->request.top_tools = (size_t)cli_long(&j->c, "--top-tools", arg, 1, 100000); break;
		case KEY_RANK: j->request.rank = cli_ranking(&j->c, arg); break;
		case KEY_INDEX: j->index = arg; break;
		case KEY_LINES: j->lines = true; break;
		case KEY_MIN: j->request.min_confidence = cli_double(&j->c, "--min-confidence", arg, 0, 1); break;
		case KEY_MAX_TOKENS: j->request.max_tokens = (size_t)cli_long(&j->c, "--max-tokens", arg, 1, 1000000); break;
		case KEY_REFUSE: j->request.refuse_bias = cli_refuse_bias(&j->c, arg); break;
		case KEY_TODAY: j->request.today = cli_today(&j->c, arg); break;
		case KEY_LEXICAL: j->request.lexical_weight = cli_lexical_weight(&j->c, arg); break;
		case KEY_BEAM: j->request.beam = (size_t)cli_long(&j->c, "--beam", arg, 1, NDL_BEAM_MAX); break;
		case KEY_GROUND: j->request.ground = cli_grounding(&j->c, arg); break;
		case KEY_NO_JUMP: j->request.no_jump = true; break;
		case KEY_STREAM: j->stream = true; break;
		case KEY_TIMINGS: j->timings = true; break;
		case KEY_TRACE: j->trace = true; break;
		case KEY_NO_GRAMMAR: j->request.no_grammar = true; break;
		case KEY_LENIENT: j->tool_flags |= NDL_TOOLS_LENIENT; break;
		case KEY_PRECISION: j->precision = cli_precision(&j->c, arg); break;
		case KEY_LOGITS: j->logits = arg; break;
		case KEY_STRICT: j->strict = true; break;
		}
	}
	if (j->request.rank && !j->request.top_tools && !j->index)
		cli_usage_error(&j->c, "--rank goes with --top-tools or --index");
	cli_check_today(&j->c, &j->request);
	if (j->index && !j->request.top_tools)
		j->request.top_tools = 5;
	return first;
}

/* Combinations that cannot mean anything. */
static void check_options(const job *j, const char *query)
{
	const cli *c = &j->c;
	bool tools_on_stdin = j->tools_path && strcmp(j->tools_path, "-") == 0;
	if (j->tools_path && j->index)
		cli_usage_error(c, "--tools and --index exclude each other");
	if (query && !j->tools_path && !j->index)
		cli_usage_error(c, "a QUERY needs --tools or --index");
	if (query && (j->input || j->lines || j->strict))
		cli_usage_error(c, "--input, --lines and --strict are for records, not for a QUERY");
	if (!query && (j->stream || j->logits))
		cli_usage_error(c, "--stream and --logits need a QUERY");
	cli_refuse_same(c, j->logits, j->tools_path);
	cli_refuse_same(c, j->logits, j->index);
	cli_refuse_same(c, j->logits, c->common.model);
	if (!query && tools_on_stdin && (!j->input || strcmp(j->input, "-") == 0))
		cli_usage_error(c, "tools and records cannot both come from stdin");
	if (j->lines && !j->tools_path && !j->index)
		cli_usage_error(c, "--lines needs --tools or --index");
	const ndl_request *r = &j->request;
	if (j->stream && (r->beam > 1 || r->min_confidence > 0 || r->no_grammar))
		cli_usage_error(c, "--stream cannot be combined with --beam, --min-confidence or --no-grammar");
	if (r->no_grammar && (r->beam > 1 || r->ground || r->refuse_bias != 0 || r->lexical_weight != 0 || r->today))
		cli_usage_error(c, "--no-grammar leaves all to the network: not with --beam, --ground, --lexical-weight, --refuse-bias or --today");
	if (j->logits && (r->top_tools || r->min_confidence > 0 || r->beam > 1 || r->ground || r->refuse_bias != 0 || r->no_jump ||
	                  r->no_grammar || r->lexical_weight != 0 || r->today || j->stream || j->timings || j->trace))
		cli_usage_error(c, "--logits decodes by itself: it goes with --tools, --lenient, --precision and --max-tokens only");
}

/* Whether the operand is a file of records, not a query: `-`, one word that is a name as data files have
 * or names an existing file, or several that are both. */
static bool names_file(const char *operand)
{
	static const char *const suffixes[] = {".jsonl", ".json", ".ndjson", ".gz", ".zst", ".xz", ".bz2", ".tar", ".zip", NULL};
	struct stat st;
	size_t len = strlen(operand);
	if (strcmp(operand, "-") == 0)
		return true;
	bool spaced = strpbrk(operand, " \t\n"), exists = stat(operand, &st) == 0 && !S_ISDIR(st.st_mode);
	for (size_t i = 0; suffixes[i]; i++)
		if (len > strlen(suffixes[i]) && strcmp(operand + len - strlen(suffixes[i]), suffixes[i]) == 0)
			return exists || !spaced; /* "open notes.json" is a query unless there is such a file */
	return exists && !spaced;
}

static bool load_tools(job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	bool given = j->tools_path || j->index;
	json_t *value = j->tools_path ? ndl_json_load(j->tools_path, &err) : NULL;
	if (cli_check_ranking(j->e.engine, j->request.rank, &err) == NDL_OK) {
		if (value || j->index)
			j->tools = make_toolset(j, j->e.exec, value, &err);
		if (given && !j->tools)
			ndl_error_at(&err, j->index ? j->index : j->tools_path, 0);
	}
	json_decref(value);
	if (err.code != NDL_OK) {
		cli_report(&j->c, &err);
		return false;
	}
	cli_note(&j->c, &err, j->tools_path);
	return true;
}

static int run(job *j, const char *query)
{
	if (!cli_engine_open(&j->c, &j->e, j->precision) || (query && !cli_session_open(&j->c, &j->e)) || !load_tools(j))
		return CLI_UNUSABLE;
	if (query)
		return j->logits ? write_logits(j, query) : one_query(j, query);
	return records(j);
}

int main(int argc, char **argv)
{
	job j = {.c = {
		.name = "needle-infer",
		.usage = "needle-infer [OPTION]... -t TOOLS QUERY\n"
		         "       needle-infer [OPTION]... [-t TOOLS] [FILE]\n",
		.summary = "Find the calls, among the given tools, that answer a query.\n"
		           "Without QUERY, read JSON Lines {\"query\":...,\"tools\":...} and add \"calls\" to each.",
		.examples = "  needle-infer -t tools.json \"what's the weather in Paris\"\n"
		            "  needle-infer -t tools.json <queries.jsonl | jq -c .calls\n"
		            "  needle-infer -t tools.json --lines queries.txt --min-confidence 0.5\n",
		.options = options,
		.flags = CLI_TAKES_MODEL,
	}, .precision = NDL_PRECISION_INT8};
	cli_init(&j.c);
	int first = parse_options(&j, argc, argv);
	const char *query = first < argc ? argv[first] : NULL;
	if (query && !j.input && !j.stream && !j.logits && argc - first == 1 && names_file(query)) {
		j.input = query;
		query = NULL;
	}
	if (argc - first > 1)
		cli_usage_error(&j.c, names_file(argv[first]) ? "one FILE at a time; join several with cat"
		                                              : "one QUERY at a time; quote it if it has spaces");
	check_options(&j, query);
	if (query && !j.request.today && j.request.ground != NDL_GROUND_OFF)
		j.request.today = cli_today(&j.c, "now"); /* who asks one thing asks it now; records may be of any day */
	int status = run(&j, query);
	ndl_toolset_free(j.tools);
	cli_engine_close(&j.e);
	return cli_finish(&j.c, status);
}
