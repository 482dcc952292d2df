/* The text that the decoder learns to write, and which of its bytes say what. */
#include "data/batch.h"
#include "data/record.h"

#include <string.h>

void ndl_answer_clear(ndl_answer *a)
{
	ndl_buf_clear(&a->text);
	ndl_buf_clear(&a->byte_class);
}

/* Gives class to the bytes of text that have none yet. */
static void classify(ndl_answer *a, int class)
{
	size_t n = a->text.len - a->byte_class.len;
	char *to = ndl_buf_reserve(&a->byte_class, n);
	if (!to || n == 0)
		return;
	memset(to, class, n);
	a->byte_class.len += n;
	a->byte_class.data[a->byte_class.len] = '\0';
}

static void put(ndl_answer *a, const char *structure)
{
	ndl_buf_str(&a->text, structure);
	classify(a, NDL_CLASS_STRUCTURE);
}

/* Opening quote: structure; text and closing quote: class. */
static void put_string(ndl_answer *a, const char *s, size_t len, int class)
{
	size_t begin = a->text.len;
	ndl_json_write_string(&a->text, s, len, 0);
	classify(a, class);
	if (!a->byte_class.failed && begin < a->byte_class.len)
		a->byte_class.data[begin] = NDL_CLASS_STRUCTURE;
}

static void put_value(ndl_answer *a, const json_t *value, const json_t *schema);

static void put_member(ndl_answer *a, bool *first, const char *key, const json_t *value, const json_t *schema)
{
	if (!*first)
		put(a, ",");
	*first = false;
	put_string(a, key, strlen(key), NDL_CLASS_KEY);
	put(a, ":");
	put_value(a, value, schema);
}

/* Members in the order of the schema, without a null that means that nothing is said, then those that it does not name, as given. */
static void put_object(ndl_answer *a, const json_t *object, const json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *child, *members = (json_t *)(uintptr_t)object;
	const char *key;
	bool first = true;
	put(a, "{");
	json_object_foreach(properties, key, child) {
		const json_t *value = json_object_get(object, key);
		if (value && !(json_is_null(value) && ndl_tools_is_nullable(child)))
			put_member(a, &first, key, value, child);
	}
	json_object_foreach(members, key, child)
		if (!json_object_get(properties, key))
			put_member(a, &first, key, child, json_object_get(schema, "additionalProperties"));
	put(a, "}");
}

static void put_value(ndl_answer *a, const json_t *value, const json_t *schema)
{
	if (json_is_object(value)) {
		put_object(a, value, schema);
	} else if (json_is_array(value)) {
		put(a, "[");
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				put(a, ",");
			put_value(a, json_array_get(value, i), json_object_get(schema, "items"));
		}
		put(a, "]");
	} else if (json_is_string(value)) {
		put_string(a, json_string_value(value), json_string_length(value), NDL_CLASS_VALUE);
	} else {
		ndl_json_write(&a->text, value, 0);
		classify(a, NDL_CLASS_VALUE);
	}
}

ndl_status ndl_answer_render(ndl_answer *a, const ndl_record *r, ndl_error *err)
{
	ndl_buf_reset(&a->text);
	ndl_buf_reset(&a->byte_class);
	put(a, "[");
	for (size_t i = 0; i < json_array_size(r->answers); i++) {
		size_t tool = ndl_record_called(r, i);
		const char *name = ndl_tools_norm_name(r->tools, tool);
		put(a, i ? ",{\"name\":" : "{\"name\":");
		put_string(a, name, strlen(name), NDL_CLASS_NAME);
		put(a, ",\"arguments\":");
		put_object(a, json_object_get(json_array_get(r->answers, i), "arguments"),
		           ndl_tools_schema(r->tools, tool));
		put(a, "}");
	}
	put(a, "]");
	ndl_status rc = ndl_buf_check(&a->text, err);
	return rc == NDL_OK ? ndl_buf_check(&a->byte_class, err) : rc;
}

/* How many bytes of text the piece byte b stands for at text[at]; the piece's own spelling may
 * differ from the text: a dummy space in front, U+2581 for a space, runs of spaces made one. */
static size_t match_byte(const ndl_buf *text, size_t *at, char b)
{
	size_t left = text->len - *at;
	const char *t = text->data + *at;
	if (left && *t == b)
		return 1;
	if (b == ' ')
		return left >= 3 && memcmp(t, "\xe2\x96\x81", 3) == 0 ? 3 : 0;
	while (*at < text->len && text->data[*at] == ' ' && b != ' ')
		++*at;
	return *at < text->len;
}

void ndl_answer_token_classes(const ndl_answer *a, const ndl_tok *tok, const int32_t *ids, size_t n, uint8_t *cls)
{
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *bytes = ndl_tok_bytes(tok, ids[i], &len);
		cls[i] = NDL_CLASS_STRUCTURE;
		for (size_t k = 0; k < len; k++) {
			size_t step = match_byte(&a->text, &at, bytes[k]);
			if (step && at < a->byte_class.len && cls[i] == NDL_CLASS_STRUCTURE)
				cls[i] = (uint8_t)a->byte_class.data[at];
			at += step;
		}
	}
}
