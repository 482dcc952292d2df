/* tables.c - what encoding looks up: symbols of characters, merges of symbol pairs, which
 * characters may be neighbours inside a piece, user-defined symbols in order. */
#include "tokenizer/tok_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Names: spelling -> ids -------------------------------------------------------------- */

static uint64_t hash_begin(void) { return 0xCBF29CE484222325u; }
static uint64_t hash_byte(uint64_t h, char c) { return (h ^ (unsigned char)c) * 0x100000001B3u; }
static uint32_t hash_end(uint64_t h) { return (uint32_t)((h ^ h >> 29) * 0x9E3779B97F4A7C15u >> 32); }

static uint32_t hash_text(const char *s, size_t len)
{
	uint64_t h = hash_begin();
	for (size_t i = 0; i < len; i++)
		h = hash_byte(h, s[i]);
	return hash_end(h);
}

/* The slot of this spelling: taken, or the free one where it belongs. */
static tok_name *name_slot(const ndl_tok *t, uint32_t hash, const char *text, size_t len)
{
	for (size_t i = hash & t->name_mask;; i = (i + 1) & t->name_mask) {
		tok_name *s = &t->name[i];
		int32_t id = s->normal >= 0 ? s->normal : s->reserved;
		if (id < 0 || (s->hash == hash && t->piece[id].len == len && memcmp(tok_text(t, id), text, len) == 0))
			return s;
	}
}

const tok_name *tok_find_name(const ndl_tok *t, const char *text, size_t len)
{
	const tok_name *s = name_slot(t, hash_text(text, len), text, len);
	return s->normal >= 0 || s->reserved >= 0 ? s : NULL;
}

static bool is_normal(const ndl_tok *t, int32_t id)
{
	int type = t->piece[id].type;
	return type == PIECE_NORMAL || type == PIECE_USER || type == PIECE_UNUSED;
}

/* Pieces that merging can make. A user-defined symbol is only ever matched whole. */
static bool is_mergeable(const ndl_tok *t, int32_t id)
{
	return t->piece[id].type == PIECE_NORMAL || t->piece[id].type == PIECE_UNUSED;
}

static ndl_status build_names(ndl_tok *t, ndl_error *err)
{
	size_t slots = 16;
	while (slots < 2 * t->n)
		slots *= 2;
	t->name_mask = slots - 1;
	t->name = ndl_calloc(slots, sizeof *t->name);
	if (!t->name)
		return ndl_fail_nomem(err, "vocabulary");
	for (size_t i = 0; i < slots; i++)
		t->name[i].normal = t->name[i].reserved = -1;
	for (size_t i = 0; i < t->n; i++) {
		int32_t id = (int32_t)i;
		const char *text = tok_text(t, id);
		uint32_t hash = hash_text(text, t->piece[i].len);
		tok_name *s = name_slot(t, hash, text, t->piece[i].len);
		int32_t *mine = is_normal(t, id) ? &s->normal : &s->reserved;
		if (*mine >= 0)
			return ndl_fail(err, NDL_EFORMAT, "pieces %d and %d are both '%s'", (int)*mine, (int)id, text);
		*mine = id;
		s->hash = hash;
	}
	return NDL_OK;
}

/* Symbols ----------------------------------------------------------------------------- */

static uint32_t *char_cell(ndl_tok *t, uint32_t cp)
{
	if (t->cp_page[cp >> 8] == 0) {
		if (ndl_grow(&t->page, &t->cap_pages, t->n_pages + 1, sizeof *t->page) < 0)
			return NULL;
		memset(t->page[t->n_pages], 0xFF, sizeof *t->page);
		t->cp_page[cp >> 8] = (uint16_t)t->n_pages++;
	}
	return &t->page[t->cp_page[cp >> 8]][cp & 255];
}

/* The id that spm gives a spelling: reserved names first; unknown ones end as bytes. */
static int32_t final_id(const ndl_tok *t, const tok_name *name)
{
	int32_t id = name->reserved >= 0 ? name->reserved : name->normal;
	return id >= 0 && t->piece[id].type == PIECE_UNKNOWN ? -1 : id;
}

/* Gives cp a symbol: its piece if there is one that merges, else a number beyond the pieces. */
static ndl_status add_char(ndl_tok *t, size_t *cap, uint32_t cp, ndl_error *err)
{
	char text[4];
	size_t len = ndl_utf8_encode(cp, text);
	uint32_t *cell = char_cell(t, cp);
	if (!cell)
		return ndl_fail_nomem(err, "vocabulary");
	if (*cell != SYM_NONE)
		return NDL_OK;
	const tok_name *name = tok_find_name(t, text, len);
	if (name && name->normal >= 0 && is_mergeable(t, name->normal)) {
		*cell = (uint32_t)name->normal;
		return NDL_OK;
	}
	size_t extra = t->n_symbols - t->n;
	if (ndl_grow(&t->symbol_cp, cap, extra + 1, sizeof *t->symbol_cp) < 0)
		return ndl_fail_nomem(err, "vocabulary");
	t->symbol_cp[extra] = cp;
	*cell = (uint32_t)t->n_symbols++;
	return NDL_OK;
}

static ndl_status build_final(ndl_tok *t, ndl_error *err)
{
	t->final = ndl_calloc(t->n_symbols, sizeof *t->final);
	if (!t->final)
		return ndl_fail_nomem(err, "vocabulary");
	for (size_t i = 0; i < t->n; i++)
		t->final[i] = final_id(t, tok_find_name(t, tok_text(t, (int32_t)i), t->piece[i].len));
	for (size_t i = t->n; i < t->n_symbols; i++) {
		char text[4];
		size_t len = ndl_utf8_encode(t->symbol_cp[i - t->n], text);
		const tok_name *name = tok_find_name(t, text, len);
		t->final[i] = name && name->reserved >= 0 ? final_id(t, name) : -1;
	}
	return NDL_OK;
}

/* Characters of mergeable pieces, single reserved characters, and the table of neighbours. */
static ndl_status build_symbols(ndl_tok *t, ndl_error *err)
{
	size_t cap = 0;
	t->n_symbols = t->n;
	if (ndl_grow(&t->page, &t->cap_pages, 1, sizeof *t->page) < 0)
		return ndl_fail_nomem(err, "vocabulary");
	memset(t->page[0], 0xFF, sizeof *t->page);
	t->n_pages = 1;
	for (size_t i = 0; i < t->n; i++) {
		const char *s = tok_text(t, (int32_t)i);
		size_t len = t->piece[i].len, n;
		uint32_t cp;
		int before = CLASS_LONER;
		bool merges = is_mergeable(t, (int32_t)i);
		if (!merges && (t->piece[i].type == PIECE_USER || ndl_utf8_count(s, len) > 1))
			continue;
		for (size_t k = 0; k < len; k += n) {
			n = ndl_utf8_decode(s + k, len - k, &cp);
			ndl_status status = add_char(t, &cap, cp, err);
			if (status != NDL_OK)
				return status;
			int now = char_class(cp);
			if (k > 0)
				t->joins[before][now >> 6] |= (uint64_t)1 << (now & 63);
			before = now;
		}
	}
	return build_final(t, err);
}

/* Merges ------------------------------------------------------------------------------ */

typedef struct scored {
	float score;
	uint32_t id;
} scored;

static int by_score(const void *a, const void *b)
{
	float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
	return (x < y) - (x > y);
}

static ndl_status build_ranks(ndl_tok *t, ndl_error *err)
{
	scored *order = ndl_calloc(t->n, sizeof *order);
	t->rank = ndl_calloc(t->n, sizeof *t->rank);
	if (!order || !t->rank) {
		free(order);
		return ndl_fail_nomem(err, "vocabulary");
	}
	for (size_t i = 0; i < t->n; i++)
		order[i] = (scored){t->piece[i].score, (uint32_t)i};
	qsort(order, t->n, sizeof *order, by_score);
	uint32_t rank = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0 && order[i].score != order[i - 1].score)
			rank++;
		t->rank[order[i].id] = rank;
	}
	free(order);
	return NDL_OK;
}

/* The symbol spelt text (hash known), or SYM_NONE. */
static uint32_t symbol_of(const ndl_tok *t, uint32_t hash, const char *text, size_t len)
{
	uint32_t cp;
	if (ndl_utf8_decode(text, len, &cp) == len)
		return tok_char_symbol(t, cp);
	const tok_name *s = name_slot(t, hash, text, len);
	return s->normal >= 0 && is_mergeable(t, s->normal) ? (uint32_t)s->normal : SYM_NONE;
}

typedef struct pair_list {
	tok_pair *pair;
	size_t n, cap;
} pair_list;

/* All ways to merge piece id out of two symbols. */
static ndl_status split_piece(const ndl_tok *t, pair_list *out, uint32_t id, ndl_error *err)
{
	const char *s = tok_text(t, (int32_t)id);
	size_t len = t->piece[id].len;
	uint64_t h = hash_begin();
	for (size_t k = 1; k < len; k++) {
		h = hash_byte(h, s[k - 1]);
		if (((unsigned char)s[k] & 0xC0) == 0x80)
			continue;
		uint32_t left = symbol_of(t, hash_end(h), s, k);
		if (left == SYM_NONE)
			continue;
		uint32_t right = symbol_of(t, hash_text(s + k, len - k), s + k, len - k);
		if (right == SYM_NONE)
			continue;
		if (ndl_grow(&out->pair, &out->cap, out->n + 1, sizeof *out->pair) < 0)
			return ndl_fail_nomem(err, "vocabulary");
		out->pair[out->n++] = (tok_pair){left, right, id, t->rank[id]};
	}
	return NDL_OK;
}

static ndl_status hash_pairs(ndl_tok *t, const pair_list *list, ndl_error *err)
{
	int bits = 4;
	while ((size_t)1 << bits < 2 * list->n)
		bits++;
	t->pair_shift = 64 - bits;
	t->pair_mask = ((size_t)1 << bits) - 1;
	t->pair = ndl_calloc(t->pair_mask + 1, sizeof *t->pair);
	if (!t->pair)
		return ndl_fail_nomem(err, "vocabulary");
	for (size_t i = 0; i <= t->pair_mask; i++)
		t->pair[i].left = SYM_NONE;
	for (size_t i = 0; i < list->n; i++) {
		size_t at = pair_slot(t, list->pair[i].left, list->pair[i].right);
		while (t->pair[at].left != SYM_NONE)
			at = (at + 1) & t->pair_mask;
		t->pair[at] = list->pair[i];
	}
	return NDL_OK;
}

static ndl_status build_pairs(ndl_tok *t, ndl_error *err)
{
	pair_list list = {NULL, 0, 0};
	ndl_status status = build_ranks(t, err);
	for (size_t i = 0; i < t->n && status == NDL_OK; i++)
		if (is_mergeable(t, (int32_t)i))
			status = split_piece(t, &list, (uint32_t)i, err);
	if (status == NDL_OK)
		status = hash_pairs(t, &list, err);
	free(list.pair);
	return status;
}

/* User-defined symbols ---------------------------------------------------------------- */

typedef struct user_text {
	const char *text;
	size_t len;
	int32_t id;
} user_text;

static int by_text(const void *a, const void *b)
{
	const user_text *x = a, *y = b;
	int c = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
	return c ? c : (x->len > y->len) - (x->len < y->len);
}

static ndl_status build_user(ndl_tok *t, ndl_error *err)
{
	user_text *order = ndl_calloc(t->n, sizeof *order);
	t->user = ndl_calloc(t->n, sizeof *t->user);
	if (!order || !t->user) {
		free(order);
		return ndl_fail_nomem(err, "vocabulary");
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->piece[i].type == PIECE_USER)
			order[t->n_user++] = (user_text){tok_text(t, (int32_t)i), t->piece[i].len, (int32_t)i};
	qsort(order, t->n_user, sizeof *order, by_text);
	for (size_t i = 0; i < t->n_user; i++) {
		t->user[i] = order[i].id;
		t->user_starts[(unsigned char)order[i].text[0]] = true;
	}
	free(order);
	return NDL_OK;
}

ndl_status tok_build_tables(ndl_tok *t, ndl_error *err)
{
	ndl_status status = build_names(t, err);
	if (status == NDL_OK)
		status = build_symbols(t, err);
	if (status == NDL_OK)
		status = build_pairs(t, err);
	return status == NDL_OK ? build_user(t, err) : status;
}
