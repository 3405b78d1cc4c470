/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <assert.h>
#include <stdlib.h>

#include "../base/arena.h"

#define SPARSE_FACTOR 8u /* fewer than one endpoint in so many is due: a heap is quicker */
#define INDEX_BITS 16

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		gpc_arena_exhausted();
	return p;
}

/* Round in which endpoint i takes its next slot. */
static uint64_t next_round(const struct gpc_schedule *schedule, size_t i)
{
	uint64_t weight = schedule->endpoints[i].weight;
	uint64_t slots = schedule->taken[i] + 1ull;

	return (slots * schedule->heaviest + weight - 1) / weight;
}

static void sift_down(uint64_t *heap, size_t count, size_t i)
{
	uint64_t key = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < count && heap[child + 1] < heap[child])
			child++;
		if (child >= count || heap[child] >= key)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = key;
}

static void init_heap(struct gpc_schedule *schedule)
{
	schedule->taken = allocate(schedule->count, sizeof(*schedule->taken));
	schedule->heap = allocate(schedule->count, sizeof(*schedule->heap));
	for (size_t i = 0; i < schedule->count; i++)
		schedule->heap[i] = next_round(schedule, i) << INDEX_BITS | i;
	for (size_t i = schedule->count / 2; i-- > 0;)
		sift_down(schedule->heap, schedule->count, i);
}

void gpc_schedule_init(struct gpc_schedule *schedule, const struct gpc_maglev_endpoint *endpoints,
		       size_t count)
{
	uint32_t lightest = UINT32_MAX;
	uint64_t sum = 0;

	assert(count >= 1 && count < 1u << INDEX_BITS);
	*schedule = (struct gpc_schedule){
		.due = allocate(count, sizeof(*schedule->due)),
		.endpoints = endpoints,
		.count = count,
	};
	for (size_t i = 0; i < count; i++) {
		uint32_t weight = endpoints[i].weight;

		assert(weight);
		sum += weight;
		schedule->heaviest = weight > schedule->heaviest ? weight : schedule->heaviest;
		lightest = weight < lightest ? weight : lightest;
		schedule->due[i] = (uint32_t)i;
	}
	if (lightest == schedule->heaviest) {
		schedule->kind = GPC_SCHEDULE_EQUAL;
	} else if (sum * SPARSE_FACTOR >= (uint64_t)schedule->heaviest * count) {
		schedule->kind = GPC_SCHEDULE_DENSE;
		schedule->credit = allocate(count, sizeof(*schedule->credit));
	} else {
		schedule->kind = GPC_SCHEDULE_SPARSE;
		init_heap(schedule);
	}
}

static size_t dense_round(struct gpc_schedule *schedule)
{
	uint32_t heaviest = schedule->heaviest;
	size_t due = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		uint32_t credit = schedule->credit[i] + schedule->endpoints[i].weight;
		bool takes = credit >= heaviest;

		schedule->due[due] = (uint32_t)i;
		due += takes;
		schedule->credit[i] = credit - (takes ? heaviest : 0);
	}
	return due;
}

static size_t sparse_round(struct gpc_schedule *schedule)
{
	uint64_t round = schedule->heap[0] >> INDEX_BITS;
	size_t due = 0;

	do {
		size_t i = schedule->heap[0] & ((1u << INDEX_BITS) - 1);

		schedule->due[due++] = (uint32_t)i;
		schedule->taken[i]++;
		schedule->heap[0] = next_round(schedule, i) << INDEX_BITS | i;
		sift_down(schedule->heap, schedule->count, 0);
	} while (schedule->heap[0] >> INDEX_BITS == round);
	return due;
}

void gpc_schedule_round(struct gpc_schedule *schedule)
{
	do {
		switch (schedule->kind) {
		case GPC_SCHEDULE_EQUAL:
			schedule->due_count = schedule->count;
			break;
		case GPC_SCHEDULE_DENSE:
			schedule->due_count = dense_round(schedule);
			break;
		case GPC_SCHEDULE_SPARSE:
			schedule->due_count = sparse_round(schedule);
			break;
		}
	} while (!schedule->due_count);
	schedule->next = 0;
}

void gpc_schedule_release(struct gpc_schedule *schedule)
{
	free(schedule->due);
	free(schedule->credit);
	free(schedule->taken);
	free(schedule->heap);
}
