/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * abi.h: what the BPF programs and the loader share beside the image: the control word, the maps'
 * keys and values, verdicts, reasons, the metadata that XDP hands to TC.
 *
 * Slot protocol. The images lie in GPC_IMAGE_SLOTS slots; the control word names up to three of
 * them (active, fallback, previous). A program reads the word once per invocation and uses one slot.
 * Rule R: a slot may be written only if the word does not name it and one grace period (membarrier
 * GLOBAL) has passed since the store that stopped naming it. The word is changed only by 8-byte
 * compare-and-swap through the map's mapping.
 */
#ifndef GPC_ABI_H
#define GPC_ABI_H

#include <linux/types.h>

#include "limits.h"

/* ---- control word: gpc_ctl[0]; gpc_ctl[1] is the nonce of this plane, never 0 ---- */

#define GPC_CTL_WORD	0u
#define GPC_CTL_NONCE	1u
#define GPC_CTL_FLOWS_SINCE	2u	/* CLOCK_MONOTONIC_COARSE ns of when the flow tables were made, or policies began to decide: `pickup` counts from it */
#define GPC_CTL_ENTRIES	3u

#define GPC_IMAGE_SLOTS 8u

#define GPC_CTL_ACTIVE_SHIFT	0	/* 3 bits */
#define GPC_CTL_FALLBACK_SHIFT	3	/* 3 bits */
#define GPC_CTL_PREVIOUS_SHIFT	6	/* 3 bits */
#define GPC_CTL_SLOT_MASK	7ull
#define GPC_CTL_OFF		(1ull << 9)	/* every packet passes, counted as `off` */
#define GPC_CTL_BANS		(1ull << 10)
#define GPC_CTL_AUDIT		(1ull << 11)	/* every policy as in audit (first apply) */
#define GPC_CTL_ON_FAIL_SHIFT	12	/* 1 bit, enum gpc_on_fail: for when there is no image */
#define GPC_CTL_ON_FAIL_MASK	1ull
#define GPC_CTL_FALLBACK_AUDIT	(1ull << 13)	/* GPC_CTL_AUDIT of the fallback, while there is a deadline */
#define GPC_CTL_SEQUENCE_SHIFT	14	/* 12 bits, +1 at every change */
#define GPC_CTL_SEQUENCE_MASK	0xfffull
#define GPC_CTL_DEADLINE_SHIFT	26	/* 38 bits of 2^20 ns CLOCK_MONOTONIC; 0: disarmed */
#define GPC_CTL_DEADLINE_UNIT_SHIFT 20

static inline __u32 gpc_ctl_active(__u64 w) { return (__u32)(w >> GPC_CTL_ACTIVE_SHIFT) & 7u; }
static inline __u32 gpc_ctl_fallback(__u64 w) { return (__u32)(w >> GPC_CTL_FALLBACK_SHIFT) & 7u; }
static inline __u32 gpc_ctl_previous(__u64 w) { return (__u32)(w >> GPC_CTL_PREVIOUS_SHIFT) & 7u; }
static inline __u32 gpc_ctl_on_fail(__u64 w) { return (__u32)(w >> GPC_CTL_ON_FAIL_SHIFT) & 1u; }
static inline __u32 gpc_ctl_sequence(__u64 w)
{
	return (__u32)((w >> GPC_CTL_SEQUENCE_SHIFT) & GPC_CTL_SEQUENCE_MASK);
}
static inline __u64 gpc_ctl_deadline(__u64 w) { return w >> GPC_CTL_DEADLINE_SHIFT; }

/*
 * What a word with a deadline means from then on, for programs and loader alike: the fallback is active,
 * what was active is previous. A fallback that is the active slot says that nothing ran before: then it
 * is off.
 */
static inline __u64 gpc_ctl_expired(__u64 w)
{
	__u64 active = gpc_ctl_active(w), fallback = gpc_ctl_fallback(w);
	__u64 kept = w & ((1ull << GPC_CTL_DEADLINE_SHIFT) - 1) &
		     ~(GPC_CTL_SLOT_MASK << GPC_CTL_ACTIVE_SHIFT |
		       GPC_CTL_SLOT_MASK << GPC_CTL_PREVIOUS_SHIFT | GPC_CTL_AUDIT |
		       GPC_CTL_FALLBACK_AUDIT);

	return kept | fallback << GPC_CTL_ACTIVE_SHIFT | active << GPC_CTL_PREVIOUS_SHIFT |
	       (w & GPC_CTL_FALLBACK_AUDIT ? GPC_CTL_AUDIT : 0) |
	       (active == fallback ? GPC_CTL_OFF : 0);
}

/* ---- verdicts and reasons ---- */

enum gpc_verdict {
	GPC_VERDICT_PASS,
	GPC_VERDICT_FORWARD,
	GPC_VERDICT_DROP,
	GPC_VERDICT_REJECT,	/* dropped and answered with a TCP RST or an ICMP error */
	GPC_VERDICT_ANSWER,	/* answered: echo reply, packet too big, time exceeded, SYN cookie */
};

/*
 * Why a packet left the walk where it did; every invocation counts exactly one, at its one exit.
 * Columns: id, text (SEMANTICS 4.1; `no-next-hop`, `no-listener`, `forwarded`, `decapsulated` and
 * `counted` are gpc's own), what it means for the reader of `gpc status`.
 */
#define GPC_REASONS(X)                                                                             \
	X(NO_LISTENER, "no-listener", "not for a listener, passed untouched")                      \
	X(FORWARDED, "forwarded", "sent to an endpoint")                                           \
	X(DECAPSULATED, "decapsulated", "unwrapped and passed to the stack")                       \
	X(COUNTED, "counted", "seen by a TC hook, passed")                                         \
	X(STALE_META, "stale-meta", "seen by a TC hook with another plane's or an old metadata")   \
	X(OFF, "off", "passed because the plane is switched off")                                  \
	X(ON_FAIL, "on-fail", "no decision possible, defaults.on-fail applied")                    \
	X(NON_IP, "non-ip", "neither ARP nor IP")                                                  \
	X(ARP, "arp", "ARP, passed")                                                               \
	X(FRAGMENT, "fragment", "fragment, passed unbalanced or dropped by defaults.fragments")    \
	X(MALFORMED_SHORT, "malformed-short", "shorter than its headers or total length")          \
	X(MALFORMED_VERSION, "malformed-version", "IP version, EtherType and addresses disagree")  \
	X(MALFORMED_IHL, "malformed-ihl", "IPv4 header length below 20")                           \
	X(MALFORMED_EXTENSION, "malformed-extension", "IPv6 extension headers out of bounds")      \
	X(MALFORMED_TCP, "malformed-tcp", "TCP data offset below 20")                              \
	X(MALFORMED_FRAGMENT, "malformed-fragment", "fragment that hides or splits its L4 header") \
	X(NO_ENDPOINT, "no-endpoint", "no endpoint of the listener's backend takes the flow")      \
	X(NO_NEXT_HOP, "no-next-hop", "no MAC address known for the endpoint or its gateway")      \
	X(NO_HEADROOM, "no-headroom", "no room in front of the frame for the outer header")        \
	X(TOO_BIG, "too-big", "with its outer header larger than the way's MTU, and not to be cut") \
	X(BUILTIN, "builtin", "a built-in rule decided")                                           \
	X(POLICY, "policy", "denied or rejected by a rule or a policy's default")                  \
	X(RATE, "rate", "beyond the rate of a rule")                                               \
	X(MID_STREAM, "mid-stream", "TCP in mid-stream of an unknown flow, not allowed")           \
	X(REVOKED, "revoked", "of a flow that the rules no longer allow")                          \
	X(FLOW_LIMIT, "flow-limit", "opens a flow that needs an entry, beyond flow-inserts")       \
	X(ANSWERED, "answered", "sent by gpc itself, an answer or a translated packet: passed")    \
	X(LOCAL, "local", "for a listener that passes to the local stack")                         \
	X(TRANSLATED, "translated", "reply of a `nat` flow, translated and sent")                  \
	X(PING, "ping", "echo request to a listener's address, answered or dropped by its `ping`") \
	X(TTL, "ttl", "would be routed with TTL or hop limit 1, its sender told")                  \
	X(SNAT_FULL, "snat-exhausted", "no port left for a `snat` flow")                           \
	X(SYN_COOKIE, "syn-cookie", "SYN answered with a cookie")                                  \
	X(BAD_COOKIE, "bad-cookie", "RST of no known flow and without a valid cookie, during a flood") \
	X(INTERNAL, "internal", "a program that should be there is not")                           \
	X(GOOD_COOKIE, "good-cookie", "RST that brought a cookie back: its flow may open")

enum gpc_reason {
#define X(id, name, text) GPC_REASON_##id,
	GPC_REASONS(X)
#undef X
	GPC_REASON_COUNT
};
#define GPC_REASON_MAX 64u

enum gpc_hook {
	GPC_HOOK_ID_XDP,
	GPC_HOOK_ID_TC_INGRESS,
	GPC_HOOK_ID_TC_EGRESS,
	GPC_HOOK_ID_DECAP,
	GPC_HOOK_ID_COUNT
};

/*
 * ---- programs that XDP's go on in: PROG_ARRAY gpc_programs, by enum gpc_tail ----
 *
 * One invocation may pass through several; they share the packet's struct gpc_case, and the last one
 * counts. A slot of an image that the first has picked stands there, so none reads the control word again.
 */
enum gpc_tail {
	GPC_TAIL_ODD,		/* gpc_odd: what is not a whole TCP or UDP packet */
	GPC_TAIL_ERROR,		/* gpc_error: ICMP errors */
	GPC_TAIL_NAT,		/* gpc_nat: packets of `nat` flows */
	GPC_TAIL_CONSULT,		/* gpc_consult: what a chain has to be asked about */
	GPC_TAIL_SERVE,		/* gpc_serve: what it then lets through to a listener */
	GPC_TAIL_FRAGMENT,	/* gpc_fragment: later fragments */
	GPC_TAIL_ANSWER,	/* gpc_answer: the frame becomes gpc's answer */
	GPC_TAIL_COUNT
};

/* ---- counters: PERCPU_ARRAY gpc_counters ---- */

/*
 * Slots: hook * GPC_REASON_MAX + reason first, then those that the loader gives to listeners and
 * endpoints by identity. One packet adds to one reason slot and, when forwarded, to its listener's
 * and its endpoint's. Bytes are those of the frame as it came in.
 */
struct gpc_counter {
	__u64 packets;
	__u64 bytes;
	__u64 flows;		/* new flows: packets whose endpoint was chosen by the table and entered, or
				 * when no entry could be made SYNs and all UDP (its first is not known) */
	__u64 dropped;		/* of packets for it: rate, no-endpoint, flow-limit, too-big and the like */
};
#define GPC_COUNTER_FIRST_OBJECT (GPC_HOOK_ID_COUNT * GPC_REASON_MAX)

/* ---- rules: PERCPU_ARRAY gpc_rules, by slots that the loader gives to RULE records by identity ---- */

/* About packets that were asked, not all that pass (SEMANTICS 5.2). */
struct gpc_rule_counter {
	__u64 packets;		/* that the rule decided (log, mark: acted on), audit or not */
	__u64 bytes;		/* of their frames */
	__u64 would_deny;	/* packets of an audit policy that enforcement would have denied or rejected */
	__u64 exceeded;		/* packets beyond the rule's rate */
	__u64 last_hit;		/* coarse ktime, 0: never */
	__u64 log_tat;		/* the log's rate on this CPU: theoretical arrival time, ns */
	__u64 log_seen;		/* packets since the last one sampled */
	__u64 log_lost;		/* events that rate or a full ring kept back */
};

/*
 * Rates: ARRAY gpc_rate of u64, one word a bucket, changed by compare-and-swap: the theoretical arrival
 * time in ns of coarse ktime (GCRA, ITU-T I.371); 0 is a full bucket. credit = burst - max(0, word - now).
 */

/* ---- limits of a CPU: PERCPU_ARRAY gpc_limits, by enum gpc_limit ---- */

enum gpc_limit {
	GPC_LIMIT_REJECT,	/* answers: 1000 a second */
	GPC_LIMIT_EVENT_DENY,	/* deny and would-deny events: 1000 a second */
	GPC_LIMIT_EVENT_FLOW,	/* flow-start events: 1000 a second */
	GPC_LIMIT_COUNT
};
struct gpc_limiter {
	__u64 tat;		/* ns of coarse ktime */
	__u64 let;		/* let through */
	__u64 kept;		/* kept back by the limit */
	__u64 lost;		/* the ring was full */
};

/* ---- events: RINGBUF gpc_events of struct gpc_event ---- */

enum gpc_event_type {
	GPC_EVENT_FLOW,		/* an entry was made */
	GPC_EVENT_DENY,
	GPC_EVENT_WOULD_DENY,
	GPC_EVENT_LOG,
	GPC_EVENT_REVOKED,	/* an entry turned revoked */
	GPC_EVENT_COUNT
};

struct gpc_event {
	__u64 time;		/* coarse ktime, ns */
	__u64 rule;		/* stable id of the RULE record, 0: none */
	__u64 policy;		/* stable id, 0: built-in, protect or none */
	__u8 source[16];	/* v4 as ::ffff:a.b.c.d */
	__u8 destination[16];
	__be16 source_port;	/* ICMP: 0 */
	__be16 destination_port;	/* ICMP: type << 8 | code, big-endian */
	__u32 ifindex;
	__u32 length;		/* of the frame in bytes */
	__u32 generation;
	__u8 type;		/* enum gpc_event_type */
	__u8 hook;		/* enum gpc_hook */
	__u8 action;		/* enum gpc_action: of the rule that decided, or would have */
	__u8 reason;		/* enum gpc_reason of a drop, else GPC_REASON_COUNT */
	__u8 protocol;
	__u8 tcp_flags;		/* byte 13 of the header */
	__u8 fragment;		/* enum gpc_fragment */
	__u8 dscp;
	__u16 vlan;		/* GPC_VLAN_NONE: untagged */
	__u16 pad0;
	__u32 sample;		/* this event stands for so many packets */
	__u64 pad1;
};

/* ---- next hops: ARRAY gpc_next, mmapable ---- */

#define GPC_NEXT_REFUSED 1ull	/* in `checked`: at that time the kernel had no way, or one by another device */

struct gpc_next {
	__u64 hop;		/* destination MAC in bytes 0..5 of memory, ifindex 16 bits in 6..7; 0: unknown */
	__u64 checked;		/* coarse ktime of the last fib lookup by a program, bit 0 aside; 0: none yet */
};

/*
 * ---- effective state (SEMANTICS 7): ARRAY gpc_endpoints, gpc_backends, mmapable, by counter slot ----
 *
 * All zero: nothing but the intent speaks. Times are coarse ktime >> 30 and end an override with no process
 * alive; 0: never. Readers see words of 8 bytes whole.
 */
#define GPC_STATE_DOWN		(1u << 0)	/* observed */
#define GPC_STATE_WEIGHTED	(1u << 1)	/* ratio is an override's */
struct gpc_endpoint_state {
	/* the first word decides about known flows */
	__u32 until;		/* when the override of the state ends */
	__u8 state;		/* override: 0 none, else 1 + enum gpc_state */
	__u8 flags;		/* GPC_STATE_* */
	__u16 pad0;
	/* the second about new ones */
	__u32 ratio;		/* r = override / intent weight, times 65536, saturated */
	__u32 weight_until;
	__u32 spare;		/* of the j-th endpoint in name order: which, in name order, is the j-th `new` one */
	__u32 pad1[3];
};

/*
 * The greatest r of the endpoints that count is a sequence of steps, the first whose `until` is not over
 * holds: worked out when an override is made, so that none needs a process to end. Past the last: 1.
 */
#define GPC_BACKEND_STEPS	4u
#define GPC_BACKEND_ACTIVE	(1u << 0)	/* an override or a down endpoint: draws are asked */
#define GPC_BACKEND_PANIC	(1u << 1)
struct gpc_backend_state {
	__u32 until;		/* when the override of the backend's state ends */
	__u8 state;		/* as above; an endpoint's own goes first */
	__u8 flags;		/* GPC_BACKEND_* */
	__u16 version;		/* another one before and after all of this, and its endpoints' states, change */
	__u32 spares;		/* how many `new` endpoints there are */
	__u32 settled;		/* when all has ended that makes it ACTIVE: programs take that flag away; 0: never */
	struct {
		__u32 until;
		__u32 max;	/* times 65536 */
	} step[GPC_BACKEND_STEPS];
	__u64 pad2[2];
};

/* ---- affinity: LRU_HASH gpc_clients ---- */

struct gpc_client_key {
	__u64 listener;		/* stable id */
	__u64 source[2];
};
struct gpc_client {
	__u64 endpoint;		/* stable id */
	__u32 last_seen;	/* coarse ktime >> 30 */
	__u32 pad0;
};

/* ---- flows: ARRAYs gpc_flows4, gpc_heads4 and gpc_flows6, gpc_heads6, shared by all generations ---- */

/* Sorted key: (address, port) of side 0 is not above that of side 1, compared as numbers as loaded. */
struct gpc_flow_key4 {
	__be32 address[2];
	__be16 port[2];
	__u8 protocol;
	__u8 pad[3];
};
struct gpc_flow_key6 {
	__u64 address[2][2];
	__be16 port[2];
	__u8 protocol;
	__u8 pad[3];
};

enum gpc_flow_state {
	GPC_FLOW_SYN,		/* opening seen, no reply known */
	GPC_FLOW_ESTABLISHED,
	GPC_FLOW_CLOSING,	/* a FIN either way */
	GPC_FLOW_CLOSED,	/* RST */
	GPC_FLOW_UDP_NEW,
	GPC_FLOW_UDP,
	GPC_FLOW_ICMP,		/* echo */
	GPC_FLOW_OTHER,
	GPC_FLOW_TWIN,		/* struct gpc_twin: the replies' side of a `nat` flow */
};
#define GPC_FLOW_STATE_MASK	0x0fu	/* of gpc_flow.state; the rest are marks of policies: */
#define GPC_FLOW_REVOKED	0x10u	/* no longer allowed: both directions are dropped */
#define GPC_FLOW_REJECTED	0x20u	/* beside REVOKED: and answered */
#define GPC_FLOW_WOULD_DENY	0x40u	/* only audit let it through */
#define GPC_FLOW_EGRESS_MARK	0x80u	/* skb_mark is an egress chain's, else an ingress chain's */

/*
 * Flow value. Layout frozen as abi v1. By direction (of the hook, not of the flow) stands the chain
 * that let the flow's first direction through, and its stamp then; tag 0: none has been asked. Beside
 * them what the rules were asked about the first packet, so that it can be asked again. The endpoint
 * stands here by identity (stable id), so neither a reordering nor a reused slot can move a flow.
 * `hint` only says where to look for it first.
 *
 * `epoch` is gpc_plane.epoch (and GPC_EPOCH_AUDIT) of when the chains and the marks in `state` were last
 * held against the image. As long as it is the image's, they hold, and no stamp needs to be compared.
 *
 * An element that is given up goes to another flow without waiting for who still holds a pointer to it. So
 * an entry found is never written through: the endpoint and what policies say change by storing another
 * element under the key, the rest is one word that is changed by compare-and-swap. One whose tag is not the
 * key's is unknown. A mark of 0 is nobody's.
 */
#define GPC_FLOW_REVERSED (1u << 0)	/* the first packet came from side 1 of the key */
#define GPC_FLOW_TAG_SHIFT 1		/* 7 bits: the tag that stands in the head, never 0 */
#define GPC_EPOCH_AUDIT 1u		/* the control word said audit; gpc_plane.epoch is even */
struct gpc_flow {
	__u64 endpoint;		/* stable id; 0: none chosen */
	union {
		__u64 mark;
		struct {
			__u32 last_seen;	/* coarse ktime >> 30 (about seconds) */
			__u8 state;		/* enum gpc_flow_state, GPC_FLOW_REVOKED ... */
			__u8 flags;		/* GPC_FLOW_REVERSED, tag */
			__u16 hint;		/* low bits of the endpoint's last known index */
		};
	};
	union {
		__u64 chains;
		struct {
			__u16 chain[2];		/* gpc_chain.tag by enum gpc_direction */
			__u32 epoch;
		};
	};
	__u32 skb_mark;		/* for each packet of the original direction, 0: none */
	__u16 vlan;		/* first packet: tag or GPC_VLAN_NONE */
	__u8 tcp_flags;		/* first packet: GPC_ASK_* */
	__u8 dscp;		/* first packet */
	__u64 stamp[2];		/* gpc_chain.stamp by enum gpc_direction */
};

/*
 * A `nat` flow has two elements: the client's side (client, VIP) is an entry as above; the replies' side
 * (what the endpoint answers to, endpoint), by its own sorted key, leads back to it and holds what replies
 * are translated to. It has no state of its own: without the entry it is nothing. With `snat` the port
 * taken stands in the entry's `hint`.
 */
struct gpc_twin {
	__u64 client0;		/* client[0] */
	union {
		__u64 mark;	/* as in struct gpc_flow: last_seen, GPC_FLOW_TWIN, flags */
		struct {
			__u32 last_seen;
			__u8 state;
			__u8 flags;
			__u16 pad0;
		};
	};
	__u64 client1;
	__u64 vip[2];
	__be16 client_port;
	__be16 vip_port;
	__u32 pad1;
};

/*
 * The tables. Element way * sets + set holds what is entered in that way of a set. Two words of the set say, for its 8
 * ways, a byte each, whose it is (tags) and how old (ages). flow_table.h says which sets a key may be in, and
 * flow_table.bpf.h how a table is written; here is what a reader, and user space, may rely on.
 *
 *   - A way's byte of `tags` is 0 (free), GPC_FLOW_CLAIMED (somebody is writing the element), or a tag: 7 bits of the
 *     key's hash. A tag with GPC_FLOW_CLAIMED beside it is as good as without for readers; somebody is storing
 *     another element for the same key, and will take this one away.
 *   - `tags` changes by atomic operations on the whole word only. Who changed a way from free, or from an unlocked
 *     tag, to claimed or locked owns it until he gives it back, which is one atomic operation that cannot fail.
 *   - While a tag stands, key and value of the element do not change, but for the mark.
 *   - Before a claimed element is written its mark becomes 0; it gets its mark as the last word, and then its tag. So
 *     if the key is the same before and after words were read, and the mark in between has the key's tag, they
 *     are all of one entry. Loads and stores are taken to happen in order, as on x86.
 *   - A key has at most one element whose tag is not locked.
 *   - A byte of `ages` is a hint of gpc_flow_age(); it may be any. Only the mark says whether an entry may be
 *     evicted: if it was not seen for GPC_FLOW_SPARED_SECONDS.
 *
 * Of gpc_heads4 and 6, which are arrays of words, the first ones are the tags by set, then come the ages by set (who
 * looks for a flow needs no ages: so what he needs is half as large), then 128 random bits: the hash's key.
 */
#define GPC_FLOW_WAYS		8u
#define GPC_FLOW_CLAIMED	0x80u	/* in `tags` */
#define GPC_FLOW_BRIEF		0x80u	/* in `ages`: opening, closing or revoked */
#define GPC_FLOW_AGE_SHIFT	33
#define GPC_FLOW_SPARED_SECONDS	10u
#define GPC_FLOW_SECRET_WORDS	2u
/* One cache line. */
struct gpc_flow_element4 {
	struct gpc_flow_key4 key;
	struct gpc_flow flow;
};
/* Two; what a known flow needs lies in the first. */
struct gpc_flow_element6 {
	struct gpc_flow_key6 key;
	struct gpc_flow flow;
	__u64 pad0[5];
};
/* What the programs know of a table, in their .rodata.flows, by enum gpc_family. */
#define GPC_FLOW_SEED_WORDS 11u
struct gpc_flow_seed {
	__u64 word[GPC_FLOW_SEED_WORDS];
	__u32 mask;		/* sets - 1 */
	__u32 pad0;
};

/*
 * ---- metadata: XDP -> TC of the same packet, in front of the frame ----
 *
 * The kernel merges packets only if their metadata is equal: so all packets between two swaps have the
 * same 8 bytes, and only those that a policy marks have 16.
 */
struct gpc_meta {
	__u32 nonce;		/* low 32 bits of the plane's nonce */
	__u32 slot_generation;	/* slot 3 bits | generation 29 bits << 3 */
};
struct gpc_meta_mark {
	struct gpc_meta meta;
	__u32 mark;		/* for skb->mark */
	__u32 pad0;
};

_Static_assert(sizeof(struct gpc_counter) == 32, "counter");
_Static_assert(sizeof(struct gpc_next) == 16, "next");
_Static_assert(sizeof(struct gpc_flow_key4) == 16, "key4");
_Static_assert(sizeof(struct gpc_flow_key6) == 40, "key6");
_Static_assert(sizeof(struct gpc_flow) == 48, "flow");
_Static_assert(sizeof(struct gpc_twin) == 48, "twin");
_Static_assert(sizeof(struct gpc_flow_element4) == 64, "element4");
_Static_assert(sizeof(struct gpc_flow_element6) == 128, "element6");
_Static_assert(sizeof(struct gpc_endpoint_state) == 32, "endpoint state");
_Static_assert(sizeof(struct gpc_backend_state) == 64, "backend state");
_Static_assert(sizeof(struct gpc_rule_counter) == 64, "rule counter");
_Static_assert(sizeof(struct gpc_event) == 96, "event");
_Static_assert(sizeof(struct gpc_meta) == 8 && sizeof(struct gpc_meta_mark) == 16, "meta");
_Static_assert((int)GPC_REASON_COUNT <= (int)GPC_REASON_MAX, "reasons");

#endif
