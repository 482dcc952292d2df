#include "synth/synth_internal.h"

#include "base/mem.h"
#include "json/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TRIES = 400, KIND_TRIES = 40 };

/* Shares of right tools that are invented, and of examples whose names say nothing. */
static const double INVENTED = 0.085, OPAQUE = 0.022;

/* What may be the right tool ---------------------------------------------------------- */

static bool wanted_domain(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, ",");
		if (k == n && memcmp(p, name, n) == 0)
			return true;
		p += k + (p[k] == ',');
	}
	return list == NULL;
}

static bool is_target(const ndl_synth *s, const syn_tool *t)
{
	bool held_domain = s->corpus.domain[t->domain].held;
	switch (s->split) {
	case NDL_SYNTH_ALL: return true;
	case NDL_SYNTH_TOOL: return t->held && !held_domain;
	case NDL_SYNTH_DOMAIN: return held_domain;
	case NDL_SYNTH_PHRASING: return !t->held && t->n_phrases > t->n_train;
	default: return !t->held && t->n_train > 0;
	}
}

/* May t be offered at all? Held-out tools are never seen in training. */
static bool may_offer(const ndl_synth *s, const syn_tool *t)
{
	return !t->held || s->split == NDL_SYNTH_ALL || s->split == NDL_SYNTH_TOOL
		|| s->split == NDL_SYNTH_DOMAIN;
}

static ndl_status check_domains(const ndl_synth *s, const char *list, ndl_error *err)
{
	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, ","), i = 0;
		while (i < s->corpus.n_domains && !(strlen(s->corpus.domain[i].name) == k
			&& memcmp(s->corpus.domain[i].name, p, k) == 0))
			i++;
		if (i == s->corpus.n_domains)
			return ndl_fail(err, NDL_EINVAL, "there is no domain '%.*s' in the corpus", (int)k, p);
		p += k + (p[k] == ',');
	}
	return NDL_OK;
}

static ndl_status choose_targets(ndl_synth *s, const char *domains, ndl_error *err)
{
	s->target = ndl_calloc(s->corpus.n_tools, sizeof *s->target);
	s->about = ndl_calloc(s->corpus.n_domains, sizeof *s->about);
	if (!s->target || !s->about)
		return ndl_fail_nomem(err, "the targets");
	for (size_t i = 0; i < s->corpus.n_tools; i++) {
		const syn_tool *t = &s->corpus.tool[i];
		if (wanted_domain(domains, s->corpus.domain[t->domain].name) && is_target(s, t))
			s->target[s->n_targets++] = t;
	}
	for (size_t i = 0; i < s->corpus.n_domains; i++) {
		const syn_domain *d = &s->corpus.domain[i];
		if (d->n_refusals && d->n_tools && wanted_domain(domains, d->name)
		    && (s->split == NDL_SYNTH_ALL || d->held == (s->split == NDL_SYNTH_DOMAIN)))
			s->about[s->n_about++] = d;
	}
	return s->n_targets ? NDL_OK : ndl_fail(err, NDL_EINVAL, "no tool of these domains is in this split");
}

/* Phrases ----------------------------------------------------------------------------- */

static const syn_phrase *pick_phrase(ndl_synth *s, const syn_tool *t)
{
	size_t from = 0, to = t->n_phrases;
	if (s->split == NDL_SYNTH_TRAIN || s->split == NDL_SYNTH_VALUE)
		to = t->n_train;
	else if (s->split == NDL_SYNTH_PHRASING)
		from = t->n_train;
	if (to <= from)
		from = 0, to = t->n_phrases;
	return &t->phrase[from + ndl_rng_below(&s->rng, to - from)];
}

static const char *pick_refusal(ndl_synth *s, const syn_domain *d)
{
	size_t from = 0, to = d->n_refusals;
	if (s->split == NDL_SYNTH_TRAIN || s->split == NDL_SYNTH_VALUE)
		to = d->n_refusals_train;
	else if (s->split == NDL_SYNTH_PHRASING && d->n_refusals > d->n_refusals_train)
		from = d->n_refusals_train;
	if (to <= from)
		from = 0, to = d->n_refusals;
	return d->refusal[from + ndl_rng_below(&s->rng, to - from)].surface;
}

static const syn_domain *domain_of(const ndl_synth *s, const syn_tool *t)
{
	return t->domain == SYN_INVENTED ? &s->invented : &s->corpus.domain[t->domain];
}

/* Invented tools ---------------------------------------------------------------------- */

/* A new tool of this object into the pool; NULL if it did not work out. */
static syn_invented *invent(ndl_synth *s, const syn_object *object, bool lacking)
{
	if (s->n_pool == SYN_POOL)
		return NULL;
	syn_invented *t = &s->pool[s->n_pool];
	syn_invent(&s->corpus, &s->rng, t, object, &s->voice, lacking);
	if (t->failed)
		return NULL;
	s->n_pool++;
	return t;
}

static const syn_object *any_object(ndl_synth *s)
{
	return &s->corpus.object[ndl_rng_below(&s->rng, s->corpus.n_objects)];
}

/* Another object, of the group of those in the pool with chance p. */
static const syn_object *next_object(ndl_synth *s, double p)
{
	bool near = s->n_pool && ndl_rng_chance(&s->rng, p);
	for (int tries = 0; tries < 200; tries++) {
		const syn_object *o = any_object(s);
		if (!near || strcmp(o->group, s->pool[0].object->group) == 0)
			return o;
	}
	return any_object(s);
}

/* Two tools of one object and verb would do the same. */
static bool in_pool(const ndl_synth *s, const syn_object *o)
{
	for (size_t i = 0; i < s->n_pool; i++)
		if (s->pool[i].object == o || (strcmp(s->pool[i].object->name, o->name) == 0
			&& s->pool[i].object->verb == o->verb))
			return true;
	return false;
}

static const syn_tool *draw_target(ndl_synth *s, double invented, bool lacking)
{
	if (s->invents && ndl_rng_chance(&s->rng, invented)) {
		const syn_object *o = next_object(s, 0.6);
		syn_invented *t = in_pool(s, o) ? NULL : invent(s, o, lacking);
		return t ? &t->tool : NULL;
	}
	return s->target[ndl_rng_below(&s->rng, s->n_targets)];
}

/* Offered tools ----------------------------------------------------------------------- */

static bool offered(const syn_example *e, const syn_tool *t)
{
	for (size_t i = 0; i < e->n_offers; i++)
		if (e->offer[i].tool == t)
			return true;
	return false;
}

static bool name_taken(const syn_example *e, const syn_offer *o)
{
	for (size_t i = 0; i < e->n_offers; i++)
		if (strcmp(e->offer[i].tool->names.s[e->offer[i].name], o->tool->names.s[o->name]) == 0)
			return true;
	return false;
}

static void offer_tool(ndl_synth *s, syn_example *e, const syn_tool *t, const syn_phrase *ph)
{
	syn_offer *o = &e->offer[e->n_offers];
	for (int tries = 0; tries < 8; tries++) {
		syn_make_offer(&s->rng, o, t, ph);
		if (!name_taken(e, o)) {
			e->n_offers++;
			return;
		}
	}
	if (ph)
		e->overflow = true; /* the right tool must be there */
}

/* Does the wrong tool t stand well beside the right ones (or, for a refusal, the missing one)? */
static bool stands(const ndl_synth *s, const syn_example *e, const syn_tool *t, const syn_tool *missing)
{
	if (!may_offer(s, t) || offered(e, t) || t == missing)
		return false;
	if (missing && syn_conflict(missing, t, true))
		return false;
	for (size_t i = 0; i < e->n_calls; i++)
		if (syn_conflict(e->call[i].tool, t, false))
			return false;
	return true;
}

/* A wrong tool beside an invented one: another of its kind, or a card. NULL: none this time. */
static const syn_tool *draw_invented(ndl_synth *s, bool missing)
{
	const syn_object *o = next_object(s, 0.65);
	/* a request whose tool is missing could be understood of the same object's other verbs */
	if (in_pool(s, o) || (missing && strcmp(o->name, s->pool[0].object->name) == 0))
		return NULL;
	syn_invented *t = invent(s, o, false);
	return t ? &t->tool : NULL;
}

/* Tools that are not the answer: siblings of `near` with chance p, else any. */
static void add_distractors(ndl_synth *s, syn_example *e, size_t total, const syn_domain *near,
	double p, const syn_tool *missing)
{
	for (size_t tries = 0; e->n_offers < total && tries < 20 * total; tries++) {
		const syn_tool *t;
		if (near == &s->invented && ndl_rng_chance(&s->rng, 0.85))
			t = draw_invented(s, missing != NULL);
		else if (near && near->n_tools && ndl_rng_chance(&s->rng, p))
			t = near->tool[ndl_rng_below(&s->rng, near->n_tools)];
		else if (p < 1 || near == &s->invented)
			t = &s->corpus.tool[ndl_rng_below(&s->rng, s->corpus.n_tools)];
		else
			continue;
		if (t && stands(s, e, t, missing))
			offer_tool(s, e, t, NULL);
	}
}

/* How many tools: few more often than many, since each costs a training step time. */
static size_t pick_total(ndl_synth *s, size_t least)
{
	static const int weight[] = {10, 19, 23, 18, 12, 8, 6, 4};
	int sum = 0, at;
	size_t n = 1;
	for (int i = 0; i < 8; i++)
		sum += weight[i];
	at = (int)ndl_rng_below(&s->rng, (uint64_t)sum);
	while (n < 8 && at >= weight[n - 1])
		at -= weight[n++ - 1];
	if (n == 8 && s->max_tools > 8) /* long lists only where they are asked for */
		n += ndl_rng_below(&s->rng, s->max_tools - 7);
	n = n > s->max_tools ? s->max_tools : n;
	return n < least ? least : n;
}

static void shuffle_offers(ndl_synth *s, syn_example *e)
{
	for (size_t i = e->n_offers; i > 1; i--) {
		size_t j = ndl_rng_below(&s->rng, i);
		syn_offer t = e->offer[i - 1];
		e->offer[i - 1] = e->offer[j];
		e->offer[j] = t;
	}
}

/* Kinds of example -------------------------------------------------------------------- */

/* Adds one call with its tool offered and its words at the end of the query. */
static void add_call(ndl_synth *s, syn_example *e, const syn_tool *t, const syn_phrase *ph,
	enum syn_how how)
{
	syn_call *c = &e->call[e->n_calls++];
	*c = (syn_call){.tool = t, .phrase = ph, .how = how};
	if (!offered(e, t))
		offer_tool(s, e, t, ph);
	if (e->overflow)
		return;
	const syn_offer *o = &e->offer[e->n_offers - 1];
	for (size_t i = 0; i < e->n_offers; i++)
		if (e->offer[i].tool == t)
			o = &e->offer[i];
	syn_fill(&s->gen, e, c, o);
}

static void make_single(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = draw_target(s, INVENTED, false);
	if (!t) {
		e->overflow = true;
		return;
	}
	const syn_phrase *ph = pick_phrase(s, t);
	add_call(s, e, t, ph, SYN_WHOLE);
	add_distractors(s, e, pick_total(s, 1), domain_of(s, t), ph->bare ? 1 : 0.6, NULL);
}

static const syn_tool *next_target(ndl_synth *s, const syn_tool *t)
{
	if (t->domain == SYN_INVENTED)
		return draw_target(s, 0.8, false);
	for (int tries = 0; tries < 30 && ndl_rng_chance(&s->rng, 0.6); tries++) {
		const syn_domain *d = domain_of(s, t);
		const syn_tool *u = d->tool[ndl_rng_below(&s->rng, d->n_tools)];
		if (u != t && is_target(s, u) && !syn_conflict(t, u, false))
			return u;
	}
	return s->target[ndl_rng_below(&s->rng, s->n_targets)];
}

static const char *from(ndl_synth *s, const syn_list *l, const char *otherwise)
{
	return l ? l->v[ndl_rng_below(&s->rng, l->n)].surface : otherwise;
}

/* The words between two requests: a new sentence where the first ended in one or in free text. */
static void join(ndl_synth *s, syn_example *e)
{
	const syn_seg *last = &e->seg[e->n_segs - 1];
	char end = e->text.data[last->off + last->len - 1];
	const char *j;
	if (strchr(".?!", end))
		j = ndl_rng_chance(&s->rng, 0.5) ? " " : " also ";
	else if (e->call[e->n_calls - 1].open_end || ndl_rng_chance(&s->rng, 0.35))
		j = from(s, s->gen.style.join_sentence, ". ");
	else
		j = from(s, s->gen.style.join, " and ");
	syn_add_literal(e, j, strlen(j));
}

/* After "text. " the words usually begin with a capital. */
static void capitalise(ndl_synth *s, syn_example *e, size_t seg)
{
	const syn_seg *before = &e->seg[seg - 1];
	if (seg >= e->n_segs || e->seg[seg].value >= 0 || before->len < 2 || !ndl_rng_chance(&s->rng, 0.7))
		return;
	if (!strchr(".?!", e->text.data[before->off + before->len - 2])
		|| e->text.data[before->off + before->len - 1] != ' ')
		return;
	char *c = &e->text.data[e->seg[seg].off];
	*c = (char)toupper((unsigned char)*c);
}

/* A second tool that is no near twin of the first, with a phrase that stands on its own. */
static bool joins(const syn_example *e, const syn_tool *t, const syn_phrase *ph)
{
	if (ph->bare && !ph->has_slot)
		return false;
	for (size_t i = 0; i < e->n_calls; i++) {
		const syn_tool *u = e->call[i].tool;
		if (u == t ? !ph->has_slot || !e->call[i].phrase->has_slot : syn_conflict(u, t, false))
			return false;
	}
	return true;
}

/* The phrase's required offer must cover both phrases when one tool is called twice. */
static bool covered(const syn_example *e, const syn_tool *t, const syn_phrase *ph)
{
	for (size_t i = 0; i < e->n_offers; i++) {
		const syn_offer *o = &e->offer[i];
		if (o->tool != t)
			continue;
		bool have[SYN_MAX_PARAMS] = {false};
		for (size_t k = 0; k < o->n_params; k++)
			have[o->param[k].param] = true;
		for (size_t k = 0; k < ph->n_pieces; k++)
			if (!ph->piece[k].text && !have[ph->piece[k].param])
				return false;
		for (size_t k = 0; k < ph->n_fixed; k++)
			if (!have[ph->fixed[k].param])
				return false;
	}
	return true;
}

static void make_several(ndl_synth *s, syn_example *e, size_t n)
{
	const syn_tool *t = draw_target(s, INVENTED, false);
	bool again = ndl_rng_chance(&s->rng, 0.22);
	const syn_phrase *ph = t ? pick_phrase(s, t) : NULL;
	if (!t || !joins(e, t, ph) || (again && !ph->has_slot)) {
		e->overflow = true;
		return;
	}
	add_call(s, e, t, ph, SYN_WHOLE);
	for (size_t i = 1; i < n && !e->overflow; i++) {
		const syn_tool *u = again ? t : next_target(s, t);
		ph = !u ? NULL : again && ndl_rng_chance(&s->rng, 0.5) ? e->call[0].phrase : pick_phrase(s, u);
		if (!u || !joins(e, u, ph) || !covered(e, u, ph)) {
			e->overflow = true;
			return;
		}
		join(s, e);
		size_t seg = e->n_segs;
		add_call(s, e, u, ph, SYN_WHOLE);
		if (!e->overflow)
			capitalise(s, e, seg);
	}
	add_distractors(s, e, pick_total(s, n), domain_of(s, t), 0.5, NULL);
}

/* A good request whose tool is not there, only its siblings. */
static void make_missing(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = draw_target(s, INVENTED, false);
	if (!t) {
		e->overflow = true;
		return;
	}
	const syn_phrase *ph = pick_phrase(s, t);
	double near = ph->bare ? 0 : 0.65;
	add_call(s, e, t, ph, SYN_WHOLE);
	e->n_calls = e->n_offers = 0;
	e->about = domain_of(s, t);
	add_distractors(s, e, pick_total(s, 1), e->about, near, t);
}

/* Something that no tool of this domain does. */
static void make_refusal(ndl_synth *s, syn_example *e)
{
	const syn_domain *d = s->about[ndl_rng_below(&s->rng, s->n_about)];
	const char *text = pick_refusal(s, d);
	e->about = d;
	syn_add_literal(e, text, strlen(text));
	add_distractors(s, e, pick_total(s, 1), d, 1, NULL);
}

/* One request with several values in one slot: a call for each. */
static void make_series(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = draw_target(s, INVENTED, false);
	const syn_phrase *ph = t ? pick_phrase(s, t) : NULL;
	if (!t || ph->series < 0) {
		e->overflow = true;
		return;
	}
	add_call(s, e, t, ph, SYN_SERIES);
	int param = ph->piece[ph->series].param, n = e->call[0].n_series;
	for (int i = 1; i < n && i < SYN_MAX_CALLS; i++) {
		syn_call *c = &e->call[e->n_calls++];
		*c = e->call[0];
		for (size_t k = 0; k < c->n_args; k++)
			if (c->arg[k].param == param)
				c->arg[k].first += i;
	}
	e->overflow = e->overflow || n < 2;
	add_distractors(s, e, pick_total(s, 1), domain_of(s, t), 0.6, NULL);
}

/* The right tool is there, but the query lacks an argument that it requires. */
static void make_lacking(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = draw_target(s, 0.3, true);
	const syn_phrase *ph = t ? pick_phrase(s, t) : NULL;
	if (!t || (t->domain != SYN_INVENTED && ph->cut < 0)) {
		e->overflow = true;
		return;
	}
	add_call(s, e, t, ph, t->domain == SYN_INVENTED ? SYN_WHOLE : SYN_LACKING);
	e->n_calls = 0;
	e->about = domain_of(s, t);
	/* a sibling without required arguments might serve: only tools from elsewhere */
	add_distractors(s, e, pick_total(s, 1), t->domain == SYN_INVENTED ? e->about : NULL, 0, t);
}

/* The kinds of example and their shares. */
static void make_any(ndl_synth *s, syn_example *e, double u)
{
	syn_example_reset(e);
	s->n_pool = 0;
	syn_voice_pick(&s->rng, &s->voice);
	if (u < 0.635)
		make_single(s, e);
	else if (u < 0.738)
		make_several(s, e, s->max_tools < 2 ? 1 : 2);
	else if (u < 0.76)
		make_several(s, e, s->max_tools < 3 ? 1 : 3);
	else if (u < 0.82)
		make_series(s, e);
	else if (u < 0.85)
		make_lacking(s, e);
	else if (u < 0.93 || s->n_about == 0)
		make_missing(s, e);
	else
		make_refusal(s, e);
	if (!e->overflow && ndl_rng_chance(&s->rng, OPAQUE))
		syn_make_opaque(&s->rng, e);
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
		shuffle_offers(s, e);
		syn_write_query(&s->gen, e);
		if (e->overflow || e->query.len < 2)
			continue;
		if (ndl_heldout_contains(s->heldout, e->query.data, e->query.len))
			continue;
		syn_write_tools(e);
		syn_write_answers(e);
		if (e->overflow)
			continue;
		if (e->text.failed || e->raws.failed || e->query.failed || e->tools.failed || e->answers.failed)
			return ndl_fail_nomem(err, "an example");
		return NDL_OK;
	}
	return ndl_fail(err, NDL_EINVAL, "no example can be made of this corpus with these options");
}

/* Public ------------------------------------------------------------------------------ */

static void find_style(ndl_synth *s)
{
	const syn_corpus *c = &s->corpus;
	s->gen = (syn_gen){.corpus = c, .rng = &s->rng, .made_up = syn_corpus_list(c, "@made_up")};
	s->gen.style = (syn_style){
		.opening = syn_corpus_list(c, "style_opening"),
		.verb_opening = syn_corpus_list(c, "style_verb_opening"),
		.ending = syn_corpus_list(c, "style_ending"),
		.verb_ending = syn_corpus_list(c, "style_verb_ending"),
		.verbs = syn_corpus_list(c, "style_verbs"),
		.join = syn_corpus_list(c, "style_join"),
		.join_sentence = syn_corpus_list(c, "style_join_sentence"),
	};
	s->gen.cls = s->split == NDL_SYNTH_TRAIN ? SYN_TRAIN
	           : s->split == NDL_SYNTH_PHRASING || s->split == NDL_SYNTH_VALUE ? SYN_HELD : SYN_ANY;
}

ndl_synth *ndl_synth_open(const ndl_synth_options *o, ndl_error *err)
{
	ndl_synth *s = ndl_calloc(1, sizeof *s);
	if (!s) {
		ndl_fail_nomem(err, "the corpus");
		return NULL;
	}
	s->seed = o->seed;
	s->split = o->split;
	s->max_tools = o->max_tools ? (size_t)o->max_tools : 8;
	if (s->max_tools > SYN_MAX_OFFERS)
		s->max_tools = SYN_MAX_OFFERS;
	ndl_status st = syn_corpus_load(&s->corpus, o->corpus, err);
	if (st == NDL_OK)
		st = check_domains(s, o->domains, err);
	if (st == NDL_OK)
		st = choose_targets(s, o->domains, err);
	if (st == NDL_OK && o->heldout && !(s->heldout = ndl_heldout_load(o->heldout, err)))
		st = NDL_EFORMAT;
	if (st) {
		ndl_synth_close(s);
		return NULL;
	}
	s->invented.name = "invented";
	s->invents = s->corpus.n_objects > 4 && !o->domains
		&& (o->split == NDL_SYNTH_ALL || o->split == NDL_SYNTH_TRAIN);
	find_style(s);
	return s;
}

void ndl_synth_close(ndl_synth *s)
{
	if (!s)
		return;
	syn_corpus_clear(&s->corpus);
	syn_example_clear(&s->e);
	free(s->target);
	free(s->about);
	ndl_heldout_free(s->heldout);
	free(s);
}

const char *ndl_synth_domain(const ndl_synth *s, size_t i, size_t *tools, int *held)
{
	if (i >= s->corpus.n_domains)
		return NULL;
	*tools = s->corpus.domain[i].n_tools;
	*held = s->corpus.domain[i].held;
	return s->corpus.domain[i].name;
}

static void write_meta(const ndl_synth *s, const syn_example *e, ndl_buf *out)
{
	static const char *const kinds[] = {"none", "one", "two", "three"};
	ndl_buf_str(out, ",\"meta\":{\"domains\":[");
	for (size_t i = 0; i < e->n_calls || (i == 0 && e->about); i++) {
		const syn_domain *d = e->n_calls ? domain_of(s, e->call[i].tool) : e->about;
		bool seen = false;
		for (size_t k = 0; k < i; k++)
			seen = seen || domain_of(s, e->call[k].tool) == d;
		if (!seen)
			ndl_buf_printf(out, i ? ",\"%s\"" : "\"%s\"", d->name);
	}
	ndl_buf_printf(out, "],\"kind\":\"%s\"}", kinds[e->n_calls]);
}

ndl_status ndl_synth_next(ndl_synth *s, ndl_buf *out, enum ndl_synth_form form, ndl_error *err)
{
	syn_example *e = &s->e;
	ndl_status st = syn_make(s, err);
	if (st)
		return st;
	if (form == NDL_SYNTH_TEXT) {
		ndl_buf_add(out, e->query.data, e->query.len);
		ndl_buf_byte(out, '\n');
		ndl_buf_add(out, e->tools.data, e->tools.len);
		ndl_buf_byte(out, '\n');
		ndl_buf_add(out, e->answers.data, e->answers.len);
		ndl_buf_byte(out, '\n');
	} else {
		ndl_buf_str(out, "{\"query\":");
		ndl_json_write_string(out, e->query.data, e->query.len, 0);
		ndl_buf_str(out, ",\"tools\":");
		ndl_buf_add(out, e->tools.data, e->tools.len);
		ndl_buf_str(out, ",\"answers\":");
		ndl_buf_add(out, e->answers.data, e->answers.len);
		write_meta(s, e, out);
		ndl_buf_str(out, "}\n");
	}
	return ndl_buf_check(out, err);
}
