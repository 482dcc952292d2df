/* proto.h - the part of the protobuf wire format that a SentencePiece .model needs: a bounded
 * cursor over the fields of one message, and appending fields. Private to this room. */
#ifndef NDL_TOKENIZER_PROTO_H
#define NDL_TOKENIZER_PROTO_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

typedef struct pb_cursor {
	const unsigned char *start, *at, *end; /* start: of the whole file, for messages */
} pb_cursor;

typedef struct pb_field {
	uint32_t number;
	int wire;
	uint64_t value;            /* PB_VARINT, PB_FIXED32, PB_FIXED64 */
	const unsigned char *data; /* PB_BYTES, borrowed */
	size_t len;
} pb_field;

/* 1 with the next field in *f, 0 at the end, NDL_EFORMAT (with err->byte) if it is damaged. */
int pb_next(pb_cursor *c, pb_field *f, ndl_error *err);
/* A cursor over the message that a PB_BYTES field holds. */
pb_cursor pb_enter(const pb_cursor *outer, const pb_field *f);
/* The value of a PB_FIXED32 field as a float. */
float pb_float(const pb_field *f);

void pb_put_varint(ndl_buf *b, uint32_t number, uint64_t value);
void pb_put_float(ndl_buf *b, uint32_t number, float value);
void pb_put_bytes(ndl_buf *b, uint32_t number, const void *data, size_t len);

#endif
