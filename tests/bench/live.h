/* SPDX-License-Identifier: MIT */
/* What the two sides of the live measurement share. */
#ifndef GPC_BENCH_LIVE_H
#define GPC_BENCH_LIVE_H

#include <linux/types.h>

#define LIVE_FLOWS 1024

struct live_traffic {
	__u8 destination[6], source[6];
	__be32 from_be, to_be;
	__be16 port_be;
	__u16 pad;
	__u32 next;
};

#endif
