/* int_avx2.c - integer products without dot product instructions.
 *
 * vpmaddubsw wants one operand unsigned, so that the sign of w has to move to x; its pairs stay below 2 * 128 * 127
 * and cannot saturate. Codes of four bits are made unsigned anyway, and two of their pairs fit into 16 bits. For panels
 * of bytes vpmaddwd on widened codes is faster: widening a weight costs once for all rows of a tile, a sign for each. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile with -mavx2 -mfma -mf16c"
#endif

#define MR 6
#define ZERO 0
#define ADD_PAIRS(acc, pairs) \
	((vi)_mm256_add_epi32((__m256i)(acc), _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))))
#define DOT(acc, w, x) \
	ADD_PAIRS(acc, _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)(w)), _mm256_sign_epi8((__m256i)(x), (__m256i)(w))))
#define DOT4(acc, u, x, v, y) ADD_PAIRS(acc, _mm256_add_epi16( \
	_mm256_maddubs_epi16((__m256i)(u), (__m256i)(x)), _mm256_maddubs_epi16((__m256i)(v), (__m256i)(y))))
#define MADD(acc, a, b) ((vi)_mm256_add_epi32((__m256i)(acc), _mm256_madd_epi16((__m256i)(a), (__m256i)(b))))
#define MUL8(u, s) _mm256_maddubs_epi16((__m256i)(u), (__m256i)(s))
#include "kernels/int_avx2.inc"

void ndl_integer_fill_avx2(ndl_kernels *k)
{
	fill_integer(k, "avx2");
}
