/* SPDX-License-Identifier: MIT */
/*
 * model.h: the plane with references resolved, defaults filled in, ids given and everything in its
 * final order (names by bytes; endpoints of a backend by id). Nothing is half-filled and no later
 * pass changes it. Index i here is index i in the image.
 */
#ifndef GPC_MODEL_MODEL_H
#define GPC_MODEL_MODEL_H

#include <stdio.h>

#include "../classify/boxes.h"
#include "../intent/intent.h"

struct gpc_model_interface {
	uint64_t id;
	const char *name;
	enum gpc_mode mode;
	enum gpc_role role;
	uint8_t hooks;
	bool pattern;
	struct gpc_place at;
};

/* `rate` of a rule or listener as integer GCRA; fields as in struct gpc_rule. */
struct gpc_model_rate {
	bool limited;				/* false: there is none, the rest is zero */
	bool per_source, bytes;
	enum gpc_action exceed;
	uint64_t cost, burst;
	uint32_t entries;
	struct gpc_place at;
};

struct gpc_model_endpoint {
	uint64_t id;
	const char *name;
	uint32_t backend;
	bool has4, has6;
	struct gpc_ip ip4, ip6;			/* the first of each family */
	const struct gpc_prefix_value *addresses;	/* as written */
	size_t address_count;
	uint16_t weight;
	enum gpc_state state;
	uint16_t port;				/* 0: the packet's */
	struct gpc_place port_at;
	const struct gpc_quic_id_value *quic_id;	/* length 0: none */
	struct gpc_place at;
};

struct gpc_model_backend {
	uint64_t id;
	const char *name;
	uint32_t first_endpoint, endpoint_count;
	uint32_t table_size;
	bool table_size_given;			/* else table_size is the default */
	enum gpc_rebalance rebalance;
	enum gpc_next_hop next_hop;
	struct gpc_prefix next_hop_address;
	uint16_t min_healthy;			/* hundredths of a percent */
	uint32_t failover;			/* index, GPC_NONE: none; no circle, at most GPC_MAX_FAILOVER in a row */
	bool used;				/* a listener, split or failover refers to it */
	bool has_health;
	struct gpc_place at, table_size_at, rebalance_at, next_hop_at, failover_at, health_at;
};

/* An interface that a listener names. */
struct gpc_model_use {
	uint32_t interface;
	struct gpc_place at;
};

/* A backend that a listener names, with its weight in the split; a lone one has 1. */
struct gpc_model_share {
	uint32_t backend;
	uint32_t weight;
	struct gpc_place at;
};

struct gpc_model_listener {
	uint64_t id;
	const char *name;
	struct gpc_prefix_value *addresses;	/* and prefixes, sorted by bytes, then length, no duplicates */
	size_t address_count;
	struct gpc_place repeated_at;		/* of an address that was written twice, or nowhere */
	uint8_t protocol;
	uint16_t port, port_last;		/* `any`: 0 and 65535 */
	enum gpc_forward forward;
	struct gpc_model_share *shares;		/* by backend, which is by name; none: `pass` */
	size_t share_count;
	enum gpc_hash hash;
	enum gpc_affinity affinity;
	uint32_t affinity_timeout;		/* seconds */
	bool stable, snat, mss_clamp, syn_cookies;
	uint16_t gue_port;
	uint8_t outer_dscp;			/* 0..63, GPC_DSCP_COPY */
	enum gpc_ping ping;
	struct gpc_place ping_at;		/* nowhere: the default */
	struct gpc_model_rate rate;
	uint64_t interfaces;			/* where it exists: wanted, with xdp and role edge */
	const struct gpc_model_use *uses;	/* interfaces named one by one; none: all */
	size_t use_count;
	struct gpc_place at;
};

/* ---- policies ---- */

struct gpc_model_segment {
	const char *name;
	struct gpc_set set;			/* after `except` */
	const gpc_label_list *labels;
	bool used;
	struct gpc_place at;
};

/* Why no packet can match a rule. */
enum gpc_never {
	GPC_NEVER_NOT,		/* some can */
	GPC_NEVER_FROM,		/* `from` holds no address */
	GPC_NEVER_TO,
	GPC_NEVER_FAMILIES,	/* `from` and `to` have no family in common */
	GPC_NEVER_TCP_FLAGS,	/* `tcp-flags`, and no TCP in `ports` or at the listeners */
	GPC_NEVER_FRAGMENTS,	/* later fragments only, and each item has ports; or `tcp-flags` */
};

/*
 * A rule as written, resolved once for all policies that have it. Its boxes (source x destination x
 * service, numbers of gpc_model.space) say what it matches; none: no packet can match it.
 */
struct gpc_model_rule {
	const char *name;
	enum gpc_action action;
	const struct gpc_box *boxes;		/* their position is 0 */
	size_t box_count;
	enum gpc_never never;
	uint32_t mark;
	uint32_t log_sample, log_rate;
	struct gpc_model_rate rate;
	bool has_priority;
	uint16_t priority;
	uint64_t expires;			/* UTC seconds, 0: never */
	const char *owner, *note;
	bool used;
	struct gpc_place at, from_at, to_at, ports_at, match_at, expires_at;
};

struct gpc_model_policy {
	uint64_t id;
	const char *name;
	uint64_t interfaces;			/* bits of gpc_model.interfaces */
	enum gpc_direction direction;
	bool stateful, keep, mid_stream;
	enum gpc_action fallback;
	enum gpc_policy_mode mode;
	uint16_t priority;
	uint32_t document, position;		/* where it was written: the order among equals */
	const uint32_t *rules;			/* of gpc_model.rules, in the order in which they are asked */
	const uint64_t *rule_ids;		/* kind `policy-rule`, owner the policy */
	const struct gpc_place *rules_at;	/* where each is named */
	size_t rule_count;
	uint64_t default_id;			/* kind `policy-rule`, name `default` */
	struct gpc_place at, interfaces_at, stateful_at, existing_at, mid_stream_at;
};

struct gpc_model_protect {
	uint64_t id;
	const char *name;
	uint64_t interfaces;
	enum gpc_direction direction;
	const struct gpc_box *boxes, *exchanged;	/* as written; with source and destination exchanged */
	size_t box_count, exchanged_count;
	enum gpc_never never;
	struct gpc_place at;
};

/* Policies of one interface and direction, in the order in which they are asked. */
struct gpc_model_chain {
	uint32_t interface;
	enum gpc_direction direction;
	uint32_t policies[GPC_MAX_CHAIN_POLICIES];
	size_t policy_count;			/* 0: only `protect` items */
};

/* Boxes are of gpc_model.invariant_space; their position is 0. */
struct gpc_model_invariant {
	uint64_t id;
	const char *name;
	enum gpc_invariant_form form;
	bool enforced;				/* `when: enforced` */
	uint32_t interface;			/* GPC_NONE: what arrives on any */
	enum gpc_direction direction;
	const struct gpc_box *boxes;		/* the packets it is about */
	size_t box_count;
	const struct gpc_box *allowed;		/* ONLY: those that may pass */
	size_t allowed_count;
	uint32_t backend;			/* REMAP, else GPC_NONE */
	uint16_t max;				/* REMAP: hundredths of a percent */
	uint32_t memory, max_lookups;		/* LIMITS: 0: none */
	struct gpc_place at;
};

/* A probe with its defaults. It is no part of what the plane decides. */
struct gpc_model_probe {
	const char *name;
	enum gpc_probe_kind kind;
	uint32_t timeout, attempts, interval;	/* times in milliseconds */
	const char *netns, *interface;		/* NULL: gpc's own; by route */
	struct gpc_prefix address;
	uint16_t port, status_first, status_last;
	const char *path, *host;		/* host NULL: the address */
	struct gpc_bytes_value send, expect;	/* expect without bytes: any answer */
	const struct gpc_text_value *command;
	size_t command_count;
	struct gpc_place at;
};

struct gpc_model {
	const char *name;
	uint8_t hash_seed[16];
	const struct gpc_digest_value *parent;	/* metadata.parent, as written */
	bool malformed_drop, non_ip_drop, on_fail_drop;
	enum gpc_fragments fragments;
	uint32_t flows, flow_inserts;
	uint32_t timeout[GPC_TIMEOUT_COUNT];	/* seconds */
	struct gpc_model_interface *interfaces;
	size_t interface_count;
	struct gpc_model_backend *backends;
	size_t backend_count;
	struct gpc_model_endpoint *endpoints;	/* all, by backend, then id */
	size_t endpoint_count;
	struct gpc_model_listener *listeners;
	size_t listener_count;
	enum gpc_builtin_action builtin[GPC_BUILTIN_COUNT];
	uint64_t builtin_ids[GPC_BUILTIN_COUNT];
	uint32_t pickup;			/* seconds, 0: never, GPC_NONE: always */
	bool on_fail_given;
	struct gpc_model_segment *segments;	/* by name */
	size_t segment_count;
	struct gpc_model_rule *rules;		/* by name */
	size_t rule_count;
	struct gpc_model_policy *policies;	/* by name */
	size_t policy_count;
	struct gpc_model_protect *protects;	/* by name */
	size_t protect_count;
	struct gpc_model_chain *chains;		/* by interface, ingress first */
	size_t chain_count;
	struct gpc_space space;			/* sets and services of all boxes; set 0 is every address */
	struct gpc_model_invariant *invariants;	/* by name */
	size_t invariant_count;
	struct gpc_space invariant_space;	/* likewise, of the invariants alone */
	const struct gpc_test_intent *tests;	/* as written */
	size_t test_count;
	struct gpc_model_probe *probes;		/* by name */
	size_t probe_count;
};

/* Stable id (SEMANTICS 1): first 8 bytes, little-endian, of SHA-256("gpc/v1" NUL kind NUL [owner NUL] name). */
uint64_t gpc_stable_id(const char *kind, const char *owner, const char *name);

/* Resolves `intent`. False if an error was added; the model is then unfit for later passes. */
bool gpc_model_build(struct gpc_diags *diags, const struct gpc_intent *intent, struct gpc_model *ret_model);

/* A probe as a JSON object (schemas/image.v1.md, Provenance). */
void gpc_model_probe_json(const struct gpc_model_probe *probe, FILE *out);

/* All of it as text, one object a line: --dump-after=model. */
void gpc_model_dump(const struct gpc_model *model, FILE *out);

#endif
