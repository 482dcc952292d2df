/* ground.c - string values as spans of the query.
 *
 * The query is kept as it would stand inside a JSON string, in lower case, blanks made one space;
 * behind it, each after a NUL, the texts that derive.c finds in it. A value keeps to the query while it
 * is the beginning of some span: it begins where a word, a number or a mark begins and ends where
 * one ends (before a plural's s, too); a derived text counts only as a whole. Which
 * tokens keep to it is asked of the sorted vocabulary, from every place where the value can be.
 *
 * What a value must be copied from is for the schema to say: with enum, const, format or pattern the
 * value is of another making, and is left alone. */
#include "session/session_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { QUERY_MAX = 32 << 10, DEPTH_MAX = 64 }; /* bytes of a query that matter: no window holds more */
enum { MAY_START = 1, MAY_END = 2 };           /* at a byte: a span may begin with it; end before it */

static void put(ndl_ground *g, char c, size_t from, size_t to)
{
	if (ndl_grow(&g->at, &g->cap, g->text.len + 2, sizeof *g->at) < 0) {
		g->text.failed = true;
		return;
	}
	g->at[g->text.len] = (ndl_ground_byte){(uint32_t)from, (uint32_t)to, 0};
	ndl_buf_byte(&g->text, ndl_fold((unsigned char)c));
}

static int kind_of(unsigned char b)
{
	if (b >= '0' && b <= '9')
		return 'd';
	if ((b >= 'a' && b <= 'z') || b >= 0x80)
		return 'a';
	return b == ' ' || b == 0 ? ' ' : 0; /* every mark for itself */
}

/* The kind of the character at i; quotes and dashes beyond ASCII (U+20xx) are marks, too. */
static int kind_at(const unsigned char *s, size_t i)
{
	size_t lead = i;
	while (lead && (s[lead] & 0xC0) == 0x80)
		lead--;
	return s[lead] == 0xE2 && s[lead + 1] == 0x80 ? 0 : kind_of(s[i]);
}

/* Marks where spans may begin and end in the query, text[0..n). */
static void mark(ndl_ground *g, size_t n)
{
	const unsigned char *s = (const unsigned char *)ndl_buf_cstr(&g->text);
	for (size_t i = 0; i <= n; i++) {
		int before = i ? kind_at(s, i - 1) : ' ', here = i < n ? kind_at(s, i) : ' ';
		bool escaped = i && g->at[i - 1].from == g->at[i].from && i < n; /* inside \" or \\ */
		bool edge = !escaped && (before != here || before == 0);
		bool plural = i && i + 1 <= n && s[i] == 's' && before == 'a' && (i + 1 == n || kind_at(s, i + 1) != 'a');
		if (edge && here != ' ')
			g->at[i].flags |= MAY_START;
		if ((edge || plural) && before != ' ')
			g->at[i].flags |= MAY_END;
	}
}

void ndl_ground_add(ndl_ground *g, const char *text, size_t from, size_t to)
{
	size_t first = g->text.len;
	for (const char *c = text; *c; c++)
		put(g, *c, from, to);
	put(g, '\0', from, to);
	if (g->text.failed)
		return;
	g->at[first].flags = MAY_START;
	g->at[g->text.len - 1].flags = MAY_END;
}

ndl_status ndl_ground_set(ndl_ground *g, const char *query, size_t len, ndl_error *err)
{
	ndl_buf_reset(&g->text);
	len = len < QUERY_MAX ? len : QUERY_MAX;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)query[i];
		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			if (g->text.len && g->text.data[g->text.len - 1] != ' ')
				put(g, ' ', i, i + 1);
			continue;
		}
		if (c == '"' || c == '\\')
			put(g, '\\', i, i + 1);
		put(g, (char)(c < 0x20 || c == 0x7F ? '\0' : c), i, i + 1);
	}
	put(g, '\0', len, len);
	if (!g->text.failed) {
		mark(g, g->text.len - 1);
		ndl_derive(g, query, len);
	}
	return g->text.failed ? ndl_fail_nomem(err, "the query's spans") : NDL_OK;
}

void ndl_ground_clear(ndl_ground *g)
{
	ndl_buf_clear(&g->text);
	free(g->at);
	*g = (ndl_ground){0};
}

/* Whether the n bytes of value stand at text[at..]. */
static bool stands_at(const ndl_ground *g, size_t at, const char *value, size_t n)
{
	if (n > g->text.len - at)
		return false;
	for (size_t i = 0; i < n; i++)
		if (ndl_fold((unsigned char)value[i]) != (unsigned char)g->text.data[at + i])
			return false;
	return true;
}

/* The next place from *at on where value can be under way; false: no more. */
static bool next_place(const ndl_ground *g, size_t *at, const char *value, size_t n)
{
	for (; *at < g->text.len; ++*at)
		if ((g->at[*at].flags & MAY_START) && stands_at(g, *at, value, n))
			return true;
	return false;
}

bool ndl_ground_span(const ndl_ground *g, const char *value, size_t len, size_t *from, size_t *to)
{
	for (size_t at = 0; len && next_place(g, &at, value, len); at++) {
		if (!(g->at[at + len].flags & MAY_END))
			continue;
		*from = g->at[at].from;
		*to = g->at[at + len - 1].to;
		return true;
	}
	return false;
}

/* ---- where in the answer -------------------------------------------------------------- */

/* Its strings are to be copied: they are free text, and no other keyword says what they are. */
static bool is_copied(const json_t *schema)
{
	static const char *const made[] = {"enum", "const", "format", "pattern"};
	static const char *const ways[] = {"anyOf", "oneOf"};
	const json_t *type = json_object_get(schema, "type");
	const char *name = json_string_value(type);
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		if (json_object_get(schema, made[i]))
			return false;
	bool copied = name && strcmp(name, "string") == 0;
	for (size_t i = 0; i < json_array_size(type); i++)
		copied = copied || strcmp(json_string_value(json_array_get(type, i)), "string") == 0;
	for (size_t w = 0; w < 2; w++) {
		const json_t *list = json_object_get(schema, ways[w]);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *way = json_array_get(list, i);
			const char *of = json_string_value(json_object_get(way, "type"));
			if (is_copied(way))
				copied = true;
			else if (!of || strcmp(of, "string") == 0)
				return false;
		}
	}
	return copied;
}

typedef struct level {
	const json_t *schema; /* of the container; NULL: unknown */
	bool object, key;     /* key: one is due */
} level;

static const json_t *member(const json_t *schema, const char *key, size_t len)
{
	const json_t *child = json_object_getn(json_object_get(schema, "properties"), key, len);
	return child ? child : json_object_get(schema, "additionalProperties");
}

/* The end of the string whose inside begins at `at`; n if it is not there yet. */
static size_t string_end(const char *s, size_t at, size_t n)
{
	for (; at < n && s[at] != '"'; at++)
		at += s[at] == '\\';
	return at < n ? at : n;
}

static const json_t *tool_named(const ndl_tools *t, const char *name, size_t len)
{
	for (size_t i = 0; i < ndl_tools_count(t); i++) {
		const char *norm = ndl_tools_norm_name(t, i);
		if (strncmp(norm, name, len) == 0 && norm[len] == '\0')
			return ndl_tools_schema(t, i);
	}
	return NULL;
}

/* Whether text[0..n), an answer under way, ends inside a string that is to be copied; *from: where
 * its inside begins. */
static bool in_copied(const ndl_tools *t, const char *s, size_t n, size_t *from)
{
	level stack[DEPTH_MAX];
	size_t depth = 0;
	const json_t *value = NULL, *tool = NULL; /* schemas of the value that is due, of the tool called */
	bool name = false;                        /* the tool's name is due */
	for (size_t at = 0; at < n; at++) {
		level *l = depth ? &stack[depth - 1] : NULL;
		switch (s[at]) {
		case '{': case '[':
			if (depth == DEPTH_MAX)
				return false;
			stack[depth++] = (level){value, s[at] == '{', s[at] == '{'};
			if (s[at] == '[')
				value = json_object_get(value, "items");
			break;
		case '}': case ']':
			depth -= depth > 0;
			break;
		case ',':
			if (l && l->object)
				l->key = true;
			else if (l)
				value = json_object_get(l->schema, "items");
			break;
		case '"': {
			size_t begin = at + 1, end = string_end(s, begin, n);
			*from = begin;
			if (end == n)
				return l && !(l->object && l->key) && is_copied(value);
			at = end;
			if (l && l->object && l->key && depth == 2) {
				name = end - begin == 4 && memcmp(s + begin, "name", 4) == 0;
				value = name ? NULL : tool;
			} else if (l && l->object && l->key) {
				value = member(l->schema, s + begin, end - begin);
			} else if (name && depth == 2) {
				tool = tool_named(t, s + begin, end - begin);
			}
			if (l)
				l->key = false;
			break;
		}
		default:
			break;
		}
	}
	return false;
}

/* ---- tokens --------------------------------------------------------------------------- */

static void set(uint64_t *bits, int32_t id)
{
	bits[id / 64] |= UINT64_C(1) << (id % 64);
}

/* Pieces that go on at text[at]: as a part of a span, or to its end and then anything. */
static void keep_from(const ndl_ground *g, const ndl_pieces *p, size_t at, bool begun, uint64_t *bits)
{
	size_t lo = 0, hi = p->n;
	for (size_t d = 0;; d++) {
		if ((begun || d) && (g->at[at + d].flags & MAY_END)) {
			size_t first = lo, last = hi;
			if (ndl_pieces_narrow(p, &first, &last, d, '"'))
				for (size_t i = first; i < last; i++)
					set(bits, p->piece[i].id);
		}
		if (g->text.data[at + d] == '\0' || !ndl_pieces_narrow(p, &lo, &hi, d, (unsigned char)g->text.data[at + d]))
			return;
		for (size_t i = lo; i < hi && p->piece[i].len == d + 1; i++)
			set(bits, p->piece[i].id);
	}
}

/* A piece that opens a string and goes on in it: whether what it begins keeps to the query. */
static bool keeps_opened(const ndl_ground *g, const ndl_tools *t, const ndl_buf *text, const ndl_piece *piece,
                         ndl_buf *scratch)
{
	size_t from, at = 0;
	ndl_buf_reset(scratch);
	ndl_buf_add(scratch, ndl_buf_cstr(text), text->len);
	ndl_buf_add(scratch, piece->bytes, piece->len);
	return scratch->failed || !in_copied(t, scratch->data, scratch->len, &from) || from == scratch->len ||
	       next_place(g, &at, scratch->data + from, scratch->len - from);
}

bool ndl_ground_keep(const ndl_ground *g, const ndl_engine *e, const ndl_tools *t, const ndl_buf *text,
                     const uint64_t *mask, uint64_t *bits, ndl_buf *scratch)
{
	const ndl_pieces *p = &e->pieces;
	size_t from = 0, n = 0, bytes = ndl_vocab_trie_words(e->trie) * sizeof *bits;
	bool inside = in_copied(t, ndl_buf_cstr(text), text->len, &from), begun = text->len > from;
	if (!inside && p->n_opening == 0)
		return false;
	memset(bits, inside ? 0 : 0xFF, bytes);
	for (size_t at = 0; inside && next_place(g, &at, text->data + from, text->len - from); at++, n++)
		keep_from(g, p, at + text->len - from, begun, bits);
	if (inside && begun && n == 0)
		return false; /* it has left the query already */
	if (inside && n == 0) { /* nothing to copy: the empty string */
		size_t lo = 0, hi = p->n;
		for (bool some = ndl_pieces_narrow(p, &lo, &hi, 0, '"'); some && lo < hi; lo++)
			set(bits, p->piece[lo].id);
	}
	for (size_t i = 0; i < p->n_opening; i++) {
		const ndl_piece *x = &p->piece[p->opening[i]];
		uint64_t bit = UINT64_C(1) << (x->id % 64);
		if ((mask[x->id / 64] & bits[x->id / 64] & bit) && !keeps_opened(g, t, text, x, scratch))
			bits[x->id / 64] &= ~bit;
	}
	return true;
}

/* ---- sources -------------------------------------------------------------------------- */

static void add_source(json_t *to, const ndl_ground *g, const ndl_buf *path, const json_t *value)
{
	ndl_buf text = NDL_BUF_INIT;
	size_t from, end;
	ndl_json_write(&text, value, 0);
	bool quoted = json_is_string(value) && text.len >= 2;
	json_t *span = json_null();
	if (!text.failed && ndl_ground_span(g, ndl_buf_cstr(&text) + quoted, text.len - 2 * (size_t)quoted, &from, &end))
		span = json_pack("[II]", (json_int_t)from, (json_int_t)end);
	json_object_set_new(to, ndl_buf_cstr(path), span);
	ndl_buf_clear(&text);
}

static void cut(ndl_buf *path, size_t len)
{
	if (path->data && len < path->len)
		path->data[path->len = len] = '\0';
}

static void add_sources(json_t *to, const ndl_ground *g, ndl_buf *path, json_t *value)
{
	const char *key;
	json_t *child;
	size_t i, old = path->len;
	if (json_is_object(value)) {
		json_object_foreach(value, key, child) {
			ndl_buf_byte(path, '/');
			for (const char *c = key; *c; c++)
				if (*c == '~' || *c == '/')
					ndl_buf_str(path, *c == '~' ? "~0" : "~1");
				else
					ndl_buf_byte(path, *c);
			add_sources(to, g, path, child);
			cut(path, old);
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, child) {
			ndl_buf_printf(path, "/%zu", i);
			add_sources(to, g, path, child);
			cut(path, old);
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
