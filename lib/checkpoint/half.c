#include "checkpoint/half.h"

#include <string.h>

void ndl_f16_to_f32_n(float *out, const uint16_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ndl_f16_to_f32(in[i]);
}

void ndl_f16_from_f32_n(uint16_t *out, const float *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ndl_f16_from_f32(in[i]);
}

void ndl_bf16_to_f32_n(float *out, const uint16_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ndl_bf16_to_f32(in[i]);
}

/* Unlike the kernels' ndl_bf16_from_f32, which does as matrix hardware does, this keeps
 * subnormals: a file read and written again must not change. */
static uint16_t bf16_exact(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

void ndl_bf16_from_f32_n(uint16_t *out, const float *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = bf16_exact(in[i]);
}
