/* serve.h - what needle-serve keeps while it runs, and how it answers a request. */
#ifndef NDL_CMD_SERVE_H
#define NDL_CMD_SERVE_H

#include "cmd/cli.h"
#include "cmd/engine.h"
#include "cmd/serve_http.h"

#include <pthread.h>

enum { SERVE_PARALLEL = 64, SERVE_ORIGINS = 16 }; /* at most */
enum { SERVE_ROUTES = 6, SERVE_STATUSES = 4 };    /* that are counted apart */

/* What one request at a time is answered with. */
typedef struct worker {
	cli_worker with;
	bool busy;
} worker;

typedef struct server {
	cli c;
	cli_engine e;
	http_options http;
	const char *origins[SERVE_ORIGINS + 1];
	const char *tools_path;
	char model[64];      /* its name to clients: the file's, without folder and extension */
	int tool_flags;
	ndl_precision precision;
	ndl_request request;
	bool today_fixed; /* else each request asks the clock */
	ndl_toolset *tools;  /* -t, or NULL */
	json_t *tools_json;
	size_t parallel, queue;
	worker worker[SERVE_PARALLEL];
	pthread_mutex_t lock; /* for all that follows, and worker.busy */
	pthread_cond_t idle;
	size_t waiting;
	uint64_t chats;
	uint64_t count[SERVE_ROUTES][SERVE_STATUSES];
	uint64_t answers, prompt_tokens, answer_tokens;
	double seconds;
} server;

/* What the server's tool lists are made for. */
cli_tools_use serve_tools_use(const server *s);
/* An http_handler, of a server. */
void serve_request(void *user, const http_request *q, http_reply *reply);

#endif
