/* SPDX-License-Identifier: MIT */
/* What is said about invariants that do not hold. */
#include <string.h>

#include "../model/model.h"
#include "gpc/lookup/chain.h"
#include "invariants.h"
#include "packet.h"

struct telling {
	struct gpc_arena *arena;
	const struct gpc_image *image;
	const struct gpc_model *model;	/* NULL: places are told as text */
	uint32_t index;			/* of INVARIANT */
	const struct gpc_invariant *invariant;
	const struct gpc_proof *proof;
};

static const void *record(const struct telling *t, enum gpc_section_id id, uint32_t index,
			  size_t size)
{
	uint32_t count;

	return (const char *)gpc_image_section(t->image, id, &count) + index * size;
}
#define RECORD(t, id, type, index) ((const type *)record((t), GPC_SEC_##id, (index), sizeof(type)))

static const char *name(const struct telling *t, uint32_t offset)
{
	return gpc_image_name(t->image, offset);
}

/* " (web.yaml:20:5)", "" if a model gives the place, or nothing does. */
static const char *place_text(const struct telling *t, uint64_t id)
{
	uint32_t line, column;
	const char *path;

	if (t->model || !gpc_image_place(t->image, t->arena, id, &path, &line, &column))
		return "";
	return gpc_arena_printf(t->arena, " (%s:%u:%u)", path, line, column);
}

/* ---- what a packet meets ---- */

/* Is it broken by what is let through, not by what is denied? */
static bool is_passing(const struct telling *t)
{
	const struct gpc_atlas_verdict *verdict = &t->proof->example.verdict;

	return t->invariant->form == GPC_INVARIANT_ALWAYS ? !gpc_atlas_denies(verdict)
							  : gpc_atlas_passes(verdict);
}

static const char *what_it_does(const struct telling *t)
{
	const struct gpc_atlas_verdict *verdict = &t->proof->example.verdict;

	if (verdict->at_times)
		return is_passing(t) ? "lets it through beyond its rate" :
				       "lets it through only beyond its rate";
	if (is_passing(t))
		return "lets it through";
	return verdict->action == GPC_ACTION_REJECT ? "rejects it" : "denies it";
}

static const char *decider(const struct telling *t)
{
	const struct gpc_atlas_verdict *verdict = &t->proof->example.verdict;
	const struct gpc_rule *rule;
	const char *what;

	if (verdict->rule == GPC_NONE)
		return "no policy decides it";
	rule = gpc_rule_at(t->image->view, verdict->rule);
	if (rule->flags & GPC_RULE_PROTECT)
		what = gpc_arena_printf(t->arena, "`protect` item `%s`", name(t, rule->name));
	else if (rule->flags & GPC_RULE_DEFAULT)
		what = gpc_arena_printf(t->arena, "the default of policy `%s`",
					name(t, gpc_policy_at(t->image->view, verdict->policy)->name));
	else
		what = gpc_arena_printf(t->arena, "rule `%s` of policy `%s`", name(t, rule->name),
					name(t, gpc_policy_at(t->image->view, verdict->policy)->name));
	return gpc_arena_printf(t->arena, "%s%s %s", what, place_text(t, rule->id), what_it_does(t));
}

static const char *address_text(const struct telling *t, const struct gpc_endpoint *endpoint)
{
	struct gpc_ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};
	char *out = gpc_arena_alloc(t->arena, GPC_IP_TEXT);

	if (endpoint->flags & GPC_ENDPOINT_V4)
		memcpy(ip.bytes + 12, &endpoint->address4_be, sizeof(endpoint->address4_be));
	else
		memcpy(ip.bytes, endpoint->address6_be, sizeof(ip.bytes));
	return gpc_ip_format(&ip, out);
}

/* ", and listener `l` sends it to `web-1` (10.0.1.11)" */
static const char *way(const struct telling *t)
{
	const struct gpc_counterexample *example = &t->proof->example;
	const struct gpc_endpoint *endpoint;
	const char *listener;

	if (example->verdict.listener == GPC_NONE)
		return "";
	listener = name(t, RECORD(t, LISTENER, struct gpc_listener, example->verdict.listener)->name);
	if (t->invariant->form == GPC_INVARIANT_ALWAYS)
		return is_passing(t)
			       ? gpc_arena_printf(t->arena,
						  ", but listener `%s` has nobody for new flows",
						  listener)
			       : "";
	if (example->endpoint == GPC_NONE)
		return gpc_arena_printf(t->arena, ", to listener `%s`", listener);
	endpoint = RECORD(t, ENDPOINT, struct gpc_endpoint, example->endpoint);
	return gpc_arena_printf(t->arena, ", and listener `%s` may send it to `%s` (%s)", listener,
				name(t, endpoint->name), address_text(t, endpoint));
}

static const char *packet_text(const struct telling *t)
{
	char *out = gpc_arena_alloc(t->arena, GPC_PACKET_TEXT);

	return gpc_packet_format(&t->proof->example.packet, out);
}

static const char *tell_packet(const struct telling *t)
{
	const struct gpc_counterexample *example = &t->proof->example;

	return gpc_arena_printf(t->arena, "`%s` %s %s: %s%s", packet_text(t),
				example->direction == GPC_EGRESS ? "out of" : "into",
				example->interface, decider(t), way(t));
}

/* ---- numbers ---- */

static const char *percent(const struct telling *t, uint64_t hundredths)
{
	return gpc_arena_printf(t->arena, "%llu.%02llu%%", (unsigned long long)hundredths / 100,
				(unsigned long long)hundredths % 100);
}

static const char *tell_remap(const struct telling *t)
{
	return gpc_arena_printf(
		t->arena, "%s of the new flows of backend `%s` get another endpoint, the most is %s",
		percent(t, t->proof->value[0]),
		name(t, RECORD(t, BACKEND, struct gpc_backend, t->invariant->backend)->name),
		percent(t, t->invariant->max));
}

static bool too_large(const struct telling *t)
{
	return t->invariant->memory && t->proof->value[0] > t->invariant->memory;
}

static bool too_deep(const struct telling *t)
{
	return t->invariant->max_lookups && t->proof->value[1] > t->invariant->max_lookups;
}

static const char *tell_memory(const struct telling *t)
{
	return gpc_arena_printf(t->arena, "the image has %llu bytes, the most is %u",
				(unsigned long long)t->proof->value[0], t->invariant->memory);
}

static const char *tell_lookups(const struct telling *t)
{
	return gpc_arena_printf(t->arena, "%llu loads wait for each other, the most is %u",
				(unsigned long long)t->proof->value[1], t->invariant->max_lookups);
}

/* ---- diagnostics ---- */

/* Where the deciding rule is written; nowhere without one. */
static struct gpc_place rule_place(const struct telling *t)
{
	const struct gpc_atlas_verdict *verdict = &t->proof->example.verdict;
	const struct gpc_model_policy *policy;
	uint32_t position;

	if (verdict->rule == GPC_NONE)
		return GPC_NOWHERE;
	if (verdict->policy == GPC_NONE)
		return t->model->protects[verdict->rule - GPC_BUILTIN_COUNT].at;
	policy = &t->model->policies[verdict->policy];
	position = verdict->rule - gpc_policy_at(t->image->view, verdict->policy)->first_rule;
	return position < policy->rule_count ? t->model->rules[policy->rules[position]].at
					     : policy->at;
}

static void add_places(const struct telling *t, struct gpc_diag *diag)
{
	const struct gpc_counterexample *example = &t->proof->example;
	struct gpc_place at;

	if (!t->model || !t->proof->found)
		return;
	at = rule_place(t);
	if (at.source != GPC_NO_SOURCE)
		gpc_diag_place(diag, at,
			       is_passing(t) ? "lets it through" : "denies it");
	if (example->endpoint != GPC_NONE)
		gpc_diag_place(diag, t->model->endpoints[example->endpoint].at, "and reaches this one");
	else if (example->verdict.listener != GPC_NONE && is_passing(t))
		gpc_diag_place(diag, t->model->listeners[example->verdict.listener].at,
			       "to this listener");
}

static const char *label(enum gpc_invariant_form form)
{
	static const char *const labels[] = {
		[GPC_INVARIANT_NEVER] = "must never pass",
		[GPC_INVARIANT_ALWAYS] = "must always pass",
		[GPC_INVARIANT_ONLY] = "nothing else may pass",
		[GPC_INVARIANT_REMAP] = "no more may move",
		[GPC_INVARIANT_LIMITS] = "the limit",
	};

	return labels[form];
}

static void add_error(struct gpc_diags *diags, const struct telling *t, const char *image,
		      enum gpc_code code, const char *what)
{
	struct gpc_place at = t->model ? t->model->invariants[t->index].at : GPC_NOWHERE;
	struct gpc_diag *diag =
		gpc_diag(diags, code, at, "%s%sinvariant `%s`%s does not hold%s: %s",
			 t->model ? "" : image, t->model ? "" : ": ", name(t, t->invariant->name),
			 place_text(t, t->invariant->id),
			 t->proof->later ? " once all audit policies enforce" : "", what);

	if (t->model)
		gpc_diag_label(diag, label(t->invariant->form));
	add_places(t, diag);
	if (t->proof->enforced)
		gpc_diag_hint(diags, diag,
			      "it holds once all audit policies enforce; `when: enforced` defers it "
			      "until then");
	else if (t->proof->later)
		gpc_diag_hint(diags, diag,
			      "it holds while they are in audit, but `when: enforced` asks for what comes then");
	else if (t->proof->found)
		gpc_diag_hint(diags, diag, "gpc explain --%s '%s' '%s' shows the way of this packet",
			      t->proof->example.direction == GPC_EGRESS ? "out" : "in",
			      t->proof->example.interface, packet_text(t));
}

static void report_violated(struct gpc_diags *diags, const struct telling *t, const char *image)
{
	static const enum gpc_code codes[] = {
		[GPC_INVARIANT_NEVER] = GPC_E0470,
		[GPC_INVARIANT_ALWAYS] = GPC_E0471,
		[GPC_INVARIANT_ONLY] = GPC_E0472,
	};

	if (t->proof->why)
		add_error(diags, t, image, GPC_E0476,
			  gpc_arena_printf(t->arena, "it cannot be judged: %s", t->proof->why));
	else if (t->proof->found)
		add_error(diags, t, image, codes[t->invariant->form], tell_packet(t));
	else if (t->invariant->form == GPC_INVARIANT_REMAP)
		add_error(diags, t, image, GPC_E0473, tell_remap(t));
	if (too_large(t))
		add_error(diags, t, image, GPC_E0474, tell_memory(t));
	if (too_deep(t))
		add_error(diags, t, image, GPC_E0475, tell_lookups(t));
}

static void report_nothing(struct gpc_diags *diags, const struct telling *t, const char *image)
{
	struct gpc_place at = t->model ? t->model->invariants[t->index].at : GPC_NOWHERE;
	struct gpc_diag *diag = gpc_diag(diags, GPC_W0465, at,
					 "%s%sno packet that opens a flow is meant by invariant `%s`%s",
					 t->model ? "" : image, t->model ? "" : ": ",
					 name(t, t->invariant->name),
					 place_text(t, t->invariant->id));

	gpc_diag_hint(diags, diag,
		      "only those are judged in stateful policies: no later fragment, of ICMP echo "
		      "requests, of TCP what begins with SYN");
}

static struct telling telling_of(struct gpc_arena *arena, const struct gpc_image *image,
				 const struct gpc_model *model, uint32_t index,
				 const struct gpc_proof *proof)
{
	struct telling t = {.arena = arena, .image = image, .model = model, .index = index,
			    .proof = proof};

	t.invariant = RECORD(&t, INVARIANT, struct gpc_invariant, index);
	return t;
}

void gpc_proofs_report(struct gpc_diags *diags, const struct gpc_image *image,
		       const struct gpc_model *model, const char *image_name,
		       const struct gpc_proofs *proofs)
{
	for (uint32_t i = 0; i < proofs->count; i++) {
		struct telling t =
			telling_of(diags->arena, image, model, i, &proofs->items[i]);

		if (proofs->items[i].standing == GPC_STANDING_VIOLATED)
			report_violated(diags, &t, image_name);
		if (proofs->items[i].nothing)
			report_nothing(diags, &t, image_name);
	}
}

/* ---- in a list ---- */

static const char *tell_limits(const struct telling *t)
{
	if (t->invariant->memory && t->invariant->max_lookups)
		return gpc_arena_printf(t->arena, "%s; %s", tell_memory(t), tell_lookups(t));
	return t->invariant->memory ? tell_memory(t) : tell_lookups(t);
}

static const char *tell(const struct telling *t)
{
	if (t->proof->why)
		return t->proof->why;
	if (t->proof->found)
		return tell_packet(t);
	if (t->invariant->form == GPC_INVARIANT_REMAP)
		return tell_remap(t);
	return t->invariant->form == GPC_INVARIANT_LIMITS ? tell_limits(t) : NULL;
}

const char *gpc_proof_text(struct gpc_arena *arena, const struct gpc_image *image, uint32_t invariant,
			   const struct gpc_proof *proof)
{
	static const char *const words[GPC_STANDINGS] = {
		[GPC_STANDING_PASSED] = "passed",
		[GPC_STANDING_DEFERRED] = "deferred until all audit policies enforce",
		[GPC_STANDING_NOT_JUDGED] = "not judged",
		[GPC_STANDING_VIOLATED] = "violated",
	};
	struct telling t = telling_of(arena, image, NULL, invariant, proof);
	const char *what = tell(&t);

	return what ? gpc_arena_printf(arena, "%s%s: %s", words[proof->standing],
				       proof->later ? " once all audit policies enforce" : "", what)
	       : proof->nothing ? "passed, but it is about no packet that opens a flow"
				: words[proof->standing];
}
