/* SPDX-License-Identifier: MIT */
#include "layout.h"

static const struct {
	const char *name;
	uint32_t entry_size;
} sections[GPC_SEC_COUNT] = {
#define X(id, name_, type) [GPC_SEC_##id] = {name_, sizeof(type)},
	GPC_SECTIONS(X)
#undef X
};

const char *gpc_section_name(enum gpc_section_id id)
{
	return sections[id].name;
}

uint32_t gpc_section_entry_size(enum gpc_section_id id)
{
	return sections[id].entry_size;
}

static uint64_t align(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) / to * to;
}

/* Counts are 32 bits and records at most 64 bytes, so nothing here can overflow 64 bits. */
bool gpc_layout_compute(const uint32_t counts[GPC_SEC_COUNT], uint64_t provenance_size,
			struct gpc_layout *ret, uint64_t *ret_size)
{
	uint64_t start[GPC_SEC_COUNT], provenance, link, link_size;
	uint64_t end = sizeof(struct gpc_image_head) + sizeof(struct gpc_plane);

	for (int id = 0; id < GPC_SEC_COUNT; id++) {
		start[id] = align(end, GPC_IMAGE_ALIGN);
		end = start[id] + (uint64_t)counts[id] * sections[id].entry_size;
	}
	provenance = align(end, GPC_IMAGE_ALIGN);
	link = align(provenance + provenance_size, GPC_PAGE);
	link_size = GPC_LINK_SIZE((uint64_t)counts[GPC_SEC_LISTENER],
				  (uint64_t)counts[GPC_SEC_ENDPOINT], (uint64_t)counts[GPC_SEC_RULE],
				  (uint64_t)counts[GPC_SEC_BACKEND]);
	*ret_size = link + link_size;
	if (provenance_size > GPC_MAX_IMAGE_BYTES || *ret_size > GPC_MAX_IMAGE_BYTES)
		return false;
	*ret = (struct gpc_layout){
		.decision_offset = sizeof(struct gpc_image_head),
		.decision_size = (uint32_t)(end - sizeof(struct gpc_image_head)),
		.provenance_offset = (uint32_t)provenance,
		.provenance_size = (uint32_t)provenance_size,
		.link_offset = (uint32_t)link,
		.link_size = (uint32_t)link_size,
		.size = (uint32_t)*ret_size,
	};
	for (int id = 0; id < GPC_SEC_COUNT; id++)
		ret->section[id] = (struct gpc_section){
			.offset = (uint32_t)start[id],
			.size = counts[id] * sections[id].entry_size,
			.count = counts[id],
			.entry_size = sections[id].entry_size,
		};
	return true;
}

uint32_t gpc_size_class(uint64_t size)
{
	uint32_t log2 = GPC_IMAGE_MIN_LOG2;

	while (1ull << log2 < size)
		log2++;
	return log2;
}

struct gpc_link_layout gpc_link_layout(uint32_t listeners, uint32_t endpoints,
				       uint32_t backends)
{
	struct gpc_link_layout layout = {.device = sizeof(struct gpc_link_head)};

	layout.listener =
		layout.device + GPC_DEVICE_SLOTS * (uint32_t)sizeof(struct gpc_link_device);
	layout.endpoint = layout.listener +
			  (listeners + 3) / 4 * 4 * (uint32_t)sizeof(struct gpc_link_listener);
	layout.backend = layout.endpoint +
			 (endpoints + 1) / 2 * 2 * (uint32_t)sizeof(struct gpc_link_endpoint);
	layout.rule = layout.backend +
		      (backends + 3) / 4 * 4 * (uint32_t)sizeof(struct gpc_link_backend);
	return layout;
}

void gpc_link_describe(const struct gpc_section *directory,
		       struct gpc_link_head *head)
{
	const struct {
		enum gpc_section_id section;
		uint32_t link, link_size;
	} kinds[GPC_LINKED_COUNT] = {
		[GPC_LINKED_LISTENER] = {GPC_SEC_LISTENER, head->listener_offset,
					 sizeof(struct gpc_link_listener)},
		[GPC_LINKED_ENDPOINT] = {GPC_SEC_ENDPOINT, head->endpoint_offset,
					 sizeof(struct gpc_link_endpoint)},
		[GPC_LINKED_BACKEND] = {GPC_SEC_BACKEND, head->backend_offset,
					sizeof(struct gpc_link_backend)},
		[GPC_LINKED_RULE] = {GPC_SEC_RULE, head->rule_offset,
				     sizeof(struct gpc_link_rule)},
	};

	for (int kind = 0; kind < GPC_LINKED_COUNT; kind++) {
		const struct gpc_section *section = &directory[kinds[kind].section];

		head->objects[kind] = (struct gpc_linked_objects){
			.count = section->count,
			.record = section->offset,
			.record_size = section->entry_size,
			.link = kinds[kind].link,
			.link_size = kinds[kind].link_size,
		};
	}
}
