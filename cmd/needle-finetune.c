/* needle-finetune - trains a model, from scratch or from a model file.
 *
 * Reads examples {"query","tools","answers"} as JSON Lines, writes one model file. The state of
 * the run lies beside it (OUT.state) until it is done: killed at any moment, the same command
 * with --resume ends on the same bytes. See needle-finetune(1). */
#include "eval/eval.h"
#include "cmd/cli.h"
#include "cmd/finetune_best.h"
#include "cmd/finetune_data.h"
#include "cmd/finetune_dump.h"
#include "cmd/finetune_options.h"
#include "cmd/finetune_score.h"
#include "cmd/train_log.h"
#include "base/outfile.h"
#include "train/run.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static cli app = {
	.name = "needle-finetune",
	.usage = "needle-finetune [-m BASE] [OPTION]... DATA.jsonl... -o MODEL\n"
	         "       needle-finetune --init CONFIG.json --vocab FILE.model [OPTION]... DATA.jsonl... -o MODEL\n",
	.summary = "Trains a model on examples of queries, tools and answers.",
	.examples = "  needle-finetune my.jsonl -o mine.safetensors --epochs 20\n"
	            "  needle-synth | needle-finetune --init small.json --vocab my.model --max-steps 10000 - -o new.safetensors\n",
	.options = finetune_table,
	.flags = CLI_TAKES_MODEL,
};

/* The parts of a job --------------------------------------------------------------------- */

typedef struct job {
	finetune_options o;
	ndl_config config;
	ndl_ckpt *base;      /* NULL with --init */
	ndl_tok *tok;
	ndl_exec *x;
	finetune_data data;
	ndl_distil teacher;
	ndl_run *run;
	train_log log;
	finetune_best best;
	char *state_path;
	uint64_t total;      /* steps */
	uint64_t validated;  /* step of the last validation */
	ndl_eval_counts of_base; /* its calls for the test part */
} job;

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigemptyset(&a.sa_mask);
	a.sa_flags = (int)SA_RESETHAND; /* a second signal ends at once */
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

/* The shape that --d-model and --layers ask for. */
static ndl_status grow(job *j, ndl_error *err)
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

static ndl_status open_base(job *j, ndl_error *err)
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
	const char *path = cli_model_path(&app, err);
	if (!path || !(j->base = ndl_ckpt_open(path, err)))
		return err->code;
	if (j->o.lora_rank) /* its state does not hold the base, which a run that is killed while it scores is resumed from */
		cli_refuse_same(&app, j->o.out, path);
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

static ndl_status open_exec(job *j, ndl_error *err)
{
	j->x = ndl_exec_new(app.common.threads, getenv("NEEDLE_CPU"), err);
	if (!j->x)
		return err->code;
	bool fast = ndl_exec_has_fast_bf16(j->x);
	bool bf16 = j->o.precision == 2 || (j->o.precision == 0 && fast);
	ndl_exec_set_precision(j->x, bf16 ? NDL_PRECISION_BF16 : NDL_PRECISION_F32);
	cli_verbose(&app, "matrix products in %s, %d threads", bf16 ? "bfloat16" : "float32", ndl_exec_threads(j->x));
	return NDL_OK;
}

static void plan_steps(job *j)
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

static ndl_status open_teacher(job *j, ndl_error *err)
{
	ndl_ckpt *c = ndl_ckpt_open(j->o.teacher, err);
	if (!c)
		return err->code;
	ndl_status status = ndl_distil_init(&j->teacher, c, j->tok, err);
	ndl_ckpt_close(c);
	if (status != NDL_OK)
		ndl_error_at(err, j->o.teacher, 0);
	else if (j->teacher.ps.config.ascii_tools != j->data.config.ascii_tools)
		cli_warn(&app, "%s was trained on tools in the form \"%s\", but is shown the learner's prompts", j->o.teacher,
		         j->teacher.ps.config.ascii_tools ? "ascii" : "flat");
	return status;
}

static ndl_status open_run(job *j, ndl_error *err)
{
	const finetune_options *o = &j->o;
	ndl_run_options r = NDL_RUN_DEFAULTS;
	plan_steps(j);
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
	r.stop = &stop_signal;
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

/* Options of ours, beyond the run's own, that a resumed run must share. */
static ndl_status with_state(job *j, bool load, ndl_error *err)
{
	char batch[24], buffer[24], rows[24], curriculum[24], calls[24];
	snprintf(batch, sizeof batch, "%ld", j->o.batch);
	snprintf(buffer, sizeof buffer, "%ld", j->data.stream ? j->o.buffer : -1);
	snprintf(rows, sizeof rows, "%zu", ndl_dataset_rows(j->data.train));
	snprintf(curriculum, sizeof curriculum, "%ld", j->o.curriculum);
	snprintf(calls, sizeof calls, "%ld", j->o.val_calls);
	const char *extra[] = {"option.batch_size", batch, "option.shuffle_buffer", buffer, "option.rows", rows,
	                       "option.curriculum", curriculum, "option.val_calls", calls,
	                       "option.keep_order", j->o.keep_order ? "1" : "0", NULL};
	return load ? ndl_run_load(j->run, j->state_path, extra, err) : ndl_run_save(j->run, j->state_path, extra, err);
}

static ndl_status maybe_resume(job *j, ndl_error *err)
{
	size_t n = strlen(j->o.out) + sizeof ".state";
	j->state_path = malloc(n);
	if (!j->state_path)
		return ndl_fail_nomem(err, "file name");
	snprintf(j->state_path, n, "%s.state", j->o.out);
	bool exists = access(j->state_path, F_OK) == 0;
	if (!j->o.resume)
		return !exists ? NDL_OK : ndl_fail(err, NDL_EINVAL, "%s: an earlier run is not done: --resume goes on from its state; "
		                                   "remove the file to start anew", j->state_path);
	if (!exists) {
		cli_warn(&app, "%s: no state to resume from; starting anew", j->state_path);
		return NDL_OK;
	}
	ndl_status status = with_state(j, true, err);
	if (status == NDL_OK)
		cli_warn(&app, "resuming after step %llu", (unsigned long long)ndl_run_steps(j->run));
	return status;
}

/* Running -------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Loss and, of --val-calls examples, calls on the validation rows; the best model so far is kept. */
static ndl_status validate(job *j, ndl_loss *loss, ndl_eval_counts *calls, ndl_error *err)
{
	const ndl_lines *lines;
	const size_t *rows;
	size_t n = finetune_data_part(&j->data, NDL_VAL, &lines, &rows);
	ndl_dataset *data = finetune_data_part_batches(&j->data, NDL_VAL, err);
	ndl_status status = data ? ndl_run_evaluate(j->run, data, loss, err) : err->code;
	ndl_dataset_close(data);
	j->validated = ndl_run_steps(j->run);
	if (status != NDL_OK || !j->best.path)
		return status;
	status = finetune_best_try(&j->best, j->run, err);
	if (status == NDL_OK)
		status = finetune_score(calls, j->best.trial, lines, rows, n, (size_t)j->o.val_calls, &app, err);
	double f1 = ndl_eval_value(calls, (size_t)ndl_eval_metric_find("call_f1"));
	if (status == NDL_OK) /* nothing but refusals, all right: no calls, and no f1 */
		status = finetune_best_judge(&j->best, j->run, isnan(f1) ? 1 : f1, loss->ce, err);
	return status;
}

static bool has_validation(const job *j)
{
	const ndl_lines *lines;
	const size_t *rows;
	return finetune_data_part(&j->data, NDL_VAL, &lines, &rows) > 0;
}

static void tell_validation(const job *j, const ndl_loss *val, const ndl_eval_counts *c)
{
	double accuracy = val->tokens ? (double)val->correct / (double)val->tokens : 0.0;
	unsigned long long step = ndl_run_steps(j->run);
	if (c->records == 0) {
		cli_verbose(&app, "step %llu: validation loss %.4f, token accuracy %.4f", step, val->ce, accuracy);
		return;
	}
	cli_verbose(&app, "step %llu: validation loss %.4f, token accuracy %.4f; calls: name %.3f, arguments %.3f recall and %.3f "
	            "precision, exact %.3f%s", step, val->ce, accuracy,
	            ndl_eval_value(c, (size_t)ndl_eval_metric_find("name_f1")), finetune_arg_recall(c), finetune_arg_precision(c),
	            ndl_eval_value(c, (size_t)ndl_eval_metric_find("exact_match")), j->best.step == step ? ", the best so far" : "");
}

/* A line of the log, at times with a validation. */
static ndl_status note(job *j, const ndl_step_report *r, train_window *w, ndl_error *err)
{
	ndl_loss val = {0};
	ndl_eval_counts calls = {0};
	bool end = r->step == j->total;
	bool eval = has_validation(j) && (end || (j->o.eval_every && r->step % (uint64_t)j->o.eval_every == 0));
	if (eval) {
		ndl_status status = validate(j, &val, &calls, err);
		if (status != NDL_OK)
			return status;
		cli_progress_end(&app);
		tell_validation(j, &val, &calls);
	}
	if (!eval && !end && r->step % 20 != 0)
		return NDL_OK;
	ndl_status status = train_log_line(&j->log, r->step, w, r->lr_factor, eval ? &val : NULL, eval ? &calls : NULL, err);
	*w = (train_window){0};
	return status;
}

/* Steps until the end, a signal or an error. */
static ndl_status loop(job *j, ndl_error *err)
{
	ndl_step_report r;
	train_window w = {0};
	double before = now_s();
	int rc = 0;
	while (!stop_signal && (rc = ndl_run_step(j->run, &r, err)) > 0) {
		double now = now_s();
		char text[80];
		train_window_add(&w, &r, now - before);
		snprintf(text, sizeof text, "loss %.3f, accuracy %.3f", r.loss.total,
		         r.loss.tokens ? (double)r.loss.correct / (double)r.loss.tokens : 0.0);
		cli_progress(&app, r.step, j->total, text);
		ndl_status status = note(j, &r, &w, err);
		if (status == NDL_OK && j->o.checkpoint_every && r.step % (uint64_t)j->o.checkpoint_every == 0)
			status = with_state(j, false, err);
		if (status != NDL_OK)
			return status;
		before = now_s(); /* validating is not training */
	}
	cli_progress_end(&app);
	return rc < 0 ? (ndl_status)rc : NDL_OK;
}

/* Confidence by the validation rows, where they are enough. */
static ndl_status calibrate(job *j, ndl_error *err)
{
	const ndl_lines *lines;
	const size_t *rows;
	size_t all = finetune_data_part(&j->data, NDL_VAL, &lines, &rows), n = all;
	if (n > (size_t)j->o.score)
		n = (size_t)j->o.score;
	if (n < NDL_FIT_LEAST)
		return NDL_OK;
	ndl_status status = finetune_calibrate(lines, rows, all, n, j->o.out, app.common.threads, err);
	if (status != NDL_EINVAL)
		return status;
	cli_verbose(&app, "confidence is not fitted: %s", err->text);
	return NDL_OK;
}

/* A temporary INT4 copy of the tuned model, scored. */
static ndl_status score_int4(const job *j, ndl_eval_counts *sum, const ndl_lines *lines, const size_t *rows, size_t n,
                             ndl_error *err)
{
	const char *path = j->best.trial;
	ndl_status status = finetune_write_int4(j->o.out, path, j->o.qat_group, j->o.qat_embedding_group, app.common.threads, err);
	if (status == NDL_OK)
		status = finetune_score(sum, path, lines, rows, n, (size_t)j->o.score, &app, err);
	unlink(path);
	return status;
}

/* Before the result is written, which may take the base's place. */
static ndl_status score_base(job *j, ndl_error *err)
{
	const ndl_lines *lines;
	const size_t *rows;
	size_t n = finetune_data_part(&j->data, NDL_TEST, &lines, &rows);
	if (!j->base || n == 0 || j->o.score == 0 || ndl_outfile_is_special(j->o.out))
		return NDL_OK;
	return finetune_score(&j->of_base, cli_model_path(&app, err), lines, rows, n, (size_t)j->o.score, &app, err);
}

/* Base against tuned, as floats and as INT4, on rows that neither trained on: the test part, or the
 * --val file. */
static ndl_status score(job *j, ndl_error *err)
{
	static const char *const title[] = {"base", "tuned", "tuned INT4"};
	const ndl_lines *lines;
	const size_t *rows;
	size_t n = finetune_data_part(&j->data, NDL_TEST, &lines, &rows), first = j->base ? 0 : 1, past = 2;
	ndl_eval_counts sum[3] = {j->of_base};
	if (n == 0 || j->o.score == 0)
		return NDL_OK;
	ndl_status status = finetune_score(&sum[1], j->o.out, lines, rows, n, (size_t)j->o.score, &app, err);
	if (status == NDL_OK && j->best.path) {
		status = score_int4(j, &sum[2], lines, rows, n, err);
		past = 3;
	}
	if (status == NDL_OK)
		finetune_score_table(title + first, sum + first, past - first);
	return status;
}

/* The best model, or the last one, under its name. */
static ndl_status write_result(job *j, ndl_error *err)
{
	ndl_loss loss;
	ndl_eval_counts calls;
	if (!j->best.path || !has_validation(j) || ndl_run_steps(j->run) == 0)
		return ndl_run_write_model(j->run, j->o.out, NULL, err);
	if (j->validated != ndl_run_steps(j->run)) { /* the data ended early */
		ndl_status status = validate(j, &loss, &calls, err);
		if (status != NDL_OK)
			return status;
	}
	if (j->best.step != ndl_run_steps(j->run))
		cli_warn(&app, "the model of step %llu made the best calls (call_f1 %.4f) and is kept",
		         (unsigned long long)j->best.step, j->best.f1);
	return finetune_best_take(&j->best, j->o.out, err);
}

static ndl_status finish(job *j, ndl_error *err)
{
	ndl_status status = train_log_close(&j->log, err);
	if (status == NDL_OK)
		status = score_base(j, err);
	if (status == NDL_OK)
		status = write_result(j, err);
	if (status != NDL_OK)
		return status;
	if (!ndl_outfile_is_special(j->o.out)) {
		status = calibrate(j, err);
		if (status == NDL_OK)
			status = score(j, err);
		if (status != NDL_OK)
			return status;
	}
	unlink(j->state_path); /* nothing left to resume */
	if (j->best.path)
		finetune_best_done(&j->best);
	return NDL_OK;
}

/* The best of several is kept in a file beside a file. */
static ndl_status open_best(job *j, ndl_error *err)
{
	if (j->o.val_calls == 0 || !has_validation(j) || ndl_outfile_is_special(j->o.out))
		return NDL_OK;
	return finetune_best_open(&j->best, j->o.out, j->o.resume && ndl_run_steps(j->run) > 0, err);
}

/* Hours of training must not end at a name that cannot be written. */
static ndl_status check_output(const char *out, ndl_error *err)
{
	ndl_outfile o;
	struct stat st;
	if (ndl_outfile_is_special(out))
		return stat(out, &st) == 0 && S_ISDIR(st.st_mode) ? ndl_fail(err, NDL_EIO, "%s: is a folder", out) : NDL_OK;
	ndl_status status = ndl_outfile_open(&o, out, err);
	if (status == NDL_OK)
		ndl_outfile_abort(&o);
	return status;
}

static ndl_status prepare(job *j, ndl_error *err)
{
	ndl_status status = check_output(j->o.out, err);
	if (status == NDL_OK)
		status = maybe_resume(j, err);
	if (status == NDL_OK)
		status = open_best(j, err);
	if (status == NDL_OK)
		status = train_log_open(&j->log, j->o.log, ndl_run_steps(j->run), err);
	if (status == NDL_OK && !app.common.quiet)
		fprintf(stderr, "%s: %zu parameters, %llu steps of %ld examples\n", app.name, ndl_run_parameters(j->run),
		        (unsigned long long)j->total, j->o.batch * j->o.accumulate);
	return status == NDL_OK ? finetune_data_tell(&j->data, j->total, err) : status;
}

/* Stopped by a signal: 1, and the same command goes on. */
static int interrupted(job *j, ndl_error *err)
{
	ndl_status status = with_state(j, false, err);
	if (status != NDL_OK)
		return status;
	cli_warn(&app, "stopped after step %llu; the same command with --resume goes on", (unsigned long long)ndl_run_steps(j->run));
	return 1;
}

/* A loss that is no number has changed nothing yet: what there is can be saved. */
static void diverged(job *j)
{
	ndl_error ignored = NDL_ERROR_INIT;
	if (with_state(j, false, &ignored) == NDL_OK)
		cli_warn(&app, "%s holds the state after step %llu", j->state_path, (unsigned long long)ndl_run_steps(j->run));
	if (j->best.step)
		cli_warn(&app, "%s is the model of step %llu (call_f1 %.4f)", j->best.path, (unsigned long long)j->best.step, j->best.f1);
}

static int train(job *j, ndl_error *err)
{
	ndl_status status = prepare(j, err);
	if (status != NDL_OK)
		return status;
	catch_signals();
	status = loop(j, err);
	finetune_data_tell_stream(&j->data);
	if (status == NDL_ELIMIT)
		diverged(j);
	if (status != NDL_OK)
		return status;
	if (stop_signal)
		return interrupted(j, err);
	if (ndl_run_steps(j->run) == 0 && j->total > 0)
		return ndl_fail(err, NDL_EINVAL, "no usable examples: no model is written");
	if (ndl_run_steps(j->run) < j->total)
		cli_warn(&app, "the data ended after %llu of %llu steps", (unsigned long long)ndl_run_steps(j->run),
		         (unsigned long long)j->total);
	return finish(j, err);
}

/* The batches of the run in place of the run. */
static int dump(job *j, ndl_error *err)
{
	uint64_t per_step = (uint64_t)j->o.accumulate;
	if (j->config.vocab_size > 65536)
		return ndl_fail(err, NDL_EUNSUPPORTED, "--dump-tokens writes ids of 16 bits, too few for a vocabulary of %d",
		                j->config.vocab_size);
	plan_steps(j);
	ndl_status status = finetune_data_tell(&j->data, j->total, err);
	if (status != NDL_OK)
		return status;
	catch_signals();
	long n = finetune_dump(j->o.dump, j->data.train, j->total * per_step, &stop_signal, err);
	cli_verbose(&app, "%ld batches written", n);
	return n < 0 ? (int)n : stop_signal ? 1 : 0;
}

static void close_job(job *j)
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

int main(int argc, char **argv)
{
	static job j;
	ndl_error err = NDL_ERROR_INIT;
	cli_init(&app);
	finetune_parse(&app, &j.o, argc, argv);
	int rc = open_base(&j, &err);
	if (rc == NDL_OK)
		rc = open_exec(&j, &err);
	if (rc == NDL_OK)
		rc = finetune_data_open(&j.data, &app, &j.o, j.tok, &j.config, ndl_exec_threads(j.x), &err);
	if (rc == NDL_OK && j.o.dump) {
		rc = dump(&j, &err);
	} else if (rc == NDL_OK) {
		rc = open_run(&j, &err);
		if (rc == NDL_OK)
			rc = train(&j, &err);
	}
	if (rc < 0)
		cli_report(&app, &err);
	close_job(&j);
	return cli_finish(&app, rc < 0 ? CLI_UNUSABLE : rc > 0 ? CLI_NEGATIVE : CLI_OK);
}
