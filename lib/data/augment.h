/* augment.h - what an example shows of its tools, changed in place: their order and that of their parameters, in any dialect, and
 * what is required. */
#ifndef NDL_DATA_AUGMENT_H
#define NDL_DATA_AUGMENT_H

#include "base/rng.h"
#include "json/json.h"
#include "tools/tools.h"

/* Permutes the array of tools (also inside a wrapper object) and the parameters of each tool,
 * nested ones too. What is not understood stays as it is: judging it is lib/tools' work. */
ndl_status ndl_shuffle_tools(json_t *tools, ndl_rng *rng, ndl_error *err);
/* Makes required arguments optional: all of them, or every second, drawn at random. Answers stay right, but their arguments have to be
 * found by what the query says alone: lists of tools that require nothing are common. */
void ndl_loosen_tools(const ndl_tools *t, ndl_rng *rng);

#endif
