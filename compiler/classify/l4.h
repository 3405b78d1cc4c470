/* SPDX-License-Identifier: MIT */
/*
 * l4.h: the services of one list of boxes and their classes: an L4 class is the set of services that hold a
 * packet's protocol, ports and `match`. Specs are the distinct services, numbered from 0 here.
 */
#ifndef GPC_CLASSIFY_L4_H
#define GPC_CLASSIFY_L4_H

#include "match_classes.h"
#include "partition.h"
#include "service.h"
#include "words.h"

struct gpc_l4 {
	const struct gpc_service **specs;
	uint32_t spec_count;
	uint32_t item_count;			/* of all specs */
	bool *universal;			/* by spec: matches everything */
	struct gpc_match_classes match;
	bool classed;				/* the following is there; else there would be too much of it */
	struct gpc_partition protocol, source, destination;
	uint32_t *table;			/* by sum of classes: L4 class */
	uint64_t table_count, source_stride, protocol_stride, match_stride;
	uint32_t class_count;
	uint32_t *class_first, *classes;	/* by spec: its L4 classes, ascending */
};

/* False: too many match classes. */
bool gpc_l4_build(struct gpc_arena *arena, const struct gpc_service **specs, uint32_t spec_count,
		  struct gpc_l4 *ret);

/* The tables from `protocol` to `l4` and `match`. */
void gpc_l4_emit(struct gpc_arena *scratch, const struct gpc_l4 *l4, struct gpc_words *words,
		 struct gpc_classifier *classifier);

#endif
