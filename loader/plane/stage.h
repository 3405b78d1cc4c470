/* SPDX-License-Identifier: MIT */
/*
 * stage.h: images in the slots of an instance. An image map is filled once, frozen, read back through
 * a read-only mapping and only then put into a slot; it is pinned beside the maps, because opening a
 * map by its id would need CAP_SYS_ADMIN. A slot holds an image if its pin is the map that is in it.
 *
 * Rule R (abi.h): gpc_stage_pick() gives only slots that the control word does not name, and waits for
 * the grace period unless the slot is empty: retiring a slot waits before it empties it, so an empty
 * slot has been unnamed long enough.
 */
#ifndef GPC_LOADER_PLANE_STAGE_H
#define GPC_LOADER_PLANE_STAGE_H

#include "../../compiler/image/image_file.h"
#include "instance.h"

/* An image in a slot, mapped read-only. */
struct gpc_staged {
	void *bytes;		/* NULL: the slot is empty */
	size_t size;
	int fd;
};
#define GPC_STAGED_NONE ((struct gpc_staged){.fd = -1})

/* Empty slots give a NULL image and no failure. */
int gpc_stage_open(const struct gpc_instance *instance, uint32_t slot, struct gpc_staged *ret,
		   struct gpc_failure *failure);
void gpc_stage_close(struct gpc_staged *staged);

/* A checked copy of the image in a slot; HOST if there is none, FAILED if it is damaged. */
int gpc_stage_read(const struct gpc_instance *instance, uint32_t slot, struct gpc_image *ret,
		   struct gpc_failure *failure);

/* The generation in the link part of the image in a slot, whoever linked it; 0: none, or not readable. */
uint32_t gpc_stage_generation(const struct gpc_instance *instance, uint32_t slot);

int gpc_stage_pick(const struct gpc_instance *instance, uint32_t *ret_slot,
		   struct gpc_failure *failure);

/* A frozen map with these bytes (2^log2 of them). */
int gpc_stage_fill(const struct gpc_instance *instance, const void *bytes, struct gpc_staged *ret,
		   struct gpc_failure *failure);
/* Reads it back and compares. */
int gpc_stage_verify(const struct gpc_staged *staged, const void *bytes, struct gpc_failure *failure);
/* Pins it and puts it into the slot. */
int gpc_stage_place(const struct gpc_instance *instance, uint32_t slot,
		    const struct gpc_staged *staged, struct gpc_failure *failure);
/* Empties a slot that the control word does not name; the caller has waited for the grace period. */
int gpc_stage_clear(const struct gpc_instance *instance, uint32_t slot, struct gpc_failure *failure);

/* Empties every slot that the word does not name, after one grace period if there is any. */
int gpc_stage_retire(const struct gpc_instance *instance, struct gpc_failure *failure);

#endif
