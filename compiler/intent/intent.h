/* SPDX-License-Identifier: MIT */
/*
 * intent.h: what the user wrote, typed and placed, after includes, values and overlay, before any
 * reference is resolved or default filled in. A key that was not written has no `at` (source
 * GPC_NO_SOURCE) and a zero value; the model fills defaults. Objects stand in merge order; the model
 * sorts. Everything lives in the compilation's arena.
 */
#ifndef GPC_INTENT_INTENT_H
#define GPC_INTENT_INTENT_H

#include "../base/ip.h"
#include "../diag/diag.h"
#include "gpc/image.h"

struct gpc_text_value {
	const char *text;	/* NULL: not written */
	struct gpc_place at;
};

struct gpc_uint_value {
	uint64_t value;
	bool set;
	struct gpc_place at;
};

struct gpc_prefix_value {
	struct gpc_prefix prefix;
	struct gpc_place at;
};

struct gpc_interface_intent {
	struct gpc_text_value name;	/* with final `*` for a pattern */
	struct gpc_uint_value mode;	/* enum gpc_mode */
	struct gpc_uint_value role;	/* enum gpc_role */
	struct gpc_uint_value hooks;	/* bits GPC_HOOK_* */
	struct gpc_place at;
};

struct gpc_endpoint_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_prefix_value) addresses;	/* full-length; count and families: checked by check/ */
	struct gpc_uint_value weight;
	struct gpc_uint_value state;	/* enum gpc_state */
	struct gpc_place at;
};

struct gpc_backend_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_endpoint_intent) endpoints;
	struct gpc_place endpoints_at;
	struct gpc_uint_value table_size;
	struct gpc_uint_value next_hop;		/* enum gpc_next_hop */
	struct gpc_prefix_value next_hop_address;	/* with GPC_NEXT_HOP_ADDRESS */
	bool has_health;			/* accepted, not observed before the agent exists: warning */
	struct gpc_place health_at;
	struct gpc_place at;
};

struct gpc_listener_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_prefix_value) addresses;
	struct gpc_uint_value protocol;		/* IPPROTO_TCP, IPPROTO_UDP */
	struct gpc_uint_value port;		/* 1..65535 */
	struct gpc_uint_value forward;		/* enum gpc_forward */
	struct gpc_text_value backend;
	GPC_VEC(struct gpc_text_value) interfaces;	/* names as written; empty or `*`: all */
	struct gpc_place at;
};

struct gpc_defaults_intent {
	struct gpc_uint_value malformed_drop, non_ip_drop, on_fail_drop;	/* 1 = drop, 0 = pass */
	struct gpc_uint_value flows, flow_inserts;
	struct {
		uint8_t bytes[16];
		bool set;
		struct gpc_place at;
	} hash_seed;
};

struct gpc_intent {
	struct gpc_text_value name;	/* metadata.name */
	struct gpc_defaults_intent defaults;
	GPC_VEC(struct gpc_interface_intent) interfaces;
	GPC_VEC(struct gpc_backend_intent) backends;
	GPC_VEC(struct gpc_listener_intent) listeners;
};

#endif
