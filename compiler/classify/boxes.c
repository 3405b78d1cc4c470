/* SPDX-License-Identifier: MIT */
#include "boxes.h"

#include <string.h>

uint32_t gpc_boxes_first(const struct gpc_space *space, const struct gpc_box_list *list,
			 const struct gpc_question *question)
{
	struct gpc_ip source, destination;

	memcpy(&source, question->source, sizeof(source));
	memcpy(&destination, question->destination, sizeof(destination));
	for (size_t i = 0; i < list->count; i++) {
		const struct gpc_box *box = &list->boxes[i];

		if (gpc_set_holds(space->sets[box->source], &source) &&
		    gpc_set_holds(space->sets[box->destination], &destination) &&
		    gpc_service_matches(&space->services[box->service], question))
			return box->position;
	}
	return UINT32_MAX;
}
