/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * image.h: the bytes of a `.gpi` image, shared by the compiler, the loader and the BPF programs.
 *
 *   0      struct gpc_image_head   envelope: magic, sizes, both digests
 *   256    struct gpc_plane        decision part: scalars, section directory, then the sections
 *   ...    provenance part         tool version, commit, source map (JSON text), never decides
 *   L      link part               page-aligned and last; zero in every file, written by the loader
 *
 * All integers are little-endian; all addresses and ports that are compared with a packet stand in
 * network byte order (`_be`). All offsets count bytes from byte 0 of the image. Every section starts
 * at a multiple of 128; records are 16, 32, 64 or 128 bytes so that none straddles a cache line, and so
 * that a program may mask an offset with (size class - 1) & ~(record - 1) and stay inside.
 * Padding is zero. The prose is schemas/image.v1.md.
 *
 * decision digest = SHA-256 of bytes [decision_offset, decision_offset + decision_size)
 * file digest     = SHA-256 of the whole file, its own 32 bytes taken as zero
 */
#ifndef GPC_IMAGE_H
#define GPC_IMAGE_H

#include <linux/types.h>

#include "limits.h"

#define GPC_IMAGE_MAGIC		0x31495047u	/* "GPI1" */
#define GPC_LINK_MAGIC		0x314b4c47u	/* "GLK1" */
#define GPC_IMAGE_VERSION	1u
#define GPC_IMAGE_ALIGN		128u	/* of sections: the greatest record */
#define GPC_PAGE		4096u
#define GPC_NONE		0xffffffffu
#define GPC_NONE16		0xffffu

struct gpc_image_head {
	__u32 magic;
	__u16 version;			/* of this format; readers refuse a newer one */
	__u16 head_size;		/* 256 */
	__u32 abi;			/* GPC_ABI_HASH: layout of plane, records and link part */
	__u32 flags;			/* 0 */
	__u32 size;			/* of the whole file in bytes, link part included */
	__u32 decision_offset;		/* 256 */
	__u32 decision_size;
	__u32 provenance_offset;
	__u32 provenance_size;
	__u32 link_offset;		/* multiple of GPC_PAGE */
	__u32 link_size;
	__u32 pad0;
	__u8 decision_digest[32];
	__u8 file_digest[32];
	__u8 pad1[144];
};

/* A table somewhere in the image: `count` records of `entry_size` bytes, size = count * entry_size. */
struct gpc_section {
	__u32 offset;
	__u32 size;
	__u32 count;
	__u32 entry_size;
};

/* The order is the order in the file: what a packet touches first stands first. */
#define GPC_SECTIONS(X)                                                                            \
	X(WORDS, "policy-words", __u32)                                                            \
	X(CHAIN, "chain", struct gpc_chain)                                                        \
	X(POLICY, "policy", struct gpc_policy)                                                     \
	X(CLASSIFIER, "classifier", struct gpc_classifier)                                         \
	X(RULE, "rule", struct gpc_rule)                                                           \
	X(VIP_DISP, "vip-displacement", __u32)                                                     \
	X(VIP, "vip", struct gpc_vip)                                                              \
	X(VIP_CHOICE, "vip-choice", struct gpc_vip_choice)                                         \
	X(VIP_PORTS, "vip-ports", struct gpc_vip_ports)                                            \
	X(LISTENER, "listener", struct gpc_listener)                                               \
	X(POOL, "pool", struct gpc_pool)                                                           \
	X(ENDPOINT, "endpoint", struct gpc_endpoint)                                               \
	X(EP_DISP, "endpoint-displacement", __u32)                                                 \
	X(EP_INDEX, "endpoint-index", __u32)                                                       \
	X(QUIC_DISP, "quic-displacement", __u32)                                                   \
	X(QUIC, "quic", struct gpc_quic)                                                           \
	X(MAGLEV, "maglev", __u16)                                                                 \
	X(TABLE, "table", struct gpc_table)                                                        \
	X(BACKEND, "backend", struct gpc_backend)                                                  \
	X(INTERFACE, "interface", struct gpc_interface)                                            \
	X(INVARIANT, "invariant", struct gpc_invariant)                                            \
	X(INVARIANT_WORDS, "invariant-words", __u32)                                               \
	X(NAMES, "names", char)

enum gpc_section_id {
#define X(id, name, type) GPC_SEC_##id,
	GPC_SECTIONS(X)
#undef X
	GPC_SEC_COUNT
};
#define GPC_SEC_MAX 24

/*
 * A perfect hash ("hash, displace"; after Belazzougui, Botelho, Dietzfelbinger, ESA 2009): bucket =
 * high half of the hash, slot = low half xor the bucket's displacement. One probe, no chains; the
 * record found is compared with the key. Both tables are powers of two; an empty set has one bucket
 * of displacement 0 and one empty slot.
 */
struct gpc_phash {
	__u64 seed;
	__u32 bucket_mask;
	__u32 slot_mask;
};

enum gpc_on_fail { GPC_ON_FAIL_PASS = 0, GPC_ON_FAIL_DROP = 1 };

#define GPC_PLANE_MALFORMED_DROP	(1u << 0)	/* defaults.malformed: drop */
#define GPC_PLANE_NON_IP_DROP		(1u << 1)	/* defaults.non-ip: drop */
#define GPC_PLANE_ON_FAIL_DROP		(1u << 2)	/* defaults.on-fail: drop */
#define GPC_PLANE_STATEFUL		(1u << 3)	/* a chain is stateful: what leaves makes flow entries */
#define GPC_PLANE_VIP_PORTS		(1u << 4)	/* a listener has a prefix, a port range or any port */
#define GPC_PLANE_NAT			(1u << 5)	/* a listener has `forward: nat`: replies are looked for */
#define GPC_PLANE_FRAGMENTS_SHIFT	6		/* 2 bits, enum gpc_fragments */

enum gpc_fragments { GPC_FRAGMENTS_L3_HASH = 0, GPC_FRAGMENTS_DROP = 1, GPC_FRAGMENTS_PASS = 2 };

/* Indexes of gpc_plane.timeout, in seconds. */
enum gpc_timeout {
	GPC_TIMEOUT_SYN,
	GPC_TIMEOUT_ESTABLISHED,
	GPC_TIMEOUT_CLOSING,
	GPC_TIMEOUT_CLOSED,
	GPC_TIMEOUT_UDP_NEW,
	GPC_TIMEOUT_UDP,
	GPC_TIMEOUT_ICMP,
	GPC_TIMEOUT_OTHER,
	GPC_TIMEOUT_COUNT
};

enum gpc_builtin {
	GPC_BUILTIN_ARP,
	GPC_BUILTIN_ND,
	GPC_BUILTIN_RA,
	GPC_BUILTIN_MLD,
	GPC_BUILTIN_ICMP_ERROR,
	GPC_BUILTIN_COUNT
};
enum gpc_builtin_action { GPC_BUILTIN_ALLOW, GPC_BUILTIN_DENY, GPC_BUILTIN_RULES };

/*
 * Address -> class, shared by all classifiers; index 0 the source side, 1 the destination side. An
 * address's class on a side is the number of the set of objects that hold it there. v4 and v6 lead to
 * the same classes. Offsets count words from byte 0 of the image; the tables lie in WORDS
 * (lookup/classify.h has their layout).
 */
struct gpc_tries {
	__u32 root4[2];		/* word of entry 0 of 65,536, by the high half of the address */
	__u32 root6[2];		/* word of the window that is asked first */
	__u32 wide[2];		/* 1: classes in pieces are u32, 0: u16 */
	__u32 classes[2];	/* how many there are */
	__u32 pad0[8];
};

/*
 * Lengths of the prefixes that some VIP entry is about, longest first; each stands plus one, 0 ends the
 * list. v4 lengths are those of the mapped prefix, 96 to 128. Whole addresses (128) are in it like others.
 */
struct gpc_vip_lengths {
	__u8 length[2][GPC_MAX_VIP_LENGTHS];	/* by enum gpc_family */
};

struct gpc_plane {
	/* line 0: every packet */
	__u32 format;			/* GPC_IMAGE_VERSION, so that it is part of the identity */
	__u32 flags;			/* GPC_PLANE_* */
	__u64 hash_seed[2];		/* key of the flow hash */
	struct gpc_phash vip;
	struct gpc_phash endpoint;
	__u32 name;			/* metadata.name, offset into NAMES */
	__u32 pad0;
	/* line 1 */
	__u32 flows;			/* entries per family */
	__u32 flow_inserts;		/* per second over all CPUs */
	__u32 timeout[GPC_TIMEOUT_COUNT];
	__u32 pickup;			/* seconds, 0: never, GPC_NONE: always */
	__u8 builtin[GPC_BUILTIN_COUNT];	/* enum gpc_builtin_action by enum gpc_builtin */
	__u8 pad1[3];
	__u32 protects;			/* records of RULE behind the built-ins that are `protect` items */
	__u32 epoch;			/* gpc_policies_epoch(): what flow entries compare instead of all stamps */
	__u32 pad2;
	struct gpc_tries tries;
	struct gpc_vip_lengths vip_lengths;
	struct gpc_phash quic;
	__u64 pad3[2];
	struct gpc_section section[GPC_SEC_MAX];
};

/*
 * WORDS stands first, so that its offset is a constant: the compiler writes the offsets inside it as
 * word offsets from byte 0 of the image and nothing is moved afterwards.
 */
#define GPC_WORDS_OFFSET ((sizeof(struct gpc_image_head) + sizeof(struct gpc_plane) + GPC_IMAGE_ALIGN - 1) / \
			  GPC_IMAGE_ALIGN * GPC_IMAGE_ALIGN)

/* ---- policies ---- */

enum gpc_direction { GPC_INGRESS = 0, GPC_EGRESS = 1 };

/* What a rule, a default or a chain says. */
enum gpc_action {
	GPC_ACTION_PASS = 0,	/* nobody decided; as a default: ask the next policy */
	GPC_ACTION_ALLOW = 1,
	GPC_ACTION_DENY = 2,
	GPC_ACTION_REJECT = 3,
	GPC_ACTION_LOG = 4,	/* not terminal */
	GPC_ACTION_MARK = 5,	/* not terminal */
};

#define GPC_CHAIN_STATEFUL		(1u << 0)
#define GPC_CHAIN_KEEP			(1u << 1)	/* existing: keep; else recheck */
#define GPC_CHAIN_MID_STREAM_ALLOW	(1u << 2)

/* All policies of one interface and direction, in the order in which they are asked. */
struct gpc_chain {
	__u64 stamp;		/* of what the chain means (SEMANTICS 5.4), never 0 */
	__u16 tag;		/* low bits of the interface's id: which chain a flow entry names; never 0 */
	__u16 interface;	/* index of INTERFACE */
	__u8 direction;		/* enum gpc_direction */
	__u8 flags;		/* GPC_CHAIN_* */
	__u8 policies;		/* 0: only `protect` items stand here, nobody decides the rest */
	__u8 pad0;
	__u16 policy[GPC_MAX_CHAIN_POLICIES];	/* index of POLICY */
	__u32 protect;		/* CLASSIFIER of the `protect` items, GPC_NONE: none */
	__u32 protect_base;	/* index of RULE + position of protect's classifier */
	__u32 pad1[6];
};

enum gpc_policy_mode { GPC_POLICY_ENFORCE = 0, GPC_POLICY_AUDIT = 1 };

/*
 * Position p of a policy is record first_rule + p of RULE; the last, first_rule + rules, is the
 * default's own (name `default`). The three classifiers give positions of the same list.
 */
struct gpc_policy {
	__u64 id;
	__u32 name;
	__u32 first_rule;
	__u32 rules;		/* without the default's record */
	__u32 decide;		/* CLASSIFIER of allow, deny, reject rules, GPC_NONE: none */
	__u32 log;		/* CLASSIFIER of log rules, GPC_NONE */
	__u32 mark;		/* CLASSIFIER of mark rules, GPC_NONE */
	__u8 mode;		/* enum gpc_policy_mode */
	__u8 fallback;		/* enum gpc_action: the default */
	__u16 priority;
	__u32 pad0[7];
};

#define GPC_CLASSIFIER_INDIRECT_SOURCE		(1u << 0)	/* class -> vector by a map, else by multiplication */
#define GPC_CLASSIFIER_INDIRECT_DESTINATION	(1u << 1)
#define GPC_CLASSIFIER_RANGES			(1u << 2)	/* cells name range records, else bits by L4 class */
#define GPC_CLASSIFIER_MATCH			(1u << 3)	/* some rule has a `match` */
#define GPC_CLASSIFIER_L4			(1u << 4)	/* there is an L4 class */

#define GPC_CLASSIFIER_GROUPS_MAX	8u

/*
 * One set of boxes (source set x destination set x service) -> position. `words:` is an offset in words
 * from byte 0 of the image; lookup/classify.h has the layout of what lies there.
 */
struct gpc_classifier {
	/* line 0: every lookup */
	__u32 flags;
	__u32 groups;
	__u32 source_map, destination_map;	/* words: class -> vector number (INDIRECT) */
	__u32 source_vector, destination_vector;	/* words: vectors of 1 << vector_shift words */
	__u32 vector_shift;
	__u32 cells, cell_count;		/* words: table of 4-word cells; how many */
	__u32 protocol, source_port, destination_port;	/* words: L4 stage */
	__u32 source_stride;			/* of a source port class in l4 */
	__u32 l4;				/* words: sums of classes -> L4 class */
	__u32 bits, bit_words;			/* words: bit matrix, its row size */
	/* line 1 */
	__u32 none;				/* GPC_NONE, where a lookup takes its first answer from */
	__u32 match, match_stride;		/* words: match stage; stride of its class in l4 */
	__u32 ranges, range_match;		/* words: range records, their match classes */
	__u32 residual, residuals;		/* words, count: boxes asked one by one */
	__u32 boxes, specs, l4_classes;		/* facts for -v and inspect */
	__u32 loads;				/* worst number of dependent loads, trie included */
	__u32 bytes;				/* of its own words */
	__u32 pad0[4];
};

#define GPC_RULE_RATE		(1u << 0)
#define GPC_RULE_RATE_SOURCE	(1u << 1)	/* a bucket per source address */
#define GPC_RULE_RATE_BYTES	(1u << 2)
#define GPC_RULE_DEFAULT	(1u << 3)	/* a policy's default */
#define GPC_RULE_PROTECT	(1u << 4)
#define GPC_RULE_BUILTIN	(1u << 5)

/*
 * What can decide, each with counters by its identity. Order: the built-ins by enum gpc_builtin, the
 * `protect` items by name, then the rules of each policy by position and its default.
 */
struct gpc_rule {
	__u64 id;
	__u32 name;
	__u32 policy;		/* index of POLICY, GPC_NONE: built-in or protect */
	__u8 action;		/* enum gpc_action */
	__u8 exceed;		/* enum gpc_action beyond the rate */
	__u16 flags;		/* GPC_RULE_* */
	__u32 mark;		/* 0: none */
	__u32 log_sample;	/* one of so many; 0: no log */
	__u32 log_rate;		/* events per second and CPU */
	__u64 rate_cost;	/* ns of credit that a packet costs; RATE_BYTES: bytes per second */
	__u64 rate_burst;	/* ns of credit: burst * cost of one */
	__u32 rate_entries;	/* buckets, a power of two; 0: no rate */
	__u32 pad0;
	__u64 expires;		/* UTC seconds, 0: never; decides nothing in this version */
};

#define GPC_IPPROTO_ADDRESS 0	/* gpc_vip.protocol of the entry that says "a listener's address" */

/*
 * VIP entry. Key: prefix (v4 as ::ffff:a.b.c.d, host bits zero), port, protocol, kind. An empty slot is all
 * zero (no listener has address ::; prefix ::/0 has no EXACT entry).
 *
 * EXACT    a whole address with one port. The commonest, found by one probe.
 * PORTS    port_be holds the prefix length (host order, of 128 bits): the ports of the listeners with this
 *          prefix and protocol but for those that EXACT entries hold, as `ports` disjoint intervals in
 *          VIP_PORTS from `listener` on.
 * SOLE     port_be holds the length: the only listener for the prefix and protocol, counting those of
 *          shorter prefixes that cover it; GPC_NONE: there are several. For later fragments.
 * ADDRESS  port_be holds the length, protocol is GPC_IPPROTO_ADDRESS: "this is a listener's address";
 *          `listener` says what is the same for all listeners of the prefix (GPC_VIP_ADDRESS_*).
 *
 * With GPC_VIP_CHOICE `listener` (EXACT, SOLE) is the first index of a run of VIP_CHOICE: several listeners
 * share the key on disjoint interfaces. On interfaces that a run of SOLE leaves out there are several.
 */
enum gpc_vip_kind {
	GPC_VIP_EXACT,
	GPC_VIP_PORTS,
	GPC_VIP_SOLE,
	GPC_VIP_ADDRESS
};
#define GPC_VIP_KIND	3u		/* bits of gpc_vip.flags: enum gpc_vip_kind */
#define GPC_VIP_CHOICE	(1u << 2)

#define GPC_VIP_ADDRESS_PING(says)	((says) & 3u)			/* enum gpc_ping */
#define GPC_VIP_ADDRESS_FORWARDS(says)	((says) >> 8 & 0xffu)		/* bit 1 << enum gpc_forward */
#define GPC_VIP_ADDRESS_GUE_PORT(says)	((__be16)((says) >> 16))	/* 0: no listener has `gue` */
#define GPC_VIP_ADDRESS_SAYS(ping, forwards, gue_port_be)                                          \
	((__u32)(ping) | (__u32)(forwards) << 8 | (__u32)(gue_port_be) << 16)

struct gpc_vip {
	__u64 address_be[2];
	__be16 port_be;
	__u8 protocol;
	__u8 flags;
	__u32 listener;
	union {
		__u64 interfaces;	/* bit i: valid on interface i (ADDRESS, SOLE: union); never 0 */
		__u64 ports;		/* PORTS: number of intervals */
	};
};

/* Intervals of one entry: every listener cuts at most two ports. */
#define GPC_VIP_INTERVALS_MAX	(2u * GPC_MAX_LISTENERS + 1u)

/*
 * The listeners of the ports from `first` on, to the next interval's first or 65535; sorted, the first
 * interval begins at 0. Which of them is the most specific has been decided, interface by interface.
 * GPC_NONE: none.
 */
struct gpc_vip_ports {
	__u64 interfaces;
	__u32 listener;		/* with GPC_VIP_CHOICE in `flags`: first index of VIP_CHOICE */
	__u16 first;		/* host order */
	__u8 flags;
	__u8 last;		/* 1: of its entry's intervals */
};

/* One of the listeners that share a key; a run ends with the record whose `last` is 1. */
struct gpc_vip_choice {
	__u64 interfaces;
	__u32 listener;
	__u32 last;
};

enum gpc_forward {
	GPC_FORWARD_IPIP = 1,
	GPC_FORWARD_DSR = 2,
	GPC_FORWARD_GUE = 3,
	GPC_FORWARD_NAT = 4,
	GPC_FORWARD_PASS = 5
};
enum gpc_family { GPC_V4 = 0, GPC_V6 = 1 };

/* Where a family of a listener looks for an endpoint; copied from TABLE so that one load suffices. */
struct gpc_table_ref {
	__u32 offset;		/* of the table's first u16; GPC_NONE: the listener has no address of this family */
	__u32 size;		/* number of u16 slots; 0: nobody takes new flows */
	__u32 first_endpoint;	/* slot value v means endpoint first_endpoint + v */
	__u32 table;		/* index of TABLE */
};

/* What of a packet is hashed (SEMANTICS 6.3); what is not stands as zero in the hash's input. */
enum gpc_hash {
	GPC_HASH_5_TUPLE,
	GPC_HASH_SOURCE_IP,
	GPC_HASH_SOURCE_IP_PORT,
	GPC_HASH_DESTINATION_PORT
};
enum gpc_affinity { GPC_AFFINITY_NONE, GPC_AFFINITY_SOURCE_IP, GPC_AFFINITY_QUIC_CID };
enum gpc_ping { GPC_PING_REPLY, GPC_PING_PASS, GPC_PING_DROP };

#define GPC_LISTENER_STABLE		(1u << 0)
#define GPC_LISTENER_SNAT		(1u << 1)
#define GPC_LISTENER_MSS_CLAMP		(1u << 2)
#define GPC_LISTENER_SYN_COOKIES	(1u << 3)
#define GPC_LISTENER_POOLS		(1u << 4)	/* split, or a backend with failover: ask POOL */
#define GPC_LISTENER_RATE		(1u << 5)
#define GPC_LISTENER_RATE_SOURCE	(1u << 6)
#define GPC_LISTENER_RATE_BYTES		(1u << 7)
#define GPC_DSCP_COPY 0xffu

struct gpc_listener {
	/* line 0: every packet */
	__u64 id;
	struct gpc_table_ref table[2];	/* by enum gpc_family of the listener's address: the first pool's */
	__u8 forward;			/* enum gpc_forward */
	__u8 protocol;
	__be16 port_be;			/* first port; 0: any */
	__be16 port_last_be;
	__u16 flags;			/* GPC_LISTENER_* */
	__u8 hash;			/* enum gpc_hash */
	__u8 affinity;			/* enum gpc_affinity */
	__u8 outer_dscp;		/* 0..63, GPC_DSCP_COPY */
	__u8 quic_length;		/* bytes of the endpoints' quic-id, 0: none */
	__be16 gue_port_be;
	__u16 pools;			/* of the split, or 1; 0: `pass` */
	__u32 first_pool;		/* index of POOL */
	__u32 pad0;
	/* line 1 */
	__u32 backend;			/* of the first pool, GPC_NONE: `pass` */
	__u32 name;
	__u32 affinity_timeout;		/* seconds */
	__u8 ping;			/* enum gpc_ping */
	__u8 rate_exceed;		/* enum gpc_action beyond the rate */
	__u16 pad1;
	__u64 rate_cost;		/* as in struct gpc_rule */
	__u64 rate_burst;
	__u32 rate_entries;
	__u32 pad2;
	__u64 pad3[3];
};

/*
 * A backend as one listener's new flows see it. The pools of a split stand in name order of their backends;
 * pool i takes a flow whose split hash (draw GPC_DRAW_SPLIT), scaled to the sum of weights, is below `until`
 * and not below that of the pool before. Pools that are only failed over to stand behind, their `until`
 * is 0.
 */
struct gpc_pool {
	struct gpc_table_ref table[2];	/* by enum gpc_family */
	__u32 until;			/* sum of the weights up to and with this pool */
	__u32 total;			/* sum of all weights of the split */
	__u32 backend;
	__u32 failover;			/* index of POOL, GPC_NONE; at most GPC_MAX_FAILOVER in a row */
	__u64 pad0[2];
};

/* The draws of SEMANTICS 6.3 number the flow hash; the split has its own. */
#define GPC_DRAWS	16u
#define GPC_DRAW_SPLIT	16u

enum gpc_state { GPC_STATE_READY = 0, GPC_STATE_DRAIN = 1, GPC_STATE_MAINT = 2 };

#define GPC_ENDPOINT_V4		(1u << 0)	/* address4_be is valid */
#define GPC_ENDPOINT_V6		(1u << 1)	/* address6_be is valid */
#define GPC_ENDPOINT_KEEP	(1u << 2)	/* known flows stay (ready or drain) */
#define GPC_ENDPOINT_FIB	(1u << 3)	/* backend has next-hop: fib */

/* Endpoints stand by backend index, inside a backend by id; Maglev slots count inside the backend. */
struct gpc_endpoint {
	__u64 id;
	__u64 address6_be[2];
	__be32 address4_be;
	__u16 weight;
	__u8 state;
	__u8 flags;
	__u32 backend;
	__u32 name;
	__be16 port_be;		/* 0: the packet's */
	__u8 quic_length;	/* 0: no quic-id */
	__u8 pad0;
	__u32 by_name;		/* of the i-th endpoint of a backend: which one is the i-th in name order */
	__u8 quic_id[16];	/* zero behind its end */
};

/* Perfect hash (gpc_plane.quic) of gpc_phash_mix(seed, id[0], id[1], backend): QUIC-LB server ids. */
struct gpc_quic {
	__u64 id[2];		/* as in gpc_endpoint.quic_id */
	__u32 backend;
	__u32 endpoint;		/* index + 1; 0: empty */
	__u64 pad0;
};

/* A distinct Maglev table; listeners and families that see the same endpoints share it. */
struct gpc_table {
	__u32 offset;
	__u32 size;
	__u32 backend;
	__u32 endpoints;	/* how many endpoints have at least one slot */
};

enum gpc_rebalance { GPC_REBALANCE_FRESH = 0, GPC_REBALANCE_MINIMAL = 1 };
enum gpc_next_hop { GPC_NEXT_HOP_AUTO = 0, GPC_NEXT_HOP_FIB = 1, GPC_NEXT_HOP_ADDRESS = 2 };

struct gpc_backend {
	__u64 id;
	__u64 next_hop_be[2];	/* GPC_NEXT_HOP_ADDRESS: the gateway, v4 as ::ffff:a.b.c.d */
	__u32 first_endpoint;
	__u32 endpoints;
	__u32 table_size;
	__u32 name;
	__u8 next_hop;		/* enum gpc_next_hop */
	__u8 rebalance;		/* enum gpc_rebalance */
	__u16 min_healthy;	/* hundredths of a percent */
	__u32 failover;		/* index of BACKEND, GPC_NONE */
	__u64 pad0[2];
};

enum gpc_mode { GPC_MODE_NATIVE = 0, GPC_MODE_GENERIC = 1, GPC_MODE_ANY = 2 };
enum gpc_role { GPC_ROLE_EDGE = 0, GPC_ROLE_DECAP = 1 };
#define GPC_HOOK_XDP		(1u << 0)
#define GPC_HOOK_TC_INGRESS	(1u << 1)
#define GPC_HOOK_TC_EGRESS	(1u << 2)

/* Interfaces stand in name order; index i is bit i of an interface mask. */
struct gpc_interface {
	__u64 id;
	__u32 name;		/* as written, with its final `*` if it is a pattern */
	__u8 mode;
	__u8 role;
	__u8 hooks;
	__u8 pattern;		/* 1: the name ends in `*` */
	__u64 pad0[2];
};

/* ---- invariants: read by nothing that decides, proved before an image is switched to ---- */

enum gpc_invariant_form {
	GPC_INVARIANT_NEVER = 1,
	GPC_INVARIANT_ALWAYS = 2,
	GPC_INVARIANT_ONLY = 3,
	GPC_INVARIANT_REMAP = 4,
	GPC_INVARIANT_LIMITS = 5	/* of memory, lookups or both */
};

#define GPC_INVARIANT_EGRESS	(1u << 0)	/* the egress chain of `interface` */
#define GPC_INVARIANT_ENFORCED	(1u << 1)	/* `when: enforced` */

/*
 * Boxes are of INVARIANT_WORDS: source set, destination set, service, three words each. `words:` counts from
 * the start of that section, which holds, one behind the other and nothing else: the number of sets, the number
 * of services, the sets, the services, the boxes of each invariant and then what it allows.
 *
 * A set is the number of its ranges, then for each the first and the last address, 4 words each in memory
 * order, v4 as ::ffff:a.b.c.d; sorted, disjoint, each range of one family. A service is the number of its
 * items, then for each: first protocol | last protocol << 8, first and last destination port (0..65536;
 * GPC_PORT_NONE: no port; ICMP: type << 8 | code).
 */
struct gpc_invariant {
	__u64 id;
	__u32 name;
	__u8 form;		/* enum gpc_invariant_form */
	__u8 flags;		/* GPC_INVARIANT_* */
	__u16 max;		/* REMAP: hundredths of a percent */
	__u32 interface;	/* index of INTERFACE; GPC_NONE: what arrives on any */
	__u32 boxes, box_count;	/* words: the packets it is about */
	__u32 allowed, allowed_count;	/* words: ONLY: those among them that may pass */
	__u32 backend;		/* REMAP: index of BACKEND, else GPC_NONE */
	__u32 memory;		/* LIMITS: most bytes; 0: none */
	__u32 max_lookups;	/* LIMITS: 0: none */
	__u64 pad0[2];
};

/* ---- link part: what differs per host. Arrays follow the head at the offsets it names. ---- */

#define GPC_DEVICE_SLOTS	1024u	/* power of two; home = ifindex * mult >> 22 */
#define GPC_DEVICE_PROBES	4u

/*
 * What any gpc can read of an image that any other has linked, whatever their layouts: so slots stay by
 * identity over an upgrade and back. Frozen: magic and link_offset in gpc_image_head; magic, generation and
 * objects in gpc_link_head; this record; a stable id in the first 8 bytes of each record of these kinds; in
 * their link records the counter at byte 0, and of listeners and rules the first bucket at byte 4 and the
 * number of buckets at byte 8.
 */
enum gpc_linked_kind {
	GPC_LINKED_LISTENER,
	GPC_LINKED_ENDPOINT,
	GPC_LINKED_BACKEND,
	GPC_LINKED_RULE,
	GPC_LINKED_COUNT
};
struct gpc_linked_objects {
	__u32 count;
	__u32 record, record_size;	/* from byte 0 of the image */
	__u32 link, link_size;
};

struct gpc_link_head {
	__u32 magic;		/* 0 in a file, GPC_LINK_MAGIC once linked */
	__u32 generation;	/* 29 bits; distinct among the images that one plane can hold */
	__u32 device_mult;	/* odd; chosen so that every device sits within 4 probes of home */
	__u32 device_offset;	/* GPC_DEVICE_SLOTS x struct gpc_link_device */
	__u32 listener_offset;	/* by listener index x struct gpc_link_listener */
	__u32 endpoint_offset;	/* by endpoint index x struct gpc_link_endpoint */
	__u64 nonce;		/* of the plane: metadata is believed only with its low 32 bits */
	__u32 cpus;		/* online CPUs, to share flow_inserts */
	__u32 rule_offset;	/* by rule index x struct gpc_link_rule */
	__u32 backend_offset;	/* by backend index x struct gpc_link_backend */
	__u32 pad0[5];
	struct gpc_linked_objects objects[GPC_LINKED_COUNT];
	__u32 pad1[12];
};

#define GPC_DEVICE_META	(1u << 0)	/* tc-ingress is bound: XDP writes metadata */
struct gpc_link_device {
	__u32 ifindex;		/* 0: empty slot */
	__u16 interface;	/* index of INTERFACE, GPC_NONE16: only sent through */
	__u16 flags;
	__u64 interface_bit;	/* 1 << interface, 0 when GPC_NONE16 */
	__u8 mac[6];
	__u16 mtu;		/* L3 MTU, 65535 when larger */
	__u16 chain[2];		/* index of CHAIN by enum gpc_direction, GPC_NONE16: none */
	__u32 pad0;
};

struct gpc_link_listener {
	__u32 counter;		/* slot of gpc_counters */
	__u32 rate;		/* first bucket of gpc_rate, GPC_NONE: no rate */
	__u32 buckets;
	__u32 pad0;
};

struct gpc_link_endpoint {
	__u32 counter;		/* slot of gpc_counters, and of gpc_endpoints */
	__u32 next[2];		/* slots of gpc_next by enum gpc_family of the address sent to; GPC_NONE: none */
	__be32 source4_be;	/* outer source addresses for encapsulation; 0: none */
	__u64 source6_be[2];
};

struct gpc_link_backend {
	__u32 counter;		/* slot of gpc_counters, and of gpc_backends */
	__u32 pad0[3];
};

struct gpc_link_rule {
	__u32 counter;		/* slot of gpc_rules */
	__u32 rate;		/* first bucket of gpc_rate, GPC_NONE: no rate */
	__u32 buckets;
	__u32 pad0;
};

/* Size of the link part in bytes, a multiple of GPC_PAGE: fixed by the counts, so the compiler reserves it. */
#define GPC_LINK_SIZE(listeners, endpoints, rules, backends)                                       \
	((sizeof(struct gpc_link_head) + GPC_DEVICE_SLOTS * sizeof(struct gpc_link_device) +       \
	  ((listeners) + 3u) / 4u * 4u * sizeof(struct gpc_link_listener) +                        \
	  ((endpoints) + 1u) / 2u * 2u * sizeof(struct gpc_link_endpoint) +                        \
	  ((backends) + 3u) / 4u * 4u * sizeof(struct gpc_link_backend) +                          \
	  ((rules) + 3u) / 4u * 4u * sizeof(struct gpc_link_rule) + GPC_PAGE - 1u) /               \
	 GPC_PAGE * GPC_PAGE)

/*
 * ABI hash: changes whenever a layout above changes. It is checked in (not computed at run time);
 * tests/unit holds it against a hash over all sizes and offsets and prints the new value.
 */
#define GPC_ABI_HASH 0xa678b50fu

#define GPC_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
GPC_ASSERT_SIZE(struct gpc_image_head, 256);
GPC_ASSERT_SIZE(struct gpc_section, 16);
GPC_ASSERT_SIZE(struct gpc_phash, 16);
GPC_ASSERT_SIZE(struct gpc_tries, 64);
GPC_ASSERT_SIZE(struct gpc_plane, 256 + 16 * GPC_SEC_MAX);
GPC_ASSERT_SIZE(struct gpc_chain, 64);
GPC_ASSERT_SIZE(struct gpc_policy, 64);
GPC_ASSERT_SIZE(struct gpc_classifier, 128);
GPC_ASSERT_SIZE(struct gpc_rule, 64);
GPC_ASSERT_SIZE(struct gpc_link_rule, 16);
GPC_ASSERT_SIZE(struct gpc_vip, 32);
GPC_ASSERT_SIZE(struct gpc_vip_choice, 16);
GPC_ASSERT_SIZE(struct gpc_table_ref, 16);
GPC_ASSERT_SIZE(struct gpc_listener, 128);
GPC_ASSERT_SIZE(struct gpc_pool, 64);
GPC_ASSERT_SIZE(struct gpc_quic, 32);
GPC_ASSERT_SIZE(struct gpc_vip_ports, 16);
GPC_ASSERT_SIZE(struct gpc_endpoint, 64);
GPC_ASSERT_SIZE(struct gpc_table, 16);
GPC_ASSERT_SIZE(struct gpc_backend, 64);
GPC_ASSERT_SIZE(struct gpc_interface, 32);
GPC_ASSERT_SIZE(struct gpc_invariant, 64);
GPC_ASSERT_SIZE(struct gpc_linked_objects, 20);
GPC_ASSERT_SIZE(struct gpc_link_head, 192);
GPC_ASSERT_SIZE(struct gpc_link_device, 32);
GPC_ASSERT_SIZE(struct gpc_link_listener, 16);
GPC_ASSERT_SIZE(struct gpc_link_endpoint, 32);
GPC_ASSERT_SIZE(struct gpc_link_backend, 16);

#endif
