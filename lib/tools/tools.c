#include "tools/tools_internal.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c) { return is_upper(c) || is_lower(c) || is_digit(c); }

/* Whether a `_` belongs between name[i - 1] and name[i]: before an upper-case letter that follows
 * a lower-case one or a digit, or that ends a run of upper-case ones (ABC|Def). */
static bool is_boundary(const char *name, size_t len, size_t i)
{
	if (i == 0 || !is_upper(name[i]))
		return false;
	if (is_lower(name[i - 1]) || is_digit(name[i - 1]))
		return true;
	return is_upper(name[i - 1]) && i + 1 < len && is_lower(name[i + 1]);
}

void ndl_tools_snake_case(ndl_buf *out, const char *name, size_t len)
{
	bool pending = false, any = false; /* a `_` is written only between two words */
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (!is_word(c)) {
			pending = true;
			continue;
		}
		if (any && (pending || is_boundary(name, len, i)))
			ndl_buf_byte(out, '_');
		pending = false;
		any = true;
		ndl_buf_byte(out, is_upper(c) ? c - 'A' + 'a' : c);
	}
}

enum { MOST_PLACE = 200 }; /* bytes of a pointer in a message, its end: the reason has to fit in, too */

ndl_status ndl_tools_fail_at(ndl_error *err, ndl_status code, const struct path *at, const char *fmt, ...)
{
	const struct path *chain[4 * NDL_SCHEMA_DEPTH];
	size_t n = 0;
	char text[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (; at && n < sizeof chain / sizeof *chain; at = at->up)
		chain[n++] = at;
	ndl_buf pointer = NDL_BUF_INIT;
	for (size_t i = n; i-- > 0;)
		if (chain[i]->key)
			ndl_json_pointer_add(&pointer, chain[i]->key);
		else
			ndl_buf_printf(&pointer, "/%zu", chain[i]->index);
	const bool cut = pointer.len > MOST_PLACE;
	const char *place = ndl_buf_cstr(&pointer) + (cut ? pointer.len - MOST_PLACE : 0), *whole = cut ? strchr(place, '/') : NULL;
	ndl_fail(err, code, "%s%s%s%s", cut ? "..." : "", whole ? whole : place, n ? ": " : "", text);
	ndl_buf_clear(&pointer);
	return code;
}

/* The normalised name of tool number n, made unique by a number: getUser, get_user become
 * get_user, get_user_2. */
static char *unique_norm(ndl_tools *t, const char *name)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_tools_snake_case(&b, name, strlen(name));
	if (b.len == 0)
		ndl_buf_str(&b, "tool"); /* a name without a single ASCII letter or digit */
	size_t stem = b.len;
	const json_t *first = b.failed ? NULL : json_object_get(t->by_norm, b.data);
	struct tool *same = first ? &t->tool[json_integer_value(first)] : NULL;
	while (!b.failed && json_object_get(t->by_norm, b.data)) {
		b.len = stem;
		ndl_buf_printf(&b, "_%zu", same->next++);
	}
	if (b.failed) {
		ndl_buf_clear(&b);
		return NULL;
	}
	return b.data;
}

ndl_status ndl_tools_add(ndl_tools *t, const struct tool *tool, ndl_error *err)
{
	if (json_object_get(t->by_name, tool->name))
		return ndl_fail(err, NDL_EINVAL, "duplicate tool name \"%.100s\"", tool->name);
	if (ndl_grow(&t->tool, &t->cap, t->n + 1, sizeof *t->tool) < 0)
		return ndl_fail_nomem(err, "tool list");
	char *norm = unique_norm(t, tool->name);
	if (!norm)
		return ndl_fail_nomem(err, "tool name");
	json_int_t index = (json_int_t)t->n;
	if (json_object_set_new(t->by_name, tool->name, json_integer(index)) < 0 ||
	    json_object_set_new(t->by_norm, norm, json_integer(index)) < 0) {
		free(norm);
		return ndl_fail_nomem(err, "tool list");
	}
	struct tool *to = &t->tool[t->n++];
	*to = *tool;
	to->norm = norm;
	to->next = 2;
	json_incref(to->given);
	json_incref(to->schema);
	return NDL_OK;
}

ndl_tools *ndl_tools_new(json_t *value, int flags, ndl_error *err)
{
	json_t *list = ndl_json_unwrap(value, err);
	if (!list) {
		ndl_error_prefix(err, "tools");
		return NULL;
	}
	ndl_tools *t = ndl_calloc(1, sizeof *t);
	if (t) {
		t->flags = flags;
		t->by_name = json_object();
		t->by_norm = json_object();
	}
	if (!t || !t->by_name || !t->by_norm) {
		ndl_fail_nomem(err, "tool list");
		goto fail;
	}
	if (ndl_tools_collect(t, list, flags, err) < 0)
		goto fail;
	json_decref(list);
	return t;
fail:
	json_decref(list);
	ndl_tools_free(t);
	return NULL;
}

void ndl_tools_free(ndl_tools *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		json_decref(t->tool[i].schema);
		json_decref(t->tool[i].given);
		free(t->tool[i].norm);
	}
	json_decref(t->by_name);
	json_decref(t->by_norm);
	free(t->tool);
	free(t);
}

size_t ndl_tools_count(const ndl_tools *t)
{
	return t->n;
}

const char *ndl_tools_name(const ndl_tools *t, size_t i)
{
	return t->tool[i].name;
}

const char *ndl_tools_norm_name(const ndl_tools *t, size_t i)
{
	return t->tool[i].norm;
}

const char *ndl_tools_description(const ndl_tools *t, size_t i)
{
	return t->tool[i].description;
}

json_t *ndl_tools_schema(const ndl_tools *t, size_t i)
{
	return t->tool[i].schema;
}

json_t *ndl_tools_given(const ndl_tools *t, size_t i)
{
	return t->tool[i].given;
}

int ndl_tools_flags(const ndl_tools *t)
{
	return t->flags;
}

long ndl_tools_find(const ndl_tools *t, const char *name)
{
	const json_t *index = json_object_get(t->by_name, name);
	if (!index)
		index = json_object_get(t->by_norm, name);
	return index ? (long)json_integer_value(index) : -1;
}

long ndl_tools_find_norm(const ndl_tools *t, const char *name, size_t len)
{
	const json_t *index = json_object_getn(t->by_norm, name, len);
	return index ? (long)json_integer_value(index) : -1;
}
