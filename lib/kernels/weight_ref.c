/* weight_ref.c - stored weights as numbers: the definition of each type. */
#include "kernels/kernels_internal.h"

#include <string.h>

static float value_f32(const void *row, const uint16_t *scale, size_t group, size_t i)
{
	(void)scale, (void)group;
	float x;
	memcpy(&x, (const char *)row + 4 * i, 4);
	return x;
}

static uint16_t half_at(const void *row, size_t i)
{
	uint16_t h;
	memcpy(&h, (const char *)row + 2 * i, 2);
	return h;
}

static float value_f16(const void *row, const uint16_t *scale, size_t group, size_t i)
{
	(void)scale, (void)group;
	return ndl_f16_to_f32(half_at(row, i));
}

static float value_bf16(const void *row, const uint16_t *scale, size_t group, size_t i)
{
	(void)scale, (void)group;
	return ndl_bf16_to_f32(half_at(row, i));
}

static float value_i8(const void *row, const uint16_t *scale, size_t group, size_t i)
{
	return (float)((const int8_t *)row)[i] * ndl_f16_to_f32(half_at(scale, i / group));
}

static float value_i4(const void *row, const uint16_t *scale, size_t group, size_t i)
{
	int byte = ((const uint8_t *)row)[i / 2], code = i % 2 ? byte >> 4 : byte & 15;
	return (float)((code ^ 8) - 8) * ndl_f16_to_f32(half_at(scale, i / group));
}

#define ROW_KERNELS(type) \
	float ndl_row_dot_##type##_ref(const float *x, const void *row, const uint16_t *scale, size_t group, size_t n) \
	{ \
		float sum = 0; \
		for (size_t i = 0; i < n; i++) \
			sum += x[i] * value_##type(row, scale, group, i); \
		return sum; \
	} \
	void ndl_row_expand_##type##_ref(float *out, const void *row, const uint16_t *scale, size_t group, \
	                                 size_t first, size_t n) \
	{ \
		for (size_t i = 0; i < n; i++) \
			out[i] = value_##type(row, scale, group, first + i); \
	}

#define COL_KERNEL(type) \
	static void col_sum_##type(float *y, const float *x, const void *w, size_t ld, size_t in, size_t n) \
	{ \
		for (size_t j = 0; j < n; j++) \
			y[j] = 0; \
		for (size_t i = 0; i < in; i++) \
			for (size_t j = 0; j < n; j++) \
				y[j] += x[i] * value_##type(w, NULL, 0, i * ld + j); \
	}

ROW_KERNELS(f32)
ROW_KERNELS(f16)
ROW_KERNELS(bf16)
ROW_KERNELS(i8)
ROW_KERNELS(i4)
COL_KERNEL(f32)
COL_KERNEL(f16)
COL_KERNEL(bf16)

void ndl_weights_fill_ref(ndl_kernels *k)
{
	k->row_dot[NDL_W_F32] = ndl_row_dot_f32_ref;
	k->row_dot[NDL_W_F16] = ndl_row_dot_f16_ref;
	k->row_dot[NDL_W_BF16] = ndl_row_dot_bf16_ref;
	k->row_dot[NDL_W_I8] = ndl_row_dot_i8_ref;
	k->row_dot[NDL_W_I4] = ndl_row_dot_i4_ref;
	k->row_expand[NDL_W_F32] = ndl_row_expand_f32_ref;
	k->row_expand[NDL_W_F16] = ndl_row_expand_f16_ref;
	k->row_expand[NDL_W_BF16] = ndl_row_expand_bf16_ref;
	k->row_expand[NDL_W_I8] = ndl_row_expand_i8_ref;
	k->row_expand[NDL_W_I4] = ndl_row_expand_i4_ref;
	k->col_sum[NDL_W_F32] = col_sum_f32;
	k->col_sum[NDL_W_F16] = col_sum_f16;
	k->col_sum[NDL_W_BF16] = col_sum_bf16;
	k->col_sum[NDL_W_I8] = k->col_sum[NDL_W_I4] = NULL;
}
