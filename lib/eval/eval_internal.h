/* eval_internal.h - calls in a form that sorts. Private to the room. */
#ifndef NDL_EVAL_INTERNAL_H
#define NDL_EVAL_INTERNAL_H

#include "eval/eval.h"

/* One call. Equal calls have equal texts: keys sorted, integral numbers alike. */
typedef struct call {
	json_t *arguments;       /* owned, an object */
	const char *name;        /* borrowed: the normalised name if the tool is known */
	long tool;               /* index, or -1 */
	char *text, *folded;     /* owned: arguments, and with case and blanks ignored */
	size_t at;               /* place in the list */
} call;

typedef struct call_list {
	call *call;
	size_t n;
} call_list;

/* From a list of calls; NDL_EINVAL with where it is not one. */
ndl_status ndl_calls_take(call_list *l, const json_t *calls, const ndl_tools *tools, ndl_error *err);
void ndl_calls_clear(call_list *l);

/* Appends value so that equal values give equal texts; fold: in lower case and trimmed. */
void ndl_canonical(ndl_buf *out, const json_t *value, int fold);

#endif
