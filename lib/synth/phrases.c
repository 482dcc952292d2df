/* phrases.c - the phrases of a card: words and slots, fixed arguments. */
#include "synth/card.h"

#include "base/mem.h"
#include "base/rng.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "address.city" into the indices of parameter and property; false if there is none. */
static bool find_param(const syn_tool *t, const char *name, size_t len, int16_t *param, int16_t *prop)
{
	const char *dot = memchr(name, '.', len);
	size_t top = dot ? (size_t)(dot - name) : len;
	*prop = -1;
	for (size_t i = 0; i < t->n_params; i++) {
		const syn_param *p = &t->param[i];
		if (strlen(p->name) != top || memcmp(p->name, name, top) != 0)
			continue;
		*param = (int16_t)i;
		if (!dot)
			return true;
		for (size_t k = 0; k < p->n_props; k++)
			if (strlen(p->props[k].name) == len - top - 1 && memcmp(p->props[k].name,
				dot + 1, len - top - 1) == 0) {
				*prop = (int16_t)k;
				return true;
			}
		return false;
	}
	return false;
}

/* "city", "items*", "address.city" or, with its value, "city=Paris". */
static ndl_status read_slot(syn_corpus *c, const syn_tool *t, syn_piece *p, const char *s, size_t len, ndl_error *err)
{
	const char *own = memchr(s, '=', len);
	if (own) {
		if (!(p->own = syn_strdup(c, own + 1, (size_t)(s + len - own - 1))))
			return ndl_fail_nomem(err, "the corpus");
		len = (size_t)(own - s);
	}
	p->many = len && s[len - 1] == '*';
	if (!find_param(t, s, len - p->many, &p->param, &p->prop))
		return ndl_fail(err, NDL_EFORMAT, "unknown slot {%.*s}", (int)len, s);
	const syn_param *q = p->prop < 0 ? &t->param[p->param] : &t->param[p->param].props[p->prop];
	if (q->type == SYN_OBJECT || (p->many && q->type != SYN_ARRAY))
		return ndl_fail(err, NDL_EFORMAT, "slot {%.*s} does not fit its type", (int)len, s);
	if (own && (!*p->own || p->many || q->type != SYN_STRING || q->enum_json))
		return ndl_fail(err, NDL_EFORMAT, "slot {%.*s} can have no value of its own: it must be some text, "
			"for one string without an enum", (int)len, s);
	if (!own && q->source.kind == SYN_NONE && !q->source.name)
		return ndl_fail(err, NDL_EFORMAT, "slot {%.*s} has no values to be filled with", (int)len, s);
	return NDL_OK;
}

static ndl_status read_pieces(syn_corpus *c, const syn_tool *t, syn_phrase *ph, const char *text,
	ndl_error *err)
{
	syn_piece piece[SYN_MAX_PIECES];
	size_t n = 0, letters = 0;
	for (const char *s = text; *s;) {
		size_t lit = strcspn(s, "{}");
		if (n + 2 > SYN_MAX_PIECES)
			return ndl_fail(err, NDL_ELIMIT, "more than %d pieces in: %s", SYN_MAX_PIECES, text);
		if (lit) {
			memset(&piece[n], 0, sizeof *piece);
			if (!(piece[n++].text = syn_strdup(c, s, lit)))
				return ndl_fail_nomem(err, "the corpus");
			for (size_t i = 0; i < lit; i++)
				letters += isalpha((unsigned char)s[i]) != 0;
			s += lit;
			continue;
		}
		const char *close = *s == '{' ? strchr(s, '}') : NULL;
		if (!close)
			return ndl_fail(err, NDL_EFORMAT, "a lone brace in: %s", text);
		memset(&piece[n], 0, sizeof *piece);
		ndl_status st = read_slot(c, t, &piece[n++], s + 1, (size_t)(close - s - 1), err);
		if (st) {
			ndl_error_prefix(err, "%.100s", text);
			return st;
		}
		ph->has_slot = true;
		s = close + 1;
	}
	syn_piece *keep = syn_alloc(c, n, sizeof *keep);
	if (!keep)
		return ndl_fail_nomem(err, "the corpus");
	memcpy(keep, piece, n * sizeof *keep);
	ph->piece = keep;
	ph->n_pieces = n;
	ph->bare = letters < 12;
	return NDL_OK;
}

static bool among(const char *enum_json, const json_t *v)
{
	json_t *list = enum_json ? ndl_json_parse(enum_json, strlen(enum_json), NULL) : NULL, *x;
	bool found = !enum_json;
	size_t i;
	json_array_foreach(list, i, x)
		found = found || json_equal(x, v);
	json_decref(list);
	return found;
}

/* Is v a value that the parameter's type and enum allow? */
static bool fits(const syn_param *p, const json_t *v, enum syn_type type)
{
	switch (type) {
	case SYN_BOOLEAN: return json_is_boolean(v);
	case SYN_INTEGER: return json_is_integer(v) && among(p->enum_json, v);
	case SYN_NUMBER: return json_is_number(v) && among(p->enum_json, v);
	case SYN_ARRAY:
		for (size_t i = 0; i < json_array_size(v); i++)
			if (!fits(p, json_array_get(v, i), p->item_type))
				return false;
		return json_is_array(v);
	case SYN_OBJECT: return false; /* given property by property */
	case SYN_STRING: break;
	}
	return json_is_string(v) && among(p->enum_json, v);
}

static ndl_status read_fixed(syn_corpus *c, const syn_tool *t, syn_phrase *ph, json_t *args, ndl_error *err)
{
	const char *key;
	json_t *v;
	syn_fixed *f = syn_alloc(c, json_object_size(args) + 1, sizeof *f);
	if (!f)
		return ndl_fail_nomem(err, "the corpus");
	ph->fixed = f;
	json_object_foreach(args, key, v) {
		syn_fixed *x = &f[ph->n_fixed++];
		if (!find_param(t, key, strlen(key), &x->param, &x->prop))
			return ndl_fail(err, NDL_EFORMAT, "unknown argument '%s'", key);
		const syn_param *p = x->prop < 0 ? &t->param[x->param] : &t->param[x->param].props[x->prop];
		if (!fits(p, v, p->type))
			return ndl_fail(err, NDL_EFORMAT,
				"the fixed value of '%s' does not fit its type or enum", key);
		if (!(x->json = syn_json_text(c, v)))
			return ndl_fail_nomem(err, "the corpus");
	}
	return NDL_OK;
}

bool syn_phrase_gives(const syn_phrase *ph, size_t param, int prop)
{
	for (size_t i = 0; i < ph->n_pieces; i++)
		if (!ph->piece[i].text && (size_t)ph->piece[i].param == param && (prop < 0 || ph->piece[i].prop == prop))
			return true;
	for (size_t i = 0; i < ph->n_fixed; i++)
		if ((size_t)ph->fixed[i].param == param && (prop < 0 || ph->fixed[i].prop < 0 || ph->fixed[i].prop == prop))
			return true;
	return false;
}

/* All that is required of the i-th parameter. */
static ndl_status check_given(const syn_tool *t, size_t i, const syn_phrase *ph, const char *text, ndl_error *err)
{
	const syn_param *p = &t->param[i];
	bool given = syn_phrase_gives(ph, i, -1);
	if (p->required && !given)
		return ndl_fail(err, NDL_EFORMAT, "required '%s' is missing in: %s", p->name, text);
	for (size_t k = 0; k < p->n_props && given; k++)
		if (p->props[k].required && !syn_phrase_gives(ph, i, (int)k))
			return ndl_fail(err, NDL_EFORMAT, "required '%s.%s' is missing in: %s", p->name, p->props[k].name, text);
	return NDL_OK;
}

static ndl_status read_phrase(syn_corpus *c, const syn_tool *t, syn_phrase *ph, json_t *j, ndl_error *err)
{
	static const char *const keys[] = {"t", "args", NULL};
	json_t *text = json_is_object(j) ? json_object_get(j, "t") : j;
	json_t *args = json_is_object(j) ? json_object_get(j, "args") : NULL;
	memset(ph, 0, sizeof *ph);
	if (!json_is_string(text) || json_string_length(text) == 0 || (args && !json_is_object(args)))
		return ndl_fail(err, NDL_EFORMAT, "a phrase is a string or {\"t\":text,\"args\":{…}}");
	const char *s = json_string_value(text);
	ndl_status st = syn_only_keys(j, keys, "a phrase", err);
	if (st == NDL_OK)
		st = read_pieces(c, t, ph, s, err);
	if (st == NDL_OK)
		st = read_fixed(c, t, ph, args, err);
	for (size_t i = 0; i < t->n_params && st == NDL_OK; i++)
		st = check_given(t, i, ph, s, err);
	ph->id = ndl_hash64(s, strlen(s), ndl_hash64(t->name, strlen(t->name), 2));
	ph->held = ph->id % 100 < 8;
	if (st == NDL_OK)
		syn_phrase_vary(t, ph);
	return st;
}

ndl_status syn_phrases_parse(syn_corpus *c, syn_tool *t, json_t *a, ndl_error *err)
{
	size_t n = json_array_size(a);
	if (n == 0)
		return ndl_fail(err, NDL_EFORMAT, "no phrases");
	t->phrase = syn_alloc(c, n, sizeof *t->phrase);
	syn_phrase *held = ndl_calloc(n, sizeof *held);
	size_t n_held = 0;
	ndl_status st = t->phrase && held ? NDL_OK : ndl_fail_nomem(err, "the corpus");
	for (size_t i = 0; i < n && st == NDL_OK; i++) {
		syn_phrase ph;
		st = read_phrase(c, t, &ph, json_array_get(a, i), err);
		if (st == NDL_OK && ph.held)
			held[n_held++] = ph;
		else if (st == NDL_OK)
			t->phrase[t->n_train++] = ph;
	}
	if (st == NDL_OK) {
		memcpy(t->phrase + t->n_train, held, n_held * sizeof *held);
		t->n_phrases = t->n_train + n_held;
	}
	free(held);
	return st;
}
