/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gpc/lookup/quic.h"
#include "reader.h"

static bool entry_is_sound(const struct gpc_quic *entry, const struct gpc_endpoint *endpoints,
			   uint32_t count)
{
	const struct gpc_endpoint *endpoint;

	if (!entry->endpoint || entry->endpoint > count || entry->pad0)
		return false;
	endpoint = &endpoints[entry->endpoint - 1];
	return endpoint->quic_length && endpoint->backend == entry->backend &&
	       !memcmp(endpoint->quic_id, entry->id, sizeof(entry->id));
}

/* Every endpoint with an id is found by it, and nothing else stands in the table. */
bool gpc_reader_quic(const struct gpc_reader *reader)
{
	struct gpc_view view = {reader->bytes, ((uint64_t)1 << gpc_size_class(reader->size)) - 1};
	uint32_t count, entry_count, used = 0, wanted = 0;
	const struct gpc_endpoint *endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);
	const struct gpc_quic *entries = gpc_reader_section(reader, GPC_SEC_QUIC, &entry_count);

	for (uint32_t i = 0; i < entry_count; i++) {
		if (gpc_all_zero(&entries[i], sizeof(entries[i])))
			continue;
		if (!entry_is_sound(&entries[i], endpoints, count))
			return gpc_reader_refuse(reader, GPC_E0509,
						 "entry %u of section `quic` is malformed", i);
		used++;
	}
	for (uint32_t i = 0; i < count; i++) {
		__u64 id[2];

		if (!endpoints[i].quic_length)
			continue;
		wanted++;
		memcpy(id, endpoints[i].quic_id, sizeof(id));
		if (gpc_quic_endpoint(view, id, endpoints[i].backend) != i)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "endpoint %u is not found by its QUIC server id", i);
	}
	if (used != wanted)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `quic` holds %u of %u server ids", used, wanted);
	return true;
}
