#include "synth/invent.h"
#include "synth/card.h"
#include "synth/compose.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text kept in the tool --------------------------------------------------------------- */

typedef struct pen {
	syn_invented *t;
	size_t start;
} pen;

static pen begin(syn_invented *t)
{
	return (pen){t, t->used};
}

static void add_n(pen *p, const char *s, size_t n)
{
	if (n >= SYN_INVENTED_TEXT - p->t->used) {
		p->t->failed = true;
		return;
	}
	memcpy(p->t->text + p->t->used, s, n);
	p->t->used += n;
}

static void add(pen *p, const char *s)
{
	add_n(p, s, strlen(s));
}

static char *finish(pen *p)
{
	p->t->text[p->t->used] = '\0';
	if (p->t->used + 1 < SYN_INVENTED_TEXT)
		p->t->used++;
	else
		p->t->failed = true;
	return p->t->text + p->start;
}

static const char *pick(ndl_rng *r, const syn_strings *s)
{
	return s->s[ndl_rng_below(r, s->n)];
}

/* One string as a list of one. */
static syn_strings only(syn_invented *t, const char *s)
{
	if (t->n_strings == SYN_INVENTED_STRINGS) {
		t->failed = true;
		t->n_strings = 0;
	}
	t->string[t->n_strings] = s;
	return (syn_strings){&t->string[t->n_strings++], 1};
}

/* "due_date" as "due date". */
static void add_spoken(pen *p, const char *name)
{
	for (; *name; name++)
		add_n(p, *name == '_' ? " " : name, 1);
}

/* "due_date" as "dueDate". */
static void add_camel(pen *p, const char *name)
{
	bool up = false;
	for (; *name; name++) {
		char ch = (char)(up ? toupper((unsigned char)*name) : *name);
		up = *name == '_';
		if (!up)
			add_n(p, &ch, 1);
	}
}

/* Names ------------------------------------------------------------------------------- */

/* snake_case, as models see a tool's name whatever the user wrote: "module.name" and
 * "module_name" are one. Arguments keep their own form. */

static const char *tool_name(ndl_rng *r, syn_invented *t, const syn_verb *verb, const syn_voice *v)
{
	bool bare = v->naming == SYN_OBJECT_ONLY || (v->naming == SYN_GROUPED && ndl_rng_chance(r, 0.4));
	pen p = begin(t);
	if (v->naming == SYN_GROUPED) {
		add(&p, t->object->group);
		add(&p, "_");
	}
	if (!bare) {
		add(&p, pick(r, &verb->names));
		add(&p, "_");
	}
	add(&p, t->object->name);
	return finish(&p);
}

static const char *field_name(syn_invented *t, const char *name, const syn_voice *v)
{
	if (v->naming != SYN_CAMEL)
		return name;
	pen p = begin(t);
	add_camel(&p, name);
	return finish(&p);
}

/* Descriptions ------------------------------------------------------------------------ */

static void add_list(pen *p, const syn_param *param, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			add(p, i + 1 < n ? ", " : " and ");
		add_spoken(p, param[i].name);
	}
}

static const char *tool_description(ndl_rng *r, syn_invented *t, const syn_verb *verb, const syn_voice *v)
{
	static const char *const given[] = {" given the ", " from the ", " based on ", " using the "};
	pen p = begin(t);
	add(&p, pick(r, &verb->describe));
	add(&p, " ");
	add(&p, t->object->said.s[ndl_rng_chance(r, 0.7) ? 0 : ndl_rng_below(r, t->object->said.n)]);
	if (t->object->n_required && ndl_rng_chance(r, v->notes ? 0.45 : 0.15)) {
		add(&p, given[ndl_rng_below(r, 4)]);
		add_list(&p, t->param, t->object->n_required);
	}
	add(&p, ".");
	return finish(&p);
}

/* Notes as public interfaces have them: what is optional, and what holds when it is absent. */
static void add_notes(pen *p, ndl_rng *r, const syn_field *f, const syn_param *q)
{
	static const char *const defaults[] = {" Default is ", " Defaults to ", " (default: "};
	char value[80] = "";
	if (q->required) {
		if (ndl_rng_chance(r, 0.2))
			add(p, " Required.");
		return;
	}
	if (q->enum_json)
		sscanf(q->enum_json, "[\"%60[^\"]", value);
	else if (q->type == SYN_BOOLEAN)
		snprintf(value, sizeof value, "%s", f->yes.n ? "false" : "true");
	else if ((q->type == SYN_INTEGER || q->type == SYN_NUMBER) && q->source.kind == SYN_INT)
		snprintf(value, sizeof value, "%d", (int)(q->source.lo > 0 ? q->source.lo : 0));
	if (!*value || ndl_rng_chance(r, 0.3)) {
		add(p, ndl_rng_chance(r, 0.5) ? " Optional." : " (optional)");
		return;
	}
	size_t i = ndl_rng_below(r, 3);
	add(p, defaults[i]);
	add(p, value);
	add(p, i == 2 ? ")" : ".");
}

static const char *field_description(ndl_rng *r, syn_invented *t, const syn_field *f, const syn_param *q,
	const syn_voice *v)
{
	const char *d = pick(r, &f->param.descriptions);
	if (!v->notes)
		return d;
	pen p = begin(t);
	add(&p, d);
	add_notes(&p, r, f, q);
	return finish(&p);
}

/* Phrases ----------------------------------------------------------------------------- */

typedef struct phrase_maker {
	const syn_corpus *c;
	ndl_rng *r;
	syn_invented *t;
	size_t at;                     /* which phrase */
	size_t n_pieces, n_fixed;
	size_t order[SYN_MAX_FIELDS], n; /* the fields that are said */
	pen words;                     /* of the literal being written */
	bool open;
} phrase_maker;

static const syn_field *field_of(const phrase_maker *m, size_t i)
{
	return &m->c->field[m->t->object->field[i]];
}

static void say(phrase_maker *m, const char *s)
{
	if (!m->open)
		m->words = begin(m->t);
	m->open = true;
	add(&m->words, s);
}

static void end_words(phrase_maker *m)
{
	if (!m->open)
		return;
	if (m->n_pieces < SYN_MAX_PIECES)
		m->t->piece[m->at][m->n_pieces++] = (syn_piece){.text = finish(&m->words)};
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
	char head[120];
	if (!slot) {
		say(m, form);
		return;
	}
	snprintf(head, sizeof head, "%.*s", (int)(slot - form), form);
	if (*head)
		say(m, head);
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
	say(m, pick(m->r, yes ? &f->yes : &f->no));
	m->t->fixed[m->at][m->n_fixed++] = (syn_fixed){(int16_t)i, -1, yes ? "true" : "false"};
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
	if (say_boolean(m, i))
		return;
	if (f->param.type == SYN_OBJECT) {
		say_props(m, i);
		return;
	}
	if (f->with.n && ndl_rng_chance(m->r, 0.75)) {
		say_form(m, i, pick(m->r, &f->with));
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
		say(m, pick(m->r, &o->heads));
		return;
	}
	say(m, pick(m->r, &verb->say));
	say(m, " ");
	say(m, pick(m->r, &o->said));
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
				say_form(m, m->order[i], pick(m->r, &field_of(m, m->order[i])->adverb));
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
		if (say_boolean(m, m->order[i]))
			continue;
		if (m->t->param[m->order[i]].type == SYN_OBJECT) {
			say_props(m, m->order[i]);
			continue;
		}
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
		if (field_of(m, f)->param.type == SYN_BOOLEAN) {
			say(m, start ? "Do it " : "");
			say_boolean(m, f);
			continue;
		}
		if (field_of(m, f)->param.type == SYN_OBJECT) {
			say_props(m, f);
			continue;
		}
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

static void make_phrase(const syn_corpus *c, ndl_rng *r, syn_invented *t, size_t at, bool lacking)
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

/* The tool ---------------------------------------------------------------------------- */

void syn_voice_pick(ndl_rng *r, syn_voice *v)
{
	static const enum syn_naming often[] = {SYN_SNAKE, SYN_SNAKE, SYN_SNAKE, SYN_CAMEL, SYN_GROUPED,
		SYN_GROUPED, SYN_OBJECT_ONLY};
	v->naming = often[ndl_rng_below(r, 7)];
	v->notes = ndl_rng_chance(r, 0.6);
}

void syn_invent(const syn_corpus *c, ndl_rng *r, syn_invented *t, const syn_object *object,
	const syn_voice *voice, bool lacking)
{
	const syn_verb *verb = &c->verb[object->verb];
	t->object = object;
	t->n_strings = t->used = 0;
	t->failed = lacking && object->n_required == 0;
	if (t->failed)
		return;
	for (size_t i = 0; i < object->n_fields; i++) {
		const syn_field *f = &c->field[object->field[i]];
		syn_param *q = &t->param[i];
		*q = f->param;
		q->required = i < object->n_required;
		if (object->rendered)
			continue;
		q->names = only(t, field_name(t, f->param.name, voice));
		q->descriptions = only(t, field_description(r, t, f, q, voice));
	}
	t->tool = (syn_tool){.name = object->name, .param = t->param, .n_params = object->n_fields,
		.phrase = t->phrase, .n_phrases = SYN_INVENTED_PHRASES, .n_train = SYN_INVENTED_PHRASES,
		.domain = SYN_INVENTED, .tense = syn_tense_of(object->rendered ? object->name : verb->name, "")};
	t->tool.rendered = object->rendered;
	t->tool.names = only(t, object->rendered ? object->name : tool_name(r, t, verb, voice));
	t->tool.descriptions = only(t, object->rendered ? object->description : tool_description(r, t, verb, voice));
	for (size_t i = 0; i < SYN_INVENTED_PHRASES; i++)
		make_phrase(c, r, t, i, lacking);
}
