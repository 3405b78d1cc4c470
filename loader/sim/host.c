// SPDX-License-Identifier: MIT
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/image/layout.h"
#include "../link/link.h"
#include "../link/place.h"

#define META_HOOKS (GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS)
#define SOURCE4 "\x0a\xff\xff\xfe"	/* 10.255.255.254 */
#define SOURCE6 "\xfd\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\xfe"

static uint32_t count_of(const struct gpc_image *image, enum gpc_section_id id)
{
	return image->plane->section[id].count;
}

uint32_t gpc_sim_listener_counter(uint32_t listener)
{
	return GPC_COUNTER_FIRST_OBJECT + listener;
}

uint32_t gpc_sim_endpoint_counter(const struct gpc_image *image, uint32_t endpoint)
{
	return GPC_COUNTER_FIRST_OBJECT + count_of(image, GPC_SEC_LISTENER) + endpoint;
}

uint32_t gpc_sim_backend_counter(const struct gpc_image *image, uint32_t backend)
{
	return gpc_sim_endpoint_counter(image, count_of(image, GPC_SEC_ENDPOINT)) + backend;
}

void gpc_sim_mac(uint32_t ifindex, uint8_t mac[6])
{
	memcpy(mac, (uint8_t[6]){0x02, 0x67, 0x70, 0x63, (uint8_t)(ifindex >> 8), (uint8_t)ifindex}, 6);
}

struct gpc_next gpc_sim_hop(void)
{
	struct gpc_next next = {.hop = (uint64_t)GPC_SIM_OUT << 48};

	gpc_sim_mac(GPC_SIM_NEIGHBOUR, (uint8_t *)&next.hop);
	return next;
}

static int link_devices(const struct gpc_image *image, const struct gpc_sim_device *devices,
			size_t count, char *bytes, struct gpc_link_head *head)
{
	GPC_AUTO_FREE struct gpc_link_device *records = calloc(count + 1, sizeof(*records));
	size_t used = 0;
	uint32_t interfaces;
	const struct gpc_interface *items =
		gpc_image_section(image, GPC_SEC_INTERFACE, &interfaces);

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint16_t interface = devices[i].interface;

		if (interface == GPC_NONE16)
			continue;
		records[used] = (struct gpc_link_device){
			.ifindex = devices[i].ifindex,
			.interface = interface,
			.interface_bit = 1ull << interface,
			.flags = (items[interface].hooks & META_HOOKS) == META_HOOKS ? GPC_DEVICE_META
										     : 0,
			.mtu = 65535,
			.chain = {gpc_link_chain(image, interface, GPC_INGRESS),
				  gpc_link_chain(image, interface, GPC_EGRESS)},
		};
		gpc_sim_mac(devices[i].ifindex, records[used++].mac);
	}
	records[used] = (struct gpc_link_device){.ifindex = GPC_SIM_OUT,
						  .interface = GPC_NONE16,
						  .mtu = GPC_SIM_MTU,
						  .chain = {GPC_NONE16, GPC_NONE16}};
	gpc_sim_mac(GPC_SIM_OUT, records[used].mac);
	return gpc_devices_place(records, used + 1,
				 (struct gpc_link_device *)(bytes + head->device_offset),
				 &head->device_mult);
}

static void link_listeners(const struct gpc_image *image, char *bytes,
			   const struct gpc_link_head *head)
{
	struct gpc_link_listener *records =
		(struct gpc_link_listener *)(bytes + head->listener_offset);

	for (uint32_t i = 0; i < count_of(image, GPC_SEC_LISTENER); i++)
		records[i].counter = gpc_sim_listener_counter(i);
}

static void link_endpoints(const struct gpc_image *image, char *bytes,
			   const struct gpc_link_head *head)
{
	struct gpc_link_endpoint *records =
		(struct gpc_link_endpoint *)(bytes + head->endpoint_offset);
	struct gpc_endpoint *endpoints = (struct gpc_endpoint *)(
		bytes + image->plane->section[GPC_SEC_ENDPOINT].offset);

	for (uint32_t i = 0; i < count_of(image, GPC_SEC_ENDPOINT); i++) {
		uint8_t flags = endpoints[i].flags;

		records[i] = (struct gpc_link_endpoint){
			.counter = gpc_sim_endpoint_counter(image, i),
			.next = {flags & GPC_ENDPOINT_V4 ? 0 : GPC_NONE,
				 flags & GPC_ENDPOINT_V6 ? 0 : GPC_NONE},
		};
		memcpy(&records[i].source4_be, SOURCE4, 4);
		memcpy(records[i].source6_be, SOURCE6, 16);
		endpoints[i].flags &= (uint8_t)~GPC_ENDPOINT_FIB;
	}
}

static void link_backends(const struct gpc_image *image, char *bytes,
			  const struct gpc_link_head *head)
{
	struct gpc_link_backend *records =
		(struct gpc_link_backend *)(bytes + head->backend_offset);

	for (uint32_t i = 0; i < count_of(image, GPC_SEC_BACKEND); i++)
		records[i].counter = gpc_sim_backend_counter(image, i);
}

/* The number of buckets. */
static uint32_t link_rules(const struct gpc_image *image, char *bytes,
			   const struct gpc_link_head *head)
{
	struct gpc_link_rule *records = (struct gpc_link_rule *)(bytes + head->rule_offset);
	uint32_t count, buckets = 0;
	const struct gpc_rule *rules = gpc_image_section(image, GPC_SEC_RULE, &count);

	for (uint32_t i = 0; i < count; i++) {
		records[i].counter = i;
		records[i].rate = rules[i].rate_entries ? buckets : GPC_NONE;
		buckets += rules[i].rate_entries;
	}
	return buckets;
}

/* Those of listeners stand behind `buckets`; the number of all. */
static uint32_t link_listener_rates(const struct gpc_image *image, char *bytes,
				    const struct gpc_link_head *head, uint32_t buckets)
{
	struct gpc_link_listener *records =
		(struct gpc_link_listener *)(bytes + head->listener_offset);
	uint32_t count;
	const struct gpc_listener *listeners =
		gpc_image_section(image, GPC_SEC_LISTENER, &count);

	for (uint32_t i = 0; i < count; i++) {
		records[i].rate = listeners[i].rate_entries ? buckets : GPC_NONE;
		buckets += listeners[i].rate_entries;
	}
	return buckets;
}

int gpc_sim_link(const struct gpc_image *image, const struct gpc_sim_device *devices, size_t count,
		 char *bytes, struct gpc_sim_need *ret_need)
{
	struct gpc_link_head *head = (struct gpc_link_head *)(bytes + image->head->link_offset);
	uint32_t base = image->head->link_offset, backends = count_of(image, GPC_SEC_BACKEND);
	struct gpc_link_layout layout;
	int r;

	memset(head, 0, image->head->link_size);
	*head = (struct gpc_link_head){
		.magic = GPC_LINK_MAGIC, .generation = 1, .nonce = GPC_SIM_NONCE, .cpus = 1};
	layout = gpc_link_layout(count_of(image, GPC_SEC_LISTENER), count_of(image, GPC_SEC_ENDPOINT),
				 backends);
	head->device_offset = base + layout.device;
	head->listener_offset = base + layout.listener;
	head->endpoint_offset = base + layout.endpoint;
	head->backend_offset = base + layout.backend;
	head->rule_offset = base + layout.rule;
	r = link_devices(image, devices, count, bytes, head);
	if (r)
		return r;
	link_listeners(image, bytes, head);
	link_endpoints(image, bytes, head);
	link_backends(image, bytes, head);
	*ret_need = (struct gpc_sim_need){
		.counters = gpc_sim_backend_counter(image, backends),
		.next = 1,
		.rules = count_of(image, GPC_SEC_RULE),
		.rate = link_listener_rates(image, bytes, head, link_rules(image, bytes, head)),
	};
	return 0;
}
