/* index.c - a catalogue built from a tool list, and what it is asked for. */
#include "retrieve/retrieve_internal.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

enum { WEIGHT_NAME = 3, WEIGHT_TEXT = 1 };

/* A word of a tool, as it is met. */
struct met {
	size_t at;        /* of its text in builder.words */
	const char *word; /* the text, once builder.words is complete */
	uint32_t len, tool, weight;
};

struct builder {
	ndl_buf name, tool, word; /* texts of the index */
	ndl_buf words;            /* of struct met */
	struct met *met;
	size_t n, cap;
	uint32_t current, weight; /* of the words that come now */
	bool failed;
};

/* Words of the tools -------------------------------------------------------------------- */

static void meet(void *user, const char *word, size_t len, bool common)
{
	(void)common; /* the mean length of tools knows them */
	struct builder *b = user;
	if (b->failed || ndl_grow(&b->met, &b->cap, b->n + 1, sizeof *b->met) < 0) {
		b->failed = true;
		return;
	}
	b->met[b->n++] = (struct met){b->words.len, NULL, (uint32_t)len, b->current, b->weight};
	ndl_buf_add(&b->words, word, len);
}

static void meet_text(struct builder *b, const char *text, uint32_t weight)
{
	b->weight = weight;
	ndl_words(text, strlen(text), meet, b);
}

/* The names of a schema's properties, their descriptions and choices, and those inside. Recursion is
 * bounded: normalised schemas nest at most 32 levels. */
static void meet_arguments(struct builder *b, const json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *inner;
	const char *key, *text;
	size_t i;
	if (json_object_get(schema, "$again")) /* a schema inside itself: said once */
		return;
	if ((text = json_string_value(json_object_get(schema, "description"))))
		meet_text(b, text, WEIGHT_TEXT);
	json_array_foreach(json_object_get(schema, "enum"), i, inner)
		if ((text = json_string_value(inner)))
			meet_text(b, text, WEIGHT_TEXT);
	json_object_foreach(properties, key, inner) {
		meet_text(b, key, WEIGHT_TEXT);
		meet_arguments(b, inner);
	}
	if ((inner = json_object_get(schema, "items")))
		meet_arguments(b, inner);
}

static int by_word(const void *a, const void *b)
{
	const struct met *x = a, *y = b;
	int order = ndl_word_compare(x->word, x->len, y->word, y->len);
	return order ? order : (x->tool > y->tool) - (x->tool < y->tool);
}

/* Building ------------------------------------------------------------------------------ */

static void *own(ndl_index *x, void *p)
{
	if (p)
		x->owned[x->n_owned++] = p;
	return p;
}

/* size zeroed uint32_t, owned by x. */
static uint32_t *numbers(ndl_index *x, size_t n)
{
	return own(x, ndl_calloc(n + 1, sizeof(uint32_t)));
}

/* Moves a buffer's text into x. */
static const char *moved(ndl_index *x, ndl_buf *b)
{
	const char *text = b->data ? own(x, b->data) : "";
	*b = (ndl_buf)NDL_BUF_INIT;
	return text;
}

static ndl_status add_tools(ndl_index *x, struct builder *b, const ndl_tools *t, int ascii_tools, ndl_error *err)
{
	ndl_buf text = NDL_BUF_INIT;
	uint32_t *name_at = numbers(x, x->n), *tool_at = numbers(x, x->n);
	uint64_t *hash = own(x, ndl_calloc(x->n + 1, sizeof *hash));
	if (!name_at || !tool_at || !hash)
		return ndl_fail_nomem(err, "an index");
	for (size_t i = 0; i < x->n && b->tool.len < UINT32_MAX; i++) {
		b->current = (uint32_t)i;
		meet_text(b, ndl_tools_name(t, i), WEIGHT_NAME);
		meet_text(b, ndl_tools_description(t, i), WEIGHT_TEXT);
		meet_arguments(b, ndl_tools_schema(t, i));
		ndl_buf_add(&b->name, ndl_tools_name(t, i), strlen(ndl_tools_name(t, i)) + 1);
		ndl_json_write(&b->tool, ndl_tools_given(t, i), 0);
		name_at[i + 1] = (uint32_t)b->name.len;
		tool_at[i + 1] = (uint32_t)b->tool.len;
		ndl_buf_reset(&text);
		ndl_tools_render_one(t, &text, i, ascii_tools);
		hash[i] = ndl_hash64(ndl_buf_cstr(&text), text.len, 0);
		b->failed = b->failed || text.failed;
	}
	ndl_buf_clear(&text);
	if (b->tool.len >= UINT32_MAX || b->words.len >= UINT32_MAX)
		return ndl_fail(err, NDL_ELIMIT, "the tools are over 4 GiB");
	if (b->failed || b->name.failed || b->tool.failed || b->words.failed)
		return ndl_fail_nomem(err, "an index");
	x->name = (struct texts){moved(x, &b->name), name_at};
	x->tool = (struct texts){moved(x, &b->tool), tool_at};
	x->hash = hash;
	return NDL_OK;
}

/* Sorts what was met into words and their postings. */
static ndl_status add_words(ndl_index *x, struct builder *b, ndl_error *err)
{
	uint32_t *length = numbers(x, x->n), *at = numbers(x, b->n), *from = numbers(x, b->n);
	uint32_t *in = numbers(x, b->n), *count = numbers(x, b->n);
	if (!length || !at || !from || !in || !count)
		return ndl_fail_nomem(err, "an index");
	for (size_t i = 0; i < b->n; i++)
		b->met[i].word = b->words.data + b->met[i].at;
	if (b->n)
		qsort(b->met, b->n, sizeof *b->met, by_word);
	for (size_t i = 0; i < b->n; i++) {
		const struct met *m = &b->met[i], *before = i ? m - 1 : NULL;
		bool new_word = !before || ndl_word_compare(m->word, m->len, before->word, before->len) != 0;
		if (new_word) {
			ndl_buf_add(&b->word, m->word, m->len);
			at[++x->n_words] = (uint32_t)b->word.len;
		}
		if (new_word || m->tool != before->tool)
			in[x->n_postings++] = m->tool;
		count[x->n_postings - 1] += m->weight;
		length[m->tool] += m->weight;
		from[x->n_words] = (uint32_t)x->n_postings;
	}
	if (b->word.failed)
		return ndl_fail_nomem(err, "an index");
	x->word = (struct texts){moved(x, &b->word), at};
	x->length = length;
	x->from = from;
	x->in = in;
	x->count = count;
	return NDL_OK;
}

ndl_index *ndl_index_new(const ndl_tools *t, int ascii_tools, ndl_error *err)
{
	struct builder b = {0};
	ndl_index *x = ndl_calloc(1, sizeof *x);
	if (!x) {
		ndl_fail_nomem(err, "an index");
		return NULL;
	}
	x->n = ndl_tools_count(t);
	x->flags = ndl_tools_flags(t);
	ndl_status rc = x->n < UINT32_MAX ? add_tools(x, &b, t, ascii_tools, err) : ndl_fail(err, NDL_ELIMIT, "too many tools");
	if (rc == NDL_OK)
		rc = add_words(x, &b, err);
	if (rc == NDL_OK)
		ndl_index_measure(x);
	ndl_buf_clear(&b.name);
	ndl_buf_clear(&b.tool);
	ndl_buf_clear(&b.word);
	ndl_buf_clear(&b.words);
	free(b.met);
	if (rc == NDL_OK)
		return x;
	ndl_index_free(x);
	return NULL;
}

void ndl_index_free(ndl_index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n_owned; i++)
		free(x->owned[i]);
	ndl_ckpt_close(x->file);
	free(x);
}

/* Asking -------------------------------------------------------------------------------- */

size_t ndl_index_count(const ndl_index *x)
{
	return x->n;
}

const char *ndl_index_name(const ndl_index *x, size_t i)
{
	return x->name.bytes + x->name.at[i];
}

uint64_t ndl_index_hash(const ndl_index *x, size_t i)
{
	return x->hash[i];
}

int ndl_index_flags(const ndl_index *x)
{
	return x->flags;
}

json_t *ndl_index_tools(const ndl_index *x, const size_t *which, size_t n, ndl_error *err)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < n; i++) {
		size_t at = x->tool.at[which[i]], end = x->tool.at[which[i] + 1];
		json_t *tool = ndl_json_parse(x->tool.bytes + at, end - at, err);
		if (!tool) {
			ndl_error_prefix(err, "tool %s of the index", ndl_index_name(x, which[i]));
			json_decref(list);
			return NULL;
		}
		if (json_array_append_new(list, tool) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	if (!list)
		ndl_fail_nomem(err, "tools");
	return list;
}

ndl_status ndl_index_set_vectors(ndl_index *x, float *vectors, size_t dim, const char *by, ndl_error *err)
{
	if (strlen(by) > NDL_INDEX_BY_MAX || x->n_owned == sizeof x->owned / sizeof *x->owned) {
		free(vectors);
		return ndl_fail(err, NDL_EINVAL, "vectors of \"%.80s\"", by);
	}
	x->vectors = own(x, vectors);
	x->dim = dim;
	memcpy(x->by, by, strlen(by) + 1);
	return NDL_OK;
}

const float *ndl_index_vectors(const ndl_index *x, size_t *dim)
{
	*dim = x->dim;
	return x->vectors;
}

const char *ndl_index_by(const ndl_index *x)
{
	return x->by;
}
