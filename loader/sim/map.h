/* SPDX-License-Identifier: MIT */
/*
 * map.h: the programs' maps in user space. The programs know them by name, so one memory, which holds a
 * set of them, is in use at a time; everything here is about that one. This machine has one CPU; a full
 * LRU map gives up an old entry, if not the oldest.
 */
#ifndef GPC_LOADER_SIM_MAP_H
#define GPC_LOADER_SIM_MAP_H

#include <stddef.h>

#include "gpc/abi.h"
#include "walk.h"

#define GPC_SIM_ENTRIES 262144u	/* of a full hash map */

struct gpc_sim_memory;

/* All maps empty; it is in use. Aborts without memory. */
struct gpc_sim_memory *gpc_sim_memory_new(void);
void gpc_sim_memory_use(struct gpc_sim_memory *memory);
/* None is in use afterwards. */
void gpc_sim_memory_free(struct gpc_sim_memory *memory);

/* Between two programs: no program holds an entry that was removed. */
void gpc_sim_memory_settle(void);

/* Slots of COUNTERS and RULES that programs looked up since the last call, each once. */
struct gpc_sim_slot {
	enum gpc_sim_map_id map;
	uint32_t index;
};
const struct gpc_sim_slot *gpc_sim_memory_touched(size_t *ret_count);

/*
 * Makes an array map of that many zero entries; of what was there before nothing is left. One that is not
 * made has as many entries as its definition says.
 */
void gpc_sim_map_make(enum gpc_sim_map_id id, uint32_t entries);
/* All entries zero; a hash map is empty afterwards. */
void gpc_sim_map_clear(enum gpc_sim_map_id id);

/* The entries of an array map. */
void *gpc_sim_map_values(enum gpc_sim_map_id id);

/* The image of a slot, NULL: none. It is not copied. */
void gpc_sim_map_image(uint32_t slot, const void *image);

/* Events since the map was cleared. */
const struct gpc_event *gpc_sim_map_events(size_t *ret_count);

#endif
