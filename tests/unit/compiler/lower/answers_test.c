/* SPDX-License-Identifier: MIT */
/* What the lookups find in the image is what the rules of the model say one by one. */
#include "../../unit.h"
#include "../policy_fixture.h"
#include "gpc/lookup/chain.h"

#define QUESTIONS 20000

struct plane {
	struct fixture fixture;
	struct gpc_model model;
	struct gpc_image image;
	uint64_t random;
};

static void make_plane(struct plane *p, void (*intent)(struct fixture *fixture))
{
	struct gpc_provenance provenance = {.tool_version = "test"};
	struct gpc_diags *diags = &p->fixture.diags;
	struct gpc_image_bytes bytes;
	struct gpc_tables tables;

	intent(&p->fixture);
	p->random = 1;
	CU_ASSERT_FATAL(gpc_model_build(diags, &p->fixture.intent, &p->model));
	CU_ASSERT_FATAL(gpc_lower(diags, &p->model, NULL, &tables));
	CU_ASSERT_FATAL(gpc_image_write(diags, &p->model, &tables, &provenance, &bytes));
	CU_ASSERT_FATAL(gpc_image_open(diags, "a.gpi", bytes.bytes, bytes.size, false, &p->image));
}

static void release(struct plane *p)
{
	gpc_image_release(&p->image);
	fixture_release(&p->fixture);
}

static uint32_t below(struct plane *p, size_t n)
{
	p->random = p->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((p->random >> 33) % n);
}

/* An end of some range of some set, or one beside it. */
static void pick_address(struct plane *p, __u64 words[2])
{
	const struct gpc_space *space = &p->model.space;
	const struct gpc_set *set = &space->sets[below(p, space->set_count)];
	const struct gpc_range *range = &set->ranges[below(p, set->count)];
	struct gpc_ip ip = below(p, 2) ? range->first : range->last;

	if (!below(p, 4))
		ip.bytes[15] = (uint8_t)(ip.bytes[15] + (below(p, 2) ? 1 : 255));
	memcpy(words, ip.bytes, sizeof(ip.bytes));
}

static bool is_v4(const __u64 words[2])
{
	struct gpc_ip ip;

	memcpy(ip.bytes, words, sizeof(ip.bytes));
	return gpc_ip_is_v4(&ip);
}

static uint32_t pick_port(struct plane *p)
{
	static const uint32_t ports[] = {0, 1, 22, 23, 443, 1023, 1024, 27000, 65535, GPC_PORT_NONE};

	return ports[below(p, sizeof(ports) / sizeof(ports[0]))];
}

static struct gpc_question pick_question(struct plane *p)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 0, 255};
	struct gpc_question q = {.vlan = GPC_VLAN_NONE};

	do {
		pick_address(p, q.source);
		pick_address(p, q.destination);
	} while (is_v4(q.source) != is_v4(q.destination));
	q.family = is_v4(q.source) ? GPC_V4 : GPC_V6;
	q.source_port = pick_port(p);
	q.destination_port = pick_port(p);
	q.protocol = protocols[below(p, sizeof(protocols))];
	return q;
}

static bool matches(const struct plane *p, const struct gpc_box *boxes, size_t count,
		    const struct gpc_question *q)
{
	return gpc_boxes_first(&p->model.space, &(struct gpc_box_list){boxes, count}, q) !=
	       UINT32_MAX;
}

/* Position of the first rule of a kind that matches. */
static uint32_t first_rule(const struct plane *p, const struct gpc_model_policy *policy,
			   enum gpc_action from, enum gpc_action to, const struct gpc_question *q)
{
	for (uint32_t i = 0; i < policy->rule_count; i++) {
		const struct gpc_model_rule *rule = &p->model.rules[policy->rules[i]];

		if (rule->action >= from && rule->action <= to &&
		    matches(p, rule->boxes, rule->box_count, q))
			return i;
	}
	return GPC_NONE;
}

static uint32_t ask(const struct plane *p, uint32_t classifier, const struct gpc_question *q)
{
	struct gpc_view view = p->image.view;

	if (classifier == GPC_NONE)
		return GPC_NONE;
	return gpc_classify(view, gpc_classifier_at(view, classifier), q,
			    gpc_address_classes(view, q));
}

static void policies_answer_as_their_rules(void)
{
	uint32_t found = 0;
	struct plane p;

	make_plane(&p, fixture_policed_plane);
	for (int i = 0; i < QUESTIONS; i++) {
		struct gpc_question q = pick_question(&p);

		for (uint32_t k = 0; k < p.model.policy_count; k++) {
			const struct gpc_model_policy *policy = &p.model.policies[k];
			const struct gpc_policy *record = gpc_policy_at(p.image.view, k);
			uint32_t decided = first_rule(&p, policy, GPC_ACTION_ALLOW,
						      GPC_ACTION_REJECT, &q);

			CU_ASSERT_EQUAL_FATAL(ask(&p, record->decide, &q), decided);
			CU_ASSERT_EQUAL_FATAL(ask(&p, record->log, &q),
					      first_rule(&p, policy, GPC_ACTION_LOG, GPC_ACTION_LOG,
							 &q));
			CU_ASSERT_EQUAL_FATAL(ask(&p, record->mark, &q),
					      first_rule(&p, policy, GPC_ACTION_MARK,
							 GPC_ACTION_MARK, &q));
			found += decided != GPC_NONE;
		}
	}
	CU_ASSERT(found > QUESTIONS / 100);
	release(&p);
}

/* What the items of the chain's interface say, as written or exchanged. */
static uint32_t first_protect(const struct plane *p, const struct gpc_chain *chain,
			      const struct gpc_question *q)
{
	for (uint32_t i = 0; i < p->model.protect_count; i++) {
		const struct gpc_model_protect *item = &p->model.protects[i];
		bool own = item->direction == chain->direction;

		if (item->interfaces >> chain->interface & 1 &&
		    matches(p, own ? item->boxes : item->exchanged,
			    own ? item->box_count : item->exchanged_count, q))
			return chain->protect_base + i;
	}
	return GPC_NONE;
}

static void protect_answers_in_both_directions(void)
{
	uint32_t found[2] = {0};
	struct plane p;

	make_plane(&p, fixture_policed_plane);
	for (int i = 0; i < QUESTIONS; i++) {
		struct gpc_question q = pick_question(&p);

		for (uint32_t k = 0; k < p.model.chain_count; k++) {
			const struct gpc_chain *chain = gpc_chain_at(p.image.view, k);
			uint32_t rule = gpc_protect_ask(p.image.view, chain, &q,
							gpc_address_classes(p.image.view, &q));

			CU_ASSERT_EQUAL_FATAL(rule, first_protect(&p, chain, &q));
			found[chain->direction] += rule != GPC_NONE;
		}
	}
	CU_ASSERT(found[GPC_INGRESS] > QUESTIONS / 100);
	CU_ASSERT(found[GPC_EGRESS] > QUESTIONS / 100);
	release(&p);
}

/* Rules that no packet can match, and none at all: only the default is left. */
static void nothing_to_match(struct fixture *f)
{
	const uint64_t hooks = GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS;

	fixture_init(f);
	fixture_interface(f, "wan0")->hooks = fixture_number(f, hooks);
	fixture_rule(f, "mixed", GPC_ACTION_ALLOW, "10.0.0.0/8", "2001:db8::/32");
	fixture_policy(f, "empty", "wan0", GPC_EGRESS, "");
	fixture_policy(f, "none", "wan0", GPC_INGRESS, "mixed");
}

static void what_matches_nothing_is_left_to_the_default(void)
{
	struct gpc_question q = {.protocol = IPPROTO_TCP, .vlan = GPC_VLAN_NONE};
	struct plane p;

	make_plane(&p, nothing_to_match);
	for (uint32_t k = 0; k < 2; k++) {
		const struct gpc_policy *policy = gpc_policy_at(p.image.view, k);

		CU_ASSERT_EQUAL(gpc_policy_ask(p.image.view, policy, &q,
					       gpc_address_classes(p.image.view, &q)),
				policy->first_rule + policy->rules);
	}
	release(&p);
}

GPC_UNIT_MAIN("lower/answers", {"policies_answer_as_their_rules", policies_answer_as_their_rules},
	      {"protect_answers_in_both_directions", protect_answers_in_both_directions},
	      {"what_matches_nothing_is_left_to_the_default",
	       what_matches_nothing_is_left_to_the_default})
