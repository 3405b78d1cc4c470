/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../model/id.h"
#include "../model/model.h"
#include "reader.h"

#define RATE_FLAGS (GPC_LISTENER_RATE | GPC_LISTENER_RATE_SOURCE)

/* What all listeners ask of a backend, found out once. */
struct backend_facts {
	uint8_t quic_length;	/* of all endpoints, 0: not one */
	bool has_ports;		/* an endpoint has a port of its own */
};

struct listener_check {
	const struct gpc_reader *reader;
	const char *names;
	const struct gpc_backend *backends;
	uint32_t backend_count;
	const struct gpc_table *tables;
	uint32_t table_count;
	const struct gpc_pool *pools;
	uint32_t pool_count;
	uint32_t next_pool;		/* first one that belongs to no listener yet */
	bool *all_have[2];		/* by table: each endpoint in it has an address of the family */
	struct backend_facts *facts;	/* by backend */
};

/* ---- what is known of tables and backends ---- */

static bool table_has(const struct gpc_reader *reader, const struct gpc_table *table,
		      const struct gpc_endpoint *endpoints, uint8_t flag)
{
	const uint16_t *slots = (const uint16_t *)(reader->bytes + table->offset);

	for (uint32_t i = 0; i < table->size; i++)
		if (!(endpoints[slots[i]].flags & flag))
			return false;
	return true;
}

static struct backend_facts facts_of(const struct gpc_endpoint *endpoints, uint32_t count)
{
	struct backend_facts facts = {.quic_length = endpoints[0].quic_length};

	for (uint32_t i = 0; i < count; i++) {
		if (endpoints[i].quic_length != facts.quic_length)
			facts.quic_length = 0;
		facts.has_ports |= endpoints[i].port_be != 0;
	}
	return facts;
}

static struct listener_check start(const struct gpc_reader *reader)
{
	struct gpc_arena *arena = reader->diags->arena;
	struct listener_check c = {.reader = reader};
	const struct gpc_endpoint *endpoints;
	uint32_t ignored;

	c.names = gpc_reader_section(reader, GPC_SEC_NAMES, &ignored);
	c.backends = gpc_reader_section(reader, GPC_SEC_BACKEND, &c.backend_count);
	c.tables = gpc_reader_section(reader, GPC_SEC_TABLE, &c.table_count);
	c.pools = gpc_reader_section(reader, GPC_SEC_POOL, &c.pool_count);
	endpoints = gpc_reader_section(reader, GPC_SEC_ENDPOINT, &ignored);
	c.facts = GPC_NEW_ARRAY(arena, struct backend_facts, c.backend_count);
	for (uint32_t i = 0; i < c.backend_count; i++)
		c.facts[i] = facts_of(endpoints + c.backends[i].first_endpoint,
				      c.backends[i].endpoints);
	for (int family = GPC_V4; family <= GPC_V6; family++) {
		c.all_have[family] = GPC_NEW_ARRAY(arena, bool, c.table_count);
		for (uint32_t i = 0; i < c.table_count; i++)
			c.all_have[family][i] = table_has(
				reader, &c.tables[i],
				endpoints + c.backends[c.tables[i].backend].first_endpoint,
				family == GPC_V4 ? GPC_ENDPOINT_V4 : GPC_ENDPOINT_V6);
	}
	return c;
}

/* ---- references to tables ---- */

static bool is_no_ref(const struct gpc_table_ref *ref)
{
	return ref->offset == GPC_NONE && !ref->size && !ref->first_endpoint &&
	       ref->table == GPC_NONE;
}

/* Can the mode send packets of this family to every endpoint in the table? */
static bool can_send(const struct listener_check *c, enum gpc_forward forward,
		     enum gpc_family family, uint32_t table)
{
	switch (forward) {
	case GPC_FORWARD_DSR:
		return true;
	case GPC_FORWARD_NAT:
		return c->all_have[family][table];
	default:
		return family == GPC_V4 || c->all_have[GPC_V6][table];
	}
}

static bool ref_is_sound(const struct listener_check *c, const struct gpc_listener *listener,
			 const struct gpc_pool *pool, enum gpc_family family)
{
	const struct gpc_table_ref *ref = &pool->table[family];
	const struct gpc_table *table;

	if (ref->offset == GPC_NONE || listener->table[family].offset == GPC_NONE)
		return is_no_ref(ref) && is_no_ref(&listener->table[family]);
	if (ref->first_endpoint != c->backends[pool->backend].first_endpoint)
		return false;
	if (ref->table == GPC_NONE)
		return !ref->offset && !ref->size;
	if (ref->table >= c->table_count)
		return false;
	table = &c->tables[ref->table];
	return table->backend == pool->backend && ref->offset == table->offset &&
	       ref->size == table->size && can_send(c, listener->forward, family, ref->table);
}

/* ---- pools ---- */

/* The pools of the split: backends in order, weights that add up. */
static bool split_is_sound(const struct listener_check *c, const struct gpc_pool *pools,
			   uint32_t count)
{
	uint32_t before = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (pools[i].backend >= c->backend_count ||
		    (i && pools[i].backend <= pools[i - 1].backend) ||
		    pools[i].until < before || pools[i].until - before > GPC_MAX_WEIGHT ||
		    pools[i].total != pools[count - 1].until)
			return false;
		before = pools[i].until;
	}
	return before != 0;
}

/*
 * The pools that are failed over to stand behind the split, in the order in which they are met; *ret_end
 * is where the listener's pools end.
 */
static bool failovers_are_sound(const struct listener_check *c, uint32_t first, uint32_t split,
				uint32_t *ret_end)
{
	const struct gpc_pool *pools = c->pools;
	uint32_t end = first + split;

	for (uint32_t i = first; i < end; i++) {
		uint32_t backend = c->backends[pools[i].backend].failover, target = first;

		if (backend == GPC_NONE) {
			if (pools[i].failover != GPC_NONE)
				return false;
			continue;
		}
		while (target < end && pools[target].backend != backend)
			target++;
		if (pools[i].failover != target || target >= c->pool_count)
			return false;
		if (target < end)
			continue;
		if (pools[target].backend != backend || pools[target].until || pools[target].total)
			return false;
		end++;
	}
	*ret_end = end;
	return true;
}

static bool pool_is_sound(const struct listener_check *c, const struct gpc_listener *listener,
			  const struct gpc_pool *pool)
{
	const struct backend_facts *facts = &c->facts[pool->backend];
	bool one_port = listener->port_be && listener->port_be == listener->port_last_be;

	return !pool->pad0[0] && !pool->pad0[1] && ref_is_sound(c, listener, pool, GPC_V4) &&
	       ref_is_sound(c, listener, pool, GPC_V6) &&
	       (listener->affinity != GPC_AFFINITY_QUIC_CID ||
		facts->quic_length == listener->quic_length) &&
	       (!facts->has_ports || (listener->forward == GPC_FORWARD_NAT && one_port));
}

static bool pools_are_sound(struct listener_check *c, const struct gpc_listener *listener)
{
	uint32_t first = c->next_pool, end;
	const struct gpc_pool *pools = c->pools + first;
	bool asked = listener->flags & GPC_LISTENER_POOLS;

	if (listener->forward == GPC_FORWARD_PASS)
		return !listener->pools && listener->first_pool == GPC_NONE &&
		       listener->backend == GPC_NONE && !asked &&
		       is_no_ref(&listener->table[GPC_V4]) && is_no_ref(&listener->table[GPC_V6]);
	if (!listener->pools || listener->pools > GPC_MAX_SPLIT || listener->first_pool != first ||
	    listener->pools > c->pool_count - first || !split_is_sound(c, pools, listener->pools) ||
	    !failovers_are_sound(c, first, listener->pools, &end))
		return false;
	for (uint32_t i = first; i < end; i++)
		if (!pool_is_sound(c, listener, &c->pools[i]))
			return false;
	c->next_pool = end;
	return listener->backend == pools[0].backend &&
	       !memcmp(listener->table, pools[0].table, sizeof(pools[0].table)) &&
	       (listener->table[GPC_V4].offset != GPC_NONE ||
		listener->table[GPC_V6].offset != GPC_NONE) &&
	       asked == (listener->pools > 1 || pools[0].failover != GPC_NONE);
}

/* ---- listeners ---- */

static bool protocol_is_sound(const struct gpc_listener *listener)
{
	uint16_t first = ntohs(listener->port_be), last = ntohs(listener->port_last_be);

	return (listener->protocol == IPPROTO_TCP || listener->protocol == IPPROTO_UDP ||
		(listener->protocol == IPPROTO_SCTP && listener->forward == GPC_FORWARD_PASS)) &&
	       listener->forward >= GPC_FORWARD_IPIP && listener->forward <= GPC_FORWARD_PASS &&
	       (first ? first <= last : last == UINT16_MAX);
}

static bool choice_is_sound(const struct gpc_listener *listener)
{
	bool pass = listener->forward == GPC_FORWARD_PASS;
	bool quic = listener->affinity == GPC_AFFINITY_QUIC_CID;
	bool source = listener->affinity == GPC_AFFINITY_SOURCE_IP;

	return listener->hash <= GPC_HASH_DESTINATION_PORT &&
	       listener->affinity <= GPC_AFFINITY_QUIC_CID &&
	       (!pass || (!listener->hash && !listener->affinity)) &&
	       (!source || listener->hash == GPC_HASH_SOURCE_IP) &&
	       source == (listener->affinity_timeout != 0) &&
	       (!quic || listener->protocol == IPPROTO_UDP) && quic == (listener->quic_length != 0) &&
	       listener->quic_length <= GPC_MAX_QUIC_ID;
}

static bool flags_are_sound(const struct gpc_listener *listener)
{
	bool nat = listener->forward == GPC_FORWARD_NAT, pass = listener->forward == GPC_FORWARD_PASS;
	uint16_t allowed = GPC_LISTENER_POOLS | RATE_FLAGS;

	if (listener->protocol == IPPROTO_UDP && !pass)
		allowed |= GPC_LISTENER_STABLE;
	if (nat)
		allowed |= GPC_LISTENER_SNAT;
	if (listener->protocol == IPPROTO_TCP && (nat || pass))
		allowed |= GPC_LISTENER_MSS_CLAMP | GPC_LISTENER_SYN_COOKIES;
	return !(listener->flags & ~allowed);
}

static bool header_is_sound(const struct gpc_listener *listener)
{
	bool gue = listener->forward == GPC_FORWARD_GUE;

	return gue == (listener->gue_port_be != 0) &&
	       (listener->outer_dscp == GPC_DSCP_COPY ||
		(listener->outer_dscp < 64 && (gue || listener->forward == GPC_FORWARD_IPIP)));
}

static bool rate_is_sound(const struct gpc_listener *listener)
{
	uint32_t entries = listener->rate_entries;

	if (!(listener->flags & GPC_LISTENER_RATE))
		return !(listener->flags & RATE_FLAGS) && !listener->rate_exceed &&
		       !listener->rate_cost && !listener->rate_burst && !entries;
	return listener->rate_exceed >= GPC_ACTION_ALLOW &&
	       listener->rate_exceed <= GPC_ACTION_REJECT && listener->rate_cost &&
	       listener->rate_burst && entries && !(entries & (entries - 1)) &&
	       entries <= GPC_MAX_RATE_ENTRIES &&
	       (entries == 1 || listener->flags & GPC_LISTENER_RATE_SOURCE);
}

static bool listener_is_sound(struct listener_check *c, const struct gpc_listener *listener)
{
	return listener->id ==
		       gpc_stable_id(GPC_KIND_LISTENER, NULL, c->names + listener->name) &&
	       protocol_is_sound(listener) && choice_is_sound(listener) &&
	       flags_are_sound(listener) && header_is_sound(listener) && rate_is_sound(listener) &&
	       listener->ping <= GPC_PING_DROP && !listener->pad0 && !listener->pad1 &&
	       !listener->pad2 && gpc_all_zero(listener->pad3, sizeof(listener->pad3)) &&
	       pools_are_sound(c, listener);
}

bool gpc_reader_listeners(const struct gpc_reader *reader)
{
	struct listener_check c = start(reader);
	uint32_t count;
	const struct gpc_listener *listeners = gpc_reader_section(reader, GPC_SEC_LISTENER, &count);
	bool nat = false;

	for (uint32_t i = 0; i < count; i++) {
		if (!listener_is_sound(&c, &listeners[i]) ||
		    (i && strcmp(c.names + listeners[i - 1].name, c.names + listeners[i].name) >= 0))
			return gpc_reader_refuse(reader, GPC_E0509, "listener %u is malformed", i);
		nat |= listeners[i].forward == GPC_FORWARD_NAT;
	}
	if (c.next_pool != c.pool_count)
		return gpc_reader_refuse(reader, GPC_E0509, "pool %u belongs to no listener",
					 c.next_pool);
	if (nat != ((reader->plane->flags & GPC_PLANE_NAT) != 0))
		return gpc_reader_refuse(reader, GPC_E0509,
					 "flags of the plane do not fit its listeners");
	return true;
}
