/* regex.c - from an automaton with free moves to one without (subset construction), with all
 * states removed from which no match is left. */
#include "grammar/regex_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUILD_WORK = 30 << 20,    /* moves looked at while building it: a fraction of a second */
};

/* ---- characters to classes: those that no set tells apart ---- */

static int compare_points(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static size_t distinct(uint32_t *point, size_t n)
{
	size_t kept = 0;
	qsort(point, n, sizeof *point, compare_points);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || point[i] != point[kept - 1])
			point[kept++] = point[i];
	return kept;
}

int ndl_regex_points(ndl_regex *r, uint32_t *point, size_t n)
{
	n = distinct(point, n);
	r->range = ndl_calloc(n, sizeof *r->range);
	for (size_t i = 0; r->range && i < n; i++)
		r->range[i] = (struct char_range){point[i], REGEX_DEAD};
	r->n_ranges = (uint32_t)n;
	return r->range ? 0 : -1;
}

bool ndl_regex_is_text(uint32_t point)
{
	return point != 0 && !(point >= 0xD800 && point <= 0xDFFF) && point <= CHAR_MAX_POINT;
}

static bool set_holds(const struct nfa *n, uint32_t set, uint32_t point)
{
	const struct span *s = n->span + n->set[set].first;
	size_t lo = 0, hi = n->set[set].n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s[mid].hi < point)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n->set[set].n && s[lo].lo <= point;
}

static int make_ranges(ndl_regex *r, const struct nfa *n)
{
	uint32_t *point = ndl_calloc(2 * n->n_spans + 5, sizeof *point);
	size_t k = 0;
	if (!point)
		return -1;
	static const uint32_t edges[] = {0, 1, 0xD800, 0xE000, CHAR_MAX_POINT + 1};
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
		point[k++] = edges[i];
	for (size_t i = 0; i < n->n_spans; i++) {
		point[k++] = n->span[i].lo;
		point[k++] = n->span[i].hi + 1;
	}
	int failed = ndl_regex_points(r, point, k);
	free(point);
	return failed;
}

/* Whether a set has a class, in bits; sample: a character of the class. */
struct classes {
	uint64_t *has; /* [class][words] */
	uint32_t *sample;
	size_t words;
};

static ndl_status make_classes(ndl_regex *r, const struct nfa *n, struct classes *c, ndl_error *err)
{
	c->words = (n->n_sets + 63) / 64;
	size_t cells;
	if (make_ranges(r, n) < 0 || !ndl_mul_ok(c->words, r->n_ranges, &cells))
		return ndl_fail_nomem(err, "pattern");
	if (cells > REGEX_TABLE)
		return ndl_fail(err, NDL_ELIMIT, "pattern is too large");
	c->has = ndl_calloc(cells, sizeof *c->has);
	c->sample = ndl_calloc(r->n_ranges, sizeof *c->sample);
	if (!c->has || !c->sample)
		return ndl_fail_nomem(err, "pattern");
	for (size_t i = 0; i < r->n_ranges; i++) {
		uint32_t at = r->range[i].at, k = 0;
		uint64_t *row = c->has + (size_t)r->n_classes * c->words;
		if (!ndl_regex_is_text(at))
			continue;
		memset(row, 0, c->words * sizeof *row);
		for (uint32_t s = n->words ? 0 : 2; s < n->n_sets; s++)
			if (set_holds(n, s, at))
				row[s / 64] |= UINT64_C(1) << (s % 64);
		while (k < r->n_classes && memcmp(c->has + k * c->words, row, c->words * sizeof *row) != 0)
			k++;
		if (k == r->n_classes) {
			if (k >= REGEX_DEAD)
				return ndl_fail(err, NDL_ELIMIT, "pattern is too large");
			c->sample[r->n_classes++] = at;
		}
		r->range[i].class_ = (uint16_t)k;
	}
	return NDL_OK;
}

/* ---- subsets ---- */

struct key { /* of a state: an interval of builder.member, and what came before */
	uint32_t first, n;
	uint8_t before;
};

/* What stands before or after a place: WORD a character of \w, OTHER one that may be in it. */
enum { AT_START = 1, WORD = 2, OTHER = 4 };

struct builder {
	const struct nfa *n;
	struct classes classes;
	ndl_regex *r;
	struct key *key;
	uint32_t *member;  /* states of the automaton that the keys hold, each key sorted */
	size_t cap_keys, n_members, cap_members;
	uint32_t *bucket;  /* hash table of 2 * REGEX_MAX_STATES: state + 1 */
	size_t cap_next;
	uint32_t *stack, *closed; /* of a closure under way; n_states each */
	uint32_t *mark, stamp;
	size_t n_closed, work;
	ndl_error *err;
};

static ndl_status too_complex(struct builder *b)
{
	return ndl_fail(b->err, NDL_ELIMIT, "pattern needs too many states");
}

static bool holds(uint32_t assertion, uint8_t before, bool at_end, uint8_t next, bool widest)
{
	bool edge = (before & WORD) != (next & WORD), known = !((before | next) & OTHER);
	switch (assertion) {
	case ASSERT_START: return before & AT_START;
	case ASSERT_END: return at_end;
	case ASSERT_WORD: return known ? edge : widest;
	default: return known ? !edge : widest;
	}
}

/* Follows the free moves from a key, given what comes next, to the SET states in b->closed.
 * Returns whether a match ends here. */
static bool close_key(struct builder *b, const struct key *k, bool at_end, uint8_t next)
{
	size_t n = 0;
	bool match = false;
	b->stamp++;
	b->n_closed = 0;
#define PUSH(x) do { if (b->mark[x] != b->stamp) { b->mark[x] = b->stamp; b->stack[n++] = (x); } } while (0)
	for (uint32_t i = 0; i < k->n; i++)
		PUSH(b->member[k->first + i]);
	while (n > 0) {
		uint32_t at = b->stack[--n];
		const struct nfa_state *s = &b->n->state[at];
		b->work++;
		switch (s->kind) {
		case NFA_MATCH: match = true; break;
		case NFA_SET: b->closed[b->n_closed++] = at; break;
		case NFA_SPLIT:
			PUSH(s->out);
			PUSH(s->arg);
			break;
		case NFA_ASSERT:
			if (holds(s->arg, k->before, at_end, next, b->n->widest))
				PUSH(s->out);
			break;
		}
	}
#undef PUSH
	return match;
}

/* The state with this key, made if it is new; its members are the last `n` added. */
static ndl_status find_state(struct builder *b, uint32_t n, uint8_t before, uint32_t *state)
{
	struct key k = {(uint32_t)b->n_members - n, n, before};
	uint64_t hash = FNV_START ^ before;
	qsort(b->member + k.first, n, sizeof *b->member, compare_points);
	for (uint32_t i = 0; i < n; i++)
		hash = fnv_add(hash, b->member[k.first + i]);
	size_t at = (hash >> 20) % (2 * REGEX_MAX_STATES);
	for (; b->bucket[at]; at = (at + 1) % (2 * REGEX_MAX_STATES)) {
		const struct key *o = &b->key[b->bucket[at] - 1];
		if (o->n == n && o->before == before &&
		    memcmp(b->member + o->first, b->member + k.first, n * sizeof *b->member) == 0) {
			b->n_members -= n;
			*state = b->bucket[at] - 1;
			return NDL_OK;
		}
	}
	ndl_regex *r = b->r;
	if (r->n_states >= REGEX_MAX_STATES || ((size_t)r->n_states + 1) * r->n_classes > REGEX_TABLE)
		return too_complex(b);
	if (ndl_grow(&b->key, &b->cap_keys, r->n_states + 1, sizeof *b->key) < 0 ||
	    ndl_grow(&r->next, &b->cap_next, ((size_t)r->n_states + 1) * r->n_classes, sizeof *r->next) < 0)
		return ndl_fail_nomem(b->err, "pattern");
	b->key[r->n_states] = k;
	*state = r->n_states++;
	b->bucket[at] = *state + 1;
	return NDL_OK;
}

/* Adds what the closed states reach by a class as the members of a key to come. */
static int add_moves(struct builder *b, uint32_t class_, uint32_t *n)
{
	const uint64_t *has = b->classes.has + class_ * b->classes.words;
	if (ndl_grow(&b->member, &b->cap_members, b->n_members + b->n_closed + 1, sizeof *b->member) < 0)
		return -1;
	*n = 0;
	b->stamp++;
	for (size_t i = 0; i < b->n_closed; i++) {
		const struct nfa_state *s = &b->n->state[b->closed[i]];
		if (!(has[s->arg / 64] >> (s->arg % 64) & 1) || b->mark[s->out] == b->stamp)
			continue;
		b->mark[s->out] = b->stamp;
		b->member[b->n_members++] = s->out;
		++*n;
	}
	b->work += b->n_closed;
	return 0;
}

/* All moves of one state. Once something was found, any text may follow: the key is the match alone. */
static ndl_status expand(struct builder *b, uint32_t state)
{
	const struct nfa *n = b->n;
	const struct key k = b->key[state];
	bool match = false;
	uint8_t last = 0;
	for (uint32_t c = 0; c < b->r->n_classes; c++) {
		uint64_t kind = n->words ? b->classes.has[c * b->classes.words] & 3 : 0;
		uint8_t next = kind & 1 ? WORD : kind & 2 ? OTHER : 0;
		uint32_t count = 0, to = REGEX_DEAD;
		if (c == 0 || next != last)
			match = close_key(b, &k, false, next);
		last = next;
		if (b->work > BUILD_WORK)
			return too_complex(b);
		if (match) {
			if (ndl_grow(&b->member, &b->cap_members, b->n_members + 1, sizeof *b->member) < 0)
				return ndl_fail_nomem(b->err, "pattern");
			b->member[b->n_members++] = 0; /* the state of MATCH */
			count = 1;
			next = 0;
		} else if (add_moves(b, c, &count) < 0) {
			return ndl_fail_nomem(b->err, "pattern");
		}
		ndl_status status = count ? find_state(b, count, next, &to) : NDL_OK;
		if (status < 0)
			return status;
		b->r->next[(size_t)state * b->r->n_classes + c] = (uint16_t)to;
	}
	return NDL_OK;
}

/* ---- what is left to a match ---- */

ndl_status ndl_regex_finish(ndl_regex *r, const uint8_t *accepts, ndl_error *err)
{
	r->rest = ndl_calloc(r->n_states, sizeof *r->rest);
	if (!r->rest)
		return ndl_fail_nomem(err, "pattern");
	for (uint32_t s = 0; s < r->n_states; s++)
		r->rest[s] = accepts[s] ? 0 : REGEX_DEAD;
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t s = r->n_states; s-- > 0;) { /* states were found from the start on */
			const uint16_t *next = r->next + (size_t)s * r->n_classes;
			for (uint32_t c = 0; c < r->n_classes; c++)
				if (next[c] != REGEX_DEAD && r->rest[next[c]] != REGEX_DEAD && r->rest[next[c]] + 1 < r->rest[s]) {
					r->rest[s] = (uint16_t)(r->rest[next[c]] + 1);
					changed = true;
				}
		}
	}
	r->all = REGEX_DEAD;
	for (uint32_t s = 0; s < r->n_states; s++) {
		uint16_t *next = r->next + (size_t)s * r->n_classes;
		bool all = accepts[s];
		for (uint32_t c = 0; c < r->n_classes; c++) {
			all = all && next[c] == s;
			if (next[c] != REGEX_DEAD && r->rest[next[c]] == REGEX_DEAD)
				next[c] = REGEX_DEAD;
		}
		if (all)
			r->all = s;
	}
	return r->rest[0] == REGEX_DEAD ? ndl_fail(err, NDL_EINVAL, "no text matches the pattern") : NDL_OK;
}

static ndl_status determinise(struct builder *b)
{
	const struct nfa *n = b->n;
	uint32_t state;
	b->bucket = ndl_calloc(2 * REGEX_MAX_STATES, sizeof *b->bucket);
	b->stack = ndl_calloc(n->n_states, sizeof *b->stack);
	b->closed = ndl_calloc(n->n_states, sizeof *b->closed);
	b->mark = ndl_calloc(n->n_states, sizeof *b->mark);
	if (!b->bucket || !b->stack || !b->closed || !b->mark ||
	    ndl_grow(&b->member, &b->cap_members, 1, sizeof *b->member) < 0)
		return ndl_fail_nomem(b->err, "pattern");
	b->member[b->n_members++] = n->start;
	ndl_status status = find_state(b, 1, AT_START, &state);
	for (uint32_t s = 0; status == 0 && s < b->r->n_states; s++)
		status = expand(b, s);
	if (status < 0)
		return status;
	uint8_t *accepts = ndl_calloc(b->r->n_states, 1);
	if (!accepts)
		return ndl_fail_nomem(b->err, "pattern");
	for (uint32_t s = 0; s < b->r->n_states; s++)
		accepts[s] = close_key(b, &b->key[s], true, 0);
	status = ndl_regex_finish(b->r, accepts, b->err);
	free(accepts);
	return status;
}

ndl_regex *ndl_regex_build(const char *text, size_t len, bool widest, ndl_error *err)
{
	struct nfa n;
	struct builder b = {.n = &n, .r = ndl_calloc(1, sizeof(ndl_regex)), .err = err};
	ndl_status status = ndl_nfa_parse(&n, text, len, widest, err);
	if (status == 0)
		status = b.r ? make_classes(b.r, &n, &b.classes, err) : ndl_fail_nomem(err, "pattern");
	if (status == 0)
		status = determinise(&b);
	free(b.key);
	free(b.member);
	free(b.bucket);
	free(b.stack);
	free(b.closed);
	free(b.mark);
	free(b.classes.has);
	free(b.classes.sample);
	ndl_nfa_clear(&n);
	if (status < 0) {
		ndl_regex_free(b.r);
		return NULL;
	}
	return b.r;
}

void ndl_regex_free(ndl_regex *r)
{
	if (!r)
		return;
	free(r->range);
	free(r->next);
	free(r->rest);
	free(r);
}

uint32_t ndl_regex_range(const ndl_regex *r, uint32_t point)
{
	uint32_t lo = 0, hi = r->n_ranges;
	while (hi - lo > 1) {
		uint32_t mid = (lo + hi) / 2;
		if (r->range[mid].at <= point)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

uint32_t ndl_regex_step(const ndl_regex *r, uint32_t state, uint32_t point)
{
	return ndl_regex_step_range(r, state, ndl_regex_range(r, point));
}

uint32_t ndl_regex_step_range(const ndl_regex *r, uint32_t state, uint32_t range)
{
	uint16_t class_ = r->range[range].class_;
	return class_ == REGEX_DEAD ? REGEX_DEAD : r->next[(size_t)state * r->n_classes + class_];
}
