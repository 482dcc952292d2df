/* eval_infer.h - makes the calls of records with a model, side by side, before they are scored. */
#ifndef NDL_CMD_EVAL_INFER_H
#define NDL_CMD_EVAL_INFER_H

#include "eval/eval.h"
#include "json/json.h"
#include "session/session.h"

#include <stddef.h>

typedef struct eval_caller eval_caller; /* opaque, owned */

/* threads 0: all available. tools: list of all records, or NULL (then each its own); read only.
 * tool_flags: NDL_TOOLS_LENIENT or 0. request: how to ask. recall: only for eval_caller_rank. */
eval_caller *eval_caller_open(const char *model, int threads, ndl_precision precision, json_t *tools, int tool_flags,
                              const ndl_request *request, bool recall, ndl_error *err);
void eval_caller_free(eval_caller *c);

/* Adds the fields of their answers (answer.h) to n records; NULLs among them are passed over.
 * What goes wrong with record i is in err[i] and makes its calls no list: {"error":…}.
 * odds[n], or NULL: what the choices of each answer say. The same for any number of threads. */
void eval_caller_run(eval_caller *c, json_t **record, ndl_error *err, ndl_odds *odds, size_t n);

/* each[i] := where the ranking of request.rank has the tools that the answers of record i call; err[i]
 * says what goes wrong with it. */
void eval_caller_rank(eval_caller *c, json_t **record, ndl_error *err, ndl_recall *each, size_t n);

#endif
