/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../classify/verify.h"
#include "../model/id.h"
#include "../model/model.h"
#include "gpc/lookup/epoch.h"
#include "reader.h"

#define RATE_FLAGS (GPC_RULE_RATE | GPC_RULE_RATE_SOURCE | GPC_RULE_RATE_BYTES)
#define CHAIN_FLAGS (GPC_CHAIN_STATEFUL | GPC_CHAIN_KEEP | GPC_CHAIN_MID_STREAM_ALLOW)

static const char *name_of(const struct gpc_reader *reader, uint32_t name)
{
	return reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset + name;
}

/* ---- rules ---- */

/* All that a built-in, a `protect` item or a default has besides. */
static bool is_bare(const struct gpc_rule *rule, enum gpc_action action, uint16_t flags)
{
	struct gpc_rule bare = {.id = rule->id,
				.name = rule->name,
				.policy = rule->policy,
				.action = (uint8_t)action,
				.flags = flags};

	return !memcmp(rule, &bare, sizeof(bare));
}

static bool check_builtins(const struct gpc_reader *reader, const struct gpc_rule *rules)
{
	static const enum gpc_action actions[] = {
		[GPC_BUILTIN_ALLOW] = GPC_ACTION_ALLOW,
		[GPC_BUILTIN_DENY] = GPC_ACTION_DENY,
		[GPC_BUILTIN_RULES] = GPC_ACTION_PASS,
	};

	for (int i = 0; i < GPC_BUILTIN_COUNT; i++) {
		const char *name = name_of(reader, rules[i].name);
		uint8_t builtin = reader->plane->builtin[i];

		if (builtin > (i == GPC_BUILTIN_ARP ? GPC_BUILTIN_DENY : GPC_BUILTIN_RULES) ||
		    strcmp(name, gpc_builtin_names[i]) != 0 || rules[i].policy != GPC_NONE ||
		    rules[i].id != gpc_stable_id(GPC_KIND_BUILTIN, NULL, name) ||
		    !is_bare(&rules[i], actions[builtin], GPC_RULE_BUILTIN))
			return gpc_reader_refuse(reader, GPC_E0509,
						 "rule of built-in `%s` is malformed",
						 gpc_builtin_names[i]);
	}
	return true;
}

static bool check_protects(const struct gpc_reader *reader, const struct gpc_rule *rules)
{
	for (uint32_t i = 0; i < reader->plane->protects; i++) {
		const char *name = name_of(reader, rules[i].name);

		if (rules[i].policy != GPC_NONE ||
		    rules[i].id != gpc_stable_id(GPC_KIND_PROTECT, NULL, name) ||
		    !is_bare(&rules[i], GPC_ACTION_ALLOW, GPC_RULE_PROTECT) ||
		    (i && strcmp(name_of(reader, rules[i - 1].name), name) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509,
						 "rule of `protect` item %u is malformed", i);
	}
	return true;
}

static bool rate_is_sound(const struct gpc_rule *rule)
{
	uint32_t entries = rule->rate_entries;

	if (!(rule->flags & GPC_RULE_RATE))
		return !rule->flags && !rule->exceed && !rule->rate_cost && !rule->rate_burst &&
		       !entries;
	return rule->exceed >= GPC_ACTION_ALLOW && rule->exceed <= GPC_ACTION_REJECT &&
	       rule->rate_cost && rule->rate_burst && entries && !(entries & (entries - 1)) &&
	       entries <= GPC_MAX_RATE_ENTRIES &&
	       (entries == 1 || rule->flags & GPC_RULE_RATE_SOURCE);
}

static bool rule_is_sound(const struct gpc_rule *rule)
{
	bool marks = rule->action == GPC_ACTION_MARK;

	return rule->action >= GPC_ACTION_ALLOW && rule->action <= GPC_ACTION_MARK &&
	       !(rule->flags & ~RATE_FLAGS) && rate_is_sound(rule) && !rule->pad0 &&
	       (rule->mark ? marks || rule->action == GPC_ACTION_ALLOW : !marks) &&
	       (rule->action != GPC_ACTION_LOG || rule->log_sample) &&
	       (rule->log_sample || !rule->log_rate);
}

/* The policy's rules and its default, whose names are those of its ids. */
static bool check_rules_of(const struct gpc_reader *reader, const struct gpc_policy *policy,
			   const struct gpc_rule *rules, uint32_t index)
{
	const char *owner = name_of(reader, policy->name);

	for (uint32_t i = 0; i <= policy->rules; i++) {
		const char *name = name_of(reader, rules[i].name);
		bool is_default = i == policy->rules;

		if (rules[i].policy != index ||
		    rules[i].id != gpc_stable_id(GPC_KIND_POLICY_RULE, owner, name) ||
		    is_default != !strcmp(name, GPC_NAME_DEFAULT) ||
		    !(is_default ? is_bare(&rules[i], policy->fallback, GPC_RULE_DEFAULT)
				 : rule_is_sound(&rules[i])))
			return gpc_reader_refuse(reader, GPC_E0509,
						 "rule %u of policy %u is malformed", i, index);
	}
	return true;
}

/* ---- policies ---- */

/* Classifiers stand in the order in which they are referred to: each reference is the next one. */
struct classifiers {
	uint32_t next, count;
};

static bool take(struct classifiers *classifiers, uint32_t classifier)
{
	if (classifier == GPC_NONE)
		return true;
	return classifier == classifiers->next && classifiers->next++ < classifiers->count;
}

static bool policy_is_sound(const struct gpc_reader *reader, const struct gpc_policy *policy,
			    uint32_t first_rule, struct classifiers *classifiers)
{
	uint32_t rules = reader->plane->section[GPC_SEC_RULE].count;

	return policy->id ==
		       gpc_stable_id(GPC_KIND_POLICY, NULL, name_of(reader, policy->name)) &&
	       policy->first_rule == first_rule && first_rule < rules &&
	       policy->rules < rules - first_rule && take(classifiers, policy->decide) &&
	       take(classifiers, policy->log) && take(classifiers, policy->mark) &&
	       policy->mode <= GPC_POLICY_AUDIT && policy->fallback <= GPC_ACTION_REJECT &&
	       gpc_all_zero(policy->pad0, sizeof(policy->pad0));
}

static bool check_policies(const struct gpc_reader *reader, const struct gpc_rule *rules,
			   uint32_t rule_count, struct classifiers *classifiers)
{
	uint32_t count, next = GPC_BUILTIN_COUNT + reader->plane->protects;
	const struct gpc_policy *policies = gpc_reader_section(reader, GPC_SEC_POLICY, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (!policy_is_sound(reader, &policies[i], next, classifiers) ||
		    (i && strcmp(name_of(reader, policies[i - 1].name),
				 name_of(reader, policies[i].name)) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509, "policy %u is malformed", i);
		if (!check_rules_of(reader, &policies[i], rules + next, i))
			return false;
		next += policies[i].rules + 1;
	}
	if (next != rule_count)
		return gpc_reader_refuse(reader, GPC_E0509, "rules that no policy has");
	return true;
}

/* ---- chains ---- */

static bool chain_is_sound(const struct gpc_reader *reader, const struct gpc_chain *chain)
{
	uint32_t policies = reader->plane->section[GPC_SEC_POLICY].count;

	if (!chain->stamp || !chain->tag || chain->direction > GPC_EGRESS || chain->pad0 ||
	    chain->interface >= reader->plane->section[GPC_SEC_INTERFACE].count ||
	    chain->flags & ~CHAIN_FLAGS ||
	    (chain->flags && !(chain->flags & GPC_CHAIN_STATEFUL)) ||
	    chain->policies > GPC_MAX_CHAIN_POLICIES ||
	    chain->protect_base != (chain->protect == GPC_NONE ? 0 : GPC_BUILTIN_COUNT) ||
	    !gpc_all_zero(chain->pad1, sizeof(chain->pad1)))
		return false;
	for (uint32_t i = 0; i < GPC_MAX_CHAIN_POLICIES; i++)
		if (i < chain->policies ? chain->policy[i] >= policies : chain->policy[i] != 0)
			return false;
	return true;
}

/* Does this chain stand in its order, with a tag that is its interface's alone? */
static bool fits_earlier(const struct gpc_chain *chains, uint32_t index)
{
	const struct gpc_chain *chain = &chains[index];

	for (uint32_t i = 0; i < index; i++)
		if ((chains[i].tag == chain->tag) != (chains[i].interface == chain->interface))
			return false;
	return !index || chain[-1].interface < chain->interface ||
	       (chain[-1].interface == chain->interface && chain[-1].direction < chain->direction);
}

/* A classifier of `protect`: that of an earlier chain of its direction, or the next one. */
static bool take_protect(const struct gpc_chain *chains, uint32_t index,
			 struct classifiers *classifiers)
{
	for (uint32_t i = 0; i < index; i++)
		if (chains[i].protect == chains[index].protect)
			return chains[i].direction == chains[index].direction ||
			       chains[i].protect == GPC_NONE;
	return take(classifiers, chains[index].protect);
}

static bool check_chains(const struct gpc_reader *reader, struct classifiers *classifiers)
{
	bool stateful = false;
	uint32_t count, policy_count;
	const struct gpc_chain *chains = gpc_reader_section(reader, GPC_SEC_CHAIN, &count);
	const struct gpc_policy *policies =
		gpc_reader_section(reader, GPC_SEC_POLICY, &policy_count);

	for (uint32_t i = 0; i < count; i++) {
		if (!chain_is_sound(reader, &chains[i]) || !fits_earlier(chains, i) ||
		    !take_protect(chains, i, classifiers))
			return gpc_reader_refuse(reader, GPC_E0509, "chain %u is malformed", i);
		stateful |= chains[i].flags & GPC_CHAIN_STATEFUL;
	}
	if (stateful != ((reader->plane->flags & GPC_PLANE_STATEFUL) != 0))
		return gpc_reader_refuse(reader, GPC_E0509, "plane and chains differ in `stateful`");
	if (reader->plane->epoch != gpc_policies_epoch(chains, count, policies))
		return gpc_reader_refuse(reader, GPC_E0509, "epoch is not that of the chains");
	if (classifiers->next != classifiers->count)
		return gpc_reader_refuse(reader, GPC_E0509, "classifiers that nobody asks");
	return true;
}

/* ---- classifiers ---- */

/* By classifier: the positions that it may name are below. */
static uint32_t *list_positions(const struct gpc_reader *reader, struct gpc_arena *arena,
				uint32_t count)
{
	uint32_t *positions = GPC_NEW_ARRAY(arena, uint32_t, count), policy_count;
	const struct gpc_policy *policies =
		gpc_reader_section(reader, GPC_SEC_POLICY, &policy_count);

	for (uint32_t i = 0; i < count; i++)
		positions[i] = reader->plane->protects;
	for (uint32_t i = 0; i < policy_count; i++) {
		const uint32_t asked[] = {policies[i].decide, policies[i].log, policies[i].mark};

		for (size_t k = 0; k < sizeof(asked) / sizeof(asked[0]); k++)
			if (asked[k] != GPC_NONE)
				positions[asked[k]] = policies[i].rules;
	}
	return positions;
}

static bool check_paddings(const struct gpc_reader *reader)
{
	uint32_t count, words;
	const struct gpc_classifier *classifiers =
		gpc_reader_section(reader, GPC_SEC_CLASSIFIER, &count);

	gpc_reader_section(reader, GPC_SEC_WORDS, &words);
	for (uint32_t i = 0; i < count; i++)
		if (!gpc_all_zero(classifiers[i].pad0, sizeof(classifiers[i].pad0)))
			return gpc_reader_refuse(reader, GPC_E0509,
						 "padding of classifier %u is not zero", i);
	if (!count && (words || !gpc_all_zero(&reader->plane->tries, sizeof(struct gpc_tries))))
		return gpc_reader_refuse(reader, GPC_E0509,
					 "classes of addresses that no classifier asks for");
	return true;
}

/* What classifiers and tries hold in WORDS; all references to classifiers have been checked. */
static bool check_classifiers(const struct gpc_reader *reader)
{
	struct gpc_arena scratch = {0};
	struct gpc_classified_view view = {.tries = &reader->plane->tries};
	uint32_t count, word_count;
	const char *wrong;
	size_t at;

	view.classifiers = gpc_reader_section(reader, GPC_SEC_CLASSIFIER, &count);
	view.classifier_count = count;
	view.words = gpc_reader_section(reader, GPC_SEC_WORDS, &word_count);
	view.word_count = word_count;
	view.positions = list_positions(reader, &scratch, count);
	wrong = gpc_classified_check(&scratch, &view, &at);
	if (wrong && at == SIZE_MAX)
		gpc_reader_refuse(reader, GPC_E0509, "classes of addresses are malformed: %s", wrong);
	else if (wrong)
		gpc_reader_refuse(reader, GPC_E0509, "classifier %zu is malformed: %s", at, wrong);
	gpc_arena_release(&scratch);
	return !wrong;
}

bool gpc_reader_policies(const struct gpc_reader *reader)
{
	const struct gpc_plane *plane = reader->plane;
	struct classifiers classifiers = {.count = plane->section[GPC_SEC_CLASSIFIER].count};
	uint32_t count;
	const struct gpc_rule *rules = gpc_reader_section(reader, GPC_SEC_RULE, &count);

	if (plane->protects > GPC_MAX_PROTECT || count < GPC_BUILTIN_COUNT + plane->protects)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "there are no rules for built-ins and `protect` items");
	return check_builtins(reader, rules) &&
	       check_protects(reader, rules + GPC_BUILTIN_COUNT) &&
	       check_policies(reader, rules, count, &classifiers) &&
	       check_chains(reader, &classifiers) && check_paddings(reader) &&
	       check_classifiers(reader);
}
