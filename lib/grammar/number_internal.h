/* number_internal.h - what the files about numbers share. */
#ifndef NDL_GRAMMAR_NUMBER_INTERNAL_H
#define NDL_GRAMMAR_NUMBER_INTERNAL_H

#include "grammar/grammar_internal.h"

#define LIMIT INT64_C(1000000000000000000) /* 10^NUMBER_DIGITS */

/* 10^n, n <= NUMBER_DIGITS. */
int64_t ndl_gpower10(unsigned n);
/* The greatest common divisor of two positive numbers. */
int64_t ndl_gdivisor(int64_t a, int64_t b);

#endif
