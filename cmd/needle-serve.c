/* needle-serve - tool calls over HTTP, for programs that speak OpenAI's chat completions and for people with a browser.
 *
 * One request is answered at a time (--parallel: more), others wait in a short queue. The manual is needle-serve(1). */
#include "cmd/answer.h"
#include "cmd/cli.h"
#include "cmd/engine.h"
#include "cmd/serve_http.h"

#include "base/utf8.h"
#include "session/chat.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	{KEY_TODAY, "today", "DATE", "the day that \"tomorrow\" is said by, for arguments that are dates; now: the clock's"},
	{KEY_LENIENT, "lenient", NULL, "ignore schema keywords that are not supported"},
	CLI_PRECISION(KEY_PRECISION),
	{0, NULL, NULL, NULL},
};

enum { MAX_PARALLEL = 64, MAX_ORIGINS = 16, SPARE_CONNECTIONS = 500 }; /* idle ones, which clients keep, too */

/* What one request at a time is answered with. */
typedef struct worker {
	ndl_exec *exec;
	ndl_session *session;
	cli_own_tools own;
	bool busy;
} worker;

static const struct route {
	const char *method, *path;
} routes[] = {
	{"GET", "/"}, {"GET", "/healthz"}, {"GET", "/metrics"}, {"GET", "/v1/models"}, {"POST", "/v1/chat/completions"}, {"POST", "/infer"},
};
enum { PAGE, HEALTH, METRICS, MODELS, CHAT, INFER, ROUTES };
static const unsigned statuses[] = {200, 400, 500, 503};
enum { STATUSES = sizeof statuses / sizeof *statuses };

typedef struct server {
	cli c;
	cli_engine e;
	http_options http;
	const char *origins[MAX_ORIGINS + 1];
	const char *tools_path;
	char model[64];      /* its name to clients: the file's, without folder and extension */
	int tool_flags;
	ndl_precision precision;
	ndl_request request;
	bool today_now;
	ndl_toolset *tools;  /* -t, or NULL */
	json_t *tools_json;
	size_t parallel, queue;
	worker worker[MAX_PARALLEL];
	pthread_mutex_t lock; /* for all that follows, and worker.busy */
	pthread_cond_t idle;
	size_t waiting;
	uint64_t chats;
	uint64_t count[ROUTES][STATUSES];
	uint64_t answers, prompt_tokens, answer_tokens;
	double seconds;
} server;

static const unsigned char page[] = {
#include "cmd/playground.inc"
};

/* Turns ---------------------------------------------------------------------------------- */

static worker *idle_worker(server *s)
{
	for (size_t i = 0; i < s->parallel; i++)
		if (!s->worker[i].busy)
			return &s->worker[i];
	return NULL;
}

/* NULL if too many wait already, or the wait is too long. */
static worker *take_turn(server *s)
{
	struct timespec until;
	worker *w;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)s->http.timeout;
	pthread_mutex_lock(&s->lock);
	w = idle_worker(s);
	if (!w && s->waiting < s->queue) {
		s->waiting++;
		while (!(w = idle_worker(s)) && pthread_cond_timedwait(&s->idle, &s->lock, &until) == 0)
			;
		s->waiting--;
	}
	if (w)
		w->busy = true;
	pthread_mutex_unlock(&s->lock);
	return w;
}

static void end_turn(server *s, worker *w, const ndl_result *r)
{
	pthread_mutex_lock(&s->lock);
	w->busy = false;
	if (r) {
		s->answers++;
		s->prompt_tokens += r->prefill_tokens;
		s->answer_tokens += r->decode_tokens;
		s->seconds += (r->prefill_ms + r->decode_ms) / 1e3;
	}
	pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

/* Answers -------------------------------------------------------------------------------- */

static void set_error(http_reply *r, const ndl_error *err)
{
	bool ours = (err->code == NDL_ENOMEM || err->code == NDL_EFORMAT) && !err->line; /* a line is one of the request */
	ndl_error where = *err;
	if (err->line)
		ndl_error_prefix(&where, "line %zu", err->line);
	http_set_json(r, ours ? 500 : 400, ndl_chat_error(where.text, ours ? "server_error" : "invalid_request_error"));
}

static void set_busy(http_reply *r)
{
	http_set_json(r, 503, ndl_chat_error("too many requests are waiting", "server_error"));
	r->retry_after = 1;
}

static cli_tools_use use_of(const server *s)
{
	return (cli_tools_use){.engine = s->e.engine, .flags = s->tool_flags, .request = &s->request};
}

/* The request's tools, else those of -t. */
static const ndl_toolset *tools_of(const server *s, worker *w, json_t *given, ndl_error *err)
{
	if (!given || given == s->tools_json) {
		if (!s->tools)
			ndl_fail(err, NDL_EINVAL, "tools: expected a list");
		return s->tools;
	}
	const cli_tools_use use = use_of(s);
	return cli_own_toolset(&w->own, &use, given, w->exec, err);
}

/* False with the reply set. Clear *out. */
static bool ask(server *s, json_t *tools, const char *query, size_t len, const ndl_request *request, ndl_result *out,
                http_reply *reply)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_request q = *request;
	worker *w = take_turn(s);
	if (!w) {
		set_busy(reply);
		return false;
	}
	if (s->today_now)
		q.today = cli_today(&s->c, "now");
	const ndl_toolset *set = tools_of(s, w, tools, &err);
	bool done = set && ndl_session_run(w->session, set, query, len, &q, out, &err) == NDL_OK;
	end_turn(s, w, done ? out : NULL);
	if (!done)
		set_error(reply, &err);
	else if (answer_cut(out))
		cli_warn(&s->c, "%s", answer_cut(out));
	return done;
}

static void infer(server *s, json_t *body, http_reply *reply)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_result r = {0};
	const json_t *query = json_object_get(body, "query");
	if (!json_is_string(query)) {
		ndl_fail(&err, NDL_EINVAL, "query: expected a string");
		set_error(reply, &err);
		return;
	}
	if (!ask(s, ndl_json_get(body, "tools"), json_string_value(query), json_string_length(query), &s->request, &r, reply))
		return;
	answer_drop(body);
	answer_add(body, &r, true);
	http_set_json(reply, 200, json_incref(body));
	ndl_result_clear(&r);
}

static ndl_chat_label new_label(server *s)
{
	pthread_mutex_lock(&s->lock);
	ndl_chat_label label = {s->model, ++s->chats, (int64_t)time(NULL)};
	pthread_mutex_unlock(&s->lock);
	label.number |= (uint64_t)label.created << 24; /* another number after a new start */
	return label;
}

static void chat(server *s, json_t *body, http_reply *reply)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_chat c = {0};
	ndl_result r = {0};
	ndl_request q = s->request;
	const ndl_chat_label label = new_label(s);
	bool answered = false;
	if (ndl_chat_read(&c, body, s->tools_json, &err) != NDL_OK) {
		set_error(reply, &err);
	} else if (!c.asked || c.forbidden || !c.tools) { /* nothing to call: an empty text */
		answered = true;
	} else {
		q.required = c.required;
		q.max_tokens = c.max_tokens;
		answered = ask(s, c.tools, ndl_buf_cstr(&c.query), c.query.len, &q, &r, reply);
	}
	if (answered && c.stream) {
		reply->type = "text/event-stream";
		ndl_chat_events(&reply->body, &c, &r, &label);
	} else if (answered) {
		http_set_json(reply, 200, ndl_chat_reply(&c, &r, &label));
	}
	ndl_result_clear(&r);
	ndl_chat_clear(&c);
}

/* What else there is --------------------------------------------------------------------- */

static void models(const server *s, http_reply *reply)
{
	http_set_json(reply, 200, json_pack("{s:s,s:[{s:s,s:s,s:i,s:s}]}", "object", "list", "data", "id", s->model, "object", "model",
	                               "created", 0, "owned_by", "needle"));
}

static void metric(ndl_buf *out, const char *name, const char *type, double value)
{
	ndl_buf_printf(out, "# TYPE needle_%s %s\nneedle_%s %.10g\n", name, type, name, value);
}

/* Prometheus' text format. */
static void metrics(server *s, http_reply *reply)
{
	ndl_buf *out = &reply->body;
	size_t busy = 0;
	reply->type = "text/plain; version=0.0.4";
	pthread_mutex_lock(&s->lock);
	ndl_buf_str(out, "# TYPE needle_requests_total counter\n");
	for (size_t i = 0; i < ROUTES; i++)
		for (size_t k = 0; k < STATUSES; k++)
			if (s->count[i][k])
				ndl_buf_printf(out, "needle_requests_total{path=\"%s\",status=\"%u\"} %llu\n", routes[i].path, statuses[k],
				               (unsigned long long)s->count[i][k]);
	for (size_t i = 0; i < s->parallel; i++)
		busy += s->worker[i].busy;
	metric(out, "answers_total", "counter", (double)s->answers);
	metric(out, "answer_seconds_total", "counter", s->seconds);
	metric(out, "prompt_tokens_total", "counter", (double)s->prompt_tokens);
	metric(out, "answer_tokens_total", "counter", (double)s->answer_tokens);
	metric(out, "busy", "gauge", (double)busy);
	metric(out, "waiting", "gauge", (double)s->waiting);
	pthread_mutex_unlock(&s->lock);
}

static void show_page(http_reply *reply)
{
	reply->type = "text/html; charset=utf-8";
	reply->policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
	                "form-action 'none'; frame-ancestors 'none'";
	ndl_buf_add(&reply->body, page, sizeof page);
}

static void count_request(server *s, size_t route, unsigned status)
{
	pthread_mutex_lock(&s->lock);
	for (size_t k = 0; k < STATUSES; k++)
		s->count[route][k] += statuses[k] == status;
	pthread_mutex_unlock(&s->lock);
}

/* The number of a route; ROUTES, and the reply set, if there is none. */
static size_t find_route(const http_request *q, http_reply *reply)
{
	const char *method = strcmp(q->method, "HEAD") == 0 ? "GET" : q->method;
	bool known = false;
	for (size_t i = 0; i < ROUTES; i++) {
		if (strcmp(q->path, routes[i].path) != 0)
			continue;
		if (strcmp(method, routes[i].method) == 0)
			return i;
		known = true;
	}
	http_set_json(reply, known ? 405 : 404,
	         ndl_chat_error(known ? "this path takes another method" : "no such path", "invalid_request_error"));
	return ROUTES;
}

static void post(server *s, size_t route, const http_request *q, http_reply *reply)
{
	ndl_error err = NDL_ERROR_INIT;
	json_t *body = ndl_json_parse(q->body, q->len, &err);
	if (!body)
		set_error(reply, &err);
	else if (route == CHAT)
		chat(s, body, reply);
	else
		infer(s, body, reply);
	json_decref(body);
}

static void handle(void *user, const http_request *q, http_reply *reply)
{
	server *s = user;
	size_t route = find_route(q, reply);
	switch (route) {
	case PAGE: show_page(reply); break;
	case HEALTH:
		reply->type = "text/plain";
		ndl_buf_str(&reply->body, "ok\n");
		break;
	case METRICS: metrics(s, reply); break;
	case MODELS: models(s, reply); break;
	case CHAT:
	case INFER: post(s, route, q, reply); break;
	}
	if (route < ROUTES)
		count_request(s, route, reply->status);
	cli_verbose(&s->c, "%s %s %u", q->method, q->path, reply->status);
}

/* main ----------------------------------------------------------------------------------- */

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
	if (n == MAX_ORIGINS)
		cli_usage_error(&s->c, "--allow-origin: at most %d", MAX_ORIGINS);
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
		case KEY_PARALLEL: s->parallel = (size_t)cli_long(&s->c, "--parallel", arg, 1, MAX_PARALLEL); break;
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
			s->today_now = strcmp(arg, "now") == 0;
			break;
		case KEY_LENIENT: s->tool_flags |= NDL_TOOLS_LENIENT; break;
		case KEY_PRECISION: s->precision = cli_precision(&s->c, arg); break;
		}
	}
	if (first < argc)
		cli_usage_error(&s->c, "unexpected operand '%s'", argv[first]);
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
	for (size_t i = 0; i < s->parallel; i++) {
		worker *w = &s->worker[i];
		w->exec = ndl_exec_fork(s->e.exec, threads > 0 ? threads : 1, err);
		w->session = w->exec ? ndl_session_new(s->e.engine, w->exec, err) : NULL;
		if (!w->session)
			return false;
	}
	return true;
}

static bool load_tools(server *s, ndl_error *err)
{
	const cli_tools_use use = use_of(s);
	if (cli_check_ranking(s->e.engine, s->request.rank, err) != NDL_OK)
		return false;
	if (!s->tools_path)
		return true;
	if ((s->tools_json = ndl_json_load(s->tools_path, err)))
		s->tools = cli_toolset_new(&use, s->tools_json, s->e.exec, err);
	if (!s->tools)
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
	http_server *h = open_workers(s, &err) && load_tools(s, &err) ? http_start(&s->http, handle, s, url, sizeof url, &err) : NULL;
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
	for (size_t i = 0; i < s->parallel; i++) {
		cli_own_tools_clear(&s->worker[i].own);
		ndl_session_free(s->worker[i].session);
		ndl_exec_free(s->worker[i].exec);
	}
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
