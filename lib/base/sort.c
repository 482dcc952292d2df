#include "base/sort.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 8 };

static uint64_t key_of(const char *items, size_t i, size_t size)
{
	uint64_t key;
	memcpy(&key, items + i * size, sizeof key);
	return key;
}

/* Moves the items to `to` in the order of one byte of their keys, equal ones in the order they have; false if all are
 * equal there, and nothing was moved. count: of each value. */
static int pass(char *to, const char *from, size_t n, size_t size, int shift, const size_t count[256])
{
	size_t at[256], sum = 0;
	if (count[key_of(from, 0, size) >> shift & 255] == n)
		return 0;
	for (size_t v = 0; v < 256; v++) {
		at[v] = sum;
		sum += count[v];
	}
	for (size_t i = 0; i < n; i++)
		memcpy(to + at[key_of(from, i, size) >> shift & 255]++ * size, from + i * size, size);
	return 1;
}

static void sort_runs(char *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && key_of(items, end, size) == key_of(items, i, size);)
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
	char *spare = ndl_calloc(n, size), *from = items, *to = spare;
	if (!count || !spare) {
		free(count);
		free(spare);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t key = key_of(items, i, size);
		for (int b = 0; b < KEY_BYTES; b++)
			count[b][key >> 8 * b & 255]++;
	}
	for (int b = 0; b < KEY_BYTES; b++)
		if (pass(to, from, n, size, 8 * b, count[b])) {
			char *swap = from;
			from = to;
			to = swap;
		}
	if (from != items)
		memcpy(items, from, n * size);
	sort_runs(items, n, size, compare);
	free(count);
	free(spare);
	return 0;
}
