/* SPDX-License-Identifier: MIT */
#include "prove.h"

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "gpc/lookup/chain.h"
#include "output.h"

static const struct gpc_invariant *invariant_at(const struct gpc_image *image, uint32_t index)
{
	uint32_t count;
	const struct gpc_invariant *items = gpc_image_section(image, GPC_SEC_INVARIANT, &count);

	return &items[index];
}

/* ---- JSON ---- */

static void json_place(const struct gpc_input *input, struct json_object *object, const char *key,
		       uint64_t id)
{
	struct gpc_arena scratch = {0};
	uint32_t line, column;
	const char *path;

	if (gpc_image_place(&input->image, &scratch, id, &path, &line, &column))
		gpc_json_text(object, key,
			      gpc_arena_printf(&scratch, "%s:%u:%u", path, line, column));
	gpc_arena_release(&scratch);
}

static void json_example(const struct gpc_input *input, const struct gpc_counterexample *example,
			 struct json_object *object)
{
	const struct gpc_image *image = &input->image;
	char packet[GPC_PACKET_TEXT];
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	const struct gpc_atlas_verdict *verdict = &example->verdict;

	gpc_json_text(object, "packet", gpc_packet_format(&example->packet, packet));
	gpc_json_text(object, "interface", example->interface);
	gpc_json_text(object, "direction", gpc_direction_name(example->direction));
	gpc_json_text(object, "verdict", gpc_action_name(verdict->action));
	if (verdict->policy != GPC_NONE)
		gpc_json_text(object, "policy",
			      gpc_image_name(image, gpc_policy_at(image->view, verdict->policy)->name));
	if (verdict->rule != GPC_NONE) {
		const struct gpc_rule *rule = gpc_rule_at(image->view, verdict->rule);

		gpc_json_text(object, rule->flags & GPC_RULE_PROTECT ? "protect" : "rule",
			      gpc_image_name(image, rule->name));
		json_place(input, object, "rule_at", rule->id);
	}
	if (verdict->listener != GPC_NONE)
		gpc_json_text(object, "listener",
			      gpc_image_name(image, listeners[verdict->listener].name));
	if (example->endpoint != GPC_NONE)
		gpc_json_text(object, "endpoint",
			      gpc_image_name(image, endpoints[example->endpoint].name));
}

static void print_json(const struct gpc_input *input, uint32_t index, const struct gpc_proof *proof)
{
	const struct gpc_invariant *invariant = invariant_at(&input->image, index);
	struct json_object *object = gpc_json("invariant");

	gpc_json_text(object, "name", gpc_image_name(&input->image, invariant->name));
	gpc_json_text(object, "form", gpc_invariant_form_name(invariant->form));
	gpc_json_text(object, "standing", gpc_standing_name(proof->standing));
	json_place(input, object, "at", invariant->id);
	if (proof->why)
		gpc_json_text(object, "why", proof->why);
	if (proof->found) {
		gpc_json_bool(object, "holds_once_enforced", proof->enforced);
		gpc_json_bool(object, "holds_until_enforced", proof->later);
		json_example(input, &proof->example, object);
	}
	gpc_json_bool(object, "about_nothing", proof->nothing);
	if (invariant->form == GPC_INVARIANT_REMAP && !proof->why)
		gpc_json_real(object, "moved_percent", (double)proof->value[0] / 100, 2);
	if (invariant->form == GPC_INVARIANT_LIMITS) {
		gpc_json_number(object, "memory", (int64_t)proof->value[0]);
		gpc_json_number(object, "lookups", (int64_t)proof->value[1]);
	}
	gpc_json_print(object);
}

void gpc_prove_json(const struct gpc_proofs *proofs, struct json_object *result)
{
	struct json_object *counts;

	if (!proofs->count)
		return;
	counts = json_object_new_object();
	for (unsigned int i = 0; i < GPC_STANDINGS; i++)
		gpc_json_number(counts, gpc_standing_name((enum gpc_standing)i),
				(int64_t)proofs->standing[i]);
	json_object_object_add(result, "invariants", counts);
}

/* ---- text ---- */

/* Violations have been said as diagnostics. */
static void say(const struct gpc_call *call, struct gpc_input *input, uint32_t index,
		const struct gpc_proof *proof)
{
	if (proof->standing == GPC_STANDING_VIOLATED ||
	    (proof->standing == GPC_STANDING_PASSED && !gpc_call_has(call, "verbose")))
		return;
	fprintf(stderr, "invariant %s: %s\n",
		gpc_image_name(&input->image, invariant_at(&input->image, index)->name),
		gpc_proof_text(&input->arena, &input->image, index, proof));
}

/* Behind the diagnostics of the input, which have been shown, and from the same texts. */
static void report(const struct gpc_call *call, struct gpc_input *input,
		   const struct gpc_proofs *proofs)
{
	struct gpc_input shown = *input;

	shown.diags.records.n = shown.diags.records.cap = 0;
	shown.diags.records.items = NULL;
	shown.diags.errors = shown.diags.warnings = 0;
	gpc_proofs_report(&shown.diags, &input->image,
			  input->project.count ? input->compiled.model : NULL, input->name, proofs);
	gpc_input_say(call, &shown);
	input->diags.errors += shown.diags.errors;
}

enum gpc_exit gpc_prove_input(const struct gpc_call *call, struct gpc_input *input,
			      const struct gpc_image *parent, struct gpc_proofs *ret)
{
	struct gpc_proofs proofs = gpc_prove(&input->arena, &input->image, parent);
	size_t refused = input->diags.errors;

	report(call, input, &proofs);
	refused = input->diags.errors - refused;
	for (uint32_t i = 0; i < proofs.count; i++) {
		if (gpc_call_has(call, "json"))
			print_json(input, i, &proofs.items[i]);
		else
			say(call, input, i, &proofs.items[i]);
	}
	*ret = proofs;
	if (proofs.standing[GPC_STANDING_VIOLATED])
		return GPC_EXIT_REFUSED;
	return refused ? GPC_EXIT_INVALID : GPC_EXIT_OK;
}

enum gpc_exit gpc_prove_live(const struct gpc_call *call, struct gpc_input *input)
{
	GPC_CLEANUP(gpc_plane_status_release) struct gpc_plane_status plane = {0};
	const struct gpc_image *parent = input->has_parent ? &input->parent : NULL;
	struct gpc_failure failure;
	struct gpc_proofs proofs;

	if (!input->image.plane->section[GPC_SEC_INVARIANT].count)
		return GPC_EXIT_OK;
	if (!parent && !gpc_plane_read(gpc_bpffs(), &plane, &failure) && plane.has_image)
		parent = &plane.image;
	return gpc_prove_input(call, input, parent, &proofs);
}
