/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>

#include "gpc/lookup/vip.h"
#include "phash.h"
#include "steps.h"
#include "vip_ports.h"

struct work {
	const struct gpc_model *model;
	struct gpc_ways ways;
	struct gpc_vip_parts parts;
	GPC_VEC(struct gpc_vip) entries;
	uint8_t lengths[2][129]; /* by family, longest first */
	size_t length_count[2];
	uint32_t *counted; /* by listener: for which sole entry it was counted last */
};

static enum gpc_family family_of(const struct gpc_way *way)
{
	return way->address->prefix.v4 ? GPC_V4 : GPC_V6;
}

static struct gpc_vip *add_entry(struct work *work, const struct gpc_way *way,
				 enum gpc_vip_kind kind)
{
	struct gpc_vip *vip = GPC_PUSH(work->parts.arena, &work->entries);

	*vip = (struct gpc_vip){
		.port_be = kind == GPC_VIP_EXACT ? htons(way->first) : way->length,
		.protocol = kind == GPC_VIP_ADDRESS ? GPC_IPPROTO_ADDRESS : way->protocol,
		.flags = (uint8_t)kind,
	};
	memcpy(vip->address_be, way->ip.bytes, sizeof(vip->address_be));
	return vip;
}

static void say_takers(struct work *work, struct gpc_vip *vip, const struct gpc_vip_takers *takers)
{
	uint8_t choice;

	vip->interfaces = takers->interfaces;
	vip->listener = gpc_vip_takers_put(&work->parts, takers, &choice);
	vip->flags |= choice;
}

/* ---- ports ---- */

/* Does an EXACT entry hold it? */
static bool is_exact(const struct gpc_way *way)
{
	return way->length == 128 && way->first == way->last;
}

/* Ways of one whole address, protocol and port. */
static void add_exact(struct work *work, const struct gpc_way *ways, size_t count)
{
	struct gpc_vip_takers takers = {0};

	for (size_t i = 0; i < count; i++)
		gpc_vip_takers_add(&takers, ways[i].listener, ways[i].interfaces);
	say_takers(work, add_entry(work, ways, GPC_VIP_EXACT), &takers);
}

static void add_exacts(struct work *work, const struct gpc_way *ways, size_t count)
{
	for (size_t start = 0, end; start < count; start = end) {
		for (end = start + 1; end < count && ways[end].first == ways[start].first;)
			end++;
		add_exact(work, &ways[start], end - start);
	}
}

/* Ways of one prefix and protocol. */
static void add_ports(struct work *work, const struct gpc_way *ways, size_t count)
{
	struct gpc_way *exact = GPC_NEW_ARRAY(work->parts.arena, struct gpc_way, count);
	struct gpc_way *wide = GPC_NEW_ARRAY(work->parts.arena, struct gpc_way, count);
	size_t exact_count = 0, wide_count = 0;

	for (size_t i = 0; i < count; i++)
		if (is_exact(&ways[i]))
			exact[exact_count++] = ways[i];
		else
			wide[wide_count++] = ways[i];
	add_exacts(work, exact, exact_count);
	if (wide_count)
		gpc_vip_ports_add(&work->parts, wide, wide_count,
				  add_entry(work, wide, GPC_VIP_PORTS));
}

/* ---- the only listener for an address ---- */

struct count {
	uint64_t once, twice; /* interfaces with one listener or more, with two or more */
};

/* Counts listeners that were not counted for this entry yet. */
static void count_listeners(struct work *work, const struct gpc_way *ways, size_t count,
			    uint32_t entry, struct count *counts)
{
	for (size_t i = 0; i < count; i++) {
		if (work->counted[ways[i].listener] == entry)
			continue;
		work->counted[ways[i].listener] = entry;
		counts->twice |= counts->once & ways[i].interfaces;
		counts->once |= ways[i].interfaces;
	}
}

/* Places in the list of lengths from that of the prefix on: it and those that may cover it. */
static size_t place_of_length(const struct work *work, const struct gpc_way *way)
{
	size_t place = 0;

	while (work->lengths[family_of(way)][place] != way->length)
		place++;
	return place;
}

/* One prefix and protocol, whose first way is *way. */
static void add_sole(struct work *work, const struct gpc_way *way)
{
	enum gpc_family family = family_of(way);
	uint32_t entry = (uint32_t)work->entries.n + 1;
	size_t first = place_of_length(work, way), count;
	struct gpc_vip *vip = add_entry(work, way, GPC_VIP_SOLE);
	struct gpc_vip_takers takers = {0};
	struct count counts = {0};

	for (size_t i = first; i < work->length_count[family]; i++) {
		const struct gpc_way *ways =
			gpc_ways_covering(&work->ways, way, work->lengths[family][i], &count);

		count_listeners(work, ways, count, entry, &counts);
	}
	for (size_t i = first; i < work->length_count[family]; i++) {
		const struct gpc_way *ways =
			gpc_ways_covering(&work->ways, way, work->lengths[family][i], &count);

		for (size_t k = 0; k < count; k++)
			gpc_vip_takers_add(&takers, ways[k].listener,
					   ways[k].interfaces & counts.once & ~counts.twice);
	}
	say_takers(work, vip, &takers);
	if (!takers.count)
		vip->interfaces = counts.once;
}

/* ---- addresses ---- */

/* Ways of one prefix, of all protocols. */
static void add_address(struct work *work, const struct gpc_way *ways, size_t count)
{
	struct gpc_vip *vip = add_entry(work, ways, GPC_VIP_ADDRESS);
	const struct gpc_model_listener *listeners = work->model->listeners;
	uint32_t forwards = 0;
	__be16 gue_port_be = 0;

	for (size_t i = 0; i < count; i++) {
		const struct gpc_model_listener *listener = &listeners[ways[i].listener];

		vip->interfaces |= ways[i].interfaces;
		forwards |= 1u << listener->forward;
		if (listener->forward == GPC_FORWARD_GUE)
			gue_port_be = htons(listener->gue_port);
	}
	/* They agree, the checks have seen to it. */
	vip->listener =
		GPC_VIP_ADDRESS_SAYS(listeners[ways->listener].ping, forwards, gue_port_be);
}

/* ---- all of them ---- */

static bool list_lengths(struct gpc_diags *diags, struct work *work, struct gpc_tables *tables)
{
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		size_t count = gpc_ways_lengths(&work->ways, family, work->lengths[family]);

		work->length_count[family] = count;
		if (count > GPC_MAX_VIP_LENGTHS) {
			gpc_diag(diags, GPC_E0440, GPC_NOWHERE,
				 "listeners' %s prefixes have %zu different lengths, the most is "
				 "%u",
				 family == GPC_V4 ? "IPv4" : "IPv6", count, GPC_MAX_VIP_LENGTHS);
			return false;
		}
		for (size_t i = 0; i < count; i++)
			tables->vip_lengths.length[family][i] =
				(uint8_t)(work->lengths[family][i] + 1);
	}
	return true;
}

static void add_entries(struct work *work)
{
	const struct gpc_ways *ways = &work->ways;

	for (size_t start = 0, end; start < ways->count; start = end) {
		const struct gpc_way *way = &ways->items[start];

		end = gpc_ways_group_end(ways, start);
		add_ports(work, way, end - start);
		add_sole(work, way);
	}
	for (size_t start = 0, end; start < ways->count; start = end) {
		const struct gpc_way *way = &ways->items[start];

		for (end = start + 1;
		     end < ways->count && gpc_way_same_prefix(way, &ways->items[end]);)
			end++;
		add_address(work, way, end - start);
	}
}

static uint64_t vip_key(uint64_t seed, const void *keys, size_t index)
{
	const struct gpc_vip *vip = (const struct gpc_vip *)keys + index;

	return gpc_vip_hash(seed, vip->address_be[0], vip->address_be[1], vip->port_be,
			    vip->protocol, gpc_vip_kind(vip));
}

bool gpc_lower_vips(struct gpc_diags *diags, const struct gpc_model *model,
		    struct gpc_tables *tables)
{
	struct work work = {
		.model = model,
		.ways = gpc_ways_list(diags->arena, model),
		.parts.arena = diags->arena,
		.counted = GPC_NEW_ARRAY(diags->arena, uint32_t, model->listener_count),
	};
	struct gpc_phash_table index;

	if (!list_lengths(diags, &work, tables))
		return false;
	add_entries(&work);
	if (!gpc_phash_build(diags->arena, work.entries.items, work.entries.n, vip_key, &index)) {
		gpc_diag(diags, GPC_E0411, GPC_NOWHERE,
			 "no perfect hash found for the %zu keys of the listeners", work.entries.n);
		return false;
	}
	tables->vip_hash = index.hash;
	tables->vip_displacements = index.displacements;
	tables->vip_displacement_count = index.hash.bucket_mask + 1ull;
	tables->vip_count = index.hash.slot_mask + 1ull;
	tables->vips = GPC_NEW_ARRAY(diags->arena, struct gpc_vip, tables->vip_count);
	for (size_t slot = 0; slot < tables->vip_count; slot++)
		if (index.slots[slot])
			tables->vips[slot] = work.entries.items[index.slots[slot] - 1];
	tables->choices = work.parts.choices.items;
	tables->choice_count = work.parts.choices.n;
	tables->ports = work.parts.ports.items;
	tables->port_count = work.parts.ports.n;
	return true;
}
