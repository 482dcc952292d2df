/* Confidence against correctness. */
#include "base/mem.h"
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ndl_reliability_clear(ndl_reliability *r)
{
	free(r->seen);
	*r = (ndl_reliability){0};
}

ndl_status ndl_reliability_add(ndl_reliability *r, double confidence, int right, ndl_error *err)
{
	if (!(confidence >= 0 && confidence <= 1))
		return ndl_fail(err, NDL_EINVAL, "confidence: expected a number from 0 to 1");
	if (ndl_grow(&r->seen, &r->cap, r->n + 1, sizeof *r->seen) < 0)
		return ndl_fail_nomem(err, "confidences");
	r->seen[r->n++] = (struct ndl_seen){confidence, right != 0};
	return NDL_OK;
}

static int by_confidence(const void *a, const void *b)
{
	const struct ndl_seen *x = a, *y = b;
	return x->confidence < y->confidence ? -1 : x->confidence > y->confidence;
}

/* Mann-Whitney: sum of the ranks of the right ones, equal confidences sharing their mean rank. */
static double auroc(const struct ndl_seen *s, size_t n, size_t right)
{
	double ranks = 0, r = (double)right, w = (double)(n - right);
	if (right == 0 || right == n)
		return NAN;
	for (size_t begin = 0, end; begin < n; begin = end) {
		size_t right_here = 0;
		for (end = begin; end < n && s[end].confidence == s[begin].confidence; end++)
			right_here += (size_t)s[end].right;
		ranks += (double)right_here * ((double)(begin + 1) + (double)end) / 2;
	}
	return (ranks - r * (r + 1) / 2) / (r * w);
}

ndl_status ndl_reliability_result(const ndl_reliability *r, ndl_calibration *out, ndl_error *err)
{
	*out = (ndl_calibration){.n = r->n, .ece = NAN, .auroc = NAN};
	if (r->n == 0)
		return NDL_OK;
	struct ndl_seen *s = ndl_calloc(r->n, sizeof *s);
	if (!s)
		return ndl_fail_nomem(err, "confidences");
	memcpy(s, r->seen, r->n * sizeof *s);
	qsort(s, r->n, sizeof *s, by_confidence);
	for (size_t i = 0; i < r->n; i++) {
		size_t b = (size_t)(s[i].confidence * NDL_BINS);
		struct ndl_bin *bin = &out->bin[b < NDL_BINS ? b : NDL_BINS - 1];
		bin->n++;
		bin->right += (size_t)s[i].right;
		bin->confidence += s[i].confidence;
		out->right += (size_t)s[i].right;
	}
	out->ece = 0;
	for (size_t b = 0; b < NDL_BINS; b++) {
		struct ndl_bin *bin = &out->bin[b];
		out->ece += fabs((double)bin->right - bin->confidence) / (double)r->n;
		bin->confidence = bin->n ? bin->confidence / (double)bin->n : 0;
	}
	out->auroc = auroc(s, r->n, out->right);
	free(s);
	return NDL_OK;
}
