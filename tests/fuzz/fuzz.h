/* fuzz.h - what a fuzz target defines. With a fuzzer:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Ilib -I. tests/fuzz/fuzz_NAME.c lib/...c -o fuzz_NAME
 *
 * Without one it is linked with replay_main.c. */
#ifndef NDL_TESTS_FUZZ_H
#define NDL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_SEED_MAX = 1 << 20 };

/* Handles any bytes without a crash, a leak or a wait; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes seed number i to out[FUZZ_SEED_MAX]; returns its length, 0 after the last one. */
size_t fuzz_seed(size_t i, uint8_t *out);

#endif
