/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "steps.h"

/* What a classifier is asked for; its rules are those with such an action. */
enum part { DECIDE, LOG, MARK, PARTS };

static enum part part_of(enum gpc_action action)
{
	return action == GPC_ACTION_LOG ? LOG : action == GPC_ACTION_MARK ? MARK : DECIDE;
}

struct lists {
	struct gpc_arena *arena;
	const struct gpc_model *model;
	GPC_VEC(struct gpc_box_list) items;
	GPC_VEC(uint32_t) policies; /* by list; GPC_NONE: of `protect` */
};

/* Index of the new list, GPC_NONE if it is empty: then there is nothing to ask. */
static uint32_t add_list(struct lists *lists, const struct gpc_box *boxes, size_t count,
			 uint32_t policy)
{
	if (!count)
		return GPC_NONE;
	*GPC_PUSH(lists->arena, &lists->items) = (struct gpc_box_list){boxes, count};
	*GPC_PUSH(lists->arena, &lists->policies) = policy;
	return (uint32_t)lists->items.n - 1;
}

static struct gpc_box *add_boxes(struct gpc_box *next, const struct gpc_box *boxes, size_t count,
				 uint32_t position)
{
	for (size_t i = 0; i < count; i++) {
		next[i] = boxes[i];
		next[i].position = position;
	}
	return next + count;
}

static void list_policy(struct lists *lists, uint32_t index, struct gpc_policy *to)
{
	const struct gpc_model_policy *policy = &lists->model->policies[index];
	struct gpc_box *boxes[PARTS], *next[PARTS];
	size_t counts[PARTS] = {0};

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct gpc_model_rule *rule = &lists->model->rules[policy->rules[i]];

		counts[part_of(rule->action)] += rule->box_count;
	}
	for (int part = 0; part < PARTS; part++)
		boxes[part] = next[part] =
			GPC_NEW_ARRAY(lists->arena, struct gpc_box, counts[part]);
	for (uint32_t i = 0; i < policy->rule_count; i++) {
		const struct gpc_model_rule *rule = &lists->model->rules[policy->rules[i]];
		struct gpc_box **at = &next[part_of(rule->action)];

		*at = add_boxes(*at, rule->boxes, rule->box_count, i);
	}
	to->decide = add_list(lists, boxes[DECIDE], counts[DECIDE], index);
	to->log = add_list(lists, boxes[LOG], counts[LOG], index);
	to->mark = add_list(lists, boxes[MARK], counts[MARK], index);
}

/* Are the same `protect` items on both interfaces? */
static bool same_items(const struct gpc_model *model, uint32_t a, uint32_t b)
{
	for (size_t i = 0; i < model->protect_count; i++) {
		uint64_t interfaces = model->protects[i].interfaces;

		if ((interfaces >> a & 1) != (interfaces >> b & 1))
			return false;
	}
	return true;
}

/* An item is asked as written in its direction, exchanged in the other one; its position is its index. */
static uint32_t list_protects(struct lists *lists, const struct gpc_chain *chain)
{
	const struct gpc_model *model = lists->model;
	struct gpc_box *boxes, *next;
	size_t count = 0;

	for (size_t i = 0; i < model->protect_count; i++)
		count += model->protects[i].box_count + model->protects[i].exchanged_count;
	boxes = next = GPC_NEW_ARRAY(lists->arena, struct gpc_box, count);
	for (uint32_t i = 0; i < model->protect_count; i++) {
		const struct gpc_model_protect *item = &model->protects[i];

		if (!(item->interfaces >> chain->interface & 1))
			continue;
		if (item->direction == chain->direction)
			next = add_boxes(next, item->boxes, item->box_count, i);
		else
			next = add_boxes(next, item->exchanged, item->exchanged_count, i);
	}
	return add_list(lists, boxes, (size_t)(next - boxes), GPC_NONE);
}

/* Chains of one direction whose interfaces have the same items share their classifier. */
static void list_chains(struct lists *lists, struct gpc_tables *tables)
{
	for (size_t i = 0; i < tables->chain_count; i++) {
		struct gpc_chain *chain = &tables->chains[i];
		size_t like = 0;

		while (like < i && (tables->chains[like].direction != chain->direction ||
				    !same_items(lists->model, tables->chains[like].interface,
						chain->interface)))
			like++;
		chain->protect = like < i ? tables->chains[like].protect
					  : list_protects(lists, chain);
		chain->protect_base = chain->protect == GPC_NONE ? 0 : GPC_BUILTIN_COUNT;
	}
}

bool gpc_lower_classifiers(struct gpc_diags *diags, const struct gpc_model *model,
			   struct gpc_tables *tables)
{
	struct lists lists = {.arena = diags->arena, .model = model};

	for (uint32_t i = 0; i < model->policy_count; i++)
		list_policy(&lists, i, &tables->policies[i]);
	list_chains(&lists, tables);
	tables->classifiers = GPC_NEW_ARRAY(diags->arena, struct gpc_classifier, lists.items.n);
	tables->classifier_count = lists.items.n;
	for (size_t i = 0; i < lists.items.n; i++)
		tables->classifiers[i].boxes = (uint32_t)lists.items.items[i].count;
	return true;
}
