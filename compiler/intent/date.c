/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "scalar.h"

#define DAY_SECONDS (24u * 60 * 60)

/* The number of `digits` digits at `text`, -1 if one of them is none. */
static int digits_at(const char *text, size_t digits)
{
	int value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first day of `year`. */
static int days_before_year(int year)
{
	int y = year - 1;

	return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* Does `text` look like `shape`, in which 9 stands for any digit? */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++) {
		if (*shape == '9' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	}
	return !*text;
}

enum gpc_scalar_error gpc_scalar_date(const char *text, uint64_t *ret_seconds)
{
	bool instant = has_shape(text, "9999-99-99T99:99:99Z");
	int year, month, day, days, hour = 0, minute = 0, second = 0;

	if (!instant && !has_shape(text, "9999-99-99"))
		return GPC_SCALAR_SYNTAX;
	year = digits_at(text, 4);
	month = digits_at(text + 5, 2);
	day = digits_at(text + 8, 2);
	if (instant) {
		hour = digits_at(text + 11, 2);
		minute = digits_at(text + 14, 2);
		second = digits_at(text + 17, 2);
	}
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return GPC_SCALAR_RANGE;
	days = days_before_year(year) + day - !!instant;
	for (int m = 1; m < month; m++)
		days += days_of_month(year, m);
	*ret_seconds =
		(uint64_t)days * DAY_SECONDS + (uint64_t)(hour * 3600 + minute * 60 + second);
	return GPC_SCALAR_OK;
}
