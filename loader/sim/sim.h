/* SPDX-License-Identifier: MIT */
/*
 * sim.h: packets through the data plane without a device: by the programs as they are compiled into
 * gpc (no root, a clock that stands still), or by the same programs in the kernel (BPF_PROG_TEST_RUN;
 * maps of their own, nothing pinned, nothing attached). Of GPC_SIM_USER there may be several; not of
 * GPC_SIM_KERNEL.
 *
 *   gpc_sim_open(); { gpc_sim_reset(); gpc_sim_send()... }...; gpc_sim_close();
 */
#ifndef GPC_LOADER_SIM_SIM_H
#define GPC_LOADER_SIM_SIM_H

#include "../../compiler/image/image_file.h"
#include "../fail.h"
#include "gpc/abi.h"

enum gpc_sim_kind { GPC_SIM_USER, GPC_SIM_KERNEL };

struct gpc_sim;

/*
 * `image` must stay. Devices are known by their index in `names`; one that no interface item of the
 * image takes is none of the plane's.
 */
int gpc_sim_open(enum gpc_sim_kind kind, const struct gpc_image *image, const char *const *names,
		 size_t count, struct gpc_sim **ret, struct gpc_failure *failure);
void gpc_sim_close(struct gpc_sim *sim);

/* Empties flows, refills buckets and limits. */
int gpc_sim_reset(struct gpc_sim *sim, struct gpc_failure *failure);

struct gpc_sim_send {
	const void *frame;
	size_t size;
	size_t device;
	enum gpc_direction direction;	/* arriving from the wire, leaving to it */
	uint64_t repeat;		/* how often, at least 1; the outcome is the last one's */
};

struct gpc_sim_outcome {
	enum gpc_verdict verdict;
	enum gpc_reason reason;		/* of the last program that saw it; GPC_REASON_COUNT: no program did */
	uint32_t rule;			/* index of RULE that decided, GPC_NONE: nobody was asked or decided */
	uint32_t would;			/* of an audit policy's rule that would have denied; GPC_NONE */
	enum gpc_action would_action;
	uint32_t listener, endpoint;	/* indexes; GPC_NONE: not balanced */
	uint32_t mark;			/* of the skb that goes on; 0: none */
	const uint8_t *out;		/* the frame that goes on or back, until the next call */
	size_t out_size;
};
int gpc_sim_send(struct gpc_sim *sim, const struct gpc_sim_send *send, struct gpc_sim_outcome *ret,
		 struct gpc_failure *failure);

/* The clock of GPC_SIM_USER, which a reset sets back: long after the flow table was made, so nothing is picked up. */
#define GPC_SIM_BEGIN (400ull * 86400 * 1000000000)
void gpc_sim_advance(struct gpc_sim *sim, uint64_t ns);

/* Events since the last reset, GPC_SIM_USER only. */
const struct gpc_event *gpc_sim_events(struct gpc_sim *sim, size_t *ret_count);

#endif
