/* SPDX-License-Identifier: MIT */
#include "event_line.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "../../compiler/base/words.h"
#include "../../compiler/base/ip.h"
#include "../../compiler/diag/format.h"
#include "../../compiler/intent/ports.h"
#include "../../compiler/analyze/changes.h"
#include "gpc/lookup/question.h"
#include "output.h"
#include "rulebook.h"
#include "status.h"

static const char *const type_names[] = {
#define X(id, name) [GPC_EVENT_##id] = name,
	GPC_EVENT_TYPES(X)
#undef X
};
_Static_assert(sizeof(type_names) / sizeof(type_names[0]) == GPC_EVENT_COUNT, "one name a type");

const char *gpc_event_type_name(unsigned int type)
{
	return type < GPC_EVENT_COUNT ? type_names[type] : "?";
}

enum gpc_event_type gpc_event_type_parse(const char *name, size_t length)
{
	unsigned int i;

	for (i = 0; i < GPC_EVENT_COUNT; i++)
		if (strlen(type_names[i]) == length && !memcmp(type_names[i], name, length))
			break;
	return (enum gpc_event_type)i;
}

/* ---- values ---- */

static const char *protocol_text(uint8_t number, char out[16])
{
	const char *name;
	uint8_t found;

	for (size_t i = 0; (name = gpc_protocol_name(i)); i++)
		if (gpc_protocol_parse(name, &found) == GPC_PORTS_OK && found == number)
			return name;
	snprintf(out, 16, "proto/%u", number);
	return out;
}

static const char *address_text(const uint8_t bytes[16], char out[GPC_IP_TEXT])
{
	struct gpc_ip ip;

	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	return gpc_ip_format(&ip, out);
}

static bool is_icmp(const struct gpc_event *event)
{
	return gpc_protocol_is_icmp(event->protocol);
}

static bool has_ports(const struct gpc_event *event)
{
	return gpc_protocol_has_ports(event->protocol) && event->fragment != GPC_FRAGMENT_LATER;
}

static const char *flags_text(const struct gpc_event *event, char out[9])
{
	static const char letters[] = "FSRPAUEC"; /* from bit 0 */
	char *end = out;

	for (int bit = 0; event->protocol == IPPROTO_TCP && bit < 8; bit++)
		if (event->tcp_flags >> bit & 1)
			*end++ = letters[bit];
	*end = '\0';
	return out;
}

static const char *fragment_text(const struct gpc_event *event)
{
	return event->fragment == GPC_FRAGMENT_FIRST   ? "first"
	       : event->fragment == GPC_FRAGMENT_LATER ? "later"
						       : NULL;
}

static const char *hook_text(const struct gpc_event *event)
{
	return event->hook < GPC_HOOK_ID_COUNT ? gpc_hook_id_name((enum gpc_hook)event->hook) : "?";
}

static const char *reason_text(const struct gpc_event *event)
{
	return event->reason < GPC_REASON_COUNT ? gpc_reason_name((enum gpc_reason)event->reason)
						: NULL;
}

/* ---- a line ---- */

static void print_side(const struct gpc_event *event, const uint8_t address[16], __be16 port,
		       FILE *out)
{
	char text[GPC_IP_TEXT];
	bool bracket;

	address_text(address, text);
	bracket = has_ports(event) && strchr(text, ':');
	fprintf(out, "%s%s%s", bracket ? "[" : "", text, bracket ? "]" : "");
	if (has_ports(event))
		fprintf(out, ":%u", ntohs(port));
}

static void print_packet(const struct gpc_event *event, FILE *out)
{
	const char *fragment = fragment_text(event);
	char text[16], flags[9];

	fprintf(out, "%s ", protocol_text(event->protocol, text));
	print_side(event, event->source, event->source_port, out);
	fputs(" -> ", out);
	print_side(event, event->destination, event->destination_port, out);
	if (is_icmp(event) && event->fragment != GPC_FRAGMENT_LATER)
		fprintf(out, " type %u code %u", ntohs(event->destination_port) >> 8,
			ntohs(event->destination_port) & 0xff);
	if (*flags_text(event, flags))
		fprintf(out, " %s", flags);
	if (fragment)
		fprintf(out, " %s fragment", fragment);
	if (event->vlan != GPC_VLAN_NONE)
		fprintf(out, " vlan %u", event->vlan);
}

static void print_rule(const struct gpc_event *event, const struct gpc_event_names *names,
		       FILE *out)
{
	if (names->rule)
		fprintf(out, "  %s/%s", names->policy ? names->policy : "?", names->rule);
	else if (event->rule)
		fprintf(out, "  rule %016" PRIx64, (uint64_t)event->rule);
	if (names->place && *names->place) {
		fputs(" (", out);
		gpc_put_safe(out, names->place);
		fputc(')', out);
	}
}

static enum gpc_paint type_paint(unsigned int type)
{
	switch (type) {
	case GPC_EVENT_DENY:
	case GPC_EVENT_REVOKED:
		return GPC_RED;
	case GPC_EVENT_WOULD_DENY:
		return GPC_YELLOW;
	default:
		return GPC_PLAIN;
	}
}

void gpc_event_print(const struct gpc_event *event, const struct gpc_event_names *names, FILE *out)
{
	const char *reason = reason_text(event), *paint = gpc_paint(out, type_paint(event->type));
	char time[32];

	/* 2026-05-01 12:00:00Z, the milliseconds before its last letter */
	fprintf(out, "%.19s.%03uZ  %s%-10s%s  ", gpc_text_time(names->seconds, time),
		names->milliseconds, paint, gpc_event_type_name(event->type),
		*paint ? gpc_paint(out, GPC_PLAIN) : "");
	if (names->device)
		gpc_put_safe(out, names->device);
	else
		fprintf(out, "ifindex %u", event->ifindex);
	fprintf(out, " %s  ", hook_text(event));
	print_packet(event, out);
	print_rule(event, names, out);
	if (reason)
		fprintf(out, "  %s", reason);
	else if (event->type != GPC_EVENT_FLOW)
		fprintf(out, "  %s", gpc_action_name(event->action));
	if (event->sample > 1)
		fprintf(out, "  x%u", event->sample);
	fputc('\n', out);
}

/* ---- JSON ---- */

static void add_packet(struct json_object *object, const struct gpc_event *event)
{
	char text[GPC_IP_TEXT], protocol[16], flags[9];

	gpc_json_text(object, "protocol", protocol_text(event->protocol, protocol));
	gpc_json_number(object, "protocol_number", event->protocol);
	gpc_json_text(object, "source", address_text(event->source, text));
	gpc_json_text(object, "destination", address_text(event->destination, text));
	if (has_ports(event)) {
		gpc_json_number(object, "source_port", ntohs(event->source_port));
		gpc_json_number(object, "destination_port", ntohs(event->destination_port));
	}
	if (is_icmp(event) && event->fragment != GPC_FRAGMENT_LATER) {
		gpc_json_number(object, "icmp_type", ntohs(event->destination_port) >> 8);
		gpc_json_number(object, "icmp_code", ntohs(event->destination_port) & 0xff);
	}
	if (event->protocol == IPPROTO_TCP)
		gpc_json_text(object, "tcp_flags", flags_text(event, flags));
	gpc_json_text(object, "fragment", fragment_text(event));
	if (event->vlan != GPC_VLAN_NONE)
		gpc_json_number(object, "vlan", event->vlan);
	gpc_json_number(object, "dscp", event->dscp);
	gpc_json_number(object, "length", event->length);
}

struct json_object *gpc_event_json(const struct gpc_event *event,
				   const struct gpc_event_names *names)
{
	struct json_object *object = gpc_json("event");
	char text[48], time[32];

	gpc_text_time(names->seconds, time);
	snprintf(text, sizeof(text), "%.10sT%.8s.%03uZ", time, time + 11, names->milliseconds);
	gpc_json_text(object, "time", text);
	gpc_json_text(object, "event", gpc_event_type_name(event->type));
	gpc_json_text(object, "device", names->device);
	gpc_json_number(object, "ifindex", event->ifindex);
	gpc_json_text(object, "hook", hook_text(event));
	add_packet(object, event);
	gpc_json_text(object, "policy", names->policy);
	gpc_json_text(object, "rule", names->rule);
	snprintf(text, sizeof(text), "%016" PRIx64, (uint64_t)event->rule);
	gpc_json_text(object, "rule_id", event->rule ? text : NULL);
	gpc_json_text(object, "place", names->place && *names->place ? names->place : NULL);
	gpc_json_text(object, "action", gpc_action_name(event->action));
	gpc_json_text(object, "reason", reason_text(event));
	gpc_json_number(object, "generation", event->generation);
	gpc_json_number(object, "packets", event->sample);
	return object;
}
