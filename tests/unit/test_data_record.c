/* record: parsing and checking, the order of things after a shuffle, classes of the answer's
 * bytes and tokens, what happens when a record does not fit. */
#include "base/buf.h"
#include "data/batch.h"
#include "data/record.h"
#include "tests/tap.h"

#define VOCAB NDL_SRCDIR "/testdata/vocab-512.model"

#define TOOLS "[{\"name\":\"setLight\",\"description\":\"Set a light.\",\"parameters\":{" \
	"\"room\":{\"type\":\"string\",\"required\":true},\"level\":{\"type\":\"integer\"}," \
	"\"scene\":{\"type\":\"object\",\"properties\":{\"hue\":{\"type\":\"number\"},\"on\":{\"type\":\"boolean\"}}}," \
	"\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}," \
	"{\"name\":\"stop\",\"description\":\"Stop.\",\"parameters\":{}}]"
#define RECORD(answers) "{\"query\":\"dim the caf\xc3\xa9\",\"tools\":" TOOLS ",\"answers\":" answers "}"

static ndl_status parse(ndl_record *r, const char *line, ndl_error *e)
{
	*e = (ndl_error)NDL_ERROR_INIT;
	return ndl_record_parse(r, line, strlen(line), NULL, e);
}

static void check_bad(const char *line, const char *want)
{
	ndl_record r;
	ndl_error e;
	CHECK(parse(&r, line, &e) < 0);
	if (!strstr(e.text, want))
		tap_note("got '%s'", e.text);
	CHECK(strstr(e.text, want) != NULL);
	CHECK(r.root == NULL && r.tools == NULL);
}

static void test_errors(void)
{
	check_bad("[1]", "expected an object, found an array");
	check_bad("{\"query\":1}", "query: expected a string");
	check_bad("{\"query\":\"x\"}", "tools: missing");
	check_bad("{\"query\":\"x\",\"tools\":\"[{\",\"answers\":[]}", "tools: invalid JSON");
	check_bad("{\"query\":\"x\",\"tools\":" TOOLS "}", "answers: missing");
	check_bad(RECORD("{}"), "answers: expected an array");
	check_bad(RECORD("[1]"), "answers[0]: expected an object");
	check_bad(RECORD("[{\"name\":\"stop\"},{\"arguments\":{}}]"), "answers[1].name");
	check_bad(RECORD("[{\"name\":\"stopp\"}]"), "no tool is called 'stopp'");
	check_bad(RECORD("[{\"name\":\"stop\",\"arguments\":[]}]"), "answers[0].arguments: expected an object");
	check_bad(RECORD("[{\"name\":\"stop\",\"arguments\":\"{\"}]"), "answers[0].arguments: invalid JSON");
	check_bad(RECORD("[{\"name\":\"setLight\",\"arguments\":{\"colour\":1}}]"),
	          "answers[0].arguments.colour: not a parameter of setLight");
	check_bad(RECORD("[{\"name\":\"setLight\",\"arguments\":{\"level\":1}}]"), "\"room\" is missing");
	check_bad(RECORD("[{\"name\":\"stop\"},{\"name\":\"setLight\",\"arguments\":{\"room\":1}}]"),
	          "answers[1]: setLight: /arguments/room");
	check_bad("{\"query\":\"x\"", "invalid JSON");
}

static char class_letter(int c)
{
	return ".nvk"[c & 3]; /* structure, name, value, key: the order of batch.h */
}

/* The answer of `line` is `text`, whose bytes have the classes spelled in `want`. */
static void check_classes(const char *line, const char *text, const char *want)
{
	ndl_record r;
	ndl_error e;
	ndl_answer a = {NDL_BUF_INIT, NDL_BUF_INIT};
	CHECK_INT(parse(&r, line, &e), NDL_OK);
	CHECK_INT(ndl_answer_render(&a, &r, &e), NDL_OK);
	CHECK_STR(ndl_buf_cstr(&a.text), text);
	CHECK_INT(a.byte_class.len, a.text.len);
	for (size_t i = 0; i < a.byte_class.len; i++)
		a.byte_class.data[i] = class_letter(a.byte_class.data[i]);
	CHECK_STR(ndl_buf_cstr(&a.byte_class), want);
	ndl_answer_clear(&a);
	ndl_record_clear(&r);
}

static void test_classes(void)
{
	check_classes(RECORD("[]"), "[]", "..");
	check_classes(RECORD("[{\"name\":\"stop\"}]"),
	              "[{\"name\":\"stop\",\"arguments\":{}}]",
	              "..........nnnnn.................");
	/* name normalised, keys in the order of the schema whatever the record's */
	check_classes(RECORD("[{\"name\":\"setLight\",\"arguments\":{\"level\":-5,\"room\":\"d\\u00e9\\n\"}}]"),
	              "[{\"name\":\"set_light\",\"arguments\":{\"room\":\"d\xc3\xa9\\n\",\"level\":-5}}]",
	              "..........nnnnnnnnnn..............." "kkkkk" ".." "vvvvvv" ".." "kkkkkk" "." "vv" "...");
	/* nested: keys are keys, leaves are values, brackets are structure */
	check_classes(RECORD("\"[{\\\"name\\\":\\\"setLight\\\",\\\"arguments\\\":{\\\"room\\\":\\\"r\\\",\\\"tags\\\":[\\\"a\\\",\\\"\\\"],"
	                     "\\\"scene\\\":{\\\"on\\\":true,\\\"hue\\\":1.0}}}]\""),
	              "[{\"name\":\"set_light\",\"arguments\":{\"room\":\"r\",\"scene\":{\"hue\":1.0,\"on\":true},\"tags\":[\"a\",\"\"]}}]",
	              "..........nnnnnnnnnn..............." "kkkkk" ".." "vv" ".." "kkkkkk" "..." "kkkk" "." "vvv" ".." "kkk" "." "vvvv" "..."
	              "kkkkk" "..." "vv" ".." "v" "....");
}

static bool order_is(const ndl_record *r, const char *first_tool, const char *first_argument)
{
	long light = ndl_tools_find(r->tools, "setLight");
	json_t *properties = json_object_get(ndl_tools_schema(r->tools, (size_t)light), "properties");
	return strcmp(ndl_tools_name(r->tools, 0), first_tool) == 0 &&
	       strcmp(json_object_iter_key(json_object_iter(properties)), first_argument) == 0;
}

/* Every order occurs, and each keeps the meaning. */
static void test_shuffle(void)
{
	const char *line = RECORD("[{\"name\":\"setLight\",\"arguments\":{\"room\":\"r\",\"level\":1}}]");
	static const char *const arguments[] = {"room", "level", "scene", "tags"};
	unsigned seen = 0;
	int same = 1, room_first = 0, level_first = 0;
	ndl_error e = NDL_ERROR_INIT;
	json_t *tools = ndl_json_parse(TOOLS, strlen(TOOLS), &e);
	ndl_tools *plain = ndl_tools_new(tools, 0, &e);
	for (uint64_t seed = 0; seed < 200; seed++) {
		ndl_record r;
		ndl_rng rng;
		ndl_answer a = {NDL_BUF_INIT, NDL_BUF_INIT};
		ndl_rng_seed(&rng, seed, 0);
		if (ndl_record_parse(&r, line, strlen(line), &rng, &e) != NDL_OK ||
		    ndl_answer_render(&a, &r, &e) != NDL_OK) {
			same = 0;
			break;
		}
		for (size_t i = 0; i < 2; i++) { /* the same tools as without a shuffle */
			long k = ndl_tools_find(r.tools, ndl_tools_name(plain, i));
			same &= k >= 0 && ndl_json_equal(ndl_tools_schema(r.tools, (size_t)k), ndl_tools_schema(plain, i));
		}
		json_t *answers = ndl_json_parse(a.text.data, a.text.len, &e);
		const json_t *args = json_object_get(json_array_get(answers, 0), "arguments");
		same &= json_object_size(args) == 2 && json_integer_value(json_object_get(args, "level")) == 1;
		bool room = strstr(a.text.data, "\"room\":\"r\",\"level\"") != NULL;
		room_first += room;
		level_first += !room;
		json_decref(answers);
		for (unsigned t = 0; t < 2; t++)
			for (unsigned k = 0; k < 4; k++)
				if (order_is(&r, t ? "stop" : "setLight", arguments[k]))
					seen |= 1u << (4 * t + k);
		ndl_answer_clear(&a);
		ndl_record_clear(&r);
	}
	CHECK(same);
	CHECK_INT(seen, 0xFF);
	CHECK(room_first > 50 && level_first > 50);
	ndl_tools_free(plain);
	json_decref(tools);
}

/* Shuffling reaches the parameters of every dialect. */
static void check_dialect(const char *tool)
{
	char line[600];
	snprintf(line, sizeof line, "{\"query\":\"q\",\"tools\":[%s],\"answers\":[{\"name\":\"f\",\"arguments\":"
	         "{\"a\":\"1\",\"b\":\"2\"}}]}", tool);
	int a_first = 0, b_first = 0;
	for (uint64_t seed = 0; seed < 40; seed++) {
		ndl_record r;
		ndl_rng rng;
		ndl_error e = NDL_ERROR_INIT;
		ndl_buf text = NDL_BUF_INIT;
		ndl_rng_seed(&rng, seed, 0);
		if (ndl_record_parse(&r, line, strlen(line), &rng, &e) != NDL_OK) {
			tap_note("%s", e.text);
			break;
		}
		ndl_tools_render(r.tools, &text, NULL, 0, 0);
		const char *a = strstr(text.data, "\"a\":{"), *b = strstr(text.data, "\"b\":{");
		a_first += a && b && a < b;
		b_first += a && b && a > b;
		ndl_buf_clear(&text);
		ndl_record_clear(&r);
	}
	tap_ok(a_first > 5 && b_first > 5 && a_first + b_first == 40, "both orders in %s", tool);
}

static void test_dialects(void)
{
#define AB "{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}"
#define OBJECT "{\"type\":\"object\",\"properties\":" AB "}"
	check_dialect("{\"name\":\"f\",\"parameters\":" AB "}");
	check_dialect("{\"name\":\"f\",\"parameters\":" OBJECT "}");
	check_dialect("{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":" OBJECT "}}");
	check_dialect("{\"type\":\"function\",\"name\":\"f\",\"parameters\":" OBJECT "}");
	check_dialect("{\"name\":\"f\",\"input_schema\":" OBJECT "}");
	check_dialect("{\"name\":\"f\",\"inputSchema\":" OBJECT "}");
	check_dialect("{\"name\":\"f\",\"parameters_json_schema\":" OBJECT "}");
	check_dialect("{\"title\":\"f\",\"type\":\"object\",\"properties\":" AB "}");
	check_dialect("{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":" OBJECT "}}}");
	check_dialect("{\"name\":\"f\",\"parameters\":{\"$ref\":\"#/$defs/P\",\"$defs\":{\"P\":" OBJECT "}}}");
	check_dialect("{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"allOf\":[" OBJECT "]}}");
	check_dialect("{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\",\"properties\":" AB
	              "}}]}");
}

/* Classes of tokens, derived again from the text that each token decodes to. */
static void check_tokens(const ndl_example *x, const ndl_tok *tok)
{
	size_t at = 0, n = x->dec.len - 3;
	int wrong = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *bytes = ndl_tok_bytes(tok, x->dec.id[2 + i], &len);
		int want = NDL_CLASS_STRUCTURE;
		if (i == 0 && len && bytes[0] == ' ') /* the dummy prefix */
			len--;
		for (size_t k = 0; k < len; k++)
			if (want == NDL_CLASS_STRUCTURE)
				want = x->answer.byte_class.data[at + k];
		at += len;
		wrong += x->cls[1 + i] != want;
	}
	CHECK_INT(at, x->answer.text.len);
	CHECK_INT(wrong, 0);
	CHECK(x->cls[0] == NDL_CLASS_STRUCTURE && x->cls[n + 1] == NDL_CLASS_STRUCTURE);
}

/* Class of the last token that has this byte. */
static int class_of(const ndl_example *x, const ndl_tok *tok, char byte)
{
	for (size_t i = x->dec.len - 1; i-- > 2;) {
		size_t len;
		const char *bytes = ndl_tok_bytes(tok, x->dec.id[i], &len);
		if (memchr(bytes, byte, len))
			return x->cls[i - 1];
	}
	return -1;
}

static bool decodes_to(const ndl_tok *tok, const int32_t *ids, size_t n, const char *want)
{
	ndl_buf text = NDL_BUF_INIT;
	ndl_error e = NDL_ERROR_INIT;
	bool same = ndl_tok_decode(tok, &text, ids, n, &e) == NDL_OK && strcmp(ndl_buf_cstr(&text), want) == 0;
	if (!same)
		tap_note("got  %s\n# want %s", ndl_buf_cstr(&text), want);
	ndl_buf_clear(&text);
	return same;
}

static void test_example(const ndl_tok *tok)
{
	const char *line = RECORD("[{\"name\":\"setLight\",\"arguments\":{\"room\":\"caf\xc3\xa9 \xf0\x9f\x92\xa1\"}},"
	                          "{\"name\":\"stop\"}]");
	ndl_example_options o = {tok, {.max_enc_len = 1024, .max_dec_len = 512}, true, NULL, 0};
	ndl_example x = {0};
	ndl_error e = NDL_ERROR_INIT;
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_MADE);
	CHECK(x.dec.id[0] == NDL_EOS && x.dec.id[1] == NDL_TOOL_CALL && x.dec.id[x.dec.len - 1] == NDL_EOS);
	CHECK(decodes_to(tok, x.dec.id + 2, x.dec.len - 3, ndl_buf_cstr(&x.answer.text)));
	check_tokens(&x, tok);
	CHECK_INT(x.calls, 2);
	CHECK(decodes_to(tok, x.query.id, x.query.len, "dim the caf\xc3\xa9"));
	CHECK(decodes_to(tok, x.tool.id, x.tool.len,
	                 "{\"name\":\"set_light\",\"description\":\"Set a light.\",\"parameters\":{\"room\":{\"type\":\"string\","
	                 "\"required\":true},\"level\":{\"type\":\"integer\"},\"scene\":{\"type\":\"object\",\"properties\":{"
	                 "\"hue\":{\"type\":\"number\"},\"on\":{\"type\":\"boolean\"}}},\"tags\":{\"type\":\"array\",\"items\":"
	                 "{\"type\":\"string\"}}}}"));
	CHECK(x.enc.len > x.query.len && x.enc.id[x.query.len] == NDL_TOOLS);
	size_t enc_len = x.enc.len, dec_in_len = x.dec.len - 1;

	/* exactly as long as allowed, and one less */
	o.config.max_enc_len = (int)enc_len;
	o.config.max_dec_len = (int)dec_in_len;
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_MADE);
	CHECK_INT(x.tools_left_out, 0);
	o.config.max_dec_len--;
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_TOO_LONG_DEC);
	o.config.max_dec_len++;
	o.config.max_enc_len--; /* both tools are called: none may go */
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_TOO_LONG_ENC);

	/* a tool that is not called goes, whole */
	line = RECORD("[{\"name\":\"setLight\",\"arguments\":{\"room\":\"r\"}}]");
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_MADE);
	CHECK_INT(x.tools_left_out, 1);
	CHECK(x.enc.len < enc_len);
	size_t at = x.query.len + 1;
	ndl_buf text = NDL_BUF_INIT;
	CHECK_INT(ndl_tok_decode(tok, &text, x.enc.id + at, x.enc.len - at, &e), NDL_OK);
	json_t *shown = ndl_json_parse(ndl_buf_cstr(&text), text.len, &e);
	CHECK(json_array_size(shown) == 1);
	json_decref(shown);
	ndl_buf_clear(&text);

	/* a vocabulary may drop one of two spaces: what follows keeps its class */
	line = RECORD("[{\"name\":\"setLight\",\"arguments\":{\"room\":\"a  b\",\"level\":7}}]");
	o.config.max_enc_len = 1024;
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_MADE);
	CHECK_INT(class_of(&x, tok, 'b'), NDL_CLASS_VALUE);
	CHECK_INT(class_of(&x, tok, '7'), NDL_CLASS_VALUE);

	/* null is as good as not said, where something else can be */
	line = "{\"query\":\"q\",\"tools\":[{\"name\":\"f\",\"parameters\":{\"a\":{\"type\":[\"integer\",\"null\"],\"required\":true},"
	       "\"b\":{\"type\":\"null\"}}}],\"answers\":[{\"name\":\"f\",\"arguments\":{\"a\":null,\"b\":null}}]}";
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_MADE);
	CHECK_STR(ndl_buf_cstr(&x.answer.text), "[{\"name\":\"f\",\"arguments\":{\"b\":null}}]");

	/* a refusal has no pair */
	line = RECORD("[]");
	CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), NULL, &e), NDL_MADE);
	CHECK(x.calls == 0 && x.query.len == 0 && x.tool.len == 0);
	CHECK_INT(ndl_example_make(&x, &o, "{}", 2, NULL, &e), NDL_EINVAL);
	ndl_example_clear(&x);
}

/* How often a word stands in a text. */
static size_t count_of(const char *text, const char *word)
{
	size_t n = 0;
	while ((text = strstr(text, word)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* Required arguments become optional, in the share of the examples that is asked for, and nothing else changes. */
static void test_loosen(const ndl_tok *tok)
{
	const char *line = "{\"query\":\"q\",\"tools\":[{\"name\":\"f\",\"parameters\":{"
	                   "\"a\":{\"type\":\"string\",\"required\":true},\"b\":{\"type\":\"string\",\"required\":true},"
	                   "\"c\":{\"type\":\"string\"}}}],\"answers\":[{\"name\":\"f\",\"arguments\":{\"a\":\"1\",\"b\":\"2\"}}]}";
	enum { SEEDS = 400 };
	const double shares[] = {0, 0.5, 1};
	for (size_t k = 0; k < 3; k++) {
		ndl_example_options o = {tok, {.max_enc_len = 1024, .max_dec_len = 512}, true, NULL, shares[k]};
		ndl_example x = {0};
		size_t left[3] = {0}, args = 0;
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			ndl_rng rng;
			ndl_rng_seed(&rng, seed, 0);
			ndl_buf text = NDL_BUF_INIT;
			CHECK_INT(ndl_example_make(&x, &o, line, strlen(line), &rng, NULL), NDL_MADE);
			CHECK_INT(ndl_tok_decode(tok, &text, x.tool.id, x.tool.len, NULL), NDL_OK);
			left[count_of(ndl_buf_cstr(&text), "\"required\":true")]++;
			args += count_of(ndl_buf_cstr(&text), "\"string\"") == 3 && count_of(ndl_buf_cstr(&x.answer.text), "\":\"") == 3;
			ndl_buf_clear(&text);
		}
		tap_note("share %g: %zu examples with none, %zu with one, %zu with two of two", shares[k], left[0], left[1], left[2]);
		CHECK_INT(args, SEEDS);
		if (k == 0)
			CHECK_INT(left[2], SEEDS);
		else if (k == 1) /* 0.3125, 0.125 and 0.5625 of them */
			CHECK(left[0] > 90 && left[0] < 165 && left[1] > 25 && left[1] < 80);
		else /* 0.625, 0.25 and 0.125 */
			CHECK(left[0] > 210 && left[0] < 290 && left[1] > 65 && left[1] < 135 && left[2] > 20);
		ndl_example_clear(&x);
	}
}

int main(void)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_tok *tok = ndl_tok_load(VOCAB, &e);
	if (!tok)
		tap_note("%s", e.text);
	CHECK(tok != NULL);
	test_errors();
	test_classes();
	test_shuffle();
	test_dialects();
	if (tok) {
		test_example(tok);
		test_loosen(tok);
	}
	ndl_tok_free(tok);
	return tap_done();
}
