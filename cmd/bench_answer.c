/* bench_answer.c - whole answers: what the grammar costs, what jumping ahead saves, how long a search among
 * many tools takes. */
#include "cmd/bench.h"
#include "cmd/engine.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "grammar/grammar.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

static const char tools_text[] =
	"[{\"name\":\"set_alarm\",\"description\":\"Set an alarm.\",\"parameters\":{\"time\":{\"type\":\"string\",\"required\":true},"
	"\"label\":{\"type\":\"string\"},"
	"\"days\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"monday\",\"tuesday\",\"friday\"]}}}},"
	"{\"name\":\"send_message\",\"description\":\"Send a text message.\",\"parameters\":{\"recipient\":{\"type\":\"string\","
	"\"required\":true},\"text\":{\"type\":\"string\",\"required\":true}}},"
	"{\"name\":\"set_volume\",\"description\":\"Set the volume.\",\"parameters\":{\"percent\":{\"type\":\"integer\",\"minimum\":0,"
	"\"maximum\":100,\"required\":true}}}]";
static const char *const queries[] = {
	"wake me up at 6:30 on monday", "tell Anna that the train is late", "turn the volume to 40 percent",
	"write to Ben: dinner is at eight, bring the wine", "set an alarm for 7 called gym",
};
enum { QUERIES = sizeof queries / sizeof *queries, MAX_TOKENS = 512 };

/* Answers --------------------------------------------------------------------------------- */

typedef struct answers {
	const bench *b;
	ndl_engine *engine;
	ndl_exec *x;
	ndl_session *session;
	ndl_toolset *tools;
	ndl_vocab_trie *trie;
	ndl_grammar *grammar;
	uint64_t *mask;
	ndl_request request;
	double ms[QUERIES];              /* of decoding, the least of all runs */
	/* of the latest run */
	size_t tokens;
	int32_t id[QUERIES * MAX_TOKENS];
	size_t choices[QUERIES * MAX_TOKENS];
	size_t n[QUERIES];
	size_t current;
	ndl_error *err;
	ndl_status status;
} answers;

static void on_token(void *user, int32_t id, double p, size_t choices)
{
	answers *a = user;
	(void)p;
	size_t i = a->n[a->current];
	if (i == MAX_TOKENS)
		return;
	a->id[a->current * MAX_TOKENS + i] = id;
	a->choices[a->current * MAX_TOKENS + i] = choices;
	a->n[a->current]++;
}

static void ask_all(answers *a)
{
	a->request.trace = on_token;
	a->request.user = a;
	a->tokens = 0;
	for (a->current = 0; a->status == NDL_OK && a->current < QUERIES; a->current++) {
		ndl_result r = {0};
		a->n[a->current] = 0;
		a->status = ndl_session_run(a->session, a->tools, queries[a->current], strlen(queries[a->current]), &a->request, &r,
		                            a->err);
		if (r.decode_ms < a->ms[a->current])
			a->ms[a->current] = r.decode_ms;
		a->tokens += r.decode_tokens;
		ndl_result_clear(&r);
	}
}

/* Seconds of decoding all queries, each at its fastest. */
static double decode_time(answers *a, bool no_jump)
{
	double sum = 0, end = ndl_seconds() + a->b->min_s;
	a->request.no_jump = no_jump;
	for (int q = 0; q < QUERIES; q++)
		a->ms[q] = 1e9;
	for (int i = 0; a->status == NDL_OK && (i < 3 || ndl_seconds() < end); i++)
		ask_all(a);
	for (int q = 0; q < QUERIES; q++)
		sum += a->ms[q];
	return sum / 1e3;
}

/* What the grammar does in the answers of the latest run, without the network: a mask for every choice, what is
 * forced looked up once a run, and every token taken. */
static void replay(void *user)
{
	answers *a = user;
	char forced[1024];
	for (size_t q = 0; q < QUERIES; q++) {
		ndl_gstate s;
		bool run = false;
		ndl_gstate_init(&s, a->grammar);
		for (size_t i = 0; i < a->n[q]; i++) {
			if (a->choices[q * MAX_TOKENS + i] > 1)
				ndl_gstate_mask(&s, a->trie, a->mask);
			else if (!run)
				ndl_gstate_forced(&s, forced, sizeof forced);
			run = a->choices[q * MAX_TOKENS + i] == 1;
			ndl_gstate_token(&s, a->trie, a->id[q * MAX_TOKENS + i]);
		}
	}
}

static ndl_status open_answers(answers *a, const char *path)
{
	json_t *list = ndl_json_parse(tools_text, strlen(tools_text), a->err);
	a->engine = list ? ndl_engine_open(path, a->err) : NULL;
	a->x = a->engine ? cli_exec_new(1, NDL_PRECISION_INT8, a->err) : NULL;
	a->session = a->x ? ndl_session_new(a->engine, a->x, a->err) : NULL;
	a->tools = a->session ? ndl_toolset_new(a->engine, list, 0, a->err) : NULL;
	a->grammar = a->tools ? ndl_grammar_new(ndl_toolset_tools(a->tools), NULL, a->err) : NULL;
	a->trie = a->grammar ? ndl_vocab_trie_from_tok(ndl_engine_tok(a->engine), a->err) : NULL;
	a->mask = a->trie ? ndl_calloc(ndl_vocab_trie_words(a->trie), sizeof *a->mask) : NULL;
	json_decref(list);
	return a->mask ? NDL_OK : a->err->code ? a->err->code : ndl_fail_nomem(a->err, "answers");
}

ndl_status bench_answers(bench *b, ndl_error *err)
{
	static const char *const names[] = {"answers, jumping ahead", "answers, a step a token", "grammar, part of decoding",
		NULL};
	answers *a = ndl_calloc(1, sizeof *a);
	if (!a)
		return ndl_fail_nomem(err, "answers");
	*a = (answers){.b = b, .err = err};
	if (bench_wants_any(b, names)) {
		a->status = open_answers(a, b->path);
		const char *kernel = a->status == NDL_OK ? ndl_isa_name(ndl_exec_kernels(a->x)->isa) : "";
		double slow = decode_time(a, true), slow_tokens = (double)a->tokens;
		double fast = decode_time(a, false);
		if (a->status == NDL_OK)
			a->status = bench_add(b, names[0], kernel, 1, (double)a->tokens / fast, "tokens/s", false, err);
		if (a->status == NDL_OK)
			a->status = bench_add(b, names[1], kernel, 1, slow_tokens / slow, "tokens/s", false, err);
		if (a->status == NDL_OK)
			a->status = bench_add(b, names[2], kernel, 1, 100 * bench_time(b, replay, a) / fast, "%", true, err);
	}
	ndl_status rc = a->status;
	free(a->mask);
	ndl_vocab_trie_free(a->trie);
	ndl_grammar_free(a->grammar);
	ndl_toolset_free(a->tools);
	ndl_session_free(a->session);
	ndl_exec_free(a->x);
	ndl_engine_free(a->engine);
	free(a);
	return rc;
}

/* Search ---------------------------------------------------------------------------------- */

enum { TOOLS = 10000, WIDTH = 128, WORDS = 2000 };

typedef struct catalogue {
	ndl_index *index;
	float vector[WIDTH], words[TOOLS], scores[TOOLS];
	size_t best[5];
	ndl_status status;
} catalogue;

/* Two words of the name, twelve of the description, two arguments. */
ndl_index *bench_catalogue(size_t width, const char *by, ndl_error *err)
{
	ndl_rng r;
	ndl_rng_seed(&r, 1, 0);
	json_t *list = json_array();
	for (int i = 0; i < TOOLS; i++) {
		unsigned w[16];
		char text[12 * 8] = "";
		for (int k = 0; k < 16; k++)
			w[k] = (unsigned)ndl_rng_below(&r, 1 + ndl_rng_below(&r, WORDS));
		for (int k = 4; k < 16; k++)
			sprintf(text + strlen(text), " w%u", w[k]);
		json_array_append_new(list, json_pack("{s:o,s:s,s:{s:{s:s},s:{s:s}}}", "name", json_sprintf("w%u_w%u_%d", w[0], w[1], i),
			"description", text, "parameters", "x", "type", "string", "y", "type", "integer"));
	}
	ndl_tools *t = ndl_tools_new(list, 0, err);
	ndl_index *x = t ? ndl_index_new(t, 0, err) : NULL;
	float *v = ndl_calloc(TOOLS, width * sizeof *v);
	ndl_status status = x && v ? NDL_OK : ndl_fail_nomem(err, "tools");
	for (size_t i = 0; v && i < TOOLS * width; i++)
		v[i] = (float)(ndl_rng_normal(&r) / 12);
	if (status == NDL_OK && width > 0) {
		status = ndl_index_set_vectors(x, v, width, by, err);
		v = NULL;
	}
	free(v);
	ndl_tools_free(t);
	json_decref(list);
	if (status == NDL_OK)
		return x;
	ndl_index_free(x);
	return NULL;
}

static void search(void *user)
{
	static const char query[] = "please w7 the w123 w1 of w300 and w55";
	catalogue *c = user;
	c->status = ndl_index_bm25(c->index, query, sizeof query - 1, true, c->words, NULL);
	ndl_index_dot(c->index, c->vector, c->scores);
	ndl_rank_fuse(c->scores, c->words, TOOLS, c->scores);
	if (c->status == NDL_OK)
		c->status = ndl_rank_best(c->scores, TOOLS, c->best, 5, NULL);
}

ndl_status bench_search(bench *b, ndl_error *err)
{
	static const char name[] = "search, 10000 tools";
	if (!bench_wants(b, name))
		return NDL_OK;
	catalogue *c = ndl_calloc(1, sizeof *c);
	if (!c)
		return ndl_fail_nomem(err, "tools");
	if (!(c->index = bench_catalogue(WIDTH, "random", err))) {
		free(c);
		return err->code;
	}
	for (int i = 0; i < WIDTH; i++)
		c->vector[i] = i % 2 ? 0.08f : -0.09f;
	double seconds = bench_time(b, search, c);
	ndl_status rc = c->status == NDL_OK ? bench_add(b, name, "-", 1, 1e3 * seconds, "ms", true, err)
	                                    : ndl_fail_nomem(err, "a search");
	ndl_index_free(c->index);
	free(c);
	return rc;
}
