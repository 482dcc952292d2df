/* day.h - days as numbers, and days that are said by another: "next Friday". */
#ifndef NDL_BASE_DAY_H
#define NDL_BASE_DAY_H

#include <stdint.h>

/* Days count from 1 January of the year 1, months and days of the month from 1; the calendar is today's
 * throughout. */
int64_t ndl_day_number(int y, int m, int d);
void ndl_day_parts(int64_t day, int *y, int *m, int *d); /* day >= 0 */
int ndl_day_weekday(int64_t day);                        /* 0: Monday */

/* Ways to say a day by today, each with a number n. A week begins on Monday. */
enum ndl_day_way {
	NDL_DAY_OFFSET,        /* n days from today: "tomorrow", "in two weeks", "3 days ago" */
	NDL_DAY_COMING,        /* "Friday", "this Friday": the first weekday n after today */
	NDL_DAY_NEXT_WEEK,     /* "next Friday": weekday n of next week */
	NDL_DAY_LAST_WEEK,     /* "last Friday": weekday n of last week, said only if it has not been since Monday */
	NDL_DAY_WEEK_ON,       /* "a week on Friday": a week after the first weekday n after today */
	NDL_DAY_OF_MONTH,      /* "the 15th": the first day n of a month after today */
	NDL_DAY_OF_NEXT_MONTH, /* "the 3rd of next month" */
	NDL_DAY_LAST_OF_MONTH, /* "the last day of the month", n 1: of next month */
	NDL_DAY_YEARLY,        /* "3 May": month and day, 100 * month + day, the first after today */
	NDL_DAY_YEARLY_PAST    /* likewise, the last before today */
};
/* The day meant; -1 if there is none. */
int64_t ndl_day_resolve(enum ndl_day_way way, int n, int64_t today);

#endif
