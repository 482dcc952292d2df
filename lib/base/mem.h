/* mem.h - allocation with the overflow checks that malloc(n * size) forgets. */
#ifndef NDL_BASE_MEM_H
#define NDL_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* *out = a * b; false (and *out untouched) if it would overflow. */
bool ndl_mul_ok(size_t a, size_t b, size_t *out);
/* *out = a + b; false if it would overflow. */
bool ndl_add_ok(size_t a, size_t b, size_t *out);

/* n * size zeroed bytes, or NULL (out of memory or overflow). Free with free(). */
void *ndl_calloc(size_t n, size_t size);

/* Like realloc to n * size bytes; on failure the old block stays valid and NULL is returned. */
void *ndl_realloc(void *p, size_t n, size_t size);

/* n * size bytes on a 64-byte boundary, not zeroed. Free with free(). */
void *ndl_alloc64(size_t n, size_t size);

/* The same for arrays that are used whole and walked with large strides: on huge pages, where the system has
 * them, that misses the TLB far less. Not for what may stay mostly untouched: a huge page is cleared as a whole. */
void *ndl_alloc_huge(size_t n, size_t size);

/* n * size bytes of which a part, not known yet, is used: on a boundary of huge pages, none of them there before
 * ndl_expect_use. Not zeroed. Free with free(). */
void *ndl_alloc_partly(size_t n, size_t size);
/* The first `bytes` of such memory are about to be written: asks for them all at once and, where they fill at least a
 * quarter of one, in huge pages. Each page that is met unprepared costs a fault, which takes virtual machines many times as
 * long as others. A hint. */
void ndl_expect_use(void *p, size_t bytes);

/* Makes room for at least `need` elements of `size` bytes in *array of capacity *cap
 * (elements), growing by half. Returns 0 or -1 with *array untouched. */
int ndl_grow(void *array, size_t *cap, size_t need, size_t size);

char *ndl_strndup(const char *s, size_t len);

#endif
