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

/* ---- what counted ---- */

/* Counters as they were last looked at; and those that the last program moved. */
struct gpc_sim_seen {
	struct gpc_counter *counters;	/* by slot: reasons, listeners, endpoints */
	struct gpc_rule_counter *rules;
	struct gpc_sim_slot *slots;	/* to look at */
	size_t slot_count;
	struct gpc_sim_moved *moved;	/* by map, then index */
	size_t moved_count;
};

struct gpc_sim_moved {
	struct gpc_sim_slot slot;
	bool would, exceeded;		/* RULES: what it counted so */
	bool packets;
};

static uint32_t object_count(const struct gpc_image *image)
{
	return image->plane->section[GPC_SEC_LISTENER].count +
	       image->plane->section[GPC_SEC_ENDPOINT].count;
}

static uint32_t counter_count(const struct gpc_image *image)
{
	return GPC_COUNTER_FIRST_OBJECT + object_count(image);
}

static uint32_t rule_count(const struct gpc_image *image)
{
	return image->plane->section[GPC_SEC_RULE].count;
}

static struct gpc_sim_seen *make_seen(const struct gpc_image *image)
{
	size_t slots = (size_t)counter_count(image) + rule_count(image);
	struct gpc_sim_seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return NULL;
	seen->counters = calloc(counter_count(image), sizeof(*seen->counters));
	seen->rules = calloc(rule_count(image) + 1ul, sizeof(*seen->rules));
	seen->slots = calloc(slots, sizeof(*seen->slots));
	seen->moved = calloc(slots, sizeof(*seen->moved));
	return seen;
}

static void free_seen(struct gpc_sim_seen *seen)
{
	if (!seen)
		return;
	free(seen->counters);
	free(seen->rules);
	free(seen->slots);
	free(seen->moved);
	free(seen);
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

/* First record of RULE that is a policy's. */
static uint32_t first_policy_rule(const struct gpc_image *image)
{
	uint32_t first = GPC_BUILTIN_COUNT + image->plane->protects;

	return first < rule_count(image) ? first : rule_count(image);
}

static void want(struct gpc_sim_seen *seen, enum gpc_sim_map_id map, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		seen->slots[seen->slot_count++] = (struct gpc_sim_slot){map, i};
}

/* All that a packet of the chain can move. A policy may stand in it once. */
static void want_all(struct gpc_sim *sim, const struct gpc_chain *chain)
{
	struct gpc_sim_seen *seen = sim->seen;
	uint32_t count;
	const struct gpc_policy *policies =
		gpc_image_section(sim->image, GPC_SEC_POLICY, &count);

	want(seen, GPC_SIM_COUNTERS, 0, counter_count(sim->image));
	want(seen, GPC_SIM_RULES, 0, first_policy_rule(sim->image));
	for (uint32_t i = 0; chain && i < chain->policies; i++) {
		const struct gpc_policy *policy = &policies[chain->policy[i]];

		want(seen, GPC_SIM_RULES, policy->first_rule, policy->first_rule + policy->rules + 1);
	}
}

/* Those that the engine names, as far as they are of objects that anybody asks about. */
static void want_touched(struct gpc_sim *sim)
{
	size_t count;
	const struct gpc_sim_slot *touched = sim->engine->touched(sim, &count);

	for (size_t i = 0; i < count; i++)
		if (touched[i].index < (touched[i].map == GPC_SIM_COUNTERS ? counter_count(sim->image)
									  : rule_count(sim->image)))
			want(sim->seen, touched[i].map, touched[i].index, touched[i].index + 1);
}

static int look_at_counter(struct gpc_sim *sim, uint32_t slot, struct gpc_sim_moved *ret,
			   struct gpc_failure *failure)
{
	struct gpc_counter is, *was = &sim->seen->counters[slot];

	if (sim->engine->counter(sim, slot, &is, failure))
		return -1;
	ret->packets = is.packets != was->packets;
	*was = is;
	return 0;
}

static int look_at_rule(struct gpc_sim *sim, uint32_t slot, struct gpc_sim_moved *ret,
			struct gpc_failure *failure)
{
	struct gpc_rule_counter is, *was = &sim->seen->rules[slot];

	if (sim->engine->rule(sim, slot, &is, failure))
		return -1;
	ret->packets = is.packets != was->packets;
	ret->would = is.would_deny != was->would_deny;
	ret->exceeded = is.exceeded != was->exceeded;
	*was = is;
	return 0;
}

static int by_slot(const void *a, const void *b)
{
	const struct gpc_sim_slot *x = &((const struct gpc_sim_moved *)a)->slot;
	const struct gpc_sim_slot *y = &((const struct gpc_sim_moved *)b)->slot;

	return x->map != y->map ? (x->map > y->map) - (x->map < y->map)
				: (x->index > y->index) - (x->index < y->index);
}

/* What moved since the last look. */
static int look(struct gpc_sim *sim, const struct gpc_chain *chain, struct gpc_failure *failure)
{
	struct gpc_sim_seen *seen = sim->seen;

	seen->slot_count = seen->moved_count = 0;
	if (sim->engine->touched)
		want_touched(sim);
	else
		want_all(sim, chain);
	for (size_t i = 0; i < seen->slot_count; i++) {
		struct gpc_sim_moved moved = {.slot = seen->slots[i]};

		if (moved.slot.map == GPC_SIM_COUNTERS
			    ? look_at_counter(sim, moved.slot.index, &moved, failure)
			    : look_at_rule(sim, moved.slot.index, &moved, failure))
			return -1;
		if (moved.packets || moved.would || moved.exceeded)
			seen->moved[seen->moved_count++] = moved;
	}
	qsort(seen->moved, seen->moved_count, sizeof(*seen->moved), by_slot);
	return 0;
}

/* ---- what it means ---- */

/* Which decided, of those whose counters moved; log and mark only act. */
static void judge_rule(const struct gpc_sim *sim, const struct gpc_sim_moved *moved,
		       const struct gpc_policy *policy, struct gpc_sim_outcome *ret)
{
	uint32_t count, index = moved->slot.index;
	const struct gpc_rule *rules = gpc_image_section(sim->image, GPC_SEC_RULE, &count);
	const struct gpc_rule *rule = &rules[index];
	enum gpc_action action = moved->exceeded ? rule->exceed : rule->action;

	if (moved->would && ret->would == GPC_NONE) {
		ret->would = index;
		ret->would_action = action;
	}
	if (!moved->packets || (policy && policy->mode == GPC_POLICY_AUDIT) || ret->rule != GPC_NONE)
		return;
	if (action == GPC_ACTION_ALLOW || action == GPC_ACTION_DENY || action == GPC_ACTION_REJECT)
		ret->rule = index;
	if (action == GPC_ACTION_REJECT && ret->verdict == GPC_VERDICT_DROP)
		ret->verdict = GPC_VERDICT_REJECT;
}

static void judge_range(const struct gpc_sim *sim, uint32_t first, uint32_t end,
			const struct gpc_policy *policy, struct gpc_sim_outcome *ret)
{
	for (size_t i = 0; i < sim->seen->moved_count; i++) {
		const struct gpc_sim_moved *moved = &sim->seen->moved[i];

		if (moved->slot.map == GPC_SIM_RULES && moved->slot.index >= first &&
		    moved->slot.index < end)
			judge_rule(sim, moved, policy, ret);
	}
}

static void judge_rules(const struct gpc_sim *sim, const struct gpc_chain *chain,
			struct gpc_sim_outcome *ret)
{
	uint32_t count;
	const struct gpc_policy *policies =
		gpc_image_section(sim->image, GPC_SEC_POLICY, &count);

	judge_range(sim, 0, first_policy_rule(sim->image), NULL, ret);
	for (uint32_t k = 0; chain && k < chain->policies; k++) {
		const struct gpc_policy *policy = &policies[chain->policy[k]];

		judge_range(sim, policy->first_rule, policy->first_rule + policy->rules + 1, policy,
			    ret);
	}
}

static void judge_counters(const struct gpc_sim *sim, enum gpc_hook hook, struct gpc_sim_outcome *ret)
{
	uint32_t listeners = sim->image->plane->section[GPC_SEC_LISTENER].count;

	for (size_t i = 0; i < sim->seen->moved_count; i++) {
		const struct gpc_sim_slot *slot = &sim->seen->moved[i].slot;
		uint32_t object = slot->index - GPC_COUNTER_FIRST_OBJECT;

		if (slot->map != GPC_SIM_COUNTERS)
			continue;
		if (slot->index >= GPC_COUNTER_FIRST_OBJECT && object < listeners)
			ret->listener = object;
		else if (slot->index >= GPC_COUNTER_FIRST_OBJECT)
			ret->endpoint = object - listeners;
		else if (slot->index / GPC_REASON_MAX == hook)
			ret->reason = (enum gpc_reason)(slot->index % GPC_REASON_MAX);
	}
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
	if (look(sim, chain, failure) || sim->engine->pass(sim, pass, failure) ||
	    look(sim, chain, failure))
		return -1;
	judge_counters(sim, hook_of(pass->program), ret);
	ret->verdict = verdict_of(pass, ret->reason);
	judge_rules(sim, chain, ret);
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

/* ---- opening ---- */

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
	sim->seen = make_seen(image);
	sim->device_count = count;
	for (size_t i = 0; i < count; i++)
		sim->devices[i] = (struct gpc_sim_device){
			.ifindex = (uint32_t)i + 1,
			.interface = gpc_device_interface(image, names[i]),
		};
	if (!sim->seen || !sim->seen->counters || !sim->seen->rules || !sim->seen->slots ||
	    !sim->seen->moved) {
		gpc_sim_close(sim);
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "no memory for counters");
	}
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
	free_seen(sim->seen);
	free(sim->devices);
	free(sim);
}

int gpc_sim_reset(struct gpc_sim *sim, struct gpc_failure *failure)
{
	return sim->engine->reset(sim, failure);
}
