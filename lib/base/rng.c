#include "base/rng.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15u);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

void ndl_rng_seed(ndl_rng *r, uint64_t seed, uint64_t stream)
{
	uint64_t mix = stream;
	uint64_t state = seed ^ splitmix64(&mix);
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix64(&state);
}

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t ndl_rng_u64(ndl_rng *r)
{
	uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t ndl_rng_below(ndl_rng *r, uint64_t n)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % n, x;
	do
		x = ndl_rng_u64(r);
	while (x >= limit);
	return x % n;
}

int64_t ndl_rng_range(ndl_rng *r, int64_t lo, int64_t hi)
{
	uint64_t span = (uint64_t)hi - (uint64_t)lo;
	uint64_t x = span == UINT64_MAX ? ndl_rng_u64(r) : ndl_rng_below(r, span + 1);
	return (int64_t)((uint64_t)lo + x);
}

double ndl_rng_unit(ndl_rng *r)
{
	return (double)(ndl_rng_u64(r) >> 11) * 0x1p-53;
}

int ndl_rng_chance(ndl_rng *r, double p)
{
	return ndl_rng_unit(r) < p;
}

double ndl_rng_normal(ndl_rng *r)
{
	const double two_pi = 6.283185307179586;
	double u = 1.0 - ndl_rng_unit(r); /* (0, 1]: log stays finite */
	double v = ndl_rng_unit(r);
	return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}

void ndl_rng_shuffle(ndl_rng *r, size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)ndl_rng_below(r, i), t = order[i - 1];
		order[i - 1] = order[j];
		order[j] = t;
	}
}

uint64_t ndl_hash64(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = 0xCBF29CE484222325u ^ seed;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001B3u;
	return splitmix64(&h);
}
