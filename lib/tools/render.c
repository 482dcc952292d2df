/* render.c - the prompt text of tools. Runs for every training example: it writes straight from
 * the normalised schema and copies no JSON values. */
#include "tools/tools_internal.h"

#include <string.h>

static void write_args(ndl_buf *out, const json_t *schema, int flags);

/* `"key":` after a comma, unless it is the first of its object. */
static void write_key(ndl_buf *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		ndl_buf_byte(out, ',');
	ndl_buf_byte(out, '"');
	ndl_buf_str(out, key);
	ndl_buf_str(out, "\":");
}

static void write_member(ndl_buf *out, const json_t *schema, const char *key, int flags)
{
	const json_t *value = json_object_get(schema, key);
	if (value) {
		write_key(out, key);
		ndl_json_write(out, value, flags);
	}
}

/* Of a list of types, by name, or of values. */
static bool is_null(const json_t *item, bool name)
{
	return name ? json_is_string(item) && strcmp(json_string_value(item), "null") == 0 : json_is_null(item);
}

/* "type", or "enum", of what may be null: the others, or the only other type. */
static void write_others(ndl_buf *out, const json_t *schema, const char *key, bool types, int flags)
{
	const json_t *list = json_object_get(schema, key);
	const size_t n = json_array_size(list);
	const bool one = types && n == 2;
	bool first = true;
	if (!n)
		return;
	write_key(out, key);
	if (!one)
		ndl_buf_byte(out, '[');
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(list, i);
		if (is_null(item, types))
			continue;
		if (!first)
			ndl_buf_byte(out, ',');
		first = false;
		ndl_json_write(out, item, flags);
	}
	if (!one)
		ndl_buf_byte(out, ']');
}

/* Recursion is bounded: normalised schemas nest at most NDL_SCHEMA_DEPTH levels. */
static void write_arg(ndl_buf *out, const json_t *schema, bool required, int flags)
{
	const bool nullable = ndl_tools_is_nullable(schema);
	ndl_buf_byte(out, '{');
	if (nullable)
		write_others(out, schema, "type", true, flags);
	else
		write_member(out, schema, "type", flags);
	write_member(out, schema, "description", flags);
	if (required && !nullable) {
		write_key(out, "required");
		ndl_buf_str(out, "true");
	}
	const json_t *value = json_object_get(schema, "const");
	if (value) {
		write_key(out, "enum");
		ndl_buf_byte(out, '[');
		ndl_json_write(out, value, flags);
		ndl_buf_byte(out, ']');
	} else if (nullable) {
		write_others(out, schema, "enum", false, flags);
	} else {
		write_member(out, schema, "enum", flags);
	}
	bool again = json_object_get(schema, "$again"); /* a schema inside itself: said once */
	const json_t *items = json_object_get(schema, "items");
	if (json_object_size(items) && !again) {
		write_key(out, "items");
		write_arg(out, items, false, flags);
	}
	if (json_object_size(json_object_get(schema, "properties")) && !again) {
		write_key(out, "properties");
		write_args(out, schema, flags);
	}
	write_member(out, schema, "format", flags);
	write_member(out, schema, "minimum", flags);
	write_member(out, schema, "maximum", flags);
	ndl_buf_byte(out, '}');
}

static void write_args(ndl_buf *out, const json_t *schema, int flags)
{
	json_t *properties = json_object_get(schema, "properties"), *arg;
	const json_t *required = json_object_get(schema, "required");
	const char *key;
	size_t seen = 0; /* "required" is in the order of the properties */
	bool first = true;
	ndl_buf_byte(out, '{');
	json_object_foreach(properties, key, arg) {
		const char *next = json_string_value(json_array_get(required, seen));
		bool needed = next && strcmp(next, key) == 0;
		seen += needed;
		if (!first)
			ndl_buf_byte(out, ',');
		first = false;
		ndl_json_write_string(out, key, strlen(key), flags);
		ndl_buf_byte(out, ':');
		write_arg(out, arg, needed, flags);
	}
	ndl_buf_byte(out, '}');
}

static void write_flat(ndl_buf *out, const struct tool *tool, int flags)
{
	ndl_buf_str(out, "{\"name\":\"");
	ndl_buf_str(out, tool->norm); /* [a-z0-9_]: nothing to escape */
	ndl_buf_byte(out, '"');
	if (tool->description[0]) {
		ndl_buf_str(out, ",\"description\":");
		ndl_json_write_string(out, tool->description, strlen(tool->description), flags);
	}
	ndl_buf_str(out, ",\"parameters\":");
	write_args(out, tool->schema, flags);
	ndl_buf_byte(out, '}');
}

/* The object as given, with the name in tool->holder (object itself, or right below) replaced. */
static void write_given(ndl_buf *out, const struct tool *tool, json_t *object, int flags)
{
	const char *key;
	json_t *value;
	bool first = true;
	ndl_buf_byte(out, '{');
	json_object_foreach(object, key, value) {
		if (!first)
			ndl_buf_byte(out, ',');
		first = false;
		ndl_json_write_string(out, key, strlen(key), flags);
		ndl_buf_byte(out, ':');
		if (object == tool->holder && strcmp(key, tool->key) == 0)
			ndl_json_write_string(out, tool->norm, strlen(tool->norm), flags);
		else if (object == tool->given && object != tool->holder && value == tool->holder)
			write_given(out, tool, value, flags);
		else
			ndl_json_write(out, value, flags);
	}
	ndl_buf_byte(out, '}');
}

void ndl_tools_render_one(const ndl_tools *t, ndl_buf *out, size_t i, int ascii_tools)
{
	const struct tool *tool = &t->tool[i];
	if (ascii_tools)
		write_given(out, tool, tool->given, NDL_JSON_ASCII);
	else
		write_flat(out, tool, 0);
}

void ndl_tools_render(const ndl_tools *t, ndl_buf *out, const size_t *subset, size_t n, int ascii_tools)
{
	if (!subset)
		n = t->n;
	ndl_buf_byte(out, '[');
	for (size_t k = 0; k < n; k++) {
		if (k)
			ndl_buf_byte(out, ',');
		ndl_tools_render_one(t, out, subset ? subset[k] : k, ascii_tools);
	}
	ndl_buf_byte(out, ']');
}
