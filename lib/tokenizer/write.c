#include "tokenizer/write.h"

#include "tokenizer/proto.h"

#include <stdio.h>
#include <string.h>

const tok_meta_piece tok_meta[TOK_META] = {
	{"<pad>", PIECE_CONTROL}, {"</s>", PIECE_CONTROL}, {"<s>", PIECE_CONTROL},
	{"<unk>", PIECE_UNKNOWN}, {"<tool_call>", PIECE_USER}, {"<tools>", PIECE_USER},
};

void tok_put_piece(ndl_buf *out, const char *text, size_t len, float score, int type)
{
	ndl_buf b = NDL_BUF_INIT;
	pb_put_bytes(&b, 1, text, len);
	pb_put_float(&b, 2, score);
	if (type != PIECE_NORMAL)
		pb_put_varint(&b, 3, (uint64_t)type);
	pb_put_bytes(out, 1, b.data, b.len);
	out->failed |= b.failed;
	ndl_buf_clear(&b);
}

void tok_put_fixed_pieces(ndl_buf *out)
{
	char name[8];
	for (int i = 0; i < TOK_META; i++)
		tok_put_piece(out, tok_meta[i].text, strlen(tok_meta[i].text), 0, tok_meta[i].type);
	for (unsigned byte = 0; byte < 256; byte++) {
		snprintf(name, sizeof name, "<0x%02X>", byte);
		tok_put_piece(out, name, 6, 0, PIECE_BYTE);
	}
}

void tok_put_settings(ndl_buf *out, const ndl_tok_train_options *o)
{
	ndl_buf b = NDL_BUF_INIT;
	pb_put_varint(&b, 3, 2); /* model_type BPE */
	pb_put_varint(&b, 4, o->vocab_size);
	pb_put_float(&b, 10, (float)o->coverage);
	pb_put_varint(&b, 20, (uint64_t)o->max_piece_chars);
	pb_put_varint(&b, 25, o->split_digits);
	pb_put_bytes(&b, 31, tok_meta[4].text, strlen(tok_meta[4].text));
	pb_put_bytes(&b, 31, tok_meta[5].text, strlen(tok_meta[5].text));
	pb_put_varint(&b, 35, 1); /* byte_fallback */
	pb_put_varint(&b, 40, NDL_UNK);
	pb_put_varint(&b, 41, NDL_BOS);
	pb_put_varint(&b, 42, NDL_EOS);
	pb_put_varint(&b, 43, NDL_PAD);
	pb_put_bytes(out, 2, b.data, b.len);
	out->failed |= b.failed;
	ndl_buf_reset(&b);
	pb_put_bytes(&b, 1, "identity", 8);
	pb_put_bytes(&b, 2, "", 0);  /* no character map */
	pb_put_varint(&b, 3, 1);     /* add_dummy_prefix */
	pb_put_varint(&b, 4, 1);     /* remove_extra_whitespaces */
	pb_put_varint(&b, 5, 1);     /* escape_whitespaces */
	pb_put_bytes(out, 3, b.data, b.len);
	out->failed |= b.failed;
	ndl_buf_clear(&b);
}
