/* pool.c - work in pieces, taken from either end by whoever is awake.
 *
 * Products of a network are many and short: of tens of microseconds each, some seventy for a prompt of 50 words. A team that meets
 * at a barrier after each (as OpenMP's does) waits for its slowest member as often, and while the network decodes
 * alone its members burn a processor. Here nobody is waited for who has taken nothing, and who finds nothing sleeps
 * soon. */
#include "tensor/pool_internal.h"

#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	LOOKS = 2000,     /* looks for work before sleeping: some 40 us (of 20 ns), longer than what lies between two products of a prompt */
	PATIENCE = 20000, /* looks for the end of the others' pieces before giving them this processor */
};

typedef struct helper {
	ndl_pool *pool;
	pthread_t thread;
	int number;
} helper;

struct ndl_pool {
	/* The number of this piece of work, and which of its pieces nobody has taken: see pieces. What describes the
	 * work is read before a piece is taken and holds if that succeeds, since it changes only while there is none to
	 * take. */
	_Atomic uint64_t left;
	_Atomic(ndl_share_fn *) fn;
	_Atomic(void *) arg;
	atomic_size_t undone; /* pieces */
	atomic_int asleep;
	atomic_bool over;
	pthread_mutex_t lock; /* for sleeping */
	pthread_cond_t work;
	int n, started;       /* helpers; -1: not yet */
	helper helper[];
};

static void rest(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Of `left`: pieces [from, to), the number of the work above them. It comes again after 2^28 works, of microseconds each at
 * least: only a helper that was kept from the processor for just so many, minutes or hours, between reading `left` and taking
 * a piece could take one that is no more. */
typedef struct pieces {
	size_t from, to;
} pieces;

enum { BITS = 18 };
_Static_assert(NDL_POOL_MOST == (1 << BITS) - 1, "");

static pieces pieces_of(uint64_t left)
{
	return (pieces){(size_t)(left >> BITS) & NDL_POOL_MOST, (size_t)left & NDL_POOL_MOST};
}

static bool any(const ndl_pool *p)
{
	pieces at = pieces_of(atomic_load(&p->left));
	return at.from < at.to;
}

/* How many to take: fewer and fewer, so that all end at about the same time. */
static size_t some(const ndl_pool *p, pieces at)
{
	return 1 + (at.to - at.from - 1) / (4 * ((size_t)p->n + 1));
}

/* Does what can be taken; false if that was nothing. The caller of the pool begins at the front, its helpers at the end:
 * who works on the same part of one thing after the other has it in its own cache. */
static bool help(ndl_pool *p, int thread)
{
	bool did = false;
	uint64_t left = atomic_load(&p->left);
	for (pieces at = pieces_of(left); at.from < at.to; at = pieces_of(left)) {
		ndl_share_fn *fn = atomic_load_explicit(&p->fn, memory_order_relaxed);
		void *arg = atomic_load_explicit(&p->arg, memory_order_relaxed);
		size_t n = some(p, at), from = thread == 0 ? at.from : at.to - n;
		if (!atomic_compare_exchange_weak(&p->left, &left, thread == 0 ? left + ((uint64_t)n << BITS) : left - n))
			continue;
		for (size_t i = from; i < from + n; i++)
			fn(arg, i, thread);
		atomic_fetch_sub(&p->undone, n);
		left = atomic_load(&p->left);
		did = true;
	}
	return did;
}

/* Until there may be something to do. *looks: how often it was looked for since there last was, so that who always
 * comes too late for work of few pieces goes to sleep, too. */
static void wait_for_work(ndl_pool *p, int *looks)
{
	while (++*looks < LOOKS) {
		if (any(p) || atomic_load(&p->over))
			return;
		rest();
	}
	pthread_mutex_lock(&p->lock);
	atomic_fetch_add(&p->asleep, 1);
	while (!any(p) && !atomic_load(&p->over))
		pthread_cond_wait(&p->work, &p->lock);
	atomic_fetch_sub(&p->asleep, 1);
	pthread_mutex_unlock(&p->lock);
	*looks = 0;
}

static void *run_helper(void *arg)
{
	helper *h = arg;
	int looks = 0;
	while (!atomic_load(&h->pool->over)) {
		if (help(h->pool, h->number))
			looks = 0;
		wait_for_work(h->pool, &looks);
	}
	return NULL;
}

ndl_pool *ndl_pool_new(int threads)
{
	size_t others = (size_t)threads - 1;
	ndl_pool *p = ndl_calloc(1, sizeof *p + others * sizeof *p->helper);
	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->n = (int)others;
	p->started = -1;
	return p;
}

static void start(ndl_pool *p)
{
	for (p->started = 0; p->started < p->n; p->started++) {
		helper *h = &p->helper[p->started];
		*h = (helper){p, h->thread, p->started + 1};
		if (pthread_create(&h->thread, NULL, run_helper, h) != 0)
			break; /* fewer do it too */
	}
}

static void wake(ndl_pool *p)
{
	pthread_mutex_lock(&p->lock);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void ndl_pool_free(ndl_pool *p)
{
	if (!p)
		return;
	atomic_store(&p->over, true);
	wake(p);
	for (int i = 0; i < p->started; i++)
		pthread_join(p->helper[i].thread, NULL);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Fewer helpers are awake than could take one of n pieces each. */
static bool wants_more(ndl_pool *p, size_t n)
{
	int asleep = atomic_load(&p->asleep);
	return asleep > 0 && (size_t)(p->started - asleep) + 1 < n;
}

void ndl_pool_share(ndl_pool *p, size_t n, ndl_share_fn *fn, void *arg)
{
	uint64_t turn = (atomic_load(&p->left) >> 2 * BITS) + 1;
	atomic_store_explicit(&p->fn, fn, memory_order_relaxed);
	atomic_store_explicit(&p->arg, arg, memory_order_relaxed);
	atomic_store_explicit(&p->undone, n, memory_order_relaxed);
	atomic_store(&p->left, turn << 2 * BITS | n);
	if (p->started < 0)
		start(p);
	else if (wants_more(p, n))
		wake(p);
	help(p, 0);
	for (int looks = 0; atomic_load(&p->undone); looks++)
		if (looks < PATIENCE)
			rest();
		else
			sched_yield();
}
