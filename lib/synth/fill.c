#include "synth/compose.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_SLOTS = 24, MAX_ITEMS = 4, MAX_SERIES_TEXT = 28 };

/* One slot of the phrase with what was made for it (as offsets: the buffers move). */
typedef struct slot {
	int16_t param, prop;
	bool many;
	const syn_param *p;
	int n;
	struct {
		size_t off, len, raw_off, raw_len;
	} made[MAX_ITEMS];
	double key;
	bool has_key;
	int first_value; /* in example.value, -1 until laid out */
} slot;

typedef struct filler {
	const syn_gen *g;
	syn_example *e;
	syn_call *call;
	const syn_offer *offer;
	size_t n_pieces; /* of the phrase, that are said */
	slot slot[MAX_SLOTS];
	size_t n_slots;
	size_t first_seg;
} filler;

void syn_example_reset(syn_example *e)
{
	ndl_buf_reset(&e->text);
	ndl_buf_reset(&e->raws);
	ndl_buf_reset(&e->query);
	ndl_buf_reset(&e->tools);
	ndl_buf_reset(&e->answers);
	e->n_segs = e->n_values = e->n_calls = e->n_offers = 0;
	e->about = NULL;
	e->opaque = 0;
	e->overflow = false;
}

void syn_example_clear(syn_example *e)
{
	ndl_buf_clear(&e->text);
	ndl_buf_clear(&e->raws);
	ndl_buf_clear(&e->query);
	ndl_buf_clear(&e->tools);
	ndl_buf_clear(&e->answers);
	syn_made_clear(&e->made);
}

static void add_seg(syn_example *e, size_t off, size_t len, int value)
{
	if (len == 0)
		return;
	if (e->n_segs == SYN_MAX_SEGS)
		e->overflow = true;
	else
		e->seg[e->n_segs++] = (syn_seg){off, len, value};
}

void syn_add_literal(syn_example *e, const char *text, size_t len)
{
	size_t off = e->text.len;
	ndl_buf_add(&e->text, text, len);
	add_seg(e, off, len, -1);
}

static void literal(syn_example *e, const char *text)
{
	syn_add_literal(e, text, strlen(text));
}

/* Making values ----------------------------------------------------------------------- */

static bool iso_date_wanted(const char *description)
{
	return strstr(description, "YYYY") || strstr(description, "ISO");
}

static bool hh_mm_wanted(const char *description)
{
	return strstr(description, "HH") || strstr(description, "24");
}

/* The literal around piece i leaves room for "five" instead of "5". */
static bool words_fit(const syn_phrase *ph, size_t i)
{
	const char *before = i ? ph->piece[i - 1].text : "";
	const char *after = i + 1 < ph->n_pieces ? ph->piece[i + 1].text : "";
	if (!before || !after)
		return false;
	size_t n = strlen(before);
	if (n && before[n - 1] != ' ')
		return false;
	if (!*after || strchr(",.?!", *after))
		return true;
	return *after == ' ' && strcspn(after + 1, " ,.?!") >= 3;
}

static syn_place place_of(const filler *f, size_t piece, const slot *s)
{
	const char *d = syn_offer_description(f->offer, s->param, s->prop);
	syn_place place = {s->p->type == SYN_ARRAY ? s->p->item_type : s->p->type, false, true,
		s->many, f->call->tool->tense};
	place.words = !s->many && words_fit(f->call->phrase, piece);
	if (s->p->source.kind == SYN_DATE_ISO)
		place.as_said = !s->p->source.converted && !iso_date_wanted(d);
	else if (s->p->source.kind == SYN_TIME24)
		place.as_said = !s->p->source.converted && !hh_mm_wanted(d);
	return place;
}

/* Was this surface said already in this call, in a slot of the same kind? Or, in one list, the
 * same value in other words? */
static bool said_before(const filler *f, const slot *s, const syn_made *m)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		const slot *t = &f->slot[i];
		if (t->p->source.kind != s->p->source.kind || t->p->source.list != s->p->source.list)
			continue;
		for (int k = 0; k < t->n; k++)
			if ((t->made[k].len == m->surface.len
			    && strncasecmp(f->e->text.data + t->made[k].off, m->surface.data, m->surface.len) == 0)
			    || (s == t && m->raw.len && t->made[k].raw_len == m->raw.len
			    && memcmp(f->e->raws.data + t->made[k].raw_off, m->raw.data, m->raw.len) == 0))
				return true;
	}
	return false;
}

static void store(syn_example *e, slot *s, const syn_made *m)
{
	int k = s->n++;
	s->made[k].off = e->text.len;
	s->made[k].len = m->surface.len;
	ndl_buf_add(&e->text, ndl_buf_cstr(&m->surface), m->surface.len);
	s->made[k].raw_off = e->raws.len;
	s->made[k].raw_len = m->raw.len;
	ndl_buf_add(&e->raws, ndl_buf_cstr(&m->raw), m->raw.len);
	s->key = m->key;
	s->has_key = m->has_key;
}

/* Free text inside quotation marks is often a written sentence. */
static void sentence_case(const filler *f, size_t piece, syn_made *m)
{
	const char *before = piece ? f->call->phrase->piece[piece - 1].text : NULL;
	size_t n = before ? strlen(before) : 0;
	bool quoted = n && (before[n - 1] == '"' || before[n - 1] == '\'' );
	ndl_buf *b = &m->surface;
	if (!quoted || b->len < 8 || m->raw.len || !ndl_rng_chance(f->g->rng, 0.5))
		return;
	b->data[0] = (char)toupper((unsigned char)b->data[0]);
	if (isalnum((unsigned char)b->data[b->len - 1]))
		ndl_buf_byte(b, ndl_rng_chance(f->g->rng, 0.8) ? '.' : '!');
}

static bool is_free_text(const syn_source *s)
{
	return s->kind == SYN_LIST && s->list->long_text;
}

/* "1 days": a one before a word in the plural. */
static bool wants_plural(const filler *f, size_t piece, const syn_made *m)
{
	const syn_phrase *ph = f->call->phrase;
	const char *after = piece + 1 < ph->n_pieces ? ph->piece[piece + 1].text : NULL;
	const char *v = ndl_buf_cstr(&m->surface);
	size_t n = after && *after == ' ' ? strcspn(after + 1, " ,.?!;:") : 0;
	return n > 3 && after[n] == 's' && (strcmp(v, "1") == 0 || strcmp(v, "one") == 0);
}

static bool make_slot(filler *f, size_t piece, slot *s)
{
	static const int counts[] = {2, 2, 2, 3, 3, 4}, calls[] = {2, 2, 2, 2, 3, 3};
	syn_place place = place_of(f, piece, s);
	syn_made *m = &f->e->made;
	const int *many = s->p->type == SYN_ARRAY ? counts : calls;
	int want = s->many ? many[ndl_rng_below(f->g->rng, 6)] : 1;
	if (f->n_slots == MAX_SLOTS)
		return false;
	f->slot[f->n_slots++] = *s;
	s = &f->slot[f->n_slots - 1];
	for (int i = 0; i < want; i++) {
		for (int tries = 0; tries < 20; tries++) {
			syn_generate(f->g, &s->p->source, &place, m);
			if (is_free_text(&s->p->source))
				sentence_case(f, piece, m);
			if (!said_before(f, s, m) && !wants_plural(f, piece, m))
				break;
		}
		if (s->many && i > 0 && said_before(f, s, m))
			continue;
		if (s->many && s->p->type != SYN_ARRAY && m->surface.len > MAX_SERIES_TEXT)
			return false;
		store(f->e, s, m);
	}
	return f->e->made.surface.len > 0;
}

static slot *find_slot(filler *f, int param, int prop)
{
	for (size_t i = 0; i < f->n_slots; i++)
		if (f->slot[i].param == param && f->slot[i].prop == prop)
			return &f->slot[i];
	return NULL;
}

static bool make_slots(filler *f)
{
	const syn_phrase *ph = f->call->phrase;
	for (size_t i = 0; i < f->n_pieces; i++) {
		const syn_piece *pc = &ph->piece[i];
		if (pc->text || find_slot(f, pc->param, pc->prop))
			continue;
		const syn_param *p = &f->call->tool->param[pc->param];
		slot s = {.param = pc->param, .prop = pc->prop, .many = pc->many, .first_value = -1};
		if (f->call->how == SYN_SERIES && ph->series == (int16_t)i)
			s.many = true;
		s.p = pc->prop < 0 ? p : &p->props[pc->prop];
		if (!make_slot(f, i, &s))
			return false;
	}
	return true;
}

/* Start before end -------------------------------------------------------------------- */

static bool has_word(const char *name, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		size_t n = strlen(words[i]);
		for (const char *s = strstr(name, words[i]); s; s = strstr(s + 1, words[i]))
			if ((s == name || s[-1] == '_') && (s[n] == '\0' || s[n] == '_'))
				return true;
	}
	return false;
}

static void swap_values(slot *a, slot *b)
{
	slot t = *a;
	a->made[0] = b->made[0];
	a->key = b->key;
	b->made[0] = t.made[0];
	b->key = t.key;
}

static void order_pairs(filler *f)
{
	static const char *const start[] = {"start", "starts", "from", "begin", "min", "minimum",
		"check_in", "lower", "low", "first", "departure", "depart", "pickup", "outbound",
		NULL};
	static const char *const end[] = {"end", "ends", "to", "until", "stop", "max", "maximum",
		"check_out", "upper", "high", "last", "return", "dropoff", "returning", NULL};
	for (size_t i = 0; i < f->n_slots; i++)
		for (size_t j = 0; j < f->n_slots; j++) {
			slot *a = &f->slot[i], *b = &f->slot[j];
			if (i == j || a->many || b->many || !a->has_key || !b->has_key || a->key <= b->key
			    || a->p->source.kind != b->p->source.kind || a->p->type != b->p->type
			    || !has_word(a->p->name, start) || !has_word(b->p->name, end))
				continue;
			swap_values(a, b);
		}
}

/* Joints between words and values ----------------------------------------------------- */

static bool one_of(const char *word, size_t len, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
			return true;
	return false;
}

/* The last word of the literal before, if that literal ends in "word ". */
static const char *tail_word(const filler *f, size_t *len)
{
	const syn_example *e = f->e;
	if (e->n_segs <= f->first_seg || e->seg[e->n_segs - 1].value >= 0)
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

static bool is_date_kind(enum syn_builtin k)
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
	if (one_of(v, w, adverbs) || (len > 8 && strncmp(v, "the day ", 8) == 0))
		return false;
	for (size_t i = 0; i + 3 <= len; i++)
		if (strncmp(v + i, "ago", 3) == 0)
			return false;
	return true;
}

/* "a" before a consonant, "an" before a vowel: by letters, with the usual exceptions by sound. */
static bool begins_with_vowel(const char *v)
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
	bool vowel = begins_with_vowel(v);
	if (vowel && word_len == 1) {
		last->len -= 1;
		literal(e, "n ");
	} else if (!vowel && word_len == 2) {
		last->len -= 2;
		literal(e, " ");
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
	return !isalnum((unsigned char)word[len - 1]) || one_of(word, len, words);
}

/* Must the word go, in "the my car", "on tomorrow", "at Friday 3 pm", "in in two days"? */
static bool word_goes(const slot *s, const char *w, size_t wl, const char *v, size_t len)
{
	static const char *const articles[] = {"the", "a", "an", "my", "our", "your", "his",
		"her", "their", NULL};
	static const char *const on[] = {"on", NULL}, *const at[] = {"at", NULL};
	size_t vl = 0;
	while (vl < len && v[vl] != ' ')
		vl++;
	if (one_of(w, wl, articles) && one_of(v, vl, articles))
		return true;
	if (one_of(w, wl, on) && is_date_kind(s->p->source.kind) && !takes_on(v, len))
		return true;
	if (one_of(w, wl, at) && s->p->source.kind == SYN_DATETIME)
		return true;
	return wl == vl && wl > 1 && vl < len && strncasecmp(w, v, wl) == 0;
}

/* Fixes the end of the words before a value, v, which may end its clause. */
static void joint_before(filler *f, const slot *s, const char *v, size_t len, bool ends_clause)
{
	static const char *const a_an[] = {"a", "an", NULL};
	size_t wl = 0;
	const char *w = tail_word(f, &wl);
	bool date = is_date_kind(s->p->source.kind) && takes_on(v, len);
	if (!w)
		return;
	if (word_goes(s, w, wl, v, len)) {
		bool at = tolower((unsigned char)w[0]) == 'a' && date;
		f->e->seg[f->e->n_segs - 1].len -= wl + 1;
		if (f->e->seg[f->e->n_segs - 1].len == 0)
			f->e->n_segs--;
		if (at)
			literal(f->e, "on ");
	} else if (one_of(w, wl, a_an)) {
		mend_article(f->e, wl, v);
	} else if (ends_clause && date && !leads_to_date(w, wl) && ndl_rng_chance(f->g->rng, 0.8)) {
		literal(f->e, "on ");
	}
}

/* How much of the literal after a value to skip: a repeated word ("timer timer", "80% %"). */
static size_t joint_after(const filler *f, const char *after)
{
	const syn_example *e = f->e;
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

/* Layout ------------------------------------------------------------------------------ */

static int add_value(syn_example *e, const slot *s, int k)
{
	if (e->n_values == SYN_MAX_VALUES) {
		e->overflow = true;
		return 0;
	}
	syn_slot_value *v = &e->value[e->n_values];
	*v = (syn_slot_value){.raw_off = s->made[k].raw_off, .raw_len = s->made[k].raw_len, .copied = s->made[k].raw_len == 0};
	return (int)e->n_values++;
}

static bool is_preposition(const char *w, size_t len)
{
	static const char *const words[] = {"in", "at", "for", "to", "of", "on", "near", "by", "with",
		"about", NULL};
	return one_of(w, len, words);
}

/* after: the words that follow, or NULL where another slot does. */
static void lay_slot(filler *f, slot *s, bool choice, const char *after)
{
	syn_example *e = f->e;
	int at = s->first_value;
	if (at < 0) {
		at = s->first_value = (int)e->n_values;
		for (int k = 0; k < s->n; k++)
			add_value(e, s, k);
		if (f->call->n_args == SYN_MAX_ARGS) {
			e->overflow = true;
			return;
		}
		bool series = s->many && s->p->type != SYN_ARRAY;
		if (series)
			f->call->n_series = s->n;
		f->call->arg[f->call->n_args++] = (syn_arg){s->param, s->prop, NULL, at, series ? 1 : s->n,
			s->p->type == SYN_ARRAY};
	}
	bool comma = ndl_rng_chance(f->g->rng, 0.85);
	size_t wl = 0;
	const char *w = s->many && s->p->type != SYN_ARRAY && ndl_rng_chance(f->g->rng, 0.35) ? tail_word(f, &wl) : NULL;
	char again[16] = ""; /* "in Paris and in Rome" */
	if (w && is_preposition(w, wl))
		snprintf(again, sizeof again, "%.*s ", (int)wl, w);
	bool ends_clause = after && (!*after || strchr(",.?!;", *after));
	for (int k = 0; k < s->n; k++) {
		if (k > 0)
			literal(e, k + 1 < s->n ? (comma ? ", " : " and ") : choice ? " or " : " and ");
		if (k > 0)
			literal(e, again);
		else
			joint_before(f, s, e->text.data + s->made[0].off, s->made[0].len, ends_clause);
		add_seg(e, s->made[k].off, s->made[k].len, at + k);
	}
}

static bool offers_choice(const syn_phrase *ph)
{
	for (size_t i = 0; i < ph->n_pieces; i++) {
		const char *t = ph->piece[i].text;
		if (t && (strstr(t, "choose") || strstr(t, "pick one") || strstr(t, "decide")))
			return true;
	}
	return false;
}

/* The words up to where a required argument is left out. */
static bool lay_piece(filler *f, size_t i)
{
	const syn_phrase *ph = f->call->phrase;
	const syn_piece *pc = &ph->piece[i];
	if (pc->text) {
		const char *t = pc->text + (i ? joint_after(f, pc->text) : 0);
		bool last = i + 1 == f->n_pieces && f->n_pieces < ph->n_pieces;
		syn_add_literal(f->e, t, last ? (size_t)ph->cut_keep - (size_t)(t - pc->text) : strlen(t));
		return false;
	}
	slot *s = find_slot(f, pc->param, pc->prop);
	lay_slot(f, s, offers_choice(ph), i + 1 < ph->n_pieces ? ph->piece[i + 1].text : "");
	return is_free_text(&s->p->source) || s->many;
}

void syn_fill(const syn_gen *g, syn_example *e, syn_call *call, const syn_offer *offer)
{
	const syn_phrase *ph = call->phrase;
	filler f = {.g = g, .e = e, .call = call, .offer = offer, .first_seg = e->n_segs,
		.n_pieces = call->how == SYN_LACKING ? (size_t)ph->cut : ph->n_pieces};
	call->n_args = 0;
	call->open_end = false;
	if (!make_slots(&f)) {
		e->overflow = true;
		return;
	}
	order_pairs(&f);
	for (size_t i = 0; i < f.n_pieces && !e->overflow; i++)
		call->open_end = lay_piece(&f, i);
	for (size_t i = 0; i < ph->n_fixed && call->n_args < SYN_MAX_ARGS; i++)
		if (!find_slot(&f, ph->fixed[i].param, ph->fixed[i].prop))
			call->arg[call->n_args++] = (syn_arg){ph->fixed[i].param, ph->fixed[i].prop,
				ph->fixed[i].json, 0, 0, false};
}
