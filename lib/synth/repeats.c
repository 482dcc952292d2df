/* repeats.c - whether two calls of an example are the same: then they would be one. */
#include "synth/compose.h"

#include <string.h>
#include <strings.h>

static bool same_value(const syn_example *e, const syn_slot_value *a, const syn_slot_value *b)
{
	const char *s = e->query.data, *r = e->raws.data;
	if (a->copied != b->copied)
		return false;
	return a->copied ? a->len == b->len && strncasecmp(s + a->at, s + b->at, a->len) == 0
		: a->raw_len == b->raw_len && memcmp(r + a->raw_off, r + b->raw_off, a->raw_len) == 0;
}

static bool has_arg(const syn_example *e, const syn_call *c, const syn_arg *a)
{
	for (size_t i = 0; i < c->n_args; i++) {
		const syn_arg *b = &c->arg[i];
		if (b->param != a->param || b->prop != a->prop)
			continue;
		if (a->fixed || b->fixed)
			return a->fixed && b->fixed && strcmp(a->fixed, b->fixed) == 0;
		for (int k = 0; k < a->n && a->n == b->n; k++)
			if (!same_value(e, &e->value[a->first + k], &e->value[b->first + k]))
				return false;
		return a->n == b->n;
	}
	return false;
}

bool syn_repeats_call(const syn_example *e)
{
	for (size_t i = 1; i < e->n_calls; i++)
		for (size_t j = 0; j < i; j++) {
			const syn_call *a = &e->call[i], *b = &e->call[j];
			bool same = a->tool == b->tool && a->n_args == b->n_args;
			for (size_t k = 0; k < a->n_args && same; k++)
				same = has_arg(e, b, &a->arg[k]);
			if (same)
				return true;
		}
	return false;
}
