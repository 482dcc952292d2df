/* bench_request.c - a whole request to a catalogue of many tools, from its index file. */
#include "cmd/bench.h"
#include "cmd/engine.h"

#include "base/mem.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct catalogue {
	ndl_engine *engine;
	ndl_exec *x;
	ndl_session *session;
	ndl_toolset *tools;
	size_t answer;   /* tokens at most */
	char path[4096]; /* of the index, "" if there is none */
	ndl_error *err;
	ndl_status status;
} catalogue;

static void open_index(void *user)
{
	catalogue *c = user;
	ndl_toolset_free(c->tools);
	c->tools = ndl_toolset_open(c->engine, c->path, c->err);
	c->status = c->tools ? ndl_toolset_index(c->tools, NDL_RANK_AUTO, NULL, c->x, c->err) : c->err->code;
}

static void ask(void *user)
{
	static const char query[] = "please w7 the w123 w1 of w300 and w55";
	catalogue *c = user;
	const ndl_request request = {.top_tools = 5, .max_tokens = c->answer};
	ndl_result r = {0};
	if (c->status == NDL_OK)
		c->status = ndl_session_run(c->session, c->tools, query, sizeof query - 1, &request, &r, c->err);
	ndl_result_clear(&r);
}

/* Made-up vectors that pass for this model's: embedding the tools would take minutes. */
static ndl_status write_index(catalogue *c)
{
	const char *dir = getenv("TMPDIR");
	json_t *one = json_pack("[{s:s}]", "name", "a");
	ndl_toolset *t = one ? ndl_toolset_new(c->engine, one, 0, c->err) : NULL;
	ndl_index *index = NULL;
	size_t dim = 0;
	json_decref(one);
	if (t && ndl_toolset_index(t, NDL_RANK_AUTO, NULL, c->x, c->err) == NDL_OK) {
		const ndl_index *small = ndl_toolset_get_index(t);
		ndl_index_vectors(small, &dim);
		index = bench_catalogue(dim, ndl_index_by(small), c->err);
	}
	snprintf(c->path, sizeof c->path, "%s/needle-bench.XXXXXX", dir && *dir ? dir : "/tmp");
	int file = index ? mkstemp(c->path) : -1;
	if (file < 0) {
		c->status = index ? ndl_fail_errno(c->err, "%s: cannot make a file", c->path) : c->err->code;
		c->path[0] = '\0';
	} else {
		close(file);
		c->status = ndl_index_write(index, c->path, c->err);
	}
	ndl_index_free(index);
	ndl_toolset_free(t);
	return c->status;
}

static ndl_status open_catalogue(catalogue *c, const char *path)
{
	c->engine = ndl_engine_open(path, c->err);
	c->x = c->engine ? cli_exec_new(1, NDL_PRECISION_INT8, c->err) : NULL;
	c->session = c->x ? ndl_session_new(c->engine, c->x, c->err) : NULL;
	return c->session ? write_index(c) : c->err->code;
}

ndl_status bench_request(bench *b, ndl_error *err)
{
	static const char *const names[] = {"opening an index, 10000 tools", "request, 10000 tools", NULL};
	if (!bench_wants_any(b, names))
		return NDL_OK;
	catalogue *c = ndl_calloc(1, sizeof *c);
	if (!c)
		return ndl_fail_nomem(err, "tools");
	c->err = err;
	c->answer = (size_t)b->answer;
	c->status = open_catalogue(c, b->path);
	for (int i = 0; i < 2 && c->status == NDL_OK; i++) {
		double seconds = bench_time(b, i ? ask : open_index, c);
		if (c->status == NDL_OK)
			c->status = bench_add(b, names[i], ndl_isa_name(ndl_exec_kernels(c->x)->isa), 1, 1e3 * seconds, "ms", true, err);
	}
	ndl_status rc = c->status;
	if (c->path[0])
		unlink(c->path);
	ndl_toolset_free(c->tools);
	ndl_session_free(c->session);
	ndl_exec_free(c->x);
	ndl_engine_free(c->engine);
	free(c);
	return rc;
}
