/* rng.h - small, fast, seedable and the same everywhere: xoshiro256** seeded by SplitMix64
 * (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021). */
#ifndef NDL_BASE_RNG_H
#define NDL_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Plain state: copy it to save it, 32 bytes. */
typedef struct ndl_rng {
	uint64_t s[4];
} ndl_rng;

/* Independent streams: the same seed with another stream number gives unrelated numbers. */
void ndl_rng_seed(ndl_rng *r, uint64_t seed, uint64_t stream);
uint64_t ndl_rng_u64(ndl_rng *r);
/* Uniform in [0, n), without bias; n > 0. */
uint64_t ndl_rng_below(ndl_rng *r, uint64_t n);
/* Uniform in [lo, hi], both included; lo <= hi. */
int64_t ndl_rng_range(ndl_rng *r, int64_t lo, int64_t hi);
/* Uniform in [0, 1). */
double ndl_rng_unit(ndl_rng *r);
/* 1 with probability p, else 0. */
int ndl_rng_chance(ndl_rng *r, double p);
/* Normal(0, 1), Box-Muller; two draws a call, so no hidden state. */
double ndl_rng_normal(ndl_rng *r);
/* order[0..n) := a random permutation of 0..n-1 (Fisher-Yates). */
void ndl_rng_shuffle(ndl_rng *r, size_t *order, size_t n);
/* A stable 64-bit hash of bytes (FNV-1a finished by SplitMix64), for splits and seeds; not
 * for security. The same on every machine and in every release. */
uint64_t ndl_hash64(const void *data, size_t len, uint64_t seed);
/* XXH64 (Yann Collet, xxHash fast digest algorithm, format specification 0.1.1): for megabytes. */
uint64_t ndl_xxh64(const void *data, size_t len, uint64_t seed);

#endif
