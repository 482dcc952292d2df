/* vector_ref.c - definitions of the vector kernels; equations in kernels.h. */
#include "kernels/kernels_internal.h"

#include <math.h>

static float dot(const float *x, const float *y, size_t n)
{
	float sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static void axpy(float *y, float a, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += a * x[i];
}

static void scale_add(float *z, float a, const float *x, float b, const float *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		z[i] = a * x[i] + b * y[i];
}

static float row_max(const float *x, size_t n)
{
	float max = -INFINITY;
	for (size_t i = 0; i < n; i++)
		max = x[i] > max ? x[i] : max;
	return max;
}

static float logsumexp(const float *x, size_t n)
{
	float max = row_max(x, n), sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += max == -INFINITY && x[i] == max ? 0 : expf(x[i] - max);
	return max + logf(sum);
}

static float softmax(float *x, size_t n)
{
	float max = row_max(x, n), sum = 0;
	for (size_t i = 0; i < n; i++) {
		x[i] = max == -INFINITY && x[i] == max ? 0 : expf(x[i] - max);
		sum += x[i];
	}
	float scale = sum == 0 ? 0 : 1 / sum;
	for (size_t i = 0; i < n; i++)
		x[i] *= scale;
	return max + logf(sum);
}

static void softmax_back(float *ds, const float *p, const float *dp, size_t n)
{
	float mean = dot(p, dp, n);
	for (size_t i = 0; i < n; i++)
		ds[i] = p[i] * (dp[i] - mean);
}

static void rmsnorm(float *y, float *inv, const float *x, const float *scale, size_t rows, size_t n)
{
	for (size_t r = 0; r < rows; r++, x += n, y += n) {
		float k = 1 / sqrtf(dot(x, x, n) / (float)n + 1e-6f);
		for (size_t i = 0; i < n; i++)
			y[i] = (1 + scale[i]) * (x[i] * k);
		if (inv)
			inv[r] = k;
	}
}

static void rmsnorm_back(float *dx, float *dscale, const float *dy, const float *x, const float *scale,
                         const float *inv, size_t rows, size_t n)
{
	for (size_t r = 0; r < rows; r++, dx += n, dy += n, x += n) {
		float k = inv[r], sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += dy[i] * (1 + scale[i]) * x[i];
		float mean = sum / (float)n * k * k;
		for (size_t i = 0; i < n; i++) {
			float d = dy[i];
			dscale[i] += d * (x[i] * k);
			dx[i] = k * (d * (1 + scale[i]) - x[i] * mean);
		}
	}
}

static void rope(float *x, const float *c, const float *s, size_t half)
{
	for (size_t i = 0; i < half; i++) {
		float a = x[i], b = x[half + i];
		x[i] = a * c[i] - b * s[i];
		x[half + i] = b * c[i] + a * s[i];
	}
}

static void adam(float *p, float *m, float *v, const float *g, float b1, float b2, float rate, float root,
                 float eps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		m[i] = b1 * m[i] + (1 - b1) * g[i];
		v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
		p[i] -= rate * m[i] / (sqrtf(v[i]) * root + eps);
	}
}

static void narrow_bf16(uint16_t *out, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ndl_bf16_from_f32(x[i]);
}

static void narrow_f16(uint16_t *out, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ndl_f16_from_f32(x[i]);
}

enum { PEAK_SUMS = 32 }; /* enough that none waits for itself, also where the compiler takes four at once */

static float peak(size_t times)
{
	float acc[PEAK_SUMS] = {0}, x[PEAK_SUMS], sum = 0;
	for (size_t i = 0; i < PEAK_SUMS; i++)
		x[i] = 1;
	for (size_t t = 0; t < times; t++) {
		__asm__ volatile("" : "+m"(x)); /* the compiler must not know that all are the same */
		NDL_UNROLL
		for (size_t i = 0; i < PEAK_SUMS; i++)
			acc[i] += x[i] * x[i];
	}
	for (size_t i = 0; i < PEAK_SUMS; i++)
		sum += acc[i];
	return sum;
}

void ndl_vectors_fill_ref(ndl_kernels *k)
{
	k->peak_products = PEAK_SUMS;
	k->peak = peak;
	k->dot = dot;
	k->axpy = axpy;
	k->scale_add = scale_add;
	k->softmax = softmax;
	k->logsumexp = logsumexp;
	k->softmax_back = softmax_back;
	k->rmsnorm = rmsnorm;
	k->rmsnorm_back = rmsnorm_back;
	k->rope = rope;
	k->adam = adam;
	k->narrow_bf16 = narrow_bf16;
	k->narrow_f16 = narrow_f16;
}
