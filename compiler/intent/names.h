/* SPDX-License-Identifier: MIT */
/*
 * names.h: an index over names, made once and then asked. Ordered by a hash and then by the name,
 * so that comparing is cheap and no choice of names can make it slow.
 *
 *   gpc_names_start() with their number; gpc_names_add() for each; gpc_names_sort(); then
 *   gpc_names_find() and gpc_names_first().
 */
#ifndef GPC_INTENT_NAMES_H
#define GPC_INTENT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"

struct gpc_name_entry {
	uint64_t hash;
	const char *name;
	uint32_t number; /* how many were added before it */
};

struct gpc_names {
	struct gpc_name_entry *entries; /* in no order that means anything */
	const struct gpc_name_entry *added; /* by number */
	const uint32_t *ends;		/* of the entries of each bucket: the high bits of the hash */
	unsigned int shift;		/* what is left of a hash by its bucket's number */
	uint32_t count, most;
	uint32_t *first; /* by number: the number of the first entry of that name */
};

/* At most `most` names will be added. */
void gpc_names_start(struct gpc_arena *arena, struct gpc_names *names, size_t most);

/* `name` must live as long as the index. */
void gpc_names_add(struct gpc_names *names, const char *name);
void gpc_names_sort(struct gpc_arena *arena, struct gpc_names *names);

/* The number of the first entry with that name, SIZE_MAX if there is none. */
size_t gpc_names_find(const struct gpc_names *names, const char *name);

/* All numbers in the order of their names' bytes; equal names in the order in which they were
 * added. */
const uint32_t *gpc_names_order(struct gpc_arena *arena, const struct gpc_names *names);

/* The number of the first entry that has the name of entry `number`: itself, unless it repeats. */
size_t gpc_names_first(const struct gpc_names *names, size_t number);

#endif
