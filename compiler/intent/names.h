/* SPDX-License-Identifier: MIT */
/*
 * names.h: an index over names, made once and then asked. Sorted, not hashed: no choice of names
 * can make it slow.
 *
 *   gpc_names_add() for each; gpc_names_sort(); then gpc_names_find() and gpc_names_repeat().
 */
#ifndef GPC_INTENT_NAMES_H
#define GPC_INTENT_NAMES_H

#include <stdbool.h>

#include "../base/arena.h"

struct gpc_name_entry {
	const char *name;
	size_t number; /* how many were added before it */
};

struct gpc_names {
	GPC_VEC(struct gpc_name_entry) entries;
};

/* `name` must live as long as the index. */
void gpc_names_add(struct gpc_arena *arena, struct gpc_names *names, const char *name);
void gpc_names_sort(struct gpc_names *names);

/* The number of the first entry with that name, SIZE_MAX if there is none. */
size_t gpc_names_find(const struct gpc_names *names, const char *name);

/*
 * If entry `position` (in sorted order) repeats a name: true, with the numbers of the first entry
 * of that name and of the entry itself.
 */
bool gpc_names_repeat(const struct gpc_names *names, size_t position, size_t *ret_first,
		      size_t *ret_again);

#endif
