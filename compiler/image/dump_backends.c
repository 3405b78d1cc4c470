/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>

#include "dumper.h"
#include "gpc/lookup/vip.h"

static const char *const state_names[] = {
	[GPC_STATE_READY] = "ready", [GPC_STATE_DRAIN] = "drain", [GPC_STATE_MAINT] = "maint"};
static const char *const next_hop_names[] = {[GPC_NEXT_HOP_AUTO] = "auto",
					     [GPC_NEXT_HOP_FIB] = "fib",
					     [GPC_NEXT_HOP_ADDRESS] = "address"};

static void put_quic_id(struct gpc_emitter *e, const struct gpc_endpoint *endpoint)
{
	char text[2 * sizeof(endpoint->quic_id) + 1];

	if (!endpoint->quic_length) {
		gpc_emit_none(e, "quic-id");
		return;
	}
	for (size_t i = 0; i < endpoint->quic_length; i++)
		snprintf(text + 2 * i, 3, "%02x", endpoint->quic_id[i]);
	gpc_emit_string(e, "quic-id", text);
}

void gpc_dump_endpoints(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_ENDPOINT); i++) {
		const struct gpc_endpoint *endpoint = gpc_dump_record(dump, GPC_SEC_ENDPOINT, i);
		uint64_t mapped[2] = {0, gpc_mapped_v4(endpoint->address4_be)};

		gpc_dump_begin(dump, "endpoint", i);
		gpc_dump_name(dump, "name", endpoint->name);
		gpc_dump_backend(dump, "backend", endpoint->backend);
		gpc_emit_hex(e, "id", endpoint->id);
		if (endpoint->flags & GPC_ENDPOINT_V4)
			gpc_emit_address(e, "address-v4", mapped);
		else
			gpc_emit_none(e, "address-v4");
		if (endpoint->flags & GPC_ENDPOINT_V6)
			gpc_emit_address(e, "address-v6", endpoint->address6_be);
		else
			gpc_emit_none(e, "address-v6");
		gpc_emit_number(e, "weight", endpoint->weight);
		gpc_emit_string(e, "state", state_names[endpoint->state]);
		gpc_dump_if(e, "port", endpoint->port_be, ntohs(endpoint->port_be));
		put_quic_id(e, endpoint);
		gpc_dump_place(dump, endpoint->id);
		gpc_emit_end(e);
	}
}

void gpc_dump_endpoint_index(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_EP_INDEX); i++) {
		uint32_t entry = *(const uint32_t *)gpc_dump_record(dump, GPC_SEC_EP_INDEX, i);

		if (!entry)
			continue;
		gpc_dump_begin(dump, "endpoint-index", i);
		gpc_dump_found(dump, entry - 1);
		gpc_emit_end(&dump->emitter);
	}
}

void gpc_dump_quics(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_QUIC); i++) {
		const struct gpc_quic *quic = gpc_dump_record(dump, GPC_SEC_QUIC, i);

		if (!quic->endpoint)
			continue;
		gpc_dump_begin(dump, "quic", i);
		gpc_dump_found(dump, quic->endpoint - 1);
		put_quic_id(&dump->emitter, gpc_dump_record(dump, GPC_SEC_ENDPOINT, quic->endpoint - 1));
		gpc_emit_end(&dump->emitter);
	}
}

void gpc_dump_backends(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_BACKEND); i++) {
		const struct gpc_backend *backend = gpc_dump_record(dump, GPC_SEC_BACKEND, i);

		gpc_dump_begin(dump, "backend", i);
		gpc_dump_name(dump, "name", backend->name);
		gpc_emit_hex(e, "id", backend->id);
		gpc_emit_number(e, "endpoints", backend->endpoints);
		gpc_emit_number(e, "table-size", backend->table_size);
		gpc_emit_string(e, "rebalance", backend->rebalance == GPC_REBALANCE_MINIMAL ? "minimal" : "fresh");
		if (backend->next_hop == GPC_NEXT_HOP_ADDRESS)
			gpc_emit_address(e, "next-hop", backend->next_hop_be);
		else
			gpc_emit_string(e, "next-hop", next_hop_names[backend->next_hop]);
		gpc_dump_backend(dump, "failover", backend->failover);
		gpc_emit_share(e, "min-healthy", backend->min_healthy / 10000.0);
		gpc_dump_place(dump, backend->id);
		gpc_emit_end(e);
	}
}
