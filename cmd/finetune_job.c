#include "cmd/finetune_job.h"

#include "base/outfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The shape that --d-model and --layers ask for. */
static ndl_status grow(finetune_job *j, ndl_error *err)
{
	ndl_config *c = &j->config;
	if (j->o.d_model) {
		if (j->o.d_model % c->d_model != 0)
			return ndl_fail(err, NDL_EINVAL, "the model has a d_model of %d: --d-model takes a multiple of it", c->d_model);
		c->d_model = (int)j->o.d_model;
	}
	if (j->o.enc_layers) {
		if (j->o.enc_layers < c->num_encoder_layers || j->o.dec_layers < c->num_decoder_layers)
			return ndl_fail(err, NDL_EINVAL, "the model has %d encoder and %d decoder layers: --layers can only add to them",
			                c->num_encoder_layers, c->num_decoder_layers);
		c->num_encoder_layers = (int)j->o.enc_layers;
		c->num_decoder_layers = (int)j->o.dec_layers;
	}
	return ndl_config_check(c, err);
}

static ndl_status open_base(finetune_job *j, ndl_error *err)
{
	if (j->o.init) {
		ndl_status status = ndl_config_load(&j->config, j->o.init, err);
		if (status == NDL_OK && !(j->tok = ndl_tok_load(j->o.vocab, err)))
			status = err->code;
		if (status == NDL_OK && (size_t)j->config.vocab_size != ndl_tok_size(j->tok))
			status = ndl_fail(err, NDL_EINVAL, "%s: vocab_size is %d, but %s has %zu pieces", j->o.init,
			                  j->config.vocab_size, j->o.vocab, ndl_tok_size(j->tok));
		return status;
	}
	const char *path = cli_model_path(j->app, err);
	if (!path || !(j->base = ndl_ckpt_open(path, err)))
		return err->code;
	cli_refuse_same(j->app, j->o.out, path); /* a run that is killed while it scores begins again from its base */
	ndl_status status = ndl_config_from_ckpt(&j->config, j->base, err);
	if (status == NDL_OK)
		status = ndl_ckpt_check(j->base, &j->config, err);
	if (status == NDL_OK)
		status = grow(j, err);
	const ndl_tensor *vocab = ndl_ckpt_find(j->base, NDL_TOKENIZER_TENSOR);
	if (status == NDL_OK && !vocab)
		status = ndl_fail(err, NDL_EFORMAT, "no tokenizer in the model file");
	if (status == NDL_OK && !(j->tok = ndl_tok_new(vocab->data, vocab->bytes, err)))
		status = err->code;
	if (status == NDL_OK)
		status = ndl_tok_fits(j->tok, j->config.vocab_size, err);
	if (status != NDL_OK)
		ndl_error_at(err, path, 0);
	return status;
}

static ndl_status open_exec(finetune_job *j, ndl_error *err)
{
	j->x = ndl_exec_new(j->app->common.threads, getenv("NEEDLE_CPU"), err);
	if (!j->x)
		return err->code;
	bool fast = ndl_exec_has_fast_bf16(j->x);
	bool bf16 = j->o.precision == 2 || (j->o.precision == 0 && fast);
	ndl_exec_set_precision(j->x, bf16 ? NDL_PRECISION_BF16 : NDL_PRECISION_F32);
	cli_verbose(j->app, "matrix products in %s, %d threads", bf16 ? "bfloat16" : "float32", ndl_exec_threads(j->x));
	return NDL_OK;
}

ndl_status finetune_open(finetune_job *j, ndl_error *err)
{
	ndl_status status = open_base(j, err);
	if (status == NDL_OK)
		status = open_exec(j, err);
	if (status == NDL_OK)
		status = finetune_data_open(&j->data, j->app, &j->o, j->tok, &j->config, ndl_exec_threads(j->x), err);
	return status;
}

void finetune_plan_steps(finetune_job *j)
{
	uint64_t per_step = (uint64_t)j->o.batch * (uint64_t)j->o.accumulate, rows = ndl_dataset_rows(j->data.train);
	uint64_t epochs = j->o.epochs > 0 ? (uint64_t)j->o.epochs : 10;
	if (!j->data.stream)
		j->total = (rows * epochs + per_step - 1) / per_step;
	if (j->o.max_steps >= 0 && (j->data.stream || j->o.epochs < 0 || (uint64_t)j->o.max_steps < j->total))
		j->total = (uint64_t)j->o.max_steps;
	if (j->o.eval_every < 0)
		j->o.eval_every = (long)(j->total / 10 ? j->total / 10 : 1);
}

static ndl_status open_teacher(finetune_job *j, ndl_error *err)
{
	ndl_ckpt *c = ndl_ckpt_open(j->o.teacher, err);
	if (!c)
		return err->code;
	ndl_status status = ndl_distil_init(&j->teacher, c, j->tok, err);
	ndl_ckpt_close(c);
	if (status != NDL_OK)
		ndl_error_at(err, j->o.teacher, 0);
	else if (j->teacher.ps.config.ascii_tools != j->data.config.ascii_tools)
		cli_warn(j->app, "%s was trained on tools in the form \"%s\", but is shown the learner's prompts", j->o.teacher,
		         j->teacher.ps.config.ascii_tools ? "ascii" : "flat");
	return status;
}

ndl_status finetune_open_run(finetune_job *j, ndl_error *err)
{
	const finetune_options *o = &j->o;
	ndl_run_options r = NDL_RUN_DEFAULTS;
	finetune_plan_steps(j);
	memcpy(r.loss.class_weight, o->weight, sizeof r.loss.class_weight);
	r.loss.contrastive_weight = (float)o->contrastive_weight;
	r.loss.z_weight = (float)o->z_weight;
	r.optimiser.adam_lr = o->lr;
	r.optimiser.muon_lr = o->muon_lr;
	r.optimiser.weight_decay = o->weight_decay;
	r.optimiser.clip_norm = o->clip_norm;
	r.schedule = (ndl_schedule){j->total, o->constant ? 0 : (uint64_t)(o->warmup * (double)j->total),
	                            o->constant ? 0 : (uint64_t)(o->decay * (double)j->total), 0.05};
	r.seed = o->seed;
	r.qat_every = (uint64_t)o->qat;
	r.qat_embedding = o->qat_embedding;
	r.qat_group = o->qat_group;
	r.qat_embedding_group = o->qat_embedding_group;
	r.contrastive_every = (uint64_t)o->contrastive_every;
	r.accumulate = (uint64_t)o->accumulate;
	r.average = o->average;
	r.freeze = o->freeze;
	r.lora_rank = (size_t)o->lora_rank;
	r.stop = j->stop;
	if (o->teacher) {
		ndl_status status = open_teacher(j, err);
		if (status != NDL_OK)
			return status;
		r.teacher = &j->teacher;
		r.loss.teacher_weight = (float)o->teacher_weight;
		r.loss.teacher_temperature = (float)o->teacher_temperature;
	}
	j->run = ndl_run_new(&r, &j->data.config, j->base, j->tok, j->data.train, j->x, err);
	return j->run ? NDL_OK : err->code;
}

/* "1,2.5" of the files in their order; "none" where nothing was said of them. */
static void write_weights(ndl_buf *b, const finetune_options *o)
{
	bool said = false;
	for (int i = 0; i < o->n_inputs; i++) {
		said |= o->share[i] != 1;
		ndl_buf_printf(b, "%s%.9g", i ? "," : "", o->share[i]);
	}
	if (!said) {
		ndl_buf_reset(b);
		ndl_buf_str(b, "none");
	}
}

ndl_status finetune_state(finetune_job *j, bool load, ndl_error *err)
{
	char batch[24], buffer[24], rows[24], curriculum[24], calls[24], loosen[24];
	ndl_buf weights = NDL_BUF_INIT;
	if (!j->state_path)
		return NDL_OK;
	snprintf(batch, sizeof batch, "%ld", j->o.batch);
	snprintf(buffer, sizeof buffer, "%ld", j->data.stream ? j->o.buffer : -1);
	snprintf(rows, sizeof rows, "%zu", ndl_dataset_rows(j->data.train));
	snprintf(curriculum, sizeof curriculum, "%ld", j->o.curriculum);
	snprintf(calls, sizeof calls, "%ld", j->o.val_calls);
	snprintf(loosen, sizeof loosen, "%g", j->o.loosen);
	write_weights(&weights, &j->o);
	ndl_status status = ndl_buf_check(&weights, err);
	const char *extra[] = {"option.batch_size", batch, "option.data_weights", ndl_buf_cstr(&weights),
	                       "option.shuffle_buffer", buffer, "option.rows", rows, "option.curriculum", curriculum,
	                       "option.val_calls", calls, "option.keep_order", j->o.keep_order ? "1" : "0", "option.loosen", loosen,
	                       NULL};
	if (status == NDL_OK)
		status = load ? ndl_run_load(j->run, j->state_path, extra, err) : ndl_run_save(j->run, j->state_path, extra, err);
	ndl_buf_clear(&weights);
	return status;
}

ndl_status finetune_resume(finetune_job *j, ndl_error *err)
{
	size_t n = strlen(j->o.out) + sizeof ".state";
	bool beside = !ndl_outfile_is_special(j->o.out);
	if (beside && !(j->state_path = malloc(n)))
		return ndl_fail_nomem(err, "file name");
	if (beside)
		snprintf(j->state_path, n, "%s.state", j->o.out);
	bool exists = beside && access(j->state_path, F_OK) == 0;
	if (!j->o.resume)
		return !exists ? NDL_OK : ndl_fail(err, NDL_EINVAL, "%s: an earlier run is not done: --resume goes on from its state; "
		                                   "remove the file to start anew", j->state_path);
	if (!exists) {
		cli_warn(j->app, "%s: no state to resume from; starting anew", beside ? j->state_path : j->o.out);
		return NDL_OK;
	}
	ndl_status status = finetune_state(j, true, err);
	if (status == NDL_OK)
		cli_warn(j->app, "resuming after step %llu", (unsigned long long)ndl_run_steps(j->run));
	return status;
}

void finetune_close(finetune_job *j)
{
	ndl_error ignored;
	train_log_close(&j->log, &ignored);
	finetune_best_close(&j->best);
	free(j->state_path);
	ndl_run_free(j->run);
	ndl_distil_clear(&j->teacher);
	finetune_data_close(&j->data);
	ndl_exec_free(j->x);
	ndl_tok_free(j->tok);
	ndl_ckpt_close(j->base);
}
