/* SPDX-License-Identifier: MIT */
/*
 * words.h: what overrides and observations mean to packets: the words of gpc_endpoint_state and
 * gpc_backend_state of one image (abi.h), worked out from now to the last end, so that no process is
 * needed when one comes. No kernel, no clock: a pure function.
 *
 * An override of a weight holds for endpoints that stand in the Maglev table: ready and of a weight above
 * 0 in the intent. For others there is nothing that a ratio could be of.
 */
#ifndef GPC_LOADER_OVERRIDE_WORDS_H
#define GPC_LOADER_OVERRIDE_WORDS_H

#include "gpc/lookup/state.h"
#include "override.h"

/* One instant by both clocks: overrides end by the first, packets know the second. */
struct gpc_moment {
	int64_t utc_ms;
	uint64_t ktime_ns;	/* CLOCK_MONOTONIC_COARSE */
};
struct gpc_moment gpc_moment_now(void);

/* By index in the image. */
struct gpc_words {
	struct gpc_endpoint_state *endpoints;
	struct gpc_backend_state *backends;
	uint32_t endpoint_count, backend_count;
	uint32_t crowded;	/* a backend with more ends than it has steps for, GPC_NONE: none */
};

/*
 * `down`: by endpoint, whether it was observed to be so; NULL: none. -ENOMEM. Past GPC_BACKEND_STEPS the
 * rest become one step of their greatest ratio: right, but with more draws than need be.
 */
int gpc_words_make(const struct gpc_image *image, const struct gpc_overrides *overrides,
		    struct gpc_moment now, const bool *down, struct gpc_words *ret);
void gpc_words_release(struct gpc_words *words);

/* Does an endpoint count, and does it take new flows, with such words at `now` (coarse ktime >> 30)? */
bool gpc_words_count(const struct gpc_endpoint *endpoint, const struct gpc_endpoint_state *state,
		     const struct gpc_backend_state *backend, uint32_t now);
bool gpc_words_are_new(const struct gpc_endpoint *endpoint, const struct gpc_endpoint_state *state,
		       const struct gpc_backend_state *backend, uint32_t now);

/* Unit of all times in the states. */
#define GPC_STATE_TIME_SHIFT 30
static inline uint32_t gpc_moment_unit(struct gpc_moment now)
{
	return (uint32_t)(now.ktime_ns >> GPC_STATE_TIME_SHIFT);
}

#endif
