/* SPDX-License-Identifier: MIT */
/* whole.h: bind_whole.c, bind_listener.c and bind_probe.c, an object with its frame for messages about its keys. */
#ifndef GPC_INTENT_WHOLE_H
#define GPC_INTENT_WHOLE_H

#include "document.h"
#include "slot.h"

struct gpc_whole {
	struct gpc_values *values;
	const struct gpc_frame *frame;
	const struct gpc_object_info *info;
	const struct gpc_node *node;
};

/* The key as it stands there, NULL if it was not written. */
const struct gpc_pair *gpc_whole_written(const struct gpc_whole *whole, const char *key);

/* "WHAT in listeners[0] (web)" */
struct gpc_diag *gpc_whole_fault(const struct gpc_whole *whole, enum gpc_code code,
				 struct gpc_place place, const char *what);
void gpc_whole_hint(const struct gpc_whole *whole, struct gpc_diag *diag, const char *text);

/* Keys of a listener that ask for each other or rule each other out. */
void gpc_bind_whole_listener(const struct gpc_whole *whole, const struct gpc_listener_intent *listener);
/* The kind of a probe, and what has no meaning for it. */
void gpc_bind_whole_probe(const struct gpc_whole *whole, struct gpc_probe_intent *probe);

#endif
