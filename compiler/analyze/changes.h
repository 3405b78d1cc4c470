/* SPDX-License-Identifier: MIT */
/*
 * changes.h: what differs between two images, by identity: objects added, removed and changed. The
 * history records the counts (plan.json), `apply`, `rollback` and `show` print them.
 */
#ifndef GPC_LOADER_HISTORY_CHANGES_H
#define GPC_LOADER_HISTORY_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "../image/image_file.h"

enum gpc_change_kind { GPC_CHANGE_ADDED, GPC_CHANGE_REMOVED, GPC_CHANGE_CHANGED };
enum gpc_change_object {
	GPC_CHANGE_PLANE, /* name, hash seed, defaults; never added or removed */
	GPC_CHANGE_INTERFACE,
	GPC_CHANGE_BACKEND,
	GPC_CHANGE_ENDPOINT,
	GPC_CHANGE_LISTENER,
	GPC_CHANGE_POLICY,
	GPC_CHANGE_RULE, /* as it stands in a policy, or a `protect` item */
	GPC_CHANGE_INVARIANT,
	GPC_CHANGE_CHAIN, /* the policies of an interface and direction: does it let the same through? */
	GPC_CHANGE_OBJECTS
};

struct gpc_change {
	enum gpc_change_object object;
	enum gpc_change_kind kind;
	char *name; /* "web/web-1" for an endpoint, "edge-in/ssh" for a rule, "wan0 ingress" for a chain,
		     * metadata.name for the plane */
	char *text; /* "weight 1 -> 3, state ready -> drain"; empty if added or removed */
	bool alone; /* of a rule: no comparison of packets tells it (how it logs, until when it stands) */
};

struct gpc_changes {
	struct gpc_change *items;
	size_t count;
	uint32_t counts[GPC_CHANGE_OBJECTS][3];
	uint64_t slots,
		slots_moved; /* Maglev slots of backends in both, and those with a new endpoint */
};

/* `before` NULL: everything is added. Order: by object, then name. Aborts when out of memory. */
void gpc_changes_compare(const struct gpc_image *before, const struct gpc_image *after,
			 struct gpc_changes *ret);
void gpc_changes_release(struct gpc_changes *changes);

const char *gpc_change_object_name(enum gpc_change_object object); /* "endpoint" */
const char *gpc_change_object_names(enum gpc_change_object object); /* "endpoints" */
const char *gpc_change_kind_name(enum gpc_change_kind kind);	   /* "added" */
const char *gpc_state_name(unsigned int state);			   /* "drain" */

#endif
