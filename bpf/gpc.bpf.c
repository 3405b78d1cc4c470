// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * gpc.bpf.c: one object per size class of images (GPC_IMAGE_LOG2), because the mask that keeps
 * every load inside the image must be a compile-time constant.
 */
#include "gpc_answer.bpf.c"
#include "gpc_consult.bpf.c"
#include "gpc_decap.bpf.c"
#include "gpc_error.bpf.c"
#include "gpc_nat.bpf.c"
#include "gpc_fragment.bpf.c"
#include "gpc_odd.bpf.c"
#include "gpc_serve.bpf.c"
#include "gpc_tc.bpf.c"
#include "gpc_xdp.bpf.c"

char gpc_license[] SEC("license") = "Dual MIT/GPL";
