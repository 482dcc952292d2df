/* augment.h - the order of tools and of their parameters, shuffled in place, in any dialect. */
#ifndef NDL_DATA_AUGMENT_H
#define NDL_DATA_AUGMENT_H

#include "base/rng.h"
#include "json/json.h"

/* Permutes the array of tools (also inside a wrapper object) and the parameters of each tool,
 * nested ones too. What is not understood stays as it is: judging it is lib/tools' work. */
ndl_status ndl_shuffle_tools(json_t *tools, ndl_rng *rng, ndl_error *err);

#endif
