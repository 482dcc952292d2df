/* serve.c - a request's turn, its answer, and what else there is to ask a server. */
#include "cmd/serve.h"

#include "cmd/answer.h"

#include "session/chat.h"

#include <string.h>
#include <time.h>

static const struct route {
	const char *method, *path;
} routes[SERVE_ROUTES] = {
	{"GET", "/"}, {"GET", "/healthz"}, {"GET", "/metrics"}, {"GET", "/v1/models"}, {"POST", "/v1/chat/completions"}, {"POST", "/infer"},
};
enum { PAGE, HEALTH, METRICS, MODELS, CHAT, INFER };
static const unsigned statuses[SERVE_STATUSES] = {200, 400, 500, 503};

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
	int waited = 0;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)s->http.timeout;
	pthread_mutex_lock(&s->lock);
	w = idle_worker(s);
	if (!w && s->waiting < s->queue) {
		s->waiting++;
		while (!(w = idle_worker(s)) && waited == 0) /* a worker may become idle as the wait ends */
			waited = pthread_cond_timedwait(&s->idle, &s->lock, &until);
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

cli_tools_use serve_tools_use(const server *s)
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
	const cli_tools_use use = serve_tools_use(s);
	return cli_own_toolset(&w->with.own, &use, given, w->with.exec, err);
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
	if (!s->today_fixed && q.ground != NDL_GROUND_OFF)
		q.today = cli_today(&s->c, "now");
	const ndl_toolset *set = tools_of(s, w, tools, &err);
	bool done = set && ndl_session_run(w->with.session, set, query, len, &q, out, &err) == NDL_OK;
	end_turn(s, w, done ? out : NULL);
	if (!done)
		set_error(reply, &err);
	else if (answer_cut(out))
		cli_warn(&s->c, "%s", answer_cut(out));
	else
		cli_note(&s->c, &err, NULL);
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
	for (size_t i = 0; i < SERVE_ROUTES; i++)
		for (size_t k = 0; k < SERVE_STATUSES; k++)
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
	for (size_t k = 0; k < SERVE_STATUSES; k++)
		s->count[route][k] += statuses[k] == status;
	pthread_mutex_unlock(&s->lock);
}

/* The number of a route; SERVE_ROUTES, and the reply set, if there is none. */
static size_t find_route(const http_request *q, http_reply *reply)
{
	const char *method = strcmp(q->method, "HEAD") == 0 ? "GET" : q->method;
	const char *path = q->path + (strncmp(q->path, "//", 2) == 0); /* "$url/infer": the address that is printed ends in one */
	bool known = false;
	for (size_t i = 0; i < SERVE_ROUTES; i++) {
		if (strcmp(path, routes[i].path) != 0)
			continue;
		if (strcmp(method, routes[i].method) == 0)
			return i;
		known = true;
	}
	http_set_json(reply, known ? 405 : 404,
	         ndl_chat_error(known ? "this path takes another method" : "no such path", "invalid_request_error"));
	return SERVE_ROUTES;
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

void serve_request(void *user, const http_request *q, http_reply *reply)
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
	if (route < SERVE_ROUTES)
		count_request(s, route, reply->status);
	cli_verbose(&s->c, "%s %s %u", q->method, q->path, reply->status);
}
