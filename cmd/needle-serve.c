/* needle-serve - tool calls over HTTP, for programs that speak OpenAI's chat completions and for people with a browser.
 *
 * One request is answered at a time (--parallel: more), others wait in a short queue. The manual is needle-serve(1). */
#include "cmd/serve.h"

#include "base/utf8.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LISTEN = 256, KEY_ORIGIN, KEY_PARALLEL, KEY_QUEUE, KEY_BODY, KEY_TIMEOUT, KEY_MIN, KEY_GROUND, KEY_TODAY, KEY_LENIENT,
	KEY_PRECISION, KEY_RANK };

static const cli_option options[] = {
	{KEY_LISTEN, "listen", "ADDRESS:PORT", "where to listen; port 0 is any free one [127.0.0.1:7860]"},
	{KEY_ORIGIN, "allow-origin", "ORIGIN", "let pages of this origin ask, too (* for all); may be given again"},
	{KEY_PARALLEL, "parallel", "N", "answer N requests at the same time, each with its share of the threads [1]"},
	{KEY_QUEUE, "queue", "N", "let at most N more wait [32]"},
	{KEY_BODY, "max-body", "BYTES", "longest request [1048576]"},
	{KEY_TIMEOUT, "timeout", "SECONDS", "longest wait, for a byte of a request or for its turn [30]"},
	{'t', "tools", "FILE", "tool list (JSON) of requests that have none of their own"},
	{'k', "top-tools", "K", "offer only the K best tools, found by retrieval [all]"},
	CLI_RANK(KEY_RANK),
	{KEY_MIN, "min-confidence", "X", "less confident answers become no call [0]"},
	{KEY_GROUND, "ground", "strict|prefer|off", "copy string values from the query [prefer]"},
	{KEY_TODAY, "today", "DATE", "the day that \"tomorrow\" is said by, for arguments that are dates [now]"},
	{KEY_LENIENT, "lenient", NULL, "ignore schema keywords that are not supported"},
	CLI_PRECISION(KEY_PRECISION),
	{0, NULL, NULL, NULL},
};

enum { SPARE_CONNECTIONS = 500 }; /* idle ones, which clients keep, too */

/* ADDRESS:PORT, [ADDRESS]:PORT, ADDRESS or :PORT, cut where the port begins. */
static void set_address(server *s, const char *arg)
{
	char *copy = strdup(arg), *port = copy ? strrchr(copy, ':') : NULL;
	if (!copy)
		cli_usage_error(&s->c, "--listen: no memory");
	if (*arg && !arg[strspn(arg, "0123456789")]) /* or it would be an address of one number */
		cli_usage_error(&s->c, "--listen: expected ADDRESS:PORT; the port alone is ':%s'", arg);
	if (port && (strchr(port, ']') || (strchr(copy, ':') != port && copy[0] != '[')))
		port = NULL; /* an IPv6 address alone */
	if (port) {
		*port++ = '\0';
		cli_long(&s->c, "--listen", port, 0, 65535);
		s->http.port = port;
	}
	size_t n = strlen(copy);
	if (n > 1 && copy[0] == '[' && copy[n - 1] == ']') {
		copy[n - 1] = '\0';
		copy++;
	}
	if (*copy)
		s->http.address = copy;
}

static void add_origin(server *s, const char *arg)
{
	const char *host = strstr(arg, "://");
	size_t n = 0;
	if (strcmp(arg, "*") != 0 && strcmp(arg, "null") != 0 && (!host || !host[3] || strchr(host + 3, '/')))
		cli_usage_error(&s->c, "--allow-origin: expected SCHEME://HOST[:PORT], null or *, not '%s'", arg);
	while (s->origins[n])
		n++;
	if (n == SERVE_ORIGINS)
		cli_usage_error(&s->c, "--allow-origin: at most %d", SERVE_ORIGINS);
	s->origins[n] = arg;
}

static void parse_options(server *s, int argc, char **argv)
{
	const char *arg;
	int key, first;
	while ((key = cli_next(&s->c, argc, argv, &arg, &first)) != 0) {
		switch (key) {
		case KEY_LISTEN: set_address(s, arg); break;
		case KEY_ORIGIN: add_origin(s, arg); break;
		case KEY_PARALLEL: s->parallel = (size_t)cli_long(&s->c, "--parallel", arg, 1, SERVE_PARALLEL); break;
		case KEY_QUEUE: s->queue = (size_t)cli_long(&s->c, "--queue", arg, 0, 10000); break;
		case KEY_BODY: s->http.max_body = (size_t)cli_long(&s->c, "--max-body", arg, 1, 1 << 30); break;
		case KEY_TIMEOUT: s->http.timeout = (unsigned)cli_long(&s->c, "--timeout", arg, 1, 86400); break;
		case 't': s->tools_path = arg; break;
		case 'k': s->request.top_tools = (size_t)cli_long(&s->c, "--top-tools", arg, 1, 100000); break;
		case KEY_RANK: s->request.rank = cli_ranking(&s->c, arg); break;
		case KEY_MIN: s->request.min_confidence = cli_double(&s->c, "--min-confidence", arg, 0, 1); break;
		case KEY_GROUND: s->request.ground = cli_grounding(&s->c, arg); break;
		case KEY_TODAY:
			s->request.today = cli_today(&s->c, arg);
			s->today_fixed = strcmp(arg, "now") != 0;
			break;
		case KEY_LENIENT: s->tool_flags |= NDL_TOOLS_LENIENT; break;
		case KEY_PRECISION: s->precision = cli_precision(&s->c, arg); break;
		}
	}
	if (first < argc)
		cli_usage_error(&s->c, "unexpected operand '%s'", argv[first]);
	cli_check_today(&s->c, &s->request);
	if (s->request.rank && !s->request.top_tools)
		cli_usage_error(&s->c, "--rank goes with --top-tools");
	s->http.connections = (unsigned)(s->parallel + s->queue) + SPARE_CONNECTIONS;
}

static void name_model(server *s)
{
	ndl_error err = NDL_ERROR_INIT;
	const char *path = cli_model_path(&s->c, &err), *slash = path ? strrchr(path, '/') : NULL;
	const char *base = slash ? slash + 1 : path ? path : "";
	const char *dot = strrchr(base, '.');
	size_t len = dot ? (size_t)(dot - base) : strlen(base), fits = len < sizeof s->model ? len : sizeof s->model - 1;
	memcpy(s->model, base, ndl_utf8_check(base, fits));
}

static bool open_workers(server *s, ndl_error *err)
{
	int threads = ndl_exec_threads(s->e.exec) / (int)s->parallel;
	ndl_status rc = NDL_OK;
	for (size_t i = 0; i < s->parallel && rc == NDL_OK; i++)
		rc = cli_worker_open(&s->worker[i].with, s->e.engine, threads > 0 ? threads : 1, s->precision, err);
	return rc == NDL_OK;
}

static bool load_tools(server *s, ndl_error *err)
{
	const cli_tools_use use = serve_tools_use(s);
	if (cli_check_ranking(s->e.engine, s->request.rank, err) != NDL_OK)
		return false;
	if (!s->tools_path)
		return true;
	if ((s->tools_json = ndl_json_load(s->tools_path, err)))
		s->tools = cli_toolset_new(&use, s->tools_json, s->e.exec, err);
	if (s->tools)
		cli_note(&s->c, err, s->tools_path);
	else
		ndl_error_at(err, s->tools_path, 0);
	return s->tools != NULL;
}

/* Until SIGINT or SIGTERM. */
static int serve(server *s)
{
	ndl_error err = NDL_ERROR_INIT;
	char url[200];
	sigset_t stop;
	int signal;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL); /* in all threads to come: sigwait takes them */
	http_server *h = open_workers(s, &err) && load_tools(s, &err) ? http_start(&s->http, serve_request, s, url, sizeof url, &err) : NULL;
	if (!h) {
		cli_report(&s->c, &err);
		return CLI_UNUSABLE;
	}
	printf("%s/\n", url);
	fflush(stdout);
	sigwait(&stop, &signal);
	pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* a second one does not wait for answers */
	http_stop(h);
	return CLI_OK;
}

static void close_server(server *s)
{
	for (size_t i = 0; i < s->parallel; i++)
		cli_worker_close(&s->worker[i].with);
	ndl_toolset_free(s->tools);
	json_decref(s->tools_json);
	cli_engine_close(&s->e);
}

int main(int argc, char **argv)
{
	static server s = {.c = {
		.name = "needle-serve",
		.usage = "needle-serve [OPTION]...\n",
		.summary = "Answer queries with tool calls over HTTP: a page for the browser at /, POST /infer,\n"
		           "and OpenAI's POST /v1/chat/completions.",
		.examples = "  needle-serve\n"
		            "  needle-serve -t tools.json --listen 127.0.0.1:8080\n"
		            "  curl -d '{\"query\":\"wake me at seven\",\"tools\":[...]}' http://127.0.0.1:7860/infer\n",
		.options = options,
		.flags = CLI_TAKES_MODEL,
	}, .http = {.address = "127.0.0.1", .port = "7860", .max_body = 1 << 20, .timeout = 30},
		.precision = NDL_PRECISION_INT8, .parallel = 1, .queue = 32,
		.lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};
	cli_init(&s.c);
	s.http.origins = s.origins;
	parse_options(&s, argc, argv);
	int status = CLI_UNUSABLE;
	if (cli_engine_open(&s.c, &s.e, s.precision)) {
		name_model(&s);
		status = serve(&s);
	}
	close_server(&s);
	return cli_finish(&s.c, status);
}
