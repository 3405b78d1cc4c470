/* SPDX-License-Identifier: MIT */
#include "percpu.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"

#define CHUNK 1024u

/* Slots that are read or written together, and room for their values. */
struct chunk {
	uint32_t slots[CHUNK];
	char *values;
	size_t slot_size; /* of the values of one slot */
	int cpus;
};

static void release_chunk(struct chunk *chunk)
{
	free(chunk->values);
}

static int make_chunk(const struct gpc_percpu *array, struct chunk *chunk)
{
	chunk->cpus = libbpf_num_possible_cpus();
	if (chunk->cpus < 0)
		return chunk->cpus;
	chunk->slot_size = array->value_size * (size_t)chunk->cpus;
	chunk->values = calloc(CHUNK, chunk->slot_size);
	return chunk->values ? 0 : -ENOMEM;
}

static int read_one_by_one(const struct gpc_percpu *array, uint32_t count, struct chunk *chunk)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (bpf_map_lookup_elem(array->fd, &chunk->slots[i],
					chunk->values + i * chunk->slot_size))
			return -errno;
	return 0;
}

/* Slots first..first + count - 1. */
static int read_chunk(const struct gpc_percpu *array, uint32_t first, uint32_t count,
		      struct chunk *chunk)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t before = first - 1, at, got = count, i;

	/* ENOENT says that these were the last ones. */
	if ((!bpf_map_lookup_batch(array->fd, first ? &before : NULL, &at, chunk->slots,
				   chunk->values, &got, &options) ||
	     errno == ENOENT) &&
	    got == count && chunk->slots[0] == first)
		return 0;
	for (i = 0; i < count; i++)
		chunk->slots[i] = first + i;
	return read_one_by_one(array, count, chunk);
}

static int write_chunk(const struct gpc_percpu *array, uint32_t count, struct chunk *chunk)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t done = count, i;

	if (!bpf_map_update_batch(array->fd, chunk->slots, chunk->values, &done, &options))
		return 0;
	for (i = 0; i < count; i++)
		if (bpf_map_update_elem(array->fd, &chunk->slots[i],
					chunk->values + i * chunk->slot_size, BPF_ANY))
			return -errno;
	return 0;
}

static uint32_t chunk_count(uint64_t left)
{
	return left < CHUNK ? (uint32_t)left : CHUNK;
}

int gpc_percpu_read(const struct gpc_percpu *array, gpc_percpu_take *take, void *context)
{
	GPC_CLEANUP(release_chunk) struct chunk chunk = {0};
	int r = make_chunk(array, &chunk);
	uint32_t first, count, i;

	for (first = 0; first < array->entries && !r; first += count) {
		count = chunk_count(array->entries - first);
		r = read_chunk(array, first, count, &chunk);
		for (i = 0; i < count && !r; i++)
			take(context, chunk.slots[i], chunk.values + i * chunk.slot_size,
			     chunk.cpus);
	}
	return r;
}

int gpc_percpu_zero(const struct gpc_percpu *array, const uint32_t *slots, size_t count)
{
	GPC_CLEANUP(release_chunk) struct chunk chunk = {0};
	int r = make_chunk(array, &chunk);
	uint32_t n, i;

	for (; count && !r; count -= n, slots += n) {
		n = chunk_count(count);
		for (i = 0; i < n; i++)
			chunk.slots[i] = slots[i];
		r = write_chunk(array, n, &chunk);
	}
	return r;
}
