/* SPDX-License-Identifier: MIT */
/*
 * match_classes.h: the distinct `match` of one list and their classes, at most GPC_MAX_MATCH_CLASSES. Each
 * of three tables (TCP flags with fragments, DSCP, VLAN) gives a class of its own; the sum of the three,
 * by strides, gives the class.
 */
#ifndef GPC_CLASSIFY_MATCH_CLASSES_H
#define GPC_CLASSIFY_MATCH_CLASSES_H

#include "service.h"
#include "words.h"

enum { GPC_MATCH_FLAGS_TABLE, GPC_MATCH_DSCP_TABLE, GPC_MATCH_VLAN_TABLE, GPC_MATCH_TABLES };

struct gpc_match_classes {
	bool any;			/* there is more than one class */
	uint32_t class_count;
	uint32_t *masks;		/* by spec: bit of each class that its match holds */
	uint16_t *part[GPC_MATCH_TABLES];	/* premultiplied */
	uint16_t *class;		/* by sum */
	uint32_t sum_count;
};

/* False: more than GPC_MAX_MATCH_CLASSES. */
bool gpc_match_classes_build(struct gpc_arena *arena, const struct gpc_service **specs,
			     uint32_t spec_count, struct gpc_match_classes *ret);

/* The word of the match stage. */
uint32_t gpc_match_classes_emit(struct gpc_arena *scratch, const struct gpc_match_classes *classes,
				struct gpc_words *words);

#endif
