/* SPDX-License-Identifier: MIT */
/*
 * boxes.h: the input of the classifier compiler and of the static analysis: sets, services and lists of
 * boxes over them. A box is (source set x destination set x service) with the position of its rule in
 * the policy's list; several boxes may have one position (`to: {listeners}`), and the smallest position
 * of all boxes that hold a packet is the answer. It knows nothing of policies, names or actions.
 */
#ifndef GPC_CLASSIFY_BOXES_H
#define GPC_CLASSIFY_BOXES_H

#include "service.h"
#include "set.h"

struct gpc_box {
	uint32_t source, destination;	/* index of gpc_space.sets */
	uint32_t service;		/* index of gpc_space.services */
	uint32_t position;
};

/* Boxes in ascending position. */
struct gpc_box_list {
	const struct gpc_box *boxes;
	size_t count;
};

/* All that the lists of a plane share. Equal sets and equal services may stand in it more than once. */
struct gpc_space {
	const struct gpc_set *sets;
	size_t set_count;
	const struct gpc_service *services;
	size_t service_count;
};

/* The answer by going through all boxes: slow and plain, for small jobs. UINT32_MAX: none. */
uint32_t gpc_boxes_first(const struct gpc_space *space, const struct gpc_box_list *list,
			 const struct gpc_question *question);

#endif
