/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "image/layout.h"

static void sections_follow_each_other_aligned(void)
{
	const uint32_t counts[GPC_SEC_COUNT] = {[GPC_SEC_VIP_DISP] = 3,
						[GPC_SEC_VIP] = 8,
						[GPC_SEC_MAGLEV] = 251,
						[GPC_SEC_NAMES] = 41};
	struct gpc_layout layout;
	uint32_t end = sizeof(struct gpc_image_head) + sizeof(struct gpc_plane);
	uint64_t size;

	CU_ASSERT_FATAL(gpc_layout_compute(counts, 100, &layout, &size));
	for (int id = 0; id < GPC_SEC_COUNT; id++) {
		const struct gpc_section *section = &layout.section[id];

		CU_ASSERT_EQUAL(section->offset % GPC_IMAGE_ALIGN, 0);
		CU_ASSERT(section->offset >= end && section->offset - end < GPC_IMAGE_ALIGN);
		CU_ASSERT_EQUAL(section->size, counts[id] * section->entry_size);
		end = section->offset + section->size;
	}
	CU_ASSERT_EQUAL(layout.decision_offset + layout.decision_size, end);
	CU_ASSERT_EQUAL(layout.link_offset % GPC_PAGE, 0);
	CU_ASSERT_EQUAL(layout.link_size % GPC_PAGE, 0);
	CU_ASSERT_EQUAL(layout.size, layout.link_offset + layout.link_size);
	CU_ASSERT_EQUAL(size, layout.size);
}

static void counts_beyond_any_image_are_refused_with_their_size(void)
{
	uint32_t counts[GPC_SEC_COUNT];
	struct gpc_layout layout = {.size = 7};
	uint64_t size;

	for (int id = 0; id < GPC_SEC_COUNT; id++)
		counts[id] = UINT32_MAX;
	CU_ASSERT_FALSE(gpc_layout_compute(counts, 0, &layout, &size));
	CU_ASSERT(size > 1ull << 40);
	CU_ASSERT_EQUAL(layout.size, 7);
	for (int id = 0; id < GPC_SEC_COUNT; id++)
		counts[id] = 0;
	CU_ASSERT_FALSE(gpc_layout_compute(counts, UINT32_MAX, &layout, &size));
}

static void size_classes_are_powers_of_two(void)
{
	CU_ASSERT_EQUAL(gpc_size_class(1), 22);
	CU_ASSERT_EQUAL(gpc_size_class(1u << 22), 22);
	CU_ASSERT_EQUAL(gpc_size_class((1u << 22) + 1), 23);
	CU_ASSERT_EQUAL(gpc_size_class(GPC_MAX_IMAGE_BYTES), 26);
}

static void the_arrays_of_the_link_part_fill_it(void)
{
	for (uint32_t listeners = 0; listeners < 9; listeners++)
		for (uint32_t endpoints = 0; endpoints < 300; endpoints++) {
			struct gpc_link_layout link = gpc_link_layout(
				listeners, endpoints, endpoints % 17);
			uint32_t rules = endpoints * 7 % 31, backends = endpoints % 17;
			uint64_t end = link.rule + rules * sizeof(struct gpc_link_rule);

			CU_ASSERT_FATAL(link.endpoint >=
					link.listener +
						listeners * sizeof(struct gpc_link_listener));
			CU_ASSERT_FATAL(link.rule >= link.backend +
							     backends * sizeof(struct gpc_link_backend));
			CU_ASSERT_FATAL(link.backend >=
					link.endpoint +
						endpoints * sizeof(struct gpc_link_endpoint));
			CU_ASSERT_FATAL(end <= GPC_LINK_SIZE(listeners, endpoints, rules, backends));
			CU_ASSERT_FATAL(end + 2 * GPC_PAGE > GPC_LINK_SIZE(listeners, endpoints, rules, backends));
		}
}

GPC_UNIT_MAIN("image/layout",
	      {"sections_follow_each_other_aligned",
	       sections_follow_each_other_aligned},
	      {"counts_beyond_any_image_are_refused_with_their_size",
	       counts_beyond_any_image_are_refused_with_their_size},
	      {"size_classes_are_powers_of_two", size_classes_are_powers_of_two},
	      {"the_arrays_of_the_link_part_fill_it", the_arrays_of_the_link_part_fill_it})
