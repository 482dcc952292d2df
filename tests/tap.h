/* tap.h - the whole C test framework: TAP lines on stdout, as Bats prints them.
 *
 *   int main(void) { CHECK(1 + 1 == 2); CHECK_STR(f(), "x"); return tap_done(); } */
#ifndef NDL_TESTS_TAP_H
#define NDL_TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

/* Reports one test; returns ok. */
__attribute__((format(printf, 2, 3), unused))
static int tap_ok(int ok, const char *fmt, ...)
{
	va_list ap;
	printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !ok;
	fflush(stdout);
	return ok;
}

__attribute__((format(printf, 1, 2), unused))
static void tap_note(const char *fmt, ...)
{
	va_list ap;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#define CHECK(cond) tap_ok(!!(cond), "%s:%d %s", __FILE__, __LINE__, #cond)
#define CHECK_INT(got, want) tap_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) tap_str((got), (want), __FILE__, __LINE__, #got)

__attribute__((unused))
static int tap_int(long long got, long long want, const char *file, int line, const char *what)
{
	if (got != want)
		tap_note("got %lld, want %lld", got, want);
	return tap_ok(got == want, "%s:%d %s", file, line, what);
}

__attribute__((unused))
static int tap_str(const char *got, const char *want, const char *file, int line, const char *what)
{
	int same = got && want && strcmp(got, want) == 0;
	if (!same)
		tap_note("got  %s\n# want %s", got ? got : "(null)", want ? want : "(null)");
	return tap_ok(same, "%s:%d %s", file, line, what);
}

/* Largest |got - want| over n floats, NaN if there is one; *top: the largest |want|. */
__attribute__((unused))
static double tap_worst(const float *got, const float *want, size_t n, double *top)
{
	double worst = 0;
	*top = 0;
	for (size_t i = 0; i < n; i++) {
		double e = fabs((double)got[i] - (double)want[i]);
		worst = e > worst || isnan(e) ? e : worst; /* fmax would lose a NaN */
		*top = fmax(*top, fabs((double)want[i]));
	}
	return worst;
}

/* Largest |got - want| / (1 + |want|) over n floats, reported against a bound. */
__attribute__((unused))
static int tap_close(const float *got, const float *want, size_t n, double bound, const char *what)
{
	double worst = 0;
	size_t at = 0;
	for (size_t i = 0; i < n && !isnan(worst); i++) {
		double e = fabs((double)got[i] - (double)want[i]) / (1 + fabs((double)want[i]));
		if (!(e <= worst)) { /* NaN lands here too */
			worst = e;
			at = i;
		}
	}
	if (!(worst <= bound))
		tap_note("at %zu: got %.9g, want %.9g", at, n ? (double)got[at] : 0, n ? (double)want[at] : 0);
	return tap_ok(worst <= bound, "%s: worst relative error %.2g <= %.2g", what, worst, bound);
}

#endif
