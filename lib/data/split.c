/* Split by tool and phrasing. */
#include "base/mem.h"
#include "base/rng.h"
#include "data/lines_internal.h"

#include <stdlib.h>
#include <string.h>

/* A row under way: sorted by tool, then by a hash that plays the die. */
typedef struct ticket {
	const char *tool;
	uint64_t phrase, die;
	size_t row;
	int part; /* -1: not decided */
} ticket;

static int by_tool_and_die(const void *a, const void *b)
{
	const ticket *x = a, *y = b;
	int c = strcmp(x->tool, y->tool);
	if (c)
		return c;
	if (x->die != y->die)
		return x->die < y->die ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* phrase -> part, open addressing; 2^bits slots, never more than half full. */
typedef struct phrase_map {
	uint64_t *key;
	int8_t *part;
	size_t mask;
} phrase_map;

static size_t find(const phrase_map *m, uint64_t phrase)
{
	size_t i = (size_t)phrase & m->mask;
	while (m->part[i] >= 0 && m->key[i] != phrase)
		i = (i + 1) & m->mask;
	return i;
}

static ndl_status map_init(phrase_map *m, size_t n, ndl_error *err)
{
	size_t slots = 16;
	while (slots < 2 * n)
		slots *= 2;
	*m = (phrase_map){ndl_calloc(slots, sizeof *m->key), ndl_calloc(slots, 1), slots - 1};
	if (!m->key || !m->part)
		return ndl_fail_nomem(err, "split");
	memset(m->part, -1, slots);
	return NDL_OK;
}

/* How many of a group's phrasings, which stand side by side, go to validation, and as many to test. */
static size_t quota(const ticket *t, size_t n, size_t per_tool)
{
	size_t phrasings = 0;
	for (size_t i = 0; i < n; i++)
		phrasings += i == 0 || t[i].phrase != t[i - 1].phrase;
	if (phrasings < 3)
		return 0;
	size_t twelfth = (phrasings + 11) / 12;
	return twelfth < per_tool ? twelfth : per_tool;
}

static void assign_group(ticket *t, size_t n, size_t per_tool, phrase_map *m, struct ndl_split_tool *tool)
{
	size_t want = quota(t, n, per_tool), given[NDL_PARTS] = {0};
	tool->name = t->tool;
	tool->rows = n;
	for (size_t i = 0; i < n; i++) {
		size_t at = find(m, t[i].phrase);
		if (m->part[at] < 0) { /* a phrasing not seen before */
			int part = given[NDL_VAL] < want ? NDL_VAL : given[NDL_TEST] < want ? NDL_TEST : NDL_TRAIN;
			m->key[at] = t[i].phrase;
			m->part[at] = (int8_t)part;
			given[part]++;
		}
		t[i].part = m->part[at];
		tool->n[t[i].part]++;
	}
}

static size_t group_end(const ticket *t, size_t n, size_t begin)
{
	size_t end = begin + 1;
	while (end < n && strcmp(t[end].tool, t[begin].tool) == 0)
		end++;
	return end;
}

static int by_number(const void *a, const void *b)
{
	size_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static ndl_status collect(ndl_split *s, const ticket *t, size_t n, ndl_error *err)
{
	for (size_t i = 0; i < n; i++)
		s->n[t[i].part]++;
	for (int p = 0; p < NDL_PARTS; p++) {
		s->part[p] = ndl_calloc(s->n[p], sizeof *s->part[p]);
		if (!s->part[p])
			return ndl_fail_nomem(err, "split");
		size_t k = 0;
		for (size_t i = 0; i < n; i++)
			if (t[i].part == p)
				s->part[p][k++] = t[i].row;
		qsort(s->part[p], k, sizeof *s->part[p], by_number);
	}
	return NDL_OK;
}

static ndl_status assign(ndl_split *s, ticket *t, size_t n, size_t per_tool, phrase_map *m, ndl_error *err)
{
	size_t cap = 0;
	for (size_t begin = 0, end; begin < n; begin = end) {
		end = group_end(t, n, begin);
		if (ndl_grow(&s->tools, &cap, s->n_tools + 1, sizeof *s->tools) < 0)
			return ndl_fail_nomem(err, "split");
		s->tools[s->n_tools] = (struct ndl_split_tool){0};
		assign_group(t + begin, end - begin, per_tool, m, &s->tools[s->n_tools++]);
	}
	return collect(s, t, n, err);
}

ndl_status ndl_lines_split(ndl_split *s, const ndl_lines *l, size_t per_tool, uint64_t seed, ndl_error *err)
{
	phrase_map m = {0};
	ndl_status rc = NDL_OK;
	*s = (ndl_split){0};
	ticket *t = ndl_calloc(l->n, sizeof *t);
	if (!t)
		return ndl_fail_nomem(err, "split");
	for (size_t i = 0; i < l->n; i++) {
		const ndl_row *row = &l->row[i];
		ndl_rng die;
		ndl_rng_seed(&die, seed, row->phrase);
		t[i] = (ticket){row->tool, row->phrase, ndl_rng_u64(&die), i, -1};
	}
	if (l->n)
		qsort(t, l->n, sizeof *t, by_tool_and_die);
	rc = map_init(&m, l->n, err);
	if (rc == NDL_OK)
		rc = assign(s, t, l->n, per_tool ? per_tool : 10, &m, err);
	free(m.key);
	free(m.part);
	free(t);
	if (rc != NDL_OK)
		ndl_split_clear(s);
	return rc;
}

void ndl_split_clear(ndl_split *s)
{
	for (int p = 0; p < NDL_PARTS; p++)
		free(s->part[p]);
	free(s->tools);
	*s = (ndl_split){0};
}
