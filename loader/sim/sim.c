// SPDX-License-Identifier: MIT
#include "sim.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../link/device.h"
#include "../link/link.h"
#include "../link/rules.h"
#include "engine.h"

int gpc_sim_open(enum gpc_sim_kind kind, const struct gpc_image *image, const char *const *names,
		 size_t count, struct gpc_sim **ret, struct gpc_failure *failure)
{
	struct gpc_sim *sim = calloc(1, sizeof(*sim));

	if (!sim || !(sim->devices = calloc(count + 1, sizeof(*sim->devices)))) {
		free(sim);
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for the tests");
	}
	sim->engine = kind == GPC_SIM_KERNEL ? &gpc_sim_kernel : &gpc_sim_user;
	sim->image = image;
	sim->device_count = count;
	for (size_t i = 0; i < count; i++)
		sim->devices[i] = (struct gpc_sim_device){
			.ifindex = (uint32_t)i + 1,
			.interface = gpc_device_interface(image, names[i]),
		};
	if (sim->engine->open(sim, failure)) {
		gpc_sim_close(sim);
		return -1;
	}
	*ret = sim;
	return gpc_sim_reset(sim, failure);
}

void gpc_sim_close(struct gpc_sim *sim)
{
	sim->engine->close(sim);
	free(sim->devices);
	free(sim);
}

int gpc_sim_reset(struct gpc_sim *sim, struct gpc_failure *failure)
{
	return sim->engine->reset(sim, failure);
}

/* ---- what counted ---- */

/* Counters that a packet can move: reasons of both hooks, objects, rules of its chain. */
struct counts {
	struct gpc_counter reasons[GPC_HOOK_ID_COUNT][GPC_REASON_COUNT];
	struct gpc_counter *objects;	/* listeners, then endpoints */
	struct gpc_rule_counter *rules;	/* all; only those of the chain are read */
};

static void release_counts(struct counts *counts)
{
	free(counts->objects);
	free(counts->rules);
}

static uint32_t object_count(const struct gpc_image *image)
{
	return image->plane->section[GPC_SEC_LISTENER].count +
	       image->plane->section[GPC_SEC_ENDPOINT].count;
}

/* The chain that a device's packets meet, NULL: none. */
static const struct gpc_chain *chain_of(const struct gpc_sim *sim, const struct gpc_sim_send *send)
{
	uint16_t index =
		gpc_link_chain(sim->image, sim->devices[send->device].interface, send->direction);
	uint32_t count;
	const struct gpc_chain *chains = gpc_image_section(sim->image, GPC_SEC_CHAIN, &count);

	return index < count ? &chains[index] : NULL;
}

static int read_range(struct gpc_sim *sim, uint32_t first, uint32_t end,
		      struct gpc_rule_counter *rules, struct gpc_failure *failure)
{
	for (uint32_t i = first; i < end; i++)
		if (sim->engine->rule(sim, i, &rules[i], failure))
			return -1;
	return 0;
}

/* First record of RULE that is a policy's. */
static uint32_t first_policy_rule(const struct gpc_image *image)
{
	return GPC_BUILTIN_COUNT + image->plane->protects;
}

static int read_rules(struct gpc_sim *sim, const struct gpc_chain *chain,
		      struct gpc_rule_counter *rules, struct gpc_failure *failure)
{
	uint32_t count, all = sim->image->plane->section[GPC_SEC_RULE].count;
	const struct gpc_policy *policies =
		gpc_image_section(sim->image, GPC_SEC_POLICY, &count);
	uint32_t first = first_policy_rule(sim->image);

	if (read_range(sim, 0, first < all ? first : all, rules, failure))
		return -1;
	for (uint32_t i = 0; chain && i < chain->policies; i++) {
		const struct gpc_policy *policy = &policies[chain->policy[i]];

		if (read_range(sim, policy->first_rule, policy->first_rule + policy->rules + 1,
			       rules, failure))
			return -1;
	}
	return 0;
}

static int read_counts(struct gpc_sim *sim, const struct gpc_chain *chain, struct counts *ret,
		       struct gpc_failure *failure)
{
	uint32_t objects = object_count(sim->image), i;

	ret->objects = calloc(objects + 1, sizeof(*ret->objects));
	ret->rules = calloc(sim->image->plane->section[GPC_SEC_RULE].count + 1,
			    sizeof(*ret->rules));
	if (!ret->objects || !ret->rules)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for counters");
	for (i = 0; i < GPC_HOOK_ID_COUNT * GPC_REASON_COUNT; i++) {
		uint32_t hook = i / GPC_REASON_COUNT, reason = i % GPC_REASON_COUNT;

		if (sim->engine->counter(sim, hook * GPC_REASON_MAX + reason,
					 &ret->reasons[hook][reason], failure))
			return -1;
	}
	for (i = 0; i < objects; i++)
		if (sim->engine->counter(sim, GPC_COUNTER_FIRST_OBJECT + i, &ret->objects[i],
					 failure))
			return -1;
	return read_rules(sim, chain, ret->rules, failure);
}

/* ---- what it means ---- */

/* Which decided, of those whose counters moved; log and mark only act. */
static void judge_rule(const struct gpc_sim *sim, uint32_t index, const struct gpc_policy *policy,
		       const struct counts *before, const struct counts *after,
		       struct gpc_sim_outcome *ret)
{
	const struct gpc_rule_counter *was = &before->rules[index], *is = &after->rules[index];
	uint32_t count;
	const struct gpc_rule *rules = gpc_image_section(sim->image, GPC_SEC_RULE, &count);
	const struct gpc_rule *rule = &rules[index];
	bool exceeded = is->exceeded != was->exceeded;
	enum gpc_action action = exceeded ? rule->exceed : rule->action;

	if (is->would_deny != was->would_deny && ret->would == GPC_NONE) {
		ret->would = index;
		ret->would_action = action;
	}
	if (is->packets == was->packets || (policy && policy->mode == GPC_POLICY_AUDIT) ||
	    ret->rule != GPC_NONE)
		return;
	if (action == GPC_ACTION_ALLOW || action == GPC_ACTION_DENY || action == GPC_ACTION_REJECT)
		ret->rule = index;
	if (action == GPC_ACTION_REJECT && ret->verdict == GPC_VERDICT_DROP)
		ret->verdict = GPC_VERDICT_REJECT;
}

static void judge_rules(const struct gpc_sim *sim, const struct gpc_chain *chain,
			const struct counts *before, const struct counts *after,
			struct gpc_sim_outcome *ret)
{
	uint32_t count, all = sim->image->plane->section[GPC_SEC_RULE].count;
	const struct gpc_policy *policies =
		gpc_image_section(sim->image, GPC_SEC_POLICY, &count);

	for (uint32_t i = 0; i < first_policy_rule(sim->image) && i < all; i++)
		judge_rule(sim, i, NULL, before, after, ret);
	for (uint32_t k = 0; chain && k < chain->policies; k++) {
		const struct gpc_policy *policy = &policies[chain->policy[k]];

		for (uint32_t i = 0; i <= policy->rules; i++)
			judge_rule(sim, policy->first_rule + i, policy, before, after, ret);
	}
}

static void judge_objects(const struct gpc_sim *sim, const struct counts *before,
			  const struct counts *after, struct gpc_sim_outcome *ret)
{
	uint32_t listeners = sim->image->plane->section[GPC_SEC_LISTENER].count;

	for (uint32_t i = 0; i < object_count(sim->image); i++) {
		if (after->objects[i].packets == before->objects[i].packets)
			continue;
		if (i < listeners)
			ret->listener = i;
		else
			ret->endpoint = i - listeners;
	}
}

static void judge_reason(const struct counts *before, const struct counts *after, enum gpc_hook hook,
			 struct gpc_sim_outcome *ret)
{
	for (int r = 0; r < GPC_REASON_COUNT; r++)
		if (after->reasons[hook][r].packets != before->reasons[hook][r].packets)
			ret->reason = (enum gpc_reason)r;
}

/* ---- sending ---- */

static enum gpc_hook hook_of(enum gpc_sim_program program)
{
	static const enum gpc_hook hooks[] = {
		[GPC_SIM_XDP] = GPC_HOOK_ID_XDP,
		[GPC_SIM_DECAP] = GPC_HOOK_ID_DECAP,
		[GPC_SIM_TC_INGRESS] = GPC_HOOK_ID_TC_INGRESS,
		[GPC_SIM_TC_EGRESS] = GPC_HOOK_ID_TC_EGRESS,
	};

	return hooks[program];
}

/* The programs that see the packet, in order. */
static size_t programs_of(const struct gpc_sim *sim, const struct gpc_sim_send *send,
			  enum gpc_sim_program ret[2])
{
	uint16_t index = sim->devices[send->device].interface;
	const struct gpc_interface *interface;
	uint32_t count;
	size_t n = 0;

	if (index == GPC_NONE16)
		return 0;
	interface = (const struct gpc_interface *)gpc_image_section(sim->image, GPC_SEC_INTERFACE,
								    &count) +
		    index;
	if (send->direction == GPC_EGRESS) {
		if (interface->hooks & GPC_HOOK_TC_EGRESS)
			ret[n++] = GPC_SIM_TC_EGRESS;
		return n;
	}
	if (interface->hooks & GPC_HOOK_XDP)
		ret[n++] = interface->role == GPC_ROLE_DECAP ? GPC_SIM_DECAP : GPC_SIM_XDP;
	if (interface->hooks & GPC_HOOK_TC_INGRESS)
		ret[n++] = GPC_SIM_TC_INGRESS;
	return n;
}

/* Why gpc answers, if not because rules reject. */
static bool is_answer(enum gpc_reason reason)
{
	return reason == GPC_REASON_TOO_BIG || reason == GPC_REASON_PING ||
	       reason == GPC_REASON_TTL || reason == GPC_REASON_SYN_COOKIE;
}

/* Did the packet itself leave, to an endpoint or back to a client? */
static bool is_forwarded(enum gpc_reason reason)
{
	return reason == GPC_REASON_FORWARDED || reason == GPC_REASON_TRANSLATED;
}

/* `forward` where the frame leaves for an endpoint or client, `reject` or `answer` where it is gpc's own. */
static enum gpc_verdict verdict_of(const struct gpc_sim_pass *pass, enum gpc_reason reason)
{
	bool sent, dropped;

	if (pass->program == GPC_SIM_XDP || pass->program == GPC_SIM_DECAP) {
		sent = pass->action == XDP_TX || pass->action == XDP_REDIRECT;
		dropped = pass->action == XDP_DROP || pass->action == XDP_ABORTED;
	} else {
		sent = pass->action == TC_ACT_REDIRECT;
		dropped = pass->action == TC_ACT_SHOT;
	}
	if (sent && is_answer(reason))
		return GPC_VERDICT_ANSWER;
	if (sent)
		return is_forwarded(reason) ? GPC_VERDICT_FORWARD : GPC_VERDICT_REJECT;
	return dropped ? GPC_VERDICT_DROP : GPC_VERDICT_PASS;
}

static int run_program(struct gpc_sim *sim, const struct gpc_chain *chain,
		       struct gpc_sim_pass *pass, struct gpc_sim_outcome *ret,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(release_counts) struct counts before = {0};
	GPC_CLEANUP(release_counts) struct counts after = {0};

	if (read_counts(sim, chain, &before, failure) ||
	    sim->engine->pass(sim, pass, failure) || read_counts(sim, chain, &after, failure))
		return -1;
	judge_reason(&before, &after, hook_of(pass->program), ret);
	ret->verdict = verdict_of(pass, ret->reason);
	judge_rules(sim, chain, &before, &after, ret);
	judge_objects(sim, &before, &after, ret);
	ret->mark = pass->mark;
	ret->out = pass->out;
	ret->out_size = pass->out_size;
	return 0;
}

/* All but the last of those that are repeated: nobody looks at what becomes of them. */
static int send_unseen(struct gpc_sim *sim, const struct gpc_sim_send *send,
		       const enum gpc_sim_program programs[], size_t count,
		       struct gpc_failure *failure)
{
	for (uint64_t times = 1; times < send->repeat; times++) {
		struct gpc_sim_pass pass = {
			.device = send->device, .in = send->frame, .in_size = send->size};

		for (size_t i = 0; i < count; i++) {
			pass.program = programs[i];
			if (sim->engine->pass(sim, &pass, failure))
				return -1;
			if (verdict_of(&pass, GPC_REASON_COUNT) != GPC_VERDICT_PASS)
				break;
		}
	}
	return 0;
}

int gpc_sim_send(struct gpc_sim *sim, const struct gpc_sim_send *send, struct gpc_sim_outcome *ret,
		 struct gpc_failure *failure)
{
	struct gpc_sim_outcome outcome = {.reason = GPC_REASON_COUNT,
					  .rule = GPC_NONE,
					  .would = GPC_NONE,
					  .listener = GPC_NONE,
					  .endpoint = GPC_NONE,
					  .out = send->frame,
					  .out_size = send->size};
	struct gpc_sim_pass pass = {
		.device = send->device, .in = send->frame, .in_size = send->size};
	enum gpc_sim_program programs[2];
	size_t count = programs_of(sim, send, programs);

	if (send_unseen(sim, send, programs, count, failure))
		return -1;
	for (size_t i = 0; i < count && outcome.verdict == GPC_VERDICT_PASS; i++) {
		enum gpc_reason reason = outcome.reason;

		pass.program = programs[i];
		if (run_program(sim, chain_of(sim, send), &pass, &outcome, failure))
			return -1;
		if (i && outcome.verdict == GPC_VERDICT_PASS)
			outcome.reason = reason; /* XDP decided */
	}
	*ret = outcome;
	return 0;
}
