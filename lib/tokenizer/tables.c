/* tables.c - what encoding looks up: symbols of characters, the order of merges, which characters may be
 * neighbours inside a piece, user-defined symbols in order. */
#include "tokenizer/tok_internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Names: spelling -> ids -------------------------------------------------------------- */

static uint32_t hash_text(const char *a, size_t n, const char *b, size_t m)
{
	uint64_t h = 0xCBF29CE484222325u; /* FNV-1a, mixed once more */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)a[i]) * 0x100000001B3u;
	for (size_t i = 0; i < m; i++)
		h = (h ^ (unsigned char)b[i]) * 0x100000001B3u;
	return (uint32_t)((h ^ h >> 29) * 0x9E3779B97F4A7C15u >> 32);
}

/* The slot of the spelling a b (b may be empty): taken, or the free one where it belongs. */
static tok_name *name_slot(const ndl_tok *t, uint32_t hash, const char *a, size_t n, const char *b, size_t m)
{
	for (size_t i = hash & t->name_mask;; i = (i + 1) & t->name_mask) {
		tok_name *s = &t->name[i];
		int32_t id = s->normal >= 0 ? s->normal : s->reserved;
		if (id < 0)
			return s;
		const char *text = tok_text(t, id);
		if (s->hash == hash && t->piece[id].len == n + m && memcmp(text, a, n) == 0 && memcmp(text + n, b, m) == 0)
			return s;
	}
}

const tok_name *tok_find_name(const ndl_tok *t, const char *a, size_t n, const char *b, size_t m)
{
	const tok_name *s = name_slot(t, hash_text(a, n, b, m), a, n, b, m);
	return s->normal >= 0 || s->reserved >= 0 ? s : NULL;
}

static bool is_normal(const ndl_tok *t, int32_t id)
{
	int type = t->piece[id].type;
	return type == PIECE_NORMAL || type == PIECE_USER || type == PIECE_UNUSED;
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
		uint32_t hash = hash_text(text, t->piece[i].len, "", 0);
		tok_name *s = name_slot(t, hash, text, t->piece[i].len, "", 0);
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
	const tok_name *name = tok_find_name(t, text, len, "", 0);
	if (name && name->normal >= 0 && tok_is_mergeable(t, name->normal)) {
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
	for (size_t i = 0; i <= t->name_mask; i++) {
		const tok_name *name = &t->name[i];
		if (name->normal >= 0)
			t->final[name->normal] = final_id(t, name);
		if (name->reserved >= 0)
			t->final[name->reserved] = final_id(t, name);
	}
	for (size_t i = t->n; i < t->n_symbols; i++) {
		char text[4];
		size_t len = ndl_utf8_encode(t->symbol_cp[i - t->n], text);
		const tok_name *name = tok_find_name(t, text, len, "", 0);
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
		bool merges = tok_is_mergeable(t, (int32_t)i);
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

/* The order of merges ----------------------------------------------------------------- */

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
	bool sorted = true; /* as trainers write them */
	for (size_t i = 0; i < t->n; i++) {
		order[i] = (scored){t->piece[i].score, (uint32_t)i};
		sorted = sorted && (i == 0 || order[i].score <= order[i - 1].score);
	}
	if (!sorted)
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
	if (status == NDL_OK && !(t->lazy = ndl_calloc(1, sizeof *t->lazy)))
		status = ndl_fail_nomem(err, "vocabulary");
	if (status == NDL_OK)
		status = build_ranks(t, err);
	return status == NDL_OK ? build_user(t, err) : status;
}
