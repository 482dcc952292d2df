#include "synth/values.h"

#include "json/json.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 4000 };

void syn_made_clear(syn_made *m)
{
	ndl_buf_clear(&m->surface);
	ndl_buf_clear(&m->raw);
}

void syn_made_reset(syn_made *m)
{
	ndl_buf_reset(&m->surface);
	ndl_buf_reset(&m->raw);
	m->has_key = false;
	m->form = SYN_VAGUE;
}

static void expand(const syn_gen *g, const syn_source *src, const syn_place *place, int depth, syn_made *m);

/* Numbers ----------------------------------------------------------------------------- */

/* 1234567 as "1,234,567". */
static void grouped(ndl_buf *b, int64_t n)
{
	if (n >= 1000)
		grouped(b, n / 1000);
	ndl_buf_printf(b, n >= 1000 ? ",%03d" : "%d", (int)(n % 1000));
}

static void number_value(const syn_gen *g, const syn_place *p, double lo, double hi, bool fractions,
	syn_made *m)
{
	ndl_rng *r = g->rng;
	double x = lo;
	int64_t a = (int64_t)ceil(lo), b = (int64_t)floor(hi);
	bool whole = !fractions || p->type == SYN_INTEGER || (ndl_rng_chance(r, 0.55) && b >= a);
	if (whole && b >= a) {
		x = (double)ndl_rng_range(r, a, b);
		if (b - a > 200 && ndl_rng_chance(r, 0.4)) { /* round figures */
			double step = b - a > 2000 ? 100 : 10;
			x = ceil(x / step) * step;
			x = x > hi ? (double)a : x;
		}
	} else if (hi > lo) {
		double scale = hi - lo > 20 ? 10 : 100;
		if (ndl_rng_chance(r, 0.3))
			scale *= 10;
		x = round((lo + ndl_rng_unit(r) * (hi - lo)) * scale) / scale;
		x = x < lo ? lo : x > hi ? hi : x;
	}
	syn_trim_number(&m->raw, x);
	m->key = x;
	m->has_key = true;
	bool small = x == floor(x) && x >= 0 && x <= 100;
	if (p->words && small && ndl_rng_chance(r, x <= 12 ? 0.25 : 0.08))
		syn_number_words(&m->surface, (long)x);
	else if (x >= 10000 && x == floor(x) && ndl_rng_chance(r, 0.15))
		grouped(&m->surface, (int64_t)x);
	else
		syn_trim_number(&m->surface, x);
	if (p->type == SYN_STRING)
		ndl_buf_reset(&m->raw);
}

static void percent_value(const syn_gen *g, const syn_place *p, double lo, double hi, syn_made *m)
{
	ndl_rng *r = g->rng;
	int n = (int)ndl_rng_range(r, (int64_t)lo, (int64_t)hi);
	if (ndl_rng_chance(r, 0.6))
		n = (n + 4) / 5 * 5;
	bool words = ndl_rng_chance(r, 0.12);
	words ? syn_number_words(&m->surface, n) : ndl_buf_printf(&m->surface, "%d", n);
	ndl_buf_str(&m->surface, !words && ndl_rng_chance(r, 0.6) ? "%" : ndl_rng_chance(r,
		0.9) ? " percent" : " per cent");
	if (p->type != SYN_STRING)
		ndl_buf_printf(&m->raw, "%d", n);
	m->key = n;
	m->has_key = true;
}

static void letters(const syn_gen *g, const syn_source *s, syn_made *m)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	ndl_rng *r = g->rng;
	int n = (int)ndl_rng_range(r, (int64_t)s->lo, (int64_t)s->hi);
	for (int i = 0; i < n; i++) {
		int c = 0;
		switch (s->kind) {
		case SYN_DIGITS: c = '0' + (int)(i == 0 && n > 1 ? 1 + ndl_rng_below(r,
			9) : ndl_rng_below(r, 10)); break;
		case SYN_UPPER: c = 'A' + (int)ndl_rng_below(r, 26); break;
		case SYN_LOWER: c = 'a' + (int)ndl_rng_below(r, 26); break;
		case SYN_HEX: c = digits[ndl_rng_below(r, 16)]; break;
		default: c = toupper(digits[ndl_rng_below(r, 36)]); break;
		}
		ndl_buf_byte(&m->surface, c);
	}
}

/* Lists and templates ----------------------------------------------------------------- */

static void add_slug(ndl_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isalnum((unsigned char)s[i]))
			ndl_buf_byte(out, tolower((unsigned char)s[i]));
}

static void add_modified(ndl_buf *out, const ndl_buf *s, enum syn_modifier how)
{
	if (how == SYN_TO_SLUG) {
		add_slug(out, ndl_buf_cstr(s), s->len);
		return;
	}
	for (size_t i = 0; i < s->len; i++) {
		unsigned char c = (unsigned char)s->data[i];
		if (how == SYN_TO_LOWER)
			c = (unsigned char)(c < 128 ? tolower(c) : c);
		else if (how == SYN_TO_TITLE && (i == 0 || s->data[i - 1] == ' '))
			c = (unsigned char)(c < 128 ? toupper(c) : c);
		ndl_buf_byte(out, c);
	}
}

static void fill_template(const syn_gen *g, const syn_value *v, int depth, syn_made *m)
{
	syn_place place = {.type = SYN_STRING, .as_said = true};
	syn_made part = {0};
	for (size_t i = 0; i < v->n_tmpl && m->surface.len < MAX_TEXT; i++) {
		const syn_tpiece *t = &v->tmpl[i];
		if (t->text) {
			ndl_buf_str(&m->surface, t->text);
			continue;
		}
		syn_made_reset(&part);
		expand(g, &t->source, &place, depth + 1, &part);
		add_modified(&m->surface, &part.surface, t->modifier);
	}
	syn_made_clear(&part);
}

void syn_say_value(const syn_gen *g, const syn_value *v, syn_made *m)
{
	syn_made_reset(m);
	if (v->n_tmpl)
		fill_template(g, v, 0, m);
	else
		ndl_buf_str(&m->surface, v->surface);
}

static const syn_value *pick_value(const syn_gen *g, const syn_list *l)
{
	if (g->cls == SYN_HELD && l->n > l->n_train)
		return &l->v[l->n_train + ndl_rng_below(g->rng, l->n - l->n_train)];
	return &l->v[ndl_rng_below(g->rng, g->cls == SYN_TRAIN ? l->n_train : l->n)];
}

static void list_value(const syn_gen *g, const syn_list *l, const syn_place *p, int depth, syn_made *m)
{
	const syn_value *v = pick_value(g, l);
	if (l->proper && g->made_up && depth == 0 && p->type == SYN_STRING && !v->raw
		&& ndl_rng_chance(g->rng, 0.15))
		v = pick_value(g, g->made_up);
	if (v->n_tmpl)
		fill_template(g, v, depth, m);
	else
		ndl_buf_str(&m->surface, v->surface);
	if (v->raw && (p->type != SYN_STRING || v->raw[0] == '"')) {
		ndl_buf_str(&m->raw, v->raw);
		if (v->raw[0] == '-' || isdigit((unsigned char)v->raw[0])) {
			m->key = strtod(v->raw, NULL);
			m->has_key = true;
		}
	}
}

static void expand(const syn_gen *g, const syn_source *s, const syn_place *p, int depth, syn_made *m)
{
	if (depth > SYN_MAX_DEPTH)
		return;
	switch (s->kind) {
	case SYN_NONE: break;
	case SYN_LIST: list_value(g, s->list, p, depth, m); break;
	case SYN_INT: number_value(g, p, s->lo, s->hi, false, m); break;
	case SYN_NUMBER_RANGE: number_value(g, p, s->lo, s->hi, true, m); break;
	case SYN_YEAR:
		m->key = (double)ndl_rng_range(g->rng, (int64_t)s->lo, (int64_t)s->hi);
		m->has_key = true;
		syn_trim_number(&m->surface, m->key);
		if (p->type != SYN_STRING)
			ndl_buf_str(&m->raw, ndl_buf_cstr(&m->surface));
		break;
	case SYN_PERCENT: percent_value(g, p, s->lo, s->hi, m); break;
	case SYN_DURATION: syn_duration(g, p, 0, m); break;
	case SYN_DURATION_MINUTES: syn_duration(g, p, 60, m); break;
	case SYN_DURATION_SECONDS: syn_duration(g, p, 1, m); break;
	case SYN_TIME: syn_time(g, p, m); break;
	case SYN_TIME24: syn_time24(g, p, m); break;
	case SYN_DATE: syn_date(g, p, m); break;
	case SYN_DATE_ISO: syn_date_iso(g, p, m); break;
	case SYN_DATETIME: syn_datetime(g, p, m); break;
	case SYN_ORDINAL: syn_ordinal(&m->surface, (int)ndl_rng_range(g->rng, (int64_t)s->lo,
		(int64_t)s->hi)); break;
	case SYN_SYLLABLES:
		syn_made_up_word(g->rng, &m->surface, (int)ndl_rng_range(g->rng, (int64_t)s->lo,
			(int64_t)s->hi));
		break;
	case SYN_DIGITS: case SYN_UPPER: case SYN_LOWER: case SYN_ALNUM: case SYN_HEX: letters(g, s, m); break;
	}
}

/* Choosing ---------------------------------------------------------------------------- */

/* Only copied text is split: numbers, enum words and mapped values are a closed class, and so
 * are "tomorrow" and "3 pm". */
static bool right_class(const syn_gen *g, const syn_source *src, const syn_made *m)
{
	const char *s = ndl_buf_cstr(&m->surface);
	size_t min = src->kind >= SYN_DURATION && src->kind <= SYN_DATETIME ? 8 : 3;
	if (g->cls == SYN_ANY || m->raw.len || m->surface.len < min)
		return true;
	if (src->kind == SYN_LIST ? src->list->closed : !strpbrk(s, "0123456789"))
		return true;
	return syn_held_value(s, m->surface.len) == (g->cls == SYN_HELD);
}

static bool fits_list(const syn_made *m)
{
	const char *s = ndl_buf_cstr(&m->surface);
	return !strchr(s, ',') && !strstr(s, " and ") && !strstr(s, " or ") && !strchr(s, '"');
}

void syn_generate(const syn_gen *g, const syn_source *src, const syn_place *place, syn_made *m)
{
	for (int tries = 0; tries < 200; tries++) { /* a tenth of all texts is of the held-out class */
		syn_made_reset(m);
		expand(g, src, place, 0, m);
		if (m->surface.len == 0 || (place->plain && !fits_list(m)))
			continue;
		if (right_class(g, src, m))
			return;
	}
}
