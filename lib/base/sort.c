#include "base/sort.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 8 };

/* Pairs are sorted in place of the items, which move once. */
typedef struct pair {
	uint64_t key;
	size_t i;
} pair;

static uint64_t key_of(const char *item)
{
	uint64_t key;
	memcpy(&key, item, sizeof key);
	return key;
}

/* Moves the pairs to `to` in the order of one byte of their keys, equal ones in the order they have; false if all are
 * equal there, and nothing was moved. count: of each value. */
static int pass(pair *to, const pair *from, size_t n, int shift, const size_t count[256])
{
	size_t at[256], sum = 0;
	if (count[from->key >> shift & 255] == n)
		return 0;
	for (size_t v = 0; v < 256; v++) {
		at[v] = sum;
		sum += count[v];
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i].key >> shift & 255]++] = from[i];
	return 1;
}

/* The pairs in order, in one of both arrays. */
static const pair *sort_pairs(pair *from, pair *to, size_t n, const char *items, size_t size, size_t count[][256])
{
	for (size_t i = 0; i < n; i++) {
		from[i] = (pair){key_of(items + i * size), i};
		for (int b = 0; b < KEY_BYTES; b++)
			count[b][from[i].key >> 8 * b & 255]++;
	}
	for (int b = 0; b < KEY_BYTES; b++)
		if (pass(to, from, n, 8 * b, count[b])) {
			pair *swap = from;
			from = to;
			to = swap;
		}
	return from;
}

static void sort_runs(char *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && key_of(items + end * size) == key_of(items + i * size);)
			end++;
		if (end - i > 1)
			qsort(items + i * size, end - i, size, compare);
	}
}

int ndl_sort_keyed(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n < 2)
		return 0;
	size_t (*count)[256] = ndl_calloc(KEY_BYTES, sizeof *count);
	pair *a = ndl_calloc(n, sizeof *a), *b = ndl_calloc(n, sizeof *b);
	char *sorted = ndl_calloc(n, size);
	int rc = -1;
	if (count && a && b && sorted) {
		const pair *p = sort_pairs(a, b, n, items, size, count);
		for (size_t i = 0; i < n; i++)
			memcpy(sorted + i * size, (const char *)items + p[i].i * size, size);
		memcpy(items, sorted, n * size);
		sort_runs(items, n, size, compare);
		rc = 0;
	}
	free(count);
	free(a);
	free(b);
	free(sorted);
	return rc;
}
