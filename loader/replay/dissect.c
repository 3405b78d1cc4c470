/* SPDX-License-Identifier: MIT */
#include "dissect.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "../../compiler/intent/ports.h"

#define TAGS_MOST 2u
#define EXTENSIONS_MOST 8u
#define V4_OFFSET_MASK 0x1fffu
#define V4_MORE 0x2000u
#define V6_OFFSET_MASK 0xfff8u
#define V6_MORE 1u

struct cutter {
	const uint8_t *frame;
	size_t size, at;
	struct gpc_question *packet;
};

static unsigned int read16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

/* The next `size` bytes, NULL: the frame ends before. */
static const uint8_t *take(struct cutter *c, size_t size)
{
	const uint8_t *at = c->frame + c->at;

	if (c->size - c->at < size)
		return NULL;
	c->at += size;
	return at;
}

static void put_address(__u64 to[2], const uint8_t *address, enum gpc_family family)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (family == GPC_V6) {
		memcpy(to, address, 16);
		return;
	}
	memcpy(to, mapped, sizeof(mapped));
	memcpy((uint8_t *)to + sizeof(mapped), address, 4);
}

static uint8_t asked_flags(uint8_t wire)
{
	return (uint8_t)((wire & 2 ? GPC_ASK_SYN : 0) | (wire & 16 ? GPC_ASK_ACK : 0) |
			 (wire & 1 ? GPC_ASK_FIN : 0) | (wire & 4 ? GPC_ASK_RST : 0));
}

static bool cut_l4(struct cutter *c)
{
	struct gpc_question *packet = c->packet;
	const uint8_t *header;

	packet->source_port = packet->destination_port = GPC_PORT_NONE;
	if (packet->fragment == GPC_FRAGMENT_LATER)
		return true;
	if (gpc_protocol_is_icmp(packet->protocol)) {
		header = take(c, 8);
		if (header)
			packet->destination_port = read16(header);
		return header;
	}
	if (!gpc_protocol_has_ports(packet->protocol))
		return true;
	header = take(c, packet->protocol == IPPROTO_TCP   ? 20
			 : packet->protocol == IPPROTO_UDP ? 8
							   : 12);
	if (!header)
		return false;
	packet->source_port = read16(header);
	packet->destination_port = read16(header + 2);
	if (packet->protocol == IPPROTO_TCP)
		packet->tcp_flags = asked_flags(header[13]);
	return true;
}

static enum gpc_fragment fragment_of(unsigned int offset, unsigned int more)
{
	return offset ? GPC_FRAGMENT_LATER : more ? GPC_FRAGMENT_FIRST : GPC_FRAGMENT_NONE;
}

static bool cut_v4(struct cutter *c)
{
	const uint8_t *header = take(c, 20);
	size_t options;

	if (!header)
		return false;
	options = (size_t)(header[0] & 15) * 4;
	if (options > 20 && !take(c, options - 20))
		return false;
	c->packet->family = GPC_V4;
	c->packet->protocol = header[9];
	c->packet->dscp = header[1] >> 2;
	c->packet->fragment = (uint8_t)fragment_of(read16(header + 6) & V4_OFFSET_MASK,
						   read16(header + 6) & V4_MORE);
	put_address(c->packet->source, header + 12, GPC_V4);
	put_address(c->packet->destination, header + 16, GPC_V4);
	return cut_l4(c);
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_AH;
}

static bool cut_extension(struct cutter *c, uint8_t *protocol)
{
	const uint8_t *header = take(c, 8);
	size_t rest;

	if (!header)
		return false;
	rest = *protocol == IPPROTO_FRAGMENT ? 0
	       : *protocol == IPPROTO_AH     ? (size_t)header[1] * 4
					     : (size_t)header[1] * 8;
	if (*protocol == IPPROTO_FRAGMENT)
		c->packet->fragment = (uint8_t)fragment_of(read16(header + 2) & V6_OFFSET_MASK,
							   read16(header + 2) & V6_MORE);
	*protocol = header[0];
	return !rest || take(c, rest);
}

static bool cut_v6(struct cutter *c)
{
	const uint8_t *header = take(c, 40);
	uint8_t protocol;

	if (!header)
		return false;
	protocol = header[6];
	c->packet->family = GPC_V6;
	c->packet->dscp = (uint8_t)(read16(header) >> 6 & 63);
	put_address(c->packet->source, header + 8, GPC_V6);
	put_address(c->packet->destination, header + 24, GPC_V6);
	for (unsigned int i = 0; i < EXTENSIONS_MOST && is_extension(protocol) &&
				 c->packet->fragment != GPC_FRAGMENT_LATER;
	     i++)
		if (!cut_extension(c, &protocol))
			return false;
	c->packet->protocol = protocol;
	return cut_l4(c);
}

/* The EtherType behind the tags; 0: the frame ends before. */
static unsigned int cut_ethernet(struct cutter *c)
{
	const uint8_t *header = take(c, ETH_HLEN), *tag;
	unsigned int type;

	if (!header)
		return 0;
	type = read16(header + 12);
	for (unsigned int i = 0; i < TAGS_MOST && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		tag = take(c, 4);
		if (!tag)
			return 0;
		if (!i)
			c->packet->vlan = read16(tag) & 0xfff;
		type = read16(tag + 2);
	}
	return type ? type : ETH_P_802_3;
}

bool gpc_dissect(const uint8_t *frame, size_t size, struct gpc_dissected *ret)
{
	struct cutter c = {.frame = frame, .size = size, .packet = &ret->packet};
	unsigned int type;
	bool whole = true;

	*ret = (struct gpc_dissected){.packet.vlan = GPC_VLAN_NONE};
	type = cut_ethernet(&c);
	if (!type)
		return false;
	ret->ip = type == ETH_P_IP || type == ETH_P_IPV6;
	if (ret->ip)
		whole = type == ETH_P_IP ? cut_v4(&c) : cut_v6(&c);
	ret->headers = c.at;
	return whole;
}
