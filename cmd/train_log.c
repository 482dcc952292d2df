#include "cmd/train_log.h"

#include "base/outfile.h"
#include "base/reader.h"
#include "cmd/finetune_score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char header[] =
	"step\tloss\tce\tz\tcontrastive\taccuracy\tlr_factor\tgrad_norm\texamples\ttokens\tseconds\tval_loss\tval_accuracy"
	"\tval_name_f1\tval_arg_recall\tval_arg_precision\tval_call_f1\tval_exact_match\tkl\n";

void train_window_add(train_window *w, const ndl_step_report *r, double seconds)
{
	w->steps++;
	w->contrastive_steps += r->loss.contrastive != 0;
	ndl_loss_add(&w->sum, &r->loss, 1);
	w->examples += r->examples;
	w->enc_tokens += r->enc_tokens;
	w->dec_tokens += r->dec_tokens;
	w->norm += r->grad_norm;
	w->seconds += seconds;
}

/* Rewrites path without its lines of steps after `step`. A missing or foreign file starts anew. */
static ndl_status keep_until(const char *path, uint64_t step, ndl_error *err)
{
	ndl_error ignored = NDL_ERROR_INIT;
	ndl_outfile out;
	const char *line;
	size_t len;
	ndl_status status = ndl_outfile_open(&out, path, err);
	if (status != NDL_OK)
		return status;
	fputs(header, out.f);
	ndl_reader *in = step ? ndl_reader_open(path, &ignored) : NULL;
	while (in && ndl_reader_line(in, &line, &len, &ignored) > 0) {
		char *end;
		uint64_t at = strtoull(line, &end, 10);
		if (end != line && *end == '\t' && at <= step)
			fprintf(out.f, "%s\n", line);
	}
	ndl_reader_close(in);
	return ndl_outfile_commit(&out, err);
}

ndl_status train_log_open(train_log *l, const char *path, uint64_t step, ndl_error *err)
{
	l->f = NULL;
	if (!path)
		return NDL_OK;
	ndl_status status = keep_until(path, step, err);
	if (status != NDL_OK)
		return status;
	l->f = fopen(path, "ae");
	return l->f ? NDL_OK : ndl_fail_errno(err, "%s: cannot write", path);
}

/* "\t0.9712", or "\t" where there is nothing to say. */
static void put(FILE *f, double value)
{
	if (isnan(value))
		fputc('\t', f);
	else
		fprintf(f, "\t%.4f", value);
}

static void put_calls(FILE *f, const ndl_eval_counts *c)
{
	static const ndl_eval_counts none;
	if (!c)
		c = &none; /* every quotient is undefined */
	put(f, ndl_eval_value(c, (size_t)ndl_eval_metric_find("name_f1")));
	put(f, finetune_arg_recall(c));
	put(f, finetune_arg_precision(c));
	put(f, ndl_eval_value(c, (size_t)ndl_eval_metric_find("call_f1")));
	put(f, ndl_eval_value(c, (size_t)ndl_eval_metric_find("exact_match")));
}

ndl_status train_log_line(train_log *l, uint64_t step, const train_window *w, double lr_factor, const ndl_loss *val,
                          const ndl_eval_counts *calls, ndl_error *err)
{
	if (!l->f || w->steps == 0)
		return NDL_OK;
	double n = (double)w->steps;
	fprintf(l->f, "%llu\t%.6f\t%.6f\t%.4f\t", (unsigned long long)step, w->sum.total / n, w->sum.ce / n, w->sum.z / n);
	if (w->contrastive_steps)
		fprintf(l->f, "%.6f", w->sum.contrastive / (double)w->contrastive_steps);
	fprintf(l->f, "\t%.5f\t%.5f\t%.4f\t%llu\t%llu\t%.3f\t",
	        w->sum.tokens ? (double)w->sum.correct / (double)w->sum.tokens : 0.0, lr_factor, w->norm / n,
	        (unsigned long long)w->examples, (unsigned long long)(w->enc_tokens + w->dec_tokens), w->seconds);
	if (val && val->tokens)
		fprintf(l->f, "%.6f\t%.5f", val->ce, (double)val->correct / (double)val->tokens);
	else
		fputc('\t', l->f);
	put_calls(l->f, calls);
	put(l->f, w->sum.kl > 0 ? w->sum.kl / n : NAN);
	fputc('\n', l->f);
	return fflush(l->f) != 0 ? ndl_fail_errno(err, "the log: write failed") : NDL_OK;
}

ndl_status train_log_close(train_log *l, ndl_error *err)
{
	FILE *f = l->f;
	l->f = NULL;
	return f && fclose(f) != 0 ? ndl_fail_errno(err, "the log: write failed") : NDL_OK;
}
