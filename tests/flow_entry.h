/* SPDX-License-Identifier: MIT */
/* flow_entry.h: entries that tests read and write in a flow table, mapped writable, while no program runs. */
#ifndef GPC_TESTS_FLOW_ENTRY_H
#define GPC_TESTS_FLOW_ENTRY_H

#include <string.h>

#include "gpc/lookup/flow.h"
#include "loader/plane/flow_table.h"

/* NULL: the key has none. */
static inline struct gpc_flow *flow_entry_find(const struct gpc_flow_table *table, const void *key)
{
	const size_t size = table->value_at;

	for (uint32_t set = 0; set < table->sets; set++)
		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++) {
			const void *found = gpc_flow_table_key(table, set, way);

			if (found && !memcmp(found, key, size))
				return gpc_flow_table_value(table, set, way);
		}
	return NULL;
}

/* A new key's first set has to have a free way, else false. */
static inline bool flow_entry_put(struct gpc_flow_table *table, const void *key,
				  const struct gpc_flow *flow)
{
	const struct gpc_flow_seed seed = gpc_flow_table_seed(table);
	struct gpc_flow *found = flow_entry_find(table, key);
	__u64 words[GPC_FLOW_WORDS6] = {0}, *tags, free;
	struct gpc_flow_place place;
	unsigned char *element;
	uint32_t way;

	if (found) {
		*found = *flow;
		return true;
	}
	memcpy(words, key, table->value_at);
	place = gpc_flow_place(&seed, words, (uint32_t)(table->value_at / sizeof(*words)));
	tags = &table->tags[place.set[0]];
	free = gpc_flow_zero(*tags);
	if (!free)
		return false;
	way = gpc_flow_first_way(free);
	*tags |= gpc_flow_byte_at(place.tag, way);
	element = (unsigned char *)(uintptr_t)gpc_flow_table_key(table, place.set[0], way);
	memcpy(element, words, table->value_at);
	memcpy(element + table->value_at, flow, sizeof(*flow));
	return true;
}

/* As if nothing had come for so long. */
static inline void flow_entry_rewind(struct gpc_flow_table *table, uint32_t seconds)
{
	uint32_t units = (uint32_t)((uint64_t)seconds * GPC_SECOND >> GPC_FLOW_SECOND_SHIFT);

	for (uint32_t set = 0; set < table->sets; set++) {
		uint64_t ages = 0;

		for (uint32_t way = 0; way < GPC_FLOW_WAYS; way++) {
			struct gpc_flow *flow = gpc_flow_table_value(table, set, way);

			if (!flow)
				continue;
			flow->last_seen -= units;
			ages |= gpc_flow_byte_at(gpc_flow_age(flow->last_seen, flow->state), way);
		}
		table->ages[set] = ages;
	}
}

#endif
