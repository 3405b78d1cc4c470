/* SPDX-License-Identifier: MIT */
#include "changes_invariants.h"

#include <string.h>

#include "../base/words.h"
#include "../image/invariants.h"

/* The words of one image and of the other. */
struct both {
	const uint32_t *a, *b;
};

/* A set or a service: the number of its records of `size` words, then those. */
static bool same_list(struct both words, uint32_t a, uint32_t b, size_t size)
{
	return words.a[a] == words.b[b] &&
	       !memcmp(&words.a[a + 1], &words.b[b + 1], words.a[a] * size * sizeof(uint32_t));
}

static bool same_boxes(struct both words, uint32_t a, uint32_t b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gpc_invariant_box x = gpc_invariant_box(words.a, a, i);
		struct gpc_invariant_box y = gpc_invariant_box(words.b, b, i);

		if (!same_list(words, x.source, y.source, GPC_INVARIANT_RANGE_WORDS) ||
		    !same_list(words, x.destination, y.destination, GPC_INVARIANT_RANGE_WORDS) ||
		    !same_list(words, x.service, y.service, GPC_INVARIANT_ITEM_WORDS))
			return false;
	}
	return true;
}

static bool same_packets(struct both words, const struct gpc_invariant *a,
			 const struct gpc_invariant *b)
{
	return a->box_count == b->box_count && a->allowed_count == b->allowed_count &&
	       same_boxes(words, a->boxes, b->boxes, a->box_count) &&
	       same_boxes(words, a->allowed, b->allowed, a->allowed_count);
}

/* By identity; 0 for none. */
static uint64_t id_of(const struct gpc_image *image, enum gpc_section_id section, uint32_t index)
{
	uint64_t id = 0;

	if (index != GPC_NONE)
		memcpy(&id, gpc_change_record(image, section, index), sizeof(id));
	return id;
}

static void note_limit(struct gpc_change_text *out, const char *what, uint32_t a, uint32_t b)
{
	if (a != b)
		gpc_change_note(out, "%s %u -> %u", what, a, b);
}

void gpc_changes_invariant_differ(const struct gpc_image *before, const struct gpc_invariant *a,
				  const struct gpc_image *after, const struct gpc_invariant *b,
				  struct gpc_change_text *out)
{
	uint32_t count;
	struct both words = {gpc_image_section(before, GPC_SEC_INVARIANT_WORDS, &count),
			     gpc_image_section(after, GPC_SEC_INVARIANT_WORDS, &count)};

	if (a->form != b->form)
		gpc_change_note(out, "%s -> %s", gpc_invariant_form_name(a->form),
				gpc_invariant_form_name(b->form));
	if ((a->flags ^ b->flags) & GPC_INVARIANT_ENFORCED)
		gpc_change_note(out, "%s", b->flags & GPC_INVARIANT_ENFORCED
						   ? "deferred until enforced"
						   : "no longer deferred");
	if ((a->flags ^ b->flags) & GPC_INVARIANT_EGRESS ||
	    id_of(before, GPC_SEC_INTERFACE, a->interface) !=
		    id_of(after, GPC_SEC_INTERFACE, b->interface))
		gpc_change_note(out, "interface");
	if (!same_packets(words, a, b))
		gpc_change_note(out, "packets");
	if (id_of(before, GPC_SEC_BACKEND, a->backend) != id_of(after, GPC_SEC_BACKEND, b->backend))
		gpc_change_note(out, "backend");
	if (a->max != b->max)
		gpc_change_note(out, "max %u.%02u%% -> %u.%02u%%", a->max / 100, a->max % 100,
				b->max / 100, b->max % 100);
	note_limit(out, "memory", a->memory, b->memory);
	note_limit(out, "max-lookups", a->max_lookups, b->max_lookups);
}
