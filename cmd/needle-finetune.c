/* needle-finetune - trains a model, from scratch or from a model file.
 *
 * Reads examples {"query","tools","answers"} as JSON Lines, writes one model file. The state of
 * the run lies beside it (OUT.state) until it is done: killed at any moment, the same command
 * with --resume ends on the same bytes. See needle-finetune(1). */
#include "cmd/finetune_dump.h"
#include "cmd/finetune_job.h"
#include "cmd/finetune_score.h"
#include "base/clock.h"
#include "base/outfile.h"

#include <math.h>
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

/* Running -------------------------------------------------------------------------------- */

/* Loss and, of --val-calls examples, calls on the validation rows; the best model so far is kept. */
static ndl_status validate(finetune_job *j, ndl_loss *loss, ndl_eval_counts *calls, ndl_error *err)
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

static bool has_validation(const finetune_job *j)
{
	const ndl_lines *lines;
	const size_t *rows;
	return finetune_data_part(&j->data, NDL_VAL, &lines, &rows) > 0;
}

static void tell_validation(const finetune_job *j, const ndl_loss *val, const ndl_eval_counts *c)
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
static ndl_status note(finetune_job *j, const ndl_step_report *r, train_window *w, ndl_error *err)
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
static ndl_status loop(finetune_job *j, ndl_error *err)
{
	ndl_step_report r;
	train_window w = {0};
	double before = ndl_seconds();
	int rc = 0;
	while (!stop_signal && (rc = ndl_run_step(j->run, &r, err)) > 0) {
		double now = ndl_seconds();
		char text[80];
		train_window_add(&w, &r, now - before);
		snprintf(text, sizeof text, "loss %.3f, accuracy %.3f", r.loss.total,
		         r.loss.tokens ? (double)r.loss.correct / (double)r.loss.tokens : 0.0);
		cli_progress(&app, r.step, j->total, text);
		ndl_status status = note(j, &r, &w, err);
		if (status == NDL_OK && j->o.checkpoint_every && r.step % (uint64_t)j->o.checkpoint_every == 0)
			status = finetune_state(j, false, err);
		if (status != NDL_OK)
			return status;
		before = ndl_seconds(); /* validating is not training */
	}
	cli_progress_end(&app);
	return rc < 0 ? (ndl_status)rc : NDL_OK;
}

/* Confidence by the validation rows, where they are enough. */
static ndl_status calibrate(finetune_job *j, ndl_error *err)
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
static ndl_status score_int4(const finetune_job *j, ndl_eval_counts *sum, const ndl_lines *lines, const size_t *rows, size_t n,
                             ndl_error *err)
{
	const char *path = j->best.trial;
	ndl_status status = finetune_write_int4(j->o.out, path, j->o.qat_group, j->o.qat_embedding_group, app.common.threads, err);
	if (status == NDL_OK)
		status = finetune_score(sum, path, lines, rows, n, (size_t)j->o.score, &app, err);
	unlink(path);
	return status;
}

/* Base against tuned, as floats and as INT4, on rows that neither trained on: the test part, or the
 * --val file. */
static ndl_status score(finetune_job *j, ndl_error *err)
{
	static const char *const title[] = {"base", "tuned", "tuned INT4"};
	const ndl_lines *lines;
	const size_t *rows;
	size_t n = finetune_data_part(&j->data, NDL_TEST, &lines, &rows), first = j->base ? 0 : 1, past = 2;
	ndl_eval_counts sum[3] = {0};
	ndl_status status = NDL_OK;
	if (n == 0 || j->o.score == 0)
		return NDL_OK;
	if (j->base)
		status = finetune_score(&sum[0], cli_model_path(&app, err), lines, rows, n, (size_t)j->o.score, &app, err);
	if (status == NDL_OK)
		status = finetune_score(&sum[1], j->o.out, lines, rows, n, (size_t)j->o.score, &app, err);
	if (status == NDL_OK && j->best.path) {
		status = score_int4(j, &sum[2], lines, rows, n, err);
		past = 3;
	}
	if (status == NDL_OK)
		finetune_score_table(title + first, sum + first, past - first);
	return status;
}

/* The best model, or the last one, under its name. */
static ndl_status write_result(finetune_job *j, ndl_error *err)
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

static ndl_status finish(finetune_job *j, ndl_error *err)
{
	ndl_status status = train_log_close(&j->log, err);
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
	if (j->state_path)
		unlink(j->state_path); /* nothing left to resume */
	if (j->best.path)
		finetune_best_done(&j->best);
	return NDL_OK;
}

/* The best of several is kept in a file beside a file. */
static ndl_status open_best(finetune_job *j, ndl_error *err)
{
	if (j->o.val_calls == 0 || !has_validation(j) || ndl_outfile_is_special(j->o.out))
		return NDL_OK;
	return finetune_best_open(&j->best, j->o.out, j->o.resume && ndl_run_steps(j->run) > 0, err);
}

static ndl_status prepare(finetune_job *j, ndl_error *err)
{
	ndl_status status = ndl_outfile_check(j->o.out, err);
	if (status == NDL_OK)
		status = finetune_resume(j, err);
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
static int interrupted(finetune_job *j, ndl_error *err)
{
	ndl_status status = finetune_state(j, false, err);
	if (status != NDL_OK)
		return status;
	cli_warn(&app, "stopped after step %llu%s", (unsigned long long)ndl_run_steps(j->run),
	         j->state_path ? "; the same command with --resume goes on" : "");
	return 1;
}

/* What went wrong, a loss that is no number or a full disk under the log, has not changed the run: it is saved as it is.
 * Without a step there is only a start to save, which is of use to see what made the loss. */
static void salvage(finetune_job *j, ndl_status why)
{
	ndl_error ignored = NDL_ERROR_INIT;
	if (!j->state_path || (ndl_run_steps(j->run) == 0 && why != NDL_ELIMIT))
		return;
	if (finetune_state(j, false, &ignored) == NDL_OK)
		cli_warn(&app, "%s holds the state after step %llu", j->state_path, (unsigned long long)ndl_run_steps(j->run));
	if (j->best.step)
		cli_warn(&app, "%s is the model of step %llu (call_f1 %.4f)", j->best.path, (unsigned long long)j->best.step, j->best.f1);
}

/* After the last step. */
static ndl_status conclude(finetune_job *j, ndl_error *err)
{
	if (ndl_run_steps(j->run) == 0 && j->total > 0)
		return ndl_fail(err, NDL_EINVAL, "no usable examples: no model is written");
	if (ndl_run_steps(j->run) < j->total)
		cli_warn(&app, "the data ended after %llu of %llu steps", (unsigned long long)ndl_run_steps(j->run),
		         (unsigned long long)j->total);
	return finish(j, err);
}

static int train(finetune_job *j, ndl_error *err)
{
	ndl_status status = prepare(j, err);
	if (status != NDL_OK)
		return status;
	catch_signals();
	status = loop(j, err);
	finetune_data_tell_stream(&j->data);
	if (status == NDL_OK && stop_signal)
		return interrupted(j, err);
	if (status == NDL_OK)
		status = conclude(j, err);
	if (status != NDL_OK)
		salvage(j, status);
	return status;
}

/* The batches of the run in place of the run. */
static int dump(finetune_job *j, ndl_error *err)
{
	uint64_t per_step = (uint64_t)j->o.accumulate;
	if (j->config.vocab_size > 65536)
		return ndl_fail(err, NDL_EUNSUPPORTED, "--dump-tokens writes ids of 16 bits, too few for a vocabulary of %d",
		                j->config.vocab_size);
	finetune_plan_steps(j);
	ndl_status status = finetune_data_tell(&j->data, j->total, err);
	if (status != NDL_OK)
		return status;
	catch_signals();
	long n = finetune_dump(j->o.dump, j->data.train, j->total * per_step, &stop_signal, err);
	cli_verbose(&app, "%ld batches written", n);
	return n < 0 ? (int)n : stop_signal ? 1 : 0;
}

int main(int argc, char **argv)
{
	static finetune_job j = {.app = &app, .stop = &stop_signal};
	ndl_error err = NDL_ERROR_INIT;
	cli_init(&app);
	finetune_parse(&app, &j.o, argc, argv);
	int rc = finetune_open(&j, &err);
	if (rc == NDL_OK && j.o.dump) {
		rc = dump(&j, &err);
	} else if (rc == NDL_OK) {
		rc = finetune_open_run(&j, &err);
		if (rc == NDL_OK)
			rc = train(&j, &err);
	}
	if (rc < 0)
		cli_report(&app, &err);
	finetune_close(&j);
	return cli_finish(&app, rc < 0 ? CLI_UNUSABLE : rc > 0 ? CLI_NEGATIVE : CLI_OK);
}
