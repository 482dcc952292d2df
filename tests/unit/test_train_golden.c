/* train: losses, gradients and optimiser steps against the golden values of a tiny model that an
 * independent implementation computed in float64 (testdata/golden). */
#include "base/rng.h"
#include "checkpoint/checkpoint.h"
#include "quant/quant.h"
#include "tensor/gemm.h"
#include "train/network.h"
#include "train/optimiser.h"
#include "train/rows.h"
#include "tests/tap.h"

static ndl_ckpt *golden;

static const ndl_tensor *find(const char *name)
{
	const ndl_tensor *t = ndl_ckpt_find(golden, name);
	if (!t) {
		printf("Bail out! golden file lacks %s\n", name);
		exit(99);
	}
	return t;
}

static float *floats(const char *name)
{
	ndl_error e = NDL_ERROR_INIT;
	const ndl_tensor *t = find(name);
	float *out = malloc((ndl_tensor_elements(t) + 1) * sizeof *out);
	if (!out || ndl_tensor_to_f32(t, out, &e) != NDL_OK)
		abort();
	return out;
}

static const int32_t *ints(const char *name) { return find(name)->data; }

/* All parameters under prefix, in our layout. */
static float *params_of(const ndl_params *ps, const char *prefix)
{
	float *flat = ndl_params_new(ps);
	for (int id = 0; id < NDL_P_COUNT; id++) {
		char name[200];
		snprintf(name, sizeof name, "%s%s", prefix, ps->p[id].name);
		float *v = floats(name);
		memcpy(flat + ps->p[id].offset, v, ps->p[id].size * sizeof *v);
		free(v);
	}
	return flat;
}

/* The golden batch is packed in padded rows. Here each segment is a sequence; padding is one
 * more, whose targets count in z alone, as in the reference. */
enum { MAX = 64 };
static struct {
	int32_t enc[MAX], dec_in[MAX], dec_out[MAX], query[MAX], tool[MAX];
	uint8_t cls[MAX];
	size_t enc_off[8], dec_off[8], query_off[8], tool_off[8];
} store;

static size_t unpad(int32_t *out, size_t *off, const int32_t *in, size_t rows, size_t cols)
{
	size_t n = 0;
	off[0] = 0;
	for (size_t r = 0; r < rows; r++) {
		for (size_t c = 0; c < cols && in[r * cols + c]; c++)
			out[n++] = in[r * cols + c];
		off[r + 1] = n;
	}
	return n;
}

static ndl_batch golden_batch(int with_pairs)
{
	const int32_t *src = ints("train/src"), *in = ints("train/tgt_in"), *out = ints("train/tgt_out");
	const int32_t *cls = ints("train/cls"), *es = ints("train/enc_seg"), *ds = ints("train/dec_seg");
	size_t n = 0, ne = 0, nd = 0;
	for (int row = 0; row < 2; row++)
		for (int seg = 1; seg <= 4; seg++) {
			int s = seg % 4; /* 1, 2, 3, then 0: the padding */
			size_t e0 = ne, d0 = nd;
			for (int i = 0; i < 16; i++)
				if (es[row * 16 + i] == s)
					store.enc[ne++] = src[row * 16 + i];
			for (int i = 0; i < 10; i++)
				if (ds[row * 10 + i] == s) {
					store.dec_in[nd] = in[row * 10 + i];
					store.dec_out[nd] = out[row * 10 + i];
					store.cls[nd++] = s ? (uint8_t)cls[row * 10 + i] : NDL_CLASS_IGNORED;
				}
			if (ne > e0 || nd > d0) {
				n++;
				store.enc_off[n] = ne;
				store.dec_off[n] = nd;
			}
		}
	unpad(store.query, store.query_off, ints("train/cl_query"), 5, 9);
	unpad(store.tool, store.tool_off, ints("train/cl_tool"), 5, 12);
	return (ndl_batch){n, store.enc, store.enc_off, store.dec_in, store.dec_out, store.cls, store.dec_off,
	                   with_pairs ? 5 : 0, store.query, store.tool, store.query_off, store.tool_off};
}

/* Largest error of a whole array relative to its largest value. */
static double array_error(const float *got, const float *want, size_t n)
{
	double top, worst = tap_worst(got, want, n, &top);
	return worst / fmax(top, 1e-12);
}

static void check_all(const ndl_params *ps, const float *flat, const char *prefix, double bound)
{
	for (int id = 0; id < NDL_P_COUNT; id++) {
		char name[200];
		snprintf(name, sizeof name, "%s%s", prefix, ps->p[id].name);
		float *want = floats(name);
		double e = array_error(flat + ps->p[id].offset, want, ps->p[id].size);
		tap_ok(e <= bound, "%s: error %.2g <= %.2g of the largest value", name, e, bound);
		free(want);
	}
}

static void check_loss(ndl_network *net, const ndl_params *ps, const float *w, int pairs, const char *prefix)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	ndl_loss_options o = NDL_LOSS_DEFAULTS;
	char name[100];
	ndl_batch b = golden_batch(pairs);
	float *grad = ndl_params_new(ps);
	CHECK_INT(ndl_network_loss(net, &loss, grad, w, &b, &o, &e), NDL_OK);
	snprintf(name, sizeof name, "%sloss", prefix);
	float *want = floats(name);
	tap_note("%s: %.7f, golden %.7f (ce %.6f z %.6f clip %.6f)", name, loss.total, (double)*want, loss.ce, loss.z,
	         loss.contrastive);
	tap_ok(fabs(loss.total - (double)*want) < 2e-5, "%s", name);
	snprintf(name, sizeof name, "%sgrad/", prefix);
	check_all(ps, grad, name, 1e-4);
	free(want);
	free(grad);
}

static void check_steps(ndl_network *net, ndl_exec *x, const ndl_params *ps, const float *start)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss_options lo = NDL_LOSS_DEFAULTS;
	ndl_optimiser_options oo = NDL_OPTIMISER_DEFAULTS;
	ndl_schedule s = {10, 2, 0, 0.05};
	ndl_optimiser opt;
	float *w = ndl_params_new(ps), *grad = ndl_params_new(ps);
	float *losses = floats("opt/losses"), *norms = floats("opt/grad_norms");
	float *adam_lr = floats("opt/adam_lr"), *muon_lr = floats("opt/muon_lr");
	oo.adam_lr = 3e-3;
	memcpy(w, start, ps->total * sizeof *w);
	CHECK_INT(ndl_optimiser_init(&opt, ps, &oo, &e), NDL_OK);
	for (uint64_t step = 0; step < 4; step++) {
		ndl_loss loss;
		ndl_batch b = golden_batch(1);
		memset(grad, 0, ps->total * sizeof *grad);
		ndl_network_loss(net, &loss, grad, w, &b, &lo, &e);
		double factor = ndl_schedule_factor(&s, step);
		tap_ok(fabs(factor * oo.adam_lr - (double)adam_lr[step]) < 1e-8 &&
		       fabs(factor * oo.muon_lr - (double)muon_lr[step]) < 1e-8, "learning rates of step %d", (int)step);
		double norm = ndl_optimiser_step(&opt, x, w, grad, factor, NULL);
		tap_note("step %d: loss %.6f golden %.6f, norm %.5f golden %.5f", (int)step, loss.total,
		         (double)losses[step], norm, (double)norms[step]);
		tap_ok(fabs(loss.total - (double)losses[step]) < 1e-4 * (double)losses[step], "loss of step %d", (int)step);
		tap_ok(fabs(norm - (double)norms[step]) < 1e-3 * (double)norms[step], "gradient norm of step %d", (int)step);
	}
	/* Adam makes full steps of however small a gradient, so float32 rounding shows more here. */
	check_all(ps, w, "opt/after4/", 2e-3);
	ndl_optimiser_clear(&opt);
	free(w);
	free(grad);
	free(losses);
	free(norms);
	free(adam_lr);
	free(muon_lr);
}

static void check_newton_schulz(ndl_exec *x)
{
	float *in = floats("opt/ns_in"), *want = floats("opt/ns_out"), *tall = floats("opt/ns_out_tall");
	const ndl_tensor *t = find("opt/ns_in");
	size_t rows = t->shape[0], cols = t->shape[1];
	float *out = malloc(rows * cols * sizeof *out), *flip = malloc(rows * cols * sizeof *flip);
	float *scratch = malloc(ndl_newton_schulz_scratch(rows, cols) * sizeof *scratch);
	ndl_newton_schulz(x, 0, out, in, rows, cols, scratch);
	tap_close(out, want, rows * cols, 1e-5, "Newton-Schulz, wide");
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++)
			flip[j * rows + i] = in[i * cols + j];
	ndl_newton_schulz(x, 0, out, flip, cols, rows, scratch);
	tap_close(out, tall, rows * cols, 1e-5, "Newton-Schulz, tall");
	free(in);
	free(want);
	free(tall);
	free(out);
	free(flip);
	free(scratch);
}

/* The same steps in whole products: the optimiser's, of symmetric matrices of several blocks, must have their bits. */
static void check_symmetric_products(ndl_exec *x)
{
	enum { N = 201, M = 230, SIZE = N * M };
	static float g[SIZE], out[SIZE], cur[SIZE], next[SIZE], gram[N * N], poly[N * N], scratch[SIZE + 2 * N * N];
	ndl_rng r;
	ndl_rng_seed(&r, 5, 0);
	for (size_t i = 0; i < SIZE; i++)
		g[i] = (float)ndl_rng_normal(&r);
	float inv = 1.0f / ((float)sqrt(ndl_rows_dot(x, g, g, SIZE)) + 1e-7f);
	for (size_t i = 0; i < SIZE; i++)
		cur[i] = g[i] * inv;
	for (int step = 0; step < 5; step++) {
		ndl_gemm(x, false, true, N, N, M, 1, cur, M, cur, M, 0, gram, N);
		memcpy(poly, gram, sizeof poly);
		ndl_gemm(x, false, false, N, N, N, 2.0315f, gram, N, gram, N, -4.7750f, poly, N);
		memcpy(next, cur, sizeof next);
		ndl_gemm(x, false, false, N, M, N, 1, poly, N, cur, M, 3.4445f, next, M);
		memcpy(cur, next, sizeof cur);
	}
	ndl_newton_schulz(x, 0, out, g, N, M, scratch);
	tap_ok(memcmp(out, cur, sizeof out) == 0, "Newton-Schulz has the bits of whole products, precision %d", (int)ndl_exec_precision(x));
}

int main(void)
{
	ndl_error e = NDL_ERROR_INIT;
	const char *src = getenv("top_srcdir");
	char path[500];
	snprintf(path, sizeof path, "%s/testdata/golden/tiny.safetensors", src ? src : ".");
	golden = ndl_ckpt_open(path, &e);
	ndl_exec *x = ndl_exec_new(2, NULL, &e);
	/* as the file's metadata says; its parameters lie under p/, so it is no model file itself */
	ndl_config c = {.vocab_size = 64, .d_model = 32, .num_heads = 4, .num_kv_heads = 2, .num_encoder_layers = 2,
	                .num_decoder_layers = 2, .contrastive_dim = 12, .max_enc_len = 64, .max_dec_len = 64,
	                .rope_theta = 10000};
	if (!golden || !x || ndl_config_check(&c, &e) != NDL_OK) {
		printf("Bail out! %s\n", e.text);
		return 99;
	}
	ndl_params ps;
	ndl_params_layout(&ps, &c);
	float *w = params_of(&ps, "p/"), *fake = params_of(&ps, "p/");
	ndl_network *net = ndl_network_new(&ps, x, &e);
	check_loss(net, &ps, w, 0, "train/text/");
	check_loss(net, &ps, w, 1, "train/text_clip/");
	for (int id = 0; id < NDL_P_COUNT; id++)
		for (size_t l = 0; ps.p[id].kind == NDL_PARAM_KERNEL && l < ps.p[id].copies; l++)
			ndl_fake_quant(ndl_params_at(&ps, fake, (ndl_param_id)id, (int)l),
			               ndl_params_get(&ps, w, (ndl_param_id)id, (int)l), ps.p[id].rows, ps.p[id].cols, 32);
	check_loss(net, &ps, fake, 1, "train/text_clip_int4/");
	check_newton_schulz(x);
	check_steps(net, x, &ps, w);
	check_symmetric_products(x);
	ndl_exec_set_precision(x, NDL_PRECISION_BF16);
	check_symmetric_products(x);
	ndl_network_free(net);
	ndl_exec_free(x);
	ndl_ckpt_close(golden);
	free(w);
	free(fake);
	return tap_done();
}
