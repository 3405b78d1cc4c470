/* SPDX-License-Identifier: MIT */
/*
 * frame.h: the frame that a test's `send` describes (SEMANTICS 8), with correct checksums. What is not
 * written gets its default here.
 */
#ifndef GPC_LOADER_SIM_FRAME_H
#define GPC_LOADER_SIM_FRAME_H

#include "../../compiler/intent/intent.h"

#define GPC_FRAME_MAX (65536u + 64u)

/* Writes the frame into `out` (GPC_FRAME_MAX bytes); returns its size. */
size_t gpc_frame_build(const struct gpc_send_intent *send, uint8_t *out);

#endif
