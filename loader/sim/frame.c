// SPDX-License-Identifier: MIT
#include "frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "gpc/lookup/question.h"
#include "host.h"

#define DEVICE_MAC 1u		/* what kind of device is at the other end does not matter */
#define LATER_OFFSET 185u	/* units of 8 bytes: behind a first fragment of 1480 */
#define SOURCE_PORT 40000u
#define TTL 64u
#define ECHO4 8u
#define ECHO6 128u
#define ECHO_ID 1u

struct writer {
	uint8_t *bytes;
	size_t size;
};

static void put(struct writer *w, const void *bytes, size_t size)
{
	memcpy(w->bytes + w->size, bytes, size);
	w->size += size;
}

static void put8(struct writer *w, unsigned int value)
{
	w->bytes[w->size++] = (uint8_t)value;
}

static void put16(struct writer *w, unsigned int value)
{
	put8(w, value >> 8);
	put8(w, value & 0xff);
}

static void put32(struct writer *w, uint32_t value)
{
	put16(w, value >> 16);
	put16(w, value & 0xffff);
}

static void set16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint64_t or_else(struct gpc_uint_value value, uint64_t otherwise)
{
	return value.set ? value.value : otherwise;
}

/* ---- checksums ---- */

static uint32_t sum(const uint8_t *bytes, size_t size)
{
	uint32_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* Of the addresses, the protocol and the length. */
static uint32_t pseudo_header(const uint8_t *ip, bool v4, uint8_t protocol, size_t length)
{
	return (v4 ? sum(ip + 12, 8) : sum(ip + 8, 32)) + protocol + (uint32_t)length;
}

/* CRC32c (RFC 9260, appendix A), bit by bit. */
static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

/* Into the L4 header at `l4`, behind which everything is written. */
static void set_checksum(const uint8_t *ip, bool v4, uint8_t protocol, uint8_t *l4, size_t size)
{
	uint32_t pseudo = pseudo_header(ip, v4, protocol, size), crc;
	uint16_t value;

	switch (protocol) {
	case IPPROTO_TCP:
		set16(l4 + 16, fold(pseudo + sum(l4, size)));
		break;
	case IPPROTO_UDP:
		value = fold(pseudo + sum(l4, size));
		set16(l4 + 6, value ? value : 0xffff);
		break;
	case IPPROTO_ICMPV6:
		set16(l4 + 2, fold(pseudo + sum(l4, size)));
		break;
	case IPPROTO_ICMP:
		set16(l4 + 2, fold(sum(l4, size)));
		break;
	case IPPROTO_SCTP:
		crc = crc32c(l4, size);
		memcpy(l4 + 8, (uint8_t[4]){(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
					    (uint8_t)(crc >> 24)},
		       4);
		break;
	}
}

/* ---- headers ---- */

static void put_ethernet(struct writer *w, const struct gpc_send_intent *send, bool v4)
{
	uint8_t device[6], neighbour[6];
	bool arrives = send->in.text;

	gpc_sim_mac(DEVICE_MAC, device);
	gpc_sim_mac(GPC_SIM_NEIGHBOUR, neighbour);
	put(w, arrives ? device : neighbour, 6);
	put(w, arrives ? neighbour : device, 6);
	if (send->vlan.set && send->vlan.value != GPC_VLAN_NONE) {
		put16(w, ETH_P_8021Q);
		put16(w, (unsigned int)send->vlan.value);
	}
	put16(w, v4 ? ETH_P_IP : ETH_P_IPV6);
}

static enum gpc_fragment fragment_of(const struct gpc_send_intent *send)
{
	return (enum gpc_fragment)or_else(send->fragment, GPC_FRAGMENT_NONE);
}

static void put_v4(struct writer *w, const struct gpc_send_intent *send, uint8_t protocol)
{
	static const uint16_t fields[] = {[GPC_FRAGMENT_NONE] = 0x4000,
					  [GPC_FRAGMENT_FIRST] = 0x2000,
					  [GPC_FRAGMENT_LATER] = LATER_OFFSET};

	put8(w, 0x45);
	put8(w, (unsigned int)or_else(send->dscp, 0) << 2);
	put16(w, 0);
	put16(w, 1);
	put16(w, fields[fragment_of(send)]);
	put8(w, (unsigned int)or_else(send->ttl, TTL));
	put8(w, protocol);
	put16(w, 0);
	put(w, send->from.prefix.ip.bytes + 12, 4);
	put(w, send->to.prefix.ip.bytes + 12, 4);
}

static void put_v6(struct writer *w, const struct gpc_send_intent *send, uint8_t protocol)
{
	enum gpc_fragment fragment = fragment_of(send);

	put32(w, 6u << 28 | (uint32_t)or_else(send->dscp, 0) << 22);
	put16(w, 0);
	put8(w, fragment ? IPPROTO_FRAGMENT : protocol);
	put8(w, (unsigned int)or_else(send->ttl, TTL));
	put(w, send->from.prefix.ip.bytes, 16);
	put(w, send->to.prefix.ip.bytes, 16);
	if (!fragment)
		return;
	put8(w, protocol);
	put8(w, 0);
	put16(w, fragment == GPC_FRAGMENT_FIRST ? 1 : LATER_OFFSET << 3);
	put32(w, 1);
}

static unsigned int wire_flags(uint64_t asked)
{
	return (asked & GPC_ASK_FIN ? 1u : 0) | (asked & GPC_ASK_SYN ? 2u : 0) |
	       (asked & GPC_ASK_RST ? 4u : 0) | (asked & GPC_ASK_ACK ? 16u : 0);
}

static void put_tcp(struct writer *w, const struct gpc_send_intent *send)
{
	put32(w, 1);
	put32(w, 0);
	put8(w, 5 << 4);
	put8(w, wire_flags(or_else(send->tcp_flags, GPC_ASK_SYN)));
	put16(w, 0xffff);
	put32(w, 0);
}

static void put_icmp(struct writer *w, const struct gpc_send_intent *send, uint8_t protocol)
{
	put8(w, (unsigned int)or_else(send->icmp_type, protocol == IPPROTO_ICMP ? ECHO4 : ECHO6));
	put8(w, (unsigned int)or_else(send->icmp_code, 0));
	put16(w, 0);
	put16(w, ECHO_ID);
	put16(w, 1);
}

static void put_l4(struct writer *w, const struct gpc_send_intent *send, uint8_t protocol,
		   size_t payload)
{
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		put_icmp(w, send, protocol);
		return;
	}
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return;
	put16(w, (unsigned int)or_else(send->sport, SOURCE_PORT));
	put16(w, (unsigned int)send->dport.value);
	if (protocol == IPPROTO_TCP) {
		put_tcp(w, send);
	} else if (protocol == IPPROTO_UDP) {
		put16(w, (unsigned int)(8 + payload));
		put16(w, 0);
	} else {
		put32(w, 0);
		put32(w, 0);
	}
}

/* What a fragment holds that is not the last is a multiple of 8 bytes; a later one is never empty. */
static size_t payload_of(const struct gpc_send_intent *send, size_t l4)
{
	size_t payload = or_else(send->payload, 0);

	if (fragment_of(send) == GPC_FRAGMENT_FIRST)
		return (l4 + payload + 7) / 8 * 8 - l4;
	if (fragment_of(send) == GPC_FRAGMENT_LATER && !payload)
		return 8;
	return payload;
}

static size_t l4_size(uint8_t protocol, enum gpc_fragment fragment)
{
	if (fragment == GPC_FRAGMENT_LATER)
		return 0;
	switch (protocol) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_SCTP:
		return 12;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	default:
		return 0;
	}
}

size_t gpc_frame_build(const struct gpc_send_intent *send, uint8_t *out)
{
	uint8_t protocol = (uint8_t)or_else(send->protocol, IPPROTO_TCP);
	bool v4 = send->from.prefix.v4;
	size_t header = l4_size(protocol, fragment_of(send)), payload = payload_of(send, header);
	struct writer w = {.bytes = out};
	uint8_t *ip, *l4;

	put_ethernet(&w, send, v4);
	ip = out + w.size;
	if (v4)
		put_v4(&w, send, protocol);
	else
		put_v6(&w, send, protocol);
	l4 = out + w.size;
	if (fragment_of(send) != GPC_FRAGMENT_LATER)
		put_l4(&w, send, protocol, payload);
	memset(out + w.size, 'g', payload);
	w.size += payload;
	if (fragment_of(send) != GPC_FRAGMENT_LATER)
		set_checksum(ip, v4, protocol, l4, header + payload);
	if (v4) {
		set16(ip + 2, (unsigned int)(out + w.size - ip));
		set16(ip + 10, fold(sum(ip, 20)));
	} else {
		set16(ip + 4, (unsigned int)(out + w.size - ip - 40));
	}
	return w.size;
}
