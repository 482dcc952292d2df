/* Confidence fitted to answers known to be right or wrong: a logistic regression by Newton's method. */
#include "eval/eval.h"

#include <math.h>
#include <string.h>

enum { PARAMS = 3, STEPS = 60 };
#define RIDGE 2.0 /* towards plain, in samples: keeps few, or separable ones, in bounds */
static const double plain[PARAMS] = {0, 1, 0};

/* Solves a x = b by Gaussian elimination with pivots; rows that are all zero give 0. */
static void solve(double a[PARAMS][PARAMS], double b[PARAMS])
{
	for (int k = 0; k < PARAMS; k++) {
		int top = k;
		for (int i = k + 1; i < PARAMS; i++)
			if (fabs(a[i][k]) > fabs(a[top][k]))
				top = i;
		for (int j = 0; j < PARAMS; j++) {
			double t = a[k][j];
			a[k][j] = a[top][j];
			a[top][j] = t;
		}
		double t = b[k];
		b[k] = b[top];
		b[top] = t;
		for (int i = k + 1; i < PARAMS && a[k][k] != 0; i++) {
			double f = a[i][k] / a[k][k];
			for (int j = k; j < PARAMS; j++)
				a[i][j] -= f * a[k][j];
			b[i] -= f * b[k];
		}
	}
	for (int k = PARAMS - 1; k >= 0; k--) {
		for (int j = k + 1; j < PARAMS; j++)
			b[k] -= a[k][j] * b[j];
		b[k] = a[k][k] != 0 ? b[k] / a[k][k] : 0;
	}
}

/* Loss to be minimised, with its gradient and Hessian in the parameters that are `on`. */
static double loss_at(const ndl_fit_sample *s, size_t n, const double p[PARAMS], const int on[PARAMS],
                      double g[PARAMS], double h[PARAMS][PARAMS])
{
	ndl_confidence c = {p[0], p[1], p[2]};
	double loss = 0;
	memset(g, 0, PARAMS * sizeof *g);
	memset(h, 0, PARAMS * sizeof *h);
	for (size_t i = 0; i < n; i++) {
		double x[PARAMS] = {1, ndl_log_odds(s[i].sum), ndl_log_odds(s[i].least)};
		double q = ndl_confidence_apply(&c, s[i].sum, s[i].least);
		loss -= log(fmax(s[i].right ? q : 1 - q, 1e-300));
		for (int j = 0; j < PARAMS; j++) {
			g[j] += (q - (s[i].right != 0)) * x[j];
			for (int k = 0; k < PARAMS; k++)
				h[j][k] += q * (1 - q) * x[j] * x[k];
		}
	}
	for (int j = 0; j < PARAMS; j++) {
		loss += RIDGE / 2 * (p[j] - plain[j]) * (p[j] - plain[j]);
		g[j] += RIDGE * (p[j] - plain[j]);
		h[j][j] += RIDGE;
		for (int k = 0; k < PARAMS; k++)
			if (!on[j] || !on[k])
				h[j][k] = j == k;
		if (!on[j])
			g[j] = 0;
	}
	return loss;
}

/* Newton's method, with the step halved until it helps. */
static void minimise(const ndl_fit_sample *s, size_t n, const int on[PARAMS], double p[PARAMS])
{
	double g[PARAMS], h[PARAMS][PARAMS], next[PARAMS], unused[PARAMS][PARAMS], step[PARAMS];
	for (int j = 0; j < PARAMS; j++)
		p[j] = on[j] ? plain[j] : 0;
	for (int t = 0; t < STEPS; t++) {
		double loss = loss_at(s, n, p, on, g, h), by = 1;
		memcpy(step, g, sizeof step);
		solve(h, step);
		do {
			for (int j = 0; j < PARAMS; j++)
				next[j] = p[j] - by * step[j];
			by /= 2;
		} while (by > 1e-6 && !(loss_at(s, n, next, on, g, unused) < loss));
		if (by <= 1e-6)
			return;
		memcpy(p, next, sizeof next);
	}
}

ndl_status ndl_fit(const ndl_fit_sample *s, size_t n, ndl_confidence *out, ndl_error *err)
{
	double p[PARAMS];
	int on[PARAMS] = {1, 1, 1};
	size_t right = 0;
	for (size_t i = 0; i < n; i++)
		right += s[i].right != 0;
	if (n < NDL_FIT_LEAST || right == 0 || right == n)
		return ndl_fail(err, NDL_EINVAL, "%zu of %zu answers are right: confidence needs %d answers, right and wrong ones",
		                right, n, NDL_FIT_LEAST);
	minimise(s, n, on, p);
	/* more probability must never mean less confidence: drop what says so */
	while (p[1] < 0 || p[2] < 0) {
		on[p[1] < p[2] ? 1 : 2] = 0;
		minimise(s, n, on, p);
	}
	*out = (ndl_confidence){p[0], p[1], p[2]};
	return NDL_OK;
}
