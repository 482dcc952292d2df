#include "cmd/eval_report.h"

#include "base/mem.h"
#include "cmd/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More groups than these are counted together: --by is not meant for unique values. */
enum { MAX_GROUPS = 10000 };
static const char others[] = "(others)";
static const char absent[] = "(none)";

void eval_totals_clear(eval_totals *t)
{
	for (size_t i = 0; i < t->n_groups; i++)
		free(t->group[i].key);
	free(t->group);
	json_decref(t->index);
	ndl_reliability_clear(&t->confidence);
	*t = (eval_totals){0};
}

/* Adding ------------------------------------------------------------------------------- */

static const json_t *follow(const json_t *record, const char *path)
{
	while (record && *path) {
		char key[256];
		size_t len = strcspn(path, ".");
		if (len >= sizeof key)
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		record = json_object_get(record, key);
		path += len + (path[len] == '.');
	}
	return record;
}

/* The group of this key, made if it is new; NULL without memory. */
static eval_group *find_group(eval_totals *t, const char *key)
{
	if (!t->index && !(t->index = json_object()))
		return NULL;
	const json_t *at = json_object_get(t->index, key);
	if (!at && t->n_groups >= MAX_GROUPS) {
		key = others;
		at = json_object_get(t->index, key);
	}
	if (at)
		return &t->group[json_integer_value(at)];
	if (ndl_grow(&t->group, &t->cap_groups, t->n_groups + 1, sizeof *t->group) < 0)
		return NULL;
	eval_group *g = &t->group[t->n_groups];
	*g = (eval_group){.key = strdup(key)};
	if (!g->key || json_object_set_new(t->index, key, json_integer((json_int_t)t->n_groups)) < 0) {
		free(g->key);
		return NULL;
	}
	t->n_groups++;
	return g;
}

static ndl_status add_to_group(eval_totals *t, const ndl_eval_counts *c, const json_t *record, ndl_error *err)
{
	const json_t *value = follow(record, t->field);
	ndl_buf key = NDL_BUF_INIT;
	if (json_is_string(value))
		ndl_buf_str(&key, json_string_value(value));
	else if (value)
		ndl_json_write(&key, value, 0);
	else
		ndl_buf_str(&key, absent);
	ndl_status rc = ndl_buf_check(&key, err);
	if (rc == NDL_OK) {
		eval_group *g = find_group(t, ndl_buf_cstr(&key));
		if (g)
			ndl_eval_add(&g->counts, c);
		else
			rc = ndl_fail_nomem(err, "groups");
	}
	ndl_buf_clear(&key);
	return rc;
}

ndl_status eval_totals_add(eval_totals *t, const ndl_eval_counts *c, const json_t *record, ndl_error *err)
{
	const json_t *confidence = json_object_get(record, "confidence");
	ndl_status rc = NDL_OK;
	if (json_is_number(confidence))
		rc = ndl_reliability_add(&t->confidence, json_number_value(confidence), c->exact != 0, err);
	if (rc != NDL_OK)
		return rc;
	ndl_eval_add(&t->all, c);
	ndl_eval_add(&t->by_calls[c->ref_calls < EVAL_BY_CALLS ? c->ref_calls : EVAL_BY_CALLS - 1], c);
	return t->field ? add_to_group(t, c, record, err) : NDL_OK;
}

static int by_key(const void *a, const void *b)
{
	const eval_group *x = a, *y = b;
	return strcmp(x->key, y->key);
}

/* The index is of no use after this. */
static void sort_groups(eval_totals *t)
{
	json_decref(t->index);
	t->index = NULL;
	if (t->n_groups)
		qsort(t->group, t->n_groups, sizeof *t->group, by_key);
}

/* Table -------------------------------------------------------------------------------- */

static void print_value(FILE *to, double x, int width)
{
	if (isnan(x))
		fprintf(to, "%*s", width, "-");
	else
		fprintf(to, "%*.4f", width, x);
}

/* A row a metric; a column for all and for each number of calls that occurs. */
static void print_metrics(FILE *to, const eval_totals *t)
{
	static const char *const heads[EVAL_BY_CALLS] = {"0 calls", "1 call", "2 calls", "3+"};
	enum { NAME = -18, WIDTH = 10 };
	fprintf(to, "%*s%*s", NAME, "", WIDTH, "all");
	for (int i = 0; i < EVAL_BY_CALLS; i++)
		if (t->by_calls[i].records)
			fprintf(to, "%*s", WIDTH, heads[i]);
	fprintf(to, "\n%*s%*llu", NAME, "records", WIDTH, (unsigned long long)t->all.records);
	for (int i = 0; i < EVAL_BY_CALLS; i++)
		if (t->by_calls[i].records)
			fprintf(to, "%*llu", WIDTH, (unsigned long long)t->by_calls[i].records);
	fputc('\n', to);
	for (size_t m = 0; ndl_eval_metric(m); m++) {
		fprintf(to, "%*s", NAME, ndl_eval_metric(m));
		print_value(to, ndl_eval_value(&t->all, m), WIDTH);
		for (int i = 0; i < EVAL_BY_CALLS; i++)
			if (t->by_calls[i].records)
				print_value(to, ndl_eval_value(&t->by_calls[i], m), WIDTH);
		fputc('\n', to);
	}
}

/* A row a group; the metrics that tell most. */
static void print_groups(FILE *to, const eval_totals *t)
{
	static const char *const shown[] = {"exact_match", "call_f1", "name_f1", "args_acc", "value_acc", "schema_valid"};
	int width = (int)strlen(t->field);
	for (size_t i = 0; i < t->n_groups; i++) {
		size_t len = strlen(t->group[i].key);
		if (len < 60 && (int)len > width)
			width = (int)len;
	}
	fprintf(to, "\n%-*s%9s", width, t->field, "records");
	for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++)
		fprintf(to, "%14s", shown[k]);
	fputc('\n', to);
	for (size_t i = 0; i < t->n_groups; i++) {
		const eval_group *g = &t->group[i];
		cli_put_clean(to, g->key);
		fprintf(to, "%*s%9llu", width > (int)strlen(g->key) ? width - (int)strlen(g->key) : 0, "",
		        (unsigned long long)g->counts.records);
		for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++)
			print_value(to, ndl_eval_value(&g->counts, (size_t)ndl_eval_metric_find(shown[k])), 14);
		fputc('\n', to);
	}
}

static void print_calibration(FILE *to, const ndl_calibration *c)
{
	fprintf(to, "\n%-12s%9s%10s%8s\n", "confidence", "records", "mean", "right");
	for (int b = 0; b < NDL_BINS; b++) {
		const struct ndl_bin *bin = &c->bin[b];
		if (bin->n)
			fprintf(to, "%.1f - %.1f   %9zu%10.4f%8.4f\n", (double)b / NDL_BINS, (double)(b + 1) / NDL_BINS, bin->n,
			        bin->confidence, (double)bin->right / (double)bin->n);
	}
	fprintf(to, "expected calibration error");
	print_value(to, c->ece, 8);
	fprintf(to, ", area under the ROC curve");
	print_value(to, c->auroc, 8);
	fputc('\n', to);
}

ndl_status eval_write_table(FILE *to, eval_totals *t, ndl_error *err)
{
	ndl_calibration c;
	ndl_status rc = ndl_reliability_result(&t->confidence, &c, err);
	if (rc != NDL_OK)
		return rc;
	sort_groups(t);
	print_metrics(to, t);
	if (t->bad)
		fprintf(to, "not scored: %zu bad records\n", t->bad);
	if (t->field)
		print_groups(to, t);
	if (c.n)
		print_calibration(to, &c);
	return NDL_OK;
}

/* JSON --------------------------------------------------------------------------------- */

static json_t *number(double x)
{
	return isnan(x) ? json_null() : json_real(x);
}

static json_t *metrics_json(const ndl_eval_counts *c)
{
	json_t *o = json_object();
	json_object_set_new(o, "records", json_integer((json_int_t)c->records));
	for (size_t m = 0; ndl_eval_metric(m); m++)
		json_object_set_new(o, ndl_eval_metric(m), number(ndl_eval_value(c, m)));
	return o;
}

static json_t *calls_json(const eval_totals *t)
{
	static const char *const keys[EVAL_BY_CALLS] = {"0", "1", "2", "3+"};
	json_t *o = json_object();
	for (int i = 0; i < EVAL_BY_CALLS; i++)
		if (t->by_calls[i].records)
			json_object_set_new(o, keys[i], metrics_json(&t->by_calls[i]));
	return o;
}

static json_t *groups_json(const eval_totals *t)
{
	json_t *o = json_object(), *groups = json_object();
	for (size_t i = 0; i < t->n_groups; i++)
		json_object_set_new(groups, t->group[i].key, metrics_json(&t->group[i].counts));
	json_object_set_new(o, "field", json_string(t->field));
	json_object_set_new(o, "groups", groups);
	return o;
}

static json_t *calibration_json(const ndl_calibration *c)
{
	json_t *o = json_object(), *bins = json_array();
	json_object_set_new(o, "records", json_integer((json_int_t)c->n));
	json_object_set_new(o, "ece", number(c->ece));
	json_object_set_new(o, "auroc", number(c->auroc));
	for (int b = 0; b < NDL_BINS; b++) {
		const struct ndl_bin *bin = &c->bin[b];
		json_t *one = json_object();
		json_object_set_new(one, "from", json_real((double)b / NDL_BINS));
		json_object_set_new(one, "records", json_integer((json_int_t)bin->n));
		json_object_set_new(one, "confidence", bin->n ? json_real(bin->confidence) : json_null());
		json_object_set_new(one, "right", bin->n ? json_real((double)bin->right / (double)bin->n) : json_null());
		json_array_append_new(bins, one);
	}
	json_object_set_new(o, "bins", bins);
	return o;
}

ndl_status eval_write_json(FILE *to, eval_totals *t, ndl_error *err)
{
	ndl_calibration c;
	ndl_status rc = ndl_reliability_result(&t->confidence, &c, err);
	if (rc != NDL_OK)
		return rc;
	sort_groups(t);
	json_t *o = metrics_json(&t->all);
	json_object_set_new(o, "bad", json_integer((json_int_t)t->bad));
	json_object_set_new(o, "by_calls", calls_json(t));
	if (t->field)
		json_object_set_new(o, "by", groups_json(t));
	if (c.n)
		json_object_set_new(o, "calibration", calibration_json(&c));
	ndl_buf text = NDL_BUF_INIT;
	ndl_json_write(&text, o, 0);
	ndl_buf_byte(&text, '\n');
	json_decref(o);
	rc = ndl_buf_check(&text, err);
	if (rc == NDL_OK)
		fwrite(text.data, 1, text.len, to);
	ndl_buf_clear(&text);
	return rc;
}

/* Retrieval ---------------------------------------------------------------------------- */

static double mean_tools(const ndl_recall *r)
{
	return (double)r->tools / (double)r->records;
}

void eval_write_recall(FILE *to, const ndl_recall *r)
{
	fprintf(to, "%-20s %8llu\n%-20s %8.1f\n", "records", (unsigned long long)r->records, "tools", mean_tools(r));
	for (size_t m = 0; ndl_recall_metric(m); m++)
		fprintf(to, "%-20s %8.4f\n", ndl_recall_metric(m), ndl_recall_value(r, m));
}

void eval_write_recall_json(FILE *to, const ndl_recall *r)
{
	fprintf(to, "{\"records\":%llu,\"tools\":%.6g", (unsigned long long)r->records, mean_tools(r));
	for (size_t m = 0; ndl_recall_metric(m); m++)
		fprintf(to, ",\"%s\":%.6g", ndl_recall_metric(m), ndl_recall_value(r, m));
	fputs("}\n", to);
}
