/* weight_neon.c - weight_body.inc on 4 floats. */
#include "kernels/registers_neon.h"

static inline uint16x4_t load_halves(const void *p)
{
	uint16x4_t h;
	memcpy(&h, p, sizeof h);
	return h;
}

static inline float32x4_t load_i8(const void *p)
{
	uint32_t word;
	memcpy(&word, p, 4);
	return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(word)))));
}

/* 2 bytes: every lane shifts its nibble to the top and back down with its sign. */
static inline float32x4_t load_i4(const void *p)
{
	static const int32_t shift[4] = {28, 24, 20, 16};
	uint16_t word;
	memcpy(&word, p, 2);
	return vcvtq_f32_s32(vshrq_n_s32(vshlq_s32(vdupq_n_s32(word), vld1q_s32(shift)), 28));
}

#define F16(p) vcvt_f32_f16(vreinterpret_f16_u16(load_halves(p)))
#define BF16(p) vreinterpretq_f32_u32(vshll_n_u16(load_halves(p), 16))
#define I8(p) load_i8(p)
#define I4(p) load_i4(p)
#define HALF(h) ndl_f16_to_f32(h)
#include "kernels/weight_body.inc"

void ndl_weights_fill_neon(ndl_kernels *k)
{
	fill_weights(k);
}
