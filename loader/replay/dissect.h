/* SPDX-License-Identifier: MIT */
/*
 * dissect.h: what a recorded frame is called: the packet as its headers say, for reports and for the
 * list of flows. What becomes of it the programs say, not this.
 */
#ifndef GPC_LOADER_REPLAY_DISSECT_H
#define GPC_LOADER_REPLAY_DISSECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpc/lookup/question.h"

struct gpc_dissected {
	bool ip;			/* else `packet` says nothing */
	struct gpc_question packet;
	size_t headers;			/* bytes up to the end of the headers that decide; of what is no IP: of Ethernet */
};

/*
 * `size` bytes of an Ethernet frame. False: it ends before its headers do, so nobody can say what it
 * was.
 */
bool gpc_dissect(const uint8_t *frame, size_t size, struct gpc_dissected *ret);

#endif
