/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * question.bpf.h: what rules are asked about a packet, about its other direction, about the first packet
 * of its flow.
 */
#ifndef GPC_QUESTION_BPF_H
#define GPC_QUESTION_BPF_H

#include "parse.bpf.h"

/* TCP's flags in the order of GPC_ASK_*. */
static __always_inline __u8 asked_flags(__u8 tcp_flags)
{
	return (tcp_flags >> 1 & GPC_ASK_SYN) | (tcp_flags >> 3 & GPC_ASK_ACK) |
	       (tcp_flags << 2 & GPC_ASK_FIN) | (tcp_flags << 1 & GPC_ASK_RST);
}

static __always_inline void ask_ports(struct gpc_question *q, const struct gpc_packet *p)
{
	__u8 protocol = p->tuple.protocol;

	q->source_port = q->destination_port = GPC_PORT_NONE;
	if (p->fragment == GPC_FRAGMENT_LATER)
		return;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP) {
		q->source_port = bpf_ntohs(p->tuple.source_port);
		q->destination_port = bpf_ntohs(p->tuple.destination_port);
	} else if (is_icmp(protocol)) {
		q->destination_port = p->icmp;
	}
}

static __always_inline void ask_about(struct gpc_question *q, const struct gpc_packet *p)
{
	int tcp = p->tuple.protocol == IPPROTO_TCP && p->fragment != GPC_FRAGMENT_LATER;

	q->source[0] = p->tuple.source[0];
	q->source[1] = p->tuple.source[1];
	q->destination[0] = p->tuple.destination[0];
	q->destination[1] = p->tuple.destination[1];
	ask_ports(q, p);
	q->vlan = p->vlan;
	q->protocol = p->tuple.protocol;
	q->tcp_flags = tcp ? asked_flags(p->tcp_flags) : 0;
	q->dscp = p->tos >> 2;
	q->fragment = p->fragment;
	q->family = p->family;
	q->pad0 = 0;
}

/* Other addresses and ports, of TCP or UDP. */
static __always_inline void ask_of(struct gpc_question *q, const struct gpc_tuple *t)
{
	q->source[0] = t->source[0];
	q->source[1] = t->source[1];
	q->destination[0] = t->destination[0];
	q->destination[1] = t->destination[1];
	q->source_port = bpf_ntohs(t->source_port);
	q->destination_port = bpf_ntohs(t->destination_port);
}

/* The other direction. An ICMP type has none: an echo's other end is asked by what it sends. */
static __always_inline void ask_reversed(struct gpc_question *q)
{
	__u64 source[2] = {q->source[0], q->source[1]};
	__u32 port = q->source_port;

	q->source[0] = q->destination[0];
	q->source[1] = q->destination[1];
	q->destination[0] = source[0];
	q->destination[1] = source[1];
	if (is_icmp(q->protocol))
		return;
	q->source_port = q->destination_port;
	q->destination_port = port;
}

#endif
