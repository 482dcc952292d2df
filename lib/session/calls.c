/* calls.c - calls out of an answer's text, one by one as they are completed. */
#include "session/decode_internal.h"

#include <string.h>

ndl_status ndl_answer_begin(ndl_answer *a, const ndl_toolset *t, ndl_error *err)
{
	memset(a, 0, sizeof *a);
	a->t = t;
	a->calls = json_array();
	return a->calls ? NDL_OK : ndl_fail_nomem(err, "the calls");
}

void ndl_answer_end(ndl_answer *a)
{
	ndl_buf_clear(&a->text);
	json_decref(a->calls);
	a->calls = NULL;
}

void ndl_restore_name(const ndl_tools *tools, json_t *call)
{
	const json_t *name = json_object_get(call, "name");
	long at = json_is_string(name) ? ndl_tools_find_norm(tools, json_string_value(name), json_string_length(name)) : -1;
	if (at >= 0)
		json_object_set_new(call, "name", json_string(ndl_tools_name(tools, (size_t)at)));
}

/* What was asked for once is not done twice: a call that is there already is left out. */
static ndl_status add_call(ndl_answer *a, size_t end, ndl_call_fn *on_call, void *user, ndl_error *err)
{
	json_t *call = ndl_json_parse(a->text.data + a->call_from, end - a->call_from, err);
	if (!call)
		return NDL_EFORMAT;
	ndl_restore_name(a->t->tools, call);
	if (ndl_tools_fill_nulls(a->t->tools, call, err) != NDL_OK) {
		json_decref(call);
		return NDL_ENOMEM;
	}
	if (ndl_json_has(a->calls, call)) {
		json_decref(call);
		return NDL_OK;
	}
	if (json_array_append_new(a->calls, call) < 0)
		return ndl_fail_nomem(err, "a call");
	if (on_call)
		on_call(user, call);
	return NDL_OK;
}

/* Takes note of the next byte, at a->scanned; true if a call ends with it. */
static bool step(ndl_answer *a, char c)
{
	size_t at = a->scanned++;
	if (a->in_string) {
		if (a->escaped)
			a->escaped = false;
		else if (c == '\\')
			a->escaped = true;
		else if (c == '"')
			a->in_string = false;
	} else if (c == '"') {
		a->in_string = true;
	} else if (c == '{' || c == '[') {
		if (a->depth++ == 1)
			a->call_from = at;
	} else if ((c == '}' || c == ']') && a->depth && --a->depth == 1) {
		return true;
	}
	return false;
}

bool ndl_answer_completes(const ndl_answer *a, const char *more, size_t n)
{
	ndl_answer ahead = *a;
	for (size_t i = 0; i < n; i++)
		if (step(&ahead, more[i]))
			return true;
	return false;
}

ndl_status ndl_answer_scan(ndl_answer *a, ndl_call_fn *on_call, void *user, ndl_error *err)
{
	ndl_status rc = NDL_OK;
	while (a->scanned < a->text.len && rc == NDL_OK)
		if (step(a, a->text.data[a->scanned]))
			rc = add_call(a, a->scanned, on_call, user, err);
	return rc;
}
