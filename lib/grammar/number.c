/* number.c - numbers, digit by digit.
 *
 * Integers, and numbers with bounds, are counted in units of 10^-decimals. A prefix with j more
 * digits to come stands for an interval of such values, so "can this prefix still become a value
 * between lo and hi that is a multiple of step" is asked exactly: intersect the interval with
 * [lo, hi] for each j, and look for a multiple. Numbers without bounds follow JSON's syntax. */
#include "grammar/number_internal.h"

/* ndl_gframe.sub; pos counts digits before the point, count those after it, words those of the
 * exponent, lo and hi hold all digits as one integer, flags says negative. */
enum { N_START, N_SIGN, N_ZERO, N_INT, N_POINT, N_FRACTION, N_E, N_E_SIGN, N_EXPONENT };

static int64_t digits(const ndl_gframe *f)
{
	return (int64_t)ndl_gwide(f);
}

/* What a number must keep to: its bounds, and the values that were used. */
struct scope {
	const struct number *n;
	struct used used;
};

/* How many multiples of step with magnitude in [a, b] and this sign are within bounds and not
 * used; any: stop at one. -0 is not written. */
static int64_t count_hits(const struct scope *scope, bool negative, int64_t a, int64_t b, int64_t step)
{
	const struct number *n = scope->n;
	int64_t lo = a, hi = b;
	if (negative) {
		lo = -b;
		hi = a < 1 ? -1 : -a;
	}
	if (lo < n->lo)
		lo = n->lo;
	if (hi > n->hi)
		hi = n->hi;
	if (lo > hi)
		return 0;
	int64_t first = lo / step, last = hi / step; /* rounded inwards below */
	first += first * step < lo;
	last -= last * step > hi;
	int64_t count = last - first + 1;
	for (uint32_t i = 0; i < scope->used.n; i++) {
		int64_t v = (int64_t)scope->used.key[i];
		count -= v >= lo && v <= hi && v % step == 0;
	}
	return count;
}

static bool hits(const struct scope *n, bool negative, int64_t a, int64_t b, int64_t step)
{
	return count_hits(n, negative, a, b, step) > 0;
}

/* Digits after the point that a number with `whole` before it, 0 in 0.5, may have. */
static unsigned places(const struct number *n, unsigned whole)
{
	unsigned left = n->figures - whole;
	return left < n->decimals ? left : n->decimals;
}

static unsigned places_of(const struct number *n, const ndl_gframe *f)
{
	return places(n, digits(f) < ndl_gpower10(f->count) ? 0 : f->pos);
}

/* The smallest step at which both n->step and k places lie; LIMIT, which only 0 keeps, if it is
 * beyond all other values. */
static int64_t common_step(const struct number *n, unsigned k)
{
	int64_t p = ndl_gpower10(n->decimals - k), m = n->step / ndl_gdivisor(n->step, p);
	return m > LIMIT / p ? LIMIT : m * p;
}

/* Fewest bytes that end a number of `whole` digits, one of v..v+span-1, with a fraction or without;
 * UINT32_MAX if none. any: only whether there is one. */
static uint32_t rest_with(const struct scope *n, bool negative, unsigned whole, int64_t v, int64_t span, bool any)
{
	if (v == 0 && whole > 0) {
		uint32_t zero = rest_with(n, negative, 0, 0, 1, any);
		uint32_t more = span > 1 && zero > 0 ? rest_with(n, negative, whole, 1, span - 1, any) : UINT32_MAX;
		return zero < more ? zero : more;
	}
	int64_t unit = ndl_gpower10(n->n->decimals), a = v * unit, b = (v + span) * unit - 1;
	unsigned most = places(n->n, whole);
	for (unsigned k = any ? most : 0; k <= most; k++)
		if (hits(n, negative, a, b, common_step(n->n, k)))
			return k ? k + 1 : 0;
	return UINT32_MAX;
}

static uint32_t rest_whole(const struct scope *n, const ndl_gframe *f, bool any)
{
	int64_t v = digits(f), span = 1;
	uint32_t best = UINT32_MAX;
	unsigned more = f->sub == N_ZERO ? 0 : n->n->whole - f->pos;
	for (unsigned j = 0; j <= more; j++) {
		if (j > 0) {
			v *= 10;
			span *= 10;
		}
		if (j == 0 && f->pos == 0)
			continue; /* no digit yet: one is due, and only 0 itself may begin with 0 */
		int64_t first = f->pos == 0 && j > 1 ? span / 10 : v;
		uint32_t r = rest_with(n, f->flags & F_NEGATIVE, f->pos + j, first, v + span - first, any);
		if (r == UINT32_MAX)
			continue;
		if (any)
			return 0;
		if (r + j < best)
			best = r + j;
	}
	return best;
}

static uint32_t rest_fraction(const struct scope *n, const ndl_gframe *f, bool any)
{
	int64_t unit = ndl_gpower10(n->n->decimals - f->count), a = digits(f) * unit, b = a + unit - 1;
	unsigned least = f->count ? f->count : 1, most = places_of(n->n, f);
	for (unsigned k = any ? most : least; k <= most; k++)
		if (hits(n, f->flags & F_NEGATIVE, a, b, common_step(n->n, k)))
			return k - f->count;
	return UINT32_MAX;
}

static uint32_t rest_bounded(const struct scope *n, const ndl_gframe *f, bool any)
{
	if (f->sub == N_POINT || f->sub == N_FRACTION)
		return rest_fraction(n, f, any);
	return rest_whole(n, f, any);
}

uint32_t ndl_gnumber_rest(const struct node *n, const ndl_gframe *f, struct used used)
{
	const struct scope scope = {&n->number, used};
	if (n->bounded) {
		if (f->sub != N_START)
			return rest_bounded(&scope, f, false);
		/* the same as after a sign, with either sign */
		ndl_gframe g = *f;
		g.sub = N_SIGN;
		uint32_t plus = rest_bounded(&scope, &g, false);
		g.flags |= F_NEGATIVE;
		uint32_t minus = rest_bounded(&scope, &g, false);
		return minus != UINT32_MAX && minus + 1 < plus ? minus + 1 : plus;
	}
	switch (f->sub) {
	case N_ZERO: case N_INT: case N_FRACTION: case N_EXPONENT: return 0;
	default: return 1;
	}
}

/* In units of the bounds, without sign. */
static int64_t value_of(const struct node *n, const ndl_gframe *f)
{
	return digits(f) * ndl_gpower10(n->number.decimals - f->count);
}

uint64_t ndl_gnumber_key(const struct node *n, const ndl_gframe *f)
{
	int64_t x = value_of(n, f);
	return (uint64_t)(f->flags & F_NEGATIVE ? -x : x);
}

uint32_t ndl_gnumber_count(const struct node *n, uint32_t cap)
{
	const struct scope scope = {&n->number, {NULL, 0}};
	int64_t unit = ndl_gpower10(n->number.decimals), from = 0, all = 0;
	for (unsigned whole = 0; whole <= n->number.whole; whole++) {
		int64_t to = ndl_gpower10(whole) * unit, step = common_step(&n->number, places(&n->number, whole));
		all += count_hits(&scope, false, from, to - 1, step) + count_hits(&scope, true, from, to - 1, step);
		from = to;
	}
	return all < cap ? (uint32_t)all : cap;
}

bool ndl_gnumber_may_end(const struct node *n, const ndl_gframe *f, struct used used)
{
	const struct scope scope = {&n->number, used};
	if (f->sub != N_ZERO && f->sub != N_INT && f->sub != N_FRACTION && f->sub != N_EXPONENT)
		return false;
	if (!n->bounded)
		return true;
	int64_t x = value_of(n, f);
	return hits(&scope, f->flags & F_NEGATIVE, x, x, n->number.step);
}

void ndl_gnumber_start(ndl_gframe *f)
{
	f->sub = N_START;
	f->flags &= (uint8_t)~F_NEGATIVE;
	f->lo = f->hi = f->pos = f->count = f->words = 0;
}

static bool add_digit(const struct node *n, ndl_gframe *f, int d)
{
	switch (f->sub) {
	case N_START: case N_SIGN:
		f->sub = d == 0 ? N_ZERO : N_INT;
		f->pos = 1;
		break;
	case N_INT:
		if (f->pos++ >= n->number.whole)
			return false;
		break;
	case N_POINT: case N_FRACTION:
		f->sub = N_FRACTION;
		if (f->count >= places_of(&n->number, f))
			return false;
		f->count++;
		break;
	case N_E: case N_E_SIGN: case N_EXPONENT:
		f->sub = N_EXPONENT;
		return f->words++ < EXPONENT_DIGITS;
	default:
		return false; /* no leading zeros */
	}
	if (n->bounded)
		ndl_gset_wide(f, (uint64_t)(digits(f) * 10 + d));
	return true;
}

static bool add_other(const struct node *n, ndl_gframe *f, unsigned char b)
{
	bool whole = f->sub == N_ZERO || f->sub == N_INT;
	switch (b) {
	case '-':
		if (f->sub == N_E) {
			f->sub = N_E_SIGN;
			return true;
		}
		f->flags |= F_NEGATIVE;
		f->sub = f->sub == N_START ? N_SIGN : N_E;
		return f->sub == N_SIGN;
	case '+':
		if (f->sub != N_E)
			return false;
		f->sub = N_E_SIGN;
		return true;
	case '.':
		f->sub = N_POINT;
		return whole && (n->types & T_NUMBER) && places_of(&n->number, f) > 0;
	case 'e': case 'E':
		if (n->bounded || !(whole || f->sub == N_FRACTION))
			return false;
		f->sub = N_E;
		return true;
	default:
		return false;
	}
}

bool ndl_gnumber_step(const struct node *n, ndl_gframe *f, struct used used, unsigned char b)
{
	const struct scope scope = {&n->number, used};
	ndl_gframe next = *f;
	bool ok = b >= '0' && b <= '9' ? add_digit(n, &next, b - '0') : add_other(n, &next, b);
	if (!ok || (n->bounded && rest_bounded(&scope, &next, true) == UINT32_MAX))
		return false;
	*f = next;
	return true;
}

unsigned char ndl_gnumber_close(const struct node *n, const ndl_gframe *f, struct used used)
{
	unsigned char best = '0';
	uint32_t least = UINT32_MAX;
	for (const char *c = "0123456789.-"; *c; c++) {
		ndl_gframe next = *f;
		if (!ndl_gnumber_step(n, &next, used, (unsigned char)*c))
			continue;
		uint32_t rest = ndl_gnumber_rest(n, &next, used);
		if (rest < least) {
			least = rest;
			best = (unsigned char)*c;
		}
	}
	return best;
}
