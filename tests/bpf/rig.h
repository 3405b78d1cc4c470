/* SPDX-License-Identifier: MIT */
/*
 * rig.h: the programs with a small plane whose every choice is known: backends of one endpoint
 * each, so that a case can name the bytes that must come out, and one of ten endpoints. Frames
 * arrive at lo (ifindex 1) of a network namespace of the process's own. Device 7 exists in the
 * image only.
 */
#ifndef GPC_TESTS_BPF_RIG_H
#define GPC_TESTS_BPF_RIG_H

#include "frame.h"
#include "kernel.h"
#include "plane.h"

#define RIG_HERE 1u    /* the device where frames arrive */
#define RIG_OUT 7u     /* another one, known to the plane */
#define RIG_NOWHERE 9u /* one that the plane does not know */
/* Fragments pass: packet_case_test.c has those that are balanced. */
#define RIG_FLAGS (GPC_PLANE_MALFORMED_DROP | GPC_FRAGMENTS_PASS << GPC_PLANE_FRAGMENTS_SHIFT)
#define RIG_NEXT 64u   /* slots of gpc_next */

/* Backends; endpoints stand in this order, so that is their index too up to RIG_MANY. */
enum rig_backend {
	RIG_V4,	   /* 10.0.1.1 */
	RIG_V6,	   /* 2001:db8:1::1 */
	RIG_BOTH,  /* 10.0.1.2, 2001:db8:1::2 */
	RIG_FAR,   /* 10.0.1.3, 2001:db8:1::3, out of device 7 */
	RIG_EMPTY, /* in maintenance */
	RIG_NO_HOP,
	RIG_NO_SOURCE,
	RIG_STRAY, /* out of a device that the plane does not know */
	RIG_MANY,  /* RIG_MANY_COUNT endpoints of both families */
};
#define RIG_MANY_COUNT 10u

struct rig {
	struct kernel kernel;
	struct plane plane; /* change it and call rig_install() */
	char *image;	    /* as installed */
	struct plane_endpoint endpoints[RIG_MANY + RIG_MANY_COUNT];
	struct plane_device devices[2];
};

/* Loads everything into slot 0 and makes it active. Once per process. */
void rig_start(struct rig *rig, uint32_t flows);
void rig_stop(struct rig *rig);

/* Builds rig->plane into `slot`. */
void rig_install(struct rig *rig, uint32_t slot);

/* MACs of next hops and devices. */
void rig_hop_mac(uint32_t next_slot, uint8_t mac[6]);
void rig_device_mac(uint32_t ifindex, uint8_t mac[6]);

/*
 * Runs a frame; true if the action is `action`, exactly one invocation was counted and that under
 * `reason`, and, unless `want` is NULL, the frame that comes out is *want. Prints what is not so.
 */
bool rig_check(struct rig *rig, enum kernel_program program, const char *name,
	       const struct frame *in, int action, enum gpc_reason reason,
	       const struct frame *want);

/* The action only. */
int rig_send(struct rig *rig, const struct frame_spec *spec);

/* Index of the endpoint that a frame goes to, by the MAC that it leaves for; GPC_NONE: it goes to none. */
uint32_t rig_sent_to(struct rig *rig, const struct frame_spec *spec);

struct gpc_view rig_view(const struct rig *rig);

#endif
