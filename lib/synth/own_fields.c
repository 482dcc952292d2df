/* own_fields.c - the arguments of the user's tools: their types, values and ways to be said. */
#include "synth/own.h"
#include "synth/card.h"
#include "synth/own_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Lists of strings -------------------------------------------------------------------- */

/* Into a bag that is not full. */
static void put_whole(syn_bag *b, const char *text, size_t n)
{
	if (!(b->s[b->n++] = syn_strdup(b->c, text, n)))
		b->failed = true;
}

void syn_bag_put(syn_bag *b, const char *fmt, ...)
{
	char text[SYN_BAG_TEXT];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n <= 0 || (size_t)n >= sizeof text || b->n == SYN_BAG_SIZE)
		return; /* one wording less */
	put_whole(b, text, (size_t)n);
}

bool syn_bag_keep(syn_bag *b, syn_strings *out)
{
	out->s = syn_alloc(b->c, b->n + 1, sizeof *out->s);
	if (!out->s || b->failed)
		return false;
	memcpy(out->s, b->s, b->n * sizeof *b->s);
	out->n = b->n;
	return true;
}

void syn_bag_words(const char *name, char out[SYN_BAG_TEXT])
{
	ndl_buf b = NDL_BUF_INIT;
	bool ascii = true; /* snake case knows no other letters */
	for (const char *s = name; *s; s++)
		ascii = ascii && (unsigned char)*s < 128;
	if (ascii)
		ndl_tools_snake_case(&b, name, strlen(name));
	snprintf(out, SYN_BAG_TEXT, "%s", ascii ? ndl_buf_cstr(&b) : name);
	syn_end_whole(out);
	for (char *s = out; *s; s++)
		*s = *s == '_' || *s == '-' ? ' ' : *s;
	ndl_buf_clear(&b);
}

/* Fields ------------------------------------------------------------------------------ */

static enum syn_type type_of(const json_t *schema)
{
	const json_t *t = json_object_get(schema, "type");
	for (size_t k = 0; k < (json_is_array(t) ? json_array_size(t) : 1); k++) {
		int type = syn_type_named(json_string_value(json_is_array(t) ? json_array_get(t, k) : t));
		if (type >= 0)
			return (enum syn_type)type;
	}
	return SYN_STRING;
}

/* An enum as it is said: "_" and "-" read as blanks, camelCase apart. */
static ndl_status read_enum(syn_corpus *c, syn_param *p, json_t *values, ndl_error *err)
{
	json_t *list = json_array(), *v;
	size_t i;
	json_array_foreach(values, i, v) {
		char text[SYN_BAG_TEXT];
		if (!json_is_string(v)) {
			if (json_is_number(v))
				json_array_append(list, v);
			continue;
		}
		bool plain = strpbrk(json_string_value(v), " .,/") != NULL;
		plain ? (void)snprintf(text, sizeof text, "%s", json_string_value(v))
			: syn_bag_words(json_string_value(v), text);
		syn_end_whole(text);
		if (*text)
			json_array_append_new(list, json_pack("[sO]", text, v));
	}
	syn_list *l = syn_alloc(c, 1, sizeof *l);
	p->enum_json = syn_json_text(c, values);
	p->source = (syn_source){.kind = SYN_LIST, .list = l};
	ndl_status st = !l || !p->enum_json ? ndl_fail_nomem(err, "the tools") : NDL_OK;
	if (st == NDL_OK)
		st = json_array_size(list) ? syn_list_parse(c, l, p->name, list, false, err)
			: ndl_fail(err, NDL_EUNSUPPORTED, "an enum without strings or numbers");
	json_decref(list);
	return st;
}

static ndl_status read_props(syn_corpus *c, syn_param *p, json_t *schema, ndl_error *err);

/* A parameter from its normalised schema; *adverbs: how it is said, see guess.c. */
static ndl_status read_param(syn_corpus *c, syn_param *p, const char *name, json_t *schema, bool nested,
	const char *const **adverbs, ndl_error *err)
{
	static const char *const none[] = {NULL};
	const char *d = json_string_value(json_object_get(schema, "description"));
	json_t *items = json_object_get(schema, "items"), *inner = schema;
	syn_bag names = {.c = c}, descriptions = {.c = c};
	char words[SYN_BAG_TEXT];
	*adverbs = none;
	put_whole(&names, name, strlen(name)); /* it may be longer than phrases are */
	p->name = names.s[0];
	if (d && *d)
		put_whole(&descriptions, d, strlen(d)); /* its end may ask for a form */
	if (!p->name || !syn_bag_keep(&names, &p->names) || !syn_bag_keep(&descriptions, &p->descriptions))
		return ndl_fail_nomem(err, "the tools");
	p->type = type_of(schema);
	if (p->type == SYN_BOOLEAN)
		return NDL_OK;
	if (p->type == SYN_OBJECT)
		return nested ? NDL_OK : read_props(c, p, schema, err);
	if (p->type == SYN_ARRAY) {
		inner = items;
		p->item_type = type_of(items);
		if (p->item_type >= SYN_BOOLEAN)
			return NDL_OK; /* no source: never said */
	}
	json_t *choices = json_object_get(inner, "enum"), *only = json_object_get(inner, "const");
	if (choices || only) {
		json_t *list = choices ? json_incref(choices) : json_pack("[O]", only);
		ndl_status st = read_enum(c, p, list, err);
		json_decref(list);
		return st;
	}
	syn_bag_words(name, words);
	for (char *s = words; *s; s++)
		*s = *s == ' ' ? '_' : *s;
	syn_guess(c, words, d ? d : "", inner, p->type == SYN_ARRAY ? p->item_type : p->type, &p->source, adverbs);
	return NDL_OK;
}

static bool is_required(json_t *schema, const char *name)
{
	json_t *list = json_object_get(schema, "required"), *v;
	size_t i;
	json_array_foreach(list, i, v)
		if (strcmp(json_string_value(v), name) == 0)
			return true;
	return false;
}

static ndl_status read_props(syn_corpus *c, syn_param *p, json_t *schema, ndl_error *err)
{
	json_t *props = json_object_get(schema, "properties"), *v;
	const char *key, *const *adverbs;
	p->props = syn_alloc(c, json_object_size(props) + 1, sizeof *p->props);
	if (!p->props)
		return ndl_fail_nomem(err, "the tools");
	json_object_foreach(props, key, v) {
		if (p->n_props == SYN_MAX_PROPS)
			break;
		syn_param *q = &p->props[p->n_props++];
		ndl_status st = read_param(c, q, key, v, true, &adverbs, err);
		if (st)
			return st;
		q->required = is_required(schema, key);
	}
	return NDL_OK;
}

/* How a switch is said: "with notify", "no notify". */
static void say_boolean(syn_bag *yes, syn_bag *no, const char *name)
{
	static const char *const prefixes[] = {"is ", "has ", "include ", "enable ", "use ", "should ", "with ",
		"allow ", "show ", "do "};
	const char *n = name;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			n = name + strlen(prefixes[i]);
	syn_bag_put(yes, "with %s", n);
	syn_bag_put(yes, "%s on", n);
	syn_bag_put(yes, "with %s set to true", name);
	syn_bag_put(yes, "%s: yes", n);
	syn_bag_put(no, "without %s", n);
	syn_bag_put(no, "%s off", n);
	syn_bag_put(no, "with %s set to false", name);
	syn_bag_put(no, "no %s", n);
}

/* "The to is Ann" nobody says. */
static const char *word_for(const char *name)
{
	static const char *const words[][2] = {{"to", "recipient"}, {"from", "start"}, {"q", "query"},
		{"n", "number"}, {"cc", "copy"}, {"lat", "latitude"}, {"lon", "longitude"}, {"lng", "longitude"},
		{"qty", "quantity"}, {"max", "maximum"}, {"min", "minimum"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], name) == 0)
			return words[i][1];
	return NULL;
}

static ndl_status add_field(syn_corpus *c, syn_object *o, const char *name, json_t *schema, ndl_error *err)
{
	syn_field f = {0};
	syn_bag with = {.c = c}, adverb = {.c = c}, yes = {.c = c}, no = {.c = c};
	const char *const *adverbs;
	char n[SYN_BAG_TEXT];
	ndl_status st = read_param(c, &f.param, name, schema, false, &adverbs, err);
	if (st)
		return st;
	syn_bag_words(name, n);
	if ((f.spoken = word_for(n)) != NULL)
		snprintf(n, sizeof n, "%s", f.spoken);
	if (f.param.type == SYN_BOOLEAN) {
		say_boolean(&yes, &no, n);
	} else if (f.param.type != SYN_OBJECT) {
		syn_bag_put(&with, "%s {}", n);
		syn_bag_put(&with, "the %s {}", n);
		syn_bag_put(&with, "%s set to {}", n);
		if (f.param.enum_json)
			syn_bag_put(&with, "{} %s", n);
		for (size_t i = 0; i < 4 && adverbs[i]; i++)
			syn_bag_put(&adverb, "%s", adverbs[i]);
	}
	if (!syn_bag_keep(&with, &f.with) || !syn_bag_keep(&adverb, &f.adverb) || !syn_bag_keep(&yes, &f.yes) || !syn_bag_keep(&no, &f.no)
	    || ndl_grow(&c->field, &c->cap_fields, c->n_fields + 1, sizeof *c->field) != 0)
		return ndl_fail_nomem(err, "the tools");
	o->field[o->n_fields++] = c->n_fields;
	c->field[c->n_fields++] = f;
	return NDL_OK;
}

/* Can requests give it a value? */
static bool sayable(json_t *schema)
{
	enum syn_type t = type_of(schema);
	const json_t *only = json_object_get(schema, "const");
	if (only && t != SYN_BOOLEAN && !json_is_string(only) && !json_is_number(only))
		return false;
	if (t == SYN_ARRAY)
		return type_of(json_object_get(schema, "items")) < SYN_BOOLEAN;
	return t != SYN_OBJECT || json_object_size(json_object_get(schema, "properties")) > 0;
}

ndl_status syn_own_fields(syn_corpus *c, syn_object *o, json_t *schema, ndl_error *err)
{
	json_t *props = json_object_get(schema, "properties"), *v;
	const char *key;
	for (int required = 1; required >= 0; required--) {
		json_object_foreach(props, key, v) {
			if (is_required(schema, key) != (required == 1))
				continue;
			const bool words = *key && sayable(v);
			if (required && (!words || o->n_fields == SYN_MAX_FIELDS))
				return ndl_fail(err, NDL_EUNSUPPORTED,
					"its required argument '%s' cannot be put into words", key);
			if (!words || o->n_fields == SYN_MAX_FIELDS)
				continue;
			ndl_status st = add_field(c, o, key, v, err);
			if (st)
				return st;
		}
		if (required)
			o->n_required = o->n_fields;
	}
	return NDL_OK;
}
