/* SPDX-License-Identifier: MIT */
#include "recheck.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "gpc/lookup/chain.h"

/* ---- the first packet ---- */

static void address4(__be32 address, __u64 ret[2])
{
	const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(ret, mapped, sizeof(mapped));
	memcpy((uint8_t *)ret + sizeof(mapped), &address, sizeof(address));
}

static void ports(struct gpc_question *q, const __be16 port[2], unsigned int source)
{
	q->source_port = q->destination_port = GPC_PORT_NONE;
	switch (q->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		q->source_port = ntohs(port[source]);
		q->destination_port = ntohs(port[!source]);
		break;
	case IPPROTO_ICMP:
		q->destination_port = ICMP_ECHO << 8;
		break;
	case IPPROTO_ICMPV6:
		q->destination_port = ICMP6_ECHO_REQUEST << 8;
		break;
	}
}

static struct gpc_question first_packet(enum gpc_family family, const void *key,
					const struct gpc_flow *flow)
{
	const struct gpc_flow_key4 *v4 = key;
	const struct gpc_flow_key6 *v6 = key;
	unsigned int source = flow->flags & GPC_FLOW_REVERSED;
	struct gpc_question q = {.vlan = flow->vlan,
				 .tcp_flags = flow->tcp_flags,
				 .dscp = flow->dscp,
				 .family = (uint8_t)family};

	if (family == GPC_V4) {
		q.protocol = v4->protocol;
		address4(v4->address[source], q.source);
		address4(v4->address[!source], q.destination);
		ports(&q, v4->port, source);
	} else {
		q.protocol = v6->protocol;
		memcpy(q.source, v6->address[source], sizeof(q.source));
		memcpy(q.destination, v6->address[!source], sizeof(q.destination));
		ports(&q, v6->port, source);
	}
	return q;
}

/* ---- the chains ---- */

static const struct gpc_chain *find_chain(const struct gpc_image *image, uint16_t tag,
					  enum gpc_direction direction)
{
	uint32_t count = image->plane->section[GPC_SEC_CHAIN].count;

	for (uint32_t i = 0; tag && i < count; i++) {
		const struct gpc_chain *chain = gpc_chain_at(image->view, i);

		if (chain->tag == tag && chain->direction == direction)
			return chain->policies && chain->flags & GPC_CHAIN_STATEFUL ? chain : NULL;
	}
	return NULL;
}

static bool must_ask(const struct gpc_chain *chain, const struct gpc_flow *flow,
		     enum gpc_direction direction)
{
	return flow->state & (GPC_FLOW_WOULD_DENY | GPC_FLOW_REVOKED) ||
	       (flow->stamp[direction] != chain->stamp && !(chain->flags & GPC_CHAIN_KEEP));
}

static bool denies(const struct gpc_image *image, const struct gpc_chain *chain, bool audit,
		   const struct gpc_question *question)
{
	struct gpc_answer answer;
	uint8_t action;

	gpc_chain_ask(image->view, chain, question, audit ? GPC_HOW_AUDIT : 0, &answer);
	if (answer.protect != GPC_NONE || answer.decider == GPC_NONE)
		return false;
	action = gpc_rule_at(image->view, answer.rule[answer.decider])->action;
	return action == GPC_ACTION_DENY || action == GPC_ACTION_REJECT;
}

enum gpc_recheck gpc_recheck(const struct gpc_image *image, bool audit, enum gpc_family family,
			     const void *key, const struct gpc_flow *flow)
{
	const struct gpc_question question = first_packet(family, key, flow);
	enum gpc_recheck ret = GPC_RECHECK_NOT_ASKED;

	if (flow->epoch == (image->plane->epoch | (audit ? GPC_EPOCH_AUDIT : 0)))
		return ret;
	for (enum gpc_direction way = GPC_INGRESS; way <= GPC_EGRESS; way++) {
		const struct gpc_chain *chain = find_chain(image, flow->chain[way], way);

		if (!chain || !must_ask(chain, flow, way))
			continue;
		if (denies(image, chain, audit, &question))
			return GPC_RECHECK_REVOKED;
		ret = GPC_RECHECK_STANDS;
	}
	return ret;
}
