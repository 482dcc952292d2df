/* joints.c - where words and values meet: "a apple", "on tomorrow", "80% %" are mended. */
#include "synth/compose.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The last word of the literal before, if that literal ends in "word ". */
static const char *tail_word(const syn_example *e, size_t first_seg, size_t *len)
{
	if (e->n_segs <= first_seg || e->seg[e->n_segs - 1].value >= 0)
		return NULL;
	const syn_seg *s = &e->seg[e->n_segs - 1];
	const char *t = e->text.data + s->off;
	if (t[s->len - 1] != ' ')
		return NULL;
	size_t end = s->len - 1, begin = end;
	while (begin && t[begin - 1] != ' ')
		begin--;
	*len = end - begin;
	return *len ? t + begin : NULL;
}

bool syn_is_date(enum syn_builtin k)
{
	return k == SYN_DATE || k == SYN_DATE_ISO || k == SYN_DATETIME;
}

/* "3 May" and "Friday" want a preposition, "tomorrow" and "next Friday" do not. */
static bool takes_on(const char *v, size_t len)
{
	static const char *const adverbs[] = {"today", "tomorrow", "tonight", "yesterday",
		"next", "last", "this", "in", "first", "noon", "midnight", "midday", NULL};
	size_t w = 0;
	while (w < len && v[w] != ' ' && v[w] != ',')
		w++;
	if (syn_one_of(v, w, adverbs) || (len > 8 && strncmp(v, "the day ", 8) == 0))
		return false;
	static const char *const parts[] = {"ago", " from now", " from today", "a week ", " next week", " last week"};
	for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
		size_t n = strlen(parts[k]);
		for (size_t i = 0; i + n <= len; i++)
			if (strncmp(v + i, parts[k], n) == 0)
				return false;
	}
	return true;
}

/* "a" before a consonant, "an" before a vowel: by letters, with the usual exceptions by sound. */
bool syn_takes_an(const char *v)
{
	static const char *const consonants[] = {"uni", "eu", "one ", "us", NULL};
	for (size_t i = 0; consonants[i]; i++)
		if (strncasecmp(v, consonants[i], strlen(consonants[i])) == 0)
			return false;
	return strchr("aeiouAEIO8", v[0]) || strncmp(v, "11 ", 3) == 0 || strncmp(v, "18", 2) == 0
		|| strncasecmp(v, "hour", 4) == 0;
}

static void mend_article(syn_example *e, size_t word_len, const char *v)
{
	syn_seg *last = &e->seg[e->n_segs - 1];
	bool vowel = syn_takes_an(v);
	if (vowel && word_len == 1) {
		last->len -= 1;
		syn_add_text(e, "n ");
	} else if (!vowel && word_len == 2) {
		last->len -= 2;
		syn_add_text(e, " ");
	}
}

/* Words after which a date needs no "on". */
static bool leads_to_date(const char *word, size_t len)
{
	static const char *const words[] = {"on", "by", "from", "since", "to", "until", "till",
		"for", "before", "after", "between", "and", "of", "the", "is", "was", "with",
		"per", "at", "this", "my", "as", "starting", "through", "or", "than", "in",
		"around", "about", "every", "next", "last", "be", "date", "due", "dated",
		"into", "both", "that", "a", "born", "offer", "propose", "suggest", "counter",
		"prefer", "choose", "pick", "want", "make", "says", "say", "me", "reads", NULL};
	return !isalnum((unsigned char)word[len - 1]) || syn_one_of(word, len, words);
}

/* Must the word go, in "the my car", "on tomorrow", "at Friday 3 pm", "for in two days", "in in two days"? */
static bool word_goes(enum syn_builtin kind, const char *w, size_t wl, const char *v, size_t len)
{
	static const char *const articles[] = {"the", "a", "an", "my", "our", "your", "his",
		"her", "their", NULL};
	static const char *const on[] = {"on", NULL}, *const at[] = {"at", NULL}, *const lead[] = {"for", NULL};
	size_t vl = 0;
	while (vl < len && v[vl] != ' ')
		vl++;
	if (syn_one_of(w, wl, articles) && syn_one_of(v, vl, articles))
		return true;
	if (syn_one_of(w, wl, on) && syn_is_date(kind) && !takes_on(v, len))
		return true;
	if (syn_one_of(w, wl, at) && kind == SYN_DATETIME)
		return true;
	if (syn_one_of(w, wl, lead) && syn_is_date(kind) && strncmp(v, "in ", 3) == 0)
		return true;
	return wl == vl && wl > 1 && vl < len && strncasecmp(w, v, wl) == 0;
}

void syn_joint_before(ndl_rng *r, syn_example *e, size_t first_seg, enum syn_builtin kind, const char *v,
	size_t len, bool ends_clause)
{
	static const char *const a_an[] = {"a", "an", NULL};
	size_t wl = 0;
	const char *w = tail_word(e, first_seg, &wl);
	bool date = syn_is_date(kind) && takes_on(v, len);
	if (!w)
		return;
	if (word_goes(kind, w, wl, v, len)) {
		bool at = tolower((unsigned char)w[0]) == 'a' && date;
		e->seg[e->n_segs - 1].len -= wl + 1;
		if (e->seg[e->n_segs - 1].len == 0)
			e->n_segs--;
		if (at)
			syn_add_text(e, "on ");
	} else if (syn_one_of(w, wl, a_an)) {
		mend_article(e, wl, v);
	} else if (ends_clause && date && !leads_to_date(w, wl) && ndl_rng_chance(r, 0.8)) {
		syn_add_text(e, "on ");
	}
}

size_t syn_joint_after(const syn_example *e, const char *after)
{
	if (e->n_segs == 0 || e->seg[e->n_segs - 1].value < 0)
		return 0;
	const syn_seg *s = &e->seg[e->n_segs - 1];
	const char *v = e->text.data + s->off;
	if (v[s->len - 1] == '%' && *after == '%')
		return 1;
	if (strchr(".!?", v[s->len - 1]) && strchr(".,?!", *after) && *after)
		return 1;
	size_t begin = s->len;
	while (begin && v[begin - 1] != ' ')
		begin--;
	size_t n = s->len - begin;
	if (*after != ' ' || n < 2 || strncasecmp(after + 1, v + begin, n) != 0
		|| isalnum((unsigned char)after[1 + n]))
		return 0;
	return 1 + n;
}

void syn_tail_preposition(const syn_example *e, size_t first_seg, char *out, size_t size)
{
	static const char *const words[] = {"in", "at", "for", "to", "of", "on", "near", "by", "with",
		"about", NULL};
	size_t len = 0;
	const char *w = tail_word(e, first_seg, &len);
	snprintf(out, size, "%s", "");
	if (w && syn_one_of(w, len, words))
		snprintf(out, size, "%.*s ", (int)len, w);
}
