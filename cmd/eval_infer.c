#include "cmd/eval_infer.h"
#include "cmd/engine.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* One thread's own: a session runs on one core, so that records share nothing but the model. */
typedef struct worker {
	ndl_exec *exec;
	ndl_session *session;
} worker;

struct eval_caller {
	ndl_engine *engine;
	ndl_toolset *toolset; /* of all records, or NULL */
	worker *worker;
	int threads;
	ndl_request request;
};

static ndl_status open_workers(eval_caller *c, ndl_precision precision, ndl_error *err)
{
	c->worker = ndl_calloc((size_t)c->threads, sizeof *c->worker);
	if (!c->worker)
		return ndl_fail_nomem(err, "sessions");
	for (int i = 0; i < c->threads; i++) {
		worker *w = &c->worker[i];
		w->exec = cli_exec_new(1, precision, err);
		w->session = w->exec ? ndl_session_new(c->engine, w->exec, err) : NULL;
		if (!w->session)
			return NDL_ENOMEM;
	}
	return NDL_OK;
}

eval_caller *eval_caller_open(const char *model, int threads, ndl_precision precision, json_t *tools, ndl_error *err)
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
	c->engine = ndl_engine_open(model, err);
	if (c->engine && tools)
		c->toolset = ndl_toolset_new(c->engine, tools, 0, err);
	if (!c->engine || (tools && !c->toolset) || open_workers(c, precision, err) != NDL_OK) {
		eval_caller_free(c);
		return NULL;
	}
	return c;
}

void eval_caller_free(eval_caller *c)
{
	if (!c)
		return;
	for (int i = 0; c->worker && i < c->threads; i++) {
		ndl_session_free(c->worker[i].session);
		ndl_exec_free(c->worker[i].exec);
	}
	free(c->worker);
	ndl_toolset_free(c->toolset);
	ndl_engine_free(c->engine);
	free(c);
}

void eval_caller_request(eval_caller *c, const ndl_request *request)
{
	c->request = *request;
}

static ndl_status run_query(const eval_caller *c, worker *w, const ndl_toolset *tools, json_t *record, ndl_odds *odds,
                            ndl_error *err)
{
	ndl_result result = {0};
	const json_t *query = json_object_get(record, "query");
	if (!json_is_string(query))
		return ndl_fail(err, NDL_EINVAL, "query: expected a string, found %s", ndl_json_type_name(query));
	ndl_status rc = ndl_session_run(w->session, tools, json_string_value(query), json_string_length(query), &c->request,
	                                &result, err);
	if (rc == NDL_OK) {
		*odds = result.odds;
		json_object_set(record, "calls", result.calls);
		json_object_set_new(record, "confidence", json_real(result.confidence));
		if (result.truncated)
			json_object_set_new(record, "truncated", json_true());
	}
	ndl_result_clear(&result);
	return rc;
}

/* What an earlier run left is replaced. */
static void forget(json_t *record)
{
	static const char *const keys[] = {"calls", "confidence", "truncated", "error", "invalid"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		json_object_del(record, keys[i]);
}

static ndl_status run_record(const eval_caller *c, worker *w, json_t *record, ndl_odds *odds, ndl_error *err)
{
	if (!json_is_object(record))
		return NDL_OK; /* scoring says so */
	forget(record);
	if (c->toolset)
		return run_query(c, w, c->toolset, record, odds, err);
	json_t *list = json_object_get(record, "tools");
	if (!list)
		return ndl_fail(err, NDL_EINVAL, "tools: missing");
	ndl_toolset *own = ndl_toolset_new(c->engine, list, 0, err);
	if (!own)
		return err->code;
	ndl_status rc = run_query(c, w, own, record, odds, err);
	ndl_toolset_free(own);
	return rc;
}

static void run_one(const eval_caller *c, worker *w, json_t *record, ndl_odds *odds, ndl_error *err)
{
	ndl_odds unused;
	if (!record || run_record(c, w, record, odds ? odds : &unused, err) == NDL_OK)
		return;
	json_t *e = json_object();
	json_object_set_new(e, "message", json_stringn(err->text, ndl_utf8_check(err->text, strlen(err->text))));
	json_object_set_new(record, "error", e);
}

void eval_caller_run(eval_caller *c, json_t **record, ndl_error *err, ndl_odds *odds, size_t n)
{
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
	for (size_t i = 0; i < n; i++) {
#ifdef _OPENMP
		worker *w = &c->worker[omp_get_thread_num()];
#else
		worker *w = &c->worker[0];
#endif
		run_one(c, w, record[i], odds ? &odds[i] : NULL, &err[i]);
	}
}
