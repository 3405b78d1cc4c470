/* SPDX-License-Identifier: MIT */
/*
 * kernel.h: what this kernel says and allows. libbpf's messages are kept instead of printed; a
 * failure of a bpf call becomes one record with the cause it can name: capability, age of the
 * kernel, what libbpf said.
 */
#ifndef GPC_LOADER_PLANE_KERNEL_H
#define GPC_LOADER_PLANE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../fail.h"

/* From here on libbpf prints nothing; what it said before is forgotten. */
void gpc_kernel_listen(void);

/* HOST failure of a bpf call that gave `error` (errno); adds cause and hint. Returns -1. */
int gpc_kernel_fail(struct gpc_failure *failure, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "CAP_BPF, CAP_PERFMON"; empty if this process has all it needs. Returns out. */
const char *gpc_kernel_missing_capabilities(char *out, size_t size);

/* Major and minor of the running kernel, as major * 1000 + minor; *ret_release: its full name. */
unsigned int gpc_kernel_release(char *ret_release, size_t size);
#define GPC_KERNEL_LEAST 6001u
#define GPC_KERNEL_LEAST_TEXT "6.1"

/* TCX links (6.6 and later). Asked of the kernel, not of its version. */
bool gpc_kernel_has_tcx(void);

/* CPUs that are online, at least 1. Fewer than the possible ones where some can be plugged in. */
uint32_t gpc_kernel_cpus(void);

/* One grace period of everything that may run a program: MEMBARRIER_CMD_GLOBAL. 0 or -errno. */
int gpc_kernel_grace(void);

#endif
