#include "eval/eval.h"

#include "eval/eval_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void ndl_eval_add(ndl_eval_counts *to, const ndl_eval_counts *from)
{
	/* nothing but uint64_t inside */
	uint64_t a[sizeof *to / sizeof(uint64_t)], b[sizeof *to / sizeof(uint64_t)];
	memcpy(a, to, sizeof a);
	memcpy(b, from, sizeof b);
	for (size_t i = 0; i < sizeof a / sizeof a[0]; i++)
		a[i] += b[i];
	memcpy(to, a, sizeof a);
}

/* Matching ----------------------------------------------------------------------------- */

static int by_name_text(const void *a, const void *b)
{
	const call *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	if (c == 0)
		c = strcmp(x->text, y->text);
	return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

static int by_name_folded(const void *a, const void *b)
{
	const call *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : strcmp(x->folded, y->folded);
}

static int by_name_place(const void *a, const void *b)
{
	const call *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

typedef int order_fn(const void *, const void *);

static void sort(call_list *l, order_fn *order)
{
	if (l->n)
		qsort(l->call, l->n, sizeof *l->call, order);
}

static bool all_equal(call_list *a, call_list *b, order_fn *order)
{
	if (a->n != b->n)
		return false;
	sort(a, order);
	sort(b, order);
	for (size_t i = 0; i < a->n; i++)
		if (order(&a->call[i], &b->call[i]) != 0)
			return false;
	return true;
}

static void compare_arguments(ndl_eval_counts *c, const json_t *want, const json_t *got)
{
	json_t *object = (json_t *)(uintptr_t)want, *value;
	const char *key;
	json_object_foreach(object, key, value) {
		const json_t *other = json_object_get(got, key);
		c->ref_keys++;
		c->missing_keys += !other;
		c->common_keys += other != NULL;
		c->same_values += other && ndl_json_equal(value, other);
	}
}

static void count_pair(ndl_eval_counts *c, const call *want, const call *got)
{
	c->same_names++;
	c->same_calls += strcmp(want->text, got->text) == 0;
	compare_arguments(c, want->arguments, got->arguments);
}

/* Pairs off what is left of two sorted lists: used[] calls are taken already. */
static void pair_rest(ndl_eval_counts *c, const call_list *a, const bool *a_used, const call_list *b,
                      const bool *b_used)
{
	size_t i = 0, k = 0;
	while (i < a->n && k < b->n) {
		int order = strcmp(a->call[i].name, b->call[k].name);
		if (a_used[a->call[i].at] || order < 0) {
			i++;
		} else if (b_used[b->call[k].at] || order > 0) {
			k++;
		} else {
			count_pair(c, &a->call[i++], &b->call[k++]);
		}
	}
}

/* Equal calls first, then calls of one name in their order. Sorts both lists. */
static ndl_status pair_calls(ndl_eval_counts *c, call_list *a, call_list *b, ndl_error *err)
{
	bool *a_used = ndl_calloc(a->n, sizeof *a_used), *b_used = ndl_calloc(b->n, sizeof *b_used);
	ndl_status rc = a_used && b_used ? NDL_OK : ndl_fail_nomem(err, "calls");
	size_t i = 0, k = 0;
	sort(a, by_name_text);
	sort(b, by_name_text);
	while (rc == NDL_OK && i < a->n && k < b->n) {
		int order = strcmp(a->call[i].name, b->call[k].name);
		if (order == 0)
			order = strcmp(a->call[i].text, b->call[k].text);
		if (order == 0) {
			a_used[a->call[i].at] = b_used[b->call[k].at] = true;
			count_pair(c, &a->call[i], &b->call[k]);
		}
		i += order <= 0;
		k += order >= 0;
	}
	if (rc == NDL_OK) {
		sort(a, by_name_place);
		sort(b, by_name_place);
		pair_rest(c, a, a_used, b, b_used);
	}
	free(a_used);
	free(b_used);
	return rc;
}

/* The prediction alone ------------------------------------------------------------------ */

/* Queries longer than this are looked at no further: no model reads so much. */
#define QUERY_MAX ((size_t)64 << 10)

/* The query and a string of the prediction, both in lower case. */
typedef struct ground {
	ndl_buf query, value;
} ground;

static void fold(ndl_buf *out, const char *s, size_t len)
{
	ndl_buf_reset(out);
	ndl_buf_add(out, s, len);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] >= 'A' && out->data[i] <= 'Z')
			out->data[i] = (char)(out->data[i] - 'A' + 'a');
}

static bool occurs(ground *g, const json_t *string)
{
	size_t len = json_string_length(string);
	if (len > g->query.len)
		return false;
	fold(&g->value, json_string_value(string), len);
	return strstr(ndl_buf_cstr(&g->query), ndl_buf_cstr(&g->value)) != NULL;
}

/* The alternative of schema that value follows, or schema itself. */
static const json_t *followed(const json_t *schema, const json_t *value)
{
	const json_t *list = ndl_tools_alternatives(schema, NULL);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (ndl_tools_check_value(json_array_get(list, i), value, NULL) == NDL_OK)
			return followed(json_array_get(list, i), value);
	return schema;
}

/* Strings inside value, with the schema as far as it is known. */
static void count_strings(ndl_eval_counts *c, const json_t *value, const json_t *schema, ground *g)
{
	json_t *object = (json_t *)(uintptr_t)value, *child;
	const char *key;
	schema = followed(schema, value);
	if (json_object_get(schema, "enum") || json_object_get(schema, "const"))
		return;
	if (json_is_object(value)) {
		json_object_foreach(object, key, child) {
			const json_t *of_key = json_object_get(json_object_get(schema, "properties"), key);
			count_strings(c, child, of_key ? of_key : json_object_get(schema, "additionalProperties"), g);
		}
	} else if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++)
			count_strings(c, json_array_get(value, i), json_object_get(schema, "items"), g);
	} else if (json_is_string(value) && json_string_length(value)) {
		c->strings++;
		c->grounded += occurs(g, value);
	}
}

static bool is_declared(const json_t *schema, const char *key)
{
	const json_t *more = json_object_get(schema, "additionalProperties");
	return json_object_get(json_object_get(schema, "properties"), key) || json_is_true(more) ||
	       json_is_object(more);
}

static void check_call(ndl_eval_counts *c, const call *p, const json_t *schema)
{
	json_t *value;
	const char *key;
	json_object_foreach(p->arguments, key, value) {
		c->pred_keys++;
		c->undeclared_keys += !is_declared(schema, key);
	}
	c->checked_calls++;
	c->valid_calls += schema && ndl_tools_check_value(schema, p->arguments, NULL) == NDL_OK;
}

static ndl_status judge_calls(ndl_eval_counts *c, const char *query, const ndl_tools *tools, const call_list *pred,
                              ndl_error *err)
{
	ground g = {NDL_BUF_INIT, NDL_BUF_INIT};
	if (query)
		fold(&g.query, query, strnlen(query, QUERY_MAX));
	for (size_t i = 0; i < pred->n; i++) {
		const call *p = &pred->call[i];
		const json_t *schema = p->tool >= 0 ? ndl_tools_schema(tools, (size_t)p->tool) : NULL;
		if (tools)
			check_call(c, p, schema);
		if (query)
			count_strings(c, p->arguments, schema, &g);
	}
	ndl_status rc = ndl_buf_check(&g.query, err);
	if (rc == NDL_OK)
		rc = ndl_buf_check(&g.value, err);
	ndl_buf_clear(&g.query);
	ndl_buf_clear(&g.value);
	return rc;
}

/* Records ------------------------------------------------------------------------------- */

static ndl_status score(ndl_eval_counts *c, call_list *want, call_list *got, ndl_error *err)
{
	c->parsed = 1;
	c->pred_calls = got->n;
	c->pred_none = got->n == 0;
	c->both_none = c->pred_none && c->ref_none;
	c->relaxed = all_equal(want, got, by_name_folded);
	ndl_status rc = pair_calls(c, want, got, err);
	c->exact = want->n == got->n && c->same_calls == want->n;
	return rc;
}

ndl_status ndl_eval_calls(ndl_eval_counts *c, const char *query, const ndl_tools *tools, const json_t *answers,
                          const json_t *calls, ndl_error *err)
{
	call_list want = {0}, got = {0};
	*c = (ndl_eval_counts){0};
	ndl_status rc = ndl_calls_take(&want, answers, tools, err);
	if (rc == NDL_EINVAL && err) {
		char text[sizeof err->text];
		memcpy(text, err->text, sizeof text);
		ndl_fail(err, rc, "answers%s", text);
	}
	if (rc == NDL_OK) {
		ndl_error unparsed = NDL_ERROR_INIT;
		c->records = 1;
		c->ref_calls = want.n;
		c->ref_none = want.n == 0;
		rc = ndl_calls_take(&got, calls, tools, &unparsed);
		if (rc == NDL_OK) {
			rc = judge_calls(c, query, tools, &got, err);
			if (rc == NDL_OK)
				rc = score(c, &want, &got, err);
		} else if (rc == NDL_EINVAL) {
			rc = NDL_OK; /* not a list of calls: that is a result, too */
		} else if (err) {
			*err = unparsed;
		}
	}
	ndl_calls_clear(&want);
	ndl_calls_clear(&got);
	return rc;
}

/* record[name] as JSON, or NULL: *missing if it is not there, else it does not parse. */
static json_t *field(const json_t *record, const char *name, bool *missing, ndl_error *err)
{
	json_t *value = json_object_get(record, name);
	*missing = !value;
	return value ? ndl_json_unwrap(value, err) : NULL;
}

static ndl_status take_fields(const json_t *record, const ndl_tools **tools, ndl_tools **own, json_t **answers,
                              json_t **calls, ndl_error *err)
{
	bool missing, excused = ndl_json_get(record, "error") || ndl_json_get(record, "invalid");
	ndl_error ignored = NDL_ERROR_INIT;
	*answers = field(record, "answers", &missing, err);
	if (!*answers) {
		if (missing)
			return ndl_fail(err, NDL_EINVAL, "answers: missing");
		ndl_error_prefix(err, "answers");
		return NDL_EINVAL;
	}
	*calls = field(record, "calls", &missing, &ignored);
	if (missing && !excused)
		return ndl_fail(err, NDL_ENOTFOUND, "calls: missing, and no model was given to make them");
	if (excused && json_array_size(*calls) == 0) { /* an empty list that stands for a failure */
		json_decref(*calls);
		*calls = NULL;
	}
	json_t *list = *tools ? NULL : ndl_json_get(record, "tools");
	if (list && !(*tools = *own = ndl_tools_new(list, NDL_TOOLS_LENIENT, err)))
		return err ? err->code : NDL_EINVAL;
	return NDL_OK;
}

ndl_status ndl_eval_record(ndl_eval_counts *c, const ndl_tools *tools, const json_t *record, ndl_error *err)
{
	json_t *answers = NULL, *calls = NULL;
	ndl_tools *own = NULL;
	*c = (ndl_eval_counts){0};
	if (!json_is_object(record))
		return ndl_fail(err, NDL_EFORMAT, "expected an object, found %s", ndl_json_type_name(record));
	ndl_status rc = take_fields(record, &tools, &own, &answers, &calls, err);
	if (rc == NDL_OK)
		rc = ndl_eval_calls(c, json_string_value(json_object_get(record, "query")), tools, answers, calls, err);
	json_decref(answers);
	json_decref(calls);
	ndl_tools_free(own);
	return rc;
}
