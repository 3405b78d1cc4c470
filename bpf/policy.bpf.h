/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * policy.bpf.h: a chain is asked and what its rules say takes effect: counters, rates, logs, marks,
 * events (SEMANTICS 4.3, 5.2, 5.3, 5.5).
 *
 * All of this is global functions around one struct gpc_case in memory of the CPU's own, so that the
 * states of each are verified once. An image pointer cannot cross them; each finds the image of the
 * case's slot again. All functions that call each other share 512 bytes of stack, of which the classifier
 * takes its part: so it is called by the program itself, in ask_chain(), and gpc_next_classifier() says with which
 * classifier.
 */
#ifndef GPC_POLICY_BPF_H
#define GPC_POLICY_BPF_H

#include "event.bpf.h"
#include "flow.bpf.h"
#include "gpc/lookup/chain.h"
#include "hop.bpf.h"
#include "translate.bpf.h"

/* Beside those of chain.h. EFFECT: the answer will take effect, so log and mark rules are asked too. */
#define GPC_HOW_EFFECT	(1u << 2)
#define GPC_HOW_PROTECT (1u << 3) /* only `protect` is asked */

/* What gpc_apply() gives: an action, and whether the rule's rate was exceeded. */
#define GPC_ACTION_MASK 0xffu
#define GPC_EXCEEDED	0x100u
#define GPC_IN_AUDIT	0x200u

/* Whose answer gpc_next_classifier() waits for. */
enum gpc_part {
	GPC_PART_START,
	GPC_PART_PROTECT,
	GPC_PART_DECIDE,
	GPC_PART_LOG,
	GPC_PART_MARK,
	GPC_PART_END, /* the chain has answered */
};

enum gpc_relation {
	GPC_FLOW_UNKNOWN,
	GPC_FLOW_ORIGINAL, /* the packet goes as the flow's first did */
	GPC_FLOW_REPLY,
};

/* What the sender of a packet is told (reject.bpf.h). */
enum gpc_reply_kind {
	GPC_REPLY_REFUSAL, /* a reset, or port unreachable */
	GPC_REPLY_TOO_BIG,
	GPC_REPLY_TTL,	   /* time exceeded */
	GPC_REPLY_ECHO,
	GPC_REPLY_COOKIE,  /* an ACK of c->cookie */
};

/* How a packet is wrapped with `gue` (encap.bpf.h). */
struct gpc_wrap {
	__u64 source[2]; /* outer addresses, v4 as ::ffff:a.b.c.d */
	__u64 destination[2];
	__u64 destination_mac, source_mac;
	__u64 seed;
	__u32 ifindex; /* to send by */
	__u32 in;      /* that it came by */
	__be16 port;
	__u8 family; /* enum gpc_family of the outer header */
	__u8 tos;
	__u32 pad;
};

/* What a new flow's draws are made from (choose.bpf.h). */
struct gpc_draw {
	struct gpc_tuple input;
	struct gpc_table_ref table;
	__u32 backend;
	__u8 family, forward;
	__u8 active; /* more is known of the backend than what the image says */
	__u8 pad;
};

/* A packet of a `nat` flow (nat.bpf.h). */
struct gpc_nat {
	struct gpc_translation to;
	struct gpc_tuple client; /* of the flow, as the client's packets have it */
	union flow_key key;	 /* that was looked for last */
	struct gpc_twin twin;
	struct gpc_twin other; /* that stands where the flow's should */
	union flow_key other_key;
	struct gpc_flow other_entry;
	__u32 at; /* number of the element that `twin` was copied from */
	__u32 pad0;
	struct gpc_route route;
	__u64 endpoint, mark, seen; /* from one program to the next: of struct gpc_walk */
	__u32 listener;
	__u8 opened;
	__u8 found;
	__u16 port;	       /* taken from `snat`, big-endian; 0: none */
	__u8 flags;	       /* of the entry for a packet of the client */
	__u8 reason;	       /* why it cannot be sent */
	__u8 reply;	       /* the packet comes from the endpoint's side, `to` says what it becomes */
	__u8 pad[5];
};

/*
 * One packet before its judges. The parsed packet and the key of its flow lie here too: the stack of all
 * functions that call each other has 512 bytes.
 */
struct gpc_case {
	struct gpc_packet packet;
	struct gpc_packet quoted; /* by an ICMP error */
	union flow_key key;
	struct gpc_question question; /* as it is being asked */
	struct gpc_classes classes;   /* of its addresses */
	struct gpc_answer answer;
	__u32 log[GPC_MAX_CHAIN_POLICIES];  /* RULE of the log rule that acts, by policy asked */
	__u32 mark[GPC_MAX_CHAIN_POLICIES]; /* likewise */
	struct gpc_wrap wrap;
	struct gpc_draw draw;
	__u64 quic[2];	       /* the server id in a connection id, zero behind its end */
	struct gpc_flow entry; /* of the packet's flow: as found, then as it is to be */
	struct gpc_nat nat;
	struct gpc_flow_job job;
	struct gpc_busy_use busy; /* from packet to packet */
	struct gpc_clock clock;	  /* likewise */
	__u64 seen; /* entry.mark as it was found */
	__u64 now;
	__u64 packets; /* an aggregate is several */
	__u32 slot;
	__u32 ifindex;
	__u32 frame;
	__u32 length;	 /* of the IP packet */
	__u32 epoch;	 /* of the image, with GPC_EPOCH_AUDIT */
	__u32 skb_mark;	 /* said by the rules; 0: none */
	__u32 revoker;	 /* RULE that ended the flow */
	__u32 asking;	 /* index of the CHAIN that is being asked, GPC_NONE: none */
	__u32 asking_how; /* GPC_HOW_* */
	__u32 position;	 /* what the last classifier gave */
	__u32 parsed;	 /* for gpc_odd: GPC_PARSED, or a reason */
	__u32 endpoint;	 /* index of who gets the packet, GPC_NONE: nobody */
	__u32 at;	 /* number of the entry that was found */
	__u32 new_flow;	 /* he has not had its flow before */
	__u32 refused;	 /* why nobody gets it: enum gpc_reason */
	__u32 listener;	 /* index of whom the packet is for, GPC_NONE: for none */
	__u32 passed;	 /* the reason for what passes untouched */
	__u32 ended;	 /* for gpc_answer: the reason it counts */
	__u32 mtu;	 /* with GPC_REPLY_TOO_BIG */
	__u32 cookie;	 /* with GPC_REPLY_COOKIE */
	__u16 chain[2];	 /* of the interface by direction, GPC_NONE16: none */
	__u8 direction;	 /* enum gpc_direction of this hook */
	__u8 hook;	 /* enum gpc_hook */
	__u8 how;	 /* GPC_HOW_AUDIT, or 0 */
	__u8 relation;	 /* enum gpc_relation to `entry` */
	__u8 flags;	 /* of the entry that the packet would open */
	__u8 one_sided;	 /* for a listener of which only one direction is seen */
	__u8 tcp_flags;	 /* of the packet */
	__u8 reason;	 /* said: why it does not pass */
	__u8 store;	 /* said: `entry` has to be written with its key */
	__u8 enforced;	 /* policies asked that were not in audit */
	__u8 would_deny; /* a policy in audit would not have let it through */
	__u8 logged;	 /* a log rule has acted */
	__u8 reopens;	 /* the packet may open a revoked flow anew */
	__u8 fresh;	 /* said: `entry` is a new one */
	__u8 part;	 /* enum gpc_part */
	__u8 place;	 /* of the policy in its chain that is being asked */
	__u8 decides;	 /* it ends the chain */
	__u8 keeps_flow; /* the packet's flow has been looked for, and has to be kept */
	__u8 moves;	 /* the client's flows have another endpoint from now on */
	__u8 opened;	 /* what judges want to know is filled in */
	__u8 stage;	 /* enum gpc_stage (judge.bpf.h) */
	__u8 action;	 /* said: enum gpc_action */
	__u8 reply;	 /* enum gpc_reply_kind, of a packet that is answered */
	__u8 marks;	 /* GPC_FLOW_* that a recheck has found */
};

/* By hook: a packet that arrives may interrupt one that is sent. All programs of XDP share that of gpc_xdp. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GPC_HOOK_ID_COUNT);
	__type(key, __u32);
	__type(value, struct gpc_case);
} gpc_cases SEC(".maps");

static __always_inline struct gpc_case *case_of(enum gpc_hook hook)
{
	__u32 which = hook == GPC_HOOK_ID_DECAP ? GPC_HOOK_ID_XDP : hook;

	return bpf_map_lookup_elem(&gpc_cases, &which);
}

/*
 * The case as the map's, for keys and values of other maps: before 6.3 the verifier takes them from a map or
 * the stack, and not from the memory that a global function was given.
 */
static __always_inline struct gpc_case *own_case(const struct gpc_case *c)
{
	return c ? case_of(c->hook) : 0;
}

static __always_inline int denies(__u32 action)
{
	return action == GPC_ACTION_DENY || action == GPC_ACTION_REJECT;
}

/* ---- asking ---- */

/* Class of one of c->question's addresses; side 0 is the source. */
__noinline int gpc_find_class(const struct gpc_case *c, __u32 side)
{
	const struct gpc_question *q;
	struct gpc_view view;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	q = &c->question;
	side &= 1;
	return gpc_address_class(view, &gpc_view_plane(view)->tries, side, q->family,
				 side ? q->destination : q->source);
}

/* Position in the classifier, GPC_NONE. */
__noinline int gpc_find_position(const struct gpc_case *c, __u32 classifier)
{
	struct gpc_view view;

	if (!c || classifier == GPC_NONE)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	return gpc_classify(view, gpc_classifier_at(view, classifier), &c->question, c->classes);
}

/* Without a branch, which would double what the verifier has to look at. */
static __always_inline int in_audit(const struct gpc_policy *policy, __u32 how)
{
	_Static_assert((int)GPC_HOW_AUDIT == 1 && (int)GPC_POLICY_AUDIT == 1, "one bit");
	return (how | policy->mode) & 1;
}

/* RULE of the policy that decided, GPC_NONE. */
static __always_inline __u32 deciding_rule(const struct gpc_case *c)
{
	__u32 decider = c->answer.decider;

	return decider < GPC_MAX_CHAIN_POLICIES ? c->answer.rule[decider] : GPC_NONE;
}

/* The chain is to be asked about c->question: for ask_chain(). */
static __always_inline void put_question(struct gpc_case *c, __u32 chain, __u32 how)
{
	c->asking = chain;
	c->asking_how = how;
	c->part = GPC_PART_START;
	c->place = 0;
	c->answer.asked = 0;
	c->answer.decider = c->answer.protect = GPC_NONE;
	c->enforced = c->would_deny = 0;
}

/* Goes on to the policy in c->place. */
static __always_inline __u32 ask_policy(struct gpc_case *c, struct gpc_view view,
					const struct gpc_chain *chain)
{
	if (c->place >= GPC_MAX_CHAIN_POLICIES || c->place >= chain->policies ||
	    c->asking_how & GPC_HOW_PROTECT) {
		c->part = GPC_PART_END;
		return GPC_NONE;
	}
	c->part = GPC_PART_DECIDE;
	return gpc_policy_at(view, chain->policy[c->place])->decide;
}

/* The policy has said which rule holds the packet. */
static __always_inline void take_rule(struct gpc_case *c, struct gpc_view view,
				      const struct gpc_policy *policy, __u32 place)
{
	int audit = in_audit(policy, c->asking_how);
	__u32 rule = policy->first_rule +
		     (c->position < policy->rules ? c->position : policy->rules);

	if (c->asking_how & GPC_HOW_MID_STREAM && !audit)
		rule = gpc_policy_mid_stream(view, policy, rule);
	c->answer.rule[place] = rule;
	c->answer.asked = place + 1;
	if (audit)
		c->would_deny |= denies(gpc_rule_at(view, rule)->action);
	else
		c->enforced++;
	c->decides = gpc_policy_decides(view, policy, rule, audit);
	if (c->decides)
		c->answer.decider = place;
	c->log[place] = c->mark[place] = GPC_NONE;
}

/* RULE of a log or mark rule if it stands before the one that holds the packet, else GPC_NONE. */
static __always_inline __u32 rule_before(const struct gpc_case *c, const struct gpc_policy *policy,
					 __u32 rule)
{
	return c->position < rule - policy->first_rule ? policy->first_rule + c->position
						       : GPC_NONE;
}

/*
 * Takes c->position as the answer of the classifier asked last and gives the one to ask next. c->part says
 * when the chain has answered.
 */
__noinline int gpc_next_classifier(struct gpc_case *c)
{
	const struct gpc_policy *policy;
	const struct gpc_chain *chain;
	struct gpc_view view;
	__u32 place;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	place = c->place;
	if (!view.base || place >= GPC_MAX_CHAIN_POLICIES) {
		c->part = GPC_PART_END;
		return GPC_NONE;
	}
	chain = gpc_chain_at(view, c->asking);
	policy = gpc_policy_at(view, chain->policy[place]);
	switch (c->part) {
	case GPC_PART_START:
		c->part = GPC_PART_PROTECT;
		return chain->protect;
	case GPC_PART_PROTECT:
		if (c->position == GPC_NONE)
			return ask_policy(c, view, chain);
		c->answer.protect = chain->protect_base + c->position;
		break;
	case GPC_PART_DECIDE:
		take_rule(c, view, policy, place);
		if (c->asking_how & GPC_HOW_EFFECT) {
			c->part = GPC_PART_LOG;
			return policy->log;
		}
		goto next;
	case GPC_PART_LOG:
		c->log[place] = rule_before(c, policy, c->answer.rule[place]);
		c->part = GPC_PART_MARK;
		return in_audit(policy, c->asking_how) ? GPC_NONE : policy->mark;
	case GPC_PART_MARK:
		c->mark[place] = rule_before(c, policy, c->answer.rule[place]);
	next:
		if (c->decides)
			break;
		c->place = place + 1;
		return ask_policy(c, view, chain);
	}
	c->part = GPC_PART_END;
	return GPC_NONE;
}

/* Puts the question that put_question() has prepared; c->answer is the answer. */
#define GPC_CLASSIFIERS_MAX (1 + 3 * GPC_MAX_CHAIN_POLICIES)
static __always_inline void ask_chain(struct gpc_case *c)
{
	__u32 i;

	c->classes.source = gpc_find_class(c, 0);
	c->classes.destination = gpc_find_class(c, 1);
#pragma clang loop unroll(disable)
	for (i = 0; i <= GPC_CLASSIFIERS_MAX; i++) {
		__u32 classifier = gpc_next_classifier(c);

		if (c->part == GPC_PART_END)
			break;
		c->position = gpc_find_position(c, classifier);
	}
}

/* The action of who decided: GPC_ACTION_ALLOW for `protect`, GPC_ACTION_PASS for nobody. */
static __always_inline __u32 answered(const struct gpc_case *c, struct gpc_view view)
{
	__u32 rule = deciding_rule(c);

	if (c->answer.protect != GPC_NONE)
		return GPC_ACTION_ALLOW;
	return rule == GPC_NONE ? GPC_ACTION_PASS : gpc_rule_at(view, rule)->action;
}

/* ---- effects ---- */

static __always_inline struct gpc_rule_counter *rule_counter(struct gpc_view view, __u32 rule)
{
	const struct gpc_link_rule *link =
		gpc_record(view, gpc_view_link(view)->rule_offset, rule, sizeof(*link));
	__u32 slot = link->counter;

	return bpf_map_lookup_elem(&gpc_rules, &slot);
}

static __always_inline void count_hit(struct gpc_rule_counter *counter, const struct gpc_case *c)
{
	counter->packets += c->packets;
	counter->bytes += c->frame;
	counter->last_hit = c->now;
}

static __always_inline struct gpc_scene scene_of(const struct gpc_case *c, struct gpc_view view)
{
	return (struct gpc_scene){.question = &c->question,
				  .now = c->now,
				  .ifindex = c->ifindex,
				  .length = c->frame,
				  .generation = gpc_view_link(view)->generation,
				  .hook = c->hook,
				  .tcp_flags = c->tcp_flags};
}

/* A rule that only counts: `protect` and built-ins. */
__noinline int gpc_count_rule(const struct gpc_case *c, __u32 rule)
{
	struct gpc_rule_counter *counter;
	struct gpc_view view;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base || rule >= gpc_view_plane(view)->section[GPC_SEC_RULE].count)
		return 0;
	counter = rule_counter(view, rule);
	if (counter)
		count_hit(counter, c);
	return 0;
}

/* The rule's event, of c->question; `type` is none of a log. */
__noinline int gpc_tell(const struct gpc_case *c, __u32 type, __u32 rule_index, __u32 action)
{
	enum gpc_limit limit =
		type == GPC_EVENT_FLOW ? GPC_LIMIT_EVENT_FLOW : GPC_LIMIT_EVENT_DENY;
	struct gpc_ruling ruling = {.action = action, .reason = GPC_REASON_COUNT};
	struct gpc_scene scene;
	struct gpc_view view;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	if (rule_index != GPC_NONE) {
		const struct gpc_rule *rule = gpc_rule_at(view, rule_index);

		ruling.rule = rule->id;
		if (rule->policy != GPC_NONE)
			ruling.policy = gpc_policy_at(view, rule->policy)->id;
	}
	if (type == GPC_EVENT_DENY || type == GPC_EVENT_REVOKED)
		ruling.reason = c->reason;
	scene = scene_of(c, view);
	event_limited(limit, &scene, type, &ruling);
	return 0;
}

/* The log of a rule that decided, or of a log rule. */
static __always_inline void log_rule(const struct gpc_case *c, struct gpc_view view, __u32 index,
				     struct gpc_rule_counter *counter, __u32 action)
{
	const struct gpc_rule *rule = gpc_rule_at(view, index);
	struct gpc_ruling ruling = {.rule = rule->id, .action = action, .reason = GPC_REASON_COUNT};
	struct gpc_scene scene;

	if (likely(!rule->log_sample))
		return;
	if (rule->policy != GPC_NONE)
		ruling.policy = gpc_policy_at(view, rule->policy)->id;
	scene = scene_of(c, view);
	event_log(counter, rule, &scene, &ruling);
}

/* Does policy i of the answer only look on? */
static __always_inline int is_audit(const struct gpc_case *c, struct gpc_view view, __u32 i)
{
	__u32 policy = gpc_rule_at(view, c->answer.rule[i])->policy;

	return in_audit(gpc_policy_at(view, policy), c->asking_how);
}

/*
 * The log rule of policy i before the rule that decided. Of all policies that are not in audit one log
 * rule acts.
 */
__noinline int gpc_apply_log(struct gpc_case *c, __u32 i)
{
	struct gpc_rule_counter *counter;
	struct gpc_view view;
	__u32 index;

	if (!c || i >= GPC_MAX_CHAIN_POLICIES)
		return 0;
	index = c->log[i];
	view = image_of(c->slot);
	if (!view.base || index == GPC_NONE)
		return 0;
	if (!is_audit(c, view, i)) {
		if (c->logged)
			return 0;
		c->logged = 1;
	}
	counter = rule_counter(view, index);
	if (!counter)
		return 0;
	count_hit(counter, c);
	log_rule(c, view, index, counter, GPC_ACTION_LOG);
	return 0;
}

/* The mark rule of policy i before the rule that decided, if none has acted yet. */
static __always_inline void apply_mark(struct gpc_case *c, struct gpc_view view, __u32 i)
{
	struct gpc_rule_counter *counter;
	__u32 index = c->mark[i];

	if (likely(index == GPC_NONE) || c->skb_mark)
		return;
	c->skb_mark = gpc_rule_at(view, index)->mark;
	counter = rule_counter(view, index);
	if (counter)
		count_hit(counter, c);
}

/* Charges the rule's rate: its action, or what it says beyond the rate. */
static __always_inline __u32 charge(const struct gpc_case *c, struct gpc_view view, __u32 index,
				    struct gpc_rule_counter *counter)
{
	const struct gpc_rule *rule = gpc_rule_at(view, index);
	const struct gpc_link_rule *link =
		gpc_record(view, gpc_view_link(view)->rule_offset, index, sizeof(*link));

	if (likely(!rule->rate_entries) ||
	    rate_take(rule, link->rate, gpc_view_plane(view)->hash_seed, &c->question, c->packets,
		      c->length, c->now))
		return rule->action;
	counter->exceeded += c->packets;
	return rule->exceed | GPC_EXCEEDED;
}

/*
 * What policy i of the answer says takes effect: its action, with GPC_EXCEEDED if that is beyond a rate
 * and GPC_IN_AUDIT if it only would be. In mid-stream no rate of a policy that enforces is charged.
 */
__noinline int gpc_apply(struct gpc_case *c, __u32 i)
{
	struct gpc_rule_counter *counter;
	__u32 index, said, action;
	struct gpc_view view;
	int audit;

	if (!c || i >= GPC_MAX_CHAIN_POLICIES)
		return GPC_ACTION_PASS;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_ACTION_PASS;
	index = c->answer.rule[i];
	audit = is_audit(c, view, i);
	counter = rule_counter(view, index);
	said = gpc_rule_at(view, index)->action;
	if (counter && (audit || !(c->asking_how & GPC_HOW_MID_STREAM)))
		said = charge(c, view, index, counter);
	action = said & GPC_ACTION_MASK;
	apply_mark(c, view, i);
	if (action == GPC_ACTION_ALLOW && !audit && gpc_rule_at(view, index)->mark)
		c->skb_mark = gpc_rule_at(view, index)->mark;
	if (audit && denies(action))
		c->would_deny = 1;
	if (counter && action != GPC_ACTION_PASS) {
		count_hit(counter, c);
		if (audit && denies(action))
			counter->would_deny += c->packets;
		log_rule(c, view, index, counter, action);
	}
	return audit ? said | GPC_IN_AUDIT : said;
}

#endif
