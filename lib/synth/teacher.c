#include "synth/teacher.h"
#include "synth/hashset.h"

#include "base/mem.h"
#include "base/rng.h"
#include "json/json.h"
#include "tools/tools.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_QUERY = 4000, MAX_DRY = 20 };

struct ndl_teacher {
	ndl_teacher_options o;
	ndl_teacher_counts counts;
	syn_set seen;       /* the queries kept */
	ndl_buf example, body, response;
	/* the answer being gone through */
	json_t *items;
	size_t at;
	ndl_tools *tools;
	ndl_buf tools_text;
};

ndl_teacher *ndl_teacher_new(const ndl_teacher_options *o, ndl_error *err)
{
	ndl_teacher *t = ndl_calloc(1, sizeof *t);
	if (!t) {
		ndl_fail_nomem(err, "the teacher");
		return NULL;
	}
	t->o = *o;
	if (!t->o.per_request)
		t->o.per_request = 8;
	return t;
}

void ndl_teacher_free(ndl_teacher *t)
{
	if (!t)
		return;
	syn_set_clear(&t->seen);
	ndl_buf_clear(&t->example);
	ndl_buf_clear(&t->body);
	ndl_buf_clear(&t->response);
	ndl_buf_clear(&t->tools_text);
	json_decref(t->items);
	ndl_tools_free(t->tools);
	free(t);
}

void ndl_teacher_count(const ndl_teacher *t, ndl_teacher_counts *out)
{
	*out = t->counts;
}

const char *ndl_teacher_fault_name(enum ndl_teacher_fault f)
{
	static const char *const names[] = {"no JSON", "wrong shape", "not what the schema allows",
		"a value that is not in the query", "repeated", "held out"};
	return names[f];
}

/* Asking ------------------------------------------------------------------------------ */

static const char system_text[] =
	"You write training data for a small model that turns a request into tool calls. "
	"Answer with a JSON array and nothing else. Each element is "
	"{\"query\": what a person says, \"answers\": [{\"name\": tool, \"arguments\": {...}}]}. "
	"Rules: use only the tools and arguments given, with values of their types and enums. Copy strings from "
	"the query letter for letter, unless the argument's description asks for a form such as YYYY-MM-DD. "
	"Leave out optional arguments that the query does not give. If no tool fits, or a required "
	"argument is not in the query, \"answers\" is []. Write as many different people would: short, "
	"long, polite, rude, spoken, misspelt, indirect. Use varied, unusual values.";

/* What this request asks for besides, so that no two are alike. */
static const char *emphasis(uint64_t n)
{
	static const char *const lines[] = {
		"Most of them need one call.",
		"Write them as typed on a phone in a hurry, in lower case.",
		"Write them as spoken to a device, without punctuation.",
		"Half of them need two or three calls, some of one tool for several things.",
		"Give the situation first and the request at the end.",
		"Write polite full sentences.",
		"A third of them is for things that no tool here does, though they sound near; answers [].",
		"Use optional arguments often, in unusual orders.",
		"Use rare names, codes, foreign places and odd numbers as values.",
		"Some of them leave out what a tool requires; answers [].",
		"Write fragments of two to six words.",
		"Ask indirectly: the person says what they need, not what to do.",
	};
	return lines[n % (sizeof lines / sizeof *lines)];
}

/* The tools of the next composed example become those of the next question. */
static ndl_status next_tools(ndl_teacher *t, ndl_error *err)
{
	ndl_buf_reset(&t->example);
	ndl_status st = ndl_synth_next(t->o.synth, &t->example, NDL_SYNTH_JSONL, err);
	json_t *j = st == NDL_OK ? ndl_json_parse(t->example.data, t->example.len, err) : NULL;
	ndl_tools_free(t->tools);
	t->tools = j ? ndl_tools_new(json_object_get(j, "tools"), 0, err) : NULL;
	json_decref(j);
	if (!t->tools)
		return st ? st : NDL_EFORMAT;
	ndl_buf_reset(&t->tools_text);
	ndl_tools_render(t->tools, &t->tools_text, NULL, 0, 0);
	return ndl_buf_check(&t->tools_text, err);
}

static ndl_status write_body(ndl_teacher *t, uint64_t n, ndl_error *err)
{
	ndl_buf ask = NDL_BUF_INIT;
	ndl_buf_printf(&ask, "Tools: %s\n\nWrite %d examples. %s", ndl_buf_cstr(&t->tools_text), t->o.per_request,
		emphasis(n));
	ndl_buf_reset(&t->body);
	ndl_buf_str(&t->body, "{\"model\":");
	ndl_json_write_string(&t->body, t->o.model, strlen(t->o.model), 0);
	ndl_buf_str(&t->body, ",\"messages\":[{\"role\":\"system\",\"content\":");
	ndl_json_write_string(&t->body, system_text, strlen(system_text), 0);
	ndl_buf_str(&t->body, "},{\"role\":\"user\",\"content\":");
	ndl_json_write_string(&t->body, ndl_buf_cstr(&ask), ask.len, 0);
	ndl_buf_str(&t->body, "}]}");
	ndl_status st = ndl_buf_check(&ask, err);
	ndl_buf_clear(&ask);
	return st ? st : ndl_buf_check(&t->body, err);
}

static uint64_t usage(json_t *response, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(json_object_get(response, "usage"), key));
	return v > 0 ? (uint64_t)v : 0;
}

/* The array in what the model wrote, which may have words or a fence around it; NULL if none. */
static json_t *array_in(const char *text)
{
	const char *open = strchr(text, '['), *close = strrchr(text, ']');
	json_t *j = open && close > open ? ndl_json_parse(open, (size_t)(close - open + 1), NULL) : NULL;
	if (j && !json_is_array(j)) {
		json_decref(j);
		j = NULL;
	}
	return j;
}

static ndl_status ask(ndl_teacher *t, ndl_error *err)
{
	uint64_t n = t->counts.requests;
	ndl_status st = next_tools(t, err);
	if (st == NDL_OK)
		st = write_body(t, n, err);
	ndl_buf_reset(&t->response);
	if (st == NDL_OK)
		st = t->o.ask(t->o.user, n, ndl_buf_cstr(&t->body), &t->response, err);
	if (st)
		return st;
	t->counts.requests++;
	json_decref(t->items);
	t->items = NULL;
	t->at = 0;
	json_t *j = ndl_json_parse(ndl_buf_cstr(&t->response), t->response.len, NULL);
	const char *content = json_string_value(json_object_get(json_object_get(
		json_array_get(json_object_get(j, "choices"), 0), "message"), "content"));
	t->counts.tokens_in += usage(j, "prompt_tokens");
	t->counts.tokens_out += usage(j, "completion_tokens");
	t->items = content ? array_in(content) : NULL;
	json_decref(j);
	if (!t->items)
		t->counts.dropped[NDL_TEACHER_NO_JSON]++;
	return NDL_OK;
}

/* Checking ---------------------------------------------------------------------------- */

static bool occurs(const char *query, const char *s)
{
	size_t n = strlen(s);
	for (; *query; query++)
		if (strncasecmp(query, s, n) == 0)
			return true;
	return n == 0;
}

static bool has_number_word(const char *query)
{
	static const char *const words[] = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
		"ten", "eleven", "twelve", "teen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy",
		"eighty", "ninety", "hundred", "thousand", "million", "half", "quarter", "couple", "dozen", "pair",
		"once", "twice", "zero", " a ", " an ", "single", "double", "first", "second", "third", "max",
		"min", "full", "noon", "midnight", NULL};
	for (size_t i = 0; words[i]; i++)
		if (occurs(query, words[i]))
			return true;
	return strpbrk(query, "0123456789") != NULL;
}

/* May a string of this schema differ from the query? Enum words and asked-for forms may. */
static bool may_differ(const json_t *schema)
{
	static const char *const forms[] = {"YYYY", "ISO", "HH:", "24-hour", "24 hour", "code", "format", NULL};
	const char *d = json_string_value(json_object_get(schema, "description"));
	if (json_object_get(schema, "enum") || json_object_get(schema, "format"))
		return true;
	for (size_t i = 0; d && forms[i]; i++)
		if (strstr(d, forms[i]))
			return true;
	return false;
}

static bool grounded(const char *query, const json_t *schema, const json_t *v)
{
	const char *key;
	json_t *x;
	size_t i;
	if (json_is_string(v))
		return may_differ(schema) || occurs(query, json_string_value(v));
	if (json_is_number(v))
		return has_number_word(query);
	json_array_foreach(v, i, x)
		if (!grounded(query, json_object_get(schema, "items"), x))
			return false;
	if (json_is_object(v))
		json_object_foreach((json_t *)v, key, x)
			if (!grounded(query, json_object_get(json_object_get(schema, "properties"), key), x))
				return false;
	return true;
}

/* What is wrong with the item, or NDL_TEACHER_FAULTS. */
static enum ndl_teacher_fault fault_of(ndl_teacher *t, const json_t *item)
{
	const json_t *answers = json_object_get(item, "answers"), *query = json_object_get(item, "query"), *call;
	const char *q = json_string_value(query);
	size_t i, len = json_string_length(query);
	if (!q || len < 2 || len > MAX_QUERY || !json_is_array(answers))
		return NDL_TEACHER_SHAPE;
	json_array_foreach(answers, i, call) {
		if (ndl_tools_check_call(t->tools, call, NULL) != NDL_OK)
			return NDL_TEACHER_SCHEMA;
		long at = ndl_tools_find(t->tools, json_string_value(json_object_get(call, "name")));
		if (!grounded(q, ndl_tools_schema(t->tools, (size_t)at), json_object_get(call, "arguments")))
			return NDL_TEACHER_GROUNDING;
	}
	if (ndl_heldout_contains(t->o.heldout, q, len))
		return NDL_TEACHER_HELD_OUT;
	return syn_set_add(&t->seen, ndl_hash64(q, len, 31)) ? NDL_TEACHER_FAULTS : NDL_TEACHER_REPEATED;
}

static ndl_status write_item(const ndl_teacher *t, const json_t *item, ndl_buf *out, ndl_error *err)
{
	const json_t *query = json_object_get(item, "query"), *answers = json_object_get(item, "answers"), *call;
	size_t i;
	ndl_buf_str(out, "{\"query\":");
	ndl_json_write_string(out, json_string_value(query), json_string_length(query), 0);
	ndl_buf_str(out, ",\"tools\":");
	ndl_buf_add(out, t->tools_text.data, t->tools_text.len);
	ndl_buf_str(out, ",\"answers\":[");
	json_array_foreach(answers, i, call) {
		long at = ndl_tools_find(t->tools, json_string_value(json_object_get(call, "name")));
		ndl_buf_printf(out, "%s{\"name\":\"%s\",\"arguments\":", i ? "," : "",
			ndl_tools_norm_name(t->tools, (size_t)at));
		ndl_json_write(out, json_object_get(call, "arguments"), 0);
		ndl_buf_byte(out, '}');
	}
	ndl_buf_str(out, "],\"meta\":{\"source\":\"teacher\"}}\n");
	return ndl_buf_check(out, err);
}

ndl_status ndl_teacher_next(ndl_teacher *t, ndl_buf *out, ndl_error *err)
{
	for (int dry = 0;;) {
		while (t->at < json_array_size(t->items)) {
			const json_t *item = json_array_get(t->items, t->at++);
			enum ndl_teacher_fault f = fault_of(t, item);
			if (f == NDL_TEACHER_FAULTS) {
				t->counts.kept++;
				return write_item(t, item, out, err);
			}
			t->counts.dropped[f]++;
		}
		if (dry++ == MAX_DRY)
			return ndl_fail(err, NDL_EINVAL, "%d answers in a row held no usable example", MAX_DRY);
		ndl_status st = ask(t, err);
		if (st)
			return st;
	}
}
