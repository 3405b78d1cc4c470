/* SPDX-License-Identifier: MIT */
#include "region.h"

#include <netinet/in.h>
#include <string.h>

#define PORTS ((struct gpc_port_range){0, 65535})
#define NO_PORT ((struct gpc_port_range){GPC_PORT_NONE, GPC_PORT_NONE})
#define NO_FLAGS 1u /* the combination 0 only */
#define WHOLE_OR_FIRST (1u << GPC_FRAGMENT_NONE | 1u << GPC_FRAGMENT_FIRST)
#define LATER (1u << GPC_FRAGMENT_LATER)

/* The packets that can exist, by what they carry behind the IP header. */
static const struct {
	struct gpc_service_item item;
	uint16_t tcp_flags;
	uint8_t fragments;
} kinds[] = {
	{{IPPROTO_TCP, IPPROTO_TCP, PORTS, PORTS}, 0xffff, WHOLE_OR_FIRST},
	{{IPPROTO_UDP, IPPROTO_UDP, PORTS, PORTS}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_SCTP, IPPROTO_SCTP, PORTS, PORTS}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_ICMP, IPPROTO_ICMP, NO_PORT, PORTS}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_ICMPV6, IPPROTO_ICMPV6, NO_PORT, PORTS}, NO_FLAGS, WHOLE_OR_FIRST},
	{{0, IPPROTO_ICMP - 1, NO_PORT, NO_PORT}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_ICMP + 1, IPPROTO_TCP - 1, NO_PORT, NO_PORT}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_TCP + 1, IPPROTO_UDP - 1, NO_PORT, NO_PORT}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_UDP + 1, IPPROTO_ICMPV6 - 1, NO_PORT, NO_PORT}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_ICMPV6 + 1, IPPROTO_SCTP - 1, NO_PORT, NO_PORT}, NO_FLAGS, WHOLE_OR_FIRST},
	{{IPPROTO_SCTP + 1, 255, NO_PORT, NO_PORT}, NO_FLAGS, WHOLE_OR_FIRST},
	{{0, 255, NO_PORT, NO_PORT}, NO_FLAGS, LATER},
};

/* ---- vlan bitmaps ---- */

static const uint64_t *vlan_bitmap(struct gpc_arena *arena, uint16_t vlan)
{
	uint64_t *bits;

	if (vlan == GPC_VLAN_ANY)
		return NULL;
	bits = GPC_NEW_ARRAY(arena, uint64_t, GPC_VLAN_WORDS);
	bits[vlan / 64] |= 1ull << vlan % 64;
	return bits;
}

static bool has_vlan(const uint64_t *vlans, uint16_t vlan)
{
	return !vlans || vlans[vlan / 64] >> vlan % 64 & 1;
}

/* `vlans` without `vlan`; false if nothing is left. */
static bool vlans_without(struct gpc_arena *arena, const uint64_t *vlans, uint16_t vlan,
			  const uint64_t **ret)
{
	uint64_t *bits, any = 0;

	if (vlan == GPC_VLAN_ANY)
		return false;
	bits = GPC_NEW_ARRAY(arena, uint64_t, GPC_VLAN_WORDS);
	memset(bits, 0xff, GPC_VLAN_WORDS * sizeof(*bits));
	bits[GPC_VLAN_WORDS - 1] = (1ull << (GPC_VLAN_NONE % 64 + 1)) - 1;
	if (vlans)
		memcpy(bits, vlans, GPC_VLAN_WORDS * sizeof(*bits));
	bits[vlan / 64] &= ~(1ull << vlan % 64);
	for (size_t i = 0; i < GPC_VLAN_WORDS; i++)
		any |= bits[i];
	*ret = bits;
	return any;
}

/* ---- pieces ---- */

static struct gpc_port_range common_ports(struct gpc_port_range a, struct gpc_port_range b)
{
	return (struct gpc_port_range){a.first > b.first ? a.first : b.first,
				       a.last < b.last ? a.last : b.last};
}

/* False if they have nothing in common. */
static bool common_item(const struct gpc_service_item *a, const struct gpc_service_item *b,
			struct gpc_service_item *ret)
{
	*ret = (struct gpc_service_item){
		.protocol_first = a->protocol_first > b->protocol_first ? a->protocol_first
									: b->protocol_first,
		.protocol_last = a->protocol_last < b->protocol_last ? a->protocol_last
								     : b->protocol_last,
		.source = common_ports(a->source, b->source),
		.destination = common_ports(a->destination, b->destination),
	};
	return ret->protocol_first <= ret->protocol_last && ret->source.first <= ret->source.last &&
	       ret->destination.first <= ret->destination.last;
}

static struct gpc_set family_set(struct gpc_arena *arena, bool v4)
{
	struct gpc_range *ranges = GPC_NEW_ARRAY(arena, struct gpc_range, 2);
	struct gpc_set block = {ranges, 1};

	memcpy(ranges[0].first.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0", 16);
	memcpy(ranges[0].last.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff", 16);
	return v4 ? block : gpc_set_minus(arena, gpc_set_all(arena), block);
}

/* Is any range of a family? They stand in order and do not cross its border. */
static bool has_family(struct gpc_set set, bool v4)
{
	for (size_t i = 0; i < set.count; i++)
		if (gpc_ip_is_v4(&set.ranges[i].first) == v4)
			return true;
	return false;
}

static struct gpc_set of_family(struct gpc_arena *arena, struct gpc_set set, bool v4)
{
	if (!has_family(set, !v4))
		return set;
	return gpc_set_intersection(arena, set, family_set(arena, v4));
}

static void add_services(struct gpc_region *region, struct gpc_piece piece,
			 const struct gpc_service *service)
{
	piece.dscp = service->match.dscp;
	piece.vlans = vlan_bitmap(region->arena, service->match.vlan);
	for (size_t i = 0; i < service->count; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			piece.tcp_flags = kinds[k].tcp_flags & service->match.tcp_flags;
			piece.fragments = kinds[k].fragments & service->match.fragments;
			if (piece.dscp && piece.tcp_flags && piece.fragments &&
			    common_item(&service->items[i], &kinds[k].item, &piece.item))
				*GPC_PUSH(region->arena, &region->pieces) = piece;
		}
}

void gpc_region_add(struct gpc_region *region, const struct gpc_space *space,
		    const struct gpc_box *box)
{
	struct gpc_set source = space->sets[box->source];
	struct gpc_set destination = space->sets[box->destination];

	for (int v4 = 0; v4 < 2; v4++) {
		if (!has_family(source, v4) || !has_family(destination, v4))
			continue;
		add_services(region,
			     (struct gpc_piece){
				     .source = of_family(region->arena, source, v4),
				     .destination = of_family(region->arena, destination, v4),
			     },
			     &space->services[box->service]);
	}
}

bool gpc_region_pop(struct gpc_region *region, struct gpc_piece *ret)
{
	if (!region->pieces.n)
		return false;
	*ret = region->pieces.items[--region->pieces.n];
	return true;
}

/* ---- cuts ---- */

static void put(struct gpc_region *region, const struct gpc_piece *piece)
{
	*GPC_PUSH(region->arena, &region->pieces) = *piece;
}

/* Puts what of `piece` is below and above a part of one of its ranges, and makes it the part. */
#define CUT_RANGE(region, piece, from, to, part_first, part_last)                                  \
	do {                                                                                       \
		struct gpc_piece rest_ = *(piece);                                                 \
		if ((piece)->from < (part_first)) {                                                \
			rest_.to = (part_first)-1;                                                 \
			put((region), &rest_);                                                     \
			rest_ = *(piece);                                                          \
		}                                                                                  \
		if ((piece)->to > (part_last)) {                                                   \
			rest_.from = (part_last) + 1;                                              \
			put((region), &rest_);                                                     \
		}                                                                                  \
		(piece)->from = (part_first);                                                      \
		(piece)->to = (part_last);                                                         \
	} while (0)

/* Puts what of `piece` is outside of a set of bits, and makes it what is inside. */
#define CUT_BITS(region, piece, field, bits)                                                       \
	do {                                                                                       \
		struct gpc_piece rest_ = *(piece);                                                 \
		rest_.field &= ~(bits);                                                            \
		if (rest_.field)                                                                   \
			put((region), &rest_);                                                     \
		(piece)->field &= (bits);                                                          \
	} while (0)

static void cut_item(struct gpc_region *region, struct gpc_piece *piece,
		     const struct gpc_service_item *part)
{
	CUT_RANGE(region, piece, item.protocol_first, item.protocol_last, part->protocol_first,
		  part->protocol_last);
	CUT_RANGE(region, piece, item.destination.first, item.destination.last,
		  part->destination.first, part->destination.last);
	CUT_RANGE(region, piece, item.source.first, item.source.last, part->source.first,
		  part->source.last);
}

static void cut_sets(struct gpc_region *region, struct gpc_piece *piece, struct gpc_set source,
		     struct gpc_set destination)
{
	struct gpc_piece rest = *piece;

	rest.source = gpc_set_minus(region->arena, piece->source, source);
	if (rest.source.count)
		put(region, &rest);
	piece->source = gpc_set_intersection(region->arena, piece->source, source);
	rest = *piece;
	rest.destination = gpc_set_minus(region->arena, piece->destination, destination);
	if (rest.destination.count)
		put(region, &rest);
	piece->destination =
		gpc_set_intersection(region->arena, piece->destination, destination);
}

static void cut_match(struct gpc_region *region, struct gpc_piece *piece,
		      const struct gpc_match *match)
{
	struct gpc_piece rest;

	CUT_BITS(region, piece, dscp, match->dscp);
	CUT_BITS(region, piece, tcp_flags, match->tcp_flags);
	CUT_BITS(region, piece, fragments, match->fragments);
	rest = *piece;
	if (vlans_without(region->arena, piece->vlans, match->vlan, &rest.vlans))
		put(region, &rest);
	if (match->vlan != GPC_VLAN_ANY)
		piece->vlans = vlan_bitmap(region->arena, match->vlan);
}

static bool meets_match(const struct gpc_piece *piece, const struct gpc_match *match)
{
	return piece->dscp & match->dscp && piece->tcp_flags & match->tcp_flags &&
	       piece->fragments & match->fragments &&
	       (match->vlan == GPC_VLAN_ANY || has_vlan(piece->vlans, match->vlan));
}

bool gpc_piece_meets(const struct gpc_piece *piece, const struct gpc_space *space,
		     const struct gpc_box *box)
{
	const struct gpc_service *service = &space->services[box->service];
	struct gpc_service_item part;

	if (!meets_match(piece, &service->match))
		return false;
	for (size_t i = 0; i < service->count; i++)
		if (common_item(&piece->item, &service->items[i], &part))
			return gpc_set_overlaps(piece->source, space->sets[box->source]) &&
			       gpc_set_overlaps(piece->destination, space->sets[box->destination]);
	return false;
}

void gpc_region_put_minus(struct gpc_region *region, const struct gpc_piece *piece,
			  const struct gpc_space *space, const struct gpc_box *box)
{
	const struct gpc_service *service = &space->services[box->service];
	struct gpc_piece inside = *piece;
	struct gpc_region left = {.arena = region->arena}, next;
	struct gpc_service_item part;

	if (!gpc_piece_meets(piece, space, box)) {
		put(region, piece);
		return;
	}
	cut_sets(region, &inside, space->sets[box->source], space->sets[box->destination]);
	cut_match(region, &inside, &service->match);
	put(&left, &inside);
	for (size_t i = 0; i < service->count; i++) {
		next = (struct gpc_region){.arena = region->arena};
		while (gpc_region_pop(&left, &inside))
			if (common_item(&inside.item, &service->items[i], &part))
				cut_item(&next, &inside, &part);
			else
				put(&next, &inside);
		left = next;
	}
	while (gpc_region_pop(&left, &inside))
		put(region, &inside);
}

void gpc_region_put_common(struct gpc_region *region, const struct gpc_piece *piece,
			   const struct gpc_space *space, const struct gpc_box *box)
{
	const struct gpc_service *service = &space->services[box->service];
	struct gpc_region outside = {.arena = region->arena};
	struct gpc_piece inside = *piece, part;

	if (!gpc_piece_meets(piece, space, box))
		return;
	cut_sets(&outside, &inside, space->sets[box->source], space->sets[box->destination]);
	cut_match(&outside, &inside, &service->match);
	for (size_t i = 0; i < service->count; i++) {
		part = inside;
		if (common_item(&inside.item, &service->items[i], &part.item))
			put(region, &part);
	}
}

/* ---- packets ---- */

/* Opening first, then whatever is easiest to read. */
static uint8_t picked_flags(uint16_t combinations)
{
	static const uint8_t order[] = {GPC_ASK_SYN, GPC_ASK_ACK, GPC_ASK_SYN | GPC_ASK_ACK, 0};

	for (size_t i = 0; i < sizeof(order); i++)
		if (combinations >> order[i] & 1)
			return order[i];
	return (uint8_t)__builtin_ctz(combinations);
}

static uint16_t picked_vlan(const uint64_t *vlans)
{
	uint16_t vlan = GPC_VLAN_NONE;

	while (!has_vlan(vlans, vlan))
		vlan--;
	return vlan;
}

static struct gpc_question packet(const struct gpc_ip *source, const struct gpc_ip *destination,
				  const struct gpc_piece *piece)
{
	struct gpc_question question = {
		.source_port = piece->item.source.last,
		.destination_port = piece->item.destination.last,
		.vlan = picked_vlan(piece->vlans),
		.protocol = piece->item.protocol_last,
		.tcp_flags = picked_flags(piece->tcp_flags),
		.dscp = (uint8_t)__builtin_ctzll(piece->dscp),
		.fragment = (uint8_t)__builtin_ctz(piece->fragments),
		.family = gpc_ip_is_v4(source) ? GPC_V4 : GPC_V6,
	};

	memcpy(question.source, source->bytes, sizeof(question.source));
	memcpy(question.destination, destination->bytes, sizeof(question.destination));
	return question;
}

struct gpc_question gpc_piece_packet(const struct gpc_piece *piece)
{
	return packet(&piece->source.ranges[piece->source.count - 1].last,
		      &piece->destination.ranges[piece->destination.count - 1].last, piece);
}

/* How many ranges begin before an address. */
static size_t ranges_before(struct gpc_set set, struct gpc_ip ip)
{
	size_t low = 0, high = set.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (gpc_ip_compare(&set.ranges[middle].first, &ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first or last address of a family in a set, NULL if it has none. */
static const struct gpc_ip *corner_address(struct gpc_set set, bool v4, bool last)
{
	static const struct gpc_ip v4_begin = {{[10] = 0xff, [11] = 0xff}};
	static const struct gpc_ip v4_end = {{[9] = 1}};
	size_t begin = ranges_before(set, v4_begin), end = ranges_before(set, v4_end);
	size_t first_of = v4 || begin ? (v4 ? begin : 0) : end;
	size_t last_of = v4 || end == set.count ? (v4 ? end : begin) : set.count;

	if (first_of >= last_of)
		return NULL;
	return last ? &set.ranges[last_of - 1].last : &set.ranges[first_of].first;
}

bool gpc_box_packet(const struct gpc_space *space, const struct gpc_box *box, unsigned int corner,
		    struct gpc_question *ret)
{
	const struct gpc_service *service = &space->services[box->service];
	const struct gpc_match *match = &service->match;
	struct gpc_set source = space->sets[box->source];
	struct gpc_set destination = space->sets[box->destination];
	struct gpc_piece piece = {.dscp = match->dscp};
	const struct gpc_ip *from, *to;

	if (match->vlan != GPC_VLAN_ANY)
		return false;
	from = corner_address(source, !(corner >> 1 & 1), corner & 1);
	to = corner_address(destination, !(corner >> 1 & 1), corner & 1);
	if (!from || !to)
		return false;
	for (size_t i = 0; i < service->count; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			piece.tcp_flags = kinds[k].tcp_flags & match->tcp_flags;
			piece.fragments = kinds[k].fragments & match->fragments;
			if (!piece.tcp_flags || !piece.fragments ||
			    !common_item(&service->items[i], &kinds[k].item, &piece.item))
				continue;
			*ret = packet(from, to, &piece);
			return true;
		}
	return false;
}

bool gpc_box_holds(const struct gpc_space *space, const struct gpc_box *box,
		   const struct gpc_question *question)
{
	struct gpc_ip source, destination;

	if (!gpc_service_matches(&space->services[box->service], question))
		return false;
	memcpy(source.bytes, question->source, sizeof(source.bytes));
	memcpy(destination.bytes, question->destination, sizeof(destination.bytes));
	return gpc_set_holds(space->sets[box->source], &source) &&
	       gpc_set_holds(space->sets[box->destination], &destination);
}
