#include "synth/own.h"
#include "synth/card.h"

#include "base/mem.h"
#include "json/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_FORMS = 10, MAX_HEADS = 12, WORDS = 200 };

/* Lists of strings -------------------------------------------------------------------- */

typedef struct bag {
	syn_corpus *c;
	const char *s[MAX_HEADS];
	size_t n;
	bool failed;
} bag;

static void put(bag *b, const char *fmt, ...) NDL_PRINTF(2, 3);
static void put(bag *b, const char *fmt, ...)
{
	char text[WORDS];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n <= 0 || (size_t)n >= sizeof text || b->n == MAX_HEADS)
		return; /* one wording less */
	if (!(b->s[b->n++] = syn_strdup(b->c, text, (size_t)n)))
		b->failed = true;
}

static bool keep(bag *b, syn_strings *out)
{
	out->s = syn_alloc(b->c, b->n + 1, sizeof *out->s);
	if (!out->s || b->failed)
		return false;
	memcpy(out->s, b->s, b->n * sizeof *b->s);
	out->n = b->n;
	return true;
}

/* "dueDate" or "due_date" as "due date". */
static void spoken(const char *name, char out[WORDS])
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_tools_snake_case(&b, name, strlen(name));
	snprintf(out, WORDS, "%s", ndl_buf_cstr(&b));
	for (char *s = out; *s; s++)
		*s = *s == '_' ? ' ' : *s;
	ndl_buf_clear(&b);
}

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Fields ------------------------------------------------------------------------------ */

static enum syn_type type_of(const json_t *schema)
{
	static const char *const names[] = {"string", "integer", "number", "boolean", "array",
		"object"};
	const json_t *t = json_object_get(schema, "type");
	for (size_t k = 0; k < (json_is_array(t) ? json_array_size(t) : 1); k++) {
		const char *s = json_string_value(json_is_array(t) ? json_array_get(t, k) : t);
		for (int i = 0; s && i < 6; i++)
			if (strcmp(s, names[i]) == 0)
				return (enum syn_type)i;
	}
	return SYN_STRING;
}

/* An enum as it is said: "_" and "-" read as blanks, camelCase apart. */
static ndl_status read_enum(syn_corpus *c, syn_param *p, json_t *values, ndl_error *err)
{
	json_t *list = json_array(), *v;
	size_t i;
	json_array_foreach(values, i, v) {
		char text[WORDS];
		if (!json_is_string(v)) {
			if (json_is_number(v))
				json_array_append(list, v);
			continue;
		}
		bool plain = strpbrk(json_string_value(v), " .,/") != NULL;
		plain ? (void)snprintf(text, sizeof text, "%s", json_string_value(v))
			: spoken(json_string_value(v), text);
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
	bag names = {.c = c}, descriptions = {.c = c};
	char words[WORDS];
	*adverbs = none;
	put(&names, "%s", name);
	p->name = names.n ? names.s[0] : NULL;
	put(&descriptions, "%.180s", d ? d : "");
	if (!p->name || !keep(&names, &p->names) || !keep(&descriptions, &p->descriptions))
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
	json_t *choices = json_object_get(inner, "enum");
	if (choices)
		return read_enum(c, p, choices, err);
	spoken(name, words);
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
static void say_boolean(bag *yes, bag *no, const char *name)
{
	static const char *const prefixes[] = {"is ", "has ", "include ", "enable ", "use ", "should ", "with ",
		"allow ", "show ", "do "};
	const char *n = name;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (starts(name, prefixes[i]))
			n = name + strlen(prefixes[i]);
	put(yes, "with %s", n);
	put(yes, "%s on", n);
	put(yes, "with %s set to true", name);
	put(yes, "%s: yes", n);
	put(no, "without %s", n);
	put(no, "%s off", n);
	put(no, "with %s set to false", name);
	put(no, "no %s", n);
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
	bag with = {.c = c}, adverb = {.c = c}, yes = {.c = c}, no = {.c = c};
	const char *const *adverbs;
	char n[WORDS];
	ndl_status st = read_param(c, &f.param, name, schema, false, &adverbs, err);
	if (st)
		return st;
	spoken(name, n);
	if ((f.spoken = word_for(n)) != NULL)
		snprintf(n, sizeof n, "%s", f.spoken);
	if (f.param.type == SYN_BOOLEAN) {
		say_boolean(&yes, &no, n);
	} else if (f.param.type != SYN_OBJECT) {
		put(&with, "%s {}", n);
		put(&with, "the %s {}", n);
		put(&with, "%s set to {}", n);
		if (f.param.enum_json)
			put(&with, "{} %s", n);
		for (size_t i = 0; i < 4 && adverbs[i]; i++)
			put(&adverb, "%s", adverbs[i]);
	}
	if (!keep(&with, &f.with) || !keep(&adverb, &f.adverb) || !keep(&yes, &f.yes) || !keep(&no, &f.no)
	    || ndl_grow(&c->field, &c->cap_fields, c->n_fields + 1, sizeof *c->field) != 0)
		return ndl_fail_nomem(err, "the tools");
	o->field[o->n_fields++] = (int16_t)c->n_fields;
	c->field[c->n_fields++] = f;
	return NDL_OK;
}

/* Can requests give it a value? */
static bool sayable(json_t *schema)
{
	enum syn_type t = type_of(schema);
	if (t == SYN_ARRAY)
		return type_of(json_object_get(schema, "items")) < SYN_BOOLEAN;
	return t != SYN_OBJECT || json_object_size(json_object_get(schema, "properties")) > 0;
}

static ndl_status add_fields(syn_corpus *c, syn_object *o, json_t *schema, ndl_error *err)
{
	json_t *props = json_object_get(schema, "properties"), *v;
	const char *key;
	for (int required = 1; required >= 0; required--) {
		json_object_foreach(props, key, v) {
			if (is_required(schema, key) != (required == 1))
				continue;
			if (required && (!sayable(v) || o->n_fields == SYN_MAX_FIELDS))
				return ndl_fail(err, NDL_EUNSUPPORTED,
					"its required argument '%s' cannot be put into words", key);
			if (!sayable(v) || o->n_fields == SYN_MAX_FIELDS)
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

/* Verb and object --------------------------------------------------------------------- */

/* The kind of verb that tools' names begin with this word for; the last one wins, so that the
 * narrower verbs of the file come after the wide ones. SIZE_MAX: none. */
static size_t verb_of(const syn_corpus *c, const char *word, size_t len)
{
	for (size_t i = c->n_verbs; i-- > 0;)
		for (size_t k = 0; k < c->verb[i].names.n; k++)
			if (strlen(c->verb[i].names.s[k]) == len && strncmp(c->verb[i].names.s[k], word, len) == 0)
				return i;
	return SIZE_MAX;
}

static bool is_verb(const syn_corpus *c, const char *word, size_t len)
{
	const syn_list *l = syn_corpus_list(c, "style_verbs");
	for (size_t i = 0; l && i < l->n; i++)
		if (strlen(l->v[i].surface) == len && strncasecmp(l->v[i].surface, word, len) == 0)
			return true;
	return verb_of(c, word, len) != SIZE_MAX;
}

/* "turn on light", "navigate to": the particle belongs to the verb. */
static size_t verb_length(const char *words)
{
	static const char *const particles[] = {"on", "off", "up", "down", "out", "in", "back", NULL};
	static const char *const last[] = {"to", "for", "with", "from", "of", "by", NULL};
	size_t n = strcspn(words, " "), k = words[n] ? strcspn(words + n + 1, " ") : 0;
	for (size_t i = 0; k && particles[i]; i++)
		if (strlen(particles[i]) == k && starts(words + n + 1, particles[i]))
			return n + 1 + k;
	for (size_t i = 0; k && !words[n + 1 + k] && last[i]; i++)
		if (strcmp(words + n + 1, last[i]) == 0)
			return n + 1 + k;
	return n;
}

static void say_noun(bag *said, const char *noun, bool makes)
{
	size_t n = strlen(noun);
	bool plural = n > 2 && noun[n - 1] == 's' && noun[n - 2] != 's';
	if (plural) {
		put(said, "%s", noun);
		put(said, "the %s", noun);
		put(said, "my %s", noun);
	} else if (makes) {
		put(said, "%s %s", strchr("aeiou", noun[0]) ? "an" : "a", noun);
		put(said, "a new %s", noun);
		put(said, "%s", noun);
	} else {
		put(said, "the %s", noun);
		put(said, "%s", noun);
		put(said, "my %s", noun);
	}
}

/* "Sends a message to a contact." as "send a message": what the user would say, up to where the
 * arguments begin. */
static void say_description(const syn_corpus *c, bag *heads, const char *d)
{
	static const char *const stops[] = {" for ", " in ", " to ", " from ", " by ", " with ", " using ", " given ",
		" based ", " at ", " on ", " of a ", " of an ", " of the specified", " that ", " which ", " when ",
		" specified", " via ", " into ", " as ", " about ", ". ", ", ", "; ", ": ", " (", NULL};
	char text[WORDS];
	size_t len = strcspn(d, ".\n"), verb = strcspn(d, " ");
	if (len >= sizeof text || verb >= len || !isalpha((unsigned char)d[0]))
		return;
	snprintf(text, sizeof text, "%.*s", (int)len, d);
	for (size_t i = 0; stops[i]; i++) {
		char *s = strstr(text + verb, stops[i]);
		if (s && s > text + verb)
			*s = '\0';
	}
	if (strlen(text) <= verb + 2)
		return;
	text[0] = (char)tolower((unsigned char)text[0]);
	size_t base = verb;
	if (!is_verb(c, text, base) && base > 3 && text[base - 1] == 's')
		base -= base > 4 && text[base - 2] == 'e' && !is_verb(c, text, base - 1) ? 2 : 1;
	if (!is_verb(c, text, base) || strstr(text, "user") || strstr(text, "given"))
		return;
	put(heads, "%.*s%s", (int)base, text, text + verb);
}

static ndl_status add_verb(syn_corpus *c, const char *verb, size_t like, size_t *out, ndl_error *err)
{
	syn_verb v = {.name = "own"};
	bag names = {.c = c}, say = {.c = c};
	put(&names, "x");
	put(&say, "%s", verb);
	put(&say, "please %s", verb);
	put(&say, "I want to %s", verb);
	put(&say, "I need to %s", verb);
	put(&say, "can you %s", verb);
	for (size_t i = 0; like != SIZE_MAX && i < c->verb[like].say.n && i < 7; i++)
		put(&say, "%s", c->verb[like].say.s[i]);
	if (!keep(&names, &v.names) || !keep(&say, &v.say) || !keep(&names, &v.describe)
	    || ndl_grow(&c->verb, &c->cap_verbs, c->n_verbs + 1, sizeof *c->verb) != 0)
		return ndl_fail_nomem(err, "the tools");
	*out = c->n_verbs;
	c->verb[c->n_verbs++] = v;
	return NDL_OK;
}

/* Is the first required field what the tool is named for, as in play_song(song)? */
static bool takes_directly(const syn_corpus *c, const syn_object *o, const char *noun)
{
	const syn_param *p = o->n_required ? &c->field[o->field[0]].param : NULL;
	if (!p || p->type != SYN_STRING || p->enum_json)
		return false;
	char name[WORDS];
	const char *last = strrchr(noun, ' ');
	spoken(p->name, name);
	last = last ? last + 1 : noun;
	return !*noun || strstr(name, last) != NULL;
}

static ndl_status word_object(syn_corpus *c, syn_object *o, const char *name, const char *description, ndl_error *err)
{
	char words[WORDS];
	bag said = {.c = c}, heads = {.c = c};
	spoken(name, words);
	size_t n = verb_length(words), like = verb_of(c, words, strcspn(words, " "));
	bool has_verb = is_verb(c, words, strcspn(words, " "));
	char verb[WORDS] = "get";
	if (has_verb)
		snprintf(verb, sizeof verb, "%.*s", (int)n, words);
	else
		like = verb_of(c, "get", 3);
	const char *noun = !has_verb ? words : words[n] ? words + n + 1 : "";
	bool makes = has_verb && like != SIZE_MAX && (strcmp(c->verb[like].name, "create") == 0
		|| strcmp(c->verb[like].name, "generate") == 0
		|| strcmp(c->verb[like].name, "send") == 0 || strcmp(c->verb[like].name, "book") == 0);
	if (*noun)
		say_noun(&said, noun, makes);
	say_description(c, &heads, description);
	o->direct = takes_directly(c, o, noun);
	if (!said.n && !heads.n)
		put(&heads, "%.*s", (int)strcspn(words, " "), words); /* "play" + arguments */
	if (!keep(&said, &o->said) || !keep(&heads, &o->heads))
		return ndl_fail_nomem(err, "the tools");
	return add_verb(c, verb, like, &o->verb, err);
}

static ndl_status add_object(syn_corpus *c, const ndl_tools *t, size_t i, ndl_error *err)
{
	syn_object o = {.group = "own"};
	ndl_buf b = NDL_BUF_INIT;
	const char *name = ndl_tools_norm_name(t, i), *d = ndl_tools_description(t, i);
	ndl_tools_render_one(t, &b, i, 0);
	o.name = syn_strdup(c, name, strlen(name));
	o.rendered = b.failed ? NULL : syn_strdup(c, ndl_buf_cstr(&b), b.len);
	o.description = syn_strdup(c, d, strlen(d));
	ndl_buf_clear(&b);
	if (!o.name || !o.rendered || !o.description)
		return ndl_fail_nomem(err, "the tools");
	ndl_status st = add_fields(c, &o, ndl_tools_schema(t, i), err);
	if (st == NDL_EUNSUPPORTED) { /* it can be offered, but nothing asks for it */
		o.n_fields = o.n_required = 0;
		o.mute = true;
		st = NDL_OK;
	}
	if (st == NDL_OK)
		st = word_object(c, &o, name, d, err);
	if (st == NDL_OK && ndl_grow(&c->object, &c->cap_objects, c->n_objects + 1, sizeof *c->object) != 0)
		st = ndl_fail_nomem(err, "the tools");
	if (st)
		ndl_error_prefix(err, "%s", ndl_tools_name(t, i));
	else
		c->object[c->n_objects++] = o;
	return st;
}

ndl_status syn_own_add(syn_corpus *c, const ndl_tools *t, ndl_error *err)
{
	ndl_status st = ndl_tools_count(t) ? NDL_OK : ndl_fail(err, NDL_EFORMAT, "the list of tools is empty");
	for (size_t i = 0; i < ndl_tools_count(t) && st == NDL_OK; i++)
		st = add_object(c, t, i, err);
	return st;
}
