/* SPDX-License-Identifier: MIT */
/*
 * slow_siphash.h: SipHash-c-d (Aumasson, Bernstein, INDOCRYPT 2012) over a byte string, with the
 * numbers of rounds as parameters, so that the published SipHash-2-4 vectors also vouch for 1-3.
 */
#ifndef GPC_ORACLE_SLOW_SIPHASH_H
#define GPC_ORACLE_SLOW_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t sip_rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline uint64_t sip_word(const uint8_t *bytes)
{
	uint64_t word = 0;

	for (int i = 7; i >= 0; i--)
		word = word << 8 | bytes[i];
	return word;
}

static inline void sip_rounds(struct sip_state *s, int rounds)
{
	while (rounds-- > 0) {
		s->v0 += s->v1;
		s->v1 = sip_rotate(s->v1, 13) ^ s->v0;
		s->v0 = sip_rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = sip_rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = sip_rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = sip_rotate(s->v1, 17) ^ s->v2;
		s->v2 = sip_rotate(s->v2, 32);
	}
}

static inline void sip_absorb(struct sip_state *s, uint64_t word, int rounds)
{
	s->v3 ^= word;
	sip_rounds(s, rounds);
	s->v0 ^= word;
}

static inline uint64_t slow_siphash(int c, int d, const uint8_t key[16], const uint8_t *data,
				    size_t size)
{
	uint64_t k0 = sip_word(key), k1 = sip_word(key + 8);
	struct sip_state s = {k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
			      k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull};
	uint8_t last[8] = {0};
	size_t whole = size / 8 * 8;

	for (size_t i = 0; i < whole; i += 8)
		sip_absorb(&s, sip_word(data + i), c);
	for (size_t i = whole; i < size; i++)
		last[i - whole] = data[i];
	last[7] = (uint8_t)size;
	sip_absorb(&s, sip_word(last), c);
	s.v2 ^= 0xff;
	sip_rounds(&s, d);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
