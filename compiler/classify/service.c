/* SPDX-License-Identifier: MIT */
#include "service.h"

static bool in_range(struct gpc_port_range range, uint32_t port)
{
	return port >= range.first && port <= range.last;
}

static bool item_matches(const struct gpc_service_item *item, const struct gpc_question *question)
{
	return question->protocol >= item->protocol_first &&
	       question->protocol <= item->protocol_last &&
	       in_range(item->source, question->source_port) &&
	       in_range(item->destination, question->destination_port);
}

static bool match_holds(const struct gpc_match *match, const struct gpc_question *question)
{
	return match->dscp >> question->dscp & 1 && match->tcp_flags >> question->tcp_flags & 1 &&
	       match->fragments >> question->fragment & 1 &&
	       (match->vlan == GPC_VLAN_ANY || match->vlan == question->vlan);
}

bool gpc_service_matches(const struct gpc_service *service, const struct gpc_question *question)
{
	if (!match_holds(&service->match, question))
		return false;
	for (size_t i = 0; i < service->count; i++)
		if (item_matches(&service->items[i], question))
			return true;
	return false;
}

static bool same_range(struct gpc_port_range a, struct gpc_port_range b)
{
	return a.first == b.first && a.last == b.last;
}

bool gpc_service_equal(const struct gpc_service *a, const struct gpc_service *b)
{
	if (a->count != b->count || a->match.dscp != b->match.dscp ||
	    a->match.tcp_flags != b->match.tcp_flags || a->match.vlan != b->match.vlan ||
	    a->match.fragments != b->match.fragments)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct gpc_service_item *x = &a->items[i], *y = &b->items[i];

		if (x->protocol_first != y->protocol_first ||
		    x->protocol_last != y->protocol_last || !same_range(x->source, y->source) ||
		    !same_range(x->destination, y->destination))
			return false;
	}
	return true;
}
