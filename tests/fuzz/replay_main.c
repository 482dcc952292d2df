/* replay_main.c - runs a fuzz target without a fuzzer: its seeds as they are, and many damaged
 * copies of each from a fixed random sequence. `make check` does this; a fuzzer links the same
 * target without this file (see tests/fuzz/fuzz.h).
 *
 *   fuzz_checkpoint            the target's own seeds
 *   fuzz_checkpoint FILE...    these files as they are: to look at a finding again
 *   fuzz_checkpoint --every FILE...   cut at every byte, and with one bit of every byte turned */
#include "tests/fuzz/fuzz.h"

#include "base/rng.h"
#include "tests/tap.h"

enum { ROUNDS = 1500, WINDOW_MIN = 64 };

/* Damage lands in the first `window` bytes more often than beyond: headers are there. */
static size_t place(ndl_rng *r, size_t n)
{
	size_t window = WINDOW_MIN;
	while (window < n && ndl_rng_chance(r, 0.6))
		window *= 2;
	return (size_t)ndl_rng_range(r, 0, (int64_t)(window < n ? window : n) - 1);
}

/* Damages a copy of n bytes in place; returns its new length (never above n). */
static size_t damage(ndl_rng *r, uint8_t *data, size_t n)
{
	for (int64_t edits = ndl_rng_range(r, 1, 4); edits > 0 && n > 1; edits--) {
		size_t at = place(r, n), from = place(r, n), len;
		switch (ndl_rng_range(r, 0, 5)) {
		case 0: data[at] ^= (uint8_t)(1 << ndl_rng_range(r, 0, 7)); break;
		case 1: data[at] = (uint8_t)ndl_rng_range(r, 0, 255); break;
		case 2: data[at] = (uint8_t)"0123456789,:[]{}\"-e./"[ndl_rng_range(r, 0, 20)]; break;
		case 3: n = ndl_rng_chance(r, 0.2) ? at + 1 : n; break;
		case 4: /* drop a byte */
			memmove(data + at, data + at + 1, n - at - 1);
			n--;
			break;
		default: /* copy a run over another */
			len = (size_t)ndl_rng_range(r, 1, 12);
			if (from + len <= n && at + len <= n)
				memmove(data + at, data + from, len);
		}
	}
	return n;
}

/* Each input gets a block of its exact size, so that the sanitizer sees the first byte beyond. */
static void run_copy(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		exit(1);
	memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void run_seed(size_t index, const uint8_t *seed, size_t n)
{
	ndl_rng r;
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		exit(1);
	ndl_rng_seed(&r, 1, index);
	run_copy(seed, n);
	for (int round = 0; round < ROUNDS; round++) {
		memcpy(copy, seed, n);
		run_copy(copy, damage(&r, copy, n));
	}
	free(copy);
	tap_ok(1, "seed %zu of %zu bytes and %d damaged copies", index, n, ROUNDS);
}

/* Every truncation, and every byte with one bit turned (another one from byte to byte). */
static void run_every(uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t bit = (uint8_t)(1 << i % 8);
		run_copy(data, i);
		data[i] ^= bit;
		run_copy(data, n);
		data[i] ^= bit;
	}
}

static int run_file(const char *path, int every)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(FUZZ_SEED_MAX);
	size_t n = f && data ? fread(data, 1, FUZZ_SEED_MAX, f) : 0;
	int ok = f && data && !ferror(f);
	if (ok && every)
		run_every(data, n);
	if (ok)
		run_copy(data, n);
	tap_ok(ok, "%s", path);
	if (f)
		fclose(f);
	free(data);
	return ok;
}

int main(int argc, char **argv)
{
	int every = argc > 1 && strcmp(argv[1], "--every") == 0;
	for (int i = 1 + every; i < argc; i++)
		run_file(argv[i], every);
	for (size_t i = 0; argc < 2; i++) {
		uint8_t *seed = malloc(FUZZ_SEED_MAX);
		size_t n = seed ? fuzz_seed(i, seed) : 0;
		if (n)
			run_seed(i, seed, n);
		free(seed);
		if (!n)
			break;
	}
	tap_ok(argc > 1 || tap_count > 0, "there was something to run");
	return tap_done();
}
