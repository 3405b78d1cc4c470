/* SPDX-License-Identifier: MIT */
#include "../classify/classify.h"
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

/* ---- what there is room for ---- */

#define OTHER_BYTES	(256u * 1024)	/* head, plane, paddings, the sources' paths */
#define OBJECT_BYTES	256u		/* of the provenance, about */
#define RULE_BYTES	48u		/* of the provenance, at most */

/* The greatest image, without its other parts. */
static uint64_t room_for_words(const struct gpc_model *model, const struct gpc_tables *tables,
			       size_t classifiers)
{
	uint64_t objects = model->interface_count + model->backend_count + model->endpoint_count +
			   model->listener_count + model->policy_count + model->protect_count;
	uint64_t link = GPC_LINK_SIZE((uint64_t)tables->listener_count,
				      (uint64_t)tables->endpoint_count,
				      (uint64_t)tables->rule_count,
				      (uint64_t)tables->backend_count);
	uint64_t taken = OTHER_BYTES + OBJECT_BYTES * objects + link +
			 (RULE_BYTES + sizeof(struct gpc_rule)) * tables->rule_count +
			 sizeof(struct gpc_policy) * tables->policy_count +
			 sizeof(struct gpc_chain) * tables->chain_count +
			 sizeof(struct gpc_classifier) * classifiers +
			 sizeof(uint32_t) * tables->vip_displacement_count +
			 sizeof(struct gpc_vip) * tables->vip_count +
			 sizeof(struct gpc_vip_choice) * tables->choice_count +
			 sizeof(struct gpc_vip_ports) * tables->port_count +
			 sizeof(struct gpc_pool) * tables->pool_count +
			 sizeof(struct gpc_quic) * tables->quic_count +
			 sizeof(uint32_t) * tables->quic_displacement_count +
			 sizeof(struct gpc_listener) * tables->listener_count +
			 sizeof(struct gpc_endpoint) * tables->endpoint_count +
			 sizeof(uint32_t) * tables->endpoint_displacement_count +
			 sizeof(uint32_t) * tables->endpoint_index_count +
			 sizeof(uint16_t) * tables->maglev_count +
			 sizeof(struct gpc_table) * tables->table_count +
			 sizeof(struct gpc_backend) * tables->backend_count +
			 sizeof(struct gpc_interface) * tables->interface_count +
			 tables->names_size;

	return taken < GPC_MAX_IMAGE_BYTES ? GPC_MAX_IMAGE_BYTES - taken : 0;
}

/* ---- refusals ---- */

struct culprit {
	const char *text; /* "rule `a` of policy `p`" */
	struct gpc_place at;
};

static struct culprit culprit_of(const struct lists *lists, const struct gpc_classify_cost *cost)
{
	const struct gpc_model *model = lists->model;
	uint32_t index = lists->policies.items[cost->list];
	const struct gpc_model_policy *policy;
	const struct gpc_model_rule *rule;

	if (index == GPC_NONE) {
		const struct gpc_model_protect *item = &model->protects[cost->position];

		return (struct culprit){
			gpc_arena_printf(lists->arena, "protect `%s`", item->name), item->at};
	}
	policy = &model->policies[index];
	rule = &model->rules[policy->rules[cost->position]];
	return (struct culprit){gpc_arena_printf(lists->arena, "rule `%s` of policy `%s`",
						 rule->name, policy->name),
				rule->at};
}

static const char *pairs_of(const struct lists *lists, const struct gpc_classify_cost *cost)
{
	return gpc_arena_printf(lists->arena, "%s: %llu pair%s of address classes",
				culprit_of(lists, cost).text, (unsigned long long)cost->pairs,
				cost->pairs == 1 ? "" : "s");
}

/* The first three costs have their places, the others their names in the hint. */
static void refuse_size(struct gpc_diags *diags, const struct lists *lists,
			const struct gpc_classify_refusal *refusal, uint64_t room)
{
	struct gpc_place at = refusal->cost_count ? culprit_of(lists, &refusal->costs[0]).at
						  : GPC_NOWHERE;
	const char *about = refusal->bytes > room ? gpc_arena_printf(lists->arena, "about %llu, ",
								     (unsigned long long)
									     refusal->bytes)
						  : "";
	struct gpc_diag *diag =
		gpc_diag(diags, GPC_E0430, at,
			 "the tables of the policies take %smore than the %llu bytes that the image "
			 "has left",
			 about, (unsigned long long)room);
	const char *others = "";

	for (size_t i = 0; i < refusal->cost_count; i++) {
		const struct gpc_classify_cost *cost = &refusal->costs[i];

		if (!i)
			gpc_diag_label(diag, pairs_of(lists, cost));
		else if (i < GPC_DIAG_PLACES)
			gpc_diag_place(diag, culprit_of(lists, cost).at, pairs_of(lists, cost));
		else
			others = gpc_arena_printf(diags->arena, "%s; %s", others,
						  pairs_of(lists, cost));
	}
	gpc_diag_hint(diags, diag, "%s%s", gpc_code_help(GPC_E0430), others);
}

static void refuse_matches(struct gpc_diags *diags, const struct lists *lists,
			   const struct gpc_classify_refusal *refusal)
{
	uint32_t index = lists->policies.items[refusal->costs[0].list];

	gpc_diag(diags, GPC_E0431, lists->model->policies[index].at,
		 "the `match` of the rules of policy `%s` tell more than %u classes of packets "
		 "apart",
		 lists->model->policies[index].name, GPC_MAX_MATCH_CLASSES);
}

static bool refuse(struct gpc_diags *diags, const struct lists *lists,
		   enum gpc_classify_status status, const struct gpc_classify_refusal *refusal,
		   uint64_t room)
{
	if (status == GPC_CLASSIFY_MATCHES)
		refuse_matches(diags, lists, refusal);
	else
		refuse_size(diags, lists, refusal, room);
	return false;
}

bool gpc_lower_classifiers(struct gpc_diags *diags, const struct gpc_model *model,
			   struct gpc_tables *tables)
{
	struct lists lists = {.arena = diags->arena, .model = model};
	struct gpc_classify_refusal refusal;
	struct gpc_classified classified;
	enum gpc_classify_status status;
	uint64_t room;

	for (uint32_t i = 0; i < model->policy_count; i++)
		list_policy(&lists, i, &tables->policies[i]);
	list_chains(&lists, tables);
	if (!lists.items.n)
		return true;
	room = room_for_words(model, tables, lists.items.n);
	status = gpc_classify_compile(diags->arena, &model->space, lists.items.items, lists.items.n,
				      room, &classified, &refusal);
	if (status != GPC_CLASSIFY_OK)
		return refuse(diags, &lists, status, &refusal, room);
	tables->tries = classified.tries;
	tables->classifiers = classified.classifiers;
	tables->classifier_count = lists.items.n;
	tables->words = classified.words;
	tables->word_count = classified.word_count;
	return true;
}
