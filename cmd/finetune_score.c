#include "cmd/finetune_score.h"

#include "base/mem.h"
#include "cmd/calibrate.h"
#include "cmd/eval_infer.h"
#include "quant/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static ndl_status parse(json_t **record, const ndl_lines *lines, const size_t *rows, size_t n, size_t most, ndl_error *err)
{
	for (size_t i = 0; i < most; i++) {
		size_t at = i * n / most, len;
		const char *line = ndl_lines_at(lines, rows ? rows[at] : at, &len);
		record[i] = ndl_json_parse(line, len, err);
		if (!record[i])
			return err->code;
	}
	return NDL_OK;
}

/* A record whose tools have no grammar is fit to train on, not to be answered: it counts as wrong. */
static void tell_failed(const cli *app, const ndl_error *errors, size_t n)
{
	size_t failed = 0, first = 0;
	for (size_t i = 0; i < n; i++)
		if (errors[i].code != NDL_OK && failed++ == 0)
			first = i;
	if (failed)
		cli_warn(app, "%zu of %zu held-out examples cannot be answered, and count as wrong: %s", failed, n, errors[first].text);
}

static ndl_status run(ndl_eval_counts *sum, const char *model, json_t **record, size_t n, const cli *app, ndl_error *err)
{
	ndl_error *errors = ndl_calloc(n, sizeof *errors);
	if (!errors)
		return ndl_fail_nomem(err, "held-out examples");
	eval_caller *caller = eval_caller_open(model, app->common.threads, NDL_PRECISION_F32, NULL, 0, &(ndl_request){0}, false, err);
	ndl_status status = caller ? NDL_OK : err->code;
	if (caller) {
		eval_caller_run(caller, record, errors, NULL, n);
		tell_failed(app, errors, n);
	}
	for (size_t i = 0; i < n && status == NDL_OK; i++) {
		ndl_eval_counts c;
		status = ndl_eval_record(&c, NULL, record[i], err);
		if (status == NDL_OK)
			ndl_eval_add(sum, &c);
	}
	eval_caller_free(caller);
	free(errors);
	return status;
}

ndl_status finetune_score(ndl_eval_counts *sum, const char *model, const ndl_lines *lines, const size_t *rows, size_t n,
                          size_t most, const cli *app, ndl_error *err)
{
	*sum = (ndl_eval_counts){0};
	if (most > n)
		most = n;
	json_t **record = ndl_calloc(most, sizeof(json_t *));
	if (!record)
		return ndl_fail_nomem(err, "held-out examples");
	ndl_status status = parse(record, lines, rows, n, most, err);
	if (status == NDL_OK)
		status = run(sum, model, record, most, app, err);
	for (size_t i = 0; i < most; i++)
		json_decref(record[i]);
	free(record);
	return status;
}

static double quotient(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : NAN;
}

double finetune_arg_recall(const ndl_eval_counts *c) { return quotient(c->same_values, c->ref_keys); }
double finetune_arg_precision(const ndl_eval_counts *c) { return quotient(c->same_values, c->pred_keys); }

void finetune_score_table(const char *const *title, const ndl_eval_counts *score, size_t n)
{
	printf("held-out examples: %llu\nmetric", (unsigned long long)score[0].records);
	for (size_t i = 0; i < n; i++)
		printf("\t%s", title[i]);
	putchar('\n');
	for (size_t m = 0; ndl_eval_metric(m); m++) {
		printf("%s", ndl_eval_metric(m));
		for (size_t i = 0; i < n; i++) {
			double value = ndl_eval_value(&score[i], m);
			if (isnan(value))
				printf("\t-");
			else
				printf("\t%.4f", value);
		}
		putchar('\n');
	}
}

static ndl_status write_int4(const ndl_ckpt *ckpt, const char *to, const ndl_convert_options *o, ndl_error *err)
{
	const ndl_tensor *vocab = ndl_ckpt_find(ckpt, NDL_TOKENIZER_TENSOR);
	ndl_config config;
	ndl_ckpt_writer *w = NULL;
	ndl_status status = ndl_config_from_ckpt(&config, ckpt, err);
	ndl_conversion *v = status == NDL_OK ? ndl_convert(ckpt, &config, o, err) : NULL;
	if (v)
		w = ndl_ckpt_writer_new(err);
	if (!w)
		status = err->code;
	if (status == NDL_OK)
		status = ndl_config_to_writer(&config, w, err);
	if (status == NDL_OK)
		status = ndl_conversion_write(v, w, err);
	if (status == NDL_OK && vocab)
		status = ndl_ckpt_writer_add(w, NDL_TOKENIZER_TENSOR, NDL_U8, 1, vocab->shape, vocab->data, err);
	if (status == NDL_OK)
		status = ndl_ckpt_writer_finish(w, to, err);
	ndl_ckpt_writer_free(w);
	ndl_conversion_free(v);
	return status;
}

ndl_status finetune_write_int4(const char *from, const char *to, size_t group, size_t embedding_group, int threads,
                               ndl_error *err)
{
	const ndl_convert_options o = {.bits = 4, .embedding_bits = 4, .vector_bits = 16, .group = group,
	                               .embedding_group = embedding_group, .method = NDL_QUANT_RTN, .threads = threads};
	ndl_ckpt *ckpt = ndl_ckpt_open(from, err);
	if (!ckpt)
		return err->code;
	ndl_status status = write_int4(ckpt, to, &o, err);
	ndl_ckpt_close(ckpt);
	return status;
}

/* Adds the answers of record[n] that could be given. */
static ndl_status add_answers(calibration *c, json_t **record, const ndl_error *errors, const ndl_odds *odds, size_t n,
                              ndl_error *err)
{
	ndl_status status = NDL_OK;
	for (size_t i = 0; i < n && status == NDL_OK; i++) {
		ndl_eval_counts counts;
		if (errors[i].code != NDL_OK)
			continue;
		status = ndl_eval_record(&counts, NULL, record[i], err);
		if (status == NDL_OK)
			status = calibrate_add(c, &odds[i], counts.exact, err);
	}
	return status;
}

ndl_status finetune_calibrate(const ndl_lines *lines, const size_t *rows, size_t all, size_t n, const char *model, int threads,
                              ndl_error *err)
{
	calibration c = {0};
	ndl_status status = NDL_OK;
	eval_caller *caller = NULL;
	json_t **record = ndl_calloc(n, sizeof *record);
	ndl_error *errors = ndl_calloc(n, sizeof *errors);
	ndl_odds *odds = ndl_calloc(n, sizeof *odds);
	if (!record || !errors || !odds)
		status = ndl_fail_nomem(err, "validation examples");
	if (status == NDL_OK)
		status = parse(record, lines, rows, all, n, err);
	if (status == NDL_OK && !(caller = eval_caller_open(model, threads, NDL_PRECISION_F32, NULL, 0, &(ndl_request){0}, false, err)))
		status = err->code;
	if (status == NDL_OK) {
		eval_caller_run(caller, record, errors, odds, n);
		status = add_answers(&c, record, errors, odds, n, err);
	}
	eval_caller_free(caller);
	if (status == NDL_OK)
		status = calibrate_write(&c, model, model, err);
	calibrate_clear(&c);
	for (size_t i = 0; record && i < n; i++)
		json_decref(record[i]);
	free(record);
	free(errors);
	free(odds);
	return status;
}
