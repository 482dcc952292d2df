/* compile_texts.c - what compiles to texts: lists of them (names, keys, enum), and what strings
 * must match. */
#include "grammar/compile_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists of texts ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	uint32_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->text, y->text, n);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void sort_entries(struct compiler *c, struct entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		e[i].text = c->g->pool.data + e[i].at;
	qsort(e, n, sizeof *e, compare_entries);
}

ndl_status ndl_gc_store(struct compiler *c, struct entry *e, size_t n, uint32_t *first, uint32_t *count)
{
	ndl_grammar *g = c->g;
	if (g->pool.failed || g->pool.len > UINT32_MAX || g->n_choices + n > UINT32_MAX ||
	    ndl_grow(&g->choice, &g->cap_choices, g->n_choices + n, sizeof *g->choice) < 0)
		return ndl_gc_nomem(c);
	sort_entries(c, e, n);
	*first = (uint32_t)g->n_choices;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_entries(&e[i - 1], &e[i]) != 0)
			g->choice[g->n_choices++] = (struct choice){e[i].at, e[i].len, e[i].value};
	*count = (uint32_t)g->n_choices - *first;
	return NDL_OK;
}

ndl_status ndl_gc_literal(struct compiler *c, const char *text)
{
	struct entry e = {NULL, (uint32_t)c->g->pool.len, (uint32_t)strlen(text), 0, false};
	uint32_t first, count;
	ndl_buf_str(&c->g->pool, text);
	return ndl_gc_store(c, &e, 1, &first, &count);
}

/* ---- enum and const ---- */

/* Numbers that are equal as JSON get one spelling here, all else its own. */
static ndl_status write_key(ndl_buf *out, const json_t *value)
{
	ndl_buf_reset(out);
	double x = json_number_value(value);
	if (json_is_real(value) && fabs(x) < 9e18 && x == (double)(int64_t)x)
		ndl_buf_printf(out, "%lld", (long long)x);
	else
		ndl_json_write(out, value, 0);
	return ndl_buf_check(out, NULL);
}

/* Whether the value is among those kept before; adds it if not. */
static ndl_status seen_before(json_t *seen, const json_t *value, bool *is)
{
	ndl_buf key = NDL_BUF_INIT;
	ndl_status status = write_key(&key, value);
	*is = status == 0 && json_object_get(seen, ndl_buf_cstr(&key));
	if (status == 0 && !*is && json_object_set_new(seen, ndl_buf_cstr(&key), json_true()) < 0)
		status = NDL_ENOMEM;
	ndl_buf_clear(&key);
	return status;
}

/* The values as entries; `rest` is the schema without what lists them. *kept tells how many the rest admits. */
static ndl_status list_values(struct compiler *c, const json_t *schema, const json_t *rest, struct entry *e, size_t n, size_t *kept)
{
	const json_t *list = json_object_get(schema, "enum"), *constant = json_object_get(schema, "const");
	json_t *seen = json_object();
	ndl_status status = seen ? NDL_OK : NDL_ENOMEM;
	for (size_t i = 0; i < n && status == 0; i++) {
		const json_t *value = constant ? constant : json_array_get(list, i);
		bool twice = false;
		if (ndl_tools_check_value(rest, value, NULL) < 0)
			continue;
		if (c->unique)
			status = seen_before(seen, value, &twice);
		if (twice)
			continue;
		e[*kept].at = (uint32_t)c->g->pool.len;
		ndl_json_write(&c->g->pool, value, 0);
		e[*kept].len = (uint32_t)(c->g->pool.len - e[*kept].at);
		++*kept;
	}
	json_decref(seen);
	return status < 0 ? ndl_gc_nomem(c) : NDL_OK;
}

ndl_status ndl_gc_enum(struct compiler *c, const json_t *schema, uint32_t index)
{
	size_t n = json_object_get(schema, "const") ? 1 : json_array_size(json_object_get(schema, "enum")), kept = 0;
	struct entry *e = ndl_calloc(n, sizeof *e);
	json_t *rest = json_copy((json_t *)(uintptr_t)schema);
	uint32_t first = 0, count = 0;
	ndl_status status = e && rest ? NDL_OK : ndl_gc_nomem(c);
	if (status == 0) {
		json_object_del(rest, json_object_get(schema, "const") ? "const" : "enum");
		status = list_values(c, schema, rest, e, n, &kept);
	}
	if (status == 0)
		status = kept ? ndl_gc_store(c, e, kept, &first, &count)
		              : ndl_gc_fail(c, NDL_EINVAL, "no value of the enum fits the rest of the schema");
	json_decref(rest);
	free(e);
	if (status < 0)
		return status;
	struct node *node = &c->g->node[index];
	node->choice = first;
	node->n_choices = count;
	node->cost = UINT32_MAX;
	for (uint32_t i = first; i < first + count; i++) {
		const struct choice *choice = &c->g->choice[i];
		if (choice->len < node->cost) {
			node->cost = choice->len;
			node->close = (uint8_t)c->g->pool.data[choice->text];
		}
	}
	return NDL_OK;
}

/* ---- strings ---- */

/* Index of what was made before under this key, or -1. */
static long made_before(const struct compiler *c, const ndl_buf *key)
{
	const json_t *index = json_object_get(c->made, ndl_buf_cstr(key));
	return index ? (long)json_integer_value(index) : -1;
}

static ndl_status remember(struct compiler *c, const ndl_buf *key, size_t index)
{
	return json_object_set_new(c->made, ndl_buf_cstr(key), json_integer((json_int_t)index)) < 0 ? ndl_gc_nomem(c) : NDL_OK;
}

static ndl_status add_regex(struct compiler *c, ndl_regex *r)
{
	ndl_grammar *g = c->g;
	if (ndl_grow(&g->regex, &g->cap_regexes, g->n_regexes + 1, sizeof *g->regex) < 0) {
		ndl_regex_free(r);
		return ndl_gc_nomem(c);
	}
	g->regex[g->n_regexes++] = r;
	return NDL_OK;
}

/* *all := one more expression that must match (*all NULL: the first). `what` for messages. Where
 * lenient, one that is not supported is left out. */
static ndl_status also(struct compiler *c, ndl_regex **all, const char *pattern, const char *what)
{
	ndl_regex *one = ndl_regex_new(pattern, c->err), *both = one;
	if (one && *all) {
		both = ndl_regex_and(*all, one, false, c->err);
		ndl_regex_free(one);
	}
	if (!both && c->lenient && c->err->code != NDL_EINVAL && c->err->code != NDL_ENOMEM) {
		*c->err = (ndl_error)NDL_ERROR_INIT;
		return NDL_OK;
	}
	if (!both) {
		ndl_error_prefix(c->err, "%s/%s", ndl_buf_cstr(&c->path), what);
		return c->err->code;
	}
	if (*all)
		ndl_regex_free(*all);
	*all = both;
	return NDL_OK;
}

/* The expression of a schema's patterns and format, made once for all that have the same. */
static ndl_status find_regex(struct compiler *c, const json_t *schema, ndl_buf *key, const ndl_regex **out)
{
	const json_t *pattern = json_object_get(schema, "pattern");
	const char *format = ndl_tools_format_pattern(json_string_value(json_object_get(schema, "format")));
	size_t n = json_is_array(pattern) ? json_array_size(pattern) : pattern != NULL;
	ndl_regex *all = NULL;
	ndl_status status = NDL_OK;
	ndl_buf_str(key, "r");
	if (pattern)
		ndl_json_write(key, pattern, 0);
	ndl_buf_printf(key, " %s", format ? format : "");
	if (ndl_buf_check(key, NULL) < 0)
		return ndl_gc_nomem(c);
	long made = made_before(c, key);
	if (made >= 0) {
		*out = c->g->regex[made];
		return NDL_OK;
	}
	for (size_t i = 0; i < n && status == 0; i++)
		status = also(c, &all, json_string_value(json_is_array(pattern) ? json_array_get(pattern, i) : pattern), "pattern");
	if (status == 0 && format)
		status = also(c, &all, format, "format");
	if (status == 0 && !all)
		status = also(c, &all, "", "pattern"); /* any text */
	if (status < 0) {
		ndl_regex_free(all);
		return status;
	}
	*out = all;
	status = add_regex(c, all);
	return status < 0 ? status : remember(c, key, c->g->n_regexes - 1);
}

/* *index := the text of an expression with the lengths of n, made once for all that have the same; key: of the expression. */
static ndl_status find_text(struct compiler *c, const ndl_regex *regex, const struct node *n, ndl_buf *key, uint32_t *index)
{
	ndl_grammar *g = c->g;
	ndl_buf_printf(key, " %u %u", n->min_len, n->max_len);
	if (ndl_buf_check(key, NULL) < 0 || ndl_grow(&g->text, &g->cap_texts, g->n_texts + 1, sizeof *g->text) < 0)
		return ndl_gc_nomem(c);
	long made = made_before(c, key);
	*index = (uint32_t)(made < 0 ? (long)g->n_texts : made);
	if (made >= 0)
		return NDL_OK;
	g->text[g->n_texts++] = (struct text){regex, n->min_len, n->max_len, NULL}; /* owned by the grammar, whatever comes */
	ndl_status status = ndl_gtext_compile(&g->text[*index], c->err);
	if (status == 0)
		return remember(c, key, *index);
	ndl_error_prefix(c->err, "%s", ndl_buf_cstr(&c->path));
	return status;
}

ndl_status ndl_gc_text(struct compiler *c, const json_t *schema, struct node *n)
{
	const char *format = json_string_value(json_object_get(schema, "format"));
	if (!c->unique && !json_object_get(schema, "pattern") && !ndl_tools_format_pattern(format))
		return NDL_OK;
	ndl_buf key = NDL_BUF_INIT;
	const ndl_regex *regex = NULL;
	uint32_t index = 0;
	ndl_status status = find_regex(c, schema, &key, &regex);
	if (status == 0)
		status = find_text(c, regex, n, &key, &index);
	if (status == 0)
		n->text = index + 1;
	ndl_buf_clear(&key);
	return status;
}
