/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "../base/words.h"
#include "dump.h"

/* ---- sets and services ---- */

static void dump_set(struct gpc_set set, FILE *out)
{
	for (size_t i = 0; i < set.count; i++) {
		char first[GPC_IP_TEXT], last[GPC_IP_TEXT];

		fprintf(out, " %s-%s", gpc_ip_format(&set.ranges[i].first, first),
			gpc_ip_format(&set.ranges[i].last, last));
	}
	fputs("\n", out);
}

static void dump_match(const struct gpc_match *match, FILE *out)
{
	struct gpc_match any = GPC_MATCH_ANY;

	if (match->dscp != any.dscp)
		fprintf(out, " dscp %016" PRIx64, match->dscp);
	if (match->tcp_flags != any.tcp_flags)
		fprintf(out, " tcp-flags %04x", match->tcp_flags);
	if (match->vlan != any.vlan)
		fprintf(out, " vlan %u", match->vlan);
	if (match->fragments != any.fragments)
		fprintf(out, " fragments %x", match->fragments);
}

/* `of` stands before each line. */
static void dump_space(const struct gpc_space *space, const char *of, FILE *out)
{
	for (size_t i = 0; i < space->set_count; i++) {
		fprintf(out, "%sset %zu", of, i);
		dump_set(space->sets[i], out);
	}
	for (size_t i = 0; i < space->service_count; i++) {
		const struct gpc_service *service = &space->services[i];

		fprintf(out, "%sservice %zu", of, i);
		for (size_t k = 0; k < service->count; k++) {
			const struct gpc_service_item *item = &service->items[k];

			fprintf(out, " %u-%u/%u-%u/%u-%u", item->protocol_first,
				item->protocol_last, item->source.first, item->source.last,
				item->destination.first, item->destination.last);
		}
		dump_match(&service->match, out);
		fputs("\n", out);
	}
}

static void dump_boxes(const char *word, const struct gpc_box *boxes, size_t count, FILE *out)
{
	fprintf(out, " %s", word);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " %u>%u/%u", boxes[i].source, boxes[i].destination, boxes[i].service);
}

/* ---- objects ---- */

static void dump_segments(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->segment_count; i++) {
		const struct gpc_model_segment *segment = &model->segments[i];

		fprintf(out, "segment %zu %s%s", i, segment->name, segment->used ? "" : " unused");
		for (size_t k = 0; k < segment->labels->n; k++)
			fprintf(out, " %s=%s", segment->labels->items[k].key,
				segment->labels->items[k].value);
		dump_set(segment->set, out);
	}
}

static void dump_rule(const struct gpc_model_rule *rule, size_t index, FILE *out)
{
	static const char *const never[] = {
		[GPC_NEVER_NOT] = "",
		[GPC_NEVER_FROM] = " never: from",
		[GPC_NEVER_TO] = " never: to",
		[GPC_NEVER_FAMILIES] = " never: families",
		[GPC_NEVER_TCP_FLAGS] = " never: tcp-flags",
		[GPC_NEVER_FRAGMENTS] = " never: fragments",
	};

	fprintf(out, "rule %zu %s %s%s", index, rule->name, gpc_action_name(rule->action),
		rule->used ? "" : " unused");
	if (rule->mark)
		fprintf(out, " mark 0x%x", rule->mark);
	if (rule->log_sample)
		fprintf(out, " log 1/%u %u/s", rule->log_sample, rule->log_rate);
	if (rule->rate.limited)
		fprintf(out, " rate %s%s cost %" PRIu64 " burst %" PRIu64 " entries %u exceed %s",
			rule->rate.per_source ? "source-ip" : "rule", rule->rate.bytes ? " bytes" : "",
			rule->rate.cost, rule->rate.burst, rule->rate.entries,
			gpc_action_name(rule->rate.exceed));
	if (rule->has_priority)
		fprintf(out, " priority %u", rule->priority);
	if (rule->expires)
		fprintf(out, " expires %" PRIu64, rule->expires);
	fputs(never[rule->never], out);
	dump_boxes("boxes", rule->boxes, rule->box_count, out);
	fputs("\n", out);
}

static void dump_protects(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->protect_count; i++) {
		const struct gpc_model_protect *protect = &model->protects[i];

		fprintf(out, "protect %zu %s id %016" PRIx64 " %s interfaces %" PRIx64, i,
			protect->name, protect->id, gpc_direction_name(protect->direction),
			protect->interfaces);
		dump_boxes("boxes", protect->boxes, protect->box_count, out);
		dump_boxes("exchanged", protect->exchanged, protect->exchanged_count, out);
		fputs("\n", out);
	}
}

static void dump_policies(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->policy_count; i++) {
		const struct gpc_model_policy *policy = &model->policies[i];

		fprintf(out,
			"policy %zu %s id %016" PRIx64 " %s interfaces %" PRIx64
			" %s%s%s default %s %s priority %u\n",
			i, policy->name, policy->id, gpc_direction_name(policy->direction),
			policy->interfaces, policy->stateful ? "stateful" : "stateless",
			policy->keep ? " keep" : "", policy->mid_stream ? " mid-stream" : "",
			gpc_action_name(policy->fallback),
			policy->mode == GPC_POLICY_AUDIT ? "audit" : "enforce", policy->priority);
		for (size_t k = 0; k < policy->rule_count; k++)
			fprintf(out, "  rule %u %s id %016" PRIx64 "\n", policy->rules[k],
				model->rules[policy->rules[k]].name, policy->rule_ids[k]);
		fprintf(out, "  default id %016" PRIx64 "\n", policy->default_id);
	}
}

static void dump_chains(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->chain_count; i++) {
		const struct gpc_model_chain *chain = &model->chains[i];

		fprintf(out, "chain %zu %s %s", i, model->interfaces[chain->interface].name,
			gpc_direction_name(chain->direction));
		for (size_t k = 0; k < chain->policy_count; k++)
			fprintf(out, " %s", model->policies[chain->policies[k]].name);
		fputs("\n", out);
	}
}

static void dump_invariants(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->invariant_count; i++) {
		const struct gpc_model_invariant *invariant = &model->invariants[i];

		fprintf(out, "invariant %zu %s id %016" PRIx64 " %s%s", i, invariant->name,
			invariant->id, gpc_invariant_form_name(invariant->form),
			invariant->enforced ? " when enforced" : "");
		if (invariant->interface != GPC_NONE)
			fprintf(out, " %s %s", model->interfaces[invariant->interface].name,
				gpc_direction_name(invariant->direction));
		if (invariant->form == GPC_INVARIANT_REMAP)
			fprintf(out, " %s max %u", model->backends[invariant->backend].name,
				invariant->max);
		if (invariant->memory)
			fprintf(out, " memory %u", invariant->memory);
		if (invariant->max_lookups)
			fprintf(out, " max-lookups %u", invariant->max_lookups);
		dump_boxes("boxes", invariant->boxes, invariant->box_count, out);
		dump_boxes("allowed", invariant->allowed, invariant->allowed_count, out);
		fputs("\n", out);
	}
	dump_space(&model->invariant_space, "invariant ", out);
}

void gpc_model_dump_builtins(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < GPC_BUILTIN_COUNT; i++)
		fprintf(out, "builtin %s id %016" PRIx64 " %s\n", gpc_builtin_names[i],
			model->builtin_ids[i], gpc_builtin_action_name(model->builtin[i]));
}

void gpc_model_dump_policies(const struct gpc_model *model, FILE *out)
{
	dump_segments(model, out);
	for (size_t i = 0; i < model->rule_count; i++)
		dump_rule(&model->rules[i], i, out);
	dump_protects(model, out);
	dump_policies(model, out);
	dump_chains(model, out);
	dump_space(&model->space, "", out);
	dump_invariants(model, out);
}
