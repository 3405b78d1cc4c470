// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/* One program for each stage: see stages.h. */
#include "event.bpf.h"
#include "reject.bpf.h"
#include "tests/bpf/stages.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stages_ask);
} stages_ask SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stages_answer);
} stages_answer SEC(".maps");

static __always_inline struct stages_ask *asked(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stages_ask, &zero);
}

/* A case with the packet that is asked about, to be rejected. */
static __always_inline struct gpc_case *asked_case(const struct stages_ask *ask)
{
	__u32 zero = 0;
	struct gpc_case *c = bpf_map_lookup_elem(&gpc_cases, &zero);
	struct gpc_packet *p;

	if (!c)
		return 0;
	p = &c->packet;
	__builtin_memset(p, 0, sizeof(*p));
	__builtin_memcpy(p->tuple.source, ask->question.source, 16);
	__builtin_memcpy(p->tuple.destination, ask->question.destination, 16);
	p->tuple.protocol = ask->question.protocol;
	p->family = ask->question.family;
	p->fragment = ask->question.fragment;
	p->icmp = ask->question.destination_port;
	p->length = ask->length;
	p->l4 = ask->l4;
	p->tags = ask->tags;
	p->tcp_flags = ask->tcp_flags;
	if (ask->question.tcp_flags & GPC_ASK_RST)
		p->tcp_flags |= GPC_TCP_RST;
	c->now = ask->now;
	c->reply = GPC_REPLY_REFUSAL;
	return c;
}

SEC("xdp")
int reject_at_xdp(struct xdp_md *ctx)
{
	struct stages_ask *ask = asked();
	struct gpc_case *c = ask ? asked_case(ask) : 0;

	return c ? answer_xdp(ctx, c) : XDP_ABORTED;
}

SEC("tc")
int reject_at_ingress(struct __sk_buff *skb)
{
	struct stages_ask *ask = asked();
	struct gpc_case *c = ask ? asked_case(ask) : 0;

	return c ? answer_in_skb(skb, c, GPC_INGRESS, STAGES_NONCE) : -2;
}

SEC("tc")
int reject_at_egress(struct __sk_buff *skb)
{
	struct stages_ask *ask = asked();
	struct gpc_case *c = ask ? asked_case(ask) : 0;

	return c ? answer_in_skb(skb, c, GPC_EGRESS, STAGES_NONCE) : -2;
}

SEC("tc")
int seen_at_tc(struct __sk_buff *skb)
{
	return answer_seen(skb, STAGES_NONCE);
}

static __always_inline int tell_quoted(const struct gpc_packet *q, int result)
{
	__u32 zero = 0;
	struct stages_answer *answer = bpf_map_lookup_elem(&stages_answer, &zero);

	if (!answer)
		return -1;
	__builtin_memcpy(answer->source, q->tuple.source, 16);
	__builtin_memcpy(answer->destination, q->tuple.destination, 16);
	answer->source_port = q->tuple.source_port;
	answer->destination_port = q->tuple.destination_port;
	answer->protocol = q->tuple.protocol;
	answer->family = q->family;
	answer->l4 = q->l4;
	answer->result = result;
	return result;
}

SEC("xdp")
int quoted_at_xdp(struct xdp_md *ctx)
{
	struct stages_ask *ask = asked();
	struct gpc_packet q;

	if (!ask)
		return -1;
	__builtin_memset(&q, 0, sizeof(q));
	q.family = ask->question.family;
	return tell_quoted(&q, gpc_quoted_xdp(ctx, &q, ask->at, ask->limit));
}

SEC("tc")
int quoted_at_tc(struct __sk_buff *skb)
{
	struct stages_ask *ask = asked();
	struct gpc_packet q;

	if (!ask)
		return -1;
	__builtin_memset(&q, 0, sizeof(q));
	q.family = ask->question.family;
	return tell_quoted(&q, gpc_quoted_skb(skb, &q, ask->at, ask->limit));
}

SEC("xdp")
int rate_at_xdp(struct xdp_md *ctx __attribute__((unused)))
{
	struct stages_ask *ask = asked();

	return ask ? rate_take(&ask->rule, ask->bucket, ask->seed, &ask->question, ask->packets,
			       ask->bytes, ask->now)
		   : -1;
}

static __always_inline struct gpc_scene asked_scene(const struct stages_ask *ask)
{
	return (struct gpc_scene){.question = &ask->question,
				  .now = ask->now,
				  .ifindex = ask->ifindex,
				  .length = ask->frame,
				  .generation = ask->generation,
				  .hook = ask->hook,
				  .tcp_flags = ask->tcp_flags};
}

static __always_inline struct gpc_ruling ruling_of(const struct stages_ask *ask)
{
	return (struct gpc_ruling){.rule = ask->rule.id,
				   .policy = ask->policy,
				   .action = ask->rule.action,
				   .reason = ask->reason};
}

SEC("xdp")
int event_at_xdp(struct xdp_md *ctx __attribute__((unused)))
{
	struct stages_ask *ask = asked();
	struct gpc_scene scene;
	struct gpc_ruling ruling;

	if (!ask)
		return -1;
	scene = asked_scene(ask);
	ruling = ruling_of(ask);
	event_limited(ask->which, &scene, ask->type, &ruling);
	return 0;
}

SEC("xdp")
int log_at_xdp(struct xdp_md *ctx __attribute__((unused)))
{
	struct stages_ask *ask = asked();
	struct gpc_rule_counter *counter;
	struct gpc_scene scene;
	struct gpc_ruling ruling;
	__u32 zero = 0;

	counter = bpf_map_lookup_elem(&gpc_rules, &zero);
	if (!ask || !counter)
		return -1;
	scene = asked_scene(ask);
	ruling = ruling_of(ask);
	event_log(counter, &ask->rule, &scene, &ruling);
	return 0;
}

char stages_license[] SEC("license") = "Dual MIT/GPL";
