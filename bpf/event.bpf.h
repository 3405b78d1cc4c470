/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * event.bpf.h: what happened, for who reads gpc_events. An event is only filled in once its limit
 * let it through: denials and flow starts by this CPU's limits, a rule's log by its own sample and
 * rate. What is kept back or lost because the ring was full is counted, and an event that stands for
 * several packets says so.
 */
#ifndef GPC_EVENT_BPF_H
#define GPC_EVENT_BPF_H

#include <bpf/bpf_endian.h>

#include "rate.bpf.h"

/* What all events of one packet have in common. */
struct gpc_scene {
	const struct gpc_question *question;
	__u64 now;
	__u32 ifindex;
	__u32 length; /* of the frame */
	__u32 generation;
	__u8 hook; /* enum gpc_hook */
	__u8 tcp_flags;
};

/* Who decided what. */
struct gpc_ruling {
	__u64 rule;   /* stable id, 0: none */
	__u64 policy; /* stable id, 0: built-in, protect or none */
	__u8 action;  /* enum gpc_action */
	__u8 reason;  /* enum gpc_reason of a drop, else GPC_REASON_COUNT */
};

/* ICMP has a type and code instead of a destination port; GPC_PORT_NONE is written as 0. */
static __always_inline __be16 event_port(__u32 port)
{
	return port == GPC_PORT_NONE ? 0 : bpf_htons(port);
}

/* 0: the ring is full. */
static __always_inline int event_emit(const struct gpc_scene *scene, enum gpc_event_type type,
				      const struct gpc_ruling *ruling, __u32 sample)
{
	struct gpc_event *event = bpf_ringbuf_reserve(&gpc_events, sizeof(*event), 0);
	const struct gpc_question *q = scene->question;

	if (!event)
		return 0;
	event->time = scene->now;
	event->rule = ruling->rule;
	event->policy = ruling->policy;
	__builtin_memcpy(event->source, q->source, sizeof(event->source));
	__builtin_memcpy(event->destination, q->destination, sizeof(event->destination));
	event->source_port = event_port(q->source_port);
	event->destination_port = event_port(q->destination_port);
	event->ifindex = scene->ifindex;
	event->length = scene->length;
	event->generation = scene->generation;
	event->type = type;
	event->hook = scene->hook;
	event->action = ruling->action;
	event->reason = ruling->reason;
	event->protocol = q->protocol;
	event->tcp_flags = scene->tcp_flags;
	event->fragment = q->fragment;
	event->dscp = q->dscp;
	event->vlan = q->vlan;
	event->pad0 = 0;
	event->sample = sample;
	event->pad1 = 0;
	bpf_ringbuf_submit(event, 0);
	return 1;
}

/* An event under a limit of this CPU: deny, would-deny, revoked; flow starts. */
static __always_inline void event_limited(enum gpc_limit limit, const struct gpc_scene *scene,
					  enum gpc_event_type type,
					  const struct gpc_ruling *ruling)
{
	struct gpc_limiter *limiter = limit_take(limit, scene->now);

	if (limiter && !event_emit(scene, type, ruling, 1))
		limiter->lost++;
}

/*
 * The log of a rule that decided, or of a log rule that acts; `counter` is the rule's. Each
 * log_sample'th packet of a CPU is due, and of these log_rate a second are let through.
 */
static __always_inline void event_log(struct gpc_rule_counter *counter, const struct gpc_rule *rule,
				      const struct gpc_scene *scene,
				      const struct gpc_ruling *ruling)
{
	__u64 next;

	if (likely(!rule->log_sample))
		return;
	if (++counter->log_seen < rule->log_sample)
		return;
	counter->log_seen = 0;
	next = rule->log_rate ? gcra_next(counter->log_tat, scene->now,
					  GPC_RATE_SECOND / rule->log_rate, GPC_RATE_SECOND)
			      : 0;
	if (next)
		counter->log_tat = next;
	if (!next || !event_emit(scene, GPC_EVENT_LOG, ruling, rule->log_sample))
		counter->log_lost++;
}

#endif
