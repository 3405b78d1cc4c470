/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * address.h: address -> class, on the words of the image. The same source for kernel and user space.
 *
 * Both tries are made of entries, one word each:
 *
 *   31      1: a leaf, bits 30..0 are the class; else
 *   30..29  kind: a half piece, a full piece, a branch, or a branch on the low half of a v6 address
 *   28..22  argument
 *   21..0   offset in units of four words
 *
 * A piece cuts a range of addresses into at most 7 (half) or 13 (full) intervals: 2 or 4 u64 of three
 * keys each in lanes of 21 bits, where the intervals but the first begin, then the classes as u16 or u32.
 * What is compared with the keys is 20 bits of the address, from bit `argument` on. One subtraction
 * compares three keys: a guard bit above each lane stays if the key is not greater. A lane without a key
 * holds GPC_PIECE_PAD, greater than all.
 *
 * v4: 65,536 entries for the high half of the address. A branch is a block of 1 << bits entries, chosen
 * by bits shift.. of the address; argument = shift << 3 | (bits - 1).
 *
 * v6: the high half of the address is looked up, and where an interval begins inside one value of it the low
 * half in the same way. A branch is a window: base (u64), shift | bits << 8, 0, then the entries for what
 * is below the window, above it, and the 1 << bits inside.
 */
#ifndef GPC_LOOKUP_ADDRESS_H
#define GPC_LOOKUP_ADDRESS_H

#include "question.h"

#define GPC_TRIE_LEAF		(1u << 31)
#define GPC_TRIE_CLASS		0x7fffffffu
#define GPC_TRIE_KIND_SHIFT	29
#define GPC_TRIE_ARGUMENT_SHIFT	22
#define GPC_TRIE_ARGUMENT	0x7fu
#define GPC_TRIE_OFFSET		0x3fffffu
enum gpc_trie_kind { GPC_TRIE_HALF, GPC_TRIE_FULL, GPC_TRIE_BRANCH, GPC_TRIE_LOW };

#define GPC_TRIE4_STEPS		5u	/* most blocks one below the other */
#define GPC_TRIE6_STEPS		20u	/* most windows */

#define GPC_PIECE_LANES		0x40000200001ull	/* bit 0 of each lane */
#define GPC_PIECE_KEY_BITS	20u
#define GPC_PIECE_PAD		(1u << GPC_PIECE_KEY_BITS)
#define GPC_PIECE_HALF		7u	/* intervals */
#define GPC_PIECE_FULL		13u

#define GPC_WINDOW_HEAD		4u	/* words before the entries */

/* Classes of a packet's addresses, found once and used by every classifier of the plane. */
struct gpc_classes {
	__u32 source, destination;
};

GPC_INLINE __u32 gpc_word(struct gpc_view view, __u32 index)
{
	return *(const __u32 *)gpc_at(view, (__u64)index << 2, 4);
}

GPC_INLINE __u32 gpc_half(struct gpc_view view, __u32 index)
{
	return *(const __u16 *)gpc_at(view, (__u64)index << 1, 2);
}

GPC_INLINE __u64 gpc_piece_count(__u64 probe, __u64 keys)
{
	return (probe - keys) >> GPC_PIECE_KEY_BITS & GPC_PIECE_LANES;
}

/* The class that a leaf or a piece gives. `key` has GPC_PIECE_KEY_BITS bits. */
GPC_INLINE __u32 gpc_entry_class(struct gpc_view view, __u32 entry, __u64 key, __u32 wide)
{
	__u64 at = (__u64)(entry & GPC_TRIE_OFFSET) << 4;
	__u64 full = entry >> GPC_TRIE_KIND_SHIFT & 1;
	__u64 probe = (key | GPC_PIECE_PAD) * GPC_PIECE_LANES, sum, count;
	const __u64 *keys = gpc_at(view, at, 32);

	if (entry & GPC_TRIE_LEAF)
		return entry & GPC_TRIE_CLASS;
	sum = gpc_piece_count(probe, keys[0]) + gpc_piece_count(probe, keys[1]) +
	      (gpc_piece_count(probe, keys[2]) + gpc_piece_count(probe, keys[3])) * full;
	count = (sum * GPC_PIECE_LANES) >> 42 & 15;
	at += 16 + 16 * full;
	if (wide)
		return *(const __u32 *)gpc_at(view, at + (count << 2), 4) & GPC_TRIE_CLASS;
	return *(const __u16 *)gpc_at(view, at + (count << 1), 2);
}

/* Is the entry neither leaf nor piece? */
GPC_INLINE int gpc_entry_branches(__u32 entry)
{
	return entry >> (GPC_TRIE_KIND_SHIFT + 1) == 1;
}

/* Class of a v4 address in host order. */
GPC_INLINE __u32 gpc_class4(struct gpc_view view, __u32 root, __u32 wide, __u32 address)
{
	__u32 entry = gpc_word(view, root + (address >> 16)), i;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_TRIE4_STEPS; i++) {
		__u32 argument = entry >> GPC_TRIE_ARGUMENT_SHIFT & GPC_TRIE_ARGUMENT;
		__u32 bits = (argument & 7) + 1;

		if (!gpc_entry_branches(entry))
			break;
		entry = gpc_word(view, ((entry & GPC_TRIE_OFFSET) << 2) +
					       (address >> (argument >> 3) & ((1u << bits) - 1)));
	}
	return gpc_entry_class(view, entry, address & 0xffff, wide);
}

/* Entry of a window for a half of an address. No branch: the verifier would follow each through the loop. */
GPC_INLINE __u32 gpc_window_entry(struct gpc_view view, __u32 window, __u64 half)
{
	const __u64 *head = gpc_at(view, (__u64)window << 2, 16);
	__u64 base = head[0], outside, above;
	__u32 shift = head[1] & 63, bits = head[1] >> 8 & 31, inside;

	outside = (half ^ base) >> shift >> bits;
	outside = (outside | (0 - outside)) >> 63;
	above = ((~base & half) | ((~base | half) & (base - half))) >> 63;
	inside = (half >> shift & ((1u << bits) - 1)) + 2;
	gpc_opaque(outside);
	return gpc_word(view, window + GPC_WINDOW_HEAD +
				      (inside & ((__u32)outside - 1)) + (__u32)(above & outside));
}

/* Class of a v6 address, its halves in host order. */
GPC_INLINE __u32 gpc_class6(struct gpc_view view, __u32 root, __u32 wide, __u64 high, __u64 low)
{
	__u32 entry = gpc_window_entry(view, root, high), i;
	__u64 half = high, to_low;

#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < GPC_TRIE6_STEPS; i++) {
		if (!gpc_entry_branches(entry))
			break;
		to_low = entry >> GPC_TRIE_KIND_SHIFT & 1;	/* GPC_TRIE_LOW */
		gpc_opaque(to_low);
		half ^= (half ^ low) & (0 - to_low);
		entry = gpc_window_entry(view, (entry & GPC_TRIE_OFFSET) << 2, half);
	}
	return gpc_entry_class(view, entry,
			       half >> (entry >> GPC_TRIE_ARGUMENT_SHIFT & 63) &
				       ((1u << GPC_PIECE_KEY_BITS) - 1),
			       wide);
}

/* Class of an address as it stands in a question; `side`: 0 source, 1 destination. */
GPC_INLINE __u32 gpc_address_class(struct gpc_view view, const struct gpc_tries *tries, __u32 side,
				   __u8 family, const __u64 address[2])
{
	if (family == GPC_V4)
		return gpc_class4(view, tries->root4[side], tries->wide[side],
				  __builtin_bswap32((__u32)(address[1] >> 32)));
	return gpc_class6(view, tries->root6[side], tries->wide[side],
			  __builtin_bswap64(address[0]), __builtin_bswap64(address[1]));
}

/* Classes of the question's addresses. */
GPC_INLINE struct gpc_classes gpc_address_classes(struct gpc_view view,
						  const struct gpc_question *question)
{
	const struct gpc_tries *tries = &gpc_view_plane(view)->tries;

	return (struct gpc_classes){
		.source = gpc_address_class(view, tries, 0, question->family, question->source),
		.destination = gpc_address_class(view, tries, 1, question->family, question->destination),
	};
}

#endif
