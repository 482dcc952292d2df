/* recall.c - does retrieval find the tools that are called? */
#include "eval/eval_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t recall_at[NDL_RECALL_AT] = {1, 3, 5, 10};
static const char *const names[NDL_RECALL_AT + 1] = {"recall@1", "recall@3", "recall@5", "recall@10", "mrr"};

/* called[count] := which tools the answers call; the number of different ones, or negative. */
static long mark(bool *called, const ndl_tools *t, const json_t *answers, ndl_error *err)
{
	long n = 0;
	for (size_t i = 0; i < json_array_size(answers); i++) {
		const char *name = json_string_value(json_object_get(ndl_tools_call(json_array_get(answers, i)), "name"));
		long tool = name ? ndl_tools_find(t, name) : -1;
		if (tool < 0)
			return ndl_fail(err, NDL_EINVAL, "answers[%zu]: calls no tool of the list", i);
		n += !called[tool];
		called[tool] = true;
	}
	return n;
}

ndl_status ndl_recall_of(ndl_recall *r, const ndl_tools *t, const json_t *answers, const size_t *order, ndl_error *err)
{
	size_t n = ndl_tools_count(t);
	bool *called = ndl_calloc(n + 1, sizeof *called);
	*r = (ndl_recall){0};
	if (!called)
		return ndl_fail_nomem(err, "a ranking");
	long wanted = json_is_array(answers) ? mark(called, t, answers, err)
	                                     : ndl_fail(err, NDL_EINVAL, "answers: expected a list of calls");
	if (wanted > 0) {
		r->records = 1;
		r->tools = n;
	}
	for (size_t place = 0; wanted > 0 && place < n; place++) {
		if (!called[order[place]])
			continue;
		if (r->reciprocal == 0)
			r->reciprocal = 1 / (double)(place + 1);
		for (size_t k = 0; k < NDL_RECALL_AT; k++)
			if (place < recall_at[k])
				r->at[k] += 1 / (double)wanted;
	}
	free(called);
	return wanted < 0 ? (ndl_status)wanted : NDL_OK;
}

void ndl_recall_add(ndl_recall *to, const ndl_recall *from)
{
	to->records += from->records;
	to->tools += from->tools;
	to->reciprocal += from->reciprocal;
	for (size_t k = 0; k < NDL_RECALL_AT; k++)
		to->at[k] += from->at[k];
}

const char *ndl_recall_metric(size_t i)
{
	return i <= NDL_RECALL_AT ? names[i] : NULL;
}

int ndl_recall_metric_find(const char *name)
{
	for (int i = 0; i <= NDL_RECALL_AT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

double ndl_recall_value(const ndl_recall *r, size_t metric)
{
	double sum = metric < NDL_RECALL_AT ? r->at[metric] : r->reciprocal;
	return r->records ? sum / (double)r->records : NAN;
}
