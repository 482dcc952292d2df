/* gemm_amx.c - bfloat16 product on matrix tiles: 2 x 2 tiles of 16 x 16 float32 sums, fed by
 * two tiles of A (16 rows of 32 steps) and two of B (16 pairs of steps, 16 columns each).
 *
 * A packed panel is 32 rows: for every 32 steps of k the tile of rows 0..15, then that of rows
 * 16..31, 1 KiB each. Seen as 32-bit pairs, a tile of A is [row][pair] and one of B
 * [pair][column], so packing is one conversion and, for two of the four cases, a transposition. */
#include "kernels/kernels_internal.h"

#if !(defined(__AMX_BF16__) || defined(__AMXBF16__)) || !defined(__AVX512BF16__) || !defined(__AVX512BW__)
#error "compile with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16 -mamx-tile -mamx-bf16"
#endif
#include <immintrin.h>
#include "kernels/pack_avx512bf16.h"

enum { PANEL = 32, STEP = 32, TILE_BYTES = 1024 };

/* Palette 1, all eight tiles 16 rows of 64 bytes. */
static const struct {
	uint8_t palette, start_row, reserved[14];
	uint16_t colsb[16];
	uint8_t rows[16];
} tile_config __attribute__((aligned(64))) = {
	1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

static void begin(void)
{
	_tile_loadconfig(&tile_config);
}

static void end(void)
{
	_tile_release();
}

static inline void store_tile(char *dst, const __m512i v[16])
{
	NDL_UNROLL
	for (int i = 0; i < 16; i++)
		_mm512_store_si512(dst + 64 * i, v[i]);
}

/* One tile: 16 rows (columns) from i, 32 steps from p. turn: what memory order gives must be
 * transposed. */
static inline void pack_tile(char *dst, const float *src, size_t ld, bool kmajor, bool turn,
                             size_t i, size_t count, size_t p, size_t k)
{
	__m512i v[16];
	size_t left = count > i ? count - i : 0;
	if (!left)
		for (int q = 0; q < 16; q++)
			v[q] = _mm512_setzero_si512();
	else if (kmajor)
		load_pairs(v, src + p * ld + i, ld, left, k - p);
	else
		load_rows(v, src + i * ld + p, ld, left, k - p);
	if (turn)
		transpose16(v);
	store_tile(dst, v);
}

static inline void pack(char *dst, const float *src, size_t ld, bool kmajor, bool turn, size_t count,
                        size_t k)
{
	size_t tiles = (count + PANEL - 1) / PANEL * 2, steps = (k + STEP - 1) / STEP;
	/* Along memory in the inner loop: rows of k, or k-steps of rows. */
	size_t outer = kmajor ? steps : tiles, inner = kmajor ? tiles : steps;
	for (size_t x = 0; x < outer; x++)
		for (size_t y = 0; y < inner; y++) {
			size_t t = kmajor ? y : x, s = kmajor ? x : y;
			pack_tile(dst + ((t / 2 * steps + s) * 2 + t % 2) * TILE_BYTES, src, ld, kmajor, turn,
			          t * 16, count, s * STEP, k);
		}
}

static void pack_a(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	if (kmajor)
		pack(dst, src, ld, true, true, count, k);
	else
		pack(dst, src, ld, false, false, count, k);
}

static void pack_b(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k)
{
	if (kmajor)
		pack(dst, src, ld, true, false, count, k);
	else
		pack(dst, src, ld, false, true, count, k);
}

/* c[32,32] = (add ? c : 0) + a b */
static inline void tiles(size_t steps, const char *a, const char *b, bool add, float *c, size_t ldc)
{
	size_t stride = ldc * sizeof *c;
	if (add) {
		_tile_loadd(0, c, stride);
		_tile_loadd(1, c + 16, stride);
		_tile_loadd(2, c + 16 * ldc, stride);
		_tile_loadd(3, c + 16 * ldc + 16, stride);
	} else {
		_tile_zero(0);
		_tile_zero(1);
		_tile_zero(2);
		_tile_zero(3);
	}
	for (size_t s = 0; s < steps; s++, a += 2 * TILE_BYTES, b += 2 * TILE_BYTES) {
		_tile_loadd(4, a, 64);
		_tile_loadd(6, b, 64);
		_tile_loadd(7, b + TILE_BYTES, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_loadd(5, a + TILE_BYTES, 64);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
	}
	_tile_stored(0, c, stride);
	_tile_stored(1, c + 16, stride);
	_tile_stored(2, c + 16 * ldc, stride);
	_tile_stored(3, c + 16 * ldc + 16, stride);
}

/* A tile cut off by the edge of C, or to be scaled, goes through a buffer. */
static void edge(size_t m, size_t n, size_t steps, const char *a, const char *b, float alpha,
                 bool add, float *c, size_t ldc)
{
	float t[PANEL * PANEL] __attribute__((aligned(64)));
	tiles(steps, a, b, false, t, PANEL);
	__m512 scale = _mm512_set1_ps(alpha);
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j += 16) {
			__mmask16 w = lanes16(n - j);
			__m512 r = _mm512_mul_ps(scale, _mm512_load_ps(t + i * PANEL + j));
			if (add)
				r = _mm512_add_ps(_mm512_maskz_loadu_ps(w, c + i * ldc + j), r);
			_mm512_mask_storeu_ps(c + i * ldc + j, w, r);
		}
}

static void block(size_t m, size_t n, size_t k, const void *a, const void *b, float alpha,
                  bool add, float *c, size_t ldc)
{
	size_t steps = (k + STEP - 1) / STEP, panel = steps * 2 * TILE_BYTES;
	__asm__ volatile("" ::: "memory"); /* tile loads do not tell the compiler what they read */
	for (size_t i = 0; i < m; i += PANEL)
		for (size_t j = 0; j < n; j += PANEL) {
			const char *pa = (const char *)a + i / PANEL * panel;
			const char *pb = (const char *)b + j / PANEL * panel;
			float *d = c + i * ldc + j;
			if (m - i >= PANEL && n - j >= PANEL && alpha == 1)
				tiles(steps, pa, pb, add, d, ldc);
			else
				edge(m - i < PANEL ? m - i : PANEL, n - j < PANEL ? n - j : PANEL, steps, pa, pb,
				     alpha, add, d, ldc);
		}
}

void ndl_kernels_fill_amx(ndl_kernels *t)
{
	t->gemm_bf16 = (ndl_gemm_kernel){"amx", PANEL, PANEL, STEP, 2, 256, 512, pack_a, pack_b, block,
		begin, end};
	t->fast_bf16 = true;
	t->isa = NDL_ISA_AMX;
}
