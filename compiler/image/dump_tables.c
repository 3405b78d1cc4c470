/* SPDX-License-Identifier: MIT */
#include "dumper.h"

static const uint16_t *slots_of(const struct gpc_dump *dump, const struct gpc_table *table)
{
	return (const uint16_t *)(dump->image->bytes + table->offset);
}

static const struct gpc_endpoint *endpoint_of(const struct gpc_dump *dump,
					      const struct gpc_table *table, uint32_t value)
{
	const struct gpc_backend *backend = gpc_dump_record(dump, GPC_SEC_BACKEND, table->backend);

	return gpc_dump_record(dump, GPC_SEC_ENDPOINT, backend->first_endpoint + value);
}

/* Share of one table's slots by endpoint; endpoints without a slot are left out. */
static void dump_shares(struct gpc_dump *dump, uint32_t index)
{
	const struct gpc_table *table = gpc_dump_record(dump, GPC_SEC_TABLE, index);
	const struct gpc_backend *backend = gpc_dump_record(dump, GPC_SEC_BACKEND, table->backend);
	const uint16_t *slots = slots_of(dump, table);
	struct gpc_emitter *e = &dump->emitter;
	uint32_t *owned = GPC_NEW_ARRAY(dump->arena, uint32_t, backend->endpoints);

	for (uint32_t i = 0; i < table->size; i++)
		owned[slots[i]]++;
	for (uint32_t i = 0; i < backend->endpoints; i++) {
		if (!owned[i])
			continue;
		gpc_emit_begin(e, "maglev");
		gpc_emit_number(e, "table", index);
		gpc_dump_name(dump, "backend", backend->name);
		gpc_dump_name(dump, "endpoint", endpoint_of(dump, table, i)->name);
		gpc_emit_number(e, "weight", endpoint_of(dump, table, i)->weight);
		gpc_emit_number(e, "slots", owned[i]);
		gpc_emit_number(e, "of", table->size);
		gpc_emit_share(e, "share", (double)owned[i] / table->size);
		gpc_emit_end(e);
	}
}

void gpc_dump_maglev(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_TABLE); i++)
		dump_shares(dump, i);
}

void gpc_dump_maglev_slots(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_TABLE); i++) {
		const struct gpc_table *table = gpc_dump_record(dump, GPC_SEC_TABLE, i);
		const uint16_t *slots = slots_of(dump, table);

		for (uint32_t slot = 0; slot < table->size; slot++) {
			gpc_emit_begin(e, "maglev-slot");
			gpc_emit_number(e, "table", i);
			gpc_emit_number(e, "slot", slot);
			gpc_dump_name(dump, "endpoint", endpoint_of(dump, table, slots[slot])->name);
			gpc_emit_end(e);
		}
	}
}

void gpc_dump_tables(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_TABLE); i++) {
		const struct gpc_table *table = gpc_dump_record(dump, GPC_SEC_TABLE, i);

		gpc_dump_begin(dump, "table", i);
		gpc_dump_backend(dump, "backend", table->backend);
		gpc_emit_number(e, "size", table->size);
		gpc_emit_number(e, "endpoints", table->endpoints);
		gpc_emit_number(e, "offset", table->offset);
		gpc_emit_end(e);
	}
}
