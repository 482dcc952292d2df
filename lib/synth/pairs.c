/* pairs.c - what the values of one call owe each other: starts come before ends, from differs from to,
 * x has as many items as y. */
#include "synth/fill.h"

#include <string.h>
#include <strings.h>

/* Nothing twice ----------------------------------------------------------------------- */

static bool same_surface(const filler *f, const slot *t, int k, const syn_made *m)
{
	return t->made[k].len == m->surface.len
		&& strncasecmp(f->e->text.data + t->made[k].off, m->surface.data, m->surface.len) == 0;
}

static bool same_raw(const filler *f, const slot *t, int k, const syn_made *m)
{
	return m->raw.len && t->made[k].raw_len == m->raw.len
		&& memcmp(f->e->raws.data + t->made[k].raw_off, m->raw.data, m->raw.len) == 0;
}

bool syn_said_before(const filler *f, const slot *s, const syn_made *m)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		const slot *t = &f->slot[i];
		bool same_kind = t->p->source.kind == s->p->source.kind && t->p->source.list == s->p->source.list;
		bool same_enum = s == t || (s->p->enum_json && t->p->enum_json
			&& strcmp(s->p->enum_json, t->p->enum_json) == 0);
		for (int k = 0; k < t->n; k++)
			if ((same_kind && same_surface(f, t, k, m)) || (same_enum && same_raw(f, t, k, m)))
				return true;
	}
	return false;
}

/* Start before end -------------------------------------------------------------------- */

static bool has_any(const char *name, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (syn_has_word(name, words[i]))
			return true;
	return false;
}

static bool is_start(const slot *s)
{
	static const char *const words[] = {"start", "starts", "from", "begin", "min", "minimum", "check_in",
		"lower", "low", "first", "departure", "depart", "pickup", "outbound", "since", NULL};
	static const char *const whole[] = {"date", "day", "time", "when", NULL}; /* as in date and end_date */
	for (size_t i = 0; whole[i]; i++)
		if (strcmp(s->p->name, whole[i]) == 0)
			return true;
	return has_any(s->p->name, words);
}

static bool is_end(const slot *s)
{
	static const char *const words[] = {"end", "ends", "to", "until", "stop", "max", "maximum", "check_out",
		"upper", "high", "last", "return", "dropoff", "returning", NULL};
	return has_any(s->p->name, words);
}

static bool one_kind(const slot *a, const slot *b)
{
	return a != b && a->p->source.kind == b->p->source.kind && a->p->type == b->p->type;
}

const slot *syn_partner(const filler *f, const slot *s)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		const slot *t = &f->slot[i];
		if (t->n && one_kind(s, t) && ((is_start(s) && is_end(t)) || (is_end(s) && is_start(t))))
			return t;
	}
	return NULL;
}

static void swap_values(slot *a, slot *b)
{
	slot t = *a;
	a->made[0] = b->made[0];
	a->key = b->key;
	b->made[0] = t.made[0];
	b->key = t.key;
}

bool syn_order_pairs(filler *f)
{
	for (size_t i = 0; i < f->n_slots; i++)
		for (size_t j = 0; j < f->n_slots; j++) {
			slot *a = &f->slot[i], *b = &f->slot[j];
			if (one_kind(a, b) && !a->many && !b->many && a->has_key && b->has_key && a->form == b->form
				&& a->key > b->key && is_start(a) && is_end(b)) {
				if ((a->made[0].raw_len == 0) != (b->made[0].raw_len == 0))
					return false;
				swap_values(a, b);
			}
		}
	return true;
}

/* Lists of one length ----------------------------------------------------------------- */

static bool is_numbers(const slot *s)
{
	return s->many && s->p->type == SYN_ARRAY && (s->p->item_type == SYN_INTEGER || s->p->item_type == SYN_NUMBER);
}

const slot *syn_beside(const filler *f, const slot *s)
{
	for (size_t i = 0; i < f->n_slots; i++)
		if (&f->slot[i] != s && f->slot[i].n && is_numbers(s) && is_numbers(&f->slot[i]))
			return &f->slot[i];
	return NULL;
}
