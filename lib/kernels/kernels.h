/* kernels.h - the table of inner loops: the scalar reference first, then overwritten by the
 * faster variants that this machine has and the mask allows. Tables are plain values: several
 * can live side by side.
 *
 * Kernels allocate nothing, know no threads and keep no state (the processor's tile
 * configuration aside, see ndl_gemm_kernel.begin). Pointers need no alignment unless said;
 * inputs and outputs must not overlap unless said. Sizes may be 0. */
#ifndef NDL_KERNELS_KERNELS_H
#define NDL_KERNELS_KERNELS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rising order: a level includes those below it (on its architecture). */
typedef enum ndl_isa { NDL_ISA_SCALAR, NDL_ISA_NEON, NDL_ISA_AVX2, NDL_ISA_AVX512, NDL_ISA_AVX512BF16,
	NDL_ISA_AMX } ndl_isa;

/* Upper bounds over all GEMM kernels, so that callers can set scratch memory aside once. */
enum {
	NDL_GEMM_MAX_MC = 256,               /* rows of a block of A */
	NDL_GEMM_MAX_PANEL = 32,             /* mr, nr */
	NDL_GEMM_MAX_KC_BYTES = 512 * 4      /* packed bytes of one row (or column) of a k-block */
};

/* A matrix product on packed operands, C[m,n] (+)= alpha A[m,k] B[k,n], C row-major float32.
 *
 * A is packed in panels of mr rows, B in panels of nr columns, both k deep; how a panel looks
 * inside is the kernel's own business. `depth` below is k rounded up to a multiple of ku;
 * a panel takes mr (or nr) * depth * elem bytes, on a 64-byte boundary.
 *
 * bfloat16 kernels round both operands to bfloat16 while packing (to nearest, ties to even;
 * subnormals become zero) and add the exact products in float32. */
typedef struct ndl_gemm_kernel {
	const char *name;
	size_t mr, nr, ku;
	size_t elem;      /* bytes of a packed element */
	size_t mc;        /* recommended rows of a block of A; multiple of mr, <= NDL_GEMM_MAX_MC */
	size_t kc;        /* deepest k-block; multiple of ku; kc * elem <= NDL_GEMM_MAX_KC_BYTES */
	/* dst := ceil(count/mr) (for b: nr) panels of element (i, p), i < count, p < k, found at
	 * src[p * ld + i] if kmajor, else src[i * ld + p]; zero beyond count and k. */
	void (*pack_a)(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k);
	void (*pack_b)(void *dst, const float *src, size_t ld, bool kmajor, size_t count, size_t k);
	/* C = alpha A B, or C += alpha A B if add. Never reads C otherwise. */
	void (*block)(size_t m, size_t n, size_t k, const void *a, const void *b, float alpha,
	              bool add, float *c, size_t ldc);
	/* Around a run of `block` calls in one thread; both do nothing on most kernels. */
	void (*begin)(void);
	void (*end)(void);
} ndl_gemm_kernel;

/* How weights are stored; values and layouts in tensor/gemm.h. */
typedef enum ndl_wtype { NDL_W_F32, NDL_W_F16, NDL_W_BF16, NDL_W_I8, NDL_W_I4, NDL_W_COUNT } ndl_wtype;

/* Rows of numbers rounded to INT8, each with one scale or, if grouped, one for NDL_INT_GROUP values: value = code *
 * scale, codes in [-127, 127], to nearest, scale = largest magnitude / 127. What holds a NaN or an infinity
 * has such a scale. Borrowed; in is a multiple of NDL_INT_GROUP. */
enum { NDL_INT_GROUP = 32 };
typedef struct ndl_int_rows {
	size_t in;
	int8_t *code;   /* [rows][in] */
	float *scale;   /* [rows] or, grouped, [rows][in / NDL_INT_GROUP] */
	int32_t *sum;   /* of the codes of a scale: as scale */
	bool grouped;
} ndl_int_rows;

/* Products of such rows with weights that are INT8 or INT4 too: what shares its scales is summed in integers,
 * exactly, the rest in float32 (in any order, fixed for a table).
 *
 * For many rows, weights are packed in panels of nr outputs, INT8 with one scale an output; how a panel looks inside is
 * the kernel's own business. Stored scales are F16 bits, [out][in / group], group a multiple of NDL_INT_GROUP. What one
 * scale rounds off is a tenth of what rounding the weights to four bits did (nothing if four_as_stored); of INT8 in
 * groups, somewhat more than rounding them did. */
typedef struct ndl_int_kernel {
	const char *name;
	size_t nr;
	/* A row of n values, a multiple of NDL_INT_GROUP, with one scale. */
	void (*quantize)(int8_t *code, float *scale, int32_t *sum, const float *x, size_t n);
	/* x[i] = exp(x[i] - max) / sum of those, rounded in groups; zero up to a whole group, for which x has room: it is
	 * overwritten. What -inf, NaN and all -inf give: see softmax below. exp is within 7e-6 of itself. */
	void (*softmax)(int8_t *code, float *scale, int32_t *sum, float *x, size_t n);
	/* Outputs [0, n) of an out-major weight, n <= nr, to a panel of ndl_int_stored_bytes. */
	void (*pack[NDL_W_COUNT])(void *panel, const void *w, const uint16_t *scale, size_t group, size_t in, size_t n);
	/* Weights made from numbers, rounded as rows are, to a panel of ndl_int_panel_bytes. Output o is row o of x[n][ld],
	 * n <= nr ... */
	void (*pack_rows)(void *panel, const float *x, size_t ld, size_t in, size_t n);
	/* ... or column o of x[in][ld], nr of them; any `in`, zero up to a whole group. */
	void (*pack_columns)(void *panel, const float *x, size_t ld, size_t in);
	/* y[i * ldy + o] = row (row + i) of x times output o, i < m, o < n <= nr, of a panel made from numbers ... */
	void (*block)(float *y, size_t ldy, const ndl_int_rows *x, size_t row, size_t m, const void *panel, size_t n);
	/* ... and of one made by pack, with the same n. */
	void (*block_stored[NDL_W_COUNT])(float *y, size_t ldy, const ndl_int_rows *x, size_t row, size_t m, const void *panel,
	                                  size_t n);
	bool four_as_stored; /* panels of INT4 weights keep the scales that are stored */
	/* y[o] = row `row` of x, grouped, times output o (ids[o] if not NULL), o < n, of an out-major weight that is used
	 * where it lies, group NDL_INT_GROUP times a power of two. Only if in <= gemv_max and in is a multiple of gemv_unit. */
	size_t gemv_unit, gemv_max;
	void (*gemv[NDL_W_COUNT])(float *y, const ndl_int_rows *x, size_t row, const void *w, const uint16_t *scale,
	                          size_t group, const int32_t *ids, size_t n);
	/* What the kernels above cannot pass: `times` times peak_products products of codes 1 and 1, added up
	 * between registers. Returns the sum. */
	size_t peak_products;
	int32_t (*peak)(size_t times);
} ndl_int_kernel;

/* Bytes of a panel of inputs in [0, in). */
static inline size_t ndl_int_panel_bytes(const ndl_int_kernel *k, size_t in)
{
	return ((in + NDL_INT_GROUP - 1) / NDL_INT_GROUP * NDL_INT_GROUP + sizeof(float)) * k->nr;
}

/* The same of stored weights: there is room for two numbers more for each group of an output. */
static inline size_t ndl_int_stored_bytes(const ndl_int_kernel *k, size_t in)
{
	return ndl_int_panel_bytes(k, in) + in / NDL_INT_GROUP * 2 * sizeof(float) * k->nr;
}

/* What a vector kernel's sum is: terms added in any order (fixed for a table and n), each
 * operation rounded, multiply-add perhaps rounded once. Same table, same bits, always. */
typedef struct ndl_kernels {
	ndl_isa isa;               /* highest level in this table */
	ndl_gemm_kernel gemm_f32;
	ndl_gemm_kernel gemm_bf16;
	bool fast_bf16;            /* gemm_bf16 is faster than gemm_f32 here */
	ndl_int_kernel integer;

	/* As that of ndl_int_kernel, in float32. */
	size_t peak_products;
	float (*peak)(size_t times);

	/* sum over i < n of x[i] y[i]; 0 for n = 0. x may be y. */
	float (*dot)(const float *x, const float *y, size_t n);
	/* y[i] += a x[i] */
	void (*axpy)(float *y, float a, const float *x, size_t n);
	/* z[i] = a x[i] + b y[i]; z may be x or y. */
	void (*scale_add)(float *z, float a, const float *x, float b, const float *y, size_t n);

	/* One row, in place: x[i] = exp(x[i] - max) / sum of those. -inf gives exactly 0; a row of
	 * nothing but -inf gives zeros; a NaN anywhere makes the whole row NaN (NaN or +inf in, NaN
	 * out). Returns the row's logsumexp. exp is within 2 ulp, or 0 below 2^-125. */
	float (*softmax)(float *x, size_t n);
	/* max + log(sum over i of exp(x[i] - max)); -inf for n = 0. */
	float (*logsumexp)(const float *x, size_t n);
	/* Back through a softmax row: ds[i] = p[i] (dp[i] - sum over j of p[j] dp[j]). ds may be dp. */
	void (*softmax_back)(float *ds, const float *p, const float *dp, size_t n);

	/* Zero-centred RMS normalisation of [rows, n] contiguous:
	 *   inv = 1 / sqrt(mean(x^2) + 1e-6),  y = (1 + scale) x inv
	 * inv[rows] is stored for the way back unless NULL. y may be x. */
	void (*rmsnorm)(float *y, float *inv, const float *x, const float *scale, size_t rows, size_t n);
	/* With g = dy (1 + scale):  dx = inv (g - x inv^2 mean(g x)),  dscale[n] += dy x inv, rows in
	 * order. dx may be dy. Threads: give each its own dscale over a range of rows that does not
	 * depend on their number, and add those up in order. */
	void (*rmsnorm_back)(float *dx, float *dscale, const float *dy, const float *x, const float *scale,
	                     const float *inv, size_t rows, size_t n);

	/* Rotation of one head of 2 half values, in place:
	 *   (x[i], x[half + i]) -> (x[i] c[i] - x[half + i] s[i], x[half + i] c[i] + x[i] s[i])
	 * With -s it is its own inverse (and its own gradient). */
	void (*rope)(float *x, const float *c, const float *s, size_t half);

	/* One AdamW step without decay: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
	 * p -= rate m / (sqrt(v) * root + eps). For bias correction at step t give
	 * rate = lr / (1 - b1^t) and root = 1 / sqrt(1 - b2^t). */
	void (*adam)(float *p, float *m, float *v, const float *g, float b1, float b2, float rate, float root,
	             float eps, size_t n);

	/* out[i] = x[i] narrowed, as ndl_bf16_from_f32 and ndl_f16_from_f32 (payloads of NaNs may
	 * differ). The way back is row_expand with NDL_W_BF16 and NDL_W_F16. */
	void (*narrow_bf16)(uint16_t *out, const float *x, size_t n);
	void (*narrow_f16)(uint16_t *out, const float *x, size_t n);

	/* Rows of an out-major weight of each type; scale[g]: F16 bits for inputs
	 * [g * group, (g + 1) * group), ignored for the float types.
	 * row_dot: sum over i < n of x[i] row[i].
	 * row_expand: out[i] = row[first + i], i < n. */
	float (*row_dot[NDL_W_COUNT])(const float *x, const void *row, const uint16_t *scale, size_t group, size_t n);
	void (*row_expand[NDL_W_COUNT])(float *out, const void *row, const uint16_t *scale, size_t group,
	                                size_t first, size_t n);
	/* In-major weight of a float type (NULL for others), columns [0, n) of w[in][ld]:
	 * y[j] = sum over i < in, in order, of x[i] w[i * ld + j]. */
	void (*col_sum[NDL_W_COUNT])(float *y, const float *x, const void *w, size_t ld, size_t in, size_t n);
} ndl_kernels;

/* Fills *k for this machine. cpu: highest level allowed, "scalar", "neon", "avx2", "avx512",
 * "avx512bf16" or "amx"; NULL or "" allows all. After it, or alone, ",nodot" rules out instructions
 * for integer dot products (AVX-VNNI, AVX-512 VNNI, NEON dotprod), which not every machine of a level
 * has. NDL_EINVAL for another word. A level that this machine or this build lacks is quietly
 * replaced by the next lower one. */
ndl_status ndl_kernels_init(ndl_kernels *k, const char *cpu, ndl_error *err);

/* "scalar", "neon", ... */
const char *ndl_isa_name(ndl_isa isa);

/* The highest level that this processor and operating system support (whatever was built). */
ndl_isa ndl_cpu_detect(void);

/* What it may have beside its level. */
enum { NDL_CPU_AVXVNNI = 1, NDL_CPU_AVX512VNNI = 2, NDL_CPU_DOTPROD = 4 };
unsigned ndl_cpu_features(void);

/* x rounded to bfloat16: to nearest, ties to even, subnormals to zero, NaN stays NaN. */
uint16_t ndl_bf16_from_f32(float x);
float ndl_bf16_to_f32(uint16_t h);
/* IEEE binary16, to nearest, ties to even. */
uint16_t ndl_f16_from_f32(float x);
float ndl_f16_to_f32(uint16_t h);

#endif
