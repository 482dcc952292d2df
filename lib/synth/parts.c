/* parts.c - what tools are invented of: lines of the corpus with "field", "verb" or "object". */
#include "synth/card.h"

#include "base/mem.h"

#include <string.h>

static ndl_status strings(syn_corpus *c, syn_strings *out, json_t *o, const char *key, ndl_error *err)
{
	return syn_strings_parse(c, out, NULL, json_object_get(o, key), key, err);
}

/* Its index; n_fields if there is none. */
static size_t find_field(const syn_corpus *c, const char *name)
{
	size_t k = 0;
	while (k < c->n_fields && strcmp(c->field[k].param.name, name) != 0)
		k++;
	return k;
}

/* Its index; n_verbs if there is none. */
static size_t find_verb(const syn_corpus *c, const char *name)
{
	size_t k = 0;
	while (k < c->n_verbs && strcmp(c->verb[k].name, name) != 0)
		k++;
	return k;
}

/* The keys of a parameter, and "with", "adverb", "yes", "no": how the argument is said. */
static ndl_status read_field(syn_corpus *c, json_t *o, const char *name, ndl_error *err)
{
	static const char *const own[] = {"field", "with", "adverb", "yes", "no", NULL};
	syn_field f = {0};
	ndl_status st = strings(c, &f.with, o, "with", err);
	if (st == NDL_OK)
		st = strings(c, &f.adverb, o, "adverb", err);
	if (st == NDL_OK)
		st = strings(c, &f.yes, o, "yes", err);
	if (st == NDL_OK)
		st = strings(c, &f.no, o, "no", err);
	if (st)
		return st;
	json_t *param = json_copy(o);
	for (size_t i = 0; own[i]; i++)
		json_object_del(param, own[i]);
	st = syn_param_parse(c, &f.param, name, param, false, err);
	json_decref(param);
	if (st == NDL_OK && f.param.type == SYN_BOOLEAN && f.yes.n + f.no.n == 0)
		st = ndl_fail(err, NDL_EFORMAT, "a boolean field needs \"yes\" or \"no\"");
	if (st == NDL_OK && f.param.type == SYN_OBJECT)
		st = ndl_fail(err, NDL_EFORMAT, "a field is no object");
	if (st)
		return st;
	if (find_field(c, name) < c->n_fields)
		return ndl_fail(err, NDL_EFORMAT, "there is a field of this name already");
	if (ndl_grow(&c->field, &c->cap_fields, c->n_fields + 1, sizeof *c->field) != 0)
		return ndl_fail_nomem(err, "the corpus");
	c->field[c->n_fields++] = f;
	return NDL_OK;
}

static ndl_status read_verb(syn_corpus *c, json_t *o, const char *name, ndl_error *err)
{
	static const char *const keys[] = {"verb", "names", "say", "describe", NULL};
	syn_verb v = {.name = syn_strdup(c, name, strlen(name))};
	ndl_status st = v.name ? syn_only_keys(o, keys, name, err) : ndl_fail_nomem(err, "the corpus");
	if (st == NDL_OK)
		st = strings(c, &v.names, o, "names", err);
	if (st == NDL_OK)
		st = strings(c, &v.say, o, "say", err);
	if (st == NDL_OK)
		st = strings(c, &v.describe, o, "describe", err);
	if (st == NDL_OK && (!v.names.n || !v.say.n || !v.describe.n))
		st = ndl_fail(err, NDL_EFORMAT, "a verb needs \"names\", \"say\" and \"describe\"");
	if (st)
		return st;
	if (find_verb(c, name) < c->n_verbs)
		return ndl_fail(err, NDL_EFORMAT, "there is a verb of this name already");
	if (ndl_grow(&c->verb, &c->cap_verbs, c->n_verbs + 1, sizeof *c->verb) != 0)
		return ndl_fail_nomem(err, "the corpus");
	c->verb[c->n_verbs++] = v;
	return NDL_OK;
}

static ndl_status add_fields(syn_corpus *c, syn_object *x, json_t *names, ndl_error *err)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		size_t k = name ? find_field(c, name) : c->n_fields;
		if (k == c->n_fields)
			return ndl_fail(err, NDL_EFORMAT, "there is no field '%s' before this line",
				name ? name : "?");
		if (x->n_fields == SYN_MAX_FIELDS)
			return ndl_fail(err, NDL_ELIMIT, "more than %d fields", SYN_MAX_FIELDS);
		x->field[x->n_fields++] = k;
	}
	return NDL_OK;
}

static ndl_status read_object(syn_corpus *c, json_t *o, const char *name, ndl_error *err)
{
	static const char *const keys[] = {"object", "said", "group", "verb", "required", "optional", NULL};
	const char *verb = json_string_value(json_object_get(o, "verb"));
	const char *group = json_string_value(json_object_get(o, "group"));
	syn_object x = {.name = syn_strdup(c, name, strlen(name))};
	ndl_status st = syn_only_keys(o, keys, name, err);
	if (st)
		return st;
	x.verb = verb ? find_verb(c, verb) : c->n_verbs;
	if (x.verb == c->n_verbs)
		return ndl_fail(err, NDL_EFORMAT, "there is no verb '%s' before this line", verb ? verb : "?");
	if (!group)
		return ndl_fail(err, NDL_EFORMAT, "an object needs a \"group\"");
	x.group = syn_strdup(c, group, strlen(group));
	if (!x.name || !x.group)
		return ndl_fail_nomem(err, "the corpus");
	st = strings(c, &x.said, o, "said", err);
	if (st == NDL_OK && x.said.n == 0)
		st = ndl_fail(err, NDL_EFORMAT, "an object needs \"said\"");
	if (st == NDL_OK)
		st = add_fields(c, &x, json_object_get(o, "required"), err);
	x.n_required = x.n_fields;
	if (st == NDL_OK)
		st = add_fields(c, &x, json_object_get(o, "optional"), err);
	if (st == NDL_OK && x.n_fields == 0)
		st = ndl_fail(err, NDL_EFORMAT, "an object needs fields");
	if (st == NDL_OK && ndl_grow(&c->object, &c->cap_objects, c->n_objects + 1, sizeof *c->object) != 0)
		st = ndl_fail_nomem(err, "the corpus");
	if (st == NDL_OK)
		c->object[c->n_objects++] = x;
	return st;
}

ndl_status syn_part_parse(syn_corpus *c, json_t *o, ndl_error *err)
{
	static const struct {
		const char *key;
		ndl_status (*read)(syn_corpus *, json_t *, const char *, ndl_error *);
	} kinds[] = {{"object", read_object}, {"field", read_field}, {"verb", read_verb}};
	for (size_t i = 0; i < 3; i++) {
		json_t *name = json_object_get(o, kinds[i].key);
		if (!name)
			continue;
		if (!json_is_string(name) || json_string_length(name) == 0 || json_string_length(name) > 60)
			return ndl_fail(err, NDL_EFORMAT, "\"%s\" is a name of at most 60 letters", kinds[i].key);
		ndl_status st = kinds[i].read(c, o, json_string_value(name), err);
		if (st)
			ndl_error_prefix(err, "%s", json_string_value(name));
		return st;
	}
	return NDL_OK;
}
