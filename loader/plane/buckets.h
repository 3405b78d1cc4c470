/* SPDX-License-Identifier: MIT */
/* buckets.h: the rate buckets of an instance (gpc_rate), mapped for as long as they are looked at. */
#ifndef GPC_LOADER_PLANE_BUCKETS_H
#define GPC_LOADER_PLANE_BUCKETS_H

#include "instance.h"

struct gpc_buckets {
	volatile uint64_t *words; /* NULL: not mapped */
	uint32_t count;
};

/* -errno */
int gpc_buckets_map(const struct gpc_instance *instance, struct gpc_buckets *ret);
void gpc_buckets_unmap(struct gpc_buckets *buckets);

#endif
