#include "cmd/engine.h"

#include "base/day.h"
#include "base/mem.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

ndl_precision cli_precision(const cli *c, const char *arg)
{
	static const char *const names[] = {"int8", "f32", NULL};
	return cli_choice(c, "--precision", arg, names) == 0 ? NDL_PRECISION_INT8 : NDL_PRECISION_F32;
}

double cli_refuse_bias(const cli *c, const char *arg)
{
	return strcmp(arg, "off") == 0 ? -INFINITY : cli_double(c, "--refuse-bias", arg, -100, 100);
}

double cli_lexical_weight(const cli *c, const char *arg)
{
	double x = cli_double(c, "--lexical-weight", arg, 0, 100);
	return x > 0 ? x : -1;
}

int64_t cli_today(const cli *c, const char *arg)
{
	int y, m, d, y2, m2, same = -1, end = 0;
	time_t now = time(NULL);
	struct tm t;
	if (strcmp(arg, "now") == 0 && localtime_r(&now, &t))
		return ndl_day_number(t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
	bool read = strspn(arg, "0123456789-") == 10 && sscanf(arg, "%4d-%2d-%2d%n", &y, &m, &d, &end) == 3 && end == 10 && !arg[10];
	if (read && y >= 1 && m >= 1 && m <= 12 && d >= 1)
		ndl_day_parts(ndl_day_number(y, m, d), &y2, &m2, &same);
	if (!read || same != d)
		cli_usage_error(c, "--today: '%s' is neither a date, YYYY-MM-DD, nor now", arg);
	return ndl_day_number(y, m, d);
}

void cli_check_today(const cli *c, const ndl_request *r)
{
	if (r->today && r->ground == NDL_GROUND_OFF)
		cli_usage_error(c, "--today cannot be combined with --ground off, which copies no day from the query");
}

static const char *const rankings[] = {"head", "bm25", "fused", NULL}; /* as enum ndl_ranking, after AUTO */

enum ndl_ranking cli_ranking(const cli *c, const char *arg)
{
	return (enum ndl_ranking)(NDL_RANK_HEAD + cli_choice(c, "--rank", arg, rankings));
}

bool cli_names_ranking(const char *arg)
{
	size_t i = 0;
	while (rankings[i] && strcmp(arg, rankings[i]) != 0)
		i++;
	return rankings[i] != NULL;
}

enum ndl_grounding cli_grounding(const cli *c, const char *arg)
{
	static const char *const names[] = {"prefer", "strict", "off", NULL}; /* as enum ndl_grounding */
	return (enum ndl_grounding)cli_choice(c, "--ground", arg, names);
}

ndl_status cli_check_ranking(const ndl_engine *e, enum ndl_ranking how, ndl_error *err)
{
	if (how == NDL_RANK_AUTO || how == NDL_RANK_BM25 || ndl_model_has_contrastive(ndl_engine_model(e)))
		return NDL_OK;
	return ndl_fail(err, NDL_EUNSUPPORTED, "this model has no contrastive head to rank with: use bm25");
}

void cli_check_cpu(const cli *c)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_kernels k;
	if (ndl_kernels_init(&k, getenv("NEEDLE_CPU"), &err) != NDL_OK)
		cli_usage_error(c, "NEEDLE_CPU: %s", err.text);
}

ndl_exec *cli_exec_new(int threads, ndl_precision precision, ndl_error *err)
{
	ndl_exec *x = ndl_exec_new(threads, getenv("NEEDLE_CPU"), err);
	if (x)
		ndl_exec_set_precision(x, precision);
	return x;
}

/* The heap that an engine takes, in huge pages and asked for at once (base/mem.h): from a boundary of them on, to which
 * *pad is left free; it is not given back when blocks at its end are freed. Large blocks, little of which is used, stay
 * apart from it. Here and not in the library: mallopt is about all that a process allocates, which is for a program to decide. */
static void prepare_heap(void **pad)
{
#ifdef __GLIBC__
	enum { WHOLE = 2 << 20, ENGINE = 2 * WHOLE, LARGE = 512 << 10, ROOM = 64 };
	mallopt(M_MMAP_THRESHOLD, 2 * ENGINE);
	mallopt(M_TRIM_THRESHOLD, 4 * ENGINE);
	void *all = malloc(ENGINE + WHOLE);
	const uintptr_t at = (uintptr_t)all;
	size_t before = WHOLE - at % WHOLE;
	free(all);
	*pad = malloc(before > ROOM ? before - ROOM : 1);
	if (*pad && (uintptr_t)*pad == at)
		ndl_expect_use((char *)*pad + before, ENGINE);
	mallopt(M_MMAP_THRESHOLD, LARGE);
#else
	*pad = NULL;
#endif
}

bool cli_engine_open(const cli *c, cli_engine *e, ndl_precision precision)
{
	ndl_error err = NDL_ERROR_INIT;
	cli_check_cpu(c);
	const char *path = cli_model_path(c, &err);
	e->exec = path ? cli_exec_new(c->common.threads, precision, &err) : NULL;
	prepare_heap(&e->heap);
	if (e->exec && (e->engine = ndl_engine_open(path, &err))) {
		const ndl_kernels *k = ndl_exec_kernels(e->exec);
		cli_verbose(c, "%s, %d threads, %s kernels, %s%s", path, ndl_exec_threads(e->exec), ndl_isa_name(k->isa),
		            precision == NDL_PRECISION_INT8 ? "integers " : "f32", precision == NDL_PRECISION_INT8 ? k->integer.name : "");
		return true;
	}
	cli_report(c, &err);
	return false;
}

bool cli_session_open(const cli *c, cli_engine *e)
{
	ndl_error err = NDL_ERROR_INIT;
	e->session = ndl_session_new(e->engine, e->exec, &err);
	if (!e->session)
		cli_report(c, &err);
	return e->session != NULL;
}

void cli_engine_close(cli_engine *e)
{
	ndl_session_free(e->session);
	ndl_engine_free(e->engine);
	ndl_exec_free(e->exec);
	free(e->heap);
}

/* before: those of a list that may have some of the same tools, whose vectors are then not made again; or NULL. */
static ndl_toolset *new_toolset(const cli_tools_use *u, json_t *list, const ndl_toolset *before, const ndl_exec *x, ndl_error *err)
{
	const ndl_request *q = u->request;
	ndl_toolset *t = ndl_toolset_new(u->engine, list, u->flags, err);
	if (t && (u->rank || (q->top_tools && q->top_tools < ndl_toolset_count(t))) &&
	    ndl_toolset_index(t, q->rank, before ? ndl_toolset_get_index(before) : NULL, x, err) != NDL_OK) {
		ndl_toolset_free(t);
		t = NULL;
	}
	return t;
}

ndl_toolset *cli_toolset_new(const cli_tools_use *u, json_t *list, const ndl_exec *x, ndl_error *err)
{
	return new_toolset(u, list, NULL, x, err);
}

/* 1 if `set` is of this very list; 0 if not, and then it is to be made anew; negative with err. */
static int hold(cli_own_tools *own, const json_t *list, ndl_error *err)
{
	ndl_buf_reset(&own->given); /* compared as text: the order of keys, which jansson overlooks, stands in the prompt */
	ndl_json_write(&own->given, list, 0);
	ndl_status rc = ndl_buf_check(&own->given, err);
	if (rc != NDL_OK)
		return rc;
	if (own->set && strcmp(own->given.data, own->text.data) == 0)
		return 1;
	*own = (cli_own_tools){own->set, own->given, own->text};
	return 0;
}

const ndl_toolset *cli_own_toolset(cli_own_tools *own, const cli_tools_use *u, json_t *list, const ndl_exec *x, ndl_error *err)
{
	int held = hold(own, list, err);
	if (held == 0) {
		ndl_toolset *before = own->set;
		own->set = new_toolset(u, list, before, x, err);
		ndl_toolset_free(before);
	}
	return held < 0 ? NULL : own->set;
}

void cli_own_tools_clear(cli_own_tools *own)
{
	ndl_toolset_free(own->set);
	ndl_buf_clear(&own->text);
	ndl_buf_clear(&own->given);
}

ndl_status cli_worker_open(cli_worker *w, const ndl_engine *e, int threads, ndl_precision precision, ndl_error *err)
{
	w->exec = cli_exec_new(threads, precision, err);
	w->session = w->exec ? ndl_session_new(e, w->exec, err) : NULL;
	return w->session ? NDL_OK : err->code;
}

void cli_worker_close(cli_worker *w)
{
	cli_own_tools_clear(&w->own);
	ndl_session_free(w->session);
	ndl_exec_free(w->exec);
}
