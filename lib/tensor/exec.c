#include "tensor/exec_internal.h"

#include "base/mem.h"

#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#else
#include <unistd.h>
#endif

enum { MAX_THREADS = 1024 };

static int default_threads(void)
{
#ifdef _OPENMP
	long n = omp_get_max_threads();
#else
	long n = sysconf(_SC_NPROCESSORS_ONLN); /* for the pool's threads, which need no OpenMP */
#endif
	return n < 1 ? 1 : n < MAX_THREADS ? (int)n : MAX_THREADS;
}

static int alloc_scratch(ndl_exec *x)
{
	const size_t depth = NDL_GEMM_MAX_KC_BYTES;
	x->scratch = ndl_calloc((size_t)x->threads, sizeof *x->scratch);
	if (!x->scratch)
		return -1;
	for (int i = 0; i < 2; i++)
		if (!(x->b[i] = ndl_alloc64(NDL_EXEC_NC, depth)))
			return -1;
	for (int t = 0; t < x->threads; t++) {
		ndl_scratch *s = &x->scratch[t];
		s->a = ndl_alloc64(NDL_GEMM_MAX_MC, depth);
		s->b = ndl_alloc64(NDL_EXEC_NC_SERIAL, depth);
		s->wide = ndl_alloc64(NDL_GEMM_MAX_PANEL, depth * 2);
		if (!s->a || !s->b || !s->wide)
			return -1;
	}
	return 0;
}

/* kernels: copied. threads 0: the default. */
static ndl_exec *exec_with(int threads, const ndl_kernels *kernels, ndl_error *err)
{
	ndl_exec *x = ndl_calloc(1, sizeof *x);
	if (!x) {
		ndl_fail_nomem(err, "threads");
		return NULL;
	}
	x->kernels = *kernels;
	x->threads = threads ? threads : default_threads();
	if (x->threads > 1 && !(x->pool = ndl_pool_new(x->threads))) {
		ndl_exec_free(x);
		ndl_fail_nomem(err, "threads");
		return NULL;
	}
	if (alloc_scratch(x) < 0) {
		ndl_exec_free(x);
		ndl_fail_nomem(err, "threads' memory");
		return NULL;
	}
	return x;
}

ndl_exec *ndl_exec_new(int threads, const char *cpu, ndl_error *err)
{
	if (threads < 0 || threads > MAX_THREADS) {
		ndl_fail(err, NDL_EINVAL, "number of threads %d is not in 0..%d", threads, MAX_THREADS);
		return NULL;
	}
	ndl_kernels kernels;
	if (ndl_kernels_init(&kernels, cpu, err) < 0)
		return NULL;
	return exec_with(threads, &kernels, err);
}

ndl_exec *ndl_exec_fork(const ndl_exec *x, int threads, ndl_error *err)
{
	ndl_exec *y = exec_with(threads, &x->kernels, err);
	if (y)
		y->precision = x->precision;
	return y;
}

void ndl_exec_free(ndl_exec *x)
{
	if (!x)
		return;
	ndl_pool_free(x->pool);
	for (int t = 0; x->scratch && t < x->threads; t++) {
		free(x->scratch[t].a);
		free(x->scratch[t].b);
		free(x->scratch[t].wide);
	}
	free(x->scratch);
	free(x->b[0]);
	free(x->b[1]);
	free(x);
}

int ndl_exec_threads(const ndl_exec *x)
{
	return x->threads;
}

void ndl_exec_share(const ndl_exec *x, bool many, size_t n, ndl_share_fn *fn, void *arg)
{
	if (many && x->pool && n > 1 && n <= NDL_POOL_MOST) {
		ndl_pool_share(x->pool, n, fn, arg);
		return;
	}
	for (size_t i = 0; i < n; i++)
		fn(arg, i, 0);
}

const ndl_kernels *ndl_exec_kernels(const ndl_exec *x)
{
	return &x->kernels;
}

void ndl_exec_set_precision(ndl_exec *x, ndl_precision p)
{
	x->precision = p;
}

ndl_precision ndl_exec_precision(const ndl_exec *x)
{
	return x->precision;
}

int ndl_exec_has_fast_bf16(const ndl_exec *x)
{
	return x->kernels.fast_bf16;
}
