#include "synth/card.h"
#include "synth/fill.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_SERIES_TEXT = 28 };

void syn_example_reset(syn_example *e)
{
	ndl_buf_reset(&e->text);
	ndl_buf_reset(&e->raws);
	ndl_buf_reset(&e->query);
	ndl_buf_reset(&e->tools);
	ndl_buf_reset(&e->answers);
	e->n_segs = e->n_values = e->n_calls = e->n_offers = 0;
	e->about = NULL;
	e->request = 0;
	e->context = e->dated = false;
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

void syn_add_text(syn_example *e, const char *text)
{
	syn_add_literal(e, text, strlen(text));
}

/* Making values ----------------------------------------------------------------------- */

bool syn_iso_date_wanted(const char *description)
{
	return strstr(description, "YYYY") || strstr(description, "ISO");
}

static bool hh_mm_wanted(const char *description)
{
	return strstr(description, "HH") || strstr(description, "24");
}

bool syn_form_wanted(const syn_source *s, const char *description)
{
	if (s->kind == SYN_DATE_ISO)
		return s->converted || syn_iso_date_wanted(description);
	return s->kind == SYN_TIME24 && (s->converted || hh_mm_wanted(description));
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
	syn_place place = {.type = s->p->type == SYN_ARRAY ? s->p->item_type : s->p->type, .plain = s->many};
	place.words = !s->many && words_fit(f->call->phrase, piece);
	place.as_said = !syn_form_wanted(&s->p->source, d);
	if (syn_is_date(s->p->source.kind)) {
		const slot *other = syn_partner(f, s);
		place.tense = syn_tense_of(f->call->tool->name, s->p->name);
		place.tense = place.tense ? place.tense : f->call->tool->tense;
		place.near_form = other ? other->form : SYN_VAGUE;
		place.near = other ? other->key : 0;
	}
	return place;
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
	s->form = m->form;
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

/* "1 days", "1 people": a one before a word in the plural. */
static bool wants_plural(const filler *f, size_t piece, const syn_made *m)
{
	const syn_phrase *ph = f->call->phrase;
	const char *after = piece + 1 < ph->n_pieces ? ph->piece[piece + 1].text : NULL;
	const char *v = ndl_buf_cstr(&m->surface);
	size_t n = after && *after == ' ' ? strcspn(after + 1, " ,.?!;:") : 0;
	bool plural = (n > 3 && after[n] == 's') || (n == 6 && strncmp(after + 1, "people", n) == 0);
	return plural && (strcmp(v, "1") == 0 || strcmp(v, "one") == 0);
}

/* "by in two days", "after 3 weeks ago": after such words a date says which day it is. */
static bool wants_day(const filler *f, size_t piece, const slot *s, const syn_made *m)
{
	static const char *const words[] = {"by", "from", "until", "till", "since", "before", "after", "of", "to",
		"starting", "between", NULL};
	const char *before = piece ? f->call->phrase->piece[piece - 1].text : NULL;
	size_t n = before ? strlen(before) : 0, end = n;
	const char *v = ndl_buf_cstr(&m->surface);
	if (!n || !syn_is_date(s->p->source.kind) || (strncmp(v, "in ", 3) != 0 && !strstr(v, " ago") && !strstr(v, " from ")))
		return false;
	while (end && before[end - 1] == ' ')
		end--;
	while (end && before[end - 1] != ' ')
		end--;
	for (size_t i = 0; words[i]; i++)
		if (strncasecmp(before + end, words[i], strlen(words[i])) == 0 && before[end + strlen(words[i])] == ' ')
			return true;
	return false;
}

/* "a {duration} timer": the duration is said before a noun. */
static bool before_noun(const filler *f, size_t piece)
{
	static const char *const words[] = {" a ", " an ", " another ", " new ", " quick ", NULL};
	const syn_phrase *ph = f->call->phrase;
	const char *before = piece ? ph->piece[piece - 1].text : NULL;
	const char *after = piece + 1 < ph->n_pieces ? ph->piece[piece + 1].text : NULL;
	size_t n = before ? strlen(before) : 0;
	if (!n || !after || *after != ' ' || (!after[1] && piece + 2 == ph->n_pieces))
		return false;
	for (size_t i = 0; words[i]; i++) {
		size_t k = strlen(words[i]);
		if ((n >= k && strcasecmp(before + n - k, words[i]) == 0) || strcasecmp(before, words[i] + 1) == 0)
			return true;
	}
	return false;
}

/* Makes "5 minutes" "5 minute" or "5-minute"; false where more than two words would stand there. */
static bool make_adjective(const filler *f, syn_made *m)
{
	ndl_buf *b = &m->surface;
	char *blank = b->len ? strchr(b->data, ' ') : NULL;
	if (!blank || strchr(blank + 1, ' ') || b->data[0] == 'a') /* "an hour" */
		return false;
	if (b->data[b->len - 1] == 's')
		b->data[--b->len] = '\0';
	if (ndl_rng_chance(f->g->rng, 0.25))
		*blank = '-';
	return true;
}

static bool is_duration(enum syn_builtin k)
{
	return k == SYN_DURATION || k == SYN_DURATION_MINUTES || k == SYN_DURATION_SECONDS;
}

/* A value that goes with the words around it, or the last of some that do not. */
static void make_value(filler *f, size_t piece, const slot *s, const syn_place *place)
{
	syn_made *m = &f->e->made;
	bool adjective = is_duration(s->p->source.kind) && before_noun(f, piece);
	for (int tries = 0; tries < 20; tries++) {
		syn_generate(f->g, &s->p->source, place, m);
		if (is_free_text(&s->p->source))
			sentence_case(f, piece, m);
		if (adjective && !make_adjective(f, m))
			continue;
		if (!syn_said_before(f, s, m) && !wants_plural(f, piece, m) && !wants_day(f, piece, s, m))
			break;
	}
}

/* How many values: as many as the list has that it goes with (or NULL). */
static int count_values(const filler *f, const slot *s, const slot *beside)
{
	static const int items[] = {2, 2, 2, 3, 3, 4}, calls[] = {2, 2, 2, 2, 3, 3};
	int some = s->many ? (s->p->type == SYN_ARRAY ? items : calls)[ndl_rng_below(f->g->rng, 6)] : 1;
	return beside ? beside->n : some;
}

static bool make_slot(filler *f, size_t piece, slot *s)
{
	syn_place place = place_of(f, piece, s);
	syn_made *m = &f->e->made;
	const slot *beside = syn_beside(f, s);
	int want = count_values(f, s, beside);
	if (f->n_slots == SYN_MAX_SLOTS)
		return false;
	f->slot[f->n_slots] = *s;
	s = &f->slot[f->n_slots++];
	if (s->own) {
		syn_made_reset(m);
		ndl_buf_str(&m->surface, s->own);
		store(f->e, s, m);
		return true;
	}
	for (int i = 0; i < want; i++) {
		make_value(f, piece, s, &place);
		if (((s->many && i > 0) || s->p->enum_json) && syn_said_before(f, s, m)) {
			if (beside || !s->many)
				return false;
			continue;
		}
		if (s->many && s->p->type != SYN_ARRAY && m->surface.len > MAX_SERIES_TEXT)
			return false;
		store(f->e, s, m);
	}
	return m->surface.len > 0;
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
		slot s = {.param = pc->param, .prop = pc->prop, .many = pc->many, .own = pc->own,
			.first_value = -1};
		if ((f->call->how == SYN_SERIES || f->call->how == SYN_ELLIPSIS) && ph->series == (int16_t)i)
			s.many = true;
		s.p = pc->prop < 0 ? p : &p->props[pc->prop];
		if (!make_slot(f, i, &s))
			return false;
	}
	return true;
}

/* Layout ------------------------------------------------------------------------------ */

static void add_value(syn_example *e, const slot *s, int k)
{
	size_t off = s->made[k].raw_off, len = s->made[k].raw_len;
	if (e->n_values == SYN_MAX_VALUES)
		e->overflow = true;
	else
		e->value[e->n_values++] = (syn_slot_value){.raw_off = off, .raw_len = len, .copied = len == 0};
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
	bool later = f->call->how == SYN_ELLIPSIS && s->many && s->p->type != SYN_ARRAY;
	char again[SYN_PREPOSITION] = ""; /* "in Paris and in Rome" */
	if (s->many && s->p->type != SYN_ARRAY && ndl_rng_chance(f->g->rng, later ? 0.75 : 0.35))
		syn_tail_preposition(e, f->first_seg, again, sizeof again);
	if (later)
		memcpy(f->again, again, sizeof again);
	bool ends_clause = after && (!*after || strchr(",.?!;", *after));
	for (int k = 0; k < (later ? 1 : s->n); k++) {
		if (k > 0)
			syn_add_text(e, k + 1 < s->n ? (comma ? ", " : " and ") : choice ? " or " : " and ");
		if (k > 0)
			syn_add_text(e, again);
		else if (!s->own)
			syn_joint_before(f->g->rng, e, f->first_seg, s->p->source.kind, e->text.data + s->made[0].off,
				s->made[0].len, ends_clause);
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

/* "What's the weather in Paris tomorrow" + "? And in Rome?" */
static void lay_others(filler *f)
{
	static const char *const after_question[] = {"? And %s", "? What about %s", "? How about %s", "? And %s", ", and %s",
		"? and what about %s", "? Same for %s", "? Also %s", "? And how about %s"},
		*const after_order[] = {". And %s", ", and %s too", ". Same for %s", ". Do the same for %s", ". Also %s", ", also %s",
		". And then %s", ", then the same for %s", ". Then %s too", ". %s too"};
	syn_example *e = f->e;
	ndl_rng *r = f->g->rng;
	const slot *s = find_slot(f, f->call->phrase->piece[f->call->phrase->series].param, -1);
	const syn_seg *last = &e->seg[e->n_segs - 1];
	bool ended = strchr(".?!", e->text.data[last->off + last->len - 1]) != NULL;
	bool asks = syn_asks(e), with = true;
	for (int k = 1; k < s->n; k++) {
		const char *form = k > 1 ? " and %s" : asks ? after_question[ndl_rng_below(r, 9)] : after_order[ndl_rng_below(r, 10)];
		const char *at = strstr(form, "%s");
		size_t skip = k == 1 && ended ? strcspn(form, " ") : 0;
		syn_add_literal(e, form + skip, (size_t)(at - form) - skip);
		with = with && !strstr(form, "for %s") && !strstr(form, ". %s");
		if (with)
			syn_add_text(e, f->again);
		add_seg(e, s->made[k].off, s->made[k].len, s->first_value + k);
		syn_add_text(e, at + 2);
	}
	if (asks && ndl_rng_chance(r, 0.7))
		syn_add_text(e, "?");
}

/* The words up to where a required argument is left out. */
static bool lay_piece(filler *f, size_t i)
{
	const syn_phrase *ph = f->call->phrase;
	const syn_piece *pc = &ph->piece[i];
	if (pc->text) {
		const char *t = pc->text + (i ? syn_joint_after(f->e, pc->text) : 0);
		bool last = i + 1 == f->n_pieces && f->n_pieces < ph->n_pieces;
		syn_add_literal(f->e, t, last ? ph->cut_keep - (size_t)(t - pc->text) : strlen(t));
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
	if (!make_slots(&f) || !syn_order_pairs(&f)) {
		e->overflow = true;
		return;
	}
	for (size_t i = 0; i < f.n_pieces && !e->overflow; i++)
		call->open_end = lay_piece(&f, i);
	if (call->how == SYN_ELLIPSIS && !e->overflow)
		lay_others(&f);
	for (size_t i = 0; i < ph->n_fixed && call->n_args < SYN_MAX_ARGS; i++)
		if (!find_slot(&f, ph->fixed[i].param, ph->fixed[i].prop))
			call->arg[call->n_args++] = (syn_arg){ph->fixed[i].param, ph->fixed[i].prop,
				ph->fixed[i].json, 0, 0, false};
}
