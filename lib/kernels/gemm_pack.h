/* gemm_pack.h - packing in plain C for kernels whose panels are float32 [k][r]. Included by the
 * variant files, so that each copy is compiled with its instruction set. */
#ifndef NDL_KERNELS_GEMM_PACK_H
#define NDL_KERNELS_GEMM_PACK_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* x as it would come back from bfloat16; see ndl_bf16_from_f32. */
static inline float bf16_round(float x)
{
	uint32_t u;
	memcpy(&u, &x, 4);
	if ((u & 0x7f800000) == 0)
		u &= 0x80000000;
	else if ((u & 0x7fffffff) > 0x7f800000)
		u = (u | 0x00400000) & 0xffff0000;
	else
		u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
	memcpy(&x, &u, 4);
	return x;
}

/* Panels of r rows from src, see ndl_gemm_kernel.pack_a. round: to bfloat16 values. */
static inline void pack_panels(float *dst, const float *src, size_t ld, bool kmajor, size_t count,
                               size_t k, size_t r, bool round)
{
	for (size_t i0 = 0; i0 < count; i0 += r, dst += r * k) {
		size_t rows = count - i0 < r ? count - i0 : r;
		for (size_t p = 0; p < k; p++) {
			float *d = dst + p * r;
			const float *s = kmajor ? src + p * ld + i0 : src + i0 * ld + p;
			size_t step = kmajor ? 1 : ld;
			for (size_t i = 0; i < rows; i++)
				d[i] = round ? bf16_round(s[i * step]) : s[i * step];
			for (size_t i = rows; i < r; i++)
				d[i] = 0;
		}
	}
}

#endif
