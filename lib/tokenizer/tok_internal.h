/* tok_internal.h - what model.c builds and encode.c and decode.c use. Private to this room.
 *
 * Encoding works on symbols: 0..n-1 are pieces, n..n_symbols-1 are characters that occur inside
 * pieces without being one. A symbol is always one character or one piece, so a merge is a look-up of
 * two numbers once there is a table of all merges. Making it takes longer than encoding a short text, so the first
 * few kilobytes are merged by looking up spellings. */
#ifndef NDL_TOKENIZER_INTERNAL_H
#define NDL_TOKENIZER_INTERNAL_H

#include "tokenizer/tokenizer.h"

#include <stdatomic.h>
#include <stdbool.h>

enum piece_type { PIECE_NORMAL = 1, PIECE_UNKNOWN, PIECE_CONTROL, PIECE_USER, PIECE_UNUSED, PIECE_BYTE };

enum {
	TOK_MODEL_MAX = 16 << 20, /* bytes of a .model */
	TOK_PIECES_MAX = 1 << 20,
	TOK_PIECE_LEN_MAX = 256,  /* bytes; keeps loading linear in the size of the file */
};

#define SPACE_SYMBOL "\xE2\x96\x81" /* U+2581, stands for a space */
enum { SPACE_CP = 0x2581, SPACE_LEN = 3 };
#define REPLACEMENT "\xEF\xBF\xBD"  /* U+FFFD */

/* Symbols that never merge: a character that is in no piece, and a matched user-defined symbol. */
#define SYM_UNKNOWN 0x80000000u /* | code point */
#define SYM_FROZEN 0x40000000u  /* | piece */
#define SYM_NONE UINT32_MAX

/* Classes of characters for the table of neighbours. */
enum { CLASS_SPACE = 128, CLASS_OTHER, CLASS_LONER, CLASSES, CLASS_WORDS = (CLASSES + 63) / 64 };

typedef struct tok_piece {
	uint32_t text, len;         /* in tok->text */
	uint32_t bytes, bytes_len;  /* in tok->bytes */
	float score;
	uint8_t type;
} tok_piece;

/* left + right = piece `to`. */
typedef struct tok_pair {
	uint32_t left, right; /* left SYM_NONE: empty slot */
	uint32_t to;
} tok_pair;

/* All merges: open addressing, mask + 1 = 1 << (64 - shift) slots. */
typedef struct tok_pairs {
	size_t mask;
	int shift;
	tok_pair pair[];
} tok_pairs;

/* The only part of a tokenizer that changes, shared by all threads. */
typedef struct tok_lazy {
	_Atomic(tok_pairs *) pairs;  /* NULL: not made yet */
	_Atomic size_t encoded;      /* bytes, until then */
} tok_lazy;

/* One spelling: its id among normal, user-defined and unused pieces, and among the others. */
typedef struct tok_name {
	uint32_t hash;
	int32_t normal, reserved; /* -1: none */
} tok_name;

struct ndl_tok {
	unsigned char *model;
	size_t model_len;
	size_t n, n_symbols;
	tok_piece *piece;           /* [n] */
	uint32_t *rank;             /* [n]: 0 is merged first, equal scores have equal ranks */
	int32_t *final;             /* [n_symbols]: the id a symbol ends as; -1 unknown */
	uint32_t *symbol_cp;        /* [n_symbols - n]: code point of a symbol that is no piece */
	char *text, *bytes;         /* arenas */
	char *unk_surface;
	size_t unk_surface_len;

	tok_name *name;             /* open addressing, name_mask + 1 slots */
	size_t name_mask;
	tok_lazy *lazy;
	uint16_t cp_page[0x1100];   /* code point >> 8 -> page; page 0 is all SYM_NONE */
	uint32_t (*page)[256];
	size_t n_pages, cap_pages;
	uint64_t joins[CLASSES][CLASS_WORDS]; /* may a piece contain these two classes in a row? */

	int32_t *user;              /* user-defined pieces in byte order of their text */
	size_t n_user;
	bool user_starts[256];

	int32_t byte_id[256];
	int32_t unk;
	int model_type;
	bool byte_fallback, has_unused, whitespace_suffix;
	bool dummy_prefix, remove_spaces, escape_spaces;
};

static inline int char_class(uint32_t cp)
{
	return cp < 128 ? (int)cp : cp == SPACE_CP ? CLASS_SPACE : CLASS_OTHER;
}

static inline bool tok_joins(const ndl_tok *t, int left, int right)
{
	return t->joins[left][right >> 6] >> (right & 63) & 1;
}

static inline uint32_t tok_char_symbol(const ndl_tok *t, uint32_t cp)
{
	return t->page[t->cp_page[cp >> 8]][cp & 255];
}

static inline size_t tok_pair_slot(const tok_pairs *p, uint32_t left, uint32_t right)
{
	uint64_t key = (uint64_t)left << 32 | right;
	return (size_t)(key * 0x9E3779B97F4A7C15u >> p->shift);
}

/* What two symbols merge to, or SYM_NONE. */
static inline uint32_t tok_find_pair(const tok_pairs *p, uint32_t left, uint32_t right)
{
	for (size_t i = tok_pair_slot(p, left, right);; i = (i + 1) & p->mask) {
		if (p->pair[i].left == left && p->pair[i].right == right)
			return p->pair[i].to;
		if (p->pair[i].left == SYM_NONE)
			return SYM_NONE;
	}
}

static inline const char *tok_text(const ndl_tok *t, int32_t id)
{
	return t->text + t->piece[id].text;
}

/* Pieces that merging can make. A user-defined symbol is only ever matched whole. */
static inline bool tok_is_mergeable(const ndl_tok *t, int32_t id)
{
	return t->piece[id].type == PIECE_NORMAL || t->piece[id].type == PIECE_UNUSED;
}

/* Entry of the spelling a b (n and m bytes), or NULL. */
const tok_name *tok_find_name(const ndl_tok *t, const char *a, size_t n, const char *b, size_t m);

/* tables.c: everything derived from the pieces but for the merges. */
ndl_status tok_build_tables(ndl_tok *t, ndl_error *err);

/* pairs.c: the table of merges if len bytes more to encode make it worth while or it is there, else NULL (then
 * tok_merge_spelt). Safe in several threads at once. */
const tok_pairs *tok_pairs_for(const ndl_tok *t, size_t len);
/* The same merge, or SYM_NONE, by the spelling of the two symbols. */
uint32_t tok_merge_spelt(const ndl_tok *t, uint32_t left, uint32_t right);

/* normalize.c: the longest user-defined symbol that text begins with (its id, length in *len),
 * or -1. */
int32_t tok_match_user(const ndl_tok *t, const char *text, size_t n, size_t *len);
/* An upper bound of the normalised length of text. */
bool tok_normal_bound(const char *text, size_t len, size_t *bound);
/* Normalises text into out (room for the bound); returns the length. flags as ndl_tok_encode. */
size_t tok_normalize(const ndl_tok *t, char *out, const char *text, size_t len, int flags);

#endif
