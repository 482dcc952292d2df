/* check_vector.c - vector kernels of every variant against double arithmetic, at every length
 * from 0 to beyond two unrolled steps of the widest registers. */
#include "check.h"

#include <float.h>
#include <math.h>

enum { LONGEST = 140 };
#define EPS 0x1p-24

static size_t wrong;

static void expect(double got, double want, double bound, const char *what, size_t n, size_t i)
{
	if (!(fabs(got - want) <= bound) && !(isnan(got) && isnan(want)) && !(isinf(want) && got == want) && !wrong++)
		tap_note("%s, n %zu, at %zu: got %.9g, want %.9g +- %.3g", what, n, i, got, want, bound);
}

static void expect_guard(guarded *g, const char *what, size_t n)
{
	if (!guarded_free(g) && !wrong++)
		tap_note("%s, n %zu: wrote outside its output", what, n);
}

static guarded normal(size_t n, ndl_rng *r)
{
	guarded g = guarded_new(n);
	fill_normal(g.p, n, r);
	return g;
}

static guarded copy_of(const guarded *x)
{
	guarded g = guarded_new(x->n);
	memcpy(g.p, x->p, x->n * 4);
	return g;
}

static void check_linear_ops(const ndl_kernels *k, size_t n, ndl_rng *r)
{
	guarded x = normal(n, r), y = normal(n, r), z = copy_of(&y), w = guarded_new(n);
	double sum = 0, size = 0;
	for (size_t i = 0; i < n; i++) {
		sum += (double)x.p[i] * y.p[i];
		size += fabs((double)x.p[i] * y.p[i]);
	}
	expect(k->dot(x.p, y.p, n), sum, (double)(n + 2) * EPS * size, "dot", n, 0);
	k->axpy(z.p, 0.7f, x.p, n);
	k->scale_add(w.p, -0.3f, x.p, 1.9f, y.p, n);
	for (size_t i = 0; i < n; i++) {
		double ax = (double)0.7f * x.p[i], sx = (double)-0.3f * x.p[i], sy = (double)1.9f * y.p[i];
		expect(z.p[i], y.p[i] + ax, 4 * EPS * (fabs(ax) + fabs((double)y.p[i])), "axpy", n, i);
		expect(w.p[i], sx + sy, 4 * EPS * (fabs(sx) + fabs(sy)), "scale_add", n, i);
	}
	expect_guard(&x, "dot", n);
	expect_guard(&y, "dot", n);
	expect_guard(&z, "axpy", n);
	expect_guard(&w, "scale_add", n);
}

/* mode 0: ordinary; 1: wide range; 2: some -inf; 3: all -inf; 4: one NaN */
static void fill_scores(float *x, size_t n, int mode, ndl_rng *r)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(ndl_rng_normal(r) * (mode == 1 ? 60 : 3));
	for (size_t i = 0; i < n; i++)
		if (mode == 3 || (mode == 2 && ndl_rng_chance(r, 0.5)))
			x[i] = -INFINITY;
	if (mode == 4 && n)
		x[ndl_rng_below(r, n)] = NAN;
}

static void check_softmax(const ndl_kernels *k, size_t n, int mode, ndl_rng *r)
{
	guarded x = guarded_new(n);
	fill_scores(x.p, n, mode, r);
	guarded y = copy_of(&x);
	double max = -INFINITY, sum = 0, bound = (double)(n + 16) * EPS;
	for (size_t i = 0; i < n; i++)
		max = x.p[i] > max ? x.p[i] : max;
	for (size_t i = 0; i < n; i++)
		sum += x.p[i] == -INFINITY ? 0 : exp(x.p[i] - max);
	double lse = max + log(sum);
	expect(k->logsumexp(x.p, n), lse, bound * 2 + fabs(lse) * 2 * EPS, "logsumexp", n, 0);
	expect(k->softmax(y.p, n), lse, bound * 2 + fabs(lse) * 2 * EPS, "softmax's logsumexp", n, 0);
	for (size_t i = 0; i < n; i++) {
		double want = mode == 4 ? NAN : x.p[i] == -INFINITY ? 0 : exp(x.p[i] - max) / sum;
		/* the difference x - max is rounded too: relative error |x - max| EPS */
		double shift = x.p[i] == -INFINITY ? 0 : fabs(x.p[i] - max);
		expect(y.p[i], want, want * (bound + shift * EPS) + 2e-38, "softmax", n, i);
		if (x.p[i] == -INFINITY && mode != 4)
			expect(y.p[i], 0, 0, "softmax of -inf", n, i);
	}
	expect_guard(&x, "logsumexp", n);
	expect_guard(&y, "softmax", n);
}

static void check_softmax_back(const ndl_kernels *k, size_t n, ndl_rng *r)
{
	guarded p = normal(n, r), d = normal(n, r), s = guarded_new(n);
	double mean = 0, size = 0;
	for (size_t i = 0; i < n; i++) {
		mean += (double)p.p[i] * d.p[i];
		size += fabs((double)p.p[i] * d.p[i]);
	}
	k->softmax_back(s.p, p.p, d.p, n);
	for (size_t i = 0; i < n; i++)
		expect(s.p[i], p.p[i] * (d.p[i] - mean),
		       fabs((double)p.p[i]) * (double)(n + 6) * EPS * (size + fabs((double)d.p[i])), "softmax_back", n, i);
	k->softmax_back(d.p, p.p, d.p, n);
	for (size_t i = 0; i < n; i++)
		expect(d.p[i], s.p[i], 0, "softmax_back in place", n, i);
	expect_guard(&p, "softmax_back", n);
	expect_guard(&d, "softmax_back", n);
	expect_guard(&s, "softmax_back", n);
}

static void check_rmsnorm(const ndl_kernels *k, size_t n, ndl_rng *r)
{
	enum { ROWS = 3 };
	guarded x = normal(ROWS * n, r), dy = normal(ROWS * n, r), scale = normal(n, r), y = guarded_new(ROWS * n);
	guarded inv = guarded_new(ROWS), dx = guarded_new(ROWS * n), dscale = normal(n, r), old = copy_of(&dscale);
	k->rmsnorm(y.p, inv.p, x.p, scale.p, ROWS, n);
	k->rmsnorm_back(dx.p, dscale.p, dy.p, x.p, scale.p, inv.p, ROWS, n);
	double bound = (double)(n + 12) * EPS;
	for (size_t q = 0; q < ROWS && n; q++) {
		double sq = 0, gx = 0, size = 0;
		for (size_t i = 0; i < n; i++) {
			double t = x.p[q * n + i], g = dy.p[q * n + i] * (1.0 + scale.p[i]);
			sq += t * t;
			gx += g * t;
			size += fabs(g * t);
		}
		double v = 1 / sqrt(sq / (double)n + 1e-6);
		expect(inv.p[q], v, v * bound, "rmsnorm inv", n, q);
		for (size_t i = 0; i < n; i++) {
			double t = x.p[q * n + i], one = 1.0 + scale.p[i], g = dy.p[q * n + i] * one;
			double roomy = 1 + fabs((double)scale.p[i]);
			expect(y.p[q * n + i], one * t * v, bound * fabs(t * v) * roomy, "rmsnorm", n, i);
			expect(dx.p[q * n + i], v * (g - t * v * v * gx / (double)n),
			       4 * bound * v * (fabs(dy.p[q * n + i] * roomy) + fabs(t * v * v * size / (double)n) * roomy),
			       "rmsnorm_back dx", n, i);
		}
	}
	for (size_t i = 0; i < n; i++) {
		double want = old.p[i], size = fabs(want);
		for (size_t q = 0; q < ROWS; q++) {
			double t = (double)dy.p[q * n + i] * x.p[q * n + i] * inv.p[q];
			want += t;
			size += fabs(t);
		}
		expect(dscale.p[i], want, 12 * EPS * size, "rmsnorm_back dscale", n, i);
	}
	guarded *all[] = {&x, &dy, &scale, &y, &inv, &dx, &dscale, &old};
	for (size_t i = 0; i < 8; i++)
		expect_guard(all[i], "rmsnorm", n);
}

static void check_rope(const ndl_kernels *k, size_t n, ndl_rng *r)
{
	guarded x = normal(2 * n, r), c = normal(n, r), s = normal(n, r), y = copy_of(&x);
	k->rope(y.p, c.p, s.p, n);
	for (size_t i = 0; i < n; i++) {
		double a = x.p[i], b = x.p[n + i], size = (fabs(a) + fabs(b)) * (fabs((double)c.p[i]) + fabs((double)s.p[i]));
		expect(y.p[i], a * c.p[i] - b * s.p[i], 3 * EPS * size, "rope", n, i);
		expect(y.p[n + i], b * c.p[i] + a * s.p[i], 3 * EPS * size, "rope", n, n + i);
	}
	guarded *all[] = {&x, &c, &s, &y};
	for (size_t i = 0; i < 4; i++)
		expect_guard(all[i], "rope", n);
}

static void check_adam(const ndl_kernels *k, size_t n, ndl_rng *r)
{
	guarded p = normal(n, r), m = normal(n, r), v = normal(n, r), g = normal(n, r);
	for (size_t i = 0; i < n; i++)
		v.p[i] *= v.p[i];
	guarded p0 = copy_of(&p), m0 = copy_of(&m), v0 = copy_of(&v);
	k->adam(p.p, m.p, v.p, g.p, 0.9f, 0.95f, 0.01f, 1.5f, 1e-4f, n);
	for (size_t i = 0; i < n; i++) {
		double b1 = 0.9f, b2 = 0.95f, gi = g.p[i], mi = b1 * m0.p[i] + (1 - b1) * gi, vi = b2 * v0.p[i] + (1 - b2) * gi * gi;
		double room = 8 * EPS * (fabs((double)m0.p[i]) + fabs(gi));
		expect(m.p[i], mi, room, "adam m", n, i);
		expect(v.p[i], vi, 8 * EPS * vi, "adam v", n, i);
		double down = sqrt(vi) * 1.5 + (double)1e-4f;
		expect(p.p[i], p0.p[i] - (double)0.01f * mi / down,
		       EPS * fabs((double)p0.p[i]) * 2 + 0.01 * (room + 12 * EPS * fabs(mi)) / down, "adam p", n, i);
	}
	guarded *all[] = {&p, &m, &v, &g, &p0, &m0, &v0};
	for (size_t i = 0; i < 7; i++)
		expect_guard(all[i], "adam", n);
}

/* Any bit pattern is a fair float here. */
static float any_float(ndl_rng *r)
{
	uint32_t u = (uint32_t)ndl_rng_u64(r);
	float x;
	if (ndl_rng_chance(r, 0.3)) /* on or next to a tie */
		u = (u & 0xffff0000) | (0x8000 + (uint32_t)ndl_rng_below(r, 3) - 1);
	else if (ndl_rng_chance(r, 0.5)) /* in the range of binary16, near its ties */
		u = (u & 0x80000000) | ((uint32_t)ndl_rng_range(r, 100, 145) << 23) | (u & 0x7fe000) | (0x1000 + (uint32_t)ndl_rng_below(r, 3) - 1);
	memcpy(&x, &u, 4);
	return x;
}

static void check_narrow(const ndl_kernels *k, size_t n, ndl_rng *r)
{
	guarded x = guarded_new(n), a = guarded_new((n + 1) / 2), b = guarded_new((n + 1) / 2);
	uint16_t *bf = (uint16_t *)a.p, *half = (uint16_t *)b.p;
	for (size_t i = 0; i < n; i++)
		x.p[i] = any_float(r);
	k->narrow_bf16(bf, x.p, n);
	k->narrow_f16(half, x.p, n);
	for (size_t i = 0; i < n; i++) {
		if (isnan(x.p[i])) {
			expect(isnan(ndl_bf16_to_f32(bf[i])) && isnan(ndl_f16_to_f32(half[i])), 1, 0, "narrow NaN", n, i);
			continue;
		}
		expect(bf[i], ndl_bf16_from_f32(x.p[i]), 0, "narrow_bf16", n, i);
		expect(half[i], ndl_f16_from_f32(x.p[i]), 0, "narrow_f16", n, i);
	}
	if (n % 2 && n) /* the byte pair after an odd number */
		expect(half[n] == 0xa5a5 && bf[n] == 0xa5a5, 1, 0, "narrow tail", n, n);
	expect_guard(&x, "narrow", n);
	expect_guard(&a, "narrow_bf16", n);
	expect_guard(&b, "narrow_f16", n);
}

/* The 16-bit formats themselves: all values there and back, and rounding seen from both sides. */
static void check_formats(void)
{
	size_t bad = 0;
	for (uint32_t h = 0; h < 65536; h++) {
		float f = ndl_f16_to_f32((uint16_t)h), b = ndl_bf16_to_f32((uint16_t)h);
		bool nan16 = (h & 0x7c00) == 0x7c00 && (h & 0x3ff), nanb = (h & 0x7f80) == 0x7f80 && (h & 0x7f);
		bad += nan16 ? !isnan(f) : ndl_f16_from_f32(f) != h;
		bad += nanb ? !isnan(b) : ndl_bf16_from_f32(b) != ((h & 0x7f80) ? h : h & 0x8000);
	}
	CHECK_INT(bad, 0);
	CHECK_INT(ndl_f16_from_f32(65519.99f), 0x7bff);
	CHECK_INT(ndl_f16_from_f32(65520.0f), 0x7c00);
	CHECK_INT(ndl_f16_from_f32(1 + 0x1p-11f), 0x3c00);
	CHECK_INT(ndl_f16_from_f32(1 + 0x3p-11f), 0x3c02);
	CHECK_INT(ndl_f16_from_f32(0x1p-25f), 0);
	CHECK_INT(ndl_f16_from_f32(0x1.8p-25f), 1);
	CHECK_INT(ndl_bf16_from_f32(1 + 0x1p-8f), 0x3f80);
	CHECK_INT(ndl_bf16_from_f32(1 + 0x3p-8f), 0x3f82);
	CHECK_INT(ndl_bf16_from_f32(FLT_MAX), 0x7f80);
}

static void check_variant(const char *mask, uint64_t seed)
{
	ndl_kernels k;
	ndl_rng r;
	ndl_rng_seed(&r, seed, 0);
	wrong = 0;
	ndl_kernels_init(&k, mask, NULL);
	for (size_t n = 0; n <= LONGEST; n++) {
		check_linear_ops(&k, n, &r);
		for (int mode = 0; mode < 5; mode++)
			check_softmax(&k, n, mode, &r);
		check_softmax_back(&k, n, &r);
		check_rmsnorm(&k, n, &r);
		check_rope(&k, n, &r);
		check_adam(&k, n, &r);
		check_narrow(&k, n, &r);
	}
	for (size_t times = 0; times < 3; times++)
		expect(k.peak(times), (double)(times * k.peak_products), k.peak_products ? 0 : -1, "peak", times, 0);
	check_softmax(&k, 8192, 0, &r);
	check_linear_ops(&k, 5000, &r);
	check_rmsnorm(&k, 512, &r);
	check_narrow(&k, 20000, &r);
	tap_ok(!wrong, "vector kernels, %s (%zu wrong)", mask, wrong);
}

int main(int argc, char **argv)
{
	uint64_t seed = check_seed(argc, argv);
	check_formats();
	for (size_t i = 0; i < sizeof check_masks / sizeof *check_masks; i++)
		if (check_mask_exists(check_masks[i]))
			check_variant(check_masks[i], seed);
	return tap_done();
}
