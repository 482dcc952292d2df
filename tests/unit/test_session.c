/* One request and the next: what decoding may depend on, and what not. Models with random weights:
 * whatever holds for them holds for any. */
#include "session/session.h"

#include "session/decode_internal.h"
#include "session/search_internal.h"
#include "session/session_internal.h"
#include "tests/tap.h"

#include "data/prompt.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static const char *const queries[] = {
	"wake me up at half past six", "play some jazz", "what's the weather in Zürich?", "", "call Bob \"the boss\"",
	"remind me to buy milk and bread at 7 pm",
};
enum { QUERIES = sizeof queries / sizeof *queries, MAX_TOKENS = 160 };

/* All that a result says, with every token. */
typedef struct answer {
	int32_t id[MAX_TOKENS];
	double p[MAX_TOKENS];
	size_t choices[MAX_TOKENS];
	size_t n;
	double confidence;
	bool unfinished;
	char *calls;
} answer;

static char dir[] = "/tmp/ndl-test-session-XXXXXX";
static ndl_engine *engine[2];
static ndl_toolset *tools[2];

static const char *source(void)
{
	const char *top = getenv("top_srcdir");
	return top ? top : ".";
}

static void bail(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void open_model(int i, const char *shape)
{
	ndl_error err = NDL_ERROR_INIT;
	char command[600], path[300];
	const char *build = getenv("top_builddir");
	snprintf(path, sizeof path, "%s/m%d.safetensors", dir, i);
	snprintf(command, sizeof command, "'%s/tests/mkmodel' %s '%s/testdata/vocab-512.model' %d %s", build ? build : ".", path,
	         source(), i + 1, shape);
	if (system(command) != 0 || !(engine[i] = ndl_engine_open(path, &err)))
		bail(err.text);
	unlink(path);
	snprintf(path, sizeof path, "%s/testdata/tools.json", source());
	json_t *list = ndl_json_load(path, &err);
	tools[i] = list ? ndl_toolset_new(engine[i], list, 0, &err) : NULL;
	json_decref(list);
	if (!tools[i])
		bail(err.text);
}

static ndl_session *new_session(const ndl_engine *e, ndl_exec **x)
{
	ndl_error err = NDL_ERROR_INIT;
	*x = ndl_exec_new(1, NULL, &err);
	ndl_session *s = *x ? ndl_session_new(e, *x, &err) : NULL;
	if (!s)
		bail(err.text);
	return s;
}

static void on_token(void *user, int32_t id, double p, size_t choices)
{
	answer *a = user;
	if (a->n == MAX_TOKENS)
		bail("more tokens than the window holds");
	a->id[a->n] = id;
	a->p[a->n] = p;
	a->choices[a->n++] = choices;
}

static void ask(ndl_session *s, int model, const char *query, ndl_request q, answer *a)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_result r = {0};
	ndl_buf text = NDL_BUF_INIT;
	memset(a, 0, sizeof *a);
	q.trace = on_token;
	q.user = a;
	if (ndl_session_run(s, tools[model], query, strlen(query), &q, &r, &err) != NDL_OK)
		bail(err.text);
	for (size_t i = 0; i < json_array_size(r.calls); i++)
		if (ndl_tools_check_call(ndl_toolset_tools(tools[model]), json_array_get(r.calls, i), &err) != NDL_OK)
			tap_ok(0, "%s: %s", query, err.text);
	ndl_json_write(&text, r.calls, 0);
	a->calls = strdup(ndl_buf_cstr(&text));
	a->confidence = r.confidence;
	a->unfinished = r.unfinished;
	if (r.decode_tokens != a->n)
		tap_ok(0, "%s: %zu tokens, %zu traced", query, r.decode_tokens, a->n);
	ndl_buf_clear(&text);
	ndl_result_clear(&r);
}

/* The same tokens; bits: with the same probabilities, to the last bit. */
static bool same(const answer *a, const answer *b, bool bits)
{
	bool ok = a->n == b->n && a->unfinished == b->unfinished && strcmp(a->calls, b->calls) == 0 &&
	          memcmp(a->id, b->id, sizeof a->id) == 0 && memcmp(a->choices, b->choices, sizeof a->choices) == 0;
	return ok && (!bits || (memcmp(a->p, b->p, sizeof a->p) == 0 && a->confidence == b->confidence));
}

/* How answers are asked for, one kind after the other. */
static const ndl_request kinds[] = {{0}, {.beam = 3, .ground = NDL_GROUND_STRICT}, {.no_grammar = true}, {.max_tokens = 9}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Answers of sessions that never saw another request. */
static answer alone[2][KINDS][QUERIES];

static void ask_alone(void)
{
	for (int m = 0; m < 2; m++)
		for (int k = 0; k < KINDS; k++)
			for (int i = 0; i < QUERIES; i++) {
				ndl_exec *x;
				ndl_session *s = new_session(engine[m], &x);
				ask(s, m, queries[i], kinds[k], &alone[m][k][i]);
				ndl_session_free(s);
				ndl_exec_free(x);
			}
}

static void *ask_all(void *user)
{
	size_t *differ = user, shift = *differ;
	ndl_exec *x[2];
	ndl_session *s[2];
	*differ = 0;
	for (int m = 0; m < 2; m++)
		s[m] = new_session(engine[m], &x[m]);
	for (int round = 0; round < QUERIES * KINDS * 2; round++) {
		answer a;
		size_t at = (size_t)round * 5 + shift, i = at % QUERIES, m = at / QUERIES % 2, k = at / 7 % KINDS;
		ask(s[m], (int)m, queries[i], kinds[k], &a);
		*differ += !same(&a, &alone[m][k][i], true);
		free(a.calls);
	}
	for (int m = 0; m < 2; m++) {
		ndl_session_free(s[m]);
		ndl_exec_free(x[m]);
	}
	return NULL;
}

/* Two models, each with a session per thread, requests of all kinds in a mixed order. */
static void test_state(void)
{
	enum { THREADS = 4 };
	pthread_t thread[THREADS];
	size_t differ[THREADS];
	ask_alone();
	differ[0] = 0;
	ask_all(&differ[0]);
	CHECK_INT(differ[0], 0);
	for (size_t t = 0; t < THREADS; t++) {
		differ[t] = t * 3;
		if (pthread_create(&thread[t], NULL, ask_all, &differ[t]) != 0)
			bail("no threads");
	}
	for (size_t t = 0; t < THREADS; t++) {
		pthread_join(thread[t], NULL);
		CHECK_INT(differ[t], 0);
	}
}

static void test_jump_changes_nothing(void)
{
	ndl_exec *x;
	ndl_session *s = new_session(engine[0], &x);
	size_t forced = 0, tokens = 0;
	for (int i = 0; i < QUERIES; i++)
		for (size_t beam = 1; beam <= 3; beam += 2) {
			answer with, without;
			ask(s, 0, queries[i], (ndl_request){.beam = beam}, &with);
			ask(s, 0, queries[i], (ndl_request){.beam = beam, .no_jump = true}, &without);
			tap_ok(same(&with, &without, false), "jumping ahead, beam %zu: %s", beam, queries[i]);
			for (size_t t = 0; t < with.n; t++, tokens++)
				forced += with.choices[t] == 1;
			free(with.calls);
			free(without.calls);
		}
	tap_note("%zu of %zu tokens were forced", forced, tokens);
	CHECK(forced > tokens / 10);
	ndl_session_free(s);
	ndl_exec_free(x);
}

/* The score of search.c. */
static double score(const answer *a)
{
	double sum = 0;
	size_t n = 0;
	for (size_t t = 0; t < a->n; t++)
		if (a->choices[t] > 1) {
			sum += log(a->p[t]);
			n++;
		}
	return sum / pow((5 + (double)n) / 6, NDL_LENGTH_POWER);
}

static void test_beam(void)
{
	ndl_exec *x;
	ndl_session *s = new_session(engine[0], &x);
	size_t differ = 0, better = 0;
	for (int i = 0; i < QUERIES; i++) {
		answer greedy, many;
		ask(s, 0, queries[i], (ndl_request){.beam = 1, .refuse_bias = -INFINITY}, &greedy);
		ask(s, 0, queries[i], (ndl_request){.beam = NDL_BEAM_MAX}, &many);
		differ += !same(&greedy, &many, false);
		better += !many.unfinished && !greedy.unfinished && score(&many) > score(&greedy);
		free(greedy.calls);
		free(many.calls);
	}
	tap_note("beam %d: %zu of %d other answers, %zu scored higher", NDL_BEAM_MAX, differ, (int)QUERIES, better);
	CHECK(better > 0);
	ndl_error err = NDL_ERROR_INIT;
	ndl_result r = {0};
	CHECK(ndl_session_run(s, tools[0], "x", 1, &(ndl_request){.beam = NDL_BEAM_MAX + 1}, &r, &err) == NDL_EINVAL);
	ndl_session_free(s);
	ndl_exec_free(x);
}

/* Whether a choice is less likely than all others together. */
static bool has_doubt(const answer *a)
{
	for (size_t t = 0; t < a->n; t++)
		if (a->p[t] < 0.5)
			return true;
	return false;
}

/* By itself decoding is greedy where that leaves no doubt, and something else where it does. */
static void test_again(void)
{
	ndl_exec *x;
	ndl_session *s = new_session(engine[0], &x);
	size_t differ = 0, doubts = 0;
	for (int i = 0; i < QUERIES; i++) {
		answer greedy, by_itself;
		ask(s, 0, queries[i], (ndl_request){.beam = 1, .ground = NDL_GROUND_OFF}, &greedy);
		ask(s, 0, queries[i], (ndl_request){.ground = NDL_GROUND_OFF}, &by_itself);
		bool is_same = same(&greedy, &by_itself, false);
		CHECK(is_same || has_doubt(&greedy) || strcmp(greedy.calls, "[]") == 0);
		doubts += has_doubt(&greedy);
		differ += !is_same;
		free(greedy.calls);
		free(by_itself.calls);
	}
	tap_note("%zu answers in doubt, %zu decoded otherwise again", doubts, differ);
	CHECK(doubts > 0 && differ > 0);
	ndl_session_free(s);
	ndl_exec_free(x);
}

/* Greedy decoding weighs [] against the first call: pushed far enough it always or never wins, and in between
 * the answer is one of the two. */
static void test_refuse_bias(void)
{
	static const double bias[] = {-0.2, 0, 0.2, 0.5};
	ndl_exec *x;
	ndl_session *s = new_session(engine[0], &x);
	size_t calls = 0, refused = 0;
	for (int i = 0; i < QUERIES; i++) {
		answer off, least, most, some;
		ask(s, 0, queries[i], (ndl_request){.refuse_bias = -INFINITY, .lexical_weight = -1}, &off);
		ask(s, 0, queries[i], (ndl_request){.refuse_bias = -1000, .lexical_weight = -1}, &least);
		ask(s, 0, queries[i], (ndl_request){.refuse_bias = 1000, .lexical_weight = -1}, &most);
		CHECK(same(&off, &least, true));
		CHECK_STR(most.calls, strcmp(off.calls, "[]") == 0 ? off.calls : "[]");
		for (size_t k = 0; k < sizeof bias / sizeof *bias; k++) {
			ask(s, 0, queries[i], (ndl_request){.refuse_bias = bias[k], .lexical_weight = -1}, &some);
			bool greedy = same(&some, &off, true), empty = same(&some, &most, true);
			tap_ok(greedy || empty, "bias %g: %s", bias[k], queries[i]);
			calls += greedy && !empty;
			refused += empty && !greedy;
			free(some.calls);
		}
		free(off.calls);
		free(least.calls);
		free(most.calls);
	}
	tap_note("%zu calls, %zu refusals in their stead", calls, refused);
	CHECK(calls > 0 && refused > 0);
	ndl_session_free(s);
	ndl_exec_free(x);
}

/* Jumping must not leave the spelling that the tokenizer gives the whole answer. */
static void test_jump_is_canonical(void)
{
	static const char *const answers[] = {
		"[]",
		"[{\"name\":\"set_timer\",\"arguments\":{\"minutes\":10}}]",
		"[{\"name\":\"set_alarm\",\"arguments\":{\"time\":\"06:30\"}},{\"name\":\"play_music\",\"arguments\":{\"query\":\"jazz\"}}]",
		"[{\"name\":\"get_weather\",\"arguments\":{\"location\":\"Paris\"}}]",
	};
	ndl_error err = NDL_ERROR_INIT;
	ndl_ids whole = {0}, run = {0};
	size_t jumped = 0;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		ndl_gstate s;
		bool ok = ndl_prompt_answer(engine[0]->tok, ndl_model_config(engine[0]->model), answers[i], strlen(answers[i]),
		                            &whole, &err) == NDL_OK;
		ndl_gstate_init(&s, tools[0]->grammar);
		for (size_t at = 2; ok && at + 1 < whole.len;) {
			ok = ndl_jump(engine[0], &s, &run, &err) == NDL_OK;
			for (size_t k = 0; ok && k < run.len; k++, at++, jumped++)
				ok = at + 1 < whole.len && run.id[k] == whole.id[at] &&
				     ndl_gstate_token(&s, engine[0]->trie, run.id[k]);
			if (ok && run.len == 0 && !ndl_gstate_token(&s, engine[0]->trie, whole.id[at++]))
				break; /* not one of these tools' */
		}
		tap_ok(ok, "tokens of %s", answers[i]);
	}
	CHECK(jumped > 20);
	ndl_ids_clear(&whole);
	ndl_ids_clear(&run);
}

/* Words that weigh enough choose the tools, arguments and values, whatever the network; where none is shared they choose none. */
static void test_lexical(void)
{
	static const struct {
		const char *query, *tool, *says;
	} cases[] = {{"play some jazz music", "play_music", ""}, {"what is the weather in Paris", "get_weather", ""},
		{"set an alarm", "set_alarm", ""}, {"send a text message", "send_message", ""}, {"dim the light", "set_light", ""},
		{"switch the light off", "set_light", "\"state\":\"off\""}, {"the light's brightness", "set_light", "\"brightness\":"},
		{"navigate to a place by bike", "navigate_to", "\"mode\":\"bike\""}};
	size_t calls = 0, more = 0, said = 0;
	for (int m = 0; m < 2; m++) {
		ndl_exec *x;
		ndl_session *s = new_session(engine[m], &x);
		answer nonsense;
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			answer a;
			ndl_buf text = NDL_BUF_INIT;
			size_t len;
			ask(s, m, cases[i].query, (ndl_request){.lexical_weight = 1000, .refuse_bias = -INFINITY, .max_tokens = 150}, &a);
			for (size_t k = 0; k < a.n; k++) {
				const char *bytes = a.id[k] > NDL_TOOLS ? ndl_tok_bytes(ndl_engine_tok(engine[m]), a.id[k], &len) : NULL;
				ndl_buf_add(&text, bytes, bytes ? len : 0);
			}
			char want[100];
			size_t n = 0, right = 0, want_len = (size_t)snprintf(want, sizeof want, "{\"name\":\"%s\"", cases[i].tool);
			const char *call = ndl_buf_cstr(&text);
			for (; (call = strstr(call, "{\"name\":\"")) && strlen(call) >= want_len; call++) {
				n++;
				right += strncmp(call, want, want_len) == 0;
			}
			tap_ok(right == n && (!n || strstr(ndl_buf_cstr(&text), cases[i].says)) && (n || strcmp(ndl_buf_cstr(&text), " []") == 0), "%s: %s", cases[i].query, ndl_buf_cstr(&text));
			calls += n > 0;
			said += n > 0 && *cases[i].says;
			more += n > 1;
			ndl_buf_clear(&text);
			free(a.calls);
		}
		ask(s, m, "xyzzy", (ndl_request){.lexical_weight = 1000}, &nonsense);
		CHECK_STR(nonsense.calls, "[]");
		free(nonsense.calls);
		ndl_session_free(s);
		ndl_exec_free(x);
	}
	tap_note("%zu answers with calls, %zu with several, %zu say what they must", calls, more, said);
	CHECK(calls > 0 && more > 0 && said > 0);
}

/* Of these tools, in JSON, for the first model. */
static ndl_toolset *toolset_of(const char *text)
{
	ndl_error err = NDL_ERROR_INIT;
	json_t *list = ndl_json_parse(text, strlen(text), &err);
	ndl_toolset *t = list ? ndl_toolset_new(engine[0], list, 0, &err) : NULL;
	if (!t)
		bail(err.text);
	json_decref(list);
	return t;
}

/* Which booleans the query speaks for, by their names. */
static void test_flags(void)
{
	static const struct { const char *query, *flags; } cases[] = {{"turn on the hall light", "\"is_on\":"}, {"the hall light off", "\"is_on\":"},
		{"the light on the wall", ""}, {"unlock the hall", "\"locked\":"}, {"Lock it", "\"locked\":"}, {"mute and pin it", "\"muted\":\"pinned\":"},
		{"one that allows pets", "\"pets_allowed\":"}, {"the pets", ""}, {"the red one", ""}};
	ndl_error err = NDL_ERROR_INIT;
	const char *text = "[{\"name\":\"f\",\"parameters\":{\"is_on\":\"boolean\",\"locked\":\"boolean\",\"muted\":\"boolean\","
	                   "\"pinned\":\"boolean\",\"pets_allowed\":\"boolean\",\"red\":\"string\",\"used\":\"string\"}}]";
	ndl_toolset *t = toolset_of(text);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ndl_lexical x = {0};
		ndl_buf found = NDL_BUF_INIT;
		if (ndl_lexical_set(&x, t, cases[i].query, strlen(cases[i].query), 1, false, &err) != NDL_OK)
			bail(err.text);
		for (size_t k = 0; k < x.n; k++) {
			ndl_gtext key;
			ndl_grammar_text(t->grammar, k, &key);
			if (key.kind == NDL_GTEXT_KEY && key.types == NDL_TYPE_BOOLEAN && x.lean[k] > 0)
				ndl_buf_add(&found, key.bytes, key.len);
		}
		tap_ok(strcmp(ndl_buf_cstr(&found), cases[i].flags) == 0, "%s: speaks for %s", cases[i].query, ndl_buf_cstr(&found));
		ndl_buf_clear(&found);
		ndl_lexical_clear(&x);
	}
	ndl_toolset_free(t);
}

/* Where the query's rest begins for the call after those in the answer. */
static void test_rest(void)
{
	static const struct { const char *query, *answer, *rest; } cases[] = {
		{"turn off the hall lights and set the heating to 18", "[{\"name\":\"light\",\"arguments\":{\"room\":\"hall\",\"on\":false}},{\"na",
		 " and set the heating to 18"},
		{"turn off the hall lights and set the heating to 18", "[{\"name\":\"light\",\"arguments\":{\"room\":\"hall\"", NULL},
		{"Sat nav for SK1, then a child seat", "[{\"name\":\"add\",\"arguments\":{\"item\":\"sat_nav\",\"for\":\"SK1\"}},", ", then a child seat"},
		{"lock the garage, unlock the back", "[{\"name\":\"garage\",\"arguments\":{\"hall\":[\"garage\"]}}", ", unlock the back"},
		{"rain in Oslo versus Rome", "[{\"name\":\"rain\",\"arguments\":{\"place\":\"Oslo\"}},", " versus Rome"},
		{"call Bo", "[{\"name\":\"call\",\"arguments\":{\"who\":\"Bo\"}}", ""},
		{"call Bo", "[{\"name\":\"call\",\"arguments\":{}}", NULL},
		{"at 7 and 17", "[{\"name\":\"ring\",\"arguments\":{\"hour\":17}},", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *q = cases[i].query, *a = cases[i].answer;
		const size_t at = ndl_query_rest(q, strlen(q), a, strlen(a));
		tap_ok(cases[i].rest ? at && strcmp(q + at, cases[i].rest) == 0 : at == 0, "%s: rest %s", q, at ? q + at : "all");
	}
}

/* Which values the query speaks for, in the first call and in the next. */
static void test_lexical_rest(void)
{
	static const struct { const char *query, *rest, *said; } cases[] = {
		{"the garage door off, and lock the shed", "lock the shed", "\"shed\""},
		{"the garage door off, and the same again", "the same again", "\"garage\"\"off\""}, /* not a word of a tool */
	};
	ndl_error err = NDL_ERROR_INIT;
	const char *text = "[{\"name\":\"lock\",\"parameters\":{\"where\":{\"type\":\"string\",\"enum\":[\"garage\",\"shed\"]}}},"
	                   "{\"name\":\"door\",\"parameters\":{\"state\":{\"type\":\"string\",\"enum\":[\"open\",\"off\"]}}}]";
	ndl_toolset *t = toolset_of(text);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ndl_lexical x = {0};
		ndl_buf found = NDL_BUF_INIT;
		const char *q = cases[i].query;
		if (ndl_lexical_set(&x, t, q, strlen(q), 1, false, &err) != NDL_OK ||
		    ndl_lexical_rest(&x, (size_t)(strstr(q, cases[i].rest) - q), &err) != NDL_OK)
			bail(err.text);
		for (size_t k = 0; k < x.n; k++) {
			ndl_gtext value;
			ndl_grammar_text(t->grammar, k, &value);
			if (value.kind == NDL_GTEXT_VALUE && x.now[k] > 0)
				ndl_buf_add(&found, value.bytes, value.len);
		}
		tap_ok(strcmp(ndl_buf_cstr(&found), cases[i].said) == 0, "%s: speaks for %s", q, ndl_buf_cstr(&found));
		CHECK(ndl_lexical_rest(&x, 0, &err) == NDL_OK && x.now == x.lean);
		ndl_buf_clear(&found);
		ndl_lexical_clear(&x);
	}
	ndl_toolset_free(t);
}

/* What is required and may be null can be left out, and is null then: whatever the weights, calls fit the schemas. */
static void test_nulls(void)
{
	ndl_error err = NDL_ERROR_INIT;
	const char *text = "[{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"required\":[\"a\",\"b\",\"c\"],\"properties\":{"
	                   "\"a\":{\"type\":[\"string\",\"null\"]},\"b\":{\"type\":[\"integer\",\"null\"]},\"c\":{\"type\":\"boolean\"}}}},"
	                   "{\"name\":\"g\",\"parameters\":{\"type\":\"object\",\"required\":[\"x\"],\"properties\":{"
	                   "\"x\":{\"type\":[\"string\",\"null\"],\"enum\":[\"p\",\"q\",null]},\"y\":{\"type\":[\"integer\",\"null\"]}}}}]";
	json_t *list = ndl_json_parse(text, strlen(text), &err), *call, *value;
	const char *key;
	size_t nulls = 0, said = 0, i;
	for (int m = 0; m < 2; m++) {
		ndl_exec *x;
		ndl_session *s = new_session(engine[m], &x);
		ndl_toolset *t = list ? ndl_toolset_new(engine[m], list, 0, &err) : NULL;
		if (!t)
			bail(err.text);
		for (int q = 0; q < QUERIES; q++) {
			ndl_result r = {0};
			ndl_request how = {.required = true};
			if (ndl_session_run(s, t, queries[q], strlen(queries[q]), &how, &r, &err) != NDL_OK)
				bail(err.text);
			json_array_foreach(r.calls, i, call) {
				CHECK(ndl_tools_check_call(ndl_toolset_tools(t), call, &err) == NDL_OK);
				json_object_foreach(json_object_get(call, "arguments"), key, value) {
					nulls += json_is_null(value);
					said += !json_is_null(value);
				}
			}
			ndl_result_clear(&r);
		}
		ndl_toolset_free(t);
		ndl_session_free(s);
		ndl_exec_free(x);
	}
	json_decref(list);
	tap_note("%zu arguments that are null, %zu that are not", nulls, said);
	CHECK(nulls > 0 && said > 0);
}

/* Strings of a strict answer, but for those that are no copies, come from the query. */
static void check_grounded(const json_t *sources, const json_t *calls, size_t *strings, size_t *loose)
{
	for (size_t i = 0; i < json_array_size(calls); i++) {
		const char *pointer;
		json_t *span, *of = json_array_get(sources, i);
		json_object_foreach(of, pointer, span) {
			const json_t *value = json_object_get(json_object_get(json_array_get(calls, i), "arguments"), pointer + 1);
			if (!json_is_string(value) || strcmp(pointer, "/state") == 0 || strcmp(pointer, "/mode") == 0)
				continue;
			++*strings;
			*loose += json_is_null(span);
		}
	}
}

static void test_strict(void)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t strings[3] = {0}, loose[3] = {0};
	ndl_exec *x;
	ndl_session *s = new_session(engine[0], &x);
	for (int g = 0; g < 3; g++)
		for (int i = 0; i < 2 * QUERIES; i++) {
			ndl_result r = {0};
			ndl_request q = {.ground = (enum ndl_grounding)g, .sources = true, .beam = i < QUERIES ? 1 : 2};
			const char *query = queries[i % QUERIES];
			if (*query && ndl_session_run(s, tools[0], query, strlen(query), &q, &r, &err) != NDL_OK)
				bail(err.text);
			check_grounded(r.sources, r.calls, &strings[g], &loose[g]);
			ndl_result_clear(&r);
		}
	for (int g = 0; g < 3; g++)
		tap_note("grounding %d: %zu of %zu strings from nowhere", g, loose[g], strings[g]);
	CHECK(strings[NDL_GROUND_STRICT] > 0);
	CHECK_INT(loose[NDL_GROUND_STRICT], 0);
	CHECK(loose[NDL_GROUND_OFF] > 0);
	ndl_session_free(s);
	ndl_exec_free(x);
}

static void count_call(void *user, json_t *call)
{
	(void)call;
	++*(size_t *)user;
}

/* A call is made once, whatever the order of its keys and the spelling of its numbers. */
static void test_twice(void)
{
	ndl_answer a;
	ndl_error err = NDL_ERROR_INIT;
	size_t told = 0;
	CHECK_INT(ndl_answer_begin(&a, tools[0], &err), NDL_OK);
	ndl_buf_str(&a.text, "[{\"name\":\"x\",\"arguments\":{\"a\":1,\"b\":[2]}},{\"name\":\"x\",\"arguments\":{\"a\":1,\"b\":[3]}},"
	                     "{\"name\":\"x\",\"arguments\":{\"b\":[2],\"a\":1.0}}]");
	CHECK_INT(ndl_answer_scan(&a, count_call, &told, &err), NDL_OK);
	CHECK(told == 2 && json_array_size(a.calls) == 2);
	ndl_answer_end(&a);
}

int main(void)
{
	if (!mkdtemp(dir))
		bail("no temporary folder");
	open_model(0, "32 2 512 96");
	open_model(1, "16 1 512 64");
	test_state();
	test_jump_changes_nothing();
	test_jump_is_canonical();
	test_beam();
	test_refuse_bias();
	test_lexical();
	test_rest();
	test_lexical_rest();
	test_flags();
	test_nulls();
	test_again();
	test_strict();
	test_twice();
	for (int m = 0; m < 2; m++) {
		ndl_toolset_free(tools[m]);
		ndl_engine_free(engine[m]);
		for (int k = 0; k < KINDS; k++)
			for (int i = 0; i < QUERIES; i++)
				free(alone[m][k][i].calls);
	}
	rmdir(dir);
	return tap_done();
}
