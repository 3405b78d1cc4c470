/* SPDX-License-Identifier: MIT */
#include "id.h"

#include <string.h>

#include "../base/sha256.h"
#include "model.h"

const char *const gpc_builtin_names[GPC_BUILTIN_COUNT] = {
	[GPC_BUILTIN_ARP] = "arp",
	[GPC_BUILTIN_ND] = "nd",
	[GPC_BUILTIN_RA] = "ra",
	[GPC_BUILTIN_MLD] = "mld",
	[GPC_BUILTIN_ICMP_ERROR] = "icmp-error",
};

void gpc_identity_digest(const char *kind, const char *owner, const char *name,
			 uint8_t ret_digest[32])
{
	static const char domain[] = "gpc/v1";
	struct gpc_sha256 sha;

	gpc_sha256_init(&sha);
	gpc_sha256_add(&sha, domain, sizeof(domain));
	gpc_sha256_add(&sha, kind, strlen(kind) + 1);
	if (owner)
		gpc_sha256_add(&sha, owner, strlen(owner) + 1);
	gpc_sha256_add(&sha, name, strlen(name));
	gpc_sha256_finish(&sha, ret_digest);
}

uint64_t gpc_stable_id(const char *kind, const char *owner, const char *name)
{
	uint8_t digest[32];
	uint64_t id = 0;

	gpc_identity_digest(kind, owner, name, digest);
	for (int i = 7; i >= 0; i--)
		id = id << 8 | digest[i];
	return id;
}
