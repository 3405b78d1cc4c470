/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (256u * 1024)
#define ALIGNMENT 16u

struct gpc_arena_block {
	struct gpc_arena_block *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char bytes[];
};

_Noreturn void gpc_arena_exhausted(void)
{
	fputs("gpc: out of memory\n", stderr);
	abort();
}

static struct gpc_arena_block *new_block(size_t size)
{
	struct gpc_arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		gpc_arena_exhausted();
	block->size = size;
	return block;
}

void gpc_arena_release(struct gpc_arena *arena)
{
	while (arena->head) {
		struct gpc_arena_block *next = arena->head->next;

		free(arena->head);
		arena->head = next;
	}
	arena->used = 0;
}

void gpc_arena_reset(struct gpc_arena *arena)
{
	struct gpc_arena_block *kept = NULL;

	while (arena->head) {
		struct gpc_arena_block *next = arena->head->next;

		if (!kept && arena->head->size == BLOCK_BYTES)
			kept = arena->head;
		else
			free(arena->head);
		arena->head = next;
	}
	if (kept) {
		memset(kept->bytes, 0, kept->used);
		kept->used = 0;
		kept->next = NULL;
	}
	arena->head = kept;
	arena->used = 0;
}

void *gpc_arena_alloc(struct gpc_arena *arena, size_t size)
{
	struct gpc_arena_block *block = arena->head;
	size_t rounded;
	void *p;

	if (size > SIZE_MAX / 2)
		gpc_arena_exhausted();
	rounded = size ? (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
	arena->used += rounded;
	if (rounded > BLOCK_BYTES / 4) {
		/* A block of its own, behind the head so that the head's rest stays in use. */
		struct gpc_arena_block *own = new_block(rounded);

		own->used = rounded;
		if (block) {
			own->next = block->next;
			block->next = own;
		} else {
			arena->head = own;
		}
		return own->bytes;
	}
	if (!block || block->size - block->used < rounded) {
		block = new_block(BLOCK_BYTES);
		block->next = arena->head;
		arena->head = block;
	}
	p = block->bytes + block->used;
	block->used += rounded;
	return p;
}

void *gpc_arena_calloc(struct gpc_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		gpc_arena_exhausted();
	return gpc_arena_alloc(arena, bytes);
}

char *gpc_arena_strndup(struct gpc_arena *arena, const char *text, size_t len)
{
	char *copy = gpc_arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

char *gpc_arena_strdup(struct gpc_arena *arena, const char *text)
{
	return gpc_arena_strndup(arena, text, strlen(text));
}

char *gpc_arena_vprintf(struct gpc_arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		gpc_arena_exhausted();
	text = gpc_arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

char *gpc_arena_printf(struct gpc_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = gpc_arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void *gpc_vec_grow(struct gpc_arena *arena, void *items, size_t *cap, size_t item_size)
{
	size_t new_cap = *cap ? *cap * 2 : 8;
	void *grown = gpc_arena_calloc(arena, new_cap, item_size);

	if (*cap)
		memcpy(grown, items, *cap * item_size);
	*cap = new_cap;
	return grown;
}
