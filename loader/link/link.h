/* SPDX-License-Identifier: MIT */
/*
 * link.h: fills in the link part of an image: what differs from host to host. Runs on private
 * memory before the image is staged; reads the host by netlink, never touches a BPF map but for the
 * next hops, which it reads.
 *
 * Slots are given out by identity: counters by the stable id of listener, endpoint or rule, next hops by
 * the address that is resolved (the endpoint's, or the backend's configured gateway). What a held
 * image uses stays where it is, so counters survive every swap and next hops keep their state.
 */
#ifndef GPC_LOADER_LINK_LINK_H
#define GPC_LOADER_LINK_LINK_H

#include "../../compiler/base/ip.h"
#include "../../compiler/image/image_file.h"
#include "../fail.h"
#include "../notice.h"
#include "device.h"
#include "gpc/abi.h"
#include "netlink.h"
#include "rules.h"

/* What a plane's maps must hold for an image. */
struct gpc_link_need {
	uint32_t counters;	/* objects that have a counter slot */
	uint32_t next;		/* addresses that are resolved */
};
struct gpc_link_need gpc_link_need(struct gpc_view view);

/*
 * The address whose neighbour the frames of an endpoint's family go to: the backend's configured
 * gateway, or the endpoint's own. False if it has no address of the family.
 */
bool gpc_link_target(struct gpc_view view, const struct gpc_endpoint *endpoint, int family,
		     struct gpc_ip *ret);

/* Index of the chain of an interface and enum gpc_direction, GPC_NONE16 if it has none. */
uint16_t gpc_link_chain(const struct gpc_image *image, uint16_t interface, int direction);

struct gpc_link_input {
	const struct gpc_image *image;		/* as compiled */
	char *bytes;				/* private copy of it; its link part is written */
	uint32_t generation, cpus;
	uint64_t nonce;
	uint32_t counter_capacity, next_capacity;
	struct gpc_rule_room rule_room;
	const volatile struct gpc_next *next;	/* the live next hops, next_capacity of them */
	const struct gpc_view *held;		/* images that stay readable; the active one first */
	size_t held_count;
	struct gpc_devices *devices;		/* matched; `needed` is set for devices of next hops */
	struct gpc_netlink *netlink;
	const struct gpc_notice_sink *notices;
};

struct gpc_next_update {
	uint32_t slot;
	bool fresh;		/* given out now: what stands there is another's */
	uint64_t hop;		/* 0: unknown; of a slot that is not fresh: leave what stands there */
};

struct gpc_link_result {
	uint32_t *fresh_counters;	/* slots whose old counts are another's */
	size_t fresh_counter_count;
	struct gpc_rule_fresh fresh_rules;
	struct gpc_next_update *updates;
	size_t update_count;
};

int gpc_link_fill(const struct gpc_link_input *input, struct gpc_link_result *ret,
		  struct gpc_failure *failure);
void gpc_link_result_release(struct gpc_link_result *result);

/*
 * Does the live image of the same decision need the new link part? Generation, nonce and devices
 * that are only there in case do not count.
 */
bool gpc_link_differs(struct gpc_view live, const struct gpc_link_input *input);

#endif
