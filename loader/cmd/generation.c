/* SPDX-License-Identifier: MIT */
#include "generation.h"

#include "output.h"

struct json_object *gpc_generation_json(const struct gpc_generation *generation, const char *type)
{
	struct json_object *object = gpc_json(type);

	gpc_json_number(object, "generation", generation->number);
	gpc_json_text(object, "plane", generation->plane);
	gpc_json_number(object, "time", generation->time);
	gpc_json_text(object, "actor", generation->actor);
	gpc_json_text(object, "source", generation->source);
	gpc_json_text(object, "result", generation->result);
	gpc_json_text(object, "policy_mode", gpc_stance_name(generation->stance));
	if (generation->rollback_of)
		gpc_json_number(object, "rollback_of", generation->rollback_of);
	if (generation->upgrade_of)
		gpc_json_number(object, "upgrade_of", generation->upgrade_of);
	gpc_json_text(object, "decision", generation->decision);
	gpc_json_text(object, "file", generation->image);
	if (generation->parent[0])
		gpc_json_text(object, "rebalanced_from", generation->parent);
	gpc_json_text(object, "commit", generation->commit);
	return object;
}
