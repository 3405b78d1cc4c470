/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an image, in two ways: as they are, and as the decision and provenance part of an image
 * whose head and digests are made to fit, so that the rules of the records are reached. What must hold:
 * a refusal has one diagnostic; in an image that opens every lookup and every dump stays inside.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/endpoint.h"
#include "gpc/lookup/vip.h"
#include "image/compare.h"
#include "image/digest.h"
#include "image/dump.h"
#include "image/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "image_fuzz: %s\n", what);
	abort();
}

static void look_up_listeners(const struct gpc_image *image)
{
	uint32_t vip_count, listener_count;
	const struct gpc_vip *vips = gpc_image_section(image, GPC_SEC_VIP, &vip_count);

	gpc_image_section(image, GPC_SEC_LISTENER, &listener_count);
	for (uint32_t i = 0; i < vip_count; i++) {
		uint32_t found =
			gpc_vip_listener(image->view, vips[i].address_be[0], vips[i].address_be[1],
					 vips[i].port_be, vips[i].protocol, vips[i].interfaces);

		require(found == GPC_NONE || found < listener_count,
			"a listener's index is inside");
	}
}

static void look_up_endpoints(const struct gpc_image *image)
{
	uint32_t endpoint_count, listener_count;
	const struct gpc_endpoint *endpoints =
		gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoint_count);
	const struct gpc_listener *listeners =
		gpc_image_section(image, GPC_SEC_LISTENER, &listener_count);

	for (uint32_t i = 0; i < endpoint_count; i++)
		require(gpc_endpoint_by_id(image->view, endpoints[i].id) == i,
			"an endpoint is found by its id");
	for (uint32_t i = 0; i < listener_count; i++)
		for (uint64_t hash = 0; hash <= UINT32_MAX; hash += 0x03ffffff)
			for (int family = GPC_V4; family <= GPC_V6; family++) {
				uint32_t found = gpc_endpoint_by_hash(
					image->view, &listeners[i].table[family], hash);

				require(found == GPC_NONE || found < endpoint_count,
					"an endpoint's index is inside");
			}
}

static void use(struct gpc_image *image, struct gpc_arena *arena)
{
	struct gpc_image_comparison comparison = {"image", "itself", NULL, 0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint32_t count, line, column;
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	const char *path;

	require(out != NULL, "there is memory");
	look_up_listeners(image);
	look_up_endpoints(image);
	gpc_image_dump(image, NULL, true, out);
	for (size_t i = 0; gpc_image_dump_sections[i]; i++)
		gpc_image_dump(image, gpc_image_dump_sections[i], i % 2, out);
	fclose(out);
	free(text);
	for (uint32_t i = 0; i < count; i++)
		gpc_image_place(image, arena, endpoints[i].id, &path, &line, &column);
	require(!gpc_image_compare(image, image->bytes, image->size, &comparison),
		"an image equals itself");
	gpc_image_release(image);
}

static void open_image(const uint8_t *bytes, size_t size, bool linked)
{
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;

	gpc_diags_init(&diags, &arena, false);
	if (gpc_image_open(&diags, "fuzz.gpi", bytes, size, linked, &image))
		use(&image, &arena);
	else
		require(diags.errors == 1, "a refusal has one diagnostic");
	gpc_arena_release(&arena);
}

static uint32_t round_up(uint32_t n, uint32_t to)
{
	return (n + to - 1) / to * to;
}

/* A head and a link part around the bytes, as the section directory in them wants. */
static uint8_t *wrap(const uint8_t *bytes, size_t size, size_t *ret_size)
{
	struct gpc_image_head head = {.magic = GPC_IMAGE_MAGIC,
				      .version = GPC_IMAGE_VERSION,
				      .head_size = sizeof(head),
				      .abi = GPC_ABI_HASH,
				      .decision_offset = sizeof(head)};
	const struct gpc_section *sections;
	struct gpc_plane plane;
	uint32_t last;
	uint8_t *image;

	memcpy(&plane, bytes, sizeof(plane));
	sections = plane.section;
	last = sections[GPC_SEC_NAMES].offset + sections[GPC_SEC_NAMES].size;
	if (last < sizeof(head) + sizeof(plane) || last > sizeof(head) + size)
		last = (uint32_t)(sizeof(head) + size);
	head.decision_size = last - (uint32_t)sizeof(head);
	head.provenance_offset = round_up(last, GPC_IMAGE_ALIGN);
	if (head.provenance_offset < sizeof(head) + size)
		head.provenance_size = (uint32_t)(sizeof(head) + size) - head.provenance_offset;
	head.link_offset = round_up(head.provenance_offset + head.provenance_size, GPC_PAGE);
	head.link_size = (uint32_t)GPC_LINK_SIZE(sections[GPC_SEC_LISTENER].count % 64,
						 sections[GPC_SEC_ENDPOINT].count % 4096,
						 sections[GPC_SEC_RULE].count % 4096);
	head.size = head.link_offset + head.link_size;
	image = calloc(1, head.size);
	require(image != NULL, "there is memory");
	memcpy(image, &head, sizeof(head));
	memcpy(image + sizeof(head), bytes, size);
	gpc_decision_digest(image, ((struct gpc_image_head *)image)->decision_digest);
	gpc_file_digest(image, ((struct gpc_image_head *)image)->file_digest);
	*ret_size = head.size;
	return image;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *image;
	size_t image_size;

	open_image(bytes, size, size % 2);
	if (size < sizeof(struct gpc_plane))
		return 0;
	image = wrap(bytes, size, &image_size);
	open_image(image, image_size, false);
	free(image);
	return 0;
}
