/* SPDX-License-Identifier: MIT */
/* A region of a place as few services: ranges that touch are one. */
#include "diff_parts.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL, SOURCE_PORT, DESTINATION_PORT, RANGES };

struct span {
	uint32_t first, last;
};

struct box {
	struct span range[RANGES];
	const struct gpc_atlas_box *rest;	/* flags, fragments, DSCPs, VLANs */
};

#define VLAN_BYTES ((GPC_VLAN_NONE / 64 + 1) * sizeof(uint64_t))

static int compare_vlans(const uint64_t *a, const uint64_t *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return memcmp(a, b, VLAN_BYTES);
}

static int compare_rest(const struct gpc_atlas_box *a, const struct gpc_atlas_box *b)
{
	if (a->dscp != b->dscp)
		return a->dscp < b->dscp ? -1 : 1;
	if (a->tcp_flags != b->tcp_flags)
		return a->tcp_flags < b->tcp_flags ? -1 : 1;
	if (a->fragments != b->fragments)
		return a->fragments < b->fragments ? -1 : 1;
	return compare_vlans(a->vlans, b->vlans);
}

static int compare_span(const struct span *a, const struct span *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->last < b->last ? -1 : a->last > b->last;
}

/* By all ranges but one, then the rest, then that one. */
static int order_by(const struct box *a, const struct box *b, int last)
{
	int order = 0;

	for (int r = 0; r < RANGES && !order; r++)
		if (r != last)
			order = compare_span(&a->range[r], &b->range[r]);
	if (!order)
		order = compare_rest(a->rest, b->rest);
	return order ? order : compare_span(&a->range[last], &b->range[last]);
}

static int by_protocol(const void *a, const void *b)
{
	return order_by(a, b, PROTOCOL);
}

static int by_source(const void *a, const void *b)
{
	return order_by(a, b, SOURCE_PORT);
}

static int by_destination(const void *a, const void *b)
{
	return order_by(a, b, DESTINATION_PORT);
}

/* Do they differ in that range only, and touch or cross there? */
static bool fit(const struct box *a, const struct box *b, int range)
{
	for (int r = 0; r < RANGES; r++)
		if (r != range && compare_span(&a->range[r], &b->range[r]))
			return false;
	return !compare_rest(a->rest, b->rest) && b->range[range].first <= a->range[range].last + 1;
}

static bool join_by(struct box *boxes, size_t *count, int range,
		    int (*order)(const void *a, const void *b))
{
	size_t before = *count, kept = 0;

	if (before)
		qsort(boxes, before, sizeof(*boxes), order);
	for (size_t i = 0; i < before; i++) {
		struct box *last = kept ? &boxes[kept - 1] : NULL;

		if (!last || !fit(last, &boxes[i], range))
			boxes[kept++] = boxes[i];
		else if (boxes[i].range[range].last > last->range[range].last)
			last->range[range].last = boxes[i].range[range].last;
	}
	*count = kept;
	return kept < before;
}

static bool holds(const struct box *outer, const struct box *inner)
{
	for (int r = 0; r < RANGES; r++)
		if (outer->range[r].first > inner->range[r].first ||
		    outer->range[r].last < inner->range[r].last)
			return false;
	return !compare_rest(outer->rest, inner->rest);
}

/* Boxes may cross, so one may lie in another. */
static void drop_inner(struct box *boxes, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		bool inside = false;

		for (size_t k = 0; k < *count && !inside; k++)
			inside = k != i && holds(&boxes[k], &boxes[i]) &&
				 (k < i || !holds(&boxes[i], &boxes[k]));
		boxes[kept] = boxes[i];
		kept += !inside;
	}
	*count = kept;
}

static void join(struct box *boxes, size_t *count)
{
	bool more = true;

	while (more) {
		more = join_by(boxes, count, DESTINATION_PORT, by_destination);
		more |= join_by(boxes, count, SOURCE_PORT, by_source);
		more |= join_by(boxes, count, PROTOCOL, by_protocol);
	}
}

/* ---- boxes of all flags, fragments, DSCPs and VLANs: protocol by protocol ---- */

#define PROTOCOLS 256
#define MANY 4096u

static const struct gpc_atlas_box full = {
	.dscp = UINT64_MAX, .tcp_flags = 0xffff, .fragments = 7, .vlans = NULL};

typedef GPC_VEC(struct box) box_list;
typedef GPC_VEC(const char *) text_list;

static bool has_ports(unsigned int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static bool is_icmp(unsigned int protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* All of a protocol that can exist. */
static struct box whole_of(unsigned int protocol)
{
	uint32_t source = has_ports(protocol) ? 0 : GPC_PORT_NONE;
	struct span destination = {has_ports(protocol) ? 0 : GPC_PORT_NONE, GPC_PORT_NONE};

	if (is_icmp(protocol))
		destination = (struct span){0, GPC_PORT_NONE};
	return (struct box){{{protocol, protocol}, {source, GPC_PORT_NONE}, destination}, &full};
}

static bool meets(const struct box *a, const struct box *b)
{
	for (int r = 0; r < RANGES; r++)
		if (a->range[r].first > b->range[r].last || b->range[r].first > a->range[r].last)
			return false;
	return true;
}

/* Puts what is left of `box` without `what`, which is of its protocol too. */
static void cut(struct gpc_arena *arena, struct box box, const struct box *what, box_list *to)
{
	for (int r = SOURCE_PORT; r < RANGES; r++) {
		struct box left = box;

		if (box.range[r].first < what->range[r].first) {
			left.range[r].last = what->range[r].first - 1;
			*GPC_PUSH(arena, to) = left;
			box.range[r].first = what->range[r].first;
		}
		left = box;
		if (box.range[r].last > what->range[r].last) {
			left.range[r].first = what->range[r].last + 1;
			*GPC_PUSH(arena, to) = left;
			box.range[r].last = what->range[r].last;
		}
	}
}

/* What `boxes` do not hold of a protocol. */
static box_list rest_of(struct gpc_arena *arena, unsigned int protocol,
			const box_list *boxes)
{
	box_list rest = {0};

	*GPC_PUSH(arena, &rest) = whole_of(protocol);
	for (size_t i = 0; i < boxes->n && rest.n && rest.n < MANY; i++) {
		box_list next = {0};

		if (boxes->items[i].range[PROTOCOL].first > protocol ||
		    boxes->items[i].range[PROTOCOL].last < protocol)
			continue;
		for (size_t k = 0; k < rest.n; k++)
			if (meets(&rest.items[k], &boxes->items[i]))
				cut(arena, rest.items[k], &boxes->items[i], &next);
			else
				*GPC_PUSH(arena, &next) = rest.items[k];
		rest = next;
	}
	return rest;
}

/* Ports that cannot be otherwise are not said. */
static void put_wide(struct gpc_arena *arena, const box_list *from, box_list *to)
{
	for (size_t i = 0; i < from->n; i++) {
		struct box box = from->items[i];
		const struct box whole = whole_of(box.range[PROTOCOL].first);

		if (whole.range[SOURCE_PORT].first == GPC_PORT_NONE)
			box.range[SOURCE_PORT] = (struct span){0, GPC_PORT_NONE};
		*GPC_PUSH(arena, to) = box;
	}
}

/* Runs of protocols for which `is` says so: all of them. */
static void put_runs(struct gpc_arena *arena, const bool is[PROTOCOLS], box_list *to)
{
	for (uint32_t p = 0, end; p < PROTOCOLS; p = end + 1) {
		struct box run = {.rest = &full};

		for (end = p; end < PROTOCOLS && is[end]; end++)
			;
		if (end == p)
			continue;
		run = (struct box){{{p, end - 1}, {0, GPC_PORT_NONE}, {0, GPC_PORT_NONE}}, &full};
		*GPC_PUSH(arena, to) = run;
	}
}

/* The boxes said anew; and what they leave. */
static void say_anew(struct gpc_arena *arena, const box_list *boxes,
		     box_list *ret_held, box_list *ret_left)
{
	bool all[PROTOCOLS], none[PROTOCOLS];
	box_list held = {0}, left = {0};

	for (unsigned int p = 0; p < PROTOCOLS; p++) {
		box_list rest = rest_of(arena, p, boxes), own;
		const struct box whole = whole_of(p);

		all[p] = !rest.n;
		none[p] = rest.n == 1 && holds(&rest.items[0], &whole);
		if (all[p] || none[p])
			continue;
		own = rest_of(arena, p, &rest);
		put_wide(arena, &own, &held);
		put_wide(arena, &rest, &left);
	}
	put_runs(arena, all, &held);
	put_runs(arena, none, &left);
	join(held.items, &held.n);
	join(left.items, &left.n);
	*ret_held = held;
	*ret_left = left;
}

static double share_of(const struct box *box)
{
	double share = 1.0 / 256 / 65537 / 65537;

	for (int r = 0; r < RANGES; r++)
		share *= box->range[r].last - box->range[r].first + 1;
	return share;
}

static const char *text_of(struct gpc_arena *arena, const struct box *box)
{
	struct gpc_atlas_box whole = *box->rest;
	char text[GPC_ATLAS_BOX_TEXT];

	whole.item.protocol_first = (uint8_t)box->range[PROTOCOL].first;
	whole.item.protocol_last = (uint8_t)box->range[PROTOCOL].last;
	whole.item.source = (struct gpc_port_range){box->range[SOURCE_PORT].first,
						    box->range[SOURCE_PORT].last};
	whole.item.destination = (struct gpc_port_range){box->range[DESTINATION_PORT].first,
							 box->range[DESTINATION_PORT].last};
	return gpc_arena_strdup(arena, gpc_atlas_box_format(&whole, text));
}

/* A range of ports or types that ends with the later fragments, which have none: both are said. */
static void put_texts(struct gpc_arena *arena, const struct box *box, text_list *to)
{
	const uint32_t protocol = box->range[PROTOCOL].first;
	struct box ports = *box, later = *box;

	if (protocol != box->range[PROTOCOL].last || !(has_ports(protocol) || is_icmp(protocol)) ||
	    !box->range[DESTINATION_PORT].first || box->range[DESTINATION_PORT].first == GPC_PORT_NONE ||
	    box->range[DESTINATION_PORT].last != GPC_PORT_NONE ||
	    !(box->rest->fragments >> GPC_FRAGMENT_LATER & 1)) {
		*GPC_PUSH(arena, to) = text_of(arena, box);
		return;
	}
	ports.range[DESTINATION_PORT].last--;
	later.range[DESTINATION_PORT].first = GPC_PORT_NONE;
	*GPC_PUSH(arena, to) = text_of(arena, &ports);
	*GPC_PUSH(arena, to) = text_of(arena, &later);
}

static bool is_full(const struct gpc_atlas_box *rest)
{
	return rest->dscp == UINT64_MAX && rest->tcp_flags == 0xffff && (rest->fragments & 7) == 7 &&
	       !rest->vlans;
}

struct collecting {
	struct gpc_arena *arena;
	box_list *full, *other;
};

static void put_part(struct collecting *c, const struct gpc_atlas_box *from, uint32_t first,
		     uint32_t last)
{
	struct gpc_atlas_box *rest = GPC_NEW(c->arena, struct gpc_atlas_box);

	if (first > last)
		return;
	*rest = *from;
	if (first != IPPROTO_TCP || last != IPPROTO_TCP)
		rest->tcp_flags = 0xffff;
	*GPC_PUSH(c->arena, is_full(rest) ? c->full : c->other) = (struct box){
		.range = {{first, last},
			  {from->item.source.first, from->item.source.last},
			  {from->item.destination.first, from->item.destination.last}},
		.rest = rest};
}

/* What is not TCP has no flags: it is in a box that holds "none", and there apart from TCP. */
static void put_parts(struct collecting *c, const struct gpc_atlas_box *box)
{
	uint32_t first = box->item.protocol_first, last = box->item.protocol_last;

	if (box->tcp_flags == 0xffff || (first == IPPROTO_TCP && last == IPPROTO_TCP)) {
		put_part(c, box, first, last);
		return;
	}
	if (first <= IPPROTO_TCP && last >= IPPROTO_TCP)
		put_part(c, box, IPPROTO_TCP, IPPROTO_TCP);
	if (!(box->tcp_flags & 1))
		return;
	put_part(c, box, first, last < IPPROTO_TCP ? last : IPPROTO_TCP - 1);
	put_part(c, box, first > IPPROTO_TCP ? first : IPPROTO_TCP + 1, last);
}

/* Boxes of a region: those that only protocols and ports tell apart, and the others. */
static void collect(struct gpc_diff_pair *pair, size_t place, uint32_t region, box_list *ret_full,
		    box_list *ret_other)
{
	struct collecting c = {pair->arena, ret_full, ret_other};
	size_t count;
	const struct gpc_atlas_box *list = gpc_atlas_boxes(pair->atlas, place, region, &count);

	for (size_t i = 0; i < count; i++)
		put_parts(&c, &list[i]);
}

void gpc_diff_services(struct gpc_diff_pair *pair, size_t place, uint32_t region, struct gpc_diff_space *ret)
{
	box_list whole = {0}, boxes = {0}, held = {0}, left = {0};
	text_list texts = {0};

	collect(pair, place, region, &whole, &boxes);
	if (whole.n)
		say_anew(pair->arena, &whole, &held, &left);
	ret->services_but = !boxes.n && left.n && left.n < held.n;
	ret->radius = 0;
	for (size_t i = 0; i < held.n; i++) {
		ret->radius += share_of(&held.items[i]);
		if (!ret->services_but)
			*GPC_PUSH(pair->arena, &boxes) = held.items[i];
	}
	join(boxes.items, &boxes.n);
	drop_inner(boxes.items, &boxes.n);
	if (ret->services_but)
		boxes = left;
	if (boxes.n)
		qsort(boxes.items, boxes.n, sizeof(*boxes.items), by_destination);
	for (size_t i = 0; i < boxes.n; i++)
		put_texts(pair->arena, &boxes.items[i], &texts);
	ret->services = texts.items;
	ret->service_count = texts.n;
}
