/* SPDX-License-Identifier: MIT */
/*
 * rulebook.h: what the rules of an image are called and where they are written, found by their stable
 * id. A rule of another image than the one that is asked is still itself: its id says so.
 */
#ifndef GPC_LOADER_CMD_RULEBOOK_H
#define GPC_LOADER_CMD_RULEBOOK_H

#include "../../compiler/image/image_file.h"

#define GPC_RULE_PLACE 320

struct gpc_rulebook_entry {
	const struct gpc_rule *rule;
	char *place;		/* "edge.yaml:12:3"; "" if unknown; NULL: not looked for yet */
};

struct gpc_rulebook {
	struct gpc_image image;	/* owned */
	struct gpc_rulebook_entry *entries;	/* by id */
	uint32_t count;
};

/* Takes the image over. Aborts when out of memory. */
void gpc_rulebook_init(struct gpc_rulebook *book, struct gpc_image *image);
void gpc_rulebook_release(struct gpc_rulebook *book);

/* NULL if the image has no rule of this id; its place is filled in. */
const struct gpc_rulebook_entry *gpc_rulebook_find(struct gpc_rulebook *book, uint64_t id);

/* Name of the policy that a rule stands in, or `protect`, `builtin`. */
const char *gpc_rule_owner(const struct gpc_image *image, const struct gpc_rule *rule);
/* "edge.yaml:12:3", of a default that of its policy; empty if the image does not say. Returns out. */
char *gpc_rule_place(const struct gpc_image *image, const struct gpc_rule *rule,
		     char out[GPC_RULE_PLACE]);

#endif
