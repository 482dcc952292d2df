/* normalize.c - SentencePiece's identity normalisation: spaces become U+2581, runs of them
 * collapse, bad UTF-8 becomes U+FFFD, user-defined symbols pass untouched. */
#include "tokenizer/tok_internal.h"

#include "base/mem.h"
#include "base/narrow.h"
#include "base/utf8.h"

#include <string.h>

/* The k-th byte of user-defined symbol u, or -1 beyond its end (which sorts first). */
static int user_byte(const void *tok, size_t u, size_t k)
{
	const ndl_tok *t = tok;
	const tok_piece *p = &t->piece[t->user[u]];
	return k < p->len ? (unsigned char)t->text[p->text + k] : -1;
}

int32_t tok_match_user(const ndl_tok *t, const char *text, size_t n, size_t *len)
{
	/* [lo, hi): the sorted symbols that begin with the k bytes read so far */
	size_t lo = 0, hi = t->n_user;
	int32_t best = -1;
	for (size_t k = 0; k < n && lo < hi; k++) {
		ndl_narrow(user_byte, t, &lo, &hi, k, (unsigned char)text[k]);
		if (lo < hi && t->piece[t->user[lo]].len == k + 1) {
			best = t->user[lo];
			*len = k + 1;
		}
	}
	return best;
}

bool tok_normal_bound(const char *text, size_t len, size_t *bound)
{
	size_t wide = 1; /* each of these may become 3 bytes; one more is the dummy prefix */
	for (size_t i = 0; i < len; i++)
		wide += text[i] == ' ' || (unsigned char)text[i] >= 0x80;
	return ndl_mul_ok(wide, 2, &wide) && ndl_add_ok(wide, 1, &wide) && ndl_add_ok(len, wide, bound);
}

/* The next unit of text as it will be written (before spaces are escaped). */
typedef struct unit {
	const char *text;
	size_t len, consumed;
} unit;

static unit next_unit(const ndl_tok *t, const char *text, size_t left, bool plain)
{
	size_t n;
	if (!plain && t->user_starts[(unsigned char)*text] && tok_match_user(t, text, left, &n) >= 0)
		return (unit){text, n, n};
	n = ndl_utf8_decode(text, left, NULL);
	return n ? (unit){text, n, n} : (unit){REPLACEMENT, 3, 1};
}

static char *put_space(const ndl_tok *t, char *to)
{
	if (!t->escape_spaces) {
		*to = ' ';
		return to + 1;
	}
	memcpy(to, SPACE_SYMBOL, SPACE_LEN);
	return to + SPACE_LEN;
}

static char *put_unit(const ndl_tok *t, char *to, unit u)
{
	for (size_t k = 0; k < u.len; k++) {
		if (u.text[k] == ' ')
			to = put_space(t, to);
		else
			*to++ = u.text[k];
	}
	return to;
}

static size_t strip_tail(const ndl_tok *t, const char *out, size_t len)
{
	const char *space = t->escape_spaces ? SPACE_SYMBOL : " ";
	size_t n = strlen(space);
	while (len >= n && memcmp(out + len - n, space, n) == 0)
		len -= n;
	return len;
}

size_t tok_normalize(const ndl_tok *t, char *out, const char *text, size_t len, int flags)
{
	bool plain = flags & NDL_TOK_PLAIN, inner = flags & NDL_TOK_INNER;
	bool dummy = t->dummy_prefix && !inner, remove = t->remove_spaces && !inner;
	size_t i = 0;
	char *to = out;
	while (remove && i < len) {
		unit u = next_unit(t, text + i, len - i, plain);
		if (u.len != 1 || u.text[0] != ' ')
			break;
		i += u.consumed;
	}
	if (i == len)
		return 0;
	if (dummy && !t->whitespace_suffix)
		to = put_space(t, to);
	bool after_space = remove;
	while (i < len) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x80 && c != ' ' && (plain || !t->user_starts[c])) { /* the common case */
			*to++ = text[i++];
			after_space = false;
			continue;
		}
		unit u = next_unit(t, text + i, len - i, plain);
		i += u.consumed;
		for (; after_space && u.len && *u.text == ' '; u.len--)
			u.text++;
		to = put_unit(t, to, u);
		if (u.len)
			after_space = remove && u.text[u.len - 1] == ' ';
	}
	size_t n = (size_t)(to - out);
	if (remove)
		n = strip_tail(t, out, n);
	if (dummy && t->whitespace_suffix)
		n = (size_t)(put_space(t, out + n) - out);
	return n;
}
