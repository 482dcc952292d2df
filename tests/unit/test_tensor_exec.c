/* Work shared among threads: each piece is done once, before the call returns, whoever is asleep. */
#include "tensor/exec.h"

#include "tests/tap.h"

#include <stdatomic.h>
#include <time.h>

enum { MOST = 300, THREADS = 4 };

typedef struct work {
	int done[MOST]; /* each written by one thread only */
	atomic_int bad_threads;
} work;

static void piece(void *arg, size_t i, int thread)
{
	work *w = arg;
	w->done[i]++;
	if (thread < 0 || thread >= THREADS)
		atomic_fetch_add(&w->bad_threads, 1);
}

/* Pieces that were not done exactly once, in calls of all sizes with pauses that let the threads fall asleep. */
static int mistakes(const ndl_exec *x, int calls)
{
	static work w;
	int wrong = 0;
	for (int c = 0; c < calls; c++) {
		size_t n = (size_t)(c * 7) % MOST;
		if (c % 100 == 99)
			nanosleep(&(struct timespec){0, 1000000}, NULL);
		memset(w.done, 0, sizeof w.done);
		ndl_exec_share(x, c % 5 != 0, n, piece, &w);
		for (size_t i = 0; i < MOST; i++)
			wrong += w.done[i] != (i < n);
	}
	return wrong + atomic_load(&w.bad_threads);
}

int main(void)
{
	ndl_error err = NDL_ERROR_INIT;
	for (int threads = 1; threads <= THREADS; threads++) {
		ndl_exec *x = ndl_exec_new(threads, NULL, &err), *unused = ndl_exec_new(threads, NULL, &err);
		CHECK(x && unused);
		CHECK_INT(mistakes(x, 2000), 0);
		ndl_exec_free(unused);
		ndl_exec_free(x);
	}
	return tap_done();
}
