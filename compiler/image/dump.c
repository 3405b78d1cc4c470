/* SPDX-License-Identifier: MIT */
#include "../base/words.h"
#include "dump.h"

#include <arpa/inet.h>
#include <string.h>

#include "../model/id.h"
#include "dumper.h"
#include "gpc/lookup/vip.h"
#include "layout.h"

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

void gpc_dump_words(struct gpc_dump *dump, enum gpc_section_id id, const char *kind)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, id); i++) {
		gpc_dump_begin(dump, kind, i);
		gpc_emit_number(&dump->emitter, "value", *(const uint32_t *)gpc_dump_record(dump, id, i));
		gpc_emit_end(&dump->emitter);
	}
}

void gpc_dump_backend(struct gpc_dump *dump, const char *key, uint32_t backend)
{
	const struct gpc_backend *target;

	if (backend == GPC_NONE) {
		gpc_emit_none(&dump->emitter, key);
		return;
	}
	target = gpc_dump_record(dump, GPC_SEC_BACKEND, backend);
	gpc_dump_name(dump, key, target->name);
}

void gpc_dump_interface_mask(struct gpc_dump *dump, const char *key, uint64_t interfaces)
{
	const char *text = "";

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_INTERFACE); i++) {
		const struct gpc_interface *interface = gpc_dump_record(dump, GPC_SEC_INTERFACE, i);

		if (interfaces >> i & 1)
			text = gpc_arena_printf(dump->arena, "%s%s%s", text, *text ? " " : "",
						gpc_image_name(dump->image, interface->name));
	}
	gpc_emit_string(&dump->emitter, key, text);
}

void gpc_dump_found(struct gpc_dump *dump, uint32_t endpoint)
{
	const struct gpc_endpoint *found = gpc_dump_record(dump, GPC_SEC_ENDPOINT, endpoint);

	gpc_dump_name(dump, "endpoint", found->name);
	gpc_dump_backend(dump, "backend", found->backend);
}

void gpc_dump_if(struct gpc_emitter *e, const char *key, bool there, uint64_t value)
{
	if (there)
		gpc_emit_number(e, key, value);
	else
		gpc_emit_none(e, key);
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

static void dump_vip_displacements(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_VIP_DISP, "vip-displacement");
}

static void dump_endpoint_displacements(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_EP_DISP, "endpoint-displacement");
}

static void dump_quic_displacements(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_QUIC_DISP, "quic-displacement");
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
	{"listener", gpc_dump_listeners},
	{"pool", gpc_dump_pools},
	{"endpoint", gpc_dump_endpoints},
	{"endpoint-displacement", dump_endpoint_displacements},
	{"endpoint-index", gpc_dump_endpoint_index},
	{"quic-displacement", dump_quic_displacements},
	{"quic", gpc_dump_quics},
	{"maglev", gpc_dump_maglev},
	{"table", gpc_dump_tables},
	{"backend", gpc_dump_backends},
	{"interface", dump_interfaces},
	{"invariant", gpc_dump_invariants},
	{"invariant-words", gpc_dump_invariant_words},
	{"names", dump_names},
	{"maglev-slots", gpc_dump_maglev_slots},
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
