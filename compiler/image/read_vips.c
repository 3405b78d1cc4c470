/* SPDX-License-Identifier: MIT */
/* The VIP table: every entry is found by its key, and leads to listeners that take what it stands for. */
#include <string.h>

#include "gpc/lookup/vip.h"
#include "reader.h"

struct vip_check {
	const struct gpc_reader *reader;
	struct gpc_view view;
	uint64_t interfaces; /* all that there are */
	const struct gpc_listener *listeners;
	uint32_t listener_count;
	const struct gpc_vip_choice *choices;
	uint32_t choice_count;
	uint32_t choices_seen; /* runs overlap nowhere if this is choice_count in the end */
	const struct gpc_vip_ports *ports;
	uint32_t port_count;
	uint64_t ports_seen;
};

/* What an entry, or an interval of it, is about. */
struct target {
	const struct gpc_vip *vip;
	uint32_t first, last; /* ports; SOLE: none, first > last */
};

static enum gpc_family family_of(const struct gpc_vip *vip)
{
	return gpc_vip_family(vip->address_be[0], vip->address_be[1]);
}

static uint32_t port_of(__be16 port)
{
	return __builtin_bswap16(port);
}

static bool leads_to(const struct vip_check *check, const struct target *target, uint32_t index)
{
	const struct gpc_listener *listener;

	if (index >= check->listener_count)
		return false;
	listener = &check->listeners[index];
	return listener->protocol == target->vip->protocol &&
	       (target->first > target->last ||
		(port_of(listener->port_be) <= target->first &&
		 target->last <= port_of(listener->port_last_be))) &&
	       (listener->forward == GPC_FORWARD_PASS ||
		listener->table[family_of(target->vip)].offset != GPC_NONE);
}

/* A run of choices on disjoint interfaces that together are `interfaces`. */
static bool run_is_sound(struct vip_check *check, const struct target *target, uint32_t first,
			 uint64_t interfaces)
{
	uint64_t seen = 0;

	for (uint32_t i = first, n = 0; n < GPC_VIP_CHOICES_MAX && i < check->choice_count;
	     i++, n++) {
		const struct gpc_vip_choice *choice = &check->choices[i];

		check->choices_seen++;
		if (!choice->interfaces || choice->interfaces & seen || choice->last > 1 ||
		    !leads_to(check, target, choice->listener))
			return false;
		seen |= choice->interfaces;
		if (choice->last)
			return n && seen == interfaces;
	}
	return false;
}

/* One listener or a run; `flags` without the kind. */
static bool says_is_sound(struct vip_check *check, const struct target *target,
			  const struct gpc_vip_says *says)
{
	if (!says->interfaces || says->interfaces & ~check->interfaces)
		return false;
	if (says->flags == GPC_VIP_CHOICE)
		return run_is_sound(check, target, says->listener, says->interfaces);
	return !says->flags && leads_to(check, target, says->listener);
}

/* ---- intervals of ports ---- */

static bool interval_is_sound(struct vip_check *check, const struct gpc_vip *vip, uint64_t i)
{
	const struct gpc_vip_ports *ports = &check->ports[vip->listener + i];
	bool last = i + 1 == vip->ports;
	struct gpc_vip_says says = {ports->interfaces, ports->listener, ports->flags};
	struct target target = {vip, ports->first, last ? UINT16_MAX : ports[1].first - 1u};

	if (ports->last != last || (!i && ports->first) ||
	    (!last && ports[1].first <= ports->first))
		return false;
	if (says.listener == GPC_NONE)
		return !says.interfaces && !says.flags;
	return says_is_sound(check, &target, &says);
}

static bool intervals_are_sound(struct vip_check *check, const struct gpc_vip *vip)
{
	if (!vip->ports || vip->ports > GPC_VIP_INTERVALS_MAX ||
	    vip->listener > check->port_count || vip->ports > check->port_count - vip->listener)
		return false;
	check->ports_seen += vip->ports;
	for (uint64_t i = 0; i < vip->ports; i++)
		if (!interval_is_sound(check, vip, i))
			return false;
	return true;
}

/* ---- entries ---- */

/* Interfaces where the prefix is a listener's; SOLE is also about listeners of shorter prefixes. */
static uint64_t interfaces_of(const struct vip_check *check, const struct gpc_vip *vip)
{
	uint64_t interfaces = 0;

	if (gpc_vip_kind(vip) == GPC_VIP_SOLE)
		return 0;
	if (gpc_vip_kind(vip) != GPC_VIP_PORTS)
		return vip->interfaces;
	for (uint64_t i = 0; i < vip->ports; i++)
		interfaces |= check->ports[vip->listener + i].interfaces;
	return interfaces;
}

/* Is the prefix one, of a length that lookups ask for? */
static bool prefix_is_sound(const struct vip_check *check, const struct gpc_vip *vip)
{
	enum gpc_family family = family_of(vip);
	uint32_t length = gpc_vip_kind(vip) == GPC_VIP_EXACT ? 128 : vip->port_be;
	const struct gpc_vip *found;
	uint32_t slot;

	if (length > 128)
		return false;
	slot = gpc_vip_prefix(check->view, vip->address_be[0], vip->address_be[1], length,
			      GPC_IPPROTO_ADDRESS, GPC_VIP_ADDRESS);
	if (slot == GPC_NONE)
		return false;
	found = gpc_vip_at(check->view, slot);
	if (memcmp(found->address_be, vip->address_be, sizeof(vip->address_be)) ||
	    interfaces_of(check, vip) & ~found->interfaces)
		return false;
	for (uint32_t i = 0; i < GPC_MAX_VIP_LENGTHS; i++)
		if (gpc_vip_length(check->view, family, i) == length + 1)
			return true;
	return false;
}

static bool address_is_sound(const struct gpc_vip *vip)
{
	uint32_t says = vip->listener, forwards = GPC_VIP_ADDRESS_FORWARDS(says);

	return vip->flags == GPC_VIP_ADDRESS && vip->protocol == GPC_IPPROTO_ADDRESS &&
	       GPC_VIP_ADDRESS_PING(says) <= GPC_PING_DROP && forwards &&
	       !(forwards & ~((2u << GPC_FORWARD_PASS) - 2)) &&
	       says == GPC_VIP_ADDRESS_SAYS(GPC_VIP_ADDRESS_PING(says), forwards,
					    GPC_VIP_ADDRESS_GUE_PORT(says)) &&
	       (forwards & 1u << GPC_FORWARD_GUE || !GPC_VIP_ADDRESS_GUE_PORT(says));
}

static bool entry_is_sound(struct vip_check *check, const struct gpc_vip *vip)
{
	enum gpc_vip_kind kind = gpc_vip_kind(vip);
	struct gpc_vip_says says = {vip->interfaces, vip->listener,
				    vip->flags & ~(uint32_t)GPC_VIP_KIND};
	struct target exact = {vip, port_of(vip->port_be), port_of(vip->port_be)};
	struct target any = {vip, 1, 0};

	if (!vip->interfaces ||
	    (kind != GPC_VIP_PORTS && vip->interfaces & ~check->interfaces) ||
	    gpc_vip_entry(check->view, vip->address_be[0], vip->address_be[1], vip->port_be,
			  vip->protocol, kind) != vip)
		return false;
	switch (kind) {
	case GPC_VIP_EXACT:
		return !gpc_all_zero(vip->address_be, sizeof(vip->address_be)) &&
		       says_is_sound(check, &exact, &says);
	case GPC_VIP_PORTS:
		return !says.flags && intervals_are_sound(check, vip);
	case GPC_VIP_SOLE:
		return (says.listener == GPC_NONE && !says.flags) ||
		       says_is_sound(check, &any, &says);
	case GPC_VIP_ADDRESS:
		return address_is_sound(vip);
	}
	return false;
}

/* Descending, whole addresses are 128; those of v4 are at least 96. */
static bool lengths_are_sound(const struct gpc_vip_lengths *lengths)
{
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		uint32_t before = 130, least = family == GPC_V4 ? 97 : 1;

		for (int i = 0; i < (int)GPC_MAX_VIP_LENGTHS; i++) {
			uint32_t length = lengths->length[family][i];

			if (length && (length >= before || length < least))
				return false;
			before = length;
		}
	}
	return true;
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
	check.ports = gpc_reader_section(reader, GPC_SEC_VIP_PORTS, &check.port_count);
	if (!lengths_are_sound(&reader->plane->vip_lengths))
		return gpc_reader_refuse(reader, GPC_E0509, "list of VIP lengths is malformed");
	for (uint32_t i = 0; i < count; i++) {
		if (gpc_all_zero(&vips[i], sizeof(vips[i])))
			continue;
		if (!entry_is_sound(&check, &vips[i]) || !prefix_is_sound(&check, &vips[i]) ||
		    check.choices_seen > check.choice_count || check.ports_seen > check.port_count)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "entry %u of section `vip` is malformed", i);
	}
	if (check.choices_seen != check.choice_count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `vip-choice` holds more than the runs");
	if (check.ports_seen != check.port_count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `vip-ports` holds more than the intervals");
	if (!(reader->plane->flags & GPC_PLANE_VIP_PORTS) != !check.port_count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "the plane's mark of prefixes and ranges is wrong");
	return true;
}
