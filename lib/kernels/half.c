/* half.c - 16-bit floating point formats, one value at a time. */
#include "kernels/kernels_internal.h"

uint16_t ndl_bf16_from_f32(float x)
{
	uint32_t u;
	x = bf16_round(x);
	memcpy(&u, &x, 4);
	return (uint16_t)(u >> 16);
}

float ndl_bf16_to_f32(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float x;
	memcpy(&x, &u, 4);
	return x;
}

float ndl_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 1023, u;
	float x;
	if (exp == 0) {
		x = (float)man * 0x1p-24f;
		return sign ? -x : x;
	}
	u = sign | (exp == 31 ? 255 : exp + 112) << 23 | man << 13;
	memcpy(&x, &u, 4);
	return x;
}

uint16_t ndl_f16_from_f32(float x)
{
	uint32_t u;
	memcpy(&u, &x, 4);
	uint32_t sign = u >> 16 & 0x8000;
	u &= 0x7fffffff;
	if (u > 0x7f800000)
		return (uint16_t)(sign | 0x7e00);
	if (u >= 0x477ff000) /* 65520 and above round to infinity */
		return (uint16_t)(sign | 0x7c00);
	if (u < 0x38800000) { /* below 2^-14: subnormal; the addition rounds to its last place */
		float a;
		memcpy(&a, &u, 4);
		a += 0.5f;
		memcpy(&u, &a, 4);
		return (uint16_t)(sign | (u - 0x3f000000));
	}
	u += 0xfff + (u >> 13 & 1);
	return (uint16_t)(sign | (u - 0x38000000) >> 13);
}
