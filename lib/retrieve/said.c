/* said.c - whether a text says another one, word by word. */
#include "retrieve/retrieve_internal.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void keep(void *user, const char *word, size_t len, bool common)
{
	(void)common;
	ndl_said *s = user;
	if (s->n == SIZE_MAX || ndl_grow(&s->word, &s->cap, s->n + 1, sizeof *s->word) < 0)
		s->n = SIZE_MAX; /* no memory */
	else
		s->word[s->n++] = ndl_xxh64(word, len, 0);
}

ndl_status ndl_said_set(ndl_said *s, const char *text, size_t len, ndl_error *err)
{
	s->n = 0;
	ndl_words(text, len, keep, s);
	if (s->n == SIZE_MAX) {
		s->n = 0;
		return ndl_fail_nomem(err, "the words of a query");
	}
	if (s->n)
		qsort(s->word, s->n, sizeof *s->word, by_value);
	return NDL_OK;
}

void ndl_said_clear(ndl_said *s)
{
	free(s->word);
	*s = (ndl_said){0};
}

struct question {
	const ndl_said *in;
	size_t said, missing, common_missing;
};

static void ask(void *user, const char *word, size_t len, bool common)
{
	struct question *q = user;
	uint64_t hash = ndl_xxh64(word, len, 0);
	bool there = q->in->n && bsearch(&hash, q->in->word, q->in->n, sizeof hash, by_value);
	q->said += there && !common;
	q->missing += !there && !common;
	q->common_missing += !there && common;
}

static struct question question(const ndl_said *s, const char *text, size_t len)
{
	struct question q = {s, 0, 0, 0};
	ndl_words(text, len, ask, &q);
	return q;
}

bool ndl_said_has(const ndl_said *s, const char *text, size_t len)
{
	const struct question q = question(s, text, len);
	return q.said && !q.missing;
}

bool ndl_said_part(const ndl_said *s, const char *text, size_t len)
{
	return question(s, text, len).said > 0;
}

bool ndl_said_some(const ndl_said *s, const char *text, size_t len)
{
	const struct question q = question(s, text, len);
	return q.said || (!q.missing && !q.common_missing);
}
