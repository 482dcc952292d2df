/* number.c - numbers, digit by digit.
 *
 * Integers, and numbers with bounds, are counted in units of 10^-decimals. A prefix with j more
 * digits to come stands for an interval of such values, so "can this prefix still become a value
 * between lo and hi that is a multiple of step" is asked exactly: intersect the interval with
 * [lo, hi] for each j, and look for a multiple. Numbers without bounds follow JSON's syntax. */
#include "grammar/grammar_internal.h"

#include <stdlib.h>
#include <string.h>

/* ndl_gframe.sub; pos counts digits before the point, count those after it, words those of the
 * exponent, lo and hi hold all digits as one integer, flags says negative. */
enum { N_START, N_SIGN, N_ZERO, N_INT, N_POINT, N_FRACTION, N_E, N_E_SIGN, N_EXPONENT };

#define LIMIT INT64_C(1000000000000000000) /* 10^NUMBER_DIGITS */

static int64_t power10(unsigned n)
{
	int64_t p = 1;
	while (n--)
		p *= 10;
	return p;
}

static int64_t digits(const ndl_gframe *f)
{
	return (int64_t)((uint64_t)f->hi << 32 | f->lo);
}

static void set_digits(ndl_gframe *f, int64_t v)
{
	f->lo = (uint32_t)((uint64_t)v & 0xFFFFFFFFu);
	f->hi = (uint32_t)((uint64_t)v >> 32);
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

/* The smallest step at which both `step` and 10^-k units lie; 0 if it is beyond all values. */
static int64_t common_step(const struct number *n, unsigned k)
{
	int64_t p = power10(n->decimals - k), a = p, b = n->step;
	while (b) {
		int64_t r = a % b;
		a = b;
		b = r;
	}
	int64_t m = n->step / a;
	return m > LIMIT / p ? 0 : m * p;
}

/* Fewest bytes that end a number with `whole` more digits before the point (all their values
 * v..v+span-1), 0 to decimals after it; UINT32_MAX if none. any: only whether there is one. */
static uint32_t rest_with(const struct scope *n, bool negative, int64_t v, int64_t span, bool any)
{
	int64_t unit = power10(n->n->decimals), a = v * unit, b = (v + span) * unit - 1;
	if (any)
		return hits(n, negative, a, b, n->n->step) ? 0 : UINT32_MAX;
	for (unsigned k = 0; k <= n->n->decimals; k++) {
		int64_t step = common_step(n->n, k);
		/* a shortest fraction exists where the whole part ends exactly */
		if (step && hits(n, negative, a, b, step))
			return k ? k + 1 : 0;
	}
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
		uint32_t r = rest_with(n, f->flags & F_NEGATIVE, first, v + span - first, any);
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
	int64_t unit = power10(n->n->decimals - f->count), a = digits(f) * unit, b = a + unit - 1;
	if (any)
		return hits(n, f->flags & F_NEGATIVE, a, b, n->n->step) ? 0 : UINT32_MAX;
	for (unsigned k = f->count; k <= n->n->decimals; k++) {
		int64_t step = common_step(n->n, k);
		if (k > 0 && step && hits(n, f->flags & F_NEGATIVE, a, b, step))
			return k - f->count;
	}
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
	return digits(f) * power10(n->number.decimals - f->count);
}

uint64_t ndl_gnumber_key(const struct node *n, const ndl_gframe *f)
{
	int64_t x = value_of(n, f);
	return (uint64_t)(f->flags & F_NEGATIVE ? -x : x);
}

uint32_t ndl_gnumber_count(const struct node *n, uint32_t cap)
{
	const struct scope scope = {&n->number, {NULL, 0}};
	int64_t all = count_hits(&scope, false, 0, LIMIT, n->number.step) + count_hits(&scope, true, 0, LIMIT, n->number.step);
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
		if (f->count++ >= n->number.decimals)
			return false;
		break;
	case N_E: case N_E_SIGN: case N_EXPONENT:
		f->sub = N_EXPONENT;
		return f->words++ < EXPONENT_DIGITS;
	default:
		return false; /* no leading zeros */
	}
	if (n->bounded)
		set_digits(f, digits(f) * 10 + d);
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
		return whole && (n->types & T_NUMBER) && n->number.decimals > 0;
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

/* ---- compiling bounds ---- */

/* mantissa * 10^exponent, from the shortest decimal that reads back as the given number. */
struct decimal {
	bool negative;
	uint64_t mantissa;
	int exponent;
};

static struct decimal to_decimal(const json_t *value)
{
	ndl_buf text = NDL_BUF_INIT;
	struct decimal d = {false, 0, 0};
	bool point = false;
	ndl_json_write(&text, value, 0);
	for (const char *c = ndl_buf_cstr(&text); *c; c++) {
		if (*c == '-') {
			d.negative = true;
		} else if (*c == '.') {
			point = true;
		} else if (*c == 'e') {
			d.exponent += (int)strtol(c + 1, NULL, 10);
			break;
		} else if (d.mantissa > (UINT64_MAX - 9) / 10) {
			d.exponent += !point; /* digits past the 19th of a huge number */
		} else {
			d.mantissa = d.mantissa * 10 + (uint64_t)(*c - '0');
			d.exponent -= point;
		}
	}
	while (d.mantissa && d.mantissa % 10 == 0) {
		d.mantissa /= 10;
		d.exponent++;
	}
	ndl_buf_clear(&text);
	return d;
}

/* In units of 10^-decimals, rounded down, or up; kept within +-LIMIT. *exact: nothing was lost. */
static int64_t to_units(struct decimal d, unsigned decimals, bool up, bool *exact)
{
	int e = d.exponent + (int)decimals;
	uint64_t m = d.mantissa;
	bool lost = false;
	for (; e > 0 && m && m < (uint64_t)LIMIT; e--)
		m *= 10;
	for (; e < 0 && m; e++) {
		lost = lost || m % 10;
		m /= 10;
	}
	*exact = !lost && (e <= 0 || m == 0) && m <= (uint64_t)LIMIT;
	if (m > (uint64_t)LIMIT)
		m = (uint64_t)LIMIT;
	int64_t v = d.negative ? -(int64_t)m : (int64_t)m;
	return lost ? v + (up && !d.negative) - (!up && d.negative) : v;
}

static unsigned whole_digits(struct decimal d)
{
	int n = d.exponent;
	for (uint64_t m = d.mantissa; m; m /= 10)
		n++;
	return n < 1 ? 1 : (unsigned)n;
}

enum { MINIMUM, MAXIMUM, ABOVE, BELOW, MULTIPLE, N_BOUNDS };
static const char *const bound_keys[N_BOUNDS] = {
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
};

/* Places after the point: as many as the bounds need, at least 6, with room for their whole part.
 * Bounds with more are rounded inwards. */
static void choose_decimals(struct number *n, const json_t *const *value)
{
	bool below = value[MINIMUM] || value[ABOVE], above = value[MAXIMUM] || value[BELOW];
	unsigned need = 0, whole = below && above ? 1 : 9; /* an open side leaves room for a billion */
	for (size_t i = 0; i < N_BOUNDS; i++) {
		if (!value[i])
			continue;
		struct decimal d = to_decimal(value[i]);
		if (d.mantissa && d.exponent < 0 && (unsigned)-d.exponent > need)
			need = (unsigned)-d.exponent;
		if (d.mantissa && whole_digits(d) > whole)
			whole = whole_digits(d);
	}
	if (whole > 12)
		whole = 12; /* what lies beyond is not reached */
	if (need > NUMBER_DIGITS - whole)
		need = NUMBER_DIGITS - whole;
	n->decimals = (uint8_t)(need > 6 ? need : 6);
	n->whole = (uint8_t)(NUMBER_DIGITS - n->decimals);
}

ndl_status ndl_gnumber_compile(struct node *n, const json_t *schema, ndl_error *err)
{
	const json_t *value[N_BOUNDS];
	bool any = false, exact;
	for (size_t i = 0; i < N_BOUNDS; i++) {
		value[i] = json_object_get(schema, bound_keys[i]);
		any = any || value[i];
	}
	struct number *b = &n->number;
	*b = (struct number){1 - LIMIT, LIMIT - 1, 1, NUMBER_DIGITS, 0};
	n->bounded = n->bounded || any || !(n->types & T_NUMBER);
	if (!n->bounded)
		b->decimals = NUMBER_DIGITS;
	else if (n->types & T_NUMBER)
		choose_decimals(b, value);
	for (size_t i = 0; i < N_BOUNDS; i++) {
		if (!value[i])
			continue;
		struct decimal d = to_decimal(value[i]);
		int64_t down = to_units(d, b->decimals, false, &exact), up = to_units(d, b->decimals, true, &exact);
		if (i == MULTIPLE && !(n->types & T_NUMBER) && !exact) {
			/* integers that are multiples of 2.5: those of 5 */
			for (unsigned k = 1; k < 9 && !exact; k++) {
				down = to_units(d, k, false, &exact);
				int64_t a = down, p = power10(k), q = p;
				while (q) {
					int64_t r = a % q;
					a = q;
					q = r;
				}
				down /= a;
			}
		}
		if (i == MULTIPLE && (!exact || down < 1))
			return ndl_fail(err, NDL_EUNSUPPORTED, "multipleOf with this value is not supported");
		if (i == MULTIPLE)
			b->step = down;
		else if (i == MINIMUM || i == ABOVE) {
			int64_t lo = i == MINIMUM ? up : down + 1;
			b->lo = lo > b->lo ? lo : b->lo;
		} else {
			int64_t hi = i == MAXIMUM ? down : up - 1;
			b->hi = hi < b->hi ? hi : b->hi;
		}
	}
	ndl_gframe f;
	memset(&f, 0, sizeof f);
	ndl_gnumber_start(&f);
	if (ndl_gnumber_rest(n, &f, (struct used){NULL, 0}) == UINT32_MAX)
		return ndl_fail(err, NDL_EINVAL, "no number is within the bounds");
	return NDL_OK;
}
