/* SPDX-License-Identifier: MIT */
/*
 * engine.h: what runs the programs: user.c or kernel.c. Functions that return int fill the failure.
 */
#ifndef GPC_LOADER_SIM_ENGINE_H
#define GPC_LOADER_SIM_ENGINE_H

#include "host.h"
#include "map.h"
#include "sim.h"
#include "walk.h"

#define GPC_SIM_META_MAX 32u

/* One frame through one program. */
struct gpc_sim_pass {
	enum gpc_sim_program program;
	size_t device;
	const uint8_t *in;
	size_t in_size;
	uint8_t meta[GPC_SIM_META_MAX];	/* in front of the frame: into TC, out of XDP */
	size_t meta_size;
	int action;
	uint32_t mark;
	const uint8_t *out;		/* the engine's, until its next pass */
	size_t out_size;
};

struct gpc_sim_engine {
	int (*open)(struct gpc_sim *sim, struct gpc_failure *failure);
	void (*close)(struct gpc_sim *sim);
	int (*reset)(struct gpc_sim *sim, struct gpc_failure *failure);
	int (*pass)(struct gpc_sim *sim, struct gpc_sim_pass *pass, struct gpc_failure *failure);
	int (*counter)(struct gpc_sim *sim, uint32_t slot, struct gpc_counter *ret,
		       struct gpc_failure *failure);
	int (*rule)(struct gpc_sim *sim, uint32_t slot, struct gpc_rule_counter *ret,
		    struct gpc_failure *failure);
	/* Slots of COUNTERS and RULES that may have changed since the last call; NULL: any may have. */
	const struct gpc_sim_slot *(*touched)(struct gpc_sim *sim, size_t *ret_count);
	/* One entry of ENDPOINTS or BACKENDS. */
	int (*put)(struct gpc_sim *sim, enum gpc_sim_map_id map, uint32_t slot, const void *state,
		   struct gpc_failure *failure);
};
extern const struct gpc_sim_engine gpc_sim_user, gpc_sim_kernel;

struct gpc_sim {
	const struct gpc_sim_engine *engine;
	const struct gpc_image *image;
	struct gpc_sim_device *devices;	/* of the plane or not: interface GPC_NONE16 */
	size_t device_count;
	struct gpc_sim_seen *seen;	/* sim.c's */
	void *state;			/* the engine's own */
};

#endif
