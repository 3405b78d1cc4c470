/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/analyze/changes.h"
#include "describe.h"
#include "flow_fill.h"
#include "generation.h"
#include "output.h"
#include "pending.h"
#include "../../compiler/base/words.h"
#include "split.h"
#include "status.h"
#include "status_overrides.h"
#include "status_policies.h"

#define SHARE_DECIMALS 6

static void add_counter(struct json_object *object, struct gpc_counter counter)
{
	gpc_json_number(object, "packets", (int64_t)counter.packets);
	gpc_json_number(object, "bytes", (int64_t)counter.bytes);
	gpc_json_number(object, "flows", (int64_t)counter.flows);
	gpc_json_number(object, "dropped", (int64_t)counter.dropped);
}

/* null of nothing */
static void add_share(struct json_object *object, const char *key, uint64_t part, uint64_t whole)
{
	if (whole)
		gpc_json_real(object, key, (double)part / (double)whole, SHARE_DECIMALS);
	else
		gpc_json_text(object, key, NULL);
}

static void print_plane(const struct gpc_status *status)
{
	const struct gpc_confirm *confirm = &status->plane.confirm;
	struct json_object *object = gpc_json("plane");

	gpc_json_bool(object, "off", status->plane.control & GPC_CTL_OFF);
	gpc_json_text(
		object, "policy_mode",
		gpc_stance_name(gpc_stance_of(status->plane.image.plane, status->plane.control)));
	gpc_json_number(object, "generation", status->link->generation);
	gpc_json_number(object, "size_class_log2", status->plane.size_log2);
	gpc_json_number(object, "sequence", gpc_ctl_sequence(status->plane.control));
	gpc_json_bool(object, "pending", confirm->armed && !confirm->expired);
	gpc_json_bool(object, "rolled_back", confirm->expired);
	if (confirm->armed) {
		gpc_json_number(object, "waiting_generation", confirm->generation);
		gpc_json_number(object, "fallback_generation", confirm->fallback);
		gpc_json_number(object, "left_ms", (int64_t)confirm->left_ms);
	}
	gpc_describe_json(&status->plane.image, object);
	gpc_json_print(object);
	if (confirm->armed && !confirm->expired)
		gpc_pending_json(confirm);
	if (status->running.number)
		gpc_json_print(gpc_generation_json(&status->running, "recorded"));
}

static void print_devices(const struct gpc_status *status)
{
	for (size_t i = 0; i < status->plane.device_count; i++) {
		const struct gpc_device_status *d = &status->plane.devices[i];
		struct json_object *object = gpc_json("device");

		gpc_json_text(object, "name", d->name);
		gpc_json_number(object, "ifindex", d->ifindex);
		gpc_json_text(object, "hook", gpc_hook_bit_name(d->hook));
		gpc_json_bool(object, "generic", d->generic);
		gpc_json_text(object, "state", gpc_link_state_name(d->state));
		gpc_json_text(object, "detail", *d->detail ? d->detail : NULL);
		gpc_json_print(object);
	}
}

static void print_listeners(const struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;
	char **addresses = gpc_listener_addresses(image);

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_LISTENER); i++) {
		const struct gpc_listener *l = gpc_image_record(image, GPC_SEC_LISTENER, i);
		struct json_object *object = gpc_json("listener");

		gpc_json_text(object, "name", gpc_image_name(image, l->name));
		gpc_json_text(object, "address", addresses[i]);
		gpc_json_text(object, "forward", gpc_forward_name(l->forward));
		gpc_json_text(object, "backend", gpc_listener_backend(image, l));
		gpc_split_json(status, i, object);
		add_counter(object, gpc_listener_counter(status, i));
		gpc_json_print(object);
	}
	gpc_listener_addresses_free(image, addresses);
}

static void print_endpoints(const struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;
	GPC_AUTO_FREE uint32_t *order = gpc_endpoint_order(image);

	for (uint32_t n = 0; n < gpc_image_count(image, GPC_SEC_ENDPOINT); n++) {
		const uint32_t i = order[n];
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, i);
		const struct gpc_backend *b = gpc_image_record(image, GPC_SEC_BACKEND, e->backend);
		struct json_object *object = gpc_json("endpoint");
		GPC_AUTO_FREE char *addresses = gpc_endpoint_addresses(e);
		GPC_AUTO_FREE char *hop = gpc_next_hop_text(status, i);

		gpc_json_text(object, "backend", gpc_image_name(image, b->name));
		gpc_json_text(object, "name", gpc_image_name(image, e->name));
		gpc_json_text(object, "address", addresses);
		gpc_json_text(object, "state", gpc_state_name(e->state));
		gpc_json_number(object, "weight", e->weight);
		gpc_status_override_json(status, i, object);
		gpc_json_number(object, "slots", status->slots[i]);
		gpc_json_number(object, "slots_of", (int64_t)status->backend_slots[e->backend]);
		add_counter(object, gpc_endpoint_counter(status, i));
		add_share(object, "due", status->slots[i], status->backend_slots[e->backend]);
		add_share(object, "got", status->flows[i], status->backend_flows[e->backend]);
		if (status->has_active)
			gpc_json_number(object, "active", (int64_t)status->active.endpoint[i]);
		gpc_json_text(object, "next_hop", hop);
		gpc_json_print(object);
	}
}

static void print_reasons(const struct gpc_status *status)
{
	for (int hook = 0; hook < GPC_HOOK_ID_COUNT; hook++)
		for (int r = 0; r < GPC_REASON_COUNT; r++) {
			struct gpc_counter c = gpc_status_counter(
				status, (uint32_t)hook * GPC_REASON_MAX + (uint32_t)r);
			struct json_object *object;

			if (!c.packets)
				continue;
			object = gpc_json("reason");
			gpc_json_text(object, "hook", gpc_hook_id_name(hook));
			gpc_json_text(object, "reason", gpc_reason_name(r));
			gpc_json_number(object, "packets", (int64_t)c.packets);
			gpc_json_number(object, "bytes", (int64_t)c.bytes);
			gpc_json_print(object);
		}
}

void gpc_status_json(const struct gpc_call *call, const struct gpc_status *status)
{
	(void)call;
	if (status->plane.has_image) {
		print_plane(status);
		print_devices(status);
		print_listeners(status);
		print_endpoints(status);
		gpc_status_overrides_json(status);
		print_reasons(status);
		gpc_status_policies_json(status);
		if (status->has_active)
			gpc_flows_json(&status->active);
	}
	for (size_t i = 0; i < status->problem_count; i++) {
		struct json_object *object = gpc_json("problem");

		gpc_json_text(object, "message", status->problems[i]);
		gpc_json_print(object);
	}
}
