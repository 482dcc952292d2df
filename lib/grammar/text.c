/* text.c - what a string must say: the expression of its pattern and format, its length in
 * characters, and that it differs from the items before it. A byte is taken only if the text can
 * still be finished under all three. */
#include "grammar/grammar_internal.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
	LENGTH_TABLE = 4 << 20,   /* states times lengths */
	LENGTH_WORK = 100 << 20,  /* and times classes */
	SEARCH_DEPTH = 200,       /* characters to look ahead for an item that is new: so many, and more than there are */
	DEEPEST = 5000,           /* states, mean a loop, and, where the length has room for it, texts enough */
};

#define NEVER UINT32_MAX

/* By characters. */
static uint64_t hash_of(const ndl_gframe *f)
{
	return (uint64_t)f->words << 32 | f->pos;
}

static void set_hash(ndl_gframe *f, uint64_t hash)
{
	f->pos = (uint32_t)hash;
	f->words = (uint32_t)(hash >> 32);
}

void ndl_gtext_start(ndl_gframe *f)
{
	f->sub = S_BODY;
	f->hi = 0;
	set_hash(f, FNV_START);
}

/* Apart from the keys of numbers and choices. */
static uint64_t key_of(uint64_t hash)
{
	return (hash & (UINT64_MAX >> 2)) | UINT64_C(1) << 62;
}

uint64_t ndl_gtext_key(const ndl_gframe *f)
{
	return key_of(hash_of(f));
}

/* Characters to an end from a state after count characters; NEVER if maxLength does not allow them. */
static uint32_t rest_of(const struct text *t, uint32_t state, uint32_t count)
{
	if (state == REGEX_DEAD || count > t->max_len)
		return NEVER;
	uint32_t need = t->min_len > count ? t->min_len - count : 0;
	uint32_t rest = t->rest ? t->rest[(size_t)need * t->regex->n_states + state] : t->regex->rest[state];
	return rest == REGEX_DEAD || rest > t->max_len - count ? NEVER : rest;
}

/* ---- items that are new ---- */

struct search {
	const struct text *t;
	struct used used;
	uint32_t found, cap; /* texts that are not used */
};

static void search(struct search *s, uint32_t state, uint32_t count, uint64_t hash, int depth);

/* Goes on by each character of [lo, hi]: where there are more of them than texts were used, some
 * of them lead to new texts. */
static void search_span(struct search *s, uint32_t state, uint32_t count, uint64_t hash, struct span span, int depth)
{
	const ndl_regex *r = s->t->regex;
	for (uint32_t i = ndl_regex_range(r, span.lo); i + 1 < r->n_ranges && r->range[i].at <= span.hi && s->found < s->cap; i++) {
		uint32_t to = ndl_regex_step_range(r, state, i), lo = r->range[i].at, hi = r->range[i + 1].at - 1;
		if (to == REGEX_DEAD || rest_of(s->t, to, count) == NEVER)
			continue;
		lo = lo < span.lo ? span.lo : lo;
		hi = hi > span.hi ? span.hi : hi;
		uint32_t many = s->used.n + s->cap, from = count > s->t->min_len ? count : s->t->min_len;
		bool room = s->t->max_len - from >= (uint64_t)(many + 1) * r->n_states; /* to go round a loop so often */
		bool loop = depth > SEARCH_DEPTH && (uint32_t)depth > r->n_states && (room || depth > DEEPEST);
		if (hi - lo >= many || loop) {
			s->found = s->cap;
			return;
		}
		for (uint32_t c = lo; c <= hi && s->found < s->cap; c++)
			search(s, to, count, fnv_add(hash, c), depth + 1);
	}
}

/* Counts texts that are not used, up to s->cap, among those that begin in this state. */
static void search(struct search *s, uint32_t state, uint32_t count, uint64_t hash, int depth)
{
	if (s->t->regex->rest[state] == 0 && count >= s->t->min_len && !ndl_gused_has(s->used, key_of(hash)))
		s->found++;
	if (count < s->t->max_len)
		search_span(s, state, count + 1, hash, (struct span){1, CHAR_MAX_POINT}, depth);
}

static bool may_be_new(const struct text *t, const ndl_gframe *f, struct used used)
{
	struct search s = {t, used, 0, 1};
	struct span span[2];
	if (f->sub == S_BODY) {
		search(&s, f->hi, f->count, hash_of(f), 0);
		return s.found > 0;
	}
	int n = ndl_gstring_spans(f->sub, f->lo, span);
	for (int i = 0; i < n; i++)
		search_span(&s, f->hi, f->count, hash_of(f), span[i], 0);
	return s.found > 0;
}

uint32_t ndl_gtext_count(const struct text *t, uint32_t cap)
{
	struct search s = {t, {NULL, 0}, 0, cap};
	search(&s, 0, 0, FNV_START, 0);
	return s.found < cap ? s.found : cap;
}

/* ---- steps ---- */

uint32_t ndl_gtext_rest(const struct text *t, const ndl_gframe *f)
{
	struct span span[2];
	uint32_t best = NEVER;
	const ndl_regex *r = t->regex;
	if (f->sub == S_BODY)
		return rest_of(t, f->hi, f->count);
	int n = ndl_gstring_spans(f->sub, f->lo, span);
	for (int k = 0; k < n; k++)
		for (uint32_t i = ndl_regex_range(r, span[k].lo); i < r->n_ranges && r->range[i].at <= span[k].hi; i++) {
			uint32_t rest = rest_of(t, ndl_regex_step_range(r, f->hi, i), f->count);
			best = rest < best ? rest : best;
		}
	return best;
}

bool ndl_gtext_step(const struct text *t, ndl_gframe *f, struct used used)
{
	if (f->sub == S_BODY) {
		set_hash(f, fnv_add(hash_of(f), f->lo));
		f->hi = ndl_regex_step(t->regex, f->hi, f->lo);
	}
	return ndl_gtext_rest(t, f) != NEVER && (used.n == 0 || may_be_new(t, f, used));
}

bool ndl_gtext_may_end(const struct text *t, const ndl_gframe *f, struct used used)
{
	return t->regex->rest[f->hi] == 0 && f->count >= t->min_len && !ndl_gused_has(used, ndl_gtext_key(f));
}

/* ---- lengths ---- */

/* can[k][s]: whether a match ends exactly k characters after state s. */
static void exact_lengths(const ndl_regex *r, uint8_t *can, size_t n_lengths)
{
	for (uint32_t s = 0; s < r->n_states; s++)
		can[s] = r->rest[s] == 0;
	for (size_t k = 1; k < n_lengths; k++) {
		const uint8_t *before = can + (k - 1) * r->n_states;
		uint8_t *now = can + k * r->n_states;
		for (uint32_t s = 0; s < r->n_states; s++) {
			const uint16_t *next = r->next + (size_t)s * r->n_classes;
			for (uint32_t c = 0; c < r->n_classes && !now[s]; c++)
				now[s] = next[c] != REGEX_DEAD && before[next[c]];
		}
	}
}

/* The shortest match of at least k characters has fewer than k + n_states of them: a longer one
 * passes a state twice after the k-th. */
ndl_status ndl_gtext_compile(struct text *t, ndl_error *err)
{
	const ndl_regex *r = t->regex;
	size_t n = r->n_states, lengths = (size_t)t->min_len + n + 1;
	if (t->min_len > 0 && t->min_len <= t->max_len) {
		if (lengths >= REGEX_DEAD || lengths > LENGTH_TABLE / n || lengths * n > LENGTH_WORK / r->n_classes)
			return ndl_fail(err, NDL_ELIMIT, "pattern and minLength need too large a table");
		uint8_t *can = ndl_calloc(lengths, n);
		uint16_t *least = ndl_calloc(n, sizeof *least);
		t->rest = ndl_calloc((size_t)t->min_len + 1, n * sizeof *t->rest);
		if (!can || !least || !t->rest) {
			free(can);
			free(least);
			return ndl_fail_nomem(err, "pattern");
		}
		exact_lengths(r, can, lengths);
		for (size_t s = 0; s < n; s++)
			least[s] = REGEX_DEAD;
		for (size_t k = lengths; k-- > 0;)
			for (size_t s = 0; s < n; s++) {
				if (can[k * n + s])
					least[s] = (uint16_t)(k < REGEX_DEAD ? k : REGEX_DEAD);
				if (k <= t->min_len)
					t->rest[k * n + s] = least[s];
			}
		free(can);
		free(least);
	}
	return rest_of(t, 0, 0) == NEVER ? ndl_fail(err, NDL_EINVAL, "no text of the length allowed matches") : NDL_OK;
}
