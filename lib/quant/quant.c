#include "quant/quant.h"

#include "kernels/kernels.h"

#include <math.h>
#include <stdbool.h>

/* Adding and subtracting this rounds |x| < 2^22 to an integer, half to even, in two additions that
 * vectorise (the build has no -ffast-math that would cancel them). */
#define ROUND 0x1.8p23f

/* Fake quantisation ------------------------------------------------------------------------ */

/* A group of an in-major kernel is a strip of a column: walk it row by row for this many columns
 * at once, with their scales at hand. */
enum { STRIP = 64 };

/* One group of `rows` inputs for `cols` outputs. */
static void fake_strip(float *out, const float *w, size_t rows, size_t cols, size_t stride)
{
	float scale[STRIP] = {0}, divisor[STRIP];
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++) {
			float a = fabsf(w[i * stride + j]);
			scale[j] = a > scale[j] ? a : scale[j];
		}
	for (size_t j = 0; j < cols; j++) {
		scale[j] /= 7;
		divisor[j] = scale[j] > 0 ? scale[j] : 1; /* a group of zeros stays zero */
	}
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++) {
			float code = w[i * stride + j] / divisor[j] + ROUND - ROUND;
			code = code > 7 ? 7 : code; /* scales among the subnormals have few bits */
			code = code < -8 ? -8 : code;
			out[i * stride + j] = code * scale[j];
		}
}

void ndl_fake_quant(float *out, const float *w, size_t in, size_t n_out, size_t group)
{
	for (size_t i = 0; i < in; i += group)
		for (size_t j = 0; j < n_out; j += STRIP)
			fake_strip(out + i * n_out + j, w + i * n_out + j, in - i < group ? in - i : group,
			           n_out - j < STRIP ? n_out - j : STRIP, n_out);
}

size_t ndl_quant_group(size_t in, size_t group)
{
	while (group >= 32 && in % group != 0)
		group /= 2;
	return group >= 32 ? group : 0;
}

/* Rows ------------------------------------------------------------------------------------ */

static int lowest_code(int bits)
{
	return bits == 4 ? -8 : -127;
}

static int highest_code(int bits)
{
	return bits == 4 ? 7 : 127;
}

int8_t ndl_quant_code(float w, float scale, int bits)
{
	float lo = (float)lowest_code(bits), hi = (float)highest_code(bits);
	if (!(scale > 0))
		return 0;
	/* clamp first: the quotient may be far out if the scale clips or is subnormal */
	float code = w / scale;
	return (int8_t)(code > hi ? hi : code < lo ? lo : code + ROUND - ROUND);
}

/* Codes of one group for a given scale; returns the sum of squared errors, weighted unless weight is NULL. */
static double group_codes(int8_t *codes, const float *w, const float *weight, size_t n, float scale, int bits)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		codes[i] = ndl_quant_code(w[i], scale, bits);
		double e = (double)w[i] - (double)codes[i] * (double)scale;
		sum += weight ? e * e * (double)weight[i] : e * e;
	}
	return sum;
}

/* Weights so large that their scale has no F16 are clipped rather than turned into NaNs. */
static float rounded_f16(float scale)
{
	scale = scale > 65504 ? 65504 : scale;
	return ndl_f16_to_f32(ndl_f16_from_f32(scale));
}

/* Candidate scales run from the plain one down to half of it: with four bits, clipping the one
 * outlier of a group often costs less than coarser steps for all others. Candidates whose
 * negative end -8 carries the largest value are among them. */
enum { CANDIDATES = 64 };

static float best_scale(int8_t *codes, const float *w, const float *weight, size_t n, float plain, int bits, bool f16)
{
	float best = f16 ? rounded_f16(plain) : plain, last = best;
	double least = group_codes(codes, w, weight, n, best, bits);
	for (int c = 1; c <= CANDIDATES; c++) {
		float scale = plain * (1 - (float)c / (2 * CANDIDATES));
		scale = f16 ? rounded_f16(scale) : scale;
		if (scale == last)
			continue;
		last = scale;
		double error = group_codes(codes, w, weight, n, scale, bits);
		if (error < least) {
			least = error;
			best = scale;
		}
	}
	return best;
}

static float plain_scale(const float *w, size_t n, int bits)
{
	float largest = 0;
	for (size_t i = 0; i < n; i++)
		largest = fabsf(w[i]) > largest ? fabsf(w[i]) : largest;
	return largest / (float)highest_code(bits);
}

/* The scale of one group, its codes on the way. */
static float quant_group(int8_t *codes, const float *w, size_t n, int bits, ndl_quant_method method, bool f16)
{
	float scale = plain_scale(w, n, bits);
	if (method == NDL_QUANT_RTN)
		scale = f16 ? rounded_f16(scale) : scale;
	else
		scale = best_scale(codes, w, NULL, n, scale, bits, f16);
	group_codes(codes, w, NULL, n, scale, bits);
	return scale;
}

uint16_t ndl_quant_scale_f16(const float *w, const float *importance, size_t n, int bits)
{
	int8_t codes[NDL_QUANT_GROUP_MAX];
	return ndl_f16_from_f32(best_scale(codes, w, importance, n, plain_scale(w, n, bits), bits, true));
}

void ndl_quant_row(int8_t *codes, float *scales, const float *w, size_t in, size_t group, int bits,
                   ndl_quant_method method)
{
	for (size_t i = 0; i < in; i += group)
		*scales++ = quant_group(codes + i, w + i, in - i < group ? in - i : group, bits, method, false);
}

void ndl_quant_row_f16(int8_t *codes, uint16_t *scales, const float *w, size_t in, size_t group, int bits,
                       ndl_quant_method method)
{
	for (size_t i = 0; i < in; i += group)
		*scales++ = ndl_f16_from_f32(
			quant_group(codes + i, w + i, in - i < group ? in - i : group, bits, method, true));
}

void ndl_quant_pack4(uint8_t *packed, const int8_t *codes, size_t in)
{
	for (size_t i = 0; i + 1 < in; i += 2)
		packed[i / 2] = (uint8_t)((codes[i] & 15) | (codes[i + 1] & 15) << 4);
}
