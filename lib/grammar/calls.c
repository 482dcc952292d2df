/* calls.c - which tool's call is under way. */
#include "grammar/grammar_internal.h"

size_t ndl_grammar_calls(const ndl_grammar *g)
{
	return g->n_calls;
}

/* Narrows calls [*lo, *hi), which agree on pos bytes, to those that n bytes follow in; the rest of a call of which
 * all bytes are matched does not count. */
static bool narrow(const ndl_grammar *g, uint32_t *lo, uint32_t *hi, uint32_t pos, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && pos + i < g->choice[*lo].len; i++)
		if (!ndl_gnarrow(g, lo, hi, pos + (uint32_t)i, (unsigned char)bytes[i]))
			return false;
	return true;
}

size_t ndl_grammar_find_call(const ndl_grammar *g, const char *name, size_t len)
{
	static const char before[] = "{\"name\":\"";
	uint32_t lo = g->calls, hi = g->calls + g->n_calls, pos = sizeof before - 1;
	bool found = g->n_calls && narrow(g, &lo, &hi, 0, before, pos) && narrow(g, &lo, &hi, pos, name, len) &&
	             narrow(g, &lo, &hi, pos + (uint32_t)len, "\"", 1);
	return found ? lo - g->calls : g->n_calls;
}

bool ndl_gstate_calls(const ndl_gstate *s, const char *bytes, size_t n, ndl_gcalls *c)
{
	const ndl_gframe *f = &s->frame[s->n_frames - 1];
	if (s->n_threads != 1 || s->n_frames != 1 || f->phase != P_CALL)
		return false;
	uint32_t lo = f->lo, hi = f->hi;
	if (!narrow(s->g, &lo, &hi, f->pos, bytes, n))
		return false;
	*c = (ndl_gcalls){lo - s->g->calls, hi - s->g->calls};
	return true;
}
