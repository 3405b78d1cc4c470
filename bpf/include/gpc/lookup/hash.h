/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * hash.h: the two hashes of the data plane.
 *
 * Flow hash: SipHash-1-3 (Aumasson, Bernstein, INDOCRYPT 2012; one compression round per word, three
 * at the end) of the 38 bytes: source 16, destination 16 (v4 as ::ffff:a.b.c.d), protocol 1, source
 * port 2, destination port 2 (big-endian), draw number 1. Keyed by the plane's hash seed, so that a
 * sender who does not know it cannot choose an endpoint, and all balancers with one image agree.
 * Integers are as loaded from memory on a little-endian machine.
 */
#ifndef GPC_LOOKUP_HASH_H
#define GPC_LOOKUP_HASH_H

#include "view.h"

/* A flow as the hash and the VIP table see it; addresses and ports as in the packet. */
struct gpc_tuple {
	__u64 source[2];	/* 16 bytes in memory order */
	__u64 destination[2];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
};

GPC_INLINE __u64 gpc_rotl64(__u64 x, int n)
{
	return (x << n) | (x >> (64 - n));
}

/* The second 8 bytes of ::ffff:a.b.c.d; the first 8 are zero. */
GPC_INLINE __u64 gpc_mapped_v4(__be32 address)
{
	return 0xffff0000ull | ((__u64)address << 32);
}

#define GPC_SIP_ROUND(v0, v1, v2, v3)                                                              \
	do {                                                                                       \
		v0 += v1; v1 = gpc_rotl64(v1, 13); v1 ^= v0; v0 = gpc_rotl64(v0, 32);              \
		v2 += v3; v3 = gpc_rotl64(v3, 16); v3 ^= v2;                                       \
		v0 += v3; v3 = gpc_rotl64(v3, 21); v3 ^= v0;                                       \
		v2 += v1; v1 = gpc_rotl64(v1, 17); v1 ^= v2; v2 = gpc_rotl64(v2, 32);              \
	} while (0)

#define GPC_SIP_WORD(m, v0, v1, v2, v3)                                                            \
	do {                                                                                       \
		v3 ^= (m);                                                                         \
		GPC_SIP_ROUND(v0, v1, v2, v3);                                                     \
		v0 ^= (m);                                                                         \
	} while (0)

GPC_INLINE __u64 gpc_flow_hash(const __u64 seed[2], const struct gpc_tuple *t, __u8 draw)
{
	__u64 v0 = seed[0] ^ 0x736f6d6570736575ull, v1 = seed[1] ^ 0x646f72616e646f6dull;
	__u64 v2 = seed[0] ^ 0x6c7967656e657261ull, v3 = seed[1] ^ 0x7465646279746573ull;
	__u64 last = (__u64)t->protocol | (__u64)t->source_port << 8 |
		     (__u64)t->destination_port << 24 | (__u64)draw << 40 | 38ull << 56;

	GPC_SIP_WORD(t->source[0], v0, v1, v2, v3);
	GPC_SIP_WORD(t->source[1], v0, v1, v2, v3);
	GPC_SIP_WORD(t->destination[0], v0, v1, v2, v3);
	GPC_SIP_WORD(t->destination[1], v0, v1, v2, v3);
	GPC_SIP_WORD(last, v0, v1, v2, v3);
	v2 ^= 0xff;
	GPC_SIP_ROUND(v0, v1, v2, v3);
	GPC_SIP_ROUND(v0, v1, v2, v3);
	GPC_SIP_ROUND(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}

/* What of a flow a listener's `hash` looks at; the rest is zero. */
GPC_INLINE struct gpc_tuple gpc_hash_input(enum gpc_hash mode, const struct gpc_tuple *t)
{
	struct gpc_tuple input = *t;

	if (mode == GPC_HASH_5_TUPLE)
		return input;
	input.destination[0] = input.destination[1] = 0;
	input.protocol = 0;
	if (mode == GPC_HASH_DESTINATION_PORT)
		input.source[0] = input.source[1] = 0;
	else
		input.destination_port = 0;
	if (mode != GPC_HASH_SOURCE_IP_PORT)
		input.source_port = 0;
	return input;
}

/*
 * Hash of the perfect-hash tables: bucket = high 32 bits, slot = low 32 bits xor displacement; the
 * compiler tries seeds until the table is perfect. Each fold before a multiplication is needed: the last
 * octet of a v4 address stands in the highest byte of `a`, and a product carries upwards only.
 */
GPC_INLINE __u64 gpc_phash_mix(__u64 seed, __u64 a, __u64 b, __u64 c)
{
	__u64 x = a ^ seed;
	__u64 y = (b + c) * 0xc2b2ae3d27d4eb4full;
	__u64 h;

	x = (x ^ x >> 32) * 0x9e3779b97f4a7c15ull;
	h = x ^ gpc_rotl64(y, 31) ^ c;
	h = (h ^ h >> 29) * 0xd6e8feb86659fd93ull;
	return h ^ h >> 32;
}

#endif
