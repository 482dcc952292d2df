/* half.h - scalar conversions between float32 and the two 16-bit float formats, without
 * hardware support, the same on every machine: the definition for all faster variants. */
#ifndef NDL_BASE_HALF_H
#define NDL_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t ndl_f32_bits(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

static inline float ndl_f32_from_bits(uint32_t u)
{
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

/* Exact. NaNs stay NaNs. */
static inline float ndl_bf16_to_f32(uint16_t h)
{
	return ndl_f32_from_bits((uint32_t)h << 16);
}

/* Round to nearest, ties to even; overflow to infinity; NaN to a quiet NaN. */
static inline uint16_t ndl_f32_to_bf16(float x)
{
	uint32_t u = ndl_f32_bits(x);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

/* Exact, subnormals included. NaNs stay NaNs. */
static inline float ndl_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
	uint32_t exponent = h >> 10 & 0x1fu, fraction = h & 0x3ffu;
	if (exponent == 31)
		return ndl_f32_from_bits(sign | 0x7f800000u | fraction << 13);
	if (exponent == 0) { /* fraction * 2^-24, exact in float32 */
		float magnitude = (float)fraction * 0x1p-24f;
		return sign ? -magnitude : magnitude;
	}
	return ndl_f32_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Round to nearest, ties to even; above 65519.99 infinity; subnormals kept; NaN to a quiet NaN. */
static inline uint16_t ndl_f32_to_f16(float x)
{
	uint32_t u = ndl_f32_bits(x), sign = u >> 16 & 0x8000u, a = u & 0x7fffffffu;
	if (a > 0x7f800000u)
		return (uint16_t)(sign | 0x7e00u | (a >> 13 & 0x1ffu));
	if (a >= 0x477ff000u) /* 65520: halfway to the first value that does not fit */
		return (uint16_t)(sign | 0x7c00u);
	if (a >= 0x38800000u) /* normal: 2^-14 and more */
		return (uint16_t)(sign | (a - 0x38000000u + 0xfffu + (a >> 13 & 1)) >> 13);
	if (a <= 0x33000000u) /* 2^-25 is a tie, to even: zero */
		return (uint16_t)sign;
	uint32_t shift = 126 - (a >> 23), m = (a & 0x7fffffu) | 0x800000u; /* 14..24 */
	uint32_t half = m >> shift, rest = m & ((1u << shift) - 1), tie = 1u << (shift - 1);
	return (uint16_t)(sign | (half + (rest > tie || (rest == tie && (half & 1)))));
}

#endif
