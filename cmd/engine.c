#include "cmd/engine.h"

#include <stdlib.h>

bool cli_engine_open(const cli *c, cli_engine *e)
{
	ndl_error err = NDL_ERROR_INIT;
	const char *path = cli_model_path(c, &err);
	if (path && (e->exec = ndl_exec_new(c->common.threads, getenv("NEEDLE_CPU"), &err)) &&
	    (e->engine = ndl_engine_open(path, &err)) && (e->session = ndl_session_new(e->engine, e->exec, &err))) {
		cli_verbose(c, "%s, %d threads, %s kernels", path, ndl_exec_threads(e->exec),
		            ndl_isa_name(ndl_exec_kernels(e->exec)->isa));
		return true;
	}
	cli_report(c, &err);
	return false;
}

void cli_engine_close(cli_engine *e)
{
	ndl_session_free(e->session);
	ndl_engine_free(e->engine);
	ndl_exec_free(e->exec);
}
