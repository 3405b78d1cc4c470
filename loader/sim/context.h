/* SPDX-License-Identifier: MIT */
/*
 * context.h: a frame in front of a program, and the helpers that change it. There is one frame and
 * one clock in a process.
 */
#ifndef GPC_LOADER_SIM_CONTEXT_H
#define GPC_LOADER_SIM_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "shim/bpf/bpf_helpers.h"

#define GPC_SIM_HEADROOM 256u	/* in front of a frame, as XDP has it */
#define GPC_SIM_FRAME_MAX (65536u + 64u)

/* The frame at the device; it is copied. `redirects`: what bpf_redirect() returns in this program. */
void gpc_sim_context_set(struct gpc_sim_context *ctx, const void *frame, size_t size, uint32_t ifindex,
			 long redirects);

/* Bytes in front of it. */
void gpc_sim_context_meta(struct gpc_sim_context *ctx, const void *meta, size_t size);

void gpc_sim_clock_set(uint64_t ns);

/* What bpf_fib_lookup() answers: this neighbour, out of this device, by a way of this MTU; ifindex 0: no way. */
void gpc_sim_fib_set(const uint8_t destination[6], const uint8_t source[6], uint32_t ifindex,
		     uint32_t mtu);

#endif
