/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "../base/words.h"
#include "dumper.h"

void gpc_dump_policy_words(struct gpc_dump *dump)
{
	gpc_dump_words(dump, GPC_SEC_WORDS, "policy-word");
}

static void put_index(struct gpc_dump *dump, const char *key, uint32_t index)
{
	if (index == GPC_NONE)
		gpc_emit_none(&dump->emitter, key);
	else
		gpc_emit_number(&dump->emitter, key, index);
}

/* ---- chains and policies ---- */

static const char *policies_of(struct gpc_dump *dump, const struct gpc_chain *chain)
{
	const char *text = "";

	for (uint32_t i = 0; i < chain->policies; i++) {
		const struct gpc_policy *policy =
			gpc_dump_record(dump, GPC_SEC_POLICY, chain->policy[i]);

		text = gpc_arena_printf(dump->arena, "%s%s%s", text, i ? "," : "",
					gpc_image_name(dump->image, policy->name));
	}
	return text;
}

static void put_state(struct gpc_dump *dump, uint8_t flags)
{
	struct gpc_emitter *e = &dump->emitter;

	gpc_emit_number(e, "stateful", (flags & GPC_CHAIN_STATEFUL) != 0);
	if (!(flags & GPC_CHAIN_STATEFUL)) {
		gpc_emit_none(e, "existing");
		gpc_emit_none(e, "mid-stream");
		return;
	}
	gpc_emit_string(e, "existing", flags & GPC_CHAIN_KEEP ? "keep" : "recheck");
	gpc_emit_string(e, "mid-stream", flags & GPC_CHAIN_MID_STREAM_ALLOW ? "allow" : "deny");
}

void gpc_dump_chains(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_CHAIN); i++) {
		const struct gpc_chain *chain = gpc_dump_record(dump, GPC_SEC_CHAIN, i);
		const struct gpc_interface *interface =
			gpc_dump_record(dump, GPC_SEC_INTERFACE, chain->interface);

		gpc_dump_begin(dump, "chain", i);
		gpc_dump_name(dump, "interface", interface->name);
		gpc_emit_string(e, "direction",
				gpc_direction_name(chain->direction));
		gpc_emit_string(e, "policies", policies_of(dump, chain));
		put_state(dump, chain->flags);
		put_index(dump, "protect", chain->protect);
		gpc_emit_hex(e, "stamp", chain->stamp);
		gpc_emit_number(e, "tag", chain->tag);
		gpc_emit_end(e);
	}
}

void gpc_dump_policies(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_POLICY); i++) {
		const struct gpc_policy *policy = gpc_dump_record(dump, GPC_SEC_POLICY, i);

		gpc_dump_begin(dump, "policy", i);
		gpc_dump_name(dump, "name", policy->name);
		gpc_emit_hex(e, "id", policy->id);
		gpc_emit_string(e, "mode",
				policy->mode == GPC_POLICY_AUDIT ? "audit" : "enforce");
		gpc_emit_string(e, "default", gpc_action_name(policy->fallback));
		gpc_emit_number(e, "priority", policy->priority);
		gpc_emit_number(e, "first-rule", policy->first_rule);
		gpc_emit_number(e, "rules", policy->rules);
		put_index(dump, "decide", policy->decide);
		put_index(dump, "log", policy->log);
		put_index(dump, "mark", policy->mark);
		gpc_dump_place(dump, policy->id);
		gpc_emit_end(e);
	}
}

/* ---- classifiers ---- */

/* What asks classifier `index`: "edge decide", "protect". */
static const char *asker_of(struct gpc_dump *dump, uint32_t index)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_POLICY); i++) {
		const struct gpc_policy *policy = gpc_dump_record(dump, GPC_SEC_POLICY, i);
		const char *part = policy->decide == index ? "decide" :
				   policy->log == index	   ? "log" :
				   policy->mark == index   ? "mark" :
							     NULL;

		if (part)
			return gpc_arena_printf(dump->arena, "%s %s",
						gpc_image_name(dump->image, policy->name), part);
	}
	return "protect";
}

void gpc_dump_classifiers(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_CLASSIFIER); i++) {
		const struct gpc_classifier *classifier =
			gpc_dump_record(dump, GPC_SEC_CLASSIFIER, i);

		gpc_dump_begin(dump, "classifier", i);
		gpc_emit_string(e, "of", asker_of(dump, i));
		gpc_emit_number(e, "boxes", classifier->boxes);
		gpc_emit_number(e, "specs", classifier->specs);
		gpc_emit_number(e, "l4-classes", classifier->l4_classes);
		gpc_emit_number(e, "groups", classifier->groups);
		gpc_emit_number(e, "cells", classifier->cell_count);
		gpc_emit_number(e, "residuals", classifier->residuals);
		gpc_emit_string(e, "ports",
				classifier->flags & GPC_CLASSIFIER_RANGES ? "ranges" : "classes");
		gpc_emit_number(e, "match", (classifier->flags & GPC_CLASSIFIER_MATCH) != 0);
		gpc_emit_number(e, "loads", classifier->loads);
		gpc_emit_number(e, "bytes", classifier->bytes);
		gpc_emit_end(e);
	}
}

/* ---- rules ---- */

static void put_owner(struct gpc_dump *dump, const struct gpc_rule *rule)
{
	const struct gpc_policy *policy;

	if (rule->policy == GPC_NONE) {
		gpc_emit_string(&dump->emitter, "policy",
				rule->flags & GPC_RULE_BUILTIN ? "builtin" : "protect");
		return;
	}
	policy = gpc_dump_record(dump, GPC_SEC_POLICY, rule->policy);
	gpc_dump_name(dump, "policy", policy->name);
}

static void put_log(struct gpc_dump *dump, const struct gpc_rule *rule)
{
	if (!rule->log_sample) {
		gpc_emit_none(&dump->emitter, "log-sample");
		gpc_emit_none(&dump->emitter, "log-rate");
		return;
	}
	gpc_emit_number(&dump->emitter, "log-sample", rule->log_sample);
	gpc_emit_number(&dump->emitter, "log-rate", rule->log_rate);
}

static void put_rate(struct gpc_dump *dump, const struct gpc_rule *rule)
{
	struct gpc_emitter *e = &dump->emitter;
	bool bytes = rule->flags & GPC_RULE_RATE_BYTES;

	if (!(rule->flags & GPC_RULE_RATE)) {
		gpc_emit_none(e, "exceed");
		gpc_emit_none(e, "cost-ns");
		gpc_emit_none(e, "bytes-per-second");
		gpc_emit_none(e, "burst-ns");
		gpc_emit_none(e, "buckets");
		return;
	}
	gpc_emit_string(e, "exceed", gpc_action_name(rule->exceed));
	if (bytes)
		gpc_emit_none(e, "cost-ns");
	gpc_emit_number(e, bytes ? "bytes-per-second" : "cost-ns", rule->rate_cost);
	if (!bytes)
		gpc_emit_none(e, "bytes-per-second");
	gpc_emit_number(e, "burst-ns", rule->rate_burst);
	gpc_emit_number(e, "buckets", rule->rate_entries);
}

static void put_end(struct gpc_dump *dump, const struct gpc_rule *rule)
{
	time_t seconds = (time_t)rule->expires;
	char text[32] = "";
	struct tm tm;

	if (!rule->expires) {
		gpc_emit_none(&dump->emitter, "expires");
		return;
	}
	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, sizeof(text), "%llu", (unsigned long long)rule->expires);
	gpc_emit_string(&dump->emitter, "expires", text);
}

void gpc_dump_rules(struct gpc_dump *dump)
{
	struct gpc_emitter *e = &dump->emitter;

	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_RULE); i++) {
		const struct gpc_rule *rule = gpc_dump_record(dump, GPC_SEC_RULE, i);
		bool rules = rule->flags & GPC_RULE_BUILTIN && rule->action == GPC_ACTION_PASS;

		gpc_dump_begin(dump, "rule", i);
		put_owner(dump, rule);
		gpc_dump_name(dump, "name", rule->name);
		gpc_emit_hex(e, "id", rule->id);
		gpc_emit_string(e, "action", rules ? "rules" : gpc_action_name(rule->action));
		if (rule->mark)
			gpc_emit_number(e, "mark", rule->mark);
		else
			gpc_emit_none(e, "mark");
		put_log(dump, rule);
		put_rate(dump, rule);
		put_end(dump, rule);
		gpc_dump_place(dump, rule->id);
		gpc_emit_end(e);
	}
}
