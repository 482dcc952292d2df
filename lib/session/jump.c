/* jump.c - jump ahead: the bytes that the grammar leaves no choice about, as tokens.
 *
 * The network has learnt texts in the tokenizer's own spelling, so forced bytes are tokenised, not
 * spelt out one choice at a time. What follows them may begin inside what would then be one longer
 * token: `"}}` is forced, and after it come `]` or `,{"`; spelt by the tokenizer that is `"}}]` or
 * `"}},{"`. So the end of the run is given back ("token healing"): from the first place where some
 * piece begins that reaches over the end with a byte that the grammar admits there. The bytes
 * given back are still forced, and the next choice is among the tokens that spell them and maybe
 * more. Up to that place the tokens are those of the whole text, since no merge can cross it.
 * Inside free text every byte is admitted, and a value that begins with `}}` is no reason to give
 * back the quote before it: there only pieces that go on as words do are heeded. */
#include "session/decode_internal.h"

#include <string.h>

enum { RUN_MAX = 4096, REACH = 64 }; /* bytes of a run at a time; of a piece that reaches over its end */

/* heeded[b]: b may follow, and a piece that goes on with it counts. */
static void heed(const ndl_gstate *end, bool heeded[256])
{
	for (int b = 0; b < 256; b++) {
		ndl_gstate next;
		ndl_gstate_copy(&next, end);
		heeded[b] = ndl_gstate_byte(&next, (unsigned char)b);
	}
	bool free_text = heeded['x'] && heeded['}'];
	for (int b = 0; b < 256; b++)
		heeded[b] = heeded[b] && (!free_text || ndl_is_wordlike((unsigned char)b));
}

/* Whether a piece begins with these len bytes and goes on with a byte that is heeded. */
static bool reaches_over(const ndl_pieces *p, const char *bytes, size_t len, const bool heeded[256])
{
	size_t lo = 0, hi = p->n;
	for (size_t i = 0; i < len; i++)
		if (!ndl_pieces_narrow(p, &lo, &hi, i, (unsigned char)bytes[i]))
			return false;
	for (size_t i = lo; i < hi; i++)
		if (p->piece[i].len > len && heeded[(unsigned char)p->piece[i].bytes[len]])
			return true;
	return false;
}

/* Bytes of the run whose tokens do not depend on what follows it; end: the state there. */
static size_t settled(const ndl_pieces *p, const char *run, size_t len, const ndl_gstate *end)
{
	bool heeded[256];
	if (ndl_gstate_done(end))
		return len;
	heed(end, heeded);
	for (size_t at = len > REACH ? len - REACH : 0; at < len; at++)
		if (reaches_over(p, run + at, len - at, heeded))
			return at;
	return len;
}

ndl_status ndl_jump(const ndl_engine *e, const ndl_gstate *s, ndl_ids *ids, ndl_error *err)
{
	char run[RUN_MAX];
	ndl_gstate end;
	ids->len = 0;
	size_t len = ndl_gstate_forced(s, run, sizeof run), at = 0, n = 0;
	if (len == 0)
		return NDL_OK;
	ndl_gstate_copy(&end, s);
	ndl_gstate_bytes(&end, run, len);
	size_t good = settled(&e->pieces, run, len, &end);
	ndl_status rc = good ? ndl_tok_encode(e->tok, ids, run, len, NDL_TOK_PLAIN | NDL_TOK_INNER, err) : NDL_OK;
	/* as far as the tokens spell the bytes: a vocabulary may lack some */
	for (; n < ids->len; n++) {
		size_t size;
		const char *bytes = ndl_tok_bytes(e->tok, ids->id[n], &size);
		if (ids->id[n] <= NDL_TOOLS || size == 0 || at + size > good || memcmp(run + at, bytes, size) != 0)
			break;
		at += size;
	}
	ids->len = n;
	return rc;
}
