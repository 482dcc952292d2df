/* import.h - checkpoints of other programs, seen as model files. */
#ifndef NDL_CHECKPOINT_IMPORT_H
#define NDL_CHECKPOINT_IMPORT_H

#include "checkpoint/checkpoint.h"

/* What a file turned out to be. */
typedef enum ndl_import_kind {
	NDL_IMPORT_SAFETENSORS, /* ours, or upstream's tree flattened */
	NDL_IMPORT_NEEDLE_RS,   /* safetensors of needle-rs: a tensor a layer, INT4 kernels */
	NDL_IMPORT_PICKLE,      /* upstream's checkpoint */
} ndl_import_kind;

typedef struct ndl_import_info {
	ndl_import_kind kind;
	char member[200]; /* name inside an archive; "" if the file is none */
	char vocab[200];  /* the archive's vocabulary, which became the tokenizer tensor; "" if none */
} ndl_import_info;

/* Opens path, whatever of these it is, also compressed (gzip, zstd, xz, bzip2) or inside a tar or zip
 * that holds one checkpoint, with or without a vocabulary (*.model or vocab.txt). The tensors bear
 * upstream's names, layers stacked on axis 0, and are as the file holds them, but:
 * needle-rs's INT4 kernels become F32; a contrastive head without log_temp gets one of 0.
 * prefix: as ndl_ckpt_open_prefix; NULL takes "params/" off where all of the tree is below it.
 * Values are not looked at: ndl_config_from_ckpt and ndl_ckpt_check say whether it is a network.
 * Nothing in a file is executed; decompressed data may be 64 times as large as the file. */
ndl_ckpt *ndl_import_open(const char *path, const char *prefix, ndl_import_info *info, ndl_error *err);
/* The same from memory, which is borrowed until ndl_ckpt_close. */
ndl_ckpt *ndl_import_memory(const void *data, size_t size, const char *prefix, ndl_import_info *info, ndl_error *err);
/* "safetensors", "needle-rs safetensors", "pickle" */
const char *ndl_import_kind_name(ndl_import_kind kind);

#endif
