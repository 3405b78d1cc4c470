/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * flow_table.h: where a flow stands in its table (abi.h has the layout). The programs find and store by it
 * (flow_table.bpf.h), user space to look a table over, or to test it.
 *
 * Every flow has two sets of 8 ways by a keyed hash, and goes to the less filled one: so few sets are full
 * before all are (two choices: Azar, Broder, Karlin, Upfal, STOC 1994; Mitzenmacher 1996). The first is
 * preferred while it has room, so that most are found in one. In its first set a flow has a home among the
 * first four ways. Whoever finds its tag there needs nothing of the tags to know the element's address: the processor
 * fetches both at once.
 *
 * The hash is Multilinear-HM of Lemire and Kaser (2014): for secret random words two keys have the same upper 32
 * bits with a chance of 2^-32, whoever chose them.
 */
#ifndef GPC_LOOKUP_FLOW_TABLE_H
#define GPC_LOOKUP_FLOW_TABLE_H

#include "../abi.h"
#include "hash.h"

#define GPC_FLOW_BYTES(b) ((b) * 0x0101010101010101ull)
#define GPC_FLOW_TOPS	  GPC_FLOW_BYTES(0x80)

/* Words of 8 bytes of a key. */
#define GPC_FLOW_WORDS4 2u
#define GPC_FLOW_WORDS6 5u

/* ---- the seed ---- */

/* A word of the table's seed, from the 128 bits that it holds. */
GPC_INLINE __u64 gpc_flow_seed_word(const __u64 secret[2], __u32 i)
{
	const struct gpc_tuple none = {.protocol = 0};

	return gpc_flow_hash(secret, &none, (__u8)i);
}

/* Sets of a table for so many flows: a power of two, and at least two. */
GPC_INLINE __u32 gpc_flow_sets(__u32 flows)
{
	__u32 sets = 2;

	while (sets < flows / GPC_FLOW_WAYS + (flows % GPC_FLOW_WAYS != 0))
		sets *= 2;
	return sets;
}

/* ---- places ---- */

struct gpc_flow_place {
	__u32 set[2];	/* two different ones */
	__u32 home;	/* way of the first set: 0..3 */
	__u32 tag;	/* 1..127 */
};

GPC_INLINE __u64 gpc_flow_halves(__u64 word, __u64 a, __u64 b)
{
	return ((word & 0xffffffff) + a) * ((word >> 32) + b);
}

GPC_INLINE struct gpc_flow_place gpc_flow_place(const volatile struct gpc_flow_seed *seed,
						const __u64 *key, __u32 words)
{
	__u64 h = seed->word[0], low;
	struct gpc_flow_place place;

	h += gpc_flow_halves(key[0], seed->word[1], seed->word[2]);
	h += gpc_flow_halves(key[1], seed->word[3], seed->word[4]);
	if (words == GPC_FLOW_WORDS6) {
		h += gpc_flow_halves(key[2], seed->word[5], seed->word[6]);
		h += gpc_flow_halves(key[3], seed->word[7], seed->word[8]);
		h += gpc_flow_halves(key[4], seed->word[9], seed->word[10]);
	}
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15ull;
	low = h & 0xffffffff;
	place.set[0] = (h >> 32) & seed->mask;
	place.set[1] = low & seed->mask;
	place.home = low >> 30;
	place.tag = h >> 57;
	if (!place.tag)
		place.tag = 1;
	if (place.set[1] == place.set[0])
		place.set[1] ^= 1;
	return place;
}

/* What stands for a way of a set. */
GPC_INLINE __u32 gpc_flow_at(__u32 set, __u32 way)
{
	return set * GPC_FLOW_WAYS + way;
}

/*
 * Index of its element in the array, where the first ways of all sets come first: few flows lie in few pages. It is
 * beyond the array for what stands for none.
 */
GPC_INLINE __u32 gpc_flow_element(__u32 at, __u32 mask)
{
	return at % GPC_FLOW_WAYS * (mask + 1) + at / GPC_FLOW_WAYS;
}

/* ---- the 8 bytes of a word of a set; sets of ways are words with bit 7 of a byte for each ---- */

GPC_INLINE __u32 gpc_flow_byte(__u64 bytes, __u32 way)
{
	return bytes >> (way * 8 & 63) & 0xff;
}

GPC_INLINE __u64 gpc_flow_byte_at(__u64 byte, __u32 way)
{
	return byte << (way * 8 & 63);
}

/* Ways that hold the tag, locked or not. */
GPC_INLINE __u64 gpc_flow_tagged(__u64 tags, __u32 tag)
{
	return (GPC_FLOW_TOPS - ((tags & ~GPC_FLOW_TOPS) ^ GPC_FLOW_BYTES((__u64)tag))) &
	       GPC_FLOW_TOPS;
}

/* Bytes that are zero (Warren, Hacker's Delight, 6-1). */
GPC_INLINE __u64 gpc_flow_zero(__u64 bytes)
{
	return ~(((bytes & ~GPC_FLOW_TOPS) + ~GPC_FLOW_TOPS) | bytes) & GPC_FLOW_TOPS;
}

GPC_INLINE __u64 gpc_flow_claimed(__u64 tags)
{
	return gpc_flow_zero(tags ^ GPC_FLOW_BYTES(GPC_FLOW_CLAIMED));
}

GPC_INLINE __u32 gpc_flow_ways(__u64 ways)
{
	return (ways >> 7) * GPC_FLOW_BYTES(1ull) >> 56;
}

/* The first of a set of ways that is not empty. */
GPC_INLINE __u32 gpc_flow_first_way(__u64 ways)
{
	return ((ways & -ways) >> 7) * 0x0001020304050607ull >> 56;
}

/* ---- ages ---- */

/* What a set says of an entry's age: BRIEF and 7 bits of when it was last seen, in units of 2^33 ns. */
GPC_INLINE __u8 gpc_flow_age(__u32 last_seen, __u8 state)
{
	__u8 kind = state & GPC_FLOW_STATE_MASK;
	__u8 brief = kind == GPC_FLOW_SYN || kind == GPC_FLOW_CLOSING || kind == GPC_FLOW_CLOSED ||
		     kind == GPC_FLOW_UDP_NEW || state & GPC_FLOW_REVOKED
			     ? GPC_FLOW_BRIEF
			     : 0;

	return brief | (last_seen >> (GPC_FLOW_AGE_SHIFT - 30) & 0x7f);
}

/*
 * By how much each way is worth less than the others, a byte each: the brief ones first, then who was not seen for
 * the longest. 0: it must not be taken, as it was seen in this unit or somebody is at it.
 */
GPC_INLINE __u64 gpc_flow_worth(__u64 tags, __u64 ages, __u32 now)
{
	__u64 idle = ((GPC_FLOW_BYTES((__u64)(now & 0x7f)) | GPC_FLOW_TOPS) - (ages & ~GPC_FLOW_TOPS)) &
		     ~GPC_FLOW_TOPS;
	__u64 spared = gpc_flow_zero(idle) | (tags & GPC_FLOW_TOPS);

	return (idle | (ages & GPC_FLOW_TOPS)) & ~((spared >> 7) * 0xff);
}

#endif
