/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gpc/lookup/vip.h"
#include "phash.h"
#include "steps.h"

/* One way in: a listener's address, port and protocol; or its address alone (protocol 0). */
struct way {
	uint64_t address_be[2];
	uint16_t port_be;
	uint8_t protocol;
	uint32_t listener;
	uint64_t interfaces;
};

static int compare_keys(const struct way *a, const struct way *b)
{
	int order = memcmp(a->address_be, b->address_be, sizeof(a->address_be));

	if (order)
		return order;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return memcmp(&a->port_be, &b->port_be, sizeof(a->port_be));
}

static int by_key(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int order = compare_keys(x, y);

	return order ? order : x->listener < y->listener ? -1 : x->listener > y->listener;
}

static struct way *list_ways(struct gpc_arena *arena, const struct gpc_model *model,
			     size_t *ret_count)
{
	size_t addresses = 0, count = 0;
	struct way *ways;

	for (size_t i = 0; i < model->listener_count; i++)
		addresses += model->listeners[i].address_count;
	ways = GPC_NEW_ARRAY(arena, struct way, 2 * addresses);
	for (size_t i = 0; i < model->listener_count; i++) {
		const struct gpc_model_listener *listener = &model->listeners[i];

		for (size_t k = 0; k < listener->address_count; k++) {
			struct way *way = &ways[count];

			memcpy(way->address_be, listener->addresses[k].prefix.ip.bytes,
			       sizeof(way->address_be));
			way->listener = (uint32_t)i;
			way->interfaces = listener->interfaces;
			ways[count + 1] = *way;
			way->protocol = listener->protocol;
			way->port_be = htons(listener->port);
			count += 2;
		}
	}
	if (count)
		qsort(ways, count, sizeof(*ways), by_key);
	*ret_count = count;
	return ways;
}

/* A key that several listeners share on disjoint interfaces: their choices, as one run. */
static void add_choices(const struct way *ways, size_t count, struct gpc_tables *tables)
{
	for (size_t i = 0; i < count; i++)
		tables->choices[tables->choice_count++] = (struct gpc_vip_choice){
			.interfaces = ways[i].interfaces,
			.listener = ways[i].listener,
			.last = i + 1 == count,
		};
}

static struct gpc_vip make_entry(const struct way *ways, size_t count, struct gpc_tables *tables)
{
	struct gpc_vip vip = {
		.address_be = {ways->address_be[0], ways->address_be[1]},
		.port_be = ways->port_be,
		.protocol = ways->protocol,
		.listener = ways->listener,
	};

	for (size_t i = 0; i < count; i++)
		vip.interfaces |= ways[i].interfaces;
	if (vip.protocol == GPC_IPPROTO_ADDRESS) {
		vip.flags = GPC_VIP_ADDRESS;
		vip.port_be = 128;
		vip.listener = GPC_PING_PASS;
	} else if (count > 1) {
		vip.flags = GPC_VIP_EXACT | GPC_VIP_CHOICE;
		vip.listener = (uint32_t)tables->choice_count;
		add_choices(ways, count, tables);
	}
	return vip;
}

static uint64_t vip_key(uint64_t seed, const void *keys, size_t index)
{
	const struct gpc_vip *vip = (const struct gpc_vip *)keys + index;

	return gpc_vip_hash(seed, vip->address_be[0], vip->address_be[1], vip->port_be,
			    vip->protocol, gpc_vip_kind(vip));
}

/* Distinct keys in key order, with the choices they need. */
static struct gpc_vip *make_entries(struct gpc_arena *arena, const struct way *ways, size_t count,
				    struct gpc_tables *tables, size_t *ret_count)
{
	struct gpc_vip *entries = GPC_NEW_ARRAY(arena, struct gpc_vip, count);
	size_t made = 0, end;

	tables->choices = GPC_NEW_ARRAY(arena, struct gpc_vip_choice, count);
	for (size_t start = 0; start < count; start = end) {
		for (end = start + 1; end < count && !compare_keys(&ways[start], &ways[end]);)
			end++;
		entries[made++] = make_entry(&ways[start], end - start, tables);
	}
	*ret_count = made;
	return entries;
}

bool gpc_lower_vips(struct gpc_diags *diags, const struct gpc_model *model,
		    struct gpc_tables *tables)
{
	size_t way_count, entry_count;
	struct way *ways = list_ways(diags->arena, model, &way_count);
	struct gpc_vip *entries = make_entries(diags->arena, ways, way_count, tables, &entry_count);
	struct gpc_phash_table index;

	if (!gpc_phash_build(diags->arena, entries, entry_count, vip_key, &index)) {
		gpc_diag(diags, GPC_E0411, GPC_NOWHERE,
			 "no perfect hash found for the %zu keys of the listeners", entry_count);
		return false;
	}
	tables->vip_hash = index.hash;
	tables->vip_displacements = index.displacements;
	tables->vip_displacement_count = index.hash.bucket_mask + 1ull;
	tables->vip_count = index.hash.slot_mask + 1ull;
	tables->vips = GPC_NEW_ARRAY(diags->arena, struct gpc_vip, tables->vip_count);
	for (size_t slot = 0; slot < tables->vip_count; slot++)
		if (index.slots[slot])
			tables->vips[slot] = entries[index.slots[slot] - 1];
	return true;
}
