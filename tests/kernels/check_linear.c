/* check_linear.c - products with stored weights of every type, layout and variant, against the
 * weight's values in double; thread counts; rows as numbers. */
#include "check.h"
#include "tensor/gemm.h"

#include <math.h>

#define EPS 0x1p-24

typedef struct shape {
	size_t m, in, out, group;
} shape;

/* Groups of 32 are the ordinary case; others go through the definition. */
static const shape shapes[] = {
	{0, 32, 8, 32}, {1, 32, 1, 32}, {1, 64, 33, 32}, {2, 96, 70, 32}, {3, 128, 65, 64}, {4, 256, 200, 128},
	{5, 64, 40, 32}, {31, 288, 97, 32}, {6, 544, 33, 32}, {1, 10, 7, 5}, {2, 14, 9, 2}, {9, 36, 20, 12},
	{1, 17, 19, 17}, {7, 300, 21, 30}, {1, 768, 900, 32}, {150, 128, 260, 32},
};

static const char *const type_names[NDL_W_COUNT] = {"f32", "f16", "bf16", "i8", "i4"};

static size_t weight_bytes(ndl_wtype t, size_t rows, size_t n)
{
	static const size_t per[] = {4, 2, 2, 1};
	return t == NDL_W_I4 ? rows * (n / 2 + n % 2) : rows * n * per[t];
}

/* The value of code element i of stored row r, from the layout's description alone. */
static double value(const ndl_weight *w, size_t r, size_t i)
{
	size_t n = w->out_major ? w->in : w->out;
	const unsigned char *p = w->data;
	float f;
	uint16_t h;
	if (w->type == NDL_W_F32) {
		memcpy(&f, p + 4 * (r * n + i), 4);
		return (double)f;
	}
	if (w->type == NDL_W_F16 || w->type == NDL_W_BF16) {
		memcpy(&h, p + 2 * (r * n + i), 2);
		return (double)(w->type == NDL_W_F16 ? ndl_f16_to_f32(h) : ndl_bf16_to_f32(h));
	}
	double scale = (double)ndl_f16_to_f32(w->scale[r * (w->in / w->group) + i / w->group]);
	if (w->type == NDL_W_I8)
		return scale * (p[r * n + i] < 128 ? p[r * n + i] : p[r * n + i] - 256);
	int code = p[r * ((n + 1) / 2) + i / 2] >> (i % 2 ? 4 : 0) & 15;
	return scale * (code < 8 ? code : code - 16);
}

/* Random data of the type at an odd address (files promise nothing). Borrowed buffers filled. */
static void fill_weight(ndl_weight *w, unsigned char *data, uint16_t *scale, ndl_rng *r)
{
	size_t rows = w->out_major ? w->out : w->in, n = w->out_major ? w->in : w->out;
	size_t bytes = weight_bytes(w->type, rows, n);
	for (size_t i = 0; i < bytes; i++)
		data[i] = (unsigned char)ndl_rng_u64(r);
	for (size_t i = 0; i < rows * n && w->type < NDL_W_I8; i++) {
		float x = (float)ndl_rng_normal(r);
		uint16_t h = w->type == NDL_W_F16 ? ndl_f16_from_f32(x) : ndl_bf16_from_f32(x);
		if (w->type == NDL_W_F32)
			memcpy(data + 4 * i, &x, 4);
		else
			memcpy(data + 2 * i, &h, 2);
	}
	w->data = data;
	w->scale = NULL;
	if (w->type < NDL_W_I8) {
		w->group = 0;
		return;
	}
	for (size_t i = 0; i < w->out * (w->in / w->group); i++)
		scale[i] = ndl_f16_from_f32((float)(0.01 + ndl_rng_unit(r)));
	w->scale = scale;
}

static size_t count_wrong(const float *y, const float *x, size_t m, const ndl_weight *w)
{
	size_t bad = 0;
	for (size_t i = 0; i < m; i++)
		for (size_t o = 0; o < w->out; o++) {
			double sum = 0, size = 0;
			for (size_t q = 0; q < w->in; q++) {
				double t = (w->out_major ? value(w, o, q) : value(w, q, o)) * x[i * w->in + q];
				sum += t;
				size += fabs(t);
			}
			double bound = (double)(w->in + 8) * EPS * size;
			if (!(fabs(y[i * w->out + o] - sum) <= bound) && !bad++)
				tap_note("row %zu, output %zu: got %.9g, want %.9g +- %.3g", i, o, (double)y[i * w->out + o], sum, bound);
		}
	return bad;
}

static size_t count_wrong_rows(const ndl_exec *ex, const ndl_weight *w)
{
	size_t bad = 0;
	for (size_t o = 0; w->out_major && o < w->out; o++) {
		guarded row = guarded_new(w->in);
		ndl_weight_row(ex, row.p, w, o);
		for (size_t q = 0; q < w->in; q++)
			bad += !(fabs(row.p[q] - value(w, o, q)) <= EPS * fabs(value(w, o, q)));
		bad += !guarded_free(&row);
	}
	return bad;
}

/* One shape on a machine of 1 and of 3 threads; the number of wrong results. */
static size_t run_case(ndl_exec *one, ndl_exec *three, const shape *s, ndl_wtype type, bool out_major, ndl_rng *r)
{
	ndl_weight w = {type, out_major, s->in, s->out, NULL, NULL, s->group};
	unsigned char *data = malloc(4 * s->in * s->out + 1);
	guarded scale = guarded_new(s->in * s->out), x = guarded_new(s->m * s->in), y = guarded_new(s->m * s->out);
	guarded z = guarded_new(s->m * s->out);
	if (!data)
		exit(99);
	fill_weight(&w, data + 1, (uint16_t *)scale.p, r);
	fill_normal(x.p, s->m * s->in, r);
	ndl_linear(one, y.p, x.p, s->m, &w);
	ndl_linear(three, z.p, x.p, s->m, &w);
	size_t bad = count_wrong(y.p, x.p, s->m, &w) + count_wrong_rows(one, &w);
	bad += memcmp(y.p, z.p, s->m * s->out * sizeof *y.p) != 0;
	bad += !guarded_free(&scale) + !guarded_free(&x) + !guarded_free(&y) + !guarded_free(&z);
	free(data);
	if (bad)
		tap_note("m %zu in %zu out %zu group %zu: %zu wrong", s->m, s->in, s->out, s->group, bad);
	return bad;
}

static void check_type(const char *mask, ndl_wtype type, bool out_major, uint64_t seed)
{
	ndl_exec *one = ndl_exec_new(1, mask, NULL), *three = ndl_exec_new(3, mask, NULL);
	size_t bad = 0;
	ndl_rng r;
	ndl_rng_seed(&r, seed, type);
	for (size_t i = 0; one && three && i < sizeof shapes / sizeof *shapes; i++)
		bad += run_case(one, three, &shapes[i], type, out_major, &r);
	tap_ok(one && three && !bad, "linear %s %s %s", mask, type_names[type], out_major ? "out-major" : "in-major");
	ndl_exec_free(one);
	ndl_exec_free(three);
}

int main(int argc, char **argv)
{
	uint64_t seed = check_seed(argc, argv);
	for (size_t i = 0; i < sizeof check_masks / sizeof *check_masks; i++) {
		if (!check_mask_exists(check_masks[i]))
			continue;
		for (int t = 0; t < NDL_W_COUNT; t++) {
			check_type(check_masks[i], (ndl_wtype)t, true, seed);
			if (t < NDL_W_I8)
				check_type(check_masks[i], (ndl_wtype)t, false, seed);
		}
	}
	return tap_done();
}
