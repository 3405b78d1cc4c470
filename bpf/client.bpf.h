/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * client.bpf.h: affinity beyond the flow (SEMANTICS 6.3): by the client's address, and by the id that the
 * endpoint gave to a QUIC connection.
 */
#ifndef GPC_CLIENT_BPF_H
#define GPC_CLIENT_BPF_H

#include "choose.bpf.h"
#include "frame.bpf.h"
#include "gpc/lookup/quic.h"

#define GPC_UDP_HEAD 8u
#define GPC_QUIC_ID_MASK 15u

/* ---- `affinity: source-ip` ---- */

static __always_inline struct gpc_client_key client_key(const struct gpc_case *c,
							const struct gpc_listener *listener)
{
	return (struct gpc_client_key){
		.listener = listener->id,
		.source = {c->packet.tuple.source[0], c->packet.tuple.source[1]}};
}

/* The endpoint that the client's other flows have, if it keeps them; GPC_NONE. `state`: as for gpc_keeps(). */
__noinline int gpc_recall_client(const struct gpc_case *c, __u32 listener_index, __u32 state)
{
	const struct gpc_listener *listener;
	const struct gpc_endpoint *endpoint;
	const struct gpc_client *client;
	struct gpc_client_key key;
	struct gpc_view view;
	__u32 index;
	__s32 idle;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	listener = gpc_listener_at(view, listener_index);
	key = client_key(c, listener);
	client = bpf_map_lookup_elem(&gpc_clients, &key);
	if (!client)
		return GPC_NONE;
	idle = (__u32)(c->now >> GPC_FLOW_SECOND_SHIFT) - READ_ONCE(client->last_seen);
	if (gpc_idle_for(idle, listener->affinity_timeout))
		return GPC_NONE;
	index = gpc_endpoint_by_id(view, READ_ONCE(client->endpoint));
	if (index == GPC_NONE)
		return GPC_NONE;
	endpoint = gpc_endpoint_at(view, index);
	if (!gpc_endpoint_takes(endpoint, listener->forward, c->packet.family) ||
	    !gpc_keeps(c, index, listener_index, state))
		return GPC_NONE;
	return index;
}

/* The endpoint of a client's new flow. */
__noinline int gpc_choose_for_client(struct gpc_case *c, __u32 listener_index, __u32 state)
{
	__u32 index;

	if (!c)
		return GPC_NONE;
	index = gpc_recall_client(c, listener_index, state);
	c->moves = index == GPC_NONE;
	return c->moves ? gpc_choose(c, &c->packet.tuple, listener_index) : index;
}

/*
 * The client has sent something to the endpoint, which is its own from now on if it c->moves or had none.
 * Only the time is written into an element that is there: should the kernel have given it to another client
 * since it was found, that one has just been seen, too.
 */
__noinline int gpc_note_client(const struct gpc_case *c, __u32 listener_index, __u32 endpoint)
{
	struct gpc_client fresh = {};
	struct gpc_client *client;
	struct gpc_client_key key;
	struct gpc_view view;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	key = client_key(c, gpc_listener_at(view, listener_index));
	fresh.endpoint = gpc_endpoint_at(view, endpoint)->id;
	fresh.last_seen = c->now >> GPC_FLOW_SECOND_SHIFT;
	client = bpf_map_lookup_elem(&gpc_clients, &key);
	if (!client || (c->moves && READ_ONCE(client->endpoint) != fresh.endpoint))
		return bpf_map_update_elem(&gpc_clients, &key, &fresh, BPF_ANY);
	if (READ_ONCE(client->last_seen) != fresh.last_seen)
		WRITE_ONCE(client->last_seen, fresh.last_seen);
	return 0;
}

/* ---- `affinity: quic-cid` ---- */

/* Puts the server id of a datagram's connection id into c->quic; 0: it has none to route by. */
__noinline int gpc_read_quic(struct xdp_md *ctx, struct gpc_case *c, __u32 length)
{
	__u8 head[GPC_QUIC_HEAD];
	__u32 at, offset;

	if (!ctx || !c)
		return 0;
	at = c->packet.l4 + GPC_UDP_HEAD;
	if (frame_load(ctx, GPC_CONTEXT_XDP, at, head, sizeof(head)))
		return 0;
	c->quic[0] = c->quic[1] = 0;
	length &= GPC_QUIC_ID_MASK;
	offset = gpc_quic_server_id(head, length);
	if (!offset || !bounded(&length, GPC_QUIC_ID_MASK) ||
	    at + offset + length > GPC_ETH_SIZE + 4 * c->packet.tags + c->packet.length)
		return 0;
	return !frame_load(ctx, GPC_CONTEXT_XDP, at + offset, c->quic, length);
}

/* The endpoint that c->quic names in the pool, or in one that it fails over to; it has to keep its flows. */
__noinline int gpc_find_quic(const struct gpc_case *c, __u32 pool, __u32 listener)
{
	const struct gpc_pool *at;
	struct gpc_view view;
	__u32 index, i;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
#pragma clang loop unroll(disable)
	for (i = 0; i <= GPC_MAX_FAILOVER && pool != GPC_NONE; i++) {
		at = gpc_pool_at(view, pool);
		index = gpc_quic_endpoint(view, c->quic, at->backend);
		if (index != GPC_NONE && gpc_keeps(c, index, listener, GPC_FLOW_UDP))
			return index;
		pool = at->failover;
	}
	return GPC_NONE;
}

/* The endpoint of the listener's that the datagram itself names; GPC_NONE: none. */
__noinline int gpc_named_endpoint(struct xdp_md *ctx, struct gpc_case *c, __u32 listener_index)
{
	const struct gpc_listener *listener;
	struct gpc_view view;
	__u32 index = GPC_NONE, i;

	if (!ctx || !c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base || c->packet.tuple.protocol != IPPROTO_UDP)
		return GPC_NONE;
	listener = gpc_listener_at(view, listener_index);
	if (!gpc_read_quic(ctx, c, listener->quic_length))
		return GPC_NONE;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_MAX_SPLIT && i < listener->pools && index == GPC_NONE; i++)
		index = gpc_find_quic(c, listener->first_pool + i, listener_index);
	if (index == GPC_NONE || !gpc_endpoint_takes(gpc_endpoint_at(view, index),
						      listener->forward, c->packet.family))
		return GPC_NONE;
	return index;
}

#endif
