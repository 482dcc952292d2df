/* needle-encode - texts to vectors: embeddings, encoder states, ranked tools.
 *
 * The manual is needle-encode(1). */
#include "cmd/cli.h"
#include "cmd/engine.h"
#include "cmd/npy.h"
#include "cmd/records.h"

#include "base/mem.h"
#include "base/outfile.h"
#include "base/reader.h"
#include "data/prompt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_TOOLS = 256, KEY_RANK, KEY_STATES, KEY_TEXT, KEY_LENIENT, KEY_STRICT, KEY_PRECISION, KEY_INDEX, MAX_INPUT = 64 << 20 };

static const cli_option options[] = {
	{KEY_STATES, "states", "FILE", "write the encoder's states of the whole input, [tokens, width] (.npy)"},
	{KEY_TOOLS, "tools", "FILE", "tool list (JSON) to rank or index, or with --states the prompt's tools"},
	{KEY_RANK, "rank", "[=head|bm25|fused]", "print the tools that fit QUERY best: score, tab, name [fused]"},
	{KEY_INDEX, "index", "FILE", "with --tools: store them for ranking, in FILE; without: rank those in FILE"},
	{'k', "top-tools", "K", "with --rank: how many [5]"},
	{KEY_TEXT, "text", NULL, "every line is text, also one that begins with {"},
	{KEY_LENIENT, "lenient", NULL, "ignore schema keywords that are not supported"},
	CLI_PRECISION(KEY_PRECISION),
	{KEY_STRICT, "strict", NULL, "stop at the first bad line"},
	{0, NULL, NULL, NULL},
};

typedef struct job {
	cli c;
	cli_engine e;
	const char *states, *tools_path, *index, *operand;
	bool rank, text, strict;
	enum ndl_ranking how;
	int tool_flags;
	ndl_precision precision;
	size_t k;
	ndl_toolset *tools;
	float *embedding; /* [contrastive_dim] */
	size_t *order;    /* [k] */
	float *scores;    /* [k] */
} job;

/* Shortest decimal that is this float again. */
static json_t *float_json(float x)
{
	char digits[32];
	for (int n = 6; n <= 9; n++) {
		snprintf(digits, sizeof digits, "%.*g", n, (double)x);
		if (strtof(digits, NULL) == x)
			break;
	}
	return json_real(strtod(digits, NULL));
}

static ndl_status embed(job *j, json_t *record, const char *text, size_t len, ndl_error *err)
{
	unsigned cut;
	ndl_status rc = ndl_session_embed(j->e.session, text, len, j->embedding, &cut, err);
	if (rc != NDL_OK)
		return rc;
	int dim = ndl_model_config(ndl_engine_model(j->e.engine))->contrastive_dim;
	json_t *list = json_array();
	for (int i = 0; i < dim; i++)
		json_array_append_new(list, float_json(j->embedding[i]));
	json_object_set_new(record, "embedding", list);
	if (cut)
		json_object_set_new(record, "truncated", json_true());
	return NDL_OK;
}

static ndl_status rank(job *j, json_t *record, const char *query, size_t len, ndl_error *err)
{
	long n = ndl_session_rank(j->e.session, j->tools, j->how, query, len, j->k, j->order, j->scores, err);
	if (n < 0)
		return (ndl_status)n;
	json_t *list = json_array();
	for (long i = 0; i < n; i++) {
		json_t *tool = json_object();
		json_object_set_new(tool, "name", json_string(ndl_index_name(ndl_toolset_get_index(j->tools), j->order[i])));
		json_object_set_new(tool, "score", float_json(j->scores[i]));
		json_array_append_new(list, tool);
	}
	json_object_set_new(record, "ranked", list);
	return NDL_OK;
}

/* Lines --------------------------------------------------------------------------------- */

/* A line as a record and the text in it (borrowed), NULL with err if there is none. A plain line gives an empty record. */
static json_t *read_line(job *j, const char *line, size_t len, const char **text, size_t *text_len, ndl_error *err)
{
	*text = line;
	*text_len = len;
	if (j->text || line[strspn(line, " \t")] != '{')
		return json_object();
	json_t *record = ndl_json_parse(line, len, err);
	json_t *value = json_object_get(record, "text");
	if (!value)
		value = json_object_get(record, "query");
	if (record && !json_is_string(value))
		ndl_fail(err, NDL_EINVAL, "expected a string in \"text\" or \"query\"");
	*text = json_string_value(value);
	*text_len = json_string_length(value);
	json_object_del(record, "error"); /* what an earlier run said of it */
	json_object_del(record, j->rank ? "ranked" : "embedding");
	if (!j->rank)
		json_object_del(record, "truncated");
	return record;
}

static void write_record(const json_t *record)
{
	ndl_buf out = NDL_BUF_INIT;
	ndl_json_write(&out, record, 0);
	ndl_buf_byte(&out, '\n');
	fwrite(ndl_buf_cstr(&out), 1, out.len, stdout);
	fflush(stdout);
	ndl_buf_clear(&out);
}

static json_t *error_record(const ndl_error *err)
{
	return json_pack("{s:{s:I,s:s}}", "error", "line", (json_int_t)err->line, "message", err->text);
}

static int do_line(job *j, const ndl_reader *in, const char *line, size_t len, ndl_error *err)
{
	const char *text;
	size_t text_len;
	json_t *record = read_line(j, line, len, &text, &text_len, err);
	ndl_status rc = !record || !text ? NDL_EFORMAT : j->rank ? rank(j, record, text, text_len, err)
	                                               : embed(j, record, text, text_len, err);
	if (rc != NDL_OK) {
		ndl_error_at(err, ndl_reader_name(in), ndl_reader_lineno(in));
		err->line = ndl_reader_lineno(in);
		cli_report(&j->c, err);
		json_t *e = error_record(err);
		if (record)
			json_object_update(record, e);
		else
			record = json_incref(e);
		json_decref(e);
	}
	if (rc == NDL_OK || !j->strict)
		write_record(record);
	json_decref(record);
	return rc == NDL_OK ? CLI_OK : CLI_NEGATIVE;
}

static int lines(job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	int status = CLI_OK, got;
	const char *line;
	size_t len;
	const char *path = j->rank ? NULL : j->operand;
	ndl_reader *in = ndl_reader_open(path, &err);
	if (!in) {
		cli_report(&j->c, &err);
		return CLI_UNUSABLE;
	}
	cli_stdin_hint(&j->c, path);
	while (!cli_stdout_failed() && (got = ndl_reader_line(in, &line, &len, &err)) != 0) {
		int s = CLI_OK;
		if (got < 0) {
			s = err.code == NDL_ELIMIT ? CLI_NEGATIVE : CLI_UNUSABLE;
			cli_report(&j->c, &err);
			json_t *e = s == CLI_NEGATIVE && !j->strict ? error_record(&err) : NULL;
			if (e)
				write_record(e);
			json_decref(e);
		} else if (!records_blank(&line, &len, ndl_reader_lineno(in))) {
			s = do_line(j, in, line, len, &err);
		}
		status = s > status ? s : status;
		if (s == CLI_UNUSABLE || (s && j->strict))
			break;
		err = (ndl_error)NDL_ERROR_INIT;
	}
	ndl_reader_close(in);
	return status;
}

/* One input ----------------------------------------------------------------------------- */

static int rank_one(job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	long n = ndl_session_rank(j->e.session, j->tools, j->how, j->operand, strlen(j->operand), j->k, j->order, j->scores, &err);
	if (n < 0) {
		cli_report(&j->c, &err);
		return err.code == NDL_EINVAL ? CLI_NEGATIVE : CLI_UNUSABLE;
	}
	for (long i = 0; i < n; i++) {
		printf("%.4f\t", (double)j->scores[i]);
		cli_put_clean(stdout, ndl_index_name(ndl_toolset_get_index(j->tools), j->order[i]));
		putchar('\n');
	}
	return n ? CLI_OK : CLI_NEGATIVE;
}

/* The text alone, or with --tools the whole prompt. */
static ndl_status states_prompt(job *j, const char *text, size_t len, ndl_ids *ids, unsigned *cut, ndl_error *err)
{
	const ndl_tok *tok = ndl_engine_tok(j->e.engine);
	const ndl_config *c = ndl_model_config(ndl_engine_model(j->e.engine));
	ndl_buf tools = NDL_BUF_INIT;
	if (!j->tools)
		return ndl_prompt_encode_text(tok, c, text, len, ids, cut, err);
	ndl_tools_render(ndl_toolset_tools(j->tools), &tools, NULL, 0, c->ascii_tools);
	ndl_status rc = ndl_buf_check(&tools, err);
	if (rc == NDL_OK)
		rc = ndl_prompt_encode(tok, c, text, len, ndl_buf_cstr(&tools), tools.len, ids, cut, err);
	ndl_buf_clear(&tools);
	return rc;
}

static int write_states(job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ids ids = {0};
	unsigned cut = 0;
	const float *x;
	size_t len, width = (size_t)ndl_model_config(ndl_engine_model(j->e.engine))->d_model;
	char *text = ndl_read_all(j->operand, &len, MAX_INPUT, &err);
	ndl_status rc = text ? NDL_OK : NDL_EIO;
	if (text && len && text[len - 1] == '\n')
		len--;
	if (rc == NDL_OK)
		rc = states_prompt(j, text, len, &ids, &cut, &err);
	if (rc == NDL_OK)
		rc = ndl_encoder_run(ndl_session_encoder(j->e.session), ids.id, ids.len, &x, &err);
	if (rc == NDL_OK)
		rc = npy_write(j->states, x, ids.len, width, &err);
	if (rc != NDL_OK)
		cli_report(&j->c, &err);
	else if (cut)
		cli_warn(&j->c, "the input does not fit into the model's window and was cut");
	ndl_ids_clear(&ids);
	free(text);
	return rc == NDL_OK ? CLI_OK : CLI_UNUSABLE;
}

/* main ---------------------------------------------------------------------------------- */

/* The tools of --tools, or those that --index holds. */
static bool load_tools(job *j, ndl_error *err)
{
	const char *path = j->tools_path ? j->tools_path : j->index;
	json_t *value = j->tools_path ? ndl_json_load(path, err) : NULL;
	if (value)
		j->tools = ndl_toolset_new(j->e.engine, value, j->tool_flags, err);
	else if (!j->tools_path)
		j->tools = ndl_toolset_open(j->e.engine, path, err);
	json_decref(value);
	if (j->tools)
		cli_note(&j->c, err, path);
	else
		ndl_error_at(err, path, 0);
	return j->tools != NULL;
}

/* An index that stands at path already spares work, if it is one. */
static ndl_index *earlier_index(const char *path)
{
	ndl_error ignored = NDL_ERROR_INIT;
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? ndl_index_open(path, &ignored) : NULL;
}

static ndl_status index_tools(job *j, ndl_error *err)
{
	ndl_index *earlier = j->index && j->tools_path ? earlier_index(j->index) : NULL;
	ndl_status rc = ndl_toolset_index(j->tools, j->how, earlier, j->e.exec, err);
	ndl_index_free(earlier);
	if (rc != NDL_OK)
		ndl_error_at(err, j->tools_path ? j->tools_path : j->index, 0);
	return rc;
}

static bool prepare(job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	const ndl_model *m = ndl_engine_model(j->e.engine);
	bool ok = (!j->tools_path && !j->index) || load_tools(j, &err);
	if (ok && !j->states && !j->rank && !j->index && !ndl_model_has_contrastive(m)) {
		ndl_fail(&err, NDL_EUNSUPPORTED, "this model makes no embeddings: it has no contrastive head");
		ok = false;
	}
	if (ok && !j->states && j->tools)
		ok = cli_check_ranking(j->e.engine, j->how, &err) == NDL_OK && index_tools(j, &err) == NDL_OK;
	j->embedding = ndl_calloc((size_t)ndl_model_config(m)->contrastive_dim + 1, sizeof *j->embedding);
	j->order = ndl_calloc(j->k, sizeof *j->order);
	j->scores = ndl_calloc(j->k, sizeof *j->scores);
	if (ok && (!j->embedding || !j->order || !j->scores)) {
		ndl_fail_nomem(&err, "the vectors");
		ok = false;
	}
	if (!ok)
		cli_report(&j->c, &err);
	return ok;
}

static int parse_options(job *j, int argc, char **argv)
{
	const char *arg;
	int key, first;
	bool k_given = false;
	while ((key = cli_next(&j->c, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case KEY_STATES: j->states = arg; break;
		case KEY_TOOLS: j->tools_path = arg; break;
		case KEY_RANK:
			j->rank = true;
			j->how = arg ? cli_ranking(&j->c, arg) : NDL_RANK_AUTO;
			break;
		case KEY_INDEX: j->index = arg; break;
		case 'k':
			j->k = (size_t)cli_long(&j->c, "--top-tools", arg, 1, 100000);
			k_given = true;
			break;
		case KEY_TEXT: j->text = true; break;
		case KEY_LENIENT: j->tool_flags |= NDL_TOOLS_LENIENT; break;
		case KEY_PRECISION: j->precision = cli_precision(&j->c, arg); break;
		case KEY_STRICT: j->strict = true; break;
		}
	}
	if (j->rank && (j->states || !j->tools_path == !j->index))
		cli_usage_error(&j->c, "--rank needs either --tools or --index, and excludes --states");
	if (k_given && !j->rank)
		cli_usage_error(&j->c, "--top-tools goes with --rank");
	if (j->index && (j->states || !j->tools_path == !j->rank))
		cli_usage_error(&j->c, "--index goes with --tools, to be made, or with --rank, to be used");
	if (j->tools_path && !j->rank && !j->states && !j->index)
		cli_usage_error(&j->c, "--tools goes with --rank, --index or --states");
	cli_refuse_same(&j->c, j->index, j->tools_path);
	if (j->tools_path) /* it is written */
		cli_refuse_same(&j->c, j->index, j->c.common.model);
	cli_refuse_same(&j->c, j->states, j->tools_path);
	cli_refuse_same(&j->c, j->states, first < argc ? argv[first] : NULL);
	cli_refuse_same(&j->c, j->states, j->c.common.model);
	if (j->index && j->tools_path && first < argc)
		cli_usage_error(&j->c, "unexpected argument '%s': the tools are in --tools", argv[first]);
	if (j->rank && j->how == NDL_RANK_AUTO && first < argc && cli_names_ranking(argv[first]))
		cli_usage_error(&j->c, "'%s' is no QUERY: did you mean --rank=%s?", argv[first], argv[first]);
	if (argc - first > 1)
		cli_usage_error(&j->c, j->rank ? "one QUERY at a time; quote it if it has spaces" : "one FILE at a time");
	return first;
}

static int write_index(const job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	const ndl_index *x = ndl_toolset_get_index(j->tools);
	if (ndl_index_write(x, j->index, &err) != NDL_OK) {
		cli_report(&j->c, &err);
		return CLI_UNUSABLE;
	}
	cli_verbose(&j->c, "%s: %zu tools", j->index, ndl_index_count(x));
	return CLI_OK;
}

/* The index is written when all tools have been embedded. */
static bool check_output(const job *j)
{
	ndl_error err = NDL_ERROR_INIT;
	if (!j->index || !j->tools_path || ndl_outfile_check(j->index, &err) == NDL_OK)
		return true;
	cli_report(&j->c, &err);
	return false;
}

static int run(job *j)
{
	if (!check_output(j) || !cli_engine_open(&j->c, &j->e, j->precision) || !cli_session_open(&j->c, &j->e) || !prepare(j))
		return CLI_UNUSABLE;
	if (j->states)
		return write_states(j);
	if (j->index && j->tools_path)
		return write_index(j);
	return j->rank && j->operand ? rank_one(j) : lines(j);
}

int main(int argc, char **argv)
{
	job j = {.c = {
		.name = "needle-encode",
		.usage = "needle-encode [OPTION]... [FILE]\n"
		         "       needle-encode --states OUT.npy [--tools TOOLS] [FILE]\n"
		         "       needle-encode --tools TOOLS --rank [-k K] [QUERY]\n"
		         "       needle-encode --tools TOOLS --index INDEX\n"
		         "       needle-encode --index INDEX --rank [-k K] [QUERY]\n",
		.summary = "Write an embedding {\"embedding\":[...]} for each line of text or JSON;\n"
		           "or the encoder's states of one input; or the tools that fit a query best.",
		.examples = "  echo \"turn the lights off\" | needle-encode\n"
		            "  needle-encode --tools tools.json --rank -k 3 \"wake me up at six\"\n"
		            "  needle-encode --tools tools.json --index tools.index\n"
		            "  needle-infer --index tools.index -k 5 \"wake me up at six\"\n"
		            "  echo \"wake me up at six\" | needle-encode --states states.npy\n",
		.options = options,
		.flags = CLI_TAKES_MODEL,
	}, .k = 5, .precision = NDL_PRECISION_INT8};
	cli_init(&j.c);
	int first = parse_options(&j, argc, argv);
	j.operand = first < argc && strcmp(argv[first], "-") != 0 ? argv[first] : NULL;
	int status = run(&j);
	ndl_toolset_free(j.tools);
	free(j.embedding);
	free(j.order);
	free(j.scores);
	cli_engine_close(&j.e);
	return cli_finish(&j.c, status);
}
