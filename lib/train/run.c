#include "train/run.h"

#include "base/mem.h"
#include "quant/quant.h"
#include "train/lanes.h"
#include "train/lora.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Groups of the INT4 fake quantisation, as model files have them. */
enum { QAT_GROUP = 32 };

struct ndl_run {
	ndl_run_options o;
	ndl_params ps;
	const ndl_tok *tok;
	ndl_dataset *data;
	ndl_exec *x;
	ndl_lanes *lanes;
	ndl_optimiser opt;
	ndl_lora lora;  /* rank 0: none */
	unsigned char frozen[NDL_P_COUNT];
	float *w, *grad;
	float *fake;    /* parameters with quantised kernels; made when first needed */
	float *mean;    /* running average, or NULL */
	uint64_t step;
};

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
	if (!r->lanes || ndl_optimiser_init(&r->opt, &r->ps, &o->optimiser, err) != NDL_OK)
		goto fail;
	if (!base)
		ndl_params_init(&r->ps, r->w, o->seed);
	else if (ndl_params_read(&r->ps, r->w, base, o->seed, err) != NDL_OK)
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

/* Kernels rounded to INT4 and back, all else as it is; the gradient at these values is taken as
 * the gradient at the real ones (straight-through). */
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
			ndl_fake_quant(k, k, p->rows, p->cols, QAT_GROUP);
		}
	}
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
		for (size_t i = 0; i < r->ps.total; i++)
			r->grad[i] *= share;
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
	if (r->mean)
		update_mean(r);
	return 1;
}

ndl_status ndl_run_evaluate(ndl_run *r, ndl_dataset *data, ndl_loss *mean, ndl_error *err)
{
	ndl_batch b;
	ndl_loss sum = {0};
	int rc;
	while ((rc = ndl_dataset_next(data, &b, err)) > 0) {
		ndl_loss loss;
		b.n_pairs = 0;
		ndl_status status = ndl_lanes_loss(r->lanes, &loss, NULL, r->mean ? r->mean : r->w, &b, &r->o.loss, err);
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

/* State -------------------------------------------------------------------------------- */

/* Options that the result depends on, as text: written to the state file, compared on loading. */
enum { MAX_OPTIONS = 32, OPTION_TEXT = 48 };
typedef struct option_list {
	size_t n;
	const char *key[MAX_OPTIONS];
	char value[MAX_OPTIONS][OPTION_TEXT];
} option_list;

static void add_number(option_list *l, const char *key, double v)
{
	l->key[l->n] = key;
	snprintf(l->value[l->n++], OPTION_TEXT, "%.17g", v);
}

static void list_options(option_list *l, const ndl_run *r)
{
	const ndl_run_options *o = &r->o;
	l->n = 0;
	add_number(l, "option.adam_lr", o->optimiser.adam_lr);
	add_number(l, "option.muon_lr", o->optimiser.muon_lr);
	add_number(l, "option.weight_decay", o->optimiser.weight_decay);
	add_number(l, "option.clip_norm", o->optimiser.clip_norm);
	add_number(l, "option.warmup", (double)o->schedule.warmup);
	add_number(l, "option.seed", (double)o->seed);
	add_number(l, "option.qat_every", (double)o->qat_every);
	add_number(l, "option.contrastive_every", (double)o->contrastive_every);
	add_number(l, "option.accumulate", (double)o->accumulate);
	add_number(l, "option.average", o->average);
	add_number(l, "option.freeze", (double)o->freeze);
	add_number(l, "option.lora_rank", (double)o->lora_rank);
	add_number(l, "option.z_weight", (double)o->loss.z_weight);
	add_number(l, "option.contrastive_weight", (double)o->loss.contrastive_weight);
	static const char *const classes[NDL_CLASS_COUNT] = {
		"option.weight_structure", "option.weight_name", "option.weight_value", "option.weight_key"};
	for (int i = 0; i < NDL_CLASS_COUNT; i++)
		add_number(l, classes[i], (double)o->loss.class_weight[i]);
	add_number(l, "option.precision", (double)ndl_exec_precision(r->x));
}

static ndl_status put_options(const ndl_run *r, ndl_ckpt_writer *w, const char *const *extra, ndl_error *err)
{
	option_list l;
	ndl_status status = NDL_OK;
	list_options(&l, r);
	add_number(&l, "schedule.total", (double)r->o.schedule.total);
	add_number(&l, "schedule.decay", (double)r->o.schedule.decay);
	for (size_t i = 0; i < l.n && status == NDL_OK; i++)
		status = ndl_ckpt_writer_meta(w, l.key[i], l.value[i], err);
	for (; extra && *extra && status == NDL_OK; extra += 2)
		status = ndl_ckpt_writer_meta(w, extra[0], extra[1], err);
	return status;
}

static ndl_status compare(const ndl_ckpt *c, const char *key, const char *value, ndl_error *err)
{
	const char *saved = ndl_ckpt_meta(c, key);
	if (saved && strcmp(saved, value) == 0)
		return NDL_OK;
	const char *dot = strchr(key, '.');
	return ndl_fail(err, NDL_EINVAL, "cannot resume: %s is %s, but the saved run had %s", dot ? dot + 1 : key, value,
	                saved ? saved : "none");
}

static double meta_number(const ndl_ckpt *c, const char *key)
{
	const char *text = ndl_ckpt_meta(c, key);
	return text ? strtod(text, NULL) : -1;
}

/* The length of a run may change as long as the rate has not begun to fall in either plan: until
 * then the steps are the same, which is what the schedule is liked for. */
static ndl_status check_schedule(const ndl_run *r, const ndl_ckpt *c, uint64_t step, ndl_error *err)
{
	const ndl_schedule *s = &r->o.schedule;
	double total = meta_number(c, "schedule.total"), decay = meta_number(c, "schedule.decay");
	if (total == (double)s->total && decay == (double)s->decay)
		return NDL_OK;
	if ((double)step <= total - decay && step + s->decay <= s->total)
		return NDL_OK;
	return ndl_fail(err, NDL_EINVAL, "cannot resume: the run was planned for %.0f steps with a decay over the last %.0f, "
	                "and is too far on at step %llu to change that", total, decay, (unsigned long long)step);
}

static ndl_status check_options(const ndl_run *r, const ndl_ckpt *c, const char *const *extra, ndl_error *err)
{
	option_list l;
	ndl_status status = NDL_OK;
	list_options(&l, r);
	for (size_t i = 0; i < l.n && status == NDL_OK; i++)
		status = compare(c, l.key[i], l.value[i], err);
	for (; extra && *extra && status == NDL_OK; extra += 2)
		status = compare(c, extra[0], extra[1], err);
	return status;
}

static ndl_status put_tokenizer(const ndl_run *r, ndl_ckpt_writer *w, ndl_error *err)
{
	size_t len;
	const void *bytes = ndl_tok_model_bytes(r->tok, &len);
	return ndl_ckpt_writer_add(w, NDL_TOKENIZER_TENSOR, NDL_U8, 1, &len, bytes, err);
}

/* The dataset's state is plain data: kept as the unsigned 64-bit numbers it consists of. */
_Static_assert(sizeof(ndl_dataset_state) % sizeof(uint64_t) == 0, "the dataset state is made of 64-bit numbers");

ndl_status ndl_run_save(const ndl_run *r, const char *path, const char *const *extra, ndl_error *err)
{
	ndl_dataset_state place;
	uint64_t steps[2] = {r->step, r->opt.step};
	size_t total = r->ps.total, two = 2, words = sizeof place / sizeof(uint64_t);
	ndl_dataset_position(r->data, &place);
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(err);
	if (!w)
		return NDL_ENOMEM;
	ndl_status status = ndl_config_to_writer(&r->ps.config, w, err);
	if (status == NDL_OK)
		status = put_options(r, w, extra, err);
	if (status == NDL_OK)
		status = put_tokenizer(r, w, err);
	const struct { const char *name; const float *data; size_t n; } arrays[] = {
		{"state/params", r->w, total}, {"state/m", r->opt.m, total}, {"state/v", r->opt.v, total},
		{"state/mean", r->mean, total}, {"state/lora", r->lora.ab, r->lora.total},
		{"state/lora_m", r->lora.m, r->lora.total}, {"state/lora_v", r->lora.v, r->lora.total}};
	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0] && status == NDL_OK; i++)
		if (arrays[i].data)
			status = ndl_ckpt_writer_add(w, arrays[i].name, NDL_F32, 1, &arrays[i].n, arrays[i].data, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_add(w, "state/steps", NDL_U64, 1, &two, steps, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_add(w, "state/data", NDL_U64, 1, &words, &place, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_finish(w, path, err);
	ndl_ckpt_writer_free(w);
	return status;
}

static ndl_status get_array(const ndl_ckpt *c, const char *name, ndl_dtype dtype, void *out, size_t n, ndl_error *err)
{
	const ndl_tensor *t = ndl_ckpt_find(c, name);
	if (!t || t->dtype != dtype || t->rank != 1 || t->shape[0] != n)
		return ndl_fail(err, NDL_EFORMAT, "tensor %s: expected %s [%zu]", name, ndl_dtype_name(dtype), n);
	memcpy(out, t->data, t->bytes);
	return NDL_OK;
}

static ndl_status load_from(ndl_run *r, const ndl_ckpt *c, const char *const *extra, ndl_error *err)
{
	ndl_dataset_state place;
	uint64_t steps[2];
	size_t total = r->ps.total, len;
	if (!ndl_ckpt_find(c, "state/params"))
		return ndl_fail(err, NDL_EFORMAT, "not a training state");
	ndl_status status = check_options(r, c, extra, err);
	const void *bytes = ndl_tok_model_bytes(r->tok, &len);
	const ndl_tensor *vocab = ndl_ckpt_find(c, NDL_TOKENIZER_TENSOR);
	if (status == NDL_OK && (!vocab || vocab->bytes != len || memcmp(vocab->data, bytes, len) != 0))
		status = ndl_fail(err, NDL_EINVAL, "cannot resume: the saved run had another vocabulary");
	const struct { const char *name; float *data; size_t n; } arrays[] = {
		{"state/params", r->w, total}, {"state/m", r->opt.m, total}, {"state/v", r->opt.v, total},
		{"state/mean", r->mean, total}, {"state/lora", r->lora.ab, r->lora.total},
		{"state/lora_m", r->lora.m, r->lora.total}, {"state/lora_v", r->lora.v, r->lora.total}};
	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0] && status == NDL_OK; i++)
		if (arrays[i].data)
			status = get_array(c, arrays[i].name, NDL_F32, arrays[i].data, arrays[i].n, err);
	if (status == NDL_OK)
		status = get_array(c, "state/steps", NDL_U64, steps, 2, err);
	if (status == NDL_OK)
		status = check_schedule(r, c, steps[0], err);
	if (status == NDL_OK)
		status = get_array(c, "state/data", NDL_U64, &place, sizeof place / sizeof(uint64_t), err);
	if (status == NDL_OK)
		status = ndl_dataset_seek(r->data, &place, err);
	if (status != NDL_OK)
		return status;
	r->step = steps[0];
	r->opt.step = steps[1];
	return NDL_OK;
}

ndl_status ndl_run_load(ndl_run *r, const char *path, const char *const *extra, ndl_error *err)
{
	ndl_ckpt *c = ndl_ckpt_open(path, err);
	if (!c)
		return err && err->code ? err->code : NDL_EIO;
	ndl_status status = load_from(r, c, extra, err);
	if (status != NDL_OK)
		ndl_error_at(err, path, 0);
	ndl_ckpt_close(c);
	return status;
}

ndl_status ndl_run_write_model(const ndl_run *r, const char *path, const char *const *meta, ndl_error *err)
{
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(err);
	if (!w)
		return NDL_ENOMEM;
	ndl_status status = ndl_config_to_writer(&r->ps.config, w, err);
	for (; meta && *meta && status == NDL_OK; meta += 2)
		status = ndl_ckpt_writer_meta(w, meta[0], meta[1], err);
	if (status == NDL_OK)
		status = put_tokenizer(r, w, err);
	if (status == NDL_OK)
		status = ndl_params_write(&r->ps, r->mean ? r->mean : r->w, "", w, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_finish(w, path, err);
	ndl_ckpt_writer_free(w);
	return status;
}
