/* Quantisation against golden codes and scales, and its properties. */
#include "base/rng.h"
#include "checkpoint/checkpoint.h"
#include "kernels/kernels.h"
#include "quant/gptq.h"
#include "quant/quant.h"
#include "tests/tap.h"

#include <stdint.h>

static const float *floats(const ndl_ckpt *c, const char *name)
{
	const ndl_tensor *t = c ? ndl_ckpt_find(c, name) : NULL;
	if (!t || t->dtype != NDL_F32) {
		tap_note("%s is missing from the golden file", name);
		exit(1);
	}
	return t->data;
}

/* k_proj [2, 32, 16]: one group a column; codes [2, 32, 16], scales [2, 1, 16]. */
static void test_golden(const ndl_ckpt *c)
{
	enum { L = 2, IN = 32, OUT = 16 };
	const float *w = floats(c, "p/encoder/layers/EncoderBlock_0/self_attn/k_proj/kernel");
	const float *scales = floats(c, "int4/scales");
	const int32_t *codes = ndl_ckpt_find(c, "int4/codes")->data;
	int wrong = 0, wrong_fake = 0;
	float worst = 0;
	for (size_t l = 0; l < L; l++) {
		float fake[IN * OUT];
		ndl_fake_quant(fake, w + l * IN * OUT, IN, OUT, 32);
		for (size_t o = 0; o < OUT; o++) {
			float column[IN], scale;
			int8_t got[IN];
			for (size_t i = 0; i < IN; i++)
				column[i] = w[(l * IN + i) * OUT + o];
			ndl_quant_row(got, &scale, column, IN, 32, 4, NDL_QUANT_RTN);
			worst = fmaxf(worst, fabsf(scale - scales[l * OUT + o]) / scale);
			for (size_t i = 0; i < IN; i++) {
				wrong += got[i] != codes[(l * IN + i) * OUT + o];
				wrong_fake += fake[i * OUT + o] != (float)got[i] * scale;
			}
		}
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(wrong_fake, 0);
	CHECK(worst <= 0x1p-23f);
}

static void random_row(ndl_rng *r, float *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		w[i] = (float)ndl_rng_normal(r);
}

static double squared_error(const float *w, const int8_t *codes, const uint16_t *scales, size_t n, size_t group)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double e = (double)w[i] - (double)codes[i] * (double)ndl_f16_to_f32(scales[i / group]);
		sum += e * e;
	}
	return sum;
}

static void test_rows(void)
{
	enum { N = 256, GROUP = 32 };
	ndl_rng r;
	float w[N];
	int8_t codes[N];
	uint16_t scales[N / GROUP];
	double rtn[2] = {0}, mse[2] = {0}, norm = 0;
	int beyond = 0;
	ndl_rng_seed(&r, 5, 0);
	for (int round = 0; round < 20; round++) {
		random_row(&r, w, N);
		for (int b = 0; b < 2; b++) {
			int bits = b ? 8 : 4;
			ndl_quant_row_f16(codes, scales, w, N, GROUP, bits, NDL_QUANT_RTN);
			rtn[b] += squared_error(w, codes, scales, N, GROUP);
			for (size_t i = 0; i < N; i++) /* half a step, and the scale's own rounding */
				beyond += fabs((double)w[i] - codes[i] * (double)ndl_f16_to_f32(scales[i / GROUP])) >
				          (double)ndl_f16_to_f32(scales[i / GROUP]) * (0.5 + (b ? 127 : 7) * 0x1p-11) + 1e-6;
			ndl_quant_row_f16(codes, scales, w, N, GROUP, bits, NDL_QUANT_MSE);
			mse[b] += squared_error(w, codes, scales, N, GROUP);
		}
		for (size_t i = 0; i < N; i++)
			norm += (double)w[i] * (double)w[i];
	}
	CHECK_INT(beyond, 0);
	tap_note("RMS relative error: INT4 %.4f, mse %.4f; INT8 %.5f, mse %.5f", sqrt(rtn[0] / norm),
	         sqrt(mse[0] / norm), sqrt(rtn[1] / norm), sqrt(mse[1] / norm));
	CHECK(mse[0] < 0.95 * rtn[0] && mse[1] <= rtn[1]);
	CHECK(rtn[1] < rtn[0] / 100);
}

static void test_edges(void)
{
	float zeros[40] = {0}, tiny[4] = {1e-44f, -1e-44f, 3e-45f, 0}, out[40], scales[2];
	float mixed[6] = {7, -7, 0.5f, 1.5f, 2.5f, -0.5f};
	int8_t codes[40], want[6] = {7, -7, 0, 2, 2, 0};
	uint16_t half[2];
	ndl_fake_quant(out, zeros, 40, 1, 32); /* a last group of 8 */
	CHECK(memcmp(out, zeros, sizeof out) == 0);
	ndl_quant_row(codes, scales, zeros, 40, 32, 4, NDL_QUANT_MSE);
	CHECK(scales[0] == 0 && scales[1] == 0 && codes[0] == 0 && codes[39] == 0);
	ndl_quant_row(codes, scales, mixed, 6, 32, 4, NDL_QUANT_RTN);
	CHECK(scales[0] == 1 && memcmp(codes, want, 6) == 0); /* half to even */
	ndl_fake_quant(out, tiny, 4, 1, 32);
	CHECK(fabsf(out[0]) <= 2e-44f && isfinite(out[1]));
	ndl_quant_row_f16(codes, half, tiny, 4, 32, 8, NDL_QUANT_RTN); /* the scale is 0 in F16 */
	CHECK(half[0] == 0 && codes[0] == 0);
	ndl_fake_quant(mixed, mixed, 6, 1, 32); /* in place */
	CHECK(mixed[0] == 7 && mixed[3] == 2 && mixed[4] == 2 && mixed[2] == 0);
	ndl_fake_quant(NULL, NULL, 0, 0, 32);
	uint8_t packed[3];
	ndl_quant_pack4(packed, want, 6);
	CHECK(packed[0] == 0x97 && packed[1] == 0x20 && packed[2] == 0x02);
}

/* (w - w')^T H (w - w') */
static double output_error(const float *h, const float *w, const int8_t *codes, const uint16_t *scales, size_t n, size_t group)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			double ei = (double)w[i] - codes[i] * (double)ndl_f16_to_f32(scales[i / group]);
			double ej = (double)w[j] - codes[j] * (double)ndl_f16_to_f32(scales[j / group]);
			sum += ei * (double)h[i * n + j] * ej;
		}
	return sum;
}

/* H = sum x x^T of inputs that vary together: x = a few directions, mixed, and a little noise. */
static void make_moments(ndl_rng *r, float *h, size_t n)
{
	enum { DIRECTIONS = 12, INPUTS = 300, MOST = 128 };
	static float mix[DIRECTIONS * MOST], x[MOST];
	random_row(r, mix, DIRECTIONS * n);
	memset(h, 0, n * n * sizeof *h);
	for (int t = 0; t < INPUTS; t++) {
		for (size_t i = 0; i < n; i++)
			x[i] = 0.3f * (float)ndl_rng_normal(r);
		for (size_t d = 0; d < DIRECTIONS; d++) {
			float by = (float)ndl_rng_normal(r);
			for (size_t i = 0; i < n; i++)
				x[i] += by * mix[d * n + i];
		}
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				h[i * n + j] += x[i] * x[j];
	}
}

static void test_gptq(void)
{
	enum { N = 128, ROWS = 20 };
	static float h[N * N], w[N], work[N];
	int8_t codes[N], mse_codes[N];
	uint16_t scales[N / 32], mse_scales[N / 32];
	double gptq = 0, mse = 0;
	int differ = 0;
	ndl_error err = NDL_ERROR_INIT;
	ndl_rng r;
	ndl_rng_seed(&r, 11, 0);
	make_moments(&r, h, N);
	ndl_gptq *g = ndl_gptq_new(h, N, 0.01, &err);
	ndl_gptq *plain = ndl_gptq_new(h, N, 1e6, &err); /* all damping: every input on its own */
	if (!CHECK(g && plain))
		return;
	for (int row = 0; row < ROWS; row++) {
		random_row(&r, w, N);
		ndl_quant_row_f16(mse_codes, mse_scales, w, N, 32, 4, NDL_QUANT_MSE);
		mse += output_error(h, w, mse_codes, mse_scales, N, 32);
		memcpy(work, w, sizeof w);
		ndl_gptq_row(g, codes, scales, work, 32, 4);
		gptq += output_error(h, w, codes, scales, N, 32);
		memcpy(work, w, sizeof w);
		ndl_gptq_row(plain, codes, scales, work, 32, 4);
		for (size_t i = 0; i < N; i++)
			differ += codes[i] != mse_codes[i];
	}
	tap_note("error of outputs: mse %.4g, gptq %.4g; %d codes differ without correlation", mse, gptq, differ);
	CHECK(gptq < 0.3 * mse);
	CHECK(differ < ROWS * N / 100);
	ndl_gptq_free(g);
	ndl_gptq_free(plain);
	memset(h, 0, sizeof h); /* nothing seen: nothing to make up for, but no failure */
	g = ndl_gptq_new(h, N, 0.01, &err);
	CHECK(g != NULL);
	ndl_gptq_free(g);
	h[0] = NAN;
	CHECK(ndl_gptq_new(h, N, 0.01, &err) == NULL && err.code == NDL_EINVAL);
}

/* Any width: strips, tails and short groups give what a column alone gives. */
static void test_fake_shapes(void)
{
	ndl_rng r;
	float w[50 * 130], fake[50 * 130], column[50], one[50];
	int wrong = 0;
	ndl_rng_seed(&r, 9, 0);
	random_row(&r, w, 50 * 130);
	ndl_fake_quant(fake, w, 50, 130, 32);
	for (size_t o = 0; o < 130; o++) {
		for (size_t i = 0; i < 50; i++)
			column[i] = w[i * 130 + o];
		ndl_fake_quant(one, column, 50, 1, 32);
		for (size_t i = 0; i < 50; i++)
			wrong += one[i] != fake[i * 130 + o];
	}
	CHECK_INT(wrong, 0);
}

int main(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ckpt *golden = ndl_ckpt_open(NDL_SRCDIR "/testdata/golden/tiny.safetensors", &err);
	if (!golden) {
		tap_note("%s", err.text);
		return 1;
	}
	test_golden(golden);
	test_rows();
	test_edges();
	test_gptq();
	test_fake_shapes();
	ndl_ckpt_close(golden);
	return tap_done();
}
