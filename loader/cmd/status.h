/* SPDX-License-Identifier: MIT */
/*
 * status.h: what `gpc status` has gathered before it prints: the plane, the history and what is
 * wrong between them. Shared by the text and the JSON form.
 */
#ifndef GPC_LOADER_CMD_STATUS_H
#define GPC_LOADER_CMD_STATUS_H

#include "../history/history.h"
#include "../override/override.h"
#include "../plane/plane.h"
#include "command.h"

struct gpc_status {
	struct gpc_plane_status plane;
	struct gpc_generation newest; /* that stands; number 0: none recorded */
	struct gpc_generation last;   /* recorded last, whatever became of it; number 0: none */
	struct gpc_generation
		running; /* the recorded generation of the running decision; number 0: none */
	const struct gpc_link_head *link;	 /* with an image: its link part */
	uint32_t *slots;			 /* by endpoint: Maglev slots */
	uint64_t *flows;			 /* by endpoint: new flows */
	uint64_t *backend_slots, *backend_flows; /* by backend: the sums */
	struct gpc_overrides overrides;		 /* of the journal */
	bool overrides_known;			 /* it could be read */
	int64_t now;				 /* UTC milliseconds */
	char **problems;			 /* what needs somebody's attention */
	size_t problem_count;
	bool has_active;		 /* asked for: */
	struct gpc_flows active;
};

/* The parts: where the link part is; the Maglev slots of endpoints and backends, anew. */
void gpc_status_link(struct gpc_status *status);
void gpc_status_count_slots(struct gpc_status *status);
void gpc_status_release(struct gpc_status *status);

/* Endpoint indexes by backend, then name: the image has them by id. malloc'ed. */
uint32_t *gpc_endpoint_order(const struct gpc_image *image);
/* Is a device bound to interface `index`? */
bool gpc_interface_bound(const struct gpc_status *status, uint32_t index);

/* By listener "192.0.2.10:443/tcp, [2001:db8::1]:443/tcp"; a malloc'ed array of malloc'ed strings.
 */
char **gpc_listener_addresses(const struct gpc_image *image);
void gpc_listener_addresses_free(const struct gpc_image *image, char **addresses);
/* "10.0.0.1, 2001:db8::1"; malloc'ed. */
char *gpc_endpoint_addresses(const struct gpc_endpoint *endpoint);

/* A counter of the running plane; zero when there is no such slot. */
struct gpc_counter gpc_status_counter(const struct gpc_status *status, uint32_t slot);
struct gpc_counter gpc_listener_counter(const struct gpc_status *status, uint32_t index);
struct gpc_counter gpc_endpoint_counter(const struct gpc_status *status, uint32_t index);
/* Of the backend's own slot: what was dropped before an endpoint was chosen. */
struct gpc_counter gpc_backend_counter(const struct gpc_status *status, uint32_t index);
struct gpc_rule_counter gpc_rule_counter_at(const struct gpc_status *status, uint32_t index);

/* What is known of the way to an endpoint: "02:..:01 wan0", "unknown", "fib", "-"; malloc'ed. */
char *gpc_next_hop_text(const struct gpc_status *status, uint32_t endpoint);

const char *gpc_hook_id_name(enum gpc_hook hook);
const char *gpc_reason_name(enum gpc_reason reason);
const char *gpc_verdict_name(enum gpc_verdict verdict);
const char *gpc_reason_text(enum gpc_reason reason);
const char *gpc_limit_name(enum gpc_limit limit);
const char *gpc_link_state_name(enum gpc_link_state state);
const char *gpc_hook_bit_name(uint8_t hook);	/* one GPC_HOOK_* bit */
const char *gpc_device_mode_name(const struct gpc_device_status *device);	/* "native", "generic", "tc" */
/* Of the first pool; "-" if it passes to the local stack. */
const char *gpc_listener_backend(const struct gpc_image *image, const struct gpc_listener *listener);

void gpc_status_text(const struct gpc_call *call, const struct gpc_status *status);
void gpc_status_json(const struct gpc_call *call, const struct gpc_status *status);

#endif
