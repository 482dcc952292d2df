/* run_state.c - the state file and the model file of a run. */
#include "train/run_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options that the result depends on, as text: written to the state file, compared on loading. */
enum { MAX_OPTIONS = 40, OPTION_TEXT = 48 };
#define NO_OPTION "none"
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

static void add_hash(option_list *l, const char *key, uint64_t hash)
{
	l->key[l->n] = key;
	snprintf(l->value[l->n++], OPTION_TEXT, "%016llx", (unsigned long long)hash);
}

static void list_teacher(option_list *l, const ndl_run *r)
{
	const ndl_distil *teacher = r->o.teacher;
	if (!teacher) {
		l->key[l->n] = "option.teacher";
		strcpy(l->value[l->n++], NO_OPTION);
		return;
	}
	add_hash(l, "option.teacher", teacher->hash);
	add_number(l, "option.teacher_weight", (double)r->o.loss.teacher_weight);
	add_number(l, "option.teacher_temperature", (double)r->o.loss.teacher_temperature);
}

static void list_options(option_list *l, const ndl_run *r)
{
	const ndl_run_options *o = &r->o;
	l->n = 0;
	add_number(l, "option.adam_lr", o->optimiser.adam_lr);
	add_number(l, "option.muon_lr", o->optimiser.muon_lr);
	add_number(l, "option.weight_decay", o->optimiser.weight_decay);
	add_number(l, "option.clip_norm", o->optimiser.clip_norm);
	add_number(l, "option.seed", (double)o->seed);
	add_number(l, "option.qat_every", (double)o->qat_every);
	add_number(l, "option.qat_embedding", (double)o->qat_embedding);
	add_number(l, "option.qat_group", (double)o->qat_group);
	if (o->qat_embedding)
		add_number(l, "option.qat_embedding_group", (double)o->qat_embedding_group);
	add_number(l, "option.contrastive_every", (double)o->contrastive_every);
	add_number(l, "option.accumulate", (double)o->accumulate);
	add_number(l, "option.average", o->average);
	add_number(l, "option.freeze", (double)o->freeze);
	add_number(l, "option.lora_rank", (double)o->lora_rank);
	if (o->lora_rank) /* without, the state has all of what the base gave */
		add_hash(l, "option.base", ndl_hash64(r->lora.base, r->ps.total * sizeof *r->lora.base, 0));
	add_number(l, "option.z_weight", (double)o->loss.z_weight);
	add_number(l, "option.contrastive_weight", (double)o->loss.contrastive_weight);
	static const char *const classes[NDL_CLASS_COUNT] = {
		"option.weight_structure", "option.weight_name", "option.weight_value", "option.weight_key"};
	for (int i = 0; i < NDL_CLASS_COUNT; i++)
		add_number(l, classes[i], (double)o->loss.class_weight[i]);
	add_number(l, "option.precision", (double)ndl_exec_precision(r->x));
	list_teacher(l, r);
}

/* The shape and windows, as ndl_config_to_writer names them. */
static void list_config(option_list *l, const ndl_config *c)
{
	add_number(l, "num_heads", c->num_heads);
	add_number(l, "num_kv_heads", c->num_kv_heads);
	add_number(l, "num_encoder_layers", c->num_encoder_layers);
	add_number(l, "num_decoder_layers", c->num_decoder_layers);
	add_number(l, "d_model", c->d_model);
	add_number(l, "contrastive_dim", c->contrastive_dim);
	add_number(l, "max_enc_len", c->max_enc_len);
	add_number(l, "max_dec_len", c->max_dec_len);
}

static ndl_status put_options(const ndl_run *r, ndl_ckpt_writer *w, const char *const *extra, ndl_error *err)
{
	option_list l;
	ndl_status status = NDL_OK;
	list_options(&l, r);
	add_number(&l, "option.warmup", (double)r->o.schedule.warmup);
	add_number(&l, "schedule.total", (double)r->o.schedule.total);
	add_number(&l, "schedule.decay", (double)r->o.schedule.decay);
	for (size_t i = 0; i < l.n && status == NDL_OK; i++)
		status = ndl_ckpt_writer_meta(w, l.key[i], l.value[i], err);
	for (; extra && *extra && status == NDL_OK; extra += 2)
		status = ndl_ckpt_writer_meta(w, extra[0], extra[1], err);
	return status;
}

/* Earlier versions said nothing of a teacher, which they had not, nor of groups, which were of 32. */
static const char *saved_option(const ndl_ckpt *c, const char *key)
{
	const char *saved = ndl_ckpt_meta(c, key);
	return saved ? saved : strncmp(key, "option.qat_", 11) == 0 && strstr(key, "_group") ? "32" : NO_OPTION;
}

static ndl_status compare(const ndl_ckpt *c, const char *key, const char *value, ndl_error *err)
{
	const char *saved = saved_option(c, key);
	if (strcmp(saved, value) == 0)
		return NDL_OK;
	const char *dot = strchr(key, '.');
	return ndl_fail(err, NDL_EINVAL, "cannot resume: %s is %s, but the saved run had %s", dot ? dot + 1 : key, value,
	                saved);
}

static double meta_number(const ndl_ckpt *c, const char *key)
{
	const char *text = ndl_ckpt_meta(c, key);
	return text ? strtod(text, NULL) : -1;
}

/* The length of a run may change while the rate has not begun to fall in either plan: until then the steps are the same,
 * which is what the schedule is liked for (warming up is a share of the length: it has to be over, or as long). Later it may
 * only be brought to its end sooner: a rate that rises again undoes what its fall has won. */
static ndl_status check_schedule(const ndl_run *r, const ndl_ckpt *c, uint64_t step, ndl_error *err)
{
	const ndl_schedule *s = &r->o.schedule;
	double total = meta_number(c, "schedule.total"), decay = meta_number(c, "schedule.decay");
	double warmup = meta_number(c, "option.warmup");
	if (!(decay >= 0 && decay <= total && warmup >= 0 && warmup <= total && total <= 1e15)) /* nor NaN */
		return ndl_fail(err, NDL_EFORMAT, "cannot resume: the state names no schedule");
	ndl_schedule planned = {(uint64_t)total, (uint64_t)warmup, (uint64_t)decay, s->floor};
	if (planned.warmup != s->warmup && (step < planned.warmup || step < s->warmup))
		return ndl_fail(err, NDL_EINVAL, "cannot resume: warmup is %llu, but the saved run had %.0f and is at step %llu",
		                (unsigned long long)s->warmup, warmup, (unsigned long long)step);
	if (ndl_schedule_factor(s, step) <= ndl_schedule_factor(&planned, step))
		return NDL_OK;
	return ndl_fail(err, NDL_EINVAL, "cannot resume: the run was planned for %.0f steps with a decay over the last %.0f, "
	                "and is too far on at step %llu to take longer", total, decay, (unsigned long long)step);
}

static ndl_status check_options(const ndl_run *r, const ndl_ckpt *c, const char *const *extra, ndl_error *err)
{
	option_list l;
	ndl_status status = NDL_OK;
	list_options(&l, r);
	list_config(&l, &r->ps.config);
	if ((float)meta_number(c, "rope_theta") != r->ps.config.rope_theta)
		return ndl_fail(err, NDL_EINVAL, "cannot resume: rope_theta is %g, but the saved run had %g",
		                (double)r->ps.config.rope_theta, meta_number(c, "rope_theta"));
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

/* The arrays of a run, each of n floats; data NULL: it has none of this kind. */
enum { STATE_ARRAYS = 7 };
typedef struct state_array {
	const char *name;
	float *data;
	size_t n;
} state_array;

static void list_arrays(state_array out[STATE_ARRAYS], const ndl_run *r)
{
	size_t total = r->ps.total, factors = r->lora.total;
	const state_array all[STATE_ARRAYS] = {
		{"state/params", r->w, total}, {"state/m", r->opt.m, total}, {"state/v", r->opt.v, total}, {"state/mean", r->mean, total},
		{"state/lora", r->lora.ab, factors}, {"state/lora_m", r->lora.m, factors}, {"state/lora_v", r->lora.v, factors},
	};
	memcpy(out, all, sizeof all);
}

ndl_status ndl_run_save(const ndl_run *r, const char *path, const char *const *extra, ndl_error *err)
{
	uint64_t steps[2] = {r->step, r->opt.step};
	size_t two = 2, words = sizeof r->place / sizeof(uint64_t);
	state_array arrays[STATE_ARRAYS];
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(err);
	if (!w)
		return NDL_ENOMEM;
	ndl_status status = ndl_config_to_writer(&r->ps.config, w, err);
	if (status == NDL_OK)
		status = put_options(r, w, extra, err);
	if (status == NDL_OK)
		status = put_tokenizer(r, w, err);
	list_arrays(arrays, r);
	for (size_t i = 0; i < STATE_ARRAYS && status == NDL_OK; i++)
		if (arrays[i].data)
			status = ndl_ckpt_writer_add(w, arrays[i].name, NDL_F32, 1, &arrays[i].n, arrays[i].data, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_add(w, "state/steps", NDL_U64, 1, &two, steps, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_add(w, "state/data", NDL_U64, 1, &words, &r->place, err);
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
	uint64_t steps[2];
	size_t len;
	state_array arrays[STATE_ARRAYS];
	if (!ndl_ckpt_find(c, "state/params"))
		return ndl_fail(err, NDL_EFORMAT, "not a training state");
	ndl_status status = check_options(r, c, extra, err);
	const void *bytes = ndl_tok_model_bytes(r->tok, &len);
	const ndl_tensor *vocab = ndl_ckpt_find(c, NDL_TOKENIZER_TENSOR);
	if (status == NDL_OK && (!vocab || vocab->bytes != len || memcmp(vocab->data, bytes, len) != 0))
		status = ndl_fail(err, NDL_EINVAL, "cannot resume: the saved run had another vocabulary");
	list_arrays(arrays, r);
	for (size_t i = 0; i < STATE_ARRAYS && status == NDL_OK; i++)
		if (arrays[i].data)
			status = get_array(c, arrays[i].name, NDL_F32, arrays[i].data, arrays[i].n, err);
	if (status == NDL_OK)
		status = get_array(c, "state/steps", NDL_U64, steps, 2, err);
	if (status == NDL_OK)
		status = check_schedule(r, c, steps[0], err);
	if (status == NDL_OK)
		status = get_array(c, "state/data", NDL_U64, &r->place, sizeof r->place / sizeof(uint64_t), err);
	if (status == NDL_OK)
		status = ndl_dataset_seek(r->data, &r->place, err);
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
