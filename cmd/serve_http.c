#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "cmd/serve_http.h"

#include "session/chat.h"

void http_set_json(http_reply *r, unsigned status, json_t *value)
{
	r->status = status;
	r->type = "application/json";
	ndl_json_write(&r->body, value, 0);
	ndl_buf_byte(&r->body, '\n');
	json_decref(value);
}

#ifdef HAVE_MICROHTTPD

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_server {
	struct MHD_Daemon *daemon;
	http_options o;
	http_handler *fn;
	void *user;
	bool loopback;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t told;
	size_t under_way;     /* requests that are there whole, and whose replies are not sent yet */
	bool stopping;
};

enum { TOO_LONG = 413 }; /* libmicrohttpd has had three names for it */

/* A request under way. */
typedef struct exchange {
	ndl_buf body;
	bool too_long, under_way;
} exchange;

/* Who may ask ----------------------------------------------------------------------------- */

/* The length of the name in "name:port" or "[::1]:port". */
static size_t name_length(const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
	return end ? (size_t)(end - host) + 1 : strcspn(host, ":");
}

static bool is_name(const char *host, const char *name)
{
	size_t n = name_length(host);
	return n == strlen(name) && strncasecmp(host, name, n) == 0;
}

static bool is_local_name(const http_server *s, const char *host)
{
	bool numeric = strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == name_length(host);
	return numeric || is_name(host, "localhost") || is_name(host, "[::1]") || is_name(host, s->o.address);
}

/* Whether it is that of an origin that may ask, or any may: a server in front, with a name of its own, passes it on. */
static bool is_allowed_host(const http_server *s, const char *host)
{
	for (size_t i = 0; s->o.origins && s->o.origins[i]; i++) {
		const char *name = strstr(s->o.origins[i], "://");
		if (strcmp(s->o.origins[i], "*") == 0 || (name && strcasecmp(name + 3, host) == 0))
			return true;
	}
	return false;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* A browser says which page asks; what is no browser says nothing. */
static bool may_ask(const http_server *s, struct MHD_Connection *c)
{
	const char *origin = header(c, "Origin"), *host = header(c, "Host");
	if (s->loopback && host && !is_local_name(s, host) && !is_allowed_host(s, host))
		return false;
	if (!origin || (host && strncmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0))
		return true;
	for (size_t i = 0; s->o.origins && s->o.origins[i]; i++)
		if (strcmp(s->o.origins[i], "*") == 0 || strcasecmp(s->o.origins[i], origin) == 0)
			return true;
	return false;
}

/* Replies --------------------------------------------------------------------------------- */

static void add_headers(struct MHD_Response *m, struct MHD_Connection *c, const http_reply *r)
{
	const char *origin = header(c, "Origin");
	char seconds[16];
	if (r->type)
		MHD_add_response_header(m, "Content-Type", r->type);
	if (r->policy)
		MHD_add_response_header(m, "Content-Security-Policy", r->policy);
	if (r->retry_after) {
		snprintf(seconds, sizeof seconds, "%u", r->retry_after);
		MHD_add_response_header(m, "Retry-After", seconds);
	}
	MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(m, "Cache-Control", "no-store");
	if (origin && r->status != MHD_HTTP_FORBIDDEN) {
		MHD_add_response_header(m, "Access-Control-Allow-Origin", origin);
		const char *asked = header(c, "Access-Control-Request-Headers"); /* OpenAI's libraries have a dozen of their own */
		if (asked)
			MHD_add_response_header(m, "Access-Control-Allow-Headers", asked);
		MHD_add_response_header(m, "Vary", "Origin");
	}
}

static enum MHD_Result send_reply(struct MHD_Connection *c, http_reply *r)
{
	struct MHD_Response *m = r->body.failed ? NULL
		: MHD_create_response_from_buffer(r->body.len, (void *)ndl_buf_cstr(&r->body), MHD_RESPMEM_MUST_COPY);
	enum MHD_Result sent = MHD_NO;
	if (m) {
		add_headers(m, c, r);
		sent = MHD_queue_response(c, r->status, m);
		MHD_destroy_response(m);
	}
	ndl_buf_clear(&r->body);
	return sent;
}

static enum MHD_Result send_error(struct MHD_Connection *c, unsigned status, const char *text)
{
	http_reply r = {0};
	http_set_json(&r, status, ndl_chat_error(text, "invalid_request_error"));
	return send_reply(c, &r);
}

/* Requests -------------------------------------------------------------------------------- */

static bool says_too_long(const http_server *s, struct MHD_Connection *c)
{
	const char *length = header(c, "Content-Length");
	return length && strtoull(length, NULL, 10) > s->o.max_body;
}

static enum MHD_Result begin(http_server *s, struct MHD_Connection *c, void **state)
{
	if (!may_ask(s, c))
		return send_error(c, MHD_HTTP_FORBIDDEN,
		                  "not for pages of other origins, nor for who asks by another host's name: see --allow-origin");
	if (says_too_long(s, c))
		return send_error(c, TOO_LONG, "the request is too long");
	return (*state = ndl_calloc(1, sizeof(exchange))) ? MHD_YES : MHD_NO;
}

static void take(const http_server *s, exchange *e, const char *data, size_t len)
{
	e->too_long = e->too_long || len > s->o.max_body - e->body.len;
	if (!e->too_long)
		ndl_buf_add(&e->body, data, len);
}

/* False while the server stops. */
static bool start_reply(http_server *s, exchange *e)
{
	pthread_mutex_lock(&s->lock);
	e->under_way = !s->stopping;
	s->under_way += e->under_way;
	pthread_mutex_unlock(&s->lock);
	return e->under_way;
}

static void end_reply(http_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->under_way--;
	pthread_cond_signal(&s->told);
	pthread_mutex_unlock(&s->lock);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *path, const char *method, const char *version,
                              const char *data, size_t *len, void **state)
{
	http_server *s = arg;
	exchange *e = *state;
	http_reply r = {.status = MHD_HTTP_OK};
	(void)version;
	if (!e)
		return begin(s, c, state);
	if (*len) {
		take(s, e, data, *len);
		*len = 0;
		return e->too_long ? MHD_NO : MHD_YES; /* its length was not told: nobody waits for the end */
	}
	if (strcmp(method, "OPTIONS") == 0) {
		r.status = MHD_HTTP_NO_CONTENT;
		return send_reply(c, &r);
	}
	if (ndl_buf_check(&e->body, NULL) != NDL_OK || !start_reply(s, e))
		return MHD_NO;
	s->fn(s->user, &(http_request){method, path, ndl_buf_cstr(&e->body), e->body.len}, &r);
	return send_reply(c, &r);
}

static void end(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	exchange *e = *state;
	(void)c;
	(void)why;
	if (e && e->under_way)
		end_reply(arg);
	if (e)
		ndl_buf_clear(&e->body);
	free(e);
	*state = NULL;
}

/* The socket ------------------------------------------------------------------------------ */

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
}

static int listen_at(const struct addrinfo *a)
{
	const int on = 1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 64) == 0)
		return fd;
	int e = errno;
	close(fd);
	errno = e;
	return -1;
}

/* A listening socket; *loopback and the url from what it is bound to. */
static int open_socket(const http_options *o, bool *loopback, char *url, size_t size, ndl_error *err)
{
	struct addrinfo *found = NULL, want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	char host[128], port[16];
	int rc = getaddrinfo(o->address, o->port, &want, &found);
	if (rc != 0)
		return ndl_fail(err, NDL_EINVAL, "%s:%s: %s", o->address, o->port, gai_strerror(rc));
	int fd = listen_at(found);
	if (fd < 0)
		ndl_fail_errno(err, "%s:%s: cannot listen", o->address, o->port);
	freeaddrinfo(found);
	if (fd < 0)
		return -1;
	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		ndl_fail_errno(err, "%s:%s: cannot listen", o->address, o->port);
		close(fd);
		return -1;
	}
	*loopback = is_loopback((struct sockaddr *)&bound);
	snprintf(url, size, bound.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
	return fd;
}

http_server *http_start(const http_options *o, http_handler *fn, void *user, char *url, size_t size, ndl_error *err)
{
	http_server *s = ndl_calloc(1, sizeof *s);
	if (!s) {
		ndl_fail_nomem(err, "a server");
		return NULL;
	}
	*s = (http_server){.o = *o, .fn = fn, .user = user, .lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};
	const unsigned how = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
	                     MHD_USE_ITC; /* or it could not be quiesced */
	int fd = open_socket(o, &s->loopback, url, size, err);
	if (fd >= 0)
		s->daemon = MHD_start_daemon(how, 0, NULL, NULL, answer, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		                             o->connections, MHD_OPTION_CONNECTION_TIMEOUT, o->timeout, MHD_OPTION_NOTIFY_COMPLETED,
		                             end, s, MHD_OPTION_END);
	if (s->daemon)
		return s;
	if (fd >= 0) {
		ndl_fail(err, NDL_EIO, "%s: cannot start the server", url);
		close(fd);
	}
	free(s);
	return NULL;
}

void http_stop(http_server *s)
{
	if (!s)
		return;
	int fd = MHD_quiesce_daemon(s->daemon);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	while (s->under_way) /* MHD_stop_daemon would cut their connections */
		pthread_cond_wait(&s->told, &s->lock);
	pthread_mutex_unlock(&s->lock);
	MHD_stop_daemon(s->daemon);
	if (fd >= 0)
		close(fd);
	free(s);
}

#else

http_server *http_start(const http_options *o, http_handler *fn, void *user, char *url, size_t size, ndl_error *err)
{
	(void)o, (void)fn, (void)user, (void)url, (void)size;
	ndl_fail(err, NDL_EUNSUPPORTED, "this program was built without libmicrohttpd");
	return NULL;
}

void http_stop(http_server *s)
{
	(void)s;
}

#endif
