/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "describe.h"
#include "output.h"
#include "replay.h"
#include "rulebook.h"
#include "status.h"

static void add_sum(struct json_object *object, const struct gpc_sum *sum)
{
	gpc_json_number(object, "packets", (int64_t)sum->packets);
	gpc_json_number(object, "bytes", (int64_t)sum->bytes);
}

static struct json_object *begin(const struct gpc_replayed *r, const char *type, size_t side)
{
	struct json_object *object = gpc_json(type);

	gpc_json_text(object, "image", r->names[side]);
	return object;
}

static void show_totals(const struct gpc_replayed *r, size_t side)
{
	const struct gpc_tally *tally = &r->replay->tallies[side];
	struct json_object *object = begin(r, "image", side);

	gpc_describe_json(r->replay->images[side], object);
	gpc_json_number(object, "would_deny", (int64_t)tally->would.packets);
	gpc_json_print(object);
	for (enum gpc_verdict v = GPC_VERDICT_PASS; v < GPC_VERDICTS; v++) {
		object = begin(r, "verdict", side);
		gpc_json_text(object, "verdict", gpc_verdict_name(v));
		add_sum(object, &tally->verdicts[v]);
		gpc_json_print(object);
	}
	for (int i = 0; i <= GPC_REASON_COUNT; i++) {
		if (!tally->reasons[i].packets)
			continue;
		object = begin(r, "reason", side);
		gpc_json_text(object, "reason",
			      i == GPC_REASON_COUNT ? NULL : gpc_reason_name((enum gpc_reason)i));
		add_sum(object, &tally->reasons[i]);
		gpc_json_print(object);
	}
}

static void add_rule(const struct gpc_image *image, struct json_object *object, uint32_t rule)
{
	const struct gpc_rule *record =
		rule == GPC_NONE ? NULL : gpc_image_record(image, GPC_SEC_RULE, rule);
	char place[GPC_RULE_PLACE];

	gpc_json_text(object, "policy", record ? gpc_rule_owner(image, record) : NULL);
	gpc_json_text(object, "rule", record ? gpc_image_name(image, record->name) : NULL);
	if (record && *gpc_rule_place(image, record, place))
		gpc_json_text(object, "place", place);
}

static void show_rules(const struct gpc_replayed *r, size_t side)
{
	const struct gpc_tally *tally = &r->replay->tallies[side];
	uint32_t rules = gpc_image_count(r->replay->images[side], GPC_SEC_RULE);

	for (uint32_t i = 0; i <= rules; i++) {
		const struct gpc_rule_sum *sum = &tally->rules[i];
		struct json_object *object;

		if (!sum->asked.packets && !sum->known.packets && !sum->would.packets)
			continue;
		object = begin(r, "rule", side);
		add_rule(r->replay->images[side], object, i == rules ? GPC_NONE : i);
		add_sum(object, &sum->asked);
		gpc_json_number(object, "known_packets", (int64_t)sum->known.packets);
		gpc_json_number(object, "known_bytes", (int64_t)sum->known.bytes);
		gpc_json_number(object, "would_deny", (int64_t)sum->would.packets);
		gpc_json_print(object);
	}
}

static void show_objects(const struct gpc_replayed *r, size_t side)
{
	const struct gpc_image *image = r->replay->images[side];
	const struct gpc_tally *tally = &r->replay->tallies[side];
	struct json_object *object;
	uint32_t count, endpoint_count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);
	const struct gpc_endpoint *endpoints =
		gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoint_count);

	for (uint32_t i = 0; i < count; i++) {
		if (!tally->listeners[i].packets)
			continue;
		object = begin(r, "listener", side);
		gpc_json_text(object, "listener", gpc_image_name(image, listeners[i].name));
		add_sum(object, &tally->listeners[i]);
		gpc_json_print(object);
	}
	for (uint32_t i = 0; i < endpoint_count; i++) {
		const struct gpc_backend *backend;

		if (!tally->endpoints[i].packets)
			continue;
		backend = gpc_image_record(image, GPC_SEC_BACKEND, endpoints[i].backend);
		object = begin(r, "endpoint", side);
		gpc_json_text(object, "backend", gpc_image_name(image, backend->name));
		gpc_json_text(object, "endpoint", gpc_image_name(image, endpoints[i].name));
		add_sum(object, &tally->endpoints[i]);
		gpc_json_print(object);
	}
}

/* ---- differences ---- */

static struct json_object *fate_json(const struct gpc_image *image, const struct gpc_fate *fate)
{
	struct json_object *object = json_object_new_object();

	gpc_json_text(object, "verdict", gpc_verdict_name(fate->verdict));
	gpc_json_text(object, "reason",
		      fate->reason == GPC_REASON_COUNT ? NULL : gpc_reason_name(fate->reason));
	add_rule(image, object, fate->rule);
	if (fate->known)
		gpc_json_bool(object, "known_flow", true);
	if (fate->would != GPC_NONE)
		gpc_json_text(object, "would", gpc_action_name(fate->would_action));
	if (fate->endpoint != GPC_NONE) {
		const struct gpc_endpoint *endpoint =
			gpc_image_record(image, GPC_SEC_ENDPOINT, fate->endpoint);

		gpc_json_text(object, "endpoint", gpc_image_name(image, endpoint->name));
	}
	if (fate->mark)
		gpc_json_number(object, "mark", fate->mark);
	return object;
}

static void add_witness(const struct gpc_replayed *r, struct json_object *object,
			const struct gpc_witness *witness)
{
	char text[GPC_PACKET_TEXT];

	gpc_json_number(object, "record", (int64_t)witness->number);
	gpc_json_text(object, "packet",
		      witness->ip ? gpc_packet_format(&witness->packet, text) : NULL);
	json_object_object_add(object, "before",
			       fate_json(r->replay->images[0], &witness->fate[0]));
	json_object_object_add(object, "after", fate_json(r->replay->images[1], &witness->fate[1]));
}

static void show_differences(const struct gpc_replayed *r)
{
	const struct gpc_differences *d = &r->replay->differences;
	GPC_AUTO_FREE size_t *changes = gpc_differences_changes(d);
	GPC_AUTO_FREE size_t *flows = gpc_differences_flows(d);

	for (size_t k = 0; k < d->change_count && k < r->top; k++) {
		const struct gpc_change *change = &d->changes[changes[k]];
		struct json_object *object = gpc_json("change");

		add_sum(object, &change->sum);
		add_witness(r, object, &change->witness);
		gpc_json_print(object);
	}
	for (size_t k = 0; k < d->flow_differs && k < r->top; k++) {
		const struct gpc_tally_flow *flow = &d->flows[flows[k]];
		struct json_object *object = gpc_json("flow");

		add_sum(object, &flow->differs);
		add_witness(r, object, &flow->witness);
		gpc_json_print(object);
	}
}

static void add_summary(const struct gpc_replayed *r, struct json_object *object)
{
	const struct gpc_replay *replay = r->replay;
	const struct gpc_differences *d = &replay->differences;

	gpc_json_text(object, "source", r->source);
	add_sum(object, &replay->tallies[0].all);
	gpc_json_number(object, "cut", (int64_t)r->losses->cut);
	gpc_json_number(object, "headless", (int64_t)r->losses->headless);
	gpc_json_number(object, "oversize", (int64_t)r->losses->oversize);
	gpc_json_number(object, "no_device", (int64_t)replay->undirected.packets);
	gpc_json_number(object, "backwards", (int64_t)replay->backwards);
	gpc_json_text(object, "damage", *r->losses->damage ? r->losses->damage : NULL);
	if (replay->timed) {
		gpc_json_number(object, "begin_ns", replay->begin);
		gpc_json_number(object, "end_ns", replay->end);
	}
	if (replay->count == 2) {
		gpc_json_number(object, "differences", (int64_t)d->all.packets);
		gpc_json_number(object, "kinds", (int64_t)d->change_count);
		gpc_json_number(object, "flows", (int64_t)d->flow_differs);
		gpc_json_number(object, "other_rule", (int64_t)d->same_by_other_rule.packets);
		gpc_json_number(object, "uncounted_kinds", (int64_t)d->other_changes.packets);
		gpc_json_number(object, "uncounted_flows", (int64_t)d->other_flows.packets);
	}
}

void gpc_replay_json(const struct gpc_replayed *replayed, struct json_object *result)
{
	for (size_t i = 0; i < replayed->replay->count; i++) {
		show_totals(replayed, i);
		show_rules(replayed, i);
		show_objects(replayed, i);
	}
	if (replayed->replay->count == 2)
		show_differences(replayed);
	add_summary(replayed, result);
}
