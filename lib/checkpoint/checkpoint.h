/* checkpoint.h - model files: safetensors that hold config, tokenizer and weights.
 *
 * Layout, names and metadata are described in needle-checkpoint(5). Reading maps the file and
 * checks everything (header, sizes, shapes, overflow, alignment of use) before anything is used. */
#ifndef NDL_CHECKPOINT_CHECKPOINT_H
#define NDL_CHECKPOINT_CHECKPOINT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef enum ndl_dtype { NDL_F32, NDL_F16, NDL_BF16, NDL_F64, NDL_I8, NDL_U8, NDL_I16, NDL_U16,
	NDL_I32, NDL_U32, NDL_I64, NDL_U64, NDL_BOOL, NDL_DTYPE_COUNT } ndl_dtype;

enum { NDL_MAX_RANK = 8 };

typedef struct ndl_tensor {
	const char *name;          /* borrowed from the checkpoint */
	ndl_dtype dtype;
	int rank;                  /* 0 for a scalar */
	size_t shape[NDL_MAX_RANK];
	const void *data;          /* borrowed; row-major, little-endian; may be unaligned in foreign files */
	size_t bytes;
} ndl_tensor;

typedef struct ndl_ckpt ndl_ckpt; /* opaque, owned; an open file, read-only, shareable between threads */

ndl_ckpt *ndl_ckpt_open(const char *path, ndl_error *err);
void ndl_ckpt_close(ndl_ckpt *c);
size_t ndl_ckpt_count(const ndl_ckpt *c);
const ndl_tensor *ndl_ckpt_at(const ndl_ckpt *c, size_t i);             /* in file order */
const ndl_tensor *ndl_ckpt_find(const ndl_ckpt *c, const char *name);   /* NULL if absent */
const char *ndl_ckpt_meta(const ndl_ckpt *c, const char *key);          /* NULL if absent */
size_t ndl_ckpt_meta_count(const ndl_ckpt *c);
void ndl_ckpt_meta_at(const ndl_ckpt *c, size_t i, const char **key, const char **value);

const char *ndl_dtype_name(ndl_dtype d);   /* "F32", as in the file */
size_t ndl_dtype_size(ndl_dtype d);        /* bytes an element */
/* Number of elements; SIZE_MAX on overflow. */
size_t ndl_tensor_elements(const ndl_tensor *t);
/* out[elements] = the values as float32 (F32, F16, BF16, F64, integers). */
ndl_status ndl_tensor_to_f32(const ndl_tensor *t, float *out, ndl_error *err);

/* Writing: add everything (data borrowed until finish), then finish. Atomic: the target is
 * complete or untouched. Each tensor's data starts at a multiple of 64 bytes in the file
 * ("padding.N" U8 tensors fill the gaps, since the format allows no holes). */
typedef struct ndl_ckpt_writer ndl_ckpt_writer;
ndl_ckpt_writer *ndl_ckpt_writer_new(ndl_error *err);
ndl_status ndl_ckpt_writer_meta(ndl_ckpt_writer *w, const char *key, const char *value, ndl_error *err);
ndl_status ndl_ckpt_writer_add(ndl_ckpt_writer *w, const char *name, ndl_dtype dtype, int rank,
                               const size_t *shape, const void *data, ndl_error *err);
ndl_status ndl_ckpt_writer_finish(ndl_ckpt_writer *w, const char *path, ndl_error *err);
void ndl_ckpt_writer_free(ndl_ckpt_writer *w);

/* The network's shape (SPEC section 2). */
typedef struct ndl_config {
	int vocab_size, d_model, num_heads, num_kv_heads, num_encoder_layers, num_decoder_layers;
	int contrastive_dim;           /* 0: no contrastive head in this model */
	int max_enc_len, max_dec_len;  /* windows in tokens: 1024 and 512 by default */
	float rope_theta;
	int ascii_tools;               /* prompt rendering: 1 = tools as given, names normalised, \uXXXX
	                                  (imported upstream models); 0 = canonical flat form, UTF-8 */
} ndl_config;

/* Checks ranges and divisibility (d % heads, heads % kv_heads, head size even, ...). */
ndl_status ndl_config_check(const ndl_config *c, ndl_error *err);
/* From a model file's metadata (defaults as SPEC 10 where absent); checks it. */
ndl_status ndl_config_from_ckpt(ndl_config *c, const ndl_ckpt *ckpt, ndl_error *err);
/* From a JSON file (--init CONFIG.json): the same keys; unknown keys are errors. */
ndl_status ndl_config_load(ndl_config *c, const char *path, ndl_error *err);
ndl_status ndl_config_to_writer(const ndl_config *c, ndl_ckpt_writer *w, ndl_error *err);

/* Tensor that holds the SentencePiece .model bytes (U8). */
#define NDL_TOKENIZER_TENSOR "tokenizer.model"

#endif
