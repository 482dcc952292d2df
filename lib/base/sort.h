/* sort.h - sorting by numbers, which takes a fraction of the time that comparisons do. */
#ifndef NDL_BASE_SORT_H
#define NDL_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Sorts n items of `size` bytes, each of which begins with a uint64_t: by that number, rising, and by `compare` (as of
 * qsort) where it is the same. Returns 0, or -1 without memory, the items as they were. */
int ndl_sort_keyed(void *items, size_t n, size_t size, int (*compare)(const void *, const void *));

/* The first eight bytes of a text as such a number, zeros after its end: texts in the order of their bytes, but for those
 * that begin alike. */
static inline uint64_t ndl_sort_key(const char *text, size_t len)
{
	uint64_t x = 0;
	for (size_t i = 0; i < 8; i++)
		x = x << 8 | (i < len ? (unsigned char)text[i] : 0);
	return x;
}

#endif
