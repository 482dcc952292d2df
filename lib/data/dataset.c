#include "data/dataset.h"

#include "base/mem.h"
#include "data/lines_internal.h"
#include "data/source.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_BATCH = 1 << 16,
	MAX_FRUITLESS = 1000000, /* rows of a stream in succession that give no example */
};

/* Sequences laid end to end. */
typedef struct packed {
	ndl_ids ids;
	size_t *off, off_cap;
	size_t n;
} packed;

/* One row on its way into a batch. */
typedef struct job {
	ndl_draw row;
	int outcome;
	ndl_error err;
} job;

struct ndl_dataset {
	ndl_dataset_options o;
	ndl_example_options make;
	ndl_source *source;
	ndl_dataset_counts counts;
	ndl_example *slot; /* batch_size of them: the examples of the batch being made */
	job *job;          /* batch_size */
	packed enc, dec_in, dec_out, query, tool;
	uint8_t *cls;
	size_t cls_cap;
	uint64_t fruitless;
};

/* Opening and closing ------------------------------------------------------------------ */

static ndl_status check_options(const ndl_dataset *d, ndl_error *err)
{
	if (d->o.batch_size > MAX_BATCH)
		return ndl_fail(err, NDL_EINVAL, "batch size %zu is over %d", d->o.batch_size, MAX_BATCH);
	if (d->make.config.max_enc_len < 3 || d->make.config.max_dec_len < 3)
		return ndl_fail(err, NDL_EINVAL, "windows of %d and %d tokens are too short", d->make.config.max_enc_len,
		                d->make.config.max_dec_len);
	return NDL_OK;
}

static ndl_status prepare(ndl_dataset *d, const ndl_dataset_options *o, const ndl_tok *tok,
                          const ndl_config *config, ndl_error *err)
{
	d->o = *o;
	if (d->o.batch_size == 0)
		d->o.batch_size = 32;
	d->make = (ndl_example_options){tok, *config, o->pairs, o->heldout, o->loosen};
	if (o->max_enc_len)
		d->make.config.max_enc_len = o->max_enc_len;
	if (o->max_dec_len)
		d->make.config.max_dec_len = o->max_dec_len;
	ndl_status rc = check_options(d, err);
	if (rc != NDL_OK)
		return rc;
	d->slot = ndl_calloc(d->o.batch_size, sizeof *d->slot);
	d->job = ndl_calloc(d->o.batch_size, sizeof *d->job);
	if (!d->slot || !d->job)
		return ndl_fail_nomem(err, "dataset");
	d->source = ndl_source_open(&d->o, err);
	return d->source ? NDL_OK : NDL_EIO;
}

ndl_dataset *ndl_dataset_open(const ndl_dataset_options *o, const ndl_tok *tok, const ndl_config *config,
                              ndl_error *err)
{
	ndl_dataset *d = calloc(1, sizeof *d);
	if (!d) {
		ndl_fail_nomem(err, "dataset");
		return NULL;
	}
	if (prepare(d, o, tok, config, err) != NDL_OK) {
		ndl_dataset_close(d);
		return NULL;
	}
	return d;
}

static void packed_clear(packed *p)
{
	ndl_ids_clear(&p->ids);
	free(p->off);
}

void ndl_dataset_close(ndl_dataset *d)
{
	if (!d)
		return;
	for (size_t i = 0; d->slot && i < d->o.batch_size; i++)
		ndl_example_clear(&d->slot[i]);
	packed *all[] = {&d->enc, &d->dec_in, &d->dec_out, &d->query, &d->tool};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		packed_clear(all[i]);
	free(d->slot);
	free(d->job);
	free(d->cls);
	ndl_source_close(d->source);
	free(d);
}

/* Rows to examples --------------------------------------------------------------------- */

static void run_job(const ndl_dataset *d, job *j, ndl_example *x)
{
	ndl_rng rng;
	j->err = (ndl_error)NDL_ERROR_INIT;
	if (j->row.rc == 0 && j->row.owned && d->o.tools)
		j->row.rc = ndl_line_add_tools(&j->row.text, &j->row.len, d->o.tools, &j->err);
	if (j->row.rc == NDL_ENOMEM) {
		j->outcome = j->row.rc;
		return;
	}
	if (j->row.rc < 0) {
		j->outcome = ndl_fail(&j->err, (ndl_status)j->row.rc, "the line is too long");
		return;
	}
	ndl_rng_seed(&rng, d->o.seed, (j->row.epoch << 40) ^ j->row.number);
	j->outcome = ndl_example_make(x, &d->make, j->row.text, j->row.len, d->o.as_given ? NULL : &rng, &j->err);
}

/* Draws up to `want` rows and makes their examples in slot[have…]. Number of rows, or negative. */
static long run_jobs(ndl_dataset *d, size_t have, size_t want, ndl_error *err)
{
	size_t n = 0;
	int got = 1, threads = ndl_data_threads(d->o.threads);
	(void)threads; /* unused without OpenMP */
	while (n < want && (got = ndl_source_draw(d->source, &d->job[n].row, err)) > 0)
		n++;
	if (got < 0) {
		for (size_t i = 0; i < n; i++)
			ndl_draw_clear(&d->job[i].row);
		return got;
	}
#pragma omp parallel for schedule(dynamic) num_threads(threads)
	for (size_t i = 0; i < n; i++)
		run_job(d, &d->job[i], &d->slot[have + i]);
	return (long)n;
}

static void count_example(ndl_dataset *d, const ndl_example *x)
{
	d->counts.examples++;
	d->counts.tools_left_out += x->tools_left_out > 0;
	d->counts.query_cut += x->query_cut;
	d->counts.refusals += x->calls == 0;
	d->counts.enc_tokens += x->enc.len;
	d->counts.dec_tokens += x->dec.len - 1;
}

/* Books one row. Returns 1 if its example is good, 0 if not, negative to stop. */
static int settle(ndl_dataset *d, job *j, const ndl_example *x, ndl_error *err)
{
	d->counts.rows++;
	d->fruitless = j->outcome == NDL_MADE ? 0 : d->fruitless + 1;
	switch (j->outcome) {
	case NDL_MADE: count_example(d, x); return 1;
	case NDL_HELD_OUT: d->counts.held_out++; return 0;
	case NDL_TOO_LONG_DEC: d->counts.too_long_dec++; return 0;
	case NDL_TOO_LONG_ENC: d->counts.too_long_enc++; return 0;
	default: break;
	}
	ndl_error_at(&j->err, j->row.file, j->row.line);
	if (d->o.strict || j->outcome == NDL_ENOMEM) {
		if (err)
			*err = j->err;
		return j->outcome;
	}
	d->counts.bad++;
	if (d->o.report)
		d->o.report(d->o.report_user, &j->err);
	return 0;
}

/* Every row is useless: say so rather than look for ever. */
static ndl_status check_fruit(const ndl_dataset *d, ndl_error *err)
{
	uint64_t rows = ndl_dataset_rows(d), limit = rows ? 2 * rows : MAX_FRUITLESS;
	if (d->fruitless < limit)
		return NDL_OK;
	return ndl_fail(err, NDL_EINVAL, "none of %llu rows gives an example (windows: %d and %d tokens)",
	                (unsigned long long)d->fruitless, d->make.config.max_enc_len, d->make.config.max_dec_len);
}

/* Fills the slots from the front. Number of examples, or negative. */
static long fill_slots(ndl_dataset *d, ndl_error *err)
{
	size_t have = 0;
	while (have < d->o.batch_size) {
		long n = run_jobs(d, have, d->o.batch_size - have, err), stop = 0;
		if (n <= 0)
			return n < 0 ? n : (long)have;
		size_t first = have;
		for (long i = 0; i < n; i++) {
			ndl_example *x = &d->slot[first + (size_t)i];
			int good = stop < 0 ? 0 : settle(d, &d->job[i], x, err);
			ndl_draw_clear(&d->job[i].row);
			if (good < 0)
				stop = good;
			if (good <= 0)
				continue;
			ndl_example t = d->slot[have]; /* swap, so that every slot keeps its memory */
			d->slot[have] = *x;
			*x = t;
			have++;
		}
		if (stop < 0 || (stop = check_fruit(d, err)) < 0)
			return stop;
	}
	return (long)have;
}

/* Examples to a batch ------------------------------------------------------------------- */

static ndl_status pack(packed *p, const int32_t *ids, size_t n, ndl_error *err)
{
	if (ndl_grow(&p->ids.id, &p->ids.cap, p->ids.len + n, sizeof *p->ids.id) < 0 ||
	    ndl_grow(&p->off, &p->off_cap, p->n + 2, sizeof *p->off) < 0)
		return ndl_fail_nomem(err, "a batch");
	if (n)
		memcpy(p->ids.id + p->ids.len, ids, n * sizeof *ids);
	p->off[0] = 0;
	p->ids.len += n;
	p->off[++p->n] = p->ids.len;
	return NDL_OK;
}

static ndl_status pack_classes(ndl_dataset *d, const ndl_example *x, ndl_error *err)
{
	size_t n = x->dec.len - 1, at = d->dec_out.ids.len - n;
	if (ndl_grow(&d->cls, &d->cls_cap, at + n, 1) < 0)
		return ndl_fail_nomem(err, "a batch");
	memcpy(d->cls + at, x->cls, n);
	return NDL_OK;
}

static ndl_status pack_example(ndl_dataset *d, const ndl_example *x, ndl_error *err)
{
	ndl_status rc = pack(&d->enc, x->enc.id, x->enc.len, err);
	if (rc == NDL_OK)
		rc = pack(&d->dec_in, x->dec.id, x->dec.len - 1, err);
	if (rc == NDL_OK)
		rc = pack(&d->dec_out, x->dec.id + 1, x->dec.len - 1, err);
	return rc == NDL_OK ? pack_classes(d, x, err) : rc;
}

static bool tool_seen(const ndl_dataset *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (d->slot[k].tool.len && d->slot[k].tool_key == d->slot[i].tool_key)
			return true;
	return false;
}

static ndl_status pack_pair(ndl_dataset *d, size_t i, ndl_error *err)
{
	const ndl_example *x = &d->slot[i];
	if (x->tool.len == 0 || tool_seen(d, i))
		return NDL_OK;
	ndl_status rc = pack(&d->query, x->query.id, x->query.len, err);
	return rc == NDL_OK ? pack(&d->tool, x->tool.id, x->tool.len, err) : rc;
}

static ndl_status pack_batch(ndl_dataset *d, size_t n, ndl_error *err)
{
	packed *all[] = {&d->enc, &d->dec_in, &d->dec_out, &d->query, &d->tool};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		all[i]->n = all[i]->ids.len = 0;
		if (ndl_grow(&all[i]->off, &all[i]->off_cap, 1, sizeof *all[i]->off) < 0)
			return ndl_fail_nomem(err, "a batch");
		all[i]->off[0] = 0; /* also without any pair */
	}
	for (size_t i = 0; i < n; i++) {
		ndl_status rc = pack_example(d, &d->slot[i], err);
		if (rc == NDL_OK)
			rc = pack_pair(d, i, err);
		if (rc != NDL_OK)
			return rc;
	}
	return NDL_OK;
}

int ndl_dataset_next(ndl_dataset *d, ndl_batch *out, ndl_error *err)
{
	*out = (ndl_batch){0};
	long n = fill_slots(d, err);
	if (n <= 0)
		return (int)n;
	ndl_status rc = pack_batch(d, (size_t)n, err);
	if (rc != NDL_OK)
		return rc;
	*out = (ndl_batch){
		.n = (size_t)n, .enc = d->enc.ids.id, .enc_off = d->enc.off,
		.dec_in = d->dec_in.ids.id, .dec_out = d->dec_out.ids.id, .cls = d->cls, .dec_off = d->dec_in.off,
		.n_pairs = d->query.n, .query = d->query.ids.id, .tool = d->tool.ids.id,
		.query_off = d->query.off, .tool_off = d->tool.off,
	};
	return 1;
}

/* Positions and counts ------------------------------------------------------------------ */

size_t ndl_dataset_rows(const ndl_dataset *d)
{
	return ndl_source_rows(d->source);
}

void ndl_dataset_position(const ndl_dataset *d, ndl_dataset_state *s)
{
	*s = (ndl_dataset_state){.counts = d->counts};
	ndl_source_where(d->source, &s->epoch, &s->position);
}

ndl_status ndl_dataset_seek(ndl_dataset *d, const ndl_dataset_state *s, ndl_error *err)
{
	ndl_status rc = ndl_source_seek(d->source, s->epoch, s->position, err);
	if (rc == NDL_OK)
		d->counts = s->counts;
	return rc;
}
