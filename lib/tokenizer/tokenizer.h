/* tokenizer.h - SentencePiece BPE with byte fallback (SPEC section 3): equal to spm_encode and
 * spm_decode, id for id. */
#ifndef NDL_TOKENIZER_TOKENIZER_H
#define NDL_TOKENIZER_TOKENIZER_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { NDL_PAD = 0, NDL_EOS = 1, NDL_BOS = 2, NDL_UNK = 3, NDL_TOOL_CALL = 4, NDL_TOOLS = 5 };

typedef struct ndl_tok ndl_tok; /* opaque, owned, immutable: share between threads freely */

/* Growable list of ids. Zero-initialise; release with ndl_ids_clear. */
typedef struct ndl_ids {
	int32_t *id;
	size_t len, cap;
} ndl_ids;
void ndl_ids_clear(ndl_ids *v);
ndl_status ndl_ids_push(ndl_ids *v, int32_t id, ndl_error *err);

/* A vocabulary from the bytes of a .model file (copied as needed), or from such a file. A list of
 * "piece TAB score" lines, the .vocab of spm_train or the vocab.txt of needle-rs, is understood too, if
 * it is one of this network: ids 0 to 261 must be those of SPEC 3. */
ndl_tok *ndl_tok_new(const void *model, size_t len, ndl_error *err);
ndl_tok *ndl_tok_load(const char *path, ndl_error *err);
void ndl_tok_free(ndl_tok *t);
/* The .model bytes it was made from (or that a list was made into), for embedding in a model file. Borrowed. */
const void *ndl_tok_model_bytes(const ndl_tok *t, size_t *len);

size_t ndl_tok_size(const ndl_tok *t); /* number of pieces */
/* NDL_EFORMAT unless there are as many as a network has tokens. */
ndl_status ndl_tok_fits(const ndl_tok *t, int vocab_size, ndl_error *err);
/* The piece as SentencePiece spells it ("▁the", "<0x0A>"). Borrowed, NUL-terminated. */
const char *ndl_tok_piece(const ndl_tok *t, int32_t id, size_t *len);
/* The bytes that id contributes to decoded text (U+2581 as a space, a byte piece as its byte,
 * control pieces as nothing). Borrowed. What the grammar's masks are computed over. */
const char *ndl_tok_bytes(const ndl_tok *t, int32_t id, size_t *len);
/* The id of a piece as SentencePiece spells it, or -1. */
int32_t ndl_tok_id(const ndl_tok *t, const char *piece, size_t len);

enum {
	NDL_TOK_PLAIN = 1, /* user-defined symbols (<tools>, <tool_call>) do not match inside the text */
	NDL_TOK_INNER = 2, /* the text is a part of a longer one: no dummy space is added, none removed */
};

/* Appends the ids of text (any bytes). No bos or eos is added. Time O(n log n), memory O(n) for
 * the longest run of characters that could be one piece. */
ndl_status ndl_tok_encode(const ndl_tok *t, ndl_ids *out, const char *text, size_t len, int flags, ndl_error *err);
/* The same for who wants the first `most` ids only: of longer texts these come, and at least one id more, which says nothing. */
ndl_status ndl_tok_encode_some(const ndl_tok *t, ndl_ids *out, const char *text, size_t len, int flags, size_t most,
                               ndl_error *err);
/* Appends the text of n ids; an id out of range is an error. */
ndl_status ndl_tok_decode(const ndl_tok *t, ndl_buf *out, const int32_t *ids, size_t n, ndl_error *err);

#endif
