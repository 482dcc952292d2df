/* int_ref.c - definitions of the integer kernels. A panel is the codes of its outputs, row after row,
 * between their scales: a group of inputs after the other. */
#include "kernels/kernels_internal.h"

#include <math.h>
#include <string.h>

enum { NR = 4, GROUP_BYTES = NR * (4 + 32) };

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
	for (size_t g = 0; g < n / NDL_INT_GROUP; g++, x += NDL_INT_GROUP, code += NDL_INT_GROUP) {
		float unit = unit_of(largest(x, 1, NDL_INT_GROUP), &scale[g]);
		sum[g] = 0;
		for (size_t i = 0; i < NDL_INT_GROUP; i++) {
			code[i] = code_of(x[i], unit);
			sum[g] += code[i];
		}
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
	quantize(code, scale, sum, x, groups * NDL_INT_GROUP);
	for (size_t g = 0; g < groups; g++)
		scale[g] *= total == 0 ? 0 : 1 / total;
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

static void put(char *panel, size_t o, size_t i, int8_t code)
{
	panel[i / 32 * GROUP_BYTES + NR * 4 + o * 32 + i % 32] = (char)code;
}

static void put_scale(char *panel, size_t o, size_t g, float scale)
{
	memcpy(panel + g * GROUP_BYTES + o * 4, &scale, 4);
}

static void pack(char *panel, const char *w, const uint16_t *scale, size_t group, size_t in, size_t n, bool four)
{
	memset(panel, 0, in / 32 * GROUP_BYTES);
	for (size_t o = 0; o < n; o++)
		for (size_t i = 0; i < in; i++) {
			put(panel, o, i, weight_code(w, four, o * in + i));
			if (i % 32 == 0)
				put_scale(panel, o, i / 32, half_at(scale + o * (in / group) + i / group));
		}
}

static void pack_i8(void *panel, const void *w, const uint16_t *scale, size_t group, size_t in, size_t n)
{
	pack(panel, w, scale, group, in, n, false);
}

static void pack_i4(void *panel, const void *w, const uint16_t *scale, size_t group, size_t in, size_t n)
{
	pack(panel, w, scale, group, in, n, true);
}

/* One group of 32 inputs of output o, `step` apart, of which n exist. */
static void pack_group(char *panel, size_t o, size_t g, const float *x, size_t step, size_t n)
{
	float scale, unit = unit_of(largest(x, step, n), &scale);
	put_scale(panel, o, g, scale);
	for (size_t i = 0; i < n; i++)
		put(panel, o, g * 32 + i, code_of(x[i * step], unit));
}

static void pack_rows(void *panel, const float *x, size_t ld, size_t in, size_t n)
{
	memset(panel, 0, in / 32 * GROUP_BYTES);
	for (size_t o = 0; o < n; o++)
		for (size_t g = 0; g < in / 32; g++)
			pack_group(panel, o, g, x + o * ld + g * 32, 1, 32);
}

static void pack_columns(void *panel, const float *x, size_t ld, size_t in)
{
	memset(panel, 0, (in + 31) / 32 * GROUP_BYTES);
	for (size_t o = 0; o < NR; o++)
		for (size_t i = 0; i < in; i += 32)
			pack_group(panel, o, i / 32, x + i * ld + o, ld, in - i < 32 ? in - i : 32);
}

static float product(const ndl_int_rows *x, size_t row, const char *panel, size_t o)
{
	float y = 0;
	for (size_t g = 0; g < x->in / 32; g++, panel += GROUP_BYTES) {
		const int8_t *w = (const int8_t *)panel + NR * 4 + o * 32, *c = x->code + row * x->in + g * 32;
		int32_t sum = 0;
		float scale;
		memcpy(&scale, panel + o * 4, 4);
		for (size_t i = 0; i < 32; i++)
			sum += w[i] * c[i];
		y += (float)sum * x->scale[row * (x->in / 32) + g] * scale;
	}
	return y;
}

static void block(float *y, size_t ldy, const ndl_int_rows *x, size_t row, size_t m, const void *panel, size_t n)
{
	for (size_t i = 0; i < m; i++)
		for (size_t o = 0; o < n && o < NR; o++)
			y[i * ldy + o] = product(x, row + i, panel, o);
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
		.name = "scalar", .nr = NR, .peak_products = 32, .peak = peak, .gemv_max = 0, .quantize = quantize,
		.softmax = softmax,
		.pack = {[NDL_W_I8] = pack_i8, [NDL_W_I4] = pack_i4},
		.pack_rows = pack_rows, .pack_columns = pack_columns, .block = block,
	};
}
