/* SPDX-License-Identifier: MIT */
#include "write.h"

#include <string.h>

#include "digest.h"
#include "gpc/lookup/epoch.h"
#include "layout.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "records are written as they lie in memory");

struct section_data {
	const void *data;
	size_t count;
};

static void list_sections(const struct gpc_tables *tables, struct section_data data[GPC_SEC_COUNT])
{
	data[GPC_SEC_WORDS] = (struct section_data){tables->words, tables->word_count};
	data[GPC_SEC_CHAIN] = (struct section_data){tables->chains, tables->chain_count};
	data[GPC_SEC_POLICY] = (struct section_data){tables->policies, tables->policy_count};
	data[GPC_SEC_CLASSIFIER] =
		(struct section_data){tables->classifiers, tables->classifier_count};
	data[GPC_SEC_RULE] = (struct section_data){tables->rules, tables->rule_count};
	data[GPC_SEC_VIP_DISP] =
		(struct section_data){tables->vip_displacements, tables->vip_displacement_count};
	data[GPC_SEC_VIP] = (struct section_data){tables->vips, tables->vip_count};
	data[GPC_SEC_VIP_CHOICE] = (struct section_data){tables->choices, tables->choice_count};
	data[GPC_SEC_VIP_PORTS] = (struct section_data){tables->ports, tables->port_count};
	data[GPC_SEC_POOL] = (struct section_data){tables->pools, tables->pool_count};
	data[GPC_SEC_QUIC_DISP] =
		(struct section_data){tables->quic_displacements, tables->quic_displacement_count};
	data[GPC_SEC_QUIC] = (struct section_data){tables->quics, tables->quic_count};
	data[GPC_SEC_LISTENER] = (struct section_data){tables->listeners, tables->listener_count};
	data[GPC_SEC_ENDPOINT] = (struct section_data){tables->endpoints, tables->endpoint_count};
	data[GPC_SEC_EP_DISP] = (struct section_data){tables->endpoint_displacements,
						      tables->endpoint_displacement_count};
	data[GPC_SEC_EP_INDEX] =
		(struct section_data){tables->endpoint_index, tables->endpoint_index_count};
	data[GPC_SEC_MAGLEV] = (struct section_data){tables->maglev, tables->maglev_count};
	data[GPC_SEC_TABLE] = (struct section_data){tables->tables, tables->table_count};
	data[GPC_SEC_BACKEND] = (struct section_data){tables->backends, tables->backend_count};
	data[GPC_SEC_INTERFACE] =
		(struct section_data){tables->interfaces, tables->interface_count};
	data[GPC_SEC_INVARIANT] =
		(struct section_data){tables->invariants, tables->invariant_count};
	data[GPC_SEC_INVARIANT_WORDS] =
		(struct section_data){tables->invariant_words, tables->invariant_word_count};
	data[GPC_SEC_NAMES] = (struct section_data){tables->names, tables->names_size};
}

static bool has_stateful_chain(const struct gpc_tables *tables)
{
	for (size_t i = 0; i < tables->chain_count; i++)
		if (tables->chains[i].flags & GPC_CHAIN_STATEFUL)
			return true;
	return false;
}

static uint32_t plane_flags(const struct gpc_model *model, const struct gpc_tables *tables)
{
	uint32_t flags = 0;

	if (model->malformed_drop)
		flags |= GPC_PLANE_MALFORMED_DROP;
	if (model->non_ip_drop)
		flags |= GPC_PLANE_NON_IP_DROP;
	if (model->on_fail_drop)
		flags |= GPC_PLANE_ON_FAIL_DROP;
	if (has_stateful_chain(tables))
		flags |= GPC_PLANE_STATEFUL;
	if (tables->port_count)
		flags |= GPC_PLANE_VIP_PORTS;
	for (size_t i = 0; i < model->listener_count; i++)
		if (model->listeners[i].forward == GPC_FORWARD_NAT)
			flags |= GPC_PLANE_NAT;
	return flags | (uint32_t)model->fragments << GPC_PLANE_FRAGMENTS_SHIFT;
}

static void write_plane(struct gpc_plane *plane, const struct gpc_model *model,
			const struct gpc_tables *tables, const struct gpc_layout *layout)
{
	plane->format = GPC_IMAGE_VERSION;
	plane->flags = plane_flags(model, tables);
	memcpy(plane->hash_seed, model->hash_seed, sizeof(plane->hash_seed));
	plane->vip = tables->vip_hash;
	plane->endpoint = tables->endpoint_hash;
	plane->name = tables->name;
	plane->flows = model->flows;
	plane->flow_inserts = model->flow_inserts;
	memcpy(plane->timeout, model->timeout, sizeof(plane->timeout));
	plane->epoch = gpc_policies_epoch(tables->chains, (uint32_t)tables->chain_count,
					  tables->policies);
	plane->pickup = model->pickup;
	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		plane->builtin[i] = (uint8_t)model->builtin[i];
	plane->protects = (uint32_t)model->protect_count;
	plane->tries = tables->tries;
	plane->vip_lengths = tables->vip_lengths;
	plane->quic = tables->quic_hash;
	memcpy(plane->section, layout->section, sizeof(plane->section));
}

static void place_refs(struct gpc_table_ref refs[2], uint32_t base)
{
	for (int family = GPC_V4; family <= GPC_V6; family++)
		if (refs[family].table != GPC_NONE)
			refs[family].offset += base;
}

/* Offsets of Maglev tables counted from the start of MAGLEV so far. */
static void place_tables(uint8_t *bytes, const struct gpc_layout *layout)
{
	const struct gpc_section *sections = layout->section;
	struct gpc_listener *listeners = (void *)(bytes + sections[GPC_SEC_LISTENER].offset);
	struct gpc_table *tables = (void *)(bytes + sections[GPC_SEC_TABLE].offset);
	struct gpc_pool *pools = (void *)(bytes + sections[GPC_SEC_POOL].offset);
	uint32_t base = sections[GPC_SEC_MAGLEV].offset;

	for (uint32_t i = 0; i < sections[GPC_SEC_TABLE].count; i++)
		tables[i].offset += base;
	for (uint32_t i = 0; i < sections[GPC_SEC_LISTENER].count; i++)
		place_refs(listeners[i].table, base);
	for (uint32_t i = 0; i < sections[GPC_SEC_POOL].count; i++)
		place_refs(pools[i].table, base);
}

static void write_head(struct gpc_image_head *head, const struct gpc_layout *layout)
{
	head->magic = GPC_IMAGE_MAGIC;
	head->version = GPC_IMAGE_VERSION;
	head->head_size = sizeof(*head);
	head->abi = GPC_ABI_HASH;
	head->size = layout->size;
	head->decision_offset = layout->decision_offset;
	head->decision_size = layout->decision_size;
	head->provenance_offset = layout->provenance_offset;
	head->provenance_size = layout->provenance_size;
	head->link_offset = layout->link_offset;
	head->link_size = layout->link_size;
}

bool gpc_image_write(struct gpc_diags *diags, const struct gpc_model *model,
		     const struct gpc_tables *tables, const struct gpc_provenance *provenance,
		     struct gpc_image_bytes *ret)
{
	struct gpc_span_text origin = gpc_provenance_text(diags, model, provenance);
	struct section_data data[GPC_SEC_COUNT];
	uint32_t counts[GPC_SEC_COUNT];
	struct gpc_image_head *head;
	struct gpc_layout layout;
	uint64_t size;
	uint8_t *bytes;

	list_sections(tables, data);
	for (int id = 0; id < GPC_SEC_COUNT; id++)
		counts[id] = (uint32_t)data[id].count;
	if (!gpc_layout_compute(counts, origin.size, &layout, &size)) {
		gpc_diag(diags, GPC_E0410, GPC_NOWHERE, "image of %llu bytes, the most is %u",
			 (unsigned long long)size, GPC_MAX_IMAGE_BYTES);
		return false;
	}
	/* Of its size class, so that lookups of later passes may mask. */
	bytes = gpc_arena_alloc(diags->arena, (size_t)1 << gpc_size_class(layout.size));
	head = (struct gpc_image_head *)bytes;
	write_plane((struct gpc_plane *)(bytes + layout.decision_offset), model, tables, &layout);
	for (int id = 0; id < GPC_SEC_COUNT; id++)
		if (layout.section[id].size)
			memcpy(bytes + layout.section[id].offset, data[id].data,
			       layout.section[id].size);
	place_tables(bytes, &layout);
	memcpy(bytes + layout.provenance_offset, origin.text, origin.size);
	write_head(head, &layout);
	gpc_decision_digest(bytes, head->decision_digest);
	gpc_file_digest(bytes, head->file_digest);
	*ret = (struct gpc_image_bytes){
		.bytes = bytes, .size = layout.size, .decision_size = layout.decision_size};
	memcpy(ret->decision_digest, head->decision_digest, sizeof(ret->decision_digest));
	return true;
}
