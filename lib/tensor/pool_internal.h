/* pool_internal.h - threads that help with work as they come, for this room only. */
#ifndef NDL_TENSOR_POOL_INTERNAL_H
#define NDL_TENSOR_POOL_INTERNAL_H

#include "tensor/exec.h"

/* Threads beside the caller's own, which are started when there is something to share for the first time. They
 * never keep the caller waiting but for a piece that they have in hand: one that is asleep, or that the system lets
 * run later, finds the work done. */
typedef struct ndl_pool ndl_pool; /* opaque, owned: free with ndl_pool_free */

/* threads: with the caller's, > 1. NULL: no memory. */
ndl_pool *ndl_pool_new(int threads);
void ndl_pool_free(ndl_pool *p);

enum { NDL_POOL_MOST = (1 << 18) - 1 }; /* pieces */

/* fn(arg, i, thread) for every i < n <= NDL_POOL_MOST; thread is 0 here. One call at a time, and none within fn. */
void ndl_pool_share(ndl_pool *p, size_t n, ndl_share_fn *fn, void *arg);

#endif
