/* train.h - learns a BPE vocabulary from text and writes it as a SentencePiece .model.
 *
 * The result is what spm_train makes with --model_type=bpe --byte_fallback, the identity
 * normaliser and <pad> </s> <s> <unk> <tool_call> <tools> as ids 0 to 5, save that no line is left
 * out for its length, that the best pair is sought among all pairs, not among a sample of them, that
 * a run of one sign counts as often as it can be merged, and that no piece parts a mark from its letter.
 * It does not depend on the order of the lines. */
#ifndef NDL_TOKENIZER_TRAIN_H
#define NDL_TOKENIZER_TRAIN_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ndl_tok_train_options {
	size_t vocab_size;   /* pieces in all, 263 to 2^20; 0: 8192 */
	double coverage;     /* share of the text whose characters become pieces, (0, 1]; 0: 0.9995 */
	int max_piece_chars; /* 1 to 64; 0: 16 */
	bool split_digits;   /* each digit, 0-9 and the wide ones, a piece of its own */
	bool split_spaces;   /* the space a piece of its own: a word is the same pieces wherever it stands,
	                        after a space or after a quote */
	/* Called after every so many merges, may be NULL: done of total pieces. */
	void (*progress)(void *user, size_t done, size_t total);
	void *user;
} ndl_tok_train_options;

typedef struct ndl_tok_trainer ndl_tok_trainer; /* opaque, owned */

/* NULL options: all defaults. Options out of range are NDL_EINVAL. */
ndl_tok_trainer *ndl_tok_trainer_new(const ndl_tok_train_options *options, ndl_error *err);
/* Counts the words of one line of text (any bytes). */
ndl_status ndl_tok_trainer_add(ndl_tok_trainer *tr, const char *line, size_t len, ndl_error *err);
/* Counts every line of a file (possibly compressed); NULL or "-" is stdin. */
ndl_status ndl_tok_trainer_add_file(ndl_tok_trainer *tr, const char *path, ndl_error *err);
/* Learns the vocabulary and appends the .model to *model. NDL_EINVAL if the text is too small or
 * too varied for vocab_size. The trainer can only be freed afterwards. */
ndl_status ndl_tok_trainer_finish(ndl_tok_trainer *tr, ndl_buf *model, ndl_error *err);
void ndl_tok_trainer_free(ndl_tok_trainer *tr);

#endif
