/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * busy.bpf.h: the busy flows: a small table in front of the IPv4 flow table, so that it stays in the processor's
 * cache when the flow table does not. It says of a flow which endpoint it goes to, and is believed for the second in which
 * it was written only: the first packet of each second asks the flow's entry and keeps that young, the
 * second one writes here, all others of that second find it here.
 *
 * What is found is what the entry would say. It holds for one image (its stamp), and what fill() and delete() of
 * flow_table.bpf.h change in a flow's element they take out here afterwards (gpc_forget_busy()). Whoever writes
 * here looks at the element once more between claiming the way and showing it: so it either sees the change, or its
 * claim is cancelled. A claimed way is nobody else's until its owner has shown it or given it back; programs do
 * not end in between.
 */
#ifndef GPC_BUSY_BPF_H
#define GPC_BUSY_BPF_H

#include "slot.bpf.h"

#define GPC_BUSY_LINES 32768u /* power of two: 2 MB */
#define GPC_BUSY_WAYS  4u

/* One cache line. */
struct gpc_busy_line {
	__u64 key[GPC_BUSY_WAYS];  /* source address and port, and slot of the VIP table */
	__u64 what[GPC_BUSY_WAYS]; /* stamp << 16 | index of the endpoint, or one of: */
};
#define GPC_BUSY_FREE	   0u
#define GPC_BUSY_CLAIMED   1u
#define GPC_BUSY_CANCELLED 2u
#define GPC_BUSY_INDEX_BITS 16

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GPC_BUSY_LINES);
	__uint(map_flags, BPF_F_MMAPABLE); /* which begins at a page, so lines at cache lines */
	__type(key, __u32);
	__type(value, struct gpc_busy_line);
} gpc_busy SEC(".maps");

/* ---- is it worth a look? ---- */

/*
 * A CPU's judgement of the last packets. A look in vain costs a miss, and those of new flows, or of more flows than
 * there is room for, are in vain: where they are more than the others, one packet in 64 looks.
 */
struct gpc_busy_use {
	__u32 vain; /* 0..GPC_BUSY_VAIN_MAX */
	__u32 turn;
};
#define GPC_BUSY_VAIN_MAX 128u
#define GPC_BUSY_TURNS	  64u

static __always_inline int busy_worth(struct gpc_busy_use *use)
{
	return likely(use->vain < GPC_BUSY_VAIN_MAX / 2) || ++use->turn % GPC_BUSY_TURNS == 0;
}

static __always_inline void busy_paid(struct gpc_busy_use *use)
{
	if (unlikely(use->vain))
		use->vain--;
}

static __always_inline void busy_in_vain(struct gpc_busy_use *use)
{
	if (use->vain < GPC_BUSY_VAIN_MAX)
		use->vain++;
}

/* ---- lines ---- */

/* The line of flows whose first set in the flow table this is. */
static __always_inline struct gpc_busy_line *busy_line(__u32 set)
{
	__u32 line = set & (GPC_BUSY_LINES - 1);

	return bpf_map_lookup_elem(&gpc_busy, &line);
}

/* When and of which image: 48 bits, never 0 in a way that is shown. */
static __always_inline __u64 busy_stamp(__u32 second, __u32 generation, __u32 slot)
{
	return (__u64)second << 16 | (__u16)(generation << 3 | slot);
}

/* The way that holds the key, or some other: what it holds is to be looked at. Without a branch that nobody foresees. */
static __always_inline __u32 busy_way(const struct gpc_busy_line *line, __u64 key)
{
	__u64 way = 0;
	__u32 i;

#pragma clang loop unroll(full)
	for (i = 1; i < GPC_BUSY_WAYS; i++) {
		__u64 differs = READ_ONCE(line->key[i]) ^ key;

		differs = (__u64)((__s64)(differs | -differs) >> 63);
		opaque(differs);
		way = (way & differs) | (i & ~differs);
	}
	return way & (GPC_BUSY_WAYS - 1);
}

/* What the table says of a key, read between two looks at it; GPC_BUSY_FREE: nothing. */
static __always_inline __u64 busy_find(const struct gpc_busy_line *line, __u64 key)
{
	__u32 way = busy_way(line, key);
	__u64 what;

	if (READ_ONCE(line->key[way]) != key)
		return GPC_BUSY_FREE;
	what = READ_ONCE(line->what[way]);
	asm volatile("" ::: "memory");
	return READ_ONCE(line->key[way]) == key ? what : GPC_BUSY_FREE;
}

/* Is nothing true of a way at the time of the stamp, and nobody at it? Then it is taken. */
static __always_inline int busy_take(struct gpc_busy_line *line, __u32 way, __u64 stamp)
{
	__u64 *what = &line->what[way & (GPC_BUSY_WAYS - 1)], was = READ_ONCE(*what);

	return was != GPC_BUSY_CLAIMED && was != GPC_BUSY_CANCELLED &&
	       was >> GPC_BUSY_INDEX_BITS != stamp &&
	       __sync_val_compare_and_swap(what, was, (__u64)GPC_BUSY_CLAIMED) == was;
}

/* A way for the key: that where it stands, or stood last, else any; GPC_NONE: there is none. */
static __always_inline __u32 busy_claim(struct gpc_busy_line *line, __u64 key, __u64 stamp)
{
	__u32 way = busy_way(line, key), i;

	if (READ_ONCE(line->key[way]) == key)
		return busy_take(line, way, stamp) ? way : GPC_NONE;
#pragma clang loop unroll(full)
	for (i = 0; i < GPC_BUSY_WAYS; i++)
		if (busy_take(line, i, stamp))
			return i;
	return GPC_NONE;
}

/* A way that was claimed becomes what is said, unless it was cancelled. */
static __always_inline void busy_show(struct gpc_busy_line *line, __u32 way, __u64 what)
{
	__u64 *to = &line->what[way & (GPC_BUSY_WAYS - 1)];

	if (__sync_val_compare_and_swap(to, (__u64)GPC_BUSY_CLAIMED, what) != GPC_BUSY_CLAIMED)
		WRITE_ONCE(*to, GPC_BUSY_FREE);
}

/*
 * Nothing is said any more of flows of this line. A claim that is shown while it is being cancelled needs a second
 * try; what is claimed after that sees the change that is the reason for this.
 */
__noinline int gpc_forget_busy(__u32 set)
{
	struct gpc_busy_line *line = busy_line(set);
	__u32 i;

	if (!line)
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < 2 * GPC_BUSY_WAYS; i++) {
		__u64 *what = &line->what[i / 2 & (GPC_BUSY_WAYS - 1)], was = READ_ONCE(*what);

		if (was != GPC_BUSY_FREE && was != GPC_BUSY_CANCELLED)
			__sync_val_compare_and_swap(what, was,
						    (__u64)(was == GPC_BUSY_CLAIMED ? GPC_BUSY_CANCELLED
										    : GPC_BUSY_FREE));
	}
	return 0;
}

#endif
