/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gpc/abi.h"
#include "reader.h"

#define GENERATION_MAX ((1u << 29) - 1)

static uint32_t home_of(uint32_t ifindex, uint32_t mult)
{
	return (uint32_t)(ifindex * mult) >> 22;
}
_Static_assert(GPC_DEVICE_SLOTS == 1u << (32 - 22), "a home is a slot");

static bool objects_are_sound(const struct gpc_reader *reader, const struct gpc_link_head *link)
{
	struct gpc_link_head same = *link;

	gpc_link_describe(reader->plane->section, &same);
	return !memcmp(same.objects, link->objects, sizeof(same.objects));
}

static bool head_is_sound(const struct gpc_reader *reader, const struct gpc_link_head *link)
{
	struct gpc_link_layout layout =
		gpc_link_layout(reader->plane->section[GPC_SEC_LISTENER].count,
				reader->plane->section[GPC_SEC_ENDPOINT].count,
				reader->plane->section[GPC_SEC_BACKEND].count);
	uint32_t base = reader->head->link_offset;

	return link->magic == GPC_LINK_MAGIC && link->generation &&
	       link->generation <= GENERATION_MAX && link->device_mult & 1 &&
	       link->device_offset == base + layout.device &&
	       link->listener_offset == base + layout.listener &&
	       link->endpoint_offset == base + layout.endpoint &&
	       link->backend_offset == base + layout.backend &&
	       link->rule_offset == base + layout.rule && link->cpus &&
	       gpc_all_zero(link->pad0, sizeof(link->pad0)) &&
	       gpc_all_zero(link->pad1, sizeof(link->pad1)) && objects_are_sound(reader, link);
}

/* Index of CHAIN by direction: the chain is one of the device's interface and of that direction. */
static bool chains_are_sound(const struct gpc_reader *reader, const struct gpc_link_device *device)
{
	uint32_t count;
	const struct gpc_chain *chains = gpc_reader_section(reader, GPC_SEC_CHAIN, &count);

	for (int direction = GPC_INGRESS; direction <= GPC_EGRESS; direction++) {
		uint16_t chain = device->chain[direction];

		if (chain != GPC_NONE16 &&
		    (chain >= count || chains[chain].direction != direction ||
		     chains[chain].interface != device->interface))
			return false;
	}
	return true;
}

/* The device stands within the probes of its home and its interface exists. */
static bool device_is_sound(const struct gpc_reader *reader, const struct gpc_link_head *link,
			    const struct gpc_link_device *device, uint32_t slot)
{
	uint32_t away =
		(slot - home_of(device->ifindex, link->device_mult)) & (GPC_DEVICE_SLOTS - 1);
	uint32_t interfaces = reader->plane->section[GPC_SEC_INTERFACE].count;

	if (away >= GPC_DEVICE_PROBES || device->flags & ~GPC_DEVICE_META || device->pad0 ||
	    !chains_are_sound(reader, device))
		return false;
	if (device->interface == GPC_NONE16)
		return !device->interface_bit;
	return device->interface < interfaces && device->interface_bit == 1ull << device->interface;
}

/* The buckets that the record says are the rate's. */
static bool buckets_are_sound(uint32_t rate, uint32_t buckets, uint32_t entries)
{
	return (rate == GPC_NONE) == !entries && buckets == entries &&
	       (!entries || rate <= GPC_NONE - entries);
}

static bool check_listeners(const struct gpc_reader *reader, const struct gpc_link_head *link)
{
	const struct gpc_link_listener *links =
		(const struct gpc_link_listener *)(reader->bytes + link->listener_offset);
	uint32_t count;
	const struct gpc_listener *listeners = gpc_reader_section(reader, GPC_SEC_LISTENER, &count);

	for (uint32_t i = 0; i < count; i++)
		if (links[i].counter < GPC_COUNTER_FIRST_OBJECT || links[i].pad0 ||
		    !buckets_are_sound(links[i].rate, links[i].buckets, listeners[i].rate_entries))
			return gpc_reader_refuse(reader, GPC_E0510,
						 "listener %u of the link part is malformed", i);
	return true;
}

/* The ways to an endpoint are by the addresses that it has. */
static bool endpoint_is_sound(const struct gpc_link_endpoint *link, const struct gpc_endpoint *endpoint)
{
	return link->counter >= GPC_COUNTER_FIRST_OBJECT &&
	       (endpoint->flags & GPC_ENDPOINT_V4 || link->next[GPC_V4] == GPC_NONE) &&
	       (endpoint->flags & GPC_ENDPOINT_V6 || link->next[GPC_V6] == GPC_NONE);
}

static bool check_endpoints(const struct gpc_reader *reader, const struct gpc_link_head *link)
{
	const struct gpc_link_endpoint *links =
		(const struct gpc_link_endpoint *)(reader->bytes + link->endpoint_offset);
	uint32_t count;
	const struct gpc_endpoint *endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!endpoint_is_sound(&links[i], &endpoints[i]))
			return gpc_reader_refuse(reader, GPC_E0510,
						 "endpoint %u of the link part is malformed", i);
	return true;
}

static bool check_backends(const struct gpc_reader *reader, const struct gpc_link_head *link)
{
	const struct gpc_link_backend *links =
		(const struct gpc_link_backend *)(reader->bytes + link->backend_offset);

	for (uint32_t i = 0; i < reader->plane->section[GPC_SEC_BACKEND].count; i++)
		if (links[i].counter < GPC_COUNTER_FIRST_OBJECT ||
		    !gpc_all_zero(links[i].pad0, sizeof(links[i].pad0)))
			return gpc_reader_refuse(reader, GPC_E0510,
						 "backend %u of the link part is malformed", i);
	return true;
}

static bool check_rules(const struct gpc_reader *reader, const struct gpc_link_head *link)
{
	const struct gpc_link_rule *links =
		(const struct gpc_link_rule *)(reader->bytes + link->rule_offset);
	uint32_t count;
	const struct gpc_rule *rules = gpc_reader_section(reader, GPC_SEC_RULE, &count);

	for (uint32_t i = 0; i < count; i++)
		if (links[i].pad0 ||
		    !buckets_are_sound(links[i].rate, links[i].buckets, rules[i].rate_entries))
			return gpc_reader_refuse(reader, GPC_E0510,
						 "rule %u of the link part is malformed", i);
	return true;
}

bool gpc_reader_link(const struct gpc_reader *reader, bool linked)
{
	const struct gpc_image_head *head = reader->head;
	const char *part = reader->bytes + head->link_offset;
	const struct gpc_link_head *link = (const struct gpc_link_head *)part;
	const struct gpc_link_device *devices;

	if (gpc_all_zero(part, head->link_size))
		return true;
	if (!linked)
		return gpc_reader_refuse(reader, GPC_E0510, "link part of the file is not empty");
	if (!head_is_sound(reader, link))
		return gpc_reader_refuse(reader, GPC_E0510, "head of the link part is malformed");
	devices = (const struct gpc_link_device *)(reader->bytes + link->device_offset);
	for (uint32_t slot = 0; slot < GPC_DEVICE_SLOTS; slot++) {
		const struct gpc_link_device *device = &devices[slot];
		bool sound = device->ifindex ? device_is_sound(reader, link, device, slot)
					     : gpc_all_zero(device, sizeof(*device));

		if (!sound)
			return gpc_reader_refuse(reader, GPC_E0510,
						 "device slot %u of the link part is malformed",
						 slot);
	}
	return check_listeners(reader, link) && check_endpoints(reader, link) &&
	       check_backends(reader, link) && check_rules(reader, link);
}
