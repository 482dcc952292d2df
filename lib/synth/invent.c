#include "synth/invent_internal.h"
#include "synth/card.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text kept in the tool --------------------------------------------------------------- */

syn_pen syn_pen_begin(syn_invented *t)
{
	return (syn_pen){t, t->used};
}

void syn_pen_add_n(syn_pen *p, const char *s, size_t n)
{
	if (n >= SYN_INVENTED_TEXT - p->t->used) {
		p->t->failed = true;
		return;
	}
	memcpy(p->t->text + p->t->used, s, n);
	p->t->used += n;
}

void syn_pen_add(syn_pen *p, const char *s)
{
	syn_pen_add_n(p, s, strlen(s));
}

char *syn_pen_finish(syn_pen *p)
{
	p->t->text[p->t->used] = '\0';
	if (p->t->used + 1 < SYN_INVENTED_TEXT)
		p->t->used++;
	else
		p->t->failed = true;
	return p->t->text + p->start;
}

const char *syn_pick_string(ndl_rng *r, const syn_strings *s)
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
static void add_spoken(syn_pen *p, const char *name)
{
	for (; *name; name++)
		syn_pen_add_n(p, *name == '_' ? " " : name, 1);
}

/* "due_date" as "dueDate". */
static void add_camel(syn_pen *p, const char *name)
{
	bool up = false;
	for (; *name; name++) {
		char ch = (char)(up ? toupper((unsigned char)*name) : *name);
		up = *name == '_';
		if (!up)
			syn_pen_add_n(p, &ch, 1);
	}
}

/* Names ------------------------------------------------------------------------------- */

/* snake_case, as models see a tool's name whatever the user wrote: "module.name" and
 * "module_name" are one. Arguments keep their own form. */

static const char *tool_name(ndl_rng *r, syn_invented *t, const syn_verb *verb, const syn_voice *v)
{
	bool bare = v->naming == SYN_OBJECT_ONLY || (v->naming == SYN_GROUPED && ndl_rng_chance(r, 0.4));
	syn_pen p = syn_pen_begin(t);
	if (v->naming == SYN_GROUPED) {
		syn_pen_add(&p, t->object->group);
		syn_pen_add(&p, "_");
	}
	if (!bare) {
		syn_pen_add(&p, syn_pick_string(r, &verb->names));
		syn_pen_add(&p, "_");
	}
	syn_pen_add(&p, t->object->name);
	return syn_pen_finish(&p);
}

static const char *field_name(syn_invented *t, const char *name, const syn_voice *v)
{
	if (v->naming != SYN_CAMEL)
		return name;
	syn_pen p = syn_pen_begin(t);
	add_camel(&p, name);
	return syn_pen_finish(&p);
}

/* Descriptions ------------------------------------------------------------------------ */

static void add_list(syn_pen *p, const syn_param *param, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			syn_pen_add(p, i + 1 < n ? ", " : " and ");
		add_spoken(p, param[i].name);
	}
}

static const char *tool_description(ndl_rng *r, syn_invented *t, const syn_verb *verb, const syn_voice *v)
{
	static const char *const given[] = {" given the ", " from the ", " based on ", " using the "};
	syn_pen p = syn_pen_begin(t);
	syn_pen_add(&p, syn_pick_string(r, &verb->describe));
	syn_pen_add(&p, " ");
	syn_pen_add(&p, t->object->said.s[ndl_rng_chance(r, 0.7) ? 0 : ndl_rng_below(r, t->object->said.n)]);
	if (t->object->n_required && ndl_rng_chance(r, v->notes ? 0.45 : 0.15)) {
		syn_pen_add(&p, given[ndl_rng_below(r, 4)]);
		add_list(&p, t->param, t->object->n_required);
	}
	syn_pen_add(&p, ".");
	return syn_pen_finish(&p);
}

/* Notes as public interfaces have them: what is optional, and what holds when it is absent. */
static void add_notes(syn_pen *p, ndl_rng *r, const syn_field *f, const syn_param *q)
{
	static const char *const defaults[] = {" Default is ", " Defaults to ", " (default: "};
	char value[80] = "";
	if (q->required) {
		if (ndl_rng_chance(r, 0.2))
			syn_pen_add(p, " Required.");
		return;
	}
	if (q->enum_json)
		sscanf(q->enum_json, "[\"%60[^\"]", value);
	else if (q->type == SYN_BOOLEAN)
		snprintf(value, sizeof value, "%s", f->yes.n ? "false" : "true");
	else if ((q->type == SYN_INTEGER || q->type == SYN_NUMBER) && q->source.kind == SYN_INT)
		snprintf(value, sizeof value, "%d", (int)(q->source.lo > 0 ? q->source.lo : 0));
	if (!*value || ndl_rng_chance(r, 0.3)) {
		syn_pen_add(p, ndl_rng_chance(r, 0.5) ? " Optional." : " (optional)");
		return;
	}
	size_t i = ndl_rng_below(r, 3);
	syn_pen_add(p, defaults[i]);
	syn_pen_add(p, value);
	syn_pen_add(p, i == 2 ? ")" : ".");
}

static const char *field_description(ndl_rng *r, syn_invented *t, const syn_field *f, const syn_param *q,
	const syn_voice *v)
{
	const char *d = syn_pick_string(r, &f->param.descriptions);
	if (!v->notes)
		return d;
	syn_pen p = syn_pen_begin(t);
	syn_pen_add(&p, d);
	add_notes(&p, r, f, q);
	return syn_pen_finish(&p);
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
		syn_invent_phrase(c, r, t, i, lacking);
}
