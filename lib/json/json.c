#include "json/json.h"

#include "base/reader.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Largest JSON file read whole (tool catalogues, configurations). */
#define JSON_FILE_MAX ((size_t)256 << 20)

json_t *ndl_json_parse(const char *text, size_t len, ndl_error *err)
{
	json_error_t je;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark, with which some editors begin a file */
		text += 3;
		len -= 3;
	}
	json_t *value = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &je);
	if (!value) {
		ndl_fail(err, NDL_EFORMAT, "invalid JSON at column %d: %s", je.column < 0 ? 0 : je.column, je.text);
		if (err) {
			err->line = je.line > 0 ? (size_t)je.line : 0;
			err->column = je.column > 0 ? (size_t)je.column : 0;
			err->byte = je.position > 0 ? (size_t)je.position : 0;
		}
	}
	return value;
}

json_t *ndl_json_load(const char *path, ndl_error *err)
{
	size_t len;
	char *text = ndl_read_all(path, &len, JSON_FILE_MAX, err);
	if (!text)
		return NULL;
	json_t *value = ndl_json_parse(text, len, err);
	if (!value)
		ndl_error_at(err, path, 0);
	free(text);
	return value;
}

static void write_escape(ndl_buf *out, uint32_t unit)
{
	ndl_buf_printf(out, "\\u%04x", (unsigned)unit);
}

void ndl_json_write_string(ndl_buf *out, const char *text, size_t len, int flags)
{
	ndl_buf_byte(out, '"');
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;
		n = ndl_utf8_decode(text + i, len - i, &c);
		if (n == 0) { /* the contract says valid UTF-8; never write anything else */
			n = 1;
			c = 0xFFFD;
		}
		switch (c) {
		case '"': ndl_buf_str(out, "\\\""); break;
		case '\\': ndl_buf_str(out, "\\\\"); break;
		case '\b': ndl_buf_str(out, "\\b"); break;
		case '\f': ndl_buf_str(out, "\\f"); break;
		case '\n': ndl_buf_str(out, "\\n"); break;
		case '\r': ndl_buf_str(out, "\\r"); break;
		case '\t': ndl_buf_str(out, "\\t"); break;
		default:
			if (c < 0x20 || (c > 0x7e && c < 0x10000 && (flags & NDL_JSON_ASCII))) {
				write_escape(out, c);
			} else if (c >= 0x10000 && (flags & NDL_JSON_ASCII)) {
				write_escape(out, 0xD800 + ((c - 0x10000) >> 10));
				write_escape(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
			} else {
				char utf8[4];
				ndl_buf_add(out, utf8, ndl_utf8_encode(c, utf8));
			}
		}
	}
	ndl_buf_byte(out, '"');
}

void ndl_json_pointer_add(ndl_buf *out, const char *key)
{
	ndl_buf_byte(out, '/');
	for (; *key; key++)
		if (*key == '~' || *key == '/')
			ndl_buf_str(out, *key == '~' ? "~0" : "~1");
		else
			ndl_buf_byte(out, *key);
}

/* Adds one to the last digit of a number as %e prints it; false if that makes it longer. */
static bool next_up(char *text)
{
	char *c = strchr(text, 'e') - 1;
	for (; c >= text && (*c == '9' || *c == '.'); c--)
		*c = *c == '9' ? '0' : '.';
	if (c < text || *c == '-')
		return false;
	++*c;
	return true;
}

/* Python's repr: the shortest digits that read back, in positional notation for exponents
 * -4..15, else scientific with at least two exponent digits. */
void ndl_json_write_double(ndl_buf *out, double x)
{
	char text[32];
	int precision = 0, exponent = 0;
	if (!isfinite(x)) { /* JSON has no such number */
		ndl_buf_str(out, "null");
		return;
	}
	for (; precision < 17; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, x);
		/* below a power of two doubles are closer: the nearest decimal may miss it where the next does not */
		if (strtod(text, NULL) == x || (precision < 16 && next_up(text) && strtod(text, NULL) == x))
			break;
	}
	char *e = strchr(text, 'e');
	exponent = e ? atoi(e + 1) : 0;
	if (exponent >= -4 && exponent < 16) {
		int decimals = precision - exponent;
		ndl_buf_printf(out, "%.*f", decimals < 1 ? 1 : decimals, x);
	} else {
		ndl_buf_str(out, text); /* C prints e+16 and e-07 as Python does */
	}
}

static void write_object(ndl_buf *out, const json_t *value, int flags)
{
	const char *key;
	json_t *child;
	bool first = true;
	ndl_buf_byte(out, '{');
	/* jansson's iterators take a non-const object though they do not change it */
	json_t *object = (json_t *)(uintptr_t)value;
	json_object_foreach(object, key, child) {
		if (!first)
			ndl_buf_byte(out, ',');
		first = false;
		ndl_json_write_string(out, key, strlen(key), flags);
		ndl_buf_byte(out, ':');
		ndl_json_write(out, child, flags);
	}
	ndl_buf_byte(out, '}');
}

void ndl_json_write(ndl_buf *out, const json_t *value, int flags)
{
	if (!value) {
		out->failed = true;
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(out, value, flags);
		break;
	case JSON_ARRAY:
		ndl_buf_byte(out, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				ndl_buf_byte(out, ',');
			ndl_json_write(out, json_array_get(value, i), flags);
		}
		ndl_buf_byte(out, ']');
		break;
	case JSON_STRING:
		ndl_json_write_string(out, json_string_value(value), json_string_length(value), flags);
		break;
	case JSON_INTEGER:
		ndl_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		ndl_json_write_double(out, json_real_value(value));
		break;
	case JSON_TRUE: ndl_buf_str(out, "true"); break;
	case JSON_FALSE: ndl_buf_str(out, "false"); break;
	case JSON_NULL: ndl_buf_str(out, "null"); break;
	}
}

json_t *ndl_json_get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

json_t *ndl_json_unwrap(json_t *value, ndl_error *err)
{
	if (!json_is_string(value))
		return json_incref(value);
	return ndl_json_parse(json_string_value(value), json_string_length(value), err);
}

static int equal_objects(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *child;
	if (json_object_size(a) != json_object_size(b))
		return 0;
	json_t *object = (json_t *)(uintptr_t)a;
	json_object_foreach(object, key, child) {
		const json_t *other = json_object_get(b, key);
		if (!other || !ndl_json_equal(child, other))
			return 0;
	}
	return 1;
}

int ndl_json_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		if (json_is_integer(a) && json_is_integer(b))
			return json_integer_value(a) == json_integer_value(b);
		return json_number_value(a) == json_number_value(b);
	}
	if (json_is_object(a) && json_is_object(b))
		return equal_objects(a, b);
	if (json_is_array(a) && json_is_array(b)) {
		if (json_array_size(a) != json_array_size(b))
			return 0;
		for (size_t i = 0; i < json_array_size(a); i++)
			if (!ndl_json_equal(json_array_get(a, i), json_array_get(b, i)))
				return 0;
		return 1;
	}
	return json_equal(a, b);
}

bool ndl_json_has(const json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (ndl_json_equal(json_array_get(list, i), value))
			return true;
	return false;
}

const char *ndl_json_type_name(const json_t *value)
{
	if (!value)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "an array";
	case JSON_STRING: return "a string";
	case JSON_INTEGER: return "an integer";
	case JSON_REAL: return "a number";
	case JSON_TRUE:
	case JSON_FALSE: return "a boolean";
	case JSON_NULL: return "null";
	}
	return "nothing";
}
