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

/* A line as it came: most are never drawn, the others are parsed when they are. */
typedef struct source {
	size_t text, len; /* where it begins in the texts */
	size_t number;    /* in its file, for errors */
} source;

typedef struct request {
	size_t list;
	source line;
} request;

typedef struct list {
	ndl_tools *tools; /* owned; NULL until they are asked for */
	source line;
	size_t path;      /* of its file: where it begins in the texts */
	size_t first, n;  /* its requests */
	bool held;
} list;

/* A request that was parsed. */
typedef struct parsed {
	json_t *query, *calls; /* owned; an array of {"name","arguments"} */
} parsed;

struct ndl_requests {
	enum ndl_synth_split split;
	size_t max_tools;
	const ndl_heldout *heldout; /* while reading, as are the next two */
	size_t path, first_list;    /* of this file */
	ndl_buf texts;              /* of lines, and of files' paths */
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
	ndl_buf_clear(&r->texts);
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

/* A line's object, a new reference; NULL with err. */
static json_t *read_object(const char *line, size_t len, ndl_error *err)
{
	json_t *o = ndl_json_parse(line, len, err);
	if (!o || json_object_size(o) == (json_object_get(o, "tools") ? 1 : 2))
		return o;
	ndl_fail(err, NDL_EFORMAT, "expected {\"tools\":[…]} or {\"q\":…,\"a\":[…]}");
	json_decref(o);
	return NULL;
}

/* Says where what could not be read stands. */
static ndl_status fail_at(const ndl_requests *r, const list *l, const source *line, ndl_status st, ndl_error *err)
{
	syn_error_at(err, r->texts.data + l->path, line->number);
	return st;
}

/* Makes sure that the list's tools are there. */
static ndl_status need_tools(const ndl_requests *r, list *l, ndl_error *err)
{
	if (l->tools)
		return NDL_OK;
	json_t *o = read_object(r->texts.data + l->line.text, l->line.len, err);
	ndl_tools *t = o ? ndl_tools_new(json_object_get(o, "tools"), 0, err) : NULL;
	json_decref(o);
	if (t && (ndl_tools_count(t) == 0 || ndl_tools_count(t) > MAX_LIST)) {
		ndl_tools_free(t);
		t = NULL;
		ndl_fail(err, NDL_EFORMAT, "tools: expected 1 to %d", MAX_LIST);
	}
	l->tools = t;
	return t ? NDL_OK : fail_at(r, l, &l->line, NDL_EFORMAT, err);
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

static void parsed_clear(parsed *p)
{
	json_decref(p->query);
	json_decref(p->calls);
	*p = (parsed){0};
}

static ndl_status read_request(const list *l, json_t *o, parsed *p, ndl_error *err)
{
	json_t *q = json_object_get(o, "q"), *a = json_object_get(o, "a");
	if (!json_is_string(q) || json_string_length(q) == 0 || !json_is_array(a))
		return ndl_fail(err, NDL_EFORMAT, "expected a string \"q\" and a list \"a\"");
	json_t *calls = read_calls(l, a, err);
	if (!calls)
		return NDL_EFORMAT;
	*p = (parsed){json_incref(q), calls};
	return NDL_OK;
}

/* The query of a line as most of them are, seen without parsing it: with no escapes, and with too few brackets after it to
 * call more than max tools. NULL: it takes a parser. */
static const char *plain_query(const char *line, size_t max, size_t *len)
{
	static const char begin[] = "{\"q\":\"";
	if (strncmp(line, begin, sizeof begin - 1) != 0)
		return NULL;
	const char *q = line + sizeof begin - 1, *s = q + strcspn(q, "\"\\");
	*len = (size_t)(s - q);
	size_t brackets = 0;
	for (const char *b = s; (b = strchr(b, '[')); b++)
		brackets++;
	return *s == '"' && s > q && brackets <= max + 1 ? q : NULL;
}

static source keep_line(ndl_requests *r, const syn_line *line)
{
	source s = {.text = r->texts.len, .len = line->len, .number = line->number};
	ndl_buf_add(&r->texts, line->text, line->len);
	return s;
}

/* Keeps a request's line, if the query is one to draw. */
static ndl_status keep(ndl_requests *r, const char *query, size_t n, const syn_line *line, ndl_error *err)
{
	list *l = &r->list[r->n_lists - 1];
	if (!in_split(r, l, query, n) || ndl_heldout_contains(r->heldout, query, n))
		return NDL_OK;
	if (ndl_grow(&r->request, &r->cap, r->n + 1, sizeof *r->request) != 0)
		return ndl_fail_nomem(err, "the requests");
	r->request[r->n++] = (request){.list = r->n_lists - 1, .line = keep_line(r, line)};
	l->n++;
	return ndl_buf_check(&r->texts, err);
}

static ndl_status begin_list(ndl_requests *r, const syn_line *line, ndl_error *err)
{
	if (ndl_grow(&r->list, &r->cap_lists, r->n_lists + 1, sizeof *r->list) != 0)
		return ndl_fail_nomem(err, "the requests");
	list *l = &r->list[r->n_lists++];
	*l = (list){.line = keep_line(r, line), .path = r->path, .first = r->n};
	ndl_status st = ndl_buf_check(&r->texts, err);
	if (st == NDL_OK && r->split != NDL_SYNTH_ALL) {
		st = need_tools(r, l, err);
		l->held = st == NDL_OK && held_list(l->tools);
	}
	return st;
}

static ndl_status read_parsed(ndl_requests *r, json_t *o, const syn_line *line, ndl_error *err)
{
	parsed p;
	if (json_object_get(o, "tools"))
		return begin_list(r, line, err);
	if (r->n_lists == r->first_list)
		return ndl_fail(err, NDL_EFORMAT, "a request before any list of tools");
	list *l = &r->list[r->n_lists - 1];
	ndl_status st = need_tools(r, l, err);
	if (st == NDL_OK)
		st = read_request(l, o, &p, err);
	if (st)
		return st;
	if (count_called(l, p.calls) <= r->max_tools)
		st = keep(r, json_string_value(p.query), json_string_length(p.query), line, err);
	parsed_clear(&p);
	return st;
}

static ndl_status read_line(void *user, const syn_line *line, ndl_error *err)
{
	ndl_requests *r = user;
	size_t n;
	if (strcmp(ndl_buf_cstr(&r->texts) + r->path, line->path) != 0) {
		r->first_list = r->n_lists;
		r->path = r->texts.len;
		ndl_buf_add(&r->texts, line->path, strlen(line->path) + 1);
	}
	if (strncmp(line->text, "{\"tools\":", 9) == 0)
		return begin_list(r, line, err);
	const char *query = r->n_lists > r->first_list ? plain_query(line->text, r->max_tools, &n) : NULL;
	if (query)
		return keep(r, query, n, line, err);
	json_t *o = read_object(line->text, line->len, err);
	ndl_status st = o ? read_parsed(r, o, line, err) : NDL_EFORMAT;
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
static json_t *join(ndl_rng *rng, const parsed *a, const parsed *b)
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

static ndl_status parse(ndl_requests *r, const request *a, parsed *p, ndl_error *err)
{
	list *l = &r->list[a->list];
	ndl_status st = need_tools(r, l, err);
	if (st)
		return st;
	json_t *o = read_object(r->texts.data + a->line.text, a->line.len, err);
	st = o ? read_request(l, o, p, err) : NDL_EFORMAT;
	json_decref(o);
	return st ? fail_at(r, l, &a->line, st, err) : NDL_OK;
}

/* Another request with one call to the list of request a, another call; b stays empty if none was drawn. */
static ndl_status partner(ndl_requests *r, ndl_rng *rng, const list *l, const parsed *a, parsed *b, ndl_error *err)
{
	ndl_status st = parse(r, &r->request[l->first + ndl_rng_below(rng, l->n)], b, err);
	if (st == NDL_OK && (json_array_size(b->calls) != 1 || json_equal(a->calls, b->calls)))
		parsed_clear(b);
	return st;
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

/* The i-th request as it is asked, alone or with another; *missing: without its tool. */
static ndl_status draw(ndl_requests *r, size_t i, ndl_rng *rng, parsed *p, bool *missing, ndl_error *err)
{
	const list *l = &r->list[r->request[i].list];
	parsed b = {0};
	ndl_status st = parse(r, &r->request[i], p, err);
	if (st)
		return st;
	double u = ndl_rng_unit(rng);
	bool single = json_array_size(p->calls) == 1;
	*missing = single && u < REFUSED && ndl_tools_count(l->tools) > 1;
	if (single && !*missing && u < REFUSED + JOINED && r->max_tools > 1)
		st = partner(r, rng, l, p, &b, err);
	if (b.query) {
		json_t *query = join(rng, p, &b);
		json_decref(p->query);
		p->query = query;
		json_array_extend(p->calls, b.calls);
	}
	parsed_clear(&b);
	return st;
}

json_t *ndl_requests_record(ndl_requests *r, size_t i, ndl_rng *rng, ndl_error *err)
{
	const list *l = &r->list[r->request[i].list];
	parsed p = {0};
	bool missing;
	if (draw(r, i, rng, &p, &missing, err) != NDL_OK) {
		parsed_clear(&p);
		return NULL;
	}
	json_t *tools = offer(l, rng, p.calls, missing, r->max_tools);
	json_t *low = ndl_rng_chance(rng, LOWER_CASE) ? lowered_calls(l, p.calls) : NULL;
	if (low) {
		json_t *query = lowered(p.query);
		parsed_clear(&p);
		p = (parsed){query, low};
	}
	if (missing)
		json_array_clear(p.calls);
	json_t *record = json_pack("{s:o,s:o,s:o}", "query", p.query, "tools", tools, "answers", p.calls);
	if (!record)
		ndl_fail_nomem(err, "a record");
	return record;
}
