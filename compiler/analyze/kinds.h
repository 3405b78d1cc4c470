/* SPDX-License-Identifier: MIT */
/*
 * kinds.h: what packets carry besides addresses (protocol, ports, TCP flags, fragment, DSCP, VLAN), cut into kinds
 * that some classifiers, listeners and services do not tell apart. Only what can exist is of a kind (region.h).
 * Sets of kinds are bits, and have numbers: equal sets have the same. For analyze/ only.
 *
 * Fields are cut into intervals (protocol, ports) or classes (flags with fragment, DSCP, VLAN). All combinations
 * that can exist are cells; a kind is a set of cells.
 */
#ifndef GPC_ANALYZE_KINDS_H
#define GPC_ANALYZE_KINDS_H

#include "../classify/service.h"
#include "../image/image_file.h"
#include "intern.h"

/* What is told apart. */
struct gpc_kinds_classifier {
	struct gpc_view view;
	const struct gpc_classifier *classifier;
	const uint32_t *records;	/* numbers of its range records, where it has no L4 class */
	size_t record_count;
};
struct gpc_kinds_input {
	const struct gpc_kinds_classifier *classifiers;
	size_t classifier_count;
	const struct gpc_service *services;
	size_t service_count;
	const uint32_t *listener_ports;	/* where ports of listeners begin, or have just ended */
	size_t listener_port_count;
};

enum { GPC_KINDS_PROTOCOL, GPC_KINDS_SOURCE, GPC_KINDS_DESTINATION, GPC_KINDS_RANGES };
enum { GPC_KINDS_FLAGS, GPC_KINDS_DSCP, GPC_KINDS_VLAN, GPC_KINDS_CLASSED };

#define GPC_KINDS_FLAG_VALUES 48u	/* flags | fragment << 4 */
#define GPC_KINDS_CLASSES_MAX 64u	/* of one field */
#define GPC_KINDS_MAX 65536u

/* Cells of one interval of protocols and one combination of classes: sources x destinations of these. */
struct gpc_kinds_block {
	uint32_t first;
	uint32_t source, sources;	/* intervals of ports */
	uint32_t destination, destinations;
};

struct gpc_kinds {
	struct gpc_arena *arena;
	uint32_t count;
	uint32_t words;			/* of 32 bits, an even number: a set */
	struct gpc_question *packets;	/* by kind: its lowest, by protocol, destination port, and plainness */
	uint64_t *ranks;		/* by kind: the order of these */
	uint32_t *starts[GPC_KINDS_RANGES];	/* first values of intervals; the last of ports is GPC_PORT_NONE */
	uint32_t intervals[GPC_KINDS_RANGES];
	uint8_t *class_of[GPC_KINDS_CLASSED];	/* by value */
	uint32_t classes[GPC_KINDS_CLASSED];
	uint32_t matches;		/* product of these; flags count least, VLANs most */
	struct gpc_kinds_block *blocks;	/* by protocol interval * matches + match; `sources` 0: cannot exist */
	uint32_t *kind_of;		/* by cell */
	uint32_t cells;
	struct gpc_intern sets;		/* words of bits */
	uint64_t work;			/* kinds looked at to make them */
	uint32_t nothing, all, opening, asked, mid_stream;	/* sets; asked: all but TCP in mid-stream */
};

/* NULL, or why not. */
const char *gpc_kinds_build(struct gpc_arena *arena, const struct gpc_kinds_input *input,
			    struct gpc_kinds *ret);

/* Bits of a set, as words of 64. */
const uint64_t *gpc_kinds_set(const struct gpc_kinds *kinds, uint32_t set);
uint32_t gpc_kinds_number(struct gpc_kinds *kinds, const uint64_t *bits);

uint32_t gpc_kinds_and(struct gpc_kinds *kinds, uint32_t a, uint32_t b);
uint32_t gpc_kinds_minus(struct gpc_kinds *kinds, uint32_t a, uint32_t b);
/* The kinds that a service holds: one of the input's. */
uint32_t gpc_kinds_of_service(struct gpc_kinds *kinds, const struct gpc_service *service);

/* The kind of a set with the lowest packet. The set is not empty. */
uint32_t gpc_kinds_lowest(const struct gpc_kinds *kinds, uint32_t set);

/* The classes that a combination is made of. */
static inline uint32_t gpc_kinds_class(const struct gpc_kinds *kinds, uint32_t match, int field)
{
	for (int f = 0; f < field; f++)
		match /= kinds->classes[f];
	return match % kinds->classes[field];
}

#endif
