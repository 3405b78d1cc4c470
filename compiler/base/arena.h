/* SPDX-License-Identifier: MIT */
/*
 * arena.h: memory of one compilation. Everything that a pass allocates lives until
 * gpc_arena_release(); no pass frees. Memory is zeroed. Running out of memory aborts the program
 * with a message: a compiler has nothing sensible left to do, and the running plane is untouched.
 */
#ifndef GPC_BASE_ARENA_H
#define GPC_BASE_ARENA_H

#include <stddef.h>
#include <stdarg.h>

struct gpc_arena_block;
struct gpc_arena {
	struct gpc_arena_block *head;
	size_t used;		/* bytes handed out, for -v */
};

/* An arena may start as all zero bytes. */
void gpc_arena_release(struct gpc_arena *arena);

/* Gives back all but one block, which is used again: for scratch memory of many small jobs. */
void gpc_arena_reset(struct gpc_arena *arena);

/* What running out of memory does, for allocations that others make: message, then abort. */
_Noreturn void gpc_arena_exhausted(void);

/* `size` zeroed bytes aligned to 16. size 0 gives a valid unique pointer. */
void *gpc_arena_alloc(struct gpc_arena *arena, size_t size);

/* count * size with overflow check. */
void *gpc_arena_calloc(struct gpc_arena *arena, size_t count, size_t size);

/* A copy of `len` bytes with a NUL behind. */
char *gpc_arena_strndup(struct gpc_arena *arena, const char *text, size_t len);
char *gpc_arena_strdup(struct gpc_arena *arena, const char *text);
char *gpc_arena_printf(struct gpc_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *gpc_arena_vprintf(struct gpc_arena *arena, const char *format, va_list args);

#define GPC_NEW(arena, type) ((type *)gpc_arena_alloc((arena), sizeof(type)))
#define GPC_NEW_ARRAY(arena, type, n) ((type *)gpc_arena_calloc((arena), (n), sizeof(type)))

/*
 * A growing array inside an arena: struct { T *items; size_t n, cap; }. GPC_PUSH gives a pointer to
 * a new zeroed item (valid until the next push).
 */
#define GPC_VEC(type)                                                                              \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n, cap;                                                                     \
	}
void *gpc_vec_grow(struct gpc_arena *arena, void *items, size_t *cap, size_t item_size);
#define GPC_PUSH(arena, vec)                                                                       \
	(((vec)->n == (vec)->cap ?                                                                 \
		  (void)((vec)->items = gpc_vec_grow((arena), (vec)->items, &(vec)->cap,           \
						     sizeof(*(vec)->items))) :                     \
		  (void)0),                                                                        \
	 &(vec)->items[(vec)->n++])

#endif
