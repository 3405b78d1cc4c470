/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * reject.bpf.h: what gpc says itself to the sender of a packet, from the address that it was sent to: a TCP
 * reset or ICMP "port unreachable" to what is rejected (SEMANTICS 5.2), ICMP "too big" and "time exceeded"
 * to what cannot be sent on, the reply to an echo request. The frame that came becomes the answer: MAC
 * addresses change places, tags stay, what follows is written anew (of an echo, its headers).
 *
 * It goes back to where the packet came from. At ingress that is the wire: out of the same device. At
 * egress it is this host, or the network behind it that the packet was routed on from: the answer
 * enters the stack as if it had arrived at the device, from the next hop that the packet was for.
 *
 * Both meet a hook of this plane on their way, which must not judge them: a frame from the wire cannot
 * carry an skb mark, so the plane's sign there says "gpc's own answer". answer_seen() takes it off.
 * Generic XDP cannot see it.
 */
#ifndef GPC_REJECT_BPF_H
#define GPC_REJECT_BPF_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include "policy.bpf.h"
#include "quoted.bpf.h"
#include "rate.bpf.h"

#define GPC_QUOTE_MAX 128u /* of the packet's bytes in an ICMP answer: any IPv4 header and 8 more */
#define GPC_ANSWER_MAX (GPC_IPV6_SIZE + GPC_ICMP_HEAD + GPC_QUOTE_MAX)
#define GPC_ANSWER_TTL 64u
#define GPC_DF_WORD 0x400000u /* identification and fragment field as loaded: DF alone */
#define GPC_L2_MAX (GPC_ETH_SIZE + 4 * GPC_MAX_TAGS)

/* The answer from its IP header on; zero behind its end. */
struct gpc_reply {
	union {
		__u8 bytes[GPC_ANSWER_MAX];
		__u32 words[GPC_ANSWER_MAX / 4];
	};
	__u32 size;
};

/* By enum gpc_context; too large for a stack that the program shares with it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct gpc_reply);
} gpc_replies SEC(".maps");

/* ---- who is answered ---- */

/* An address that one host cannot have, or not for long: multicast, broadcast, none, this host. */
static __always_inline int is_group_v4(__be32 address)
{
	__u8 first = address & 0xff;

	return first >= 224 || first == 0 || first == 127;
}

static __always_inline int is_group(__u8 family, const __u64 address[2])
{
	if (family == GPC_V4)
		return is_group_v4(address[1] >> 32);
	return (address[0] & 0xff) == 0xff || !(address[0] | address[1]);
}

/* Redirects are errors too (RFC 1122, 3.2.2; RFC 4443, 2.4 e). */
static __always_inline int is_icmp_error(__u8 protocol, __u8 type)
{
	__u32 errors = 1u << 3 | 1u << 4 | 1u << 5 | 1u << 11 | 1u << 12;

	if (protocol == IPPROTO_ICMP)
		return type < 32 && errors >> type & 1;
	return protocol == IPPROTO_ICMPV6 && (type < 128 || type == 137);
}

/* May a packet be answered at all? Group MAC addresses are seen when the frame is read. */
static __always_inline int is_answerable(const struct gpc_case *c)
{
	const struct gpc_packet *p = &c->packet;

	if (p->fragment == GPC_FRAGMENT_LATER || is_group(p->family, p->tuple.source) ||
	    is_group(p->family, p->tuple.destination))
		return 0;
	if (p->tuple.protocol == IPPROTO_TCP)
		return c->reply != GPC_REPLY_REFUSAL || !(p->tcp_flags & GPC_TCP_RST);
	return !is_icmp_error(p->tuple.protocol, p->icmp >> 8);
}

/* ---- what is answered ---- */

static __always_inline __u16 checksum_of(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Sum of the words from `first` to before `end`; both are constants. */
static __always_inline __u64 sum_words(const struct gpc_reply *answer, __u32 first, __u32 end)
{
	__u64 sum = 0;
	__u32 i;

#ifdef __clang__
#pragma clang loop unroll(full)
#endif
	for (i = first; i < end; i++)
		sum += answer->words[i];
	return sum;
}

static __always_inline __u64 pseudo_header(const struct gpc_reply *answer, __u32 family,
					   __u8 protocol, __u32 length)
{
	__u64 sum = bpf_htonl(length) + (__u64)bpf_htonl(protocol);

	if (family == GPC_V4)
		return sum + sum_words(answer, 3, 5);
	return sum + sum_words(answer, 2, 10);
}

/* Its IP header, for `payload` bytes of `protocol`; addresses change places. `word` is v4's second. */
static __always_inline void answer_head(struct gpc_reply *answer, const struct gpc_packet *p,
					__u32 family, __u8 protocol, __u32 payload, __u8 tos,
					__u32 word)
{
	if (family == GPC_V4) {
		struct iphdr *ip = (struct iphdr *)answer->bytes;

		ip->version = 4;
		ip->ihl = 5;
		ip->tos = tos;
		ip->tot_len = bpf_htons(GPC_IPV4_SIZE + payload);
		answer->words[1] = word;
		ip->ttl = GPC_ANSWER_TTL;
		ip->protocol = protocol;
		ip->saddr = p->tuple.destination[1] >> 32;
		ip->daddr = p->tuple.source[1] >> 32;
		ip->check = checksum_of(sum_words(answer, 0, 5));
		answer->size = GPC_IPV4_SIZE + payload;
		return;
	}
	answer->words[0] = bpf_htonl(6u << 28 | (__u32)tos << 20);
	answer->words[1] = bpf_htonl(payload << 16 | (__u32)protocol << 8 | GPC_ANSWER_TTL);
	__builtin_memcpy(answer->bytes + 8, p->tuple.destination, 16);
	__builtin_memcpy(answer->bytes + 24, p->tuple.source, 16);
	answer->size = GPC_IPV6_SIZE + payload;
}

/*
 * RST by RFC 9293, 3.10.7.1: at the sequence number that the sender expects if the segment says it,
 * else at 0 and acknowledging the segment. `tcp` is its header.
 */
static __always_inline void answer_reset(struct gpc_reply *answer, const struct gpc_packet *p,
					 __u32 family, const struct tcphdr *tcp)
{
	__u32 head = family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;
	struct tcphdr *reset = (struct tcphdr *)(answer->bytes + head);
	__u32 ip_head = p->l4 - GPC_ETH_SIZE - 4 * p->tags;

	answer_head(answer, p, family, IPPROTO_TCP, sizeof(*reset), 0, GPC_DF_WORD);
	reset->source = tcp->dest;
	reset->dest = tcp->source;
	reset->doff = sizeof(*reset) / 4;
	reset->rst = 1;
	if (tcp->ack) {
		reset->seq = tcp->ack_seq;
	} else {
		reset->ack = 1;
		reset->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + p->length - ip_head -
					   4 * tcp->doff + tcp->syn + tcp->fin);
	}
	reset->check =
		checksum_of(pseudo_header(answer, family, IPPROTO_TCP, sizeof(*reset)) +
			    sum_words(answer, head / 4, head / 4 + sizeof(*reset) / 4));
}

/* An ACK of what the sender of a SYN has not sent: its number is the cookie (cookie.bpf.h). */
static __always_inline void answer_cookie(struct gpc_reply *answer, const struct gpc_packet *p,
					  __u32 family, __u32 cookie)
{
	__u32 head = family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;
	struct tcphdr *ack = (struct tcphdr *)(answer->bytes + head);

	answer_head(answer, p, family, IPPROTO_TCP, sizeof(*ack), 0, GPC_DF_WORD);
	ack->source = p->tuple.destination_port;
	ack->dest = p->tuple.source_port;
	ack->doff = sizeof(*ack) / 4;
	ack->ack = 1;
	ack->ack_seq = bpf_htonl(cookie);
	ack->check = checksum_of(pseudo_header(answer, family, IPPROTO_TCP, sizeof(*ack)) +
				 sum_words(answer, head / 4, head / 4 + sizeof(*ack) / 4));
}

/* Type and code of the ICMP message, as in its first two bytes. */
static __always_inline __u16 icmp_kind(enum gpc_reply_kind kind, __u32 family)
{
	switch (kind) {
	case GPC_REPLY_TOO_BIG:
		return family == GPC_V4 ? 3 << 8 | 4 : 2 << 8;
	case GPC_REPLY_TTL:
		return family == GPC_V4 ? 11 << 8 : 3 << 8;
	default:
		return family == GPC_V4 ? 3 << 8 | 3 : 1 << 8 | 4;
	}
}

/*
 * An ICMP error with as much of the packet quoted as GPC_QUOTE_MAX; that is read where it belongs. Its
 * second word is an MTU or nothing.
 */
static __always_inline int answer_icmp(void *ctx, enum gpc_context kind, struct gpc_reply *answer,
				       const struct gpc_case *c, __u32 family)
{
	__u32 head = family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;
	__u8 protocol = family == GPC_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const struct gpc_packet *p = &c->packet;
	__u32 quote = p->length;
	__u64 sum = 0;

	if (quote > GPC_QUOTE_MAX)
		quote = GPC_QUOTE_MAX;
	if (!bounded(&quote, GPC_QUOTE_MAX) ||
	    frame_load(ctx, kind, GPC_ETH_SIZE + 4 * p->tags,
		       answer->bytes + head + GPC_ICMP_HEAD, quote))
		return 0;
	answer_head(answer, p, family, protocol, GPC_ICMP_HEAD + quote, 0, GPC_DF_WORD);
	answer->words[head / 4] = bpf_htonl((__u32)icmp_kind(c->reply, family) << 16);
	if (c->reply == GPC_REPLY_TOO_BIG)
		answer->words[head / 4 + 1] = bpf_htonl(c->mtu);
	if (family == GPC_V6)
		sum = pseudo_header(answer, family, protocol, GPC_ICMP_HEAD + quote);
	*(__u16 *)(answer->bytes + head + 2) = checksum_of(
		sum + sum_words(answer, head / 4, (head + GPC_ICMP_HEAD + GPC_QUOTE_MAX) / 4));
	return 1;
}

static __always_inline int answer_fill(void *ctx, enum gpc_context kind, struct gpc_reply *answer,
				       const struct gpc_case *c, __u32 family)
{
	struct tcphdr tcp;

	if (kind == GPC_CONTEXT_XDP && c->reply == GPC_REPLY_COOKIE) {
		answer_cookie(answer, &c->packet, family, c->cookie);
		return 1;
	}
	if (c->reply != GPC_REPLY_REFUSAL || c->packet.tuple.protocol != IPPROTO_TCP)
		return answer_icmp(ctx, kind, answer, c, family);
	if (frame_load(ctx, kind, c->packet.l4, &tcp, sizeof(tcp)))
		return 0;
	answer_reset(answer, &c->packet, family, &tcp);
	return 1;
}

/*
 * The headers of an echo reply: the request's DSCP, in IPv4 its identification and DF; the ICMP checksum
 * follows from the request's (RFC 1624), whose data nobody reads.
 */
static __always_inline int answer_echo(void *ctx, struct gpc_reply *answer,
				       const struct gpc_packet *p, __u32 family)
{
	__u32 head = family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;
	__u8 protocol = family == GPC_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	__u8 type = family == GPC_V4 ? GPC_ICMP_ECHO_REPLY : GPC_ICMP6_ECHO_REPLY;
	__u16 was[2], is;

	if (frame_load(ctx, GPC_CONTEXT_XDP, p->l4, was, sizeof(was)))
		return 0;
	is = (was[0] & 0xff00) | type;
	answer_head(answer, p, family, protocol,
		    p->length - (p->l4 - GPC_ETH_SIZE - 4 * p->tags), p->tos & 0xfc,
		    p->word & (0xffff | GPC_DF_WORD));
	*(__u16 *)(answer->bytes + head) = is;
	*(__u16 *)(answer->bytes + head + 2) =
		checksum_of((__u64)(__u16)~was[1] + (__u16)~was[0] + is);
	answer->size = head + sizeof(was);
	return 1;
}

/* The L2 header with its addresses exchanged; 0 if a group stands there. */
static __always_inline int answer_l2(void *ctx, enum gpc_context kind, __u8 l2[24])
{
	__u32 *word = (__u32 *)l2, high;
	__u16 *half = (__u16 *)l2, low;

	if (frame_load(ctx, kind, 0, l2, GPC_L2_MAX) || (l2[0] | l2[6]) & 1)
		return 0;
	high = word[0];
	low = half[2];
	half[0] = half[3];
	half[1] = half[4];
	half[2] = half[5];
	half[3] = high;
	half[4] = high >> 16;
	half[5] = low;
	return 1;
}

/* ---- how it is sent ---- */

/* Makes the frame `size` bytes long; where they come from does not matter, all are written anew. */
static __always_inline long resize_xdp(struct xdp_md *ctx, __u32 size)
{
	int longer = (int)size - (int)frame_size(ctx);

	return longer > 0 ? bpf_xdp_adjust_head(ctx, -longer) : bpf_xdp_adjust_tail(ctx, longer);
}

/*
 * An skb may say that a checksum is still to be filled in, by the packet that it was: this would be
 * done to the answer. It is taken back when bytes up to behind the place where that sum began are
 * pulled: so the frame is first made longer by as many. Where the kernel does not know the frame's
 * protocol (a tag in the frame) there is no such skb, and pulling is refused.
 */
static __always_inline long resize_skb(struct __sk_buff *skb, __u32 size, __u32 l4)
{
	__u32 pulled = (l4 & 0x3ff) + 4;

	if (bpf_skb_change_tail(skb, size + pulled, 0))
		return -1;
	if (!bpf_skb_adjust_room(skb, -(__s32)pulled, BPF_ADJ_ROOM_MAC, 0))
		return 0;
	return bpf_skb_change_tail(skb, size, 0);
}

/* Memory for the answer, zero; NULL: none. */
static __always_inline struct gpc_reply *new_answer(enum gpc_context kind)
{
	__u32 which = kind;
	struct gpc_reply *answer = bpf_map_lookup_elem(&gpc_replies, &which);

	if (answer)
		__builtin_memset(answer, 0, sizeof(*answer));
	return answer;
}

/* Writes what stands in front of the frame and the answer's bytes behind that; 0: not possible. */
static __always_inline int put_answer(void *ctx, enum gpc_context kind, __u8 l2[24], __u32 l3,
				      struct gpc_reply *answer)
{
	__u32 size = answer->size;

	if (!bounded(&size, GPC_ANSWER_MAX))
		return 0;
	return !frame_store(ctx, kind, 0, l2, GPC_L2_MAX) &&
	       !frame_store(ctx, kind, l3, answer->bytes, size);
}

/* Turns the frame into its answer; 0: it cannot be. */
static __always_inline int answer(void *ctx, enum gpc_context kind, const struct gpc_case *c)
{
	const struct gpc_packet *p = &c->packet;
	__u32 l3 = GPC_ETH_SIZE + 4 * (p->tags & 3);
	struct gpc_reply *answer = new_answer(kind);
	__u64 l2[3];

	if (!answer || !answer_l2(ctx, kind, (__u8 *)l2))
		return 0;
	if (p->family == GPC_V4 ? !answer_fill(ctx, kind, answer, c, GPC_V4)
				: !answer_fill(ctx, kind, answer, c, GPC_V6))
		return 0;
	if (kind == GPC_CONTEXT_XDP ? resize_xdp(ctx, l3 + answer->size)
				    : resize_skb(ctx, l3 + answer->size, p->l4))
		return 0;
	return put_answer(ctx, kind, (__u8 *)l2, l3, answer);
}

/*
 * The frame becomes the answer to itself: 1, or 0 if it cannot. The case has the parsed packet with its
 * l4. Global functions: what they do to the frame ends all packet pointers.
 */
__noinline int gpc_answer_xdp(struct xdp_md *ctx, struct gpc_case *c)
{
	if (!ctx || !c)
		return 0;
	return answer(ctx, GPC_CONTEXT_XDP, c);
}

__noinline int gpc_answer_skb(struct __sk_buff *ctx, struct gpc_case *c)
{
	if (!ctx || !c)
		return 0;
	return answer(ctx, GPC_CONTEXT_SKB, c);
}

/* An echo request becomes the reply, without options and extension headers. */
__noinline int gpc_answer_echo(struct xdp_md *ctx, struct gpc_case *c)
{
	struct gpc_reply *answer = new_answer(GPC_CONTEXT_XDP);
	const struct gpc_packet *p;
	__u32 l3, head;
	__u64 l2[3];

	if (!ctx || !c || !answer)
		return 0;
	p = &c->packet;
	l3 = GPC_ETH_SIZE + 4 * (p->tags & 3);
	head = p->family == GPC_V4 ? GPC_IPV4_SIZE : GPC_IPV6_SIZE;
	if (!answer_l2(ctx, GPC_CONTEXT_XDP, (__u8 *)l2))
		return 0;
	if (p->family == GPC_V4 ? !answer_echo(ctx, answer, p, GPC_V4)
				: !answer_echo(ctx, answer, p, GPC_V6))
		return 0;
	if (p->l4 != l3 + head && bpf_xdp_adjust_head(ctx, (int)(p->l4 - l3 - head)))
		return 0;
	return put_answer(ctx, GPC_CONTEXT_XDP, (__u8 *)l2, l3, answer);
}

/*
 * The action for a packet in XDP that is to be answered as c->reply says: back out of where it came in, or
 * dropped. Errors are limited as what is rejected is; echo replies and cookies, which are not larger than what
 * they answer, are not.
 */
static __always_inline int answer_xdp(struct xdp_md *ctx, struct gpc_case *c)
{
	int answered;

	if (!is_answerable(c))
		return XDP_DROP;
	if (c->reply == GPC_REPLY_ECHO)
		answered = gpc_answer_echo(ctx, c);
	else
		answered = (c->reply == GPC_REPLY_COOKIE || limit_take(GPC_LIMIT_REJECT, c->now)) &&
			   gpc_answer_xdp(ctx, c);
	return answered ? XDP_TX : XDP_DROP;
}

/* What stands in skb->mark of the plane's own answers; never 0. */
static __always_inline __u32 answer_sign(__u64 nonce)
{
	return (__u32)nonce | 1;
}

/* Likewise in TC, but for echo requests; `nonce` is the plane's. */
static __always_inline int answer_in_skb(struct __sk_buff *skb, struct gpc_case *c,
					 enum gpc_direction direction, __u64 nonce)
{
	if (!is_answerable(c) || !limit_take(GPC_LIMIT_REJECT, c->now))
		return TC_ACT_SHOT;
	if (!gpc_answer_skb(skb, c))
		return TC_ACT_SHOT;
	skb->mark = answer_sign(nonce);
	return bpf_redirect(skb->ifindex, direction == GPC_EGRESS ? BPF_F_INGRESS : 0);
}

/* Is it an answer of this plane's own, to be passed without asking anybody? Its sign is taken off. */
static __always_inline int answer_seen(struct __sk_buff *skb, __u64 nonce)
{
	if (likely(skb->mark != answer_sign(nonce)))
		return 0;
	skb->mark = 0;
	return 1;
}

#endif
