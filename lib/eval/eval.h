/* eval.h - how good calls are (SPEC section 9).
 *
 * All metrics are quotients of sums over records (micro averages), so that scores of parts add up
 * to the score of the whole. Reference: the calls of "answers"; prediction: those of "calls".
 * Calls are compared as JSON: 1 equals 1.0, the order of keys does not matter, strings are
 * compared byte for byte. With tools known, a name and its snake_case form are the same name.
 *
 * Matching. Both lists are multisets. `same calls` = size of the intersection by name and
 * arguments, `same names` = by name alone. For metrics of arguments, calls of the same name are
 * paired: equal ones first, the others in their order; so there are `same names` pairs.
 *
 *   parse_rate      records whose prediction is a list of calls / records
 *   name_f1         2 * same names / (reference calls + predicted calls)
 *   call_f1         2 * same calls / (reference calls + predicted calls)
 *   exact_match     records whose two multisets are equal / records
 *   relaxed_match   the same when ASCII case, and blanks around string values, are ignored
 *   args_acc        pairs with equal arguments / pairs
 *   param_haluc     predicted argument keys that the called tool's schema does not declare
 *                   / predicted argument keys (all of an unknown tool's are undeclared)
 *   param_miss      reference keys that are absent / reference keys, over the pairs
 *   value_acc       keys with equal values / keys that both have, over the pairs
 *   schema_valid    predicted calls valid against their tool's schema / predicted calls
 *   value_grounded  predicted string values that occur in the query (ASCII case ignored)
 *                   / predicted string values; values from an enum or const are choices, not
 *                   copies, and do not count, nor do empty ones
 *   refusal_precision  records without calls on both sides / records predicted without
 *   refusal_recall     the same / records whose reference has none
 *
 * param_haluc and schema_valid look only at records that have tools. A prediction that is no list
 * of calls counts as no calls at all, but not as a refusal and never as a match. A quotient
 * with nothing below the line is undefined (NaN). */
#ifndef NDL_EVAL_EVAL_H
#define NDL_EVAL_EVAL_H

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "json/json.h"
#include "tools/tools.h"

#include <stdint.h>

/* Zero-initialise. Plain sums: add them up with ndl_eval_add. */
typedef struct ndl_eval_counts {
	uint64_t records, parsed, exact, relaxed;
	uint64_t ref_calls, pred_calls, same_names, same_calls; /* same_names = pairs */
	uint64_t ref_keys, missing_keys, common_keys, same_values;
	uint64_t pred_keys, undeclared_keys, checked_calls, valid_calls;
	uint64_t strings, grounded;
	uint64_t ref_none, pred_none, both_none;
} ndl_eval_counts;

void ndl_eval_add(ndl_eval_counts *to, const ndl_eval_counts *from);

/* Scores one prediction into *c (replaced). tools may be NULL, calls NULL or no list of calls:
 * then it is a prediction that did not parse. answers must be a list of calls
 * (NDL_EINVAL with a path if not). */
ndl_status ndl_eval_calls(ndl_eval_counts *c, const char *query, const ndl_tools *tools, const json_t *answers,
                          const json_t *calls, ndl_error *err);

/* The same for a record of JSON Lines: "query", "answers", "calls", and "tools" unless `tools` is
 * given; each but the query may be a string of JSON. A record with "error" or "invalid" and no list
 * in "calls" is a prediction that did not parse; one with neither is NDL_ENOTFOUND. */
ndl_status ndl_eval_record(ndl_eval_counts *c, const ndl_tools *tools, const json_t *record, ndl_error *err);

/* Name of metric i, or NULL past the last. */
const char *ndl_eval_metric(size_t i);
/* Its index, or -1. */
int ndl_eval_metric_find(const char *name);
/* Its value; NaN if undefined. */
double ndl_eval_value(const ndl_eval_counts *c, size_t metric);

/* Retrieval ----------------------------------------------------------------------------- */

enum { NDL_RECALL_AT = 4 }; /* k = 1, 3, 5, 10 */

/* Sums over records whose answers call a tool; zero-initialise, add up with ndl_recall_add. */
typedef struct ndl_recall {
	uint64_t records, tools;   /* tools offered */
	double at[NDL_RECALL_AT];  /* recall@k: share of the called tools that are among the best k */
	double reciprocal;         /* 1 / place of the first called tool */
} ndl_recall;

/* *r := of one record: order[count] ranks the tools, best first. Without calls in `answers` nothing counts. A
 * called tool that is not among them is NDL_EINVAL. */
ndl_status ndl_recall_of(ndl_recall *r, const ndl_tools *t, const json_t *answers, const size_t *order, ndl_error *err);
void ndl_recall_add(ndl_recall *to, const ndl_recall *from);

/* Names of what the sums tell: "recall@1" ... "mrr"; NULL past the last. */
const char *ndl_recall_metric(size_t i);
/* Its index, or -1. */
int ndl_recall_metric_find(const char *name);
/* Its mean over the records; NaN without any. */
double ndl_recall_value(const ndl_recall *r, size_t metric);

/* Do the confidences tell right from wrong? --------------------------------------------- */

enum { NDL_BINS = 10 };

/* Zero-initialise; ndl_reliability_clear frees. */
typedef struct ndl_reliability {
	struct ndl_seen {
		double confidence;
		int right;
	} *seen;
	size_t n, cap;
} ndl_reliability;

typedef struct ndl_calibration {
	size_t n, right;
	double ece;   /* expected calibration error: sum over bins of n_b/n |accuracy - mean confidence| */
	double auroc; /* chance that a right record has more confidence than a wrong one, ties half;
	                 NaN unless there are both */
	struct ndl_bin { /* confidence in [b/10, (b+1)/10), the last with 1 */
		size_t n, right;
		double confidence; /* mean */
	} bin[NDL_BINS];
} ndl_calibration;

void ndl_reliability_clear(ndl_reliability *r);
/* confidence: in [0, 1], else NDL_EINVAL. right: the record was an exact match. */
ndl_status ndl_reliability_add(ndl_reliability *r, double confidence, int right, ndl_error *err);
ndl_status ndl_reliability_result(const ndl_reliability *r, ndl_calibration *out, ndl_error *err);

/* One answer, as ndl_confidence (checkpoint.h) sees it. */
typedef struct ndl_fit_sample {
	double sum, least;
	int right; /* it was an exact match */
} ndl_fit_sample;

enum { NDL_FIT_LEAST = 30 }; /* samples */

/* Maximum likelihood: a logistic regression with a ridge that draws few samples towards
 * NDL_CONFIDENCE_PLAIN. NDL_EINVAL with too few samples, or all right or all wrong. */
ndl_status ndl_fit(const ndl_fit_sample *s, size_t n, ndl_confidence *out, ndl_error *err);

#endif
