/* encode.c - text to ids: normalise, cut where no piece can reach across, merge each run.
 *
 * The rule is SentencePiece's: of all neighbouring symbols whose concatenation is a piece, merge
 * the pair of the highest score, the leftmost of equals; repeat. Runs that no piece can span are
 * independent of one another, so each is merged by itself: short ones by scanning an array, long
 * ones with a heap of positions. */
#include "tokenizer/tok_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { STACK_TEXT = 2048, STACK_RUN = 256, SCAN_MAX = 40 };

void ndl_ids_clear(ndl_ids *v)
{
	free(v->id);
	*v = (ndl_ids){NULL, 0, 0};
}

ndl_status ndl_ids_push(ndl_ids *v, int32_t id, ndl_error *err)
{
	if (v->len == v->cap && ndl_grow(&v->id, &v->cap, v->len + 1, sizeof *v->id) < 0)
		return ndl_fail_nomem(err, "token ids");
	v->id[v->len++] = id;
	return NDL_OK;
}

typedef struct encoder {
	const ndl_tok *t;
	const tok_pairs *pairs; /* NULL: for so little text by spelling */
	ndl_ids *out;
	ndl_error *err;
	ndl_status status;   /* the first failure; later output is dropped */
	size_t enough;       /* ids in out: more are not wanted */
	bool after_unknown;
	uint32_t (*made_of)[2]; /* UNUSED pieces: [n] the two symbols last seen to form each; else NULL */
	uint32_t *run;       /* symbols of the current run */
	size_t n_run, cap_run;
	uint32_t stack_run[STACK_RUN];
} encoder;

/* Output ------------------------------------------------------------------------------ */

static void push(encoder *e, int32_t id)
{
	if (e->status == NDL_OK)
		e->status = ndl_ids_push(e->out, id, e->err);
}

/* Text that has no piece: its bytes, or one <unk> for each stretch of it. */
static void emit_unknown(encoder *e, const char *text, size_t len)
{
	if (e->t->byte_fallback)
		for (size_t i = 0; i < len; i++)
			push(e, e->t->byte_id[(unsigned char)text[i]]);
	else if (!e->after_unknown)
		push(e, e->t->unk);
	e->after_unknown = true;
}

static void emit_unknown_char(encoder *e, uint32_t cp)
{
	char text[4];
	size_t len = ndl_utf8_encode(cp, text);
	emit_unknown(e, text, len);
}

static void emit(encoder *e, uint32_t symbol)
{
	const ndl_tok *t = e->t;
	if (symbol & SYM_UNKNOWN) {
		emit_unknown_char(e, symbol & ~SYM_UNKNOWN);
		return;
	}
	symbol &= ~SYM_FROZEN;
	int32_t id = t->final[symbol];
	if (id >= 0 && t->piece[id].type == PIECE_UNUSED && e->made_of[symbol][0] != SYM_NONE) {
		emit(e, e->made_of[symbol][0]); /* not for output: back to its halves, which are shorter */
		emit(e, e->made_of[symbol][1]);
	} else if (id >= 0) {
		push(e, id);
		e->after_unknown = false;
	} else if (symbol < t->n) {
		emit_unknown(e, tok_text(t, (int32_t)symbol), t->piece[symbol].len);
	} else {
		emit_unknown_char(e, t->symbol_cp[symbol - t->n]);
	}
}

/* Merging ----------------------------------------------------------------------------- */

/* What a pair merges to and when; rank UINT32_MAX: it does not. */
typedef struct merge {
	uint32_t to, rank;
} merge;

static const merge no_merge = {SYM_NONE, UINT32_MAX};

static merge look_up(encoder *e, uint32_t left, uint32_t right)
{
	uint32_t to = e->pairs ? tok_find_pair(e->pairs, left, right) : tok_merge_spelt(e->t, left, right);
	if (to == SYM_NONE)
		return no_merge;
	if (e->made_of) {
		e->made_of[to][0] = left;
		e->made_of[to][1] = right;
	}
	return (merge){to, e->t->rank[to]};
}

/* Few symbols: next[i] is the merge of sym[i] and sym[i + 1]; find the best by looking at all. */
static size_t merge_scan(encoder *e, uint32_t *sym, size_t n)
{
	merge next[SCAN_MAX];
	for (size_t i = 0; i + 1 < n; i++)
		next[i] = look_up(e, sym[i], sym[i + 1]);
	for (;;) {
		size_t best = 0;
		uint32_t rank = UINT32_MAX;
		for (size_t i = 0; i + 1 < n; i++)
			if (next[i].rank < rank) {
				rank = next[i].rank;
				best = i;
			}
		if (rank == UINT32_MAX)
			return n;
		sym[best] = next[best].to;
		n--;
		memmove(sym + best + 1, sym + best + 2, (n - best - 1) * sizeof *sym);
		if (best + 1 < n)
			memmove(next + best, next + best + 1, (n - best - 1) * sizeof *next);
		if (best > 0)
			next[best - 1] = look_up(e, sym[best - 1], sym[best]);
		if (best + 1 < n)
			next[best] = look_up(e, sym[best], sym[best + 1]);
	}
}

/* Many symbols: a linked list, and a heap of the positions whose pair merges. Each position
 * is in the heap at most once, so nothing in it is ever stale. */
typedef struct node {
	uint32_t sym, prev, next; /* next == n at the end; prev == UINT32_MAX at the beginning */
	uint32_t to, rank;        /* of this symbol and the next; rank UINT32_MAX: no merge */
	uint32_t at;              /* place in the heap, UINT32_MAX: not in it */
} node;

typedef struct heap {
	node *node;
	uint32_t *pos;
	size_t n;
} heap;

static bool before(const heap *h, uint32_t a, uint32_t b)
{
	uint32_t x = h->node[a].rank, y = h->node[b].rank;
	return x < y || (x == y && a < b);
}

static void place(heap *h, size_t i, uint32_t pos)
{
	h->pos[i] = pos;
	h->node[pos].at = (uint32_t)i;
}

static void sift_up(heap *h, size_t i)
{
	uint32_t pos = h->pos[i];
	for (; i > 0 && before(h, pos, h->pos[(i - 1) / 2]); i = (i - 1) / 2)
		place(h, i, h->pos[(i - 1) / 2]);
	place(h, i, pos);
}

static void sift_down(heap *h, size_t i)
{
	uint32_t pos = h->pos[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= h->n)
			break;
		if (child + 1 < h->n && before(h, h->pos[child + 1], h->pos[child]))
			child++;
		if (!before(h, h->pos[child], pos))
			break;
		place(h, i, h->pos[child]);
		i = child;
	}
	place(h, i, pos);
}

static void heap_remove(heap *h, uint32_t pos)
{
	size_t i = h->node[pos].at;
	h->node[pos].at = UINT32_MAX;
	uint32_t last = h->pos[--h->n];
	if (last == pos)
		return;
	place(h, i, last);
	sift_up(h, i);
	sift_down(h, h->node[last].at);
}

/* Looks up the pair at pos anew and puts it in its place in the heap. */
static void renew(encoder *e, heap *h, uint32_t pos, uint32_t n)
{
	node *x = &h->node[pos];
	merge m = x->next < n ? look_up(e, x->sym, h->node[x->next].sym) : no_merge;
	if (x->at != UINT32_MAX)
		heap_remove(h, pos);
	x->to = m.to;
	x->rank = m.rank;
	if (m.rank != UINT32_MAX) {
		place(h, h->n, pos);
		sift_up(h, h->n++);
	}
}

static void merge_top(encoder *e, heap *h, uint32_t n)
{
	uint32_t left = h->pos[0];
	node *x = &h->node[left];
	uint32_t right = x->next;
	if (h->node[right].at != UINT32_MAX)
		heap_remove(h, right);
	x->sym = x->to;
	x->next = h->node[right].next;
	if (x->next < n)
		h->node[x->next].prev = left;
	if (x->prev != UINT32_MAX)
		renew(e, h, x->prev, n);
	renew(e, h, left, n);
}

static void merge_heap(encoder *e)
{
	size_t n = e->n_run;
	heap h = {ndl_calloc(n, sizeof *h.node), ndl_calloc(n, sizeof *h.pos), 0};
	if (!h.node || !h.pos || n >= UINT32_MAX) {
		e->status = ndl_fail_nomem(e->err, "encoding a long line");
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		h.node[i] = (node){.sym = e->run[i], .prev = i ? (uint32_t)(i - 1) : UINT32_MAX,
		                   .next = (uint32_t)(i + 1), .at = UINT32_MAX};
	for (size_t i = 0; i < n; i++)
		renew(e, &h, (uint32_t)i, (uint32_t)n);
	while (h.n)
		merge_top(e, &h, (uint32_t)n);
	for (size_t i = 0; i < n; i = h.node[i].next)
		emit(e, h.node[i].sym);
out:
	free(h.node);
	free(h.pos);
}

static void flush_run(encoder *e)
{
	if (e->n_run > SCAN_MAX) {
		merge_heap(e);
	} else if (e->n_run) {
		size_t n = merge_scan(e, e->run, e->n_run);
		for (size_t i = 0; i < n; i++)
			emit(e, e->run[i]);
	}
	e->n_run = 0;
}

static void add_to_run(encoder *e, uint32_t symbol)
{
	if (e->n_run == e->cap_run) {
		uint32_t *old = e->run == e->stack_run ? NULL : e->run;
		uint32_t *more = ndl_realloc(old, 2 * e->cap_run, sizeof *more);
		if (!more) {
			e->status = ndl_fail_nomem(e->err, "encoding a long line");
			return;
		}
		if (!old)
			memcpy(more, e->stack_run, sizeof e->stack_run);
		e->run = more;
		e->cap_run *= 2;
	}
	e->run[e->n_run++] = symbol;
}

/* Text -------------------------------------------------------------------------------- */

/* The next symbol of normalised text, its class, its length. */
static uint32_t next_symbol(const ndl_tok *t, const char *s, size_t left, bool plain, int *class, size_t *n)
{
	uint32_t cp;
	unsigned char first = (unsigned char)*s;
	*class = CLASS_LONER;
	if (!plain && t->user_starts[first]) {
		int32_t id = tok_match_user(t, s, left, n);
		if (id >= 0)
			return SYM_FROZEN | (uint32_t)id;
	}
	*n = ndl_utf8_decode(s, left, &cp); /* normalised text is valid */
	uint32_t symbol = tok_char_symbol(t, cp);
	if (symbol == SYM_NONE)
		return SYM_UNKNOWN | cp;
	*class = char_class(cp);
	return symbol;
}

static void encode_normal(encoder *e, const char *s, size_t len, bool plain)
{
	int before_class = CLASS_LONER, class;
	size_t n;
	for (size_t i = 0; i < len && e->status == NDL_OK && e->out->len <= e->enough; i += n) {
		uint32_t symbol = next_symbol(e->t, s + i, len - i, plain, &class, &n);
		if (!e->made_of && !tok_joins(e->t, before_class, class))
			flush_run(e);
		add_to_run(e, symbol);
		before_class = class;
	}
	if (e->status == NDL_OK)
		flush_run(e);
}

/* UNUSED pieces remember how they came about across the whole text, so they need a table. */
static ndl_status prepare_unused(encoder *e)
{
	if (!e->t->has_unused)
		return NDL_OK;
	e->made_of = ndl_calloc(e->t->n_symbols, sizeof *e->made_of);
	if (!e->made_of)
		return ndl_fail_nomem(e->err, "encoding");
	memset(e->made_of, 0xFF, e->t->n_symbols * sizeof *e->made_of);
	return NDL_OK;
}

ndl_status ndl_tok_encode(const ndl_tok *t, ndl_ids *out, const char *text, size_t len, int flags, ndl_error *err)
{
	return ndl_tok_encode_some(t, out, text, len, flags, SIZE_MAX, err);
}

ndl_status ndl_tok_encode_some(const ndl_tok *t, ndl_ids *out, const char *text, size_t len, int flags, size_t most, ndl_error *err)
{
	char small[STACK_TEXT], *normal = small;
	size_t bound, old_len = out->len;
	bool plain = (flags & NDL_TOK_PLAIN) != 0;
	encoder e = {.t = t, .pairs = tok_pairs_for(t, len), .out = out, .err = err,
	             .enough = most < SIZE_MAX - old_len ? old_len + most : SIZE_MAX, .cap_run = STACK_RUN};
	e.run = e.stack_run;
	if (!tok_normal_bound(text, len, &bound))
		return ndl_fail(err, NDL_ELIMIT, "text too long");
	if (bound > sizeof small && !(normal = malloc(bound)))
		return ndl_fail_nomem(err, "encoding a long line");
	size_t n = tok_normalize(t, normal, text, len, flags);
	e.status = prepare_unused(&e);
	if (e.status == NDL_OK)
		encode_normal(&e, normal, n, plain);
	if (e.status != NDL_OK)
		out->len = old_len;
	free(e.made_of);
	if (e.run != e.stack_run)
		free(e.run);
	if (normal != small)
		free(normal);
	return e.status;
}
