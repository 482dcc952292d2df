#include "eval/eval.h"

#include <math.h>
#include <string.h>

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : NAN;
}

/* In the order of the enum below. */
static const char *const metrics[] = {
	"exact_match",       /* records whose calls are all right, and no others */
	"relaxed_match",     /* the same, ignoring case and blanks around strings */
	"call_f1",           /* calls with the right name and arguments */
	"name_f1",           /* calls with the right name */
	"args_acc",          /* arguments right, where the name is */
	"value_acc",         /* values right, where both have the key */
	"param_miss",        /* keys of the reference that are absent */
	"param_haluc",       /* keys that the schema does not declare */
	"schema_valid",      /* calls that their schema allows */
	"value_grounded",    /* string values that occur in the query */
	"refusal_precision", /* no call was right, where none was made */
	"refusal_recall",    /* no call was made, where none was right */
	"parse_rate",        /* records whose calls could be read */
};

enum { EXACT, RELAXED, CALL_F1, NAME_F1, ARGS, VALUES, MISS, HALUC, SCHEMA, GROUNDED, REFUSAL_P, REFUSAL_R, PARSE,
       COUNT };

_Static_assert(sizeof metrics / sizeof metrics[0] == COUNT, "a name for every metric");

const char *ndl_eval_metric(size_t i)
{
	return i < COUNT ? metrics[i] : NULL;
}

int ndl_eval_metric_find(const char *name)
{
	for (int i = 0; i < COUNT; i++)
		if (strcmp(metrics[i], name) == 0)
			return i;
	return -1;
}

double ndl_eval_value(const ndl_eval_counts *c, size_t metric)
{
	switch (metric) {
	case EXACT: return ratio(c->exact, c->records);
	case RELAXED: return ratio(c->relaxed, c->records);
	case CALL_F1: return ratio(2 * c->same_calls, c->ref_calls + c->pred_calls);
	case NAME_F1: return ratio(2 * c->same_names, c->ref_calls + c->pred_calls);
	case ARGS: return ratio(c->same_calls, c->same_names);
	case VALUES: return ratio(c->same_values, c->common_keys);
	case MISS: return ratio(c->missing_keys, c->ref_keys);
	case HALUC: return ratio(c->undeclared_keys, c->pred_keys);
	case SCHEMA: return ratio(c->valid_calls, c->checked_calls);
	case GROUNDED: return ratio(c->grounded, c->strings);
	case REFUSAL_P: return ratio(c->both_none, c->pred_none);
	case REFUSAL_R: return ratio(c->both_none, c->ref_none);
	case PARSE: return ratio(c->parsed, c->records);
	default: return NAN;
	}
}
