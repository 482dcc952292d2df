#include "base/mem.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool ndl_mul_ok(size_t a, size_t b, size_t *out)
{
	if (b && a > SIZE_MAX / b)
		return false;
	*out = a * b;
	return true;
}

bool ndl_add_ok(size_t a, size_t b, size_t *out)
{
	if (a > SIZE_MAX - b)
		return false;
	*out = a + b;
	return true;
}

void *ndl_calloc(size_t n, size_t size)
{
	/* One byte at least, so that NULL always means failure. */
	return n && size ? calloc(n, size) : calloc(1, 1);
}

void *ndl_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;
	if (!ndl_mul_ok(n, size, &bytes))
		return NULL;
	return realloc(p, bytes ? bytes : 1);
}

/* n * size bytes in whole units of align; 0 if that is too much. */
static size_t whole(size_t n, size_t size, size_t align)
{
	size_t bytes;
	if (!ndl_mul_ok(n, size, &bytes) || bytes > SIZE_MAX - align)
		return 0;
	return bytes ? (bytes + align - 1) / align * align : align;
}

void *ndl_alloc64(size_t n, size_t size)
{
	size_t bytes = whole(n, size, 64);
	return bytes ? aligned_alloc(64, bytes) : NULL;
}

enum { HUGE_PAGE = 2 << 20 };

void *ndl_alloc_huge(size_t n, size_t size)
{
	size_t bytes = whole(n, size, HUGE_PAGE);
	if (bytes <= HUGE_PAGE)
		return ndl_alloc64(n, size);
	void *p = aligned_alloc(HUGE_PAGE, bytes);
#ifdef MADV_HUGEPAGE
	if (p)
		madvise(p, bytes, MADV_HUGEPAGE); /* a hint: failure changes nothing */
#endif
	return p;
}

void *ndl_alloc_partly(size_t n, size_t size)
{
	size_t bytes = whole(n, size, HUGE_PAGE);
	return bytes ? aligned_alloc(HUGE_PAGE, bytes) : NULL;
}

void ndl_expect_use(void *p, size_t bytes)
{
	int kept = errno; /* hints: failure changes nothing */
#ifdef MADV_HUGEPAGE
	size_t huge = (bytes + HUGE_PAGE / 4 * 3) / HUGE_PAGE * HUGE_PAGE;
	if (huge)
		madvise(p, huge, MADV_HUGEPAGE);
#endif
#ifdef MADV_POPULATE_WRITE
	madvise(p, bytes, MADV_POPULATE_WRITE);
#endif
	(void)p, (void)bytes;
	errno = kept;
}

int ndl_grow(void *array, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return 0;
	size_t want = *cap + *cap / 2;
	if (want < need)
		want = need;
	if (want < 16)
		want = 16;
	void *old;
	memcpy(&old, array, sizeof old); /* `array` is a T **: copied, not aliased */
	void *p = ndl_realloc(old, want, size);
	if (!p)
		return -1;
	memcpy(array, &p, sizeof p);
	*cap = want;
	return 0;
}

char *ndl_strndup(const char *s, size_t len)
{
	char *p = len < SIZE_MAX ? malloc(len + 1) : NULL;
	if (!p)
		return NULL;
	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}
