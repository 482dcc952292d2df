/* context.c - sentences around a request that have nothing to do with it: what people tell before and after
 * they come to the point. Their names and numbers are no arguments. */
#include "synth/draw.h"

#include <ctype.h>
#include <string.h>

enum { MAX_SENTENCES = 12, FEWEST_WORDS = 40, MOST_WORDS = 62 };

static size_t count_words(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += s[i] != ' ' && (i == 0 || s[i - 1] == ' ');
	return n;
}

static size_t words_of(const syn_example *e)
{
	size_t n = 0;
	for (size_t i = 0; i < e->n_segs; i++)
		n += count_words(e->text.data + e->seg[i].off, e->seg[i].len);
	return n;
}

typedef struct telling {
	ndl_synth *s;
	syn_example *e;
	const syn_value *said[MAX_SENTENCES];
	size_t n;
} telling;

static bool is_said(const telling *t, const syn_value *v)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->said[i] == v)
			return true;
	return false;
}

/* A sentence that was not said yet; false if there is none. */
static bool tell(telling *t, const syn_list *l, bool blank_before)
{
	const syn_value *v = NULL;
	for (int tries = 0; l && tries < 20 && !v; tries++) {
		v = &l->v[ndl_rng_below(&t->s->rng, l->n)];
		v = is_said(t, v) ? NULL : v;
	}
	if (!v || t->n == MAX_SENTENCES)
		return false;
	t->said[t->n++] = v;
	syn_made *m = &t->e->made;
	syn_say_value(&t->s->gen, v, m);
	if (blank_before)
		syn_add_literal(t->e, " ", 1);
	else
		ndl_buf_byte(&m->surface, ' ');
	syn_add_literal(t->e, ndl_buf_cstr(&m->surface), m->surface.len);
	t->e->context = true;
	return true;
}

void syn_context_before(ndl_synth *s, syn_example *e)
{
	telling t = {.s = s, .e = e};
	tell(&t, s->gen.style.context, false);
}

static void end_sentence(syn_example *e)
{
	const syn_seg *last = &e->seg[e->n_segs - 1];
	char end = e->text.data[last->off + last->len - 1];
	if (!strchr(".?!", end))
		syn_add_literal(e, syn_asks(e) ? "?" : ".", 1);
}

void syn_paragraph(ndl_synth *s, syn_example *e, void (*request)(ndl_synth *s, syn_example *e))
{
	const syn_style *style = &s->gen.style;
	telling t = {.s = s, .e = e};
	size_t all = FEWEST_WORDS + ndl_rng_below(&s->rng, MOST_WORDS - FEWEST_WORDS + 1);
	size_t before = ndl_rng_below(&s->rng, all - 10);
	while (words_of(e) < before && tell(&t, style->context, false))
		;
	e->request = e->n_segs;
	request(s, e);
	if (e->overflow || e->n_segs == e->request)
		return;
	if (e->n_calls && e->call[e->n_calls - 1].open_end) { /* what follows would be taken for the text */
		e->overflow = words_of(e) < FEWEST_WORDS;
		return;
	}
	end_sentence(e);
	bool closing = ndl_rng_chance(&s->rng, 0.4);
	while (words_of(e) + (closing ? 6 : 0) < all && tell(&t, style->context, true))
		;
	if (closing)
		tell(&t, style->context_after, true);
	e->overflow = e->overflow || words_of(e) < FEWEST_WORDS;
}
