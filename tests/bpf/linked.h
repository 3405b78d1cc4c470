/* SPDX-License-Identifier: MIT */
/*
 * linked.h: planes from YAML text for the tests that hold the programs against an oracle: compiled
 * by gpc_compile(), then linked by hand from what image.h says, so that the loader's writer of the
 * link part has a second opinion. The host has two devices: HERE, where frames arrive, and OUT.
 */
#ifndef GPC_TESTS_BPF_LINKED_H
#define GPC_TESTS_BPF_LINKED_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "base/memfiles.h"
#include "gpc/abi.h"
#include "image/image_file.h"
#include "pipeline.h"

#define HERE 1u /* ifindex of lo */
#define OUT 7u	/* sent through only */

static const uint8_t linked_mac_here[6] = {0x02, 0x10, 0, 0, 0, 0x01},
		     linked_mac_out[6] = {0x02, 0x20, 0, 0, 0, 0x02};
#define LINKED_SOURCE4 "10.0.0.254"
#define LINKED_SOURCE6 "2001:db8::fe"

/* Slot of gpc_next for an endpoint and a family (0: v4, 1: v6); called for what the endpoint has.
 */
typedef uint32_t (*linked_hop)(const struct gpc_endpoint *endpoint, uint32_t index,
			       unsigned int family);

/* Ends the program with the first diagnostic if the plane is refused. */
static inline struct gpc_image linked_compile(const char *text)
{
	const char *path = "gpc.yaml";
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "oracle"};
	struct gpc_compiled compiled;
	struct gpc_diags diags;
	struct gpc_image image = {0};

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	if (!gpc_compile(&diags, &provider, &options, &compiled) ||
	    !gpc_image_open(&diags, "plane.gpi", compiled.bytes, compiled.size, false, &image)) {
		fprintf(stderr, "oracle: the plane was refused: %s\n",
			diags.records.items[0].message);
		exit(1);
	}
	gpc_arena_release(&arena);
	return image;
}

static inline void linked_device(struct gpc_link_device *devices, uint32_t mult, uint32_t ifindex,
				 uint16_t interface, const uint8_t mac[6])
{
	uint32_t at = ifindex * mult >> 22;

	while (devices[at % GPC_DEVICE_SLOTS].ifindex)
		at++;
	devices[at % GPC_DEVICE_SLOTS] = (struct gpc_link_device){
		.ifindex = ifindex,
		.interface = interface,
		.interface_bit = interface == GPC_NONE16 ? 0 : 1ull << interface,
		.chain = {GPC_NONE16, GPC_NONE16},
		.mtu = 65535,
	};
	memcpy(devices[at % GPC_DEVICE_SLOTS].mac, mac, 6);
}

static inline void linked_endpoint(struct gpc_link_endpoint *link, const struct gpc_endpoint *e,
				   uint32_t index, linked_hop hop)
{
	*link = (struct gpc_link_endpoint){
		.counter = GPC_COUNTER_FIRST_OBJECT + 64 + index,
		.next = {e->flags & GPC_ENDPOINT_V4 ? hop(e, index, 0) : GPC_NONE,
			 e->flags & GPC_ENDPOINT_V6 ? hop(e, index, 1) : GPC_NONE}};
	inet_pton(AF_INET, LINKED_SOURCE4, &link->source4_be);
	inet_pton(AF_INET6, LINKED_SOURCE6, link->source6_be);
}

/* A copy of the image's buffer, linked so that frames from lo arrive at `interface`. */
static inline char *linked_image(const struct gpc_image *image, const char *interface,
				 linked_hop hop)
{
	char *bytes = malloc((size_t)1 << image->log2);
	uint32_t interfaces, listeners, endpoints, mine = GPC_NONE16;
	const struct gpc_interface *names =
		gpc_image_section(image, GPC_SEC_INTERFACE, &interfaces);
	const struct gpc_endpoint *e = gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoints);
	struct gpc_link_head *head;

	if (!bytes)
		abort();
	memcpy(bytes, image->bytes, (size_t)1 << image->log2);
	gpc_image_section(image, GPC_SEC_LISTENER, &listeners);
	for (uint32_t i = 0; i < interfaces; i++)
		if (strcmp(gpc_image_name(image, names[i].name), interface) == 0)
			mine = i;
	head = (struct gpc_link_head *)(bytes + image->head->link_offset);
	*head = (struct gpc_link_head){.magic = GPC_LINK_MAGIC,
				       .generation = 1,
				       .device_mult = 0x9e3779b1u,
				       .nonce = 0x1122334455667788ull,
				       .cpus = 1};
	head->device_offset = image->head->link_offset + sizeof(*head);
	head->listener_offset =
		head->device_offset + GPC_DEVICE_SLOTS * sizeof(struct gpc_link_device);
	head->endpoint_offset =
		head->listener_offset + (listeners + 3) / 4 * 4 * sizeof(struct gpc_link_listener);
	linked_device((void *)(bytes + head->device_offset), head->device_mult, HERE,
		      (uint16_t)mine, linked_mac_here);
	linked_device((void *)(bytes + head->device_offset), head->device_mult, OUT, GPC_NONE16,
		      linked_mac_out);
	for (uint32_t i = 0; i < listeners; i++)
		((struct gpc_link_listener *)(bytes + head->listener_offset))[i].counter =
			GPC_COUNTER_FIRST_OBJECT + i;
	for (uint32_t i = 0; i < endpoints; i++)
		linked_endpoint((struct gpc_link_endpoint *)(bytes + head->endpoint_offset) + i,
				&e[i], i, hop);
	return bytes;
}

#endif
