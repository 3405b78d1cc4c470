/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * cookie.bpf.h: `syn-cookies` (SEMANTICS 6.5): who opens a flow past `flow-inserts` shows first that it receives
 * what is sent to its address. The flow is not ended here, so sequence numbers and options stay the ends' own:
 *
 *   client            gpc
 *     SYN     ->              no room for an entry: nothing is kept
 *             <-  ACK         of a number that the client never sent: the cookie
 *     RST     ->              of that number (RFC 9293, 3.10.7.3); the proof is noted, the RST ends here
 *     SYN     ->              sent again by the client, entered by a budget that only the proved have
 *
 * The cookie is a keyed hash of addresses, ports and time; its key is the plane's nonce, which no packet shows.
 * The sequence number of the ACK is 0: NATs of Linux hold the RST, which acknowledges 0, against it.
 */
#ifndef GPC_COOKIE_BPF_H
#define GPC_COOKIE_BPF_H

#include "frame.bpf.h"
#include "policy.bpf.h"

#define GPC_DRAW_COOKIE 18u /* of the flow hash */
#define GPC_DRAW_PROOF 19u
#define GPC_COOKIE_SHIFT 36 /* periods of 69 s: a cookie is good in its own and in the next */
#define GPC_COOKIE_LIFE (2ull << GPC_COOKIE_SHIFT)
#define GPC_PROOF_SECONDS 64
#define GPC_TCP_SEQUENCE 4u

/*
 * By a hash of the flow: the rest of the hash, and when its cookie came back (coarse ktime >> 30). Two flows may
 * share a place; who loses it brings another cookie back.
 */
#define GPC_PROOFS 65536u
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_PROOFS);
	__type(key, __u32);
	__type(value, __u64);
} gpc_proofs SEC(".maps");

static __always_inline __u64 cookie_hash(const struct gpc_case *c, struct gpc_view view, __u64 period,
					 __u8 draw)
{
	__u64 seed[2] = {gpc_view_link(view)->nonce,
			 gpc_view_plane(view)->hash_seed[1] ^ period};

	return gpc_flow_hash(seed, &c->packet.tuple, draw);
}

static __always_inline int is_whole_tcp(const struct gpc_packet *p)
{
	return p->tuple.protocol == IPPROTO_TCP && !p->fragment;
}

/* May the packet bring a cookie back? */
static __always_inline int is_reset(const struct gpc_packet *p)
{
	return is_whole_tcp(p) &&
	       (p->tcp_flags & (GPC_TCP_SYN | GPC_TCP_FIN | GPC_TCP_RST)) == GPC_TCP_RST;
}

/* When this CPU sent the last cookie stands where another budget has its time; NULL: nowhere. */
static __always_inline __u64 *last_cookie(void)
{
	__u32 which = GPC_BUDGET_COOKIE;
	struct gpc_budget *budget = bpf_map_lookup_elem(&gpc_budget, &which);

	return budget ? &budget->filled : 0;
}

/* The word of a flow's proof; *ret_proof is what stands there if its cookie came back just now. */
static __always_inline __u64 *proof_of(const struct gpc_case *c, struct gpc_view view,
				       __u64 *ret_proof)
{
	__u64 hash = cookie_hash(c, view, 0, GPC_DRAW_PROOF);
	__u32 place = hash & (GPC_PROOFS - 1);

	*ret_proof = hash >> 32 << 32 | (__u32)(c->now >> GPC_FLOW_SECOND_SHIFT);
	return bpf_map_lookup_elem(&gpc_proofs, &place);
}

/* Has the client of c->packet brought its cookie back? */
static __always_inline int is_proved(const struct gpc_case *c, struct gpc_view view)
{
	__u64 now, was;
	const __u64 *word = proof_of(c, view, &now);

	if (!word)
		return 0;
	was = READ_ONCE(*word);
	return was && was >> 32 == now >> 32 &&
	       (__s32)((__u32)now - (__u32)was) <= GPC_PROOF_SECONDS;
}

/*
 * For c->packet, a SYN beyond the first budget: GPC_PARSED, its flow may be entered, because its cookie came back;
 * else the reason, and a cookie is the answer.
 */
__noinline int gpc_ask_for_cookie(struct gpc_case *c)
{
	struct gpc_view view;
	__u64 *last;

	if (!c)
		return GPC_REASON_FLOW_LIMIT;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_REASON_FLOW_LIMIT;
	if (is_proved(c, view) && flow_budget(gpc_view_plane(view), GPC_BUDGET_PROVED,
					      gpc_view_link(view)->cpus, c->now))
		return GPC_PARSED;
	c->cookie = cookie_hash(c, view, c->now >> GPC_COOKIE_SHIFT, GPC_DRAW_COOKIE);
	c->reply = GPC_REPLY_COOKIE;
	last = last_cookie();
	if (last)
		*last = c->now;
	return GPC_REASON_SYN_COOKIE;
}

/*
 * What becomes of a reset c->packet of an unknown flow: it ends here for the reason given, or it is an ordinary
 * packet, GPC_PARSED. Without a cookie it does while this CPU's last cookies may still come back.
 */
__noinline int gpc_return_cookie(struct xdp_md *ctx, const struct gpc_case *c)
{
	__u32 period, sequence;
	struct gpc_view view;
	__u64 proof, *word;

	if (!ctx || !c)
		return GPC_PARSED;
	view = image_of(c->slot);
	if (!view.base ||
	    frame_load(ctx, GPC_CONTEXT_XDP, c->packet.l4 + GPC_TCP_SEQUENCE, &sequence,
		       sizeof(sequence)))
		return GPC_PARSED;
	sequence = bpf_ntohl(sequence);
	period = c->now >> GPC_COOKIE_SHIFT;
	if (sequence == (__u32)cookie_hash(c, view, period, GPC_DRAW_COOKIE) ||
	    sequence == (__u32)cookie_hash(c, view, period - 1, GPC_DRAW_COOKIE)) {
		word = proof_of(c, view, &proof);
		if (word)
			WRITE_ONCE(*word, proof);
		return GPC_REASON_GOOD_COOKIE;
	}
	word = last_cookie();
	return word && *word && c->now - *word <= GPC_COOKIE_LIFE ? GPC_REASON_BAD_COOKIE
								  : GPC_PARSED;
}

#endif
