/* SPDX-License-Identifier: MIT */
/*
 * state.h: the operating state of an image's endpoints and backends in the maps of an instance: made from
 * overrides (override/words.h) and the observed bits that stand there. Slots are those of the link part.
 *
 * Each word of 8 bytes is stored whole. Of two that belong together the one that says that the other holds
 * comes last, and goes first; so a reader never takes a ratio that is not there yet. The observed bit is
 * another's and kept, whoever changes it meanwhile. Killed half-way, the next publication completes it.
 */
#ifndef GPC_LOADER_PLANE_STATE_H
#define GPC_LOADER_PLANE_STATE_H

#include "../override/words.h"
#include "instance.h"

/* `linked`: the image with its link part filled in. */
int gpc_states_publish(const struct gpc_instance *instance, const struct gpc_image *image,
		       struct gpc_view linked, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure);
/*
 * The backend of `after` for which the overrides need other words than for the same one of `before`,
 * GPC_NONE: one set of words is right for both. Negative errno.
 */
int gpc_states_compare(const struct gpc_image *before, struct gpc_view before_linked,
		       const struct gpc_image *after, struct gpc_view after_linked,
		       const struct gpc_overrides *overrides, uint32_t *ret_backend);
/* The first `to` entries get what `from` has. */
void gpc_states_copy(const struct gpc_instance *from, const struct gpc_instance *to);
void gpc_states_zero(const struct gpc_instance *instance, const uint32_t *slots, size_t count);

#endif
