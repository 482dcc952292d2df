/* sources.c - where in the query the values of calls come from. */
#include "session/session_internal.h"

static void add_source(json_t *to, const ndl_ground *g, const ndl_buf *path, const json_t *value)
{
	ndl_buf text = NDL_BUF_INIT;
	size_t from, end;
	ndl_json_write(&text, value, 0);
	bool quoted = json_is_string(value) && text.len >= 2;
	json_t *span = json_null();
	const char *inside = ndl_buf_cstr(&text) + quoted;
	size_t len = text.failed ? 0 : text.len - 2 * (size_t)quoted;
	static const enum ndl_copied kinds[] = {NDL_COPIED_TEXT, NDL_COPIED_TIME, NDL_COPIED_MOMENT, NDL_COPIED_LINK, NDL_COPIED_NUMBER};
	const size_t n = json_is_number(value) ? 5 : 4;
	for (size_t i = 0; i < n && json_is_null(span); i++)
		if (ndl_ground_span(g, kinds[i], inside, len, &from, &end))
			span = json_pack("[II]", (json_int_t)from, (json_int_t)end);
	json_object_set_new(to, ndl_buf_cstr(path), span);
	ndl_buf_clear(&text);
}

static void add_sources(json_t *to, const ndl_ground *g, ndl_buf *path, json_t *value)
{
	const char *key;
	json_t *child;
	size_t i, old = path->len;
	if (json_is_object(value)) {
		json_object_foreach(value, key, child) {
			ndl_json_pointer_add(path, key);
			add_sources(to, g, path, child);
			ndl_buf_cut(path, old);
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, child) {
			ndl_buf_printf(path, "/%zu", i);
			add_sources(to, g, path, child);
			ndl_buf_cut(path, old);
		}
	} else {
		add_source(to, g, path, value);
	}
}

json_t *ndl_ground_sources(const ndl_ground *g, const json_t *calls)
{
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(calls); i++) {
		json_t *one = json_object();
		ndl_buf path = NDL_BUF_INIT;
		add_sources(one, g, &path, json_object_get(json_array_get(calls, i), "arguments"));
		ndl_buf_clear(&path);
		json_array_append_new(list, one);
	}
	return list;
}
