/* pairs.c - what two symbols merge to: from a table of all merges, made when much text is to be encoded, and until
 * then from the spelling of the two. */
#include "tokenizer/tok_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Making the table takes as long as encoding about this much text without it. */
enum { WORTH_IT = 16384 };

/* By spelling ------------------------------------------------------------------------- */

/* A symbol's text; of one that is no piece, in buf. */
static const char *symbol_text(const ndl_tok *t, uint32_t symbol, char buf[4], size_t *len)
{
	if (symbol < t->n) {
		*len = t->piece[symbol].len;
		return tok_text(t, (int32_t)symbol);
	}
	*len = ndl_utf8_encode(t->symbol_cp[symbol - t->n], buf);
	return buf;
}

uint32_t tok_merge_spelt(const ndl_tok *t, uint32_t left, uint32_t right)
{
	char a[4], b[4];
	size_t n, m;
	if ((left | right) & (SYM_UNKNOWN | SYM_FROZEN))
		return SYM_NONE;
	const char *x = symbol_text(t, left, a, &n), *y = symbol_text(t, right, b, &m);
	const tok_name *s = tok_find_name(t, x, n, y, m);
	return s && s->normal >= 0 && tok_is_mergeable(t, s->normal) ? (uint32_t)s->normal : SYM_NONE;
}

/* The table --------------------------------------------------------------------------- */

/* The symbol spelt text, or SYM_NONE. */
static uint32_t symbol_of(const ndl_tok *t, const char *text, size_t len)
{
	uint32_t cp;
	if (ndl_utf8_decode(text, len, &cp) == len)
		return tok_char_symbol(t, cp);
	const tok_name *s = tok_find_name(t, text, len, "", 0);
	return s && s->normal >= 0 && tok_is_mergeable(t, s->normal) ? (uint32_t)s->normal : SYM_NONE;
}

typedef struct pair_list {
	tok_pair *pair;
	size_t n, cap;
} pair_list;

/* All ways to merge piece id out of two symbols. -1: out of memory. */
static int split_piece(const ndl_tok *t, pair_list *out, uint32_t id)
{
	const char *s = tok_text(t, (int32_t)id);
	size_t len = t->piece[id].len;
	for (size_t k = 1; k < len; k++) {
		if (((unsigned char)s[k] & 0xC0) == 0x80)
			continue;
		uint32_t left = symbol_of(t, s, k);
		uint32_t right = left == SYM_NONE ? SYM_NONE : symbol_of(t, s + k, len - k);
		if (right == SYM_NONE)
			continue;
		if (ndl_grow(&out->pair, &out->cap, out->n + 1, sizeof *out->pair) < 0)
			return -1;
		out->pair[out->n++] = (tok_pair){left, right, id};
	}
	return 0;
}

static tok_pairs *hash_pairs(const pair_list *list)
{
	int bits = 4;
	while ((size_t)1 << bits < 2 * list->n)
		bits++;
	size_t slots = (size_t)1 << bits;
	tok_pairs *p = malloc(sizeof *p + slots * sizeof p->pair[0]); /* bounded by the size of a model */
	if (!p)
		return NULL;
	p->mask = slots - 1;
	p->shift = 64 - bits;
	for (size_t i = 0; i < slots; i++)
		p->pair[i].left = SYM_NONE;
	for (size_t i = 0; i < list->n; i++) {
		size_t at = tok_pair_slot(p, list->pair[i].left, list->pair[i].right);
		while (p->pair[at].left != SYM_NONE)
			at = (at + 1) & p->mask;
		p->pair[at] = list->pair[i];
	}
	return p;
}

static tok_pairs *make_pairs(const ndl_tok *t)
{
	pair_list list = {NULL, 0, 0};
	int bad = 0;
	for (size_t i = 0; i < t->n && !bad; i++)
		if (tok_is_mergeable(t, (int32_t)i))
			bad = split_piece(t, &list, (uint32_t)i);
	tok_pairs *p = bad ? NULL : hash_pairs(&list);
	free(list.pair);
	return p;
}

const tok_pairs *tok_pairs_for(const ndl_tok *t, size_t len)
{
	tok_pairs *p = atomic_load_explicit(&t->lazy->pairs, memory_order_acquire), *mine;
	if (p)
		return p;
	if (atomic_fetch_add_explicit(&t->lazy->encoded, len, memory_order_relaxed) + len < WORTH_IT)
		return NULL;
	/* several threads may make it; one copy stays. Without memory for it spelling does as well. */
	if (!(mine = make_pairs(t)))
		return NULL;
	if (atomic_compare_exchange_strong(&t->lazy->pairs, &p, mine))
		return mine;
	free(mine);
	return p;
}
