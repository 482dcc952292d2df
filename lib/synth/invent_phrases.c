/* invent_phrases.c - what people say who want an invented tool, in the words of its names and fields. */
#include "synth/card.h"
#include "synth/compose.h"
#include "synth/invent_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct phrase_maker {
	const syn_corpus *c;
	ndl_rng *r;
	syn_invented *t;
	size_t at;                     /* which phrase */
	size_t n_pieces, n_fixed;
	size_t order[SYN_MAX_FIELDS], n; /* the fields that are said */
	syn_pen words;                     /* of the literal being written */
	bool open;
} phrase_maker;

static const syn_field *field_of(const phrase_maker *m, size_t i)
{
	return &m->c->field[m->t->object->field[i]];
}

static void say_n(phrase_maker *m, const char *s, size_t n)
{
	if (!m->open)
		m->words = syn_pen_begin(m->t);
	m->open = true;
	syn_pen_add_n(&m->words, s, n);
}

static void say(phrase_maker *m, const char *s)
{
	say_n(m, s, strlen(s));
}

static void end_words(phrase_maker *m)
{
	if (!m->open)
		return;
	if (m->n_pieces < SYN_MAX_PIECES)
		m->t->piece[m->at][m->n_pieces++] = (syn_piece){.text = syn_pen_finish(&m->words)};
	else
		m->t->failed = true;
	m->open = false;
}

/* "due_date" and "dueDate" as "due date". */
static void spoken_name(const char *name, char out[80])
{
	size_t n = 0;
	for (const char *s = name; *s && n + 2 < 80; s++) {
		bool up = isupper((unsigned char)*s) && s > name && islower((unsigned char)s[-1]);
		if (up)
			out[n++] = ' ';
		out[n++] = (char)(*s == '_' || *s == '-' ? ' ' : up ? tolower((unsigned char)*s) : *s);
	}
	out[n] = '\0';
	syn_end_whole(out);
}

static void say_slot(phrase_maker *m, size_t i)
{
	end_words(m);
	if (m->n_pieces == SYN_MAX_PIECES) {
		m->t->failed = true;
		return;
	}
	m->t->piece[m->at][m->n_pieces++] = (syn_piece){.param = (int16_t)i, .prop = -1,
		.many = m->t->param[i].type == SYN_ARRAY};
}

/* The properties of an object: the required ones and some of the others, each with its name. */
static void say_props(phrase_maker *m, size_t i)
{
	const syn_param *p = &m->t->param[i];
	size_t said = 0;
	for (size_t k = 0; k < p->n_props; k++) {
		const syn_param *q = &p->props[k];
		char name[80];
		if (q->source.kind == SYN_NONE || (!q->required && said && ndl_rng_chance(m->r, 0.4)))
			continue;
		if (m->n_pieces + 3 > SYN_MAX_PIECES)
			m->t->failed = true;
		if (m->t->failed)
			return;
		spoken_name(q->name, name);
		say(m, said++ ? ", " : "");
		say(m, name);
		say(m, " ");
		end_words(m);
		m->t->piece[m->at][m->n_pieces++] = (syn_piece){.param = (int16_t)i, .prop = (int16_t)k,
			.many = q->type == SYN_ARRAY};
	}
}

/* "due {}" with the slot in its place. */
static void say_form(phrase_maker *m, size_t i, const char *form)
{
	const char *slot = strstr(form, "{}");
	if (!slot) {
		say(m, form);
		return;
	}
	if (slot > form)
		say_n(m, form, (size_t)(slot - form));
	say_slot(m, i);
	if (slot[2])
		say(m, slot + 2);
}

/* A boolean is said in words that fix its value. */
static bool say_boolean(phrase_maker *m, size_t i)
{
	const syn_field *f = field_of(m, i);
	if (f->param.type != SYN_BOOLEAN)
		return false;
	bool yes = f->no.n == 0 || (f->yes.n && ndl_rng_chance(m->r, 0.6));
	say(m, syn_pick_string(m->r, yes ? &f->yes : &f->no));
	m->t->fixed[m->at][m->n_fixed++] = (syn_fixed){(int16_t)i, -1, yes ? "true" : "false"};
	return true;
}

/* What is said without its name in front: a boolean, an object by its properties. */
static bool say_unnamed(phrase_maker *m, size_t i)
{
	if (field_of(m, i)->param.type != SYN_OBJECT)
		return say_boolean(m, i);
	say_props(m, i);
	return true;
}

static void say_name(phrase_maker *m, size_t i)
{
	char name[80];
	const char *spoken = field_of(m, i)->spoken;
	spoken_name(spoken ? spoken : m->t->param[i].name, name);
	say(m, name);
}

/* A noun form for after "with": the field's own, or its name and the value. */
static void say_noun(phrase_maker *m, size_t i)
{
	const syn_field *f = field_of(m, i);
	char name[80];
	if (say_unnamed(m, i))
		return;
	if (f->with.n && ndl_rng_chance(m->r, 0.75)) {
		say_form(m, i, syn_pick_string(m->r, &f->with));
		return;
	}
	bool of = (f->param.type == SYN_INTEGER || f->param.type == SYN_NUMBER) && ndl_rng_chance(m->r, 0.4);
	spoken_name(f->spoken ? f->spoken : m->t->param[i].name, name);
	if (of)
		say(m, syn_takes_an(name) ? "an " : "a ");
	say(m, name);
	say(m, of ? " of " : " ");
	say_slot(m, i);
}

static bool has_adverb(const phrase_maker *m, size_t i)
{
	return field_of(m, i)->adverb.n > 0 || field_of(m, i)->param.type == SYN_BOOLEAN;
}

static void say_request(phrase_maker *m)
{
	const syn_object *o = m->t->object;
	const syn_verb *verb = &m->c->verb[o->verb];
	if (o->heads.n && (o->said.n == 0 || ndl_rng_chance(m->r, 0.45))) {
		say(m, syn_pick_string(m->r, &o->heads));
		return;
	}
	say(m, syn_pick_string(m->r, &verb->say));
	say(m, " ");
	say(m, syn_pick_string(m->r, &o->said));
}

/* "weather in Rome": the thing alone. */
static void say_thing(phrase_maker *m)
{
	const char *s = m->t->object->said.s[0];
	static const char *const articles[] = {"the ", "a ", "an ", "whether "};
	for (size_t i = 0; i < 4; i++)
		if (strncmp(s, articles[i], strlen(articles[i])) == 0)
			s += strlen(articles[i]);
	say(m, s);
}

/* "play {song}": the first field in place of the object. False if it is not among those said. */
static bool say_directly(phrase_maker *m)
{
	size_t k = 0;
	while (k < m->n && m->order[k] != 0)
		k++;
	if (k == m->n)
		return false;
	memmove(m->order + 1, m->order, k * sizeof *m->order);
	m->order[0] = 0;
	say(m, m->c->verb[m->t->object->verb].say.s[ndl_rng_below(m->r, 5)]);
	say(m, " ");
	say_slot(m, 0);
	return true;
}

/* " for Ann due Friday with a total of 40 and currency EUR" */
static void say_tail(phrase_maker *m, size_t from, bool adverbs, const char *lead)
{
	size_t left = 0, k = 0;
	for (size_t i = from; adverbs && i < m->n; i++)
		if (has_adverb(m, m->order[i])) {
			say(m, " ");
			if (!say_boolean(m, m->order[i]))
				say_form(m, m->order[i], syn_pick_string(m->r, &field_of(m, m->order[i])->adverb));
		}
	for (size_t i = from; i < m->n; i++)
		left += !adverbs || !has_adverb(m, m->order[i]);
	for (size_t i = from; i < m->n; i++) {
		if (adverbs && has_adverb(m, m->order[i]))
			continue;
		say(m, k == 0 ? lead : k + 1 < left ? ", " : " and ");
		say_noun(m, m->order[i]);
		k++;
	}
}

/* "base=10, height: 5" */
static void say_pairs(phrase_maker *m)
{
	static const char *const marks[] = {": ", " = ", "=", " "}, *const leads[] = {", ", " with ", ": ", " (", " - "};
	const char *mark = marks[ndl_rng_below(m->r, 4)];
	size_t lead = ndl_rng_below(m->r, 5);
	for (size_t i = 0; i < m->n; i++) {
		say(m, i ? ", " : leads[lead]);
		if (say_unnamed(m, m->order[i]))
			continue;
		say_name(m, m->order[i]);
		say(m, mark);
		say_slot(m, m->order[i]);
	}
	if (lead == 3 && m->n)
		say(m, ")");
}

/* ". The base is 10. The height is 5." */
static void say_sentences(phrase_maker *m)
{
	bool one = ndl_rng_chance(m->r, 0.5);
	say(m, ". ");
	for (size_t i = 0; i < m->n; i++) {
		size_t f = m->order[i];
		bool start = i == 0 || !one;
		if (i)
			say(m, !one ? ". " : i + 1 < m->n ? ", " : " and ");
		if (start && field_of(m, f)->param.type == SYN_BOOLEAN)
			say(m, "Do it ");
		if (say_unnamed(m, f))
			continue;
		say(m, start ? "The " : "the ");
		say_name(m, f);
		say(m, m->t->param[f].type == SYN_ARRAY ? " are " : " is ");
		say_slot(m, f);
	}
	say(m, ".");
}

/* "given a base of 10 and height 5, calculate the area of a triangle" */
static void say_context(phrase_maker *m)
{
	static const char *const leads[] = {"given ", "for ", "with ", "using ", "I have "};
	say_tail(m, 0, false, leads[ndl_rng_below(m->r, 5)]);
	say(m, ", ");
	say_request(m);
}

static void make_words(phrase_maker *m)
{
	double u = ndl_rng_unit(m->r);
	bool flags = false; /* booleans do not stand in front */
	for (size_t i = 0; i < m->n; i++)
		flags = flags || field_of(m, m->order[i])->param.type == SYN_BOOLEAN;
	if (m->t->object->direct && u < 0.45 && say_directly(m)) {
		say_tail(m, 1, ndl_rng_chance(m->r, 0.8), " with ");
	} else if (u < 0.12 && m->n && !flags) {
		say_context(m);
	} else if (u > 0.93 && m->n && m->t->object->said.n) {
		say_thing(m);
		say_tail(m, 0, ndl_rng_chance(m->r, 0.7), " with ");
	} else {
		say_request(m);
		if (u < 0.70)
			say_tail(m, 0, true, " with ");
		else if (u < 0.82)
			say_tail(m, 0, ndl_rng_chance(m->r, 0.5), ", ");
		else if (u < 0.88 || m->n == 0)
			say_pairs(m);
		else
			say_sentences(m);
	}
	end_words(m);
}

/* Which fields are said, in which order: required ones mostly first. */
static void choose_fields(phrase_maker *m, bool lacking)
{
	const syn_object *o = m->t->object;
	size_t drop = lacking ? ndl_rng_below(m->r, o->n_required) : SIZE_MAX;
	double optional = ndl_rng_chance(m->r, 0.3) ? 0.85 : 0.3;
	for (size_t i = 0; i < o->n_required; i++)
		if (i != drop)
			m->order[m->n++] = i;
	if (ndl_rng_chance(m->r, 0.4))
		ndl_rng_shuffle(m->r, m->order, m->n);
	for (size_t i = o->n_required; i < o->n_fields; i++)
		if (ndl_rng_chance(m->r, optional) && m->n < 6)
			m->order[m->n++] = i;
	if (ndl_rng_chance(m->r, 0.2))
		ndl_rng_shuffle(m->r, m->order, m->n);
}

void syn_invent_phrase(const syn_corpus *c, ndl_rng *r, syn_invented *t, size_t at, bool lacking)
{
	phrase_maker m = {.c = c, .r = r, .t = t, .at = at};
	syn_phrase *ph = &t->phrase[at];
	choose_fields(&m, lacking);
	make_words(&m);
	*ph = (syn_phrase){.piece = t->piece[at], .n_pieces = m.n_pieces, .fixed = t->fixed[at],
		.n_fixed = m.n_fixed, .has_slot = m.n > 0};
	for (size_t i = 0; i < m.n_pieces; i++)
		if (t->piece[at][i].text)
			ph->id = ndl_hash64(t->piece[at][i].text, strlen(t->piece[at][i].text), ph->id);
	syn_phrase_vary(&t->tool, ph);
}
