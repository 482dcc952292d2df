/* bpe.c - merges the most frequent pair of neighbouring symbols, again and again.
 *
 * Words lie one after another in one array of cells, each a symbol with links to its neighbours.
 * A pair knows how often it occurs (weighted by the words' counts) and where. A merge touches
 * only the places where its pair occurs. All occurrences of a pair arise in one step (when the
 * newer of its two symbols is made), so afterwards its count only falls: a heap with out-of-date
 * counts finds the best pair by refreshing whatever comes to its top. */
#include "tokenizer/bpe.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct symbol {
	size_t text; /* offset in bpe.text */
	uint32_t len;
	uint32_t chars;
} symbol;

typedef struct cell {
	uint32_t sym, prev, next; /* sym NONE: merged into its left neighbour */
	uint32_t word;
} cell;

typedef struct pair {
	uint32_t left, right;
	uint32_t first, last; /* list of occurrences, NONE: empty */
	uint64_t count;
} pair;

typedef struct place {
	uint32_t cell, next;
} place;

typedef struct entry {
	uint64_t count;
	uint32_t pair;
} entry;

struct bpe {
	int max_chars;
	bool counted;        /* the words' pairs are */
	ndl_buf text;
	symbol *sym;
	size_t n_sym, cap_sym;
	cell *cell;
	size_t n_cell, cap_cell;
	uint64_t *count;     /* of each word */
	size_t n_word, cap_word;
	pair *pair;
	size_t n_pair, cap_pair;
	place *place;
	size_t n_place, cap_place;
	uint32_t *slot;      /* open addressing: pair of two symbols */
	size_t slot_mask;
	entry *heap;
	size_t n_heap, cap_heap;
	uint32_t *seen;      /* open addressing: symbols by spelling, to drop repeated pieces */
	size_t seen_mask, n_seen;
	uint32_t first_new;  /* pairs from here on are not in the heap yet */
};

bpe *bpe_new(int max_piece_chars, ndl_error *err)
{
	bpe *b = ndl_calloc(1, sizeof *b);
	if (!b) {
		ndl_fail_nomem(err, "vocabulary trainer");
		return NULL;
	}
	b->max_chars = max_piece_chars;
	return b;
}

void bpe_free(bpe *b)
{
	if (!b)
		return;
	ndl_buf_clear(&b->text);
	free(b->sym);
	free(b->cell);
	free(b->count);
	free(b->pair);
	free(b->place);
	free(b->slot);
	free(b->heap);
	free(b->seen);
	free(b);
}

/* Room for one more in the array; its index must fit 32 bits. */
static ndl_status room(void *array, size_t *cap, size_t n, size_t size, ndl_error *err)
{
	if (n >= NONE)
		return ndl_fail(err, NDL_ELIMIT, "too much text for one vocabulary");
	return ndl_grow(array, cap, n + 1, size) < 0 ? ndl_fail_nomem(err, "vocabulary trainer") : NDL_OK;
}

static ndl_status add_symbol(bpe *b, const char *text, size_t len, uint32_t chars, ndl_error *err)
{
	ndl_status status = room(&b->sym, &b->cap_sym, b->n_sym, sizeof *b->sym, err);
	if (status != NDL_OK)
		return status;
	b->sym[b->n_sym++] = (symbol){b->text.len, (uint32_t)len, chars};
	ndl_buf_add(&b->text, text, len);
	return ndl_buf_check(&b->text, err);
}

ndl_status bpe_add_char(bpe *b, uint32_t cp, ndl_error *err)
{
	char text[4];
	size_t len = ndl_utf8_encode(cp, text);
	return add_symbol(b, text, len, 1, err);
}

ndl_status bpe_add_word(bpe *b, const uint32_t *symbols, size_t n, uint64_t count, ndl_error *err)
{
	ndl_status status = room(&b->count, &b->cap_word, b->n_word, sizeof *b->count, err);
	for (size_t i = 0; i < n && status == NDL_OK; i++) {
		status = room(&b->cell, &b->cap_cell, b->n_cell, sizeof *b->cell, err);
		if (status != NDL_OK)
			break;
		uint32_t at = (uint32_t)b->n_cell++;
		b->cell[at] = (cell){symbols[i], i ? at - 1 : NONE, i + 1 < n ? at + 1 : NONE,
		                     (uint32_t)b->n_word};
	}
	if (status == NDL_OK)
		b->count[b->n_word++] = count;
	return status;
}

/* Pairs ------------------------------------------------------------------------------- */

static size_t slot_of(const bpe *b, uint32_t left, uint32_t right)
{
	uint64_t key = (uint64_t)left << 32 | right;
	key = (key ^ key >> 31) * 0x9E3779B97F4A7C15u;
	size_t i = (size_t)(key >> 20) & b->slot_mask;
	while (b->slot[i] != NONE && (b->pair[b->slot[i]].left != left || b->pair[b->slot[i]].right != right))
		i = (i + 1) & b->slot_mask;
	return i;
}

static ndl_status grow_slots(bpe *b, ndl_error *err)
{
	size_t n = b->slot ? 2 * (b->slot_mask + 1) : (size_t)1 << 16;
	uint32_t *slot = ndl_calloc(n, sizeof *slot);
	if (!slot)
		return ndl_fail_nomem(err, "vocabulary trainer");
	memset(slot, 0xFF, n * sizeof *slot);
	free(b->slot);
	b->slot = slot;
	b->slot_mask = n - 1;
	for (size_t i = 0; i < b->n_pair; i++)
		b->slot[slot_of(b, b->pair[i].left, b->pair[i].right)] = (uint32_t)i;
	return NDL_OK;
}

/* The pair that begins in cell `at` occurs there. */
static ndl_status add_pair(bpe *b, uint32_t at, ndl_error *err)
{
	uint32_t left = b->cell[at].sym, right = b->cell[b->cell[at].next].sym;
	if (b->sym[left].chars + b->sym[right].chars > (uint32_t)b->max_chars)
		return NDL_OK;
	ndl_status status = NDL_OK;
	if (!b->slot || 2 * b->n_pair > b->slot_mask)
		status = grow_slots(b, err);
	if (status == NDL_OK)
		status = room(&b->place, &b->cap_place, b->n_place, sizeof *b->place, err);
	if (status == NDL_OK)
		status = room(&b->pair, &b->cap_pair, b->n_pair, sizeof *b->pair, err);
	if (status != NDL_OK)
		return status;
	size_t s = slot_of(b, left, right);
	if (b->slot[s] == NONE) {
		b->slot[s] = (uint32_t)b->n_pair;
		b->pair[b->n_pair++] = (pair){left, right, NONE, NONE, 0};
	}
	pair *p = &b->pair[b->slot[s]];
	uint32_t node = (uint32_t)b->n_place++;
	b->place[node] = (place){at, NONE};
	if (p->last == NONE)
		p->first = node;
	else
		b->place[p->last].next = node;
	p->last = node;
	p->count += b->count[b->cell[at].word];
	return NDL_OK;
}

/* The pair that begins in cell `at` is about to vanish there. */
static void drop_pair(bpe *b, uint32_t at)
{
	uint32_t i = b->slot[slot_of(b, b->cell[at].sym, b->cell[b->cell[at].next].sym)];
	if (i != NONE)
		b->pair[i].count -= b->count[b->cell[at].word];
}

/* The heap ---------------------------------------------------------------------------- */

/* Bytes of left then right, compared with another pair's. */
static int compare_text(const bpe *b, const pair *x, const pair *y)
{
	const symbol *part[2][2] = {{&b->sym[x->left], &b->sym[x->right]}, {&b->sym[y->left], &b->sym[y->right]}};
	char text[2][512]; /* 64 characters of 4 bytes at most */
	size_t len[2];
	for (int i = 0; i < 2; i++) {
		memcpy(text[i], b->text.data + part[i][0]->text, part[i][0]->len);
		memcpy(text[i] + part[i][0]->len, b->text.data + part[i][1]->text, part[i][1]->len);
		len[i] = part[i][0]->len + part[i][1]->len;
	}
	int c = memcmp(text[0], text[1], len[0] < len[1] ? len[0] : len[1]);
	return c ? c : (len[0] > len[1]) - (len[0] < len[1]);
}

/* More frequent first; of equals the shorter, then the smaller in byte order. */
static bool better(const bpe *b, entry x, entry y)
{
	if (x.count != y.count)
		return x.count > y.count;
	const pair *p = &b->pair[x.pair], *q = &b->pair[y.pair];
	uint32_t m = b->sym[p->left].chars + b->sym[p->right].chars;
	uint32_t n = b->sym[q->left].chars + b->sym[q->right].chars;
	if (m != n)
		return m < n;
	int c = compare_text(b, p, q);
	if (c != 0)
		return c < 0;
	return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static void sift_down(bpe *b)
{
	entry e = b->heap[0];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= b->n_heap)
			break;
		if (child + 1 < b->n_heap && better(b, b->heap[child + 1], b->heap[child]))
			child++;
		if (!better(b, b->heap[child], e))
			break;
		b->heap[i] = b->heap[child];
		i = child;
	}
	if (b->n_heap)
		b->heap[i] = e;
}

/* Puts the pairs made since the last call into the heap. */
static ndl_status push_new(bpe *b, ndl_error *err)
{
	for (; b->first_new < b->n_pair; b->first_new++) {
		entry e = {b->pair[b->first_new].count, b->first_new};
		if (e.count == 0)
			continue;
		ndl_status status = room(&b->heap, &b->cap_heap, b->n_heap, sizeof *b->heap, err);
		if (status != NDL_OK)
			return status;
		size_t i = b->n_heap++;
		for (; i > 0 && better(b, e, b->heap[(i - 1) / 2]); i = (i - 1) / 2)
			b->heap[i] = b->heap[(i - 1) / 2];
		b->heap[i] = e;
	}
	return NDL_OK;
}

/* How often merging the pair would really happen. In "aaa" the pair "aa" is counted twice but
 * can be merged once, so a pair of equals is counted again; places are in ascending order. */
static uint64_t merges_of(const bpe *b, const pair *p)
{
	uint64_t count = 0;
	uint32_t taken = NONE; /* right half of the occurrence counted last */
	if (p->left != p->right)
		return p->count;
	for (uint32_t i = p->first; i != NONE; i = b->place[i].next) {
		uint32_t at = b->place[i].cell, next = b->cell[at].next;
		if (at == taken || b->cell[at].sym != p->left || next == NONE || b->cell[next].sym != p->left)
			continue;
		count += b->count[b->cell[at].word];
		taken = next;
	}
	return count;
}

/* The best pair, taken out of the heap; NONE if there is none. */
static uint32_t pop_best(bpe *b)
{
	while (b->n_heap) {
		entry *top = &b->heap[0];
		uint64_t now = merges_of(b, &b->pair[top->pair]);
		if (now == top->count && now > 0) {
			uint32_t best = top->pair;
			b->heap[0] = b->heap[--b->n_heap];
			sift_down(b);
			return best;
		}
		if (now == 0)
			*top = b->heap[--b->n_heap];
		else
			top->count = now;
		sift_down(b);
	}
	return NONE;
}

/* Merging ----------------------------------------------------------------------------- */

static ndl_status merge_at(bpe *b, uint32_t at, uint32_t made, ndl_error *err)
{
	uint32_t right = b->cell[at].next, prev = b->cell[at].prev, next = b->cell[right].next;
	ndl_status status = NDL_OK;
	if (prev != NONE)
		drop_pair(b, prev);
	if (next != NONE)
		drop_pair(b, right);
	b->cell[at].sym = made;
	b->cell[at].next = next;
	b->cell[right].sym = NONE;
	if (next != NONE)
		b->cell[next].prev = at;
	if (prev != NONE)
		status = add_pair(b, prev, err);
	if (next != NONE && status == NDL_OK)
		status = add_pair(b, at, err);
	return status;
}

static ndl_status merge_pair(bpe *b, uint32_t which, uint32_t made, ndl_error *err)
{
	uint32_t left = b->pair[which].left, right = b->pair[which].right;
	for (uint32_t i = b->pair[which].first; i != NONE; i = b->place[i].next) {
		uint32_t at = b->place[i].cell, next = b->cell[at].next;
		/* it may have become part of something else, or overlap the one just merged */
		if (b->cell[at].sym != left || next == NONE || b->cell[next].sym != right)
			continue;
		ndl_status status = merge_at(b, at, made, err);
		if (status != NDL_OK)
			return status;
	}
	b->pair[which].count = 0;
	return NDL_OK;
}

static ndl_status make_symbol(bpe *b, const pair *p, ndl_error *err)
{
	char text[512];
	symbol l = b->sym[p->left], r = b->sym[p->right];
	memcpy(text, b->text.data + l.text, l.len);
	memcpy(text + l.len, b->text.data + r.text, r.len);
	return add_symbol(b, text, l.len + r.len, l.chars + r.chars, err);
}

/* Whether the newest symbol is spelt like an earlier merge. */
static ndl_status note_spelling(bpe *b, bool *is_new, ndl_error *err)
{
	if (!b->seen || 2 * b->n_seen > b->seen_mask) {
		size_t n = b->seen ? 2 * (b->seen_mask + 1) : 1024;
		uint32_t *seen = ndl_calloc(n, sizeof *seen), *old = b->seen;
		size_t old_n = old ? b->seen_mask + 1 : 0;
		if (!seen)
			return ndl_fail_nomem(err, "vocabulary trainer");
		memset(seen, 0xFF, n * sizeof *seen);
		for (size_t i = 0; i < old_n; i++) {
			if (old[i] == NONE)
				continue;
			const symbol *s = &b->sym[old[i]];
			size_t k = ndl_hash64(b->text.data + s->text, s->len, 0) & (n - 1);
			while (seen[k] != NONE)
				k = (k + 1) & (n - 1);
			seen[k] = old[i];
		}
		free(old);
		b->seen = seen;
		b->seen_mask = n - 1;
	}
	const symbol *mine = &b->sym[b->n_sym - 1];
	const char *text = b->text.data + mine->text;
	size_t k = ndl_hash64(text, mine->len, 0) & b->seen_mask;
	for (; b->seen[k] != NONE; k = (k + 1) & b->seen_mask) {
		const symbol *s = &b->sym[b->seen[k]];
		if (s->len == mine->len && memcmp(b->text.data + s->text, text, s->len) == 0) {
			*is_new = false;
			return NDL_OK;
		}
	}
	b->seen[k] = (uint32_t)(b->n_sym - 1);
	b->n_seen++;
	*is_new = true;
	return NDL_OK;
}

static ndl_status count_words(bpe *b, ndl_error *err)
{
	ndl_status status = NDL_OK;
	for (size_t i = 0; i < b->n_cell && status == NDL_OK; i++)
		if (b->cell[i].next != NONE)
			status = add_pair(b, (uint32_t)i, err);
	b->counted = true;
	return status;
}

int bpe_next(bpe *b, bpe_piece *piece, ndl_error *err)
{
	bool is_new = false;
	ndl_status status = b->counted ? NDL_OK : count_words(b, err);
	while (status == NDL_OK && !is_new) {
		status = push_new(b, err);
		if (status != NDL_OK)
			break;
		uint32_t best = pop_best(b);
		if (best == NONE)
			return 0;
		pair p = b->pair[best];
		status = make_symbol(b, &p, err);
		if (status == NDL_OK)
			status = merge_pair(b, best, (uint32_t)(b->n_sym - 1), err);
		if (status == NDL_OK)
			status = note_spelling(b, &is_new, err);
	}
	if (status != NDL_OK)
		return status;
	const symbol *s = &b->sym[b->n_sym - 1];
	*piece = (bpe_piece){b->text.data + s->text, s->len};
	return 1;
}
