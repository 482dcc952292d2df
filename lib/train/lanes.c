#include "train/lanes.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Pieces of about this cost: their activations, some 100 floats of a width of 256 a token, then
 * take tens of megabytes, however large the batch. */
static const double piece_cost = 8192;

typedef struct piece {
	ndl_batch batch;
	size_t *enc_off, *dec_off; /* rebased to the piece */
} piece;

typedef struct lane {
	ndl_exec *x;
	ndl_network *net, *teacher;
	float *grad; /* NULL in the first lane: the caller's */
	ndl_loss loss;
	ndl_status status;
	ndl_error err;
} lane;

struct ndl_lanes {
	const ndl_params *ps;
	ndl_exec *x;
	int threads; /* lanes at work at once */
	const ndl_params *teacher_ps; /* NULL: no teacher */
	const float *teacher;
	lane lane[NDL_LANES];
	piece *piece;
	size_t n_pieces, piece_cap;
	size_t *offsets;
	size_t offsets_cap;
};

void ndl_lanes_free(ndl_lanes *l)
{
	if (!l)
		return;
	for (int i = 0; i < NDL_LANES; i++) {
		ndl_network_free(l->lane[i].net);
		ndl_network_free(l->lane[i].teacher);
		ndl_exec_free(l->lane[i].x);
		free(l->lane[i].grad);
	}
	free(l->piece);
	free(l->offsets);
	free(l);
}

ndl_lanes *ndl_lanes_new(const ndl_params *ps, ndl_exec *x, ndl_error *err)
{
	ndl_lanes *l = ndl_calloc(1, sizeof *l);
	if (!l) {
		ndl_fail_nomem(err, "training lanes");
		return NULL;
	}
	int threads = ndl_exec_threads(x), inside = threads > NDL_LANES ? threads / NDL_LANES : 1;
	l->ps = ps;
	l->x = x;
	l->threads = threads < NDL_LANES ? threads : NDL_LANES;
	for (int i = 0; i < NDL_LANES; i++) {
		lane *a = &l->lane[i];
		a->x = ndl_exec_fork(x, inside, err);
		a->net = a->x ? ndl_network_new(ps, a->x, err) : NULL;
		if (!a->net) {
			ndl_lanes_free(l);
			return NULL;
		}
	}
	return l;
}

ndl_status ndl_lanes_teach(ndl_lanes *l, const ndl_params *ps, const float *params, ndl_error *err)
{
	for (int i = 0; i < NDL_LANES; i++) {
		ndl_network_free(l->lane[i].teacher);
		l->lane[i].teacher = ndl_network_new(ps, l->lane[i].x, err);
		if (!l->lane[i].teacher)
			return NDL_ENOMEM;
	}
	l->teacher_ps = ps;
	l->teacher = params;
	return NDL_OK;
}

/* What an example costs, in the unit of piece_cost: tokens, and their pairs in attention. */
static double cost_of(const ndl_batch *b, size_t s)
{
	double e = (double)(b->enc_off[s + 1] - b->enc_off[s]), d = (double)(b->dec_off[s + 1] - b->dec_off[s]);
	return e * (1 + e / 512) + 2 * d;
}

static void add_piece(ndl_lanes *l, const ndl_batch *b, size_t first, size_t end, size_t **offsets)
{
	piece *p = &l->piece[l->n_pieces++];
	size_t n = end - first, e = b->enc_off[first], d = b->dec_off[first];
	p->enc_off = *offsets;
	p->dec_off = p->enc_off + n + 1;
	*offsets = p->dec_off + n + 1;
	for (size_t s = 0; s <= n; s++) {
		p->enc_off[s] = b->enc_off[first + s] - e;
		p->dec_off[s] = b->dec_off[first + s] - d;
	}
	p->batch = (ndl_batch){.n = n, .enc = b->enc + e, .enc_off = p->enc_off, .dec_in = b->dec_in + d,
	                       .dec_out = b->dec_out + d, .cls = b->cls + d, .dec_off = p->dec_off};
}

/* Cuts the examples into pieces of about equal cost, a multiple of NDL_LANES of them where there
 * are enough examples; the contrastive pairs, which need each other, are a piece of their own. */
static ndl_status cut(ndl_lanes *l, const ndl_batch *b, ndl_error *err)
{
	double total = 0, done = 0;
	for (size_t s = 0; s < b->n; s++)
		total += cost_of(b, s);
	size_t pieces = (size_t)(total / (piece_cost * NDL_LANES) + 1) * NDL_LANES;
	if (pieces > b->n)
		pieces = b->n;
	if (ndl_grow(&l->piece, &l->piece_cap, pieces + 1, sizeof *l->piece) < 0 ||
	    ndl_grow(&l->offsets, &l->offsets_cap, 2 * (b->n + pieces + 2), sizeof *l->offsets) < 0)
		return ndl_fail_nomem(err, "pieces of a batch");
	size_t *offsets = l->offsets, first = 0;
	l->n_pieces = 0;
	if (b->n_pairs) {
		ndl_batch none = *b;
		none.n = 0;
		add_piece(l, &none, 0, 0, &offsets);
		ndl_batch *pairs = &l->piece[0].batch;
		pairs->n_pairs = b->n_pairs;
		pairs->query = b->query;
		pairs->tool = b->tool;
		pairs->query_off = b->query_off;
		pairs->tool_off = b->tool_off;
	}
	for (size_t s = 0, made = 0; s < b->n; s++) {
		done += cost_of(b, s);
		if (done >= total * (double)(made + 1) / (double)pieces || s + 1 == b->n) {
			add_piece(l, b, first, s + 1, &offsets);
			first = s + 1;
			made++;
		}
	}
	return NDL_OK;
}

/* Loss and gradient of a piece, taught if there is a teacher and it is wanted. */
static ndl_status run_piece(const ndl_lanes *l, lane *a, ndl_loss *loss, float *grad, const float *params,
                            const ndl_batch *batch, const ndl_loss_options *o)
{
	ndl_loss_options own = *o;
	ndl_taught taught;
	if (l->teacher_ps && o->teacher_weight > 0 && batch->n > 0) {
		taught.states = ndl_network_states(a->teacher, l->teacher, batch, &a->err);
		if (!taught.states)
			return a->err.code;
		taught.embedding = ndl_params_get(l->teacher_ps, l->teacher, NDL_P_EMBEDDING, 0);
		taught.d = (size_t)l->teacher_ps->config.d_model;
		own.taught = &taught;
	}
	return ndl_network_loss(a->net, loss, grad, params, batch, &own, &a->err);
}

/* The pieces of one lane, in order. */
static void run_lane(ndl_lanes *l, size_t i, float *grad, const float *params, const ndl_loss_options *o)
{
	lane *a = &l->lane[i];
	a->loss = (ndl_loss){0};
	a->status = NDL_OK;
	if (grad && i > 0) {
		memset(a->grad, 0, l->ps->total * sizeof *a->grad);
		grad = a->grad;
	}
	for (size_t p = i; p < l->n_pieces && a->status == NDL_OK; p += NDL_LANES) {
		ndl_loss part = {0}; /* stays so where the teacher fails */
		a->status = run_piece(l, a, &part, grad, params, &l->piece[p].batch, o);
		ndl_loss_add(&a->loss, &part, 1);
	}
}

static ndl_status make_gradients(ndl_lanes *l, ndl_error *err)
{
	for (int i = 1; i < NDL_LANES; i++)
		if (!l->lane[i].grad && !(l->lane[i].grad = ndl_params_new(l->ps)))
			return ndl_fail_nomem(err, "gradients");
	return NDL_OK;
}

/* The other lanes' to the first one's, in order. */
static void add_gradients(const ndl_lanes *l, float *grad)
{
	size_t total = l->ps->total;
#pragma omp parallel for num_threads(ndl_exec_threads(l->x))
	for (size_t i = 0; i < total; i++) {
		float sum = l->lane[1].grad[i];
		for (int j = 2; j < NDL_LANES; j++)
			sum += l->lane[j].grad[i];
		grad[i] += sum;
	}
}

/* Threads inside of lanes, and nowhere else: returns what was allowed before. */
static int allow_levels(int levels)
{
	int before = levels;
#ifdef _OPENMP
	before = omp_get_max_active_levels();
	omp_set_max_active_levels(levels);
#endif
	return before;
}

ndl_status ndl_lanes_loss(ndl_lanes *l, ndl_loss *loss, float *grad, const float *params, const ndl_batch *batch,
                          const ndl_loss_options *o, ndl_error *err)
{
	ndl_loss_options part = *o;
	*loss = (ndl_loss){0};
	ndl_status status = cut(l, batch, err);
	if (status == NDL_OK && grad)
		status = make_gradients(l, err);
	if (status != NDL_OK)
		return status;
	part.of_rows = batch->dec_off[batch->n];
	part.of_tokens = 0;
	for (size_t i = 0; i < part.of_rows; i++)
		part.of_tokens += batch->cls[i] < NDL_CLASS_COUNT;
	int levels = allow_levels(2);
#pragma omp parallel for schedule(dynamic, 1) num_threads(l->threads)
	for (size_t i = 0; i < NDL_LANES; i++) {
		ndl_exec_set_precision(l->lane[i].x, ndl_exec_precision(l->x));
		run_lane(l, i, grad, params, &part);
	}
	allow_levels(levels);
	for (size_t i = 0; i < NDL_LANES; i++) {
		if (l->lane[i].status != NDL_OK) {
			if (err)
				*err = l->lane[i].err;
			return l->lane[i].status;
		}
		ndl_loss_add(loss, &l->lane[i].loss, 1);
	}
	if (grad)
		add_gradients(l, grad);
	return NDL_OK;
}
