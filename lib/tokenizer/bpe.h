/* bpe.h - byte pair encoding's merge loop over counted words. Private to this room. */
#ifndef NDL_TOKENIZER_BPE_H
#define NDL_TOKENIZER_BPE_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct bpe bpe; /* opaque, owned */

bpe *bpe_new(int max_piece_chars, ndl_error *err);
void bpe_free(bpe *b);
/* The next symbol (0, 1, ...) is this character. All symbols come before all words. */
ndl_status bpe_add_char(bpe *b, uint32_t cp, ndl_error *err);
/* A word of n symbols that occurs count times. */
ndl_status bpe_add_word(bpe *b, const uint32_t *symbols, size_t n, uint64_t count, ndl_error *err);

typedef struct bpe_piece {
	const char *text; /* borrowed until the next call */
	size_t len;
} bpe_piece;

/* Merges the most frequent pair: 1 with the new piece in *piece, 0 when no pair is left. A piece
 * that an earlier merge made already is merged too, but not given out again. */
int bpe_next(bpe *b, bpe_piece *piece, ndl_error *err);

#endif
