/* SPDX-License-Identifier: MIT */
/*
 * Pieces against counting: over a small world of addresses, ports and match values, what is left and
 * what is common must be just the packets that it should be, each in one piece.
 */
#include "analyze/region.h"

#include <netinet/in.h>
#include <string.h>

#include "../../unit.h"

#define ROUNDS 400

static uint64_t state = 88172645463325252ull;

static uint32_t random_below(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* Addresses of the world: four of each family, the last and the first of their kind among them. */
static struct gpc_ip world_address(uint32_t n)
{
	struct gpc_ip ip = {{0}};

	if (n < 4) {
		ip.bytes[10] = ip.bytes[11] = 0xff;
		memset(ip.bytes + 12, n < 2 ? 0 : 0xff, 4);
		ip.bytes[15] = (uint8_t)(n < 2 ? n : 0xfc + n);
	} else {
		memset(ip.bytes, n < 6 ? 0 : 0xff, 16);
		ip.bytes[15] = (uint8_t)(n < 6 ? n - 4 : 0xf8 + n);
	}
	return ip;
}

static const uint8_t protocols[] = {IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE,
				    IPPROTO_ICMPV6, IPPROTO_SCTP, 255};
static const uint32_t ports[] = {0, 1, 65535, GPC_PORT_NONE};

static struct gpc_set random_set(struct gpc_arena *arena)
{
	struct gpc_prefix prefixes[4];
	uint32_t count = 1 + random_below(3);

	if (!random_below(5))
		return gpc_set_all(arena);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = random_below(8);

		prefixes[i] = (struct gpc_prefix){
			.ip = world_address(n), .length = n < 4 ? 32 : 128, .v4 = n < 4};
	}
	return gpc_set_of_prefixes(arena, prefixes, count);
}

static struct gpc_port_range random_ports(void)
{
	uint32_t a = random_below(4), b = random_below(4);

	return random_below(2) ? GPC_ANY_PORT
			       : (struct gpc_port_range){ports[a < b ? a : b], ports[a < b ? b : a]};
}

static void random_service(struct gpc_arena *arena, struct gpc_service *service)
{
	size_t count = 1 + random_below(3);
	struct gpc_service_item *items = GPC_NEW_ARRAY(arena, struct gpc_service_item, count);

	for (size_t i = 0; i < count; i++) {
		uint8_t a = protocols[random_below(7)], b = protocols[random_below(7)];

		items[i] = (struct gpc_service_item){a < b ? a : b, a < b ? b : a, random_ports(),
						     random_ports()};
	}
	*service = (struct gpc_service){.items = items, .count = count, .match = GPC_MATCH_ANY};
	if (random_below(2)) {
		service->match.dscp = random_below(2) ? UINT64_MAX : 1ull << random_below(2);
		service->match.tcp_flags = random_below(2) ? 0xffff : 1u << random_below(3);
		service->match.fragments = random_below(2) ? 7 : (uint8_t)(1 + random_below(7));
		service->match.vlan = random_below(2) ? GPC_VLAN_ANY
						      : (random_below(2) ? 5 : GPC_VLAN_NONE);
	}
}

/* Is this a packet that can exist? Written apart from the table of region.c. */
static bool exists(const struct gpc_question *q)
{
	bool ported = q->protocol == IPPROTO_TCP || q->protocol == IPPROTO_UDP ||
		      q->protocol == IPPROTO_SCTP;
	bool typed = q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6;
	bool later = q->fragment == GPC_FRAGMENT_LATER;

	if (q->tcp_flags && (q->protocol != IPPROTO_TCP || later))
		return false;
	if ((q->source_port == GPC_PORT_NONE) != (later || !ported))
		return false;
	return (q->destination_port == GPC_PORT_NONE) == (later || !(ported || typed));
}

static struct gpc_question random_packet(void)
{
	struct gpc_question q;
	struct gpc_ip source, destination;

	do {
		uint32_t family = random_below(2) * 4;

		source = world_address(family + random_below(4));
		destination = world_address(family + random_below(4));
		q = (struct gpc_question){
			.source_port = ports[random_below(4)],
			.destination_port = ports[random_below(4)],
			.vlan = random_below(2) ? 5 : GPC_VLAN_NONE,
			.protocol = protocols[random_below(7)],
			.tcp_flags = (uint8_t)random_below(3),
			.dscp = (uint8_t)random_below(2),
			.fragment = (uint8_t)random_below(3),
			.family = family ? GPC_V6 : GPC_V4,
		};
		memcpy(q.source, source.bytes, 16);
		memcpy(q.destination, destination.bytes, 16);
	} while (!exists(&q));
	return q;
}

static bool piece_holds(const struct gpc_piece *piece, const struct gpc_question *q)
{
	struct gpc_ip source, destination;

	memcpy(source.bytes, q->source, 16);
	memcpy(destination.bytes, q->destination, 16);
	return gpc_set_holds(piece->source, &source) &&
	       gpc_set_holds(piece->destination, &destination) &&
	       q->protocol >= piece->item.protocol_first &&
	       q->protocol <= piece->item.protocol_last &&
	       q->source_port >= piece->item.source.first &&
	       q->source_port <= piece->item.source.last &&
	       q->destination_port >= piece->item.destination.first &&
	       q->destination_port <= piece->item.destination.last && piece->dscp >> q->dscp & 1 &&
	       piece->tcp_flags >> q->tcp_flags & 1 && piece->fragments >> q->fragment & 1 &&
	       (!piece->vlans || piece->vlans[q->vlan / 64] >> q->vlan % 64 & 1);
}

static int pieces_with(const struct gpc_region *region, const struct gpc_question *q)
{
	int count = 0;

	for (size_t i = 0; i < region->pieces.n; i++)
		count += piece_holds(&region->pieces.items[i], q);
	return count;
}

struct world {
	struct gpc_arena arena;
	struct gpc_set sets[4];
	struct gpc_service services[2];
	struct gpc_space space;
	struct gpc_box boxes[2];
};

static void random_world(struct world *w)
{
	*w = (struct world){0};
	for (int i = 0; i < 4; i++)
		w->sets[i] = random_set(&w->arena);
	for (int i = 0; i < 2; i++) {
		random_service(&w->arena, &w->services[i]);
		w->boxes[i] = (struct gpc_box){(uint32_t)(2 * i), (uint32_t)(2 * i + 1),
					       (uint32_t)i, (uint32_t)i};
	}
	w->space = (struct gpc_space){w->sets, 4, w->services, 2};
}

static void a_region_of_a_box_has_its_packets(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct gpc_region region = {0};
		struct world w;

		random_world(&w);
		region.arena = &w.arena;
		gpc_region_add(&region, &w.space, &w.boxes[0]);
		for (int i = 0; i < 200; i++) {
			struct gpc_question q = random_packet();

			CU_ASSERT_EQUAL_FATAL(pieces_with(&region, &q) > 0,
					      gpc_box_holds(&w.space, &w.boxes[0], &q));
		}
		gpc_arena_release(&w.arena);
	}
}

static void minus_and_common_part_a_piece(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct gpc_region region = {0}, left = {0}, common = {0};
		struct gpc_piece piece;
		struct world w;

		random_world(&w);
		region.arena = left.arena = common.arena = &w.arena;
		gpc_region_add(&region, &w.space, &w.boxes[0]);
		if (!gpc_region_pop(&region, &piece)) {
			gpc_arena_release(&w.arena);
			continue;
		}
		gpc_region_put_minus(&left, &piece, &w.space, &w.boxes[1]);
		gpc_region_put_common(&common, &piece, &w.space, &w.boxes[1]);
		CU_ASSERT_EQUAL_FATAL(common.pieces.n > 0,
				      gpc_piece_meets(&piece, &w.space, &w.boxes[1]));
		for (int i = 0; i < 400; i++) {
			struct gpc_question q = random_packet();
			bool in = piece_holds(&piece, &q);
			bool other = gpc_box_holds(&w.space, &w.boxes[1], &q);

			CU_ASSERT_EQUAL_FATAL(pieces_with(&left, &q), in && !other);
			CU_ASSERT_EQUAL_FATAL(pieces_with(&common, &q) > 0, in && other);
		}
		gpc_arena_release(&w.arena);
	}
}

static void a_packet_of_a_piece_is_in_it_and_can_exist(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct gpc_region region = {0}, left = {0};
		struct gpc_piece piece;
		struct world w;

		random_world(&w);
		region.arena = left.arena = &w.arena;
		gpc_region_add(&region, &w.space, &w.boxes[0]);
		while (gpc_region_pop(&region, &piece))
			gpc_region_put_minus(&left, &piece, &w.space, &w.boxes[1]);
		while (gpc_region_pop(&left, &piece)) {
			struct gpc_question q = gpc_piece_packet(&piece);

			CU_ASSERT_FATAL(exists(&q));
			CU_ASSERT_FATAL(piece_holds(&piece, &q));
			CU_ASSERT_FATAL(gpc_box_holds(&w.space, &w.boxes[0], &q));
			CU_ASSERT_FATAL(!gpc_box_holds(&w.space, &w.boxes[1], &q));
		}
		gpc_arena_release(&w.arena);
	}
}

static void corner_packets_are_packets_of_the_box(void)
{
	int found = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct gpc_question q;
		struct world w;

		random_world(&w);
		for (unsigned int corner = 0; corner < GPC_BOX_CORNERS; corner++) {
			if (!gpc_box_packet(&w.space, &w.boxes[0], corner, &q))
				continue;
			found++;
			CU_ASSERT_FATAL(exists(&q));
			CU_ASSERT_FATAL(gpc_box_holds(&w.space, &w.boxes[0], &q));
		}
		gpc_arena_release(&w.arena);
	}
	CU_ASSERT_TRUE(found > ROUNDS);
}

GPC_UNIT_MAIN("analyze/region",
	      {"a_region_of_a_box_has_its_packets", a_region_of_a_box_has_its_packets},
	      {"minus_and_common_part_a_piece", minus_and_common_part_a_piece},
	      {"a_packet_of_a_piece_is_in_it_and_can_exist",
	       a_packet_of_a_piece_is_in_it_and_can_exist},
	      {"corner_packets_are_packets_of_the_box", corner_packets_are_packets_of_the_box})
