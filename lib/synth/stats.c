/* stats.c - what a stretch of examples contains. */
#include "synth/hashset.h"
#include "synth/synth_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct tally {
	syn_set tools, names, phrases, values, queries, again;
	uint64_t calls[SYN_MAX_CALLS + 1], offers, bytes_query, bytes_tools, bytes_answers;
	uint64_t strings, grounded, mapped, longest, context, dated;
} tally;

static uint64_t hash_text(const char *s, size_t len)
{
	return ndl_hash64(s, len, 11);
}

static bool occurs(const syn_example *e, const char *s, size_t n)
{
	for (size_t i = 0; i + n <= e->query.len; i++)
		if (memcmp(e->query.data + i, s, n) == 0)
			return true;
	return false;
}

/* Mapped strings (an ISO date, a paired form) follow from the query without standing in it. */
static void tally_call(tally *t, const syn_example *e, const syn_call *c)
{
	syn_set_add(&t->tools, hash_text(c->tool->name, strlen(c->tool->name)));
	syn_set_add(&t->phrases, c->phrase->id);
	for (size_t i = 0; i < c->n_args; i++) {
		const syn_arg *a = &c->arg[i];
		const syn_param *p = &c->tool->param[a->param];
		p = a->prop < 0 ? p : &p->props[a->prop];
		for (int k = 0; k < a->n; k++) {
			const syn_slot_value *v = &e->value[a->first + k];
			syn_set_add(&t->values, hash_text(e->query.data + v->at, v->len));
			bool mapped = !v->copied && e->raws.data[v->raw_off] == '"' && !p->enum_json;
			t->strings += v->copied || mapped;
			t->mapped += mapped;
			t->grounded += v->copied; /* it is a span of the query */
		}
		if (a->fixed && a->fixed[0] == '"' && !p->enum_json) {
			t->strings++;
			t->grounded += occurs(e, a->fixed + 1, strlen(a->fixed) - 2);
		}
	}
}

static void tally_example(tally *t, const syn_example *e)
{
	t->calls[e->n_calls]++;
	t->offers += e->n_offers;
	t->bytes_query += e->query.len;
	t->longest = e->query.len > t->longest ? e->query.len : t->longest;
	t->bytes_tools += e->tools.len;
	t->bytes_answers += e->answers.len;
	uint64_t query = hash_text(e->query.data, e->query.len);
	if (!syn_set_add(&t->queries, query))
		syn_set_add(&t->again, query);
	t->context += e->context;
	t->dated += e->dated;
	for (size_t i = 0; i < e->n_offers; i++) {
		const char *name = e->offer[i].tool->names.s[e->offer[i].name];
		syn_set_add(&t->names, hash_text(name, strlen(name)));
	}
	for (size_t i = 0; i < e->n_calls; i++)
		tally_call(t, e, &e->call[i]);
}

static void print_tally(const tally *t, const ndl_synth *s, uint64_t n, FILE *f)
{
	double d = n ? (double)n : 1;
	size_t phrases = 0;
	for (size_t i = 0; i < s->corpus.n_tools; i++)
		phrases += s->corpus.tool[i].n_phrases;
	fprintf(f, "examples\t%" PRIu64 "\n", n);
	fprintf(f, "corpus domains\t%zu\ncorpus tools\t%zu\ncorpus phrasings\t%zu\n",
		s->corpus.n_domains, s->corpus.n_tools, phrases);
	fprintf(f, "distinct right tools\t%zu\ndistinct offered names\t%zu\n", t->tools.n, t->names.n);
	fprintf(f, "distinct phrasings\t%zu\ndistinct values\t%zu\n", t->phrases.n, t->values.n);
	fprintf(f, "repeated queries\t%.4f\n", (double)(n - t->queries.n) / d);
	fprintf(f, "queries that occur once, share\t%.4f\n", (double)(t->queries.n - t->again.n) / d);
	fprintf(f, "with sentences around the request, share\t%.4f\n", (double)t->context / d);
	fprintf(f, "with today's date, share\t%.4f\n", (double)t->dated / d);
	for (size_t i = 0; i <= SYN_MAX_CALLS; i++)
		fprintf(f, "share with %zu calls\t%.4f\n", i, (double)t->calls[i] / d);
	fprintf(f, "tools offered, mean\t%.2f\n", (double)t->offers / d);
	fprintf(f, "query bytes, mean\t%.1f\nquery bytes, longest\t%" PRIu64 "\n",
		(double)t->bytes_query / d, t->longest);
	fprintf(f, "tools bytes, mean\t%.1f\nanswers bytes, mean\t%.1f\n",
		(double)t->bytes_tools / d, (double)t->bytes_answers / d);
	fprintf(f, "string arguments without enum\t%" PRIu64 "\n", t->strings);
	double strings = t->strings ? (double)t->strings : 1;
	fprintf(f, "of these in the query\t%.4f\n", (double)t->grounded / strings);
	fprintf(f, "of these mapped (ISO dates, pairs)\t%.4f\n", (double)t->mapped / strings);
}

ndl_status ndl_synth_stats(ndl_synth *s, uint64_t n, FILE *f, ndl_error *err)
{
	tally t = {0};
	ndl_status st = NDL_OK;
	for (uint64_t i = 0; i < n && st == NDL_OK; i++)
		if ((st = syn_make(s, err)) == NDL_OK)
			tally_example(&t, &s->e);
	if (t.tools.failed || t.names.failed || t.phrases.failed || t.values.failed || t.queries.failed || t.again.failed)
		st = ndl_fail_nomem(err, "the counts");
	if (st == NDL_OK)
		print_tally(&t, s, n, f);
	syn_set_clear(&t.tools);
	syn_set_clear(&t.names);
	syn_set_clear(&t.phrases);
	syn_set_clear(&t.values);
	syn_set_clear(&t.queries);
	syn_set_clear(&t.again);
	return st;
}
