/* pieces.c - the vocabulary's texts in order, to ask which pieces begin with given bytes. ASCII case
 * is ignored. */
#include "session/ground_internal.h"

#include "base/ascii.h"
#include "base/mem.h"
#include "base/narrow.h"
#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

/* Byte pos of the piece, folded; -1 at its end. */
static int byte_at(const void *pieces, size_t i, size_t pos)
{
	const ndl_piece *x = &((const ndl_pieces *)pieces)->piece[i];
	return pos < x->len ? ndl_fold((unsigned char)x->bytes[pos]) : -1;
}

static uint64_t first_of(const ndl_piece *x)
{
	char folded[8];
	size_t n = x->len < sizeof folded ? x->len : sizeof folded;
	for (size_t i = 0; i < n; i++)
		folded[i] = (char)ndl_fold((unsigned char)x->bytes[i]);
	return ndl_sort_key(folded, n);
}

static int compare(const void *a, const void *b)
{
	const ndl_piece *x = a, *y = b;
	for (size_t i = 0; i < x->len && i < y->len; i++) {
		int order = (int)ndl_fold((unsigned char)x->bytes[i]) - (int)ndl_fold((unsigned char)y->bytes[i]);
		if (order)
			return order;
	}
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

bool ndl_is_wordlike(unsigned char b)
{
	return b == ' ' || b >= 0x80 || (b >= '0' && b <= '9') || (ndl_fold(b) >= 'a' && ndl_fold(b) <= 'z');
}

/* Whether it may begin a string and what is in it: a quote stands in it, with text after it. */
static bool opens(const ndl_piece *x)
{
	for (size_t i = 0; i + 1 < x->len; i++)
		if (x->bytes[i] == '"' && ndl_is_wordlike((unsigned char)x->bytes[i + 1]))
			return true;
	return false;
}

ndl_status ndl_pieces_init(ndl_pieces *p, const ndl_tok *tok, ndl_error *err)
{
	size_t n = ndl_tok_size(tok);
	p->n = 0;
	p->piece = ndl_calloc(n + 1, sizeof *p->piece);
	if (!p->piece)
		return ndl_fail_nomem(err, "the vocabulary");
	for (size_t i = NDL_TOOLS + 1; i < n; i++) {
		ndl_piece *x = &p->piece[p->n];
		x->id = (int32_t)i;
		x->bytes = ndl_tok_bytes(tok, x->id, &x->len);
		x->first = first_of(x);
		p->n += x->len > 0;
	}
	if (ndl_sort_keyed(p->piece, p->n, sizeof *p->piece, compare) < 0)
		return ndl_fail_nomem(err, "the vocabulary");
	p->opening = ndl_calloc(p->n + 1, sizeof *p->opening);
	p->quoted = ndl_calloc(n / 64 + 1, sizeof *p->quoted);
	if (!p->opening || !p->quoted)
		return ndl_fail_nomem(err, "the vocabulary");
	for (size_t i = 0; i < p->n; i++) {
		const ndl_piece *x = &p->piece[i];
		if (memchr(x->bytes, '"', x->len))
			p->quoted[x->id / 64] |= UINT64_C(1) << (x->id % 64);
		if (opens(x))
			p->opening[p->n_opening++] = i;
	}
	return NDL_OK;
}

void ndl_pieces_clear(ndl_pieces *p)
{
	free(p->piece);
	free(p->opening);
	free(p->quoted);
	*p = (ndl_pieces){0};
}

bool ndl_pieces_narrow(const ndl_pieces *p, size_t *lo, size_t *hi, size_t pos, unsigned char b)
{
	ndl_narrow(byte_at, p, lo, hi, pos, ndl_fold(b));
	return *lo < *hi;
}
