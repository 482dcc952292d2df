/* hashset.h - a set of 64-bit hashes, for counting what is distinct. Private to this room. */
#ifndef NDL_SYNTH_HASHSET_H
#define NDL_SYNTH_HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; release with syn_set_clear. */
typedef struct syn_set {
	uint64_t *slot; /* 0: empty */
	size_t n, cap;
	bool failed;    /* out of memory, once */
} syn_set;

/* True if h is new. */
bool syn_set_add(syn_set *s, uint64_t h);
void syn_set_clear(syn_set *s);

#endif
