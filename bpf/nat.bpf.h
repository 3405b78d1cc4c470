/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * nat.bpf.h: `forward: nat` (SEMANTICS 5.4, 6.2): what packets of a flow become on their way to the endpoint
 * and back, and the twin element (struct gpc_twin) by which replies find their flow.
 *
 * The twin's tag is that of its key turned over. So whoever looks for a flow finds an element that is not its
 * own, which is as good as none; only the functions here know it. It is made before the flow's entry, looked
 * for again when a second has passed, and worth nothing without the entry.
 *
 * With `snat` its key says which port is taken. A port is free if no element has the key, or a twin whose flow
 * is over: its place is then taken by compare-and-swap of the mark, so that of two CPUs one gets it.
 */
#ifndef GPC_NAT_BPF_H
#define GPC_NAT_BPF_H

#include "policy.bpf.h"

#define GPC_DRAW_PORT 17u /* of the flow hash: where a port is looked for first */
#define GPC_SNAT_FIRST 1024u
#define GPC_SNAT_PORTS 31744u /* up to 32767: what is above is for the host's own connections */
#define GPC_SNAT_TRIES 32u
#define GPC_TRANSLATED_SECONDS 30u /* for later fragments */
#define GPC_TWIN_TAG 0xfeu /* bits of the flags that the tag takes */

/* ---- keys ---- */

static __always_inline __u8 flow_flags(union flow_key *key, const struct gpc_tuple *t, __u32 family)
{
	struct gpc_flow_place place;
	__u8 reversed;

	if (family == GPC_V4) {
		reversed = flow_key4(key, t);
		place = flow_place(GPC_V4, key->word);
	} else {
		reversed = flow_key6(key, t);
		place = flow_place(GPC_V6, key->word);
	}
	return reversed | flow_tag(&place);
}

/* ---- twins ---- */

/*
 * Copies the twin of a key; `flags` as flow_flags() gives them for a packet of the client's direction. Its index;
 * GPC_NONE: there is none, or its element went to somebody else meanwhile.
 */
static __always_inline __u32 read_twin(const union flow_key *key, __u32 family, __u8 flags,
				       struct gpc_twin *ret)
{
	__u32 at;
	const struct gpc_twin *twin = (void *)find_value(family, key, &at);
	__u64 mark;

	if (!twin)
		return GPC_NONE;
	mark = READ_ONCE(twin->mark);
	*ret = *twin;
	ret->mark = mark;
	return ret->flags == (flags ^ GPC_TWIN_TAG) && ret->state == GPC_FLOW_TWIN &&
			       READ_ONCE(twin->flags) == ret->flags && holds_key(family, key, at)
		       ? at
		       : GPC_NONE;
}

/* A twin that was copied is in use. */
static __always_inline void renew_twin(__u32 family, __u32 at, const struct gpc_twin *twin, __u64 now)
{
	__u32 second = now >> GPC_FLOW_SECOND_SHIFT;
	struct gpc_twin then = {.mark = twin->mark};
	struct gpc_flow *element;

	if ((__s32)(second - then.last_seen) <= 0)
		return;
	then.last_seen = second;
	element = value_at(family, at);
	if (!element)
		return;
	__sync_val_compare_and_swap(&element->mark, twin->mark, then.mark);
	gpc_age_flow(family, at, then.last_seen, then.state);
}

/* The tuple of the client's packets. */
static __always_inline void twin_tuple(const struct gpc_twin *twin, __u8 protocol,
				       struct gpc_tuple *ret)
{
	ret->source[0] = twin->client0;
	ret->source[1] = twin->client1;
	ret->destination[0] = twin->vip[0];
	ret->destination[1] = twin->vip[1];
	ret->source_port = twin->client_port;
	ret->destination_port = twin->vip_port;
	ret->protocol = protocol;
}

static __always_inline void turn(const struct gpc_tuple *t, struct gpc_tuple *ret)
{
	ret->source[0] = t->destination[0];
	ret->source[1] = t->destination[1];
	ret->destination[0] = t->source[0];
	ret->destination[1] = t->source[1];
	ret->source_port = t->destination_port;
	ret->destination_port = t->source_port;
	ret->protocol = t->protocol;
}

/* Its endpoint and mark, if the entry of a key lives; `flags` as of a packet of its first direction. */
static __always_inline int read_entry(const union flow_key *key, __u32 family, __u8 flags,
				      const struct gpc_plane *plane, __u64 now, struct gpc_flow *ret)
{
	__u32 at;
	const struct gpc_flow *flow = find_value(family, key, &at);

	if (!flow)
		return 0;
	ret->mark = READ_ONCE(flow->mark);
	ret->endpoint = READ_ONCE(flow->endpoint);
	return ret->flags == flags && holds_key(family, key, at) &&
	       !gpc_flow_expired(plane, ret->state,
			     (__s32)((__u32)(now >> GPC_FLOW_SECOND_SHIFT) - ret->last_seen));
}

/* Is the address the endpoint's? */
static __always_inline int is_endpoint(struct gpc_view view, __u64 id, __u32 family,
				       const __u64 address[2])
{
	__u32 index = gpc_endpoint_by_id(view, id);
	const struct gpc_endpoint *endpoint;

	if (index == GPC_NONE)
		return 0;
	endpoint = gpc_endpoint_at(view, index);
	if (family == GPC_V4)
		return address[1] == gpc_mapped_v4(endpoint->address4_be);
	return address[0] == endpoint->address6_be[0] && address[1] == endpoint->address6_be[1];
}

/* c->nat.to.outer is that of an ICMP message. */
static __always_inline void no_ports(struct gpc_case *c)
{
	c->nat.to.outer.source_port = c->nat.to.outer.destination_port = 0;
	c->nat.to.outer.protocol = c->packet.tuple.protocol;
}

/* ---- the endpoint's side ---- */

/*
 * Whose flow a tuple of the endpoint's side is, as its replies have it: c->nat.key and c->nat.flags are the
 * entry's for a packet of the client, c->nat.client the tuple of that. 0: of none that lives.
 */
__noinline int gpc_find_client(struct gpc_case *given, const struct gpc_tuple *reply)
{
	struct gpc_case *c = own_case(given);
	struct gpc_tuple *client;
	const struct gpc_plane *plane;
	struct gpc_nat *nat;
	struct gpc_view view;
	__u32 family;
	__u8 flags;

	if (!c || !reply)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	plane = gpc_view_plane(view);
	nat = &c->nat;
	client = &nat->client;
	family = c->packet.family;
	flags = flow_flags(&nat->key, reply, family) ^ GPC_FLOW_REVERSED;
	nat->at = read_twin(&nat->key, family, flags, &nat->twin);
	if (nat->at == GPC_NONE)
		return 0;
	twin_tuple(&nat->twin, reply->protocol, client);
	nat->flags = flow_flags(&nat->key, client, family);
	if (!read_entry(&nat->key, family, nat->flags, plane, c->now, &c->entry))
		return 0;
	/* A twin outlives a flow's change of its endpoint or port. */
	if ((reply->destination[0] != client->source[0] ||
	     reply->destination[1] != client->source[1]) &&
	    c->entry.hint != reply->destination_port)
		return 0;
	if (!is_endpoint(view, c->entry.endpoint, family, reply->source))
		return 0;
	renew_twin(family, nat->at, &nat->twin, c->now);
	return 1;
}

/* Is c->packet a client's, translated, that the stack has routed on? Its key is the twin's. */
__noinline int gpc_is_translated(struct gpc_case *c)
{
	const struct gpc_tuple *t;

	if (!c)
		return 0;
	t = &c->packet.tuple;
	if (c->packet.fragment == GPC_FRAGMENT_LATER ||
	    (t->protocol != IPPROTO_TCP && t->protocol != IPPROTO_UDP))
		return 0;
	turn(t, &c->nat.to.outer);
	return gpc_find_client(c, &c->nat.to.outer);
}

/* ---- fragments ---- */

/*
 * What the first fragment of a translated packet became; its later ones, which have no ports, become the same.
 * Without a destination: it stayed as it was.
 */
struct gpc_nat_fragment_key {
	__u64 source[2];
	__u64 destination[2];
	__u32 id;
	__u32 protocol;
};
struct gpc_nat_fragment {
	__u64 seen; /* coarse ktime */
	__u64 source[2];
	__u64 destination[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gpc_nat_fragment_key);
	__type(value, struct gpc_nat_fragment);
} gpc_nat_fragments SEC(".maps");

/* By family and not by protocol: in IPv6 only the first one says what follows other extension headers. */
static __always_inline struct gpc_nat_fragment_key nat_fragment_key(const struct gpc_packet *p)
{
	return (struct gpc_nat_fragment_key){
		.source = {p->tuple.source[0], p->tuple.source[1]},
		.destination = {p->tuple.destination[0], p->tuple.destination[1]},
		.id = p->fragment_id,
		.protocol = p->family == GPC_V4 ? p->tuple.protocol : 0};
}

/* Of a later fragment, NULL: its first one is not known. */
static __always_inline const struct gpc_nat_fragment *find_first(const struct gpc_case *c)
{
	const struct gpc_nat_fragment_key key = nat_fragment_key(&c->packet);
	const struct gpc_nat_fragment *record = bpf_map_lookup_elem(&gpc_nat_fragments, &key);

	if (!record || c->now - record->seen > GPC_TRANSLATED_SECONDS * GPC_SECOND)
		return 0;
	return record;
}

__noinline int gpc_remember_translated(const struct gpc_case *c)
{
	struct gpc_nat_fragment record = {};
	struct gpc_nat_fragment_key key;

	if (!c)
		return 0;
	key = nat_fragment_key(&c->packet);
	record.seen = c->now;
	record.source[0] = c->nat.to.outer.source[0];
	record.source[1] = c->nat.to.outer.source[1];
	record.destination[0] = c->nat.to.outer.destination[0];
	record.destination[1] = c->nat.to.outer.destination[1];
	return bpf_map_update_elem(&gpc_nat_fragments, &key, &record, BPF_ANY);
}

/* c->nat.to becomes what it was for the first fragment of this later one; 0: that was not translated. */
__noinline int gpc_recall_translated(struct gpc_case *c)
{
	const struct gpc_nat_fragment *record;
	struct gpc_tuple *to;

	if (!c)
		return 0;
	record = find_first(c);
	if (!record || !(record->destination[0] | record->destination[1]))
		return 0;
	to = &c->nat.to.outer;
	*to = c->packet.tuple;
	to->source[0] = record->source[0];
	to->source[1] = record->source[1];
	to->destination[0] = record->destination[0];
	to->destination[1] = record->destination[1];
	c->nat.reply = 1;
	return 1;
}

/*
 * Addresses that packets were translated to not long ago, and when: a later fragment from there, of whose first
 * nothing is known, may be of a reply, and must not go on as it is. Noted when a flow's twin is looked for.
 */
struct gpc_nat_side {
	__u64 address[2];
};
#define GPC_NAT_SIDE_SECONDS 8u /* it is noted anew */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gpc_nat_side);
	__type(value, __u64);
} gpc_nat_sides SEC(".maps");

/* The endpoint's side of c->nat.to is one. */
__noinline int gpc_note_side(const struct gpc_case *c)
{
	struct gpc_nat_side side = {};
	const __u64 *seen;
	__u64 now;

	if (!c)
		return 0;
	side.address[0] = c->nat.to.outer.destination[0];
	side.address[1] = c->nat.to.outer.destination[1];
	now = c->now;
	seen = bpf_map_lookup_elem(&gpc_nat_sides, &side);
	if (seen && now - *seen < GPC_NAT_SIDE_SECONDS * GPC_SECOND)
		return 0;
	return bpf_map_update_elem(&gpc_nat_sides, &side, &now, BPF_ANY);
}

/* Does the packet come from one, as long as a flow may live? */
__noinline int gpc_is_from_side(const struct gpc_case *c)
{
	struct gpc_nat_side side = {};
	struct gpc_view view;
	const __u64 *seen;
	__u64 seconds;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	seconds = gpc_view_plane(view)->timeout[GPC_TIMEOUT_ESTABLISHED];
	side.address[0] = c->packet.tuple.source[0];
	side.address[1] = c->packet.tuple.source[1];
	seen = bpf_map_lookup_elem(&gpc_nat_sides, &side);
	return seen && c->now - *seen < seconds * GPC_SECOND;
}

/* The first fragment c->packet is no reply, so its later ones are none. */
__noinline int gpc_remember_own(const struct gpc_case *c)
{
	struct gpc_nat_fragment record = {};
	struct gpc_nat_fragment_key key;

	if (!c || !gpc_is_from_side(c))
		return 0;
	key = nat_fragment_key(&c->packet);
	record.seen = c->now;
	return bpf_map_update_elem(&gpc_nat_fragments, &key, &record, BPF_ANY);
}

/* May the later fragment c->packet, which is not known as a translated packet's, be one of a reply? */
__noinline int gpc_is_stray(const struct gpc_case *c)
{
	return c && !find_first(c) && gpc_is_from_side(c);
}

/*
 * Is c->packet a reply? Then c->key and c->flags become those of its flow, and c->nat.to says what it becomes; of a
 * later fragment, that alone, in whichever direction it goes. A SYN by which the endpoint opens a connection
 * of its own is none.
 */
__noinline int gpc_find_reply(struct gpc_case *c)
{
	if (!c)
		return 0;
	if (c->packet.fragment == GPC_FRAGMENT_LATER)
		return gpc_recall_translated(c);
	if ((c->packet.tuple.protocol != IPPROTO_TCP && c->packet.tuple.protocol != IPPROTO_UDP) ||
	    !gpc_find_client(c, &c->packet.tuple) ||
	    opens_back(&c->packet, c->entry.state & GPC_FLOW_STATE_MASK)) {
		if (c->packet.fragment == GPC_FRAGMENT_FIRST)
			gpc_remember_own(c);
		return 0;
	}
	turn(&c->nat.client, &c->nat.to.outer);
	c->key = c->nat.key;
	c->flags = c->nat.flags ^ GPC_FLOW_REVERSED;
	c->nat.reply = 1;
	return 1;
}

/*
 * Is c->packet an ICMP error about a packet that was sent to an endpoint? Then c->quoted gets the tuple that the
 * client gave it, and c->nat.to says what both become.
 */
__noinline int gpc_find_quoted(struct gpc_case *c)
{
	struct gpc_translation *to;
	struct gpc_tuple *q;

	if (!c)
		return 0;
	to = &c->nat.to;
	q = &c->quoted.tuple;
	if ((q->protocol != IPPROTO_TCP && q->protocol != IPPROTO_UDP) ||
	    q->source[0] != c->packet.tuple.destination[0] ||
	    q->source[1] != c->packet.tuple.destination[1])
		return 0;
	turn(q, &to->inner);
	if (!gpc_find_client(c, &to->inner))
		return 0;
	*q = to->inner = c->nat.client;
	turn(q, &to->outer);
	no_ports(c);
	c->nat.reply = 1;
	return 1;
}

/* The entry of the reply's flow is kept up, also where no policy has asked for it. */
__noinline int gpc_keep_client(struct gpc_case *given)
{
	struct gpc_case *c = own_case(given);
	const struct gpc_packet *p;
	struct gpc_flow seen = {};
	struct gpc_flow *flow;
	__u32 second, at;
	__u64 mark;

	if (!c)
		return 0;
	p = &c->packet;
	if (p->fragment == GPC_FRAGMENT_LATER)
		return 0;
	flow = find_value(p->family, &c->key, &at);
	if (!flow)
		return 0;
	seen.mark = mark = READ_ONCE(flow->mark);
	if ((seen.flags ^ c->flags) & ~GPC_FLOW_REVERSED)
		return 0;
	second = c->now >> GPC_FLOW_SECOND_SHIFT;
	if ((__s32)(second - seen.last_seen) > 0)
		seen.last_seen = second;
	seen.state = (seen.state & ~GPC_FLOW_STATE_MASK) |
		     flow_next_state(seen.state & GPC_FLOW_STATE_MASK, p->tuple.protocol,
				     p->tcp_flags, 1, 1);
	if (seen.mark == mark)
		return 1;
	__sync_val_compare_and_swap(&flow->mark, mark, seen.mark);
	gpc_age_flow(p->family, at, seen.last_seen, seen.state);
	return 1;
}

/* ---- the client's side ---- */

/*
 * c->nat.to.outer: what a packet of the client becomes; `port` is the one that is taken, big-endian, of a flow
 * with `snat`. 0: no address to send from is known.
 */
__noinline int gpc_aim(struct gpc_case *c, const struct gpc_tuple *client, __u32 index, __u32 port)
{
	const struct gpc_link_endpoint *host;
	const struct gpc_endpoint *endpoint;
	struct gpc_tuple *to;
	struct gpc_view view;

	if (!c || !client)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	endpoint = gpc_endpoint_at(view, index);
	host = gpc_link_endpoint_at(view, gpc_view_link(view), index);
	to = &c->nat.to.outer;
	*to = *client;
	if (endpoint->port_be)
		to->destination_port = endpoint->port_be;
	if (c->packet.family == GPC_V4) {
		to->destination[1] = gpc_mapped_v4(endpoint->address4_be);
	} else {
		to->destination[0] = endpoint->address6_be[0];
		to->destination[1] = endpoint->address6_be[1];
	}
	if (!port)
		return 1;
	to->source_port = port;
	if (c->packet.family == GPC_V4) {
		to->source[1] = gpc_mapped_v4(host->source4_be);
		return host->source4_be != 0;
	}
	to->source[0] = host->source6_be[0];
	to->source[1] = host->source6_be[1];
	return (to->source[0] | to->source[1]) != 0;
}

/*
 * c->nat.to: what an ICMP error about a packet that was sent to the client becomes, for the endpoint. Who sends it
 * stands in it as it is, but with `snat`.
 */
__noinline int gpc_aim_error(struct gpc_case *c, __u32 index, __u32 port)
{
	struct gpc_translation *to;

	if (!c)
		return 0;
	to = &c->nat.to;
	turn(&c->quoted.tuple, &c->nat.client);
	if (!gpc_aim(c, &c->nat.client, index, port))
		return 0;
	turn(&to->outer, &to->inner);
	if (!port) {
		to->outer.source[0] = c->packet.tuple.source[0];
		to->outer.source[1] = c->packet.tuple.source[1];
	}
	no_ports(c);
	return 1;
}

/* The flow's twin as it is to be, and its key in c->nat.key. */
static __always_inline void make_twin(struct gpc_case *c)
{
	struct gpc_nat *nat = &c->nat;
	const struct gpc_tuple *t = &c->packet.tuple;
	struct gpc_twin *twin = &nat->twin;

	twin->client0 = t->source[0];
	twin->client1 = t->source[1];
	twin->vip[0] = t->destination[0];
	twin->vip[1] = t->destination[1];
	twin->client_port = t->source_port;
	twin->vip_port = t->destination_port;
	twin->last_seen = c->now >> GPC_FLOW_SECOND_SHIFT;
	twin->state = GPC_FLOW_TWIN;
	twin->flags = flow_flags(&nat->key, &nat->to.outer, c->packet.family) ^ GPC_TWIN_TAG;
	twin->pad0 = 0;
	twin->pad1 = 0;
}

static __always_inline int same_flow(const struct gpc_twin *a, const struct gpc_twin *b)
{
	return a->client0 == b->client0 && a->client1 == b->client1 && a->vip[0] == b->vip[0] &&
	       a->vip[1] == b->vip[1] && a->client_port == b->client_port &&
	       a->vip_port == b->vip_port;
}

/* Does c->nat.other, which holds a port, still need it? It does for a moment after it was made. */
__noinline int gpc_twin_lives(struct gpc_case *c)
{
	const struct gpc_twin *other;
	struct gpc_nat *nat;
	struct gpc_view view;
	__u8 flags;

	if (!c)
		return 1;
	nat = &c->nat;
	view = image_of(c->slot);
	if (!view.base)
		return 1;
	other = &nat->other;
	if ((__s32)((__u32)(c->now >> GPC_FLOW_SECOND_SHIFT) - other->last_seen) <= 1)
		return 1;
	twin_tuple(other, c->packet.tuple.protocol, &nat->client);
	flags = flow_flags(&nat->other_key, &nat->client, c->packet.family);
	return read_entry(&nat->other_key, c->packet.family, flags, gpc_view_plane(view), c->now,
			  &nat->other_entry) &&
	       nat->other_entry.hint == nat->to.outer.source_port;
}

/* Takes the place of c->nat.other. 0: another CPU was faster. */
static __always_inline int replace_twin(struct gpc_case *c)
{
	struct gpc_nat *nat = &c->nat;
	__u32 at;
	struct gpc_flow *element = find_value(c->packet.family, &nat->key, &at);

	if (!element || __sync_val_compare_and_swap(&element->mark, nat->other.mark,
						    nat->twin.mark) != nat->other.mark)
		return 0;
	return !store_value(c->packet.family, &c->job, &nat->key, &nat->twin, c->now, BPF_ANY);
}

/* Makes the twin of c->nat.to, whose port must not be another flow's; 0: it is. */
__noinline int gpc_take_port(struct gpc_case *given)
{
	struct gpc_case *c = own_case(given);
	struct gpc_nat *nat;
	__u32 at;

	if (!c)
		return 0;
	nat = &c->nat;
	make_twin(c);
	if (!store_value(c->packet.family, &c->job, &nat->key, &nat->twin, c->now, BPF_NOEXIST))
		return 1;
	at = read_twin(&nat->key, c->packet.family, nat->twin.flags ^ GPC_TWIN_TAG, &nat->other);
	if (at == GPC_NONE)
		return 0;
	if (same_flow(&nat->twin, &nat->other)) {
		renew_twin(c->packet.family, at, &nat->other, c->now);
		return 1;
	}
	return !gpc_twin_lives(c) && replace_twin(c);
}

/*
 * The port of a try, big-endian. Each flow goes on in steps of its own: with the same steps for all, taken ports
 * would grow into rows that nobody gets past.
 */
static __always_inline __u16 port_of_try(__u64 hash, __u32 try)
{
	__u64 drawn = (__u32)((__u32)(hash >> 32) + try * ((__u32)hash | 1));

	return bpf_htons(GPC_SNAT_FIRST + (drawn * GPC_SNAT_PORTS >> 32));
}

/* A port that an entry's hint says, 0: it says something else. */
static __always_inline __u32 snat_port(__u16 hint)
{
	return (__u32)bpf_ntohs(hint) - GPC_SNAT_FIRST < GPC_SNAT_PORTS ? hint : 0;
}

/*
 * The twin of the flow that c->packet belongs to is there from now on, and c->nat.to.outer says what the
 * packet becomes. `port`: what the flow has taken, or 0; c->nat.port: what it has now, 0 without `snat`. 0:
 * it cannot be, for c->nat.reason.
 */
__noinline int gpc_keep_twin(struct gpc_case *given, __u32 index, __u32 snat, __u32 port)
{
	struct gpc_case *c = own_case(given);
	struct gpc_nat *nat;
	struct gpc_view view;
	__u64 hash;
	__u32 at, i;

	if (!c)
		return 0;
	nat = &c->nat;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	nat->port = 0;
	nat->reason = GPC_REASON_NO_NEXT_HOP;
	if (!snat) {
		gpc_aim(c, &c->packet.tuple, index, 0);
		make_twin(c);
		at = read_twin(&nat->key, c->packet.family, nat->twin.flags ^ GPC_TWIN_TAG,
			       &nat->other);
		if (at != GPC_NONE && same_flow(&nat->twin, &nat->other))
			renew_twin(c->packet.family, at, &nat->other, c->now);
		else
			store_value(c->packet.family, &c->job, &nat->key, &nat->twin, c->now, BPF_ANY);
		return 1;
	}
	hash = gpc_flow_hash(gpc_view_plane(view)->hash_seed, &c->packet.tuple, GPC_DRAW_PORT);
	nat->port = port ? port : port_of_try(hash, 0);
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_SNAT_TRIES; i++) {
		if (!gpc_aim(c, &c->packet.tuple, index, nat->port))
			return 0;
		if (gpc_take_port(c))
			return 1;
		nat->port = port_of_try(hash, i + 1);
	}
	nat->reason = GPC_REASON_SNAT_FULL;
	return 0;
}

#endif
