/* day.c - the calendar. */
#include "base/day.h"

int64_t ndl_day_number(int y, int m, int d)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int past = y - 1, leap = m > 2 && ((y % 4 == 0 && y % 100) || y % 400 == 0);
	return 365LL * past + past / 4 - past / 100 + past / 400 + before[m - 1] + leap + d - 1;
}

void ndl_day_parts(int64_t day, int *y, int *m, int *d)
{
	*y = (int)(day / 366) + 1;
	while (ndl_day_number(*y + 1, 1, 1) <= day)
		++*y;
	*m = 12;
	while (ndl_day_number(*y, *m, 1) > day)
		--*m;
	*d = (int)(day - ndl_day_number(*y, *m, 1)) + 1;
}

int ndl_day_weekday(int64_t day)
{
	return (int)(day % 7);
}

/* Day d of the month that lies `ahead` months after that of `day`; -1 if it has no such day. */
static int64_t day_of_month(int64_t day, int ahead, int d)
{
	int y, m, unused, y2, m2, d2;
	ndl_day_parts(day, &y, &m, &unused);
	m += ahead;
	y += (m - 1 + 12) / 12 - 1;
	m = (m - 1 + 12) % 12 + 1;
	int64_t found = ndl_day_number(y, m, 1) + d - 1;
	ndl_day_parts(found, &y2, &m2, &d2);
	return m2 == m ? found : -1;
}

/* Day d of month m of the nearest year in which it comes after or, sign < 0, before the day. 29 February may be eight
 * years off. */
static int64_t of_some_year(int64_t day, int m, int d, int sign)
{
	int year, unused;
	ndl_day_parts(day, &year, &unused, &unused);
	for (int y = year; y >= 1 && y >= year - 8 && y <= year + 8; y += sign) {
		int64_t found = day_of_month(ndl_day_number(y, m, 1), 0, d);
		if (found >= 0 && (sign < 0 ? found < day : found > day))
			return found;
	}
	return -1;
}

int64_t ndl_day_resolve(enum ndl_day_way way, int n, int64_t today)
{
	int w = ndl_day_weekday(today);
	switch (way) {
	case NDL_DAY_OFFSET: return today + n;
	case NDL_DAY_COMING: return today + 1 + (n - w + 6) % 7;
	case NDL_DAY_NEXT_WEEK: return today - w + 7 + n;
	case NDL_DAY_LAST_WEEK: return today - w - 7 + n;
	case NDL_DAY_WEEK_ON: return today + 8 + (n - w + 6) % 7;
	case NDL_DAY_OF_NEXT_MONTH: return day_of_month(today, 1, n);
	case NDL_DAY_LAST_OF_MONTH: return day_of_month(today, n + 1, 1) - 1;
	case NDL_DAY_YEARLY: return of_some_year(today, n / 100, n % 100, 1);
	case NDL_DAY_YEARLY_PAST: return of_some_year(today, n / 100, n % 100, -1);
	case NDL_DAY_OF_MONTH:
		for (int ahead = 0; ahead < 3; ahead++) {
			int64_t day = day_of_month(today, ahead, n);
			if (day > today)
				return day;
		}
	}
	return -1;
}
