/* several.c - examples of two and three calls: requests joined, one request with several values, one that is
 * asked again with another value. */
#include "synth/draw.h"

#include <string.h>

/* Of the requests with several values, those that come back to it: "… in Paris? And in Rome?" */
static const double ELLIPSIS = 0.4;

static const syn_tool *next_target(ndl_synth *s, const syn_tool *t)
{
	if (t->domain == SYN_INVENTED)
		return syn_draw_target(s, 0.8, false);
	for (int tries = 0; tries < 30 && ndl_rng_chance(&s->rng, 0.6); tries++) {
		const syn_domain *d = syn_domain_of(s, t);
		const syn_tool *u = d->tool[ndl_rng_below(&s->rng, d->n_tools)];
		if (u != t && syn_is_target(s, u) && !syn_conflict(t, u, false))
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
	syn_add_text(e, j);
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

void syn_make_several(ndl_synth *s, syn_example *e, size_t n)
{
	const syn_tool *t = syn_draw_target(s, SYN_INVENTED_SHARE, false);
	bool again = ndl_rng_chance(&s->rng, 0.22);
	const syn_phrase *ph = t ? syn_pick_phrase(s, t) : NULL;
	if (!t || !joins(e, t, ph) || (again && !ph->has_slot)) {
		e->overflow = true;
		return;
	}
	syn_add_call(s, e, t, ph, SYN_WHOLE);
	for (size_t i = 1; i < n && !e->overflow; i++) {
		const syn_tool *u = again ? t : next_target(s, t);
		ph = !u ? NULL : again && ndl_rng_chance(&s->rng, 0.5) ? e->call[0].phrase : syn_pick_phrase(s, u);
		if (!u || !joins(e, u, ph) || !covered(e, u, ph)) {
			e->overflow = true;
			return;
		}
		join(s, e);
		size_t seg = e->n_segs;
		syn_add_call(s, e, u, ph, SYN_WHOLE);
		if (!e->overflow)
			syn_capitalise(s, e, seg);
	}
	syn_add_distractors(s, e, syn_pick_total(s, n), syn_domain_of(s, t), 0.5, NULL);
}

/* One request with several values in one slot: a call for each. */
void syn_make_series(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = syn_draw_target(s, SYN_INVENTED_SHARE, false);
	const syn_phrase *ph = t ? syn_pick_phrase(s, t) : NULL;
	if (!t || ph->series < 0) {
		e->overflow = true;
		return;
	}
	syn_add_call(s, e, t, ph, ndl_rng_chance(&s->rng, ELLIPSIS) ? SYN_ELLIPSIS : SYN_SERIES);
	int param = ph->piece[ph->series].param, n = e->call[0].n_series;
	for (int i = 1; i < n && i < SYN_MAX_CALLS; i++) {
		syn_call *c = &e->call[e->n_calls++];
		*c = e->call[0];
		for (size_t k = 0; k < c->n_args; k++)
			if (c->arg[k].param == param)
				c->arg[k].first += i;
	}
	e->overflow = e->overflow || n < 2;
	syn_add_distractors(s, e, syn_pick_total(s, 1), syn_domain_of(s, t), 0.6, NULL);
}
