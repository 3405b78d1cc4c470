/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "redundant.h"
#include "shadow.h"

struct analysis {
	struct gpc_diags *diags;
	struct gpc_list list;
	struct gpc_index *index;
};

static const char *rule_name(const struct gpc_list *list, uint32_t position)
{
	return gpc_list_rule(list, position)->name;
}

static struct gpc_place named_at(const struct gpc_list *list, uint32_t position)
{
	return list->policy->rules_at[position];
}

/* "`a`", "`a` and `b`", "`a`, `b` and others" */
static const char *blocker_names(const struct analysis *a, const struct gpc_shadow *shadow)
{
	const struct gpc_list *list = &a->list;
	const char *text;

	if (a->diags->records.n >= GPC_MAX_DIAGS)
		return ""; /* nobody will read it */
	text = gpc_arena_printf(a->diags->arena, "`%s`", rule_name(list, shadow->blockers[0]));

	for (size_t i = 1; i < shadow->blocker_count; i++) {
		bool last = i + 1 == shadow->blocker_count && !shadow->more_blockers;

		text = gpc_arena_printf(a->diags->arena, "%s%s`%s`", text, last ? " and " : ", ",
					rule_name(list, shadow->blockers[i]));
	}
	return shadow->more_blockers ? gpc_arena_printf(a->diags->arena, "%s and others", text)
				     : text;
}

static void report_shadowed(const struct analysis *a, uint32_t position,
			    const struct gpc_shadow *shadow)
{
	const struct gpc_list *list = &a->list;
	struct gpc_diag *diag = gpc_diag(
		a->diags, GPC_W0360, named_at(list, position),
		"rule `%s` never acts in policy `%s`: all of its packets are decided before, by %s",
		rule_name(list, position), list->policy->name, blocker_names(a, shadow));

	for (size_t i = 0; i < shadow->blocker_count && i + 1 < GPC_DIAG_PLACES; i++)
		gpc_diag_place(diag, gpc_list_rule(list, shadow->blockers[i])->at,
			       i ? "and here" : "decided here");
	gpc_diag_hint(a->diags, diag, "remove it, or move it up");
}

static void report_redundant(const struct analysis *a, uint32_t position, uint32_t after)
{
	const struct gpc_list *list = &a->list;
	struct gpc_diag *diag = gpc_diag(
		a->diags, GPC_W0361, named_at(list, position),
		"rule `%s` changes nothing in policy `%s`: without it `%s` would decide the same",
		rule_name(list, position), list->policy->name, rule_name(list, after));

	gpc_diag_place(diag, gpc_list_rule(list, after)->at, "decides the same");
}

/* ---- equal priority ---- */

struct overlap {
	const struct gpc_list *list;
	const struct gpc_box *box;
	uint32_t position, other;
};

static bool boxes_meet(const struct gpc_list *list, const struct gpc_box *a,
		       const struct gpc_box *b)
{
	const struct gpc_space *space = &list->model->space;
	struct gpc_region region = {.arena = list->scratch};
	struct gpc_piece piece;
	bool meet = false;

	gpc_region_add(&region, space, a);
	while (!meet && gpc_region_pop(&region, &piece))
		meet = gpc_piece_meets(&piece, space, b);
	gpc_arena_reset(list->scratch);
	return meet;
}

static bool see_overlap(void *context, const struct gpc_box *other)
{
	struct overlap *o = context;
	const struct gpc_model_rule *rule = gpc_list_rule(o->list, o->position);
	const struct gpc_model_rule *before = gpc_list_rule(o->list, other->position);

	if (other->position >= o->other || before->priority != rule->priority || before->action == rule->action ||
	    !boxes_meet(o->list, o->box, other))
		return true;
	o->other = other->position;
	return true;
}

/* The position before the first one of the same priority; UINT32_MAX stands before position 0. */
static uint32_t first_equal(const struct gpc_list *list, uint32_t position)
{
	uint16_t priority = gpc_list_rule(list, position)->priority;

	while (position && gpc_list_rule(list, position - 1)->priority == priority)
		position--;
	return position - 1;
}

/* False: not judged. */
static bool judge_overlap(const struct analysis *a, uint32_t position)
{
	const struct gpc_model_rule *rule = gpc_list_rule(&a->list, position);
	struct overlap overlap = {.list = &a->list, .position = position, .other = GPC_NONE};
	struct gpc_diag *diag;

	for (size_t i = 0; i < rule->box_count; i++) {
		overlap.box = &rule->boxes[i];
		if (!gpc_index_meeting(a->index, overlap.box, first_equal(&a->list, position),
				       position, see_overlap, &overlap))
			return false;
	}
	if (overlap.other == GPC_NONE)
		return true;
	diag = gpc_diag(a->diags, GPC_W0362, rule->at,
			"rules `%s` and `%s` of policy `%s` have equal priority %u, other verdicts and "
			"packets in common",
			rule_name(&a->list, overlap.other), rule->name, a->list.policy->name,
			rule->priority);
	gpc_diag_place(diag, gpc_list_rule(&a->list, overlap.other)->at,
		       "decides them, because it is named first");
	return true;
}

/* ---- one policy ---- */

/* Has this rule a neighbour of the same priority? Rules stand in ascending priority. */
static bool has_equal(const struct gpc_list *list, uint32_t position)
{
	return position && gpc_list_rule(list, position)->has_priority &&
	       gpc_list_rule(list, position - 1)->priority ==
		       gpc_list_rule(list, position)->priority;
}

static void report_unjudged(const struct analysis *a, uint32_t position)
{
	gpc_diag(a->diags, GPC_W0363, named_at(&a->list, position),
		 "rule `%s` of policy `%s` was not judged: too many rules before it overlap",
		 rule_name(&a->list, position), a->list.policy->name);
}

/* The packets that prove rules live; `dead` where there is none, or no packet could reach the rule. */
static void judge_shadows(const struct analysis *a, struct gpc_question *witnesses, bool *dead)
{
	for (uint32_t p = 0; p < a->list.policy->rule_count; p++) {
		struct gpc_shadow shadow;

		dead[p] = true;
		if (!gpc_list_rule(&a->list, p)->box_count)
			continue;
		shadow = gpc_shadow_of(&a->list, p);
		witnesses[p] = shadow.witness;
		dead[p] = shadow.verdict != GPC_RULE_LIVE;
		if (shadow.verdict == GPC_RULE_UNJUDGED)
			report_unjudged(a, p);
		else if (shadow.verdict == GPC_RULE_SHADOWED)
			report_shadowed(a, p, &shadow);
	}
}

/* False: not judged in all. */
static bool judge_live(const struct analysis *a, uint32_t position,
		       const struct gpc_question *witness)
{
	enum gpc_redundant_verdict verdict;
	uint32_t after;
	bool judged;

	verdict = gpc_redundant_of(&a->list, a->index, position, witness, &after);
	judged = verdict != GPC_RULE_UNKNOWN;
	if (verdict == GPC_RULE_REDUNDANT)
		report_redundant(a, position, after);
	if (gpc_action_decides(gpc_list_rule(&a->list, position)->action) &&
	    has_equal(&a->list, position))
		judged &= judge_overlap(a, position);
	return judged;
}

static void report_entangled(const struct analysis *a, size_t unjudged)
{
	if (unjudged)
		gpc_diag(a->diags, GPC_W0363, a->list.policy->at,
			 "%zu rule%s of policy `%s` %s not judged for what rules behind %s would "
			 "decide: too many of them overlap",
			 unjudged, unjudged == 1 ? "" : "s", a->list.policy->name,
			 unjudged == 1 ? "was" : "were", unjudged == 1 ? "it" : "them");
}

static void judge_policy(struct gpc_arena *arena, struct analysis *a,
			 const struct gpc_set_line *line)
{
	size_t count = a->list.policy->rule_count;
	struct gpc_question *witnesses = GPC_NEW_ARRAY(arena, struct gpc_question, count);
	bool *dead = GPC_NEW_ARRAY(arena, bool, count);
	size_t unjudged = 0;

	judge_shadows(a, witnesses, dead);
	a->index = gpc_index_new(arena, line, &a->list, dead);
	for (size_t i = 0; i < count; i++)
		unjudged += !dead[i] && !judge_live(a, (uint32_t)i, &witnesses[i]);
	report_entangled(a, unjudged);
}

void gpc_analyze_rules(struct gpc_diags *diags, const struct gpc_model *model, struct gpc_view view)
{
	struct gpc_arena arena = {0}, scratch = {0};
	struct gpc_set_line *line = gpc_set_line_new(&arena, &model->space);

	for (size_t p = 0; p < model->policy_count; p++) {
		struct analysis a = {.diags = diags, .list = gpc_list_of(model, view, p, &scratch)};

		judge_policy(&arena, &a, line);
	}
	gpc_arena_release(&scratch);
	gpc_arena_release(&arena);
}
