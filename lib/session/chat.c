#include "session/chat.h"

#include <inttypes.h>
#include <string.h>

/* The request ---------------------------------------------------------------------------- */

/* Appends a message's content: a text, or parts of which each has one. */
static ndl_status read_content(ndl_buf *out, const json_t *content, size_t message, ndl_error *err)
{
	size_t i;
	const json_t *part;
	if (json_is_string(content)) {
		ndl_buf_add(out, json_string_value(content), json_string_length(content));
		return ndl_buf_check(out, err);
	}
	if (!json_is_array(content))
		return ndl_fail(err, NDL_EINVAL, "messages[%zu].content: expected a string or an array, found %s", message,
		                content ? ndl_json_type_name(content) : "nothing");
	json_array_foreach(content, i, part) {
		const json_t *text = json_object_get(part, "text");
		if (!json_is_string(text))
			return ndl_fail(err, NDL_EUNSUPPORTED, "messages[%zu].content[%zu]: only parts with a text can be read", message, i);
		if (i)
			ndl_buf_byte(out, '\n');
		ndl_buf_add(out, json_string_value(text), json_string_length(text));
	}
	return ndl_buf_check(out, err);
}

static ndl_status read_messages(ndl_chat *c, const json_t *messages, ndl_error *err)
{
	size_t n = json_array_size(messages);
	if (n == 0)
		return ndl_fail(err, NDL_EINVAL, "messages: expected an array with a message");
	const json_t *last = json_array_get(messages, n - 1), *role = json_object_get(last, "role");
	if (!json_is_string(role))
		return ndl_fail(err, NDL_EINVAL, "messages[%zu].role: expected a string", n - 1);
	c->asked = strcmp(json_string_value(role), "user") == 0;
	return c->asked ? read_content(&c->query, json_object_get(last, "content"), n - 1, err) : NDL_OK;
}

/* Leaves the one function that must be called. */
static ndl_status keep_function(ndl_chat *c, const json_t *choice, ndl_error *err)
{
	const json_t *function = json_object_get(choice, "function"), *name = json_object_get(function ? function : choice, "name");
	if (!json_is_string(name))
		return ndl_fail(err, NDL_EINVAL, "tool_choice: expected \"none\", \"auto\", \"required\" or a function with a name");
	ndl_tools *tools = c->tools ? ndl_tools_new(c->tools, NDL_TOOLS_LENIENT, err) : NULL;
	if (c->tools && !tools)
		return err->code;
	long at = tools ? ndl_tools_find(tools, json_string_value(name)) : -1;
	if (at >= 0) {
		json_decref(c->tools);
		c->tools = json_pack("[O]", ndl_tools_given(tools, (size_t)at));
	}
	ndl_tools_free(tools);
	c->required = true;
	return at >= 0 ? NDL_OK : ndl_fail(err, NDL_ENOTFOUND, "tool_choice: no tool is called '%s'", json_string_value(name));
}

static ndl_status read_choice(ndl_chat *c, const json_t *choice, ndl_error *err)
{
	if (!choice)
		return NDL_OK;
	if (!json_is_string(choice))
		return keep_function(c, choice, err);
	const char *word = json_string_value(choice);
	c->forbidden = strcmp(word, "none") == 0;
	c->required = strcmp(word, "required") == 0;
	if (c->forbidden || c->required || strcmp(word, "auto") == 0)
		return NDL_OK;
	return ndl_fail(err, NDL_EINVAL, "tool_choice: expected \"none\", \"auto\", \"required\" or a function, found \"%s\"", word);
}

/* *out: whether the object says true under the key. */
static ndl_status read_flag(const json_t *object, const char *key, bool absent, bool *out, ndl_error *err)
{
	const json_t *v = ndl_json_get(object, key);
	*out = v ? json_is_true(v) : absent;
	return !v || json_is_boolean(v) ? NDL_OK : ndl_fail(err, NDL_EINVAL, "%s: expected a boolean", key);
}

static ndl_status read_count(const json_t *body, const char *key, size_t *out, ndl_error *err)
{
	const json_t *v = ndl_json_get(body, key);
	if (!v)
		return NDL_OK;
	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return ndl_fail(err, NDL_EINVAL, "%s: expected an integer from 1 on", key);
	*out = (size_t)json_integer_value(v);
	return NDL_OK;
}

ndl_status ndl_chat_read(ndl_chat *c, const json_t *body, json_t *tools, ndl_error *err)
{
	bool parallel = true;
	size_t answers = 1;
	if (!json_is_object(body))
		return ndl_fail(err, NDL_EINVAL, "expected an object, found %s", ndl_json_type_name(body));
	json_t *own = ndl_json_get(body, "tools");
	c->tools = json_incref(own ? own : tools);
	ndl_status rc = read_messages(c, json_object_get(body, "messages"), err);
	if (rc == NDL_OK)
		rc = read_choice(c, ndl_json_get(body, "tool_choice"), err);
	if (rc == NDL_OK)
		rc = read_flag(body, "parallel_tool_calls", true, &parallel, err);
	if (rc == NDL_OK)
		rc = read_flag(body, "stream", false, &c->stream, err);
	if (rc == NDL_OK)
		rc = read_flag(ndl_json_get(body, "stream_options"), "include_usage", false, &c->usage, err);
	if (rc == NDL_OK)
		rc = read_count(body, "max_tokens", &c->max_tokens, err);
	if (rc == NDL_OK)
		rc = read_count(body, "max_completion_tokens", &c->max_tokens, err);
	if (rc == NDL_OK)
		rc = read_count(body, "n", &answers, err);
	if (rc == NDL_OK && answers > 1)
		rc = ndl_fail(err, NDL_EUNSUPPORTED, "n: there is one answer, not %zu", answers);
	c->one = !parallel;
	return rc;
}

void ndl_chat_clear(ndl_chat *c)
{
	json_decref(c->tools);
	ndl_buf_clear(&c->query);
	memset(c, 0, sizeof *c);
}

/* The answer ------------------------------------------------------------------------------ */

static size_t count_calls(const ndl_chat *c, const ndl_result *r)
{
	size_t n = json_array_size(r->calls);
	return c->one && n > 1 ? 1 : n;
}

static const char *end_of(const ndl_chat *c, const ndl_result *r)
{
	size_t n = count_calls(c, r);
	return r->unfinished && !(c->one && n) ? "length" : n ? "tool_calls" : "stop"; /* what was left out may be what was cut */
}

static json_t *usage_of(const ndl_result *r)
{
	json_int_t in = (json_int_t)r->prefill_tokens, out = (json_int_t)r->decode_tokens;
	return json_pack("{s:I,s:I,s:I}", "prompt_tokens", in, "completion_tokens", out, "total_tokens", in + out);
}

/* {"role":"assistant","content":...}: no text where there are calls. */
static json_t *message_start(bool calls)
{
	return json_pack("{s:s,s:o}", "role", "assistant", "content", calls ? json_null() : json_string(""));
}

static json_t *call_id(const ndl_chat_label *label, size_t i)
{
	char id[64];
	snprintf(id, sizeof id, "call_%" PRIx64 "_%zu", label->number, i);
	return json_string(id);
}

static json_t *arguments_text(const json_t *call)
{
	ndl_buf text = NDL_BUF_INIT;
	ndl_json_write(&text, json_object_get(call, "arguments"), 0);
	json_t *s = json_stringn(ndl_buf_cstr(&text), text.len);
	ndl_buf_clear(&text);
	return s;
}

/* What all objects of an answer begin with. */
static json_t *new_object(const char *kind, const ndl_chat_label *label)
{
	char id[64];
	snprintf(id, sizeof id, "chatcmpl-%" PRIx64, label->number);
	return json_pack("{s:s,s:s,s:I,s:s}", "id", id, "object", kind, "created", (json_int_t)label->created, "model", label->model);
}

json_t *ndl_chat_reply(const ndl_chat *c, const ndl_result *r, const ndl_chat_label *label)
{
	size_t n = count_calls(c, r);
	json_t *message = message_start(n > 0), *calls = json_array();
	for (size_t i = 0; i < n; i++) {
		const json_t *call = json_array_get(r->calls, i);
		json_array_append_new(calls, json_pack("{s:o,s:s,s:{s:O,s:o}}", "id", call_id(label, i), "type", "function", "function",
		                                       "name", json_object_get(call, "name"), "arguments", arguments_text(call)));
	}
	if (n)
		json_object_set(message, "tool_calls", calls);
	json_decref(calls);
	json_t *reply = new_object("chat.completion", label);
	json_object_set_new(reply, "choices", json_pack("[{s:i,s:o,s:s}]", "index", 0, "message", message, "finish_reason", end_of(c, r)));
	json_object_set_new(reply, "usage", usage_of(r));
	return reply;
}

/* One event; delta and usage are taken over, end and usage may be NULL. */
static void add_event(ndl_buf *out, const ndl_chat_label *label, json_t *delta, const char *end, json_t *usage)
{
	json_t *chunk = new_object("chat.completion.chunk", label);
	json_t *choice = delta ? json_pack("[{s:i,s:o,s:s?}]", "index", 0, "delta", delta, "finish_reason", end) : json_array();
	json_object_set_new(chunk, "choices", choice);
	if (usage)
		json_object_set_new(chunk, "usage", usage);
	ndl_buf_str(out, "data: ");
	ndl_json_write(out, chunk, 0);
	ndl_buf_str(out, "\n\n");
	json_decref(chunk);
}

void ndl_chat_events(ndl_buf *out, const ndl_chat *c, const ndl_result *r, const ndl_chat_label *label)
{
	size_t n = count_calls(c, r);
	add_event(out, label, message_start(n > 0), NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		const json_t *call = json_array_get(r->calls, i);
		add_event(out, label, json_pack("{s:[{s:i,s:o,s:s,s:{s:O,s:s}}]}", "tool_calls", "index", (int)i, "id", call_id(label, i),
		                                "type", "function", "function", "name", json_object_get(call, "name"), "arguments", ""),
		          NULL, NULL);
		add_event(out, label, json_pack("{s:[{s:i,s:{s:o}}]}", "tool_calls", "index", (int)i, "function", "arguments",
		                                arguments_text(call)), NULL, NULL);
	}
	add_event(out, label, json_object(), end_of(c, r), NULL);
	if (c->usage)
		add_event(out, label, NULL, NULL, usage_of(r));
	ndl_buf_str(out, "data: [DONE]\n\n");
}

json_t *ndl_chat_error(const char *message, const char *type)
{
	return json_pack("{s:{s:s,s:s,s:n,s:n}}", "error", "message", message, "type", type, "param", "code");
}
