/* SPDX-License-Identifier: MIT */
/*
 * list.h: the rules of one policy as a list that is asked: first matches by the compiled tables, boxes
 * by position. For analyze/ only.
 */
#ifndef GPC_ANALYZE_LIST_H
#define GPC_ANALYZE_LIST_H

#include "../model/model.h"
#include "gpc/lookup/view.h"
#include "region.h"

struct gpc_list {
	const struct gpc_model *model;
	const struct gpc_model_policy *policy;
	struct gpc_view view;
	const struct gpc_classifier *decide, *log, *mark;	/* NULL: none */
	struct gpc_arena *scratch;	/* of one judgement at a time, reset behind it */
};

struct gpc_list gpc_list_of(const struct gpc_model *model, struct gpc_view view, size_t policy,
			    struct gpc_arena *scratch);

const struct gpc_model_rule *gpc_list_rule(const struct gpc_list *list, uint32_t position);

/*
 * The first position that keeps a rule with this action from acting on the packet, or is that rule's
 * own: of what decides, and for log and mark also of their own kind. GPC_NONE: none.
 */
uint32_t gpc_list_first(const struct gpc_list *list, enum gpc_action action,
			const struct gpc_question *question);

/* A box of the position that holds the packet, NULL if none does. */
const struct gpc_box *gpc_list_box(const struct gpc_list *list, uint32_t position,
				   const struct gpc_question *question);

/* Allow, deny, reject: ends the search. */
bool gpc_action_decides(enum gpc_action action);

#endif
