// SPDX-License-Identifier: MIT
#include "map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/bpf/bpf_helpers.h"

#define CHAINS 16384u	/* of a hash map */
#define LARGE  (256u * 1024)	/* bytes */
#define EVENTS 4096u	/* events kept; the ring is full then */

struct entry {
	struct entry *next;
	uint8_t bytes[];	/* key, padded to 8, then value */
};

struct state {
	uint8_t *values;	/* array, mapped */
	uint32_t entries;
	struct entry **chains;	/* hash */
	uint32_t used, victim;	/* entries; the chain where the next one to be evicted is looked for */
	struct entry *removed;	/* the program may still hold it */
};

struct gpc_sim_memory {
	struct state states[GPC_SIM_MAPS];
	const void *images[GPC_IMAGE_SLOTS];
	struct gpc_event *events;
	size_t event_count;
	struct gpc_sim_slot *touched;
	size_t touched_count, touched_room;
};
static struct gpc_sim_memory *memory;

static void *must(void *bytes)
{
	if (!bytes)
		abort();
	return bytes;
}

static bool is_hash(enum gpc_sim_map_id id)
{
	return gpc_sim_maps[id].type == BPF_MAP_TYPE_LRU_HASH ||
	       gpc_sim_maps[id].type == BPF_MAP_TYPE_HASH;
}

static void free_chain(struct entry *entry)
{
	while (entry) {
		struct entry *next = entry->next;

		free(entry);
		entry = next;
	}
}

static void clear_hash(struct state *state)
{
	for (uint32_t i = 0; state->chains && i < CHAINS; i++)
		free_chain(state->chains[i]);
	free_chain(state->removed);
	state->removed = NULL;
	state->used = 0;
	if (state->chains)
		memset(state->chains, 0, CHAINS * sizeof(*state->chains));
}

static size_t array_bytes(enum gpc_sim_map_id id)
{
	return (size_t)memory->states[id].entries * gpc_sim_maps[id].value + 1;
}

static void free_array(enum gpc_sim_map_id id)
{
	if (memory->states[id].values)
		munmap(memory->states[id].values, array_bytes(id));
	memory->states[id].values = NULL;
}

void gpc_sim_map_make(enum gpc_sim_map_id id, uint32_t entries)
{
	struct state *state = &memory->states[id];
	void *values;

	free_array(id);
	state->entries = entries;
	values = mmap(NULL, array_bytes(id), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	state->values = must(values == MAP_FAILED ? NULL : values);
}

/* Zero again. Of a large one only what was written to has pages, and these are given back. */
static void clear_array(enum gpc_sim_map_id id)
{
	size_t bytes = array_bytes(id);

	if (bytes < LARGE)
		memset(memory->states[id].values, 0, bytes);
	else if (madvise(memory->states[id].values, bytes, MADV_DONTNEED))
		abort();
}

void gpc_sim_map_clear(enum gpc_sim_map_id id)
{
	struct state *state = &memory->states[id];

	if (is_hash(id))
		clear_hash(state);
	else if (id == GPC_SIM_EVENTS)
		memory->event_count = 0;
	else if (state->values)
		clear_array(id);
}

struct gpc_sim_memory *gpc_sim_memory_new(void)
{
	memory = must(calloc(1, sizeof(*memory)));
	return memory;
}

void gpc_sim_memory_use(struct gpc_sim_memory *used)
{
	memory = used;
}

void gpc_sim_memory_free(struct gpc_sim_memory *freed)
{
	memory = freed;
	for (int id = 0; id < GPC_SIM_MAPS; id++) {
		clear_hash(&memory->states[id]);
		free(memory->states[id].chains);
		free_array(id);
	}
	free(memory->events);
	free(memory->touched);
	free(memory);
	memory = NULL;
}

void gpc_sim_memory_settle(void)
{
	for (int id = 0; id < GPC_SIM_MAPS; id++) {
		free_chain(memory->states[id].removed);
		memory->states[id].removed = NULL;
	}
}

const struct gpc_sim_slot *gpc_sim_memory_touched(size_t *ret_count)
{
	*ret_count = memory->touched_count;
	memory->touched_count = 0;
	return memory->touched;
}

void *gpc_sim_map_values(enum gpc_sim_map_id id)
{
	if (!memory->states[id].values)
		gpc_sim_map_make(id, gpc_sim_maps[id].entries);
	return memory->states[id].values;
}

void gpc_sim_map_image(uint32_t slot, const void *image)
{
	memory->images[slot] = image;
}

const struct gpc_event *gpc_sim_map_events(size_t *ret_count)
{
	*ret_count = memory->event_count;
	return memory->events;
}

/* ---- what the programs call ---- */

static enum gpc_sim_map_id id_of(const void *map)
{
	int id = 0;

	while (id < GPC_SIM_MAPS && gpc_sim_maps[id].handle != map)
		id++;
	if (id == GPC_SIM_MAPS)
		abort(); /* a map that walk.c does not list */
	return (enum gpc_sim_map_id)id;
}

static size_t value_at(enum gpc_sim_map_id id)
{
	return (gpc_sim_maps[id].key + 7u) & ~7u;
}

/* The link that points to the entry, or that a new one is hung onto. FNV-1a. */
static struct entry **find(enum gpc_sim_map_id id, const uint8_t *key)
{
	struct state *state = &memory->states[id];
	uint32_t hash = 2166136261u;
	struct entry **link;

	if (!state->chains)
		state->chains = must(calloc(CHAINS, sizeof(*state->chains)));
	for (uint32_t i = 0; i < gpc_sim_maps[id].key; i++)
		hash = (hash ^ key[i]) * 16777619u;
	link = &state->chains[hash % CHAINS];
	while (*link && memcmp((*link)->bytes, key, gpc_sim_maps[id].key))
		link = &(*link)->next;
	return link;
}

static void touch(struct gpc_sim_slot slot)
{
	for (size_t i = 0; i < memory->touched_count; i++)
		if (memory->touched[i].map == slot.map && memory->touched[i].index == slot.index)
			return;
	if (memory->touched_count == memory->touched_room) {
		memory->touched_room = 2 * memory->touched_room + 16;
		memory->touched = must(reallocarray(memory->touched, memory->touched_room,
						    sizeof(*memory->touched)));
	}
	memory->touched[memory->touched_count++] = slot;
}

/* An inner map of gpc_images is called by the address of its slot. */
static const void **slot_of(const void *map)
{
	const void *const *slot = map;

	return slot >= memory->images && slot < memory->images + GPC_IMAGE_SLOTS
		       ? &memory->images[slot - memory->images]
		       : NULL;
}

void *gpc_sim_lookup(const void *map, const void *key)
{
	const void **slot = slot_of(map);
	enum gpc_sim_map_id id;
	struct entry *entry;
	uint8_t *values;
	uint32_t index;

	if (slot)
		return (void *)(uintptr_t)*slot;
	id = id_of(map);
	if (is_hash(id)) {
		entry = *find(id, key);
		return entry ? entry->bytes + value_at(id) : NULL;
	}
	memcpy(&index, key, sizeof(index));
	if (id == GPC_SIM_IMAGES)
		return index < GPC_IMAGE_SLOTS && memory->images[index] ? &memory->images[index] : NULL;
	values = gpc_sim_map_values(id);
	if (index >= memory->states[id].entries)
		return NULL;
	if (id == GPC_SIM_COUNTERS || id == GPC_SIM_RULES)
		touch((struct gpc_sim_slot){id, index});
	return values + (size_t)index * gpc_sim_maps[id].value;
}

static void remove_at(enum gpc_sim_map_id id, struct entry **link)
{
	struct entry *entry = *link;

	*link = entry->next;
	entry->next = memory->states[id].removed;
	memory->states[id].removed = entry;
	memory->states[id].used--;
}

/* Chain after chain gives its last entry: it has been there longest. */
static void evict(enum gpc_sim_map_id id)
{
	struct state *state = &memory->states[id];
	struct entry **link;

	while (!state->chains[state->victim % CHAINS])
		state->victim++;
	link = &state->chains[state->victim++ % CHAINS];
	while ((*link)->next)
		link = &(*link)->next;
	remove_at(id, link);
}

/* As the kernel does: a new element takes the place of the old one. */
long gpc_sim_update(const void *map, const void *key, const void *value, __u64 flags)
{
	enum gpc_sim_map_id id = id_of(map);
	struct entry **link, *entry;

	if (!is_hash(id))
		return -EINVAL;
	link = find(id, key);
	if (*link && flags == BPF_NOEXIST)
		return -EEXIST;
	if (*link)
		remove_at(id, link);
	else if (memory->states[id].used == GPC_SIM_ENTRIES)
		evict(id);
	link = find(id, key);
	entry = must(calloc(1, sizeof(*entry) + value_at(id) + gpc_sim_maps[id].value));
	memcpy(entry->bytes, key, gpc_sim_maps[id].key);
	memcpy(entry->bytes + value_at(id), value, gpc_sim_maps[id].value);
	entry->next = *link;
	*link = entry;
	memory->states[id].used++;
	return 0;
}

long gpc_sim_delete(const void *map, const void *key)
{
	enum gpc_sim_map_id id = id_of(map);
	struct entry **link = find(id, key);

	if (!*link)
		return -ENOENT;
	remove_at(id, link);
	return 0;
}

void *gpc_sim_reserve(const void *map, __u64 size)
{
	if (id_of(map) != GPC_SIM_EVENTS || size != sizeof(*memory->events) ||
	    memory->event_count == EVENTS)
		return NULL;
	if (!memory->events)
		memory->events = must(calloc(EVENTS, sizeof(*memory->events)));
	return &memory->events[memory->event_count++];
}
