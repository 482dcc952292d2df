/* check_gemm.c - dense products of every variant against sums in double.
 *
 * |error| <= (k + 8) * 2^-24 * (|alpha| sum |a b| + |beta c|): the worst case of k rounded
 * additions in any order, with room for the final scaling. */
#include "check.h"
#include "base/mem.h"
#include "tensor/gemm.h"

#include <math.h>

typedef struct shape {
	size_t m, n, k;
} shape;

static const shape shapes[] = {
	{0, 3, 3}, {3, 0, 3}, {3, 3, 0}, {1, 1, 1}, {1, 33, 7}, {33, 1, 65}, {5, 17, 31}, {13, 32, 32},
	{12, 31, 33}, {31, 64, 64}, {32, 32, 63}, {47, 65, 100}, {64, 48, 257}, {37, 70, 513},
	{130, 96, 40}, {257, 129, 33}, {300, 515, 70}, {100, 1100, 40}, {65, 40, 1030}, {2, 2, 1537},
};

static float as_stored(float x, ndl_precision p)
{
	return p == NDL_PRECISION_BF16 ? ndl_bf16_to_f32(ndl_bf16_from_f32(x)) : x;
}

/* Errors beyond the bound over the whole of C; the first is described. */
static size_t count_wrong(const shape *s, bool ta, bool tb, float alpha, float beta, const float *a, size_t lda,
                          const float *b, size_t ldb, const float *c0, const float *c, size_t ldc, ndl_precision p)
{
	size_t wrong = 0;
	for (size_t i = 0; i < s->m; i++)
		for (size_t j = 0; j < ldc; j++) {
			if (j >= s->n) { /* between the rows: untouched */
				wrong += i + 1 < s->m && memcmp(&c[i * ldc + j], &c0[i * ldc + j], 4) != 0;
				continue;
			}
			double sum = 0, size = 0;
			for (size_t q = 0; q < s->k; q++) {
				double t = (double)as_stored(ta ? a[q * lda + i] : a[i * lda + q], p) *
				           (double)as_stored(tb ? b[j * ldb + q] : b[q * ldb + j], p);
				sum += t;
				size += fabs(t);
			}
			sum *= alpha;
			size *= fabs((double)alpha);
			if (beta != 0) {
				sum += (double)beta * c0[i * ldc + j];
				size += fabs((double)beta * c0[i * ldc + j]);
			}
			double bound = (double)(s->k + 8) * 0x1p-24 * size;
			if (!(fabs(c[i * ldc + j] - sum) <= bound) && !wrong++)
				tap_note("at %zu,%zu: got %.9g, want %.9g +- %.3g", i, j, (double)c[i * ldc + j], sum, bound);
		}
	return wrong;
}


static void run_case(ndl_exec *x, const shape *s, int form, ndl_rng *r, int serial, int *bad)
{
	bool ta = form & 1, tb = form & 2;
	static const float scales[][2] = {{1, 0}, {1, 1}, {0.3f, 0}, {-1.7f, 0.6f}, {1, 0.5f}};
	const float *ab = scales[ndl_rng_below(r, 5)];
	size_t pad = (size_t)ndl_rng_below(r, 4);
	size_t lda = (ta ? s->m : s->k) + pad, ldb = (tb ? s->k : s->n) + pad, ldc = s->n + pad;
	size_t na = (ta ? s->k : s->m) * lda, nb = (tb ? s->n : s->k) * ldb, nc = s->m ? (s->m - 1) * ldc + s->n : 0;
	guarded a = guarded_new(na), b = guarded_new(nb), c = guarded_new(nc), c0 = guarded_new(nc);
	fill_normal(a.p, na, r);
	fill_normal(b.p, nb, r);
	fill_normal(c.p, nc, r);
	if (ab[1] == 0)
		for (size_t i = 0; i < s->m; i++)
			for (size_t j = 0; j < s->n; j++)
				c.p[i * ldc + j] = NAN; /* must be ignored */
	memcpy(c0.p, c.p, nc * 4);
	if (serial)
		ndl_gemm_serial(x, ndl_exec_threads(x) - 1, ta, tb, s->m, s->n, s->k, ab[0], a.p, lda, b.p, ldb, ab[1], c.p, ldc);
	else
		ndl_gemm(x, ta, tb, s->m, s->n, s->k, ab[0], a.p, lda, b.p, ldb, ab[1], c.p, ldc);
	size_t wrong = count_wrong(s, ta, tb, ab[0], ab[1], a.p, lda, b.p, ldb, c0.p, c.p, ldc, ndl_exec_precision(x));
	int intact = guarded_free(&a) & guarded_free(&b) & guarded_free(&c) & guarded_free(&c0);
	if (wrong || !intact) {
		tap_note("m %zu n %zu k %zu ta %d tb %d alpha %g beta %g serial %d: %zu wrong%s", s->m, s->n, s->k,
		         ta, tb, (double)ab[0], (double)ab[1], serial, wrong, intact ? "" : ", guard overwritten");
		*bad = 1;
	}
}

static void check_variant(const char *mask, ndl_precision p, uint64_t seed)
{
	ndl_exec *x = ndl_exec_new(2, mask, NULL);
	int bad = !x;
	ndl_rng r;
	ndl_rng_seed(&r, seed, 0);
	if (x)
		ndl_exec_set_precision(x, p);
	for (size_t i = 0; x && i < sizeof shapes / sizeof *shapes; i++)
		for (int form = 0; form < 4; form++)
			run_case(x, &shapes[i], form, &r, (int)(i + (size_t)form) & 1, &bad);
	tap_ok(!bad, "gemm %s %s", mask, p == NDL_PRECISION_BF16 ? "bf16" : "f32");
	ndl_exec_free(x);
}

/* C of one product with the given number of threads (0: ndl_gemm_serial). Owned by the caller. */
static float *product_with(int threads, const char *mask, ndl_precision p, const shape *s, const float *a, const float *b)
{
	ndl_exec *x = ndl_exec_new(threads ? threads : 1, mask, NULL);
	float *c = ndl_calloc(s->m * s->n, sizeof *c);
	if (!x || !c)
		exit(99);
	ndl_exec_set_precision(x, p);
	if (threads)
		ndl_gemm(x, true, false, s->m, s->n, s->k, 1, a, s->m, b, s->n, 1, c, s->n);
	else
		ndl_gemm_serial(x, 0, true, false, s->m, s->n, s->k, 1, a, s->m, b, s->n, 1, c, s->n);
	ndl_exec_free(x);
	return c;
}

static void check_threads(const char *mask, ndl_precision p, uint64_t seed)
{
	static const shape big[] = {{300, 130, 1300}, {7, 1500, 400}, {1200, 40, 100}};
	static const int counts[] = {0, 2, 3, 4, 7};
	ndl_rng r;
	ndl_rng_seed(&r, seed, 1);
	int same = 1;
	for (size_t i = 0; i < 3; i++) {
		const shape *s = &big[i];
		guarded a = guarded_new(s->k * s->m), b = guarded_new(s->k * s->n);
		fill_normal(a.p, s->k * s->m, &r);
		fill_normal(b.p, s->k * s->n, &r);
		float *one = product_with(1, mask, p, s, a.p, b.p);
		for (size_t t = 0; t < sizeof counts / sizeof *counts; t++) {
			float *c = product_with(counts[t], mask, p, s, a.p, b.p);
			same &= !memcmp(one, c, s->m * s->n * sizeof *c);
			free(c);
		}
		free(one);
		guarded_free(&a);
		guarded_free(&b);
	}
	tap_ok(same, "gemm %s %s: same bits with 1, 2, 3, 4, 7 threads and serially", mask,
	       p == NDL_PRECISION_BF16 ? "bf16" : "f32");
}

int main(int argc, char **argv)
{
	uint64_t seed = check_seed(argc, argv);
	for (size_t i = 0; i < sizeof check_masks / sizeof *check_masks; i++) {
		if (!check_mask_exists(check_masks[i]))
			continue;
		for (int p = NDL_PRECISION_F32; p <= NDL_PRECISION_BF16; p++) {
			check_variant(check_masks[i], (ndl_precision)p, seed);
			check_threads(check_masks[i], (ndl_precision)p, seed);
		}
	}
	ndl_error err = NDL_ERROR_INIT;
	CHECK(!ndl_exec_new(1, "pentium", &err) && err.code == NDL_EINVAL);
	CHECK(!ndl_exec_new(-1, NULL, &err) && err.code == NDL_EINVAL);
	return tap_done();
}
