/* SPDX-License-Identifier: MIT */
/*
 * maglev_bench: how long one Maglev table takes, 1,000 endpoints of equal weight; beside it, in turns,
 * the paper's loop written down plainly in C, as the measure of the machine's mood.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "lower/maglev.h"

#define ENDPOINTS 1000
#define REPEATS 201
#define LARGEST 65537

static uint32_t next_slot(uint32_t slot, uint32_t skip, uint32_t size)
{
	slot += skip;
	return slot >= size ? slot - size : slot;
}

/* The paper's loop with 32-bit steps and a byte per slot. */
static void fill_plainly(const struct gpc_maglev_endpoint *endpoints, size_t count, uint16_t *table,
			 uint32_t size)
{
	static uint32_t position[ENDPOINTS], skip[ENDPOINTS];
	static uint8_t taken[LARGEST];
	uint32_t filled = 0;

	memset(taken, 0, size);
	for (size_t i = 0; i < count; i++) {
		position[i] = (uint32_t)endpoints[i].id % size;
		skip[i] = (uint32_t)(endpoints[i].id >> 32) % (size - 1) + 1;
	}
	for (;;)
		for (size_t i = 0; i < count; i++) {
			while (taken[position[i]])
				position[i] = next_slot(position[i], skip[i], size);
			taken[position[i]] = 1;
			table[position[i]] = endpoints[i].value;
			if (++filled == size)
				return;
		}
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static bool measure(const struct gpc_maglev_endpoint *endpoints, uint32_t size)
{
	static uint16_t table[LARGEST], plain_table[LARGEST];
	static double ours[REPEATS], plain[REPEATS];
	double start, median, plain_median;

	for (int i = 0; i < REPEATS; i++) {
		start = bench_now_ms();
		gpc_maglev_fill(endpoints, ENDPOINTS, table, size);
		ours[i] = bench_now_ms() - start;
		start = bench_now_ms();
		fill_plainly(endpoints, ENDPOINTS, plain_table, size);
		plain[i] = bench_now_ms() - start;
	}
	if (memcmp(table, plain_table, size * sizeof(*table)) != 0) {
		fprintf(stderr, "the tables of %u slots differ\n", size);
		return false;
	}
	median = bench_median(ours, REPEATS);
	plain_median = bench_median(plain, REPEATS);
	printf("maglev.%ux%d.ms %.3f\n", size, ENDPOINTS, median);
	fprintf(stderr,
		"  %u x %d: median %.3f ms, best %.3f; the plain loop %.3f, best %.3f (ratio %.2f)\n",
		size, ENDPOINTS, median, ours[0], plain_median, plain[0], median / plain_median);
	return true;
}

int main(void)
{
	static struct gpc_maglev_endpoint endpoints[ENDPOINTS];

	for (size_t i = 0; i < ENDPOINTS; i++)
		endpoints[i] = (struct gpc_maglev_endpoint){
			.id = mix(i + 1), .weight = 1, .value = (uint16_t)i};
	fprintf(stderr,
		"maglev: one thread, table and endpoints in memory, %d tables of each kind in turns, memory of\n"
		"  the fill included; medians\n",
		REPEATS);
	return measure(endpoints, 65537) && measure(endpoints, 16381) ? 0 : 1;
}
