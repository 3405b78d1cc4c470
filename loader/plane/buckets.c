/* SPDX-License-Identifier: MIT */
#include "buckets.h"

#include <errno.h>
#include <sys/mman.h>

int gpc_buckets_map(const struct gpc_instance *instance, struct gpc_buckets *ret)
{
	uint32_t count = instance->entries[GPC_MAP_RATE];
	void *words = mmap(NULL, count * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
			   instance->map[GPC_MAP_RATE], 0);

	if (words == MAP_FAILED)
		return -errno;
	*ret = (struct gpc_buckets){words, count};
	return 0;
}

void gpc_buckets_unmap(struct gpc_buckets *buckets)
{
	if (buckets->words)
		munmap((void *)buckets->words, buckets->count * sizeof(uint64_t));
}
