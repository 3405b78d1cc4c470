/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * rate.bpf.h: rates of rules (SEMANTICS 5.3) and limits of a CPU, all as GCRA in its form of a
 * theoretical arrival time: one word says when the bucket will be full again, so that
 *
 *	debt = max(0, word - now)	credit = burst - debt
 *
 * A packet of `cost` ns passes if credit >= cost, and then the debt grows by its cost.
 */
#ifndef GPC_RATE_BPF_H
#define GPC_RATE_BPF_H

#include "gpc/lookup/question.h"
#include "slot.bpf.h"

#define GPC_RATE_SECOND 1000000000ull
#define GPC_RATE_TRIES 8
#define GPC_LIMIT_PER_SECOND 1000u

/* The word after a packet of `cost`; 0: the packet exceeds (no word is 0 after a packet that costs). */
static __always_inline __u64 gcra_next(__u64 word, __u64 now, __u64 cost, __u64 burst)
{
	__u64 debt = word > now ? word - now : 0;

	if (debt > burst || burst - debt < cost)
		return 0;
	return now + debt + cost;
}

/*
 * SipHash-1-3 of a rule's id and a source, which is a whole v4 address (as ::ffff:a.b.c.d) or the
 * first 64 bits of a v6 one: keyed, so that nobody can choose whose bucket he empties.
 */
static __always_inline __u64 rate_hash(const __u64 seed[2], __u64 rule, __u64 source)
{
	__u64 v0 = seed[0] ^ 0x736f6d6570736575ull, v1 = seed[1] ^ 0x646f72616e646f6dull;
	__u64 v2 = seed[0] ^ 0x6c7967656e657261ull, v3 = seed[1] ^ 0x7465646279746573ull;

	GPC_SIP_WORD(rule, v0, v1, v2, v3);
	GPC_SIP_WORD(source, v0, v1, v2, v3);
	GPC_SIP_WORD(16ull << 56, v0, v1, v2, v3);
	v2 ^= 0xff;
	GPC_SIP_ROUND(v0, v1, v2, v3);
	GPC_SIP_ROUND(v0, v1, v2, v3);
	GPC_SIP_ROUND(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}

/* Index of the packet's bucket in gpc_rate; `first` is gpc_link_rule.rate. */
static __always_inline __u32 rate_bucket(const struct gpc_rule *rule, __u32 first,
					 const __u64 seed[2], const struct gpc_question *question)
{
	__u64 source = question->family == GPC_V4 ? question->source[1] : question->source[0];

	if (!(rule->flags & GPC_RULE_RATE_SOURCE))
		return first;
	return first + ((__u32)rate_hash(seed, rule->id, source) & (rule->rate_entries - 1));
}

static __always_inline __u64 rate_cost(const struct gpc_rule *rule, __u64 packets, __u64 bytes)
{
	if (!(rule->flags & GPC_RULE_RATE_BYTES))
		return packets * rule->rate_cost;
	return rule->rate_cost ? bytes * GPC_RATE_SECOND / rule->rate_cost : GPC_RATE_SECOND;
}

/* Reads the word; a debt above the burst, left by an older and greater one, becomes the burst. */
static __always_inline __u64 rate_clip(__u64 *word, __u64 most)
{
	__u64 seen = READ_ONCE(*word), found;

	if (likely(seen <= most))
		return seen;
	found = __sync_val_compare_and_swap(word, seen, most);
	return found == seen ? most : found;
}

/*
 * Charges the rule's rate with `packets` of together `bytes` of IP (an aggregated skb stands for
 * several): 1 if within the credit, 0 if not; then nothing is charged. A packet that loses the race
 * for its bucket GPC_RATE_TRIES times exceeds: the limit holds. A bucket that the loader did not
 * provide limits nothing.
 */
static __always_inline int rate_take(const struct gpc_rule *rule, __u32 first, const __u64 seed[2],
				     const struct gpc_question *question, __u64 packets,
				     __u64 bytes, __u64 now)
{
	__u32 bucket = rate_bucket(rule, first, seed, question), i;
	__u64 *word = bpf_map_lookup_elem(&gpc_rate, &bucket);
	__u64 cost, seen, found, next;

	if (!word)
		return 1;
	cost = rate_cost(rule, packets, bytes);
	seen = rate_clip(word, now + rule->rate_burst);
	for (i = 0; i < GPC_RATE_TRIES; i++) {
		next = gcra_next(seen, now, cost, rule->rate_burst);
		if (!next)
			return 0;
		found = __sync_val_compare_and_swap(word, seen, next);
		if (likely(found == seen))
			return 1;
		seen = found;
	}
	return 0;
}

/* The limiter itself if one more is within this CPU's limit, else NULL; both are counted. */
static __always_inline struct gpc_limiter *limit_take(enum gpc_limit which, __u64 now)
{
	__u32 key = which;
	struct gpc_limiter *limiter = bpf_map_lookup_elem(&gpc_limits, &key);
	__u64 next;

	if (!limiter)
		return 0;
	next = gcra_next(limiter->tat, now, GPC_RATE_SECOND / GPC_LIMIT_PER_SECOND,
			 GPC_RATE_SECOND);
	if (!next) {
		limiter->kept++;
		return 0;
	}
	limiter->tat = next;
	limiter->let++;
	return limiter;
}

#endif
