/* SPDX-License-Identifier: MIT */
#include "index.h"

#include <stdlib.h>
#include <string.h>

/* ---- the line of addresses ---- */

/* Address i up to the next one is held by the sets of members[begin[i]..begin[i + 1]). */
struct gpc_set_line {
	const struct gpc_space *space;
	struct gpc_ip *starts;
	uint32_t *begin;
	uint32_t *members;
	size_t count;
};

struct edge {
	struct gpc_ip at;
	uint32_t set;
	bool opens;
};

static int by_address(const void *a, const void *b)
{
	return gpc_ip_compare(&((const struct edge *)a)->at, &((const struct edge *)b)->at);
}

/* The address behind; false at the end of the line. */
static bool next_address(const struct gpc_ip *ip, struct gpc_ip *ret)
{
	*ret = *ip;
	for (size_t i = sizeof(ret->bytes); i-- > 0;)
		if (++ret->bytes[i])
			return true;
	return false;
}

static size_t list_edges(const struct gpc_space *space, struct edge *edges)
{
	size_t count = 0;

	for (uint32_t s = 0; s < space->set_count; s++)
		for (size_t r = 0; r < space->sets[s].count; r++) {
			const struct gpc_range *range = &space->sets[s].ranges[r];
			struct gpc_ip behind;

			edges[count++] = (struct edge){range->first, s, true};
			if (next_address(&range->last, &behind))
				edges[count++] = (struct edge){behind, s, false};
		}
	return count;
}

/* The sets that are open during the sweep, in no order. */
struct open_sets {
	uint32_t *sets, *place;
	size_t count;
};

static void apply_edge(struct open_sets *open, const struct edge *edge)
{
	uint32_t last;

	if (edge->opens) {
		open->place[edge->set] = (uint32_t)open->count;
		open->sets[open->count++] = edge->set;
		return;
	}
	last = open->sets[--open->count];
	open->sets[open->place[edge->set]] = last;
	open->place[last] = open->place[edge->set];
}

/* Closing edges first: a set that closes and opens at one address is open there. */
static void apply_edges(struct open_sets *open, const struct edge *edges, size_t count)
{
	for (int opens = 0; opens < 2; opens++)
		for (size_t i = 0; i < count; i++)
			if (edges[i].opens == opens)
				apply_edge(open, &edges[i]);
}

struct gpc_set_line *gpc_set_line_new(struct gpc_arena *arena, const struct gpc_space *space)
{
	struct gpc_set_line *line = GPC_NEW(arena, struct gpc_set_line);
	struct open_sets open = {
		.sets = GPC_NEW_ARRAY(arena, uint32_t, space->set_count),
		.place = GPC_NEW_ARRAY(arena, uint32_t, space->set_count),
	};
	GPC_VEC(uint32_t) members = {0};
	size_t ranges = 0, edge_count;
	struct edge *edges;

	for (size_t s = 0; s < space->set_count; s++)
		ranges += space->sets[s].count;
	edges = GPC_NEW_ARRAY(arena, struct edge, 2 * ranges);
	edge_count = list_edges(space, edges);
	if (edge_count)
		qsort(edges, edge_count, sizeof(*edges), by_address);
	line->space = space;
	line->starts = GPC_NEW_ARRAY(arena, struct gpc_ip, edge_count);
	line->begin = GPC_NEW_ARRAY(arena, uint32_t, edge_count + 1);
	for (size_t i = 0, j; i < edge_count; i = j) {
		for (j = i + 1; j < edge_count && !by_address(&edges[i], &edges[j]);)
			j++;
		apply_edges(&open, edges + i, j - i);
		line->starts[line->count] = edges[i].at;
		for (size_t k = 0; k < open.count; k++)
			*GPC_PUSH(arena, &members) = open.sets[k];
		line->begin[++line->count] = (uint32_t)members.n;
	}
	line->members = members.items;
	return line;
}

/* Number of the part of the line that holds an address, line->count if none does. */
static size_t part_of(const struct gpc_set_line *line, const struct gpc_ip *ip)
{
	size_t low = 0, high = line->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (gpc_ip_compare(&line->starts[middle], ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : line->count;
}

struct members {
	const uint32_t *sets;
	size_t count;
};

static struct members members_at(const struct gpc_set_line *line, const void *address)
{
	struct gpc_ip ip;
	size_t part;

	memcpy(ip.bytes, address, sizeof(ip.bytes));
	part = part_of(line, &ip);
	if (part == line->count)
		return (struct members){NULL, 0};
	return (struct members){line->members + line->begin[part],
				line->begin[part + 1] - line->begin[part]};
}

/* ---- boxes by their sets ---- */

/* Boxes sorted by (source, destination, position); both sides can be asked. */
struct gpc_index {
	const struct gpc_set_line *line;
	const struct gpc_list *list;
	const bool *left_out;
	struct gpc_box *boxes;
	size_t count;
	uint32_t *by_source;	  /* first box of each source set, and one behind the last */
	uint32_t *destination_to; /* numbers of boxes, by destination set */
	uint32_t *by_destination; /* into destination_to, likewise */
	uint32_t *mark;		  /* stamps of sets seen */
	uint32_t stamp;
	size_t work;		  /* steps taken by gpc_index_meeting() */
};

#define MAX_WORK 30000000u

static int by_sets(const void *a, const void *b)
{
	const struct gpc_box *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->destination != y->destination)
		return x->destination < y->destination ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

static void list_boxes(struct gpc_arena *arena, struct gpc_index *index)
{
	const struct gpc_model_policy *policy = index->list->policy;

	for (size_t p = 0; p < policy->rule_count; p++)
		index->count += gpc_list_rule(index->list, (uint32_t)p)->box_count;
	index->boxes = GPC_NEW_ARRAY(arena, struct gpc_box, index->count);
	index->count = 0;
	for (size_t p = 0; p < policy->rule_count; p++) {
		const struct gpc_model_rule *rule = gpc_list_rule(index->list, (uint32_t)p);

		if (index->left_out[p] || !gpc_action_decides(rule->action))
			continue;
		for (size_t i = 0; i < rule->box_count; i++) {
			index->boxes[index->count] = rule->boxes[i];
			index->boxes[index->count++].position = (uint32_t)p;
		}
	}
	if (index->count)
		qsort(index->boxes, index->count, sizeof(*index->boxes), by_sets);
}

struct gpc_index *gpc_index_new(struct gpc_arena *arena, const struct gpc_set_line *line,
				const struct gpc_list *list, const bool *left_out)
{
	struct gpc_index *index = GPC_NEW(arena, struct gpc_index);
	size_t sets = line->space->set_count;
	uint32_t *next;

	index->line = line;
	index->list = list;
	index->left_out = left_out;
	list_boxes(arena, index);
	index->by_source = GPC_NEW_ARRAY(arena, uint32_t, sets + 2);
	index->by_destination = GPC_NEW_ARRAY(arena, uint32_t, sets + 2);
	index->destination_to = GPC_NEW_ARRAY(arena, uint32_t, index->count);
	index->mark = GPC_NEW_ARRAY(arena, uint32_t, sets);
	next = GPC_NEW_ARRAY(arena, uint32_t, sets + 1);
	for (size_t i = 0; i < index->count; i++) {
		index->by_source[index->boxes[i].source + 1]++;
		index->by_destination[index->boxes[i].destination + 1]++;
	}
	for (size_t s = 0; s < sets; s++) {
		index->by_source[s + 1] += index->by_source[s];
		index->by_destination[s + 1] += index->by_destination[s];
		next[s] = index->by_destination[s];
	}
	for (size_t i = 0; i < index->count; i++)
		index->destination_to[next[index->boxes[i].destination]++] = (uint32_t)i;
	return index;
}

/* The first box over (source, destination) behind a position, as a number of boxes[]; or the end. */
static size_t first_behind(const struct gpc_index *index, uint32_t source, uint32_t destination,
			   uint32_t after)
{
	struct gpc_box key = {.source = source, .destination = destination, .position = after};
	size_t low = index->by_source[source], high = index->by_source[source + 1];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_sets(&index->boxes[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t next_of_pair(const struct gpc_index *index, uint32_t source, uint32_t destination,
			     const struct gpc_question *packet, uint32_t after, uint32_t best)
{
	const struct gpc_space *space = index->line->space;
	size_t i = first_behind(index, source, destination, after);

	for (; i < index->by_source[source + 1]; i++) {
		const struct gpc_box *box = &index->boxes[i];

		if (box->destination != destination || box->position >= best)
			break;
		if (gpc_service_matches(&space->services[box->service], packet))
			return box->position;
	}
	return best;
}

uint32_t gpc_index_next(const struct gpc_index *index, const struct gpc_question *packet,
			uint32_t after)
{
	struct members sources = members_at(index->line, packet->source);
	struct members destinations = members_at(index->line, packet->destination);
	uint32_t best = GPC_NONE;

	for (size_t s = 0; s < sources.count; s++) {
		uint32_t source = sources.sets[s];

		if (index->by_source[source] == index->by_source[source + 1])
			continue;
		for (size_t d = 0; d < destinations.count; d++)
			best = next_of_pair(index, source, destinations.sets[d], packet, after, best);
	}
	return best;
}

/* What a search sees. */
struct search {
	struct gpc_index *index;
	const struct gpc_box *box;
	uint32_t after, before;
	bool (*found)(void *context, const struct gpc_box *other);
	void *context;
};

static bool see(const struct search *s, const struct gpc_box *other)
{
	const struct gpc_set *sets = s->index->line->space->sets;

	if (other->position < s->after + 1 || other->position >= s->before ||
	    !gpc_set_overlaps(sets[s->box->source], sets[other->source]) ||
	    !gpc_set_overlaps(sets[s->box->destination], sets[other->destination]))
		return true;
	return s->found(s->context, other);
}

/* The parts of the line that a range covers. */
static void parts_of(const struct gpc_set_line *line, const struct gpc_range *range, size_t *ret_begin,
		     size_t *ret_end)
{
	size_t last = part_of(line, &range->last);

	*ret_begin = part_of(line, &range->first);
	*ret_end = last == line->count ? last : last + 1;
}

/* How many steps it takes to see all boxes whose set on that side meets `set`. */
static size_t cost_of_side(const struct gpc_index *index, uint32_t set)
{
	const struct gpc_set_line *line = index->line;
	size_t cost = 0, begin, end;

	for (size_t r = 0; r < line->space->sets[set].count; r++) {
		parts_of(line, &line->space->sets[set].ranges[r], &begin, &end);
		cost += end - begin + line->begin[end] - line->begin[begin];
	}
	return cost;
}

/* The boxes of a set on a side; false if that was enough. */
static bool see_set(const struct search *s, uint32_t set, int side)
{
	const struct gpc_index *index = s->index;
	const uint32_t *begin = side ? index->by_destination : index->by_source;

	for (uint32_t i = begin[set]; i < begin[set + 1]; i++)
		if (!see(s, &index->boxes[side ? index->destination_to[i] : i]))
			return false;
	s->index->work += begin[set + 1] - begin[set];
	return true;
}

static void see_side(const struct search *s, uint32_t set, int side)
{
	struct gpc_index *index = s->index;
	const struct gpc_set_line *line = index->line;
	size_t begin, end;

	index->stamp++;
	for (size_t r = 0; r < line->space->sets[set].count; r++) {
		parts_of(line, &line->space->sets[set].ranges[r], &begin, &end);
		for (uint32_t m = line->begin[begin]; m < line->begin[end]; m++) {
			uint32_t met = line->members[m];

			if (index->mark[met] == index->stamp)
				continue;
			index->mark[met] = index->stamp;
			if (!see_set(s, met, side))
				return;
		}
	}
}

static void see_positions(const struct search *s)
{
	const struct gpc_model_policy *policy = s->index->list->policy;

	for (uint32_t p = s->after + 1; p < s->before && p < policy->rule_count; p++) {
		const struct gpc_model_rule *rule = gpc_list_rule(s->index->list, p);

		if (s->index->left_out[p] || !gpc_action_decides(rule->action))
			continue;
		for (size_t i = 0; i < rule->box_count; i++) {
			struct gpc_box box = rule->boxes[i];

			box.position = p;
			if (!see(s, &box))
				return;
		}
	}
}

bool gpc_index_meeting(struct gpc_index *index, const struct gpc_box *box, uint32_t after,
		       uint32_t before, bool (*found)(void *context, const struct gpc_box *other),
		       void *context)
{
	struct search search = {index, box, after, before, found, context};
	size_t source = cost_of_side(index, box->source);
	size_t destination = cost_of_side(index, box->destination);
	size_t least = source < destination ? source : destination;
	size_t between = before - (after + 1);

	if (index->work > MAX_WORK)
		return false;
	if (between <= least) {
		index->work += between;
		see_positions(&search);
	} else {
		index->work += least;
		if (source < destination)
			see_side(&search, box->source, 0);
		else
			see_side(&search, box->destination, 1);
	}
	return true;
}
