/* decode.c - ids to text, as spm_decode writes it. */
#include "tokenizer/tok_internal.h"

#include "base/utf8.h"

#include <string.h>

/* Bytes that came from byte pieces: valid characters as they are, each bad byte as U+FFFD. */
static void settle_bytes(ndl_buf *out, ndl_buf *bytes)
{
	size_t n;
	for (size_t i = 0; i < bytes->len; i += n ? n : 1) {
		n = ndl_utf8_decode(bytes->data + i, bytes->len - i, NULL);
		if (n)
			ndl_buf_add(out, bytes->data + i, n);
		else
			ndl_buf_str(out, REPLACEMENT);
	}
	out->failed |= bytes->failed; /* or it would be forgotten */
	ndl_buf_reset(bytes);
}

ndl_status ndl_tok_decode(const ndl_tok *t, ndl_buf *out, const int32_t *ids, size_t n, ndl_error *err)
{
	ndl_buf bytes = NDL_BUF_INIT; /* the byte pieces of the current stretch */
	size_t old_len = out->len;
	bool at_start = t->dummy_prefix || t->remove_spaces, dropped = false;
	ndl_status status = NDL_OK;
	for (size_t i = 0; i < n; i++) {
		if (ids[i] < 0 || (size_t)ids[i] >= t->n) {
			status = ndl_fail(err, NDL_EINVAL, "id %ld is not one of the %zu pieces", (long)ids[i], t->n);
			goto out;
		}
		const tok_piece *p = &t->piece[ids[i]];
		const char *s = t->bytes + p->bytes;
		size_t len = p->bytes_len;
		if (p->type == PIECE_BYTE) {
			ndl_buf_add(&bytes, s, len);
			continue;
		}
		settle_bytes(out, &bytes);
		if (dropped || out->len > old_len)
			at_start = false;
		if (p->type == PIECE_CONTROL || p->type == PIECE_UNKNOWN)
			dropped = false;
		/* the space that encoding put in front; without extra spaces, all in front */
		else if (at_start && p->len >= SPACE_LEN && memcmp(tok_text(t, ids[i]), SPACE_SYMBOL, SPACE_LEN) == 0) {
			s++;
			len--;
			dropped = !t->remove_spaces;
		} else {
			dropped = false;
		}
		ndl_buf_add(out, s, len);
	}
	settle_bytes(out, &bytes);
	status = ndl_buf_check(out, err);
out:
	if (status != NDL_OK)
		out->len = old_len;
	ndl_buf_clear(&bytes);
	return status;
}
