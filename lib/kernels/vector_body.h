/* vector_body.h - the vector kernels over an abstract register of W floats, compiled once by
 * each variant file, which first defines:
 *   V, W              the register and its floats
 *   SET1 LOAD STORE ADD SUB MUL DIV SQRT MAX, FMA(a,b,c) = ab + c, FNMA(a,b,c) = c - ab
 *   LOADN(p, n)       the first n < W floats, zero beyond; STOREN(p, v, n) likewise
 *   KEEPN(v, n, f)    v with lanes n and above replaced by those of f
 *   EXP2I(v, n)       v * 2^n for integral n in -126..127
 *   ROUND(v)          to the nearest integer
 *   ZERO_BELOW(v, x, lim)  v with lanes where x < lim made zero
 *   HSUM HMAX         over the lanes, in a fixed order
 * Tails are one masked step, so no element is treated differently for where it lies. */

static inline float dot(const float *x, const float *y, size_t n)
{
	V a = SET1(0), b = a, c = a, d = a;
	size_t i = 0;
	for (; i + 4 * W <= n; i += 4 * W) {
		a = FMA(LOAD(x + i), LOAD(y + i), a);
		b = FMA(LOAD(x + i + W), LOAD(y + i + W), b);
		c = FMA(LOAD(x + i + 2 * W), LOAD(y + i + 2 * W), c);
		d = FMA(LOAD(x + i + 3 * W), LOAD(y + i + 3 * W), d);
	}
	for (; i + W <= n; i += W)
		a = FMA(LOAD(x + i), LOAD(y + i), a);
	if (i < n)
		b = FMA(LOADN(x + i, n - i), LOADN(y + i, n - i), b);
	return HSUM(ADD(ADD(a, b), ADD(c, d)));
}

/* for each step: s is the number of lanes in use */
#define STEPS(i, s, n) for (size_t i = 0, s; i < (n) && (s = (n) - i < W ? (n) - i : W, 1); i += W)

static inline V get(const float *p, size_t s)
{
	return s == W ? LOAD(p) : LOADN(p, s);
}

static inline void put(float *p, V v, size_t s)
{
	if (s == W)
		STORE(p, v);
	else
		STOREN(p, v, s);
}

static void axpy(float *y, float a, const float *x, size_t n)
{
	V va = SET1(a);
	STEPS(i, s, n)
		put(y + i, FMA(va, get(x + i, s), get(y + i, s)), s);
}

static void scale_add(float *z, float a, const float *x, float b, const float *y, size_t n)
{
	V va = SET1(a), vb = SET1(b);
	STEPS(i, s, n)
		put(z + i, FMA(va, get(x + i, s), MUL(vb, get(y + i, s))), s);
}

/* exp of x <= 0 (or NaN): x = k ln 2 + r with |r| <= ln 2 / 2, the series to r^7 (what is left
 * out is below 2^-27), times 2^k. ln 2 is split so that k times its first part is exact. */
static inline V exp_negative(V x)
{
	V k = ROUND(MUL(x, SET1(0x1.715476p+0f)));
	V r = FNMA(k, SET1(0x1.62e4p-1f), x);
	r = FNMA(k, SET1(0x1.7f7d1cp-20f), r);
	V p = SET1(1.0f / 5040);
	p = FMA(p, r, SET1(1.0f / 720));
	p = FMA(p, r, SET1(1.0f / 120));
	p = FMA(p, r, SET1(1.0f / 24));
	p = FMA(p, r, SET1(1.0f / 6));
	p = FMA(p, r, SET1(0.5f));
	p = FMA(MUL(r, r), p, r);
	p = ADD(p, SET1(1));
	/* Beyond the range of normal numbers: 2^k is not formed there. */
	return ZERO_BELOW(EXP2I(p, k), x, SET1(-87.0f));
}

static inline float row_max(const float *x, size_t n)
{
	V low = SET1(-INFINITY), m = low;
	STEPS(i, s, n)
		m = MAX(s == W ? LOAD(x + i) : KEEPN(LOADN(x + i, s), s, low), m);
	return HMAX(m);
}

/* What to subtract: the maximum, or 0 where all is -inf, which then gives zeros. */
static inline float row_shift(float max)
{
	return max == -INFINITY ? 0 : max;
}

static float logsumexp(const float *x, size_t n)
{
	float max = row_max(x, n);
	V shift = SET1(row_shift(max)), sum = SET1(0);
	STEPS(i, s, n) {
		V e = exp_negative(SUB(get(x + i, s), shift));
		sum = ADD(sum, s == W ? e : KEEPN(e, s, SET1(0)));
	}
	return max + logf(HSUM(sum));
}

static float softmax(float *x, size_t n)
{
	float max = row_max(x, n);
	V shift = SET1(row_shift(max)), sum = SET1(0);
	STEPS(i, s, n) {
		V e = exp_negative(SUB(get(x + i, s), shift));
		put(x + i, e, s);
		sum = ADD(sum, s == W ? e : KEEPN(e, s, SET1(0)));
	}
	float total = HSUM(sum);
	V scale = SET1(total == 0 ? 0 : 1 / total);
	STEPS(i, s, n)
		put(x + i, MUL(get(x + i, s), scale), s);
	return max + logf(total);
}

static void softmax_back(float *ds, const float *p, const float *dp, size_t n)
{
	V mean = SET1(dot(p, dp, n));
	STEPS(i, s, n)
		put(ds + i, MUL(get(p + i, s), SUB(get(dp + i, s), mean)), s);
}

static void rmsnorm(float *y, float *inv, const float *x, const float *scale, size_t rows, size_t n)
{
	V one = SET1(1);
	for (size_t r = 0; r < rows; r++, x += n, y += n) {
		float k = 1 / sqrtf(dot(x, x, n) / (float)n + 1e-6f);
		V vk = SET1(k);
		STEPS(i, s, n)
			put(y + i, MUL(ADD(one, get(scale + i, s)), MUL(get(x + i, s), vk)), s);
		if (inv)
			inv[r] = k;
	}
}

static inline float scaled_dot(const float *dy, const float *scale, const float *x, size_t n)
{
	V sum = SET1(0), one = SET1(1);
	STEPS(i, s, n)
		sum = FMA(MUL(get(dy + i, s), ADD(one, get(scale + i, s))), get(x + i, s), sum);
	return HSUM(sum);
}

static void rmsnorm_back(float *dx, float *dscale, const float *dy, const float *x, const float *scale,
                         const float *inv, size_t rows, size_t n)
{
	V one = SET1(1);
	for (size_t r = 0; r < rows; r++, dx += n, dy += n, x += n) {
		float k = inv[r], mean = scaled_dot(dy, scale, x, n) / (float)n * k * k;
		V vk = SET1(k), vmean = SET1(mean);
		STEPS(i, s, n) {
			V d = get(dy + i, s), vx = get(x + i, s);
			put(dscale + i, FMA(d, MUL(vx, vk), get(dscale + i, s)), s);
			put(dx + i, MUL(vk, FNMA(vx, vmean, MUL(d, ADD(one, get(scale + i, s))))), s);
		}
	}
}

static void rope(float *x, const float *c, const float *sn, size_t half)
{
	STEPS(i, s, half) {
		V a = get(x + i, s), b = get(x + half + i, s), vc = get(c + i, s), vs = get(sn + i, s);
		put(x + i, FNMA(b, vs, MUL(a, vc)), s);
		put(x + half + i, FMA(a, vs, MUL(b, vc)), s);
	}
}

static void adam(float *p, float *m, float *v, const float *g, float b1, float b2, float rate, float root,
                 float eps, size_t n)
{
	V k1 = SET1(b1), k2 = SET1(b2), c1 = SET1(1 - b1), c2 = SET1(1 - b2);
	STEPS(i, s, n) {
		V vg = get(g + i, s);
		V vm = FMA(k1, get(m + i, s), MUL(c1, vg));
		V vv = FMA(k2, get(v + i, s), MUL(MUL(c2, vg), vg));
		V down = FMA(SQRT(vv), SET1(root), SET1(eps));
		put(m + i, vm, s);
		put(v + i, vv, s);
		put(p + i, SUB(get(p + i, s), DIV(MUL(SET1(rate), vm), down)), s);
	}
}

static void fill_vectors(ndl_kernels *k)
{
	k->dot = dot;
	k->axpy = axpy;
	k->scale_add = scale_add;
	k->softmax = softmax;
	k->logsumexp = logsumexp;
	k->softmax_back = softmax_back;
	k->rmsnorm = rmsnorm;
	k->rmsnorm_back = rmsnorm_back;
	k->rope = rope;
	k->adam = adam;
}
