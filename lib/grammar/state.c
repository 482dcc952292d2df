/* state.c - one thread, one byte further. No recursion and no allocation: a value that ends is popped and,
 * where only the next byte told so (numbers), that byte is offered to what encloses it. */
#include "grammar/grammar_internal.h"

#include "base/narrow.h"

#include <string.h>

enum outcome { FAIL, TAKEN, AGAIN, FORK };

/* ---- lists of texts ---- */

/* Byte pos of choice i, -1 at its end. */
static int byte_at(const void *grammar, size_t i, size_t pos)
{
	const ndl_grammar *g = grammar;
	const struct choice *c = &g->choice[i];
	return pos < c->len ? (unsigned char)g->pool.data[c->text + pos] : -1;
}

bool ndl_gnarrow(const ndl_grammar *g, uint32_t *lo, uint32_t *hi, uint32_t pos, unsigned char b)
{
	size_t from = *lo, to = *hi;
	ndl_narrow(byte_at, g, &from, &to, pos, b);
	*lo = (uint32_t)from;
	*hi = (uint32_t)to;
	return from < to;
}

/* ---- the stack ---- */

static ndl_gframe *push(ndl_gstate *s, uint32_t node, unsigned depth)
{
	ndl_gframe *f = &s->frame[s->n_frames++];
	memset(f, 0, sizeof *f);
	f->node = node;
	f->phase = P_START;
	f->depth = (uint8_t)depth;
	return f;
}

/* A value inside the container f. */
static bool push_child(ndl_gstate *s, const ndl_gframe *f, uint32_t node)
{
	if (s->n_frames >= NDL_GSTATE_FRAMES)
		return false; /* compiling and free_depth keep clear of this */
	const struct node *n = &s->g->node[f->node];
	ndl_gframe *child = push(s, node, n->free ? f->depth + 1u : 0);
	if (f->phase == P_ITEM_AFTER && n->unique)
		child->flags = F_UNIQUE;
	return true;
}

static uint32_t words_base(const ndl_gstate *s)
{
	return s->at[s->n_threads - 1].word;
}

uint64_t *ndl_gwords(const ndl_gstate *s, const ndl_gframe *f)
{
	return (uint64_t *)(uintptr_t)&s->word[words_base(s) + f->words];
}

/* Words that the thread may still take. */
static uint32_t words_left(const ndl_gstate *s)
{
	uint32_t used = s->n_words - words_base(s);
	return used < s->g->thread_words ? s->g->thread_words - used : 0;
}

/* The key by which items are told apart. */
static uint64_t item_key(const ndl_gstate *s, const ndl_gframe *f)
{
	switch (f->phase) {
	case P_STRING: return ndl_gtext_key(f);
	case P_NUMBER: return ndl_gnumber_key(&s->g->node[f->node], f);
	default: return ndl_gchoice_key(f->lo);
	}
}

void ndl_gpop(ndl_gstate *s)
{
	const ndl_gframe *f = &s->frame[--s->n_frames];
	if (f->phase >= P_ITEM_FIRST)
		s->n_words = words_base(s) + f->words;
	else if (f->flags & F_UNIQUE)
		s->word[s->n_words++] = item_key(s, f);
}

/* ---- items that differ ---- */

uint64_t ndl_gchoice_key(uint32_t i)
{
	return UINT64_C(1) << 63 | i;
}

bool ndl_gused_has(struct used used, uint64_t key)
{
	for (uint32_t i = 0; i < used.n; i++)
		if (used.key[i] == key)
			return true;
	return false;
}

struct used ndl_gused(const ndl_gstate *s)
{
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	if (!(f->flags & F_UNIQUE))
		return (struct used){NULL, 0};
	return (struct used){ndl_gwords(s, f - 1), f[-1].count - 1};
}

/* A text of [lo, hi) that is no item yet. */
static bool any_new(struct used used, uint32_t lo, uint32_t hi)
{
	for (uint32_t i = lo; i < hi; i++)
		if (!ndl_gused_has(used, ndl_gchoice_key(i)))
			return true;
	return false;
}

/* ---- objects ---- */

bool ndl_gkey_used(const ndl_gstate *s, const ndl_gframe *f, const struct node *n, uint32_t choice)
{
	uint32_t bit = choice - n->keys;
	return ndl_gwords(s, f)[bit / 64] >> (bit % 64) & 1;
}

static bool any_unused(const ndl_gstate *s, const ndl_gframe *f, const struct node *n, uint32_t lo, uint32_t hi)
{
	for (uint32_t i = lo; i < hi; i++)
		if (!ndl_gkey_used(s, f, n, i))
			return true;
	return false;
}

bool ndl_gobject_complete(const ndl_gstate *s, const ndl_gframe *f, const struct node *n)
{
	const uint64_t *required = s->g->words + n->required;
	for (uint32_t i = 0; !n->map && i < n->n_words; i++)
		if (required[i] & ~ndl_gwords(s, f)[i])
			return false;
	return true;
}

bool ndl_gmap_repeats(const ndl_gstate *s, const ndl_gframe *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (ndl_gwords(s, f)[i] == ndl_gwide(f))
			return true;
	return false;
}

static bool may_add_key(const ndl_gstate *s, const ndl_gframe *f, const struct node *n)
{
	if (n->map)
		return f->count < MAP_KEYS && 1 + s->g->node[n->extra].need_words <= words_left(s);
	return f->count < n->n_keys;
}

static bool begin_object(ndl_gstate *s, ndl_gframe *f, const struct node *n)
{
	f->phase = P_KEY_FIRST;
	f->count = 0;
	f->words = s->n_words - words_base(s);
	if (!n->map) {
		if (n->n_words > words_left(s))
			return false; /* compiling keeps clear of this */
		memset(s->word + s->n_words, 0, n->n_words * sizeof *s->word);
		s->n_words += n->n_words;
	}
	return true;
}

static bool begin_key(ndl_gstate *s, ndl_gframe *f, const struct node *n)
{
	if (!may_add_key(s, f, n))
		return false;
	f->pos = 0;
	if (n->map) {
		f->phase = P_MAP_KEY;
		f->sub = S_BODY;
		ndl_gset_wide(f, FNV_START);
		return true;
	}
	f->phase = P_KEY;
	f->lo = n->keys;
	f->hi = n->keys + n->n_keys;
	return ndl_gnarrow(s->g, &f->lo, &f->hi, f->pos++, '"');
}

static bool step_key(ndl_gstate *s, ndl_gframe *f, const struct node *n, unsigned char b)
{
	if (!ndl_gnarrow(s->g, &f->lo, &f->hi, f->pos, b) || !any_unused(s, f, n, f->lo, f->hi))
		return false;
	const struct choice *c = &s->g->choice[f->lo];
	if (++f->pos < c->len)
		return true;
	uint32_t bit = f->lo - n->keys;
	ndl_gwords(s, f)[bit / 64] |= UINT64_C(1) << (bit % 64);
	f->count++;
	f->phase = P_KEY_AFTER;
	return push_child(s, f, c->value);
}

/* Keys of a map have no escapes, so that equal keys are equal bytes and equal hashes. */
static bool step_map_key(ndl_gstate *s, ndl_gframe *f, unsigned char b)
{
	uint32_t unit = 0;
	if (b == '\\')
		return false;
	switch (ndl_gstring_step(&f->sub, &unit, b)) {
	case STR_BAD:
		return false;
	case STR_END:
		if (ndl_gmap_repeats(s, f))
			return false;
		s->word[s->n_words++] = ndl_gwide(f);
		f->count++;
		f->phase = P_MAP_COLON;
		return true;
	default:
		ndl_gset_wide(f, fnv_add(ndl_gwide(f), b));
		return true;
	}
}

static enum outcome step_object(ndl_gstate *s, ndl_gframe *f, const struct node *n, unsigned char b)
{
	switch (f->phase) {
	case P_KEY: return step_key(s, f, n, b) ? TAKEN : FAIL;
	case P_MAP_KEY: return step_map_key(s, f, b) ? TAKEN : FAIL;
	case P_MAP_COLON:
		f->phase = P_KEY_AFTER;
		return b == ':' && push_child(s, f, n->extra) ? TAKEN : FAIL;
	case P_KEY_NEXT: return b == '"' && begin_key(s, f, n) ? TAKEN : FAIL;
	default: break; /* P_KEY_FIRST, P_KEY_AFTER */
	}
	if (b == '}' && ndl_gobject_complete(s, f, n)) {
		ndl_gpop(s);
		return TAKEN;
	}
	if (f->phase == P_KEY_FIRST)
		return b == '"' && begin_key(s, f, n) ? TAKEN : FAIL;
	f->phase = P_KEY_NEXT;
	return b == ',' && may_add_key(s, f, n) ? TAKEN : FAIL;
}

/* ---- other values ---- */

static enum outcome step_array(ndl_gstate *s, ndl_gframe *f, const struct node *n, unsigned char b)
{
	if (b == ']' && f->count >= n->min_items) {
		f->phase = P_ITEM_AFTER;
		ndl_gpop(s);
		return TAKEN;
	}
	if (f->count >= n->max_items || (n->unique && words_left(s) == 0))
		return FAIL;
	if (f->phase == P_ITEM_AFTER && b != ',')
		return FAIL;
	enum outcome o = f->phase == P_ITEM_AFTER ? TAKEN : AGAIN;
	f->phase = P_ITEM_AFTER;
	f->count++;
	return push_child(s, f, n->items) ? o : FAIL;
}

static enum outcome step_choice(ndl_gstate *s, ndl_gframe *f, unsigned char b)
{
	uint32_t lo = f->lo, hi = f->hi;
	if (!ndl_gnarrow(s->g, &lo, &hi, f->pos, b)) {
		/* 1 of the enum [1, 12] ends where 12 does not go on */
		if (f->pos != s->g->choice[f->lo].len || ndl_gused_has(ndl_gused(s), ndl_gchoice_key(f->lo)))
			return FAIL;
		ndl_gpop(s);
		return AGAIN;
	}
	if ((f->flags & F_UNIQUE) && !any_new(ndl_gused(s), lo, hi))
		return FAIL;
	f->lo = lo;
	f->hi = hi;
	f->pos++;
	if (hi - lo == 1 && f->pos == s->g->choice[lo].len)
		ndl_gpop(s);
	return TAKEN;
}

static enum outcome step_string(ndl_gstate *s, ndl_gframe *f, const struct node *n, unsigned char b)
{
	const struct text *t = n->text ? &s->g->text[n->text - 1] : NULL;
	switch (ndl_gstring_step(&f->sub, &f->lo, b)) {
	case STR_IN:
		break;
	case STR_CHAR:
		if (f->count++ >= n->max_len)
			return FAIL;
		break;
	case STR_END:
		if (f->count < n->min_len || (t && !ndl_gtext_may_end(t, f, ndl_gused(s))))
			return FAIL;
		ndl_gpop(s);
		return TAKEN;
	default:
		return FAIL;
	}
	return !t || ndl_gtext_step(t, f, ndl_gused(s)) ? TAKEN : FAIL;
}

static enum outcome step_number(ndl_gstate *s, ndl_gframe *f, const struct node *n, unsigned char b)
{
	if (ndl_gnumber_step(n, f, ndl_gused(s), b))
		return TAKEN;
	if (!ndl_gnumber_may_end(n, f, ndl_gused(s)))
		return FAIL;
	ndl_gpop(s);
	return AGAIN;
}

/* The first byte of a value tells its type. */
static enum outcome start_value(ndl_gstate *s, ndl_gframe *f, const struct node *n, unsigned char b)
{
	bool container = !n->free || f->depth < s->g->free_depth;
	if (n->n_alts)
		return FORK;
	if (n->n_choices) {
		f->phase = P_CHOICE;
		f->lo = n->choice;
		f->hi = n->choice + n->n_choices;
		return AGAIN;
	}
	switch (b) {
	case '"':
		f->phase = P_STRING;
		ndl_gtext_start(f);
		return n->types & T_STRING ? TAKEN : FAIL;
	case '[':
		f->phase = P_ITEM_FIRST;
		f->words = s->n_words - words_base(s);
		return container && (n->types & T_ARRAY) ? TAKEN : FAIL;
	case '{':
		return container && (n->types & T_OBJECT) && begin_object(s, f, n) ? TAKEN : FAIL;
	case 't': case 'f': case 'n':
		if (!(n->types & (b == 'n' ? T_NULL : T_BOOLEAN)))
			return FAIL;
		f->phase = P_CHOICE;
		f->lo = b == 't' ? CHOICE_TRUE : b == 'f' ? CHOICE_FALSE : CHOICE_NULL;
		f->hi = f->lo + 1;
		f->pos = 1;
		return any_new(ndl_gused(s), f->lo, f->hi) ? TAKEN : FAIL;
	default:
		if (!(n->types & (T_INTEGER | T_NUMBER)))
			return FAIL;
		f->phase = P_NUMBER;
		ndl_gnumber_start(f);
		return ndl_gnumber_step(n, f, ndl_gused(s), b) ? TAKEN : FAIL;
	}
}

/* ---- the list of calls ---- */

static bool begin_call(const ndl_grammar *g, ndl_gframe *f)
{
	if (f->count >= g->max_calls || g->n_calls == 0)
		return false;
	f->phase = P_CALL;
	f->count++;
	f->lo = g->calls;
	f->hi = g->calls + g->n_calls;
	f->pos = 0;
	return true;
}

static bool step_call(ndl_gstate *s, ndl_gframe *f, unsigned char b)
{
	if (!ndl_gnarrow(s->g, &f->lo, &f->hi, f->pos, b))
		return false;
	const struct choice *c = &s->g->choice[f->lo];
	if (++f->pos < c->len)
		return true;
	f->phase = P_CALL_END;
	push(s, c->value, 0);
	return true;
}

static bool expect(ndl_gframe *f, unsigned char b, char want, enum phase next)
{
	f->phase = next;
	return b == (unsigned char)want;
}

static bool step_root(ndl_gstate *s, ndl_gframe *f, unsigned char b)
{
	switch (f->phase) {
	case P_SPACE: return expect(f, b, ' ', P_OPEN);
	case P_OPEN: return expect(f, b, '[', P_FIRST_CALL);
	case P_FIRST_CALL:
		if (b == ']')
			return expect(f, b, ']', P_END) && s->g->min_calls == 0;
		return begin_call(s->g, f) && step_call(s, f, b);
	case P_CALL: return step_call(s, f, b);
	case P_CALL_END: return expect(f, b, '}', P_NEXT_CALL);
	case P_NEXT_CALL:
		if (b == ']')
			return expect(f, b, ']', P_END) && f->count >= s->g->min_calls;
		return b == ',' && begin_call(s->g, f);
	default: return false;
	}
}

enum advance ndl_gadvance(ndl_gstate *s, unsigned char b)
{
	enum outcome o;
	do {
		ndl_gframe *f = &s->frame[s->n_frames - 1];
		const struct node *n = &s->g->node[f->node];
		switch (f->phase) {
		case P_START: o = start_value(s, f, n, b); break;
		case P_CHOICE: o = step_choice(s, f, b); break;
		case P_STRING: o = step_string(s, f, n, b); break;
		case P_NUMBER: o = step_number(s, f, n, b); break;
		case P_ITEM_FIRST: case P_ITEM_AFTER: o = step_array(s, f, n, b); break;
		case P_KEY_FIRST: case P_KEY_NEXT: case P_KEY: case P_MAP_KEY: case P_MAP_COLON: case P_KEY_AFTER:
			o = step_object(s, f, n, b);
			break;
		default: o = step_root(s, f, b) ? TAKEN : FAIL; break;
		}
	} while (o == AGAIN);
	return o == TAKEN ? G_TAKEN : o == FORK ? G_FORK : G_REFUSED;
}
