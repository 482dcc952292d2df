/* The installed corpus as a whole: every example is sound, splits do not leak, seeds repeat. */
#include "data/record.h"
#include "synth/requests.h"
#include "synth/synth_internal.h"
#include "tests/tap.h"
#include "tools/tools.h"

#include "json/json.h"

enum { EXAMPLES = 1500 };

static char corpus_dir[4096];

static ndl_synth *open_split(enum ndl_synth_split split, uint64_t seed)
{
	ndl_synth_options o = {.corpus = corpus_dir, .seed = seed, .split = split};
	ndl_error err = NDL_ERROR_INIT;
	ndl_synth *s = ndl_synth_open(&o, &err);
	if (!s) {
		tap_note("%s:%zu: %s", err.file, err.line, err.text);
		abort();
	}
	return s;
}

/* Sound examples ---------------------------------------------------------------------- */

static bool type_fits(json_t *p, json_t *v)
{
	const char *t = json_string_value(json_object_get(p, "type"));
	json_t *items = json_object_get(p, "items"), *item;
	size_t i;
	if (strcmp(t, "array") != 0)
		return strcmp(t, "string") == 0 ? json_is_string(v) : strcmp(t,
			"integer") == 0 ? json_is_integer(v)
		     : strcmp(t, "number") == 0 ? json_is_number(v) : strcmp(t,
			"boolean") == 0 ? json_is_boolean(v) : json_is_object(v);
	json_array_foreach(v, i, item)
		if (!type_fits(items, item))
			return false;
	return json_is_array(v) && json_array_size(v) > 0;
}

static bool enum_fits(json_t *p, json_t *v)
{
	json_t *list = json_object_get(p, "enum"), *x;
	size_t i;
	if (json_is_array(v)) {
		json_array_foreach(v, i, x)
			if (!enum_fits(json_object_get(p, "items"), x))
				return false;
		return true;
	}
	if (!list)
		return true;
	json_array_foreach(list, i, x)
		if (json_equal(x, v))
			return true;
	return false;
}

static const char *arguments_fault(json_t *params, json_t *args)
{
	const char *key;
	json_t *p, *v;
	json_object_foreach(params, key, p)
		if (json_is_true(json_object_get(p, "required")) && !json_object_get(args, key))
			return "a required argument is missing";
	json_object_foreach(args, key, v) {
		if (!(p = json_object_get(params, key)))
			return "an undeclared argument";
		if (!type_fits(p, v))
			return "an argument of the wrong type";
		if (!enum_fits(p, v))
			return "an argument that is not in the enum";
		const char *fault = json_is_object(v) ? arguments_fault(json_object_get(p,
			"properties"), v) : NULL;
		if (fault)
			return fault;
	}
	return NULL;
}

/* Strings stand in the query unless the schema names them or the value is marked as mapped. */
static const char *grounding_fault(const syn_example *e)
{
	for (size_t i = 0; i < e->n_calls; i++)
		for (size_t k = 0; k < e->call[i].n_args; k++) {
			const syn_arg *a = &e->call[i].arg[k];
			const syn_param *p = &e->call[i].tool->param[a->param];
			p = a->prop < 0 ? p : &p->props[a->prop];
			for (int v = a->first; !a->fixed && v < a->first + a->n; v++) {
				const syn_slot_value *x = &e->value[v];
				if (x->copied && (x->at + x->len > e->query.len || x->len == 0))
					return "a copied value outside the query";
				if (x->copied && p->type != SYN_STRING && p->type != SYN_ARRAY)
					return "a copied value that is no string";
			}
		}
	return NULL;
}

static json_t *tool_named(json_t *tools, json_t *name)
{
	size_t i;
	json_t *t, *found = NULL;
	json_array_foreach(tools, i, t)
		if (json_equal(json_object_get(t, "name"), name))
			found = found ? NULL : t; /* two of a name: none */
	return found;
}

static const char *example_fault(const syn_example *e)
{
	const char *fault = grounding_fault(e);
	json_t *tools = ndl_json_parse(e->tools.data, e->tools.len, NULL);
	json_t *answers = ndl_json_parse(e->answers.data, e->answers.len, NULL), *a, *t;
	size_t i;
	if (!tools || !answers || json_array_size(answers) != e->n_calls)
		fault = "not JSON";
	json_array_foreach(tools, i, t)
		if (!tool_named(tools, json_object_get(t, "name")))
			fault = "two tools of one name";
	json_array_foreach(answers, i, a) {
		t = tool_named(tools, json_object_get(a, "name"));
		if (!fault)
			fault = t ? arguments_fault(json_object_get(t, "parameters"),
				json_object_get(a, "arguments")) : "no such tool";
	}
	json_decref(tools);
	json_decref(answers);
	return fault;
}

/* What is written is what models see: rendering changes nothing, and the checker of lib/tools
 * takes every call. */
static bool is_canonical(const syn_example *e)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_buf b = NDL_BUF_INIT;
	json_t *j = ndl_json_parse(e->tools.data, e->tools.len, &err);
	ndl_tools *t = j ? ndl_tools_new(j, 0, &err) : NULL;
	if (t)
		ndl_tools_render(t, &b, NULL, 0, 0);
	json_t *answers = ndl_json_parse(e->answers.data, e->answers.len, NULL), *call;
	size_t i;
	json_array_foreach(answers, i, call)
		if (t && ndl_tools_check_call(t, call, &err) != NDL_OK) {
			tap_note("%s: %s", ndl_buf_cstr(&e->answers), err.text);
			ndl_tools_free(t);
			t = NULL;
		}
	json_decref(answers);
	bool same = t && b.len == e->tools.len && memcmp(b.data, e->tools.data, b.len) == 0;
	if (!same)
		tap_note("%s\n# rendered: %s (%s)", ndl_buf_cstr(&e->tools), ndl_buf_cstr(&b), err.text);
	ndl_tools_free(t);
	json_decref(j);
	ndl_buf_clear(&b);
	return same;
}

static void test_sound(enum ndl_synth_split split)
{
	ndl_synth *s = open_split(split, 3);
	int wrong = 0, other = 0, calls[4] = {0};
	for (int i = 0; i < EXAMPLES; i++) {
		if (syn_make(s, NULL) != NDL_OK)
			abort();
		const char *fault = example_fault(&s->e);
		if (fault && wrong++ < 3)
			tap_note("%s: %s %s", fault, ndl_buf_cstr(&s->e.query), ndl_buf_cstr(&s->e.answers));
		if (other < 2 && !is_canonical(&s->e))
			other++;
		calls[s->e.n_calls]++;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(other, 0);
	CHECK(calls[0] > EXAMPLES / 8 && calls[1] > EXAMPLES / 2 && calls[2] > EXAMPLES / 12 && calls[3] > 0);
	ndl_synth_close(s);
}

/* Splits ------------------------------------------------------------------------------ */

static bool value_held(const syn_example *e, const syn_slot_value *v)
{
	return syn_held_value(e->query.data + v->at, v->len);
}

/* In training nothing that is held out, in the others only that. */
static void test_split(enum ndl_synth_split split)
{
	ndl_synth *s = open_split(split, 4);
	int tools = 0, offers = 0, phrases = 0, values = 0, held_values = 0;
	for (int i = 0; i < EXAMPLES; i++) {
		if (syn_make(s, NULL) != NDL_OK)
			abort();
		const syn_example *e = &s->e;
		for (size_t k = 0; k < e->n_offers; k++)
			offers += e->offer[k].tool->held;
		for (size_t k = 0; k < e->n_calls; k++) {
			const syn_call *c = &e->call[k];
			tools += c->tool->held != (split == NDL_SYNTH_TOOL || split == NDL_SYNTH_DOMAIN);
			phrases += c->phrase->held != (split == NDL_SYNTH_PHRASING);
			for (size_t a = 0; a < c->n_args; a++) {
				const syn_param *p = &c->tool->param[c->arg[a].param];
				p = c->arg[a].prop < 0 ? p : &p->props[c->arg[a].prop];
				bool open = p->source.kind == SYN_LIST && !p->source.list->closed;
				for (int v = c->arg[a].first; open && v < c->arg[a].first + c->arg[a].n; v++) {
					if (!e->value[v].copied || e->value[v].len < 3)
						continue;
					values++;
					held_values += value_held(e, &e->value[v]);
				}
			}
		}
	}
	CHECK_INT(tools, 0);
	if (split == NDL_SYNTH_TRAIN || split == NDL_SYNTH_PHRASING || split == NDL_SYNTH_VALUE)
		CHECK_INT(offers, 0);
	if (split == NDL_SYNTH_TRAIN || split == NDL_SYNTH_PHRASING)
		CHECK_INT(phrases, 0);
	CHECK(values > 200);
	if (split == NDL_SYNTH_TRAIN)
		CHECK_INT(held_values, 0);
	if (split == NDL_SYNTH_PHRASING || split == NDL_SYNTH_VALUE)
		CHECK(held_values > values * 9 / 10);
	tap_note("split %d: %d of %d values held out", (int)split, held_values, values);
	ndl_synth_close(s);
}

/* Is some required argument of the first tool's call not there? */
static bool lacks(const syn_call *c)
{
	for (size_t i = 0; i < c->tool->n_params; i++) {
		bool given = !c->tool->param[i].required;
		for (size_t k = 0; k < c->n_args; k++)
			given = given || c->arg[k].param == (int)i;
		if (!given)
			return true;
	}
	return false;
}

/* One value in each call of a series, everything else shared; no call where an argument lacks. */
static void test_kinds(void)
{
	ndl_synth *s = open_split(NDL_SYNTH_TRAIN, 9);
	int series = 0, ellipsis = 0, lacking = 0, invented = 0, opaque = 0, dated = 0, wrong = 0;
	for (int i = 0; i < 2 * EXAMPLES; i++) {
		s->e.call[0] = (syn_call){0};
		if (syn_make(s, NULL) != NDL_OK)
			abort();
		const syn_example *e = &s->e;
		const syn_call *a = &e->call[0], *b = &e->call[1];
		opaque += e->opaque != 0;
		dated += e->dated;
		for (size_t k = 0; k < e->n_calls; k++)
			invented += e->call[k].tool->domain == SYN_INVENTED;
		if (e->n_calls == 0 && e->n_segs && (a->how == SYN_LACKING || (a->tool && lacks(a)))) {
			lacking++;
			a->how == SYN_LACKING && !lacks(a) ? wrong++ : 0;
		}
		if (e->n_calls < 2 || (a->how != SYN_SERIES && a->how != SYN_ELLIPSIS))
			continue;
		series++;
		ellipsis += a->how == SYN_ELLIPSIS;
		int differ = 0;
		for (size_t k = 0; k < a->n_args; k++)
			differ += !a->arg[k].fixed && a->arg[k].first != b->arg[k].first;
		wrong += differ != 1 || a->tool != b->tool || a->n_args != b->n_args;
	}
	CHECK_INT(wrong, 0);
	CHECK(series > EXAMPLES / 16 && series < EXAMPLES / 4);
	CHECK(ellipsis > EXAMPLES / 60 && ellipsis < series);
	CHECK(dated > EXAMPLES / 50 && dated < EXAMPLES / 10);
	CHECK(lacking > EXAMPLES / 40 && lacking < EXAMPLES / 8);
	CHECK(invented > EXAMPLES / 10 && invented < EXAMPLES / 2);
	CHECK(opaque > EXAMPLES / 60 && opaque < EXAMPLES / 12);
	ndl_synth_close(s);
}

/* A paragraph has 40 to 80 words or so, one request, and no call comes twice in any example. */
static void test_paragraphs(void)
{
	ndl_synth *s = open_split(NDL_SYNTH_TRAIN, 10);
	int paragraphs = 0, wrong = 0;
	for (int i = 0; i < 2 * EXAMPLES; i++) {
		if (syn_make(s, NULL) != NDL_OK)
			abort();
		const syn_example *e = &s->e;
		size_t words = 1;
		for (size_t k = 0; k < e->query.len; k++)
			words += e->query.data[k] == ' ';
		wrong += syn_repeats_call(e) || (e->context && e->n_calls > 1);
		if (e->context && words >= 38) {
			paragraphs++;
			wrong += words > 110;
		}
	}
	CHECK_INT(wrong, 0);
	CHECK(paragraphs > EXAMPLES / 30 && paragraphs < EXAMPLES / 8);
	ndl_synth_close(s);
}

static void test_shares(void)
{
	ndl_synth *s = open_split(NDL_SYNTH_ALL, 1);
	size_t tools = 0, domains = 0, phrases = 0, all = 0;
	for (size_t i = 0; i < s->corpus.n_domains; i++)
		domains += s->corpus.domain[i].held;
	for (size_t i = 0; i < s->corpus.n_tools; i++) {
		const syn_tool *t = &s->corpus.tool[i];
		tools += t->held && !s->corpus.domain[t->domain].held;
		phrases += t->n_phrases - t->n_train;
		all += t->n_phrases;
	}
	CHECK_INT(domains, 2);
	CHECK(tools * 100 > s->corpus.n_tools * 3 && tools * 100 < s->corpus.n_tools * 8);
	CHECK(phrases * 100 > all * 7 && phrases * 100 < all * 9);
	ndl_synth_close(s);
}

/* Requests ---------------------------------------------------------------------------- */

/* A string of answer k, other than a choice, that is not in the query; NULL: none. */
static const char *ungrounded(const ndl_record *r, size_t k)
{
	json_t *properties = json_object_get(ndl_tools_schema(r->tools, ndl_record_called(r, k)), "properties"), *v, *item;
	const char *key;
	size_t i;
	json_object_foreach(json_object_get(json_array_get(r->answers, k), "arguments"), key, v) {
		json_t *schema = json_object_get(properties, key), *items = json_object_get(schema, "items");
		if (json_object_get(schema, "enum") || json_object_get(items, "enum"))
			continue;
		if (json_is_string(v) && !strstr(r->query, json_string_value(v)))
			return json_string_value(v);
		json_array_foreach(v, i, item)
			if (json_is_string(item) && !strstr(r->query, json_string_value(item)))
				return json_string_value(item);
	}
	return NULL;
}

/* Seeds and the rest ------------------------------------------------------------------ */

static void write_some(ndl_buf *out, uint64_t seed)
{
	ndl_synth *s = open_split(NDL_SYNTH_TRAIN, seed);
	for (int i = 0; i < 100; i++)
		if (ndl_synth_next(s, out, NDL_SYNTH_JSONL, NULL) != NDL_OK)
			abort();
	ndl_synth_close(s);
}

static void test_seeds(void)
{
	ndl_buf a = NDL_BUF_INIT, b = NDL_BUF_INIT, c = NDL_BUF_INIT;
	write_some(&a, 5);
	write_some(&b, 5);
	write_some(&c, 6);
	CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	CHECK(a.len != c.len || memcmp(a.data, c.data, a.len) != 0);
	ndl_buf_clear(&a);
	ndl_buf_clear(&b);
	ndl_buf_clear(&c);
}

static void test_heldout(void)
{
	/* the first query of seed 8 goes into the list: it must not come again */
	ndl_synth *s = open_split(NDL_SYNTH_ALL, 8);
	char hash[NDL_QUERY_HASH_LEN + 1], path[] = "synth-heldout-XXXXXX";
	ndl_buf first = NDL_BUF_INIT;
	if (syn_make(s, NULL) != NDL_OK)
		abort();
	ndl_buf_str(&first, ndl_buf_cstr(&s->e.query));
	ndl_query_hash(s->e.query.data, s->e.query.len, hash);
	ndl_synth_close(s);
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f || fprintf(f, "%s\n", hash) < 0 || fclose(f) != 0)
		abort();
	ndl_synth_options o = {.corpus = corpus_dir, .seed = 8, .heldout = path};
	s = ndl_synth_open(&o, NULL);
	CHECK(s != NULL);
	CHECK(s && syn_make(s, NULL) == NDL_OK && strcmp(ndl_buf_cstr(&s->e.query), ndl_buf_cstr(&first)) != 0);
	ndl_synth_close(s);
	remove(path);
	ndl_buf_clear(&first);
}

/* Records made of all requests of the corpus are ones that can be trained on, with strings that are copied. */
static void test_requests(void)
{
	char dir[4200];
	ndl_error err = NDL_ERROR_INIT;
	snprintf(dir, sizeof dir, "%s/requests", corpus_dir);
	ndl_requests *all = ndl_requests_open(dir, NDL_SYNTH_ALL, 8, NULL, &err), *train = ndl_requests_open(dir, NDL_SYNTH_TRAIN, 8, NULL, &err);
	if (!all || !train) {
		tap_note("%s:%zu: %s", err.file, err.line, err.text);
		abort();
	}
	size_t wrong = 0, n = ndl_requests_count(all);
	for (size_t i = 0; i < n; i++) {
		ndl_rng rng;
		ndl_record r = {0};
		ndl_rng_seed(&rng, 1, i);
		json_t *record = ndl_requests_record(all, i, &rng, &err);
		bool ok = record && ndl_record_take(&r, record, &rng, &err) == NDL_OK && ndl_tools_count(r.tools) > 0;
		for (size_t k = 0; ok && k < json_array_size(r.answers); k++)
			ok = ungrounded(&r, k) == NULL;
		if (!ok && wrong++ < 3)
			tap_note("request %zu: %s", i, err.text);
		ndl_record_clear(&r);
	}
	CHECK_INT(wrong, 0);
	CHECK(n > 10000);
	CHECK(ndl_requests_count(train) > n * 75 / 100 && ndl_requests_count(train) < n * 90 / 100);
	ndl_requests_free(all);
	ndl_requests_free(train);
}

static void test_options(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_synth_options o = {.corpus = corpus_dir, .domains = "music,no_such_domain"};
	CHECK(ndl_synth_open(&o, &err) == NULL && err.code == NDL_EINVAL);
	o = (ndl_synth_options){.corpus = corpus_dir, .domains = "music", .max_tools = 2, .seed = 1};
	ndl_synth *s = ndl_synth_open(&o, &err);
	CHECK(s != NULL);
	size_t wrong = 0, most = 0;
	for (int i = 0; s && i < 300; i++) {
		if (syn_make(s, NULL) != NDL_OK)
			abort();
		for (size_t k = 0; k < s->e.n_calls; k++)
			wrong += strcmp(s->corpus.domain[s->e.call[k].tool->domain].name, "music") != 0;
		if (s->e.n_calls < 3)
			most = s->e.n_offers > most ? s->e.n_offers : most;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(most, 2);
	ndl_synth_close(s);
}

int main(void)
{
	const char *src = getenv("top_srcdir");
	snprintf(corpus_dir, sizeof corpus_dir, "%s/share/corpus", src ? src : ".");
	test_sound(NDL_SYNTH_ALL);
	test_sound(NDL_SYNTH_TRAIN);
	for (int split = NDL_SYNTH_TRAIN; split <= NDL_SYNTH_DOMAIN; split++)
		test_split((enum ndl_synth_split)split);
	test_kinds();
	test_paragraphs();
	test_shares();
	test_seeds();
	test_heldout();
	test_requests();
	test_options();
	return tap_done();
}
