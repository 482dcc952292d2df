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

/* loss_rows 7: several blocks of logits; contrastive weight 1: its gradients show. */
static ndl_loss_options options(void)
{
	ndl_loss_options o = NDL_LOSS_DEFAULTS;
	o.z_weight = 1e-2f;
	o.contrastive_weight = 1;
	o.loss_rows = 7;
	return o;
}

typedef double loss_fn(void *user, const float *w, const ndl_batch *b);

static double loss_at(void *net, const float *w, const ndl_batch *b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	ndl_loss_options o = options();
	return ndl_network_loss(net, &loss, NULL, w, b, &o, &e) == NDL_OK ? loss.total : NAN;
}

static float *gradient(ndl_network *net, const ndl_params *ps, const float *w, const ndl_batch *b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	ndl_loss_options o = options();
	float *g = ndl_params_new(ps);
	CHECK_INT(ndl_network_loss(net, &loss, g, w, b, &o, &e), NDL_OK);
	return g;
}

/* Along a random direction within one layer of one parameter. */
static void check_direction(loss_fn *loss, void *user, const ndl_params *ps, float *w, const float *g, const ndl_batch *b,
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
	double up = loss(user, w, b);
	for (size_t i = 0; i < n; i++)
		w[at + i] = keep[i] - (float)step * u[i];
	double down = loss(user, w, b);
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
	ndl_loss_options o = options();
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

/* A teacher ------------------------------------------------------------------------------- */

static ndl_loss_options taught_options(void)
{
	ndl_loss_options o = options();
	o.teacher_weight = 0.7f;
	o.teacher_temperature = 2.5f;
	return o;
}

static double taught_loss_at(void *lanes, const float *w, const ndl_batch *b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_loss loss;
	ndl_loss_options o = taught_options();
	return ndl_lanes_loss(lanes, &loss, NULL, w, b, &o, &e) == NDL_OK ? loss.total : NAN;
}

/* kl by its definition, in double, of one row of logits each. */
static double kl_of(const float *teacher, const float *logits, double t)
{
	double lt = 0, ls = 0, kl = 0;
	for (size_t i = 0; i < VOCAB; i++) {
		lt += exp((double)teacher[i] / t);
		ls += exp((double)logits[i] / t);
	}
	for (size_t i = 0; i < VOCAB; i++) {
		double log_q = (double)teacher[i] / t - log(lt), log_p = (double)logits[i] / t - log(ls);
		kl += exp(log_q) * (log_q - log_p);
	}
	return kl;
}

static void logits_of(const float *states, const float *embedding, size_t d, float *logits)
{
	for (size_t j = 0; j < VOCAB; j++) {
		double sum = 0;
		for (size_t i = 0; i < d; i++)
			sum += (double)states[i] * (double)embedding[j * d + i];
		logits[j] = (float)sum;
	}
}

/* The same from both networks' states, class weights and all. */
static void check_kl(const ndl_params *ps, const float *w, const ndl_params *tps, const float *tw, const ndl_batch *b,
                     double got, ndl_exec *x)
{
	static const double weight[] = {1, 2, 4, 1.5};
	ndl_error e = NDL_ERROR_INIT;
	ndl_network *learner = ndl_network_new(ps, x, &e), *teacher = ndl_network_new(tps, x, &e);
	const float *ls = ndl_network_states(learner, w, b, &e), *ts = ndl_network_states(teacher, tw, b, &e);
	size_t d = (size_t)ps->config.d_model, td = (size_t)tps->config.d_model, n = b->dec_off[b->n];
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		float l[VOCAB], t[VOCAB];
		logits_of(ls + i * d, ndl_params_get(ps, w, NDL_P_EMBEDDING, 0), d, l);
		logits_of(ts + i * td, ndl_params_get(tps, tw, NDL_P_EMBEDDING, 0), td, t);
		sum += weight[b->cls[i]] * kl_of(t, l, 2.5) / (double)n;
	}
	tap_ok(sum > 0.01 && fabs(got - sum) < 1e-4 * sum, "kl %.6f, by its definition %.6f", got, sum);
	ndl_network_free(learner);
	ndl_network_free(teacher);
}

/* A teacher of another shape: every gradient against finite differences, and the bytes for 1 to 9 threads. */
static void check_teacher(const ndl_params *ps, float *w, const ndl_batch *b)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_config c = {.vocab_size = VOCAB, .d_model = 16, .num_heads = 2, .num_kv_heads = 2, .num_encoder_layers = 3,
	                .num_decoder_layers = 1, .max_enc_len = 64, .max_dec_len = 64, .rope_theta = 10000};
	ndl_params tps;
	ndl_params_layout(&tps, &c);
	float *tw = ndl_params_new(&tps), *first = NULL;
	ndl_rng r;
	ndl_rng_seed(&r, 8, 0);
	for (size_t i = 0; i < tps.total; i++)
		tw[i] = (float)(0.3 * ndl_rng_normal(&r));
	ndl_loss_options o = taught_options();
	for (int threads = 1; threads <= 9; threads += 4) {
		ndl_loss loss, plain;
		ndl_exec *x = ndl_exec_new(threads, NULL, &e);
		ndl_lanes *lanes = ndl_lanes_new(ps, x, &e);
		float *g = ndl_params_new(ps);
		CHECK_INT(ndl_lanes_teach(lanes, &tps, tw, &e), NDL_OK);
		CHECK_INT(ndl_lanes_loss(lanes, &loss, g, w, b, &o, &e), NDL_OK);
		CHECK(fabs(loss.total - (0.3 * loss.ce + 0.7 * 6.25 * loss.kl + 1e-2 * loss.z + loss.contrastive)) < 1e-5 * loss.total);
		if (first) {
			tap_ok(memcmp(first, g, ps->total * sizeof *g) == 0, "taught: %d threads give the bytes of one", threads);
			free(g);
		} else {
			first = g;
			check_kl(ps, w, &tps, tw, b, loss.kl, x);
			for (int id = 0; id < NDL_P_COUNT; id++)
				for (size_t l = 0; l < ps->p[id].copies; l++)
					check_direction(taught_loss_at, lanes, ps, w, g, b, (ndl_param_id)id, (int)l);
			ndl_loss_options without = options();
			CHECK_INT(ndl_lanes_loss(lanes, &plain, NULL, w, b, &without, &e), NDL_OK);
			CHECK(plain.kl == 0 && plain.ce == loss.ce);
		}
		ndl_lanes_free(lanes);
		ndl_exec_free(x);
	}
	free(first);
	free(tw);
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
			check_direction(loss_at, net, &ps, w, g, &b, (ndl_param_id)id, (int)l);
	check_packing(net, w, &b, 24);
	check_bad_batches(net, w, b);
	check_threads(&ps, w, &b, NDL_PRECISION_F32);
	check_threads(&ps, w, &b, NDL_PRECISION_BF16);
	check_lanes(&ps, w, &b, g);
	check_teacher(&ps, w, &b);
	check_schedule();
	ndl_network_free(net);
	ndl_exec_free(x);
	free(g);
	free(w);
	return tap_done();
}
