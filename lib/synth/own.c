/* own.c - the user's tools as objects to invent from: their verbs and nouns in words. */
#include "synth/own.h"
#include "synth/card.h"
#include "synth/own_internal.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_FORMS = 10 };

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
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

static void say_noun(syn_bag *said, const char *noun, bool makes)
{
	size_t n = strlen(noun);
	bool plural = n > 2 && noun[n - 1] == 's' && noun[n - 2] != 's';
	if (plural) {
		syn_bag_put(said, "%s", noun);
		syn_bag_put(said, "the %s", noun);
		syn_bag_put(said, "my %s", noun);
	} else if (makes) {
		syn_bag_put(said, "%s %s", strchr("aeiou", noun[0]) ? "an" : "a", noun);
		syn_bag_put(said, "a new %s", noun);
		syn_bag_put(said, "%s", noun);
	} else {
		syn_bag_put(said, "the %s", noun);
		syn_bag_put(said, "%s", noun);
		syn_bag_put(said, "my %s", noun);
	}
}

/* "Sends a message to a contact." as "send a message": what the user would say, up to where the
 * arguments begin. */
static void say_description(const syn_corpus *c, syn_bag *heads, const char *d)
{
	static const char *const stops[] = {" for ", " in ", " to ", " from ", " by ", " with ", " using ", " given ",
		" based ", " at ", " on ", " of a ", " of an ", " of the specified", " that ", " which ", " when ",
		" specified", " via ", " into ", " as ", " about ", ". ", ", ", "; ", ": ", " (", NULL};
	char text[SYN_BAG_TEXT];
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
	syn_bag_put(heads, "%.*s%s", (int)base, text, text + verb);
}

static ndl_status add_verb(syn_corpus *c, const char *verb, size_t like, size_t *out, ndl_error *err)
{
	syn_verb v = {.name = "own"};
	syn_bag names = {.c = c}, say = {.c = c};
	syn_bag_put(&names, "x");
	syn_bag_put(&say, "%s", verb);
	syn_bag_put(&say, "please %s", verb);
	syn_bag_put(&say, "I want to %s", verb);
	syn_bag_put(&say, "I need to %s", verb);
	syn_bag_put(&say, "can you %s", verb);
	for (size_t i = 0; like != SIZE_MAX && i < c->verb[like].say.n && i < 7; i++)
		syn_bag_put(&say, "%s", c->verb[like].say.s[i]);
	if (!syn_bag_keep(&names, &v.names) || !syn_bag_keep(&say, &v.say) || !syn_bag_keep(&names, &v.describe)
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
	char name[SYN_BAG_TEXT];
	const char *last = strrchr(noun, ' ');
	syn_bag_words(p->name, name);
	last = last ? last + 1 : noun;
	return !*noun || strstr(name, last) != NULL;
}

static ndl_status word_object(syn_corpus *c, syn_object *o, const char *name, const char *description, ndl_error *err)
{
	char words[SYN_BAG_TEXT];
	syn_bag said = {.c = c}, heads = {.c = c};
	syn_bag_words(name, words);
	size_t n = verb_length(words), like = verb_of(c, words, strcspn(words, " "));
	bool has_verb = is_verb(c, words, strcspn(words, " "));
	char verb[SYN_BAG_TEXT] = "get";
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
		syn_bag_put(&heads, "%.*s", (int)strcspn(words, " "), words); /* "play" + arguments */
	if (!syn_bag_keep(&said, &o->said) || !syn_bag_keep(&heads, &o->heads))
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
	ndl_status st = syn_own_fields(c, &o, ndl_tools_schema(t, i), err);
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
