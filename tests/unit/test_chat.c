/* chat: OpenAI's chat completions as requests, results as its replies. */
#include "session/chat.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>

#define TOOLS "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\"}},{\"type\":\"function\",\"function\":{\"name\":\"b\"}}]"
#define ASK "\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"hello\"}]"

static json_t *parse(const char *text)
{
	json_t *v = ndl_json_parse(text, strlen(text), NULL);
	if (!v)
		abort();
	return v;
}

static ndl_status read_text(ndl_chat *c, const char *text, json_t *tools, ndl_error *err)
{
	json_t *body = parse(text);
	ndl_chat_clear(c);
	ndl_status rc = ndl_chat_read(c, body, tools, err);
	json_decref(body);
	return rc;
}

static void test_requests(void)
{
	ndl_chat c = {0};
	ndl_error e = NDL_ERROR_INIT;
	json_t *given = parse("[{\"name\":\"c\"}]");
	CHECK(read_text(&c, "{" ASK "," TOOLS "}", given, &e) == NDL_OK);
	CHECK(c.asked && strcmp(ndl_buf_cstr(&c.query), "hello") == 0 && json_array_size(c.tools) == 2);
	CHECK(!c.required && !c.forbidden && !c.one && !c.stream && !c.usage && c.max_tokens == 0);
	CHECK(read_text(&c, "{" ASK ",\"tools\":null,\"tool_choice\":\"required\"}", given, &e) == NDL_OK);
	CHECK(c.tools == given && c.required);
	CHECK(read_text(&c, "{" ASK "}", NULL, &e) == NDL_OK && !c.tools);
	CHECK(read_text(&c, "{" ASK "," TOOLS ",\"tool_choice\":\"none\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
	                    "\"parallel_tool_calls\":false,\"max_tokens\":9,\"max_completion_tokens\":7,\"n\":1,\"temperature\":0.2}",
	                NULL, &e) == NDL_OK);
	CHECK(c.forbidden && c.stream && c.usage && c.one && c.max_tokens == 7);
	CHECK(read_text(&c, "{" ASK "," TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"b\"}}}", NULL, &e) == NDL_OK);
	CHECK(c.required && json_array_size(c.tools) == 1);
	CHECK_STR(json_string_value(json_object_get(json_object_get(json_array_get(c.tools, 0), "function"), "name")), "b");
	CHECK(read_text(&c, "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one\"},{\"type\":\"text\",\"text\":\"two\"}]}]}",
	                NULL, &e) == NDL_OK);
	CHECK_STR(ndl_buf_cstr(&c.query), "one\ntwo");
	CHECK(read_text(&c, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"tool\",\"content\":\"21\"}]}", NULL, &e) == NDL_OK);
	CHECK(!c.asked);
	ndl_chat_clear(&c);
	json_decref(given);
}

static void test_bad_requests(void)
{
	static const struct {
		const char *body, *says;
	} bad[] = {
		{"[]", "expected an object"},
		{"{}", "messages: expected"},
		{"{\"messages\":[]}", "messages: expected"},
		{"{\"messages\":[1]}", "messages[0].role"},
		{"{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content: expected a string or an array, found nothing"},
		{"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "messages[0].content[0]: only parts with a text"},
		{"{" ASK "," TOOLS ",\"tool_choice\":\"any\"}", "found \"any\""},
		{"{" ASK "," TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"z\"}}}", "no tool is called 'z'"},
		{"{" ASK "," TOOLS ",\"tool_choice\":7}", "tool_choice: expected"},
		{"{" ASK ",\"n\":2}", "there is one answer"},
		{"{" ASK ",\"max_tokens\":0}", "max_tokens: expected"},
		{"{" ASK ",\"stream\":\"yes\"}", "stream: expected a boolean"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ndl_chat c = {0};
		ndl_error e = NDL_ERROR_INIT;
		CHECK(read_text(&c, bad[i].body, NULL, &e) < 0 && strstr(e.text, bad[i].says));
		ndl_chat_clear(&c);
	}
}

static const ndl_chat_label label = {"default", 0x2a, 1700000000};

static ndl_result result_of(const char *calls)
{
	return (ndl_result){.calls = parse(calls), .confidence = 1, .prefill_tokens = 30, .decode_tokens = 12};
}

static void test_replies(void)
{
	ndl_chat c = {0};
	ndl_result r = result_of("[{\"name\":\"a\",\"arguments\":{\"x\":1.50,\"s\":\"caf\\u00e9\"}},{\"name\":\"b\",\"arguments\":{}}]");
	ndl_buf text = NDL_BUF_INIT;
	json_t *reply = ndl_chat_reply(&c, &r, &label);
	ndl_json_write(&text, reply, 0);
	CHECK_STR(ndl_buf_cstr(&text),
	          "{\"id\":\"chatcmpl-2a\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"default\",\"choices\":["
	          "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
	          "{\"id\":\"call_2a_0\",\"type\":\"function\",\"function\":{\"name\":\"a\",\"arguments\":\"{\\\"x\\\":1.5,\\\"s\\\":\\\"café\\\"}\"}},"
	          "{\"id\":\"call_2a_1\",\"type\":\"function\",\"function\":{\"name\":\"b\",\"arguments\":\"{}\"}}]},"
	          "\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":12,\"total_tokens\":42}}");
	json_decref(reply);
	c.one = true;
	reply = ndl_chat_reply(&c, &r, &label);
	const json_t *message = json_object_get(json_array_get(json_object_get(reply, "choices"), 0), "message");
	CHECK(json_array_size(json_object_get(message, "tool_calls")) == 1);
	json_decref(reply);
	ndl_result_clear(&r);
	r = result_of("[]");
	r.unfinished = true;
	reply = ndl_chat_reply(&c, &r, &label);
	const json_t *choice = json_array_get(json_object_get(reply, "choices"), 0);
	CHECK_STR(json_string_value(json_object_get(choice, "finish_reason")), "length");
	CHECK_STR(json_string_value(json_object_get(json_object_get(choice, "message"), "content")), "");
	CHECK(!json_object_get(json_object_get(choice, "message"), "tool_calls"));
	json_decref(reply);
	ndl_result_clear(&r);
	ndl_buf_clear(&text);
}

/* The deltas of a stream added up, as clients do, are the reply's message. */
static void test_events(void)
{
	ndl_chat c = {.usage = true};
	ndl_result r = result_of("[{\"name\":\"a\",\"arguments\":{\"x\":\"1\"}},{\"name\":\"b\",\"arguments\":{}}]");
	ndl_buf out = NDL_BUF_INIT, names = NDL_BUF_INIT, arguments = NDL_BUF_INIT;
	int chunks = 0, usages = 0, ends = 0;
	ndl_chat_events(&out, &c, &r, &label);
	ndl_buf_byte(&out, 0);
	char *event = (char *)ndl_buf_cstr(&out), *end;
	for (; (end = strstr(event, "\n\n")); event = end + 2) {
		*end = '\0';
		CHECK(strncmp(event, "data: ", 6) == 0);
		if (strcmp(event, "data: [DONE]") == 0)
			break;
		json_t *chunk = parse(event + 6);
		const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
		const json_t *call = json_array_get(json_object_get(json_object_get(choice, "delta"), "tool_calls"), 0);
		const json_t *function = json_object_get(call, "function");
		CHECK_STR(json_string_value(json_object_get(chunk, "object")), "chat.completion.chunk");
		ends += json_is_string(json_object_get(choice, "finish_reason"));
		usages += json_is_object(json_object_get(chunk, "usage"));
		if (json_object_get(function, "name"))
			ndl_buf_printf(&names, "%s:%s ", json_string_value(json_object_get(call, "id")),
			               json_string_value(json_object_get(function, "name")));
		if (function)
			ndl_buf_str(&arguments, json_string_value(json_object_get(function, "arguments")));
		chunks++;
		json_decref(chunk);
	}
	CHECK(end && strcmp(end + 2, "") == 0); /* nothing after [DONE] */
	CHECK(chunks == 7 && ends == 1 && usages == 1);
	CHECK_STR(ndl_buf_cstr(&names), "call_2a_0:a call_2a_1:b ");
	CHECK_STR(ndl_buf_cstr(&arguments), "{\"x\":\"1\"}{}");
	ndl_result_clear(&r);
	ndl_buf_clear(&out);
	ndl_buf_clear(&names);
	ndl_buf_clear(&arguments);
}

int main(void)
{
	test_requests();
	test_bad_requests();
	test_replies();
	test_events();
	return tap_done();
}
