/* SPDX-License-Identifier: MIT */
#include "../base/words.h"
#include "dumper.h"
#include "invariants.h"

/* What an invariant says, as numbers; what it is about is in the words. */
static void dump_packets(struct gpc_dump *dump, const struct gpc_invariant *invariant)
{
	struct gpc_emitter *e = &dump->emitter;
	const struct gpc_interface *interface;

	if (invariant->form > GPC_INVARIANT_ONLY || invariant->interface == GPC_NONE) {
		gpc_emit_none(e, "interface");
		gpc_emit_none(e, "direction");
	} else {
		interface = gpc_dump_record(dump, GPC_SEC_INTERFACE, invariant->interface);
		gpc_dump_name(dump, "interface", interface->name);
		gpc_emit_string(e, "direction",
				gpc_direction_name(invariant->flags & GPC_INVARIANT_EGRESS
							   ? GPC_EGRESS
							   : GPC_INGRESS));
	}
	if (invariant->flags & GPC_INVARIANT_ENFORCED)
		gpc_emit_string(e, "when", "enforced");
	else
		gpc_emit_none(e, "when");
	gpc_dump_if(e, "boxes", invariant->form <= GPC_INVARIANT_ONLY, invariant->box_count);
	gpc_dump_if(e, "allowed", invariant->form == GPC_INVARIANT_ONLY, invariant->allowed_count);
}

void gpc_dump_invariants(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_INVARIANT); i++) {
		const struct gpc_invariant *invariant = gpc_dump_record(dump, GPC_SEC_INVARIANT, i);

		gpc_dump_begin(dump, "invariant", i);
		gpc_dump_name(dump, "name", invariant->name);
		gpc_emit_hex(e, "id", invariant->id);
		gpc_emit_string(e, "form", gpc_invariant_form_name(invariant->form));
		dump_packets(dump, invariant);
		gpc_dump_backend(dump, "backend", invariant->backend);
		gpc_dump_if(e, "max", invariant->form == GPC_INVARIANT_REMAP, invariant->max);
		gpc_dump_if(e, "memory", invariant->memory, invariant->memory);
		gpc_dump_if(e, "max-lookups", invariant->max_lookups, invariant->max_lookups);
		gpc_dump_place(dump, invariant->id);
		gpc_emit_end(e);
	}
}

void gpc_dump_invariant_words(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_INVARIANT_WORDS, "invariant-word");
}
