/* SPDX-License-Identifier: MIT */
/*
 * spaces.h: random spaces of boxes, small and nasty, and questions that lie on the edges of their boxes.
 * The same numbers give the same spaces.
 */
#ifndef GPC_TESTS_CLASSIFY_SPACES_H
#define GPC_TESTS_CLASSIFY_SPACES_H

#include <string.h>

#include "classify/classify.h"

struct spaces_random {
	uint64_t state;
	uint32_t field;		/* of `match`: only this and the next, else there are too many classes */
};

static inline uint32_t spaces_number(struct spaces_random *r, uint32_t below)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)(((r->state * 0x2545f4914f6cdd1dull >> 32) * below) >> 32);
}

enum spaces_kind {
	SPACES_SIMPLE,		/* v4 prefixes, tcp and udp ports */
	SPACES_NESTED,		/* prefixes inside each other, both families */
	SPACES_UNIONS,		/* sets of many prefixes that share some */
	SPACES_PORTS,		/* ranges of both ports, edges, none */
	SPACES_MATCH,		/* every kind of match */
	SPACES_ANY,		/* all wildcards but one field */
	SPACES_ALL,		/* of everything */
	SPACES_KINDS
};

struct spaces_space {
	struct gpc_space space;
	struct gpc_box_list lists[4];
	size_t list_count;
};

static inline struct gpc_prefix spaces_prefix(struct spaces_random *r, enum spaces_kind kind)
{
	struct gpc_prefix p = {.v4 = kind == SPACES_SIMPLE || spaces_number(r, 2)};
	uint32_t width = p.v4 ? 32 : 128, first = p.v4 ? 12 : 0;

	p.length = (uint8_t)(kind == SPACES_NESTED ? spaces_number(r, width + 1) :
						     width - spaces_number(r, width / 2 + 1));
	if (p.v4)
		p.ip.bytes[10] = p.ip.bytes[11] = 0xff;
	/* Few different bits, so that prefixes meet. */
	for (uint32_t bit = 0; bit < p.length; bit++) {
		bool set = bit % 7 == 0 ? spaces_number(r, 2) : bit % 3 == 0 && spaces_number(r, 8) == 0;

		if (set)
			p.ip.bytes[first + bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	if (!p.v4 && gpc_ip_is_v4(&p.ip))
		p.ip.bytes[0] = 0x20;
	return p;
}

static inline struct gpc_set spaces_set(struct gpc_arena *arena, struct spaces_random *r,
					enum spaces_kind kind)
{
	struct gpc_prefix prefixes[24];
	uint32_t n = kind == SPACES_UNIONS ? 1 + spaces_number(r, 24) : 1 + spaces_number(r, 6) / 5;

	if (kind == SPACES_ANY || spaces_number(r, 10) == 0)
		return gpc_set_all(arena);
	if (spaces_number(r, 40) == 0)
		return (struct gpc_set){0};
	for (uint32_t i = 0; i < n; i++)
		prefixes[i] = spaces_prefix(r, kind);
	return gpc_set_of_prefixes(arena, prefixes, n);
}

static inline struct gpc_port_range spaces_ports(struct spaces_random *r, enum spaces_kind kind)
{
	static const uint32_t edges[] = {0, 1, 22, 80, 255, 256, 443, 1023, 1024, 65534, 65535, 65536};
	uint32_t a, b;

	switch (spaces_number(r, kind == SPACES_PORTS ? 6 : 3)) {
	case 0:
		return GPC_ANY_PORT;
	case 1:
	case 2:
		a = edges[spaces_number(r, 12)];
		return (struct gpc_port_range){a, a};
	case 3:
		return (struct gpc_port_range){edges[spaces_number(r, 12)], GPC_PORT_NONE};
	default:
		a = spaces_number(r, 65537);
		b = spaces_number(r, 65537);
		return (struct gpc_port_range){a < b ? a : b, a < b ? b : a};
	}
}

static inline struct gpc_match spaces_match(struct spaces_random *r)
{
	struct gpc_match match = GPC_MATCH_ANY;

	switch ((r->field + spaces_number(r, 2)) % 4) {
	case 0:
		match.tcp_flags = spaces_number(r, 2) ? 0x2222 : 1u << GPC_ASK_SYN;
		break;
	case 1:
		match.vlan = (uint16_t)(spaces_number(r, 2) ? GPC_VLAN_NONE : 100);
		break;
	case 2:
		match.dscp = 1ull << (spaces_number(r, 2) ? 46 : 0);
		break;
	default:
		match.fragments = (uint8_t)(1u << spaces_number(r, 3));
		break;
	}
	return match;
}

static inline struct gpc_service spaces_service(struct gpc_arena *arena, struct spaces_random *r,
						enum spaces_kind kind)
{
	uint32_t n = 1 + spaces_number(r, 4) / 2;
	struct gpc_service_item *items = GPC_NEW_ARRAY(arena, struct gpc_service_item, n);
	struct gpc_service service = {items, n, GPC_MATCH_ANY};

	for (uint32_t i = 0; i < n; i++) {
		uint8_t protocol = (uint8_t)(spaces_number(r, 3) ? 6 : 17);

		items[i] = (struct gpc_service_item){protocol, protocol, GPC_ANY_PORT,
						     spaces_ports(r, kind)};
		if (kind == SPACES_PORTS || kind == SPACES_ALL)
			items[i].source = spaces_ports(r, kind);
		if (spaces_number(r, 8) == 0) {
			items[i].protocol_first = (uint8_t)spaces_number(r, 7);
			items[i].protocol_last = (uint8_t)(spaces_number(r, 2) ? 255 : 17);
		}
	}
	if (spaces_number(r, 6) == 0)
		items[0] = (struct gpc_service_item){0, 255, GPC_ANY_PORT, GPC_ANY_PORT};
	if ((kind == SPACES_MATCH || kind == SPACES_ALL) && spaces_number(r, 3))
		service.match = spaces_match(r);
	return service;
}

/* `boxes` in each of 1 to 4 lists. */
static inline struct spaces_space spaces_make(struct gpc_arena *arena, struct spaces_random *r,
					      enum spaces_kind kind, uint32_t boxes)
{
	uint32_t set_count = 2 + boxes / 2, service_count = 1 + boxes / 3;
	struct gpc_set *sets = GPC_NEW_ARRAY(arena, struct gpc_set, set_count);
	struct gpc_service *services = GPC_NEW_ARRAY(arena, struct gpc_service, service_count);
	struct spaces_space s = {{sets, set_count, services, service_count}, {{0}}, 1 + spaces_number(r, 4)};

	for (uint32_t i = 0; i < set_count; i++)
		sets[i] = spaces_set(arena, r, kind == SPACES_ALL ? spaces_number(r, SPACES_ALL) : kind);
	r->field = spaces_number(r, 4);
	for (uint32_t i = 0; i < service_count; i++)
		services[i] = spaces_service(arena, r, kind);
	for (size_t l = 0; l < s.list_count; l++) {
		struct gpc_box *list = GPC_NEW_ARRAY(arena, struct gpc_box, boxes);
		uint32_t position = 0;

		for (uint32_t i = 0; i < boxes; i++) {
			list[i] = (struct gpc_box){spaces_number(r, set_count), spaces_number(r, set_count),
						   spaces_number(r, service_count), position};
			position += spaces_number(r, 4) != 0;
		}
		s.lists[l] = (struct gpc_box_list){list, boxes};
	}
	return s;
}

/* An address at an edge of the set, or any. */
static inline void spaces_address(struct spaces_random *r, const struct gpc_set *set, __u64 address[2])
{
	uint8_t bytes[16];

	if (!set->count || spaces_number(r, 8) == 0) {
		for (int i = 0; i < 16; i++)
			bytes[i] = (uint8_t)spaces_number(r, 256);
		if (spaces_number(r, 2)) {
			memset(bytes, 0, 10);
			bytes[10] = bytes[11] = 0xff;
		}
	} else {
		const struct gpc_range *range = &set->ranges[spaces_number(r, (uint32_t)set->count)];
		bool last = spaces_number(r, 2);
		uint32_t step = spaces_number(r, 3);

		memcpy(bytes, last ? &range->last : &range->first, sizeof(bytes));
		for (int i = 15; step == 1 && i >= 0 && ++bytes[i] == 0; i--)
			;
		for (int i = 15; step == 2 && i >= 0 && bytes[i]-- == 0; i--)
			;
	}
	memcpy(address, bytes, sizeof(bytes));
}

static inline bool spaces_is_v4(const __u64 address[2])
{
	struct gpc_ip ip;

	memcpy(&ip, address, sizeof(ip));
	return gpc_ip_is_v4(&ip);
}

static inline uint32_t spaces_port(struct spaces_random *r, struct gpc_port_range range)
{
	uint32_t port = spaces_number(r, 2) ? range.first : range.last, step = spaces_number(r, 4);

	if (step == 0 && port < GPC_PORT_NONE)
		port++;
	else if (step == 1 && port > 0)
		port--;
	return spaces_number(r, 8) ? port : spaces_number(r, 65537);
}

/* A question near a box of the list. Both addresses are of one family, as in any packet. */
static inline struct gpc_question spaces_question(struct spaces_random *r, const struct gpc_space *space,
						  const struct gpc_box_list *list)
{
	const struct gpc_box *box = &list->boxes[spaces_number(r, (uint32_t)list->count)];
	const struct gpc_service *service = &space->services[box->service];
	const struct gpc_service_item *item =
		&service->items[spaces_number(r, (uint32_t)service->count)];
	static const uint16_t vlans[] = {GPC_VLAN_NONE, 100, 101, 0, 4095};
	struct gpc_question q = {.protocol = spaces_number(r, 2) ? item->protocol_first :
								   item->protocol_last};

	spaces_address(r, &space->sets[box->source], q.source);
	for (int tries = 0; tries < 8; tries++) {
		spaces_address(r, &space->sets[box->destination], q.destination);
		if (spaces_is_v4(q.source) == spaces_is_v4(q.destination))
			break;
	}
	if (spaces_is_v4(q.source) != spaces_is_v4(q.destination))
		memcpy(q.destination, q.source, sizeof(q.destination));
	q.family = spaces_is_v4(q.source) ? GPC_V4 : GPC_V6;
	q.source_port = spaces_port(r, item->source);
	q.destination_port = spaces_port(r, item->destination);
	q.vlan = vlans[spaces_number(r, 5)];
	q.tcp_flags = (uint8_t)spaces_number(r, 16);
	q.dscp = (uint8_t)(spaces_number(r, 2) ? 46 : spaces_number(r, 64));
	q.fragment = (uint8_t)spaces_number(r, 3);
	return q;
}

#endif
