/* SPDX-License-Identifier: MIT */
#include "nested.h"

struct search {
	struct gpc_ways ways;
	uint8_t lengths[2][129];
	size_t length_count[2];
};

static bool meet(const struct gpc_way *a, const struct gpc_way *b)
{
	return a->listener != b->listener && a->interfaces & b->interfaces &&
	       a->first <= b->last && b->first <= a->last;
}

/* The same prefix and protocol: ports that meet lie inside of each other. */
static bool is_wider(const struct gpc_way *a, const struct gpc_way *b)
{
	return a->last - a->first > b->last - b->first;
}

/* Among these ways the one with the fewest ports that meets `inner` and goes after it. */
static const struct gpc_way *find_in(const struct gpc_way *ways, size_t count,
				     const struct gpc_way *inner, bool same_prefix)
{
	const struct gpc_way *found = NULL;

	for (size_t i = 0; i < count; i++)
		if (meet(&ways[i], inner) && (!same_prefix || is_wider(&ways[i], inner)) &&
		    (!found || is_wider(found, &ways[i])))
			found = &ways[i];
	return found;
}

static const struct gpc_way *find_outer(const struct search *search, const struct gpc_way *inner)
{
	enum gpc_family family = inner->address->prefix.v4 ? GPC_V4 : GPC_V6;

	for (size_t i = 0; i < search->length_count[family]; i++) {
		uint8_t length = search->lengths[family][i];
		const struct gpc_way *ways, *found;
		size_t count;

		if (length > inner->length)
			continue;
		ways = gpc_ways_covering(&search->ways, inner, length, &count);
		found = find_in(ways, count, inner, length == inner->length);
		if (found)
			return found;
	}
	return NULL;
}

struct gpc_nested *gpc_analyze_nested(struct gpc_arena *arena, const struct gpc_model *model,
				      size_t *ret_count)
{
	struct search search = {.ways = gpc_ways_list(arena, model)};
	struct gpc_nested *nested = GPC_NEW_ARRAY(arena, struct gpc_nested, search.ways.count);

	*ret_count = 0;
	for (int family = GPC_V4; family <= GPC_V6; family++)
		search.length_count[family] = gpc_ways_lengths(
			&search.ways, (enum gpc_family)family, search.lengths[family]);
	for (size_t i = 0; i < search.ways.count; i++) {
		const struct gpc_way *inner = &search.ways.items[i];
		const struct gpc_way *outer = find_outer(&search, inner);

		if (outer)
			nested[(*ret_count)++] = (struct gpc_nested){inner, outer};
	}
	return nested;
}
