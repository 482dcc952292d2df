/* offer.c - tools and answers in the canonical form that the model is trained on. */
#include "synth/compose.h"

#include "json/json.h"

#include <stdio.h>
#include <string.h>

/* Choosing ---------------------------------------------------------------------------- */

/* The card's own name twice as often as each alias. */
static int pick_name(ndl_rng *r, const syn_strings *names)
{
	size_t i = ndl_rng_below(r, names->n + 1);
	return (int)(i ? i - 1 : 0);
}

static int pick_description(ndl_rng *r, const syn_strings *d, double dropped)
{
	return d->n == 0 || ndl_rng_chance(r, dropped) ? -1 : (int)ndl_rng_below(r, d->n);
}

static void word_props(ndl_rng *r, syn_offer_param *op, const syn_param *p, double dropped)
{
	for (size_t k = 0; k < p->n_props; k++) {
		op->prop_name[k] = pick_name(r, &p->props[k].names);
		op->prop_description[k] = pick_description(r, &p->props[k].descriptions, dropped);
		for (size_t j = 0; j < k; j++)
			if (strcmp(p->props[j].names.s[op->prop_name[j]],
				p->props[k].names.s[op->prop_name[k]]) == 0) {
				memset(op->prop_name, 0,
					sizeof op->prop_name); /* two of one name: the plain names */
				break;
			}
	}
}

static void unique_names(syn_offer *o)
{
	for (size_t i = 0; i < o->n_params; i++)
		for (size_t j = 0; j < i; j++) {
			const syn_strings *a = &o->tool->param[o->param[i].param].names,
				*b = &o->tool->param[o->param[j].param].names;
			if (strcmp(a->s[o->param[i].name], b->s[o->param[j].name]) != 0)
				continue;
			for (size_t k = 0; k < o->n_params; k++)
				o->param[k].name = 0;
			return;
		}
}

void syn_make_offer(ndl_rng *r, syn_offer *o, const syn_tool *t, const syn_phrase *ph)
{
	size_t order[SYN_MAX_PARAMS];
	memset(o, 0, sizeof *o);
	o->tool = t;
	o->name = pick_name(r, &t->names);
	o->description = pick_description(r, &t->descriptions, t->rendered ? 0 : 0.04);
	for (size_t i = 0; i < t->n_params; i++)
		order[i] = i;
	if (ndl_rng_chance(r, 0.5))
		ndl_rng_shuffle(r, order, t->n_params);
	for (size_t i = 0; i < t->n_params; i++) {
		const syn_param *p = &t->param[order[i]];
		if (!t->rendered && !p->required && !(ph && syn_phrase_gives(ph, order[i], -1)) && ndl_rng_chance(r, 0.2))
			continue;
		syn_offer_param *op = &o->param[o->n_params++];
		op->param = (int16_t)order[i];
		op->name = pick_name(r, &p->names);
		op->description = pick_description(r, &p->descriptions, t->rendered ? 0 : 0.1);
		word_props(r, op, p, t->rendered ? 0 : 0.15);
	}
	unique_names(o);
}

/* Names that say nothing -------------------------------------------------------------- */

enum { OPAQUE_TOOLS = 1, OPAQUE_ARGUMENTS = 2 };

void syn_make_opaque(ndl_rng *r, syn_example *e)
{
	static const unsigned what[] = {3, 3, 3, OPAQUE_TOOLS, OPAQUE_ARGUMENTS};
	e->opaque = what[ndl_rng_below(r, 5)] | (unsigned)ndl_rng_below(r, 1 << 16) << 2;
	for (size_t i = 0; i < e->n_offers; i++) {
		syn_offer *o = &e->offer[i];
		o->description = o->description < 0 ? 0 : o->description;
		for (size_t k = 0; k < o->n_params; k++) {
			const syn_param *p = &o->tool->param[o->param[k].param];
			if (o->param[k].description >= 0)
				continue;
			o->param[k].description = 0;
			/* its value was made without a description: for one that asks for a form it is wrong */
			e->overflow = e->overflow || (syn_form_wanted(&p->source, p->descriptions.s[0]) && !p->source.converted);
		}
	}
}

/* The name of offer i, or of its k-th parameter, as the example shows it. */
static void write_name(ndl_buf *b, const syn_example *e, size_t i, long k)
{
	static const char *const tools[] = {"func_%u", "tool_%u", "f%u", "action_%u", "fn_%04u", "api_%u",
		"op%u", "x%03u"};
	static const char *const args[] = {"arg_%c", "%c", "param_%c", "p_%c", "field_%c", "v%c"};
	const syn_offer *o = &e->offer[i];
	unsigned seed = e->opaque >> 2;
	char name[32];
	if (!(e->opaque & (k < 0 ? OPAQUE_TOOLS : OPAQUE_ARGUMENTS))) {
		const char *s = k < 0 ? o->tool->names.s[o->name]
			: o->tool->param[o->param[k].param].names.s[o->param[k].name];
		ndl_json_write_string(b, s, strlen(s), 0);
		return;
	}
	if (k < 0)
		snprintf(name, sizeof name, tools[seed % 8], seed / 64 % 90 + (unsigned)i * (1 + seed / 8 % 8));
	else
		snprintf(name, sizeof name, args[seed % 6], (int)((seed / 512 % 2 ? 'a' : 'o') + (k & 15)));
	ndl_json_write_string(b, name, strlen(name), 0);
}

static const syn_offer_param *offer_param(const syn_offer *o, int param)
{
	for (size_t i = 0; i < o->n_params; i++)
		if (o->param[i].param == param)
			return &o->param[i];
	return NULL;
}

const char *syn_offer_description(const syn_offer *o, int param, int prop)
{
	const syn_offer_param *op = offer_param(o, param);
	if (!op)
		return "";
	const syn_param *p = &o->tool->param[param];
	if (prop < 0)
		return op->description < 0 ? "" : p->descriptions.s[op->description];
	return op->prop_description[prop] < 0 ? "" : p->props[prop].descriptions.s[op->prop_description[prop]];
}

/* Tools ------------------------------------------------------------------------------- */

static void write_str(ndl_buf *b, const char *s)
{
	ndl_json_write_string(b, s, strlen(s), 0);
}

/* What follows the parameter's name. */
static void write_param(ndl_buf *b, const syn_param *p, const char *description)
{
	ndl_buf_printf(b, ":{\"type\":\"%s\"", syn_type_name(p->type));
	if (*description) {
		ndl_buf_str(b, ",\"description\":");
		write_str(b, description);
	}
	if (p->required)
		ndl_buf_str(b, ",\"required\":true");
	if (p->type == SYN_ARRAY) {
		ndl_buf_printf(b, ",\"items\":{\"type\":\"%s\"", syn_type_name(p->item_type));
		if (p->enum_json)
			ndl_buf_printf(b, ",\"enum\":%s", p->enum_json);
		ndl_buf_byte(b, '}');
	} else if (p->enum_json) {
		ndl_buf_printf(b, ",\"enum\":%s", p->enum_json);
	}
}

static void write_offer_param(ndl_buf *b, const syn_example *e, size_t i, size_t at)
{
	const syn_offer *o = &e->offer[i];
	const syn_offer_param *op = &o->param[at];
	const syn_param *p = &o->tool->param[op->param];
	write_name(b, e, i, (long)at);
	write_param(b, p, op->description < 0 ? "" : p->descriptions.s[op->description]);
	if (p->type == SYN_OBJECT) {
		ndl_buf_str(b, ",\"properties\":{");
		for (size_t k = 0; k < p->n_props; k++) {
			const syn_param *q = &p->props[k];
			int d = op->prop_description[k];
			if (k)
				ndl_buf_byte(b, ',');
			write_str(b, q->names.s[op->prop_name[k]]);
			write_param(b, q, d < 0 ? "" : q->descriptions.s[d]);
			ndl_buf_byte(b, '}');
		}
		ndl_buf_byte(b, '}');
	}
	ndl_buf_byte(b, '}');
}

static void write_offer(ndl_buf *b, const syn_example *e, size_t at)
{
	const syn_offer *o = &e->offer[at];
	if (o->tool->rendered) {
		ndl_buf_str(b, o->tool->rendered);
		return;
	}
	ndl_buf_str(b, "{\"name\":");
	write_name(b, e, at, -1);
	if (o->description >= 0) {
		ndl_buf_str(b, ",\"description\":");
		write_str(b, o->tool->descriptions.s[o->description]);
	}
	ndl_buf_str(b, ",\"parameters\":{");
	for (size_t i = 0; i < o->n_params; i++) {
		if (i)
			ndl_buf_byte(b, ',');
		write_offer_param(b, e, at, i);
	}
	ndl_buf_str(b, "}}");
}

void syn_write_tools(syn_example *e)
{
	ndl_buf_byte(&e->tools, '[');
	for (size_t i = 0; i < e->n_offers; i++) {
		if (i)
			ndl_buf_byte(&e->tools, ',');
		write_offer(&e->tools, e, i);
	}
	ndl_buf_byte(&e->tools, ']');
}

/* Answers ----------------------------------------------------------------------------- */

static void write_value(syn_example *e, const syn_slot_value *v)
{
	if (v->copied)
		ndl_json_write_string(&e->answers, e->query.data + v->at, v->len, 0);
	else
		ndl_buf_add(&e->answers, e->raws.data + v->raw_off, v->raw_len);
}

static void write_arg(syn_example *e, const syn_arg *a)
{
	ndl_buf *b = &e->answers;
	if (a->fixed) {
		ndl_buf_str(b, a->fixed);
		return;
	}
	if (a->many)
		ndl_buf_byte(b, '[');
	for (int i = 0; i < a->n; i++) {
		if (i)
			ndl_buf_byte(b, ',');
		write_value(e, &e->value[a->first + i]);
	}
	if (a->many)
		ndl_buf_byte(b, ']');
}

static const syn_arg *find_arg(const syn_call *c, int param, int prop)
{
	for (size_t i = 0; i < c->n_args; i++)
		if (c->arg[i].param == param && c->arg[i].prop == prop)
			return &c->arg[i];
	return NULL;
}

/* One parameter's argument, if the call has it; objects property by property. */
static bool write_argument(syn_example *e, const syn_call *c, size_t offer, size_t at, bool comma)
{
	const syn_offer *o = &e->offer[offer];
	const syn_offer_param *op = &o->param[at];
	const syn_param *p = &o->tool->param[op->param];
	const syn_arg *a = find_arg(c, op->param, -1);
	bool any = a != NULL;
	for (size_t k = 0; k < p->n_props; k++)
		any = any || find_arg(c, op->param, (int)k);
	if (!any)
		return false;
	if (comma)
		ndl_buf_byte(&e->answers, ',');
	write_name(&e->answers, e, offer, (long)at);
	ndl_buf_byte(&e->answers, ':');
	if (a) {
		write_arg(e, a);
		return true;
	}
	any = false;
	ndl_buf_byte(&e->answers, '{');
	for (size_t k = 0; k < p->n_props; k++) {
		if (!(a = find_arg(c, op->param, (int)k)))
			continue;
		if (any)
			ndl_buf_byte(&e->answers, ',');
		write_str(&e->answers, p->props[k].names.s[op->prop_name[k]]);
		ndl_buf_byte(&e->answers, ':');
		write_arg(e, a);
		any = true;
	}
	ndl_buf_byte(&e->answers, '}');
	return true;
}

static size_t offer_of(const syn_example *e, const syn_tool *t)
{
	size_t i = 0;
	while (i < e->n_offers && e->offer[i].tool != t)
		i++;
	return i;
}

void syn_write_answers(syn_example *e)
{
	ndl_buf_byte(&e->answers, '[');
	for (size_t i = 0; i < e->n_calls; i++) {
		const syn_call *c = &e->call[i];
		size_t o = offer_of(e, c->tool);
		bool any = false;
		if (o == e->n_offers) {
			e->overflow = true;
			return;
		}
		ndl_buf_str(&e->answers, i ? ",{\"name\":" : "{\"name\":");
		write_name(&e->answers, e, o, -1);
		ndl_buf_str(&e->answers, ",\"arguments\":{");
		for (size_t k = 0; k < e->offer[o].n_params; k++)
			any = write_argument(e, c, o, k, any) || any;
		ndl_buf_str(&e->answers, "}}");
	}
	ndl_buf_byte(&e->answers, ']');
}
