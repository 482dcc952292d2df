/* quantize.h - the parts of needle-quantize: converting, calibrating, checking, looking at files. */
#ifndef NDL_CMD_QUANTIZE_H
#define NDL_CMD_QUANTIZE_H

#include "checkpoint/import.h"
#include "cmd/cli.h"
#include "data/lines.h"
#include "json/json.h"
#include "quant/calib.h"
#include "tensor/exec.h"
#include "tokenizer/tokenizer.h"

/* A model file that has been opened and checked: a whole network, nothing else under its names. */
typedef struct quantize_model {
	const char *path;
	ndl_import_info import;
	ndl_ckpt *ckpt;
	ndl_config config;
} quantize_model;

/* prefix: as ndl_import_open. Errors name the file. */
ndl_status quantize_open(quantize_model *m, const char *path, const char *prefix, ndl_error *err);

/* Records of path, all of them good; `tools`, JSON or NULL, for those that have none. */
ndl_lines *quantize_lines(const cli *c, const char *path, const char *tools, ndl_error *err);
/* Runs the model over the first (at most 256) of the records, which path names. */
ndl_calib *quantize_calibrate(const cli *c, const quantize_model *m, const ndl_tok *tok, const ndl_lines *lines, const char *path,
                              ndl_exec *x, ndl_error *err);

/* Runs source m, which must hold a tokenizer, and the file `written` over the records, which path names; a new report:
 * {"records","same_calls","tokens","mean_kl","same_tokens","even_tokens","metrics":{name:[source,written]}}. */
json_t *quantize_check(const cli *c, const quantize_model *m, const char *written, const ndl_lines *lines, const char *path,
                       ndl_exec *x, ndl_error *err);
void quantize_check_print(json_t *report);

/* --info and --diff: print and return an exit status. */
int quantize_info(const cli *c, const char *path, const char *prefix, bool json);
int quantize_diff(const cli *c, const char *path_a, const char *path_b, const char *prefix, bool json);

#endif
