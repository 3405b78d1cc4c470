/* SPDX-License-Identifier: MIT */
/*
 * map.h: the programs' maps in user space. There is one set of them in a process: the programs know
 * them by name. This machine has one CPU; an LRU map is never full.
 */
#ifndef GPC_LOADER_SIM_MAP_H
#define GPC_LOADER_SIM_MAP_H

#include <stddef.h>

#include "gpc/abi.h"
#include "walk.h"

/*
 * Makes an array map of that many zero entries; of what was there before nothing is left. One that is not
 * made has as many entries as its definition says.
 */
void gpc_sim_map_make(enum gpc_sim_map_id id, uint32_t entries);
/* All entries zero; a hash map is empty afterwards. */
void gpc_sim_map_clear(enum gpc_sim_map_id id);
void gpc_sim_map_free(void);

/* The entries of an array map. */
void *gpc_sim_map_values(enum gpc_sim_map_id id);

/* The image of a slot, NULL: none. It is not copied. */
void gpc_sim_map_image(uint32_t slot, const void *image);

/* Events since the map was cleared. */
const struct gpc_event *gpc_sim_map_events(size_t *ret_count);

#endif
