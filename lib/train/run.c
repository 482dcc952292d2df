#include "train/run_internal.h"

#include "base/mem.h"
#include "quant/quant.h"
#include "train/rows.h"
#include "train/widen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ndl_run_free(ndl_run *r)
{
	if (!r)
		return;
	ndl_lanes_free(r->lanes);
	ndl_optimiser_clear(&r->opt);
	ndl_lora_clear(&r->lora);
	free(r->w);
	free(r->grad);
	free(r->fake);
	free(r->mean);
	free(r);
}

ndl_run *ndl_run_new(const ndl_run_options *o, const ndl_config *config, const ndl_ckpt *base, const ndl_tok *tok,
                     ndl_dataset *data, ndl_exec *x, ndl_error *err)
{
	ndl_run *r = calloc(1, sizeof *r);
	if (!r) {
		ndl_fail_nomem(err, "training run");
		return NULL;
	}
	r->o = *o;
	r->tok = tok;
	r->data = data;
	r->x = x;
	if (data)
		ndl_dataset_position(data, &r->place);
	ndl_params_layout(&r->ps, config);
	r->w = ndl_params_new(&r->ps);
	r->grad = ndl_params_new(&r->ps);
	if (o->average > 0)
		r->mean = ndl_params_new(&r->ps);
	if (!r->w || !r->grad || (o->average > 0 && !r->mean)) {
		ndl_fail_nomem(err, "parameters");
		goto fail;
	}
	r->lanes = ndl_lanes_new(&r->ps, x, err);
	if (!r->lanes || (!o->lora_rank && ndl_optimiser_init(&r->opt, &r->ps, &o->optimiser, err) != NDL_OK))
		goto fail;
	if (o->teacher && ndl_lanes_teach(r->lanes, &o->teacher->ps, o->teacher->w, err) != NDL_OK)
		goto fail;
	if (!base)
		ndl_params_init(&r->ps, r->w, o->seed);
	else if (ndl_params_read_wide(&r->ps, r->w, base, o->seed, err) != NDL_OK)
		goto fail;
	if (r->mean)
		memcpy(r->mean, r->w, r->ps.total * sizeof *r->w);
	for (int id = 0; id < NDL_P_COUNT; id++)
		r->frozen[id] = (o->freeze & ndl_param_part((ndl_param_id)id)) != 0;
	if (o->lora_rank && ndl_lora_init(&r->lora, &r->ps, r->w, o->lora_rank, o->seed, err) != NDL_OK)
		goto fail;
	return r;
fail:
	ndl_run_free(r);
	return NULL;
}

uint64_t ndl_run_steps(const ndl_run *r) { return r->step; }

size_t ndl_run_parameters(const ndl_run *r)
{
	size_t n = 0;
	for (int id = 0; id < NDL_P_COUNT; id++)
		n += r->ps.p[id].size;
	return n;
}

/* A step ------------------------------------------------------------------------------- */

/* As the file will have it; weights that stay floats there are rounded as the reference does (SPEC 8). */
static size_t qat_group(size_t in, size_t group)
{
	group = ndl_quant_group(in, group);
	return group ? group : 32;
}

static void fake_embedding(ndl_run *r)
{
	const ndl_slot *p = &r->ps.p[NDL_P_EMBEDDING];
	float *rows = ndl_params_at(&r->ps, r->fake, NDL_P_EMBEDDING, 0);
	size_t group = qat_group(p->cols, r->o.qat_embedding_group);
#pragma omp parallel for num_threads(ndl_exec_threads(r->x))
	for (size_t i = 0; i < p->rows; i++)
		ndl_fake_quant(rows + i * p->cols, rows + i * p->cols, p->cols, 1, group);
}

/* Kernels rounded to INT4 and back, and the embedding if asked for, all else as it is; the gradient at these
 * values is taken as the gradient at the real ones (straight-through). */
static ndl_status make_fake(ndl_run *r, ndl_error *err)
{
	if (!r->fake)
		r->fake = ndl_params_new(&r->ps);
	if (!r->fake)
		return ndl_fail_nomem(err, "quantised copy of the parameters");
	memcpy(r->fake, r->w, r->ps.total * sizeof *r->w);
	for (int id = 0; id < NDL_P_COUNT; id++) {
		const ndl_slot *p = &r->ps.p[id];
		if (p->kind != NDL_PARAM_KERNEL)
			continue;
#pragma omp parallel for num_threads(ndl_exec_threads(r->x))
		for (size_t l = 0; l < p->copies; l++) {
			float *k = ndl_params_at(&r->ps, r->fake, (ndl_param_id)id, (int)l);
			ndl_fake_quant(k, k, p->rows, p->cols, qat_group(p->rows, r->o.qat_group));
		}
	}
	if (r->o.qat_embedding)
		fake_embedding(r);
	return NDL_OK;
}

static bool is_turn(uint64_t step, uint64_t every)
{
	return every > 0 && step % every == every - 1;
}

/* Loss and gradient of the step's batches. Returns how many batches there were, or < 0. */
static int gather(ndl_run *r, ndl_step_report *report, const float *w, ndl_error *err)
{
	uint64_t want = r->o.accumulate ? r->o.accumulate : 1, got = 0;
	bool pairs = is_turn(r->step, r->o.contrastive_every);
	for (; got < want; got++) {
		ndl_batch b;
		ndl_loss loss;
		int rc = ndl_dataset_next(r->data, &b, err);
		/* An end of the data may be that of a producer stopped as well, and an error a wait cut short: drawn again by the next run. */
		if (r->o.stop && *r->o.stop)
			return 0;
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		if (!pairs)
			b.n_pairs = 0;
		ndl_status status = ndl_lanes_loss(r->lanes, &loss, r->grad, w, &b, &r->o.loss, err);
		if (status != NDL_OK)
			return status;
		ndl_loss_add(&report->loss, &loss, 1);
		report->examples += b.n;
		report->enc_tokens += b.enc_off[b.n];
		report->dec_tokens += b.dec_off[b.n];
	}
	if (got > 1) {
		float share = 1.0f / (float)got;
		ndl_loss sum = report->loss;
		report->loss = (ndl_loss){0};
		ndl_loss_add(&report->loss, &sum, (double)share);
		ndl_rows_scale_add(r->x, r->grad, share, r->grad, 0, r->grad, r->ps.total);
	}
	return (int)got;
}

/* Changes the parameters. Returns the norm of the gradient of those that are trained; one that is not
 * finite has changed nothing. */
static double update(ndl_run *r, double lr_factor)
{
	for (int id = 0; id < NDL_P_COUNT; id++) /* what is frozen has no say in the norm, nor in the factors */
		if (r->frozen[id])
			memset(r->grad + r->ps.p[id].offset, 0, r->ps.p[id].size * sizeof *r->grad);
	if (!r->lora.rank)
		return ndl_optimiser_step(&r->opt, r->x, r->w, r->grad, lr_factor, r->frozen);
	double norm = ndl_lora_step(&r->lora, r->x, r->grad, &r->o.optimiser, r->opt.step, lr_factor);
	if (isfinite(norm)) {
		r->opt.step++;
		ndl_lora_merge(&r->lora, r->x, r->w);
	}
	return norm;
}

static void update_mean(ndl_run *r)
{
	/* Young averages follow faster: a fixed decay would remember the initialisation for long. */
	double t = (double)r->step, decay = fmin(r->o.average, (1 + t) / (10 + t));
	float keep = (float)decay, take = (float)(1 - decay);
#pragma omp parallel for num_threads(ndl_exec_threads(r->x))
	for (size_t i = 0; i < r->ps.total; i++)
		r->mean[i] = keep * r->mean[i] + take * r->w[i];
}

int ndl_run_step(ndl_run *r, ndl_step_report *report, ndl_error *err)
{
	if (r->step >= r->o.schedule.total)
		return 0;
	*report = (ndl_step_report){.qat = is_turn(r->step, r->o.qat_every)};
	if (report->qat) {
		ndl_status status = make_fake(r, err);
		if (status != NDL_OK)
			return status;
	}
	memset(r->grad, 0, r->ps.total * sizeof *r->grad);
	int batches = gather(r, report, report->qat ? r->fake : r->w, err);
	if (batches <= 0)
		return batches;
	report->lr_factor = ndl_schedule_factor(&r->o.schedule, r->step);
	if (!isfinite(report->loss.total))
		return ndl_fail(err, NDL_ELIMIT, "the loss is not a number at step %llu: a lower --lr may help",
		                (unsigned long long)r->step + 1);
	report->grad_norm = update(r, report->lr_factor);
	if (report->grad_norm < 0)
		return ndl_fail_nomem(err, "optimiser's working memory");
	if (!isfinite(report->grad_norm))
		return ndl_fail(err, NDL_ELIMIT, "the gradient is not finite at step %llu: a lower --lr may help",
		                (unsigned long long)r->step + 1);
	r->step++;
	report->step = r->step;
	ndl_dataset_position(r->data, &r->place);
	if (r->mean)
		update_mean(r);
	return 1;
}

ndl_status ndl_run_evaluate(ndl_run *r, ndl_dataset *data, ndl_loss *mean, ndl_error *err)
{
	ndl_batch b;
	ndl_loss sum = {0};
	ndl_loss_options o = r->o.loss;
	int rc;
	o.teacher_weight = 0;
	while ((rc = ndl_dataset_next(data, &b, err)) > 0) {
		ndl_loss loss;
		b.n_pairs = 0;
		ndl_status status = ndl_lanes_loss(r->lanes, &loss, NULL, r->mean ? r->mean : r->w, &b, &o, err);
		if (status != NDL_OK)
			return status;
		ndl_loss_add(&sum, &loss, (double)loss.tokens);
	}
	if (rc < 0)
		return (ndl_status)rc;
	*mean = (ndl_loss){0};
	if (sum.tokens)
		ndl_loss_add(mean, &sum, 1.0 / (double)sum.tokens);
	return NDL_OK;
}
