#include "cmd/finetune_score.h"

#include "base/mem.h"
#include "cmd/eval_infer.h"
#include "eval/eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void drop(json_t **record, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(record[i]);
		record[i] = NULL;
	}
}

static ndl_status parse(const ndl_lines *lines, const size_t *rows, size_t n, json_t **record, ndl_error *err)
{
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *line = ndl_lines_at(lines, rows[i], &len);
		record[i] = ndl_json_parse(line, len, err);
		if (!record[i])
			return err->code;
	}
	return NDL_OK;
}

static ndl_status score_model(const char *model, json_t **record, ndl_error *errors, size_t n, int threads,
                              ndl_eval_counts *sum, ndl_error *err)
{
	eval_caller *caller = eval_caller_open(model, threads, NDL_PRECISION_F32, NULL, err);
	if (!caller)
		return err->code;
	eval_caller_run(caller, record, errors, n);
	eval_caller_free(caller);
	*sum = (ndl_eval_counts){0};
	for (size_t i = 0; i < n; i++) {
		ndl_eval_counts c;
		ndl_status status = ndl_eval_record(&c, NULL, record[i], err);
		if (status != NDL_OK)
			return status;
		ndl_eval_add(sum, &c);
	}
	return NDL_OK;
}

static void put(double value)
{
	if (isnan(value))
		printf("\t-");
	else
		printf("\t%.4f", value);
}

static void print_table(size_t n, const ndl_eval_counts *base, const ndl_eval_counts *tuned)
{
	printf("held-out examples: %zu\nmetric%s\ttuned\n", n, base ? "\tbase" : "");
	for (size_t m = 0; ndl_eval_metric(m); m++) {
		printf("%s", ndl_eval_metric(m)->name);
		if (base)
			put(ndl_eval_value(base, m));
		put(ndl_eval_value(tuned, m));
		putchar('\n');
	}
}

ndl_status finetune_score(const ndl_lines *lines, const size_t *rows, size_t n, const char *base, const char *tuned,
                          int threads, ndl_error *err)
{
	ndl_eval_counts before, after;
	ndl_status status = NDL_OK;
	json_t **record = ndl_calloc(n, sizeof *record);
	ndl_error *errors = ndl_calloc(n, sizeof *errors);
	if (!record || !errors)
		status = ndl_fail_nomem(err, "held-out examples");
	if (status == NDL_OK)
		status = parse(lines, rows, n, record, err);
	if (status == NDL_OK && base)
		status = score_model(base, record, errors, n, threads, &before, err);
	if (status == NDL_OK)
		status = score_model(tuned, record, errors, n, threads, &after, err);
	if (status == NDL_OK)
		print_table(n, base ? &before : NULL, &after);
	if (record)
		drop(record, n);
	free(record);
	free(errors);
	return status;
}
