/* SPDX-License-Identifier: MIT */
#include "set.h"

#include <assert.h>
#include <string.h>

typedef unsigned __int128 number;

/* An address as a number, and back. */
static number load(const struct gpc_ip *ip)
{
	uint64_t half[2];

	memcpy(half, ip->bytes, sizeof(half));
	return (number)__builtin_bswap64(half[0]) << 64 | __builtin_bswap64(half[1]);
}

static struct gpc_ip store(number value)
{
	uint64_t half[2] = {__builtin_bswap64((uint64_t)(value >> 64)),
			    __builtin_bswap64((uint64_t)value)};
	struct gpc_ip ip;

	memcpy(ip.bytes, half, sizeof(half));
	return ip;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "load() and store() swap bytes");

/* The block of IPv4. */
#define V4_FIRST ((number)0xffff << 32)
#define V4_LAST (V4_FIRST | 0xffffffff)
#define LAST (~(number)0)

typedef GPC_VEC(struct gpc_range) range_list;

static void push(struct gpc_arena *arena, range_list *list, number first, number last)
{
	*GPC_PUSH(arena, list) = (struct gpc_range){store(first), store(last)};
}

struct gpc_set gpc_set_all(struct gpc_arena *arena)
{
	struct gpc_range *ranges = GPC_NEW_ARRAY(arena, struct gpc_range, 3);

	ranges[0] = (struct gpc_range){store(0), store(V4_FIRST - 1)};
	ranges[1] = (struct gpc_range){store(V4_FIRST), store(V4_LAST)};
	ranges[2] = (struct gpc_range){store(V4_LAST + 1), store(LAST)};
	return (struct gpc_set){ranges, 3};
}

/* ---- sorting: by first address, in place, one byte after the other; most real sets share many
 * ---- */

#define FEW 24

static void insertion_sort(struct gpc_range *ranges, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct gpc_range range = ranges[i];
		number first = load(&range.first);
		size_t k = i;

		for (; k && load(&ranges[k - 1].first) > first; k--)
			ranges[k] = ranges[k - 1];
		ranges[k] = range;
	}
}

/* Brings each range to the part of its byte; part b ends up at [end[b] - size of b, end[b]). */
static void permute(struct gpc_range *ranges, unsigned int byte, size_t next[256],
		    const size_t end[256])
{
	for (unsigned int value = 0; value < 256; value++)
		while (next[value] < end[value]) {
			struct gpc_range range = ranges[next[value]];
			unsigned int to = range.first.bytes[byte];

			while (to != value) {
				struct gpc_range other = ranges[next[to]];

				ranges[next[to]++] = range;
				range = other;
				to = range.first.bytes[byte];
			}
			ranges[next[value]++] = range;
		}
}

/* All of `ranges` agree in the bytes before `byte`. */
static void radix_sort(struct gpc_range *ranges, size_t count, unsigned int byte)
{
	size_t sizes[256] = {0}, next[256], end[256], sum = 0;

	if (count <= FEW) {
		insertion_sort(ranges, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		sizes[ranges[i].first.bytes[byte]]++;
	for (unsigned int value = 0; value < 256; value++) {
		next[value] = sum;
		end[value] = sum += sizes[value];
	}
	if (sizes[ranges[0].first.bytes[byte]] != count)
		permute(ranges, byte, next, end);
	if (byte + 1 == sizeof(struct gpc_ip))
		return;
	for (unsigned int value = 0; value < 256; value++)
		if (sizes[value] > 1)
			radix_sort(ranges + end[value] - sizes[value], sizes[value], byte + 1);
}

static bool is_sorted(const struct gpc_range *ranges, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (gpc_ip_compare(&ranges[i - 1].first, &ranges[i].first) > 0)
			return false;
	return true;
}

/* ---- union ---- */

/* Neither is put together over the border of the IPv4 block. */
static bool joins(number last, number first)
{
	return first <= last || (first == last + 1 && first != V4_FIRST && last != V4_LAST);
}

/* Sorts and joins in place. No range crosses the border; that makes the result a set. */
static struct gpc_set normalise(struct gpc_range *ranges, size_t count)
{
	size_t kept = 0;

	if (!is_sorted(ranges, count))
		radix_sort(ranges, count, 0);
	for (size_t i = 0; i < count; i++) {
		struct gpc_range *open = kept ? &ranges[kept - 1] : NULL;

		if (!open || !joins(load(&open->last), load(&ranges[i].first)))
			ranges[kept++] = ranges[i];
		else if (gpc_ip_compare(&ranges[i].last, &open->last) > 0)
			open->last = ranges[i].last;
	}
	return (struct gpc_set){ranges, kept};
}

/* The bits of a prefix that are free. */
static number host_mask(const struct gpc_prefix *prefix)
{
	unsigned int free = prefix->v4 ? 32u - prefix->length : 128u - prefix->length;

	assert(prefix->length <= (prefix->v4 ? 32 : 128));
	return free == 128 ? LAST : ((number)1 << free) - 1;
}

/* An IPv6 prefix around the IPv4 block means what is left without it. */
static void push_prefix(struct gpc_arena *arena, range_list *list, const struct gpc_prefix *prefix)
{
	number mask = host_mask(prefix), first = load(&prefix->ip) & ~mask, last = first | mask;

	if (prefix->v4 || last < V4_FIRST || first > V4_LAST) {
		push(arena, list, first, last);
		return;
	}
	if (first < V4_FIRST)
		push(arena, list, first, V4_FIRST - 1);
	if (last > V4_LAST)
		push(arena, list, V4_LAST + 1, last);
}

struct gpc_set gpc_set_of_prefixes(struct gpc_arena *arena, const struct gpc_prefix *prefixes,
				   size_t count)
{
	range_list list = {.items = GPC_NEW_ARRAY(arena, struct gpc_range, count + 1),
			   .cap = count + 1};

	for (size_t i = 0; i < count; i++)
		push_prefix(arena, &list, &prefixes[i]);
	return normalise(list.items, list.n);
}

struct gpc_set gpc_set_union(struct gpc_arena *arena, const struct gpc_set *sets, size_t count)
{
	struct gpc_range *ranges;
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += sets[i].count;
	ranges = GPC_NEW_ARRAY(arena, struct gpc_range, total);
	total = 0;
	for (size_t i = 0; i < count; i++) {
		if (sets[i].count)
			memcpy(&ranges[total], sets[i].ranges, sets[i].count * sizeof(*ranges));
		total += sets[i].count;
	}
	return normalise(ranges, total);
}

/* ---- two sets ---- */

/* The first range that does not end before `value`. */
static size_t lower_bound(struct gpc_set set, number value)
{
	size_t low = 0, high = set.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (load(&set.ranges[middle].last) < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct gpc_set gpc_set_minus(struct gpc_arena *arena, struct gpc_set from, struct gpc_set what)
{
	range_list list = {0};

	for (size_t i = 0; i < from.count; i++) {
		number first = load(&from.ranges[i].first), last = load(&from.ranges[i].last);
		bool left = true;

		for (size_t k = lower_bound(what, first); k < what.count && left; k++) {
			number cut_first = load(&what.ranges[k].first);
			number cut_last = load(&what.ranges[k].last);

			if (cut_first > last)
				break;
			if (cut_first > first)
				push(arena, &list, first, cut_first - 1);
			left = cut_last < last;
			first = cut_last + 1;
		}
		if (left)
			push(arena, &list, first, last);
	}
	return (struct gpc_set){list.items, list.n};
}

struct gpc_set gpc_set_intersection(struct gpc_arena *arena, struct gpc_set a, struct gpc_set b)
{
	range_list list = {0};

	if (a.count > b.count)
		return gpc_set_intersection(arena, b, a);
	for (size_t i = 0; i < a.count; i++) {
		number first = load(&a.ranges[i].first), last = load(&a.ranges[i].last);

		for (size_t k = lower_bound(b, first); k < b.count; k++) {
			number other_first = load(&b.ranges[k].first);
			number other_last = load(&b.ranges[k].last);

			if (other_first > last)
				break;
			push(arena, &list, other_first > first ? other_first : first,
			     other_last < last ? other_last : last);
		}
	}
	return (struct gpc_set){list.items, list.n};
}

bool gpc_set_holds(struct gpc_set set, const struct gpc_ip *ip)
{
	number value = load(ip);
	size_t i = lower_bound(set, value);

	return i < set.count && load(&set.ranges[i].first) <= value;
}

bool gpc_set_equal(struct gpc_set a, struct gpc_set b)
{
	return a.count == b.count &&
	       (!a.count || !memcmp(a.ranges, b.ranges, a.count * sizeof(*a.ranges)));
}

/* Does one end before the other begins? */
static bool are_apart(struct gpc_set a, struct gpc_set b)
{
	return load(&a.ranges[a.count - 1].last) < load(&b.ranges[0].first) ||
	       load(&b.ranges[b.count - 1].last) < load(&a.ranges[0].first);
}

bool gpc_set_overlaps(struct gpc_set a, struct gpc_set b)
{
	if (!a.count || !b.count || are_apart(a, b))
		return false;
	if (a.count > b.count)
		return gpc_set_overlaps(b, a);
	for (size_t i = 0; i < a.count; i++) {
		size_t k = lower_bound(b, load(&a.ranges[i].first));

		if (k < b.count && gpc_ip_compare(&b.ranges[k].first, &a.ranges[i].last) <= 0)
			return true;
	}
	return false;
}

bool gpc_set_covers(struct gpc_set outer, struct gpc_set inner)
{
	for (size_t i = 0; i < inner.count; i++) {
		const struct gpc_range *range = &inner.ranges[i];
		size_t k = lower_bound(outer, load(&range->first));

		if (k == outer.count || gpc_ip_compare(&outer.ranges[k].first, &range->first) > 0 ||
		    gpc_ip_compare(&outer.ranges[k].last, &range->last) < 0)
			return false;
	}
	return true;
}

bool gpc_set_is_sound(struct gpc_set set)
{
	for (size_t i = 0; i < set.count; i++) {
		number first = load(&set.ranges[i].first), last = load(&set.ranges[i].last);
		number before = i ? load(&set.ranges[i - 1].last) : 0;

		if (first > last || (first < V4_FIRST && last >= V4_FIRST) ||
		    (first <= V4_LAST && last > V4_LAST))
			return false;
		if (i && (before >= first || (before + 1 == first && first != V4_FIRST &&
					      first != V4_LAST + 1)))
			return false;
	}
	return true;
}

/* ---- as prefixes ---- */

typedef GPC_VEC(struct gpc_prefix) prefix_list;

/* Free bits of the shortest prefix that begins at `first` and ends at `last` or before. */
static unsigned int free_bits(number first, number last)
{
	unsigned int bits = 0;

	while (bits < 127 && !(first >> bits & 1) && last - first >= ((number)2 << bits) - 1)
		bits++;
	return bits;
}

static void push_prefixes(struct gpc_arena *arena, prefix_list *list, bool v4, number first,
			  number last)
{
	if (first == 0 && last == LAST) {
		*GPC_PUSH(arena, list) = (struct gpc_prefix){.length = 0};
		return;
	}
	for (;;) {
		unsigned int bits = free_bits(first, last);
		number more = ((number)1 << bits) - 1;

		*GPC_PUSH(arena, list) = (struct gpc_prefix){
			store(first), (uint8_t)((v4 ? 32 : 128) - bits), v4};
		if (last - first == more)
			return;
		first += more + 1;
	}
}

struct gpc_prefix *gpc_set_prefixes(struct gpc_arena *arena, struct gpc_set set, size_t *ret_count)
{
	prefix_list list = {0};
	number first = 0, last = 0;
	bool open = false;

	for (size_t i = 0; i < set.count; i++)
		if (gpc_ip_is_v4(&set.ranges[i].first))
			push_prefixes(arena, &list, true, load(&set.ranges[i].first),
				      load(&set.ranges[i].last));
	for (size_t i = 0; i < set.count; i++) {
		number begin = load(&set.ranges[i].first), end = load(&set.ranges[i].last);

		if (begin >= V4_FIRST && begin <= V4_LAST)
			continue;
		/* A prefix around the IPv4 block means what is left without it, so they may hold it. */
		if (open && !(last == V4_LAST && begin == V4_LAST + 1)) {
			push_prefixes(arena, &list, false, first, last);
			open = false;
		}
		first = open ? first : begin;
		last = end == V4_FIRST - 1 ? V4_LAST : end;
		open = true;
	}
	if (open)
		push_prefixes(arena, &list, false, first, last);
	*ret_count = list.n;
	return list.items;
}
