/* SPDX-License-Identifier: MIT */
#include "ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"

void gpc_ranges_init(struct gpc_ranges *ranges, uint32_t capacity)
{
	*ranges = (struct gpc_ranges){.capacity = capacity};
}

void gpc_ranges_release(struct gpc_ranges *ranges)
{
	free(ranges->held);
	free(ranges->holes);
	*ranges = (struct gpc_ranges){0};
}

int gpc_ranges_hold(struct gpc_ranges *ranges, const uint64_t key[2], struct gpc_range range)
{
	if (!range.count || range.first >= ranges->capacity ||
	    range.count > ranges->capacity - range.first)
		return 0;
	if (ranges->held_count == ranges->held_room) {
		size_t room = ranges->held_room ? 2 * ranges->held_room : 64;
		struct gpc_range_entry *held = realloc(ranges->held, room * sizeof(*held));

		if (!held)
			return -ENOMEM;
		ranges->held = held;
		ranges->held_room = room;
	}
	ranges->held[ranges->held_count] = (struct gpc_range_entry){
		.key = {key[0], key[1]}, .range = range, .order = (uint32_t)ranges->held_count};
	ranges->held_count++;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct gpc_range_entry *x = a, *y = b;

	return (x->range.first > y->range.first) - (x->range.first < y->range.first);
}

static int compare_keys(const uint64_t a[2], const uint64_t b[2])
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return (a[1] > b[1]) - (a[1] < b[1]);
}

static int by_key(const void *a, const void *b)
{
	const struct gpc_range_entry *x = a, *y = b;
	int order = compare_keys(x->key, y->key);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void add_hole(struct gpc_ranges *ranges, uint32_t from, uint32_t to)
{
	if (from < to)
		ranges->holes[ranges->hole_count++] = (struct gpc_range){from, to - from};
}

/* From here on: what nobody holds. */
static int find_holes(struct gpc_ranges *ranges)
{
	uint32_t end = 0;
	size_t i;

	ranges->holes = calloc(ranges->held_count + 1, sizeof(*ranges->holes));
	if (!ranges->holes)
		return -ENOMEM;
	if (ranges->held_count)
		qsort(ranges->held, ranges->held_count, sizeof(*ranges->held), by_first);
	for (i = 0; i < ranges->held_count; i++) {
		const struct gpc_range *range = &ranges->held[i].range;

		add_hole(ranges, end, range->first);
		if (range->first + range->count > end)
			end = range->first + range->count;
	}
	add_hole(ranges, end, ranges->capacity);
	if (ranges->held_count)
		qsort(ranges->held, ranges->held_count, sizeof(*ranges->held), by_key);
	return 0;
}

/* What the first hold of the key said, NULL if none did. */
static const struct gpc_range_entry *find_held(const struct gpc_ranges *ranges,
					       const uint64_t key[2])
{
	size_t low = 0, high = ranges->held_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(ranges->held[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ranges->held_count || compare_keys(ranges->held[low].key, key))
		return NULL;
	return &ranges->held[low];
}

static unsigned int log2_above(uint32_t count)
{
	unsigned int log2 = 0;

	while (log2 < 32 && 1ull << log2 < count)
		log2++;
	return log2;
}

/* Holes only shrink, so one that was too small once is never looked at again for that size. */
static struct gpc_range *find_hole(struct gpc_ranges *ranges, uint32_t count)
{
	size_t *cursor = &ranges->cursor[log2_above(count)], i;
	struct gpc_range *found = NULL;

	for (i = *cursor; i < ranges->hole_count && !found; i++)
		if (ranges->holes[i].count >= count)
			found = &ranges->holes[i];
	if (!(count & (count - 1)))
		*cursor = found ? (size_t)(found - ranges->holes) : ranges->hole_count;
	return found;
}

int gpc_ranges_take(struct gpc_ranges *ranges, const uint64_t key[2], uint32_t count,
		    struct gpc_range *ret, bool *ret_fresh)
{
	const struct gpc_range_entry *held;
	struct gpc_range *hole;

	if (!ranges->holes && find_holes(ranges))
		return -ENOMEM;
	held = find_held(ranges, key);
	*ret_fresh = !held || held->range.count != count;
	if (!*ret_fresh) {
		*ret = held->range;
		return 0;
	}
	hole = find_hole(ranges, count);
	if (!hole)
		return -ENOSPC;
	*ret = (struct gpc_range){hole->first, count};
	hole->first += count;
	hole->count -= count;
	return 0;
}
