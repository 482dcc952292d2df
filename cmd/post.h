/* post.h - JSON posted to an HTTP endpoint with retries, at a bounded rate, its answers kept in a
 * file so that nothing is asked (and paid for) twice. Needs libcurl at build time. */
#ifndef NDL_CMD_POST_H
#define NDL_CMD_POST_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct post post; /* opaque, owned */

typedef struct post_options {
	const char *url;       /* of the endpoint, http or https */
	const char *key;       /* sent as a bearer token, or NULL */
	double per_minute;     /* requests at most; over 0 */
	int tries;             /* of one request, before giving up */
	const char *cache;     /* file of answers, read first and appended to; or NULL */
} post_options;

/* False where the program was built without libcurl. */
bool post_available(void);

post *post_open(const post_options *o, ndl_error *err);
void post_close(post *p);

/* Appends the response's body. Errors of the network, statuses 408, 429 and 5xx are tried again,
 * after 1, 2, 4, ... seconds or as Retry-After says (a minute at most); other statuses fail with what
 * the server says. */
ndl_status post_ask(post *p, const char *body, ndl_buf *response, ndl_error *err);

typedef struct post_counts {
	uint64_t sent, tried_again, from_cache;
} post_counts;
void post_count(const post *p, post_counts *out);

#endif
