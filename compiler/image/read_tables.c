/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../model/id.h"
#include "../model/model.h"
#include "reader.h"

/* ---- Maglev tables ---- */

/* Every slot names an endpoint of the backend that takes flows; *ret_present: how many have one. */
static bool check_slots(const struct gpc_reader *reader, const struct gpc_table *table,
			const struct gpc_backend *backend, uint32_t *ret_present)
{
	const uint16_t *slots = (const uint16_t *)(reader->bytes + table->offset);
	const struct gpc_endpoint *endpoints;
	uint64_t seen[65536 / 64] = {0};
	uint32_t count, present = 0;

	endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);
	endpoints += backend->first_endpoint;
	for (uint32_t i = 0; i < table->size; i++) {
		if (slots[i] >= backend->endpoints)
			return false;
		seen[slots[i] / 64] |= 1ull << (slots[i] % 64);
	}
	for (uint32_t i = 0; i < backend->endpoints; i++) {
		if (!(seen[i / 64] >> (i % 64) & 1))
			continue;
		if (endpoints[i].state != GPC_STATE_READY || !endpoints[i].weight)
			return false;
		present++;
	}
	*ret_present = present;
	return true;
}

/* Tables stand in backend order, one after another, and fill MAGLEV; a backend has at most three. */
static bool check_tables(const struct gpc_reader *reader)
{
	const struct gpc_section *maglev = &reader->plane->section[GPC_SEC_MAGLEV];
	uint32_t count, backend_count, present;
	const struct gpc_table *tables = gpc_reader_section(reader, GPC_SEC_TABLE, &count);
	const struct gpc_backend *backends =
		gpc_reader_section(reader, GPC_SEC_BACKEND, &backend_count);
	uint64_t next = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct gpc_table *table = &tables[i];

		if (table->backend >= backend_count ||
		    (i && table->backend < tables[i - 1].backend) ||
		    (i >= 3 && table->backend == tables[i - 3].backend) ||
		    table->size != backends[table->backend].table_size ||
		    table->offset != maglev->offset + next * sizeof(uint16_t) ||
		    table->size > maglev->count - next)
			return gpc_reader_refuse(reader, GPC_E0509, "maglev table %u is malformed",
						 i);
		if (!check_slots(reader, table, &backends[table->backend], &present) ||
		    present != table->endpoints)
			return gpc_reader_refuse(
				reader, GPC_E0509,
				"slots of maglev table %u (backend %u) are malformed", i,
				table->backend);
		next += table->size;
	}
	if (next != maglev->count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `maglev` holds more than the tables");
	return true;
}

bool gpc_reader_tables(const struct gpc_reader *reader)
{
	return check_tables(reader);
}
