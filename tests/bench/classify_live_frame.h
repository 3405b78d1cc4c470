/* SPDX-License-Identifier: MIT */
/* What the two sides of the live part of bench-classify share. */
#ifndef GPC_BENCH_CLASSIFY_LIVE_FRAME_H
#define GPC_BENCH_CLASSIFY_LIVE_FRAME_H

#include <linux/types.h>

#define CLASSIFY_LIVE_FRAMES 65536u

/* v4 takes 54 bytes, v6 74; both are sent in a frame of this size. */
#define CLASSIFY_LIVE_BYTES 76u
struct classify_live_frame {
	__u32 word[CLASSIFY_LIVE_BYTES / 4];
};

#endif
