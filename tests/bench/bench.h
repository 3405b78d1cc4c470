/* SPDX-License-Identifier: MIT */
/* bench.h: the clock and the median of the measurements in this folder. */
#ifndef GPC_TESTS_BENCH_H
#define GPC_TESTS_BENCH_H

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

static inline double bench_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline int bench_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts the samples. */
static inline double bench_median(double *samples, size_t count)
{
	qsort(samples, count, sizeof(*samples), bench_compare);
	return samples[count / 2];
}

#endif
