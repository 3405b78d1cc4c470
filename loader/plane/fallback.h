/* SPDX-License-Identifier: MIT */
/*
 * fallback.h: what has to stay as it is for an image that may decide again by itself, with no process
 * alive: its slot (rule R), the slots of its objects (apply.c holds it), its links, and what overrides
 * say of its endpoints. Whatever one word cannot take back is refused before anything is changed.
 */
#ifndef GPC_LOADER_PLANE_FALLBACK_H
#define GPC_LOADER_PLANE_FALLBACK_H

#include "../override/override.h"
#include "survey.h"

struct gpc_fallback {
	bool present;			/* else there is none, and all of this is zero */
	bool audit;
	struct gpc_image image;		/* a copy, linked */
	struct gpc_devices devices;	/* matched with it */
	struct gpc_bindings bindings;	/* what it wants on them */
};

/* Of the image in `slot` of survey->instances[0]; FAILED if it cannot be read. */
int gpc_fallback_open(struct gpc_survey *survey, uint32_t slot, bool audit,
		      struct gpc_fallback *ret, struct gpc_failure *failure);
void gpc_fallback_close(struct gpc_fallback *fallback);

/*
 * `bindings`, planned for another image, become those that both want, and links are wanted by either. REFUSED when a device would need
 * other programs for the one than for the other.
 */
int gpc_fallback_join(const struct gpc_fallback *fallback, struct gpc_bindings *bindings,
		      struct gpc_failure *failure);

/*
 * REFUSED when packets of the fallback and of `image` would need other words for one and the same
 * override. `linked`: the image with its link part.
 */
int gpc_fallback_agree(const struct gpc_fallback *fallback, const struct gpc_image *image,
		       struct gpc_view linked, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure);

#endif
