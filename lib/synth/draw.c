/* draw.c - chance: which tools, phrases and distractors an example gets. */
#include "synth/draw.h"

#include <stdio.h>
#include <string.h>

/* What may come ----------------------------------------------------------------------- */

bool syn_is_target(const ndl_synth *s, const syn_tool *t)
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
bool syn_may_offer(const ndl_synth *s, const syn_tool *t)
{
	return !t->held || s->split == NDL_SYNTH_ALL || s->split == NDL_SYNTH_TOOL
		|| s->split == NDL_SYNTH_DOMAIN;
}

/* Phrases ----------------------------------------------------------------------------- */

/* One of n wordings, the first n_train for training, of which the split admits some; any where it admits none. */
static size_t pick_wording(ndl_synth *s, size_t n, size_t n_train)
{
	bool training = s->split == NDL_SYNTH_TRAIN || s->split == NDL_SYNTH_VALUE;
	size_t from = s->split == NDL_SYNTH_PHRASING ? n_train : 0, to = training ? n_train : n;
	if (to <= from)
		from = 0, to = n;
	return from + ndl_rng_below(&s->rng, to - from);
}

const syn_phrase *syn_pick_phrase(ndl_synth *s, const syn_tool *t)
{
	const syn_phrase *ph = &t->phrase[pick_wording(s, t->n_phrases, t->n_train)];
	if (!ph->has_slot && ndl_rng_chance(&s->rng, 0.45)) /* there are few ways to say it */
		ph = &t->phrase[pick_wording(s, t->n_phrases, t->n_train)];
	return ph;
}

const char *syn_pick_refusal(ndl_synth *s, const syn_domain *d)
{
	return d->refusal[pick_wording(s, d->n_refusals, d->n_refusals_train)].surface;
}

const syn_domain *syn_domain_of(const ndl_synth *s, const syn_tool *t)
{
	return t->domain == SYN_INVENTED ? &s->invented : &s->corpus.domain[t->domain];
}

/* Invented tools ---------------------------------------------------------------------- */

/* A new tool of this object into the pool; NULL if it did not work out. */
syn_invented *syn_invent_new(ndl_synth *s, const syn_object *object, bool lacking)
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
	return &s->corpus.object[s->first_object + ndl_rng_below(&s->rng, s->corpus.n_objects - s->first_object)];
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

const syn_tool *syn_draw_target(ndl_synth *s, double invented, bool lacking)
{
	if (s->own || (s->invents && ndl_rng_chance(&s->rng, invented))) {
		const syn_object *o = next_object(s, 0.6);
		syn_invented *t = o->mute || in_pool(s, o) ? NULL : syn_invent_new(s, o, lacking);
		return t ? &t->tool : NULL;
	}
	return s->target[ndl_rng_below(&s->rng, s->n_targets)];
}

/* Offered tools ----------------------------------------------------------------------- */

bool syn_offered(const syn_example *e, const syn_tool *t)
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

void syn_offer_tool(ndl_synth *s, syn_example *e, const syn_tool *t, const syn_phrase *ph)
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
	if (!syn_may_offer(s, t) || syn_offered(e, t) || t == missing)
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
	syn_invented *t = syn_invent_new(s, o, false);
	return t ? &t->tool : NULL;
}

/* Tools that are not the answer: siblings of `near` with chance p, else any. */
void syn_add_distractors(ndl_synth *s, syn_example *e, size_t total, const syn_domain *near,
	double p, const syn_tool *missing)
{
	for (size_t tries = 0; e->n_offers < total && tries < 20 * total; tries++) {
		const syn_tool *t;
		if (s->own || (near == &s->invented && ndl_rng_chance(&s->rng, 0.85)))
			t = draw_invented(s, missing != NULL);
		else if (near && near->n_tools && ndl_rng_chance(&s->rng, p))
			t = near->tool[ndl_rng_below(&s->rng, near->n_tools)];
		else if (p < 1 || near == &s->invented)
			t = &s->corpus.tool[ndl_rng_below(&s->rng, s->corpus.n_tools)];
		else
			continue;
		if (t && stands(s, e, t, missing))
			syn_offer_tool(s, e, t, NULL);
	}
}

/* How many tools: few more often than many, since each costs a training step time. */
size_t syn_pick_total(ndl_synth *s, size_t least)
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
	if (s->own && ndl_rng_chance(&s->rng, 0.5)) /* all of them, as they will be in use */
		n = s->corpus.n_objects - s->first_object;
	n = n > s->max_tools ? s->max_tools : n;
	return n < least ? least : n;
}

void syn_shuffle_offers(ndl_synth *s, syn_example *e)
{
	for (size_t i = e->n_offers; i > 1; i--) {
		size_t j = ndl_rng_below(&s->rng, i);
		syn_offer t = e->offer[i - 1];
		e->offer[i - 1] = e->offer[j];
		e->offer[j] = t;
	}
}
