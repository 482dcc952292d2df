#include "checkpoint/checkpoint.h"

#include "base/mem.h"
#include "checkpoint/half.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are little-endian and mapped as they are: this machine is not supported"
#endif

static const struct { const char *name; size_t size; } dtypes[NDL_DTYPE_COUNT] = {
	[NDL_F32] = {"F32", 4}, [NDL_F16] = {"F16", 2}, [NDL_BF16] = {"BF16", 2}, [NDL_F64] = {"F64", 8},
	[NDL_I8] = {"I8", 1}, [NDL_U8] = {"U8", 1}, [NDL_I16] = {"I16", 2}, [NDL_U16] = {"U16", 2},
	[NDL_I32] = {"I32", 4}, [NDL_U32] = {"U32", 4}, [NDL_I64] = {"I64", 8}, [NDL_U64] = {"U64", 8},
	[NDL_BOOL] = {"BOOL", 1}, [NDL_I4] = {"I4", 1},
};

const char *ndl_dtype_name(ndl_dtype d)
{
	return (unsigned)d < NDL_DTYPE_COUNT ? dtypes[d].name : "?";
}

size_t ndl_dtype_size(ndl_dtype d)
{
	return (unsigned)d < NDL_DTYPE_COUNT ? dtypes[d].size : 0;
}

size_t ndl_tensor_elements(const ndl_tensor *t)
{
	size_t n = 1;
	for (int i = 0; i < t->rank; i++)
		if (t->shape[i] == 0)
			return 0;
	for (int i = 0; i < t->rank; i++)
		if (!ndl_mul_ok(n, t->shape[i], &n))
			return SIZE_MAX;
	return n;
}

/* Elements are read one by one through memcpy, so that a tensor built by hand need not be aligned. */
#define CONVERT(type) \
	do { \
		for (size_t i = 0; i < n; i++) { \
			type x; \
			memcpy(&x, src + i * sizeof x, sizeof x); \
			out[i] = (float)x; \
		} \
	} while (0)

#define CONVERT_HALF(convert) \
	do { \
		for (size_t i = 0; i < n; i++) { \
			uint16_t x; \
			memcpy(&x, src + i * sizeof x, sizeof x); \
			out[i] = convert(x); \
		} \
	} while (0)

ndl_status ndl_tensor_to_f32(const ndl_tensor *t, float *out, ndl_error *err)
{
	const unsigned char *src = t->data;
	size_t n = ndl_tensor_elements(t), bytes;
	if (!ndl_mul_ok(n, ndl_dtype_size(t->dtype), &bytes) || bytes != t->bytes)
		return ndl_fail(err, NDL_EFORMAT, "tensor '%s': size and shape disagree", t->name);
	switch (t->dtype) {
	case NDL_F32:
		if (n)
			memcpy(out, src, bytes);
		break;
	case NDL_F16: CONVERT_HALF(ndl_f16_to_f32); break;
	case NDL_BF16: CONVERT_HALF(ndl_bf16_to_f32); break;
	case NDL_F64: CONVERT(double); break;
	case NDL_I8: CONVERT(int8_t); break;
	case NDL_BOOL:
	case NDL_U8: CONVERT(uint8_t); break;
	case NDL_I16: CONVERT(int16_t); break;
	case NDL_U16: CONVERT(uint16_t); break;
	case NDL_I32: CONVERT(int32_t); break;
	case NDL_U32: CONVERT(uint32_t); break;
	case NDL_I64: CONVERT(int64_t); break;
	case NDL_U64: CONVERT(uint64_t); break;
	default:
		return ndl_fail(err, NDL_EUNSUPPORTED, "tensor '%s': values of this type cannot be read alone", t->name);
	}
	return NDL_OK;
}
