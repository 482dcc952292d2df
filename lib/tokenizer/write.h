/* write.h - the parts of a SentencePiece .model, appended to a buffer. Private to this room. */
#ifndef NDL_TOKENIZER_WRITE_H
#define NDL_TOKENIZER_WRITE_H

#include "tokenizer/tok_internal.h"
#include "tokenizer/train.h"

enum { TOK_META = 6, TOK_FIXED = TOK_META + 256 };

/* The pieces with ids 0 to 5 of every model of this network. */
typedef struct tok_meta_piece {
	const char *text;
	int type;
} tok_meta_piece;
extern const tok_meta_piece tok_meta[TOK_META];

void tok_put_piece(ndl_buf *out, const char *text, size_t len, float score, int type);
/* Those above, then the bytes. */
void tok_put_fixed_pieces(ndl_buf *out);
/* After the pieces: how they were made and how text is normalised. */
void tok_put_settings(ndl_buf *out, const ndl_tok_train_options *o);

/* vocab_text.c: whether the bytes are a text vocabulary, and that as a .model. Errors have a line. */
bool tok_is_text(const void *model, size_t len);
ndl_status tok_model_from_text(ndl_buf *out, const char *text, size_t len, ndl_error *err);

#endif
