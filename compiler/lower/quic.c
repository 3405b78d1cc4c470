/* SPDX-License-Identifier: MIT */
/* From a QUIC server id and a backend to the endpoint: a perfect hash of all that have one. */
#include <string.h>

#include "gpc/lookup/hash.h"
#include "phash.h"
#include "steps.h"

static uint64_t quic_key(uint64_t seed, const void *keys, size_t index)
{
	const struct gpc_quic *quic = (const struct gpc_quic *)keys + index;

	return gpc_phash_mix(seed, quic->id[0], quic->id[1], quic->backend);
}

static struct gpc_quic *list_ids(struct gpc_arena *arena, const struct gpc_tables *tables,
				 size_t *ret_count)
{
	struct gpc_quic *ids = GPC_NEW_ARRAY(arena, struct gpc_quic, tables->endpoint_count);
	size_t count = 0;

	for (size_t i = 0; i < tables->endpoint_count; i++) {
		const struct gpc_endpoint *endpoint = &tables->endpoints[i];
		struct gpc_quic *quic = &ids[count];

		if (!endpoint->quic_length)
			continue;
		memcpy(quic->id, endpoint->quic_id, sizeof(quic->id));
		quic->backend = endpoint->backend;
		quic->endpoint = (uint32_t)i + 1;
		count++;
	}
	*ret_count = count;
	return ids;
}

bool gpc_lower_quic(struct gpc_diags *diags, struct gpc_tables *tables)
{
	struct gpc_phash_table index;
	size_t count;
	struct gpc_quic *ids = list_ids(diags->arena, tables, &count);

	if (!gpc_phash_build(diags->arena, ids, count, quic_key, &index)) {
		gpc_diag(diags, GPC_E0411, GPC_NOWHERE,
			 "no perfect hash found for the %zu QUIC server ids", count);
		return false;
	}
	tables->quic_hash = index.hash;
	tables->quic_displacements = index.displacements;
	tables->quic_displacement_count = index.hash.bucket_mask + 1ull;
	tables->quic_count = index.hash.slot_mask + 1ull;
	tables->quics = GPC_NEW_ARRAY(diags->arena, struct gpc_quic, tables->quic_count);
	for (size_t slot = 0; slot < tables->quic_count; slot++)
		if (index.slots[slot])
			tables->quics[slot] = ids[index.slots[slot] - 1];
	return true;
}
