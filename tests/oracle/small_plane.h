/* SPDX-License-Identifier: MIT */
/*
 * small_plane.h: random planes over a universe so small that every packet of it can be tried: 9 addresses of each
 * family, a few ports. A plane is plain data; it is written as YAML for the compiler, and what it means is found by
 * going through its rules one by one (SEMANTICS 4.3, 5, 6.1, 8), without anything of the compiler.
 */
#ifndef GPC_TESTS_SMALL_PLANE_H
#define GPC_TESTS_SMALL_PLANE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gpc/lookup/question.h"

/* ---- the universe ---- */

#define SMALL_BLOCK 8u				/* addresses of 10.0.0.0/29 and 2001:db8::/125 */
#define SMALL_FAMILY (SMALL_BLOCK + 1u)		/* and one outside */
#define SMALL_ADDRESSES (2u * SMALL_FAMILY)	/* v4 first */
#define SMALL_PACKETS_MAX 4096u

/* What a packet carries besides addresses, as in struct gpc_question. */
extern struct gpc_question small_packets[SMALL_PACKETS_MAX];
extern uint32_t small_packet_count;

/* `matched`: with VLANs, DSCPs and all kinds of flags and fragments; else few of them. */
void small_universe(bool matched);
void small_address(uint32_t address, __u64 out[2]);
static inline enum gpc_family small_family(uint32_t address)
{
	return address < SMALL_FAMILY ? GPC_V4 : GPC_V6;
}

/* ---- planes ---- */

#define SMALL_RULES 10u
#define SMALL_POLICIES 3u
#define SMALL_SEGMENTS 3u
#define SMALL_LISTENERS 3u
#define SMALL_PROTECTS 2u
#define SMALL_INTERFACES 2u

/* A union of prefixes (numbers of a fixed list) less one of them. */
struct small_set {
	uint8_t prefixes[2], count;
	uint8_t except;			/* 1 + prefix, 0: none */
};

struct small_rule {
	enum gpc_action action;
	struct small_set from, to;	/* count 0: any */
	uint8_t from_segment, to_segment;	/* 1 + segment instead, 0: none */
	bool to_listeners;		/* instead of `to` */
	uint8_t items[2], item_count;	/* ports, numbers of a fixed list */
	uint8_t flags, vlan, dscp, fragments;	/* match: 0 none, else 1 + number */
	uint8_t log, mark, rate;	/* 0: none */
	enum gpc_action exceed;		/* beyond the rate */
};

struct small_policy {
	uint8_t interfaces;		/* bits */
	enum gpc_direction direction;
	uint8_t rules[SMALL_RULES], rule_count;
	enum gpc_action fallback;
	bool audit;
};

struct small_listener {
	uint8_t prefix;
	uint8_t protocol;
	uint16_t first, last;		/* 0-65535: any */
	uint8_t interfaces;
};

struct small_protect {
	struct small_set from, to;
	uint8_t item;			/* 1 + number of a fixed list */
	uint8_t interfaces;
	enum gpc_direction direction;
};

struct small_plane {
	struct small_set segments[SMALL_SEGMENTS];
	struct small_rule rules[SMALL_RULES];
	uint8_t rule_count;
	struct small_policy policies[SMALL_POLICIES];	/* in order of priority */
	uint8_t policy_count;
	struct small_listener listeners[SMALL_LISTENERS];
	uint8_t listener_count;
	struct small_protect protects[SMALL_PROTECTS];
	uint8_t protect_count;
	uint8_t interfaces;		/* how many there are */
	uint8_t names[SMALL_INTERFACES];	/* of a fixed list, exact ones and patterns */
	bool stateful, mid_stream;
};

/* `matched` as in small_universe(). */
void small_plane_random(bool matched, struct small_plane *ret);
/* Changes one thing. */
void small_plane_edit(bool matched, struct small_plane *plane);
void small_plane_write(const struct small_plane *plane, FILE *out);

/* Devices: each name of the list takes some of them, in whatever planes. */
#define SMALL_DEVICES 8u
extern const char *const small_devices[SMALL_DEVICES];
/* Which of these names takes the device: its own, else the one with the longest head. `count`: none. */
uint32_t small_name_of(const char *device, const char *const *names, uint32_t count);
/* The plane's interface of a device; SMALL_INTERFACES: none. */
uint32_t small_interface(const struct small_plane *plane, const char *device);

/* ---- meaning ---- */

#define SMALL_DEFAULT 0xffu	/* as a rule: the policy's default */
#define SMALL_PROTECT 0xfeu	/* as a policy */
#define SMALL_NOBODY 0xffu	/* as a policy: nobody decided */

struct small_verdict {
	enum gpc_action action;		/* PASS: nobody decided */
	uint8_t policy, rule;		/* who did */
	bool logged;
	uint8_t mark, rate, listener;	/* listener: 1 + number; of what passes */
	bool at_times;			/* denied, but let through beyond the rate */
};

/* What a plane's rules hold, made once. */
struct small_tables {
	const struct small_plane *plane;
	uint32_t from[SMALL_ADDRESSES], to[SMALL_ADDRESSES];	/* bits: rules */
	uint32_t carries[SMALL_PACKETS_MAX];			/* bits: rules */
};
void small_tables_make(const struct small_plane *plane, struct small_tables *ret);

struct small_verdict small_judge(const struct small_tables *tables, bool enforce_audit, uint32_t interface,
				 enum gpc_direction direction, uint32_t source, uint32_t destination,
				 uint32_t packet);

bool small_opens(uint32_t packet);
/* All but TCP in mid-stream. */
bool small_is_asked(uint32_t packet);
bool small_passes(const struct small_verdict *verdict);
/* Is a packet treated differently? */
bool small_differ(const struct small_verdict *a, const struct small_verdict *b);

/* Addresses of a prefix of the fixed list, bits. */
uint32_t small_prefix(uint32_t prefix);
const char *small_prefix_text(uint32_t prefix);
#define SMALL_PREFIXES 16u

uint32_t small_random(uint32_t bound);
void small_seed(uint64_t seed);

#endif
