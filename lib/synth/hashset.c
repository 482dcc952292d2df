#include "synth/hashset.h"

#include "base/mem.h"

#include <stdlib.h>

static bool insert(syn_set *s, uint64_t h)
{
	size_t i = h & (s->cap - 1);
	while (s->slot[i] && s->slot[i] != h)
		i = (i + 1) & (s->cap - 1);
	if (s->slot[i])
		return false;
	s->slot[i] = h;
	s->n++;
	return true;
}

static void grow(syn_set *s)
{
	syn_set t = {.cap = s->cap ? 2 * s->cap : 1024};
	t.slot = ndl_calloc(t.cap, sizeof *t.slot);
	if (!t.slot) {
		s->failed = true;
		return;
	}
	for (size_t i = 0; i < s->cap; i++)
		if (s->slot[i])
			insert(&t, s->slot[i]);
	free(s->slot);
	*s = t;
}

bool syn_set_add(syn_set *s, uint64_t h)
{
	if (2 * s->n >= s->cap)
		grow(s);
	return !s->failed && insert(s, h ? h : 1);
}

void syn_set_clear(syn_set *s)
{
	free(s->slot);
	*s = (syn_set){0};
}
