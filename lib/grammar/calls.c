/* calls.c - tools by their names. */
#include "grammar/grammar_internal.h"

size_t ndl_grammar_calls(const ndl_grammar *g)
{
	return g->n_calls;
}

/* Narrows calls [*lo, *hi), which agree on pos bytes, to those that n bytes follow in. */
static bool narrow(const ndl_grammar *g, uint32_t *lo, uint32_t *hi, uint32_t pos, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
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
	return found ? lo : g->n_choices;
}
