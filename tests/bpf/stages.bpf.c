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

static __always_inline struct gpc_packet packet_of(const struct stages_ask *ask)
{
	struct gpc_packet p;

	__builtin_memset(&p, 0, sizeof(p));
	__builtin_memcpy(p.tuple.source, ask->question.source, 16);
	__builtin_memcpy(p.tuple.destination, ask->question.destination, 16);
	p.tuple.protocol = ask->question.protocol;
	p.family = ask->question.family;
	p.length = ask->length;
	p.l4 = ask->l4;
	p.tags = ask->tags;
	p.tcp_flags = ask->tcp_flags;
	return p;
}

SEC("xdp")
int reject_at_xdp(struct xdp_md *ctx)
{
	struct stages_ask *ask = asked();
	struct gpc_packet p;

	if (!ask)
		return XDP_ABORTED;
	p = packet_of(ask);
	return reject_xdp(ctx, &p, &ask->question, ask->now);
}

SEC("tc")
int reject_at_ingress(struct __sk_buff *skb)
{
	struct stages_ask *ask = asked();
	struct gpc_packet p;

	if (!ask)
		return -2;
	p = packet_of(ask);
	return reject_skb(skb, &p, &ask->question, GPC_INGRESS, STAGES_NONCE, ask->now);
}

SEC("tc")
int reject_at_egress(struct __sk_buff *skb)
{
	struct stages_ask *ask = asked();
	struct gpc_packet p;

	if (!ask)
		return -2;
	p = packet_of(ask);
	return reject_skb(skb, &p, &ask->question, GPC_EGRESS, STAGES_NONCE, ask->now);
}

SEC("tc")
int seen_at_tc(struct __sk_buff *skb)
{
	return answer_seen(skb, STAGES_NONCE);
}

static __always_inline int answered(const struct gpc_packet *q, int result)
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
	return answered(&q, gpc_quoted_xdp(ctx, &q, ask->at, ask->limit));
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
	return answered(&q, gpc_quoted_skb(skb, &q, ask->at, ask->limit));
}

SEC("xdp")
int rate_at_xdp(struct xdp_md *ctx __attribute__((unused)))
{
	struct stages_ask *ask = asked();

	return ask ? rate_take(&ask->rule, ask->bucket, ask->seed, &ask->question, ask->packets,
			       ask->bytes, ask->now)
		   : -1;
}

static __always_inline struct gpc_scene scene_of(const struct stages_ask *ask)
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
	scene = scene_of(ask);
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
	scene = scene_of(ask);
	ruling = ruling_of(ask);
	event_log(counter, &ask->rule, &scene, &ruling);
	return 0;
}

char stages_license[] SEC("license") = "Dual MIT/GPL";
