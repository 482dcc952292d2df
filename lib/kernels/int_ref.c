/* int_ref.c - definitions of the integer kernels. A panel is the scales of its outputs, then their codes, row after row. */
#include "kernels/kernels_internal.h"

#include <math.h>
#include <string.h>

enum { NR = 4 };

static float unit_of(float max, float *scale)
{
	*scale = max < 1e-30f ? 0 : max * (1.0f / 127);
	return max >= 1e-30f ? 127 / max : 0;
}

/* x unit to the nearest code, ties to even; what is no number (its scale says so) gives 0. */
static int8_t code_of(float x, float unit)
{
	float c = x * unit + 0x1.8p23f - 0x1.8p23f;
	return c >= -127 && c <= 127 ? (int8_t)c : 0;
}

/* The largest magnitude of n values `step` apart; NaN if there is one. */
static float largest(const float *x, size_t step, size_t n)
{
	float max = 0;
	for (size_t i = 0; i < n; i++) {
		float a = fabsf(x[i * step]);
		max = a > max || isnan(a) ? a : max;
		if (isnan(max))
			break;
	}
	return max;
}

static void quantize(int8_t *code, float *scale, int32_t *sum, const float *x, size_t n)
{
	float unit = unit_of(largest(x, 1, n), scale);
	*sum = 0;
	for (size_t i = 0; i < n; i++) {
		code[i] = code_of(x[i], unit);
		*sum += code[i];
	}
}

static void softmax(int8_t *code, float *scale, int32_t *sum, float *x, size_t n)
{
	const size_t groups = (n + NDL_INT_GROUP - 1) / NDL_INT_GROUP;
	float max = -INFINITY, total = 0;
	for (size_t i = 0; i < n; i++)
		max = x[i] > max ? x[i] : max;
	for (size_t i = 0; i < groups * NDL_INT_GROUP; i++) {
		x[i] = i < n ? expf(x[i] - (max == -INFINITY ? 0 : max)) : 0;
		total += x[i];
	}
	for (size_t g = 0; g < groups; g++) {
		quantize(code + g * NDL_INT_GROUP, scale + g, sum + g, x + g * NDL_INT_GROUP, NDL_INT_GROUP);
		scale[g] *= total == 0 ? 0 : 1 / total;
	}
}

static int8_t weight_code(const void *w, bool four, size_t i)
{
	if (!four)
		return ((const int8_t *)w)[i];
	int byte = ((const uint8_t *)w)[i / 2];
	return (int8_t)(((i % 2 ? byte >> 4 : byte & 15) ^ 8) - 8);
}

static float half_at(const uint16_t *p)
{
	uint16_t h;
	memcpy(&h, p, 2);
	return ndl_f16_to_f32(h);
}

static int8_t *codes_of(char *panel, size_t o, size_t in)
{
	return (int8_t *)panel + NR * 4 + o * in;
}

static void put_scale(char *panel, size_t o, float scale)
{
	memcpy(panel + o * 4, &scale, 4);
}

/* A stored scale as a factor of its codes, in 16 bits; 0 if it is no number. */
static int32_t factor_of(float scale, float unit)
{
	float f = scale * unit;
	return isfinite(f) ? (int32_t)rintf(f) : 0;
}

/* The scales of an output become one, of which its largest code needs 127: each code times its scale over that one, which is
 * rounded to 2048ths (of INT8: 16384ths) before and to a code, at most 127, after. */
static void pack_output(char *panel, size_t o, const char *w, const uint16_t *scale, size_t group, size_t in, bool four)
{
	const float most = four ? 8 : 127;
	const int bits = four ? 11 : 14;
	int8_t *code = codes_of(panel, o, in);
	float max = 0;
	for (size_t g = 0; g < in / group; g++) {
		float s = fabsf(half_at(scale + g));
		max = s > max || isnan(s) ? s : max;
		if (isnan(max))
			break;
	}
	const float unit = (float)(1 << bits) * 127 / most / max;
	put_scale(panel, o, max * (most / 127));
	for (size_t i = 0; i < in; i++) {
		int32_t product = weight_code(w, four, i) * factor_of(half_at(scale + i / group), unit);
		product = (product + (1 << (bits - 1))) >> bits;
		code[i] = (int8_t)(product > 127 ? 127 : product);
	}
}

static void pack(char *panel, const char *w, const uint16_t *scale, size_t group, size_t in, size_t n, bool four)
{
	memset(panel, 0, (in + 4) * NR);
	for (size_t o = 0; o < n; o++)
		pack_output(panel, o, w + o * (four ? in / 2 : in), scale + o * (in / group), group, in, four);
}

static void pack_i8(void *panel, const void *w, const uint16_t *scale, size_t group, size_t in, size_t n)
{
	pack(panel, w, scale, group, in, n, false);
}

static void pack_i4(void *panel, const void *w, const uint16_t *scale, size_t group, size_t in, size_t n)
{
	pack(panel, w, scale, group, in, n, true);
}

/* n values, `step` apart, as output o of a panel of `in` inputs. */
static void pack_values(char *panel, size_t o, size_t in, const float *x, size_t step, size_t n)
{
	float scale, unit = unit_of(largest(x, step, n), &scale);
	put_scale(panel, o, scale);
	for (size_t i = 0; i < n; i++)
		codes_of(panel, o, in)[i] = code_of(x[i * step], unit);
}

static void pack_rows(void *panel, const float *x, size_t ld, size_t in, size_t n)
{
	memset(panel, 0, (in + 4) * NR);
	for (size_t o = 0; o < n; o++)
		pack_values(panel, o, in, x + o * ld, 1, in);
}

static void pack_columns(void *panel, const float *x, size_t ld, size_t in)
{
	const size_t whole = (in + 31) / 32 * 32;
	memset(panel, 0, (whole + 4) * NR);
	for (size_t o = 0; o < NR; o++)
		pack_values(panel, o, whole, x + o, ld, in);
}

static float product(const ndl_int_rows *x, size_t row, const char *panel, size_t o)
{
	const size_t each = x->grouped ? 32 : x->in, scales = x->in / each;
	const int8_t *w = codes_of((char *)(uintptr_t)panel, o, x->in), *c = x->code + row * x->in;
	float y = 0, scale;
	for (size_t g = 0; g < scales; g++) {
		int32_t sum = 0;
		for (size_t i = g * each; i < (g + 1) * each; i++)
			sum += w[i] * c[i];
		y += (float)sum * x->scale[row * scales + g];
	}
	memcpy(&scale, panel + o * 4, 4);
	return y * scale;
}

static void block(float *y, size_t ldy, const ndl_int_rows *x, size_t row, size_t m, const void *panel, size_t n)
{
	for (size_t i = 0; i < m; i++)
		for (size_t o = 0; o < n && o < NR; o++)
			y[i * ldy + o] = product(x, row + i, panel, o);
}

/* Every group with its two scales. */
static void gemv(float *y, const ndl_int_rows *x, size_t row, const char *w, const uint16_t *scale, size_t group,
                 const int32_t *ids, size_t n, bool four)
{
	const int8_t *c = x->code + row * x->in;
	for (size_t k = 0; k < n; k++) {
		const size_t o = ids ? (size_t)ids[k] : k;
		const char *codes = w + o * (four ? x->in / 2 : x->in);
		float dot = 0;
		for (size_t i = 0; i < x->in; i += NDL_INT_GROUP) {
			int32_t sum = 0;
			for (size_t j = i; j < i + NDL_INT_GROUP; j++)
				sum += weight_code(codes, four, j) * c[j];
			dot += (float)sum * x->scale[(row * x->in + i) / NDL_INT_GROUP] * half_at(scale + (o * x->in + i) / group);
		}
		y[k] = dot;
	}
}

static void gemv_i8(float *y, const ndl_int_rows *x, size_t row, const void *w, const uint16_t *scale, size_t group,
                    const int32_t *ids, size_t n)
{
	gemv(y, x, row, w, scale, group, ids, n, false);
}

static void gemv_i4(float *y, const ndl_int_rows *x, size_t row, const void *w, const uint16_t *scale, size_t group,
                    const int32_t *ids, size_t n)
{
	gemv(y, x, row, w, scale, group, ids, n, true);
}

static int32_t peak(size_t times)
{
	int8_t w[32], x[32];
	int32_t sum = 0;
	memset(w, 1, sizeof w);
	memset(x, 1, sizeof x);
	for (size_t t = 0; t < times; t++) {
		__asm__ volatile("" : "+m"(w));
		for (size_t i = 0; i < 32; i++)
			sum += w[i] * x[i];
	}
	return sum;
}

void ndl_integer_fill_ref(ndl_kernels *k)
{
	k->integer = (ndl_int_kernel){
		.name = "scalar", .nr = NR, .peak_products = 32, .peak = peak, .gemv_unit = NDL_INT_GROUP, .gemv_max = 4096,
		.quantize = quantize, .softmax = softmax,
		.pack = {[NDL_W_I8] = pack_i8, [NDL_W_I4] = pack_i4},
		.pack_rows = pack_rows, .pack_columns = pack_columns,
		.block = block, .block_stored = {[NDL_W_I8] = block, [NDL_W_I4] = block},
		.gemv = {[NDL_W_I8] = gemv_i8, [NDL_W_I4] = gemv_i4},
	};
}
