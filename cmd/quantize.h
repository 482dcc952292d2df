/* quantize.h - the two halves of needle-quantize: converting, and looking at model files. */
#ifndef NDL_CMD_QUANTIZE_H
#define NDL_CMD_QUANTIZE_H

#include "checkpoint/checkpoint.h"
#include "cmd/cli.h"

/* A model file that has been opened and checked: a whole network, nothing else under its names. */
typedef struct quantize_model {
	const char *path;
	ndl_ckpt *ckpt;
	ndl_config config;
} quantize_model;

/* prefix: NULL finds out by itself whether names start with "params/". Errors name the file. */
ndl_status quantize_open(quantize_model *m, const char *path, const char *prefix, ndl_error *err);
/* Refuses files that are something else (pickles, archives), saying what is supported. */
ndl_ckpt *quantize_open_file(const char *path, const char *prefix, ndl_error *err);

/* --info and --diff: print and return an exit status. */
int quantize_info(const cli *c, const char *path, const char *prefix, bool json);
int quantize_diff(const cli *c, const char *path_a, const char *path_b, const char *prefix, bool json);

#endif
