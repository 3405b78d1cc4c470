/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../model/id.h"
#include "../model/model.h"
#include "gpc/lookup/vip.h"
#include "reader.h"

/* ---- Maglev tables ---- */

/* Every slot names an endpoint of the backend that takes flows; *ret_present: how many have one. */
static bool check_slots(const struct gpc_reader *reader, const struct gpc_table *table,
			const struct gpc_backend *backend, uint32_t *ret_present)
{
	const uint16_t *slots = (const uint16_t *)(reader->bytes + table->offset);
	const struct gpc_endpoint *endpoints;
	uint64_t seen[65536 / 64] = {0};
	uint32_t count, present = 0;

	endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);
	endpoints += backend->first_endpoint;
	for (uint32_t i = 0; i < table->size; i++) {
		if (slots[i] >= backend->endpoints)
			return false;
		seen[slots[i] / 64] |= 1ull << (slots[i] % 64);
	}
	for (uint32_t i = 0; i < backend->endpoints; i++) {
		if (!(seen[i / 64] >> (i % 64) & 1))
			continue;
		if (endpoints[i].state != GPC_STATE_READY || !endpoints[i].weight)
			return false;
		present++;
	}
	*ret_present = present;
	return true;
}

/* Tables stand in backend order, one after another, and fill MAGLEV; a backend has at most two. */
static bool check_tables(const struct gpc_reader *reader)
{
	const struct gpc_section *maglev = &reader->plane->section[GPC_SEC_MAGLEV];
	uint32_t count, backend_count, present;
	const struct gpc_table *tables = gpc_reader_section(reader, GPC_SEC_TABLE, &count);
	const struct gpc_backend *backends =
		gpc_reader_section(reader, GPC_SEC_BACKEND, &backend_count);
	uint64_t next = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct gpc_table *table = &tables[i];

		if (table->backend >= backend_count ||
		    (i && table->backend < tables[i - 1].backend) ||
		    (i >= 2 && table->backend == tables[i - 2].backend) ||
		    table->size != backends[table->backend].table_size ||
		    table->offset != maglev->offset + next * sizeof(uint16_t) ||
		    table->size > maglev->count - next)
			return gpc_reader_refuse(reader, GPC_E0509, "maglev table %u is malformed",
						 i);
		if (!check_slots(reader, table, &backends[table->backend], &present) ||
		    present != table->endpoints)
			return gpc_reader_refuse(
				reader, GPC_E0509,
				"slots of maglev table %u (backend %u) are malformed", i,
				table->backend);
		next += table->size;
	}
	if (next != maglev->count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `maglev` holds more than the tables");
	return true;
}

/* ---- listeners ---- */

/* Does every endpoint in the table have an address that the listener's family can send to? */
static bool table_is_reachable(const struct gpc_reader *reader, const struct gpc_table *table,
			       const struct gpc_backend *backend)
{
	const uint16_t *slots = (const uint16_t *)(reader->bytes + table->offset);
	const struct gpc_endpoint *endpoints;
	uint32_t count;

	endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);
	endpoints += backend->first_endpoint;
	for (uint32_t i = 0; i < table->size; i++)
		if (!(endpoints[slots[i]].flags & GPC_ENDPOINT_V6))
			return false;
	return true;
}

/* `v6_tables`: by table, whether only v6 addresses are in it: computed once however many refer to it. */
static bool ref_is_sound(const struct gpc_reader *reader, const struct gpc_listener *listener,
			 enum gpc_family family, const bool *v6_tables)
{
	const struct gpc_table_ref *ref = &listener->table[family];
	uint32_t table_count, backend_count;
	const struct gpc_table *tables = gpc_reader_section(reader, GPC_SEC_TABLE, &table_count);
	const struct gpc_backend *backends =
		gpc_reader_section(reader, GPC_SEC_BACKEND, &backend_count);

	if (ref->offset == GPC_NONE)
		return !ref->size && !ref->first_endpoint && ref->table == GPC_NONE;
	if (ref->first_endpoint != backends[listener->backend].first_endpoint)
		return false;
	if (ref->table == GPC_NONE)
		return !ref->offset && !ref->size;
	return ref->table < table_count && tables[ref->table].backend == listener->backend &&
	       ref->offset == tables[ref->table].offset && ref->size == tables[ref->table].size &&
	       (family == GPC_V4 || listener->forward == GPC_FORWARD_DSR || v6_tables[ref->table]);
}

static bool listener_is_sound(const struct gpc_reader *reader, const struct gpc_listener *listener,
			      const bool *v6_tables)
{
	const char *names = reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset;

	return listener->id == gpc_stable_id(GPC_KIND_LISTENER, NULL, names + listener->name) &&
	       (listener->forward == GPC_FORWARD_IPIP || listener->forward == GPC_FORWARD_DSR) &&
	       (listener->protocol == IPPROTO_TCP || listener->protocol == IPPROTO_UDP) &&
	       listener->port_be &&
	       listener->backend < reader->plane->section[GPC_SEC_BACKEND].count &&
	       (listener->table[GPC_V4].offset != GPC_NONE ||
		listener->table[GPC_V6].offset != GPC_NONE) &&
	       ref_is_sound(reader, listener, GPC_V4, v6_tables) &&
	       ref_is_sound(reader, listener, GPC_V6, v6_tables) && !listener->pad0 &&
	       !listener->pad1;
}

static bool check_listeners(const struct gpc_reader *reader)
{
	const char *names = reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset;
	uint32_t count, table_count;
	const struct gpc_listener *listeners = gpc_reader_section(reader, GPC_SEC_LISTENER, &count);
	const struct gpc_table *tables = gpc_reader_section(reader, GPC_SEC_TABLE, &table_count);
	const struct gpc_backend *backends =
		gpc_reader_section(reader, GPC_SEC_BACKEND, &(uint32_t){0});
	bool *v6_tables = GPC_NEW_ARRAY(reader->diags->arena, bool, table_count);

	for (uint32_t i = 0; i < table_count; i++)
		v6_tables[i] = table_is_reachable(reader, &tables[i], &backends[tables[i].backend]);
	for (uint32_t i = 0; i < count; i++)
		if (!listener_is_sound(reader, &listeners[i], v6_tables) ||
		    (i && strcmp(names + listeners[i - 1].name, names + listeners[i].name) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509, "listener %u is malformed", i);
	return true;
}

bool gpc_reader_tables(const struct gpc_reader *reader)
{
	return check_tables(reader) && check_listeners(reader);
}

/* ---- VIP entries ---- */

struct vip_check {
	const struct gpc_reader *reader;
	struct gpc_view view;
	uint64_t interfaces; /* all that there are */
	const struct gpc_listener *listeners;
	uint32_t listener_count;
	const struct gpc_vip_choice *choices;
	uint32_t choice_count;
	uint32_t choices_seen; /* runs overlap nowhere if this is choice_count in the end */
};

static bool is_v4(const struct gpc_vip *vip)
{
	return !vip->address_be[0] && (vip->address_be[1] & 0xffffffffull) == gpc_mapped_v4(0);
}

static bool leads_to(const struct vip_check *check, const struct gpc_vip *vip, uint32_t listener)
{
	enum gpc_family family = is_v4(vip) ? GPC_V4 : GPC_V6;
	const struct gpc_listener *target;

	if (listener >= check->listener_count)
		return false;
	target = &check->listeners[listener];
	return target->port_be == vip->port_be && target->protocol == vip->protocol &&
	       target->table[family].offset != GPC_NONE;
}

/* A run of choices on disjoint interfaces that together are those of the entry. */
static bool run_is_sound(struct vip_check *check, const struct gpc_vip *vip)
{
	uint64_t interfaces = 0;

	for (uint32_t i = vip->listener, n = 0; n < GPC_VIP_CHOICES_MAX && i < check->choice_count;
	     i++, n++) {
		const struct gpc_vip_choice *choice = &check->choices[i];

		check->choices_seen++;
		if (!choice->interfaces || choice->interfaces & interfaces || choice->last > 1 ||
		    !leads_to(check, vip, choice->listener))
			return false;
		interfaces |= choice->interfaces;
		if (choice->last)
			return n && interfaces == vip->interfaces;
	}
	return false;
}

static bool entry_is_sound(struct vip_check *check, const struct gpc_vip *vip)
{
	if (!vip->interfaces || vip->interfaces & ~check->interfaces ||
	    gpc_all_zero(vip->address_be, sizeof(vip->address_be)) ||
	    gpc_vip_entry(check->view, vip->address_be[0], vip->address_be[1], vip->port_be,
			  vip->protocol, gpc_vip_kind(vip)) != vip)
		return false;
	switch (vip->flags) {
	case GPC_VIP_ADDRESS:
		return vip->listener <= GPC_PING_DROP && vip->port_be == 128 &&
		       vip->protocol == GPC_IPPROTO_ADDRESS;
	case GPC_VIP_CHOICE:
		return run_is_sound(check, vip);
	case 0:
		return leads_to(check, vip, vip->listener);
	default:
		return false;
	}
}

/* Where a listener takes the key, its address is known as a listener's. */
static bool has_address_entry(const struct vip_check *check, const struct gpc_vip *vip)
{
	const struct gpc_vip *address = gpc_vip_entry(check->view, vip->address_be[0],
						      vip->address_be[1], 128, GPC_IPPROTO_ADDRESS,
						      GPC_VIP_ADDRESS);

	return address && (vip->interfaces & ~address->interfaces) == 0;
}

bool gpc_reader_vips(const struct gpc_reader *reader)
{
	struct vip_check check = {.reader = reader};
	uint32_t count, interfaces = reader->plane->section[GPC_SEC_INTERFACE].count;
	const struct gpc_vip *vips = gpc_reader_section(reader, GPC_SEC_VIP, &count);

	check.view =
		(struct gpc_view){reader->bytes, ((uint64_t)1 << gpc_size_class(reader->size)) - 1};
	check.interfaces = interfaces == 64 ? UINT64_MAX : ((uint64_t)1 << interfaces) - 1;
	check.listeners = gpc_reader_section(reader, GPC_SEC_LISTENER, &check.listener_count);
	check.choices = gpc_reader_section(reader, GPC_SEC_VIP_CHOICE, &check.choice_count);
	for (uint32_t i = 0; i < count; i++) {
		if (gpc_all_zero(&vips[i], sizeof(vips[i])))
			continue;
		if (!entry_is_sound(&check, &vips[i]) || !has_address_entry(&check, &vips[i]) ||
		    check.choices_seen > check.choice_count)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "entry %u of section `vip` is malformed", i);
	}
	if (check.choices_seen != check.choice_count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `vip-choice` holds more than the runs");
	return true;
}
