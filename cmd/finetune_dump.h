/* finetune_dump.h - training batches as token ids, for trainers in other languages (contrib/torch). */
#ifndef NDL_CMD_FINETUNE_DUMP_H
#define NDL_CMD_FINETUNE_DUMP_H

#include "data/dataset.h"

#include <signal.h>

/* Writes batches of data to path ("-": stdout), at most `most`, until the data end or *stop is not 0. The
 * format is described in needle-finetune(1). Returns how many batches, or negative. */
long finetune_dump(const char *path, ndl_dataset *data, uint64_t most, const volatile sig_atomic_t *stop, ndl_error *err);

#endif
