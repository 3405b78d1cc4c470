/* SPDX-License-Identifier: MIT */
/*
 * netlink.h: one rtnetlink socket of the current network namespace and the three shapes of talk that
 * gpc needs: dump, a batch of requests, fire and forget.
 */
#ifndef GPC_LOADER_LINK_NETLINK_H
#define GPC_LOADER_LINK_NETLINK_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "../fail.h"

struct gpc_netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
};

/* Requests of a batch; small enough that the answers fit into a default receive buffer. */
#define GPC_NETLINK_BATCH 64u
#define GPC_NETLINK_REQUEST_BYTES 128u

int gpc_netlink_open(struct gpc_netlink *ret, struct gpc_failure *failure);
void gpc_netlink_close(struct gpc_netlink *netlink);

/* A dump of `type` (RTM_GET*) whose family header has `body_size` bytes. */
struct gpc_netlink_dump {
	uint16_t type;
	uint8_t family;
	size_t body_size;
	mnl_cb_t each;			/* for every message */
	void (*reset)(void *context);	/* the table changed meanwhile: it begins anew */
	void *context;
};
int gpc_netlink_dump(struct gpc_netlink *netlink, const struct gpc_netlink_dump *dump,
		     struct gpc_failure *failure);

/*
 * Sends `count` requests and gives each its answer. build: fills `message` (type, flags, body) for
 * request i. answer: gets the reply of request i, or its error (errno, message NULL; 0 for an ack).
 */
struct gpc_netlink_batch {
	void (*build)(void *context, size_t i, struct nlmsghdr *message);
	void (*answer)(void *context, size_t i, const struct nlmsghdr *message, int error);
	void *context;
};
int gpc_netlink_batch(struct gpc_netlink *netlink, const struct gpc_netlink_batch *batch,
		      size_t count, struct gpc_failure *failure);

#endif
