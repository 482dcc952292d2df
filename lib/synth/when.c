/* when.c - times and durations, spoken and written, with what they stand for. */
#include "synth/values.h"


/* An hour word or figure: 1..12. */
static void hour_text(ndl_rng *r, ndl_buf *b, int h12, bool words)
{
	if (words && ndl_rng_chance(r, 0.6))
		syn_number_words(b, h12);
	else
		ndl_buf_printf(b, "%d", h12);
}

/* Times ------------------------------------------------------------------------------- */

/* "half past six", "ten to four": minutes are a multiple of five. */
static void spoken_time(ndl_rng *r, ndl_buf *b, int h, int m)
{
	static const char *const past[] = {"", "five", "ten", "quarter", "twenty", "twenty-five",
		"half"};
	int steps = m / 5, next = (h + 1) % 24;
	int h12 = (h + 11) % 12 + 1, n12 = (next + 11) % 12 + 1;
	if (steps == 0) {
		hour_text(r, b, h12, true);
		ndl_buf_str(b, " o'clock");
	} else if (steps <= 6) {
		ndl_buf_printf(b, "%s%s past ", steps == 3 && ndl_rng_chance(r, 0.3) ? "a " : "", past[steps]);
		hour_text(r, b, h12, true);
	} else {
		ndl_buf_printf(b, "%s to ", past[12 - steps]);
		hour_text(r, b, n12, true);
	}
}

static void part_of_day(ndl_rng *r, ndl_buf *b, int h)
{
	const char *part = h < 12 ? "in the morning" : h < 17 ? "in the afternoon"
	                 : h < 21 ? "in the evening" : "at night";
	if (h < 5 && ndl_rng_chance(r, 0.3))
		part = "at night";
	ndl_buf_printf(b, " %s", part);
}

/* "7", "7:30", "7.30", "07:30" with am/pm: says the half of the day itself. */
static void clock_time(ndl_rng *r, ndl_buf *b, int h, int m)
{
	static const char *const am[] = {" am", "am", " a.m.", " AM", "AM", " am", "am"};
	static const char *const pm[] = {" pm", "pm", " p.m.", " PM", "PM", " pm", "pm"};
	int h12 = (h + 11) % 12 + 1;
	if (m == 0)
		ndl_buf_printf(b, "%d%s", h12, ndl_rng_chance(r, 0.15) ? ":00" : "");
	else
		ndl_buf_printf(b, "%d%c%02d", h12, ndl_rng_chance(r, 0.1) ? '.' : ':', m);
	size_t i = ndl_rng_below(r, 7);
	ndl_buf_str(b, h < 12 ? am[i] : pm[i]);
}

static void pick_clock(ndl_rng *r, int *h, int *m)
{
	*h = (int)(ndl_rng_chance(r, 0.85) ? ndl_rng_range(r, 6, 22) : ndl_rng_range(r, 0, 23));
	*m = 0;
	if (!ndl_rng_chance(r, 0.4))
		*m = (int)(ndl_rng_chance(r, 0.75) ? 5 * ndl_rng_below(r, 12) : ndl_rng_below(r, 60));
}

/* A surface from which hour and minute follow. */
static void exact_time(ndl_rng *r, ndl_buf *b, int h, int m)
{
	double u = ndl_rng_unit(r);
	if (m == 0 && h == 12 && u < 0.3)
		ndl_buf_str(b, ndl_rng_chance(r, 0.7) ? "noon" : "midday");
	else if (m == 0 && h == 0 && u < 0.6)
		ndl_buf_str(b, "midnight");
	else if (u < 0.4)
		ndl_buf_printf(b, "%02d:%02d", h, m);
	else if (u < 0.85 || m % 5)
		clock_time(r, b, h, m);
	else {
		spoken_time(r, b, h, m);
		part_of_day(r, b, h);
	}
}

void syn_time(const syn_gen *g, const syn_place *p, syn_made *made)
{
	ndl_rng *r = g->rng;
	ndl_buf *b = &made->surface;
	int h, m;
	(void)p;
	pick_clock(r, &h, &m);
	made->key = h * 60 + m;
	made->has_key = true;
	double u = ndl_rng_unit(r);
	if (u < 0.55)
		exact_time(r, b, h, m);
	else if (u < 0.75 && m % 5 == 0)
		spoken_time(r, b, h, m);
	else if (u < 0.8 && m % 10 == 0 && m)
		syn_number_words(b, (h + 11) % 12 + 1), ndl_buf_byte(b, ' '), syn_number_words(b, m);
	else if (m)
		ndl_buf_printf(b, "%d:%02d", (h + 11) % 12 + 1, m);
	else
		clock_time(r, b, h, m);
}

void syn_time24(const syn_gen *g, const syn_place *p, syn_made *made)
{
	int h, m;
	if (p->as_said) {
		syn_time(g, p, made);
		return;
	}
	pick_clock(g->rng, &h, &m);
	exact_time(g->rng, &made->surface, h, m);
	ndl_buf_printf(&made->raw, "\"%02d:%02d\"", h, m);
	made->key = h * 60 + m;
	made->has_key = true;
}

/* Durations --------------------------------------------------------------------------- */

static void count(ndl_rng *r, ndl_buf *b, int n, double words)
{
	if (n <= 99 && ndl_rng_chance(r, words))
		syn_number_words(b, n);
	else
		ndl_buf_printf(b, "%d", n);
}

static void units(ndl_rng *r, ndl_buf *b, int n, int which)
{
	static const char *const sec[] = {" second", " sec", "s", " seconds"};
	static const char *const min[] = {" minute", " min", "min", " minutes"};
	static const char *const hour[] = {" hour", " hr", "h", " hours"};
	const char *const *u = which == 0 ? sec : which == 1 ? min : hour;
	bool words = b->len && b->data[b->len - 1] >= 'a';
	int form = words || ndl_rng_chance(r, 0.8) ? (n == 1 ? 0 : 3) : 1 + (int)ndl_rng_below(r, 2);
	ndl_buf_str(b, u[form]);
	if (form == 1 && which == 2 && n != 1)
		ndl_buf_byte(b, 's');
}

static const struct {
	const char *said;
	int seconds;
} idiom[] = {
	{"half an hour", 1800}, {"an hour", 3600}, {"a full hour", 3600}, {"an hour and a half", 5400},
	{"a quarter of an hour", 900}, {"three quarters of an hour", 2700}, {"1.5 hours", 5400},
	{"one and a half hours", 5400}, {"an hour and a quarter", 4500}, {"2.5 hours", 9000},
	{"two and a half hours", 9000}, {"a couple of hours", 7200}, {"half a day", 43200},
	{"an hour and ten minutes", 4200}, {"a minute", 60}, {"half a minute", 30},
	{"a couple of minutes", 120}, {"a minute and a half", 90}, {"two and a half minutes", 150},
	{"twenty-five minutes", 1500},
};

static int one_unit(ndl_rng *r, ndl_buf *b, int which)
{
	static const int scale[] = {1, 60, 3600};
	static const int round[] = {5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 90};
	static const int hours[] = {1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12};
	int n = which == 2 ? hours[ndl_rng_below(r, 14)]
	      : ndl_rng_chance(r, 0.6) ? round[ndl_rng_below(r, 11)] : (int)ndl_rng_range(r, 1, 75);
	count(r, b, n, 0.2);
	units(r, b, n, which);
	return n * scale[which];
}

static int two_units(ndl_rng *r, ndl_buf *b, int which)
{
	int n = (int)ndl_rng_range(r, 1, which == 2 ? 5 : 30), m = (int)ndl_rng_range(r, 1, 11) * 5;
	bool digits = ndl_rng_chance(r, 0.8);
	if (digits && which == 2 && ndl_rng_chance(r, 0.2)) {
		ndl_buf_printf(b, "%dh%02d", n, m);
	} else {
		count(r, b, n, digits ? 0 : 1);
		ndl_buf_str(b, which == 2 ? (n == 1 ? " hour" : " hours") : (n == 1 ? " minute" : " minutes"));
		ndl_buf_str(b, ndl_rng_chance(r, 0.6) ? " and " : " ");
		count(r, b, m, digits ? 0 : 1);
		ndl_buf_str(b, which == 2 ? " minutes" : " seconds");
	}
	return which == 2 ? n * 3600 + m * 60 : n * 60 + m;
}

void syn_duration(const syn_gen *g, const syn_place *p, int unit, syn_made *made)
{
	ndl_rng *r = g->rng;
	int seconds;
	for (int tries = 0;; tries++) {
		double u = ndl_rng_unit(r);
		ndl_buf_reset(&made->surface);
		if (u < 0.2) {
			size_t i = ndl_rng_below(r, sizeof idiom / sizeof *idiom);
			ndl_buf_str(&made->surface, idiom[i].said);
			seconds = idiom[i].seconds;
		} else if (u < 0.85 || p->plain) {
			double v = ndl_rng_unit(r);
			int which = unit == 1 ? (v < 0.6 ? 0 : 1) : v < 0.1 && unit == 0 ? 0 : v < 0.75 ? 1 : 2;
			seconds = one_unit(r, &made->surface, which);
		} else {
			seconds = two_units(r, &made->surface, unit == 1 ? 1 : 2);
		}
		bool whole = unit == 0 || seconds % unit == 0;
		if ((whole && (unit != 1 || seconds <= 3600 * 2)) || tries > 30)
			break;
	}
	made->key = seconds;
	made->has_key = true;
	if (unit)
		syn_trim_number(&made->raw, (double)seconds / unit);
}
