/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/ip.h"
#include "../intent/ports.h"

#define DEFAULT_SOURCE_PORT 40000u
#define LONGEST_WORD 63u

struct scanner {
	const char *text, *end;
	const char *at;			/* behind the last word */
	const char *word;
	size_t size;			/* of the word */
	struct gpc_question packet;
	uint8_t type, code;
	struct gpc_packet_fault *fault;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct scanner *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->fault->text, sizeof(s->fault->text), format, args);
	va_end(args);
	s->fault->at = (size_t)(s->word - s->text);
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word; false at the end. */
static bool next(struct scanner *s)
{
	while (s->at < s->end && is_space(*s->at))
		s->at++;
	s->word = s->at;
	while (s->at < s->end && !is_space(*s->at))
		s->at++;
	s->size = (size_t)(s->at - s->word);
	return s->size;
}

static bool is(const struct scanner *s, const char *word)
{
	return s->size == strlen(word) && !memcmp(s->word, word, s->size);
}

static bool number(const char *text, size_t size, uint32_t max, uint32_t *ret)
{
	uint32_t value = 0;

	if (!size || size > 5 || (size > 1 && *text == '0'))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	*ret = value;
	return value <= max;
}

static bool has_ports(const struct scanner *s)
{
	return gpc_protocol_has_ports(s->packet.protocol);
}

static bool is_icmp(const struct scanner *s)
{
	return gpc_protocol_is_icmp(s->packet.protocol);
}

static bool scan_protocol(struct scanner *s)
{
	char word[LONGEST_WORD + 1];

	if (!next(s))
		return fail(s, "no packet");
	if (is(s, "tcp") || is(s, "udp")) {
		s->packet.protocol = *s->word == 't' ? IPPROTO_TCP : IPPROTO_UDP;
		return true;
	}
	if (s->size > LONGEST_WORD)
		return fail(s, "no such protocol");
	memcpy(word, s->word, s->size);
	word[s->size] = '\0';
	if (gpc_protocol_parse(word, &s->packet.protocol) != GPC_PORTS_OK)
		return fail(s, "no such protocol: give a name (tcp, udp, icmp, icmp6, gre, ...) or a number");
	return true;
}

/* A.B.C.D, A.B.C.D:PORT, ADDRESS6, [ADDRESS6], [ADDRESS6]:PORT */
static bool scan_address(struct scanner *s, const char *which, void *ret_address, uint32_t *ret_port)
{
	const char *address = s->word, *end = s->word + s->size, *port = NULL;
	size_t size = s->size;
	struct gpc_ip ip;

	if (*address == '[') {
		const char *close = memchr(address, ']', size);

		if (!close || (close + 1 < end && close[1] != ':'))
			return fail(s, "%s is not an address; [ADDRESS]:PORT", which);
		port = close + 1 < end ? close + 2 : NULL;
		address++;
		size = (size_t)(close - address);
	} else {
		const char *colon = memchr(address, ':', size);

		if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) {
			port = colon + 1;
			size = (size_t)(colon - address);
		}
	}
	if (gpc_ip_parse(address, size, &ip) != GPC_IP_OK)
		return fail(s, "%s is not an address", which);
	if (port && !has_ports(s))
		return fail(s, "%s has a port, which this protocol does not have", which);
	if (port && !number(port, (size_t)(end - port), 65535, ret_port))
		return fail(s, "port of the %s is not a number from 0 to 65535", which);
	memcpy(ret_address, ip.bytes, sizeof(ip.bytes));
	return true;
}

static bool scan_addresses(struct scanner *s)
{
	struct gpc_ip source;

	s->packet.source_port = has_ports(s) ? DEFAULT_SOURCE_PORT : GPC_PORT_NONE;
	s->packet.destination_port = GPC_PORT_NONE;
	if (!next(s))
		return fail(s, "no source address");
	if (!scan_address(s, "source", s->packet.source, &s->packet.source_port))
		return false;
	if (!next(s) || !is(s, "->"))
		return fail(s, "no -> behind the source");
	if (!next(s))
		return fail(s, "no destination address");
	memcpy(source.bytes, s->packet.source, sizeof(source.bytes));
	s->packet.family = gpc_ip_is_v4(&source) ? GPC_V4 : GPC_V6;
	return scan_address(s, "destination", s->packet.destination, &s->packet.destination_port);
}

static const struct {
	const char *word;
	uint8_t bit;
} tcp_flags[] = {
	{"syn", GPC_ASK_SYN}, {"ack", GPC_ASK_ACK}, {"fin", GPC_ASK_FIN}, {"rst", GPC_ASK_RST}};
#define FLAGS (sizeof(tcp_flags) / sizeof(tcp_flags[0]))

static bool scan_flags(struct scanner *s)
{
	const char *at = s->word, *end = s->word + s->size;

	if (s->packet.protocol != IPPROTO_TCP)
		return fail(s, "only TCP has flags");
	s->packet.tcp_flags = 0;
	if (is(s, "none"))
		return true;
	while (at <= end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t size = (size_t)((comma ? comma : end) - at), i = 0;

		while (i < FLAGS && !(size == 3 && !memcmp(at, tcp_flags[i].word, 3)))
			i++;
		if (i == FLAGS)
			return fail(s, "not a list of syn, ack, fin, rst, joined by commas, or none");
		s->packet.tcp_flags |= tcp_flags[i].bit;
		at += size + 1;
	}
	return true;
}

static bool scan_type(struct scanner *s)
{
	char word[LONGEST_WORD + 1];

	if (!is_icmp(s))
		return fail(s, "only ICMP has types");
	if (s->size > LONGEST_WORD)
		return fail(s, "no such ICMP type");
	memcpy(word, s->word, s->size);
	word[s->size] = '\0';
	if (gpc_icmp_type_parse(word, s->packet.protocol, &s->type) != GPC_PORTS_OK)
		return fail(s, "no such ICMP type: give a name or a number from 0 to 255");
	return true;
}

static bool scan_code(struct scanner *s)
{
	uint32_t code;

	if (!is_icmp(s))
		return fail(s, "only ICMP has codes");
	if (!number(s->word, s->size, 255, &code))
		return fail(s, "code is not a number from 0 to 255");
	s->code = (uint8_t)code;
	return true;
}

static bool scan_vlan(struct scanner *s)
{
	uint32_t vlan = GPC_VLAN_NONE;

	if (!is(s, "none") && !number(s->word, s->size, 4095, &vlan))
		return fail(s, "vlan is not a number from 0 to 4095, or none");
	s->packet.vlan = (uint16_t)vlan;
	return true;
}

static bool scan_dscp(struct scanner *s)
{
	uint32_t dscp;

	if (!number(s->word, s->size, 63, &dscp))
		return fail(s, "dscp is not a number from 0 to 63");
	s->packet.dscp = (uint8_t)dscp;
	return true;
}

static bool scan_fragment(struct scanner *s)
{
	if (is(s, "first"))
		s->packet.fragment = GPC_FRAGMENT_FIRST;
	else if (is(s, "later"))
		s->packet.fragment = GPC_FRAGMENT_LATER;
	else if (!is(s, "none"))
		return fail(s, "fragment is first, later or none");
	return true;
}

static const struct {
	const char *key;
	bool (*scan)(struct scanner *s);
} keys[] = {
	{"flags", scan_flags}, {"type", scan_type}, {"code", scan_code},
	{"vlan", scan_vlan},   {"dscp", scan_dscp}, {"fragment", scan_fragment},
};

static bool scan_keys(struct scanner *s)
{
	while (next(s)) {
		size_t i = 0;

		while (i < sizeof(keys) / sizeof(keys[0]) && !is(s, keys[i].key))
			i++;
		if (i == sizeof(keys) / sizeof(keys[0]))
			return fail(s, "not one of flags, type, code, vlan, dscp, fragment");
		if (!next(s))
			return fail(s, "no value for `%s`", keys[i].key);
		if (!keys[i].scan(s))
			return false;
	}
	return true;
}

/* Ports of what has none, flags of what is later. */
static bool settle(struct scanner *s)
{
	struct gpc_question *packet = &s->packet;

	if (packet->fragment == GPC_FRAGMENT_LATER) {
		if (packet->destination_port != GPC_PORT_NONE)
			return fail(s, "a later fragment has no ports");
		packet->source_port = GPC_PORT_NONE;
		packet->tcp_flags = 0;
		return true;
	}
	if (is_icmp(s))
		packet->destination_port = (uint32_t)s->type << 8 | s->code;
	if (has_ports(s) && packet->destination_port == GPC_PORT_NONE)
		return fail(s, "no destination port; write ADDRESS:PORT");
	return true;
}

bool gpc_packet_parse(const char *text, size_t size, struct gpc_question *ret,
		      struct gpc_packet_fault *ret_fault)
{
	struct scanner s = {
		.text = text,
		.end = text + size,
		.at = text,
		.word = text,
		.packet = {.vlan = GPC_VLAN_NONE},
		.fault = ret_fault,
	};

	if (!scan_protocol(&s))
		return false;
	if (s.packet.protocol == IPPROTO_TCP)
		s.packet.tcp_flags = GPC_ASK_SYN;
	s.type = s.packet.protocol == IPPROTO_ICMPV6 ? 128 : 8;
	if (!scan_addresses(&s) || !scan_keys(&s) || !settle(&s))
		return false;
	*ret = s.packet;
	return true;
}

/* ---- writing ---- */

static int put_address(char *out, size_t size, const void *address, uint32_t port, bool with_port)
{
	char text[GPC_IP_TEXT];
	struct gpc_ip ip;

	memcpy(ip.bytes, address, sizeof(ip.bytes));
	gpc_ip_format(&ip, text);
	if (!with_port)
		return snprintf(out, size, "%s", text);
	return snprintf(out, size, gpc_ip_is_v4(&ip) ? "%s:%u" : "[%s]:%u", text, port);
}

static int put_protocol(char *out, size_t size, uint8_t protocol)
{
	uint8_t number;

	for (size_t i = 0; gpc_protocol_name(i); i++)
		if (gpc_protocol_parse(gpc_protocol_name(i), &number) == GPC_PORTS_OK &&
		    number == protocol)
			return snprintf(out, size, "%s", gpc_protocol_name(i));
	return snprintf(out, size, "%u", protocol);
}

static int put_flags(char *out, size_t size, uint8_t flags)
{
	const char *comma = "";
	size_t used = (size_t)snprintf(out, size, " flags%s", flags ? " " : " none");

	for (size_t i = 0; i < FLAGS; i++)
		if (flags & tcp_flags[i].bit) {
			used += (size_t)snprintf(out + used, size - used, "%s%s", comma,
						 tcp_flags[i].word);
			comma = ",";
		}
	return (int)used;
}

char *gpc_packet_format(const struct gpc_question *packet, char out[GPC_PACKET_TEXT])
{
	bool later = packet->fragment == GPC_FRAGMENT_LATER;
	bool ports = gpc_protocol_has_ports(packet->protocol) && !later;
	size_t used = 0;

#define PUT(call) used += (size_t)(call)
#define REST out + used, GPC_PACKET_TEXT - used
	PUT(put_protocol(REST, packet->protocol));
	PUT(snprintf(REST, " "));
	PUT(put_address(REST, packet->source, packet->source_port, ports));
	PUT(snprintf(REST, " -> "));
	PUT(put_address(REST, packet->destination, packet->destination_port, ports));
	if (gpc_protocol_is_icmp(packet->protocol) && !later)
		PUT(snprintf(REST, " type %u code %u", packet->destination_port >> 8,
			     packet->destination_port & 255));
	if (packet->protocol == IPPROTO_TCP && !later && packet->tcp_flags != GPC_ASK_SYN)
		PUT(put_flags(REST, packet->tcp_flags));
	if (packet->vlan != GPC_VLAN_NONE)
		PUT(snprintf(REST, " vlan %u", packet->vlan));
	if (packet->dscp)
		PUT(snprintf(REST, " dscp %u", packet->dscp));
	if (packet->fragment)
		PUT(snprintf(REST, " fragment %s", later ? "later" : "first"));
#undef PUT
#undef REST
	return out;
}
