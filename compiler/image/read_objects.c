/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../model/id.h"
#include "../model/model.h"
#include "gpc/lookup/endpoint.h"
#include "reader.h"

#define PLANE_FLAGS                                                                                \
	(GPC_PLANE_MALFORMED_DROP | GPC_PLANE_NON_IP_DROP | GPC_PLANE_ON_FAIL_DROP |               \
	 GPC_PLANE_STATEFUL | GPC_PLANE_VIP_PORTS | GPC_PLANE_NAT |                                \
	 3u << GPC_PLANE_FRAGMENTS_SHIFT)
#define ENDPOINT_FLAGS (GPC_ENDPOINT_V4 | GPC_ENDPOINT_V6 | GPC_ENDPOINT_KEEP | GPC_ENDPOINT_FIB)
#define HOOKS (GPC_HOOK_XDP | GPC_HOOK_TC_INGRESS | GPC_HOOK_TC_EGRESS)

static bool check_phash(const struct gpc_reader *reader, const struct gpc_phash *hash,
			enum gpc_section_id buckets, enum gpc_section_id slots)
{
	const struct gpc_section *sections = reader->plane->section;
	uint64_t bucket_count = hash->bucket_mask + 1ull, slot_count = hash->slot_mask + 1ull;

	return !(bucket_count & (bucket_count - 1)) && !(slot_count & (slot_count - 1)) &&
	       sections[buckets].count == bucket_count && sections[slots].count == slot_count;
}

static bool check_displacements(const struct gpc_reader *reader, enum gpc_section_id id,
				uint32_t slot_mask)
{
	uint32_t count;
	const uint32_t *displacements = gpc_reader_section(reader, id, &count);

	for (uint32_t i = 0; i < count; i++)
		if (displacements[i] > slot_mask)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "entry %u of section `%s` is out of range", i,
						 gpc_section_name(id));
	return true;
}

static bool check_counts(const struct gpc_reader *reader)
{
	const struct gpc_section *sections = reader->plane->section;

	return sections[GPC_SEC_LISTENER].count <= GPC_MAX_LISTENERS &&
	       sections[GPC_SEC_BACKEND].count <= GPC_MAX_BACKENDS &&
	       sections[GPC_SEC_ENDPOINT].count <= GPC_MAX_ENDPOINTS &&
	       sections[GPC_SEC_INTERFACE].count <= GPC_MAX_INTERFACES &&
	       sections[GPC_SEC_POLICY].count <= GPC_MAX_POLICIES &&
	       sections[GPC_SEC_INVARIANT].count <= GPC_MAX_INVARIANTS &&
	       sections[GPC_SEC_TABLE].count <= 3ull * sections[GPC_SEC_BACKEND].count;
}

bool gpc_reader_plane(const struct gpc_reader *reader)
{
	const struct gpc_plane *plane = reader->plane;
	bool timeouts = true;

	for (int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		timeouts = timeouts && plane->timeout[i] >= GPC_MIN_TIMEOUT &&
			   plane->timeout[i] <= GPC_MAX_TIMEOUT;
	if (plane->format != GPC_IMAGE_VERSION || plane->flags & ~PLANE_FLAGS || plane->pad0 ||
	    plane->flows < GPC_MIN_FLOWS || plane->flows > GPC_MAX_FLOWS || !plane->flow_inserts ||
	    (plane->flags >> GPC_PLANE_FRAGMENTS_SHIFT & 3) > GPC_FRAGMENTS_PASS || !timeouts ||
	    !gpc_all_zero(plane->pad1, sizeof(plane->pad1)) || plane->pad2 ||
	    !gpc_all_zero(plane->pad3, sizeof(plane->pad3)) ||
	    !gpc_all_zero(plane->tries.pad0, sizeof(plane->tries.pad0)))
		return gpc_reader_refuse(reader, GPC_E0509, "plane record is malformed");
	if (!check_counts(reader))
		return gpc_reader_refuse(reader, GPC_E0509, "more objects than a plane can have");
	if (!check_phash(reader, &plane->vip, GPC_SEC_VIP_DISP, GPC_SEC_VIP) ||
	    !check_phash(reader, &plane->endpoint, GPC_SEC_EP_DISP, GPC_SEC_EP_INDEX) ||
	    !check_phash(reader, &plane->quic, GPC_SEC_QUIC_DISP, GPC_SEC_QUIC))
		return gpc_reader_refuse(reader, GPC_E0509, "perfect hash does not fit its tables");
	return check_displacements(reader, GPC_SEC_VIP_DISP, plane->vip.slot_mask) &&
	       check_displacements(reader, GPC_SEC_EP_DISP, plane->endpoint.slot_mask) &&
	       check_displacements(reader, GPC_SEC_QUIC_DISP, plane->quic.slot_mask);
}

/* ---- names: one after another in a fixed order, so one cursor checks all references ---- */

struct cursor {
	const struct gpc_reader *reader;
	const char *names;
	uint32_t size, at;
};

static bool next_name(struct cursor *cursor, uint32_t name)
{
	uint32_t start = cursor->at, at = start;

	if (name != start)
		return false;
	while (at < cursor->size && cursor->names[at] > ' ' && cursor->names[at] <= '~')
		at++;
	if (at == start || at == cursor->size || cursor->names[at] ||
	    at - start > GPC_MAX_NAME_BYTES)
		return false;
	cursor->at = at + 1;
	return true;
}

#define CHECK_NAMES(type, id)                                                                      \
	do {                                                                                       \
		uint32_t count_;                                                                   \
		const type *records_ = gpc_reader_section(reader, (id), &count_);                  \
                                                                                                   \
		for (uint32_t i_ = 0; i_ < count_; i_++)                                           \
			if (!next_name(&cursor, records_[i_].name))                                \
				return gpc_reader_refuse(                                          \
					reader, GPC_E0509,                                         \
					"name of entry %u of section `%s` is malformed", i_,       \
					gpc_section_name(id));                                     \
	} while (0)

bool gpc_reader_names(const struct gpc_reader *reader)
{
	struct cursor cursor = {.reader = reader};

	cursor.names = gpc_reader_section(reader, GPC_SEC_NAMES, &cursor.size);
	if (!next_name(&cursor, reader->plane->name))
		return gpc_reader_refuse(reader, GPC_E0509, "name of the plane is malformed");
	CHECK_NAMES(struct gpc_listener, GPC_SEC_LISTENER);
	CHECK_NAMES(struct gpc_endpoint, GPC_SEC_ENDPOINT);
	CHECK_NAMES(struct gpc_backend, GPC_SEC_BACKEND);
	CHECK_NAMES(struct gpc_interface, GPC_SEC_INTERFACE);
	CHECK_NAMES(struct gpc_policy, GPC_SEC_POLICY);
	CHECK_NAMES(struct gpc_rule, GPC_SEC_RULE);
	CHECK_NAMES(struct gpc_invariant, GPC_SEC_INVARIANT);
	if (cursor.at != cursor.size)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "section `names` holds more than names");
	return true;
}

static const char *name_of(const struct gpc_reader *reader, uint32_t name)
{
	return reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset + name;
}

/* ---- objects ---- */

static bool interface_is_sound(const struct gpc_reader *reader,
			       const struct gpc_interface *interface)
{
	const char *name = name_of(reader, interface->name);

	return interface->id == gpc_stable_id(GPC_KIND_INTERFACE, NULL, name) &&
	       interface->mode <= GPC_MODE_ANY && interface->role <= GPC_ROLE_DECAP &&
	       interface->hooks && !(interface->hooks & ~HOOKS) &&
	       interface->pattern == (name[strlen(name) - 1] == '*') && !interface->pad0[0] &&
	       !interface->pad0[1];
}

static bool check_interfaces(const struct gpc_reader *reader)
{
	uint32_t count;
	const struct gpc_interface *interfaces =
		gpc_reader_section(reader, GPC_SEC_INTERFACE, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!interface_is_sound(reader, &interfaces[i]) ||
		    (i && strcmp(name_of(reader, interfaces[i - 1].name),
				 name_of(reader, interfaces[i].name)) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509, "interface %u is malformed", i);
	return true;
}

static bool backend_is_sound(const struct gpc_reader *reader, const struct gpc_backend *backend,
			     uint32_t first_endpoint, uint32_t endpoint_count)
{
	bool gateway = backend->next_hop == GPC_NEXT_HOP_ADDRESS;

	return backend->id ==
		       gpc_stable_id(GPC_KIND_BACKEND, NULL, name_of(reader, backend->name)) &&
	       backend->first_endpoint == first_endpoint && backend->endpoints &&
	       backend->endpoints <= GPC_MAX_ENDPOINTS_PER_BACKEND &&
	       backend->endpoints <= endpoint_count - first_endpoint &&
	       backend->table_size >= GPC_MIN_TABLE_SIZE &&
	       backend->table_size <= GPC_MAX_TABLE_SIZE &&
	       backend->next_hop <= GPC_NEXT_HOP_ADDRESS &&
	       gateway == !gpc_all_zero(backend->next_hop_be, sizeof(backend->next_hop_be)) &&
	       backend->rebalance <= GPC_REBALANCE_MINIMAL && backend->min_healthy <= 10000 &&
	       gpc_all_zero(backend->pad0, sizeof(backend->pad0));
}

static bool endpoint_is_sound(const struct gpc_reader *reader, const struct gpc_backend *backend,
			      uint32_t owner, const struct gpc_endpoint *endpoint)
{
	bool v4 = endpoint->flags & GPC_ENDPOINT_V4, v6 = endpoint->flags & GPC_ENDPOINT_V6;

	return endpoint->id == gpc_stable_id(GPC_KIND_ENDPOINT, name_of(reader, backend->name),
					     name_of(reader, endpoint->name)) &&
	       endpoint->backend == owner && !(endpoint->flags & ~ENDPOINT_FLAGS) && (v4 || v6) &&
	       v4 == (endpoint->address4_be != 0) &&
	       v6 == !gpc_all_zero(endpoint->address6_be, sizeof(endpoint->address6_be)) &&
	       endpoint->state <= GPC_STATE_MAINT &&
	       !(endpoint->flags & GPC_ENDPOINT_KEEP) == (endpoint->state == GPC_STATE_MAINT) &&
	       !(endpoint->flags & GPC_ENDPOINT_FIB) == (backend->next_hop != GPC_NEXT_HOP_FIB) &&
	       endpoint->by_name < backend->endpoints && !endpoint->pad0 &&
	       endpoint->quic_length <= GPC_MAX_QUIC_ID &&
	       gpc_all_zero(endpoint->quic_id + endpoint->quic_length,
			    sizeof(endpoint->quic_id) - endpoint->quic_length);
}

/* Names that ascend are all there, each once. */
static bool names_ascend(const struct gpc_reader *reader, const struct gpc_backend *backend,
			 const struct gpc_endpoint *endpoints)
{
	for (uint32_t i = 1; i < backend->endpoints; i++)
		if (strcmp(name_of(reader, endpoints[endpoints[i - 1].by_name].name),
			   name_of(reader, endpoints[endpoints[i].by_name].name)) >= 0)
			return false;
	return true;
}

static bool check_endpoints_of(const struct gpc_reader *reader, uint32_t owner,
			       const struct gpc_backend *backend,
			       const struct gpc_endpoint *endpoints)
{
	for (uint32_t i = 0; i < backend->endpoints; i++)
		if (!endpoint_is_sound(reader, backend, owner, &endpoints[i]) ||
		    (i && endpoints[i - 1].id >= endpoints[i].id))
			return gpc_reader_refuse(reader, GPC_E0509, "endpoint %u is malformed",
						 backend->first_endpoint + i);
	if (!names_ascend(reader, backend, endpoints))
		return gpc_reader_refuse(reader, GPC_E0509,
					 "endpoints of backend %u are not in order of their names",
					 owner);
	return true;
}

/* What stands behind a backend ends soon, so it is no circle either. */
static bool check_failovers(const struct gpc_reader *reader)
{
	uint32_t count;
	const struct gpc_backend *backends = gpc_reader_section(reader, GPC_SEC_BACKEND, &count);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = backends[i].failover, depth = 0;

		while (at < count && depth++ < GPC_MAX_FAILOVER)
			at = backends[at].failover;
		if (at != GPC_NONE)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "failover of backend %u is malformed", i);
	}
	return true;
}

static bool check_backends(const struct gpc_reader *reader)
{
	uint32_t count, endpoint_count, next = 0;
	const struct gpc_backend *backends = gpc_reader_section(reader, GPC_SEC_BACKEND, &count);
	const struct gpc_endpoint *endpoints =
		gpc_reader_section(reader, GPC_SEC_ENDPOINT, &endpoint_count);

	for (uint32_t i = 0; i < count; i++) {
		if (!backend_is_sound(reader, &backends[i], next, endpoint_count) ||
		    (i && strcmp(name_of(reader, backends[i - 1].name),
				 name_of(reader, backends[i].name)) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509, "backend %u is malformed", i);
		if (!check_endpoints_of(reader, i, &backends[i], &endpoints[next]))
			return false;
		next += backends[i].endpoints;
	}
	if (next != endpoint_count)
		return gpc_reader_refuse(reader, GPC_E0509, "endpoint %u belongs to no backend",
					 next);
	return true;
}

/* Every endpoint is found by its id, and nothing else stands in the index. */
static bool check_endpoint_index(const struct gpc_reader *reader)
{
	struct gpc_view view = {reader->bytes, ((uint64_t)1 << gpc_size_class(reader->size)) - 1};
	uint32_t count, index_count, used = 0;
	const struct gpc_endpoint *endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &count);
	const uint32_t *index = gpc_reader_section(reader, GPC_SEC_EP_INDEX, &index_count);

	for (uint32_t i = 0; i < index_count; i++) {
		if (index[i] > count)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "entry %u of the endpoint index is malformed", i);
		used += index[i] != 0;
	}
	if (used != count)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "endpoint index holds %u of %u endpoints", used, count);
	for (uint32_t i = 0; i < count; i++)
		if (gpc_endpoint_by_id(view, endpoints[i].id) != i)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "endpoint %u is not found by its id", i);
	return true;
}

bool gpc_reader_objects(const struct gpc_reader *reader)
{
	return check_interfaces(reader) && check_backends(reader) && check_failovers(reader) &&
	       check_endpoint_index(reader);
}
