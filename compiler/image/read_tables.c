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

/* Tables stand in backend order, one after another, and fill MAGLEV; a backend has at most two. */
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
		    (i >= 2 && table->backend == tables[i - 2].backend) ||
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

/* ---- listeners ---- */

/* Does every endpoint in the table have an address that the listener's family can send to? */
static bool table_is_reachable(const struct gpc_reader *reader, const struct gpc_table *table,
			       const struct gpc_backend *backend)
{
	const uint16_t *slots = (const uint16_t *)(reader->bytes + table->offset);
	const struct gpc_endpoint *endpoints;
	uint32_t count;

	endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);
	endpoints += backend->first_endpoint;
	for (uint32_t i = 0; i < table->size; i++)
		if (!(endpoints[slots[i]].flags & GPC_ENDPOINT_V6))
			return false;
	return true;
}

/* `v6_tables`: by table, whether only v6 addresses are in it: computed once however many refer to it. */
static bool ref_is_sound(const struct gpc_reader *reader, const struct gpc_listener *listener,
			 enum gpc_family family, const bool *v6_tables)
{
	const struct gpc_table_ref *ref = &listener->table[family];
	uint32_t table_count, backend_count;
	const struct gpc_table *tables = gpc_reader_section(reader, GPC_SEC_TABLE, &table_count);
	const struct gpc_backend *backends =
		gpc_reader_section(reader, GPC_SEC_BACKEND, &backend_count);

	if (ref->offset == GPC_NONE)
		return !ref->size && !ref->first_endpoint && ref->table == GPC_NONE;
	if (ref->first_endpoint != backends[listener->backend].first_endpoint)
		return false;
	if (ref->table == GPC_NONE)
		return !ref->offset && !ref->size;
	return ref->table < table_count && tables[ref->table].backend == listener->backend &&
	       ref->offset == tables[ref->table].offset && ref->size == tables[ref->table].size &&
	       (family == GPC_V4 || listener->forward == GPC_FORWARD_DSR || v6_tables[ref->table]);
}

static bool listener_is_sound(const struct gpc_reader *reader, const struct gpc_listener *listener,
			      const bool *v6_tables)
{
	const char *names = reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset;

	return listener->id == gpc_stable_id(GPC_KIND_LISTENER, NULL, names + listener->name) &&
	       (listener->forward == GPC_FORWARD_IPIP || listener->forward == GPC_FORWARD_DSR) &&
	       (listener->protocol == IPPROTO_TCP || listener->protocol == IPPROTO_UDP) &&
	       ntohs(listener->port_be) <= ntohs(listener->port_last_be) &&
	       listener->backend < reader->plane->section[GPC_SEC_BACKEND].count &&
	       (listener->table[GPC_V4].offset != GPC_NONE ||
		listener->table[GPC_V6].offset != GPC_NONE) &&
	       ref_is_sound(reader, listener, GPC_V4, v6_tables) &&
	       ref_is_sound(reader, listener, GPC_V6, v6_tables) && !listener->pad0 &&
	       !listener->pad1;
}

static bool check_listeners(const struct gpc_reader *reader)
{
	const char *names = reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset;
	uint32_t count, table_count;
	const struct gpc_listener *listeners = gpc_reader_section(reader, GPC_SEC_LISTENER, &count);
	const struct gpc_table *tables = gpc_reader_section(reader, GPC_SEC_TABLE, &table_count);
	const struct gpc_backend *backends =
		gpc_reader_section(reader, GPC_SEC_BACKEND, &(uint32_t){0});
	bool *v6_tables = GPC_NEW_ARRAY(reader->diags->arena, bool, table_count);

	for (uint32_t i = 0; i < table_count; i++)
		v6_tables[i] = table_is_reachable(reader, &tables[i], &backends[tables[i].backend]);
	for (uint32_t i = 0; i < count; i++)
		if (!listener_is_sound(reader, &listeners[i], v6_tables) ||
		    (i && strcmp(names + listeners[i - 1].name, names + listeners[i].name) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509, "listener %u is malformed", i);
	return true;
}

bool gpc_reader_tables(const struct gpc_reader *reader)
{
	return check_tables(reader) && check_listeners(reader);
}
