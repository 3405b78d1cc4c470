/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * view.h: how a lookup reads an image. The same source serves the BPF programs (where the mask is a
 * compile-time constant, GPC_IMAGE_LOG2, of one object per size class: a mask loaded from .rodata costs
 * 10 ns) and user space (where the image lies in a buffer of 2^k bytes).
 *
 * A masked offset never leaves the buffer, whatever the image says; that the record found is the
 * right one is the business of the reader that checked the image.
 */
#ifndef GPC_LOOKUP_VIEW_H
#define GPC_LOOKUP_VIEW_H

#include <linux/types.h>

#include "../image.h"

#ifdef GPC_IMAGE_LOG2
struct gpc_view {
	const char *base;
	__u32 slot;		/* of gpc_images, for functions of their own: an image cannot be passed to them */
};
#define GPC_VIEW_MASK(view) ((1ull << GPC_IMAGE_LOG2) - 1)
#define GPC_INLINE static inline __attribute__((always_inline))
#else
struct gpc_view {
	const char *base;
	__u64 mask;		/* 2^k - 1 */
};
#define GPC_VIEW_MASK(view) ((view).mask)
#define GPC_INLINE static inline
#endif

/* Keeps the compiler from making a branch, or a known constant, of a value. */
#define gpc_opaque(x) __asm__ volatile("" : "+r"(x))

/*
 * Makes the verifier forget what it knows of a number, by another that may be anything to it. Before 6.2 it tells
 * all states of a program with functions apart by all their numbers: where ways meet, those that are a constant on
 * one way would make it look at all that follows once for each.
 */
#define gpc_forget(x, any)                                                                          \
	do {                                                                                        \
		(x) ^= (any);                                                                       \
		gpc_opaque(x);                                                                      \
		(x) ^= (any);                                                                       \
		gpc_opaque(x);                                                                      \
	} while (0)

/* The record of `size` bytes (a power of two) at `offset`. */
GPC_INLINE const void *gpc_at(struct gpc_view view, __u64 offset, __u64 size)
{
	return view.base + (offset & GPC_VIEW_MASK(view) & ~(size - 1));
}

GPC_INLINE const struct gpc_plane *gpc_view_plane(struct gpc_view view)
{
	return (const struct gpc_plane *)(view.base + sizeof(struct gpc_image_head));
}

GPC_INLINE const void *gpc_record(struct gpc_view view, __u32 section_offset, __u32 index, __u64 size)
{
	return gpc_at(view, (__u64)section_offset + (__u64)index * size, size);
}

#endif
