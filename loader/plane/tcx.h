/* SPDX-License-Identifier: MIT */
/*
 * tcx.h: numbers of the kernel's ABI that came with 6.6 and that the headers of older systems lack.
 */
#ifndef GPC_LOADER_PLANE_TCX_H
#define GPC_LOADER_PLANE_TCX_H

#include <linux/bpf.h>

#define GPC_TCX_INGRESS ((enum bpf_attach_type)46)
#define GPC_TCX_EGRESS ((enum bpf_attach_type)47)
#define GPC_LINK_TYPE_TCX 11u

#endif
