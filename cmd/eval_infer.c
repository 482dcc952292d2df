#include "cmd/eval_infer.h"
#include "cmd/answer.h"
#include "cmd/engine.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

struct eval_caller {
	ndl_engine *engine;
	ndl_toolset *toolset; /* of all records, or NULL */
	cli_worker *worker;   /* [threads], each of one thread: records share nothing but the model */
	int threads;
	bool recall;          /* only eval_caller_rank is called */
	int tool_flags;
	ndl_request request;
};

static ndl_status open_workers(eval_caller *c, ndl_precision precision, ndl_error *err)
{
	c->worker = ndl_calloc((size_t)c->threads, sizeof *c->worker);
	if (!c->worker)
		return ndl_fail_nomem(err, "sessions");
	ndl_status rc = NDL_OK;
	for (int i = 0; i < c->threads && rc == NDL_OK; i++)
		rc = cli_worker_open(&c->worker[i], c->engine, 1, precision, err);
	return rc;
}

static cli_tools_use use_of(const eval_caller *c)
{
	return (cli_tools_use){c->engine, c->tool_flags, &c->request, c->recall};
}

eval_caller *eval_caller_open(const char *model, int threads, ndl_precision precision, json_t *tools, int tool_flags,
                              const ndl_request *request, bool recall, ndl_error *err)
{
	eval_caller *c = ndl_calloc(1, sizeof *c);
	if (!c) {
		ndl_fail_nomem(err, "sessions");
		return NULL;
	}
#ifdef _OPENMP
	c->threads = threads > 0 ? threads : omp_get_max_threads();
#else
	(void)threads;
	c->threads = 1;
#endif
	c->request = *request;
	c->tool_flags = tool_flags;
	c->recall = recall;
	c->engine = ndl_engine_open(model, err);
	const cli_tools_use use = use_of(c);
	if (!c->engine || cli_check_ranking(c->engine, request->rank, err) != NDL_OK || open_workers(c, precision, err) != NDL_OK ||
	    (tools && !(c->toolset = cli_toolset_new(&use, tools, c->worker[0].exec, err)))) {
		eval_caller_free(c);
		return NULL;
	}
	return c;
}

void eval_caller_free(eval_caller *c)
{
	if (!c)
		return;
	for (int i = 0; c->worker && i < c->threads; i++)
		cli_worker_close(&c->worker[i]);
	free(c->worker);
	ndl_toolset_free(c->toolset);
	ndl_engine_free(c->engine);
	free(c);
}

/* The tools of all records, or of this one. */
static const ndl_toolset *toolset_of(const eval_caller *c, cli_worker *w, const json_t *record, ndl_error *err)
{
	json_t *list = ndl_json_get(record, "tools");
	if (c->toolset)
		return c->toolset;
	if (!list) {
		ndl_fail(err, NDL_EINVAL, "tools: missing");
		return NULL;
	}
	const cli_tools_use use = use_of(c);
	return cli_own_toolset(&w->own, &use, list, w->exec, err);
}

static const json_t *query_of(const json_t *record, ndl_error *err)
{
	const json_t *query = json_object_get(record, "query");
	if (json_is_string(query))
		return query;
	ndl_fail(err, NDL_EINVAL, "query: expected a string, found %s", ndl_json_type_name(query));
	return NULL;
}

static ndl_status run_query(const eval_caller *c, cli_worker *w, const ndl_toolset *tools, json_t *record, ndl_odds *odds,
                            ndl_error *err)
{
	ndl_result result = {0};
	const json_t *query = query_of(record, err);
	if (!query)
		return NDL_EINVAL;
	ndl_status rc = ndl_session_run(w->session, tools, json_string_value(query), json_string_length(query), &c->request,
	                                &result, err);
	if (rc == NDL_OK) {
		*odds = result.odds;
		answer_add(record, &result, false);
	}
	ndl_result_clear(&result);
	return rc;
}

static ndl_status run_record(const eval_caller *c, cli_worker *w, json_t *record, ndl_odds *odds, ndl_error *err)
{
	if (!json_is_object(record))
		return NDL_OK; /* scoring says so */
	answer_drop(record);
	const ndl_toolset *tools = toolset_of(c, w, record, err);
	return tools ? run_query(c, w, tools, record, odds, err) : err->code;
}

static void run_one(const eval_caller *c, cli_worker *w, json_t *record, ndl_odds *odds, ndl_error *err)
{
	ndl_odds unused;
	if (!record || run_record(c, w, record, odds ? odds : &unused, err) == NDL_OK)
		return;
	json_t *e = json_object();
	json_object_set_new(e, "message", json_stringn(err->text, ndl_utf8_check(err->text, strlen(err->text))));
	json_object_set_new(record, "error", e);
}

/* The worker of the thread that asks. */
static cli_worker *my_worker(const eval_caller *c)
{
#ifdef _OPENMP
	return &c->worker[omp_get_thread_num()];
#else
	return &c->worker[0];
#endif
}

void eval_caller_run(eval_caller *c, json_t **record, ndl_error *err, ndl_odds *odds, size_t n)
{
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
	for (size_t i = 0; i < n; i++)
		run_one(c, my_worker(c), record[i], odds ? &odds[i] : NULL, &err[i]);
}

/* Retrieval ----------------------------------------------------------------------------- */

static ndl_status rank_record(const eval_caller *c, cli_worker *w, const json_t *record, ndl_recall *out, ndl_error *err)
{
	const json_t *query = query_of(record, err);
	const ndl_toolset *t = query ? toolset_of(c, w, record, err) : NULL;
	json_t *given = json_object_get(record, "answers"), *answers = t && given ? ndl_json_unwrap(given, err) : NULL;
	if (t && !given)
		ndl_fail(err, NDL_EINVAL, "answers: missing");
	size_t n = t ? ndl_toolset_count(t) : 0, *order = ndl_calloc(n + 1, sizeof *order);
	ndl_status rc = !order ? ndl_fail_nomem(err, "a ranking") : answers ? NDL_OK : NDL_EINVAL;
	if (rc == NDL_OK && json_array_size(answers)) {
		long got = ndl_session_rank(w->session, t, c->request.rank, json_string_value(query), json_string_length(query), n,
		                            order, NULL, err);
		rc = got < 0 ? (ndl_status)got : NDL_OK;
	}
	if (rc == NDL_OK)
		rc = ndl_recall_of(out, ndl_toolset_tools(t), answers, order, err);
	json_decref(answers);
	free(order);
	return rc;
}

void eval_caller_rank(eval_caller *c, json_t **record, ndl_error *err, ndl_recall *each, size_t n)
{
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
	for (size_t i = 0; i < n; i++) {
		each[i] = (ndl_recall){0};
		if (record[i])
			rank_record(c, my_worker(c), record[i], &each[i], &err[i]);
	}
}
