/* serve_http.h - an HTTP server for one machine: whole requests to a function, whole replies back, each connection in a thread of
 * its own. Needs libmicrohttpd at build time. */
#ifndef NDL_CMD_SERVE_HTTP_H
#define NDL_CMD_SERVE_HTTP_H

#include "base/buf.h"
#include "base/error.h"
#include "json/json.h"

#include <stddef.h>

typedef struct http_server http_server; /* opaque, owned */

typedef struct http_request {
	const char *method, *path; /* without what follows a ? */
	const char *body;
	size_t len;
} http_request;

/* Zeroed: 200, no body. */
typedef struct http_reply {
	unsigned status;
	const char *type;   /* of the body: "application/json", ... */
	const char *policy; /* Content-Security-Policy, or NULL */
	ndl_buf body;
	unsigned retry_after; /* seconds; 0: not said */
} http_reply;

/* Makes value (taken over) the body, with its type. */
void http_set_json(http_reply *r, unsigned status, json_t *value);

/* Called from several threads at once. */
typedef void http_handler(void *user, const http_request *q, http_reply *r);

typedef struct http_options {
	const char *address, *port;  /* numeric or a name; port "0": any that is free */
	const char *const *origins;  /* other origins whose pages may ask, "*" for all; NULL-terminated, or NULL */
	size_t max_body;             /* bytes; a longer one is refused with 413 */
	unsigned connections;        /* at the same time; further ones wait until one is closed */
	unsigned timeout;            /* seconds without a byte after which one is closed */
} http_options;

/* Listens; url[size] := where, "http://127.0.0.1:7860". A page of another origin than the server's is refused with 403, and so is, on a
 * loopback address, a request that names another host: a name that was made to lead here. */
http_server *http_start(const http_options *o, http_handler *fn, void *user, char *url, size_t size, ndl_error *err);
/* Takes no more connections and waits for the replies under way. */
void http_stop(http_server *s);

#endif
