/* SPDX-License-Identifier: MIT */
/* The reader trusts no record of a policy, whatever the digests say. */
#include "../../unit.h"
#include "gpc/lookup/chain.h"
#include "gpc/lookup/epoch.h"
#include "image_tools.h"

/* The code of the refusal, GPC_CODE_COUNT if there is none. */
static enum gpc_code refusal(const uint8_t *bytes, size_t size)
{
	enum gpc_code code = GPC_CODE_COUNT;
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;

	gpc_diags_init(&diags, &arena, false);
	if (gpc_image_open(&diags, "a.gpi", bytes, size, false, &image))
		gpc_image_release(&image);
	else
		code = diags.records.items[0].code;
	gpc_arena_release(&arena);
	return code;
}

static struct gpc_plane *plane_of(uint8_t *bytes)
{
	return (struct gpc_plane *)(bytes + sizeof(struct gpc_image_head));
}

/* An epoch that fits the chains as they are now, so that it hides nothing. */
static void fix_epoch(uint8_t *bytes)
{
	struct gpc_plane *plane = plane_of(bytes);
	const struct gpc_policy *policies = section_of(bytes, GPC_SEC_POLICY);
	struct gpc_chain *chains = section_of(bytes, GPC_SEC_CHAIN);

	for (uint32_t i = 0; i < plane->section[GPC_SEC_CHAIN].count; i++) {
		if (chains[i].policies > GPC_MAX_CHAIN_POLICIES)
			return;
		for (uint32_t k = 0; k < chains[i].policies; k++)
			if (chains[i].policy[k] >= plane->section[GPC_SEC_POLICY].count)
				return;
	}
	plane->epoch = gpc_policies_epoch(chains, plane->section[GPC_SEC_CHAIN].count, policies);
}

static void a_plane_with_policies_opens(void)
{
	size_t size;
	uint8_t *bytes = policed_image(&size);

	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_CODE_COUNT);
	free(bytes);
}

/* Rules: 5 built-ins, admin, mgmt, guard's 5 and default, watch's 2 and default. */
enum { ADMIN = 5, MGMT, SEEN, TAG, SSH, VIPS, LOW, GUARD_DEFAULT, WATCH_SSH };

#define DAMAGE(name, type, section, index, change)                                                 \
	static void name(uint8_t *bytes)                                                           \
	{                                                                                          \
		type *record = (type *)section_of(bytes, section) + (index);                       \
                                                                                                   \
		record->change;                                                                    \
	}
#define RULE(name, index, change) DAMAGE(name, struct gpc_rule, GPC_SEC_RULE, index, change)
#define POLICY(name, index, change) DAMAGE(name, struct gpc_policy, GPC_SEC_POLICY, index, change)
#define CHAIN(name, index, change) DAMAGE(name, struct gpc_chain, GPC_SEC_CHAIN, index, change)

RULE(builtin_id, 2, id++)
RULE(builtin_action, 2, action = GPC_ACTION_DENY)
RULE(builtin_of_policy, 2, policy = 0)
RULE(builtin_with_log, 2, log_sample = 1)
RULE(protect_id, ADMIN, id++)
RULE(protect_denies, ADMIN, action = GPC_ACTION_DENY)
RULE(protect_flags, MGMT, flags = 0)
RULE(protect_with_rate, MGMT, rate_entries = 1)
RULE(rule_id, SSH, id++)
RULE(rule_policy, SSH, policy = 1)
RULE(rule_action, SSH, action = 6)
RULE(rule_passes, LOW, action = GPC_ACTION_PASS)
RULE(rule_exceed, SSH, exceed = GPC_ACTION_PASS)
RULE(rule_exceed_logs, SSH, exceed = GPC_ACTION_LOG)
RULE(rule_exceed_without_rate, LOW, exceed = GPC_ACTION_DENY)
RULE(rule_flags, SSH, flags |= GPC_RULE_DEFAULT)
RULE(rule_unknown_flag, SSH, flags |= 1u << 15)
RULE(rule_entries, SSH, rate_entries = 63)
RULE(rule_no_entries, SSH, rate_entries = 0)
RULE(rule_many_entries, SSH, rate_entries = 2 * GPC_MAX_RATE_ENTRIES)
RULE(rule_entries_of_no_source, SSH, flags = GPC_RULE_RATE)
RULE(rule_no_cost, SSH, rate_cost = 0)
RULE(rule_no_burst, SSH, rate_burst = 0)
RULE(rule_cost_without_rate, LOW, rate_cost = 1)
RULE(rule_source_without_rate, LOW, flags = GPC_RULE_RATE_SOURCE)
RULE(mark_rule_without_mark, TAG, mark = 0)
RULE(reject_with_mark, LOW, mark = 3)
RULE(log_rule_without_log, SEEN, log_sample = 0)
RULE(log_rate_without_log, LOW, log_rate = 3)
RULE(rule_pad, SSH, pad0 = 1)
RULE(default_action, GUARD_DEFAULT, action = GPC_ACTION_ALLOW)
RULE(default_with_mark, GUARD_DEFAULT, mark = 1)
RULE(default_flags, GUARD_DEFAULT, flags = 0)

POLICY(policy_id, 0, id++)
POLICY(policy_first_rule, 1, first_rule++)
POLICY(policy_rules, 0, rules--)
POLICY(policy_many_rules, 1, rules = 0xfffffff0)
POLICY(policy_decide, 0, decide++)
POLICY(policy_log, 0, log = GPC_NONE)
POLICY(policy_mark, 0, mark = 0)
POLICY(policy_mode, 0, mode = 2)
POLICY(policy_fallback, 0, fallback = GPC_ACTION_LOG)
POLICY(policy_pad, 1, pad0[6] = 1)

CHAIN(chain_no_stamp, 0, stamp = 0)
CHAIN(chain_no_tag, 0, tag = 0)
CHAIN(chain_tag_of_another, 0, tag = record[2].tag)
CHAIN(chain_tag_of_its_own, 1, tag++)
CHAIN(chain_interface, 3, interface = 2)
CHAIN(chain_twice, 1, direction = GPC_INGRESS)
CHAIN(chain_direction, 3, direction = 2)
CHAIN(chain_flags, 0, flags |= 8)
CHAIN(chain_keep_without_state, 3, flags = GPC_CHAIN_KEEP)
CHAIN(chain_many_policies, 0, policies = GPC_MAX_CHAIN_POLICIES + 1)
CHAIN(chain_policy, 0, policy[0] = 2)
CHAIN(chain_policy_behind_the_last, 0, policy[1] = 1)
CHAIN(chain_protect, 0, protect++)
CHAIN(chain_protect_of_a_policy, 0, protect = 0)
CHAIN(chain_protect_base, 0, protect_base = 6)
CHAIN(chain_pad, 0, pad1[5] = 1)

static void plane_builtin(uint8_t *bytes)
{
	plane_of(bytes)->builtin[GPC_BUILTIN_ND] = 3;
}
static void plane_arp_by_rules(uint8_t *bytes)
{
	struct gpc_rule *rules = section_of(bytes, GPC_SEC_RULE);

	plane_of(bytes)->builtin[GPC_BUILTIN_ARP] = GPC_BUILTIN_RULES;
	rules[GPC_BUILTIN_ARP].action = GPC_ACTION_PASS;
}
static void plane_protects(uint8_t *bytes)
{
	plane_of(bytes)->protects++;
}
static void plane_many_protects(uint8_t *bytes)
{
	plane_of(bytes)->protects = 0xfffffffb;
}
static void plane_not_stateful(uint8_t *bytes)
{
	plane_of(bytes)->flags &= ~GPC_PLANE_STATEFUL;
}
static void classifier_pad(uint8_t *bytes)
{
	struct gpc_classifier *classifier = section_of(bytes, GPC_SEC_CLASSIFIER);

	((uint8_t *)(classifier + 1))[-1] = 1;
}

static void every_record_is_distrusted(void)
{
	static void (*const damages[])(uint8_t *) = {
		builtin_id, builtin_action, builtin_of_policy, builtin_with_log, protect_id,
		protect_denies, protect_flags, protect_with_rate, rule_id, rule_policy,
		rule_action, rule_passes, rule_exceed, rule_exceed_logs, rule_exceed_without_rate,
		rule_flags, rule_unknown_flag, rule_entries, rule_no_entries, rule_many_entries,
		rule_entries_of_no_source, rule_no_cost, rule_no_burst, rule_cost_without_rate,
		rule_source_without_rate, mark_rule_without_mark, reject_with_mark,
		log_rule_without_log, log_rate_without_log, rule_pad, default_action,
		default_with_mark, default_flags, policy_id, policy_first_rule, policy_rules,
		policy_many_rules, policy_decide, policy_log, policy_mark, policy_mode,
		policy_fallback, policy_pad, chain_no_stamp, chain_no_tag, chain_tag_of_another,
		chain_tag_of_its_own, chain_interface, chain_twice, chain_direction, chain_flags,
		chain_keep_without_state, chain_many_policies, chain_policy,
		chain_policy_behind_the_last, chain_protect, chain_protect_of_a_policy,
		chain_protect_base, chain_pad, plane_builtin, plane_arp_by_rules, plane_protects,
		plane_many_protects, plane_not_stateful, classifier_pad,
	};
	size_t size;
	uint8_t *bytes = policed_image(&size), *copy = malloc(size);

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		memcpy(copy, bytes, size);
		damages[i](copy);
		fix_epoch(copy);
		fix_digests(copy);
		if (refusal(copy, size) != GPC_E0509)
			printf("damage %zu is not refused\n", i);
		CU_ASSERT_EQUAL(refusal(copy, size), GPC_E0509);
	}
	free(copy);
	free(bytes);
}

static void an_epoch_is_that_of_the_chains(void)
{
	size_t size;
	uint8_t *bytes = policed_image(&size);

	plane_of(bytes)->epoch += 2;
	fix_digests(bytes);
	CU_ASSERT_EQUAL(refusal(bytes, size), GPC_E0509);
	free(bytes);
}

/* Whatever the tables hold, the chains name rules that there are, and only those. */
static void ask_everything(const struct gpc_image *image)
{
	uint32_t chains, rules;

	gpc_image_section(image, GPC_SEC_CHAIN, &chains);
	gpc_image_section(image, GPC_SEC_RULE, &rules);
	for (uint32_t i = 0; i < 64; i++) {
		struct gpc_question q = {.source_port = i * 1021,
					 .destination_port = i % 2 ? 22 : i,
					 .protocol = i % 3 ? IPPROTO_TCP : IPPROTO_UDP,
					 .vlan = GPC_VLAN_NONE,
					 .family = i % 4 == 3};
		struct gpc_answer answer;

		memcpy(q.source, image->bytes + 61 * i, sizeof(q.source));
		memcpy(q.destination, image->bytes + 67 * i, sizeof(q.destination));
		gpc_chain_ask(image->view, gpc_chain_at(image->view, i % chains), &q, i % 4,
			      &answer);
		for (uint32_t k = 0; k < answer.asked; k++)
			CU_ASSERT_FATAL(answer.rule[k] < rules);
	}
}

/* One word in many: they are half a megabyte, and each is read through a mask. */
static void damaged_words_are_refused_or_harmless(void)
{
	size_t size;
	uint8_t *bytes = policed_image(&size);
	struct gpc_section words = plane_of(bytes)->section[GPC_SEC_WORDS];

	for (uint32_t at = words.offset; at < words.offset + words.size; at += 4 * 997) {
		struct gpc_arena arena = {0};
		struct gpc_diags diags;
		struct gpc_image image;

		bytes[at + at % 4] ^= 0x55;
		fix_digests(bytes);
		gpc_diags_init(&diags, &arena, false);
		if (gpc_image_open(&diags, "a.gpi", bytes, size, false, &image)) {
			ask_everything(&image);
			gpc_image_release(&image);
		}
		gpc_arena_release(&arena);
		bytes[at + at % 4] ^= 0x55;
	}
	free(bytes);
}

/* Likewise, at every byte of the records themselves. */
static void damaged_records_are_refused_or_harmless(void)
{
	static const enum gpc_section_id sections[] = {GPC_SEC_CHAIN, GPC_SEC_POLICY,
						       GPC_SEC_CLASSIFIER, GPC_SEC_RULE};
	size_t size, opened = 0, refused = 0;
	uint8_t *bytes = policed_image(&size);

	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		struct gpc_section section = plane_of(bytes)->section[sections[s]];

		for (uint32_t at = section.offset; at < section.offset + section.size; at += 3) {
			struct gpc_arena arena = {0};
			struct gpc_diags diags;
			struct gpc_image image;
			bool opens;

			bytes[at] ^= 0x41;
			fix_epoch(bytes);
			fix_digests(bytes);
			gpc_diags_init(&diags, &arena, false);
			opens = gpc_image_open(&diags, "a.gpi", bytes, size, false, &image);
			opened += opens;
			refused += !opens;
			if (opens) {
				ask_everything(&image);
				gpc_image_release(&image);
			}
			gpc_arena_release(&arena);
			bytes[at] ^= 0x41;
		}
	}
	CU_ASSERT(opened > 20);
	CU_ASSERT(refused > 200);
	free(bytes);
}

GPC_UNIT_MAIN("image/read_policies", {"a_plane_with_policies_opens", a_plane_with_policies_opens},
	      {"every_record_is_distrusted", every_record_is_distrusted},
	      {"damaged_words_are_refused_or_harmless", damaged_words_are_refused_or_harmless},
	      {"damaged_records_are_refused_or_harmless",
	       damaged_records_are_refused_or_harmless},
	      {"an_epoch_is_that_of_the_chains", an_epoch_is_that_of_the_chains})
