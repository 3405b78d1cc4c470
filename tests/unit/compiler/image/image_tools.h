/* SPDX-License-Identifier: MIT */
/* image_tools.h: images to damage, and everything that may be done with one that was opened. */
#ifndef GPC_TESTS_IMAGE_TOOLS_H
#define GPC_TESTS_IMAGE_TOOLS_H

#include "../policy_fixture.h"
#include "base/memfiles.h"
#include "gpc/abi.h"
#include "gpc/lookup/endpoint.h"
#include "gpc/lookup/vip.h"
#include "image/compare.h"
#include "image/digest.h"
#include "image/dump.h"
#include "pipeline.h"

/* Bytes of a plane; the caller frees. */
static inline uint8_t *image_of(void (*plane)(struct fixture *fixture), size_t *ret_size)
{
	struct gpc_image_bytes image;
	struct fixture fixture;
	uint8_t *bytes;

	plane(&fixture);
	CU_ASSERT_FATAL(fixture_compile(&fixture, &image));
	bytes = malloc(image.size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	memcpy(bytes, image.bytes, image.size);
	*ret_size = image.size;
	fixture_release(&fixture);
	return bytes;
}

/* The same of a plane's text. */
static inline uint8_t *image_of_text(const char *text, size_t *ret_size)
{
	const char *path = "gpc.yaml";
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_compiled image;
	struct gpc_diags diags;
	uint8_t *bytes;

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_FATAL(gpc_compile(&diags, &provider, &options, &image));
	bytes = malloc(image.size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	memcpy(bytes, image.bytes, image.size);
	*ret_size = image.size;
	gpc_arena_release(&arena);
	return bytes;
}

/* What the reader says of the bytes; GPC_CODE_COUNT: nothing. */
static inline enum gpc_code code_of(const uint8_t *bytes, size_t size, bool linked)
{
	enum gpc_code code = GPC_CODE_COUNT;
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;

	gpc_diags_init(&diags, &arena, false);
	if (gpc_image_open(&diags, "a.gpi", bytes, size, linked, &image))
		gpc_image_release(&image);
	else
		code = diags.records.items[0].code;
	gpc_arena_release(&arena);
	return code;
}

static inline uint8_t *small_image(size_t *ret_size)
{
	return image_of(fixture_small_plane, ret_size);
}

static inline uint8_t *policed_image(size_t *ret_size)
{
	return image_of(fixture_policed_plane, ret_size);
}

/* Makes both digests right again; the head has to be sound. */
static inline void fix_digests(uint8_t *bytes)
{
	struct gpc_image_head *head = (struct gpc_image_head *)bytes;

	gpc_decision_digest(bytes, head->decision_digest);
	gpc_file_digest(bytes, head->file_digest);
}

static inline void *section_of(uint8_t *bytes, enum gpc_section_id id)
{
	struct gpc_plane *plane = (struct gpc_plane *)(bytes + sizeof(struct gpc_image_head));

	return bytes + plane->section[id].offset;
}

/* All lookups with all keys of the image and some that it does not have: indexes stay inside. */
static inline void look_everything_up(const struct gpc_image *image)
{
	uint32_t vip_count, endpoint_count, listener_count;
	const struct gpc_vip *vips = gpc_image_section(image, GPC_SEC_VIP, &vip_count);
	const struct gpc_endpoint *endpoints =
		gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoint_count);
	const struct gpc_listener *listeners =
		gpc_image_section(image, GPC_SEC_LISTENER, &listener_count);

	for (uint32_t i = 0; i < vip_count; i++)
		for (int bit = 0; bit < 64; bit += bit < 2 ? 1 : 61) {
			uint32_t found = gpc_vip_listener(image->view, vips[i].address_be[0],
							  vips[i].address_be[1], vips[i].port_be,
							  vips[i].protocol, 1ull << bit);

			CU_ASSERT_FATAL(found == GPC_NONE || found < listener_count);
		}
	for (uint32_t i = 0; i < endpoint_count; i++)
		CU_ASSERT_EQUAL_FATAL(gpc_endpoint_by_id(image->view, endpoints[i].id), i);
	CU_ASSERT_EQUAL_FATAL(gpc_endpoint_by_id(image->view, 0), GPC_NONE);
	for (uint32_t i = 0; i < listener_count; i++)
		for (uint64_t hash = 0; hash <= UINT32_MAX; hash += 0x0fffffff) {
			for (int family = GPC_V4; family <= GPC_V6; family++) {
				uint32_t found = gpc_endpoint_by_hash(
					image->view, &listeners[i].table[family], hash);

				CU_ASSERT_FATAL(found == GPC_NONE || found < endpoint_count);
			}
		}
}

static inline void dump_everything(const struct gpc_image *image, FILE *out)
{
	CU_ASSERT(gpc_image_dump(image, NULL, true, out));
	for (size_t i = 0; gpc_image_dump_sections[i]; i++) {
		CU_ASSERT(gpc_image_dump(image, gpc_image_dump_sections[i], true, out));
		CU_ASSERT(gpc_image_dump(image, gpc_image_dump_sections[i], false, out));
	}
}

#endif
