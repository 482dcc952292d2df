/* weight_body.h - stored weights over an abstract register, as vector_body.h; further macros:
 *   F16(p) BF16(p) I8(p)   W elements at p as floats;  I4(p): W elements from W / 2 bytes
 *   HALF(h)                one F16 value as float
 * INT8/INT4 need groups of a multiple of 32; others go to the reference. */

#define F32(p) LOAD((const float *)(p))

/* One element; data in files may lie on any byte. */
static inline float one_f32(const void *p, size_t i)
{
	float x;
	memcpy(&x, (const char *)p + 4 * i, 4);
	return x;
}

static inline float one_f16(const void *p, size_t i)
{
	uint16_t h;
	memcpy(&h, (const char *)p + 2 * i, 2);
	return HALF(h);
}

static inline float one_bf16(const void *p, size_t i)
{
	uint16_t h;
	memcpy(&h, (const char *)p + 2 * i, 2);
	return ndl_bf16_to_f32(h);
}

#define FLOAT_KERNELS(type, GET, elem) \
	static float row_dot_##type(const float *x, const void *row, const uint16_t *scale, size_t group, size_t n) \
	{ \
		(void)scale, (void)group; \
		V a = SET1(0), b = a; \
		size_t i = 0; \
		for (; i + 2 * W <= n; i += 2 * W) { \
			a = FMA(LOAD(x + i), GET((const char *)row + i * elem), a); \
			b = FMA(LOAD(x + i + W), GET((const char *)row + (i + W) * elem), b); \
		} \
		float sum = HSUM(ADD(a, b)); \
		for (; i < n; i++) \
			sum += x[i] * one_##type(row, i); \
		return sum; \
	} \
	static void row_expand_##type(float *out, const void *row, const uint16_t *scale, size_t group, \
	                              size_t first, size_t n) \
	{ \
		(void)scale, (void)group; \
		const char *p = (const char *)row + first * elem; \
		size_t i = 0; \
		for (; i + W <= n; i += W) \
			STORE(out + i, GET(p + i * elem)); \
		for (; i < n; i++) \
			out[i] = one_##type(p, i); \
	} \
	static void col_sum_##type(float *y, const float *x, const void *w, size_t ld, size_t in, size_t n) \
	{ \
		size_t j = 0; \
		for (; j + 4 * W <= n; j += 4 * W) { \
			V a = SET1(0), b = a, c = a, d = a; \
			const char *p = (const char *)w + j * elem; \
			for (size_t i = 0; i < in; i++, p += ld * elem) { \
				V s = SET1(x[i]); \
				a = FMA(s, GET(p), a); \
				b = FMA(s, GET(p + W * elem), b); \
				c = FMA(s, GET(p + 2 * W * elem), c); \
				d = FMA(s, GET(p + 3 * W * elem), d); \
			} \
			STORE(y + j, a); \
			STORE(y + j + W, b); \
			STORE(y + j + 2 * W, c); \
			STORE(y + j + 3 * W, d); \
		} \
		for (; j + W <= n; j += W) { \
			V a = SET1(0); \
			const char *p = (const char *)w + j * elem; \
			for (size_t i = 0; i < in; i++, p += ld * elem) \
				a = FMA(SET1(x[i]), GET(p), a); \
			STORE(y + j, a); \
		} \
		for (; j < n; j++) { \
			float sum = 0; \
			for (size_t i = 0; i < in; i++) \
				sum += x[i] * one_##type(w, i * ld + j); \
			y[j] = sum; \
		} \
	}

FLOAT_KERNELS(f32, F32, 4)
FLOAT_KERNELS(f16, F16, 2)
FLOAT_KERNELS(bf16, BF16, 2)

/* bytes(i): offset of element i. */
#define CODE_KERNELS(type, GET, bytes) \
	static float row_dot_##type(const float *x, const void *row, const uint16_t *scale, size_t group, size_t n) \
	{ \
		if (group % 32 || n % 32) \
			return ndl_row_dot_##type##_ref(x, row, scale, group, n); \
		V sum = SET1(0); \
		for (size_t i = 0; i < n; scale++) { \
			V part = SET1(0); \
			for (size_t end = i + group; i < end; i += W) \
				part = FMA(LOAD(x + i), GET((const char *)row + bytes(i)), part); \
			sum = FMA(SET1(one_f16(scale, 0)), part, sum); \
		} \
		return HSUM(sum); \
	} \
	static void row_expand_##type(float *out, const void *row, const uint16_t *scale, size_t group, \
	                              size_t first, size_t n) \
	{ \
		if (group % 32 || first % 32 || n % 32) { \
			ndl_row_expand_##type##_ref(out, row, scale, group, first, n); \
			return; \
		} \
		for (size_t i = 0; i < n; i += W) \
			STORE(out + i, MUL(SET1(one_f16(scale, (first + i) / group)), \
			                   GET((const char *)row + bytes(first + i)))); \
	}

#define WHOLE(i) (i)
#define HALVED(i) ((i) / 2)
CODE_KERNELS(i8, I8, WHOLE)
CODE_KERNELS(i4, I4, HALVED)

static void fill_weights(ndl_kernels *k)
{
	k->row_dot[NDL_W_F32] = row_dot_f32;
	k->row_dot[NDL_W_F16] = row_dot_f16;
	k->row_dot[NDL_W_BF16] = row_dot_bf16;
	k->row_dot[NDL_W_I8] = row_dot_i8;
	k->row_dot[NDL_W_I4] = row_dot_i4;
	k->row_expand[NDL_W_F32] = row_expand_f32;
	k->row_expand[NDL_W_F16] = row_expand_f16;
	k->row_expand[NDL_W_BF16] = row_expand_bf16;
	k->row_expand[NDL_W_I8] = row_expand_i8;
	k->row_expand[NDL_W_I4] = row_expand_i4;
	k->col_sum[NDL_W_F32] = col_sum_f32;
	k->col_sum[NDL_W_F16] = col_sum_f16;
	k->col_sum[NDL_W_BF16] = col_sum_bf16;
}
