/* train: every parameter's gradient against finite differences, and what must not change it:
 * threads, and which sequences share a batch. */
#include "base/rng.h"
#include "tensor/exec.h"
#include "train/lanes.h"
#include "train/optimiser.h"
#include "tests/tap.h"

enum { VOCAB = 50, SEQUENCES = 5, PAIRS = 3, MOST = 200 };

static struct {
	int32_t enc[MOST], dec_in[MOST], dec_out[MOST], query[MOST], tool[MOST];
	uint8_t cls[MOST];
	size_t enc_off[SEQUENCES + 1], dec_off[SEQUENCES + 1], query_off[PAIRS + 1], tool_off[PAIRS + 1];
} store;

static size_t fill(ndl_rng *r, int32_t *ids, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ids[at + i] = (int32_t)ndl_rng_below(r, VOCAB);
	return at + len;
}

static ndl_batch make_batch(void)
{
	/* lengths of 1 and lengths beside vector widths */
	static const size_t enc[] = {7, 1, 33, 16, 17}, dec[] = {3, 1, 9, 18, 2};
	ndl_rng r;
	ndl_rng_seed(&r, 11, 0);
	for (size_t s = 0; s < SEQUENCES; s++) {
		store.enc_off[s + 1] = fill(&r, store.enc, store.enc_off[s], enc[s]);
		fill(&r, store.dec_in, store.dec_off[s], dec[s]);
		store.dec_off[s + 1] = fill(&r, store.dec_out, store.dec_off[s], dec[s]);
	}
	for (size_t i = 0; i < MOST; i++)
		store.cls[i] = (uint8_t)ndl_rng_below(&r, NDL_CLASS_COUNT);
	for (size_t p = 0; p < PAIRS; p++) {
		store.query_off[p + 1] = fill(&r, store.query, store.query_off[p], 3 + p);
		store.tool_off[p + 1] = fill(&r, store.tool, store.tool_off[p], 6 - p);
	}
	return (ndl_batch){SEQUENCES, store.enc, store.enc_off, store.dec_in, store.dec_out, store.cls, store.dec_off,
	                   PAIRS, store.query, store.tool, store.query_off, store.tool_off};
}

static double loss_at(ndl_network *net, const float *w, const ndl_batch *b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	/* loss_rows 7: several blocks of logits; contrastive weight 1: its gradients show */
	ndl_loss_options o = {{1, 2, 4, 1.5f}, 1e-2f, 1.0f, 7, 0, 0};
	return ndl_network_loss(net, &loss, NULL, w, b, &o, &e) == NDL_OK ? loss.total : NAN;
}

static float *gradient(ndl_network *net, const ndl_params *ps, const float *w, const ndl_batch *b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	ndl_loss_options o = {{1, 2, 4, 1.5f}, 1e-2f, 1.0f, 7, 0, 0};
	float *g = ndl_params_new(ps);
	CHECK_INT(ndl_network_loss(net, &loss, g, w, b, &o, &e), NDL_OK);
	return g;
}

/* Along a random direction within one layer of one parameter. */
static void check_direction(ndl_network *net, const ndl_params *ps, float *w, const float *g, const ndl_batch *b,
                            ndl_param_id id, int layer)
{
	const ndl_slot *p = &ps->p[id];
	size_t n = p->rows * p->cols, at = p->offset + (size_t)layer * n;
	float *u = malloc(n * sizeof *u), *keep = malloc(n * sizeof *keep);
	double dot = 0, length = 0, step;
	ndl_rng r;
	ndl_rng_seed(&r, 5, (uint64_t)id * 100 + (uint64_t)layer);
	/* half along the gradient, so that the derivative is not lost in rounding */
	double gn = 1e-12;
	for (size_t i = 0; i < n; i++)
		gn += (double)g[at + i] * (double)g[at + i];
	for (size_t i = 0; i < n; i++) {
		u[i] = (float)(ndl_rng_normal(&r) / sqrt((double)n) + (double)g[at + i] / sqrt(gn));
		length += (double)u[i] * (double)u[i];
	}
	step = 4e-3 / sqrt(length) * (p->kind == NDL_PARAM_VECTOR ? 4 : 1);
	memcpy(keep, w + at, n * sizeof *keep);
	for (size_t i = 0; i < n; i++)
		w[at + i] = keep[i] + (float)step * u[i];
	double up = loss_at(net, w, b);
	for (size_t i = 0; i < n; i++)
		w[at + i] = keep[i] - (float)step * u[i];
	double down = loss_at(net, w, b);
	memcpy(w + at, keep, n * sizeof *keep);
	for (size_t i = 0; i < n; i++)
		dot += (double)g[at + i] * (double)u[i];
	double numeric = (up - down) / (2 * step), error = fabs(numeric - dot) / (fabs(dot) + 1e-2);
	tap_ok(error < 2e-2, "%s, layer %d: slope %.5f, numeric %.5f", p->name, layer, dot, numeric);
	free(u);
	free(keep);
}

static void check_threads(const ndl_params *ps, const float *w, const ndl_batch *b, ndl_precision precision)
{
	ndl_error e = NDL_ERROR_INIT;
	float *first = NULL;
	for (int threads = 1; threads <= 4; threads++) {
		ndl_exec *x = ndl_exec_new(threads, NULL, &e);
		ndl_exec_set_precision(x, precision);
		ndl_network *net = ndl_network_new(ps, x, &e);
		float *g = gradient(net, ps, w, b);
		if (first)
			tap_ok(memcmp(first, g, ps->total * sizeof *g) == 0, "%d threads give the bytes of one", threads);
		if (first)
			free(g);
		else
			first = g;
		ndl_network_free(net);
		ndl_exec_free(x);
	}
	free(first);
}

/* Cut into lanes, a batch has the loss and the gradient it has whole, and the same bytes for any
 * number of threads. */
static void check_lanes(const ndl_params *ps, const float *w, const ndl_batch *b, const float *whole)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss_options o = {{1, 2, 4, 1.5f}, 1e-2f, 1.0f, 7, 0, 0};
	float *first = NULL;
	for (int threads = 1; threads <= 9; threads += 4) {
		ndl_loss loss, want;
		ndl_exec *x = ndl_exec_new(threads, NULL, &e);
		ndl_network *net = ndl_network_new(ps, x, &e);
		ndl_lanes *lanes = ndl_lanes_new(ps, x, &e);
		float *g = ndl_params_new(ps);
		CHECK_INT(ndl_network_loss(net, &want, NULL, w, b, &o, &e), NDL_OK);
		CHECK_INT(ndl_lanes_loss(lanes, &loss, g, w, b, &o, &e), NDL_OK);
		CHECK(fabs(loss.total - want.total) < 1e-5 * want.total);
		CHECK(fabs(loss.contrastive - want.contrastive) < 1e-6);
		CHECK_INT(loss.tokens, want.tokens);
		CHECK_INT(loss.correct, want.correct);
		tap_close(g, whole, ps->total, 1e-4, "gradient in lanes");
		if (first)
			tap_ok(memcmp(first, g, ps->total * sizeof *g) == 0, "lanes: %d threads give the bytes of one", threads);
		else
			first = g;
		if (g != first)
			free(g);
		ndl_lanes_free(lanes);
		ndl_network_free(net);
		ndl_exec_free(x);
	}
	free(first);
}

/* A sequence alone has the encoder output that it has among others. */
static void check_packing(ndl_network *net, const float *w, const ndl_batch *b, size_t d)
{
	float all[MOST * 32];
	loss_at(net, w, b);
	memcpy(all, ndl_network_encoder_out(net), b->enc_off[SEQUENCES] * d * sizeof *all);
	for (size_t s = 0; s < SEQUENCES; s++) {
		size_t eo[2] = {0, b->enc_off[s + 1] - b->enc_off[s]}, dof[2] = {0, b->dec_off[s + 1] - b->dec_off[s]};
		ndl_batch one = {1, b->enc + b->enc_off[s], eo, b->dec_in + b->dec_off[s], b->dec_out + b->dec_off[s],
		                 b->cls + b->dec_off[s], dof, 0, NULL, NULL, NULL, NULL};
		loss_at(net, w, &one);
		tap_close(ndl_network_encoder_out(net), all + b->enc_off[s] * d, eo[1] * d, 1e-5, "sequence alone");
	}
}

static void check_schedule(void)
{
	ndl_schedule s = {100, 10, 20, 0.05};
	CHECK(ndl_schedule_factor(&s, 0) == 0);
	CHECK(fabs(ndl_schedule_factor(&s, 5) - 0.5) < 1e-12);
	CHECK(ndl_schedule_factor(&s, 10) == 1 && ndl_schedule_factor(&s, 80) == 1);
	CHECK(fabs(ndl_schedule_factor(&s, 90) - (0.05 + 0.95 * 0.5)) < 1e-12);
	CHECK(fabs(ndl_schedule_factor(&s, 100) - 0.05) < 1e-12);
	ndl_schedule constant = {100, 0, 0, 0.05};
	CHECK(ndl_schedule_factor(&constant, 0) == 1 && ndl_schedule_factor(&constant, 99) == 1);
}

static void check_bad_batches(ndl_network *net, const float *w, ndl_batch b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	ndl_loss_options o = NDL_LOSS_DEFAULTS;
	int32_t ids[MOST];
	memcpy(ids, b.enc, sizeof ids);
	ids[3] = VOCAB;
	const int32_t *good = b.enc;
	b.enc = ids;
	CHECK_INT(ndl_network_loss(net, &loss, NULL, w, &b, &o, &e), NDL_EINVAL);
	ids[3] = -1;
	CHECK_INT(ndl_network_loss(net, &loss, NULL, w, &b, &o, &e), NDL_EINVAL);
	b.enc = good;
	size_t off[SEQUENCES + 1];
	memcpy(off, b.enc_off, sizeof off);
	off[1] = 0; /* an empty sequence */
	b.enc_off = off;
	CHECK_INT(ndl_network_loss(net, &loss, NULL, w, &b, &o, &e), NDL_EINVAL);
}

int main(void)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_config c = {.vocab_size = VOCAB, .d_model = 24, .num_heads = 4, .num_kv_heads = 2, .num_encoder_layers = 2,
	                .num_decoder_layers = 2, .contrastive_dim = 10, .max_enc_len = 64, .max_dec_len = 64,
	                .rope_theta = 10000};
	ndl_params ps;
	ndl_params_layout(&ps, &c);
	float *w = ndl_params_new(&ps);
	ndl_rng r;
	ndl_rng_seed(&r, 3, 0);
	for (size_t i = 0; i < ps.total; i++) /* nothing at zero: a wrong gate or scale would hide */
		w[i] = (float)(0.2 * ndl_rng_normal(&r));
	ndl_batch b = make_batch();
	ndl_exec *x = ndl_exec_new(2, NULL, &e);
	ndl_network *net = ndl_network_new(&ps, x, &e);
	float *g = gradient(net, &ps, w, &b);
	for (int id = 0; id < NDL_P_COUNT; id++)
		for (size_t l = 0; l < ps.p[id].copies; l++)
			check_direction(net, &ps, w, g, &b, (ndl_param_id)id, (int)l);
	check_packing(net, w, &b, 24);
	check_bad_batches(net, w, b);
	check_threads(&ps, w, &b, NDL_PRECISION_F32);
	check_threads(&ps, w, &b, NDL_PRECISION_BF16);
	check_lanes(&ps, w, &b, g);
	check_schedule();
	ndl_network_free(net);
	ndl_exec_free(x);
	free(g);
	free(w);
	return tap_done();
}
