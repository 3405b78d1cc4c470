/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <string.h>

void gpc_words_init(struct gpc_words *words, struct gpc_arena *arena, uint64_t max_bytes)
{
	*words = (struct gpc_words){.arena = arena, .limit = max_bytes / 4};
}

uint32_t *gpc_words_at(struct gpc_words *words, uint32_t offset)
{
	return words->items + (offset - GPC_WORDS_BASE);
}

uint32_t gpc_words_reserve(struct gpc_words *words, size_t count, uint32_t align)
{
	size_t start = ((words->n + GPC_WORDS_BASE + align - 1) & ~(size_t)(align - 1)) - GPC_WORDS_BASE;

	if (words->over || count > words->limit || start > words->limit - count) {
		words->over = true;
		return 0;
	}
	while (start + count > words->cap)
		words->items = gpc_vec_grow(words->arena, words->items, &words->cap,
					    sizeof(*words->items));
	words->n = start + count;
	return (uint32_t)start + GPC_WORDS_BASE;
}

static uint32_t hash_of(const uint32_t *piece, size_t count)
{
	uint64_t h = count * 0x9e3779b97f4a7c15ull;

	for (size_t i = 0; i < count; i++) {
		h = (h ^ piece[i]) * 0xd6e8feb86659fd93ull;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

static struct gpc_shared_piece *slot_of(struct gpc_shared_piece *pieces, size_t cap, uint32_t hash)
{
	return &pieces[hash & (cap - 1)];
}

static void grow_pieces(struct gpc_words *words)
{
	size_t cap = words->piece_cap ? 2 * words->piece_cap : 1024;
	struct gpc_shared_piece *pieces = GPC_NEW_ARRAY(words->arena, struct gpc_shared_piece, cap);

	for (size_t i = 0; i < words->piece_cap; i++) {
		struct gpc_shared_piece *to = slot_of(pieces, cap, words->pieces[i].hash);

		if (!words->pieces[i].count)
			continue;
		while (to->count)
			to = to + 1 == pieces + cap ? pieces : to + 1;
		*to = words->pieces[i];
	}
	words->pieces = pieces;
	words->piece_cap = cap;
}

uint32_t gpc_words_share(struct gpc_words *words, const uint32_t *piece, size_t count, uint32_t align)
{
	uint32_t hash = hash_of(piece, count), offset;
	struct gpc_shared_piece *at;

	if (words->piece_count * 2 >= words->piece_cap)
		grow_pieces(words);
	at = slot_of(words->pieces, words->piece_cap, hash);
	while (at->count) {
		if (at->hash == hash && at->count == count && !(at->offset & (align - 1)) &&
		    !memcmp(gpc_words_at(words, at->offset), piece, count * sizeof(*piece)))
			return at->offset;
		at = at + 1 == words->pieces + words->piece_cap ? words->pieces : at + 1;
	}
	offset = gpc_words_reserve(words, count, align);
	if (!offset)
		return 0;
	memcpy(gpc_words_at(words, offset), piece, count * sizeof(*piece));
	*at = (struct gpc_shared_piece){hash, offset, (uint32_t)count};
	words->piece_count++;
	return offset;
}
