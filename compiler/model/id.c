/* SPDX-License-Identifier: MIT */
#include "id.h"

#include <assert.h>
#include <string.h>

#include "model.h"

const char *const gpc_builtin_names[GPC_BUILTIN_COUNT] = {
	[GPC_BUILTIN_ARP] = "arp",
	[GPC_BUILTIN_ND] = "nd",
	[GPC_BUILTIN_RA] = "ra",
	[GPC_BUILTIN_MLD] = "mld",
	[GPC_BUILTIN_ICMP_ERROR] = "icmp-error",
};

static void put(struct gpc_ids *ids, const char *text)
{
	size_t size = strlen(text) + 1;

	assert(size <= sizeof(ids->head) - ids->head_size);
	memcpy(ids->head + ids->head_size, text, size);
	ids->head_size += size;
}

void gpc_ids_start(struct gpc_ids *ids, const char *kind, const char *owner)
{
	gpc_sha256_init(&ids->sha);
	ids->head_size = 0;
	put(ids, "gpc/v1");
	put(ids, kind);
	if (owner)
		put(ids, owner);
}

static void add_name(struct gpc_ids *ids, const char *name)
{
	gpc_sha256_add(&ids->sha, ids->head, ids->head_size);
	gpc_sha256_add(&ids->sha, name, strlen(name));
}

static uint64_t id_of(const uint8_t digest[GPC_SHA256_BYTES])
{
	uint64_t id = 0;

	for (int i = 7; i >= 0; i--)
		id = id << 8 | digest[i];
	return id;
}

uint64_t gpc_ids_next(struct gpc_ids *ids, const char *name)
{
	uint8_t digest[GPC_SHA256_BYTES];

	add_name(ids, name);
	gpc_sha256_next(&ids->sha, digest);
	return id_of(digest);
}

void gpc_ids_end(struct gpc_ids *ids)
{
	uint8_t unused[GPC_SHA256_BYTES];

	gpc_sha256_finish(&ids->sha, unused);
}

void gpc_identity_digest(const char *kind, const char *owner, const char *name,
			 uint8_t ret_digest[GPC_SHA256_BYTES])
{
	struct gpc_ids ids;

	gpc_ids_start(&ids, kind, owner);
	add_name(&ids, name);
	gpc_sha256_finish(&ids.sha, ret_digest);
}

uint64_t gpc_stable_id(const char *kind, const char *owner, const char *name)
{
	uint8_t digest[GPC_SHA256_BYTES];

	gpc_identity_digest(kind, owner, name, digest);
	return id_of(digest);
}
