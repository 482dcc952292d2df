/* dated.c - requests that tell which day is today and say a day by it: "today is Tuesday 3 March 2026, book a
 * table for next Friday" is passed as "2026-03-13" where the tool wants ISO dates. */
#include "synth/draw.h"

#include <string.h>

/* The first description that asks for an ISO date; -1 if none does. */
static int iso_description(const syn_param *p)
{
	for (size_t i = 0; p->type == SYN_STRING && p->source.kind == SYN_DATE_ISO && i < p->descriptions.n; i++)
		if (p->source.converted || syn_iso_date_wanted(p->descriptions.s[i]))
			return (int)i;
	return -1;
}

bool syn_may_be_dated(const syn_tool *t)
{
	for (size_t i = 0; i < t->n_params; i++)
		if (iso_description(&t->param[i]) >= 0)
			return true;
	return false;
}

static bool says_date(const syn_tool *t, const syn_phrase *ph)
{
	for (size_t i = 0; i < ph->n_pieces; i++)
		if (!ph->piece[i].text && ph->piece[i].prop < 0 && !ph->piece[i].many
			&& iso_description(&t->param[ph->piece[i].param]) >= 0)
			return true;
	return false;
}

/* Mostly the wanted form is said: then a day must be worked out. Else it is passed as said. */
static void want_iso(ndl_synth *s, syn_offer *o)
{
	for (size_t i = 0; i < o->n_params; i++) {
		int d = iso_description(&o->tool->param[o->param[i].param]);
		if (d >= 0 && ndl_rng_chance(&s->rng, 0.85))
			o->param[i].description = d;
	}
}

void syn_make_dated(ndl_synth *s, syn_example *e)
{
	const syn_tool *t = s->n_dated ? s->dated[ndl_rng_below(&s->rng, s->n_dated)] : NULL;
	const syn_phrase *ph = NULL;
	for (int tries = 0; t && tries < 8 && (!ph || !says_date(t, ph)); tries++)
		ph = syn_pick_phrase(s, t);
	if (!ph || !says_date(t, ph)) {
		e->overflow = true;
		return;
	}
	bool before = ndl_rng_chance(&s->rng, 0.7);
	ndl_buf *b = &e->made.surface;
	syn_pick_today(&s->rng, &s->gen.today);
	e->dated = true;
	if (before) {
		ndl_buf_reset(b);
		syn_tell_today(&s->rng, b, &s->gen.today, true);
		syn_add_literal(e, ndl_buf_cstr(b), b->len);
		e->request = e->n_segs;
	}
	syn_offer_tool(s, e, t, ph);
	if (e->overflow)
		return;
	want_iso(s, &e->offer[0]);
	syn_add_call(s, e, t, ph, SYN_WHOLE);
	if (e->overflow)
		return;
	syn_capitalise(s, e, e->request);
	if (!before) {
		e->overflow = e->call[0].open_end; /* it would be taken for the text's end */
		ndl_buf_reset(b);
		syn_tell_today(&s->rng, b, &s->gen.today, false);
		syn_add_literal(e, ndl_buf_cstr(b), b->len);
	}
	syn_add_distractors(s, e, syn_pick_total(s, 1), syn_domain_of(s, t), 0.6, NULL);
}
