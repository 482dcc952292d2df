/* kinds.c - the kinds of example and their shares: one call, several, none. */
#include "synth/draw.h"

#include "json/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TRIES = 4000, KIND_TRIES = 40, ASK_TRIES = 400, MAX_SAID = 1000000 };

/* Share of examples whose names say nothing. */
static const double OPAQUE = 0.022;
/* Of examples whose request stands in a paragraph. */
static const double PARAGRAPH = 0.03;
/* And of those that tell which day is today. */
static const double DATED = 0.03;

/* Adds one call with its tool offered and its words at the end of the query. */
void syn_add_call(ndl_synth *s, syn_example *e, const syn_tool *t, const syn_phrase *ph,
	enum syn_how how)
{
	syn_call *c = &e->call[e->n_calls++];
	*c = (syn_call){.tool = t, .phrase = ph, .how = how};
	if (!syn_offered(e, t))
		syn_offer_tool(s, e, t, ph);
	if (e->overflow)
		return;
	const syn_offer *o = &e->offer[e->n_offers - 1];
	for (size_t i = 0; i < e->n_offers; i++)
		if (e->offer[i].tool == t)
			o = &e->offer[i];
	syn_fill(&s->gen, e, c, o);
}

/* After "text. " the words usually begin with a capital. */
void syn_capitalise(ndl_synth *s, syn_example *e, size_t seg)
{
	if (seg == 0 || seg >= e->n_segs || e->seg[seg].value >= 0 || !ndl_rng_chance(&s->rng, 0.7))
		return;
	const syn_seg *before = &e->seg[seg - 1];
	if (before->len < 2 || !strchr(".?!", e->text.data[before->off + before->len - 2])
		|| e->text.data[before->off + before->len - 1] != ' ')
		return;
	char *c = &e->text.data[e->seg[seg].off];
	*c = (char)toupper((unsigned char)*c);
}

/* With this chance a sentence that has nothing to do with it comes first. */
static void introduce(ndl_synth *s, syn_example *e, double chance)
{
	if (e->n_segs || !ndl_rng_chance(&s->rng, chance))
		return;
	syn_context_before(s, e);
	e->request = e->n_segs;
}

/* One request, with its tool offered: the only call. NULL if it did not work out. */
static const syn_call *add_request(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = syn_draw_target(s, SYN_INVENTED_SHARE, false);
	if (!t) {
		e->overflow = true;
		return NULL;
	}
	const syn_phrase *ph = syn_pick_phrase(s, t);
	introduce(s, e, ph->has_slot ? 0 : 0.2);
	syn_add_call(s, e, t, ph, SYN_WHOLE);
	syn_capitalise(s, e, e->request);
	return &e->call[0];
}

static void add_single(ndl_synth *s, syn_example *e)
{
	const syn_call *c = add_request(s, e);
	if (c)
		syn_add_distractors(s, e, syn_pick_total(s, 1), syn_domain_of(s, c->tool), c->phrase->bare ? 1 : 0.6, NULL);
}

/* A good request whose tool is not there, only its siblings. */
static void add_missing(ndl_synth *s, syn_example *e)
{
	const syn_call *c = add_request(s, e);
	if (!c)
		return;
	e->n_calls = e->n_offers = 0;
	e->about = syn_domain_of(s, c->tool);
	syn_add_distractors(s, e, syn_pick_total(s, 1), e->about, c->phrase->bare ? 0 : 0.65, c->tool);
}

/* Does a word of the name occur in the text? Short words and verbs say little. */
static bool word_in(const char *name, const char *text)
{
	for (const char *w = name; *w;) {
		char word[64];
		size_t n = strcspn(w, "_");
		snprintf(word, sizeof word, "%.*s", (int)n, w);
		if (n > 3 && strstr(text, word))
			return true;
		w += n + (w[n] == '_');
	}
	return false;
}

/* May the card's tool stand for something that none of the user's tools does? */
static bool foreign(const ndl_synth *s, const syn_tool *t)
{
	for (size_t i = s->first_object; i < s->corpus.n_objects; i++) {
		const syn_object *o = &s->corpus.object[i];
		const char *domain = s->corpus.domain[t->domain].name, *noun = strchr(o->name, '_');
		if (word_in(t->name, o->rendered) || word_in(noun ? noun + 1 : o->name, domain)
			|| word_in(domain, o->rendered))
			return false;
	}
	return true;
}

/* A request for something else altogether, while the user's tools are offered. */
static void make_foreign(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = &s->corpus.tool[ndl_rng_below(&s->rng, s->corpus.n_tools)];
	e->overflow = true;
	if (!syn_may_offer(s, t) || !foreign(s, t))
		return;
	e->overflow = false;
	syn_add_call(s, e, t, syn_pick_phrase(s, t), SYN_WHOLE);
	e->n_calls = e->n_offers = 0;
	e->about = syn_domain_of(s, t);
	syn_add_distractors(s, e, syn_pick_total(s, 1), &s->invented, 1, NULL);
}

/* Something that no tool of this domain does. */
static void make_refusal(ndl_synth *s, syn_example *e)
{
	const syn_domain *d = s->about[ndl_rng_below(&s->rng, s->n_about)];
	const char *text = syn_pick_refusal(s, d);
	e->about = d;
	introduce(s, e, 0.4);
	syn_add_text(e, text);
	syn_capitalise(s, e, e->request);
	syn_add_distractors(s, e, syn_pick_total(s, 1), d, 1, NULL);
}

/* The right tool is there, but the query lacks an argument that it requires. */
static void make_lacking(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = syn_draw_target(s, 0.3, true);
	const syn_phrase *ph = t ? syn_pick_phrase(s, t) : NULL;
	if (!t || (t->domain != SYN_INVENTED && ph->cut < 0)) {
		e->overflow = true;
		return;
	}
	syn_add_call(s, e, t, ph, t->domain == SYN_INVENTED ? SYN_WHOLE : SYN_LACKING);
	e->n_calls = 0;
	e->about = syn_domain_of(s, t);
	/* a sibling without required arguments might serve: only tools from elsewhere */
	syn_add_distractors(s, e, syn_pick_total(s, 1), t->domain == SYN_INVENTED ? e->about : NULL, 0, t);
}

/* The kinds of example and their shares. */
static void make_any(ndl_synth *s, syn_example *e, double u)
{
	syn_example_reset(e);
	s->n_pool = 0;
	s->gen.today.day = 0;
	syn_voice_pick(&s->rng, &s->voice);
	if (u < PARAGRAPH)
		syn_paragraph(s, e, ndl_rng_chance(&s->rng, 0.85) ? add_single : add_missing);
	else if (u < PARAGRAPH + DATED && s->n_dated && !s->own)
		syn_make_dated(s, e);
	else if (u < 0.635)
		add_single(s, e);
	else if (u < 0.738)
		syn_make_several(s, e, s->max_tools < 2 ? 1 : 2);
	else if (u < 0.76)
		syn_make_several(s, e, s->max_tools < 3 ? 1 : 3);
	else if (u < 0.82)
		syn_make_series(s, e);
	else if (u < 0.85)
		make_lacking(s, e);
	else if (s->own && (u < 0.93 || s->corpus.n_objects - s->first_object < 2))
		make_foreign(s, e);
	else if (u < 0.93 || s->n_about == 0 || s->own)
		add_missing(s, e);
	else
		make_refusal(s, e);
	if (!e->overflow && !s->own && ndl_rng_chance(&s->rng, OPAQUE))
		syn_make_opaque(&s->rng, e);
}

/* There may be few ways to ask for few tools. */
static bool is_new(ndl_synth *s, const syn_example *e)
{
	return s->said.n > MAX_SAID || syn_set_add(&s->said, ndl_hash64(e->query.data, e->query.len, 11));
}

/* The schemas of the user's tools may ask for more than values are made by. */
static bool is_valid(const ndl_synth *s, const syn_example *e)
{
	json_t *answers = ndl_json_parse(e->answers.data, e->answers.len, NULL), *call;
	size_t i;
	bool valid = answers != NULL;
	json_array_foreach(answers, i, call)
		valid = valid && ndl_tools_check_call(s->own, call, NULL) == NDL_OK;
	json_decref(answers);
	return valid;
}

/* Does a request for the object come out valid, in a few tries? */
bool syn_can_ask(ndl_synth *s, const syn_object *o)
{
	syn_example *e = &s->e;
	for (int tries = 0; tries < ASK_TRIES; tries++) {
		ndl_rng_seed(&s->rng, s->seed, (uint64_t)tries);
		syn_example_reset(e);
		s->n_pool = 0;
		syn_voice_pick(&s->rng, &s->voice);
		syn_invented *t = syn_invent_new(s, o, false);
		if (!t)
			continue;
		syn_add_call(s, e, &t->tool, &t->phrase[0], SYN_WHOLE);
		if (e->overflow)
			continue;
		syn_write_query(&s->gen, e);
		syn_write_answers(e);
		if (!e->overflow && is_valid(s, e))
			return true;
	}
	return false;
}

/* What falls through is made anew as the same kind, so that the shares of the kinds hold; but a
 * little corpus may have nothing of a kind: then another. */
ndl_status syn_make(ndl_synth *s, ndl_error *err)
{
	syn_example *e = &s->e;
	double kind = 0;
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		ndl_rng_seed(&s->rng, s->seed, s->next_stream++);
		double u = ndl_rng_unit(&s->rng);
		kind = tries % KIND_TRIES ? kind : u;
		make_any(s, e, kind);
		if (e->overflow || e->n_offers == 0)
			continue;
		syn_shuffle_offers(s, e);
		syn_write_query(&s->gen, e);
		if (e->overflow || e->query.len < 2 || syn_repeats_call(e))
			continue;
		if (ndl_heldout_contains(s->heldout, e->query.data, e->query.len))
			continue;
		if (s->own && tries < KIND_TRIES / 2 && !is_new(s, e))
			continue;
		syn_write_tools(e);
		syn_write_answers(e);
		if (e->overflow || (s->own && !is_valid(s, e)))
			continue;
		if (e->text.failed || e->raws.failed || e->query.failed || e->tools.failed || e->answers.failed)
			return ndl_fail_nomem(err, "an example");
		return NDL_OK;
	}
	return ndl_fail(err, NDL_EINVAL, "no example can be made of this corpus with these options");
}
