/* SPDX-License-Identifier: MIT */
#include "changes_balancing.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../base/ip.h"
#include "../base/words.h"
#include "changes_rate.h"
#include "listener_places.h"

static const char *backend_name(const struct gpc_image *image, uint32_t index)
{
	const struct gpc_backend *backend;

	if (index == GPC_NONE)
		return "none";
	backend = gpc_change_record(image, GPC_SEC_BACKEND, index);
	return gpc_image_name(image, backend->name);
}

/* ---- listeners ---- */

struct sides {
	const struct gpc_image *before, *after;
	const struct gpc_listener *a, *b;
	struct gpc_change_text *out;
};

static uint32_t weight_at(const struct gpc_image *image, uint32_t first, uint32_t index)
{
	const struct gpc_pool *pool = gpc_change_record(image, GPC_SEC_POOL, first + index);
	const struct gpc_pool *previous = pool - 1;

	return pool->until - (index ? previous->until : 0);
}

/* "web 9, canary 1" */
static void put_split(const struct gpc_image *image, const struct gpc_listener *listener, char *out,
		      size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; i < listener->pools && used < size; i++) {
		const struct gpc_pool *pool =
			gpc_change_record(image, GPC_SEC_POOL, listener->first_pool + i);
		int n = snprintf(out + used, size - used, "%s%s %u", i ? ", " : "",
				 backend_name(image, pool->backend),
				 weight_at(image, listener->first_pool, i));

		used += (size_t)n;
	}
}

static void note_backends(const struct sides *s)
{
	const char *from = backend_name(s->before, s->a->backend);
	const char *to = backend_name(s->after, s->b->backend);
	char split[2][160];

	if (s->a->pools < 2 && s->b->pools < 2) {
		if (strcmp(from, to) != 0)
			gpc_change_note(s->out, "backend %s -> %s", from, to);
		return;
	}
	snprintf(split[0], sizeof(split[0]), "%s", from);
	snprintf(split[1], sizeof(split[1]), "%s", to);
	if (s->a->pools > 1)
		put_split(s->before, s->a, split[0], sizeof(split[0]));
	if (s->b->pools > 1)
		put_split(s->after, s->b, split[1], sizeof(split[1]));
	if (strcmp(split[0], split[1]) != 0)
		gpc_change_note(s->out, "split [%s] -> [%s]", split[0], split[1]);
}

static void note_word(const struct sides *s, const char *key, unsigned int from, unsigned int to,
		      const char *(*name)(unsigned int value))
{
	if (from != to)
		gpc_change_note(s->out, "%s %s -> %s", key, name(from), name(to));
}

static void note_number(const struct sides *s, const char *key, unsigned int from, unsigned int to)
{
	if (from != to)
		gpc_change_note(s->out, "%s %u -> %u", key, from, to);
}

static void note_ports(const struct sides *s)
{
	char from[GPC_PORTS_TEXT], to[GPC_PORTS_TEXT];

	if (s->a->port_be == s->b->port_be && s->a->port_last_be == s->b->port_last_be)
		return;
	gpc_ports_format(ntohs(s->a->port_be), ntohs(s->a->port_last_be), from);
	gpc_ports_format(ntohs(s->b->port_be), ntohs(s->b->port_last_be), to);
	gpc_change_note(s->out, "port %s -> %s", from, to);
}

static const char *dscp_text(uint8_t dscp, char out[8])
{
	if (dscp == GPC_DSCP_COPY)
		return "copy";
	snprintf(out, 8, "%u", dscp);
	return out;
}

static void note_flags(const struct sides *s)
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

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((s->a->flags ^ s->b->flags) & flags[i].flag)
			gpc_change_note(s->out, "%s %s", flags[i].name,
					s->b->flags & flags[i].flag ? "on" : "off");
}

static struct gpc_change_rate rate_of(const struct gpc_listener *listener)
{
	return (struct gpc_change_rate){
		.limited = listener->flags & GPC_LISTENER_RATE,
		.per_source = listener->flags & GPC_LISTENER_RATE_SOURCE,
		.bytes = listener->flags & GPC_LISTENER_RATE_BYTES,
		.cost = listener->rate_cost,
		.burst = listener->rate_burst,
		.entries = listener->rate_entries,
		.exceed = listener->rate_exceed,
	};
}

static uint32_t listener_index(const struct gpc_image *image, const struct gpc_listener *listener)
{
	const struct gpc_listener *first = gpc_change_record(image, GPC_SEC_LISTENER, 0);

	return (uint32_t)(listener - first);
}

/* "wan0, lan*" */
static const char *interface_names(struct gpc_arena *arena, const struct gpc_image *image, uint64_t interfaces)
{
	const char *text = "";

	for (uint32_t i = 0; interfaces >> i && i < 64; i++) {
		const struct gpc_interface *interface;

		if (!(interfaces >> i & 1))
			continue;
		interface = gpc_change_record(image, GPC_SEC_INTERFACE, i);
		text = gpc_arena_printf(arena, "%s%s%s", text, *text ? ", " : "",
					gpc_image_name(image, interface->name));
		if (i == 63)
			break;
	}
	return *text ? text : "none";
}

void gpc_changes_listener_places(const struct gpc_image *before, const struct gpc_listener *a,
				 const struct gpc_image *after, const struct gpc_listener *b,
				 struct gpc_change_text *out)
{
	struct gpc_arena arena = {0};
	uint64_t interfaces[2];
	const char *from = gpc_listener_places(&arena, before, listener_index(before, a), &interfaces[0]);
	const char *to = gpc_listener_places(&arena, after, listener_index(after, b), &interfaces[1]);

	if (strcmp(from, to) != 0)
		gpc_change_note(out, "address [%s] -> [%s]", from, to);
	from = interface_names(&arena, before, interfaces[0]);
	to = interface_names(&arena, after, interfaces[1]);
	if (strcmp(from, to) != 0)
		gpc_change_note(out, "interfaces [%s] -> [%s]", from, to);
	gpc_arena_release(&arena);
}

void gpc_changes_listener_differ(const struct gpc_image *before, const struct gpc_listener *a,
				 const struct gpc_image *after, const struct gpc_listener *b,
				 struct gpc_change_text *out)
{
	const struct sides s = {before, after, a, b, out};
	char from[8], to[8];

	note_backends(&s);
	note_word(&s, "protocol", a->protocol, b->protocol, gpc_transport_name);
	note_ports(&s);
	note_word(&s, "forward", a->forward, b->forward, gpc_forward_name);
	note_word(&s, "hash", a->hash, b->hash, gpc_hash_name);
	note_word(&s, "affinity", a->affinity, b->affinity, gpc_affinity_name);
	if (a->affinity == b->affinity)
		note_number(&s, "affinity-timeout", a->affinity_timeout, b->affinity_timeout);
	if (a->forward == b->forward)
		note_number(&s, "gue-port", ntohs(a->gue_port_be), ntohs(b->gue_port_be));
	if (a->outer_dscp != b->outer_dscp)
		gpc_change_note(out, "outer-dscp %s -> %s", dscp_text(a->outer_dscp, from),
				dscp_text(b->outer_dscp, to));
	note_word(&s, "ping", a->ping, b->ping, gpc_ping_name);
	note_flags(&s);
	gpc_change_note_rate(out, rate_of(a), rate_of(b));
}

/* ---- backends and endpoints ---- */

static const char *next_hop_text(const struct gpc_backend *backend, char out[GPC_IP_TEXT])
{
	struct gpc_ip ip;

	if (backend->next_hop != GPC_NEXT_HOP_ADDRESS)
		return backend->next_hop == GPC_NEXT_HOP_FIB ? "fib" : "auto";
	memcpy(ip.bytes, backend->next_hop_be, sizeof(ip.bytes));
	return gpc_ip_format(&ip, out);
}

void gpc_changes_backend_differ(const struct gpc_image *before, const struct gpc_backend *a,
				const struct gpc_image *after, const struct gpc_backend *b,
				struct gpc_change_text *out)
{
	const char *from = backend_name(before, a->failover), *to = backend_name(after, b->failover);
	char hop[2][GPC_IP_TEXT];

	if (a->table_size != b->table_size)
		gpc_change_note(out, "table-size %u -> %u", a->table_size, b->table_size);
	if (a->next_hop != b->next_hop ||
	    memcmp(a->next_hop_be, b->next_hop_be, sizeof(a->next_hop_be)))
		gpc_change_note(out, "next-hop %s -> %s", next_hop_text(a, hop[0]),
				next_hop_text(b, hop[1]));
	if (a->rebalance != b->rebalance)
		gpc_change_note(out, "rebalance %s",
				b->rebalance == GPC_REBALANCE_MINIMAL ? "minimal" : "fresh");
	if (a->min_healthy != b->min_healthy)
		gpc_change_note(out, "min-healthy %u.%02u%% -> %u.%02u%%", a->min_healthy / 100,
				a->min_healthy % 100, b->min_healthy / 100, b->min_healthy % 100);
	if (strcmp(from, to) != 0)
		gpc_change_note(out, "failover %s -> %s", from, to);
}

static const char *endpoint_address(const struct gpc_endpoint *e, bool v6, char *out)
{
	if (!(e->flags & (v6 ? GPC_ENDPOINT_V6 : GPC_ENDPOINT_V4)))
		return "none";
	return inet_ntop(v6 ? AF_INET6 : AF_INET,
			 v6 ? (const void *)e->address6_be : &e->address4_be, out,
			 INET6_ADDRSTRLEN);
}

void gpc_changes_endpoint_differ(const struct gpc_endpoint *a, const struct gpc_endpoint *b,
				 struct gpc_change_text *out)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	if (a->weight != b->weight)
		gpc_change_note(out, "weight %u -> %u", a->weight, b->weight);
	if (a->state != b->state)
		gpc_change_note(out, "state %s -> %s", gpc_state_name(a->state),
				gpc_state_name(b->state));
	if (a->address4_be != b->address4_be)
		gpc_change_note(out, "address %s -> %s", endpoint_address(a, false, from),
				endpoint_address(b, false, to));
	if (memcmp(a->address6_be, b->address6_be, sizeof(a->address6_be)))
		gpc_change_note(out, "address %s -> %s", endpoint_address(a, true, from),
				endpoint_address(b, true, to));
	if (a->port_be != b->port_be)
		gpc_change_note(out, "port %u -> %u", ntohs(a->port_be), ntohs(b->port_be));
	if (a->quic_length != b->quic_length || memcmp(a->quic_id, b->quic_id, sizeof(a->quic_id)))
		gpc_change_note(out, "quic-id");
}
