/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * fragment.bpf.h: first fragments that were let through, for the later ones of their packets (SEMANTICS
 * 4.5). A record holds what only the first one says, its ports, and who gets the packet; a later one that
 * finds it goes the same way for 30 seconds.
 */
#ifndef GPC_FRAGMENT_BPF_H
#define GPC_FRAGMENT_BPF_H

#include "policy.bpf.h"

struct gpc_fragment_key {
	__u64 source[2];
	__u64 destination[2];
	__u32 id;
	__u16 chain; /* tag of the one that let it through, 0: there is none */
	__u8 protocol; /* of what is fragmented: IPv6 extension headers may go on in it */
	__u8 direction;
};
struct gpc_fragment_record {
	__u64 seen; /* coarse ktime */
	__u64 endpoint; /* stable id, 0: not balanced */
	__u32 skb_mark;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol; /* with those ports */
	__u8 pad[7];
};
#define GPC_FRAGMENT_SECONDS 30u

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gpc_fragment_key);
	__type(value, struct gpc_fragment_record);
} gpc_fragments SEC(".maps");

static __always_inline struct gpc_fragment_key fragment_key(const struct gpc_case *c, __u16 chain)
{
	return (struct gpc_fragment_key){
		.source = {c->packet.tuple.source[0], c->packet.tuple.source[1]},
		.destination = {c->packet.tuple.destination[0], c->packet.tuple.destination[1]},
		.id = c->packet.fragment_id,
		.chain = chain,
		.protocol = c->packet.fragment_protocol,
		.direction = c->direction};
}

/* The first fragment has passed the chain with that tag, and goes to the endpoint with that id. */
__noinline int gpc_remember_fragment(const struct gpc_case *c, __u32 chain, __u64 endpoint)
{
	struct gpc_fragment_record record = {};
	struct gpc_fragment_key key;

	if (!c)
		return 0;
	key = fragment_key(c, chain);
	record.seen = c->now;
	record.endpoint = endpoint;
	record.skb_mark = c->skb_mark;
	record.source_port = c->packet.tuple.source_port;
	record.destination_port = c->packet.tuple.destination_port;
	record.protocol = c->packet.tuple.protocol;
	return bpf_map_update_elem(&gpc_fragments, &key, &record, BPF_ANY);
}

/* The same with an endpoint's index, of what is a first fragment and has one. */
__noinline int gpc_remember_balanced(const struct gpc_case *c, __u32 chain, __u32 endpoint)
{
	struct gpc_view view;

	if (!c || c->packet.fragment != GPC_FRAGMENT_FIRST || endpoint == GPC_NONE)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	return gpc_remember_fragment(c, chain, gpc_endpoint_at(view, endpoint)->id);
}

/*
 * Has the first of this later fragment passed it? If so, the packet gets the first one's protocol and ports, and c->entry.endpoint is
 * who gets it. Rules see no ports of a later fragment all the same.
 */
__noinline int gpc_recall_fragment(struct gpc_case *c, __u32 chain)
{
	const struct gpc_fragment_record *record;
	struct gpc_fragment_key key;

	if (!c)
		return 0;
	key = fragment_key(c, chain);
	record = bpf_map_lookup_elem(&gpc_fragments, &key);
	if (!record || c->now - record->seen > GPC_FRAGMENT_SECONDS * GPC_SECOND)
		return 0;
	c->skb_mark = record->skb_mark;
	c->entry.endpoint = record->endpoint;
	c->packet.tuple.source_port = record->source_port;
	c->packet.tuple.destination_port = record->destination_port;
	c->packet.tuple.protocol = record->protocol;
	return 1;
}

#endif
