/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: the values of a per-CPU array. The kernel gives and takes those of all possible CPUs at
 * once; many slots go in one call where it can. Values are multiples of 8 bytes. -errno on failure.
 */
#ifndef GPC_LOADER_PLANE_PERCPU_H
#define GPC_LOADER_PLANE_PERCPU_H

#include <stddef.h>
#include <stdint.h>

struct gpc_percpu {
	int fd;
	uint32_t entries;
	size_t value_size;
};

/* Values of one slot: `cpus` of them, one behind the other. */
typedef void gpc_percpu_take(void *context, uint32_t slot, const void *values, int cpus);

/* Calls `take` for every slot. */
int gpc_percpu_read(const struct gpc_percpu *array, gpc_percpu_take *take, void *context);
int gpc_percpu_zero(const struct gpc_percpu *array, const uint32_t *slots, size_t count);

#endif
