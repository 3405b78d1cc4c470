/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "../../compiler/analyze/behind.h"
#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "explain.h"
#include "output.h"
#include "rulebook.h"
#include "split.h"

struct building {
	const struct gpc_explain_call *explain;
	const struct gpc_question *packet;
	struct gpc_explanation e;
};

/* policy, rule, place of a RULE record. */
static void add_rule(const struct building *b, struct json_object *object, uint32_t rule)
{
	const struct gpc_image *image = b->explain->image;
	const struct gpc_rule *record = gpc_rule_at(image->view, rule);
	char place[GPC_RULE_PLACE];

	gpc_json_text(object, "policy", gpc_rule_owner(image, record));
	gpc_json_text(object, "rule", gpc_image_name(image, record->name));
	if (*gpc_rule_place(image, record, place))
		gpc_json_text(object, "place", place);
}

/* The rules of an asked policy that hold the packet too; NULL without the model. */
static struct json_object *lost_rules(struct building *b, uint32_t i)
{
	const struct gpc_model *model = b->explain->model;
	const struct gpc_model_policy *policy;
	uint32_t own, p;
	struct json_object *names;

	if (!model)
		return NULL;
	policy = &model->policies[b->explain->point.chain->policy[i]];
	own = b->e.answer.rule[i] -
	      gpc_policy_at(b->explain->image->view, b->explain->point.chain->policy[i])->first_rule;
	names = json_object_new_array();
	for (p = gpc_holding_rule(model, policy, 0, b->packet); p != GPC_NONE;
	     p = gpc_holding_rule(model, policy, p + 1, b->packet))
		if (p != own)
			json_object_array_add(
				names, json_object_new_string(model->rules[policy->rules[p]].name));
	return names;
}

static struct json_object *asked_policies(struct building *b)
{
	const struct gpc_image *image = b->explain->image;
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < b->e.answer.asked; i++) {
		const struct gpc_policy *policy =
			gpc_policy_at(image->view, b->explain->point.chain->policy[i]);
		struct json_object *object = json_object_new_object(), *lost = lost_rules(b, i);

		add_rule(b, object, b->e.answer.rule[i]);
		gpc_json_text(object, "action",
			      gpc_action_name(gpc_rule_at(image->view, b->e.answer.rule[i])->action));
		gpc_json_bool(object, "audit", b->explain->audit || policy->mode == GPC_POLICY_AUDIT);
		gpc_json_bool(object, "decides", i == b->e.answer.decider);
		if (lost)
			json_object_object_add(object, "lost", lost);
		json_object_array_add(list, object);
	}
	return list;
}

static void add_listener(struct building *b, struct json_object *object)
{
	uint32_t count;
	const struct gpc_listener *listeners =
		gpc_image_section(b->explain->image, GPC_SEC_LISTENER, &count);
	const struct gpc_backend *backends =
		gpc_image_section(b->explain->image, GPC_SEC_BACKEND, &count);
	const struct gpc_listener *listener = &listeners[b->e.listener];

	gpc_json_text(object, "listener", gpc_image_name(b->explain->image, listener->name));
	if (listener->pools > 1) {
		GPC_AUTO_FREE char *split = gpc_listener_backends(b->explain->image, listener);

		gpc_json_text(object, "split", split);
	} else if (listener->backend != GPC_NONE)
		gpc_json_text(object, "backend",
			      gpc_image_name(b->explain->image, backends[listener->backend].name));
}

void gpc_explain_json(const struct gpc_explain_call *explain, const struct gpc_question *packet)
{
	struct building b = {.explain = explain, .packet = packet};
	struct json_object *object = gpc_json("explanation"), *would;
	char text[GPC_PACKET_TEXT];

	gpc_explain(explain->image, &explain->point, packet, explain->audit, &b.e);
	gpc_json_text(object, "packet", gpc_packet_format(packet, text));
	gpc_json_text(object, "interface", explain->interface);
	gpc_json_text(object, "direction",
		      gpc_direction_name(explain->point.direction));
	gpc_json_text(object, "verdict", gpc_action_name(b.e.action));
	if (b.e.rule != GPC_NONE)
		add_rule(&b, object, b.e.rule);
	gpc_json_bool(object, "mid_stream", b.e.mid_stream);
	if (b.e.would_rule != GPC_NONE) {
		would = json_object_new_object();
		gpc_json_text(would, "action", gpc_action_name(b.e.would));
		add_rule(&b, would, b.e.would_rule);
		json_object_object_add(object, "would", would);
	}
	json_object_object_add(object, "asked", asked_policies(&b));
	if (b.e.listener != GPC_NONE && b.e.action != GPC_ACTION_DENY &&
	    b.e.action != GPC_ACTION_REJECT)
		add_listener(&b, object);
	gpc_json_print(object);
}
