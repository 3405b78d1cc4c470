/* SPDX-License-Identifier: MIT */
/* classify_live.h: the headers of a rule set as real frames, into a veth, counted at the other end. */
#ifndef GPC_BENCH_CLASSIFY_LIVE_H
#define GPC_BENCH_CLASSIFY_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "gpc/lookup/question.h"

struct live_place {
	const char *netns, *device;
};

/*
 * Sends frames for about `seconds` and prints "KPPS ARRIVED SENT". False, with a line on stderr, if that
 * was not possible.
 */
bool classify_live(const char *object, struct live_place from, struct live_place to, const char *destination_mac,
		   const struct gpc_question *questions, size_t count, double seconds);

#endif
