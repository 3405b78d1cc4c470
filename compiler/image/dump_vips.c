/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>

#include "../base/words.h"
#include "dumper.h"
#include "gpc/lookup/vip_entry.h"
#include "vips.h"

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	default:
		return "SCTP";
	}
}

static void put_listener(struct gpc_dump *dump, uint32_t index)
{
	const struct gpc_listener *listener = gpc_dump_record(dump, GPC_SEC_LISTENER, index);

	gpc_dump_name(dump, "listener", listener->name);
}

/* "inside outside": the listeners that share a key on different interfaces. */
static void put_choices(struct gpc_dump *dump, uint32_t first)
{
	const struct gpc_vip_choice *choice = gpc_dump_record(dump, GPC_SEC_VIP_CHOICE, first);
	const char *text = "";

	for (;; choice++) {
		const struct gpc_listener *listener =
			gpc_dump_record(dump, GPC_SEC_LISTENER, choice->listener);

		text = gpc_arena_printf(dump->arena, "%s%s%s", text, *text ? " " : "",
					gpc_image_name(dump->image, listener->name));
		if (choice->last)
			break;
	}
	gpc_emit_string(&dump->emitter, "listener", text);
	gpc_emit_number(&dump->emitter, "first-choice", first);
}

/* A listener or a run of choices. */
static void put_said(struct gpc_dump *dump, uint32_t listener, uint32_t flags)
{
	if (flags & GPC_VIP_CHOICE)
		put_choices(dump, listener);
	else if (listener == GPC_NONE)
		gpc_emit_none(&dump->emitter, "listener");
	else
		put_listener(dump, listener);
}

/* "ipip nat": the modes of the address's listeners. */
static void put_forwards(struct gpc_dump *dump, uint32_t says)
{
	const char *text = "";

	for (unsigned int mode = GPC_FORWARD_IPIP; mode <= GPC_FORWARD_PASS; mode++)
		if (GPC_VIP_ADDRESS_FORWARDS(says) >> mode & 1)
			text = gpc_arena_printf(dump->arena, "%s%s%s", text, *text ? " " : "",
						gpc_forward_name(mode));
	gpc_emit_string(&dump->emitter, "forward", text);
}

static void put_ping(struct gpc_dump *dump, uint32_t says)
{
	static const char *const pings[] = {"reply", "pass", "drop"};

	gpc_emit_string(&dump->emitter, "ping", pings[GPC_VIP_ADDRESS_PING(says)]);
}

static void dump_vip(struct gpc_dump *dump, uint32_t index, const struct gpc_vip *vip)
{
	struct gpc_emitter *e = &dump->emitter;
	struct gpc_prefix prefix;

	gpc_vip_prefix_of(vip, &prefix);
	gpc_dump_begin(dump, "vip", index);
	gpc_emit_address(e, "address", vip->address_be);
	gpc_emit_number(e, "length", prefix.length);
	gpc_emit_string(e, "key", gpc_vip_kind_name(vip));
	if (gpc_vip_kind(vip) != GPC_VIP_ADDRESS)
		gpc_emit_string(e, "protocol", protocol_name(vip->protocol));
	switch (gpc_vip_kind(vip)) {
	case GPC_VIP_EXACT:
		gpc_emit_number(e, "port", ntohs(vip->port_be));
		put_said(dump, vip->listener, vip->flags);
		break;
	case GPC_VIP_SOLE:
		put_said(dump, vip->listener, vip->flags);
		break;
	case GPC_VIP_PORTS:
		gpc_emit_number(e, "first-ports", vip->listener);
		gpc_emit_number(e, "intervals", vip->ports);
		break;
	case GPC_VIP_ADDRESS:
		put_ping(dump, vip->listener);
		put_forwards(dump, vip->listener);
		break;
	}
	if (gpc_vip_kind(vip) != GPC_VIP_PORTS)
		gpc_dump_interface_mask(dump, "interfaces", vip->interfaces);
	gpc_emit_end(e);
}

void gpc_dump_vips(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_VIP); i++) {
		const struct gpc_vip *vip = gpc_dump_record(dump, GPC_SEC_VIP, i);

		if (gpc_vip_is_used(vip))
			dump_vip(dump, i, vip);
	}
}

void gpc_dump_vip_choices(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_VIP_CHOICE); i++) {
		const struct gpc_vip_choice *choice = gpc_dump_record(dump, GPC_SEC_VIP_CHOICE, i);

		gpc_dump_begin(dump, "vip-choice", i);
		put_listener(dump, choice->listener);
		gpc_dump_interface_mask(dump, "interfaces", choice->interfaces);
		gpc_emit_number(&dump->emitter, "last", choice->last);
		gpc_emit_end(&dump->emitter);
	}
}

void gpc_dump_vip_ports(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_VIP_PORTS); i++) {
		const struct gpc_vip_ports *ports = gpc_dump_record(dump, GPC_SEC_VIP_PORTS, i);

		gpc_dump_begin(dump, "vip-ports", i);
		gpc_emit_number(&dump->emitter, "first", ports->first);
		put_said(dump, ports->listener, ports->flags);
		gpc_dump_interface_mask(dump, "interfaces", ports->interfaces);
		gpc_emit_number(&dump->emitter, "last", ports->last);
		gpc_emit_end(&dump->emitter);
	}
}
