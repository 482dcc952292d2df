#include "quant/gptq.h"

#include "base/mem.h"
#include "kernels/kernels.h"
#include "quant/quant.h"

#include <math.h>
#include <stdlib.h>

/* U, upper triangular, with U^T U = H^-1. Row i, over U[i][i], is how an error of input i is best made up for by
 * the inputs after it, those before being fixed. */
struct ndl_gptq {
	size_t in;
	float *u;          /* [in][in] */
	float *importance; /* [in]: 1 / U[i][i]^2, what an error of input i costs in the end */
};

void ndl_gptq_free(ndl_gptq *g)
{
	if (!g)
		return;
	free(g->u);
	free(g->importance);
	free(g);
}

/* R upper triangular with R R^T = a, in place, from the last row up; false if a is not positive. */
static bool factor(double *a, size_t n)
{
	for (size_t j = n; j-- > 0;) {
		double *row = a + j * n, sum = row[j];
		for (size_t k = j + 1; k < n; k++)
			sum -= row[k] * row[k];
		if (!(sum > 0) || !isfinite(sum))
			return false;
		row[j] = sqrt(sum);
		for (size_t i = 0; i < j; i++) {
			double *other = a + i * n, s = other[j];
			for (size_t k = j + 1; k < n; k++)
				s -= other[k] * row[k];
			other[j] = s / row[j];
		}
	}
	return true;
}

/* u = r^-1 for upper triangular r. Row i of u is (e_i - sum over k > i of r[i][k] u[k]) / r[i][i]. */
static void invert(double *u, const double *r, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		double *row = u + i * n;
		for (size_t j = 0; j < n; j++)
			row[j] = j == i;
		for (size_t k = i + 1; k < n; k++)
			for (size_t j = k; j < n; j++)
				row[j] -= r[i * n + k] * u[k * n + j];
		for (size_t j = i; j < n; j++)
			row[j] /= r[i * n + i];
	}
}

/* a = H / mean diagonal + damping. */
static void condition(double *a, const float *moments, size_t n, double damping)
{
	double mean = 0;
	for (size_t i = 0; i < n; i++)
		mean += (double)moments[i * n + i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++)
			a[i * n + j] = mean == 0 ? 0 : (double)moments[i * n + j] / mean;
		a[i * n + i] += damping;
	}
}

ndl_gptq *ndl_gptq_new(const float *moments, size_t in, double damping, ndl_error *err)
{
	ndl_gptq *g = ndl_calloc(1, sizeof *g);
	double *a = ndl_alloc64(in * in, sizeof *a), *u = ndl_alloc64(in * in, sizeof *u);
	if (g) {
		g->in = in;
		g->u = ndl_alloc64(in * in, sizeof *g->u);
		g->importance = ndl_alloc64(in, sizeof *g->importance);
	}
	bool ok = g && a && u && g->u && g->importance;
	if (!ok)
		ndl_fail_nomem(err, "calibration");
	if (ok) {
		condition(a, moments, in, damping);
		ok = factor(a, in);
		if (!ok)
			ndl_fail(err, NDL_EINVAL, "calibration: the inputs' moments are not finite");
	}
	if (ok)
		invert(u, a, in);
	for (size_t i = 0; ok && i < in; i++) {
		g->importance[i] = (float)(1 / (u[i * in + i] * u[i * in + i]));
		for (size_t j = 0; j < in; j++)
			g->u[i * in + j] = j < i ? 0 : (float)(u[i * in + j] / u[i * in + i]);
	}
	free(a);
	free(u);
	if (ok)
		return g;
	ndl_gptq_free(g);
	return NULL;
}

void ndl_gptq_row(const ndl_gptq *g, int8_t *codes, uint16_t *scales, float *w, size_t group, int bits)
{
	float scale = 0;
	for (size_t i = 0; i < g->in; i++) {
		if (i % group == 0) {
			uint16_t half = ndl_quant_scale_f16(w + i, g->importance + i, group, bits);
			scale = ndl_f16_to_f32(half);
			*scales++ = half;
		}
		codes[i] = ndl_quant_code(w[i], scale, bits);
		float error = w[i] - (float)codes[i] * scale;
		const float *u = g->u + i * g->in;
		for (size_t j = i + 1; j < g->in; j++)
			w[j] -= error * u[j];
	}
}
