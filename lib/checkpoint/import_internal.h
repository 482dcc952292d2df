/* import_internal.h - the formats behind ndl_import_open. */
#ifndef NDL_CHECKPOINT_IMPORT_INTERNAL_H
#define NDL_CHECKPOINT_IMPORT_INTERNAL_H

#include "checkpoint/checkpoint_internal.h"
#include "checkpoint/import.h"

/* The bytes are borrowed until ndl_ckpt_close. Of the arrays those are taken whose names begin with prefix, without it. */
ndl_ckpt *ndl_import_pickle(const void *data, size_t size, const char *prefix, ndl_error *err);

/* Whether an open safetensors file has needle-rs's names. */
bool ndl_is_needle_rs(const ndl_ckpt *source);
/* Takes source over, also on failure. */
ndl_ckpt *ndl_import_needle_rs(ndl_ckpt *source, ndl_error *err);

#endif
