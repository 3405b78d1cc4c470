/* SPDX-License-Identifier: MIT */
/*
 * index.h: which boxes of a list are near a packet or a box, without going through all of them: for
 * every address the sets that hold it, for every pair of sets the boxes over it. Exact; the compiled
 * tables know only the first match, this knows the ones behind it.
 */
#ifndef GPC_ANALYZE_INDEX_H
#define GPC_ANALYZE_INDEX_H

#include "list.h"

struct gpc_set_line;

/* Where the sets of a space begin and end; shared by the lists of a plane. */
struct gpc_set_line *gpc_set_line_new(struct gpc_arena *arena, const struct gpc_space *space);

struct gpc_index;

/*
 * The rules that decide, but those at positions where `left_out` is set. `line`, `list` and
 * `left_out` outlive it.
 */
struct gpc_index *gpc_index_new(struct gpc_arena *arena, const struct gpc_set_line *line,
				const struct gpc_list *list, const bool *left_out);

/* The first position above `after` of a rule that decides and holds the packet; GPC_NONE: none. */
uint32_t gpc_index_next(const struct gpc_index *index, const struct gpc_question *packet,
			uint32_t after);

/*
 * Calls `found` with each box at a position between `after` and `before` whose sets both meet those of
 * `box`, until it returns false. False if the list is too entangled to look: after so much work over all
 * calls that the rest would take seconds, it does not begin.
 */
bool gpc_index_meeting(struct gpc_index *index, const struct gpc_box *box, uint32_t after,
		       uint32_t before, bool (*found)(void *context, const struct gpc_box *other),
		       void *context);

#endif
