/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>

#include "../base/words.h"
#include "dumper.h"
#include "gpc/image.h"

static void put_ref(struct gpc_dump *dump, const char *key, const struct gpc_table_ref *ref)
{
	if (ref->offset == GPC_NONE)
		gpc_emit_none(&dump->emitter, key);
	else if (ref->table == GPC_NONE)
		gpc_emit_string(&dump->emitter, key, "empty");
	else
		gpc_emit_number(&dump->emitter, key, ref->table);
}

/* "stable snat": what is not said elsewhere. */
static void put_flags(struct gpc_dump *dump, const struct gpc_listener *listener)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} flags[] = {
		{GPC_LISTENER_STABLE, "stable"},
		{GPC_LISTENER_SNAT, "snat"},
		{GPC_LISTENER_MSS_CLAMP, "mss-clamp"},
		{GPC_LISTENER_SYN_COOKIES, "syn-cookies"},
	};
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (listener->flags & flags[i].flag)
			text = text ? gpc_arena_printf(dump->arena, "%s %s", text, flags[i].name)
				    : flags[i].name;
	if (text)
		gpc_emit_string(&dump->emitter, "flags", text);
	else
		gpc_emit_none(&dump->emitter, "flags");
}

static const struct gpc_pool *pool_at(const struct gpc_dump *dump, uint32_t index)
{
	return gpc_dump_record(dump, GPC_SEC_POOL, index);
}

/* "canary web" of a split. */
static void put_backends(struct gpc_dump *dump, const struct gpc_listener *listener)
{
	const char *text = NULL;

	for (uint32_t i = 0; i < listener->pools; i++) {
		const struct gpc_backend *backend =
			gpc_dump_record(dump, GPC_SEC_BACKEND,
					pool_at(dump, listener->first_pool + i)->backend);
		const char *name = gpc_image_name(dump->image, backend->name);

		text = text ? gpc_arena_printf(dump->arena, "%s %s", text, name) : name;
	}
	if (text)
		gpc_emit_string(&dump->emitter, "backend", text);
	else
		gpc_emit_none(&dump->emitter, "backend");
}

static void put_listener_rate(struct gpc_emitter *e, const struct gpc_listener *listener)
{
	bool limited = listener->flags & GPC_LISTENER_RATE;

	if (limited)
		gpc_emit_string(e, "rate",
				listener->flags & GPC_LISTENER_RATE_SOURCE ? "source-ip" : "listener");
	else
		gpc_emit_none(e, "rate");
	gpc_dump_if(e, "cost-ns", limited, listener->rate_cost);
	gpc_dump_if(e, "burst-ns", limited, listener->rate_burst);
	gpc_dump_if(e, "buckets", limited, listener->rate_entries);
	if (limited)
		gpc_emit_string(e, "exceed", gpc_action_name(listener->rate_exceed));
	else
		gpc_emit_none(e, "exceed");
}

static void dump_listener(struct gpc_dump *dump, const struct gpc_listener *listener)
{
	struct gpc_emitter *e = &dump->emitter;
	char ports[GPC_PORTS_TEXT];

	gpc_dump_name(dump, "name", listener->name);
	gpc_emit_hex(e, "id", listener->id);
	gpc_emit_string(e, "protocol", gpc_transport_name(listener->protocol));
	gpc_emit_string(e, "port",
			gpc_ports_format(ntohs(listener->port_be), ntohs(listener->port_last_be),
					 ports));
	gpc_emit_string(e, "forward", gpc_forward_name(listener->forward));
	put_backends(dump, listener);
	gpc_dump_if(e, "pools", listener->pools, listener->pools);
	put_ref(dump, "table-v4", &listener->table[GPC_V4]);
	put_ref(dump, "table-v6", &listener->table[GPC_V6]);
	gpc_emit_string(e, "hash", gpc_hash_name(listener->hash));
	gpc_emit_string(e, "affinity", gpc_affinity_name(listener->affinity));
	gpc_dump_if(e, "affinity-timeout", listener->affinity_timeout, listener->affinity_timeout);
	gpc_dump_if(e, "gue-port", listener->gue_port_be, ntohs(listener->gue_port_be));
	gpc_dump_if(e, "outer-dscp", listener->outer_dscp != GPC_DSCP_COPY, listener->outer_dscp);
	gpc_emit_string(e, "ping", gpc_ping_name(listener->ping));
	put_flags(dump, listener);
	put_listener_rate(e, listener);
	gpc_dump_place(dump, listener->id);
}

void gpc_dump_listeners(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_LISTENER); i++) {
		gpc_dump_begin(dump, "listener", i);
		dump_listener(dump, gpc_dump_record(dump, GPC_SEC_LISTENER, i));
		gpc_emit_end(&dump->emitter);
	}
}

/* A pool's part of the split; those that are only failed over to have none. */
static void put_weight(struct gpc_dump *dump, uint32_t index)
{
	const struct gpc_pool *pool = pool_at(dump, index);
	const struct gpc_listener *listener = gpc_dump_record(
		dump, GPC_SEC_LISTENER, gpc_image_pool_listener(dump->image, index));
	uint32_t before = index == listener->first_pool ? 0 : pool_at(dump, index - 1)->until;

	gpc_dump_if(&dump->emitter, "weight", pool->total, pool->until - before);
	gpc_dump_if(&dump->emitter, "of", pool->total, pool->total);
}

void gpc_dump_pools(struct gpc_dump *dump)
{
	for (uint32_t i = 0; i < gpc_dump_count(dump, GPC_SEC_POOL); i++) {
		const struct gpc_pool *pool = gpc_dump_record(dump, GPC_SEC_POOL, i);
		const struct gpc_listener *listener;

		gpc_dump_begin(dump, "pool", i);
		listener = gpc_dump_record(dump, GPC_SEC_LISTENER,
					   gpc_image_pool_listener(dump->image, i));
		gpc_dump_name(dump, "listener", listener->name);
		gpc_dump_backend(dump, "backend", pool->backend);
		put_weight(dump, i);
		put_ref(dump, "table-v4", &pool->table[GPC_V4]);
		put_ref(dump, "table-v6", &pool->table[GPC_V6]);
		if (pool->failover == GPC_NONE)
			gpc_emit_none(&dump->emitter, "failover");
		else
			gpc_dump_backend(dump, "failover", pool_at(dump, pool->failover)->backend);
		gpc_emit_end(&dump->emitter);
	}
}
