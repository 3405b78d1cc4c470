/* SPDX-License-Identifier: MIT */
#include "journaled.h"

#include "../override/journal.h"
#include "output.h"
#include "override_text.h"

void gpc_journaled_read(const struct gpc_call *call, struct gpc_journaled *ret)
{
	struct gpc_journaled journaled = {0};
	struct gpc_failure failure;

	journaled.known = !gpc_journal_load(gpc_state_dir(), &journaled.overrides, &failure);
	if (!journaled.known)
		gpc_say(call, GPC_YELLOW, "warning", "overrides are left as they are: %s; %s",
			failure.message, failure.hint);
	*ret = journaled;
}

void gpc_journaled_release(struct gpc_journaled *journaled)
{
	gpc_overrides_release(&journaled->overrides);
}

const struct gpc_overrides *gpc_journaled_overrides(const struct gpc_journaled *journaled)
{
	return journaled->known ? &journaled->overrides : NULL;
}

static void say_gone(const struct gpc_call *call, const struct gpc_override *override)
{
	char object[GPC_OVERRIDE_OBJECT], text[GPC_OVERRIDE_TEXT];

	gpc_say(call, GPC_DIM, "note", "the override '%s' of '%s' has ended: it is no longer there",
		gpc_override_text(override, text), gpc_override_object(override, object));
}

void gpc_journaled_settle(const struct gpc_call *call, struct gpc_journaled *journaled,
			  const struct gpc_image *image)
{
	int64_t now = gpc_utc_ms();
	struct gpc_failure failure;

	if (!journaled->known || !gpc_overrides_settle(&journaled->overrides, image, now))
		return;
	for (size_t i = 0; i < journaled->overrides.count; i++) {
		const struct gpc_override *o = &journaled->overrides.items[i];

		if (o->end == GPC_END_GONE && o->ended == now)
			say_gone(call, o);
	}
	if (gpc_journal_save(gpc_state_dir(), &journaled->overrides, &failure))
		gpc_say(call, GPC_YELLOW, "warning",
			"what ended is not journaled yet, the next gpc command does it: %s",
			failure.message);
}

void gpc_journaled_republish(const struct gpc_call *call, const struct gpc_journaled *journaled)
{
	struct gpc_failure failure;

	if (journaled->known &&
	    gpc_plane_override(gpc_bpffs(), &journaled->overrides, &failure))
		gpc_say(call, GPC_YELLOW, "warning", "overrides are not in effect: %s",
			failure.message);
}
