/* SPDX-License-Identifier: MIT */
#include "pending.h"

#include "../override/override.h"
#include "output.h"

static int64_t until(const struct gpc_confirm *confirm)
{
	return (gpc_utc_ms() + (int64_t)confirm->left_ms) / 1000;
}

char *gpc_left_text(const struct gpc_confirm *confirm, char out[GPC_LEFT_TEXT])
{
	char when[32];

	snprintf(out, GPC_LEFT_TEXT, "until %s (%llu s left)", gpc_text_time(until(confirm), when),
		 (unsigned long long)((confirm->left_ms + 999) / 1000));
	return out;
}

void gpc_pending_json(const struct gpc_confirm *confirm)
{
	struct json_object *object = gpc_json("pending");

	gpc_json_number(object, "generation", confirm->generation);
	gpc_json_number(object, "fallback", confirm->fallback);
	gpc_json_number(object, "until", until(confirm));
	gpc_json_number(object, "left_ms", (int64_t)confirm->left_ms);
	gpc_json_print(object);
}
