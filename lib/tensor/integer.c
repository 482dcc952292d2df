/* integer.c - products of rounded rows with quantised weights: panel by panel for many rows, each weight
 * unpacked once; where it lies for a few. A row's result depends on itself, and on whether it is one of a few. */
#include "tensor/integer.h"
#include "tensor/weight_internal.h"

#include "base/mem.h"

enum {
	FEW = 4,           /* rows up to which unpacking does not pay */
	PIECE = 256,       /* outputs of a piece of work for few rows */
	ROW_WORK = 20000,  /* values; below this, waking threads costs more than it saves */
	BYTE_WORK = 1 << 16, /* bytes of weights read, for few rows: the same */
	SUM_WORK = 1000000 /* products, for many rows */
};

static size_t panel_room(void)
{
	return (size_t)NDL_EXEC_NC_SERIAL * NDL_GEMM_MAX_KC_BYTES; /* ndl_scratch.b */
}

bool ndl_weight_integer(const ndl_exec *ex, const ndl_weight *w)
{
	return ex->precision == NDL_PRECISION_INT8 && (w->type == NDL_W_I8 || w->type == NDL_W_I4) &&
	       w->in % NDL_INT_GROUP == 0 && w->group % NDL_INT_GROUP == 0 &&
	       ndl_int_stored_bytes(&ex->kernels.integer, w->in) <= panel_room();
}

size_t ndl_int_rows_bytes(size_t m, size_t in)
{
	size_t n;
	in = (in + NDL_INT_GROUP - 1) / NDL_INT_GROUP * (NDL_INT_GROUP + 2 * sizeof(float));
	return ndl_mul_ok(m, in, &n) ? n : 0;
}

ndl_int_rows ndl_int_rows_in(void *memory, size_t m, size_t in)
{
	size_t groups = m * ((in + NDL_INT_GROUP - 1) / NDL_INT_GROUP);
	float *scale = memory;
	int32_t *sum = (int32_t *)(scale + groups);
	return (ndl_int_rows){in, (int8_t *)(sum + groups), scale, sum, false};
}

/* Rows ------------------------------------------------------------------------------------ */

typedef struct set_job {
	const ndl_kernels *k;
	const ndl_inputs *in;
	const float *x, *norm;
	float *y, *sum, gate; /* sum: NULL or x */
} set_job;

static void set_row(void *arg, size_t t, int thread)
{
	const set_job *j = arg;
	const ndl_int_rows *r = &j->in->rows;
	const size_t n = r->in;
	(void)thread;
	if (j->sum)
		j->k->axpy(j->sum + t * n, j->gate, j->y + t * n, n);
	if (j->norm)
		j->k->rmsnorm(j->y + t * n, NULL, j->x + t * n, j->norm, 1, n);
	if (!j->in->rounded)
		return;
	const size_t pieces = r->grouped ? n / NDL_INT_GROUP : 1, size = n / pieces;
	for (size_t g = t * pieces; g < (t + 1) * pieces; g++)
		j->k->integer.quantize(r->code + g * size, r->scale + g, r->sum + g, j->in->x + g * size, size);
}

static void set_rows(ndl_exec *ex, set_job *j, ndl_inputs *in, size_t m, const ndl_weight *w)
{
	j->k = &ex->kernels;
	j->in = in;
	in->x = j->norm ? j->y : j->x;
	in->m = m;
	in->rounded = ndl_weight_integer(ex, w);
	in->rows.in = w->in;
	in->rows.grouped = m <= FEW; /* more exact; of so few rows it is the weights that take the time */
	if (j->sum || j->norm || in->rounded)
		ndl_exec_share(ex, m * w->in > ROW_WORK, m, set_row, j);
}

void ndl_inputs_set(ndl_exec *ex, ndl_inputs *in, const float *x, size_t m, const float *norm, float *y,
                    const ndl_weight *w)
{
	set_rows(ex, &(set_job){.x = x, .norm = norm, .y = y}, in, m, w);
}

void ndl_inputs_add(ndl_exec *ex, ndl_inputs *in, float *x, float gate, size_t m, const float *norm, float *y,
                    const ndl_weight *w)
{
	set_rows(ex, &(set_job){.x = x, .norm = norm, .y = y, .sum = x, .gate = gate}, in, m, w);
}

/* Pieces ---------------------------------------------------------------------------------- */

/* Pieces of at most `size` outputs of a product. */
static size_t pieces_of(const ndl_product *p, size_t size)
{
	return (p->w->out + size - 1) / size;
}

static size_t count_pieces(const ndl_product *p, size_t n, size_t size)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += pieces_of(&p[i], size);
	return sum;
}

typedef struct products_job {
	ndl_exec *ex;
	const ndl_product *p;
	size_t n, size, pieces; /* products; outputs of a piece at most; pieces of all */
	const ndl_int_rows *r;
	size_t m;
} products_job;

/* The product of a piece, which is of outputs [*at, *at + *outs). Products take turns, each with its share: a head's queries,
 * keys and values come together, and so to the thread that will want them. */
static const ndl_product *find_piece(const products_job *j, size_t piece, size_t *at, size_t *outs)
{
	const ndl_product *p = j->p;
	size_t turns = SIZE_MAX;
	for (size_t i = 0; i < j->n; i++)
		turns = pieces_of(&p[i], j->size) < turns ? pieces_of(&p[i], j->size) : turns;
	size_t t = piece * turns / j->pieces; /* its turn, or the one before */
	for (size_t i = 0; i < j->n; i++)
		piece -= t * pieces_of(&p[i], j->size) / turns;
	for (size_t i = 0;; i = (i + 1) % j->n, t += i == 0) {
		const size_t of = pieces_of(&p[i], j->size), from = t * of / turns, own = (t + 1) * of / turns - from;
		if (piece < own) {
			*at = (from + piece) * j->size;
			*outs = p[i].w->out - *at < j->size ? p[i].w->out - *at : j->size;
			return &p[i];
		}
		piece -= own;
	}
}

static const char *codes_at(const ndl_weight *w, size_t o)
{
	return (const char *)w->data + o * (w->type == NDL_W_I4 ? w->in / 2 : w->in);
}

static const uint16_t *scales_at(const ndl_weight *w, size_t o)
{
	return w->scale + o * (w->in / w->group);
}

static bool fits_gemv(const ndl_int_kernel *k, const ndl_product *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i].w->group & (p[i].w->group - 1)) || p[i].w->in > k->gemv_max || p[i].w->in % k->gemv_unit)
			return false;
	return true;
}

static void few_piece(void *arg, size_t i, int thread)
{
	const products_job *j = arg;
	const ndl_int_kernel *k = &j->ex->kernels.integer;
	size_t o, outs;
	const ndl_product *q = find_piece(j, i, &o, &outs);
	const ndl_weight *w = q->w;
	(void)thread;
	for (size_t t = 0; t < j->m; t++)
		k->gemv[w->type](q->y + t * w->out + o, j->r, t, codes_at(w, o), scales_at(w, o), w->group, NULL, outs);
}

static void few_rows(ndl_exec *ex, const ndl_product *p, size_t n, const ndl_int_rows *r, size_t m)
{
	products_job j = {ex, p, n, PIECE, count_pieces(p, n, PIECE), r, m};
	ndl_exec_share(ex, j.pieces * PIECE * r->in / 2 * m > BYTE_WORK, j.pieces, few_piece, &j);
}

static void many_piece(void *arg, size_t i, int thread)
{
	const products_job *j = arg;
	const ndl_int_kernel *k = &j->ex->kernels.integer;
	size_t o, outs;
	const ndl_product *q = find_piece(j, i, &o, &outs);
	const ndl_weight *w = q->w;
	void *panel = j->ex->scratch[thread].b;
	k->pack[w->type](panel, codes_at(w, o), scales_at(w, o), w->group, w->in, outs);
	k->block_stored[w->type](q->y + o, w->out, j->r, 0, j->m, panel, outs);
}

static void many_rows(ndl_exec *ex, const ndl_product *p, size_t n, const ndl_int_rows *r, size_t m)
{
	const size_t nr = ex->kernels.integer.nr;
	products_job j = {ex, p, n, nr, count_pieces(p, n, nr), r, m};
	ndl_exec_share(ex, j.pieces * nr * r->in * m > SUM_WORK, j.pieces, many_piece, &j);
}

/* All ------------------------------------------------------------------------------------- */

void ndl_linear_all(ndl_exec *ex, const ndl_product *p, size_t n, const ndl_inputs *in)
{
	bool integer = in->rounded;
	for (size_t i = 0; i < n; i++)
		integer = integer && ndl_weight_integer(ex, p[i].w);
	if (!integer)
		for (size_t i = 0; i < n; i++)
			ndl_linear(ex, p[i].y, in->x, in->m, p[i].w);
	else if (in->m <= FEW && fits_gemv(&ex->kernels.integer, p, n))
		few_rows(ex, p, n, &in->rows, in->m);
	else
		many_rows(ex, p, n, &in->rows, in->m);
}

void ndl_linear_some(ndl_exec *ex, float *y, const ndl_weight *w, const int32_t *ids, size_t n, const ndl_inputs *in,
                     float *wide)
{
	const ndl_int_kernel *k = &ex->kernels.integer;
	const ndl_product p = {y, w};
	if (in->rounded && fits_gemv(k, &p, 1)) {
		k->gemv[w->type](y, &in->rows, 0, w->data, w->scale, w->group, ids, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t o = (size_t)ids[i];
		if (in->rounded) {
			k->pack[w->type](ex->scratch[0].b, codes_at(w, o), scales_at(w, o), w->group, w->in, 1);
			k->block_stored[w->type](y + i, 1, &in->rows, 0, 1, ex->scratch[0].b, 1);
		} else {
			ndl_weight_row(ex, wide, w, o);
			y[i] = ex->kernels.dot(in->x, wide, w->in);
		}
	}
}
