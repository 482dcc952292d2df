/* Calls as texts that can be compared and sorted. */
#include "eval/eval_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	const char *x, *y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return strcmp(x, y);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void write_folded(ndl_buf *out, const char *s, size_t len)
{
	while (len && is_blank(*s)) {
		s++;
		len--;
	}
	while (len && is_blank(s[len - 1]))
		len--;
	size_t begin = out->len;
	ndl_json_write_string(out, s, len, 0);
	for (size_t i = begin; i < out->len; i++)
		if (out->data[i] >= 'A' && out->data[i] <= 'Z')
			out->data[i] = (char)(out->data[i] - 'A' + 'a');
}

static void write_object(ndl_buf *out, const json_t *value, int fold)
{
	json_t *object = (json_t *)(uintptr_t)value, *child; /* jansson's iterators are not const */
	size_t n = json_object_size(value), i = 0;
	const char *key, **keys = ndl_calloc(n, sizeof *keys);
	if (!keys) {
		out->failed = true;
		return;
	}
	json_object_foreach(object, key, child)
		keys[i++] = key;
	if (n)
		qsort(keys, n, sizeof *keys, by_text);
	ndl_buf_byte(out, '{');
	for (i = 0; i < n; i++) {
		if (i)
			ndl_buf_byte(out, ',');
		ndl_json_write_string(out, keys[i], strlen(keys[i]), 0);
		ndl_buf_byte(out, ':');
		ndl_canonical(out, json_object_get(value, keys[i]), fold);
	}
	ndl_buf_byte(out, '}');
	free(keys);
}

/* Recursion is bounded by the parser's depth limit. */
void ndl_canonical(ndl_buf *out, const json_t *value, int fold)
{
	if (json_is_object(value)) {
		write_object(out, value, fold);
	} else if (json_is_array(value)) {
		ndl_buf_byte(out, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				ndl_buf_byte(out, ',');
			ndl_canonical(out, json_array_get(value, i), fold);
		}
		ndl_buf_byte(out, ']');
	} else if (json_is_string(value) && fold) {
		write_folded(out, json_string_value(value), json_string_length(value));
	} else if (json_is_real(value)) {
		double x = json_real_value(value);
		if (x == floor(x) && fabs(x) < 0x1p63) /* also -0.0 as 0 */
			ndl_buf_printf(out, "%lld", (long long)x);
		else
			ndl_json_write_double(out, x);
	} else {
		ndl_json_write(out, value, 0);
	}
}

static char *canonical_text(const json_t *value, int fold, ndl_error *err)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_canonical(&b, value, fold);
	if (ndl_buf_check(&b, err) != NDL_OK) {
		ndl_buf_clear(&b);
		return NULL;
	}
	return b.data;
}

static ndl_status take_call(call *c, const json_t *from, size_t i, const ndl_tools *tools, ndl_error *err)
{
	const char *name = json_string_value(json_object_get(from, "name"));
	if (!name)
		return ndl_fail(err, NDL_EINVAL, "[%zu]: expected an object with a name", i);
	*c = (call){.arguments = ndl_tools_arguments(from, err), .name = name, .tool = -1, .at = i};
	if (!c->arguments) {
		ndl_error_prefix(err, "[%zu].arguments", i);
		return NDL_EINVAL;
	}
	if (tools)
		c->tool = ndl_tools_find(tools, name);
	if (c->tool >= 0)
		c->name = ndl_tools_norm_name(tools, (size_t)c->tool);
	c->text = canonical_text(c->arguments, 0, err);
	c->folded = c->text ? canonical_text(c->arguments, 1, err) : NULL;
	return c->folded ? NDL_OK : NDL_ENOMEM;
}

ndl_status ndl_calls_take(call_list *l, const json_t *calls, const ndl_tools *tools, ndl_error *err)
{
	*l = (call_list){NULL, 0};
	if (!json_is_array(calls))
		return ndl_fail(err, NDL_EINVAL, ": expected an array, found %s", ndl_json_type_name(calls));
	size_t n = json_array_size(calls);
	l->call = ndl_calloc(n, sizeof *l->call);
	if (!l->call)
		return ndl_fail_nomem(err, "calls");
	for (size_t i = 0; i < n; i++) {
		l->n = i + 1;
		ndl_status rc = take_call(&l->call[i], ndl_tools_call(json_array_get(calls, i)), i, tools, err);
		if (rc != NDL_OK) {
			ndl_calls_clear(l);
			return rc;
		}
	}
	return NDL_OK;
}

void ndl_calls_clear(call_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		json_decref(l->call[i].arguments);
		free(l->call[i].text);
		free(l->call[i].folded);
	}
	free(l->call);
	*l = (call_list){NULL, 0};
}
