/* SPDX-License-Identifier: MIT */
/* `ports` and `match` -> items. */
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "gpc/image.h"
#include "resolve.h"

#define LATER_ONLY (1u << GPC_FRAGMENT_LATER)

/* ---- what `match` leaves ---- */

static bool restrict_item(struct gpc_service_item *item, const struct gpc_match *match)
{
	if (match->tcp_flags != UINT16_MAX) {
		if (item->protocol_first > IPPROTO_TCP || item->protocol_last < IPPROTO_TCP)
			return false;
		item->protocol_first = item->protocol_last = IPPROTO_TCP;
	}
	/* A later fragment has neither ports nor flags. */
	return match->fragments != LATER_ONLY ||
	       (match->tcp_flags == UINT16_MAX && item->destination.last == GPC_PORT_NONE);
}

/* ---- normal form ---- */

static bool is_everything(const struct gpc_service_item *item)
{
	return !item->protocol_first && item->protocol_last == UINT8_MAX &&
	       !item->destination.first && item->destination.last == GPC_PORT_NONE;
}

static int by_protocol_and_port(const void *a, const void *b)
{
	const struct gpc_service_item *x = a, *y = b;

	if (x->protocol_first != y->protocol_first)
		return x->protocol_first < y->protocol_first ? -1 : 1;
	if (x->protocol_last != y->protocol_last)
		return x->protocol_last < y->protocol_last ? -1 : 1;
	return x->destination.first < y->destination.first
		       ? -1
		       : x->destination.first > y->destination.first;
}

static bool touches(const struct gpc_service_item *a, const struct gpc_service_item *b)
{
	return a->protocol_first == b->protocol_first && a->protocol_last == b->protocol_last &&
	       b->destination.first <= a->destination.last + 1;
}

size_t gpc_service_normalise(struct gpc_service_item *items, size_t count,
			     const struct gpc_match *match)
{
	size_t left = 0, kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct gpc_service_item item = items[i];

		if (!restrict_item(&item, match))
			continue;
		if (is_everything(&item)) {
			items[0] = item;
			return 1;
		}
		items[left++] = item;
	}
	if (left > 1)
		qsort(items, left, sizeof(*items), by_protocol_and_port);
	for (size_t i = 0; i < left; i++) {
		struct gpc_service_item *open = kept ? &items[kept - 1] : NULL;

		if (!open || !touches(open, &items[i]))
			items[kept++] = items[i];
		else if (items[i].destination.last > open->destination.last)
			open->destination.last = items[i].destination.last;
	}
	return kept;
}

/* ---- as written ---- */

static struct gpc_service_item item_of(const struct gpc_ports_item *from)
{
	struct gpc_service_item item = {
		.protocol_first = from->any ? 0 : from->protocol,
		.protocol_last = from->any ? UINT8_MAX : from->protocol,
		.source = GPC_ANY_PORT,
		.destination = GPC_ANY_PORT,
	};

	if (from->ranged)
		item.destination = (struct gpc_port_range){from->first, from->last};
	return item;
}

static struct gpc_match match_of(const struct gpc_match_intent *match)
{
	struct gpc_match resolved = GPC_MATCH_ANY;

	if (!match)
		return resolved;
	if (match->tcp_flags.set)
		resolved.tcp_flags = (uint16_t)match->tcp_flags.value;
	if (match->vlan.set)
		resolved.vlan = (uint16_t)match->vlan.value;
	if (match->dscp.set)
		resolved.dscp = 1ull << match->dscp.value;
	if (match->fragments.set)
		resolved.fragments = (uint8_t)match->fragments.value;
	return resolved;
}

void gpc_resolve_asked(const gpc_ports_list *ports, const struct gpc_match_intent *match,
		       struct gpc_asked *ret)
{
	/* Counted where it was read. */
	assert(ports->n <= GPC_MAX_PORTS_ITEMS);
	ret->match = match_of(match);
	ret->across = false;
	ret->count = 0;
	for (size_t i = 0; i < ports->n; i++)
		ret->items[ret->count++] = item_of(&ports->items[i]);
	if (!ret->count)
		ret->items[ret->count++] = item_of(&(struct gpc_ports_item){.any = true});
}
