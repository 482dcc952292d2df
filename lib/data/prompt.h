/* prompt.h - texts to the token sequences of the network (SPEC section 4). Training and
 * inference both come through here, so that a model sees at work what it saw in training. */
#ifndef NDL_DATA_PROMPT_H
#define NDL_DATA_PROMPT_H

#include "checkpoint/checkpoint.h"
#include "tokenizer/tokenizer.h"

/* What did not fit into the encoder's window. */
enum {
	NDL_CUT_QUERY = 1,
	NDL_CUT_TOOLS = 2,
};

/* Encoder input: query ids, <tools>, ids of `tools` (text made by ndl_tools_render). User-defined
 * symbols inside either text are plain text. Quotes of other kinds are shown as " and ' but to
 * upstream's models (ascii_tools). The window is config->max_enc_len (W): the query is cut to W-2
 * ids, then the tools to what remains. Replaces what `out` holds; *cut (may be NULL) receives
 * NDL_CUT_ flags. */
ndl_status ndl_prompt_encode(const ndl_tok *tok, const ndl_config *config, const char *query, size_t query_len,
                             const char *tools, size_t tools_len, ndl_ids *out, unsigned *cut, ndl_error *err);

/* One text alone, as the contrastive head embeds it: no <tools>, cut to max_enc_len. *cut as
 * above with NDL_CUT_QUERY. An empty text gives no ids. */
ndl_status ndl_prompt_encode_text(const ndl_tok *tok, const ndl_config *config, const char *text, size_t len,
                                  ndl_ids *out, unsigned *cut, ndl_error *err);

/* Decoder sequence of an answer (compact JSON): </s>, <tool_call>, ids of the text, </s>.
 * Training input is out->id[0 .. len-1), its target out->id[1 .. len). NDL_ELIMIT if the input
 * would be longer than max_dec_len: an answer cut short teaches broken JSON. */
ndl_status ndl_prompt_answer(const ndl_tok *tok, const ndl_config *config, const char *answer, size_t len,
                             ndl_ids *out, ndl_error *err);

#endif
