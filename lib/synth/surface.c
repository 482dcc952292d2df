/* surface.c - the same request as different people would type or say it. */
#include "synth/compose.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum letter_case { KEEP, LOWER, UPPER };

typedef struct look {
	enum letter_case letters;
	bool spoken;      /* as speech recognition writes: no punctuation */
	bool capital;     /* first letter */
	bool end_mark;
	const char *opening, *ending;
	size_t typo_seg;  /* index of the literal that gets one, or SIZE_MAX */
} look;

static const char *from(const syn_gen *g, const syn_list *l)
{
	return l ? l->v[ndl_rng_below(g->rng, l->n)].surface : "";
}

/* The first word of the query from a segment of literal words on. */
static size_t first_word(const syn_example *e, size_t seg, const char **word)
{
	size_t n = 0;
	*word = "";
	if (e->n_segs <= seg || e->seg[seg].value >= 0)
		return 0;
	*word = e->text.data + e->seg[seg].off;
	while (n < e->seg[seg].len && (isalpha((unsigned char)(*word)[n]) || (*word)[n] == '\''))
		n++;
	return n;
}

static bool in_list(const syn_list *l, const char *word, size_t len)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (strlen(l->v[i].surface) == len && strncasecmp(l->v[i].surface, word, len) == 0)
			return true;
	return false;
}

static bool is_question(const char *w, size_t n)
{
	static const char *const starts[] = {"what", "what's", "whats", "when", "when's",
		"where", "where's", "who", "who's", "how", "how's", "is", "are", "can", "could",
		"do", "does", "did", "will", "would", "which", "why", "any", "has", "have",
		"was", "were", "am", "should", "mind", "whose", "isn't", "anything", "shall", NULL};
	return syn_one_of(w, n, starts);
}

bool syn_asks(const syn_example *e)
{
	const char *w;
	size_t n = first_word(e, e->request, &w);
	static const char *const orders[] = {"can", "could", "would", "will", "mind", "did", NULL};
	return !syn_one_of(w, n, orders) && is_question(w, n);
}

static bool mentions(const syn_example *e, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < e->n_segs; i++) {
		const syn_seg *s = &e->seg[i];
		for (size_t k = 0; s->value < 0 && k + n <= s->len; k++)
			if (strncasecmp(e->text.data + s->off + k, word, n) == 0)
				return true;
	}
	return false;
}

static bool ends_in_mark(const syn_example *e)
{
	const syn_seg *s = &e->seg[e->n_segs - 1];
	return strchr(".?!:…", e->text.data[s->off + s->len - 1]) != NULL;
}

/* "start it now now", "give me a joke for me" */
static bool doubles(const syn_example *e, const char *ending)
{
	const syn_seg *s = &e->seg[e->n_segs - 1];
	size_t n = strcspn(ending + 1, " ");
	if (s->len > n && strncasecmp(e->text.data + s->off + s->len - n, ending + 1, n) == 0)
		return true;
	return strncmp(ending, " for me", 7) == 0 && mentions(e, " me ");
}

static look choose_look(const syn_gen *g, const syn_example *e)
{
	ndl_rng *r = g->rng;
	look k = {.opening = "", .ending = "", .typo_seg = SIZE_MAX};
	const char *w;
	size_t n = first_word(e, 0, &w);
	bool verb = in_list(g->style.verbs, w, n), question = is_question(w, n), polite = mentions(e, "please");
	bool plain = e->n_segs == 1; /* the same words each time but for what stands around them */
	double u = ndl_rng_unit(r);
	k.spoken = u < 0.13 && !e->context;
	k.letters = u < 0.24 ? LOWER : u < 0.25 ? UPPER : KEEP;
	k.capital = ndl_rng_chance(r, 0.45);
	k.end_mark = ndl_rng_chance(r, 0.35);
	if (e->context) {
		if (ndl_rng_chance(r, 0.06))
			k.typo_seg = ndl_rng_below(r, e->n_segs);
		return k;
	}
	if (verb && !polite && ndl_rng_chance(r, plain ? 0.4 : 0.16))
		k.opening = from(g, g->style.verb_opening), polite = true;
	else if (ndl_rng_chance(r, plain ? 0.2 : 0.07))
		k.opening = from(g, g->style.opening);
	if (verb && !polite && ndl_rng_chance(r, plain ? 0.2 : 0.07))
		k.ending = from(g, g->style.verb_ending);
	else if (!question && ndl_rng_chance(r, plain ? 0.1 : 0.03))
		k.ending = from(g, g->style.ending);
	if (*k.ending && (ends_in_mark(e) || doubles(e, k.ending)))
		k.ending = "";
	if (e->n_segs && ndl_rng_chance(r, 0.06))
		k.typo_seg = ndl_rng_below(r, e->n_segs);
	return k;
}

/* Letters ----------------------------------------------------------------------------- */

static void put(ndl_buf *out, enum letter_case how, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		ndl_buf_byte(out, c >= 128 || how == KEEP ? c : how == LOWER ? tolower(c) : toupper(c));
	}
}

/* What speech recognition leaves of the words between values. */
static void put_spoken(ndl_buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (strchr(",.?!:;\"()", c))
			continue;
		if (c == ' ' && out->len && out->data[out->len - 1] == ' ')
			continue;
		ndl_buf_byte(out, c < 128 ? tolower(c) : c);
	}
}

static void put_typo(ndl_rng *r, ndl_buf *out, enum letter_case how, const char *s, size_t n)
{
	size_t at[64], k = 0;
	for (size_t i = 1; i + 2 < n && k < 64; i++)
		if (isalpha((unsigned char)s[i - 1]) && isalpha((unsigned char)s[i])
			&& isalpha((unsigned char)s[i + 1])
		    && isalpha((unsigned char)s[i + 2]))
			at[k++] = i;
	if (k == 0) {
		put(out, how, s, n);
		return;
	}
	size_t i = at[ndl_rng_below(r, k)];
	put(out, how, s, i);
	switch (ndl_rng_below(r, 4)) {
	case 0: /* two letters swapped */
		put(out, how, s + i + 1, 1);
		put(out, how, s + i, 1);
		put(out, how, s + i + 2, n - i - 2);
		break;
	case 1: /* one twice */
		put(out, how, s + i, 1);
		put(out, how, s + i, n - i);
		break;
	case 2: /* a wrong one */
		ndl_buf_byte(out, 'a' + (int)ndl_rng_below(r, 26));
		put(out, how, s + i + 1, n - i - 1);
		break;
	default: /* one left out */
		put(out, how, s + i + 1, n - i - 1);
	}
}

static void put_literal(const syn_gen *g, ndl_buf *out, const look *k, const char *s, size_t n, bool typo)
{
	if (k->spoken)
		put_spoken(out, s, n);
	else if (typo)
		put_typo(g->rng, out, k->letters, s, n);
	else
		put(out, k->letters, s, n);
}

/* "The recipe" after "hey, " begins small, "I" does not. */
static void put_first(const syn_gen *g, ndl_buf *out, const look *k, const char *s, size_t n, bool typo)
{
	size_t at = out->len;
	put_literal(g, out, k, s, n, typo);
	bool word = n > 1 && isupper((unsigned char)s[0]) && (islower((unsigned char)s[1]) && s[1] != '\'');
	if (*k->opening && word && out->len > at)
		out->data[at] = (char)tolower((unsigned char)out->data[at]);
}

static void trim_end(ndl_buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

static void finish(const syn_gen *g, syn_example *e, const look *k)
{
	ndl_buf *out = &e->query;
	const char *w;
	size_t n = first_word(e, e->request, &w);
	bool value_first = e->n_segs && e->seg[0].value >= 0 && !*k->opening;
	bool asks = is_question(w, n) || is_question(k->opening, strcspn(k->opening, " "));
	put_literal(g, out, k, k->ending, strlen(k->ending), false);
	trim_end(out);
	if (out->len == 0 || k->spoken)
		return;
	if (k->end_mark && !strchr(".?!:;…", out->data[out->len - 1])
		&& (unsigned char)out->data[out->len - 1] < 128)
		ndl_buf_byte(out, asks ? '?' : ndl_rng_chance(g->rng, 0.06) ? '!' : '.');
	if (k->capital && k->letters == KEEP && !value_first)
		out->data[0] = (char)toupper((unsigned char)out->data[0]);
}

void syn_write_query(const syn_gen *g, syn_example *e)
{
	if (e->n_segs == 0 || e->overflow) {
		e->overflow = true;
		return;
	}
	look k = choose_look(g, e);
	ndl_buf *out = &e->query;
	put_literal(g, out, &k, k.opening, strlen(k.opening), false);
	for (size_t i = 0; i < e->n_segs; i++) {
		const syn_seg *s = &e->seg[i];
		const char *t = e->text.data + s->off;
		if (s->value < 0) {
			if (i == 0)
				put_first(g, out, &k, t, s->len, k.typo_seg == i);
			else
				put_literal(g, out, &k, t, s->len, k.typo_seg == i);
			continue;
		}
		if (k.spoken && out->len && isalnum((unsigned char)out->data[out->len - 1]))
			ndl_buf_byte(out, ' '); /* what stood between was punctuation */
		syn_slot_value *v = &e->value[s->value];
		v->at = out->len;
		for (v->len = s->len; v->len > 1 && t[v->len - 1] == ' ';) /* those at the query's end will go */
			v->len--;
		put(out, k.letters, t, s->len);
		if (k.spoken && i + 1 < e->n_segs && e->seg[i + 1].value < 0 && !strchr(" .,?!:;\"'%", e->text.data[e->seg[i + 1].off])
		    && !isalnum((unsigned char)e->text.data[e->seg[i + 1].off]))
			ndl_buf_byte(out, ' ');
	}
	finish(g, e, &k);
}
