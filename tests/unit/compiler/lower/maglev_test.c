/* SPDX-License-Identifier: MIT */
/* The table's exact bytes are held against an independent oracle in tests/oracle. */
#include <stdlib.h>
#include <string.h>

#include "../../unit.h"
#include "lower/maglev.h"
#include "model/model.h"

#define MOST 1000

static void make_endpoints(struct gpc_maglev_endpoint *endpoints, size_t count)
{
	char name[16];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "server-%zu", i);
		endpoints[i] =
			(struct gpc_maglev_endpoint){.id = gpc_stable_id("endpoint", "web", name),
						     .weight = 1,
						     .value = (uint16_t)i};
	}
}

static void count_slots(const uint16_t *table, uint32_t size, uint32_t *counts)
{
	memset(counts, 0, MOST * sizeof(*counts));
	for (uint32_t i = 0; i < size; i++)
		counts[table[i]]++;
}

static void one_endpoint_takes_every_slot(void)
{
	struct gpc_maglev_endpoint endpoint = {.id = 12345, .weight = 7, .value = 42};
	uint16_t table[251];

	memset(table, 0xff, sizeof(table));
	gpc_maglev_fill(&endpoint, 1, table, 251);
	for (int i = 0; i < 251; i++)
		CU_ASSERT_EQUAL(table[i], 42);
}

static void equal_weights_differ_by_one_slot_at_most(void)
{
	static struct gpc_maglev_endpoint endpoints[MOST];
	static uint16_t table[65537];
	static uint32_t counts[MOST];

	make_endpoints(endpoints, MOST);
	gpc_maglev_fill(endpoints, MOST, table, 65537);
	count_slots(table, 65537, counts);
	for (int i = 0; i < MOST; i++)
		CU_ASSERT(counts[i] == 65 || counts[i] == 66);
}

static void slots_follow_the_weights(void)
{
	static struct gpc_maglev_endpoint endpoints[10];
	static uint16_t table[16381];
	static uint32_t counts[MOST];
	uint64_t sum = 0;

	make_endpoints(endpoints, 10);
	for (uint32_t i = 0; i < 10; i++) {
		endpoints[i].weight = (i + 1) * (i + 1);
		sum += endpoints[i].weight;
	}
	gpc_maglev_fill(endpoints, 10, table, 16381);
	count_slots(table, 16381, counts);
	for (uint32_t i = 0; i < 10; i++) {
		double ideal = 16381.0 * endpoints[i].weight / (double)sum;

		CU_ASSERT(counts[i] >= ideal - 1.5 - ideal / 100 &&
			  counts[i] <= ideal + 1.5 + ideal / 100);
	}
}

static void removing_one_of_many_endpoints_moves_few_other_slots(void)
{
	static struct gpc_maglev_endpoint endpoints[MOST];
	static uint16_t before[65537], after[65537];
	uint32_t own = 0, moved = 0;

	make_endpoints(endpoints, MOST);
	gpc_maglev_fill(endpoints, MOST, before, 65537);
	memmove(endpoints + 500, endpoints + 501, (MOST - 501) * sizeof(*endpoints));
	gpc_maglev_fill(endpoints, MOST - 1, after, 65537);
	for (int i = 0; i < 65537; i++) {
		own += before[i] == 500;
		moved += before[i] != 500 && before[i] != after[i];
	}
	CU_ASSERT(own >= 65);
	CU_ASSERT(moved < 65537 / 100);
}

static void more_endpoints_than_slots_leave_the_last_ones_out(void)
{
	struct gpc_maglev_endpoint endpoints[20];
	uint16_t table[11];
	uint32_t seen = 0;

	make_endpoints(endpoints, 20);
	gpc_maglev_fill(endpoints, 20, table, 11);
	for (int i = 0; i < 11; i++)
		seen |= 1u << table[i];
	CU_ASSERT_EQUAL(seen, (1u << 11) - 1);
}

GPC_UNIT_MAIN("lower/maglev", {"one_endpoint_takes_every_slot", one_endpoint_takes_every_slot},
	      {"equal_weights_differ_by_one_slot_at_most",
	       equal_weights_differ_by_one_slot_at_most},
	      {"slots_follow_the_weights", slots_follow_the_weights},
	      {"removing_one_of_many_endpoints_moves_few_other_slots",
	       removing_one_of_many_endpoints_moves_few_other_slots},
	      {"more_endpoints_than_slots_leave_the_last_ones_out",
	       more_endpoints_than_slots_leave_the_last_ones_out})
