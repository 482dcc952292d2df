/* number_bounds.c - the bounds of a schema as digits to write and units to count in. */
#include "grammar/number_internal.h"

#include <stdlib.h>
#include <string.h>

int64_t ndl_gpower10(unsigned n)
{
	int64_t p = 1;
	while (n--)
		p *= 10;
	return p;
}

int64_t ndl_gdivisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

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

/* Digits before the point, as many as the bounds have, 9 where a side is open, and at most 12; after
 * it as many as the bounds have, 6 where a side is open, else what a double keeps. large: as many
 * as possible before it. Bounds with more digits are rounded inwards; what lies beyond is not
 * reached. */
static void choose_digits(struct number *n, const json_t *const *value, bool large)
{
	bool open = !(value[MINIMUM] || value[ABOVE]) || !(value[MAXIMUM] || value[BELOW]);
	const unsigned most = large ? NUMBER_FIGURES : NUMBER_FIGURES - 3;
	unsigned need = 6, whole = large ? most : open ? 9 : 1;
	for (size_t i = 0; i < N_BOUNDS; i++) {
		if (!value[i])
			continue;
		struct decimal d = to_decimal(value[i]);
		if (d.mantissa && d.exponent < 0 && (unsigned)-d.exponent > need)
			need = (unsigned)-d.exponent;
		if (d.mantissa && whole_digits(d) > whole)
			whole = whole_digits(d);
	}
	whole = whole < most ? whole : most;
	if (!open && need < NUMBER_FIGURES - whole)
		need = NUMBER_FIGURES - whole;
	if (need > NUMBER_DIGITS - whole)
		need = NUMBER_DIGITS - whole;
	n->decimals = (uint8_t)need;
	n->whole = (uint8_t)(NUMBER_DIGITS - need < NUMBER_FIGURES ? NUMBER_DIGITS - need : NUMBER_FIGURES);
	n->figures = NUMBER_FIGURES;
}

/* multipleOf in units; 0 if it cannot be followed. Integers that are multiples of 2.5 are those of 5. */
static int64_t find_step(struct decimal d, unsigned decimals, bool integer)
{
	bool exact;
	int64_t step = to_units(d, decimals, false, &exact);
	for (unsigned k = 1; integer && k < 9 && !exact; k++) {
		step = to_units(d, k, false, &exact);
		if (step > 0)
			step /= ndl_gdivisor(step, ndl_gpower10(k));
	}
	return exact ? step : 0;
}

/* Takes over one keyword, whose value is d. */
static ndl_status take_bound(struct number *b, int key, struct decimal d, bool integer, ndl_error *err)
{
	bool exact;
	int64_t down = to_units(d, b->decimals, false, &exact), up = to_units(d, b->decimals, true, &exact);
	if (key == MULTIPLE) {
		b->step = find_step(d, b->decimals, integer);
		return b->step > 0 ? NDL_OK : ndl_fail(err, NDL_EUNSUPPORTED, "multipleOf with this value is not supported");
	}
	int64_t lo = key == MINIMUM ? up : key == ABOVE ? down + 1 : b->lo;
	int64_t hi = key == MAXIMUM ? down : key == BELOW ? up - 1 : b->hi;
	b->lo = lo > b->lo ? lo : b->lo;
	b->hi = hi < b->hi ? hi : b->hi;
	return NDL_OK;
}

/* *any tells whether there is such a number. */
static ndl_status compile(struct node *n, const json_t *const *value, bool large, bool *any, ndl_error *err)
{
	struct number *b = &n->number;
	ndl_gframe f;
	*b = (struct number){1 - LIMIT, LIMIT - 1, 1, NUMBER_DIGITS, 0, NUMBER_DIGITS};
	if (!n->bounded) {
		b->decimals = NUMBER_DIGITS;
		b->figures = 2 * NUMBER_DIGITS;
	} else if (n->types & T_NUMBER) {
		choose_digits(b, value, large);
	}
	for (int i = 0; i < N_BOUNDS; i++)
		if (value[i] && take_bound(b, i, to_decimal(value[i]), !(n->types & T_NUMBER), err) < 0)
			return NDL_EUNSUPPORTED;
	memset(&f, 0, sizeof f);
	ndl_gnumber_start(&f);
	*any = ndl_gnumber_rest(n, &f, (struct used){NULL, 0}) != UINT32_MAX;
	return NDL_OK;
}

ndl_status ndl_gnumber_compile(struct node *n, const json_t *schema, ndl_error *err)
{
	const json_t *value[N_BOUNDS];
	bool any;
	n->bounded = n->bounded || !(n->types & T_NUMBER);
	for (size_t i = 0; i < N_BOUNDS; i++) {
		value[i] = json_object_get(schema, bound_keys[i]);
		n->bounded = n->bounded || value[i];
	}
	ndl_status status = compile(n, value, false, &any, err);
	if (status == 0 && !any && (n->types & T_NUMBER))
		status = compile(n, value, true, &any, err);
	return status < 0 || any ? status : ndl_fail(err, NDL_EINVAL, "no number is within the bounds");
}
