/* narrow.h - walking down a sorted list of texts, byte by byte, as one would a trie. */
#ifndef NDL_BASE_NARROW_H
#define NDL_BASE_NARROW_H

#include <stddef.h>

/* Byte `pos` of text i, or -1 at its end. */
typedef int ndl_byte_at(const void *texts, size_t i, size_t pos);

/* The first of [lo, hi), sorted texts that agree on pos bytes, whose next byte is at least b. */
static inline size_t ndl_narrow_bound(ndl_byte_at *at, const void *texts, size_t lo, size_t hi, size_t pos, int b)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (at(texts, mid, pos) < b)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* [*lo, *hi), as above, becomes those of them whose next byte is b. */
static inline void ndl_narrow(ndl_byte_at *at, const void *texts, size_t *lo, size_t *hi, size_t pos, int b)
{
	*lo = ndl_narrow_bound(at, texts, *lo, *hi, pos, b);
	*hi = ndl_narrow_bound(at, texts, *lo, *hi, pos, b + 1);
}

#endif
