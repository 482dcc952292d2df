#include "synth/requests.h"

#include "base/buf.h"
#include "base/mem.h"
#include "synth/folder.h"
#include "tools/tools.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shares of what is made of a request with one call. */
static const double JOINED = 0.14, REFUSED = 0.05;
/* Of all records. */
static const double WHOLE_LIST = 0.5, LOWER_CASE = 0.2;

enum { MAX_LIST = 64 };

typedef struct request {
	size_t list;
	json_t *query, *calls; /* owned; an array of {"name","arguments"} */
} request;

typedef struct list {
	ndl_tools *tools; /* owned */
	size_t first, n;  /* its requests */
	bool held;
} list;

struct ndl_requests {
	enum ndl_synth_split split;
	size_t max_tools;
	const ndl_heldout *heldout; /* while reading, as are the next two */
	char file[128];
	size_t first_list; /* of this file */
	list *list;
	size_t n_lists, cap_lists;
	request *request;
	size_t n, cap;
};

void ndl_requests_free(ndl_requests *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_lists; i++) {
		ndl_tools_free(r->list[i].tools);
	}
	for (size_t i = 0; i < r->n; i++) {
		json_decref(r->request[i].query);
		json_decref(r->request[i].calls);
	}
	free(r->list);
	free(r->request);
	free(r);
}

size_t ndl_requests_count(const ndl_requests *r)
{
	return r->n;
}

/* Tools ------------------------------------------------------------------------------- */

static bool is_called(const list *l, size_t tool, const json_t *calls)
{
	size_t i;
	json_t *call;
	json_array_foreach(calls, i, call)
		if (ndl_tools_find(l->tools, json_string_value(json_object_get(call, "name"))) == (long)tool)
			return true;
	return false;
}

static size_t count_called(const list *l, const json_t *calls)
{
	size_t n = 0;
	for (size_t i = 0; i < ndl_tools_count(l->tools); i++)
		n += is_called(l, i, calls);
	return n;
}

/* Reading ----------------------------------------------------------------------------- */

static bool in_split(const ndl_requests *r, const list *l, const char *query, size_t len)
{
	bool held = ndl_hash64(query, len, 3) % 12 == 0;
	switch (r->split) {
	case NDL_SYNTH_ALL: return true;
	case NDL_SYNTH_TRAIN: return !l->held && !held;
	case NDL_SYNTH_PHRASING: return !l->held && held;
	case NDL_SYNTH_TOOL: return l->held;
	default: return false; /* nothing is filled in, and a list is of no domain */
	}
}

/* By the names of its tools: the same in every release. */
static bool held_list(const ndl_tools *t)
{
	uint64_t h = 5;
	for (size_t i = 0; i < ndl_tools_count(t); i++)
		h = ndl_hash64(ndl_tools_name(t, i), strlen(ndl_tools_name(t, i)), h);
	return h % 10 == 0;
}

static ndl_status read_list(ndl_requests *r, json_t *tools, ndl_error *err)
{
	if (ndl_grow(&r->list, &r->cap_lists, r->n_lists + 1, sizeof *r->list) != 0)
		return ndl_fail_nomem(err, "the requests");
	ndl_tools *t = ndl_tools_new(tools, 0, err);
	if (!t)
		return NDL_EFORMAT;
	r->list[r->n_lists++] = (list){.tools = t, .first = r->n, .held = held_list(t)};
	if (ndl_tools_count(t) == 0 || ndl_tools_count(t) > MAX_LIST)
		return ndl_fail(err, NDL_EFORMAT, "tools: expected 1 to %d", MAX_LIST);
	return NDL_OK;
}

/* [["name",{…}],…] as calls; a new reference, NULL with err. */
static json_t *read_calls(const list *l, json_t *a, ndl_error *err)
{
	size_t i;
	json_t *pair, *calls = json_array();
	json_array_foreach(a, i, pair) {
		json_t *name = json_array_get(pair, 0), *arguments = json_array_get(pair, 1);
		if (json_array_size(pair) != 2 || !json_is_string(name) || !json_is_object(arguments)) {
			ndl_fail(err, NDL_EFORMAT, "a[%zu]: expected [\"tool\",{arguments}]", i);
			break;
		}
		json_t *call = json_pack("{s:O,s:O}", "name", name, "arguments", arguments);
		if (json_array_append_new(calls, call) != 0) {
			ndl_fail_nomem(err, "the requests");
			break;
		}
		if (ndl_tools_check_call(l->tools, call, err) != NDL_OK) {
			ndl_error_prefix(err, "a[%zu]", i);
			break;
		}
	}
	if (json_array_size(calls) == json_array_size(a) && i == json_array_size(a))
		return calls;
	json_decref(calls);
	return NULL;
}

static ndl_status read_request(ndl_requests *r, json_t *q, json_t *a, ndl_error *err)
{
	if (r->n_lists == r->first_list)
		return ndl_fail(err, NDL_EFORMAT, "a request before any list of tools");
	if (!json_is_string(q) || json_string_length(q) == 0 || !json_is_array(a))
		return ndl_fail(err, NDL_EFORMAT, "expected a string \"q\" and a list \"a\"");
	list *l = &r->list[r->n_lists - 1];
	json_t *calls = read_calls(l, a, err);
	if (!calls)
		return NDL_EFORMAT;
	const char *text = json_string_value(q);
	size_t len = json_string_length(q);
	if (!in_split(r, l, text, len) || count_called(l, calls) > r->max_tools || ndl_heldout_contains(r->heldout, text, len)) {
		json_decref(calls);
		return NDL_OK;
	}
	if (ndl_grow(&r->request, &r->cap, r->n + 1, sizeof *r->request) != 0) {
		json_decref(calls);
		return ndl_fail_nomem(err, "the requests");
	}
	r->request[r->n++] = (request){.list = r->n_lists - 1, .query = json_incref(q), .calls = calls};
	l->n++;
	return NDL_OK;
}

static ndl_status read_line(void *user, const char *file, const char *line, size_t len, ndl_error *err)
{
	ndl_requests *r = user;
	if (strcmp(r->file, file) != 0) {
		snprintf(r->file, sizeof r->file, "%s", file);
		r->first_list = r->n_lists;
	}
	json_t *o = ndl_json_parse(line, len, err), *tools = json_object_get(o, "tools");
	if (!o)
		return NDL_EFORMAT;
	ndl_status st;
	if (json_object_size(o) != (tools ? 1 : 2))
		st = ndl_fail(err, NDL_EFORMAT, "expected {\"tools\":[…]} or {\"q\":…,\"a\":[…]}");
	else if (tools)
		st = read_list(r, tools, err);
	else
		st = read_request(r, json_object_get(o, "q"), json_object_get(o, "a"), err);
	json_decref(o);
	return st;
}

ndl_requests *ndl_requests_open(const char *dir, enum ndl_synth_split split, size_t max_tools, const ndl_heldout *heldout,
	ndl_error *err)
{
	ndl_requests *r = ndl_calloc(1, sizeof *r);
	if (!r) {
		ndl_fail_nomem(err, "the requests");
		return NULL;
	}
	r->split = split;
	r->max_tools = max_tools;
	r->heldout = heldout;
	ndl_status st = syn_each_line(dir, read_line, r, err);
	r->heldout = NULL;
	if (st == NDL_OK)
		return r;
	ndl_requests_free(r);
	return NULL;
}

/* Letters ----------------------------------------------------------------------------- */

static json_t *lowered(const json_t *text)
{
	size_t n = json_string_length(text);
	ndl_buf b = NDL_BUF_INIT;
	for (size_t i = 0; i < n; i++)
		ndl_buf_byte(&b, tolower((unsigned char)json_string_value(text)[i]));
	json_t *j = b.failed ? NULL : json_stringn(ndl_buf_cstr(&b), n);
	ndl_buf_clear(&b);
	return j;
}

/* A value as it is passed when the whole query, of which strings without choices are copies, is in lower case. */
static json_t *lowered_value(json_t *v, const json_t *schema)
{
	const json_t *items = json_object_get(schema, "items"), *properties = json_object_get(schema, "properties");
	const char *key;
	json_t *x;
	size_t i;
	if (json_object_get(schema, "enum") || json_object_get(schema, "const"))
		return json_incref(v);
	if (json_is_string(v))
		return lowered(v);
	if (!json_is_array(v) && !json_is_object(v))
		return json_incref(v);
	json_t *out = json_is_array(v) ? json_array() : json_object();
	json_array_foreach(v, i, x)
		json_array_append_new(out, lowered_value(x, items));
	if (json_is_object(v))
		json_object_foreach(v, key, x)
			json_object_set_new(out, key, lowered_value(x, json_object_get(properties, key)));
	return out;
}

/* The calls in lower case, a new reference; NULL where a schema wants its capitals. */
static json_t *lowered_calls(const list *l, const json_t *calls)
{
	json_t *out = json_deep_copy(calls), *call;
	size_t i;
	json_array_foreach(out, i, call) {
		long tool = ndl_tools_find(l->tools, json_string_value(json_object_get(call, "name")));
		json_object_set_new(call, "arguments",
			lowered_value(json_object_get(call, "arguments"), ndl_tools_schema(l->tools, (size_t)tool)));
		if (ndl_tools_check_call(l->tools, call, NULL) != NDL_OK) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* Two requests in one ----------------------------------------------------------------- */

/* Is one of the call's strings the beginning of the query, or its end? */
static bool copies_end(const json_t *query, const json_t *call, bool front)
{
	const char *q = json_string_value(query), *key;
	size_t n = json_string_length(query);
	json_t *v;
	json_object_foreach(json_object_get(call, "arguments"), key, v) {
		const json_t *s = json_is_array(v) ? json_array_get(v, front ? 0 : json_array_size(v) - 1) : v;
		size_t len = json_string_length(s);
		if (json_is_string(s) && len <= n && memcmp(front ? q : q + n - len, json_string_value(s), len) == 0)
			return true;
	}
	return false;
}

/* The query of a, a joint, the query of b. */
static json_t *join(ndl_rng *rng, const request *a, const request *b)
{
	static const char *const joints[] = {" and ", " and ", ", and ", ", then ", " and then ", ", ", " and also ", " plus ", "; "};
	const char *first = json_string_value(a->query), *second = json_string_value(b->query);
	bool ended = strchr(".?!", first[strlen(first) - 1]) != NULL;
	bool sentence = ended || copies_end(a->query, json_array_get(a->calls, 0), false) || ndl_rng_chance(rng, 0.3);
	ndl_buf out = NDL_BUF_INIT;
	ndl_buf_str(&out, first);
	ndl_buf_str(&out, ended ? " " : sentence ? ". " : joints[ndl_rng_below(rng, sizeof joints / sizeof *joints)]);
	bool word = isupper((unsigned char)second[0]) && islower((unsigned char)second[1]);
	if (!sentence && word && !copies_end(b->query, json_array_get(b->calls, 0), true))
		ndl_buf_byte(&out, tolower((unsigned char)*second++));
	ndl_buf_str(&out, second);
	json_t *j = out.failed ? NULL : json_stringn(out.data, out.len);
	ndl_buf_clear(&out);
	return j;
}

/* Another request with one call to the list of request a, another call; NULL: none was drawn. */
static const request *partner(const ndl_requests *r, ndl_rng *rng, const request *a)
{
	const list *l = &r->list[a->list];
	const request *b = &r->request[l->first + ndl_rng_below(rng, l->n)];
	return json_array_size(b->calls) == 1 && !json_equal(a->calls, b->calls) ? b : NULL;
}

/* Offering ---------------------------------------------------------------------------- */

/* The tools that are called and some others; without the called ones if they are missing. */
static json_t *offer(const list *l, ndl_rng *rng, const json_t *calls, bool missing, size_t max)
{
	size_t order[MAX_LIST], n = ndl_tools_count(l->tools), called = count_called(l, calls);
	json_t *tools = json_array();
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	ndl_rng_shuffle(rng, order, n);
	size_t total = ndl_rng_chance(rng, WHOLE_LIST) ? n : 1 + ndl_rng_below(rng, n);
	total = total < max ? total : max;
	size_t others = missing ? total : total > called ? total - called : 0;
	for (size_t i = 0; i < n; i++) {
		bool needed = is_called(l, order[i], calls);
		if (needed ? missing : others == 0)
			continue;
		others -= !needed;
		json_array_append_new(tools, json_deep_copy(ndl_tools_given(l->tools, order[i])));
	}
	return tools;
}

json_t *ndl_requests_record(const ndl_requests *r, size_t i, ndl_rng *rng)
{
	const request *a = &r->request[i], *b = NULL;
	const list *l = &r->list[a->list];
	double u = ndl_rng_unit(rng);
	bool single = json_array_size(a->calls) == 1;
	bool missing = single && u < REFUSED && ndl_tools_count(l->tools) > 1;
	if (single && !missing && u < REFUSED + JOINED && r->max_tools > 1)
		b = partner(r, rng, a);
	json_t *query = b ? join(rng, a, b) : json_incref(a->query), *calls = json_deep_copy(a->calls);
	if (b)
		json_array_append_new(calls, json_deep_copy(json_array_get(b->calls, 0)));
	json_t *tools = offer(l, rng, calls, missing, r->max_tools);
	json_t *low = ndl_rng_chance(rng, LOWER_CASE) ? lowered_calls(l, calls) : NULL;
	if (low) {
		json_decref(calls);
		calls = low;
		low = lowered(query);
		json_decref(query);
		query = low;
	}
	if (missing)
		json_array_clear(calls);
	return json_pack("{s:o,s:o,s:o}", "query", query, "tools", tools, "answers", calls);
}
