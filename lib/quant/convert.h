/* convert.h - a whole model in another number format. */
#ifndef NDL_QUANT_CONVERT_H
#define NDL_QUANT_CONVERT_H

#include "checkpoint/checkpoint.h"
#include "quant/calib.h"
#include "quant/quant.h"

typedef struct ndl_convert_options {
	int bits;             /* of kernels: 4, 8, 16 or 32 */
	int embedding_bits;   /* of the embedding: the same choices */
	int vector_bits;      /* of norm scales, gates, biases, log_temp: 16 or 32; 0: 32 */
	bool bf16;            /* 16 bits are BF16, else F16 */
	size_t group;         /* inputs of a kernel sharing a scale: 32, 64 or 128 */
	size_t embedding_group; /* of the embedding: the same choices; 0: as group */
	ndl_quant_method method;
	const ndl_calib *calib; /* for NDL_QUANT_GPTQ: must have seen inputs of every kernel */
	int threads;          /* 0: all cores; never changes the result */
} ndl_convert_options;

/* What happened to one parameter. */
typedef struct ndl_convert_report {
	const char *name;
	const char *from, *to; /* "F32", "F16", "BF16", "INT8", "INT4" */
	size_t elements, bytes; /* bytes: as written, scales included */
	double rms;            /* sqrt(sum (new - old)^2 / sum old^2); 0 if both are zero */
	double worst;          /* max |new - old| */
} ndl_convert_report;

typedef struct ndl_conversion ndl_conversion; /* opaque, owned: holds the new tensors */

/* Converts every parameter of ckpt, which must have passed ndl_ckpt_check. Where a group does not divide the
 * inputs, the largest of 128, 64 and 32 below it that does is taken; where none does the weights become F32.
 * A value that is not finite, or becomes so, is an error that names tensor and layer. */
ndl_conversion *ndl_convert(const ndl_ckpt *ckpt, const ndl_config *c, const ndl_convert_options *o, ndl_error *err);
void ndl_conversion_free(ndl_conversion *v);
/* Adds the new tensors, and metadata "quantization" and "group" if bits is 4 or 8. v must live
 * until the writer has finished. */
ndl_status ndl_conversion_write(const ndl_conversion *v, ndl_ckpt_writer *w, ndl_error *err);
size_t ndl_conversion_count(const ndl_conversion *v);
const ndl_convert_report *ndl_conversion_at(const ndl_conversion *v, size_t i);

/* The name of what a parameter is stored as: its data type, "INT8" or "INT4". */
const char *ndl_storage_name(const ndl_ckpt *ckpt, const ndl_param *p);
/* out[layers][...] = a whole parameter as float32, in the layout of ndl_param_shape; every value
 * is checked to be finite. */
ndl_status ndl_param_to_f32(const ndl_ckpt *ckpt, const ndl_param *p, float *out, ndl_error *err);
/* Product of the shape. */
size_t ndl_param_elements(const ndl_param *p);

#endif
