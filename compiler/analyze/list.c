/* SPDX-License-Identifier: MIT */
#include "list.h"

#include "gpc/lookup/chain.h"

static const struct gpc_classifier *classifier_or_none(struct gpc_view view, uint32_t index)
{
	return index == GPC_NONE ? NULL : gpc_classifier_at(view, index);
}

struct gpc_list gpc_list_of(const struct gpc_model *model, struct gpc_view view, size_t policy,
			    struct gpc_arena *scratch)
{
	const struct gpc_policy *record = gpc_policy_at(view, (uint32_t)policy);

	return (struct gpc_list){
		.model = model,
		.policy = &model->policies[policy],
		.view = view,
		.decide = classifier_or_none(view, record->decide),
		.log = classifier_or_none(view, record->log),
		.mark = classifier_or_none(view, record->mark),
		.scratch = scratch,
	};
}

const struct gpc_model_rule *gpc_list_rule(const struct gpc_list *list, uint32_t position)
{
	return &list->model->rules[list->policy->rules[position]];
}

bool gpc_action_decides(enum gpc_action action)
{
	return action != GPC_ACTION_LOG && action != GPC_ACTION_MARK;
}

uint32_t gpc_list_first(const struct gpc_list *list, enum gpc_action action,
			const struct gpc_question *question)
{
	struct gpc_classes classes = gpc_address_classes(list->view, question);
	const struct gpc_classifier *lists[] = {
		list->decide,
		action == GPC_ACTION_LOG    ? list->log
		: action == GPC_ACTION_MARK ? list->mark
					    : NULL,
	};
	uint32_t first = GPC_NONE;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		uint32_t found = GPC_NONE;

		if (lists[i])
			found = gpc_classify(list->view, lists[i], question, classes);
		if (found < first)
			first = found;
	}
	return first;
}

const struct gpc_box *gpc_list_box(const struct gpc_list *list, uint32_t position,
				   const struct gpc_question *question)
{
	const struct gpc_model_rule *rule = gpc_list_rule(list, position);

	for (size_t i = 0; i < rule->box_count; i++)
		if (gpc_box_holds(&list->model->space, &rule->boxes[i], question))
			return &rule->boxes[i];
	return NULL;
}
