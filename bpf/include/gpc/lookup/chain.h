/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * chain.h: what the policies of an interface and direction say about a packet (SEMANTICS 4.3). Pure:
 * rates, logs, marks, flows and counters are the caller's. The kernel asks policy by policy, user space
 * the chain as a whole, both by gpc_policy_ask() and gpc_policy_decides().
 */
#ifndef GPC_LOOKUP_CHAIN_H
#define GPC_LOOKUP_CHAIN_H

#include "classify.h"

GPC_INLINE const struct gpc_chain *gpc_chain_at(struct gpc_view view, __u32 index)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_CHAIN].offset, index,
			  sizeof(struct gpc_chain));
}

GPC_INLINE const struct gpc_policy *gpc_policy_at(struct gpc_view view, __u32 index)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_POLICY].offset, index,
			  sizeof(struct gpc_policy));
}

GPC_INLINE const struct gpc_rule *gpc_rule_at(struct gpc_view view, __u32 index)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_RULE].offset, index,
			  sizeof(struct gpc_rule));
}

GPC_INLINE const struct gpc_classifier *gpc_classifier_at(struct gpc_view view, __u32 index)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_CLASSIFIER].offset, index,
			  sizeof(struct gpc_classifier));
}

/* Index of RULE of the `protect` item that holds the packet, GPC_NONE. */
GPC_INLINE __u32 gpc_protect_ask(struct gpc_view view, const struct gpc_chain *chain,
				 const struct gpc_question *question, struct gpc_classes classes)
{
	__u32 position;

	if (chain->protect == GPC_NONE)
		return GPC_NONE;
	position = gpc_classify(view, gpc_classifier_at(view, chain->protect), question, classes);
	return position == GPC_NONE ? GPC_NONE : chain->protect_base + position;
}

/* Index of RULE: the first rule that decides and holds the packet, or the policy's default. */
GPC_INLINE __u32 gpc_policy_ask(struct gpc_view view, const struct gpc_policy *policy,
				const struct gpc_question *question, struct gpc_classes classes)
{
	__u32 position = policy->rules;

	if (policy->decide != GPC_NONE) {
		__u32 found = gpc_classify(view, gpc_classifier_at(view, policy->decide), question,
					   classes);

		if (found < position)
			position = found;
	}
	return policy->first_rule + position;
}

/*
 * TCP in mid-stream of an unknown flow: in a policy that enforces, what a rule allows is left to the
 * policy's default (SEMANTICS 5.4).
 */
GPC_INLINE __u32 gpc_policy_mid_stream(struct gpc_view view, const struct gpc_policy *policy, __u32 rule)
{
	return gpc_rule_at(view, rule)->action == GPC_ACTION_ALLOW ? policy->first_rule + policy->rules
								    : rule;
}

/* Ends the rule the chain? Not in audit, and not a default that passes the packet on. */
GPC_INLINE int gpc_policy_decides(struct gpc_view view, const struct gpc_policy *policy, __u32 rule,
				  int audit)
{
	return !audit && policy->mode == GPC_POLICY_ENFORCE &&
	       gpc_rule_at(view, rule)->action != GPC_ACTION_PASS;
}

/* How a packet is asked about. */
#define GPC_HOW_AUDIT		(1u << 0)	/* every policy as in audit (control word) */
#define GPC_HOW_MID_STREAM	(1u << 1)	/* of an unknown flow, and the chain does not allow that */

struct gpc_answer {
	__u32 protect;		/* RULE of the item that lets the packet through, GPC_NONE; nothing else is asked */
	__u32 asked;		/* policies asked: rule[0] .. rule[asked - 1] */
	__u32 decider;		/* which of them decided, GPC_NONE: nobody */
	__u32 rule[GPC_MAX_CHAIN_POLICIES];	/* RULE that matched, or the policy's default */
};

GPC_INLINE void gpc_chain_ask(struct gpc_view view, const struct gpc_chain *chain,
			      const struct gpc_question *question, __u32 how, struct gpc_answer *ret)
{
	struct gpc_classes classes = gpc_address_classes(view, question);
	__u32 i;

	ret->asked = 0;
	ret->decider = GPC_NONE;
	ret->protect = gpc_protect_ask(view, chain, question, classes);
	if (ret->protect != GPC_NONE)
		return;
	for (i = 0; i < GPC_MAX_CHAIN_POLICIES && i < chain->policies; i++) {
		const struct gpc_policy *policy = gpc_policy_at(view, chain->policy[i]);
		int audit = how & GPC_HOW_AUDIT || policy->mode == GPC_POLICY_AUDIT;
		__u32 rule = gpc_policy_ask(view, policy, question, classes);

		if (how & GPC_HOW_MID_STREAM && !audit)
			rule = gpc_policy_mid_stream(view, policy, rule);
		ret->rule[i] = rule;
		ret->asked = i + 1;
		if (gpc_policy_decides(view, policy, rule, audit)) {
			ret->decider = i;
			return;
		}
	}
}

#endif
