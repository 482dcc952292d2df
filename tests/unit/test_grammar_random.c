/* test_grammar_random.c - random schemas, random vocabularies, random choices among the tokens
 * that the mask allows: whatever comes out parses and satisfies the schemas, judged by a checker
 * that shares no code with the grammar. NDL_TEST_SEED=n and NDL_TEST_ROUNDS=n repeat or extend. */
#include "tests/tap.h"

#include "base/rng.h"
#include "base/utf8.h"
#include "grammar/grammar.h"

#include <math.h>
#include <string.h>

/* ---- random schemas ---- */

static const char *const words[] = {"a", "ab", "abc", "b", "name", "na\"me", "caf\xc3\xa9", "x/y", "to", "to_all", "", "\xf0\x9f\x98\x80", "1", "items"};

static json_t *word(ndl_rng *r)
{
	return json_string(words[ndl_rng_below(r, sizeof words / sizeof *words)]);
}

static json_t *any_value(ndl_rng *r, int depth)
{
	json_t *v;
	switch (ndl_rng_below(r, depth > 0 ? 8 : 6)) {
	case 0: return word(r);
	case 1: return json_integer(ndl_rng_range(r, -20, 200));
	case 2: return json_real((double)ndl_rng_range(r, -99, 99) / 8);
	case 3: return json_boolean(ndl_rng_chance(r, 0.5));
	case 4: return json_null();
	case 5: return word(r);
	case 6:
		v = json_array();
		for (uint64_t n = ndl_rng_below(r, 3); n; n--)
			json_array_append_new(v, any_value(r, depth - 1));
		return v;
	default:
		v = json_object();
		for (uint64_t n = ndl_rng_below(r, 3); n; n--)
			json_object_set_new(v, words[ndl_rng_below(r, 8)], any_value(r, depth - 1));
		return v;
	}
}

static void set(json_t *s, const char *key, json_t *value)
{
	json_object_set_new(s, key, value);
}

static json_t *schema_of(ndl_rng *r, int depth);

static json_t *object_schema(ndl_rng *r, int depth)
{
	json_t *s = json_object(), *properties = json_object(), *required = json_array();
	set(s, "type", json_string("object"));
	uint64_t n = ndl_rng_chance(r, 0.05) ? 70 : ndl_rng_below(r, 5);
	for (uint64_t i = 0; i < n; i++) {
		char key[40];
		snprintf(key, sizeof key, n == 70 ? "%s%d" : "%s", words[ndl_rng_below(r, sizeof words / sizeof *words)], (int)i);
		json_object_set_new(properties, key, schema_of(r, n == 70 ? 0 : depth - 1));
		if (ndl_rng_chance(r, 0.4))
			json_array_append_new(required, json_string(key));
	}
	set(s, "properties", properties);
	set(s, "required", required);
	return s;
}

static json_t *map_schema(ndl_rng *r, int depth)
{
	json_t *s = json_object();
	set(s, "type", json_string("object"));
	if (ndl_rng_chance(r, 0.6))
		set(s, "additionalProperties", schema_of(r, depth - 1));
	return s;
}

static json_t *array_schema(ndl_rng *r, int depth)
{
	json_t *s = json_object();
	uint64_t min = ndl_rng_below(r, 3);
	set(s, "type", json_string("array"));
	if (ndl_rng_chance(r, 0.8))
		set(s, "items", schema_of(r, depth - 1));
	if (ndl_rng_chance(r, 0.5))
		set(s, "minItems", json_integer((json_int_t)min));
	if (ndl_rng_chance(r, 0.5))
		set(s, "maxItems", json_integer((json_int_t)(min + ndl_rng_below(r, 3))));
	return s;
}

static json_t *number_schema(ndl_rng *r)
{
	static const double steps[] = {1, 2, 7, 0.5, 0.01, 250};
	bool integer = ndl_rng_chance(r, 0.6);
	json_t *s = json_object();
	int64_t lo = ndl_rng_range(r, -1000, 1000), span = ndl_rng_range(r, 600, 2000);
	double scale = integer || ndl_rng_chance(r, 0.5) ? 1 : 0.01;
	set(s, "type", json_string(integer ? "integer" : "number"));
	if (ndl_rng_chance(r, 0.5))
		set(s, ndl_rng_chance(r, 0.5) ? "minimum" : "exclusiveMinimum", scale == 1 ? json_integer(lo) : json_real((double)lo * scale));
	if (ndl_rng_chance(r, 0.5))
		set(s, ndl_rng_chance(r, 0.5) ? "maximum" : "exclusiveMaximum", scale == 1 ? json_integer(lo + span) : json_real((double)(lo + span) * scale));
	if (ndl_rng_chance(r, 0.3)) {
		uint64_t k = ndl_rng_below(r, scale == 1 ? 6 : 1);
		if (!(integer && steps[k] < 1))
			set(s, "multipleOf", steps[k] == floor(steps[k]) ? json_integer((json_int_t)steps[k]) : json_real(steps[k]));
	}
	return s;
}

static json_t *string_schema(ndl_rng *r)
{
	json_t *s = json_object();
	uint64_t min = ndl_rng_below(r, 4);
	set(s, "type", json_string("string"));
	if (ndl_rng_chance(r, 0.4))
		set(s, "minLength", json_integer((json_int_t)min));
	if (ndl_rng_chance(r, 0.4))
		set(s, "maxLength", json_integer((json_int_t)(min + ndl_rng_below(r, 4))));
	return s;
}

static json_t *schema_of(ndl_rng *r, int depth)
{
	json_t *s, *list;
	switch (ndl_rng_below(r, depth > 0 ? 12 : 8)) {
	case 0: case 1: return string_schema(r);
	case 2: case 3: return number_schema(r);
	case 4: return json_pack("{s:s}", "type", "boolean");
	case 5: return json_pack("{s:[s,s]}", "type", "null", ndl_rng_chance(r, 0.5) ? "string" : "integer");
	case 6:
		s = json_object();
		list = json_array();
		for (uint64_t n = 1 + ndl_rng_below(r, 4); n; n--)
			json_array_append_new(list, any_value(r, 2));
		set(s, "enum", list);
		return s;
	case 7: return ndl_rng_chance(r, 0.5) ? json_object() : json_pack("{s:o}", "const", any_value(r, 1));
	case 8: return array_schema(r, depth);
	case 9: return map_schema(r, depth);
	default: return object_schema(r, depth);
	}
}

/* ---- the judge ---- */

static bool type_fits(const char *type, const json_t *v)
{
	switch (type[0]) {
	case 's': return json_is_string(v);
	case 'i': return json_is_integer(v);
	case 'b': return json_is_boolean(v);
	case 'a': return json_is_array(v);
	case 'o': return json_is_object(v);
	default: return type[2] == 'l' ? json_is_null(v) : json_is_number(v); /* null, number */
	}
}

static bool fits(json_t *s, json_t *v)
{
	json_t *k, *child;
	const char *key;
	size_t i;
	double x = json_number_value(v);
	if ((k = json_object_get(s, "type"))) {
		bool ok = json_is_string(k) && type_fits(json_string_value(k), v);
		for (i = 0; i < json_array_size(k); i++)
			ok = ok || type_fits(json_string_value(json_array_get(k, i)), v);
		if (!ok)
			return false;
	}
	if ((k = json_object_get(s, "const")) && !json_equal(k, v))
		return false;
	if ((k = json_object_get(s, "enum"))) {
		bool ok = false;
		for (i = 0; i < json_array_size(k); i++)
			ok = ok || json_equal(json_array_get(k, i), v);
		if (!ok)
			return false;
	}
	if (json_is_number(v)) {
		if ((k = json_object_get(s, "minimum")) && x < json_number_value(k)) return false;
		if ((k = json_object_get(s, "maximum")) && x > json_number_value(k)) return false;
		if ((k = json_object_get(s, "exclusiveMinimum")) && x <= json_number_value(k)) return false;
		if ((k = json_object_get(s, "exclusiveMaximum")) && x >= json_number_value(k)) return false;
		if ((k = json_object_get(s, "multipleOf"))) {
			double q = x / json_number_value(k);
			if (fabs(q - nearbyint(q)) > 1e-9 * (1 + fabs(q))) return false;
		}
	}
	if (json_is_string(v)) {
		size_t n = ndl_utf8_count(json_string_value(v), json_string_length(v));
		if ((k = json_object_get(s, "minLength")) && (json_int_t)n < json_integer_value(k)) return false;
		if ((k = json_object_get(s, "maxLength")) && (json_int_t)n > json_integer_value(k)) return false;
	}
	if (json_is_array(v)) {
		size_t n = json_array_size(v);
		if ((k = json_object_get(s, "minItems")) && (json_int_t)n < json_integer_value(k)) return false;
		if ((k = json_object_get(s, "maxItems")) && (json_int_t)n > json_integer_value(k)) return false;
		json_t *items = json_object_get(s, "items");
		for (i = 0; items && i < n; i++)
			if (!fits(items, json_array_get(v, i)))
				return false;
	}
	if (json_is_object(v)) {
		k = json_object_get(s, "required");
		for (i = 0; i < json_array_size(k); i++)
			if (!json_object_get(v, json_string_value(json_array_get(k, i))))
				return false;
		json_t *properties = json_object_get(s, "properties"), *more = json_object_get(s, "additionalProperties");
		json_object_foreach(v, key, child) {
			json_t *sub = json_object_get(properties, key);
			if (!sub && properties)
				return false;
			sub = sub ? sub : more;
			if (sub && !fits(sub, child))
				return false;
		}
	}
	return true;
}

/* No blank outside strings but the first byte. */
static bool is_compact(const char *text, size_t len)
{
	bool inside = false;
	for (size_t i = 1; i < len; i++) {
		if (inside && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			inside = !inside;
		else if (!inside && strchr(" \t\r\n", text[i]))
			return false;
	}
	return len > 0 && text[0] == ' ';
}

enum { PIECES = 400 };

struct world {
	json_t *list;  /* the tools as given: {"name","parameters"} */
	ndl_tools *tools;
	ndl_grammar *g;
	ndl_vocab_trie *v;
	char piece[PIECES][20];
	size_t len[PIECES];
};

static bool is_answer(const struct world *w, const char *text, size_t len)
{
	ndl_error err = NDL_ERROR_INIT;
	json_t *calls = ndl_json_parse(text, len, &err);
	bool ok = json_is_array(calls) && is_compact(text, len) && ndl_utf8_check(text, len) == len;
	for (size_t i = 0; ok && i < json_array_size(calls); i++) {
		json_t *call = json_array_get(calls, i);
		const char *name = json_string_value(json_object_get(call, "name"));
		long t = name ? ndl_tools_find(w->tools, name) : -1;
		ok = t >= 0 && json_object_size(call) == 2 &&
		     fits(json_object_get(json_array_get(w->list, (size_t)t), "parameters"), json_object_get(call, "arguments"));
		if (ok && ndl_tools_check_call(w->tools, call, &err) < 0)
			ok = false;
	}
	if (!ok)
		tap_note("%s: %.*s", err.text[0] ? err.text : "not valid", (int)len, text);
	json_decref(calls);
	return ok;
}

/* ---- worlds ---- */

static ndl_vocab_trie *vocabulary(struct world *w, ndl_rng *r)
{
	static const char *const structure[] = {" [{\"", "{\"name\":\"", "\",\"", "\":", "\":\"", "\"}", "}}]", "},{\"name\":\"", "arguments\":{\"",
		"[]", " []", "[", "]", ",", "true", "false", "null", "10", "00", "-1", "0.", "e1", "\\u", "\\n", "d83d", "\xc3\xa9", "\xf0\x9f\x98\x80", "tool_"};
	const char *bytes[PIECES];
	for (size_t i = 0; i < PIECES; i++) {
		char *text = w->piece[i];
		bytes[i] = text;
		w->len[i] = 1;
		if (i == 0) {
			w->len[i] = 0; /* the end of text */
		} else if (i <= 256) {
			text[0] = (char)(i - 1);
		} else if (i - 257 < sizeof structure / sizeof *structure) {
			w->len[i] = (size_t)snprintf(text, sizeof w->piece[i], "%s", structure[i - 257]);
		} else {
			w->len[i] = 2 + ndl_rng_below(r, 5);
			for (size_t k = 0; k < w->len[i]; k++)
				text[k] = ndl_rng_chance(r, 0.1) ? (char)ndl_rng_below(r, 256) : "aabcmnot\",:{}[]0123456789\\u"[ndl_rng_below(r, 27)];
		}
	}
	return ndl_vocab_trie_new(bytes, w->len, PIECES, 0, NULL);
}

static bool make_world(struct world *w, ndl_rng *r)
{
	ndl_error err = NDL_ERROR_INIT;
	w->list = json_array();
	for (uint64_t n = 1 + ndl_rng_below(r, 3), i = 0; i < n; i++) {
		json_t *tool = json_object();
		static const char *const names[] = {"send", "send_message", "s"};
		set(tool, "name", json_string(names[i]));
		set(tool, "parameters", object_schema(r, 3));
		json_array_append_new(w->list, tool);
	}
	w->tools = ndl_tools_new(w->list, 0, &err);
	w->g = w->tools ? ndl_grammar_new(w->tools, &(ndl_grammar_options){.min_calls = ndl_rng_below(r, 2)}, &err) : NULL;
	w->v = vocabulary(w, r);
	if (!w->g || !w->v) {
		char *text = json_dumps(w->list, JSON_COMPACT);
		tap_note("%s: %s", err.text, text);
		free(text);
	}
	return w->g && w->v;
}

static void free_world(struct world *w)
{
	json_decref(w->list);
	ndl_tools_free(w->tools);
	ndl_grammar_free(w->g);
	ndl_vocab_trie_free(w->v);
}

/* ---- walks ---- */

/* The shortest way out is one, and valid. */
static bool closes(const struct world *w, const ndl_gstate *s, const ndl_buf *text)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_gstate t = *s;
	ndl_buf_add(&b, text->data, text->len);
	size_t len = ndl_gstate_closing(s, &b);
	bool ok = b.len == text->len + len && ndl_gstate_bytes(&t, b.data + text->len, len) && ndl_gstate_done(&t) &&
	          is_answer(w, b.data, b.len);
	ndl_buf_clear(&b);
	return ok;
}

/* Mask, single checks and forced bytes tell the same. */
static bool agrees(const struct world *w, const ndl_gstate *s, const uint64_t *bits)
{
	int firsts = 0, first = -1;
	char forced[1];
	for (int b = 0; b < 256; b++) {
		ndl_gstate t;
		ndl_gstate_copy(&t, s);
		if (ndl_gstate_byte(&t, (unsigned char)b)) {
			firsts++;
			first = b;
		}
	}
	size_t n = ndl_gstate_forced(s, forced, 1);
	if ((n == 1) != (firsts == 1) || (n && (unsigned char)forced[0] != first))
		return false;
	if ((firsts == 0) != ndl_gstate_done(s))
		return false;
	for (int32_t id = 0; id < PIECES; id++)
		if (ndl_gstate_allows(s, w->v, id) != (bool)(bits[id / 64] >> (id % 64) & 1))
			return false;
	return true;
}

static int32_t pick(ndl_rng *r, const uint64_t *bits)
{
	int32_t ids[PIECES], n = 0;
	for (int32_t id = 0; id < PIECES; id++)
		if (bits[id / 64] >> (id % 64) & 1)
			ids[n++] = id;
	if (!n)
		return -1;
	/* longer pieces more often: single bytes would rarely get anywhere */
	int32_t id = ids[ndl_rng_below(r, (uint64_t)n)];
	for (int k = 0; k < 3 && id <= 256; k++)
		id = ids[ndl_rng_below(r, (uint64_t)n)];
	return id;
}

static bool random_walk(const struct world *w, ndl_rng *r, int limit, size_t *tokens)
{
	ndl_gstate s;
	ndl_buf text = NDL_BUF_INIT;
	uint64_t bits[PIECES / 64 + 1];
	bool ok = true;
	ndl_gstate_init(&s, w->g);
	for (int step = 0; ok && step < limit; step++, ++*tokens) {
		ndl_gstate_mask(&s, w->v, bits);
		if (step % 7 == 0)
			ok = agrees(w, &s, bits) && closes(w, &s, &text);
		int32_t id = pick(r, bits);
		if (id == 0)
			break;
		ok = ok && id > 0 && ndl_gstate_token(&s, w->v, id);
		if (ok)
			ndl_buf_add(&text, w->piece[id], w->len[id]);
	}
	ok = ok && closes(w, &s, &text);
	if (!ok)
		tap_note("after %.*s", (int)text.len, ndl_buf_cstr(&text));
	ndl_buf_clear(&text);
	return ok;
}

int main(void)
{
	const char *seed = getenv("NDL_TEST_SEED"), *rounds = getenv("NDL_TEST_ROUNDS");
	uint64_t first = seed ? strtoull(seed, NULL, 10) : 1, n = rounds ? strtoull(rounds, NULL, 10) : 300;
	size_t tokens = 0, failed = 0;
	for (uint64_t k = first; k < first + n; k++) {
		ndl_rng r;
		struct world w;
		ndl_rng_seed(&r, k, 0);
		bool ok = make_world(&w, &r);
		for (int i = 0; ok && i < 4; i++)
			ok = random_walk(&w, &r, 20 + 40 * i, &tokens);
		free_world(&w);
		if (!ok && failed++ < 10)
			tap_note("NDL_TEST_SEED=%llu NDL_TEST_ROUNDS=1 fails", (unsigned long long)k);
	}
	tap_note("%zu tokens", tokens);
	CHECK_INT(failed, 0);
	return tap_done();
}
