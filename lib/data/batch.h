/* batch.h - training batches: variable-length sequences laid end to end, no padding. The same
 * as the reference's packed rows with block-diagonal masks, without the rows (RoPE is relative). */
#ifndef NDL_DATA_BATCH_H
#define NDL_DATA_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* Class of a target token, by the character span it belongs to (SPEC section 8). */
enum { NDL_CLASS_STRUCTURE, NDL_CLASS_NAME, NDL_CLASS_VALUE, NDL_CLASS_KEY, NDL_CLASS_COUNT,
	NDL_CLASS_IGNORED = 255 /* no target here: only tests that mimic padded rows use it */ };

/* n examples. Sequence e of the encoder is enc[enc_off[e] .. enc_off[e+1]), of the decoder
 * likewise in dec_in, dec_out and cls. Pairs for the contrastive loss: pair p is
 * query[query_off[p]..] with tool[tool_off[p]..]; n_pairs may be 0. Owned by the maker. */
typedef struct ndl_batch {
	size_t n;
	const int32_t *enc;
	const size_t *enc_off;  /* n + 1 */
	const int32_t *dec_in, *dec_out;
	const uint8_t *cls;
	const size_t *dec_off;  /* n + 1 */
	size_t n_pairs;
	const int32_t *query, *tool;
	const size_t *query_off, *tool_off; /* n_pairs + 1 */
} ndl_batch;

#endif
