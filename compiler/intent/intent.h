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
#include "gpc/lookup/question.h"

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

struct gpc_digest_value {
	uint8_t bytes[32];
	bool set;
	struct gpc_place at;
};

struct gpc_quic_id_value {
	uint8_t bytes[GPC_MAX_QUIC_ID];
	uint8_t length;		/* 0: not written */
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
	struct gpc_uint_value port;
	struct gpc_quic_id_value quic_id;
	struct gpc_place at;
};

struct gpc_backend_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_endpoint_intent) endpoints;
	struct gpc_place endpoints_at;
	struct gpc_uint_value table_size;
	struct gpc_uint_value rebalance;		/* enum gpc_rebalance */
	struct gpc_uint_value next_hop;		/* enum gpc_next_hop */
	struct gpc_prefix_value next_hop_address;	/* with GPC_NEXT_HOP_ADDRESS */
	struct gpc_uint_value min_healthy;	/* hundredths of a percent */
	struct gpc_text_value failover;
	bool has_health;			/* accepted, not observed before the agent exists: warning */
	struct gpc_place health_at;
	struct gpc_place at;
};

struct gpc_split_intent {
	struct gpc_text_value backend;
	struct gpc_uint_value weight;
	struct gpc_place at;
};

/* `any` is 0 to 65535, else both are 1 to 65535. */
struct gpc_ports_value {
	uint16_t first, last;
	bool set;
	struct gpc_place at;
};

struct gpc_rate_intent {
	struct gpc_uint_value limit;		/* packets, or bytes, in `period` seconds */
	uint32_t period;			/* 1, 60, 3600 */
	bool bytes;
	bool burst_bytes;			/* as written; the same as `bytes` if `burst` is set */
	struct gpc_uint_value burst;		/* packets or bytes */
	struct gpc_uint_value per_source;	/* 1: per source-ip */
	struct gpc_uint_value entries;
	struct gpc_uint_value exceed;		/* enum gpc_action */
	struct gpc_place at;
};

struct gpc_listener_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_prefix_value) addresses;
	struct gpc_uint_value protocol;		/* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	struct gpc_ports_value port;
	struct gpc_uint_value forward;		/* enum gpc_forward */
	struct gpc_text_value backend;
	GPC_VEC(struct gpc_split_intent) split;
	struct gpc_uint_value hash;		/* enum gpc_hash */
	struct gpc_uint_value affinity;		/* enum gpc_affinity */
	struct gpc_uint_value affinity_timeout;	/* seconds */
	struct gpc_uint_value stable, snat, mss_clamp, syn_cookies;	/* 0, 1 */
	struct gpc_uint_value gue_port;
	struct gpc_uint_value outer_dscp;	/* 0..63, GPC_DSCP_COPY */
	struct gpc_uint_value ping;		/* enum gpc_ping */
	struct gpc_rate_intent *rate;		/* NULL: not written */
	GPC_VEC(struct gpc_text_value) interfaces;	/* names as written; empty or `*`: all */
	struct gpc_place at;
};

struct gpc_defaults_intent {
	struct gpc_uint_value fragments;	/* enum gpc_fragments */
	struct gpc_uint_value timeout[GPC_TIMEOUT_COUNT];	/* seconds */
	struct gpc_uint_value malformed_drop, non_ip_drop, on_fail_drop;	/* 1 = drop, 0 = pass */
	struct gpc_uint_value flows, flow_inserts;
	struct gpc_uint_value builtin[GPC_BUILTIN_COUNT];	/* enum gpc_builtin_action */
	struct gpc_uint_value pickup;		/* seconds, 0: never, GPC_NONE: always */
	struct {
		uint8_t bytes[16];
		bool set;
		struct gpc_place at;
	} hash_seed;
};

/* ---- policies ---- */

struct gpc_label {
	const char *key, *value;
	struct gpc_place at;
};
typedef GPC_VEC(struct gpc_label) gpc_label_list;

enum gpc_selector_kind {
	GPC_SELECT_SEGMENT,	/* text: its name */
	GPC_SELECT_PREFIX,
	GPC_SELECT_LABELS,	/* union of the segments that have all of these labels */
	GPC_SELECT_LISTENERS,	/* text: a name, or a literal head and a final `*` */
};
struct gpc_selector_item {
	enum gpc_selector_kind kind;
	const char *text;
	struct gpc_prefix prefix;
	gpc_label_list labels;
	struct gpc_place at;
};
/* A union; no items: not written. */
struct gpc_selector_intent {
	GPC_VEC(struct gpc_selector_item) items;
	struct gpc_place at;
};

struct gpc_feed_intent {
	struct gpc_text_value file;	/* relative to the including document, as written */
	struct gpc_digest_value sha256;
	struct gpc_uint_value max;
	struct gpc_prefix *prefixes;	/* of the file, read and checked; in its order */
	size_t prefix_count;
	struct gpc_place at;
};

struct gpc_segment_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_prefix_value) cidrs;
	struct gpc_place cidrs_at;
	struct gpc_feed_intent *from;		/* NULL: not written */
	struct gpc_selector_intent except;	/* segments and prefixes */
	gpc_label_list labels;
	struct gpc_place at;
};

/* One item of `ports` (SEMANTICS 2.1). */
struct gpc_ports_item {
	bool any;			/* `any`: every protocol */
	uint8_t protocol;
	bool ranged;			/* ports or type given */
	uint32_t first, last;		/* destination ports; ICMP: type << 8 | code */
	struct gpc_place at;
};
typedef GPC_VEC(struct gpc_ports_item) gpc_ports_list;

struct gpc_match_intent {
	struct gpc_uint_value tcp_flags;	/* bitmap of combinations of GPC_ASK_*, as in struct gpc_match */
	struct gpc_uint_value vlan;		/* 1..4094, GPC_VLAN_NONE */
	struct gpc_uint_value dscp;
	struct gpc_uint_value fragments;	/* bits of enum gpc_fragment */
	struct gpc_place at;
};

struct gpc_log_intent {
	uint32_t sample;			/* one of so many; 1: all */
	struct gpc_uint_value rate;		/* events per second and CPU; not set: the usual limit */
	struct gpc_place at;
};

struct gpc_rule_intent {
	struct gpc_text_value name;
	struct gpc_uint_value action;		/* enum gpc_action */
	struct gpc_selector_intent from, to;
	gpc_ports_list ports;
	struct gpc_place ports_at;
	struct gpc_match_intent *match;		/* these three NULL: not written; most rules have none */
	struct gpc_log_intent *log;
	struct gpc_rate_intent *rate;
	struct gpc_uint_value mark;
	struct gpc_uint_value priority;
	struct gpc_uint_value expires;		/* UTC seconds of the first instant at which it is over */
	struct gpc_text_value owner, note;
	struct gpc_place at;
};

struct gpc_policy_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_text_value) interfaces;
	struct gpc_uint_value direction;	/* enum gpc_direction */
	GPC_VEC(struct gpc_text_value) rules;
	struct gpc_uint_value stateful;		/* 0, 1 */
	struct gpc_uint_value fallback;		/* `default`: enum gpc_action */
	struct gpc_uint_value mode;		/* enum gpc_policy_mode */
	struct gpc_uint_value keep;		/* `existing`: 1 keep, 0 recheck */
	struct gpc_uint_value mid_stream;	/* 1 allow, 0 deny */
	struct gpc_uint_value priority;
	uint32_t document;			/* number of the document that it stands in */
	struct gpc_place at;
};

struct gpc_protect_intent {
	struct gpc_text_value name;
	struct gpc_selector_intent from, to;
	gpc_ports_list ports;
	struct gpc_place ports_at;
	GPC_VEC(struct gpc_text_value) interfaces;
	struct gpc_uint_value direction;
	struct gpc_place at;
};

/* ---- invariants ---- */

struct gpc_packets_intent {
	struct gpc_selector_intent from, to;
	gpc_ports_list ports;
	struct gpc_text_value in, out;		/* items of `interfaces`, or devices */
	struct gpc_place at;
};

struct gpc_remap_intent {
	struct gpc_text_value backend;
	struct gpc_uint_value max;		/* hundredths of a percent */
	struct gpc_place at;
};

/* One of the four pointers, or at least one of the limits. */
struct gpc_invariant_intent {
	struct gpc_text_value name;
	struct gpc_packets_intent *never, *always, *only;	/* NULL: not written */
	struct gpc_remap_intent *remap;
	struct gpc_uint_value memory, max_lookups;
	struct gpc_uint_value enforced;		/* `when: enforced` */
	struct gpc_place at;
};

/* ---- tests ---- */

struct gpc_send_intent {
	struct gpc_text_value in, out;		/* devices */
	struct gpc_prefix_value from, to;	/* whole addresses */
	struct gpc_uint_value protocol, dport, sport;
	struct gpc_uint_value tcp_flags;	/* GPC_ASK_* bits that are set */
	struct gpc_uint_value icmp_type, icmp_code;
	struct gpc_uint_value vlan, dscp, ttl, payload;
	struct gpc_uint_value fragment;		/* enum gpc_fragment */
	struct gpc_uint_value repeat;
	struct gpc_place at;
};

struct gpc_expect_intent {
	struct gpc_uint_value verdict;		/* enum gpc_verdict */
	struct gpc_text_value policy, rule, listener, backend, endpoint, reason;
	struct gpc_uint_value would;		/* enum gpc_action */
	struct gpc_uint_value mark;
	struct gpc_place at;
};

struct gpc_test_intent {
	struct gpc_text_value name;
	GPC_VEC(struct gpc_send_intent) before;
	struct gpc_send_intent send;
	struct gpc_expect_intent expect;
	struct gpc_place at;
};

/* ---- probes ---- */

#define GPC_MAX_PROBES		64u
#define GPC_MAX_PROBE_MS	600000u		/* of a timeout or interval */
#define GPC_MAX_PROBE_ATTEMPTS	1000u
#define GPC_MAX_PROBE_PAYLOAD	1400u		/* bytes: one datagram on any path */
#define GPC_MAX_PROBE_WORDS	64u		/* of a command */

/* What is not written. */
#define GPC_PROBE_TIMEOUT	2000u
#define GPC_PROBE_ATTEMPTS	3u
#define GPC_PROBE_INTERVAL	1000u
#define GPC_PROBE_PORT		80u		/* http */
#define GPC_PROBE_STATUS_FIRST	200u
#define GPC_PROBE_STATUS_LAST	399u

enum gpc_probe_kind { GPC_PROBE_TCP, GPC_PROBE_HTTP, GPC_PROBE_UDP, GPC_PROBE_EXEC, GPC_PROBE_KINDS };

struct gpc_bytes_value {
	const uint8_t *bytes;	/* NULL: not written */
	size_t size;
	struct gpc_place at;
};

struct gpc_probe_intent {
	struct gpc_text_value name;
	enum gpc_probe_kind kind;
	struct gpc_uint_value timeout, attempts, interval;	/* times in milliseconds */
	struct gpc_text_value netns, interface;
	struct gpc_prefix_value address;		/* tcp, http, udp */
	struct gpc_uint_value port;
	struct gpc_text_value path, host;		/* http */
	struct gpc_ports_value status;
	struct gpc_bytes_value send, expect;		/* udp */
	GPC_VEC(struct gpc_text_value) command;		/* exec */
	struct gpc_place at;
};

struct gpc_intent {
	struct gpc_text_value name;	/* metadata.name */
	struct gpc_digest_value parent;	/* metadata.parent */
	struct gpc_defaults_intent defaults;
	GPC_VEC(struct gpc_interface_intent) interfaces;
	GPC_VEC(struct gpc_backend_intent) backends;
	GPC_VEC(struct gpc_listener_intent) listeners;
	GPC_VEC(struct gpc_segment_intent) segments;
	GPC_VEC(struct gpc_rule_intent) rules;
	GPC_VEC(struct gpc_policy_intent) policies;
	GPC_VEC(struct gpc_protect_intent) protect;
	GPC_VEC(struct gpc_invariant_intent) invariants;
	GPC_VEC(struct gpc_test_intent) tests;
	GPC_VEC(struct gpc_probe_intent) probes;
};

#endif
