/* check_integer.c - integer kernels of every variant: rounding equals the scalar definition, products
 * equal sums in double over the same codes, to the rounding of adding up the groups. */
#include "check.h"
#include "base/mem.h"

#include <math.h>
#include <time.h>

#define EPS 0x1p-24

/* Variants: a mask and the name that must come of it, or it is not tested. */
static const struct variant { const char *mask, *name; } variants[] = {
	{"scalar", "scalar"}, {"avx2,nodot", "avx2"}, {"avx2", "avx-vnni"}, {"avx512", "avx512-vnni"},
	{"neon,nodot", "neon"}, {"neon", "neon-dotprod"},
};

static const size_t widths[] = {32, 64, 96, 128, 160, 256, 288, 512, 544, 1056};
static const size_t heights[] = {1, 2, 3, 5, 6, 7, 13};

static ndl_kernels ref;
static size_t wrong;

#define FAIL(...) do { if (!wrong++) tap_note(__VA_ARGS__); } while (0)

/* Rows of codes in memory with canaries. */
typedef struct rows {
	ndl_int_rows r;
	guarded code, scale, sum;
} rows;

static rows rows_new(size_t m, size_t in)
{
	rows x = {{in, NULL, NULL, NULL}, guarded_new(m * in / 4), guarded_new(m * in / 32), guarded_new(m * in / 32)};
	x.r.code = (int8_t *)x.code.p;
	x.r.scale = x.scale.p;
	x.r.sum = (int32_t *)x.sum.p;
	return x;
}

static void rows_free(rows *x)
{
	if (!(guarded_free(&x->code) & guarded_free(&x->scale) & guarded_free(&x->sum)))
		FAIL("rounding wrote outside its output");
}

/* mode 0: ordinary numbers; 1: all as large as they get; 2: groups of zeros, and of values near zero. */
static void fill_mode(float *x, size_t n, int mode, ndl_rng *r)
{
	fill_normal(x, n, r);
	for (size_t i = 0; i < n; i++)
		if (mode == 1)
			x[i] = x[i] < 0 ? -3 : 3;
		else if (mode == 2)
			x[i] *= i / 32 % 3 == 0 ? 0 : i / 32 % 3 == 1 ? 1e-38f : 1;
}

static rows make_rows(const ndl_int_kernel *k, size_t m, size_t in, int mode, ndl_rng *r)
{
	rows x = rows_new(m, in), want = rows_new(m, in);
	guarded f = guarded_new(m * in);
	fill_mode(f.p, m * in, mode, r);
	k->quantize(x.r.code, x.r.scale, x.r.sum, f.p, m * in);
	ref.integer.quantize(want.r.code, want.r.scale, want.r.sum, f.p, m * in);
	if (memcmp(x.r.code, want.r.code, m * in) || memcmp(x.r.scale, want.r.scale, m * in / 8) ||
	    memcmp(x.r.sum, want.r.sum, m * in / 8))
		FAIL("rounding of %zu x %zu, mode %d, differs from the definition", m, in, mode);
	guarded_free(&f);
	rows_free(&want);
	return x;
}

/* A panel made by whatever code, seen as one output of scaled codes. */
typedef struct weight {
	const int8_t *code;  /* [n][in], one a byte */
	const float *scale;  /* [n][in / 32] */
	size_t in, n;
} weight;

/* in_lanes: groups are added up from parts, which may be large where they cancel (and weights may have
 * up to 128 on top). */
static void expect(float got, const weight *w, size_t o, const ndl_int_rows *x, size_t row, bool in_lanes, const char *what)
{
	double sum = 0, size = 0;
	size_t groups = w->in / 32;
	for (size_t g = 0; g < groups; g++) {
		double dot = 0, parts = 0, scale = (double)w->scale[o * groups + g] * (double)x->scale[row * groups + g];
		for (size_t i = g * 32; i < g * 32 + 32; i++) {
			dot += (double)w->code[o * w->in + i] * x->code[row * w->in + i];
			parts += (abs(w->code[o * w->in + i]) + 128.0) * abs(x->code[row * w->in + i]);
		}
		sum += dot * scale;
		size += (in_lanes ? parts : fabs(dot)) * scale;
	}
	double bound = (double)(groups + 4) * EPS * size + 1e-37; /* scales of values near zero underflow */
	if (!(fabs((double)got - sum) <= bound))
		FAIL("%s, in %zu, row %zu, output %zu of %zu: got %.9g, want %.9g +- %.3g", what, w->in, row, o, w->n, (double)got,
		     sum, bound);
}

static void check_panel(const ndl_int_kernel *k, const void *panel, const weight *w, const ndl_int_rows *x, size_t m,
                        const char *what)
{
	size_t ld = w->n + 3;
	guarded y = guarded_new((m - 1) * ld + w->n);
	memset(y.p, 0x7f, y.n * 4);
	k->block(y.p, ld, x, 0, m, panel, w->n);
	for (size_t i = 0; i < m; i++) {
		for (size_t o = 0; o < w->n; o++)
			expect(y.p[i * ld + o], w, o, x, i, false, what);
		for (size_t o = w->n; o < ld && i + 1 < m; o++)
			if (memcmp(&y.p[i * ld + o], "\x7f\x7f\x7f\x7f", 4))
				FAIL("%s: wrote between rows", what);
	}
	if (m > 1) { /* a row does not depend on those beside it */
		guarded z = guarded_new(w->n);
		k->block(z.p, w->n, x, m - 1, 1, panel, w->n);
		if (memcmp(z.p, y.p + (m - 1) * ld, w->n * 4))
			FAIL("%s: a row alone has other bits", what);
		guarded_free(&z);
	}
	if (!guarded_free(&y))
		FAIL("%s: wrote outside its output", what);
}

/* On a 64-byte boundary, with one canary line behind it. */
static char *panel_new(const ndl_int_kernel *k, size_t in)
{
	size_t bytes = ndl_int_panel_bytes(k, in);
	char *p = ndl_alloc64(bytes + 64, 1);
	if (!p)
		exit(99);
	memset(p, 0xa5, bytes + 64);
	return p;
}

static void panel_free(const ndl_int_kernel *k, char *p, size_t in)
{
	for (size_t i = 0; i < 64; i++)
		if ((unsigned char)p[ndl_int_panel_bytes(k, in) + i] != 0xa5) {
			FAIL("packing wrote outside the panel");
			break;
		}
	free(p);
}

static void stored_weight(const ndl_int_kernel *k, size_t in, size_t n, size_t group, ndl_wtype type, int mode, ndl_rng *r)
{
	size_t m = heights[ndl_rng_below(r, 7)], bytes = n * in / (type == NDL_W_I4 ? 2 : 1);
	int8_t *code = malloc(n * in);
	float *scale = malloc(n * in / 32 * 4);
	unsigned char *data = malloc(bytes + 1); /* files promise no alignment */
	uint16_t *half = malloc(n * (in / group) * 2);
	if (!code || !scale || !data || !half)
		exit(99);
	for (size_t i = 0; i < bytes; i++)
		data[i + 1] = mode == 1 ? (type == NDL_W_I4 ? 0x88 : 0x80) : (unsigned char)ndl_rng_u64(r);
	for (size_t i = 0; i < n * in; i++) {
		int four = data[1 + i / 2] >> (i % 2 ? 4 : 0) & 15;
		code[i] = type == NDL_W_I4 ? (int8_t)(four < 8 ? four : four - 16) : (int8_t)data[1 + i];
	}
	for (size_t i = 0; i < n * (in / group); i++)
		half[i] = ndl_f16_from_f32((float)(0.01 + ndl_rng_unit(r)));
	for (size_t i = 0; i < n * in / 32; i++)
		scale[i] = ndl_f16_to_f32(half[i / (in / 32) * (in / group) + i % (in / 32) * 32 / group]);
	rows x = make_rows(k, m, in, mode, r);
	weight w = {code, scale, in, n};
	for (size_t o = 0; o < n; o += k->nr) {
		size_t left = n - o < k->nr ? n - o : k->nr;
		char *panel = panel_new(k, in);
		weight part = {code + o * in, scale + o * (in / 32), in, left};
		k->pack[type](panel, data + 1 + o * bytes / n, half + o * (in / group), group, in, left);
		check_panel(k, panel, &part, &x.r, m, type == NDL_W_I4 ? "INT4 panel" : "INT8 panel");
		panel_free(k, panel, in);
	}
	if (in <= k->gemv_max && in % k->gemv_unit == 0 && (group & (group - 1)) == 0) {
		guarded y = guarded_new(n);
		float last;
		k->gemv[type](y.p, &x.r, m - 1, data + 1, half, group, NULL, n);
		for (size_t o = 0; o < n; o++)
			expect(y.p[o], &w, o, &x.r, m - 1, true, type == NDL_W_I4 ? "INT4 row" : "INT8 row");
		k->gemv[type](&last, &x.r, m - 1, data + 1, half, group, (int32_t[]){(int32_t)n - 1}, 1);
		if (last != y.p[n - 1])
			FAIL("an output chosen by its number has other bits");
		if (!guarded_free(&y))
			FAIL("a row wrote outside its output");
	}
	rows_free(&x);
	free(code);
	free(scale);
	free(data);
	free(half);
}

/* Panels from numbers: by rows and, of the transposed, by columns; both as the definition rounds them. */
static void number_weight(const ndl_int_kernel *k, size_t in, size_t n, int mode, ndl_rng *r)
{
	size_t m = heights[ndl_rng_below(r, 7)], short_by = (size_t)ndl_rng_below(r, 32), ld = k->nr + 5;
	rows x = make_rows(k, m, in, 0, r), w = rows_new(k->nr, in);
	guarded f = guarded_new(n * in), t = guarded_new((in - short_by) * ld), full = guarded_new(k->nr * in);
	char *panel = panel_new(k, in);
	fill_mode(f.p, n * in, mode, r);
	ref.integer.quantize(w.r.code, w.r.scale, w.r.sum, f.p, n * in);
	k->pack_rows(panel, f.p, in, in, n);
	check_panel(k, panel, &(weight){w.r.code, w.r.scale, in, n}, &x.r, m, "panel of rows");
	fill_mode(full.p, k->nr * in, mode, r);
	memset(t.p, 0, t.n * 4);
	for (size_t o = 0; o < k->nr; o++)
		for (size_t i = 0; i < in; i++) {
			if (i < in - short_by)
				t.p[i * ld + o] = full.p[o * in + i];
			else
				full.p[o * in + i] = 0;
		}
	ref.integer.quantize(w.r.code, w.r.scale, w.r.sum, full.p, k->nr * in);
	k->pack_columns(panel, t.p, ld, in - short_by);
	check_panel(k, panel, &(weight){w.r.code, w.r.scale, in, k->nr}, &x.r, m, "panel of columns");
	panel_free(k, panel, in);
	rows_free(&x);
	rows_free(&w);
	guarded_free(&f);
	guarded_free(&t);
	guarded_free(&full);
}

/* The softmax of a row, rounded: within half a code of the true values and what the coarse exp may be off; zero beyond. */
static void check_softmax(const ndl_int_kernel *k, size_t n, int mode, ndl_rng *r)
{
	const size_t groups = (n + 31) / 32, padded = groups * 32;
	rows x = rows_new(1, padded);
	guarded f = guarded_new(padded);
	double total = 0, max = -INFINITY;
	fill_normal(f.p, f.n, r);
	for (size_t i = 0; i < n; i++) {
		f.p[i] = mode == 2 ? -INFINITY : mode == 1 && i % 3 ? -INFINITY : f.p[i] * (mode == 3 ? 40 : 4);
		max = f.p[i] > max ? f.p[i] : max;
	}
	guarded want = guarded_new(padded);
	for (size_t i = 0; i < padded; i++) {
		want.p[i] = i < n && f.p[i] != -INFINITY ? (float)exp(f.p[i] - max) : 0;
		total += want.p[i];
	}
	k->softmax(x.r.code, x.r.scale, x.r.sum, f.p, n);
	for (size_t g = 0; g < groups; g++) {
		int32_t sum = 0;
		for (size_t i = g * 32; i < g * 32 + 32; i++) {
			double p = total > 0 ? want.p[i] / total : 0, got = (double)x.r.code[i] * x.r.scale[g];
			sum += x.r.code[i];
			if (fabs(got - p) > 0.5001 * x.r.scale[g] + 1e-5 * p + 1e-30 || (i >= n && got != 0))
				FAIL("softmax of %zu, mode %d, at %zu: %g, not %g", n, mode, i, got, p);
		}
		if (sum != x.r.sum[g])
			FAIL("softmax of %zu: a group's sum is %d, not %d", n, (int)x.r.sum[g], (int)sum);
	}
	if (!(guarded_free(&f) & guarded_free(&want)))
		FAIL("softmax wrote outside its row");
	rows_free(&x);
}

/* What is no number must not come out as one. */
static void check_nan(const ndl_int_kernel *k)
{
	float x[160] = {0}, y = 0; /* four groups at once, and one alone */
	rows r = rows_new(1, 160);
	char *panel = panel_new(k, 160);
	for (int i = 0; i < 2; i++) {
		x[37] = i ? INFINITY : NAN;
		k->quantize(r.r.code, r.r.scale, r.r.sum, x, 160);
		x[37] = 1;
		k->pack_rows(panel, x, 160, 160, 1);
		k->block(&y, 1, &r.r, 0, 1, panel, 1);
		if (isfinite(y))
			FAIL("a value that is no number was lost: %g", (double)y);
		x[37] = i ? INFINITY : NAN;
		k->softmax(r.r.code, r.r.scale, r.r.sum, x, 160);
		if (isfinite(r.r.scale[0]) || isfinite(r.r.scale[1]))
			FAIL("softmax lost a value that is no number: %g, %g", (double)r.r.scale[0], (double)r.r.scale[1]);
		memset(x, 0, sizeof x);
	}
	free(panel);
	rows_free(&r);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A peak that adds up less than it says would be a lie. */
static void check_peak(const ndl_int_kernel *k)
{
	for (size_t times = 0; times < 3; times++)
		if (k->peak_products == 0 || k->peak(times) != (int32_t)(times * k->peak_products))
			FAIL("the peak of %zu products, %zu times: %ld", k->peak_products, times, (long)k->peak(times));
}

/* The speed of the main loop, for whoever reads the log. */
static void note_speed(const ndl_int_kernel *k, ndl_rng *r)
{
	enum { M = 96, IN = 512, TIMES = 8 };
	rows x = make_rows(k, M, IN, 0, r);
	guarded f = guarded_new(k->nr * IN), y = guarded_new(M * k->nr);
	char *panel = panel_new(k, IN);
	double best = 1;
	fill_normal(f.p, f.n, r);
	k->pack_rows(panel, f.p, IN, IN, k->nr);
	for (int i = 0; i < TIMES; i++) {
		double t = seconds();
		k->block(y.p, k->nr, &x.r, 0, M, panel, k->nr);
		t = seconds() - t;
		best = t < best ? t : best;
	}
	tap_note("%s: %.1f GOP/s", k->name, 2.0 * M * IN * (double)k->nr / best / 1e9);
	panel_free(k, panel, IN);
	rows_free(&x);
	guarded_free(&f);
	guarded_free(&y);
}

static void check_variant(const struct variant *v, uint64_t seed)
{
	ndl_kernels k;
	ndl_rng r;
	ndl_rng_seed(&r, seed, 0);
	wrong = 0;
	if (ndl_kernels_init(&k, v->mask, NULL) != NDL_OK || strcmp(k.integer.name, v->name) != 0)
		return;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
		for (int mode = 0; mode < 3; mode++) {
			size_t in = widths[i], n = 1 + (size_t)ndl_rng_below(&r, 2 * k.integer.nr + 1);
			size_t groups[] = {32, in % 64 == 0 ? 64 : 32, in % 128 == 0 ? 128 : 32, in};
			for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
				stored_weight(&k.integer, in, n, groups[g], NDL_W_I8, mode, &r);
				stored_weight(&k.integer, in, n, groups[g], NDL_W_I4, mode, &r);
			}
			number_weight(&k.integer, in, 1 + n % k.integer.nr, mode, &r);
		}
	for (size_t n = 1; n < 400; n += n < 70 ? 1 : 29)
		for (int mode = 0; mode < 4; mode++)
			check_softmax(&k.integer, n, mode, &r);
	check_nan(&k.integer);
	check_peak(&k.integer);
	note_speed(&k.integer, &r);
	tap_ok(!wrong, "integer kernels, %s (%zu wrong)", v->name, wrong);
}

int main(int argc, char **argv)
{
	uint64_t seed = check_seed(argc, argv);
	ndl_error err = NDL_ERROR_INIT;
	ndl_kernels k;
	ndl_kernels_init(&ref, "scalar", NULL);
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
		check_variant(&variants[i], seed);
	CHECK(ndl_kernels_init(&k, ",nodot", &err) == NDL_OK);
	CHECK(ndl_kernels_init(&k, "avx2,dot", &err) == NDL_EINVAL);
	CHECK(ndl_kernels_init(&k, "avx", &err) == NDL_EINVAL);
	return tap_done();
}
