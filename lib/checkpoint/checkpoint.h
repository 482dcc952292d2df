/* checkpoint.h - model files: safetensors that hold config, tokenizer and weights.
 *
 * Layout, names and metadata are described in needle-checkpoint(5). Reading maps the file and
 * checks everything (header, sizes, shapes, overflow, alignment of use) before anything is used. */
#ifndef NDL_CHECKPOINT_CHECKPOINT_H
#define NDL_CHECKPOINT_CHECKPOINT_H

#include "base/buf.h"
#include "base/error.h"
#include "tensor/gemm.h"

#include <stddef.h>
#include <stdint.h>

typedef enum ndl_dtype { NDL_F32, NDL_F16, NDL_BF16, NDL_F64, NDL_I8, NDL_U8, NDL_I16, NDL_U16,
	NDL_I32, NDL_U32, NDL_I64, NDL_U64, NDL_BOOL,
	NDL_I4, /* of needle-rs: two values a byte, and the shape counts bytes; kernels only, see import.h */
	NDL_DTYPE_COUNT } ndl_dtype;

enum { NDL_MAX_RANK = 8 };

typedef struct ndl_tensor {
	const char *name;          /* borrowed from the checkpoint */
	ndl_dtype dtype;
	int rank;                  /* 0 for a scalar */
	size_t shape[NDL_MAX_RANK];
	const void *data;          /* borrowed; row-major, little-endian, aligned for its type (64 bytes in
	                              files of ours; misaligned tensors of foreign files are copied on opening) */
	size_t bytes;
} ndl_tensor;

typedef struct ndl_ckpt ndl_ckpt; /* opaque, owned; an open file, read-only, shareable between threads */

ndl_ckpt *ndl_ckpt_open(const char *path, ndl_error *err);
/* Only the tensors whose name starts with `prefix`, which is taken off ("p/" for a file that
 * holds parameters beside other things). */
ndl_ckpt *ndl_ckpt_open_prefix(const char *path, const char *prefix, ndl_error *err);
/* The same from `size` bytes in memory, which are borrowed until ndl_ckpt_close. */
ndl_ckpt *ndl_ckpt_open_memory(const void *data, size_t size, const char *prefix, ndl_error *err);
void ndl_ckpt_close(ndl_ckpt *c);
/* Number of tensors; those that only fill gaps ("padding.N") are not shown. */
size_t ndl_ckpt_count(const ndl_ckpt *c);
const ndl_tensor *ndl_ckpt_at(const ndl_ckpt *c, size_t i);             /* in file order */
/* NULL if absent. Names are joined with '/'; a file that joins them with '.' is understood too. */
const ndl_tensor *ndl_ckpt_find(const ndl_ckpt *c, const char *name);
const char *ndl_ckpt_meta(const ndl_ckpt *c, const char *key);          /* NULL if absent */
size_t ndl_ckpt_meta_count(const ndl_ckpt *c);
void ndl_ckpt_meta_at(const ndl_ckpt *c, size_t i, const char **key, const char **value);

/* Adds a tokenizer tensor (a copy of the .model's bytes), or replaces the one there. */
ndl_status ndl_ckpt_set_tokenizer(ndl_ckpt *c, const void *model, size_t len, ndl_error *err);

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
/* No alignment and no "padding.N" tensors: a plain file for programs of others. */
void ndl_ckpt_writer_set_packed(ndl_ckpt_writer *w, bool packed);
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
/* From a JSON file (--init CONFIG.json): the same keys, as in the default model where absent (and tools flat); unknown
 * keys are errors. */
ndl_status ndl_config_load(ndl_config *c, const char *path, ndl_error *err);
ndl_status ndl_config_to_writer(const ndl_config *c, ndl_ckpt_writer *w, ndl_error *err);

/* The parameters of a network of this shape, in the order in which files hold them. Kernels are
 * [in, out] and the embedding [vocab_size, d_model] = [out, in] when stored as floats. */
typedef enum ndl_param_kind { NDL_PARAM_KERNEL, NDL_PARAM_EMBEDDING, NDL_PARAM_VECTOR } ndl_param_kind;
typedef struct ndl_param {
	const char *name;     /* static */
	ndl_param_kind kind;
	size_t layers;        /* stacked on axis 0; 0: not stacked */
	size_t in, out;       /* VECTOR: in is 0, out its length, and 1 for gates and log_temp, whose
	                         shape is [layers] or [] */
} ndl_param;
enum { NDL_MAX_PARAMS = 31 };
/* Fills out[NDL_MAX_PARAMS]; returns how many (27 without a contrastive head). */
size_t ndl_config_params(const ndl_config *c, ndl_param *out);
/* Shape of p stored as floats; returns the rank. */
int ndl_param_shape(const ndl_param *p, size_t shape[NDL_MAX_RANK]);
/* Every parameter is there, of the right shape and of a type that the views below understand, and
 * there is no other tensor under encoder/ or decoder/. Looks at no values. Call it once after
 * ndl_config_from_ckpt. */
ndl_status ndl_ckpt_check(const ndl_ckpt *ckpt, const ndl_config *c, ndl_error *err);

/* Views and copies of parameters, whatever they are stored as (F32, F16, BF16, INT8, INT4); shape,
 * type and scales are checked, errors name the tensor. layer < 0: a tensor that is not stacked
 * (contrastive_hidden/kernel). *w borrows from ckpt.
 * kernel: "encoder/layers/EncoderBlock_0/self_attn/q_proj/kernel", 3, d, d; float types come
 * in-major, INT8/INT4 out-major with scales. */
ndl_status ndl_ckpt_weight(const ndl_ckpt *ckpt, const char *name, int layer, size_t in, size_t out,
                           ndl_weight *w, ndl_error *err);
/* embedding/embedding as an out-major weight: out = vocab_size rows of in = d_model. */
ndl_status ndl_ckpt_embedding(const ndl_ckpt *ckpt, size_t vocab_size, size_t d_model, ndl_weight *w,
                              ndl_error *err);
/* out[n] = the vector (norm scale, bias) of that layer; n = 1 also for gates [layers] and scalars
 * []. Values must be finite. */
ndl_status ndl_ckpt_vector(const ndl_ckpt *ckpt, const char *name, int layer, size_t n, float *out,
                           ndl_error *err);
/* out[in*out] = the weight as float32 in the layout of floats: [in, out], and [out, in] for the
 * embedding (embedding = true). */
void ndl_weight_to_f32(const ndl_weight *w, bool embedding, float *out);

/* Metadata "confidence", "[bias,sum,least]": how a model's answers become probabilities to be right.
 * With the log-odds log(p / (1 - p)) of the product of an answer's choices' probabilities (sum: of their
 * logarithms) and of the least of them, confidence has the log-odds
 *     bias + c.sum * log_odds(sum) + c.least * log_odds(least).
 * sum and least are not negative, so that more probability never means less confidence. */
#define NDL_CONFIDENCE_KEY "confidence"
typedef struct ndl_confidence {
	double bias, sum, least;
} ndl_confidence;
/* The product itself: what holds for a file without that key. */
#define NDL_CONFIDENCE_PLAIN ((ndl_confidence){0, 1, 0})
ndl_status ndl_confidence_from_ckpt(ndl_confidence *c, const ndl_ckpt *ckpt, ndl_error *err);
/* Appends what the metadata says: four decimals of each. */
ndl_status ndl_confidence_text(const ndl_confidence *c, ndl_buf *out, ndl_error *err);
/* Of log-probabilities, 0 or less. */
double ndl_confidence_apply(const ndl_confidence *c, double sum, double least);
/* log(p / (1 - p)) of exp(log_p), which is kept away from 0 and 1. */
double ndl_log_odds(double log_p);

/* Tensor that holds the SentencePiece .model bytes (U8). */
#define NDL_TOKENIZER_TENSOR "tokenizer.model"

#endif
