/* call.c - the smallest program that makes a tool call:
 *
 *   cc call.c -o call $(pkg-config --cflags --libs needle)
 *   ./call model.safetensors tools.json "wake me up at half past six tomorrow" */
#include <needle.h>

#include <stdio.h>
#include <string.h>

static int run(const char *model, const char *tools, const char *query, ndl_error *err)
{
	ndl_exec *exec = NULL;
	ndl_engine *engine = NULL;
	ndl_session *session = NULL;
	ndl_toolset *toolset = NULL;
	ndl_request request = {0};
	ndl_result result = {0};
	ndl_buf text = NDL_BUF_INIT;
	int status = 3;
	json_t *list = ndl_json_load(tools, err);
	if (list && (exec = ndl_exec_new(0, NULL, err)))
		ndl_exec_set_precision(exec, NDL_PRECISION_INT8); /* as needle-infer */
	if (exec && (engine = ndl_engine_open(model, err)) &&
	    (session = ndl_session_new(engine, exec, err)) &&
	    (toolset = ndl_toolset_new(engine, list, 0, err)) &&
	    ndl_session_run(session, toolset, query, strlen(query), &request, &result, err) == NDL_OK) {
		ndl_json_write(&text, result.calls, 0);
		puts(ndl_buf_cstr(&text));
		status = json_array_size(result.calls) == 0;
	}
	ndl_buf_clear(&text);
	ndl_result_clear(&result);
	ndl_toolset_free(toolset);
	ndl_session_free(session);
	ndl_engine_free(engine);
	ndl_exec_free(exec);
	json_decref(list);
	return status;
}

int main(int argc, char **argv)
{
	ndl_error err = NDL_ERROR_INIT;
	if (argc != 4) {
		fprintf(stderr, "Usage: call MODEL TOOLS QUERY (needle %s)\n", NDL_VERSION);
		return 2;
	}
	int status = run(argv[1], argv[2], argv[3], &err);
	if (status == 3)
		fprintf(stderr, "call: %s\n", err.text);
	return status;
}
