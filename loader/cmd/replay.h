/* SPDX-License-Identifier: MIT */
/* replay.h: the parts of `gpc replay`: what came of it, in words or as objects. */
#ifndef GPC_LOADER_CMD_REPLAY_H
#define GPC_LOADER_CMD_REPLAY_H

#include <json-c/json.h>

#include "../replay/replay.h"
#include "command.h"

struct gpc_replayed {
	const struct gpc_call *call;
	const struct gpc_replay *replay;
	const struct gpc_record_losses *losses;
	const char *source;	/* the capture or list */
	const char *names[2];	/* of the images */
	size_t top;		/* how many of each list */
};

/* "drop (policy), edge/default"; malloc'ed. */
char *gpc_fate_text(const struct gpc_image *image, const struct gpc_fate *fate);
/* "edge/ssh", "-" of GPC_NONE, "default" as edge/default; malloc'ed. */
char *gpc_rule_text(const struct gpc_image *image, uint32_t rule);

void gpc_replay_text(const struct gpc_replayed *replayed);
/* Adds the sums of all to the result. */
void gpc_replay_json(const struct gpc_replayed *replayed, struct json_object *result);

/* Indexes of those of `count` sums that are not zero, most packets first; malloc'ed. `stride` bytes apart. */
size_t *gpc_sums_rank(const struct gpc_sum *sums, size_t stride, size_t count, size_t *ret_count);

#endif
