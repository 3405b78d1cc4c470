/* SPDX-License-Identifier: MIT */
#include "point.h"

#include <string.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"

/* The only interface with a chain in that direction, when none is named. */
static const char *only_interface(const struct gpc_image *image, enum gpc_direction direction)
{
	uint32_t count, interfaces;
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);
	const struct gpc_interface *items = gpc_image_section(image, GPC_SEC_INTERFACE, &interfaces);
	const char *found = NULL;

	if (interfaces == 1)
		return gpc_image_name(image, items[0].name);
	for (uint32_t i = 0; i < count; i++) {
		if (chains[i].direction != direction)
			continue;
		if (found)
			return NULL;
		found = gpc_image_name(image, items[chains[i].interface].name);
	}
	return found;
}

/* Adds the names of all interface items as the next step. */
static int name_interfaces(const struct gpc_image *image, const char *before,
			   struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_arena_release) struct gpc_arena arena = {0};
	uint32_t count;
	const struct gpc_interface *items = gpc_image_section(image, GPC_SEC_INTERFACE, &count);
	const char *text = count ? "" : "none";

	for (uint32_t i = 0; i < count; i++)
		text = gpc_arena_printf(&arena, "%s%s%s", text, i ? ", " : "",
					gpc_image_name(image, items[i].name));
	return gpc_fail_hint(failure, "%sthe plane has %s", before, text);
}

int gpc_point_find(const struct gpc_call *call, const struct gpc_image *image,
		   struct gpc_explain_point *ret, const char **ret_interface,
		   struct gpc_failure *failure)
{
	bool out = gpc_call_has(call, "out");
	enum gpc_direction direction = out ? GPC_EGRESS : GPC_INGRESS;
	const char *name = gpc_call_value(call, out ? "out" : "in");

	if (out && gpc_call_has(call, "in"))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "--in and --out exclude each other");
	if (!name)
		name = only_interface(image, direction);
	if (!name) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "by which interface does the packet come?");
		return name_interfaces(image, "give --in IF or --out IF; ", failure);
	}
	*ret_interface = name;
	if (gpc_explain_point(image, name, direction, ret))
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "no interface of the plane takes a device '%s'", name);
	return name_interfaces(image, "", failure);
}

int gpc_point_packet(const char *text, struct gpc_question *ret, struct gpc_failure *failure)
{
	struct gpc_packet_fault fault;

	if (gpc_packet_parse(text, strlen(text), ret, &fault))
		return 0;
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "%s, at column %zu of '%s'", fault.text, fault.at + 1,
		 text);
	return gpc_fail_hint(failure, "a packet is 'tcp 10.0.1.5:40000 -> 10.0.9.3:5432'");
}
