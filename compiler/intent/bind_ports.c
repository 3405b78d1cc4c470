/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>

#include "gpc/limits.h"
#include "ports.h"
#include "quote.h"
#include "slot.h"
#include "suggest.h"

#define MOST_NAMES 32u

/* The protocol or ICMP type that `text` may be meant to be; NULL if none is near. */
static const char *near_name(const char *text, int protocol)
{
	const char *names[MOST_NAMES];
	size_t count = 0;

	for (; count < MOST_NAMES; count++) {
		names[count] = protocol < 0 ? gpc_protocol_name(count)
					    : gpc_icmp_type_name((uint8_t)protocol, count);
		if (!names[count])
			break;
	}
	return gpc_suggest(text, names, count);
}

/* What is wrong, without the text; "" for what the caller says. */
static const char *const faults[] = {
	[GPC_PORTS_OK] = "",
	[GPC_PORTS_SYNTAX] = "not a ports item",
	[GPC_PORTS_NUMBER] = "not a number in a ports item",
	[GPC_PORTS_LEADING_ZERO] = "number with a leading zero",
	[GPC_PORTS_PORT] = "port out of range 0 to 65535",
	[GPC_PORTS_ORDER] = "range from high to low",
	[GPC_PORTS_BYTE] = "number out of range 0 to 255",
	[GPC_PORTS_PROTOCOL] = "unknown protocol",
	[GPC_PORTS_TYPE] = "unknown ICMP type",
	[GPC_PORTS_PORTLESS] = "protocol without `proto/`",
};

static enum gpc_code code_of(enum gpc_ports_error error)
{
	if (error == GPC_PORTS_LEADING_ZERO)
		return GPC_E0109;
	return error == GPC_PORTS_PORT || error == GPC_PORTS_BYTE ? GPC_E0110 : GPC_E0132;
}

static void hint_name(struct gpc_diags *diags, struct gpc_diag *diag, const char *near,
		      const char *otherwise)
{
	if (near)
		gpc_diag_hint(diags, diag, "did you mean `%s`?", near);
	else
		gpc_diag_hint(diags, diag, "%s", otherwise);
}

static void report(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		   enum gpc_ports_error error)
{
	struct gpc_diags *diags = slot->values->diags;
	const char *text = scalar->text, *rest = strchr(text, '/');
	struct gpc_diag *diag = gpc_slot_scalar_fault(slot, code_of(error), scalar, "%s: `%s`",
						      faults[error], gpc_quote(diags->arena, text));
	char head[8] = "";

	if (gpc_diags_full(diags))
		return;
	if (rest && (size_t)(rest - text) < sizeof(head))
		memcpy(head, text, (size_t)(rest - text));
	switch (error) {
	case GPC_PORTS_SYNTAX:
		hint_name(diags, diag, rest ? near_name(head, -1) : near_name(text, -1),
			  "such as tcp/443, udp/27000-27100, icmp/echo-request, proto/gre");
		break;
	case GPC_PORTS_PROTOCOL:
		hint_name(diags, diag, near_name(rest + 1, -1), "give its number");
		break;
	case GPC_PORTS_TYPE:
		head[strcspn(head, "/")] = '\0';
		hint_name(
			diags, diag,
			near_name(rest + 1, strcmp(head, "icmp6") ? IPPROTO_ICMP : IPPROTO_ICMPV6),
			"give its number");
		break;
	case GPC_PORTS_PORTLESS:
		gpc_diag_hint(diags, diag, "write `proto/%.*s`; it has no ports",
			      (int)strcspn(text, "/"), text);
		break;
	case GPC_PORTS_ORDER:
		gpc_diag_hint(diags, diag, "the lower port comes first");
		break;
	default:
		break;
	}
}

static void bind_item(const struct gpc_slot *slot, const struct gpc_node *node,
		      gpc_ports_list *ports)
{
	struct gpc_ports_item item;
	struct gpc_scalar scalar;
	enum gpc_ports_error error;

	if (!gpc_slot_scalar(slot, node, &scalar))
		return;
	error = gpc_ports_parse(scalar.text, &item);
	if (error) {
		report(slot, &scalar, error);
		return;
	}
	item.at = scalar.at;
	*(struct gpc_ports_item *)gpc_slot_push(slot, ports, sizeof(item), 1) = item;
}

void gpc_bind_ports(const struct gpc_slot *slot, const struct gpc_node *node, gpc_ports_list *ports)
{
	if (node->kind == GPC_NODE_SCALAR) {
		bind_item(slot, node, ports);
		return;
	}
	if (!gpc_slot_wants(slot, node, GPC_NODE_LIST))
		return;
	if (!node->list.count)
		gpc_slot_fault(slot, GPC_E0129, node->place, "empty list");
	if (node->list.count > GPC_MAX_PORTS_ITEMS) {
		gpc_diag_hint(slot->values->diags,
			      gpc_slot_fault(slot, GPC_E0133,
					     node->list.items[GPC_MAX_PORTS_ITEMS]->place,
					     "more than %u items", GPC_MAX_PORTS_ITEMS),
			      "write ranges, or a second rule");
		return;
	}
	for (size_t i = 0; i < node->list.count; i++)
		bind_item(slot, node->list.items[i], ports);
}

void gpc_bind_protocol(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		       struct gpc_uint_value *target)
{
	struct gpc_diags *diags = slot->values->diags;
	struct gpc_diag *diag;
	uint8_t protocol;
	enum gpc_ports_error error = gpc_protocol_parse(scalar->text, &protocol);

	if (!error) {
		*target = (struct gpc_uint_value){.value = protocol, .set = true, .at = scalar->at};
		return;
	}
	diag = gpc_slot_scalar_fault(slot, code_of(error), scalar, "%s: `%s`", faults[error],
				     gpc_quote(diags->arena, scalar->text));
	if (error == GPC_PORTS_PROTOCOL && !gpc_diags_full(diags))
		hint_name(diags, diag, near_name(scalar->text, -1), "give its number");
}

void gpc_bind_icmp_type(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			uint8_t protocol, struct gpc_uint_value *target)
{
	struct gpc_diags *diags = slot->values->diags;
	struct gpc_diag *diag;
	uint8_t type;
	enum gpc_ports_error error = gpc_icmp_type_parse(scalar->text, protocol, &type);

	if (!error) {
		*target = (struct gpc_uint_value){.value = type, .set = true, .at = scalar->at};
		return;
	}
	diag = gpc_slot_scalar_fault(slot, code_of(error), scalar, "%s: `%s`", faults[error],
				     gpc_quote(diags->arena, scalar->text));
	if (error == GPC_PORTS_TYPE && !gpc_diags_full(diags))
		hint_name(diags, diag, near_name(scalar->text, protocol), "give its number");
}
