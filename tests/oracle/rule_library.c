/* SPDX-License-Identifier: MIT */
/* The set as the library's own structures. */
#include "rule_set.h"

static struct gpc_prefix library_prefix(const struct rule_prefix *p)
{
	struct gpc_prefix out = {.length = p->length, .v4 = p->v4};
	rule_address a = rule_prefix_first(p);

	for (int i = 15; i >= 0; i--, a >>= 8)
		out.ip.bytes[i] = (uint8_t)a;
	return out;
}

static struct gpc_set library_union(struct gpc_arena *arena, const struct rule_prefix *prefixes, size_t count)
{
	struct gpc_prefix *list = GPC_NEW_ARRAY(arena, struct gpc_prefix, count);

	for (size_t i = 0; i < count; i++)
		list[i] = library_prefix(&prefixes[i]);
	return gpc_set_of_prefixes(arena, list, count);
}

static struct gpc_set library_set(struct gpc_arena *arena, const struct rule_set *set, size_t index)
{
	const struct rule_addresses *s = &set->sets[index];
	struct gpc_set held;

	if (s->all)
		return gpc_set_all(arena);
	held = library_union(arena, set->prefixes + s->prefixes, s->prefix_count);
	if (!s->except_count)
		return held;
	return gpc_set_minus(arena, held, library_union(arena, set->prefixes + s->except, s->except_count));
}

static struct gpc_service library_service(struct gpc_arena *arena, const struct rule_set *set, size_t index)
{
	const struct rule_service *s = &set->services[index];
	struct gpc_service_item *items = GPC_NEW_ARRAY(arena, struct gpc_service_item, s->item_count);

	for (size_t i = 0; i < s->item_count; i++) {
		const struct rule_item *from = &set->items[s->items + i];

		items[i] = (struct gpc_service_item){
			from->protocol_first,
			from->protocol_last,
			{from->source_first, from->source_last},
			{from->destination_first, from->destination_last},
		};
	}
	return (struct gpc_service){items, s->item_count, s->match};
}

struct gpc_space rule_library_space(struct gpc_arena *arena, const struct rule_set *set)
{
	struct gpc_set *sets = GPC_NEW_ARRAY(arena, struct gpc_set, set->set_count);
	struct gpc_service *services = GPC_NEW_ARRAY(arena, struct gpc_service, set->service_count);

	for (size_t i = 0; i < set->set_count; i++)
		sets[i] = library_set(arena, set, i);
	for (size_t i = 0; i < set->service_count; i++)
		services[i] = library_service(arena, set, i);
	return (struct gpc_space){sets, set->set_count, services, set->service_count};
}

struct gpc_box_list rule_library_list(struct gpc_arena *arena, const struct rule_set *set,
				      const uint8_t *list_of, size_t list)
{
	struct gpc_box *boxes = GPC_NEW_ARRAY(arena, struct gpc_box, set->box_count);
	size_t count = 0;

	for (size_t i = 0; i < set->box_count; i++) {
		const struct rule_box *b = &set->boxes[i];

		if (!list_of || list_of[i] == list)
			boxes[count++] = (struct gpc_box){b->source, b->destination, b->service, b->position};
	}
	return (struct gpc_box_list){boxes, count};
}
