/* chat.h - a request of OpenAI's chat completions as one of a session, and what a session found as its answer.
 *
 * The last message, if it is the user's, is the query; the network sees no other. After a tool's result or an
 * assistant's message there is nothing to ask: the answer is an empty text. Settings that mean nothing here (temperature, top_p,
 * penalties, seed, ...) are passed over. */
#ifndef NDL_SESSION_CHAT_H
#define NDL_SESSION_CHAT_H

#include "base/buf.h"
#include "base/error.h"
#include "json/json.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise; free with ndl_chat_clear. */
typedef struct ndl_chat {
	json_t *tools;     /* owned: what may be called, NULL if the request says nothing of tools */
	bool forbidden;    /* tool_choice none: no calls at all */
	bool asked;        /* there is a query */
	ndl_buf query;
	bool required;     /* tool_choice required, or a function by name: at least one call */
	bool one;          /* parallel_tool_calls false: no more than one */
	bool stream, usage;
	size_t max_tokens; /* 0: not said */
} ndl_chat;

/* NDL_EINVAL or NDL_EUNSUPPORTED with the path of what is wrong ("messages[1].content"). tools: those of a request that has
 * none of its own, or NULL; borrowed. */
ndl_status ndl_chat_read(ndl_chat *c, const json_t *body, json_t *tools, ndl_error *err);
void ndl_chat_clear(ndl_chat *c);

/* What names an answer. */
typedef struct ndl_chat_label {
	const char *model;
	uint64_t number;  /* of the request: makes its id and its calls' */
	int64_t created;  /* seconds since 1970 */
} ndl_chat_label;

/* A "chat.completion". New reference. */
json_t *ndl_chat_reply(const ndl_chat *c, const ndl_result *r, const ndl_chat_label *label);
/* The same as server-sent events: chunks, one for the role, two for each call (its name, its arguments), one for the end, and
 * [DONE]. */
void ndl_chat_events(ndl_buf *out, const ndl_chat *c, const ndl_result *r, const ndl_chat_label *label);
/* {"error":{...}} as OpenAI's clients read it. type: "invalid_request_error", ... New reference. */
json_t *ndl_chat_error(const char *message, const char *type);

#endif
