/* SPDX-License-Identifier: MIT */
#include "../base/words.h"
#include "dump.h"

#include <arpa/inet.h>
#include <string.h>

#include "../model/id.h"
#include "dumper.h"
#include "gpc/lookup/vip.h"
#include "layout.h"

static const char *const state_names[] = {
	[GPC_STATE_READY] = "ready", [GPC_STATE_DRAIN] = "drain", [GPC_STATE_MAINT] = "maint"};
static const char *const next_hop_names[] = {[GPC_NEXT_HOP_AUTO] = "auto",
					     [GPC_NEXT_HOP_FIB] = "fib",
					     [GPC_NEXT_HOP_ADDRESS] = "address"};
static const char *const mode_names[] = {
	[GPC_MODE_NATIVE] = "native", [GPC_MODE_GENERIC] = "generic", [GPC_MODE_ANY] = "any"};
static const char *const role_names[] = {[GPC_ROLE_EDGE] = "edge", [GPC_ROLE_DECAP] = "decap"};

void gpc_dump_begin(struct gpc_dump *dump, const char *kind, uint32_t index)
{
	gpc_emit_begin(&dump->emitter, kind);
	gpc_emit_number(&dump->emitter, "index", index);
}

void gpc_dump_name(struct gpc_dump *dump, const char *key, uint32_t name)
{
	gpc_emit_string(&dump->emitter, key, gpc_image_name(dump->image, name));
}

void gpc_dump_place(struct gpc_dump *dump, uint64_t id)
{
	uint32_t line, column;
	const char *path;

	if (gpc_image_place(dump->image, dump->arena, id, &path, &line, &column))
		gpc_emit_string(&dump->emitter, "at",
				gpc_arena_printf(dump->arena, "%s:%u:%u", path, line, column));
}

const void *gpc_dump_record(const struct gpc_dump *dump, enum gpc_section_id id, uint32_t index)
{
	uint32_t count;
	const char *records = gpc_image_section(dump->image, id, &count);

	return records + (size_t)index * gpc_section_entry_size(id);
}

uint32_t gpc_dump_count(const struct gpc_dump *dump, enum gpc_section_id id)
{
	return dump->image->plane->section[id].count;
}

/* ---- the overview ---- */

static void dump_head(struct gpc_dump *dump)
{
	const struct gpc_image_head *head = dump->image->head;
	struct gpc_emitter *e = &dump->emitter;
	char digest[65], abi[9];

	gpc_emit_begin(e, "image");
	gpc_dump_name(dump, "name", dump->image->plane->name);
	gpc_emit_number(e, "format", head->version);
	snprintf(abi, sizeof(abi), "%08x", head->abi);
	gpc_emit_string(e, "abi", abi);
	gpc_emit_number(e, "size", head->size);
	gpc_emit_number(e, "size-class", 1ull << dump->image->log2);
	gpc_emit_number(e, "decision-size", head->decision_size);
	gpc_emit_number(e, "provenance-size", head->provenance_size);
	gpc_emit_number(e, "link-size", head->link_size);
	gpc_emit_string(e, "decision-digest", gpc_digest_format(head->decision_digest, digest));
	gpc_emit_string(e, "file-digest", gpc_digest_format(head->file_digest, digest));
	gpc_emit_end(e);
}

static void dump_plane(struct gpc_dump *dump)
{
	const struct gpc_plane *plane = dump->image->plane;
	struct gpc_emitter *e = &dump->emitter;

	gpc_emit_begin(e, "plane");
	gpc_emit_string(e, "malformed", plane->flags & GPC_PLANE_MALFORMED_DROP ? "drop" : "pass");
	gpc_emit_string(e, "non-ip", plane->flags & GPC_PLANE_NON_IP_DROP ? "drop" : "pass");
	gpc_emit_string(e, "on-fail", plane->flags & GPC_PLANE_ON_FAIL_DROP ? "drop" : "pass");
	gpc_emit_string(e, "fragments",
			gpc_fragments_name(plane->flags >> GPC_PLANE_FRAGMENTS_SHIFT & 3));
	gpc_emit_number(e, "flows", plane->flows);
	gpc_emit_number(e, "flow-inserts", plane->flow_inserts);
	for (int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		gpc_emit_number(e, gpc_timeout_name((unsigned int)i), plane->timeout[i]);
	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		gpc_emit_string(e, gpc_builtin_names[i], gpc_builtin_action_name(plane->builtin[i]));
	if (plane->pickup && plane->pickup != GPC_NONE)
		gpc_emit_number(e, "pickup", plane->pickup);
	else
		gpc_emit_string(e, "pickup", plane->pickup ? "always" : "never");
	gpc_emit_number(e, "source-classes", plane->tries.classes[0]);
	gpc_emit_number(e, "destination-classes", plane->tries.classes[1]);
	gpc_emit_end(e);
}

static void dump_sizes(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (int id = 0; id < GPC_SEC_COUNT; id++) {
		const struct gpc_section *section = &dump->image->plane->section[id];

		gpc_emit_begin(e, "section");
		gpc_emit_string(e, "name", gpc_section_name(id));
		gpc_emit_number(e, "offset", section->offset);
		gpc_emit_number(e, "size", section->size);
		gpc_emit_number(e, "count", section->count);
		gpc_emit_number(e, "entry-size", section->entry_size);
		gpc_emit_end(e);
	}
}

/* ---- sections ---- */

void gpc_dump_words(struct gpc_dump *dump, enum gpc_section_id id, const char *kind)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, id); i++) {
		gpc_dump_begin(dump, kind, i);
		gpc_emit_number(&dump->emitter, "value", *(const uint32_t *)gpc_dump_record(dump, id, i));
		gpc_emit_end(&dump->emitter);
	}
}

static void dump_vip_displacements(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_VIP_DISP, "vip-displacement");
}

static void put_backend(struct gpc_dump *dump, const char *key, uint32_t backend)
{
	const struct gpc_backend *target;

	if (backend == GPC_NONE) {
		gpc_emit_none(&dump->emitter, key);
		return;
	}
	target = gpc_dump_record(dump, GPC_SEC_BACKEND, backend);
	gpc_dump_name(dump, key, target->name);
}

static void put_ref(struct gpc_dump *dump, const char *key, const struct gpc_table_ref *ref)
{
	if (ref->offset == GPC_NONE)
		gpc_emit_none(&dump->emitter, key);
	else if (ref->table == GPC_NONE)
		gpc_emit_string(&dump->emitter, key, "empty");
	else
		gpc_emit_number(&dump->emitter, key, ref->table);
}

/* "stable snat": what is not said elsewhere. */
static void put_flags(struct gpc_dump *dump, const struct gpc_listener *listener)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} flags[] = {
		{GPC_LISTENER_STABLE, "stable"},
		{GPC_LISTENER_SNAT, "snat"},
		{GPC_LISTENER_MSS_CLAMP, "mss-clamp"},
		{GPC_LISTENER_SYN_COOKIES, "syn-cookies"},
	};
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (listener->flags & flags[i].flag)
			text = text ? gpc_arena_printf(dump->arena, "%s %s", text, flags[i].name)
				    : flags[i].name;
	if (text)
		gpc_emit_string(&dump->emitter, "flags", text);
	else
		gpc_emit_none(&dump->emitter, "flags");
}

/* A number that only some modes have. */
static void put_if(struct gpc_emitter *e, const char *key, bool there, uint64_t value)
{
	if (there)
		gpc_emit_number(e, key, value);
	else
		gpc_emit_none(e, key);
}

static void put_listener_rate(struct gpc_emitter *e, const struct gpc_listener *listener)
{
	bool limited = listener->flags & GPC_LISTENER_RATE;

	if (limited)
		gpc_emit_string(e, "rate",
				listener->flags & GPC_LISTENER_RATE_SOURCE ? "source-ip" : "listener");
	else
		gpc_emit_none(e, "rate");
	put_if(e, "cost-ns", limited, listener->rate_cost);
	put_if(e, "burst-ns", limited, listener->rate_burst);
	put_if(e, "buckets", limited, listener->rate_entries);
	if (limited)
		gpc_emit_string(e, "exceed", gpc_action_name(listener->rate_exceed));
	else
		gpc_emit_none(e, "exceed");
}

static void dump_listener(struct gpc_dump *dump, const struct gpc_listener *listener)
{
	struct gpc_emitter *e = &dump->emitter;
	char ports[GPC_PORTS_TEXT];

	gpc_dump_name(dump, "name", listener->name);
	gpc_emit_hex(e, "id", listener->id);
	gpc_emit_string(e, "protocol", gpc_transport_name(listener->protocol));
	gpc_emit_string(e, "port",
			gpc_ports_format(ntohs(listener->port_be), ntohs(listener->port_last_be),
					 ports));
	gpc_emit_string(e, "forward", gpc_forward_name(listener->forward));
	put_backend(dump, "backend", listener->backend);
	put_if(e, "pools", listener->pools, listener->pools);
	put_if(e, "first-pool", listener->pools, listener->first_pool);
	put_ref(dump, "table-v4", &listener->table[GPC_V4]);
	put_ref(dump, "table-v6", &listener->table[GPC_V6]);
	gpc_emit_string(e, "hash", gpc_hash_name(listener->hash));
	gpc_emit_string(e, "affinity", gpc_affinity_name(listener->affinity));
	put_if(e, "affinity-timeout", listener->affinity_timeout, listener->affinity_timeout);
	put_if(e, "gue-port", listener->gue_port_be, ntohs(listener->gue_port_be));
	put_if(e, "outer-dscp", listener->outer_dscp != GPC_DSCP_COPY, listener->outer_dscp);
	gpc_emit_string(e, "ping", gpc_ping_name(listener->ping));
	put_flags(dump, listener);
	put_listener_rate(e, listener);
	gpc_dump_place(dump, listener->id);
}

static void dump_listeners(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_LISTENER); i++) {
		gpc_dump_begin(dump, "listener", i);
		dump_listener(dump, gpc_dump_record(dump, GPC_SEC_LISTENER, i));
		gpc_emit_end(&dump->emitter);
	}
}

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

static void dump_endpoints(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_ENDPOINT); i++) {
		const struct gpc_endpoint *endpoint = gpc_dump_record(dump, GPC_SEC_ENDPOINT, i);
		uint64_t mapped[2] = {0, gpc_mapped_v4(endpoint->address4_be)};

		gpc_dump_begin(dump, "endpoint", i);
		gpc_dump_name(dump, "name", endpoint->name);
		put_backend(dump, "backend", endpoint->backend);
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
		put_if(e, "port", endpoint->port_be, ntohs(endpoint->port_be));
		put_quic_id(e, endpoint);
		gpc_dump_place(dump, endpoint->id);
		gpc_emit_end(e);
	}
}

static void dump_endpoint_displacements(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_EP_DISP, "endpoint-displacement");
}

static void dump_endpoint_index(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_EP_INDEX); i++) {
		uint32_t entry = *(const uint32_t *)gpc_dump_record(dump, GPC_SEC_EP_INDEX, i);

		if (!entry)
			continue;
		gpc_dump_begin(dump, "endpoint-index", i);
		gpc_emit_number(&dump->emitter, "endpoint", entry - 1);
		gpc_emit_end(&dump->emitter);
	}
}

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

static void dump_pools(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_POOL); i++) {
		const struct gpc_pool *pool = gpc_dump_record(dump, GPC_SEC_POOL, i);
		struct gpc_emitter *e = &dump->emitter;

		gpc_dump_begin(dump, "pool", i);
		put_backend(dump, "backend", pool->backend);
		put_ref(dump, "table-v4", &pool->table[GPC_V4]);
		put_ref(dump, "table-v6", &pool->table[GPC_V6]);
		gpc_emit_number(e, "until", pool->until);
		gpc_emit_number(e, "total", pool->total);
		if (pool->failover == GPC_NONE)
			gpc_emit_none(e, "failover");
		else
			gpc_emit_number(e, "failover", pool->failover);
		gpc_emit_end(e);
	}
}

static void dump_quic_displacements(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_QUIC_DISP, "quic-displacement");
}

static void dump_quics(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_QUIC); i++) {
		const struct gpc_quic *quic = gpc_dump_record(dump, GPC_SEC_QUIC, i);

		if (!quic->endpoint)
			continue;
		gpc_dump_begin(dump, "quic", i);
		put_backend(dump, "backend", quic->backend);
		gpc_emit_number(&dump->emitter, "endpoint", quic->endpoint - 1);
		gpc_emit_end(&dump->emitter);
	}
}

static void dump_maglev(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_TABLE); i++)
		dump_shares(dump, i);
}

static void dump_maglev_slots(struct gpc_dump *dump)
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

static void dump_tables(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_TABLE); i++) {
		const struct gpc_table *table = gpc_dump_record(dump, GPC_SEC_TABLE, i);

		gpc_dump_begin(dump, "table", i);
		put_backend(dump, "backend", table->backend);
		gpc_emit_number(e, "size", table->size);
		gpc_emit_number(e, "endpoints", table->endpoints);
		gpc_emit_number(e, "offset", table->offset);
		gpc_emit_end(e);
	}
}

static void dump_backends(struct gpc_dump *dump)
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
		put_backend(dump, "failover", backend->failover);
		gpc_emit_share(e, "min-healthy", backend->min_healthy / 10000.0);
		gpc_dump_place(dump, backend->id);
		gpc_emit_end(e);
	}
}

static void dump_interfaces(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_INTERFACE); i++) {
		const struct gpc_interface *interface = gpc_dump_record(dump, GPC_SEC_INTERFACE, i);

		gpc_dump_begin(dump, "interface", i);
		gpc_dump_name(dump, "name", interface->name);
		gpc_emit_hex(e, "id", interface->id);
		gpc_emit_string(e, "mode", mode_names[interface->mode]);
		gpc_emit_string(e, "role", role_names[interface->role]);
		gpc_emit_number(e, "xdp", (interface->hooks & GPC_HOOK_XDP) != 0);
		gpc_emit_number(e, "tc-ingress", (interface->hooks & GPC_HOOK_TC_INGRESS) != 0);
		gpc_emit_number(e, "tc-egress", (interface->hooks & GPC_HOOK_TC_EGRESS) != 0);
		gpc_dump_place(dump, interface->id);
		gpc_emit_end(e);
	}
}

static void dump_names(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;
	uint32_t size;
	const char *names = gpc_image_section(dump->image, GPC_SEC_NAMES, &size);

	for (uint32_t at = 0; at < size; at += (uint32_t)strlen(names + at) + 1) {
		gpc_emit_begin(e, "name");
		gpc_emit_number(e, "offset", at);
		gpc_emit_string(e, "name", names + at);
		gpc_emit_end(e);
	}
}

/* As it stands in the image, which the reader has found to be JSON text; on one line as an object.
 */
static void dump_provenance(struct gpc_dump *dump)
{
	FILE *out = dump->emitter.out;
	bool json = dump->emitter.json;
	size_t size;
	const char *text = gpc_image_provenance(dump->image, &size);

	if (json)
		fputs("{\"type\":\"provenance\",\"provenance\":", out);
	for (size_t i = 0; i < size; i++)
		if (!json || text[i] != '\n')
			fputc(text[i], out);
	if (json)
		fputs(size ? "}\n" : "null}\n", out);
}

static void dump_link(struct gpc_dump *dump)
{
	const struct gpc_image *image = dump->image;
	const struct gpc_link_head *link = (const void *)(image->bytes + image->head->link_offset);
	struct gpc_emitter *e = &dump->emitter;

	gpc_emit_begin(e, "link");
	gpc_emit_number(e, "offset", image->head->link_offset);
	gpc_emit_number(e, "size", image->head->link_size);
	gpc_emit_string(e, "state", link->magic ? "linked" : "empty");
	if (link->magic)
		gpc_emit_number(e, "generation", link->generation);
	gpc_emit_end(e);
}

/* A table is written twice, the first time to measure it. */
static void dump_table(struct gpc_dump *dump, void (*records)(struct gpc_dump *dump))
{
	if (!dump->emitter.json) {
		gpc_emit_measure(&dump->emitter);
		records(dump);
		gpc_emit_header(&dump->emitter);
	}
	records(dump);
}

static void dump_overview(struct gpc_dump *dump)
{
	dump_table(dump, dump_head);
	dump_table(dump, dump_plane);
	dump_table(dump, dump_sizes);
	dump_table(dump, gpc_dump_chains);
	dump_table(dump, gpc_dump_policies);
	dump_table(dump, gpc_dump_classifiers);
}

static const struct row {
	const char *name;
	void (*dump)(struct gpc_dump *dump);
} rows[] = {
	{"policy-words", gpc_dump_policy_words},
	{"chain", gpc_dump_chains},
	{"policy", gpc_dump_policies},
	{"classifier", gpc_dump_classifiers},
	{"rule", gpc_dump_rules},
	{"vip-displacement", dump_vip_displacements},
	{"vip", gpc_dump_vips},
	{"vip-choice", gpc_dump_vip_choices},
	{"vip-ports", gpc_dump_vip_ports},
	{"listener", dump_listeners},
	{"pool", dump_pools},
	{"endpoint", dump_endpoints},
	{"endpoint-displacement", dump_endpoint_displacements},
	{"endpoint-index", dump_endpoint_index},
	{"quic-displacement", dump_quic_displacements},
	{"quic", dump_quics},
	{"maglev", dump_maglev},
	{"table", dump_tables},
	{"backend", dump_backends},
	{"interface", dump_interfaces},
	{"names", dump_names},
	{"maglev-slots", dump_maglev_slots},
	{"provenance", dump_provenance},
	{"link", dump_link},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const char *const gpc_image_dump_sections[] = {
#define X(id, name, type) name,
	GPC_SECTIONS(X)
#undef X
		"maglev-slots",
	"provenance",
	"link",
	NULL,
};
_Static_assert(sizeof(gpc_image_dump_sections) / sizeof(gpc_image_dump_sections[0]) == ROWS + 1,
	       "every section has a row");

bool gpc_image_dump(const struct gpc_image *image, const char *section, bool json, FILE *out)
{
	struct gpc_arena arena = {0};
	struct gpc_dump dump = {.emitter = {.out = out, .json = json}, .image = image, .arena = &arena};
	bool found = !section;

	if (!section)
		dump_overview(&dump);
	for (size_t i = 0; section && i < ROWS; i++) {
		if (strcmp(rows[i].name, section) != 0)
			continue;
		if (rows[i].dump == dump_provenance)
			dump_provenance(&dump);
		else
			dump_table(&dump, rows[i].dump);
		found = true;
	}
	gpc_arena_release(&arena);
	return found;
}
