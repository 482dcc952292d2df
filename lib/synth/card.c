#include "synth/card.h"

#include "base/mem.h"
#include "base/rng.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small readers ----------------------------------------------------------------------- */

const char *syn_json_text(syn_corpus *c, const json_t *j)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_json_write(&b, j, 0);
	const char *s = b.failed ? NULL : syn_strdup(c, ndl_buf_cstr(&b), b.len);
	ndl_buf_clear(&b);
	return s;
}

static const char *json_dup(syn_corpus *c, const json_t *j)
{
	return syn_strdup(c, json_string_value(j), json_string_length(j));
}

ndl_status syn_strings_parse(syn_corpus *c, syn_strings *out, const char *first, json_t *j,
	const char *what, ndl_error *err)
{
	size_t n = json_array_size(j);
	if (j && !json_is_array(j))
		return ndl_fail(err, NDL_EFORMAT, "%s: expected a list of strings", what);
	out->s = syn_alloc(c, n + 1, sizeof *out->s);
	if (!out->s)
		return ndl_fail_nomem(err, "the corpus");
	if (first)
		out->s[out->n++] = first;
	for (size_t i = 0; i < n; i++) {
		json_t *s = json_array_get(j, i);
		if (!json_is_string(s) || json_string_length(s) == 0)
			return ndl_fail(err, NDL_EFORMAT, "%s: item %zu is not a non-empty string",
				what, i + 1);
		if (!(out->s[out->n++] = json_dup(c, s)))
			return ndl_fail_nomem(err, "the corpus");
	}
	return NDL_OK;
}

static bool is_name(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

ndl_status syn_only_keys(json_t *o, const char *const *allowed, const char *what, ndl_error *err)
{
	const char *key;
	json_t *v;
	json_object_foreach(o, key, v) {
		bool known = false;
		for (size_t i = 0; allowed[i]; i++)
			known = known || strcmp(key, allowed[i]) == 0;
		if (!known)
			return ndl_fail(err, NDL_EFORMAT, "%s: unknown key '%s'", what, key);
	}
	return NDL_OK;
}

static int read_type(const json_t *j)
{
	return syn_type_named(json_string_value(j));
}

/* Parameters -------------------------------------------------------------------------- */

/* Without "said" an enum is said as it is written, "_" read as a blank. */
static json_t *enum_as_said(json_t *values)
{
	json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(values); i++) {
		json_t *v = json_array_get(values, i);
		if (!json_is_string(v)) {
			json_array_append(out, v);
			continue;
		}
		char text[128];
		snprintf(text, sizeof text, "%s", json_string_value(v));
		syn_end_whole(text);
		for (char *s = text; *s; s++)
			if (*s == '_')
				*s = ' ';
		json_array_append_new(out, json_pack("[sO]", text, v));
	}
	return out;
}

static bool is_of_type(const syn_param *p, const syn_value *v)
{
	enum syn_type type = p->type == SYN_ARRAY ? p->item_type : p->type;
	const char *raw = v->raw ? v->raw : "";
	bool number = *raw == '-' || isdigit((unsigned char)*raw);
	return type == SYN_STRING || (type == SYN_BOOLEAN ? *raw == 't' || *raw == 'f'
		: number && (type == SYN_NUMBER || !strpbrk(raw, ".eE")));
}

ndl_status syn_fits_type(const syn_param *p, const syn_list *l, ndl_error *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (!is_of_type(p, &l->v[i]))
			return ndl_fail(err, NDL_EFORMAT, "%s: the value of '%.60s' does not fit its type", p->name, l->v[i].surface);
	return NDL_OK;
}

static ndl_status read_inline(syn_corpus *c, syn_param *p, json_t *values, bool split, ndl_error *err)
{
	syn_list *l = syn_alloc(c, 1, sizeof *l);
	if (!l)
		return ndl_fail_nomem(err, "the corpus");
	p->source.kind = SYN_LIST;
	p->source.list = l;
	ndl_status st = syn_list_parse(c, l, p->name, values, split, err);
	return st == NDL_OK ? syn_fits_type(p, l, err) : st;
}

static ndl_status read_source(syn_corpus *c, syn_param *p, json_t *o, ndl_error *err)
{
	json_t *values = json_object_get(o, "values"), *said = json_object_get(o, "said");
	json_t *items = json_object_get(o, "items");
	json_t *choices = json_object_get(o, "enum");
	if (!choices)
		choices = json_object_get(items, "enum");
	if (choices) {
		if (!json_is_array(choices) || json_array_size(choices) == 0)
			return ndl_fail(err, NDL_EFORMAT, "%s: \"enum\" is no list", p->name);
		p->enum_json = syn_json_text(c, choices);
	}
	if (said)
		return read_inline(c, p, said, false, err);
	if (choices && json_is_string(values))
		return ndl_fail(err, NDL_EFORMAT, "%s: the values of an enum are a list", p->name);
	if (json_is_string(values))
		return syn_source_parse(c, &p->source, json_string_value(values),
			json_string_length(values), err);
	if (values && !choices)
		return read_inline(c, p, values, true, err);
	if (choices) {
		json_t *list = enum_as_said(values ? values : choices);
		ndl_status st = read_inline(c, p, list, false, err);
		json_decref(list);
		return st;
	}
	return p->type == SYN_BOOLEAN || p->type == SYN_OBJECT
		? NDL_OK : ndl_fail(err, NDL_EFORMAT, "%s: no values", p->name);
}

static ndl_status read_params(syn_corpus *c, json_t *o, syn_param **out, size_t *n_out, bool nested,
	ndl_error *err);

ndl_status syn_param_parse(syn_corpus *c, syn_param *p, const char *name, json_t *o, bool nested,
	ndl_error *err)
{
	static const char *const keys[] = {"type", "required", "aliases", "descriptions",
		"values", "said", "enum", "items", "properties", NULL};
	json_t *required = json_object_get(o, "required"), *items = json_object_get(o, "items");
	int type = read_type(json_object_get(o, "type"));
	p->name = syn_strdup(c, name, strlen(name));
	if (!p->name)
		return ndl_fail_nomem(err, "the corpus");
	if (!json_is_object(o) || type < 0)
		return ndl_fail(err, NDL_EFORMAT,
			"%s: \"type\" must be string, integer, number, boolean, array or object", name);
	if (required && !json_is_boolean(required))
		return ndl_fail(err, NDL_EFORMAT, "%s: \"required\" is true or false", name);
	p->type = (enum syn_type)type;
	p->required = json_is_true(required);
	int item = type == SYN_ARRAY ? read_type(json_object_get(items, "type")) : 0;
	if (item < 0 || item >= SYN_BOOLEAN)
		return ndl_fail(err, NDL_EFORMAT,
			"%s: an array needs \"items\" with a type string, integer or number", name);
	p->item_type = (enum syn_type)item;
	ndl_status st = syn_only_keys(o, keys, name, err);
	if (st == NDL_OK)
		st = syn_strings_parse(c, &p->names, p->name, json_object_get(o, "aliases"), name, err);
	if (st == NDL_OK)
		st = syn_strings_parse(c, &p->descriptions, NULL, json_object_get(o, "descriptions"), name, err);
	if (st == NDL_OK && !nested && p->descriptions.n == 0)
		st = ndl_fail(err, NDL_EFORMAT, "%s: no descriptions", name);
	if (st == NDL_OK)
		st = read_source(c, p, o, err);
	if (st == NDL_OK && type == SYN_OBJECT) {
		if (nested)
			return ndl_fail(err, NDL_EFORMAT, "%s: objects inside objects are not supported", name);
		st = read_params(c, json_object_get(o, "properties"), &p->props, &p->n_props, true, err);
	}
	return st;
}

static ndl_status read_params(syn_corpus *c, json_t *o, syn_param **out, size_t *n_out, bool nested,
	ndl_error *err)
{
	const char *key;
	json_t *v;
	size_t n = json_object_size(o);
	if (o && !json_is_object(o))
		return ndl_fail(err, NDL_EFORMAT, "parameters must be an object");
	if (n > SYN_MAX_PARAMS)
		return ndl_fail(err, NDL_ELIMIT, "more than %d parameters", SYN_MAX_PARAMS);
	*out = syn_alloc(c, n + 1, sizeof **out);
	if (!*out)
		return ndl_fail_nomem(err, "the corpus");
	json_object_foreach(o, key, v) {
		ndl_status st = syn_param_parse(c, &(*out)[*n_out], key, v, nested, err);
		if (st)
			return st;
		(*n_out)++;
	}
	return NDL_OK;
}

/* Cards ------------------------------------------------------------------------------- */

static ndl_status domain_of(syn_corpus *c, const char *name, size_t *out, ndl_error *err)
{
	for (*out = 0; *out < c->n_domains; ++*out)
		if (strcmp(c->domain[*out].name, name) == 0)
			return NDL_OK;
	if (ndl_grow(&c->domain, &c->cap_domains, c->n_domains + 1, sizeof *c->domain) != 0)
		return ndl_fail_nomem(err, "the corpus");
	memset(&c->domain[c->n_domains], 0, sizeof *c->domain);
	c->domain[c->n_domains].name = syn_strdup(c, name, strlen(name));
	return c->domain[c->n_domains++].name ? NDL_OK : ndl_fail_nomem(err, "the corpus");
}

static ndl_status read_tool(syn_corpus *c, const char *domain, json_t *o, const char *name, ndl_error *err)
{
	static const char *const keys[] = {"name", "aliases", "descriptions", "params",
		"phrases", "apart", NULL};
	syn_tool t = {0};
	t.name = syn_strdup(c, name, strlen(name));
	if (!t.name)
		return ndl_fail_nomem(err, "the corpus");
	for (size_t i = 0; i < c->n_tools; i++)
		if (strcmp(c->tool[i].name, name) == 0)
			return ndl_fail(err, NDL_EFORMAT, "there is a card of this name already");
	ndl_status st = syn_only_keys(o, keys, "the card", err);
	if (st == NDL_OK)
		st = syn_strings_parse(c, &t.names, t.name, json_object_get(o, "aliases"), "aliases", err);
	for (size_t i = 0; i < t.names.n && st == NDL_OK; i++)
		if (!is_name(t.names.s[i]))
			st = ndl_fail(err, NDL_EFORMAT, "'%s' is no snake_case name", t.names.s[i]);
	if (st == NDL_OK)
		st = syn_strings_parse(c, &t.descriptions, NULL, json_object_get(o, "descriptions"),
			"descriptions", err);
	if (st == NDL_OK && t.descriptions.n == 0)
		st = ndl_fail(err, NDL_EFORMAT, "no descriptions");
	if (st == NDL_OK)
		st = syn_strings_parse(c, &t.apart, NULL, json_object_get(o, "apart"), "apart", err);
	if (st == NDL_OK)
		st = read_params(c, json_object_get(o, "params"), &t.param, &t.n_params, false, err);
	if (st == NDL_OK)
		st = syn_phrases_parse(c, &t, json_object_get(o, "phrases"), err);
	if (st == NDL_OK)
		st = domain_of(c, domain, &t.domain, err);
	if (st == NDL_OK && ndl_grow(&c->tool, &c->cap_tools, c->n_tools + 1, sizeof *c->tool) != 0)
		st = ndl_fail_nomem(err, "the corpus");
	if (st)
		return st;
	t.tense = syn_tense_of(t.name, "");
	c->tool[c->n_tools++] = t;
	c->domain[t.domain].n_tools++;
	return NDL_OK;
}

static ndl_status read_lexicon(syn_corpus *c, json_t *o, ndl_error *err)
{
	static const char *const keys[] = {"lexicon", "values", "closed", NULL};
	json_t *j = json_object_get(o, "lexicon");
	if (!json_is_string(j))
		return ndl_fail(err, NDL_EFORMAT, "the lexicon's name is no string");
	const char *name = json_dup(c, j);
	syn_list *l = syn_alloc(c, 1, sizeof *l);
	if (!name || !l || ndl_grow(&c->list, &c->cap_lists, c->n_lists + 1, sizeof *c->list) != 0)
		return ndl_fail_nomem(err, "the corpus");
	if (syn_corpus_list(c, name))
		return ndl_fail(err, NDL_EFORMAT, "lexicon %s: there is one of this name already", name);
	ndl_status st = syn_only_keys(o, keys, name, err);
	if (st == NDL_OK)
		st = syn_list_parse(c, l, name, json_object_get(o, "values"),
		                    !json_is_true(json_object_get(o, "closed")), err);
	if (st == NDL_OK)
		c->list[c->n_lists++] = l;
	return st;
}

static ndl_status read_refusals(syn_corpus *c, const char *domain, json_t *o, ndl_error *err)
{
	static const char *const keys[] = {"refusals", NULL};
	json_t *a = json_object_get(o, "refusals");
	size_t at, n = json_array_size(a);
	ndl_status st = syn_only_keys(o, keys, "refusals", err);
	if (st == NDL_OK)
		st = domain_of(c, domain, &at, err);
	if (st)
		return st;
	syn_domain *d = &c->domain[at];
	syn_value *v = syn_alloc(c, n + 1, sizeof *v);
	if (!json_is_array(a) || d->refusal)
		return ndl_fail(err, NDL_EFORMAT, "\"refusals\" is one list of strings a file");
	if (!v)
		return ndl_fail_nomem(err, "the corpus");
	d->refusal = v;
	for (int held = 0; held < 2; held++) {
		for (size_t i = 0; i < n; i++) {
			json_t *s = json_array_get(a, i);
			if (!json_is_string(s) || json_string_length(s) == 0)
				return ndl_fail(err, NDL_EFORMAT,
					"refusal %zu is not a non-empty string", i + 1);
			bool out = ndl_hash64(json_string_value(s), json_string_length(s), 3) % 100 < 8;
			if (out == (held == 1) && !(v[d->n_refusals++].surface = json_dup(c, s)))
				return ndl_fail_nomem(err, "the corpus");
		}
		if (!held)
			d->n_refusals_train = d->n_refusals;
	}
	return NDL_OK;
}

ndl_status syn_card_parse(syn_corpus *c, const char *domain, const char *line, size_t len, ndl_error *err)
{
	json_t *o = ndl_json_parse(line, len, err);
	if (!o)
		return NDL_EFORMAT;
	ndl_status st;
	json_t *name = json_object_get(o, "name");
	if (json_object_get(o, "lexicon"))
		st = read_lexicon(c, o, err);
	else if (json_object_get(o, "refusals"))
		st = read_refusals(c, domain, o, err);
	else if (json_object_get(o, "field") || json_object_get(o, "verb") || json_object_get(o, "object"))
		st = syn_part_parse(c, o, err);
	else if (!json_is_string(name) || !is_name(json_string_value(name)))
		st = ndl_fail(err, NDL_EFORMAT,
			"no tool card with a snake_case \"name\", no lexicon and no refusals");
	else if ((st = read_tool(c, domain, o, json_string_value(name), err)) != NDL_OK)
		ndl_error_prefix(err, "%s", json_string_value(name));
	json_decref(o);
	return st;
}
