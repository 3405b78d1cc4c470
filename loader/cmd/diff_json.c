/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/words.h"
#include "diff.h"
#include "gpc/lookup/chain.h"
#include "output.h"
#include "rulebook.h"

static struct json_object *party(const struct gpc_party *p)
{
	struct json_object *object = json_object_new_object();
	struct json_object *segments = json_object_new_array(), *prefixes = json_object_new_array();
	char text[GPC_PREFIX_TEXT];

	for (size_t i = 0; i < p->name_count; i++)
		json_object_array_add(segments, json_object_new_string(p->names[i]));
	for (size_t i = 0; i < p->prefix_count; i++)
		json_object_array_add(prefixes, json_object_new_string(gpc_prefix_format(
							&p->prefixes[i], text)));
	gpc_json_bool(object, "any_but", p->but);
	json_object_object_add(object, "segments", segments);
	json_object_object_add(object, "prefixes", prefixes);
	return object;
}

static void add_rule(const struct gpc_image *image, uint32_t index, const char *prefix,
		     struct json_object *object)
{
	const struct gpc_rule *rule;
	char place[GPC_RULE_PLACE], key[32];

	if (index == GPC_NONE)
		return;
	rule = gpc_rule_at(image->view, index);
	snprintf(key, sizeof(key), "%spolicy", prefix);
	gpc_json_text(object, key, gpc_rule_owner(image, rule));
	snprintf(key, sizeof(key), "%srule", prefix);
	gpc_json_text(object, key, gpc_image_name(image, rule->name));
	snprintf(key, sizeof(key), "%splace", prefix);
	if (*gpc_rule_place(image, rule, place))
		gpc_json_text(object, key, place);
}

static struct json_object *verdict(const struct gpc_image *image,
				   const struct gpc_atlas_verdict *v)
{
	struct json_object *object = json_object_new_object();
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	gpc_json_text(object, "verdict", gpc_action_name(v->action));
	if (v->at_times)
		gpc_json_text(object, "beyond_rate", gpc_action_name(GPC_ACTION_ALLOW));
	add_rule(image, v->rule, "", object);
	add_rule(image, v->log_rule, "log_", object);
	gpc_json_number(object, "mark", v->mark);
	if (v->listener != GPC_NONE && gpc_atlas_passes(v))
		gpc_json_text(object, "listener", gpc_image_name(image, listeners[v->listener].name));
	return object;
}

static void print_space(const struct gpc_diff_view *view, const struct gpc_diff_space *space)
{
	struct json_object *object = gpc_json("space"), *places = json_object_new_array();
	struct json_object *services = json_object_new_array();
	char packet[GPC_PACKET_TEXT];

	for (size_t i = 0; i < space->place_count; i++) {
		const struct gpc_atlas_place *place = &view->diff.places[space->places[i]];
		struct json_object *at = json_object_new_object();

		gpc_json_text(at, "interface", place->interface);
		gpc_json_text(at, "direction", gpc_direction_name(place->direction));
		json_object_array_add(places, at);
	}
	for (size_t i = 0; i < space->service_count; i++)
		json_object_array_add(services, json_object_new_string(space->services[i]));
	gpc_json_text(object, "effect", gpc_diff_effect_name(space->effect));
	gpc_json_bool(object, "once_enforced", space->enforced);
	json_object_object_add(object, "places", places);
	json_object_object_add(object, "from", party(&space->from));
	json_object_object_add(object, "to", party(&space->to));
	gpc_json_bool(object, "any_service_but", space->services_but);
	json_object_object_add(object, "services", services);
	gpc_json_bool(object, "opens_flow", space->opens);
	gpc_json_text(object, "witness", gpc_packet_format(&space->witness, packet));
	json_object_object_add(object, "before", verdict(view->images[0], &space->verdict[0]));
	json_object_object_add(object, "after", verdict(view->images[1], &space->verdict[1]));
	gpc_json_print(object);
}

static void print_change(const struct gpc_change *change)
{
	struct json_object *object = gpc_json("change");

	gpc_json_text(object, "object", gpc_change_object_name(change->object));
	gpc_json_text(object, "change", gpc_change_kind_name(change->kind));
	gpc_json_text(object, "name", change->name);
	gpc_json_text(object, "detail", *change->text ? change->text : NULL);
	gpc_json_print(object);
}

static void print_pool(const struct gpc_diff_pool *pool)
{
	struct json_object *object = gpc_json("pool"), *shares = json_object_new_array();

	gpc_json_text(object, "backend", pool->backend);
	gpc_json_number(object, "size_before", pool->size[0]);
	gpc_json_number(object, "size_after", pool->size[1]);
	gpc_json_number(object, "moved", pool->moved);
	gpc_json_number(object, "least", pool->least);
	for (size_t i = 0; i < pool->share_count; i++) {
		struct json_object *share = json_object_new_object();

		gpc_json_text(share, "endpoint", pool->shares[i].name);
		gpc_json_number(share, "slots_before", pool->shares[i].slots[0]);
		gpc_json_number(share, "slots_after", pool->shares[i].slots[1]);
		json_object_array_add(shares, share);
	}
	json_object_object_add(object, "shares", shares);
	gpc_json_print(object);
}

void gpc_diff_json(const struct gpc_diff_view *view, struct json_object *result)
{
	const struct gpc_diff *diff = &view->diff;

	for (size_t i = 0; i < diff->space_count; i++)
		print_space(view, &diff->spaces[i]);
	for (size_t i = 0; i < diff->changes.count; i++)
		print_change(&diff->changes.items[i]);
	for (size_t i = 0; i < diff->pool_count; i++)
		print_pool(&diff->pools[i]);
	for (size_t i = 0; i < diff->warning_count; i++) {
		struct json_object *object = gpc_json("warning");

		gpc_json_text(object, "text", diff->warnings[i]);
		gpc_json_print(object);
	}
	gpc_json_text(result, "before", view->names[0]);
	gpc_json_text(result, "after", view->names[1]);
	gpc_json_bool(result, "same_bytes", diff->same_bytes);
	gpc_json_bool(result, "same_packets", diff->same);
	gpc_json_number(result, "spaces", (int64_t)diff->space_count);
	gpc_json_text(result, "summary", gpc_diff_summary(view));
	if (diff->fault)
		gpc_json_text(result, "fault", diff->fault);
}
