/* check.h - what the kernel checks share: data, guarded buffers, the list of variants. */
#ifndef NDL_TESTS_KERNELS_CHECK_H
#define NDL_TESTS_KERNELS_CHECK_H

#include "base/rng.h"
#include "kernels/kernels.h"
#include "tests/tap.h"

#include <stdint.h>

enum { CHECK_GUARD = 64 };

/* n floats with canaries on both sides, on an odd multiple of 4 bytes. Check, then free. */
typedef struct guarded {
	unsigned char *raw;
	float *p;
	size_t n;
} guarded;

__attribute__((unused)) static guarded guarded_new(size_t n)
{
	guarded g = {malloc(n * 4 + 2 * CHECK_GUARD + 4), NULL, n};
	if (!g.raw)
		exit(99);
	memset(g.raw, 0xa5, n * 4 + 2 * CHECK_GUARD + 4);
	g.p = (float *)(g.raw + CHECK_GUARD + 4);
	return g;
}

/* Whether the canaries stand; frees. */
__attribute__((unused)) static int guarded_free(guarded *g)
{
	int ok = 1;
	for (size_t i = 0; i < CHECK_GUARD; i++)
		ok &= g->raw[4 + i] == 0xa5 && g->raw[CHECK_GUARD + 4 + g->n * 4 + i] == 0xa5;
	free(g->raw);
	return ok;
}

__attribute__((unused)) static void fill_normal(float *x, size_t n, ndl_rng *r)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float)ndl_rng_normal(r);
}

/* Seed from the first argument, else 1; printed, so that a failure can be repeated. */
__attribute__((unused)) static uint64_t check_seed(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	tap_note("seed %llu (give another as the first argument)", (unsigned long long)seed);
	return seed;
}

/* The masks worth testing here: those that select a level of their own. */
__attribute__((unused)) static const char *const check_masks[] = {"scalar", "neon", "avx2", "avx512", "avx512bf16", "amx"};

__attribute__((unused)) static int check_mask_exists(const char *mask)
{
	ndl_kernels k;
	return ndl_kernels_init(&k, mask, NULL) == 0 && !strcmp(ndl_isa_name(k.isa), mask);
}

#endif
