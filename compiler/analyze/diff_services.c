/* SPDX-License-Identifier: MIT */
/* Regions of a place as few services: ranges that touch are one. */
#include "diff_parts.h"

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

const char *const *gpc_diff_services(struct gpc_diff_pair *pair, size_t place,
				     const uint32_t *regions, size_t region_count,
				     size_t *ret_count, double *ret_share)
{
	GPC_VEC(struct box) boxes = {0};
	const char **texts;

	for (size_t i = 0; i < region_count; i++) {
		size_t count;
		const struct gpc_atlas_box *list =
			gpc_atlas_boxes(pair->atlas, place, regions[i], &count);

		for (size_t k = 0; k < count; k++)
			*GPC_PUSH(pair->arena, &boxes) = (struct box){
				.range = {{list[k].item.protocol_first, list[k].item.protocol_last},
					  {list[k].item.source.first, list[k].item.source.last},
					  {list[k].item.destination.first,
					   list[k].item.destination.last}},
				.rest = &list[k]};
	}
	join(boxes.items, &boxes.n);
	drop_inner(boxes.items, &boxes.n);
	if (boxes.n)
		qsort(boxes.items, boxes.n, sizeof(*boxes.items), by_destination);
	texts = GPC_NEW_ARRAY(pair->arena, const char *, boxes.n);
	*ret_share = 0;
	for (size_t i = 0; i < boxes.n; i++) {
		texts[i] = text_of(pair->arena, &boxes.items[i]);
		*ret_share += share_of(&boxes.items[i]);
	}
	*ret_count = boxes.n;
	return texts;
}
