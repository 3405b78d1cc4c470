/* SPDX-License-Identifier: MIT */
/* id.h: what a name becomes (SEMANTICS 1): the digest behind stable ids and the default hash seed. */
#ifndef GPC_MODEL_ID_H
#define GPC_MODEL_ID_H

#include <stdint.h>

#include "../base/sha256.h"
#include "gpc/image.h"

/* Kinds of the objects that have a stable id in this version. */
#define GPC_KIND_INTERFACE "interface"
#define GPC_KIND_BACKEND "backend"
#define GPC_KIND_ENDPOINT "endpoint"	/* owner: its backend */
#define GPC_KIND_LISTENER "listener"
#define GPC_KIND_POLICY "policy"
#define GPC_KIND_POLICY_RULE "policy-rule"	/* owner: its policy; `default` is the default's */
#define GPC_KIND_PROTECT "protect"
#define GPC_KIND_INVARIANT "invariant"
#define GPC_KIND_BUILTIN "builtin"	/* gpc_builtin_names */
#define GPC_KIND_SEED "seed"

#define GPC_NAME_DEFAULT "default"	/* of a policy's default, among its rules */

/* `arp` `nd` `ra` `mld` `icmp-error` */
extern const char *const gpc_builtin_names[GPC_BUILTIN_COUNT];

/* SHA-256("gpc/v1" NUL kind NUL [owner NUL] name); owner NULL: the kind has none. */
void gpc_identity_digest(const char *kind, const char *owner, const char *name, uint8_t ret_digest[32]);

/*
 * Ids of many names of one kind and owner, for less: start, then gpc_ids_next() for each, then end.
 * Names of owners are at most GPC_MAX_NAME_BYTES long.
 */
struct gpc_ids {
	struct gpc_sha256 sha;
	char head[128];		/* what all of them begin with */
	size_t head_size;
};
void gpc_ids_start(struct gpc_ids *ids, const char *kind, const char *owner);
uint64_t gpc_ids_next(struct gpc_ids *ids, const char *name);
void gpc_ids_end(struct gpc_ids *ids);

#endif
