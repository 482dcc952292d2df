/* test_grammar_random.c - random schemas over all supported keywords, random vocabularies, random
 * choices among the tokens that the mask allows: whatever comes out parses and satisfies the schemas.
 * NDL_TEST_SEED=n and NDL_TEST_ROUNDS=n repeat or extend. For judges that share no code with this
 * (tests/property), NDL_TEST_CASES=FILE takes every answer with its tools, {"tools":…,"answer":"…"},
 * and NDL_TEST_RECORDS=FILE records for needle-infer, {"query":…,"tools":…}. */
#include "tests/tap.h"

#include "base/rng.h"
#include "base/utf8.h"
#include "grammar/grammar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
	static const double steps[] = {1, 2, 7, 0.5, 0.01, 250}, scales[] = {1, 1, 1, 0.01, 0.01, 1e10};
	bool integer = ndl_rng_chance(r, 0.6);
	json_t *s = json_object();
	int64_t lo = ndl_rng_range(r, -1000, 1000), span = ndl_rng_range(r, 600, 2000);
	double scale = integer ? 1 : scales[ndl_rng_below(r, 6)];
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
	static const char *const patterns[] = {"^[a-z]{2,5}$", "a|b", "^\\d{3}-\\d{4}$", "^(ab|c)*d?$", "[A-Z]", "^[^aeiou\\s]+$", "^.{1,4}$",
		"\\bto\\b", "^(?=.*[0-9])(?!.*aa).{2,8}$", "^#?([0-9a-f]{3}|[0-9a-f]{6})$", "\xc3\xa9+", "^(\\+|00)[1-9]\\d*$", "^\\w+( \\w+)*$"};
	static const char *const formats[] = {"date", "time", "date-time", "email", "uri", "uuid", "ipv4", "hostname"};
	json_t *s = json_object();
	uint64_t min = ndl_rng_below(r, 4), kind = ndl_rng_below(r, 4);
	set(s, "type", json_string("string"));
	if (kind == 0)
		set(s, "pattern", json_string(patterns[ndl_rng_below(r, sizeof patterns / sizeof *patterns)]));
	else if (kind == 1)
		set(s, "format", json_string(formats[ndl_rng_below(r, sizeof formats / sizeof *formats)]));
	if (ndl_rng_chance(r, 0.4))
		set(s, "minLength", json_integer((json_int_t)min));
	if (ndl_rng_chance(r, 0.4))
		set(s, "maxLength", json_integer((json_int_t)(min + ndl_rng_below(r, kind < 2 ? 60 : 4))));
	return s;
}

/* Scalars that may be told from one another. */
static json_t *unique_schema(ndl_rng *r, int depth)
{
	json_t *s = array_schema(r, 0), *item;
	(void)depth;
	switch (ndl_rng_below(r, 5)) {
	case 0: item = string_schema(r); break;
	case 1: item = number_schema(r); break;
	case 2: item = json_pack("{s:s,s:i,s:i}", "type", "integer", "minimum", 7, "maximum", 12); break;
	case 3: item = json_pack("{s:[s,s,s,i,i,n]}", "enum", "a", "ab", "b", 1, 10); break;
	default: item = json_pack("{s:s,s:s}", "type", "string", "pattern", "^(a|ab|b{2})?$"); break;
	}
	set(s, "items", item);
	set(s, "uniqueItems", json_true());
	return s;
}

/* Two objects told apart by a constant, two strings, or anything. */
static json_t *choice_schema(ndl_rng *r, int depth)
{
	static const char *const kinds[] = {"p", "q"};
	bool objects = depth > 0 && ndl_rng_chance(r, 0.5);
	json_t *list = json_array();
	for (int i = 0; i < 2; i++) {
		json_t *one = objects ? object_schema(r, depth) : ndl_rng_chance(r, 0.6) ? string_schema(r) : schema_of(r, depth - 1);
		if (objects) {
			json_object_set_new(json_object_get(one, "properties"), "kind", json_pack("{s:s}", "const", kinds[i]));
			json_array_append_new(json_object_get(one, "required"), json_string("kind"));
		}
		json_array_append_new(list, one);
	}
	if (!objects && ndl_rng_chance(r, 0.3))
		json_array_append_new(list, json_pack("{s:s}", "type", "null"));
	return json_pack("{s:o}", objects && ndl_rng_chance(r, 0.5) ? "oneOf" : "anyOf", list);
}

/* One schema said in two parts, or with a choice of what is required. */
static json_t *both_schema(ndl_rng *r, int depth)
{
	json_t *a = object_schema(r, depth - 1), *b = object_schema(r, depth - 1);
	if (ndl_rng_chance(r, 0.5)) {
		json_t *alternatives = json_array();
		const char *key;
		json_t *value;
		json_object_foreach(json_object_get(a, "properties"), key, value)
			if (json_array_size(alternatives) < 3)
				json_array_append_new(alternatives, json_pack("{s:[s]}", "required", key));
		json_decref(b);
		if (json_array_size(alternatives))
			set(a, "anyOf", alternatives);
		else
			json_decref(alternatives);
		return a;
	}
	json_object_clear(json_object_get(b, "properties")); /* or they would often contradict */
	json_array_clear(json_object_get(b, "required"));
	json_object_set_new(json_object_get(b, "properties"), "more", string_schema(r));
	return json_pack("{s:[o,o]}", "allOf", a, b);
}

static json_t *schema_of(ndl_rng *r, int depth)
{
	json_t *s, *list;
	switch (ndl_rng_below(r, depth > 0 ? 17 : 9)) {
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
	case 8: return unique_schema(r, depth);
	case 9: return array_schema(r, depth);
	case 10: return map_schema(r, depth);
	case 11: case 12: return choice_schema(r, depth);
	case 13: return both_schema(r, depth);
	case 14: return json_pack("{s:s}", "$ref", "#/$defs/tree");
	default: return object_schema(r, depth);
	}
}

/* ---- the judge ---- */

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
		ok = json_object_size(call) == 2 && ndl_tools_check_call(w->tools, call, &err) == 0;
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

/* false if the schemas cannot be followed: lengths and patterns drawn at random may contradict. */
static bool make_world(struct world *w, ndl_rng *r, bool *good)
{
	ndl_error err = NDL_ERROR_INIT;
	w->list = json_array();
	for (uint64_t n = 1 + ndl_rng_below(r, 3), i = 0; i < n; i++) {
		json_t *tool = json_object();
		static const char *const names[] = {"send", "send_message", "s"};
		set(tool, "name", json_string(names[i]));
		json_t *parameters = object_schema(r, 3);
		json_t *tree = object_schema(r, 1);
		json_object_set_new(json_object_get(tree, "properties"), "kids", json_pack("{s:s,s:{s:s}}", "type", "array", "items", "$ref", "#/$defs/tree"));
		set(parameters, "$defs", json_pack("{s:o}", "tree", tree));
		set(tool, "parameters", parameters);
		json_array_append_new(w->list, tool);
	}
	w->tools = ndl_tools_new(w->list, 0, &err);
	w->g = w->tools ? ndl_grammar_new(w->tools, &(ndl_grammar_options){.min_calls = ndl_rng_below(r, 2)}, &err) : NULL;
	w->v = vocabulary(w, r);
	*good = w->v && (w->g || err.code == NDL_EINVAL || (err.code == NDL_ELIMIT && strstr(err.text, "open at once")));
	if (!*good) {
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
	ndl_gstate t;
	ndl_gstate_copy(&t, s);
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

/* The answer, finished the shortest way after at most `limit` tokens, goes to *answer. */
static bool random_walk(const struct world *w, ndl_rng *r, int limit, size_t *tokens, ndl_buf *answer)
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
	ndl_buf_add(answer, text.data, text.len);
	ndl_gstate_closing(&s, answer);
	if (!ok)
		tap_note("after %.*s", (int)text.len, ndl_buf_cstr(&text));
	ndl_buf_clear(&text);
	return ok;
}

/* One line of JSON; nothing where no file was asked for. */
static void print(FILE *f, json_t *value)
{
	if (f && value) {
		ndl_buf line = NDL_BUF_INIT;
		ndl_json_write(&line, value, 0);
		fprintf(f, "%s\n", ndl_buf_cstr(&line));
		ndl_buf_clear(&line);
	}
	json_decref(value);
}

static FILE *output(const char *variable)
{
	const char *path = getenv(variable);
	FILE *f = path ? fopen(path, "w") : NULL;
	if (path && !f)
		tap_note("cannot write %s", path);
	return f;
}

int main(void)
{
	const char *seed = getenv("NDL_TEST_SEED"), *rounds = getenv("NDL_TEST_ROUNDS");
	uint64_t first = seed ? strtoull(seed, NULL, 10) : 1, n = rounds ? strtoull(rounds, NULL, 10) : 300;
	size_t tokens = 0, failed = 0, skipped = 0;
	FILE *cases = output("NDL_TEST_CASES"), *records = output("NDL_TEST_RECORDS");
	for (uint64_t k = first; k < first + n; k++) {
		ndl_rng r;
		struct world w;
		bool ok;
		ndl_rng_seed(&r, k, 0);
		if (make_world(&w, &r, &ok)) {
			print(records, json_pack("{s:s,s:O}", "query", words[ndl_rng_below(&r, 10)], "tools", w.list));
			for (int i = 0; ok && i < 4; i++) {
				ndl_buf answer = NDL_BUF_INIT;
				ok = random_walk(&w, &r, 20 + 40 * i, &tokens, &answer);
				print(cases, json_pack("{s:O,s:s}", "tools", w.list, "answer", ndl_buf_cstr(&answer)));
				ndl_buf_clear(&answer);
			}
		} else {
			skipped++;
		}
		free_world(&w);
		if (!ok && failed++ < 10)
			tap_note("NDL_TEST_SEED=%llu NDL_TEST_ROUNDS=1 fails", (unsigned long long)k);
	}
	tap_note("%zu tokens, %zu contradictory lists of tools", tokens, skipped);
	CHECK_INT(failed, 0);
	CHECK(skipped < n / 2 + 1);
	CHECK((!cases || fclose(cases) == 0) && (!records || fclose(records) == 0));
	return tap_done();
}
