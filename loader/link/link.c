/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/ip.h"
#include "../../compiler/image/layout.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "gpc/lookup/vip.h"
#include "held.h"
#include "hop.h"
#include "place.h"
#include "slots.h"

#define WAIT_MS 1000u

/* The sections of an image, by records; counts are limited so that a bad image costs bounded time.
 */
static uint32_t listener_count(struct gpc_view view)
{
	uint32_t count = gpc_view_plane(view)->section[GPC_SEC_LISTENER].count;

	return count < GPC_MAX_LISTENERS ? count : GPC_MAX_LISTENERS;
}

static uint32_t endpoint_count(struct gpc_view view)
{
	uint32_t count = gpc_view_plane(view)->section[GPC_SEC_ENDPOINT].count;

	return count < GPC_MAX_ENDPOINTS ? count : GPC_MAX_ENDPOINTS;
}

static uint32_t backend_count(struct gpc_view view)
{
	uint32_t count = gpc_view_plane(view)->section[GPC_SEC_BACKEND].count;

	return count < GPC_MAX_BACKENDS ? count : GPC_MAX_BACKENDS;
}

static uint32_t counted_objects(struct gpc_view view)
{
	return listener_count(view) + endpoint_count(view) + backend_count(view);
}

static const struct gpc_backend *backend_at(struct gpc_view view, uint32_t index)
{
	return gpc_record(view, gpc_view_plane(view)->section[GPC_SEC_BACKEND].offset, index,
			  sizeof(struct gpc_backend));
}

bool gpc_link_target(struct gpc_view view, const struct gpc_endpoint *endpoint, int family,
		     struct gpc_ip *ret)
{
	const struct gpc_backend *backend = backend_at(view, endpoint->backend);
	uint64_t words[2] = {endpoint->address6_be[0], endpoint->address6_be[1]};

	if (!(endpoint->flags & (family == GPC_V4 ? GPC_ENDPOINT_V4 : GPC_ENDPOINT_V6)))
		return false;
	if (backend->next_hop == GPC_NEXT_HOP_ADDRESS) {
		words[0] = backend->next_hop_be[0];
		words[1] = backend->next_hop_be[1];
	} else if (family == GPC_V4) {
		words[0] = 0;
		words[1] = gpc_mapped_v4(endpoint->address4_be);
	}
	memcpy(ret->bytes, words, sizeof(ret->bytes));
	return true;
}

static void ip_key(const struct gpc_ip *ip, uint64_t key[2])
{
	memcpy(key, ip->bytes, sizeof(ip->bytes));
}

struct gpc_link_need gpc_link_need(struct gpc_view view)
{
	struct gpc_link_need need = {.counters = counted_objects(view)};
	uint32_t count = endpoint_count(view), i;

	for (i = 0; i < count; i++) {
		uint8_t flags = gpc_endpoint_at(view, i)->flags;

		need.next += !!(flags & GPC_ENDPOINT_V4) + !!(flags & GPC_ENDPOINT_V6);
	}
	return need;
}

/* ---- what is under way ---- */

struct target {
	struct gpc_next_update update;
	struct gpc_hop hop;
};

struct fill {
	const struct gpc_link_input *input;
	struct gpc_view view; /* of input->bytes */
	struct gpc_link_head *head;
	struct gpc_link_listener *listeners;
	struct gpc_link_endpoint *endpoints;
	struct gpc_link_backend *backends;
	struct gpc_slots counters, next;
	uint32_t *fresh_counters;
	size_t fresh_counter_count;
	struct gpc_rule_fresh fresh_rules;
	struct gpc_hop *hops;		 /* distinct addresses to resolve */
	struct gpc_next_update *updates; /* by hop */
	size_t hop_count;
	uint32_t *hop_of_slot; /* index + 1 by next-hop slot */
};

static void release_fill(struct fill *fill)
{
	gpc_slots_release(&fill->counters);
	gpc_slots_release(&fill->next);
	free(fill->fresh_counters);
	gpc_rule_fresh_release(&fill->fresh_rules);
	free(fill->hops);
	free(fill->updates);
	free(fill->hop_of_slot);
}

/* ---- counters ---- */

static int hold_counters(struct gpc_slots *slots, struct gpc_view view)
{
	static const enum gpc_linked_kind kinds[] = {GPC_LINKED_LISTENER, GPC_LINKED_ENDPOINT,
						     GPC_LINKED_BACKEND};
	uint32_t i;
	size_t k;
	int r = 0;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (i = 0; i < gpc_held_count(view, kinds[k]) && !r; i++) {
			struct gpc_held_object object = gpc_held_at(view, kinds[k], i);
			uint64_t key[2] = {object.id, 1};

			r = gpc_slots_hold(slots, key, object.counter);
		}
	return r;
}

static int take_counter(struct fill *fill, uint64_t id, uint32_t *ret_slot)
{
	uint64_t key[2] = {id, 1};
	bool fresh;
	int r = gpc_slots_take(&fill->counters, key, ret_slot, &fresh);

	if (!r && fresh)
		fill->fresh_counters[fill->fresh_counter_count++] = *ret_slot;
	return r;
}

static int fill_counters(struct fill *fill)
{
	uint32_t objects = counted_objects(fill->view), i;
	size_t h;
	int r = gpc_slots_init(&fill->counters, GPC_COUNTER_FIRST_OBJECT,
			       fill->input->counter_capacity);

	fill->fresh_counters = calloc(objects + 1, sizeof(*fill->fresh_counters));
	if (!fill->fresh_counters)
		return -ENOMEM;
	for (h = 0; h < fill->input->held_count && !r; h++)
		r = hold_counters(&fill->counters, fill->input->held[h]);
	for (i = 0; i < listener_count(fill->view) && !r; i++)
		r = take_counter(fill, gpc_listener_at(fill->view, i)->id,
				 &fill->listeners[i].counter);
	for (i = 0; i < endpoint_count(fill->view) && !r; i++)
		r = take_counter(fill, gpc_endpoint_at(fill->view, i)->id,
				 &fill->endpoints[i].counter);
	for (i = 0; i < backend_count(fill->view) && !r; i++)
		r = take_counter(fill, backend_at(fill->view, i)->id, &fill->backends[i].counter);
	return r;
}

/* ---- next hops ---- */

static int hold_next(struct gpc_slots *slots, struct gpc_view view)
{
	const struct gpc_link_head *link = gpc_view_link(view);
	uint32_t i;
	int family, r = 0;

	/* Another gpc's programs have next hops of their own. */
	if (!gpc_held_own(view))
		return 0;
	for (i = 0; i < endpoint_count(view) && !r; i++)
		for (family = GPC_V4; family <= GPC_V6 && !r; family++) {
			struct gpc_ip target;
			uint64_t key[2];

			if (!gpc_link_target(view, gpc_endpoint_at(view, i), family, &target))
				continue;
			ip_key(&target, key);
			r = gpc_slots_hold(slots, key,
					   gpc_link_endpoint_at(view, link, i)->next[family]);
		}
	return r;
}

static int take_next(struct fill *fill, const struct gpc_ip *target, uint32_t *ret_slot)
{
	uint64_t key[2];
	bool fresh;
	int r;

	ip_key(target, key);
	r = gpc_slots_take(&fill->next, key, ret_slot, &fresh);
	if (r || fill->hop_of_slot[*ret_slot])
		return r;
	fill->updates[fill->hop_count] =
		(struct gpc_next_update){.slot = *ret_slot, .fresh = fresh};
	/* What was asked for at an earlier apply is asked for again, but not waited for. */
	fill->hops[fill->hop_count] = (struct gpc_hop){.target = *target, .wait = fresh};
	fill->hop_of_slot[*ret_slot] = (uint32_t)++fill->hop_count;
	return 0;
}

static int assign_next(struct fill *fill)
{
	uint32_t need = gpc_link_need(fill->view).next, i;
	int family, r = gpc_slots_init(&fill->next, 0, fill->input->next_capacity);
	size_t h;

	fill->hops = calloc(need + 1, sizeof(*fill->hops));
	fill->updates = calloc(need + 1, sizeof(*fill->updates));
	fill->hop_of_slot = calloc(fill->input->next_capacity + 1, sizeof(*fill->hop_of_slot));
	if (!fill->hops || !fill->updates || !fill->hop_of_slot)
		return -ENOMEM;
	for (h = 0; h < fill->input->held_count && !r; h++)
		r = hold_next(&fill->next, fill->input->held[h]);
	for (i = 0; i < endpoint_count(fill->view) && !r; i++)
		for (family = GPC_V4; family <= GPC_V6 && !r; family++) {
			struct gpc_ip target;

			fill->endpoints[i].next[family] = GPC_NONE;
			if (gpc_link_target(fill->view, gpc_endpoint_at(fill->view, i), family,
					    &target))
				r = take_next(fill, &target, &fill->endpoints[i].next[family]);
		}
	return r;
}

/* A balancer sends; a host that only unwraps has no next hops to look for. */
static bool balances(const struct gpc_link_input *input)
{
	uint32_t count;
	const struct gpc_interface *item =
		gpc_image_section(input->image, GPC_SEC_INTERFACE, &count);
	size_t d;

	for (d = 0; d < input->devices->count; d++) {
		uint16_t interface = input->devices->items[d].interface;

		if (interface < count && item[interface].role == GPC_ROLE_EDGE &&
		    item[interface].hooks & GPC_HOOK_XDP)
			return true;
	}
	return false;
}

/* The eight bytes of a known hop; 0, with a warning, if a frame cannot be sent there. */
static uint64_t hop_word(const struct gpc_link_input *input, const struct gpc_hop *hop,
			 const struct gpc_next_update *update)
{
	struct gpc_device *device;
	char target[GPC_IP_TEXT], why[160];
	uint64_t word = 0;

	gpc_ip_format(&hop->target, target);
	/* The program may have found by itself what the kernel forgot meanwhile. */
	if (hop->state == GPC_HOP_UNANSWERED && !update->fresh && input->next[update->slot].hop)
		return 0;
	if (hop->state != GPC_HOP_KNOWN) {
		gpc_warn(input->notices, "next hop of %s is unknown: %s; the plane keeps looking",
			 target, gpc_hop_explain(hop, why, sizeof(why)));
		return 0;
	}
	device = gpc_devices_find(input->devices, hop->ifindex);
	if (!device || !device->ethernet || hop->ifindex > 0xffff) {
		gpc_warn(input->notices,
			 "next hop of %s leaves by %s, which XDP cannot send through", target,
			 device ? device->name : "a device that is gone");
		return 0;
	}
	device->needed = true;
	memcpy(&word, hop->mac, sizeof(hop->mac));
	return word | (uint64_t)hop->ifindex << 48;
}

static void lend_source(struct gpc_link_endpoint *endpoint, const struct gpc_link_endpoint *lender)
{
	if (!endpoint->source4_be)
		endpoint->source4_be = lender->source4_be;
	if (!endpoint->source6_be[0] && !endpoint->source6_be[1])
		memcpy(endpoint->source6_be, lender->source6_be, sizeof(lender->source6_be));
}

static void set_source(struct gpc_link_endpoint *endpoint, int family, const struct gpc_hop *hop)
{
	if (family == GPC_V4 && gpc_ip_is_v4(&hop->source))
		endpoint->source4_be = gpc_ip_v4_be(&hop->source);
	if (family == GPC_V6 && !gpc_ip_is_v4(&hop->source))
		memcpy(endpoint->source6_be, hop->source.bytes, sizeof(hop->source.bytes));
}

/*
 * Source addresses for encapsulation. When a route is gone for the moment, what the active image
 * says stays: an unplugged cable must not make a new link part.
 */
static void fill_sources(struct fill *fill)
{
	uint32_t i;
	int family;

	for (i = 0; i < endpoint_count(fill->view); i++)
		for (family = GPC_V4; family <= GPC_V6; family++) {
			uint32_t slot = fill->endpoints[i].next[family];

			if (slot != GPC_NONE)
				set_source(&fill->endpoints[i], family,
					   &fill->hops[fill->hop_of_slot[slot] - 1]);
		}
}

/* An endpoint without a route for now gets another one's source, or it could never be sent to. */
static void lend_sources(struct fill *fill)
{
	struct gpc_link_endpoint lender = {0};
	uint32_t i;

	for (i = endpoint_count(fill->view); i-- > 0;) {
		const struct gpc_link_endpoint *endpoint = &fill->endpoints[i];

		if (endpoint->source4_be)
			lender.source4_be = endpoint->source4_be;
		if (endpoint->source6_be[0] || endpoint->source6_be[1])
			memcpy(lender.source6_be, endpoint->source6_be, sizeof(lender.source6_be));
	}
	for (i = 0; i < endpoint_count(fill->view); i++)
		lend_source(&fill->endpoints[i], &lender);
}

static void keep_sources(struct fill *fill, struct gpc_view live)
{
	const struct gpc_link_head *link = gpc_view_link(live);
	uint32_t i;

	for (i = 0; i < endpoint_count(fill->view); i++) {
		uint32_t at = gpc_endpoint_by_id(live, gpc_endpoint_at(fill->view, i)->id);

		if (at != GPC_NONE)
			lend_source(&fill->endpoints[i], gpc_link_endpoint_at(live, link, at));
	}
}

static int fill_rules(struct fill *fill, struct gpc_failure *failure)
{
	const struct gpc_link_input *input = fill->input;
	struct gpc_rule_records records = {
		(struct gpc_link_rule *)(input->bytes + fill->head->rule_offset),
		fill->listeners,
	};
	int r = gpc_rules_link(fill->view, input->held, input->held_count, input->rule_room, records,
			       &fill->fresh_rules);

	if (r)
		return gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot assign the slots of rules");
	return 0;
}

static int fill_next(struct fill *fill, struct gpc_failure *failure)
{
	const struct gpc_link_input *input = fill->input;
	int r = assign_next(fill);
	size_t i;

	if (r)
		return gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot assign next-hop slots");
	if (!balances(input))
		return 0;
	if (gpc_hops_resolve(input->netlink, fill->hops, fill->hop_count, WAIT_MS, failure))
		return -1;
	for (i = 0; i < fill->hop_count; i++)
		fill->updates[i].hop = hop_word(input, &fill->hops[i], &fill->updates[i]);
	fill_sources(fill);
	if (input->held_count)
		keep_sources(fill, input->held[0]);
	lend_sources(fill);
	return 0;
}

/* ---- devices ---- */

/* With both, TC learns from XDP what was decided (SEMANTICS 3). */
#define META_HOOKS (GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS)

uint16_t gpc_link_chain(const struct gpc_image *image, uint16_t interface, int direction)
{
	uint32_t count, i;
	const struct gpc_chain *chain = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	for (i = 0; i < count; i++)
		if (chain[i].interface == interface && chain[i].direction == direction)
			return (uint16_t)i;
	return GPC_NONE16;
}

static struct gpc_link_device device_record(const struct gpc_link_input *input,
					    const struct gpc_device *device)
{
	struct gpc_link_device record = {
		.ifindex = device->ifindex,
		.interface = device->interface,
		.mtu = (uint16_t)(device->mtu > 65535 ? 65535 : device->mtu),
		.chain = {GPC_NONE16, GPC_NONE16},
	};
	uint32_t count;
	const struct gpc_interface *item =
		gpc_image_section(input->image, GPC_SEC_INTERFACE, &count);

	memcpy(record.mac, device->mac, sizeof(record.mac));
	if (device->interface < count) {
		record.interface_bit = 1ull << device->interface;
		if ((item[device->interface].hooks & META_HOOKS) == META_HOOKS)
			record.flags |= GPC_DEVICE_META;
		record.chain[GPC_INGRESS] = gpc_link_chain(input->image, device->interface, GPC_INGRESS);
		record.chain[GPC_EGRESS] = gpc_link_chain(input->image, device->interface, GPC_EGRESS);
	}
	return record;
}

/*
 * Needed devices first; then, as far as they fit, all others that frames can be sent through, so
 * that the program can follow a route that moves.
 */
static int fill_devices(struct fill *fill, struct gpc_failure *failure)
{
	struct gpc_link_device records[GPC_MAX_DEVICES];
	const struct gpc_devices *devices = fill->input->devices;
	struct gpc_link_device *table =
		(struct gpc_link_device *)(fill->input->bytes + fill->head->device_offset);
	size_t count = 0, needed, i;

	for (i = 0; i < devices->count; i++) {
		if (!devices->items[i].needed)
			continue;
		if (count == GPC_MAX_DEVICES)
			return gpc_fail(failure, GPC_EXIT_HOST, 0,
					"the plane needs more than %u network devices",
					GPC_MAX_DEVICES);
		records[count++] = device_record(fill->input, &devices->items[i]);
	}
	needed = count;
	for (i = 0; i < devices->count && count < GPC_MAX_DEVICES; i++)
		if (!devices->items[i].needed && devices->items[i].ethernet)
			records[count++] = device_record(fill->input, &devices->items[i]);
	if (!gpc_devices_place(records, count, table, &fill->head->device_mult) ||
	    !gpc_devices_place(records, needed, table, &fill->head->device_mult))
		return 0;
	return gpc_fail(failure, GPC_EXIT_HOST, 0, "no device table holds the %zu devices", needed);
}

/* ---- the whole ---- */

static void fill_head(struct fill *fill)
{
	const struct gpc_link_input *input = fill->input;
	const struct gpc_image_head *image = (const struct gpc_image_head *)input->bytes;
	uint32_t at = image->link_offset;
	struct gpc_link_head *head = (struct gpc_link_head *)(input->bytes + at);

	memset(head, 0, image->link_size);
	head->generation = input->generation;
	head->nonce = input->nonce;
	head->cpus = input->cpus;
	at += sizeof(*head);
	head->device_offset = at;
	at += GPC_DEVICE_SLOTS * sizeof(struct gpc_link_device);
	head->listener_offset = at;
	at += (listener_count(fill->view) + 3u) / 4u * 4u * sizeof(struct gpc_link_listener);
	head->endpoint_offset = at;
	at += (endpoint_count(fill->view) + 1u) / 2u * 2u * sizeof(struct gpc_link_endpoint);
	head->backend_offset = at;
	at += (backend_count(fill->view) + 3u) / 4u * 4u * sizeof(struct gpc_link_backend);
	head->rule_offset = at;
	gpc_link_describe(gpc_view_plane(fill->view)->section, head);
	fill->head = head;
	fill->listeners = (struct gpc_link_listener *)(input->bytes + head->listener_offset);
	fill->endpoints = (struct gpc_link_endpoint *)(input->bytes + head->endpoint_offset);
	fill->backends = (struct gpc_link_backend *)(input->bytes + head->backend_offset);
}

int gpc_link_fill(const struct gpc_link_input *input, struct gpc_link_result *ret,
		  struct gpc_failure *failure)
{
	GPC_CLEANUP(release_fill) struct fill fill = {.input = input};
	int r;

	fill.view = input->image->view;
	fill.view.base = input->bytes;
	fill_head(&fill);
	r = fill_counters(&fill);
	if (r)
		return gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot assign counter slots");
	if (fill_rules(&fill, failure) || fill_next(&fill, failure) || fill_devices(&fill, failure))
		return -1;
	fill.head->magic = GPC_LINK_MAGIC;
	*ret = (struct gpc_link_result){
		.fresh_counter_count = fill.fresh_counter_count,
		.fresh_rules = fill.fresh_rules,
		.update_count = fill.hop_count,
	};
	ret->fresh_counters = GPC_TAKE_PTR(fill.fresh_counters);
	ret->updates = GPC_TAKE_PTR(fill.updates);
	fill.fresh_rules = (struct gpc_rule_fresh){0};
	return 0;
}

void gpc_link_result_release(struct gpc_link_result *result)
{
	free(result->fresh_counters);
	gpc_rule_fresh_release(&result->fresh_rules);
	free(result->updates);
	*result = (struct gpc_link_result){0};
}

static bool same_device(struct gpc_view live, const struct gpc_link_head *link,
			const struct gpc_link_input *input, const struct gpc_device *device)
{
	struct gpc_link_device want = device_record(input, device);
	const struct gpc_link_device *have = gpc_device_by_ifindex(live, link, device->ifindex);

	return have && !memcmp(have, &want, sizeof(want));
}

/* Do the records at two offsets differ? */
static bool differ(struct gpc_view live, uint32_t live_offset, struct gpc_view view,
		   uint32_t offset, size_t size)
{
	return (live_offset & live.mask) + size > live.mask + 1 ||
	       memcmp(gpc_at(live, live_offset, 1), gpc_at(view, offset, 1), size);
}

static bool objects_differ(struct gpc_view live, struct gpc_view view)
{
	const struct gpc_link_head *old = gpc_view_link(live), *new = gpc_view_link(view);
	uint32_t listeners = listener_count(view), endpoints = endpoint_count(view);
	uint32_t rules = gpc_rule_count(view), backends = backend_count(view);

	return listener_count(live) != listeners || endpoint_count(live) != endpoints ||
	       gpc_rule_count(live) != rules || backend_count(live) != backends ||
	       differ(live, old->backend_offset, view, new->backend_offset,
		      backends * sizeof(struct gpc_link_backend)) ||
	       differ(live, old->listener_offset, view, new->listener_offset,
		      listeners * sizeof(struct gpc_link_listener)) ||
	       differ(live, old->endpoint_offset, view, new->endpoint_offset,
		      endpoints * sizeof(struct gpc_link_endpoint)) ||
	       differ(live, old->rule_offset, view, new->rule_offset,
		      rules * sizeof(struct gpc_link_rule));
}

bool gpc_link_differs(struct gpc_view live, const struct gpc_link_input *input)
{
	struct gpc_view view = {.base = input->bytes, .mask = input->image->view.mask};
	const struct gpc_link_head *old = gpc_view_link(live), *new = gpc_view_link(view);
	uint32_t slot;
	size_t d;

	if (old->cpus != new->cpus || objects_differ(live, view))
		return true;
	for (d = 0; d < input->devices->count; d++)
		if (input->devices->items[d].needed &&
		    !same_device(live, old, input, &input->devices->items[d]))
			return true;
	for (slot = 0; slot < GPC_DEVICE_SLOTS; slot++) {
		const struct gpc_link_device *device = gpc_device_slot(live, old, slot);
		const struct gpc_device *found = gpc_devices_find(input->devices, device->ifindex);

		/* Bound there, but no longer: renamed, say. One that vanished may come back as it
		 * was. */
		if (device->ifindex && device->interface != GPC_NONE16 && found &&
		    found->interface != device->interface)
			return true;
	}
	return false;
}
