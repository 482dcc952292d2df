/* lists.c - lexicons, inline lists and value templates. */
#include "synth/card.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum syn_builtin kind;
	double lo, hi; /* when none is given */
} builtins[] = {
	{"@int", SYN_INT, 1, 100}, {"@number", SYN_NUMBER_RANGE, 1, 100}, {"@percent", SYN_PERCENT, 1, 100},
	{"@year", SYN_YEAR, 1950, 2035}, {"@duration", SYN_DURATION, 0, 0},
	{"@duration_minutes", SYN_DURATION_MINUTES, 0, 0}, {"@duration_seconds", SYN_DURATION_SECONDS, 0, 0},
	{"@time", SYN_TIME, 0, 0}, {"@time24", SYN_TIME24, 0, 0}, {"@date", SYN_DATE, 0, 0},
	{"@date_iso", SYN_DATE_ISO, 0, 0}, {"@datetime", SYN_DATETIME, 0, 0},
	{"@digits", SYN_DIGITS, 4, 4}, {"@upper", SYN_UPPER, 2, 2}, {"@lower", SYN_LOWER, 3, 3},
	{"@alnum", SYN_ALNUM, 6, 6}, {"@hex", SYN_HEX, 8, 8}, {"@syllables", SYN_SYLLABLES, 2, 2},
	{"@ordinal", SYN_ORDINAL, 1, 31},
};

/* "LO-HI", "-20-20" or "N". */
static bool parse_range(const char *s, double *lo, double *hi)
{
	char *end;
	*lo = strtod(s, &end);
	if (end == s)
		return false;
	if (!*end) {
		*hi = *lo;
		return true;
	}
	if (*end != '-')
		return false;
	s = end + 1;
	*hi = strtod(s, &end);
	return end != s && !*end && *lo <= *hi && *lo > -1e9 && *hi < 1e15;
}

ndl_status syn_source_parse(syn_corpus *c, syn_source *s, const char *spec, size_t len, ndl_error *err)
{
	memset(s, 0, sizeof *s);
	s->name = syn_strdup(c, spec, len);
	if (!s->name)
		return ndl_fail_nomem(err, "the corpus");
	if (s->name[0] != '@')
		return NDL_OK;
	size_t stem = strcspn(s->name, ":");
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
		if (strlen(builtins[i].name) != stem || memcmp(builtins[i].name, s->name, stem) != 0)
			continue;
		s->kind = builtins[i].kind;
		s->lo = builtins[i].lo;
		s->hi = builtins[i].hi;
		if (s->name[stem] && !parse_range(s->name + stem + 1, &s->lo, &s->hi))
			return ndl_fail(err, NDL_EFORMAT,
				"'%s': expected a range such as 1-20 after the colon", s->name);
		if (s->kind >= SYN_DIGITS && s->kind <= SYN_SYLLABLES && (s->lo < 1 || s->hi > 64))
			return ndl_fail(err, NDL_EFORMAT, "'%s': lengths go from 1 to 64", s->name);
		return NDL_OK;
	}
	return NDL_OK;
}

/* Templates --------------------------------------------------------------------------- */

static enum syn_modifier modifier(const char *s, size_t len)
{
	if (len == 5 && memcmp(s, "lower", 5) == 0)
		return SYN_TO_LOWER;
	if (len == 4 && memcmp(s, "slug", 4) == 0)
		return SYN_TO_SLUG;
	if (len == 5 && memcmp(s, "title", 5) == 0)
		return SYN_TO_TITLE;
	return SYN_AS_IS;
}

static ndl_status parse_placeholder(syn_corpus *c, syn_tpiece *p, const char *s, size_t len, ndl_error *err)
{
	size_t bar = 0;
	while (bar < len && s[bar] != '|')
		bar++;
	p->text = NULL;
	p->modifier = bar < len ? modifier(s + bar + 1, len - bar - 1) : SYN_AS_IS;
	if (bar < len && p->modifier == SYN_AS_IS)
		return ndl_fail(err, NDL_EFORMAT, "'%.*s': the modifiers are lower, slug and title",
			(int)len, s);
	return syn_source_parse(c, &p->source, s, bar, err);
}

/* "{@x}" placeholders split a value into pieces; a value without them stays plain. */
static ndl_status parse_template(syn_corpus *c, syn_value *v, ndl_error *err)
{
	syn_tpiece piece[SYN_MAX_PIECES];
	size_t n = 0;
	const char *s = v->surface;
	if (!strstr(s, "{@"))
		return NDL_OK;
	while (*s) {
		const char *open = strstr(s, "{@");
		size_t lit = open ? (size_t)(open - s) : strlen(s);
		if (n + 2 > SYN_MAX_PIECES)
			return ndl_fail(err, NDL_ELIMIT, "a value with more than %d pieces", SYN_MAX_PIECES);
		memset(&piece[n], 0, 2 * sizeof *piece);
		if (lit)
			piece[n++].text = syn_strdup(c, s, lit);
		if (!open)
			break;
		const char *close = strchr(open, '}');
		if (!close)
			return ndl_fail(err, NDL_EFORMAT, "'%.60s': '{@' without '}'", v->surface);
		ndl_status st = parse_placeholder(c, &piece[n++], open + 1, (size_t)(close - open - 1), err);
		if (st)
			return st;
		s = close + 1;
	}
	syn_tpiece *keep = syn_alloc(c, n, sizeof *keep);
	if (!keep)
		return ndl_fail_nomem(err, "the corpus");
	memcpy(keep, piece, n * sizeof *keep);
	v->tmpl = keep;
	v->n_tmpl = n;
	return NDL_OK;
}

/* Lists ------------------------------------------------------------------------------- */

static ndl_status parse_value(syn_corpus *c, syn_value *v, json_t *j, ndl_error *err)
{
	ndl_buf b = NDL_BUF_INIT;
	json_t *said = json_is_array(j) ? json_array_get(j, 0) : j;
	if (json_is_array(j) && (json_array_size(j) != 2 || !json_is_string(said)))
		return ndl_fail(err, NDL_EFORMAT, "a pair is [\"surface text\", value]");
	if (!json_is_string(said) && !json_is_number(said) && !json_is_boolean(said))
		return ndl_fail(err, NDL_EFORMAT, "a value is %s", ndl_json_type_name(said));
	if (json_is_string(said) && json_string_length(said) == 0)
		return ndl_fail(err, NDL_EFORMAT, "a value is empty");
	ndl_json_write(&b, said, 0);
	v->surface = json_is_string(said) ? syn_strdup(c, json_string_value(said), json_string_length(said))
	                                  : syn_strdup(c, ndl_buf_cstr(&b), b.len);
	if (j != said || !json_is_string(said)) {
		ndl_buf_reset(&b);
		ndl_json_write(&b, json_is_array(j) ? json_array_get(j, 1) : j, 0);
		v->raw = syn_strdup(c, ndl_buf_cstr(&b), b.len);
	}
	bool failed = b.failed || !v->surface || (v->raw == NULL && !json_is_string(j));
	ndl_buf_clear(&b);
	if (failed)
		return ndl_fail_nomem(err, "the corpus");
	return v->raw ? NDL_OK : parse_template(c, v, err);
}

static void describe_list(syn_list *l)
{
	size_t upper = 0, raw = 0, words = 0;
	for (size_t i = 0; i < l->n; i++) {
		const syn_value *v = &l->v[i];
		upper += isupper((unsigned char)v->surface[0]) != 0 && !v->n_tmpl;
		raw += v->raw && v->raw[0] != '"';
		for (const char *s = v->surface; *s; s++)
			words += *s == ' ';
	}
	l->proper = l->name[0] != '@' && upper * 10 >= l->n * 7 && words < l->n * 3;
	l->numeric = raw == l->n;
	l->long_text = words >= l->n * 4;
}

ndl_status syn_list_parse(syn_corpus *c, syn_list *l, const char *name, json_t *values, bool split,
	ndl_error *err)
{
	if (!json_is_array(values) || json_array_size(values) == 0)
		return ndl_fail(err, NDL_EFORMAT, "%s: expected a list of values", name);
	size_t n = json_array_size(values);
	memset(l, 0, sizeof *l);
	l->name = name;
	l->closed = !split || n < 30;
	l->v = syn_alloc(c, n, sizeof *l->v);
	if (!l->v)
		return ndl_fail_nomem(err, "the corpus");
	for (int held = 0; held < 2; held++) {
		for (size_t i = 0; i < n; i++) {
			syn_value v = {0};
			ndl_status st = parse_value(c, &v, json_array_get(values, i), err);
			if (st) {
				ndl_error_prefix(err, "%s", name);
				return st;
			}
			bool out = !l->closed && !v.raw && !v.n_tmpl && syn_held_value(v.surface,
				strlen(v.surface));
			if (out == (held == 1))
				l->v[l->n++] = v;
		}
		if (!held)
			l->n_train = l->n;
	}
	if (l->n_train == 0)
		l->n_train = l->n;
	describe_list(l);
	return NDL_OK;
}
