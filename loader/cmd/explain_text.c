/* SPDX-License-Identifier: MIT */
#include "../../compiler/analyze/behind.h"
#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/words.h"
#include "../../compiler/base/cleanup.h"
#include "explain.h"
#include "output.h"
#include "rulebook.h"
#include "split.h"

#define SHOWN_BEHIND 10u

struct writing {
	const struct gpc_explain_call *explain;
	const struct gpc_question *packet;
	struct gpc_explanation e;
	struct gpc_arena arena;
	FILE *out;
};

static const struct gpc_rule *rule_at(const struct writing *w, uint32_t rule)
{
	return gpc_rule_at(w->explain->image->view, rule);
}

static const char *name_at(const struct writing *w, uint32_t name)
{
	return gpc_image_name(w->explain->image, name);
}

/* "web.yaml:12:5", "" if the image does not say. */
static const char *place_of(struct writing *w, uint64_t id)
{
	uint32_t line, column;
	const char *path;

	if (!gpc_image_place(w->explain->image, &w->arena, id, &path, &line, &column))
		return "";
	return gpc_arena_printf(&w->arena, "%s:%u:%u", path, line, column);
}

static const char *rule_place(struct writing *w, uint32_t rule)
{
	char place[GPC_RULE_PLACE];

	return gpc_arena_strdup(&w->arena,
				gpc_rule_place(w->explain->image, rule_at(w, rule), place));
}

/* "rule ssh of policy edge", "built-in nd", "protect mgmt" */
static const char *rule_text(struct writing *w, uint32_t rule)
{
	const struct gpc_rule *record = rule_at(w, rule);
	const char *name = name_at(w, record->name);
	const char *owner = gpc_rule_owner(w->explain->image, record);

	if (record->flags & (GPC_RULE_BUILTIN | GPC_RULE_PROTECT))
		return gpc_arena_printf(&w->arena, "%s %s", owner, name);
	if (record->flags & GPC_RULE_DEFAULT)
		return gpc_arena_printf(&w->arena, "the default of policy %s", owner);
	return gpc_arena_printf(&w->arena, "rule %s of policy %s", name, owner);
}

static enum gpc_paint paint_of(enum gpc_action action)
{
	return action == GPC_ACTION_DENY || action == GPC_ACTION_REJECT ? GPC_RED : GPC_GREEN;
}

static void write_verdict(struct writing *w)
{
	const struct gpc_explanation *e = &w->e;

	fprintf(w->out, "verdict   %s%s%s", gpc_paint(w->out, paint_of(e->action)),
		gpc_action_name(e->action), gpc_paint(w->out, GPC_PLAIN));
	if (e->rule != GPC_NONE)
		fprintf(w->out, ", by %s  %s", rule_text(w, e->rule),
			rule_place(w, e->rule));
	else
		fputs(w->explain->point.chain ? ", nobody decides"
					      : ", no policy on this interface and direction",
		      w->out);
	fputc('\n', w->out);
	if (e->would_rule != GPC_NONE)
		fprintf(w->out, "would     %s%s%s, by %s in audit  %s\n",
			gpc_paint(w->out, GPC_YELLOW), gpc_action_name(e->would),
			gpc_paint(w->out, GPC_PLAIN), rule_text(w, e->would_rule),
			rule_place(w, e->would_rule));
	if (e->mid_stream)
		fputs("as        TCP in mid-stream of an unknown flow: what a rule allows is left to "
		      "the default\n",
		      w->out);
}

static void write_asked(struct writing *w)
{
	const struct gpc_explain_point *point = &w->explain->point;
	const struct gpc_answer *answer = &w->e.answer;

	if (point->chain && point->chain->protect != GPC_NONE && answer->asked)
		fputs("asked     protect: no item holds it\n", w->out);
	for (uint32_t i = 0; i < answer->asked; i++) {
		const struct gpc_policy *policy =
			gpc_policy_at(w->explain->image->view, point->chain->policy[i]);
		const struct gpc_rule *rule = rule_at(w, answer->rule[i]);
		bool audit = w->explain->audit || policy->mode == GPC_POLICY_AUDIT;

		fprintf(w->out, "asked     policy %s%s: %s says %s%s\n", name_at(w, policy->name),
			audit ? " (audit)" : "", rule_text(w, answer->rule[i]),
			gpc_action_name(rule->action), i == answer->decider ? ", which decides" : "");
	}
}

/* Rules of the asked policies that hold the packet too. */
static void write_lost(struct writing *w, uint32_t i)
{
	const struct gpc_model *model = w->explain->model;
	const struct gpc_policy *policy =
		gpc_policy_at(w->explain->image->view, w->explain->point.chain->policy[i]);
	const struct gpc_model_policy *written =
		&model->policies[w->explain->point.chain->policy[i]];
	uint32_t own = w->e.answer.rule[i] - policy->first_rule, shown = 0;
	uint32_t p = gpc_holding_rule(model, written, 0, w->packet);

	for (; p != GPC_NONE; p = gpc_holding_rule(model, written, p + 1, w->packet)) {
		const struct gpc_model_rule *rule = &model->rules[written->rules[p]];
		bool acts = p < own && (rule->action == GPC_ACTION_LOG ||
					rule->action == GPC_ACTION_MARK);

		if (p == own)
			continue;
		if (shown++ == SHOWN_BEHIND) {
			fprintf(w->out, "lost      and more of policy %s\n", written->name);
			return;
		}
		fprintf(w->out, "%s rule %s of policy %s (%s)%s  %s\n", acts ? "beside   " : "lost     ",
			rule->name, written->name, gpc_action_name(rule->action),
			acts ? "" : " holds it too", place_of(w, written->rule_ids[p]));
	}
}

static void write_tables(struct writing *w)
{
	const struct gpc_image *image = w->explain->image;
	struct gpc_classes classes = gpc_address_classes(image->view, w->packet);

	fprintf(w->out, "tables    source class %u of %u, destination class %u of %u\n",
		classes.source, image->plane->tries.classes[0], classes.destination,
		image->plane->tries.classes[1]);
	for (uint32_t i = 0; i < w->e.answer.asked; i++) {
		const struct gpc_policy *policy =
			gpc_policy_at(image->view, w->explain->point.chain->policy[i]);
		const struct gpc_classifier *classifier;

		if (policy->decide == GPC_NONE)
			continue;
		classifier = gpc_classifier_at(image->view, policy->decide);
		fprintf(w->out, "tables    policy %s: %u group%s, at most %u loads one after another\n",
			name_at(w, policy->name), classifier->groups,
			classifier->groups == 1 ? "" : "s", classifier->loads);
	}
}

/* The backends that serve a listener. */
static void write_backend(struct writing *w, const struct gpc_listener *listener)
{
	GPC_AUTO_FREE char *backends = gpc_listener_backends(w->explain->image, listener);

	if (listener->backend == GPC_NONE)
		fputs("the local stack", w->out);
	else
		fprintf(w->out, "%s %s", listener->pools > 1 ? "split:" : "backend", backends);
}

static void write_listener(struct writing *w)
{
	const struct gpc_listener *listener;
	uint32_t count;

	if (w->e.listener == GPC_NONE || w->e.action == GPC_ACTION_DENY ||
	    w->e.action == GPC_ACTION_REJECT)
		return;
	listener = gpc_image_section(w->explain->image, GPC_SEC_LISTENER, &count);
	listener += w->e.listener;
	fprintf(w->out, "then      listener %s, ", name_at(w, listener->name));
	write_backend(w, listener);
	fprintf(w->out, "  %s\n", place_of(w, listener->id));
}

void gpc_explain_text(const struct gpc_explain_call *explain, const struct gpc_question *packet,
		      FILE *out)
{
	struct writing w = {.explain = explain, .packet = packet, .out = out};
	char text[GPC_PACKET_TEXT];

	gpc_explain(explain->image, &explain->point, packet, explain->audit, &w.e);
	fprintf(out, "packet    %s, %s %s\n", gpc_packet_format(packet, text),
		explain->point.direction == GPC_INGRESS ? "in by" : "out by", explain->interface);
	write_verdict(&w);
	write_asked(&w);
	for (uint32_t i = 0; explain->model && i < w.e.answer.asked; i++)
		write_lost(&w, i);
	if (explain->point.chain)
		write_tables(&w);
	write_listener(&w);
	gpc_arena_release(&w.arena);
}
