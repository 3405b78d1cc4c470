/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PER_BUCKET_LOG2 2u /* names that a bucket of the sort has on average */

/* FNV-1a, with its low bits mixed into the high ones, by which buckets are chosen. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return hash * 0x9e3779b97f4a7c15;
}

void gpc_names_start(struct gpc_arena *arena, struct gpc_names *names, size_t most)
{
	assert(most < UINT32_MAX);
	*names = (struct gpc_names){
		.entries = GPC_NEW_ARRAY(arena, struct gpc_name_entry, most),
		.most = (uint32_t)most,
	};
}

void gpc_names_add(struct gpc_names *names, const char *name)
{
	assert(names->count < names->most);
	names->entries[names->count] = (struct gpc_name_entry){
		.hash = hash_of(name), .name = name, .number = names->count};
	names->count++;
}

static int compare(const void *left, const void *right)
{
	const struct gpc_name_entry *a = left, *b = right;
	int order;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	order = strcmp(a->name, b->name);
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

/* Puts the entries into buckets by the high bits of their hashes, and each bucket into order. */
static void sort(struct gpc_arena *arena, struct gpc_names *names)
{
	unsigned int shift = 64;
	struct gpc_name_entry *sorted = GPC_NEW_ARRAY(arena, struct gpc_name_entry, names->count);
	uint32_t *starts, start = 0;
	size_t buckets;

	while (shift > 40 && names->count >> PER_BUCKET_LOG2 >> (64 - shift))
		shift--;
	if (shift == 64)
		shift = 63;
	buckets = (size_t)1 << (64 - shift);
	starts = GPC_NEW_ARRAY(arena, uint32_t, buckets + 1);
	for (uint32_t i = 0; i < names->count; i++)
		starts[(names->entries[i].hash >> shift) + 1]++;
	for (size_t i = 1; i <= buckets; i++)
		starts[i] += starts[i - 1];
	for (uint32_t i = 0; i < names->count; i++)
		sorted[starts[names->entries[i].hash >> shift]++] = names->entries[i];
	for (size_t i = 0; i < buckets; start = starts[i++]) {
		if (starts[i] - start > 1)
			qsort(sorted + start, starts[i] - start, sizeof(*sorted), compare);
	}
	names->added = names->entries;
	names->entries = sorted;
	names->ends = starts;
	names->shift = shift;
}

void gpc_names_sort(struct gpc_arena *arena, struct gpc_names *names)
{
	const struct gpc_name_entry *run;

	if (!names->count)
		return;
	sort(arena, names);
	names->first = GPC_NEW_ARRAY(arena, uint32_t, names->count);
	run = names->entries;
	for (uint32_t i = 0; i < names->count; i++) {
		const struct gpc_name_entry *entry = &names->entries[i];

		if (entry->hash != run->hash || strcmp(entry->name, run->name) != 0)
			run = entry;
		names->first[entry->number] = run->number;
	}
}

size_t gpc_names_find(const struct gpc_names *names, const char *name)
{
	const struct gpc_name_entry key = {.hash = hash_of(name), .name = name};
	const struct gpc_name_entry *found;
	size_t bucket, low, high;

	if (!names->count)
		return SIZE_MAX;
	bucket = key.hash >> names->shift;
	low = bucket ? names->ends[bucket - 1] : 0;
	high = names->ends[bucket];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&names->entries[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == names->count)
		return SIZE_MAX;
	found = &names->entries[low];
	return found->hash == key.hash && !strcmp(found->name, name) ? found->number : SIZE_MAX;
}

size_t gpc_names_first(const struct gpc_names *names, size_t number)
{
	assert(number < names->count);
	return names->first[number];
}

/* A name with its bytes behind the head that all names share, as a number that compares like them.
 */
struct ranked {
	uint64_t key;
	const char *name;
	uint32_t number;
};

static int by_name(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	int order;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	order = strcmp(a->name, b->name);
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

/* How many bytes all names begin with alike. */
static size_t shared_head(const struct gpc_names *names)
{
	const char *name = names->added[0].name;
	size_t head = strlen(name);

	for (uint32_t i = 1; i < names->count; i++) {
		size_t same = 0;

		while (same < head && names->added[i].name[same] == name[same])
			same++;
		head = same;
	}
	return head;
}

static uint64_t key_of(const char *text)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof(key); i++) {
		key = key << 8 | (unsigned char)*text;
		text += *text != '\0';
	}
	return key;
}

/* By one byte of the keys; keeps the order of what is equal. */
static void sort_by_byte(const struct ranked *from, struct ranked *to, uint32_t count,
			 unsigned int shift)
{
	uint32_t next[256] = {0}, sum = 0;

	for (uint32_t i = 0; i < count; i++)
		next[from[i].key >> shift & 0xff]++;
	for (unsigned int value = 0; value < 256; value++) {
		uint32_t size = next[value];

		next[value] = sum;
		sum += size;
	}
	for (uint32_t i = 0; i < count; i++)
		to[next[from[i].key >> shift & 0xff]++] = from[i];
}

/* Byte by byte from the last one on in which keys differ; then names with equal keys. */
static struct ranked *sort_ranked(struct gpc_arena *arena, struct ranked *ranked, uint32_t count)
{
	struct ranked *other = GPC_NEW_ARRAY(arena, struct ranked, count), *swap;
	uint64_t differ = 0;

	for (uint32_t i = 0; i < count; i++)
		differ |= ranked[i].key ^ ranked[0].key;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		if (!(differ >> shift & 0xff))
			continue;
		sort_by_byte(ranked, other, count, shift);
		swap = ranked;
		ranked = other;
		other = swap;
	}
	for (uint32_t start = 0, i = 0; i < count; start = i) {
		while (i < count && ranked[i].key == ranked[start].key)
			i++;
		if (i - start > 1)
			qsort(&ranked[start], i - start, sizeof(*ranked), by_name);
	}
	return ranked;
}

const uint32_t *gpc_names_order(struct gpc_arena *arena, const struct gpc_names *names)
{
	struct gpc_arena scratch = {0};
	struct ranked *ranked = GPC_NEW_ARRAY(&scratch, struct ranked, names->count);
	uint32_t *order = GPC_NEW_ARRAY(arena, uint32_t, names->count);
	size_t head = names->count ? shared_head(names) : 0;

	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = names->added[i].name;

		ranked[i] = (struct ranked){key_of(name + head), name, i};
	}
	ranked = sort_ranked(&scratch, ranked, names->count);
	for (uint32_t i = 0; i < names->count; i++)
		order[i] = ranked[i].number;
	gpc_arena_release(&scratch);
	return order;
}
