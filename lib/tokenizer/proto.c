#include "tokenizer/proto.h"

#include <string.h>

static int damaged(const pb_cursor *c, ndl_error *err, const char *what)
{
	size_t byte = (size_t)(c->at - c->start);
	ndl_fail(err, NDL_EFORMAT, "byte %zu: %s", byte, what);
	if (err)
		err->byte = byte;
	return NDL_EFORMAT;
}

static int varint(pb_cursor *c, uint64_t *out, ndl_error *err)
{
	uint64_t v = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		if (c->at == c->end)
			return damaged(c, err, "the file ends inside a number");
		unsigned char byte = *c->at++;
		v |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80) {
			*out = v;
			return 1;
		}
	}
	return damaged(c, err, "a number of more than 64 bits");
}

static int fixed(pb_cursor *c, size_t n, uint64_t *out, ndl_error *err)
{
	if ((size_t)(c->end - c->at) < n)
		return damaged(c, err, "the file ends inside a number");
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out |= (uint64_t)c->at[i] << (8 * i);
	c->at += n;
	return 1;
}

int pb_next(pb_cursor *c, pb_field *f, ndl_error *err)
{
	uint64_t tag, len;
	if (c->at == c->end)
		return 0;
	int rc = varint(c, &tag, err);
	if (rc < 0)
		return rc;
	if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
		return damaged(c, err, "not a field number");
	*f = (pb_field){.number = (uint32_t)(tag >> 3), .wire = (int)(tag & 7)};
	switch (f->wire) {
	case PB_VARINT: return varint(c, &f->value, err);
	case PB_FIXED64: return fixed(c, 8, &f->value, err);
	case PB_FIXED32: return fixed(c, 4, &f->value, err);
	case PB_BYTES: break;
	default: return damaged(c, err, "not a field type");
	}
	rc = varint(c, &len, err);
	if (rc < 0)
		return rc;
	if (len > (uint64_t)(c->end - c->at))
		return damaged(c, err, "a field reaches beyond the end (truncated file?)");
	f->data = c->at;
	f->len = (size_t)len;
	c->at += len;
	return 1;
}

pb_cursor pb_enter(const pb_cursor *outer, const pb_field *f)
{
	return (pb_cursor){outer->start, f->data, f->data + f->len};
}

float pb_float(const pb_field *f)
{
	uint32_t bits = (uint32_t)f->value;
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static void put_raw(ndl_buf *b, uint64_t v)
{
	while (v >= 0x80) {
		ndl_buf_byte(b, (int)(v & 0x7F) | 0x80);
		v >>= 7;
	}
	ndl_buf_byte(b, (int)v);
}

void pb_put_varint(ndl_buf *b, uint32_t number, uint64_t value)
{
	put_raw(b, (uint64_t)number << 3 | PB_VARINT);
	put_raw(b, value);
}

void pb_put_float(ndl_buf *b, uint32_t number, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_raw(b, (uint64_t)number << 3 | PB_FIXED32);
	for (int i = 0; i < 4; i++)
		ndl_buf_byte(b, (int)(bits >> (8 * i) & 0xFF));
}

void pb_put_bytes(ndl_buf *b, uint32_t number, const void *data, size_t len)
{
	put_raw(b, (uint64_t)number << 3 | PB_BYTES);
	put_raw(b, len);
	ndl_buf_add(b, data, len);
}
