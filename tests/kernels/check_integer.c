/* check_integer.c - integer kernels of every variant: rounding equals the scalar definition, products
 * equal sums in double over the same codes, to the rounding of adding them up. */
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

static const size_t widths[] = {32, 64, 96, 128, 160, 256, 288, 512, 544, 1056, 2080};
static const size_t heights[] = {1, 2, 3, 5, 6, 7, 13};

static ndl_kernels ref;
static size_t wrong;

#define FAIL(...) do { if (!wrong++) tap_note(__VA_ARGS__); } while (0)

/* Rows of codes in memory with canaries. */
typedef struct rows {
	ndl_int_rows r;
	guarded code, scale, sum;
} rows;

static rows rows_new(size_t m, size_t in, bool grouped)
{
	size_t scales = grouped ? m * in / 32 : m;
	rows x = {{.in = in, .grouped = grouped}, guarded_new(m * in / 4), guarded_new(scales), guarded_new(scales)};
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

/* Grouped rows are many short ones. */
static void round_rows(const ndl_int_kernel *k, rows *x, const float *f, size_t m, bool grouped)
{
	size_t n = grouped ? 32 : x->r.in;
	for (size_t i = 0; i < m * x->r.in / n; i++)
		k->quantize(x->r.code + i * n, x->r.scale + i, x->r.sum + i, f + i * n, n);
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

static rows make_rows(const ndl_int_kernel *k, size_t m, size_t in, bool grouped, int mode, ndl_rng *r)
{
	rows x = rows_new(m, in, grouped), want = rows_new(m, in, grouped);
	guarded f = guarded_new(m * in);
	fill_mode(f.p, m * in, mode, r);
	round_rows(k, &x, f.p, m, grouped);
	round_rows(&ref.integer, &want, f.p, m, grouped);
	if (memcmp(x.r.code, want.r.code, m * in) || memcmp(x.r.scale, want.r.scale, x.scale.n * 4) ||
	    memcmp(x.r.sum, want.r.sum, x.sum.n * 4))
		FAIL("rounding of %zu x %zu, mode %d, differs from the definition", m, in, mode);
	guarded_free(&f);
	rows_free(&want);
	return x;
}

/* Weights made by whatever code: scaled codes. */
typedef struct weight {
	const int8_t *code;  /* [n][in], one a byte */
	const float *scale;  /* [n][in / group] */
	size_t in, n, group;
} weight;

/* in_lanes: groups are added up from parts, which may be large where they cancel (and weights may have
 * up to 128 on top). */
static void expect(float got, const weight *w, size_t o, const ndl_int_rows *x, size_t row, bool in_lanes, const char *what)
{
	double sum = 0, size = 0;
	size_t groups = w->in / 32;
	for (size_t g = 0; g < groups; g++) {
		double dot = 0, parts = 0;
		double scale = (double)w->scale[(o * w->in + g * 32) / w->group] * (double)x->scale[x->grouped ? row * groups + g : row];
		for (size_t i = g * 32; i < g * 32 + 32; i++) {
			dot += (double)w->code[o * w->in + i] * x->code[row * w->in + i];
			parts += (abs(w->code[o * w->in + i]) + 128.0) * abs(x->code[row * w->in + i]);
		}
		sum += dot * scale;
		size += (in_lanes ? parts : fabs(dot)) * fabs(scale);
	}
	double bound = (double)(groups + 4) * EPS * size + 1e-37; /* scales of values near zero underflow */
	if (!(fabs((double)got - sum) <= bound))
		FAIL("%s, in %zu, row %zu, output %zu of %zu: got %.9g, want %.9g +- %.3g", what, w->in, row, o, w->n, (double)got,
		     sum, bound);
}

typedef void block_fn(float *y, size_t ldy, const ndl_int_rows *x, size_t row, size_t m, const void *panel, size_t n);

static void check_panel(block_fn *block, const void *panel, const weight *w, const ndl_int_rows *x, size_t m, const char *what)
{
	size_t ld = w->n + 3;
	guarded y = guarded_new((m - 1) * ld + w->n);
	memset(y.p, 0x7f, y.n * 4);
	block(y.p, ld, x, 0, m, panel, w->n);
	for (size_t i = 0; i < m; i++) {
		for (size_t o = 0; o < w->n; o++)
			expect(y.p[i * ld + o], w, o, x, i, false, what);
		for (size_t o = w->n; o < ld && i + 1 < m; o++)
			if (memcmp(&y.p[i * ld + o], "\x7f\x7f\x7f\x7f", 4))
				FAIL("%s: wrote between rows", what);
	}
	if (m > 1) { /* a row does not depend on those beside it */
		guarded z = guarded_new(w->n);
		block(z.p, w->n, x, m - 1, 1, panel, w->n);
		if (memcmp(z.p, y.p + (m - 1) * ld, w->n * 4))
			FAIL("%s: a row alone has other bits", what);
		guarded_free(&z);
	}
	if (!guarded_free(&y))
		FAIL("%s: wrote outside its output", what);
}

/* On a 64-byte boundary, with one canary line behind it. */
static char *panel_new(size_t bytes)
{
	char *p = ndl_alloc64(bytes + 64, 1);
	if (!p)
		exit(99);
	memset(p, 0xa5, bytes + 64);
	return p;
}

static void panel_free(char *p, size_t bytes)
{
	for (size_t i = 0; i < 64; i++)
		if ((unsigned char)p[bytes + i] != 0xa5) {
			FAIL("packing wrote outside the panel");
			break;
		}
	free(p);
}

/* Weights as a file has them, and what they are. */
typedef struct stored {
	weight w;
	ndl_wtype type;
	unsigned char *data; /* from the second byte on: files promise no alignment */
	uint16_t *half;
	int8_t *code, *joined_code;
	float *scale, *joined_scale;
} stored;

/* With one scale an output: as large as its largest possible code needs, each code within half a step, and little more for
 * what factors are rounded by. */
static void join_scales(stored *s)
{
	const weight *w = &s->w;
	const size_t each = w->in / w->group;
	const double most = s->type == NDL_W_I4 ? 8 : 127;
	const int one = s->type == NDL_W_I4 ? 2048 : 16384;
	for (size_t o = 0; o < w->n; o++) {
		float max = 0;
		for (size_t g = 0; g < each; g++)
			max = fmaxf(max, fabsf(s->scale[o * each + g]));
		s->joined_scale[o] = max * ((float)most / 127);
		const float unit = (float)one * 127 / (float)most / max;
		for (size_t i = 0; i < w->in; i++) {
			const float scale = s->scale[o * each + i / w->group];
			const long product = s->code[o * w->in + i] * lrintf(max > 0 ? scale * unit : 0);
			const double exact = s->code[o * w->in + i] * (double)scale * 127 / most / (double)max;
			const double code = fmin(floor((double)(product + one / 2) / one), 127);
			s->joined_code[o * w->in + i] = (int8_t)code;
			if (max > 0 && !(fabs(code - exact) < (exact > 127.5 ? 1.01 : 0.51)))
				FAIL("a code of %g for %g", code, exact);
		}
	}
}

/* mode 1: the least codes; 2: scales of 0, and below 0, too. */
static stored make_stored(size_t in, size_t n, size_t group, ndl_wtype type, int mode, ndl_rng *r)
{
	size_t bytes = n * in / (type == NDL_W_I4 ? 2 : 1), scales = n * (in / group);
	stored s = {{NULL, NULL, in, n, group}, type, malloc(bytes + 1), malloc(scales * 2), malloc(n * in), malloc(n * in),
		malloc(scales * 4), malloc(n * 4)};
	if (!s.data || !s.half || !s.code || !s.joined_code || !s.scale || !s.joined_scale)
		exit(99);
	for (size_t i = 0; i < bytes; i++)
		s.data[i + 1] = mode == 1 ? (type == NDL_W_I4 ? 0x88 : 0x80) : (unsigned char)ndl_rng_u64(r);
	for (size_t i = 0; i < n * in; i++) {
		int four = s.data[1 + i / 2] >> (i % 2 ? 4 : 0) & 15;
		s.code[i] = type == NDL_W_I4 ? (int8_t)(four < 8 ? four : four - 16) : (int8_t)s.data[1 + i];
	}
	for (size_t i = 0; i < scales; i++) {
		double x = 0.01 + ndl_rng_unit(r);
		s.half[i] = ndl_f16_from_f32((float)(mode == 2 && i % 5 == 0 ? 0 : mode == 2 && i % 3 == 0 ? -x : x));
		s.scale[i] = ndl_f16_to_f32(s.half[i]);
	}
	s.w.code = s.code;
	s.w.scale = s.scale;
	join_scales(&s);
	return s;
}

static void stored_free(stored *s)
{
	free(s->data);
	free(s->half);
	free(s->code);
	free(s->joined_code);
	free(s->scale);
	free(s->joined_scale);
}

static void stored_weight(const ndl_int_kernel *k, size_t in, size_t n, size_t group, ndl_wtype type, int mode, ndl_rng *r)
{
	size_t m = heights[ndl_rng_below(r, 7)], row = in / (type == NDL_W_I4 ? 2 : 1), bytes = ndl_int_stored_bytes(k, in);
	stored s = make_stored(in, n, group, type, mode, r);
	rows x = make_rows(k, m, in, ndl_rng_below(r, 2), mode, r);
	for (size_t o = 0; o < n; o += k->nr) {
		size_t left = n - o < k->nr ? n - o : k->nr;
		char *panel = panel_new(bytes);
		weight part = {s.joined_code + o * in, s.joined_scale + o, in, left, in};
		if (type == NDL_W_I4 && k->four_as_stored)
			part = (weight){s.code + o * in, s.scale + o * (in / group), in, left, group};
		k->pack[type](panel, s.data + 1 + o * row, s.half + o * (in / group), group, in, left);
		check_panel(k->block_stored[type], panel, &part, &x.r, m, type == NDL_W_I4 ? "INT4 panel" : "INT8 panel");
		panel_free(panel, bytes);
	}
	if (in <= k->gemv_max && in % k->gemv_unit == 0 && (group & (group - 1)) == 0) {
		guarded y = guarded_new(n);
		rows few = make_rows(k, m, in, true, mode, r);
		float last;
		k->gemv[type](y.p, &few.r, m - 1, s.data + 1, s.half, group, NULL, n);
		for (size_t o = 0; o < n; o++)
			expect(y.p[o], &s.w, o, &few.r, m - 1, true, type == NDL_W_I4 ? "INT4 row" : "INT8 row");
		k->gemv[type](&last, &few.r, m - 1, s.data + 1, s.half, group, (int32_t[]){(int32_t)n - 1}, 1);
		if (last != y.p[n - 1])
			FAIL("an output chosen by its number has other bits");
		if (!guarded_free(&y))
			FAIL("a row wrote outside its output");
		rows_free(&few);
	}
	rows_free(&x);
	stored_free(&s);
}

/* Panels from numbers: by rows and, of the transposed, by columns; both as the definition rounds them. */
static void number_weight(const ndl_int_kernel *k, size_t in, size_t n, bool grouped, int mode, ndl_rng *r)
{
	size_t m = heights[ndl_rng_below(r, 7)], short_by = (size_t)ndl_rng_below(r, 32), ld = k->nr + 5;
	rows x = make_rows(k, m, in, grouped, 0, r), w = rows_new(k->nr, in, false);
	guarded f = guarded_new(n * in), t = guarded_new((in - short_by) * ld), full = guarded_new(k->nr * in);
	const size_t bytes = ndl_int_panel_bytes(k, in);
	char *panel = panel_new(bytes);
	fill_mode(f.p, n * in, mode, r);
	round_rows(&ref.integer, &w, f.p, n, false);
	k->pack_rows(panel, f.p, in, in, n);
	check_panel(k->block, panel, &(weight){w.r.code, w.r.scale, in, n, in}, &x.r, m, "panel of rows");
	fill_mode(full.p, k->nr * in, mode, r);
	memset(t.p, 0, t.n * 4);
	for (size_t o = 0; o < k->nr; o++)
		for (size_t i = 0; i < in; i++) {
			if (i < in - short_by)
				t.p[i * ld + o] = full.p[o * in + i];
			else
				full.p[o * in + i] = 0;
		}
	round_rows(&ref.integer, &w, full.p, k->nr, false);
	k->pack_columns(panel, t.p, ld, in - short_by);
	check_panel(k->block, panel, &(weight){w.r.code, w.r.scale, in, k->nr, in}, &x.r, m, "panel of columns");
	panel_free(panel, bytes);
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
	rows x = rows_new(1, padded, true);
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
	rows r = rows_new(1, 160, false), p = rows_new(1, 160, true);
	char *panel = panel_new(ndl_int_stored_bytes(k, 160));
	for (int i = 0; i < 2; i++) {
		x[37] = i ? INFINITY : NAN;
		k->quantize(r.r.code, r.r.scale, r.r.sum, x, 160);
		x[37] = 1;
		k->pack_rows(panel, x, 160, 160, 1);
		k->block(&y, 1, &r.r, 0, 1, panel, 1);
		if (isfinite(y))
			FAIL("a value that is no number was lost: %g", (double)y);
		x[37] = i ? INFINITY : NAN;
		k->softmax(p.r.code, p.r.scale, p.r.sum, x, 160);
		if (isfinite(p.r.scale[0]) || isfinite(p.r.scale[1]))
			FAIL("softmax lost a value that is no number: %g, %g", (double)p.r.scale[0], (double)p.r.scale[1]);
		memset(x, 0, sizeof x);
	}
	free(panel);
	rows_free(&r);
	rows_free(&p);
}

/* Nor a scale that a file has. */
static void check_nan_scale(const ndl_int_kernel *k)
{
	const uint16_t none[] = {0x7e00, 0x7c00, 0xfe00};
	unsigned char codes[160] = {0};
	uint16_t scale[5];
	float y = 0, x[160];
	rows r = rows_new(1, 160, false);
	char *panel = panel_new(ndl_int_stored_bytes(k, 160));
	for (int i = 0; i < 160; i++)
		x[i] = 1;
	k->quantize(r.r.code, r.r.scale, r.r.sum, x, 160);
	for (int i = 0; i < 6; i++) {
		for (int g = 0; g < 5; g++)
			scale[g] = g == 3 ? none[i / 2] : ndl_f16_from_f32(1);
		codes[0] = 3;
		const ndl_wtype type = i % 2 ? NDL_W_I4 : NDL_W_I8;
		k->pack[type](panel, codes, scale, 32, 160, 1);
		k->block_stored[type](&y, 1, &r.r, 0, 1, panel, 1);
		if (isfinite(y))
			FAIL("a scale that is no number was lost: %g", (double)y);
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

static double speed_of(block_fn *block, const void *panel, const rows *x, size_t m, size_t nr, float *y)
{
	double best = 1;
	for (int i = 0; i < 8; i++) {
		double t = seconds();
		block(y, nr, &x->r, 0, m, panel, nr);
		t = seconds() - t;
		best = t < best ? t : best;
	}
	return 2.0 * (double)(m * x->r.in * nr) / best / 1e9;
}

/* The speed of the main loops, for whoever reads the log. */
static void note_speed(const ndl_int_kernel *k, ndl_rng *r)
{
	enum { M = 96, IN = 512 };
	rows x = make_rows(k, M, IN, false, 0, r);
	stored s = make_stored(IN, k->nr, 32, NDL_W_I4, 0, r);
	guarded f = guarded_new(k->nr * IN), y = guarded_new(M * k->nr);
	char *panel = panel_new(ndl_int_stored_bytes(k, IN));
	fill_normal(f.p, f.n, r);
	k->pack_rows(panel, f.p, IN, IN, k->nr);
	double numbers = speed_of(k->block, panel, &x, M, k->nr, y.p);
	k->pack[NDL_W_I4](panel, s.data + 1, s.half, 32, IN, k->nr);
	tap_note("%s: %.1f GOP/s, with INT4 weights %.1f", k->name, numbers,
	         speed_of(k->block_stored[NDL_W_I4], panel, &x, M, k->nr, y.p));
	free(panel);
	rows_free(&x);
	stored_free(&s);
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
			number_weight(&k.integer, in, 1 + n % k.integer.nr, false, mode, &r);
			number_weight(&k.integer, in, 1 + n % k.integer.nr, true, mode, &r);
		}
	for (size_t n = 1; n < 400; n += n < 70 ? 1 : 29)
		for (int mode = 0; mode < 4; mode++)
			check_softmax(&k.integer, n, mode, &r);
	check_nan(&k.integer);
	check_nan_scale(&k.integer);
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
