/* int_avx512.c - int_body.inc on 16 lanes with vpdpbusd (AVX-512 VNNI): 6 x 32 tiles take 12 registers
 * of integer sums and, of grouped rows, 12 of float32 ones. */
#include "kernels/kernels_internal.h"

#if !defined(__AVX512VNNI__) || !defined(__AVX512BW__)
#error "compile with -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512vnni -mfma -mf16c"
#endif
#include <immintrin.h>
#include <string.h>
#include "kernels/transpose_avx512.h"

static inline void hsum4(float *y, const __m512 s[4])
{
	__m512 a = _mm512_add_ps(_mm512_unpacklo_ps(s[0], s[1]), _mm512_unpackhi_ps(s[0], s[1]));
	__m512 b = _mm512_add_ps(_mm512_unpacklo_ps(s[2], s[3]), _mm512_unpackhi_ps(s[2], s[3]));
	__m512 c = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
	__m256 d = _mm256_add_ps(_mm512_castps512_ps256(c), _mm512_extractf32x8_ps(c, 1));
	_mm_storeu_ps(y, _mm_add_ps(_mm256_castps256_ps128(d), _mm256_extractf128_ps(d, 1)));
}

static inline void hmax4(void *y, const void *p)
{
	const __m512i *s = p;
	__m512i a = _mm512_max_epi32(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
	__m512i b = _mm512_max_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));
	__m512i c = _mm512_max_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
	__m256i d = _mm256_max_epi32(_mm512_castsi512_si256(c), _mm512_extracti64x4_epi64(c, 1));
	_mm_storeu_si128(y, _mm_max_epi32(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1)));
}

#define W 16
#define NV 2
#define MR 6
#define ZERO 128
#define DOT(acc, w, x) ((vi)_mm512_dpbusd_epi32((__m512i)(acc), (__m512i)(w), (__m512i)(x)))
#define DOT4(acc, u, x, v, y) DOT(DOT(acc, u, x), v, y)
#define SETI(x) ((vi)_mm512_set1_epi32(x))
#define SETF(x) _mm512_set1_ps(x)
#define MAXF(a, b) _mm512_max_ps(a, b)
#define MAXI(a, b) ((vi)_mm512_max_epi32((__m512i)(a), (__m512i)(b)))
#define ROUNDI(f) ((vi)_mm512_cvtps_epi32(f))
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define HMAXF(v) _mm512_reduce_max_ps(v)
#define HMAXI(v) _mm512_reduce_max_epi32((__m512i)(v))
#define HMAX4(y, s) hmax4(y, s)
#define HSUMI(v) _mm512_reduce_add_epi32((__m512i)(v))
#define HSUM4(y, s) hsum4(y, s)
#define NARROW(p, i) _mm_storeu_si128((__m128i *)(p), _mm512_cvtepi32_epi8((__m512i)(i)))
#define HALVES(p, n) \
	_mm512_cvtph_ps((n) < W ? _mm256_maskz_loadu_epi16(lanes16(n), p) : _mm256_loadu_si256((const void *)(p)))
#define PART(p, n) ((vi)_mm512_maskz_loadu_epi32(lanes16(n), p))
#define TRANSPOSE(r) transpose16((__m512i *)(r))
#define PICK(f, i) _mm512_permutexvar_ps((__m512i)(i), f)
#define PAIR8(p, a, b) do { \
		__m512i v0 = _mm512_loadu_si512(p), v1 = _mm512_loadu_si512((p) + 64); \
		a = (vi)_mm512_shuffle_i32x4(v0, v1, 0x88); \
		b = (vi)_mm512_shuffle_i32x4(v0, v1, 0xdd); \
	} while (0)
#define MULHRS(a, b) _mm512_mulhrs_epi16((__m512i)(a), (__m512i)(b))
#define PACKW(a, b) _mm512_packs_epi16(a, b)
#define LOOKUP(t, i) _mm512_shuffle_epi8((__m512i)(t), (__m512i)(i))
#define ZIPLO(a, b) _mm512_unpacklo_epi8((__m512i)(a), (__m512i)(b))
#define ZIPHI(a, b) _mm512_unpackhi_epi8((__m512i)(a), (__m512i)(b))
#include "kernels/int_body.inc"

void ndl_integer_fill_avx512(ndl_kernels *k)
{
	fill_integer(k, "avx512-vnni");
}
