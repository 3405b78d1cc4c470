/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * flow.bpf.h: the flow tables: keys, states and timeouts (SEMANTICS 5.4), entries within the budget of
 * new ones (6.5). One-sided is a flow of which only the original direction is seen: of a listener.
 *
 * An entry is read through the pointer that the lookup gave and changed as abi.h says. Two CPUs that
 * see one flow at once write the same endpoint or, while the flow is being picked anew, one of them
 * wins; neither is an error.
 */
#ifndef GPC_FLOW_BPF_H
#define GPC_FLOW_BPF_H

#include "flow_table.bpf.h"
#include "question.bpf.h"

/* All ones if a > b, else 0; without a branch: the order of two random addresses is not
 * predictable. */
static __always_inline __u64 mask_above(__u64 a, __u64 b)
{
	__u64 borrow = (__u64)((__s64)((~b & a) | ((~b | a) & (b - a))) >> 63);

	opaque(borrow);
	return borrow;
}

static __always_inline __u64 ports_and_protocol(__u64 port0, __u64 port1, __u8 protocol)
{
	return port0 | port1 << 16 | (__u64)protocol << 32;
}

/* Key of the packet's flow; returns GPC_FLOW_REVERSED if its source is side 1. */
static __always_inline __u8 flow_key4(union flow_key *key, const struct gpc_tuple *t)
{
	/* The address above the port, as one number: 48 bits each. */
	__u64 a = (t->source[1] >> 32) << 16 | t->source_port;
	__u64 b = (t->destination[1] >> 32) << 16 | t->destination_port;
	__u64 swap = (__u64)((__s64)(b - a) >> 63), low, high;

	opaque(swap);
	low = a ^ ((a ^ b) & swap);
	high = b ^ ((a ^ b) & swap);
	key->word[0] = low >> 16 | (high >> 16) << 32;
	key->word[1] = ports_and_protocol(low & 0xffff, high & 0xffff, t->protocol);
	return swap & GPC_FLOW_REVERSED;
}

static __always_inline __u8 flow_key6(union flow_key *key, const struct gpc_tuple *t)
{
	const __u64 *s = t->source, *d = t->destination;
	__u64 swap, ports = t->source_port ^ t->destination_port;

	if (s[0] != d[0])
		swap = mask_above(s[0], d[0]);
	else if (s[1] != d[1])
		swap = mask_above(s[1], d[1]);
	else
		swap = mask_above(t->source_port, t->destination_port);
	key->word[0] = s[0] ^ ((s[0] ^ d[0]) & swap);
	key->word[1] = s[1] ^ ((s[1] ^ d[1]) & swap);
	key->word[2] = d[0] ^ ((s[0] ^ d[0]) & swap);
	key->word[3] = d[1] ^ ((s[1] ^ d[1]) & swap);
	key->word[4] = ports_and_protocol(t->source_port ^ (ports & swap),
					  t->destination_port ^ (ports & swap), t->protocol);
	return swap & GPC_FLOW_REVERSED;
}

/* TCP that opens: SYN without ACK, FIN, RST. */
static __always_inline int tcp_opens(__u8 flags)
{
	return (flags & (GPC_TCP_SYN | GPC_TCP_ACK | GPC_TCP_FIN | GPC_TCP_RST)) == GPC_TCP_SYN;
}

/* Does the packet open a flow? ICMP: an echo request only. */
static __always_inline int packet_opens(const struct gpc_packet *p)
{
	__u8 protocol = p->tuple.protocol;

	if (p->fragment == GPC_FRAGMENT_LATER)
		return 0;
	if (protocol == IPPROTO_TCP)
		return tcp_opens(p->tcp_flags);
	if (protocol == IPPROTO_ICMP)
		return p->icmp >> 8 == GPC_ICMP_ECHO;
	return protocol != IPPROTO_ICMPV6 || p->icmp >> 8 == GPC_ICMP6_ECHO;
}

/* Is there a flow that the packet could belong to? */
static __always_inline int packet_has_flow(const struct gpc_packet *p)
{
	return p->fragment != GPC_FRAGMENT_LATER &&
	       (!is_icmp(p->tuple.protocol) || is_echo(p->tuple.protocol, p->icmp >> 8));
}

/*
 * Does the other end open a connection of its own on an entry? It is no reply then, and is asked about:
 * else an entry that was picked up, or is left over, would let a SYN in that the rules do not. While no
 * reply has been seen it is a simultaneous open (SEMANTICS 5.4).
 */
static __always_inline int opens_back(const struct gpc_packet *p, __u8 state)
{
	return p->tuple.protocol == IPPROTO_TCP && state != GPC_FLOW_SYN && tcp_opens(p->tcp_flags);
}

/* State after a packet; `heard`: of the reply direction, or the flow is one-sided. */
static __always_inline __u8 flow_next_state(__u8 state, __u8 protocol, __u8 flags, int reply,
					    int heard)
{
	if (protocol != IPPROTO_TCP)
		return state == GPC_FLOW_UDP_NEW && heard ? GPC_FLOW_UDP : state;
	if (likely(!(flags & (GPC_TCP_SYN | GPC_TCP_FIN | GPC_TCP_RST))))
		return state == GPC_FLOW_SYN && heard ? GPC_FLOW_ESTABLISHED : state;
	if (flags & GPC_TCP_RST)
		return GPC_FLOW_CLOSED;
	if (flags & GPC_TCP_FIN)
		return state == GPC_FLOW_CLOSED ? state : GPC_FLOW_CLOSING;
	/* After a simultaneous open the SYN+ACK says so: until then opens_back() sees that it was one. */
	return state == GPC_FLOW_SYN && reply && !tcp_opens(flags) ? GPC_FLOW_ESTABLISHED : state;
}

/* State of a flow whose first packet this is; TCP in mid-stream is taken for established. */
static __always_inline __u8 flow_first_state(__u8 protocol, __u8 flags, int one_sided)
{
	if (protocol == IPPROTO_TCP)
		return tcp_opens(flags) ? GPC_FLOW_SYN
					: flow_next_state(GPC_FLOW_ESTABLISHED, protocol, flags, 0,
							  1);
	if (protocol == IPPROTO_UDP)
		return one_sided ? GPC_FLOW_UDP : GPC_FLOW_UDP_NEW;
	return is_icmp(protocol) ? GPC_FLOW_ICMP : GPC_FLOW_OTHER;
}

/*
 * Takes one entry from this CPU's share of the flow_inserts a second of a budget; a full share is one
 * second's. The credit counts in units of which one entry costs cpus * 10^9, so no division is needed.
 */
static __always_inline int flow_budget(const struct gpc_plane *plane, enum gpc_budget_kind kind,
				       __u32 cpus, __u64 now)
{
	__u32 which = kind;
	struct gpc_budget *budget = bpf_map_lookup_elem(&gpc_budget, &which);
	__u64 rate = plane->flow_inserts, cost = (__u64)cpus * GPC_SECOND, full, elapsed, credit;

	if (!budget || !rate)
		return 0;
	full = rate * GPC_SECOND;
	if (full < cost)
		full = cost;
	elapsed = now - budget->filled;
	if (!budget->filled || elapsed > GPC_SECOND * (rate < cpus ? cpus : 1))
		credit = full;
	else
		credit = budget->credit + elapsed * rate;
	if (credit > full)
		credit = full;
	budget->filled = now;
	if (credit < cost) {
		budget->credit = credit;
		return 0;
	}
	budget->credit = credit - cost;
	return 1;
}

#endif
