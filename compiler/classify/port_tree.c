/* SPDX-License-Identifier: MIT */
#include "port_tree.h"

#include <stdlib.h>

#include "gpc/lookup/classify.h"

#define EDGES 8u	/* first boxes of a region at whose edges it may be cut */
#define SAMPLE 32u	/* first boxes by which a cut is judged */
#define LARGER_COST 4u	/* a box more in the larger part costs this much, one in both parts 1 */

struct region {
	uint32_t least[GPC_PORT_TREE_FIELDS], most[GPC_PORT_TREE_FIELDS];
};

struct build {
	struct gpc_words *words;
	const struct gpc_port_box *boxes;
	uint32_t depth;		/* greatest so far */
};

struct cut {
	uint32_t field, at;	/* values from `at` on go to the second part */
};

static const uint32_t shift_of[GPC_PORT_TREE_FIELDS] = {0, GPC_FIELDS_DESTINATION, GPC_FIELDS_PROTOCOL};

static bool meets(const struct gpc_port_box *box, const struct region *region)
{
	for (int f = 0; f < GPC_PORT_TREE_FIELDS; f++)
		if (box->most[f] < region->least[f] || box->least[f] > region->most[f])
			return false;
	return true;
}

static bool covers(const struct gpc_port_box *box, const struct region *region)
{
	for (int f = 0; f < GPC_PORT_TREE_FIELDS; f++)
		if (box->least[f] > region->least[f] || box->most[f] < region->most[f])
			return false;
	return box->always;
}

/* Those that meet the region, up to the first that leaves nothing of it. */
static uint32_t select_boxes(const struct build *b, const struct region *region, const uint32_t *from, uint32_t count,
			     uint32_t *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct gpc_port_box *box = &b->boxes[from[i]];

		if (!meets(box, region))
			continue;
		ret[n++] = from[i];
		if (covers(box, region))
			break;
	}
	return n;
}

/* The less, the better the cut parts the sample. */
static uint32_t cost_of(const struct build *b, const uint32_t *boxes, uint32_t count, struct cut cut)
{
	uint32_t first = 0, second = 0, larger;

	for (uint32_t i = 0; i < count; i++) {
		first += b->boxes[boxes[i]].least[cut.field] < cut.at;
		second += b->boxes[boxes[i]].most[cut.field] >= cut.at;
	}
	larger = first > second ? first : second;
	return LARGER_COST * larger + first + second - count;
}

/* The best cut at an edge of one of the first `edges` boxes. False: none has an edge inside the region. */
static bool best_cut(const struct build *b, const struct region *region, const uint32_t *boxes, uint32_t count,
		     uint32_t edges, struct cut *ret)
{
	uint32_t least = UINT32_MAX, sample = count < SAMPLE ? count : SAMPLE;

	for (uint32_t i = 0; i < 2 * GPC_PORT_TREE_FIELDS * edges; i++) {
		const struct gpc_port_box *box = &b->boxes[boxes[i / 2 / GPC_PORT_TREE_FIELDS]];
		uint32_t f = i / 2 % GPC_PORT_TREE_FIELDS, cost;
		struct cut cut = {f, i % 2 ? box->most[f] + 1 : box->least[f]};

		if (cut.at <= region->least[f] || cut.at > region->most[f])
			continue;
		cost = cost_of(b, boxes, sample, cut);
		if (cost >= least)
			continue;
		least = cost;
		*ret = cut;
	}
	return least != UINT32_MAX;
}

/* Of more boxes than a list takes. */
static bool find_cut(const struct build *b, const struct region *region, const uint32_t *boxes, uint32_t count,
		     struct cut *ret)
{
	return best_cut(b, region, boxes, count, EDGES, ret) || best_cut(b, region, boxes, count, count, ret);
}

static struct gpc_port_node leaf(const struct build *b, const uint32_t *boxes, uint32_t count)
{
	uint32_t names[GPC_RANGE_LIST_MAX];

	for (uint32_t i = 0; i < count; i++)
		names[i] = b->boxes[boxes[i]].name;
	return (struct gpc_port_node){GPC_TREE_LEAF | count, count ? gpc_words_share(b->words, names, count, 1) : 0};
}

static bool build(struct build *b, const struct region *region, const uint32_t *from, uint32_t from_count,
		  uint32_t depth, struct gpc_port_node *ret)
{
	struct gpc_arena own = {0};
	uint32_t *boxes = GPC_NEW_ARRAY(&own, uint32_t, from_count);
	uint32_t count = select_boxes(b, region, from, from_count, boxes);
	struct region part[2] = {*region, *region};
	struct gpc_port_node nodes[2];
	struct cut cut;
	bool ok = true;

	b->depth = depth > b->depth ? depth : b->depth;
	if (count <= GPC_RANGE_LIST_MAX) {
		*ret = leaf(b, boxes, count);
	} else if (depth == GPC_TREE_STEPS || b->words->over || !find_cut(b, region, boxes, count, &cut)) {
		ok = false;
	} else {
		part[0].most[cut.field] = cut.at - 1;
		part[1].least[cut.field] = cut.at;
		ok = build(b, &part[0], boxes, count, depth + 1, &nodes[0]) &&
		     build(b, &part[1], boxes, count, depth + 1, &nodes[1]);
		if (ok)
			*ret = (struct gpc_port_node){
				shift_of[cut.field] << GPC_TREE_FIELD_SHIFT | cut.at,
				gpc_words_share(b->words, &nodes[0].test, 4, 4)};
	}
	gpc_arena_release(&own);
	return ok;
}

bool gpc_port_tree_build(struct gpc_arena *scratch, struct gpc_words *words, const struct gpc_port_box *boxes,
			 uint32_t count, struct gpc_port_node *ret, uint32_t *ret_depth)
{
	static const struct region everything = {{0, 0, 0}, {GPC_PORT_NONE, GPC_PORT_NONE, 255}};
	struct build b = {words, boxes, 0};
	bool ok;
	uint32_t *all = GPC_NEW_ARRAY(scratch, uint32_t, count);

	for (uint32_t i = 0; i < count; i++)
		all[i] = i;
	ok = build(&b, &everything, all, count, 0, ret);
	*ret_depth = b.depth;
	return ok;
}
