/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../unit.h"
#include "lower/schedule.h"

/* The rule of maglev.h, word by word: who takes slot number `n`. */
static void expect_turns(const uint32_t *weights, size_t count, int turns, int kind)
{
	struct gpc_maglev_endpoint *endpoints = calloc(count, sizeof(*endpoints));
	uint64_t *credit = calloc(count, sizeof(*credit)), heaviest = 0;
	struct gpc_schedule schedule;
	size_t i = 0;

	for (size_t k = 0; k < count; k++) {
		endpoints[k].weight = weights[k];
		heaviest = weights[k] > heaviest ? weights[k] : heaviest;
	}
	gpc_schedule_init(&schedule, endpoints, count);
	CU_ASSERT_EQUAL((int)schedule.kind, kind);
	for (int n = 0; n < turns; i = (i + 1) % count) {
		credit[i] += weights[i];
		if (credit[i] < heaviest)
			continue;
		credit[i] -= heaviest;
		CU_ASSERT_EQUAL_FATAL(gpc_schedule_next(&schedule), i);
		n++;
	}
	gpc_schedule_release(&schedule);
	free(credit);
	free(endpoints);
}

static void equal_weights_take_turns(void)
{
	expect_turns((const uint32_t[]){5, 5, 5}, 3, 20, GPC_SCHEDULE_EQUAL);
	expect_turns((const uint32_t[]){65535}, 1, 5, GPC_SCHEDULE_EQUAL);
}

static void weights_of_one_order_keep_their_credit(void)
{
	expect_turns((const uint32_t[]){1, 2, 3}, 3, 1000, GPC_SCHEDULE_DENSE);
	expect_turns((const uint32_t[]){7, 65535, 40000, 1}, 4, 5000, GPC_SCHEDULE_DENSE);
}

static void few_heavy_ones_among_many_light_ones_are_the_same(void)
{
	uint32_t weights[100];

	for (uint32_t i = 0; i < 100; i++)
		weights[i] = 1 + i % 7;
	weights[60] = 65535;
	expect_turns(weights, 100, 20000, GPC_SCHEDULE_SPARSE);
	weights[3] = 1000;
	weights[99] = 65534;
	expect_turns(weights, 100, 20000, GPC_SCHEDULE_SPARSE);
}

GPC_UNIT_MAIN("lower/schedule", {"equal_weights_take_turns", equal_weights_take_turns},
	      {"weights_of_one_order_keep_their_credit", weights_of_one_order_keep_their_credit},
	      {"few_heavy_ones_among_many_light_ones_are_the_same",
	       few_heavy_ones_among_many_light_ones_are_the_same})
