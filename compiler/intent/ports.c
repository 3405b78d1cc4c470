/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <netinet/in.h>
#include <string.h>

#include "scalar.h"

#define MAX_PORT 65535u
#define MAX_BYTE 255u
#define LONGEST 63u

struct number_name {
	const char *name;
	uint8_t number;
};

static const struct number_name protocols[] = {
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{"sctp", IPPROTO_SCTP},
	{"icmp", IPPROTO_ICMP},
	{"icmp6", IPPROTO_ICMPV6},
	{"gre", IPPROTO_GRE},
	{"esp", IPPROTO_ESP},
	{"ah", IPPROTO_AH},
	{"ipip", IPPROTO_IPIP},
	{"ipv6", IPPROTO_IPV6},
	{"ospf", 89},
	{"vrrp", 112},
	{"igmp", IPPROTO_IGMP},
	{NULL, 0},
};

static const struct number_name icmp_types[] = {
	{"echo-request", 8},
	{"echo-reply", 0},
	{"destination-unreachable", 3},
	{"time-exceeded", 11},
	{"parameter-problem", 12},
	{"redirect", 5},
	{NULL, 0},
};

static const struct number_name icmp6_types[] = {
	{"echo-request", 128},
	{"echo-reply", 129},
	{"destination-unreachable", 1},
	{"time-exceeded", 3},
	{"parameter-problem", 4},
	{"redirect", 137},
	{"packet-too-big", 2},
	{"router-solicitation", 133},
	{"router-advertisement", 134},
	{"neighbour-solicitation", 135},
	{"neighbour-advertisement", 136},
	{NULL, 0},
};

static const struct number_name *types_of(uint8_t protocol)
{
	return protocol == IPPROTO_ICMPV6 ? icmp6_types : icmp_types;
}

const char *gpc_protocol_name(size_t number)
{
	return protocols[number].name;
}

const char *gpc_icmp_type_name(uint8_t protocol, size_t number)
{
	return types_of(protocol)[number].name;
}

bool gpc_protocol_has_ports(uint64_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

bool gpc_protocol_is_icmp(uint64_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static enum gpc_ports_error number(const char *text, uint64_t most, enum gpc_ports_error beyond,
				   uint64_t *ret)
{
	uint64_t value = 0;

	switch (gpc_scalar_uint(text, &value)) {
	case GPC_SCALAR_OK:
		break;
	case GPC_SCALAR_LEADING_ZERO:
		return GPC_PORTS_LEADING_ZERO;
	case GPC_SCALAR_RANGE:
		return beyond;
	default:
		return GPC_PORTS_NUMBER;
	}
	if (value > most)
		return beyond;
	*ret = value;
	return GPC_PORTS_OK;
}

/* N from 0 to 255, or one of the names. */
static enum gpc_ports_error byte_or_name(const char *text, const struct number_name *names,
					 enum gpc_ports_error unknown, uint8_t *ret)
{
	uint64_t value = 0;
	enum gpc_ports_error error;

	for (size_t i = 0; names[i].name; i++) {
		if (!strcmp(text, names[i].name)) {
			*ret = names[i].number;
			return GPC_PORTS_OK;
		}
	}
	error = number(text, MAX_BYTE, GPC_PORTS_BYTE, &value);
	if (error == GPC_PORTS_NUMBER)
		return unknown;
	if (!error)
		*ret = (uint8_t)value;
	return error;
}

enum gpc_ports_error gpc_protocol_parse(const char *text, uint8_t *ret)
{
	return byte_or_name(text, protocols, GPC_PORTS_PROTOCOL, ret);
}

enum gpc_ports_error gpc_icmp_type_parse(const char *text, uint8_t protocol, uint8_t *ret)
{
	return byte_or_name(text, types_of(protocol), GPC_PORTS_TYPE, ret);
}

/* `22` or `22-25`; the text may be written into. */
static enum gpc_ports_error parse_ports(char *text, struct gpc_ports_item *item)
{
	char *dash = strchr(text, '-');
	uint64_t first = 0, last = 0;
	enum gpc_ports_error error;

	if (dash)
		*dash = '\0';
	error = number(text, MAX_PORT, GPC_PORTS_PORT, &first);
	last = first;
	if (!error && dash)
		error = number(dash + 1, MAX_PORT, GPC_PORTS_PORT, &last);
	if (error)
		return error;
	if (first > last)
		return GPC_PORTS_ORDER;
	item->first = (uint32_t)first;
	item->last = (uint32_t)last;
	return GPC_PORTS_OK;
}

/* `TYPE` or `TYPE/CODE`. */
static enum gpc_ports_error parse_type(char *text, struct gpc_ports_item *item)
{
	char *slash = strchr(text, '/');
	uint64_t code = 0;
	uint8_t type = 0;
	enum gpc_ports_error error;

	if (slash)
		*slash = '\0';
	error = gpc_icmp_type_parse(text, item->protocol, &type);
	if (!error && slash)
		error = number(slash + 1, MAX_BYTE, GPC_PORTS_BYTE, &code);
	if (error)
		return error;
	item->first = (uint32_t)type << 8 | (uint32_t)code;
	item->last = slash ? item->first : (uint32_t)type << 8 | MAX_BYTE;
	return GPC_PORTS_OK;
}

/* Which protocol an item begins with; PROTO: `proto`. */
enum head { HEAD_NONE, HEAD_PORTS, HEAD_ICMP, HEAD_PROTO, HEAD_PORTLESS };

static enum head head_of(const char *text, uint8_t *ret_protocol)
{
	if (!strcmp(text, "proto"))
		return HEAD_PROTO;
	for (size_t i = 0; protocols[i].name; i++) {
		if (strcmp(text, protocols[i].name))
			continue;
		*ret_protocol = protocols[i].number;
		if (gpc_protocol_has_ports(*ret_protocol))
			return HEAD_PORTS;
		return gpc_protocol_is_icmp(*ret_protocol) ? HEAD_ICMP : HEAD_PORTLESS;
	}
	return HEAD_NONE;
}

enum gpc_ports_error gpc_ports_parse(const char *text, struct gpc_ports_item *ret)
{
	struct gpc_ports_item item = {0};
	enum gpc_ports_error error = GPC_PORTS_OK;
	size_t len = strnlen(text, LONGEST + 1);
	char copy[LONGEST + 1];
	char *rest;
	enum head head;

	if (len > LONGEST)
		return GPC_PORTS_SYNTAX;
	memcpy(copy, text, len + 1);
	rest = strchr(copy, '/');
	if (rest)
		*rest++ = '\0';
	if (!strcmp(text, "any")) {
		*ret = (struct gpc_ports_item){.any = true};
		return GPC_PORTS_OK;
	}
	head = head_of(copy, &item.protocol);
	if (head == HEAD_NONE || (head == HEAD_PROTO && !rest))
		return GPC_PORTS_SYNTAX;
	if (head == HEAD_PORTLESS)
		return GPC_PORTS_PORTLESS;
	item.ranged = rest && head != HEAD_PROTO;
	if (head == HEAD_PROTO)
		error = gpc_protocol_parse(rest, &item.protocol);
	else if (rest)
		error = head == HEAD_PORTS ? parse_ports(rest, &item) : parse_type(rest, &item);
	if (!error)
		*ret = item;
	return error;
}
