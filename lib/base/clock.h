/* clock.h - a clock for durations. */
#ifndef NDL_BASE_CLOCK_H
#define NDL_BASE_CLOCK_H

/* Seconds since some moment, by a clock that nobody sets. */
double ndl_seconds(void);

#endif
